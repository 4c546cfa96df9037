# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users without their names: in a plan in Markdown, in a line of the journal, in whatever is shown."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base import user_names
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan_file import PlanFile
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.journal_line import make_line

from tests.unit.module_utils.states import run
from tests.unit.module_utils.test_files import server


@pytest.fixture(autouse=True)
def _hidden() -> t.Iterator[None]:
    user_names.hide(b"k" * 32)
    yield
    user_names.hide(None)


@pytest.mark.parametrize(
    "name",
    [
        "sip:ann@contoso.test",
        "ann.o'bell@contoso.test",
        "CN=Bell\\, Ann,OU=Staff,DC=contoso,DC=test",
        "SIP:Ann@Contoso.test",
    ],
)
def test_no_name_is_left_in_a_text(name: str) -> None:
    shown = user_names.shown({"a": ["  > user  %s gets X" % name, "would take rights from %s, and others." % name]})
    for part in ("ann", "bell", "contoso"):
        assert part not in str(shown).lower()
    assert "gets X" in shown["a"][0] or name.startswith("CN=")


def test_a_user_has_one_pseudonym_and_another_with_another_key() -> None:
    first = user_names.pseudonym("sip:Ann@contoso.test")
    assert first == user_names.pseudonym("ann@contoso.test") == user_names.shown("sip:ann@contoso.test")
    assert first != user_names.pseudonym("sip:bob@contoso.test")
    user_names.hide(b"l" * 32)
    assert first != user_names.pseudonym("sip:ann@contoso.test")


@pytest.mark.parametrize(
    "text", ["partner fabrikam.com", "https://fe01.contoso.com/OcsPowershell", "TLS=required", "a = b"]
)
def test_other_texts_stay(text: str) -> None:
    assert user_names.shown(text) == text


def test_plan_and_journal_have_pseudonyms_and_the_calls_have_names(tmp_path: Path) -> None:
    shell, plan = server(), tmp_path / "plan.json"
    wanted: dict[str, t.Any] = {"policies": [{"identity": "X", "granted_to": ["sip:ann@contoso.test"]}]}
    done = run(FEDERATION, shell, True, plan_file=str(plan), **wanted)
    name = user_names.pseudonym("sip:ann@contoso.test")
    PlanFile(str(plan), "plan_file").save_beside("granted to sip:ann@contoso.test")
    beside = plan.with_suffix(".md").read_text(encoding="utf-8")
    assert name in beside
    assert "ann@" not in beside
    line = make_line(
        {**done.as_dict(), "failed": True, "msg": "sip:ann@contoso.test: no"},
        playbook="", task="x", deployment="default", host="fe01", account="", inventory=[],
    )  # fmt: skip
    assert line["objects"]["user"] == [name]
    assert "ann@" not in str(line)
    assert run(FEDERATION, shell, plan_file=str(plan), **wanted).changed
    assert shell.users[0]["ExternalAccessPolicy"] == "Tag:X"
