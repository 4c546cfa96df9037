# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings that were accepted, and notes that call for somebody."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.declared import declare
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.finding_order import Finding, reached
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.accepted import accept, codes_of, read
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_judge import due_notes

TODAY = datetime.date(2026, 11, 30)
ENTRY = {
    "code": "old_tls",
    "object": "fabrikam.com",
    "reason": "they migrate",
    "ticket": "CHG-1",
    "until": "2027-03-31",
}


def finding(
    code: str = "old_tls", name: str = "Fabrikam.com", severity: str = "warning", area: str = "partner"
) -> Finding:
    return {"code": code, "severity": severity, "area": area, "object": name, "message": "m", "remedy": "r"}


def after(findings: list[Finding], **changes: t.Any) -> list[tuple[str, str, str]]:
    """Severity, code and object of what is left."""
    entries, mistakes = read([{**ENTRY, **changes}], TODAY)
    assert mistakes == []
    return [(one["severity"], one["code"], one["object"]) for one in accept(findings, entries, TODAY)]


def test_what_is_accepted_is_shown_and_not_counted() -> None:
    entries, _mistakes = read([ENTRY], TODAY)
    (one,) = accept([finding(severity="error")], entries, TODAY)
    assert reached([one], "warning") == []
    assert one["accepted"] == {"reason": "they migrate", "ticket": "CHG-1", "until": "2027-03-31", "severity": "error"}
    assert one["message"] == "accepted until 2027-03-31 (CHG-1, they migrate): m"


@pytest.mark.parametrize("other", [finding("no_srv"), finding(name="litware.com"), finding(area="drift")])
def test_another_finding_is_not(other: Finding) -> None:
    (first, *more) = accept([other], read([ENTRY], TODAY)[0], TODAY)
    assert first is other
    assert [one["code"] for one in more] in (["acceptance_unused"], [])


def test_it_ends() -> None:
    kept = ("warning", "old_tls", "Fabrikam.com")
    assert after([finding()], until="2026-11-30") == [("info", "old_tls", "Fabrikam.com")]
    assert after([finding()], until="2026-11-29") == [kept, ("info", "acceptance_ended", "fabrikam.com")]
    assert after([], until=datetime.date(2027, 1, 1)) == [("info", "acceptance_unused", "fabrikam.com")]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, ["no_route"]),
        ({"until": "2026-11-29"}, []),
        ({"object": "fourthcoffee"}, []),
        ({"code": "old_tls"}, []),
        ({"ticket": ""}, []),
    ],
)
def test_preflight_takes_what_is_accepted_today_for_its_deployment(change: dict[str, t.Any], codes: list[str]) -> None:
    entry = {**ENTRY, "code": "no_route", "object": "Contoso", "until": "2026-11-30", **change}
    assert codes_of([entry], "contoso", TODAY) == codes


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"until": "2028-01-31"}, "until"),
        ({"until": "soon"}, "until"),
        ({"until": None}, "until"),
        ({"ticket": ""}, "ticket"),
        ({"reason": " "}, "reason"),
        ({"object": None}, "object"),
        ({"code": "certificate_*"}, "code"),
        ({"code": "*"}, "code"),
        ({"code": "not_as_declared"}, "code"),
        ({"code": "certificate_expired"}, "code"),
        ({"code": "declared_revoked"}, "code"),
    ],
)
def test_mistakes_are_named_with_their_place(change: dict[str, t.Any], place: str) -> None:
    found, mistakes = read([ENTRY, {**ENTRY, **change}], TODAY)
    assert len(found) == 1
    assert [text.partition(":")[0] for text in mistakes] == ["sfb_xmpp_audit.accepted[1]." + place]


# Notes


def test_notes_reach_nothing_that_is_declared() -> None:
    notes = {"owner": "sales", "contact": "noc@fabrikam.com", "ticket": "CHG-1", "until": "2027-01-01",
             "review_by": datetime.date(2027, 1, 1), "x_cost": [1]}  # fmt: skip
    row = {"domain": "fabrikam.com", "tls_negotiation": "required"}
    policy = {"identity": "XMPP users", "enable_xmpp_access": True}
    with_notes = declare({"partners": [{**row, **notes}], "policies": [{**policy, **notes}]})
    assert with_notes == declare({"partners": [row], "policies": [policy]})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"until": "soon"}, "until: 'soon' must be a day"),
        ({"review_by": "31.12.2027"}, "review_by: '31.12.2027' must be a day"),
        ({"owner": ["a"]}, "owner: must be a string"),
        ({"ownr": "a"}, "ownr: there is no such option (did you mean owner?)"),
    ],
)
def test_a_note_that_is_none(given: dict[str, t.Any], text: str) -> None:
    with pytest.raises(Refused, match=r"partners\[0\]") as caught:
        declare({"partners": [{"domain": "fabrikam.com", **given}]})
    assert text in caught.value.reasons[0]


@pytest.mark.parametrize(
    ("notes", "code"),
    [
        ({"until": "2026-12-30"}, "partnership_ends"),
        ({"until": "2026-12-31"}, ""),
        ({"until": "2026-11-29"}, "partnership_ended"),
        ({"review_by": "2026-12-01"}, "review_due"),
        ({"review_by": "2027-12-01", "owner": "sales"}, ""),
    ],
)
def test_dates_call_for_somebody_in_time(notes: dict[str, t.Any], code: str) -> None:
    partner = {"domain": "fabrikam.com", "contact": "noc@fabrikam.com", **notes}
    found = list(due_notes({"partners": [partner], "policies": [{"identity": "p"}]}, TODAY))
    assert [one["code"] for one in found] == ([code] if code else [])
    assert all("noc@fabrikam.com" in one["remedy"] for one in found if "until" in notes)
