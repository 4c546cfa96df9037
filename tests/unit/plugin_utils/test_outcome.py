# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run came to, as AWX and CI read it, and the one sentence of a run that fails."""

from __future__ import annotations

import typing as t

import pytest
from ansible.executor.stats import AggregateStats
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import run_summary
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.outcome import (
    RunOutcome,
    outcome_of,
    planned_sentence,
    sentence,
    stats,
    went_wrong,
)

DIGEST = "5f2c1d0b" * 8
SUMMARY = {"added": 1, "changed": 2, "removed": 0, "granted": 3, "withdrawn": 0, "unchanged": 9}


def steps(*results: str) -> list[dict[str, t.Any]]:
    return [{"cmdlet": "Set-CsXmppAllowedPartner", "result": result} for result in results]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"changed": False, "steps": []}, RunOutcome("ok")),
        ({"changed": True, "summary": SUMMARY}, RunOutcome("changes", 6)),
        ({"changed": True, "steps": steps("planned", "planned")}, RunOutcome("changes", 2)),
        ({"changed": True}, RunOutcome("changes", 1)),
        ({"plan_digest": {"digest": DIGEST}, "steps": []}, RunOutcome("ok", 0, DIGEST)),
        (
            {"failed": True, "reasons": ["no"], "msg": "Nothing was written: no", "summary": SUMMARY},
            RunOutcome("refused", 0, "", "Nothing was written: no"),
        ),
        (
            {"failed": True, "msg": "Set- failed: No.\nmore", "steps": steps("done", "failed", "not_sent")},
            RunOutcome("failed", 1, "", "Set- failed: No."),
        ),
        ({"unreachable": True, "msg": "no route"}, RunOutcome("failed", 0, "", "no route")),
        # One that has reported already, and so does not fail any more.
        ({"outcome": "refused", "sentence": "no."}, RunOutcome("refused", 0, "", "no.")),
    ],
)
def test_what_a_task_came_to(result: dict[str, t.Any], outcome: RunOutcome) -> None:
    assert outcome_of(result) == outcome
    assert went_wrong(result) == (outcome.word if outcome.sentence else "")


def test_several_reasons_are_listed_elsewhere() -> None:
    result = {"failed": True, "reasons": ["a", "b"], "msg": "Nothing was written, for 2 reasons:\n- a\n- b"}
    assert sentence(result) == "Nothing was written, for 2 reasons, which are listed above."
    assert planned_sentence(1) == "1 change is planned, and sfb_xmpp_fail_on_changes is true."


def test_the_worst_part_counts_and_the_changes_are_added() -> None:
    first, second = RunOutcome("changes", 2, DIGEST), RunOutcome("failed", 1, "", "why.")
    assert first.and_then(second) == second.and_then(first) == RunOutcome("failed", 3, DIGEST, "why.")
    assert RunOutcome().and_then(first) == first


def given_to_ansible(*found: dict[str, t.Any]) -> t.Any:
    """What a callback sees: as Ansible's strategies take the key from successful tasks."""
    statistics: t.Any = AggregateStats
    kept = statistics()
    for one in found:
        for name, value in one["data"].items():
            put = kept.update_custom_stats if one["aggregate"] else kept.set_custom_stats
            put(name, value, None)
        assert one["per_host"] is False
    return kept.custom["_run"]


def test_a_later_task_says_what_the_run_came_to() -> None:
    begun, done = (
        stats(RunOutcome("failed"), "default", False),
        stats(RunOutcome("changes", 2, DIGEST), "default", False),
    )
    assert given_to_ansible(begun) == {"sfb_xmpp_result": "failed", "sfb_xmpp_changes": 0}
    assert given_to_ansible(begun, done) == {
        "sfb_xmpp_result": "changes",
        "sfb_xmpp_changes": 2,
        "sfb_xmpp_plan_digest": DIGEST,
    }


def test_several_deployments_have_a_value_each() -> None:
    found = given_to_ansible(
        stats(RunOutcome("changes", 2, DIGEST), "contoso", True),
        stats(RunOutcome("refused"), "fabrikam", True),
        stats(RunOutcome("failed", 3, DIGEST), "contoso", True),
    )
    assert found == {
        "sfb_xmpp_result": {"contoso": "failed", "fabrikam": "refused"},
        "sfb_xmpp_changes": {"contoso": 3, "fabrikam": 0},
        "sfb_xmpp_plan_digest": {"contoso": DIGEST},
    }


STAGED: dict[str, t.Any] = {"changed": True, "steps": [{"cmdlet": "Import-CsCertificate", "result": "done"}]}
SWITCHED: dict[str, t.Any] = {"changed": True, "steps": [{"cmdlet": "Set-CsCertificate", "result": "done"}]}


@pytest.mark.parametrize(
    ("results", "later", "outcome"),
    [
        ([STAGED, {}], True, RunOutcome("ok")),
        ([STAGED, SWITCHED], True, RunOutcome("changes", 1)),
        ([STAGED, SWITCHED], False, RunOutcome("changes", 2)),
        ([{"changed": False, "steps": []}], False, RunOutcome("ok")),
        ([{"failed": True, "msg": "no"}, SWITCHED], True, RunOutcome("failed", 1, "", "no")),
    ],
)
def test_a_certificate_that_waits_for_its_switch_is_no_change(
    results: list[dict[str, t.Any]], later: bool, outcome: RunOutcome
) -> None:
    assert run_summary.outcome(results, later) == outcome
    doors: list[dict[str, t.Any]] = [{}, {"skipped": True}, {"outcome": "changes", "summary": SUMMARY}]
    assert run_summary.total(doors, outcome) == RunOutcome("changes", 6).and_then(outcome)
