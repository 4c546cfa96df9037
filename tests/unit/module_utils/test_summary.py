# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan as people read it, to the letter: the block of lines, the numbers, Markdown; and what must not stand there."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.summary import (
    block,
    diff,
    headline,
    summarise,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import Fault, MemoryShell
from tests.unit.module_utils.plans import FULL, ROW, absent, named_calls, partner, plan, policies, policy, sip
from tests.unit.module_utils.states import run
from tests.unit.module_utils.test_apply import WANTED, refusing, server

EVERYTHING: dict[str, t.Any] = {
    **WANTED,
    "gateway": {"connection_limit": 5, "dialback_passphrase": "s3cret-new", "enable_logging_all_message_bodies": True},
    "partners": [
        {"domain": "n.test", **ROW, "description": "s3cret is no secret"},
        {
            "domain": "a.test",
            "description": "two words",
            "additional_domains": ["x.a.test"],
            "tls_negotiation": "optional",
            "sasl_negotiation": "not_supported",
        },
        {"domain": "same.test"},
    ],
}
LINES = """\
sfb.xmpp plan for contoso (fe01)
  ~ route       Redmond                edge_pool (none) -> edge.a.test%s
  + policy      New                    federation, xmpp, outside%s
  ~ policy      Same                   description (none) -> x%s
  - policy      Old%s
  > grant       New                    2 users: ann@contoso.test, bob@contoso.test%s
  < withdraw    Same                   1 user: cid@contoso.test%s
  + partner     n.test                 public unverified, TLS required, SASL optional, dialback%s
  ~ partner     a.test                 additional_domains +x.a.test -y.a.test, description (none) -> "two words",\
 tls_negotiation required -> optional, sasl_negotiation optional -> not_supported%s
  - partner     old.test%s
  ~ gateway                            connection_limit 1000 -> 5, enable_logging_all_message_bodies off -> on,\
 dialback_passphrase replaced%s
  ~ access edge                        enable_user_replicator off -> on%s
"""


def prepared(fault: Fault | None = None) -> MemoryShell:
    shell = server()
    shell.place = Place("fe01", "contoso", home=shell.place.home)
    shell.put(PARTNER.noun, "same.test", {})
    shell.put(PARTNER.noun, "a.test", {"AdditionalDomains": ("y.a.test",)})
    shell.put("CsXmppGatewayConfiguration", "Global", {"DialbackPassphrase": "s3cret-old"})
    if fault:
        shell.fault = fault
    return shell


def golden(last: str, **marks: str) -> str:
    """The block; marks: what stands behind the lines of these objects."""
    places = ["route", "New", "Same", "Old", "grant", "withdraw", "n", "a", "old", "gateway", "edge"]
    return LINES % tuple(marks.get(place, "") for place in places) + last


class TestBlock:
    def test_of_a_check(self) -> None:
        result = run(FEDERATION, prepared(), check=True, **EVERYTHING)
        assert "\n".join(result.values["report"]) == golden(
            "2 to add, 5 to change, 2 to remove, 2 grants, 1 withdrawal; 1 unchanged. Nothing was written (check mode)."
        )

    def test_of_a_run(self) -> None:
        result = run(FEDERATION, prepared(), **EVERYTHING)
        assert "\n".join(result.values["report"]) == golden(
            "2 added, 5 changed, 2 removed, 2 grants, 1 withdrawal; 1 unchanged."
            "\n3 users must sign in again before the change takes effect."
        )
        assert result.values["summary"] == {
            "added": 2, "changed": 5, "removed": 2, "granted": 2, "withdrawn": 1, "unchanged": 1,
        }  # fmt: skip

    def test_of_a_run_that_was_refused(self) -> None:
        for check in (False, True):
            with pytest.raises(Refused) as caught:
                run(FEDERATION, prepared(), check, **{**EVERYTHING, "allow_loss": []})
            assert "\n".join(caught.value.values["report"]) == golden(
                "2 to add, 5 to change, 2 to remove, 2 grants, 1 withdrawal; 1 unchanged. Refused, nothing was written."
            )

    def test_of_a_run_that_failed(self) -> None:
        result = run(FEDERATION, prepared(refusing("New-CsExternalAccessPolicy")), **EVERYTHING)
        # The name alone needs no padding; behind it the column is kept.
        late = {"old": " " * 15 + "   NOT SENT", "Old": " " * 20 + "   NOT SENT"}
        assert "\n".join(result.values["report"]) == golden(
            "1 added, 5 changed, 1 withdrawal; 1 unchanged. 1 failed, 4 not sent."
            "\n1 user must sign in again before the change takes effect.",
            New="   FAILED",
            grant="   NOT SENT",
            **late,
        )

    def test_of_a_run_in_which_all_failed(self) -> None:
        shell = prepared(refusing("New-CsXmppAllowedPartner"))
        result = run(FEDERATION, shell, partners=[{"domain": "n.test", **ROW}])
        assert result.values["report"][-1] == "Nothing changed; 0 unchanged. 1 failed."

    @pytest.mark.parametrize(("check", "end"), [(True, " Nothing was written (check mode)."), (False, "")])
    def test_of_nothing_to_do(self, check: bool, end: str) -> None:
        result = run(FEDERATION, prepared(), check, partners=[{"domain": "same.test"}, {"domain": "a.test"}])
        assert result.values["report"] == ["sfb.xmpp plan for contoso (fe01)", "Nothing to do; 2 unchanged." + end]

    @pytest.mark.parametrize(
        ("deployment", "host", "first"),
        [("fe01", "fe01", "fe01"), ("contoso", "", "contoso"), ("contoso", "fe01", "contoso (fe01)")],
    )
    def test_the_first_line(self, deployment: str, host: str, first: str) -> None:
        lines = block((), summarise((), 0), deployment=deployment, host=host, check=False)
        assert lines[0] == "sfb.xmpp plan for " + first

    def test_four_users_are_a_number_and_three_names(self) -> None:
        names = ("ann", "bob", "cid", "dee")
        wanted = [{"identity": "x", "granted_to": [sip(name) for name in names]}]
        found = plan(policies(x=FULL), wanted, POLICY, users=dict.fromkeys(names, ""))
        lines = block(found.steps, summarise(found.steps, 0), deployment="d", host="", check=True)
        assert (
            lines[1]
            == "  > grant    x                      4 users: ann@contoso.test, bob@contoso.test, cid@contoso.test, …"
        )
        assert lines[2].startswith("4 grants; 0 unchanged.")

    def test_long_names_widen_the_column_and_very_long_ones_do_not(self) -> None:
        names = ["a" * 26 + ".test", "b" * 60 + ".test"]
        found = plan({name: partner(name) for name in names}, [{"domain": n, "description": "x"} for n in names])
        lines = block(found.steps, summarise(found.steps, 0), deployment="d", host="", check=True)
        assert lines[1] == "  ~ partner  %-32s description (none) -> x" % names[0]
        assert lines[2] == "  ~ partner  %s  description (none) -> x" % names[1]


@pytest.mark.parametrize(
    ("numbers", "planned", "done"),
    [
        ({}, "Nothing to do; 0 unchanged.", "Nothing changed; 0 unchanged."),
        ({"unchanged": 47}, "Nothing to do; 47 unchanged.", "Nothing changed; 47 unchanged."),
        ({"added": 1}, "1 to add; 0 unchanged.", "1 added; 0 unchanged."),
        ({"granted": 1, "withdrawn": 1}, "1 grant, 1 withdrawal; 0 unchanged.", "1 grant, 1 withdrawal; 0 unchanged."),
        (
            {"added": 1, "changed": 1, "removed": 1, "granted": 4, "withdrawn": 2, "unchanged": 47},
            "1 to add, 1 to change, 1 to remove, 4 grants, 2 withdrawals; 47 unchanged.",
            "1 added, 1 changed, 1 removed, 4 grants, 2 withdrawals; 47 unchanged.",
        ),
    ],
)
def test_the_headline(numbers: dict[str, int], planned: str, done: str) -> None:
    summary = {**summarise((), 0), **numbers}
    assert headline(summary, planned=True) == planned
    assert headline(summary, planned=False) == done


def test_a_reset_is_a_change() -> None:
    found = plan({"global": policy("global", description="x")}, absent(POLICY, "global"), guard=Guard(force=True))
    assert named_calls(found) == ["Remove policy global"]
    lines = block(found.steps, summarise(found.steps, 0), deployment="d", host="", check=False)
    assert lines[1:] == ["  ~ policy   global                 description x -> (none)", "1 to change; 0 unchanged."]


HOSTILE = ["\x1b[31mred", "a\nb", "\u009b2j", "\u202eabc", "\r  + partner  x", "```", "| a | b |", "<script>", "`rm`",
           "![](http://a.test/x.png)", "[a](javascript:x)", "&lt;", "\\|", "~~gone~~", "\ud800"]  # fmt: skip


class TestHostileTexts:
    """A server may hold whatever somebody put there."""

    @staticmethod
    def steps(text: str) -> t.Any:
        had = {"a.test": partner("a.test", description=text), text: partner(text)}
        return plan(had, [{"domain": "a.test", "description": "new"}], purge=True).steps

    @pytest.mark.parametrize("text", HOSTILE)
    def test_every_step_is_one_line_and_nothing_in_it_is_obeyed(self, text: str) -> None:
        steps = self.steps(text)
        lines = block(steps, summarise(steps, 0), deployment="d", host="", check=True)
        assert len(lines) == 4
        assert all(line.isprintable() for line in lines)
        for entry in diff(steps):
            assert entry["before_header"].isprintable()
            assert all(line.isprintable() for line in (entry["before"] + entry["after"]).split("\n"))


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(["check", "run", "refused", "failed"]))
def test_no_secret_anywhere(how: str) -> None:
    shell = prepared(refusing("Set-CsXmppGatewayConfiguration") if how == "failed" else None)
    arguments = {**EVERYTHING, "allow_loss": [] if how == "refused" else EVERYTHING["allow_loss"]}
    try:
        shown = str(run(FEDERATION, shell, how == "check", **arguments).as_dict())
    except Refused as exc:
        shown = str((exc.values, exc.reasons))
    assert "s3cret-" not in shown
    assert "dialback_passphrase replaced" in shown


def test_no_secret_in_a_file(tmp_path: Path) -> None:
    directory = str(tmp_path / "kept")
    shell = prepared()
    run(FEDERATION, shell, check=True, plan_file=str(tmp_path / "plan.json"), **EVERYTHING)
    run(FEDERATION, shell, snapshot_directory=directory, plan_file=str(tmp_path / "plan.json"), **EVERYTHING)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 3, "a plan, a snapshot, a lock"
    assert not [path for path in kept if "s3cret-" in path.read_text(encoding="utf-8")]
