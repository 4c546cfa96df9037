# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the lab's store with the lab's inventory, without the collection. Print every difference, and exit with 1.

This file has its own names of properties, so that it finds wrong names in the collection.
"""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

import idna
import yaml
from cryptography.hazmat.primitives.serialization import pkcs12

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP))  # a script finds the lab only after this line

from lab.deployment.seed import thumbprint  # noqa: E402
from lab.deployment.store import Store  # noqa: E402
from lab.deployment.strict import PAUSED  # noqa: E402

DIRECTORY = Path(os.environ["SFB_LAB_DIRECTORY"])
POLICY = {
    "description": "Description",
    "enable_outside_access": "EnableOutsideAccess",
    "enable_federation_access": "EnableFederationAccess",
    "enable_xmpp_access": "EnableXmppAccess",
}
PARTNER = {
    "additional_domains": "AdditionalDomains",
    "description": "Description",
    "partner_type": "PartnerType",
    "tls_negotiation": "TlsNegotiation",
    "sasl_negotiation": "SaslNegotiation",
    "support_dialback_negotiation": "SupportDialbackNegotiation",
    "enable_keep_alive": "EnableKeepAlive",
    "connection_limit": "ConnectionLimit",
}
WORDS = {
    "federated": "Federated",
    "public_verified": "PublicVerified",
    "public_unverified": "PublicUnverified",
    "required": "Required",
    "optional": "Optional",
    "not_supported": "NotSupported",
}
Differences = t.Iterator[str]


def inventory() -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for path in sorted((TOP / "inventories" / "lab" / "group_vars" / "all").glob("*.yml")):
        found.update(yaml.safe_load(path.read_text("utf-8")))
    return found


def wire(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return sorted(value)
    return WORDS.get(value, value) if isinstance(value, str) else value


def objects(
    what: str, wanted: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any], names: t.Mapping[str, str]
) -> Differences:
    if set(wanted) != set(found):
        yield "%s: %s instead of %s" % (what, sorted(found), sorted(wanted))
    for key in set(wanted) & set(found):
        for option, value in wanted[key].items():
            if option in names and wire(found[key][names[option]]) != wire(value):
                yield "%s %s: %s is %r instead of %r" % (
                    what,
                    key,
                    names[option],
                    found[key][names[option]],
                    wire(value),
                )


def federation(store: Store, wanted: t.Mapping[str, t.Any]) -> Differences:
    partners = {idna.encode(item["domain"]).decode(): item for item in wanted["sfb_xmpp_partners"]}
    yield from objects("partner", partners, store.partners(), PARTNER)
    policies = {item["identity"].lower(): item for item in wanted["sfb_xmpp_policies"]}
    actual = {key.lower().removeprefix("tag:"): body for key, body in store.policies().items()}
    yield from objects("policy", policies, actual, POLICY)

    desk = "XMPP Partner Desk"
    holders = {name for name, user in store.users().items() if user["ExternalAccessPolicy"]}
    expected = {
        "pobrien@contoso-emea.test",
        "akelly@contoso-emea.test",
        "znoelke@contoso-emea.test",
        "ialmeida@contoso.test",
    }
    if holders != expected:
        yield "%s is granted to %s" % (desk, sorted(holders))

    gateway = store.all("gateway")["Global"]
    settings = (gateway["PartnerConnectionLimit"], gateway["KeepAliveInterval"], gateway["StreamEstablishmentTimeout"])
    if settings != (50, 240, 60):
        yield "gateway: %s" % (settings,)
    if gateway["DialbackPassphrase"] != wanted["sfb_xmpp_gateway"]["dialback_passphrase"]:
        yield "gateway: another passphrase"
    if store.all("access_edge")["Global"]["AllowFederatedUsers"] is not True:
        yield "access edge: federation is off"


def edges(store: Store, wanted: t.Mapping[str, t.Any]) -> Differences:
    source = wanted["sfb_xmpp_certificate"]["source"]
    content = pkcs12.load_pkcs12((DIRECTORY / "gateway.pfx").read_bytes(), source["passphrase"].encode())
    assert content.cert
    certificate = thumbprint(content.cert.certificate)
    for host in ("edge01", "edge02"):
        assigned = store.assignments(host)
        if [usage for usage, value in assigned.items() if value == certificate] != ["XmppServer"]:
            yield "%s: %s" % (host, assigned)
        if store.presented(host).get("XmppServer") != certificate:
            yield "%s: the proxy presents another certificate" % host
        # A strict deployment has other paused services.
        stopped = [
            name
            for name, state in store.services(host).items()
            if state != "Running" and (state, "%s/%s" % (host, name)) not in [("Paused", key) for key in PAUSED]
        ]
        if stopped:
            yield "%s: stopped: %s" % (host, stopped)
        if store.files(host):
            yield "%s: files remain: %s" % (host, sorted(store.files(host)))
        row = store.certificate(host, "My", certificate)
        if row is None or not row.key_readable:
            yield "%s: Network Service cannot read the key" % host
    # The restart of the second Edge must begin after the first Edge is up again.
    stops = [(e.host, e.cmdlet) for e in store.events() if e.cmdlet.partition("-")[0] in ("Stop", "Start")]
    if [host for host, _cmdlet in stops] != ["edge01"] * 2 + ["edge02"] * 2:
        yield "restarts: %s" % stops


def main() -> int:
    store = Store(DIRECTORY)
    wanted = inventory()
    found = [*federation(store, wanted), *edges(store, wanted)]
    print("\n".join(found) or "the store matches the inventory")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
