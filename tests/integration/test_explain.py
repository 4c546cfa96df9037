# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What explain() says against what the lab's gateway does with a message, for the links that the store decides."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import (
    XMPP,
    HostService,
    Known,
    Pair,
    Probed,
    ServerRead,
    UsedCertificate,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.pair import BOTH, Explanation, explain
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Topology

from lab.deployment.store import Store
from lab.gateway.dial import DialFailed
from tests.integration.gateway_federation import Federation
from tests.integration.test_gateway import EXTERNAL, federation

__all__ = ["federation"]  # a fixture

USER = "ialmeida@contoso.test"  # to whom the fixture grants the policy
DOMAIN = "fabrikam.test"
GATEWAY = "fe01/RTCXMPPTGW"
POLICY = "Tag:Partners"


def change(store: Store, kind: str, key: str, **changes: t.Any) -> None:
    store.put(kind, key, {**(store.get(kind, key) or {}), **changes})


# What breaks each link in the lab's store, and what repairs it, given whether it is to be good.
LINKS: dict[str, t.Callable[[Federation, bool], None]] = {
    "policy": lambda lab, good: change(lab.store, "policy", POLICY, EnableXmppAccess=good),
    "policy (federation)": lambda lab, good: change(lab.store, "policy", POLICY, EnableFederationAccess=good),
    "partner": lambda lab, good: lab.allow(EXTERNAL) if good else lab.store.delete("partner", DOMAIN),
    "access_edge": lambda lab, good: change(lab.store, "access_edge", "Global", AllowFederatedUsers=good),
    "route": lambda lab, good: change(
        lab.store, "site", "Redmond", XmppFederationRoute="EdgeServer:edge.contoso.test" if good else ""
    ),
    "services": lambda lab, good: change(lab.store, "service", GATEWAY, Status="Running" if good else "Stopped"),
}


def explained(store: Store) -> Explanation:
    """From the lab's store, as the product's cmdlets would show it. Partner's server and DNS are good here."""
    policy = store.get("policy", POLICY) or {}
    rights = {"enable_xmpp_access": policy["EnableXmppAccess"], "enable_outside_access": True}
    rights["enable_federation_access"] = policy["EnableFederationAccess"]
    routes = {name: str(site["XmppFederationRoute"] or "") for name, site in store.all("site").items()}
    row = {"tls_negotiation": "required", "sasl_negotiation": "required", "support_dialback_negotiation": False}
    partner = Record(DOMAIN, {**row, "additional_domains": [], "partner_type": "federated"})
    services = [
        HostService(
            key.partition("/")[0], "proxy" if service["DisplayName"].endswith("Proxy") else "gateway", service["Status"]
        )
        for key, service in store.all("service").items()
        if "XMPP" in service["DisplayName"]
    ]
    pool = Pool("fe01.contoso.test", "Redmond", ("fe01.contoso.test",), "2015", True, True)
    edge = EdgePool("edge.contoso.test", "sip.contoso.test", 5269, 23456, "2015")
    allowed = (store.get("access_edge", "Global") or {})["AllowFederatedUsers"]
    own = Record("Partners", rights)
    user = User("CN=u", "sip:" + USER, "Partners", pool.fqdn, enabled=True)
    return explain(
        Known(
            Topology("2015", (pool,), (edge,), (), ("contoso.test",), (), (), ()),
            Deployment(
                "",
                {
                    "policies": {"partners": own},
                    "partners": {DOMAIN: partner} if DOMAIN in store.partners() else {},
                    "access_edge": {"global": Record("global", {"allow_federated_users": allowed})},
                    "federation_routes": {
                        name: Record(name, {"edge_pool": route.partition(":")[2]}) for name, route in routes.items()
                    },
                },
            ),
            tuple(one for one in services if one.kind == "gateway"),
            tuple(one for one in services if one.kind == "proxy"),
            tuple(ServerRead(host, (UsedCertificate((XMPP,), {}),)) for host in ("edge01", "edge02")),
            pair=Pair(USER, DOMAIN, user, False, own, "user"),
        ),
        Probed((), ()),
    )


def arrives(federation: Federation) -> bool:
    """Whether a message of the partner reaches the user."""
    try:
        dialog = federation.peer.secured()
        if federation.peer.external(dialog) is not None:
            return False
        return federation.says(dialog).status == "delivered"
    except DialFailed:
        return False


def test_every_combination_of_broken_links(federation: Federation) -> None:
    """A message gets through in either direction exactly if no link is said to be broken."""
    passed = 0
    for states in itertools.product((True, False), repeat=len(LINKS)):
        for (_name, put), good in zip(LINKS.items(), states, strict=True):
            put(federation, good)
        first = next((name for name, good in zip(LINKS, states, strict=True) if not good), "").partition(" ")[0]
        explanation = explained(federation.store)
        told = [explanation.broken(direction) for direction in BOTH]
        assert [link.name if link else "" for link in told] == [first] * 2
        sent = federation.send()
        seen = (sent.status == "sent", arrives(federation))
        assert seen == (not first, not first), (states, sent.reason, explanation.sentence)
        passed += not first
    assert passed == 1
