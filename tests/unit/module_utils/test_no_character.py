# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A text with half a surrogate pair or a noncharacter: shown with a mark, told of, and never written."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid, check_text, marked, no_characters
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.federation import Federation, Wanted
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.guard import Guard
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan import make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import findings

from tests.unit.module_utils.memory_shell import MemoryShell

SHOWN = marked("call \ud83d us\uffff")
ROW = {"partner_type": "federated", "additional_domains": []}


def test_the_mark_names_what_it_stands_for_and_nobody_may_declare_it() -> None:
    assert SHOWN == "call \ufffdU+D83D\ufffd us\ufffdU+FFFF\ufffd"
    assert no_characters(SHOWN) == ["U+D83D", "U+FFFF"]
    assert no_characters("a \ufffd b U+D83D") == []
    with pytest.raises(Invalid, match=r"the mark of U\+D83D, U\+FFFF, which is not a character. Remove the mark"):
        check_text(SHOWN)
    assert check_text("a \ufffd b") == "a \ufffd b"


def test_one_of_many_is_named_and_the_others_are_read() -> None:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "odd.example", {"Domain": "odd.example", "Description": SHOWN})
    shell.put("CsXmppAllowedPartner", "good.example", {"Domain": "good.example", "Description": "call us"})
    shell.put("CsExternalAccessPolicy", "Tag:Odd", {"Description": SHOWN})
    found = Reader(shell).kinds([PARTNER, POLICY])
    assert [one.values["description"] for one in found.of("partners").values()] == [SHOWN, "call us"]
    every = [*findings(PARTNER, found), *findings(POLICY, found)]
    told = {one["identity"]: one["message"] for one in every if "not a character" in one["message"]}
    assert set(told) == {"odd.example", "Odd"}
    assert told["odd.example"].startswith("description has U+D83D, U+FFFF, which is not a character")


@pytest.mark.parametrize("there", [None, "another", SHOWN])
def test_a_snapshot_never_writes_it_back(there: str | None) -> None:
    wanted = Wanted("odd.example", {**ROW, "description": SHOWN}, "partners[0]")
    values = {**PARTNER.defaults(), **ROW, "partner_type": "public_verified", "description": there}
    records = {} if there is None else {"odd.example": Record("odd.example", values)}
    plan = make_plan(
        Deployment("", {"partners": records}), Federation({"partners": (wanted,)}, whole=True), Guard(force=True)
    )
    (step,) = plan.steps
    assert step.parameters["PartnerType"] == "Federated"
    assert "Description" not in step.parameters
    told = [text for text in plan.warnings if "U+D83D" in text and "is not written" in text]
    assert bool(told) is (there != SHOWN)
