# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight, explain and audit on every break of the lab: whoever looks at a link finds the same code and severity.

Their tasks on each break, then the playbooks: in a sample of `make test`, and on each break in `make nightly`.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import federate
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import LINKS
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK as PREFLIGHT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import TASK as PROBE
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_decide import decide

from lab.deployment.breaks import BREAKS
from lab.deployment.ready import USER
from tests.integration.management import NAMESERVER
from tests.integration.plays import Plays, own_winrm
from tests.integration.test_explain_links import PARTNER, Between, between

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
    return told_by(made.explained()["links"])


def told_by(links: t.Sequence[t.Mapping[str, t.Any]]) -> Found:
    found: Found = {}
    for link in links:
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
    return counted(found)


def counted(found: t.Sequence[t.Mapping[str, t.Any]]) -> Found:
    """What an audit found of the chain."""
    told = [one for one in found if one["area"] in ("preflight", "policy", "own", "partner")]
    return {("partner" if one["area"] == "partner" else "own", one["code"]): one["severity"] for one in told}


ASKERS: dict[str, t.Callable[[Between], Found]] = {
    "preflight": of_preflight, "explain": of_explain, "audit": of_audit,
}  # fmt: skip


@pytest.mark.parametrize("name", ["", *BREAKS])
@pytest.mark.parametrize("between", ["sfb2015"], indirect=True)
def test_whoever_looks_at_a_link_finds_the_same(between: Between, name: str) -> None:
    between.broken(*filter(None, [name]))
    agree({asker: ask(between) for asker, ask in ASKERS.items()}, name)


def agree(found: t.Mapping[str, Found], *names: str) -> None:
    """found: what each asker found with these breaks."""
    for key in {key for own in found.values() for key in own}:
        severities = {asker: own[key] for asker, own in found.items() if key in own}
        assert len(set(severities.values())) == 1, (key, severities)
    links = {link.code: set(link.needs) for link in LINKS}
    for asker, own in found.items():
        others = {code for other in found.values() for side, code in other if side == "own" and code in links}
        missed = {code for code in others if links[code] <= LOOKS[asker] and ("own", code) not in own}
        assert missed == set(), (asker, found)
    broken = {code for own in found.values() for _side, code in own if code in links}
    assert broken or {*names} <= {"", *SILENT}, "somebody has to find it"


class Playbooks:
    """The three playbooks, with an inventory of all hosts of a lab."""

    def __init__(self, made: Between) -> None:
        self.plays = plays = Plays(made.lab.lab)
        hosts = plays.hosts()
        hosts["sfb_front_end"] = own_winrm(hosts)
        probe = made.probe()
        settings = {
            **probe,
            "access_edge": "sip.contoso.test",
            "own_domains": ["contoso.test"],
            "from_domain": "contoso.test",
            "allow_local": True,
        }
        variables = {
            "sfb_xmpp_verification": settings,
            **{"sfb_xmpp_" + name: value for name, value in DECLARED.items()},
        }
        self.inventory = plays.write("agree.yml", {**hosts, "all": {"vars": variables}})

    def found(self) -> dict[str, Found]:
        return {"preflight": self._preflight(), "explain": self._explain(), "audit": self._audit()}

    def _preflight(self) -> Found:
        run = self.plays.run("sfb.xmpp.preflight", inventory=self.inventory)
        found = run.result("Check what federation depends on")["findings"]
        return {("own", one["code"]): one["severity"] for one in found}

    def _explain(self) -> Found:
        asked = ("-e", "sfb_xmpp_for_user=" + USER, "-e", "sfb_xmpp_for_partner=" + PARTNER)
        run = self.plays.run("sfb.xmpp.explain", *asked, inventory=self.inventory)
        return told_by(run.result("Check the links between the user and the partner")["links"])

    def _audit(self) -> Found:
        into = self.plays.directory / "audit"
        run = self.plays.run("sfb.xmpp.audit", "-e", "sfb_xmpp_into=%s" % into, inventory=self.inventory)
        assert (into / "audit.json").exists(), run.output
        return counted(json.loads((into / "audit.json").read_text(encoding="utf-8"))["findings"])


SAMPLE = [
    ("gateway-stopped", "proxy-stopped", "srv-missing"),
    *(pytest.param((name,), marks=pytest.mark.nightly) for name in ("", *BREAKS)),
]


@pytest.mark.parametrize("names", SAMPLE)
@pytest.mark.parametrize("between", ["sfb2015"], indirect=True)
def test_so_do_the_playbooks(between: Between, names: tuple[str, ...]) -> None:
    between.broken(*filter(None, names))
    playbooks = Playbooks(between)
    try:
        agree(playbooks.found(), *names)
    finally:
        playbooks.plays.close()
