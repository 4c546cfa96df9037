# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a large deployment without the collection, or make ten changes to it: ``grown.py make|change``."""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # a script finds the next imports only after this line

from extensions.molecule.shared.by_hand import Step, send
from lab.deployment.store import Store

USERS, PARTNERS, POLICIES = 2000, 300, 12

# These are typical descriptions of administrators.
WORDS = ("", "since 2014, ask Ann", "contract 47/11 # renewed", "Straße & Söhne: 'old'", "{{ not a template }}")
ROWS = ((True, "Required", "Required", False), (False, "Optional", "NotSupported", True))


def users(store: Store) -> list[str]:
    """Add users with the properties of an existing user. Return their SIP addresses."""
    model = next(user for user in store.all("user").values() if not user["AdminCount"])
    found = []
    with store.transaction():
        for number in range(USERS):
            address = "sip:user%04d@contoso.test" % number
            dn = "CN=User %04d,OU=Staff,DC=contoso,DC=test" % number
            own = {"SamAccountName": "user%04d" % number, "UserPrincipalName": "user%04d@contoso.test" % number}
            store.put("user", dn, {**model, **own, "SipAddress": address, "DisplayName": "User %04d" % number})
            found.append(address)
    return found


def made(addresses: t.Sequence[str]) -> t.Iterator[Step]:
    for number in range(POLICIES):
        own = {"EnableFederationAccess": True, "EnableOutsideAccess": True, "EnableXmppAccess": number % 3 != 2}
        yield (
            "New-CsExternalAccessPolicy",
            {"Identity": "Department %d" % number, "Description": WORDS[number % len(WORDS)], **own},
        )
    for number in range(PARTNERS):
        limited, tls, sasl, dialback = ROWS[number % 2]
        yield (
            "New-CsXmppAllowedPartner",
            {
                "Identity": "partner%03d.example" % number,
                "PartnerType": ("Federated", "PublicVerified", "PublicUnverified")[number % 3],
                "TlsNegotiation": tls,
                "SaslNegotiation": sasl,
                "SupportDialbackNegotiation": dialback,
                "EnableKeepAlive": limited,
                "Description": WORDS[number % len(WORDS)],
                "AdditionalDomains": ["chat%d.partner%03d.example" % (n, number) for n in range(number % 4)],
            },
        )
    yield "Set-CsAccessEdgeConfiguration", {"AllowFederatedUsers": True}
    for number, address in enumerate(addresses):
        if number % 2:
            policy = "Department %d" % (number % POLICIES)
            yield "Grant-CsExternalAccessPolicy", {"Identity": address, "PolicyName": policy}


def changes() -> list[Step]:
    """Return one change for each of ten objects."""
    found: list[Step] = [
        ("Set-CsXmppAllowedPartner", {"Identity": "partner001.example", "Description": "changed by hand"}),
        ("Set-CsXmppAllowedPartner", {"Identity": "partner002.example", "EnableKeepAlive": False}),
        ("Set-CsXmppAllowedPartner", {"Identity": "partner003.example", "PartnerType": "PublicVerified"}),
        ("Remove-CsXmppAllowedPartner", {"Identity": "partner004.example"}),
        ("New-CsXmppAllowedPartner", {"Identity": "phonecall.example", "PartnerType": "Federated"}),
        ("Set-CsExternalAccessPolicy", {"Identity": "Department 0", "EnableXmppAccess": False}),
        ("Set-CsExternalAccessPolicy", {"Identity": "Department 1", "Description": "changed by hand"}),
        ("Set-CsAccessEdgeConfiguration", {"AllowFederatedUsers": False}),
        ("Grant-CsExternalAccessPolicy", {"Identity": "sip:user0001@contoso.test", "PolicyName": None}),
        ("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "KeepAliveInterval": 240}),
    ]
    assert len(found) == 10
    return found


def main(what: str) -> int:
    steps = list(made(users(Store(Path(os.environ["SFB_LAB_DIRECTORY"]))))) if what == "make" else changes()
    errors = send(steps)
    print("\n".join(errors[:10]) or "%d statements" % len(steps))
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
