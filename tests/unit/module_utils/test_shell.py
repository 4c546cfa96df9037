# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements and answers survive the way through JSON, and secrets do not survive the way to people."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    Credential,
    ListChange,
    Secret,
    ServerError,
    Statement,
    UInt32,
    encode_value,
    show_value,
)
from hypothesis import given
from hypothesis import strategies as st

plain = st.one_of(st.none(), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.text(), st.binary())
typed = st.one_of(
    plain,
    st.integers(0, 2**32 - 1).map(UInt32),
    st.text().map(Secret),
    st.builds(Credential, st.text(), st.builds(Secret, st.text())),
    st.builds(ListChange, st.lists(st.text()).map(tuple), st.lists(st.text()).map(tuple)),
    st.lists(plain).map(tuple),
)


@given(st.text(min_size=1), st.dictionaries(st.text(min_size=1), typed))
def test_statements_through_json(cmdlet: str, parameters: dict[str, t.Any]) -> None:
    statement = Statement(cmdlet, parameters)
    again = Statement.decode(json.loads(json.dumps(statement.encode())))
    assert again == statement
    assert [type(v) for v in again.parameters.values()] == [type(v) for v in parameters.values()]


@given(st.lists(st.one_of(plain, st.dictionaries(st.text(), st.one_of(plain, st.lists(plain)), max_size=4))))
def test_answers_through_json(output: list[t.Any]) -> None:
    answer = Answer(tuple(output), (ServerError("Get-X", "id", "cat", "words", "a"),), ("careful",), "cut")
    assert Answer.decode(json.loads(json.dumps(answer.encode()))) == answer


def test_a_secret_cannot_be_shown() -> None:
    secret = Secret("hunter2-hunter2")
    for text in (str(secret), repr(secret), "%s" % secret, f"{secret}", repr([secret]), str({"a": secret})):
        assert "hunter2" not in text
    statement = Statement("Set-X", {"Identity": "global", "Passphrase": secret, "Blob": b"12345", "Limit": UInt32(7)})
    assert "hunter2" not in json.dumps(statement.shown())
    assert statement.shown()["parameters"] == {
        "Identity": "global",
        "Passphrase": {"secret": True},
        "Blob": {"bytes": 5},
        "Limit": 7,
    }
    assert "hunter2" not in repr(statement)


def test_an_unknown_type_is_not_sent() -> None:
    with pytest.raises(TypeError, match="cannot be sent"):
        encode_value(object())
    with pytest.raises(ValueError, match="unsigned"):
        UInt32(-1)


def test_list_changes_for_people() -> None:
    assert show_value(ListChange(add=("a",))) == {"add": ["a"]}


@pytest.mark.parametrize(
    ("cmdlet", "read"),
    [("Get-CsUser", True), ("Test-Path", True), ("Test-CsXmppIM", False), ("Set-CsUser", False), ("Getty", False)],
)
def test_which_statements_may_be_repeated(cmdlet: str, read: bool) -> None:
    assert Statement(cmdlet).is_read is read
