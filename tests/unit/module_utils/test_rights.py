# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer of Get-Command says about the rights of a session, and what it does not say."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_answers import CMDLETS as EDGE_CMDLETS
from ansible_collections.sfb.xmpp.plugins.module_utils._shell import rights
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import KNOWN, missing
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement


class Recorder:
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        self.sent += statements
        return self.answer


def named(*names: t.Any) -> tuple[dict[str, t.Any], ...]:
    return tuple({"Name": name} for name in names)


def unknown(name: str) -> ServerError:
    return ServerError("Get-Command", "CommandNotFoundException,Get-Command", "ObjectNotFound", "no such", name)


ANSWERS: list[tuple[Answer, set[str] | None]] = [
    (Answer(named("Get-A", "Set-A")), set()),
    (Answer(named("get-a", "SET-A")), set()),
    (Answer(named("Get-A"), (unknown("Set-A"),)), {"Set-A"}),
    (Answer((), (unknown("set-a"), unknown("get-a"))), {"Get-A", "Set-A"}),
    # Select-Object is asked for beside them
    (Answer(named("Get-A", "Set-A", "Select-Object")), set()),
    (Answer(named("Get-A"), (unknown("Set-A"), unknown("Select-Object"))), {"Set-A"}),
    # what says nothing
    (Answer(named("Get-A")), None),
    (Answer(), None),
    (Answer(named("Get-A"), (unknown("Get-Command"),)), None),
    (Answer((), (unknown("Get-Command"),)), None),
    (Answer(named("Get-A", "Set-A"), (unknown("Set-A"),)), None),
    (Answer(named("Get-A"), (ServerError("Get-Command", "X", "InvalidData", "unreadable", "Set-A"),)), None),
    (Answer(named("Get-A", "Set-A"), lost="gone"), None),
    (Answer(named("Get-A", "Set-A"), refused=True), None),
    (Answer(("Get-A", "Set-A")), None),
    (Answer(named("Get-A", None)), None),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_a_cmdlet_is_missing_only_if_the_server_says_so(answer: Answer, expected: set[str] | None) -> None:
    shell = Recorder(answer)
    assert missing(shell, ["Set-A", "Get-A", "Set-A"]) == expected
    (sent,) = shell.sent
    assert sent.is_read
    assert dict(sent.parameters) == {"Name": (*sorted(("Get-A", "Set-A", *KNOWN)), "Select-Object")}


def test_nothing_is_asked_where_nothing_is_needed() -> None:
    shell = Recorder(Answer(lost="never asked"))
    assert missing(shell, []) == set()
    assert shell.sent == []


def test_all_cmdlets_of_the_product_that_the_code_names_are_known() -> None:
    """What a kind is read and written with is put together from its noun."""
    code = [path for path in Path(rights.__file__).parents[1].rglob("*.py") if path != Path(rights.__file__)]
    named = {name for path in code for name in re.findall('"([A-Z][a-z]+-Cs[A-Za-z]+)"', path.read_text("utf-8"))}
    made = {"%s-%s" % (verb, one.noun) for one in RESOURCES for verb in ("Get", "Set")}
    made |= {"%s-%s" % (verb, one.noun) for one in RESOURCES if one.key and not one.fixed for verb in ("New", "Remove")}
    assert set(KNOWN) == named | made | {"Get-ChildItem", "Get-Date", *EDGE_CMDLETS}
