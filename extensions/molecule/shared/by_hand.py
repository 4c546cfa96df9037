# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the lab by hand between two runs, as an administrator does: with pypsrp, without the collection."""

from __future__ import annotations

import os
import sys
import typing as t

from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

Step = tuple[str, dict[str, t.Any]]

CHANGES: tuple[Step, ...] = (
    # An administrator weakened TLS during a test, and did not restore it.
    ("Set-CsXmppAllowedPartner", {"Identity": "litware.example", "TlsNegotiation": "Optional", "Description": "test!"}),
    # An administrator believed that the partner was unused.
    ("Remove-CsXmppAllowedPartner", {"Identity": "jabber.example"}),
    # An administrator added the partner after a phone call.
    ("New-CsXmppAllowedPartner", {"Identity": "phonecall.example", "PartnerType": "Federated"}),
    # This removes XMPP from all users in Redmond.
    ("Set-CsExternalAccessPolicy", {"Identity": "site:Redmond", "EnableXmppAccess": False}),
    ("Grant-CsExternalAccessPolicy", {"Identity": "sip:akelly@contoso-emea.test", "PolicyName": None}),
    ("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "KeepAliveInterval": 300}),
)


# This is the maximum of statements in one pipeline.
MOST = 200


def send(steps: t.Sequence[Step]) -> list[str]:
    """Run all steps in one session. Return the texts of errors."""
    wsman = WSMan(
        "127.0.0.10",
        port=int(os.environ["SFB_LAB_PORT"]),
        path="OcsPowershell",
        auth="basic",
        username="CONTOSO\\admin",
        password="Lab-admin-1",
        # The documentation also allows a file of authorities.
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
    """Convert numbers to unsigned numbers, as the cmdlets' pages require."""
    if isinstance(value, int) and not isinstance(value, bool):
        return pool.serialize(value, ObjectMeta("U32"))
    return value


def main() -> int:
    errors = send(CHANGES)
    print("\n".join(errors))
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())
