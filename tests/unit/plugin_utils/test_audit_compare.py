# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two audits: what is new, what is gone, what changed, and nothing else."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import mistakes
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_texts import change_text
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_compare import compare

from tests.unit.plugin_utils.audit_sample import finding, partner, sample, stamp

BEFORE = sample(30)


def later(**changes: t.Any) -> dict[str, t.Any]:
    audit = copy.deepcopy(BEFORE)
    audit["time"] = stamp(1)
    for one in audit["certificates"]:
        one["days_left"] -= 1
    return {**audit, **changes}


def test_a_day_later_nothing_is_different() -> None:
    after = later()
    for one in after["findings"]:
        one["message"] = one["message"].replace("19 days", "18 days")
    assert compare(BEFORE, after) == {"time": BEFORE["time"], "new": [], "gone": [], "changes": []}


def test_findings_are_the_same_by_code_area_and_object() -> None:
    new = finding("warning", "partner", "old_tls", "x.example", "it is new")
    after = later(findings=[new, *BEFORE["findings"][1:]])
    since = compare(BEFORE, after)
    assert since["new"] == [new]
    assert since["gone"] == [BEFORE["findings"][0]]


def test_objects_that_changed_are_named_with_their_fields() -> None:
    after = later()
    gone = after["partners"].pop(4)
    after["partners"].append(partner("new.example"))
    after["partners"][0]["verdict"] = "failed"
    after["partners"][0]["additional_domains"] = ["a.example", "b.example"]
    after["certificates"][0].update(not_after=stamp(398), thumbprint="AB")
    after["policies"][0]["granted_to"] = 3
    after["own"]["edges"] = ["edge01.contoso.com"]
    after["own"]["domains"][1]["verdict"] = "ok"
    texts = {(one["kind"], one["object"]): change_text(one) for one in compare(BEFORE, after)["changes"]}
    first = BEFORE["partners"][0]["domain"]
    assert texts == {
        ("partner", gone["domain"]): "removed",
        ("partner", "new.example"): "added",
        ("partner", first): "additional_domains: none -> a.example, b.example; verdict: ok -> failed",
        ("certificate", "edge02.contoso.com XmppServer"): "thumbprint: %s -> AB; not_after: %s -> %s"
        % (BEFORE["certificates"][0]["thumbprint"], stamp(19), stamp(398)),
        ("policy", "global"): "granted_to: none -> 3",
        ("own", "contoso"): "edges: edge01.contoso.com, edge02.contoso.com -> edge01.contoso.com",
        ("own", "contoso.example"): "verdict: warning -> ok",
    }


def test_the_result_fits_the_schema_and_more_knowledge_is_no_change() -> None:
    before = copy.deepcopy(BEFORE)
    for one in before["partners"]:
        one["something_that_a_later_version_has"] = 1
    after = sample(30, seed=3, previous=before)
    assert after["since"]["changes"]
    assert not mistakes(after)
    fields = {field["name"] for one in after["since"]["changes"] for field in one["fields"]}
    assert "something_that_a_later_version_has" not in fields
