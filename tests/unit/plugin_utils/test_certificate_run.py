# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate run does on an Edge: from settings, the pool, and the results of earlier steps."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.certificate import (
    CertificateSettings,
    Decision,
    EdgesInTurn,
    asks,
    decide,
    failure,
    maker,
    options_of,
    options_of_reading,
    pool_of,
)

BOTH = ("AccessEdgeExternal", "XmppServer")
POOL = EdgesInTurn(("edge01", "edge02"), 2)
DECLARED = {"names": ["sip.contoso.test"], "source": {"type": "own_ca"}}
TIME = "2027-03-01T00:00:00Z"
CERTIFICATE = {"subject": "CN=sip.contoso.test", "not_after": "2027-06-01T00:00:00Z"}


def settings(**more: t.Any) -> CertificateSettings:
    return CertificateSettings(**{"certificate": DECLARED, **more})


def reading(*certificates: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    good = {"usages": ["XmppServer"], "renewal": {"due": False}, "findings": []}
    return {"certificates": [{**good, **one} for one in certificates]}


def staged(in_force: str = "unknown", **assigned: str | None) -> dict[str, t.Any]:
    return {"certificate": CERTIFICATE, "in_force": in_force, "staged": True, "assigned": assigned}


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (CertificateSettings({}), "nothing"),
        (settings(), "stage"),
        (settings(separate=True), "stage"),
        (settings(phase="stage", check=True), "stage"),
        # Whether there is anything to switch to is planned before the Edge is taken out of service.
        (settings(phase="switch"), "plan"),
        (settings(check=True), "plan"),
        (settings(check=True, separate=True), "read"),
        (settings(check=True, separate=True, phase="stage"), "stage"),
        (settings(hook=True), "read"),
        (settings(hook=True, phase="switch"), "plan"),
        (settings(ask=True), "read"),
        (settings(ask=True, check=True), "read"),
        (settings(ask=True, phase="switch"), "plan"),
    ],
)
def test_how_an_edge_begins(asked: CertificateSettings, what: str) -> None:
    assert decide(asked, POOL).what == what


def test_an_edge_is_left_alone_where_another_host_failed() -> None:
    pool = EdgesInTurn(("edge01", "edge02"), 2, ("fe01", "edge01"))
    assert decide(settings(), pool) == Decision("left", (), "This Edge was skipped, because fe01, edge01 failed.")
    assert decide(CertificateSettings({}), pool).what == "nothing"


@pytest.mark.parametrize(
    ("found", "good", "made", "what"),
    [
        (reading({}), False, False, "stage"),
        (reading(), False, False, "make"),
        (reading({}, {"usages": ["AccessEdgeExternal"]}), False, False, "make"),
        (reading({"renewal": {"due": True}}), False, False, "make"),
        (reading({"renewal": None, "findings": [{"severity": "error"}]}), False, False, "make"),
        (reading({"findings": [{"severity": "warning"}]}), False, False, "stage"),
        # The file was made already, and waits for its switch: no second one is ordered.
        (reading({"renewal": {"due": True}}), True, False, "stage"),
        (reading(), False, True, "stage"),
    ],
)
def test_when_the_tasks_of_the_user_make_one(found: t.Any, good: bool, made: bool, what: str) -> None:
    assert decide(settings(hook=True), POOL, found, file_is_good=good, made=made).what == what


def test_the_issuer_is_asked_before_anything_is_decided() -> None:
    used, gone = {"renewal": {"due": False}}, {"renewal": None}
    due = reading({"renewal": {"due": True}})
    for asked in (settings(ask=True), settings(ask=True, hook=True), settings(ask=True, check=True)):
        assert decide(asked, POOL, reading(used)).what == "ask"
        assert decide(asked, POOL, due).what == "ask", "it may be revoked"
        assert decide(asked, POOL, reading(used), asked=True).what in ("stage", "plan")
    assert decide(settings(ask=True, hook=True), POOL, due, asked=True).what == "make"
    assert decide(settings(ask=True, hook=True), POOL, None, asked=True).what == "read", "the answer may change that"
    assert decide(settings(ask=True, hook=True), POOL, None, made=True).what == "stage"
    # There is none to ask about, or several.
    for found in (reading(), reading(gone), reading(used, used)):
        assert decide(settings(ask=True), POOL, found).what == "stage"


def test_the_issuer_is_asked_once_for_each_certificate() -> None:
    pool = EdgesInTurn(("edge01", "edge02", "edge03"), 3)
    in_use = {"edge01": "A", "edge02": "B", "edge03": "B"}
    assert [asks(pool, in_use, edge) for edge in pool.edges] == ["edge01", "edge02", "edge02"]
    assert asks(pool, {"edge03": "B"}, "edge03") == "edge03"


def test_one_edge_of_the_pool_makes_it() -> None:
    results = {"edge02": {"next": "make"}, "edge01": {"next": "nothing"}, "edge03": {"next": "make"}}
    assert maker(EdgesInTurn(("edge01", "edge02", "edge03"), 3), results) == "edge02"
    assert maker(POOL, {"edge01": {"next": "nothing"}}) == ""


@pytest.mark.parametrize(
    ("asked", "result", "what", "usages"),
    [
        (settings(), staged("assigned", XmppServer="A"), "nothing", ()),
        (settings(), staged("proven", XmppServer="A"), "nothing", ()),
        (settings(), staged(XmppServer="A"), "switch", ("XmppServer",)),
        (settings(phase="stage"), staged(XmppServer="A"), "nothing", ()),
        # A request waits for its answer.
        (settings(), {"certificate": None, "in_force": "unknown", "assigned": {}}, "nothing", ()),
        (settings(separate=True), staged(XmppServer=None), "switch", ("XmppServer",)),
        (settings(separate=True), staged(XmppServer="A"), "wait", ()),
        # What the Edge has now could not be read.
        (settings(separate=True), {**staged(XmppServer=None), "staged": False}, "wait", ()),
        (settings(phase="switch"), {"changed": True}, "switch", ("XmppServer",)),
        (settings(phase="switch"), {"changed": False}, "nothing", ()),
        (settings(phase="switch", check=True), {"changed": True}, "nothing", ()),
        (settings(check=True), staged(XmppServer="A"), "nothing", ("XmppServer",)),
    ],
)
def test_what_follows_the_staging(
    asked: CertificateSettings, result: t.Any, what: str, usages: tuple[str, ...]
) -> None:
    found = decide(asked, POOL, staged=result)
    assert (found.what, found.usages) == (what, usages)
    assert bool(found.why) == (what == "wait")


def test_only_the_usage_without_a_certificate_is_switched() -> None:
    asked = settings(certificate={**DECLARED, "usages": list(BOTH)}, separate=True)
    found = decide(asked, POOL, staged=staged(AccessEdgeExternal="A", XmppServer=None))
    assert (found.what, found.usages) == ("switch", ("XmppServer",))
    assert "outage for remote users" in found.why
    planned = decide(
        CertificateSettings(asked.certificate, separate=True, check=True), POOL, reading({"usages": [BOTH[0]]})
    )
    assert planned == Decision("plan", ("XmppServer",))
    waits = decide(
        CertificateSettings(asked.certificate, separate=True, check=True), POOL, reading({"usages": list(BOTH)})
    )
    assert waits == Decision("stage", BOTH)


def test_the_options_of_the_module() -> None:
    listener = {"address": "192.0.2.1", "domain": "contoso.test"}
    asked = settings(certificate={**DECLARED, "listener": listener, "restart": None, "renew": {"days": 30}})
    found = options_of(asked, Decision("switch", ("XmppServer",)), EdgesInTurn(("edge01",), 2), TIME)
    renew = {"as_of": TIME, "days": 30}
    more = {"usages": ["XmppServer"], "phase": "switch", "pool_size": 2, "renew": renew, "listener": listener}
    assert found == {**DECLARED, **more}
    # What it presents is the certificate of another usage.
    assert "listener" not in options_of(asked, Decision("plan", ("AccessEdgeExternal",)), POOL, TIME)
    phases = {what: options_of(asked, Decision(what, BOTH), POOL, TIME)["phase"] for what in ("stage", "plan")}
    assert phases == {"stage": "stage", "plan": "all"}
    assert options_of(settings(phase="switch"), Decision("plan", BOTH), POOL, TIME)["phase"] == "switch"
    issuer = {"thumbprint": "A", "answer": {}}
    for given in (
        options_of(settings(issuer=issuer), Decision("stage", BOTH), POOL, TIME),
        options_of_reading(settings(issuer=issuer), TIME),
    ):
        assert given["renew"] == {"as_of": TIME, "issuer": issuer}


def test_the_pool_of_an_edge() -> None:
    play = ["edge01", "edge02", "other"]
    # --limit has left edge03 out, which belongs to the pool all the same.
    assert pool_of(["edge01", "edge02", "edge03"], play, ["edge02", "other"], {}) == EdgesInTurn(
        play_edges := ("edge01", "edge02"), 3, ("edge01",)
    )
    assert pool_of((), play_edges, play_edges, {}) == EdgesInTurn(play_edges, 2)
    done, broken, away = {"changed": False}, {"failed": True, "changed": False}, {"unreachable": True}
    skipped = {"changed": False, "skipped": True}
    assert pool_of((), play_edges, play_edges, {"fe01": away, "fe02": skipped}).failed == ("fe01",)
    assert pool_of((), play_edges, play_edges, {"fe01": away, "fe02": done}).failed == ()
    assert pool_of((), play_edges, play_edges, {"fe01": broken, "fe02": skipped}).failed == ("fe01",)


def test_the_sentence_of_a_failure_tells_what_each_edge_has() -> None:
    results: dict[str, dict[str, t.Any]] = {
        "edge01": {"assigned": {"XmppServer": "NEW"}, "presented": "NEW"},
        "edge02": {"assigned": {"AccessEdgeExternal": "OLD", "XmppServer": None}},
        "edge03": {},
    }
    text = failure({"msg": "It broke.", "went_back": True}, results)
    assert text == (
        "It broke. -- The former certificate is in use again. edge01 has NEW and presents NEW."
        " edge02 has OLD, none. edge03 has an unknown certificate."
    )
