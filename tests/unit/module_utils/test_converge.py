# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of steps on a server that refuses, falls silent or loses the session."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import GATEWAY, PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import (
    FEDERATION,
    configuration,
    grant,
    info,
    plural,
    singular,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    ServerError,
    ShellError,
    Statement,
)

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run, user

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
PLURAL: dict[str, t.Any] = {"purge": False, "protect": [], "removal_limit": 30, "force": False, "allow_loss": []}


def many(shell: MemoryShell, *domains: str, check: bool = False, **more: t.Any) -> Result:
    params = {**PLURAL, "partners": [{"domain": domain, **ROW} for domain in domains], **more}
    return plural(PARTNER).work(params, shell, check)


def results(result: Result) -> list[str]:
    return [step["result"] for step in result.steps or []]


def refuse(identity: str, words: str) -> t.Callable[[Statement], ServerError | None]:
    def fault(statement: Statement) -> ServerError | None:
        if statement.parameters.get("Identity") == identity and not statement.is_read:
            return ServerError(statement.cmdlet, "Denied,X", "PermissionDenied", words, identity)
        return None

    return fault


def test_check_writes_nothing_and_shows_the_steps_of_the_run() -> None:
    shell = MemoryShell()
    planned = many(shell, "a.test", "b.test", check=True)
    assert shell.writes() == []
    assert results(planned) == ["planned", "planned"]
    assert [p["domain"] for p in planned.values["partners"]] == ["a.test", "b.test"]
    done = many(shell, "a.test", "b.test")
    assert [s.shown() for s in shell.writes()] == [
        {"cmdlet": s["cmdlet"], "parameters": s["parameters"]} for s in planned.steps or []
    ]
    assert done.diff == planned.diff
    assert done.values == planned.values
    assert not many(shell, "a.test", "b.test").changed
    assert len(shell.writes()) == 2


def test_no_change_costs_one_request_and_new_partners_five() -> None:
    """Read, the SIP domains too; what may be written; read once more right before the write; write; read."""
    shell = MemoryShell()
    many(shell, *("p%03d.test" % n for n in range(100)))
    assert shell.requests == 5
    many(shell, *("p%03d.test" % n for n in range(100)))
    assert shell.requests == 6


def test_one_of_fifty_fails_alone_and_in_the_servers_words() -> None:
    shell = MemoryShell()
    domains = ["p%02d.test" % n for n in range(50)]
    shell.fault = refuse("p17.test", "Zugriff verweigert")
    result = many(shell, *domains)
    assert results(result).count("done") == 49
    assert result.changed
    (failure,) = result.failures
    assert failure.as_dict() == {
        "cmdlet": "New-CsXmppAllowedPartner",
        "identity": "p17.test",
        "error_id": "Denied,X",
        "category": "PermissionDenied",
        "message": "Zugriff verweigert",
    }
    assert result.message == "New-CsXmppAllowedPartner of p17.test failed: Zugriff verweigert (PermissionDenied)"
    assert "p17.test" not in str(result.diff)
    shell.fault = lambda statement: None
    sent = len(shell.writes())
    again = many(shell, *domains)
    assert [s.parameters["Identity"] for s in shell.writes()[sent:]] == ["p17.test"]
    assert not again.failures


def test_a_step_that_the_server_swallowed_is_not_called_done() -> None:
    class Deaf(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            return [] if statement.cmdlet.startswith("Set-") else super()._run(statement)

    shell = Deaf()
    many(shell, "a.test")
    result = many(shell, "a.test", partners=[{"domain": "a.test", "description": "words"}])
    assert not result.changed
    assert "the server reported no error, but description still differs" in result.message
    assert [s.cmdlet for s in shell.writes()].count("Set-CsXmppAllowedPartner") == 1, "there is no error to learn"


def test_after_a_lost_session_nothing_is_sent_again() -> None:
    shell = MemoryShell()
    shell.lose_after = 2
    result = many(shell, "a.test", "b.test", "c.test", "d.test")
    assert results(result) == ["done", "done", "failed", "failed"]
    assert "the session was lost before the server answered (connection reset). Now it does not exist" in str(
        result.failures[0]
    )
    assert [s.parameters["Identity"] for s in shell.writes()] == ["a.test", "b.test", "c.test"]
    assert result.changed


def test_a_loss_while_sending_alone_leaves_the_rest_unsent() -> None:
    class Fragile(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if len(statements) == 1 and statements[0].cmdlet.startswith("New-"):
                raise ShellError("gone")
            return super().invoke(statements)

    shell = Fragile()
    shell.fault = lambda s: None if s.is_read else ServerError(s.cmdlet, "E", "C", "no")
    result = many(shell, "a.test", "b.test")
    assert results(result) == ["failed", "not_sent"]
    assert "gone" in str(result.failures[0])
    assert "Run again" in str(result.failures[1])


def test_what_cannot_be_read_back_is_unknown() -> None:
    class Blind(MemoryShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            if self.writes():
                raise ShellError("the server does not answer any more")
            return super().invoke(statements)

    result = many(Blind(), "a.test")
    assert results(result) == ["failed"]
    assert "unknown whether it took effect" in result.message


def test_a_read_that_fails_stops_the_run() -> None:
    shell = MemoryShell()
    shell.fault = lambda s: ServerError(s.cmdlet, "X", "PermissionDenied", "not for you")
    with pytest.raises(ServerRefused, match="Get-CsXmppAllowedPartner failed: not for you"):
        many(shell, "a.test")
    empty = MemoryShell()
    empty.store[GATEWAY.noun].clear()
    with pytest.raises(ServerRefused, match="the server did not return Global, which always exists"):
        configuration(GATEWAY).work({"connection_limit": 3}, empty, False)


def test_singular_is_a_list_of_one() -> None:
    shell = MemoryShell()
    task = singular(PARTNER)
    result = task.work({"domain": "A.test.", **ROW, "state": "present"}, shell, False)
    assert result.values["partner"]["domain"] == "a.test"
    assert result.values["partner"]["partner_type"] == "public_unverified"
    gone = task.work({"domain": "a.test", "state": "absent"}, shell, True)
    assert gone.values["partner"] is None
    assert gone.changed
    assert task.work({"domain": "a.test", "state": "absent"}, shell, False).changed
    assert not task.work({"domain": "a.test", "state": "absent"}, shell, False).changed


def test_output_can_be_fed_back_in() -> None:
    shell = MemoryShell()
    many(shell, "a.test", "b.test")
    (items,) = [info(PARTNER).work({"domain": None}, shell, False).values["partners"]]
    assert not many(shell, partners=items).changed
    settings = info(GATEWAY).work({}, shell, False).values["configuration"]
    assert "dialback_passphrase" not in settings
    assert not configuration(GATEWAY).work(settings, shell, False).changed


def test_info_of_one_and_what_is_risky() -> None:
    shell = MemoryShell()
    many(shell, "a.test", partners=[{"domain": "a.test"}, {"domain": "b.test", **ROW}])
    result = info(PARTNER).work({"domain": "A.TEST"}, shell, False)
    assert [p["domain"] for p in result.values["partners"]] == ["a.test"]
    assert result.values["findings"][0]["identity"] == "a.test"
    assert info(PARTNER).work({"domain": "none.test"}, shell, False).values == {"partners": [], "findings": []}
    assert result.steps is None


def test_a_passphrase_is_written_once_where_the_server_shows_it() -> None:
    shell = MemoryShell()
    task = configuration(GATEWAY)
    first = task.work({"dialback_passphrase": "s3cret-text"}, shell, False)
    assert first.changed
    assert "s3cret" not in str(first.as_dict())
    assert not task.work({"dialback_passphrase": "s3cret-text"}, shell, False).changed


def test_what_was_made_by_hand_in_another_spelling_is_found_and_changed() -> None:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "Bücher.test", {"AdditionalDomains": ("Käse.test", "MAIL.bücher.test")})
    result = many(shell, partners=[{"domain": "xn--bcher-kva.test", "additional_domains": ["mail.bücher.test"]}])
    (step,) = result.steps or []
    assert step["parameters"] == {
        "Identity": "Bücher.test",
        "AdditionalDomains": {"remove": ["Käse.test"]},
        "Confirm": False,
    }
    assert result.values["partners"][0]["domain"] == "xn--bcher-kva.test"
    assert result.values["partners"][0]["additional_domains"] == ["mail.xn--bcher-kva.test"]
    assert [type(d) for d in result.values["partners"][0]["additional_domains"]] == [str]
    assert not many(shell, partners=result.values["partners"]).changed


def test_a_passphrase_that_the_server_hides_is_said_to_be_written_every_time() -> None:
    class Hiding(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            return [{**item, "DialbackPassphrase": None} for item in super()._run(statement)]

    shell = Hiding()
    for _turn in range(2):
        result = configuration(GATEWAY).work({"dialback_passphrase": "s3cret-text"}, shell, False)
        assert result.changed
        assert "does not show dialback_passphrase" in result.warnings[0]


class TestPolicies:
    FULL: t.ClassVar = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}

    def users(self, shell: MemoryShell, policy: str | None) -> None:
        shell.users = [{"Identity": "CN=A", "SipAddress": "sip:a@contoso.test", "ExternalAccessPolicy": policy}]

    def many(self, shell: MemoryShell, *items: dict[str, t.Any], **more: t.Any) -> Result:
        return plural(POLICY).work({**PLURAL, "policies": list(items), **more}, shell, False)

    def test_users_are_read_only_where_it_matters(self) -> None:
        shell = MemoryShell()
        self.many(shell, {"identity": "x", **self.FULL}, {"identity": "site:Redmond", **self.FULL})
        self.many(shell, {"identity": "X", **self.FULL}, purge=True)
        assert "Get-CsUser" not in {s.cmdlet for s in shell.sent}
        self.many(shell, {"identity": "X", "enable_outside_access": False})
        assert "Get-CsUser" in {s.cmdlet for s in shell.sent}

    def test_a_purge_spares_what_is_granted_and_what_has_no_xmpp(self) -> None:
        shell = MemoryShell()
        self.users(shell, "Tag:X")
        self.many(shell, *({"identity": name, **self.FULL} for name in "xyz"), {"identity": "plain"})
        result = self.many(shell, {"identity": "y", **self.FULL}, purge=True)
        assert [p["identity"] for p in result.values["policies"]] == ["global", "plain", "x", "y"]

    def test_grants_of_the_same_run_count(self) -> None:
        shell = MemoryShell()
        self.users(shell, "Tag:X")
        self.many(shell, *({"identity": name, **self.FULL} for name in "vwxyz"))
        granted = {"identity": "Z", **self.FULL, "granted_to": ["sip:a@contoso.test"]}
        listed: list[dict[str, t.Any]] = [granted, {"identity": "v"}, {"identity": "w"}]
        result = self.many(shell, *listed, purge=True)
        assert [s["identity"] for s in result.steps or [] if s["cmdlet"].startswith("Remove-")] == ["x", "y"]
        assert result.values["policies"][-1]["granted_to"] == ["sip:a@contoso.test"]

    def test_force_removes_a_granted_policy_by_name(self) -> None:
        shell = MemoryShell()
        self.users(shell, "Tag:X")
        self.many(shell, {"identity": "x", **self.FULL})
        result = singular(POLICY).work(
            {"identity": "x", "state": "absent", "force": True, "allow_loss": []}, shell, False
        )
        assert result.changed


@pytest.mark.parametrize("carried_out", [0, 1, 3])
def test_where_batches_are_refused_what_is_missing_goes_again_in_order(carried_out: int) -> None:
    shell = MemoryShell()
    shell.put(PARTNER.noun, "old.test", {})
    shell.one_statement = carried_out
    result = many(shell, "a.test", "b.test", "c.test", purge=True, force=True)
    assert results(result) == ["done", "done", "done", "done"]
    assert set(shell.store[PARTNER.noun]) == {"a.test", "b.test", "c.test"}
    sent = [(statement.cmdlet[:3], statement.parameters["Identity"]) for statement in shell.writes()]
    assert sorted(sent) == [("New", "a.test"), ("New", "b.test"), ("New", "c.test"), ("Rem", "old.test")]
    assert sent.index(("New", "c.test")) < sent.index(("Rem", "old.test"))


@pytest.mark.parametrize("carried_out", [None, 0, 1, 3])
def test_nothing_is_removed_after_an_earlier_step_failed(carried_out: int | None) -> None:
    """Before, the removal was sent all the same: a partner that moved would have lost both its entries."""
    shell = MemoryShell()
    shell.put(PARTNER.noun, "old.test", {})
    shell.one_statement = carried_out
    shell.fault = refuse("b.test", "not that one")
    result = many(shell, "a.test", "b.test", "c.test", purge=True, force=True)
    assert results(result) == ["done", "failed", "done", "not_sent"]
    assert [failure.error.message for failure in result.failures] == [
        "not that one",
        "an earlier step failed, so this object was not removed. Run again to remove it",
    ]
    assert set(shell.store[PARTNER.noun]) == {"a.test", "c.test", "old.test"}
    sent = [(statement.cmdlet[:3], statement.parameters["Identity"]) for statement in shell.writes()]
    assert sent.count(("New", "a.test")) == sent.count(("New", "c.test")) == 1
    shell.fault = lambda statement: None
    assert results(many(shell, "a.test", "b.test", "c.test", purge=True, force=True)) == ["done", "done"]


def test_where_a_refused_batch_cannot_be_sent_again_the_outcome_is_unknown() -> None:
    shell = MemoryShell()
    shell.one_statement = 0
    shell.lose_after = 1
    result = many(shell, "a.test", "b.test")
    assert results(result) == ["done", "failed"]
    assert "the session was lost" in result.failures[0].error.message


class Busy(MemoryShell):
    """Somebody else does something after some requests. ``did``: how to do it."""

    def __init__(self, did: t.Callable[[MemoryShell], object], after: int = 1) -> None:
        super().__init__()
        self.after = after
        self.did: t.Callable[[MemoryShell], object] | None = did
        self.armed = False

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        answer = super().invoke(statements)
        self.after -= self.armed
        if self.armed and self.did and not self.after:
            did, self.did = self.did, None
            did(self)
        return answer


class TestSomebodyElse:
    """The kinds that a run writes are read three times: for the plan, right before the write, and after it."""

    @staticmethod
    def busy(did: t.Callable[[MemoryShell], object]) -> Busy:
        shell = Busy(did)
        many(shell, "a.test", "b.test", "c.test", "d.test")
        shell.armed = True
        shell.sent.clear()
        return shell

    def test_only_kinds_that_are_written_are_read_again(self) -> None:
        shell = MemoryShell()
        params: dict[str, t.Any] = {
            "policies": [{"identity": "x", "enable_federation_access": True}],
            "partners": [],
            "gateway": {"connection_limit": 1000},
            "access_edge": {"enable_user_replicator": False},
        }
        shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": False})
        run(FEDERATION, shell, **params)
        reads = [statement.cmdlet for statement in shell.sent if statement.is_read]
        assert {name: reads.count(name) for name in reads} == {
            "Get-CsExternalAccessPolicy": 3,
            "Get-CsXmppAllowedPartner": 1,
            "Get-CsXmppGatewayConfiguration": 1,
            "Get-CsAccessEdgeConfiguration": 1,
            "Get-Command": 1,
            "Get-CsService": 1,
            "Get-CsSipDomain": 1,
        }
        assert shell.requests == 5

    @pytest.mark.parametrize(
        ("did", "name"),
        [
            (lambda shell: shell.put(PARTNER.noun, "a.test", {"Description": "theirs"}), "partner a.test"),
            (lambda shell: shell.put(PARTNER.noun, "n.test", {}), "partner n.test"),
            (lambda shell: shell.put(PARTNER.noun, "d.test", {"ProxyFqdn": "p.test"}), "partner d.test"),
            (lambda shell: shell.store[PARTNER.noun].pop("a.test"), "partner a.test"),
        ],
    )
    def test_a_changed_object_stops_the_run_by_name(self, did: t.Callable[[MemoryShell], object], name: str) -> None:
        shell = self.busy(did)
        wanted = [{"domain": "a.test", "description": "ours"}, {"domain": "n.test", "description": "ours", **ROW}]
        listed = [*wanted, {"domain": "b.test"}, {"domain": "c.test"}]
        with pytest.raises(Refused) as caught:
            many(shell, partners=listed, purge=True)
        assert caught.value.reasons == (
            "another run or administrator changed objects after the plan was made: %s. Run again to make a new plan"
            % name,
        )
        assert shell.writes() == []

    def test_what_somebody_else_has_done_is_left_out(self) -> None:
        shell = self.busy(lambda shell: shell.put(PARTNER.noun, "n.test", {"SaslNegotiation": "Optional"}))
        result = many(shell, "a.test", "b.test", "c.test", "d.test", "n.test", "o.test")
        assert [s.parameters["Identity"] for s in shell.writes()] == ["o.test"]
        assert [step["identity"] for step in result.steps or []] == ["o.test"]

    def test_where_somebody_else_has_done_it_all_nothing_is_sent(self) -> None:
        shell = self.busy(lambda shell: shell.put(PARTNER.noun, "n.test", {"SaslNegotiation": "Optional"}))
        result = many(shell, "a.test", "b.test", "c.test", "d.test", "n.test")
        assert shell.writes() == []
        assert not result.changed
        assert [p["domain"] for p in result.values["partners"]][-1] == "n.test"

    def test_others_may_change_as_they_like(self) -> None:
        shell = self.busy(lambda shell: shell.put(PARTNER.noun, "b.test", {"Description": "theirs"}))
        result = many(shell, partners=[{"domain": "a.test", "description": "ours"}])
        assert result.changed
        assert not result.warnings

    def test_what_was_overwritten_at_the_same_moment_is_said(self) -> None:
        class Crossing(MemoryShell):
            def _run(self, statement: Statement) -> list[t.Any]:
                found = super()._run(statement)
                if statement.cmdlet.startswith("Set-"):
                    self.put(PARTNER.noun, "a.test", {"ProxyFqdn": "p.test"})
                return found

        shell = Crossing()
        many(shell, "a.test")
        result = many(shell, partners=[{"domain": "a.test", "description": "ours"}])
        text = 'a.test: another run or administrator changed proxy_fqdn while this run wrote, from "" to "p.test". %s'
        assert result.warnings == [text % "Check the value"]

    def test_a_policy_whose_rights_were_compared_may_not_change_before_it_is_granted(self) -> None:
        shell = Busy(lambda shell: shell.put("CsExternalAccessPolicy", "Tag:X", {"EnableOutsideAccess": False}), 2)
        shell.put("CsExternalAccessPolicy", "Tag:X", {"EnableFederationAccess": True, "EnableOutsideAccess": True})
        shell.users = [user("ann")]
        shell.armed = True
        with pytest.raises(Refused, match="changed objects after the plan was made: policy x"):
            run(grant(), shell, policy="X", users=["sip:ann@contoso.test"])
        assert shell.writes() == []

    def test_other_users_may_change_all_day(self) -> None:
        """Users are many: who is not written by this run does not stop it, not even where all of them were read."""
        shell = Busy(lambda shell: shell.users[1].update(ExternalAccessPolicy="Tag:X"), after=2)
        shell.put("CsExternalAccessPolicy", "Tag:X", {"EnableFederationAccess": True})
        shell.users = [user("ann"), user("bob"), user("cid", "X")]
        shell.armed = True
        everyone: dict[str, t.Any] = {"policy": "X", "users": ["sip:ann@contoso.test"], "exclusive": True}
        result = run(grant(), shell, **everyone, allow_loss=["federation_access"])
        assert [step["identity"] for step in result.steps or []] == ["sip:ann@contoso.test", "sip:cid@contoso.test"]
        assert not result.failures
        again = run(grant(), shell, **everyone, allow_loss=["federation_access"])
        assert [step["identity"] for step in again.steps or []] == ["sip:bob@contoso.test"]

    def test_what_somebody_else_granted_is_left_out(self) -> None:
        shell = Busy(lambda shell: shell.users[0].update(ExternalAccessPolicy="Tag:x"), after=2)
        shell.put("CsExternalAccessPolicy", "Tag:X", {"EnableFederationAccess": True})
        shell.users = [user("ann"), user("bob")]
        shell.armed = True
        result = run(grant(), shell, policy="X", users=["sip:ann@contoso.test", "sip:bob@contoso.test"])
        assert [step["identity"] for step in result.steps or []] == ["sip:bob@contoso.test"]
        assert result.values["grant"]["users"] == ["sip:ann@contoso.test", "sip:bob@contoso.test"]

    def test_a_user_who_got_another_policy_stops_the_run(self) -> None:
        shell = Busy(lambda shell: shell.users[0].update(ExternalAccessPolicy="Tag:Y"), after=2)
        for name in ("Tag:X", "Tag:Y"):
            shell.put("CsExternalAccessPolicy", name, {"EnableFederationAccess": True})
        shell.users = [user("ann"), user("bob")]
        shell.armed = True
        with pytest.raises(Refused, match=r"after the plan was made: user sip:ann@contoso\.test. Run again"):
            run(grant(), shell, policy="X", users=["sip:ann@contoso.test", "sip:bob@contoso.test"])
        assert shell.writes() == []
