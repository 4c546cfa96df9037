# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody else writes right before the request that writes, or right after it: what the run says, and gives back."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, grant, singular
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run, user

FULL = {"EnableFederationAccess": True, "EnableOutsideAccess": True}
ANN = "sip:ann@contoso.test"
Deed = t.Callable[[MemoryShell], object]


class Meeting(MemoryShell):
    """before, after: what somebody else does right before the first request that writes, and right after it.

    within: the same before the first statement that writes, behind the reading of the same request. lost: whether the
    answer to that request is lost.
    """

    def __init__(self, before: Deed | None = None, after: Deed | None = None, within: Deed | None = None) -> None:
        super().__init__()
        self.before, self.after, self.within, self.lost = before, after, within, False
        self.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
        self.put(POLICY.noun, "Global", FULL)
        for name in ("Tag:X", "Tag:Y"):
            self.put(POLICY.noun, name, FULL)
        self.put(PARTNER.noun, "a.test", {"SaslNegotiation": "Optional", "Description": "old"})
        self.users = [user("ann")]

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if all(statement.is_read for statement in statements):
            return super().invoke(statements)
        before, after, self.before, self.after = self.before, self.after, None, None
        if before:
            before(self)
        answer = super().invoke(statements)
        if after:
            after(self)
        lost, self.lost = self.lost, False
        return Answer(lost="connection reset") if lost else answer

    def _run(self, statement: Statement) -> list[t.Any]:
        within = self.within
        if within and not statement.is_read:
            self.within = None
            within(self)
        return super()._run(statement)

    def policy(self, name: str) -> dict[str, t.Any]:
        return self.store[POLICY.noun]["tag:" + name]


def describe(text: str) -> Deed:
    return lambda shell: shell.put(PARTNER.noun, "a.test", {"Description": text})


def give(policy: str | None) -> Deed:
    return lambda shell: shell.users[0].update(ExternalAccessPolicy=policy and "Tag:" + policy)


def lower(shell: MemoryShell) -> None:
    shell.put(POLICY.noun, "Tag:X", {"EnableOutsideAccess": False})


def partner(shell: MemoryShell, **more: t.Any) -> Result:
    return run(FEDERATION, shell, partners=[{"domain": "a.test", "description": "ours"}], **more)


def takes(shell: MemoryShell, **more: t.Any) -> Result:
    return run(singular(POLICY), shell, identity="X", enable_outside_access=False, **more)


def grants(shell: MemoryShell) -> Result:
    return run(grant(), shell, policy="X", users=[ANN])


def categories(result: Result) -> list[str]:
    return [failure.error.category for failure in result.failures]


def test_a_change_that_is_overwritten_is_said_with_its_values() -> None:
    shell = Meeting(before=describe("theirs"))
    result = partner(shell)
    assert [step["result"] for step in result.steps or ()] == ["done"]
    assert result.failures == []
    text = 'overwrote another change: description was "old" in the plan, "theirs" right before the write'
    assert result.warnings == ['a.test: %s, and is "ours" now' % text]


@pytest.mark.parametrize("text", ["theirs", "old"])
def test_a_change_that_did_not_stay_is_a_failure_and_is_not_sent_again(text: str) -> None:
    shell = Meeting(after=describe(text))
    result = partner(shell)
    assert categories(result) == ["Overwritten" if text == "theirs" else "NotInEffect"]
    assert [step["result"] for step in result.steps or ()] == ["failed"]
    assert not result.changed
    assert shell.store[PARTNER.noun]["a.test"]["Description"] == text
    assert len(shell.writes()) == 1
    assert partner(shell).changed


def test_what_is_sent_again_for_its_error_is_said_where_the_error_is_not_its_own() -> None:
    """Two steps have no effect, and there is one error: the other step may have been changed back."""
    shell = Meeting(after=describe("old"))
    refused = ServerError("Set-CsXmppGatewayConfiguration", "E", "X", "no")
    shell.fault = lambda statement: refused if statement.cmdlet == refused.cmdlet else None
    result = partner(shell, gateway={"connection_limit": 5})
    assert categories(result) == ["X"]
    assert any(text.startswith("a.test: was sent twice.") for text in result.warnings)


def test_a_removed_object_that_somebody_changed_is_said() -> None:
    result = run(singular(PARTNER), Meeting(before=describe("theirs")), domain="a.test", state="absent")
    assert result.changed
    (text,) = result.warnings
    assert text == "a.test: this run removed the object after another change: %s" % (
        'description was "old" in the plan, and "theirs" right before'
    )


def test_where_the_answer_is_lost_nobody_knows_what_was_overwritten() -> None:
    shell = Meeting(before=describe("theirs"))
    shell.lost = True
    result = partner(shell)
    assert [step["result"] for step in result.steps or ()] == ["done"]
    assert any("it is unknown whether this run overwrote another change" in text for text in result.warnings)


def test_a_secret_is_not_shown() -> None:
    shell = Meeting(before=lambda shell: shell.put(GATEWAY.noun, "Global", {"DialbackPassphrase": "theirs-3141"}))
    shell.put(GATEWAY.noun, "Global", {"DialbackPassphrase": "old-2718"})
    result = run(FEDERATION, shell, gateway={"dialback_passphrase": "ours-1618"})
    told = str([result.as_dict(), result.warnings])
    assert "dialback_passphrase was a secret in the plan, a secret right before the write" in told
    assert not any(text in told for text in ("3141", "2718", "1618"))


def test_a_right_that_a_policy_lost_while_it_was_granted_is_restored() -> None:
    shell = Meeting(before=give("X"))
    result = takes(shell)
    assert categories(result) == ["RightLost"]
    assert "%s while this run took outside_access from it. The former state is restored" % ANN in result.message
    assert shell.policy("x")["EnableOutsideAccess"] is True
    assert [step["result"] for step in result.steps or ()] == ["failed"]
    assert not result.changed


def test_a_right_that_cannot_be_restored_is_named() -> None:
    shell = Meeting(before=give("X"))
    sent: list[Statement] = []

    def fault(statement: Statement) -> ServerError | None:
        if statement.is_read:
            return None
        sent.append(statement)
        return ServerError(statement.cmdlet, "E", "PermissionDenied", "not for you") if len(sent) == 2 else None

    shell.fault = fault
    result = takes(shell)
    assert categories(result) == ["RightLost"]
    assert (
        "%s while this run took outside_access from it. The former state could not be restored: not for you" % ANN
        in (result.message)
    )


def test_a_policy_that_was_granted_while_it_was_removed_is_made_again_and_granted() -> None:
    shell = Meeting(within=give("X"))
    result = run(singular(POLICY), shell, identity="X", state="absent")
    assert categories(result) == ["RightLost"]
    assert shell.policy("x")["EnableOutsideAccess"] is True
    assert shell.users[0]["ExternalAccessPolicy"] == "Tag:X"
    assert [statement.cmdlet.partition("-")[0] for statement in shell.writes()] == ["Remove", "New", "Grant"]


@pytest.mark.parametrize(("deed", "former"), [(lower, None), (give("Y"), "Tag:Y")])
def test_a_user_who_lost_a_right_by_a_grant_has_the_former_policy_again(deed: Deed, former: str | None) -> None:
    """The policy lost the right right before, or somebody else has just granted one with more rights."""
    shell = Meeting(before=deed)
    if former:
        shell.put(POLICY.noun, "Global", {"EnableOutsideAccess": False})
        shell.put(POLICY.noun, "Tag:X", {"EnableOutsideAccess": False})
    result = grants(shell)
    assert categories(result) == ["RightLost"]
    assert "the rights of %s while this run wrote. This user lost outside_access" % ANN in result.message
    assert shell.users[0]["ExternalAccessPolicy"] == former


@pytest.mark.parametrize("work", [takes, grants])
def test_where_the_order_is_not_known_the_user_is_named(work: t.Callable[[MemoryShell], Result]) -> None:
    shell = Meeting(within=give("X") if work is takes else lower)
    result = work(shell)
    assert categories(result) == ["RightMayBeLost"]
    assert ANN in result.message
    assert [step["result"] for step in result.steps or ()] == ["done"]
    assert len(shell.writes()) == 1


def test_a_loss_that_is_allowed_is_said_where_it_meets_more_users_than_the_plan_knew() -> None:
    shell = Meeting(before=give("X"))
    result = takes(shell, allow_loss=["outside_access"])
    assert result.failures == []
    assert result.changed
    assert any("another run granted X to %s" % ANN in text for text in result.warnings)


def test_who_got_the_policy_before_the_write_stops_it() -> None:
    """Between the plan and the last reading before the write."""

    class Early(Meeting):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            if any("Filter" in statement.parameters for statement in statements):
                give("X")(self)
            return answer

    shell = Early()
    shell.users.append(user("bob", "Y"))
    with pytest.raises(Exception, match="changed objects after the plan was made: policy x"):
        takes(shell)
    assert shell.writes() == []


def test_a_long_list_is_read_again_on_the_way() -> None:
    """A reading at its beginning would tell nothing of its end, minutes later. What is new needs none."""
    batches: list[list[str]] = []

    class Counting(Meeting):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            batches.append(
                [statement.cmdlet for statement in statements if statement.cmdlet.startswith(("Set-", "New-"))]
            )
            return super().invoke(statements)

    shell = Counting()
    for text in ("one", "two"):
        partners = [
            {"domain": "p%03d.test" % n, "sasl_negotiation": "optional", "description": text} for n in range(450)
        ]
        assert not run(FEDERATION, shell, partners=partners, update_limit=100).failures
    assert [len(batch) for batch in batches if batch] == [450, 200, 200, 50]
    pairs = [(one.cmdlet, other.cmdlet) for one, other in itertools.pairwise(shell.sent)]
    assert pairs.count(("Get-CsXmppAllowedPartner", "Set-CsXmppAllowedPartner")) == 3
