# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run came to: the stats that AWX workflows and CI read, and the sentence of a run that fails. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Result = t.Mapping[str, t.Any]

OK, CHANGES, REFUSED, FAILED = "ok", "changes", "refused", "failed"
# From the best to the worst.
WORDS = (OK, CHANGES, REFUSED, FAILED)
# The names of the stats.
RESULT, NUMBER, DIGEST = "sfb_xmpp_result", "sfb_xmpp_changes", "sfb_xmpp_plan_digest"
# The playbooks whose runs change or judge something.
REPORTING = "audit certificate converge decommission failover preflight restore revoke verify".split()
# The words of a summary that are changes.
_CHANGES = ("added", "changed", "removed", "granted", "withdrawn")


@dataclass(frozen=True)
class RunOutcome:
    """word: one of WORDS. changes: how many changes were made, or are planned in check mode.

    digest: of the plan; empty where the run has none. sentence: why the run fails; empty where it does not.
    """

    word: str = OK
    changes: int = 0
    digest: str = ""
    sentence: str = ""

    def and_then(self, other: RunOutcome) -> RunOutcome:
        """What a run came to that had both parts."""
        word = max(self.word, other.word, key=WORDS.index)
        sentence = self.sentence or other.sentence
        return RunOutcome(word, self.changes + other.changes, self.digest or other.digest, sentence)


def outcome_of(result: Result) -> RunOutcome:
    """What one task came to. result: of a task of the collection, also one that has reported already."""
    digest = digest_of(result)
    wrong = went_wrong(result)
    if wrong == REFUSED:
        return RunOutcome(REFUSED, 0, digest, sentence(result))
    changes = changes_of(result)
    if wrong:
        return RunOutcome(FAILED, changes, digest, sentence(result))
    return RunOutcome(CHANGES if changes else OK, changes, digest)


def digest_of(result: Result) -> str:
    """The digest of a task's plan; empty where it has none."""
    return str((result.get("plan_digest") or {}).get("digest") or "")


def went_wrong(result: Result) -> str:
    """``refused`` if nothing was written, ``failed``, or an empty text.

    In a playbook the task that reports does not fail by itself.
    """
    if result.get("outcome") in (REFUSED, FAILED):
        return str(result["outcome"])
    if not (result.get("failed") or result.get("unreachable")):
        return ""
    return REFUSED if "reasons" in result else FAILED


def changes_of(result: Result) -> int:
    """How many changes a task made, or would make. Users who get or lose a policy count one by one."""
    summary = result.get("summary")
    if isinstance(summary, t.Mapping) and set(_CHANGES) <= set(summary):
        return sum(int(summary[word]) for word in _CHANGES)
    if result.get("steps") is not None:
        return sum(step["result"] in ("planned", "done") for step in result["steps"])
    return int(bool(result.get("changed")))


def sentence(result: Result) -> str:
    """Why a task did not succeed, in one line. What was refused for several reasons has been shown as a list."""
    if result.get("sentence"):
        return str(result["sentence"])
    reasons = result.get("reasons") or ()
    lines = str(result.get("msg") or "").strip().splitlines()
    if len(reasons) > 1 and lines:
        return "%s, which are listed above." % lines[0].rstrip(":")
    return lines[0] if lines else "The task failed without a reason."


def planned_sentence(changes: int) -> str:
    """Why a check run fails that was asked to."""
    number = "1 change is" if changes == 1 else "%d changes are" % changes
    return "%s planned, and sfb_xmpp_fail_on_changes is true." % number


def stats(outcome: RunOutcome, label: str, several: bool) -> dict[str, t.Any]:
    """The key ``ansible_stats`` of a result. With several deployments in a run, each stat is a mapping by label."""
    data: dict[str, t.Any] = {RESULT: outcome.word, NUMBER: outcome.changes}
    if outcome.digest:
        data[DIGEST] = outcome.digest
    if several:
        data = {name: {label: value} for name, value in data.items()}
    # Mappings are merged, a value replaces the one of an earlier task.
    return {"data": data, "aggregate": several, "per_host": False}
