# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight, explain and audit on every break of the lab: whoever looks at a link finds the same code and severity."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import federate
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import LINKS
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK as PREFLIGHT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import TASK as PROBE
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_decide import decide

from lab.deployment.breaks import BREAKS
from tests.integration.management import NAMESERVER
from tests.integration.test_explain_links import Between, between

__all__ = ["between"]  # a fixture

# What nobody has to find: nothing is broken there, or only for a while.
SILENT = {"coexistence", "set-site-missing", "late-replica"}
# A run that would write something, without which no rights are asked for.
DECLARED: dict[str, t.Any] = {"partners": [{"domain": "tailspin.example", "sasl_negotiation": "optional"}]}
SERVERS = {"gateways", "proxies", "edges", "servers", "internal", "defaults"}
# What each of them looks at, in the words of the table. Preflight reads users only where a pool of a later release is.
LOOKS = {
    "preflight": {"topology", "store", "domains", "rights", *SERVERS},
    "explain": {"topology", "store", "users", "pair", "row", "domains", *SERVERS},
    "audit": {"topology", "store", "domains", "rights", *SERVERS},
}
# The same names stand for the partner's side where the probe looked at it.
Key = tuple[str, str]
Found = dict[Key, str]


def of_preflight(made: Between) -> Found:
    found = made.hosts.management.run(
        PREFLIGHT,
        **made.hosts.read(),
        records=True,
        nameservers=["%s:%d" % (NAMESERVER, made.lab.lab.xmpp_port)],
        **DECLARED,
    )
    return {("own", one["code"]): one["severity"] for one in found.values["findings"]}


def of_explain(made: Between) -> Found:
    found: Found = {}
    for link in made.explained()["links"]:
        if link["severity"] != "ok":
            side = "partner" if link["name"] == "partner_server" else "own"
            found[side, link["code"]] = link["severity"]
    return found


def of_audit(made: Between) -> Found:
    management = made.hosts.management
    existing = management.run(FEDERATION_INFO).as_dict()
    plan = management.run(federate.TASK, check=True, preflight=True, **DECLARED).as_dict()
    probe = management.run(
        PROBE,
        partners=existing["partners"],
        own_domains=["contoso.test"],
        from_domain="contoso.test",
        access_edge="sip.contoso.test",
        **made.probe(),
    ).as_dict()
    servers = made.hosts.read()
    edges, front_ends = ({one["host"]: one for one in servers[name]} for name in ("edges", "front_ends"))
    found = decide(
        deployment="default",
        host="fe01",
        time="2027-03-01T00:00:00Z",
        existing=existing,
        plan=plan,
        probe=probe,
        edges=edges,
        front_ends=front_ends,
        access_edge="sip.contoso.test",
        services=servers["services"],
    )["findings"]
    told = [one for one in found if one["area"] in ("preflight", "policy", "own", "partner")]
    return {("partner" if one["area"] == "partner" else "own", one["code"]): one["severity"] for one in told}


ASKERS: dict[str, t.Callable[[Between], Found]] = {
    "preflight": of_preflight, "explain": of_explain, "audit": of_audit,
}  # fmt: skip


@pytest.mark.parametrize("name", ["", *BREAKS])
@pytest.mark.parametrize("between", ["sfb2015"], indirect=True)
def test_whoever_looks_at_a_link_finds_the_same(between: Between, name: str) -> None:
    between.broken(*filter(None, [name]))
    found = {asker: ask(between) for asker, ask in ASKERS.items()}
    for key in {key for own in found.values() for key in own}:
        severities = {asker: own[key] for asker, own in found.items() if key in own}
        assert len(set(severities.values())) == 1, (key, severities)
    links = {link.code: set(link.needs) for link in LINKS}
    for asker, own in found.items():
        others = {code for other in found.values() for side, code in other if side == "own" and code in links}
        missed = {code for code in others if links[code] <= LOOKS[asker] and ("own", code) not in own}
        assert missed == set(), (asker, found)
    broken = any(code in links for own in found.values() for _side, code in own)
    assert broken or name in {"", *SILENT}, "somebody has to find it"
