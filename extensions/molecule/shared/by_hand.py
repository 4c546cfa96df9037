# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an administrator does by hand in the lab, between two runs: through pypsrp, without the collection."""

from __future__ import annotations

import os
import sys

from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

CHANGES: tuple[tuple[str, dict[str, object]], ...] = (
    # Relaxed while debugging, and forgotten.
    ("Set-CsXmppAllowedPartner", {"Identity": "litware.example", "TlsNegotiation": "Optional", "Description": "test!"}),
    # Thought to be no longer in use.
    ("Remove-CsXmppAllowedPartner", {"Identity": "jabber.example"}),
    # Added on a phone call.
    ("New-CsXmppAllowedPartner", {"Identity": "phonecall.example", "PartnerType": "Federated"}),
    # Switched off, which takes XMPP away from everyone in Redmond.
    ("Set-CsExternalAccessPolicy", {"Identity": "site:Redmond", "EnableXmppAccess": False}),
    ("Grant-CsExternalAccessPolicy", {"Identity": "sip:akelly@contoso-emea.test", "PolicyName": None}),
)


def main() -> int:
    ca = os.path.join(os.environ["SFB_LAB_DIRECTORY"], "ca.pem")
    wsman = WSMan(
        "127.0.0.10",
        port=int(os.environ["SFB_LAB_PORT"]),
        path="OcsPowershell",
        auth="basic",
        username="CONTOSO\\admin",
        password="Lab-admin-1",
        cert_validation=ca,  # type: ignore[arg-type]  # a file of authorities is documented as well
    )
    with wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        for cmdlet, parameters in CHANGES:
            shell.add_cmdlet(cmdlet).add_parameters({**parameters, "Confirm": False}).add_statement()
        shell.add_cmdlet("Set-CsXmppGatewayConfiguration").add_parameters(
            {"Identity": "Global", "KeepAliveInterval": pool.serialize(300, ObjectMeta("U32")), "Confirm": False}
        )
        shell.invoke()
        for error in shell.streams.error:
            print(error)
        return 1 if shell.streams.error else 0


if __name__ == "__main__":
    sys.exit(main())
