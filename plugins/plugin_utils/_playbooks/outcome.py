# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the outcome of a run: the stats for AWX workflows and CI, and the message of a failed run.

All functions are pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Result = t.Mapping[str, t.Any]

OK, CHANGES, REFUSED, FAILED = "ok", "changes", "refused", "failed"
# From the best to the worst.
WORDS = (OK, CHANGES, REFUSED, FAILED)
# The names of the stats.
RESULT, NUMBER, DIGEST = "sfb_xmpp_result", "sfb_xmpp_changes", "sfb_xmpp_plan_digest"
# The playbooks whose runs have an outcome.
REPORTING = "audit certificate converge decommission failover preflight restore revoke verify".split()
# The keys of a summary that count as changes.
_CHANGES = ("added", "changed", "removed", "granted", "withdrawn")


@dataclass(frozen=True)
class RunOutcome:
    """Hold how a run ended.

    word: one of WORDS.
    changes: the number of changes that were made, or that are planned in check mode.
    digest: the digest of the plan; empty without a plan.
    sentence: why the run fails; empty if the run does not fail.
    """

    word: str = OK
    changes: int = 0
    digest: str = ""
    sentence: str = ""

    def and_then(self, other: RunOutcome) -> RunOutcome:
        """Return the outcome of a run that has two parts."""
        word = max(self.word, other.word, key=WORDS.index)
        sentence = self.sentence or other.sentence
        return RunOutcome(word, self.changes + other.changes, self.digest or other.digest, sentence)


def outcome_of(result: Result) -> RunOutcome:
    """Return the outcome of a task.

    result: the result of a task of the collection. A task that only reports an outcome is also allowed.
    """
    digest = digest_of(result)
    wrong = went_wrong(result)
    if wrong == REFUSED:
        return RunOutcome(REFUSED, 0, digest, sentence(result))
    changes = changes_of(result)
    if wrong:
        return RunOutcome(FAILED, changes, digest, sentence(result))
    return RunOutcome(CHANGES if changes else OK, changes, digest)


def digest_of(result: Result) -> str:
    """Return the digest of a task's plan; empty without a plan."""
    return str((result.get("plan_digest") or {}).get("digest") or "")


def went_wrong(result: Result) -> str:
    """Return ``refused`` if nothing was written, ``failed``, or an empty text.

    In a playbook, the task that reports does not fail. A second task fails.
    """
    if result.get("outcome") in (REFUSED, FAILED):
        return str(result["outcome"])
    if not (result.get("failed") or result.get("unreachable")):
        return ""
    return REFUSED if "reasons" in result else FAILED


def changes_of(result: Result) -> int:
    """Return how many changes a task made or planned. Each user who gets or loses a policy is one change."""
    summary = result.get("summary")
    if isinstance(summary, t.Mapping) and set(_CHANGES) <= set(summary):
        return sum(int(summary[word]) for word in _CHANGES)
    if result.get("steps") is not None:
        return sum(step["result"] in ("planned", "done") for step in result["steps"])
    return int(bool(result.get("changed")))


def sentence(result: Result) -> str:
    """Return why a task did not succeed, in one line. Several reasons are shown as a list before this line."""
    if result.get("sentence"):
        return str(result["sentence"])
    reasons = result.get("reasons") or ()
    lines = str(result.get("msg") or "").strip().splitlines()
    if len(reasons) > 1 and lines:
        return "%s, which are listed above." % lines[0].rstrip(":")
    return lines[0] if lines else "The task failed without a reason."


def planned_sentence(changes: int) -> str:
    """Return why a check run fails if sfb_xmpp_fail_on_changes is true."""
    number = "1 change is" if changes == 1 else "%d changes are" % changes
    return "%s planned, and sfb_xmpp_fail_on_changes is true." % number


def stats(outcome: RunOutcome, label: str, several: bool) -> dict[str, t.Any]:
    """Return the key ``ansible_stats`` of a result.

    label: the label of the deployment.
    several: whether the run has several deployments. Then each stat is a mapping by label.
    """
    data: dict[str, t.Any] = {RESULT: outcome.word, NUMBER: outcome.changes}
    if outcome.digest:
        data[DIGEST] = outcome.digest
    if several:
        data = {name: {label: value} for name, value in data.items()}
    # Ansible merges mappings. Other values replace the value of an earlier task.
    return {"data": data, "aggregate": several, "per_host": False}
