# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an administrator does by hand in the lab, between two runs: through pypsrp, without the collection."""

from __future__ import annotations

import os
import sys
import typing as t

from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

Step = tuple[str, dict[str, t.Any]]

CHANGES: tuple[Step, ...] = (
    # Relaxed while debugging, and forgotten.
    ("Set-CsXmppAllowedPartner", {"Identity": "litware.example", "TlsNegotiation": "Optional", "Description": "test!"}),
    # Thought to be no longer in use.
    ("Remove-CsXmppAllowedPartner", {"Identity": "jabber.example"}),
    # Added on a phone call.
    ("New-CsXmppAllowedPartner", {"Identity": "phonecall.example", "PartnerType": "Federated"}),
    # Switched off, which takes XMPP away from everyone in Redmond.
    ("Set-CsExternalAccessPolicy", {"Identity": "site:Redmond", "EnableXmppAccess": False}),
    ("Grant-CsExternalAccessPolicy", {"Identity": "sip:akelly@contoso-emea.test", "PolicyName": None}),
    ("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "KeepAliveInterval": 300}),
)


# Of one pipeline.
MOST = 200


def send(steps: t.Sequence[Step]) -> list[str]:
    """All of it in one session. The texts of errors."""
    wsman = WSMan(
        "127.0.0.10",
        port=int(os.environ["SFB_LAB_PORT"]),
        path="OcsPowershell",
        auth="basic",
        username="CONTOSO\\admin",
        password="Lab-admin-1",
        # A file of authorities is documented as well.
        cert_validation=os.path.join(os.environ["SFB_LAB_DIRECTORY"], "ca.pem"),  # type: ignore[arg-type]
    )
    errors: list[str] = []
    with wsman, RunspacePool(wsman) as pool:
        for start in range(0, len(steps), MOST):
            shell = PowerShell(pool)
            for cmdlet, parameters in steps[start : start + MOST]:
                typed = {name: _wire(pool, value) for name, value in parameters.items()}
                shell.add_cmdlet(cmdlet).add_parameters({**typed, "Confirm": False}).add_statement()
            shell.invoke()
            errors += map(str, shell.streams.error)
    return errors


def _wire(pool: RunspacePool, value: t.Any) -> t.Any:
    """A number is unsigned, as the cmdlet's page has it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return pool.serialize(value, ObjectMeta("U32"))
    return value


def main() -> int:
    errors = send(CHANGES)
    print("\n".join(errors))
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())
