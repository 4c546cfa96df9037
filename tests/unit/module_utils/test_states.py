# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of whole deployments: from any state to any other and back, whatever interrupts it."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.converge import Run, converge
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import ALLOWED, Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.rules import RIGHTS
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import STATES, State, Stopped, declared, deploy, holders, kept, make, snapshot


class Cut(MemoryShell):
    """Loses its session once, at one statement, before or after carrying it out. ``done``: writes carried out."""

    def __init__(self, at: int = -1, after: bool = False) -> None:
        super().__init__()
        self.at, self.after = at, after
        self.done: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if not 0 <= self.at < len(statements):
            self.at -= len(statements)
            return super().invoke(statements)
        answer = super().invoke(statements[: self.at + self.after])
        self.at = -1
        return Answer(answer.output, answer.errors, lost="connection reset")

    def _run(self, statement: Statement) -> list[t.Any]:
        found = super()._run(statement)
        if not statement.is_read:
            self.done.append(statement)
        return found


@settings(deadline=None, max_examples=80)
@given(STATES, STATES)
def test_a_plan_carried_out_gives_what_is_wanted_and_leaves_nothing_to_do(first: State, second: State) -> None:
    shell = make(first)
    planned = deploy(shell, second, purge=True, back=True, check=True)
    assert shell.writes() == []
    done = deploy(shell, second, purge=True, back=True)
    assert [{**step, "result": "done"} for step in planned] == done
    assert [step.shown() for step in shell.writes()] == [
        {"cmdlet": step["cmdlet"], "parameters": step["parameters"]} for step in done
    ]
    assert snapshot(shell) == snapshot(make({**second, "users": holders(second)}))
    assert deploy(shell, second, purge=True, back=True, check=True) == []
    assert deploy(shell, second, purge=True, back=True) == []


GUARDS = st.builds(
    Guard,
    protect=st.sampled_from([(), ("a.*",), ("*",)]),
    removal_limit=st.sampled_from([0, 30, 100]),
    update_limit=st.sampled_from([None, 30]),
    allow=st.frozensets(st.sampled_from(ALLOWED), max_size=5),
    allow_loss=st.frozensets(st.sampled_from(list(RIGHTS)), min_size=1),
    force=st.integers(0, 4).map(lambda number: number == 0),
)


@settings(deadline=None, max_examples=120)
@given(STATES, STATES, GUARDS, st.booleans(), st.booleans(), st.booleans())
def test_what_is_refused_sends_nothing_and_what_is_not_does_as_check_mode_says(
    first: State, second: State, guard: Guard, purge: bool, back: bool, wrong: bool
) -> None:
    """With every guard as it may be set; wrong: with one partner whom nothing can authenticate."""
    if wrong:
        none = {
            "tls_negotiation": "required",
            "sasl_negotiation": "not_supported",
            "support_dialback_negotiation": False,
        }
        second = {**second, "partners": [*second["partners"], {"domain": "wrong.test", **none}]}
    shell = make(first)
    before = snapshot(shell)
    try:
        federation = kept(second) if back else declared(second, purge=purge)
    except Refused as exc:
        event("cannot be declared: %s" % exc)
        return

    def come(check: bool) -> tuple[str, t.Any]:
        shell.sent.clear()
        try:
            result = converge(shell, federation, Run(check, guard)).result
        except Refused as refused:
            report, reasons = refused.values["report"], refused.reasons
            assert shell.writes() == []
            assert report[-1].endswith("Refused, nothing was written.")
            return "refused", reasons
        assert not result.failures
        return "steps", [{**step, "result": ""} for step in result.steps or []]

    planned = come(True)
    assert shell.writes() == []
    assert come(False) == planned
    event(planned[0])
    if planned[0] == "refused":
        assert snapshot(shell) == before
    else:
        sent = [step.shown() for step in shell.writes()]
        assert sent == [{"cmdlet": step["cmdlet"], "parameters": step["parameters"]} for step in planned[1]]
    assert not wrong or planned[0] == "refused"


@settings(deadline=None, max_examples=80)
@given(STATES, STATES, st.booleans())
def test_a_snapshot_leads_back_from_whatever_was_done(first: State, second: State, purge: bool) -> None:
    shell = make(first)
    before = snapshot(shell)
    deploy(shell, second, purge=purge, back=False)
    afterwards = snapshot(shell)
    deploy(shell, before, purge=True, back=True)
    assert snapshot(shell) == before
    # And the way back can be undone like any other.
    deploy(shell, afterwards, purge=True, back=True)
    assert snapshot(shell) == afterwards


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(STATES, STATES, st.integers(0, 60), st.booleans(), st.booleans())
def test_after_any_interruption_a_rerun_ends_there_with_nothing_lost_or_doubled(
    first: State, second: State, at: int, after: bool, back: bool
) -> None:
    whole, broken = Cut(), Cut(at, after)
    for shell in (whole, broken):
        make(first, shell)
    deploy(whole, second, purge=True, back=back)
    with contextlib.suppress(Stopped, ServerRefused, Refused):
        deploy(broken, second, purge=True, back=back)
    broken.at = -1
    deploy(broken, second, purge=True, back=back)
    assert snapshot(broken) == snapshot(whole)
    assert sorted(map(str, broken.done)) == sorted(map(str, whole.done))
