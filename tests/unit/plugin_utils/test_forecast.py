# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What breaks if nothing is done: each kind of date, who is hit, the last day to act, and how it is shown."""

from __future__ import annotations

import datetime
import random
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.change_control import Control, control_of
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import Known
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.reach import who_may_talk
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import read_topology
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.later import HORIZON
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.renewal import RenewalRule
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_forecast as shown
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import Audit
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.finding_order import identity
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import accepted, audit_decide, forecast
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.announced import LIFETIMES, SUPPORT
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit import moment, unexplained
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_decide import decide
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_judge import judge
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.forecast import Ahead, last_day
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import FORECAST_DAYS

from tests.unit.module_utils.states import make, run, user
from tests.unit.plugin_utils.forecast_world import DAY, World

NOW = "2026-12-01T12:00:00Z"
SASL = {"tls_negotiation": "required", "sasl_negotiation": "required", "support_dialback_negotiation": False}
BOTH = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
EXISTING: dict[str, t.Any] = {
    "partners": [
        {"domain": "a.test", "additional_domains": [], "partner_type": "federated", **SASL},
        {"domain": "b.test", "additional_domains": [], "partner_type": "federated", **BOTH},
    ],
    "policies": [],
    "findings": [],
    "federation_routes": [],
}
OVER = {"code": "expired", "severity": "error", "message": "it expired", "remedy": "r"}
CERTIFICATE = {
    "thumbprint": "2F7E1A0B5C9D4E3F8A6B7C1D2E3F4A5B6C7D8E9F",
    "names": ["access.contoso.com"],
    "not_before": "2026-11-01T00:00:00Z",
    "not_after": "2027-05-19T00:00:00Z",
    "usages": ["XmppServer"],
    "managed": ["XmppServer"],
    "public": True,
    "client_auth": True,
    "renewal": {"due": False, "at": "2027-03-11T08:00:00Z", "reason": "r"},
    "findings": [],
    "later": [{"from": "2027-05-19T00:00:00Z", "findings": [OVER]}],
}


def audit(now: str = NOW, ahead: Ahead | None = None, said: t.Any = (), **given: t.Any) -> Audit:
    """said: entries of sfb_xmpp_audit.accepted."""
    parts: dict[str, t.Any] = {"plan": {"steps": [], "summary": {}}, "probe": {"skipped": True}, "edges": {}, **given}
    entries, mistakes = accepted.read(said, moment(now).date())
    assert mistakes == []
    return decide(
        deployment="default", time=now, host="fe01", existing=EXISTING, access_edge="", accepted=entries,
        ahead=ahead or Ahead(), **parts,
    )  # fmt: skip


def items(found: Audit) -> list[tuple[str, str, str, str]]:
    return [(one["at"][:10], one["severity"], one["code"], one["object"]) for one in found["forecast"]["items"]]


def entry(domain: str, *codes: str, later: t.Any = (), **certificate: t.Any) -> dict[str, t.Any]:
    told = [{"code": code, "severity": "error", "message": "m", "remedy": "r"} for code in codes]
    return {
        "domain": domain,
        "partner": domain,
        "verdict": "failed" if codes else "ok",
        "findings": told,
        "later": [
            {"from": at, "verdict": "failed", "findings": [{**OVER, "code": "certificate_expired"}]} for at in later
        ],
        "declared": {"uses": []},
        "accepts": {},
        "certificate": {"not_after": "2027-01-10T00:00:00Z", "public": False, "client_auth": False, **certificate},
    }


def test_a_partners_certificate_hits_its_users_and_ours_hits_all() -> None:
    probe = {"domains": [entry("a.test", later=["2027-01-10T00:00:00Z"]), entry("b.test")], "own": []}
    ours = {**CERTIFICATE, "later": [{"from": "2027-01-20T08:00:00Z", "findings": [OVER]}], "public": False}
    edges = {"edge01": {"certificates": [ours]}}
    found = audit(probe=probe, edges=edges)
    assert items(found) == [
        ("2027-01-10", "error", "certificate_expired", "a.test"),
        ("2027-01-20", "error", "expired", "edge01 XmppServer"),
        ("2027-01-20", "error", "certificate_expired", "default"),
    ]
    first, second, _link = found["forecast"]["items"]
    assert (first["partners"], first["users"], first["last_day"]) == (1, 0, "2027-01-09")
    assert (second["partners"], second["users"], second["last_day"]) == (2, 0, "2027-01-19")
    assert second["remedy"] == "run sfb.xmpp.certificate"


HOMED = {"RegistrarPool": "fe01.contoso.com", "Enabled": True, "EnabledForFederation": True}
ALLOWS = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
REFUSES = {"enable_federation_access": True, "enable_xmpp_access": False, "enable_outside_access": True}


@pytest.mark.parametrize("seed", range(20))
def test_users_are_counted_as_the_chain_counts_them_or_not_at_all(seed: int) -> None:
    chance = random.Random(seed)
    names = ["global", "site:Redmond", "Desk", "Pilot"]
    policies = [{"identity": name, **chance.choice((ALLOWS, REFUSES, REFUSES))} for name in names]
    users = [{**user("u%d" % n, chance.choice((None, "Desk", "Pilot"))), **HOMED} for n in range(8)]
    access = {"allow_outside_users": True, "allow_federated_users": True}
    partners = [{"domain": "a.test", "connection_limit": 5, **BOTH}]
    shell = make({"partners": partners, "policies": policies, "access_edge": access, "users": users})
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "edge.contoso.com"})
    reader = Reader(shell)
    topology, deployment = read_topology(shell), reader.with_all_users(reader.kinds(RESOURCES))
    counted = forecast.talkers(run(FEDERATION_INFO, shell).values["policies"])
    standing = any(one["enable_xmpp_access"] for one in policies[:2])
    assert (counted is None) == standing
    assert standing or counted == who_may_talk(Known(topology, deployment)).hit()


@pytest.mark.parametrize(("days", "number"), [(39, 0), (40, 1)])
def test_what_comes_after_the_horizon_is_no_forecast(days: int, number: int) -> None:
    probe = {"domains": [entry("a.test", later=["2027-01-10T00:00:00Z"])], "own": []}
    assert len(items(audit(probe=probe, ahead=Ahead(days=days)))) == number


def test_what_is_found_already_and_what_only_announces_is_no_forecast() -> None:
    soon = {"code": "certificate_expires_soon", "severity": "warning", "message": "m", "remedy": "r"}
    announced = {"from": "2026-12-10T00:00:00Z", "verdict": "warning", "findings": [soon]}
    one = {**entry("b.test"), "later": [announced]}
    probe = {"domains": [entry("a.test", "certificate_expired", later=["2027-01-10T00:00:00Z"]), one], "own": []}
    assert items(audit(probe=probe)) == []


def test_an_acceptance_that_ends_gives_its_finding_back() -> None:
    said = {"code": "untrusted", "object": "a.test", "reason": "r", "ticket": "CHG-1", "until": "2027-01-31"}
    probe = {"domains": [entry("a.test", "untrusted")], "own": []}
    found = audit(probe=probe, said=[said])
    assert found["summary"]["findings"]["error"] == 0
    assert items(found) == [("2027-02-01", "error", "untrusted", "a.test")]
    assert found["forecast"]["items"][0]["last_day"] == "2027-01-31"
    # Nobody probed: then it is not there, today or later.
    assert items(audit(said=[said])) == []


def test_notes_come_due() -> None:
    declared = {
        "partners": [{"domain": "a.test", "until": "2027-01-31", "review_by": "2026-12-15"}],
        "policies": [{"identity": "Pilot", "until": datetime.date(2026, 12, 24)}],
    }
    assert items(audit(declared=declared)) == [
        ("2026-12-16", "warning", "review_overdue", "a.test"),
        ("2026-12-25", "warning", "partnership_ended", "Pilot"),
        ("2027-02-01", "warning", "partnership_ended", "a.test"),
    ]


@pytest.mark.parametrize(
    ("now", "release", "note", "ahead"),
    [
        ("2025-08-01T12:00:00Z", "2015", "", [("2025-10-15", "support_ended")]),
        ("2026-09-01T12:00:00Z", "2019", "support_ended", [("2026-11-01", "updates_ended")]),
        (NOW, "2015", "updates_ended", []),
        (NOW, "2013", "support_ended", []),
    ],
)
def test_the_support_of_the_product_ends(now: str, release: str, note: str, ahead: list[tuple[str, str]]) -> None:
    found = audit(now, Ahead(releases=(release,)))
    noted = [one for one in found["findings"] if one["code"] in ("support_ended", "updates_ended")]
    assert [one["code"] for one in noted] == ([note] if note else [])
    assert {one["severity"] for one in noted} <= {"info"}
    assert [(at, code) for at, _severity, code, _object in items(found)] == ahead


@pytest.mark.parametrize(("days", "every"), [(None, 66), (30, 66), (45, 55), (60, 66)])
def test_after_a_step_of_the_lifetime_renewal_is_due_more_often(days: int | None, every: int) -> None:
    edges = {"edge01": {"certificates": [CERTIFICATE]}}
    found = audit("2027-01-01T00:00:00Z", Ahead(rule=RenewalRule(days=days)), edges=edges)
    (step,) = [one for one in found["forecast"]["items"] if one["code"] == "lifetime_step"]
    assert step["at"] == "2027-03-15T00:00:00Z"
    assert "due every %d days" % every in step["message"]
    assert ("lifetime_share decides" in step["message"]) == (days == 60)
    private = {"edge01": {"certificates": [{**CERTIFICATE, "public": False}]}}
    assert items(audit("2027-01-01T00:00:00Z", edges=private)) == []


def test_a_public_certificate_for_both_purposes_has_no_such_successor() -> None:
    ours = {**CERTIFICATE, "not_after": "2027-01-20T00:00:00Z", "later": []}
    probe = {
        "domains": [entry("a.test", public=True, client_auth=True), entry("b.test", public=True, client_auth=True)],
        "own": [],
    }
    found = audit(probe=probe, edges={"edge01": {"certificates": [ours]}})
    assert items(found) == [
        ("2027-01-10", "warning", "client_auth_ends", "a.test"),
        ("2027-01-10", "warning", "client_auth_ends", "b.test"),
        ("2027-01-20", "warning", "client_auth_ends", "edge01 XmppServer"),
    ]
    # Only one of them has nothing but certificates.
    assert [one["partners"] for one in found["forecast"]["items"]] == [1, 0, 1]


def control(**settings: t.Any) -> Control:
    return control_of(settings)


FRIDAYS = [{"days": ["fri"], "from": "22:00", "to": "23:30"}]
HOLIDAYS = [{"from": "2026-12-18", "to": "2027-01-08", "reason": "holidays"}]


@pytest.mark.parametrize(
    ("settings", "day"),
    [
        ({}, "2027-01-05"),
        ({"windows": FRIDAYS}, "2027-01-01"),
        ({"freeze": HOLIDAYS}, "2026-12-17"),
        ({"windows": FRIDAYS, "freeze": HOLIDAYS}, "2026-12-11"),
        ({"freeze": [{"from": "2026-12-01", "to": "2027-01-08"}]}, None),
    ],
)
def test_the_last_day_to_act_lies_before_freezes_and_in_a_window(settings: dict[str, t.Any], day: str | None) -> None:
    found = last_day(moment("2027-01-06T07:00:00Z"), moment(NOW), control(**settings))
    assert (found and found.isoformat()) == day


def test_each_part_is_decided_as_the_whole_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the whole decision, made again at every moment at which anything changes."""
    real = forecast.forecast
    compared: list[int] = []

    def whole(reading: t.Any, findings: t.Any, now: datetime.datetime, **given: t.Any) -> t.Any:
        found = real(reading, findings, now, **given)
        ahead = given.pop("ahead")
        decided = {(at, *rest) for at, *rest in items_of(found) if rest[1] not in ("lifetime_step", "client_auth_ends")}
        states = [*reading["probe"]["domains"], *reading["probe"]["own"]]
        states += [one for read in reading["edges"].values() for one in read["certificates"]]
        turns = {moment(state["from"]) for one in states for state in one["later"]}
        days = [one.until for one in given["accepted"]]
        days += [
            datetime.date.fromisoformat(one[name])
            for one in given["declared"]["partners"]
            for name in one
            if name != "domain"
        ]
        turns |= {datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc) + DAY for day in days}
        ranks = {identity(one): rank(one) for one in sorted(findings, key=rank, reverse=True)}
        expected = set()
        for at in sorted(at for at in turns if now < at <= now + ahead.days * DAY):
            gathered = judge(reading, at, releases=ahead.releases, **given)
            for one in [*gathered["findings"], *unexplained(gathered["partners"], gathered["findings"])]:
                if rank(one) < min(3, ranks.get(identity(one), 9)) and one["code"] not in forecast.ADVANCE:
                    ranks[identity(one)] = rank(one)
                    expected.add((at.strftime("%Y-%m-%dT%H:%M:%SZ"), one["severity"], one["code"], one["object"]))
        assert decided == expected
        compared.append(len(expected))
        return found

    monkeypatch.setattr(audit_decide, "forecast", whole)
    for seed in range(8):
        World(seed, tmp_path).audit(400)
    assert sum(compared) > 20


def rank(one: dict[str, t.Any]) -> int:
    return ("error", "unknown", "warning", "info").index(one["severity"])


def items_of(found: dict[str, t.Any]) -> list[tuple[str, str, str, str]]:
    return [(one["at"], one["severity"], one["code"], one["object"]) for one in found["items"]]


def test_a_screen_has_three_lines_and_the_ticket_has_all() -> None:
    later = ["2027-01-%02dT00:00:00Z" % day for day in range(10, 20)]
    probe = {"domains": [entry("a.test", later=later[:1]), entry("b.test", later=later[3:4])], "own": []}
    ours = {**CERTIFICATE, "public": False, "later": [{"from": later[6], "findings": [OVER]}]}
    found = audit(probe=probe, edges={"edge01": {"certificates": [ours]}})
    head, *rest = shown.lines(found)
    assert head == "Forecast for 90 days: 3 errors. The first is on 2027-01-10."
    assert [line.split()[:2] for line in rest] == [["2027-01-10", "a.test:"], ["2027-01-13", "b.test:"]]
    text = "\n".join(shown.markdown(found, 50))
    assert (
        "| 2027-01-16 | 2027-01-15 | error | `edge01 XmppServer` | it expired; also default | 2 partners, 0 users |"
        in text
    )
    assert shown.lines({**found, "forecast": None}) == []


def test_partners_whose_certificates_end_in_the_same_second_are_all_named() -> None:
    later = ["2027-01-10T00:00:00Z"]
    found = audit(probe={"domains": [entry(name, later=later) for name in ("a.test", "b.test")], "own": []})
    _head, line = shown.lines(found)
    assert "a.test: " in line
    assert "; also b.test; act by" in line
    assert "| 2 partners" in "\n".join(shown.markdown(found, 50))


def test_what_was_not_seen_is_said() -> None:
    assert shown.lines(audit()) == [
        "Forecast for 90 days: no problem is expected. There is no forecast for 2 partners."
    ]  # fmt: skip


def test_tables_agree() -> None:
    assert HORIZON.days == FORECAST_DAYS
    assert [most for _day, most in LIFETIMES] == sorted((most for _day, most in LIFETIMES), reverse=True)
    assert set(SUPPORT) == {"2013", "2015", "2019"}
