# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller and the Edges see of a partner together: verdict, findings, and on whose view they rest."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import (
    ERROR,
    SEVERITIES,
    UNKNOWN,
    WARNING,
    Finding,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_judge import obstacles, told, with_edges, xmpp_events
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_view import (
    EdgeTarget,
    EdgeView,
    LoggedEvent,
    Sight,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import ServiceRecord
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.findings import verdict

DOMAIN = "fabrikam.com"
TARGET = EdgeTarget("xmpp.fabrikam.com", "192.0.2.20", 5269)
RECORD = ServiceRecord("xmpp.fabrikam.com", 5269)


def sight(reached: bool | None, text: str = "", **more: t.Any) -> Sight:
    found = Sight(DOMAIN, "found", (RECORD,), (replace(TARGET, reached=reached, text=text),))
    return replace(found, **more)


REACHES, CANNOT, UNSEEN = sight(True), sight(False, "the host does not answer a ping"), sight(None, "no time")
NO_RECORD = Sight(DOMAIN, "none")
NO_DNS = Sight(DOMAIN, "unknown", text="timeout")
ROOT = Sight(DOMAIN, "not_offered")
NO_HOST = Sight(DOMAIN, "found", (RECORD,), (replace(TARGET, address="", reached=False, text="no address"),))


def views(*sights: Sight) -> list[EdgeView]:
    return [EdgeView("edge%02d" % number, (one,)) for number, one in enumerate(sights, 1)]


def entry(result: str, *findings: tuple[str, str], srv: bool = True) -> dict[str, t.Any]:
    """What the controller's probe says. result: of its one attempt."""
    made = [Finding(code, severity, code + " was seen", "do this") for code, severity in findings]
    attempts = [{"host": TARGET.host, "address": TARGET.address, "port": 5269, "result": result}] if result else []
    records = [RECORD.as_dict()] if srv else []
    told = {"verdict": verdict(made), "findings": [one.as_dict() for one in made], "later": []}
    return {"domain": DOMAIN, "attempts": attempts, "srv": records, "declared": None, **told}


OK = entry("answered")
WARNED = entry("answered", ("certificate_expires_soon", WARNING))
NO_METHOD = entry("answered", ("row_does_not_work", ERROR))
UNREACHABLE = entry("timeout", ("not_reachable", UNKNOWN))
REFUSED = entry("refused", ("connection_refused", ERROR))
NO_NAME = entry("", ("no_address", ERROR), srv=False)

# What the controller sees, what the Edges see -> verdict, on whose view it rests, the findings that decide it.
TABLE: list[tuple[dict[str, t.Any], tuple[Sight, ...], str, str, set[str]]] = [
    (OK, (REACHES,), "ok", "both", set()),
    (OK, (UNSEEN,), "ok", "controller", set()),
    (OK, (NO_DNS,), "ok", "controller", set()),
    (OK, (CANNOT,), "failed", "edge", {"edge_not_reachable"}),
    (OK, (CANNOT, REACHES), "warning", "edge", {"edge_not_reachable"}),
    (OK, (CANNOT, UNSEEN), "failed", "edge", {"edge_not_reachable"}),
    (OK, (NO_RECORD,), "failed", "edge", {"edge_no_address"}),
    (OK, (ROOT,), "failed", "edge", {"edge_no_address"}),
    (OK, (NO_HOST,), "failed", "edge", {"edge_no_address"}),
    (OK, (NO_RECORD, CANNOT), "failed", "edge", {"edge_no_address", "edge_not_reachable"}),
    (WARNED, (REACHES,), "warning", "controller", {"certificate_expires_soon"}),
    (NO_METHOD, (REACHES,), "failed", "controller", {"row_does_not_work"}),
    (NO_METHOD, (CANNOT,), "failed", "both", {"row_does_not_work", "edge_not_reachable"}),
    (UNREACHABLE, (REACHES,), "not_observable", "edge", {"only_edge_reaches"}),
    (UNREACHABLE, (REACHES, CANNOT), "not_observable", "edge", {"only_edge_reaches"}),
    (UNREACHABLE, (CANNOT,), "failed", "edge", {"edge_not_reachable"}),
    (UNREACHABLE, (UNSEEN,), "not_observable", "both", {"not_reachable", "edge_unknown"}),
    (UNREACHABLE, (NO_DNS,), "not_observable", "both", {"not_reachable", "edge_unknown"}),
    (REFUSED, (REACHES,), "not_observable", "edge", {"only_edge_reaches"}),
    (REFUSED, (CANNOT,), "failed", "both", {"connection_refused", "edge_not_reachable"}),
    (REFUSED, (UNSEEN,), "failed", "controller", {"connection_refused"}),
    (NO_NAME, (REACHES,), "not_observable", "edge", {"only_edge_reaches"}),
    (NO_NAME, (NO_RECORD,), "failed", "both", {"no_address", "edge_no_address"}),
]


@pytest.mark.parametrize(("here", "there", "expected", "view", "codes"), TABLE)
def test_both_views(
    here: dict[str, t.Any], there: tuple[Sight, ...], expected: str, view: str, codes: set[str]
) -> None:
    found = with_edges(here, views(*there))
    worst = found["findings"][0]["severity"] if found["findings"] else ""
    decisive = {one["code"] for one in found["findings"] if one["severity"] == worst}
    assert (found["verdict"], found["view"], decisive) == (expected, view, codes)
    assert all(one["view"] in ("edge", "controller") for one in found["findings"])
    assert [one["reached"] for one in found["edges"]] == [one.reached for one in there]
    order = [SEVERITIES.index(one["severity"]) for one in found["findings"]]
    assert order == sorted(order)


@pytest.mark.parametrize("here", [OK, WARNED, NO_METHOD, UNREACHABLE, REFUSED, NO_NAME])
@pytest.mark.parametrize("there", list(itertools.product([REACHES, CANNOT, UNSEEN, NO_RECORD, NO_DNS], repeat=2)))
def test_no_verdict_is_good_that_somebody_has_not_seen(here: dict[str, t.Any], there: tuple[Sight, ...]) -> None:
    """ok and warning only where the controller has talked to the partner, and no deployment is cut off from it."""
    found = with_edges(here, views(*there))
    if found["verdict"] in ("ok", "warning"):
        assert any(attempt["result"] == "answered" for attempt in here["attempts"])
        assert any(one.reached for one in there) or not any(one.reached is False for one in there)
    # What the controller found of the conversation stays.
    kept = {one["code"]: one["severity"] for one in found["findings"] if one["view"] == "controller"}
    assert set(kept) == {one["code"] for one in here["findings"]}
    if here["attempts"] and here["attempts"][0]["result"] == "answered":
        assert kept == {one["code"]: one["severity"] for one in here["findings"]}


def test_an_entry_of_which_no_edge_was_asked_stays_as_it_is() -> None:
    assert with_edges(OK, []) is OK
    assert with_edges(OK, views(replace(REACHES, domain="other.com"))) is OK


def test_the_edge_reaches_a_place_that_is_named() -> None:
    found = with_edges(UNREACHABLE, views(replace(REACHES, streams=2)))
    message = found["findings"][0]["message"]
    assert "xmpp.fabrikam.com (192.0.2.20:5269)" in message
    assert "open connections now: 2" in message
    reason = with_edges(OK, views(CANNOT))["findings"][0]["message"]
    assert "edge01" in reason
    assert "does not answer a ping" in reason


def test_edges_and_domains_with_the_same_obstacle_are_named_once() -> None:
    names = ["p%02d.com" % number for number in range(9)]
    seen = [EdgeView("edge0%d" % edge, tuple(Sight(name, "none") for name in names)) for edge in (1, 2)]
    found = [one for name in names for one in obstacles(name, seen)[1]]
    message = told(found)
    assert [message.count(word) for word in ("edge01", "edge02", "p00.com", "p08.com", "4 more")] == [1, 1, 1, 0, 1]
    # Another obstacle is another part of the message.
    assert told([*found, *obstacles(DOMAIN, views(CANNOT))[1]]) == "%s; %s" % (
        message,
        with_edges(OK, views(CANNOT))["findings"][0]["message"],
    )


def test_other_servers_for_who_asks_from_elsewhere() -> None:
    other = sight(True, records=(ServiceRecord("inside.fabrikam.com", 5269),))
    found = with_edges(OK, views(other))
    assert [(one["code"], one["severity"]) for one in found["findings"]] == [("edge_dns_differs", WARNING)]
    assert found["verdict"] == "warning"
    # A server that the settings name has no records, and neither has a domain without any.
    assert with_edges(OK, views(sight(True, records=())))["findings"] == []
    assert with_edges(entry("answered", srv=False), views(other))["findings"] == []


def test_events_of_xmpp_only() -> None:
    one = LoggedEvent(7, 2, "LS XMPP Proxy", 3, "2027-03-01T06:00:00Z", "no answer")
    view = EdgeView("edge01", events=(one, replace(one, provider="LS Protocol Stack")), hours=24)
    assert xmpp_events(view) == ["3 of event 7 (LS XMPP Proxy, the last at 2027-03-01T06:00:00Z): no answer"]
    assert xmpp_events(replace(view, more=True))[0].startswith("at least 3")
    assert xmpp_events(replace(view, events=None)) == []


def test_what_will_be_found_later_is_judged_on_both_views_too() -> None:
    over = entry("answered", ("certificate_expired", ERROR))
    later = {"from": "2027-01-10T00:00:00Z", "verdict": over["verdict"], "findings": over["findings"]}
    found = with_edges({**OK, "later": [later]}, views(REACHES, CANNOT))
    (then,) = found["later"]
    assert set(then) == {"from", "verdict", "findings"}
    assert (then["from"], then["verdict"]) == ("2027-01-10T00:00:00Z", "failed")
    now = {one["code"] for one in found["findings"]}
    assert {one["code"] for one in then["findings"]} == {"certificate_expired", *now}
    assert {one["view"] for one in then["findings"]} <= {"edge", "controller"}
