# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan over all kinds carried out: the order of calls, what depends on what, and what is known after a loss."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE, PARTNER, POLICY, ROUTE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import ALLOWED
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    ServerError,
    ShellError,
    Statement,
)

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.plans import FULL, ROW
from tests.unit.module_utils.states import run, snapshot, user

XMPP = {"EnableFederationAccess": True, "EnableXmppAccess": True, "EnableOutsideAccess": True}
# One step of every kind, in the order in which they are written.
WANTED: dict[str, t.Any] = {
    "access_edge": {"enable_user_replicator": True},
    "gateway": {"connection_limit": 5},
    "partners": [{"domain": "n.test", **ROW}, {"domain": "a.test", "description": "x"}],
    "policies": [
        {"identity": "New", **FULL, "granted_to": ["sip:ann@contoso.test", "sip:bob@contoso.test"]},
        {"identity": "Same", "description": "x", "granted_to": []},
    ],
    "federation_routes": [{"site": "Redmond", "edge_pool": "edge.a.test"}],
    "policies_purge": True,
    "partners_purge": True,
    "exclusive_grants": True,
    "allow_loss": ["federation_access", "outside_access"],
}
ORDER = [
    "Set-CsSite Redmond",
    "New-CsExternalAccessPolicy New",
    "Set-CsExternalAccessPolicy Same",
    "New-CsXmppAllowedPartner n.test",
    "Set-CsXmppAllowedPartner a.test",
    "Set-CsXmppGatewayConfiguration Global",
    "Set-CsAccessEdgeConfiguration Global",
    "Grant-CsExternalAccessPolicy sip:ann@contoso.test",
    "Grant-CsExternalAccessPolicy sip:bob@contoso.test",
    # Cid has Same, which is to be granted to nobody.
    "Grant-CsExternalAccessPolicy sip:cid@contoso.test",
    "Remove-CsXmppAllowedPartner old.test",
    "Remove-CsExternalAccessPolicy Old",
]
REMOVALS = {10, 11}


def server(shell: MemoryShell | None = None) -> MemoryShell:
    shell = shell or MemoryShell()
    shell.put(ROUTE.noun, "Site:Redmond", {})
    for name in ("Tag:Old", "Tag:Same"):
        shell.put(POLICY.noun, name, XMPP)
    for name in ("a.test", "old.test"):
        shell.put(PARTNER.noun, name, {"SaslNegotiation": "Optional"})
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    shell.users = [user("ann", "Old"), user("bob"), user("cid", "Same")]
    return shell


def work(shell: MemoryShell, check: bool = False) -> Result:
    return run(FEDERATION, shell, check, **WANTED)


def calls(shell: MemoryShell) -> list[str]:
    return ["%s %s" % (s.cmdlet, str(s.parameters["Identity"]).replace("Site:", "")) for s in shell.writes()]


def writing(statements: t.Sequence[Statement]) -> bool:
    """Whether a batch writes; it begins with a reading of what it changes."""
    return not all(statement.is_read for statement in statements)


def results(result: Result) -> dict[str, str]:
    return {"%s %s" % (step["cmdlet"], step["identity"]): step["result"] for step in result.steps or []}


def refusing(*cmdlets: str, identity: str = "") -> t.Callable[[Statement], ServerError | None]:
    def fault(statement: Statement) -> ServerError | None:
        if statement.cmdlet in cmdlets and identity in str(statement.parameters["Identity"]):
            return ServerError(statement.cmdlet, "E", "PermissionDenied", "not for you")
        return None

    return fault


def finished() -> dict[str, t.Any]:
    shell = server()
    assert not work(shell).failures
    return snapshot(shell)


def test_the_whole_in_its_order_and_in_few_requests() -> None:
    shell = server()
    planned = work(shell, check=True)
    assert list(results(planned)) == ORDER
    assert shell.writes() == []
    shell.requests = 0
    shell.sent.clear()
    done = work(shell)
    assert calls(shell) == ORDER
    assert set(results(done).values()) == {"done"}
    # Kinds, who has a policy, and who is named for the plan, the SIP domains, kinds and users again before the write,
    # three batches, each with what it changes, both after it. The session knows what may be sent.
    reads = [s.cmdlet for s in shell.sent if s.is_read and s.cmdlet not in ("Get-CsUser", "Get-Command")]
    assert reads.count("Get-CsSipDomain") == 1
    assert {name: reads.count(name) for name in {*reads} - {"Get-CsSipDomain", "Get-CsService"}} == {
        "Get-CsSite": 4, "Get-CsExternalAccessPolicy": 6, "Get-CsXmppAllowedPartner": 5,
        "Get-CsXmppGatewayConfiguration": 4, "Get-CsAccessEdgeConfiguration": 4,
    }  # fmt: skip
    assert shell.requests == 8
    again = work(shell)
    assert again.steps == []
    assert not again.changed


@pytest.mark.parametrize("order", range(len(ORDER)))
def test_what_depends_on_a_step_that_the_server_refuses(order: int) -> None:
    shell = server()
    cmdlet, identity = ORDER[order].split(" ")
    shell.fault = refusing(cmdlet, identity="" if identity == "Global" else identity)
    result = work(shell)
    found = results(result)
    expected = dict.fromkeys(ORDER, "done")
    expected[ORDER[order]] = "failed"
    if order not in REMOVALS:
        # A removal depends on everything before it.
        expected.update({ORDER[removal]: "not_sent" for removal in REMOVALS})
    if order == 1:
        # A grant depends on its policy; a withdrawal and other grants on nothing.
        expected.update({ORDER[7]: "not_sent", ORDER[8]: "not_sent"})
    assert found == expected
    assert [str(f).partition(" failed")[0].replace(" of ", " ") for f in result.failures] == [
        name for name in ORDER if expected[name] != "done"
    ]
    sent = calls(shell)
    assert [name for name in ORDER if name in sent] == [name for name in ORDER if expected[name] != "not_sent"]
    assert sent.count(ORDER[order]) == 2, "once more, alone, to learn its own error"
    shell.fault = lambda statement: None
    assert not work(shell).failures
    assert snapshot(shell) == finished()


@pytest.mark.parametrize("lost_after", range(len(ORDER)))
def test_a_session_lost_at_any_step(lost_after: int) -> None:
    shell = server()
    shell.lose_after = lost_after
    result = work(shell)
    found = list(results(result).values())
    assert found[:lost_after] == ["done"] * lost_after
    assert found[lost_after] == "failed"
    assert set(found[lost_after + 1 :]) <= {"failed", "not_sent"}
    assert calls(shell) == ORDER[: lost_after + 1], "after a loss nothing is sent"
    texts = [failure.error.message for failure in result.failures]
    assert len(texts) == len(ORDER) - lost_after
    assert texts[0].startswith("the session was lost before the server answered (connection reset). Now ")
    assert result.changed == (lost_after > 0)
    again = work(shell)
    assert not again.failures
    assert list(results(again)) == ORDER[lost_after:]
    assert snapshot(shell) == finished()


@pytest.mark.parametrize("carried_out", [0, 1, 2, 7])
def test_an_endpoint_that_takes_one_statement_at_a_time(carried_out: int) -> None:
    """The session learns it from the first batch; each write is carried out once, in order."""

    class Single(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if all(statement.is_read for statement in statements) and len(statements) > 1:
                found = Answer()
                for statement in statements:
                    found += super().invoke([statement])
                return found
            return super().invoke(statements)

    shell = server(Single())
    shell.one_statement = carried_out
    result = work(shell)
    assert set(results(result).values()) == {"done"}
    assert calls(shell) == ORDER


@pytest.mark.parametrize("order", range(len(ORDER)))
def test_a_step_that_the_server_swallows_is_not_done(order: int) -> None:
    class Deaf(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            name = "%s %s" % (statement.cmdlet, str(statement.parameters.get("Identity")))
            return [] if name.replace("Site:", "") == ORDER[order] else super()._run(statement)

    shell = server(Deaf())
    result = work(shell)
    assert results(result)[ORDER[order]] == "failed"
    (failure,) = [f for f in result.failures if f.order == order]
    assert failure.error.category == "NotInEffect"
    assert failure.error.message.startswith("the server reported no error, but ")


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_where_nothing_can_be_read_afterwards_the_outcome_is_unknown(broken: int) -> None:
    """From the broken-th batch of writes on, the server answers nothing."""

    class Blind(MemoryShell):
        batches = 0

        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if writing(statements):
                self.batches += 1
            elif self.batches >= broken:
                raise ShellError("the server does not answer any more")
            return super().invoke(statements)

    shell = server(Blind())
    if broken < 3:
        # An error is why the state is read after this batch.
        shell.fault = (
            refusing("Set-CsSite") if broken == 1 else refusing("Grant-CsExternalAccessPolicy", identity="cid")
        )
    result = work(shell)
    assert set(results(result).values()) <= {"failed", "not_sent"}
    sent = [f for f in result.failures if f.error.category == "Unknown"]
    assert len(sent) == {1: 7, 2: 10, 3: 12}[broken]
    assert all("was sent, but could not be read back, so it is unknown whether it took effect" in str(f) for f in sent)
    assert len(result.failures) == len(ORDER)
    assert not result.changed
    # What cannot be read is nothing: no old state is returned as if it were there.
    assert result.values["partners"] == []


def test_a_complaint_about_what_took_effect_is_a_warning() -> None:
    class Complaining(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            if any(statement.cmdlet == "Set-CsSite" for statement in statements):
                return answer + Answer(errors=(ServerError("Set-CsSite", "W", "", "no replication"),))
            return answer

    result = work(server(Complaining()))
    assert set(results(result).values()) == {"done"}
    assert "Set-CsSite: the server reported an error, but the change is in effect: no replication" in result.warnings


def test_where_there_never_was_a_session_nothing_is_said_to_have_been_sent() -> None:
    class Closed(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if writing(statements):
                raise ShellError("nobody there")
            return super().invoke(statements)

    shell = server(Closed())
    with pytest.raises(ShellError, match="nobody there"):
        work(shell)
    assert shell.writes() == []


def test_warnings_of_the_server_are_passed_on_once() -> None:
    class Talking(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            return answer + Answer(warnings=("replication is slow",)) if writing(statements) else answer

    assert work(server(Talking())).warnings.count("replication is slow") == 1


@pytest.mark.parametrize("raises", [False, True])
def test_a_session_lost_while_a_step_is_sent_alone_ends_it(raises: bool) -> None:
    class Fragile(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            writes = [statement for statement in statements if not statement.is_read]
            if len(writes) == 1:
                self.sent += writes
                if raises:
                    raise ShellError("gone")
                return Answer(lost="gone")
            return super().invoke(statements)

    shell = server(Fragile())
    site, partner = refusing("Set-CsSite"), refusing("New-CsXmppAllowedPartner")
    shell.fault = lambda statement: site(statement) or partner(statement)
    result = work(shell)
    done = {ORDER[number] for number in (1, 2, 4, 5, 6)}
    found = results(result)
    assert found == {n: "done" if n in done else "failed" if n == ORDER[0] else "not_sent" for n in ORDER}
    assert calls(shell) == [*ORDER[:7], ORDER[0]], "the second is not tried alone, and no grant is sent"
    texts = {failure.order: failure.error.message for failure in result.failures}
    assert texts[0] == "the session was lost before the server answered (gone). Now edge_pool still differs"
    behind = "the session was lost at an earlier step, so this step was not sent%s. Run again to send it"
    assert texts[3] == behind % " again"
    assert [texts[number] for number in range(7, 12)] == [behind % ""] * 5


def test_where_a_later_batch_cannot_be_sent_the_earlier_ones_count() -> None:
    class Closing(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if statements[-1].cmdlet.startswith("Grant-"):
                raise ShellError("nobody there")
            return super().invoke(statements)

    shell = server(Closing())
    result = work(shell)
    found = list(results(result).values())
    assert found == ["done"] * 7 + ["failed"] * 3 + ["not_sent"] * 2
    assert result.changed
    assert calls(shell) == ORDER[:7]


# What each name in ``allow`` lets a run do; without it, and with every other one, the run is refused.
ALLOWING: tuple[tuple[str, dict[str, t.Any]], ...] = (
    ("empty_purge", {"partners": [], "partners_purge": True}),
    ("large_purge", {"partners": [{"domain": "p00.test"}], "partners_purge": True}),
    ("many_updates", {"partners": [{"domain": "p%02d.test" % n, "description": "x"} for n in range(12)]}),
    ("clear_route", {"federation_routes": [{"site": "Redmond", "edge_pool": ""}]}),
    ("federation_off", {"access_edge": {"allow_federated_users": False}}),
    ("outside_access_off", {"access_edge": {"allow_outside_users": False}}),
    ("anonymous_access_off", {"access_edge": {"allow_anonymous_users": False}}),
)


@pytest.mark.parametrize(("name", "declared"), ALLOWING)
def test_what_a_run_may_do_only_if_it_is_allowed(name: str, declared: dict[str, t.Any]) -> None:
    shell = MemoryShell()
    for number in range(12):
        shell.put(PARTNER.noun, "p%02d.test" % number, {"SaslNegotiation": "Optional"})
    shell.put(ROUTE.noun, "Site:Redmond", {"XmppFederationRoute": "EdgeServer:edge.a.test"})
    switches = ("AllowFederatedUsers", "AllowOutsideUsers", "AllowAnonymousUsers")
    shell.put(ACCESS_EDGE.noun, "Global", dict.fromkeys(switches, True))
    given: dict[str, t.Any] = {"update_limit": 30, **declared}
    others = [other for other in ALLOWED if other != name]
    for allow in ([], others):
        with pytest.raises(Refused, match="'%s' in allow, or force" % name):
            run(FEDERATION, shell, allow=allow, **given)
    assert shell.writes() == []
    assert run(FEDERATION, shell, check=True, force=True, **given).changed
    assert run(FEDERATION, shell, allow=[name], **given).changed


def test_what_somebody_else_overwrites_at_once_is_said_to_be_overwritten() -> None:
    """Not that it was never sent: the step took effect, and another controller wrote right behind it."""
    shell = MemoryShell()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True})
    shell.put("CsXmppAllowedPartner", "a.test", {"Description": "old", "PartnerType": "Federated"})
    tries: list[Statement] = []

    def fault(statement: Statement) -> ServerError | None:
        if statement.cmdlet != "Set-CsXmppGatewayConfiguration":
            return None
        tries.append(statement)
        if len(tries) == 2:
            shell.put("CsXmppAllowedPartner", "a.test", {"Description": "theirs"})
        return ServerError(statement.cmdlet, "Id", "InvalidOperation", "no")

    shell.fault = fault
    partners = [{"domain": "a.test", "description": "ours"}]
    result = run(FEDERATION, shell, partners=partners, gateway={"connection_limit": 5})
    words = {failure.identity: failure.error for failure in result.failures}
    assert words["a.test"].category == "Overwritten"
    assert "another run or administrator changed the object right after" in words["a.test"].message
    assert words["Global"].message == "no"
    assert [step["result"] for step in result.steps or ()] == ["failed", "failed"]
