# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The what-if table of an audit: from the probe's entries to the document, the Markdown, the page and the screen."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import Row
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.events import EVENTS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Facts
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.what_if import OUTCOMES, what_if
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_markdown, audit_page
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_document import mistakes
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.audit_what_if import MOST_NAMES, line, reasons
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_compare import compare
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit_what_if import gather_what_if

from tests.unit.module_utils.test_what_if import lenient, strict
from tests.unit.plugin_utils.audit_sample import sample

FALLBACK = Row("required", "optional", True)


def entry(partner: str, facts: Facts) -> dict[str, t.Any]:
    return {"partner": partner, "domain": partner, "what_if": [one.as_dict() for one in what_if(facts, FALLBACK)]}


def test_each_event_counts_its_partners_and_names_those_that_it_cuts() -> None:
    found = gather_what_if({"domains": [entry("b.example", strict()), entry("a.example", lenient())]})
    assert [one["domains"] for one in found["partners"]] == [["a.example"], ["b.example"]]
    assert [one["event"] for one in found["events"]] == list(EVENTS)
    expired = next(one for one in found["events"] if one["event"] == "partner_expired")
    assert [expired[word] for word in OUTCOMES] == [0, 1, 0, 1]
    assert expired["cuts"] == ["b.example"]


def test_partners_that_fare_alike_stand_together() -> None:
    domains = ["%02d.example" % number for number in range(40)]
    found = gather_what_if({"domains": [entry(name, (lenient, strict)[name < "2"]()) for name in reversed(domains)]})
    assert [one["domains"] for one in found["partners"]] == [domains[:20], domains[20:]]
    assert next(one["cuts"] for one in found["events"] if one["event"] == "partner_expired") == domains[:20]


def test_of_several_domains_the_one_that_fares_worst_counts() -> None:
    entries = [entry("a.example", lenient()), {**entry("A.example", strict()), "domain": "chat.a.example"}]
    found = gather_what_if({"domains": entries})
    (partner,) = found["partners"]
    assert next(one["outcome"] for one in partner["then"] if one["event"] == "partner_expired") == "fails"


def test_what_was_not_probed_has_no_table() -> None:
    unseen = [{"partner": "a.example", "domain": "a.example"}]
    for probe in ({"skipped": True}, {"msg": "failed"}, {"domains": unseen}):
        assert gather_what_if(probe) == {"events": [], "partners": []}
    audit = {**sample(3), "what_if": {"events": [], "partners": []}}
    older = {name: value for name, value in audit.items() if name != "what_if"}
    for one in (audit, older):
        assert mistakes(one) == []
        assert line(one) == ""
        assert "What if" not in audit_markdown.render(one)
        assert "What if" not in audit_page.render(one)


def test_the_documents_name_every_partner_that_an_event_cuts_with_the_reason() -> None:
    audit = sample(40)
    assert mistakes(audit) == []
    markdown, page = audit_markdown.render(audit), audit_page.render(audit)
    cutting = [one for one in audit["what_if"]["events"] if one["cuts"]]
    cut = {domain for one in cutting for domain in one["cuts"]}
    assert line(audit) == "What if: %d of %d events would cut %d partners. See audit.md" % (
        len(cutting),
        len(EVENTS),
        len(cut),
    )
    assert page.count('<span class="sort-of">The ') == len(cutting)
    for one in cutting:
        told = list(reasons(audit, one["event"]))
        assert sorted(domain for names, _then, _help in told for domain in names) == sorted(one["cuts"])
        assert all(then and help_ for _names, then, help_ in told)
        assert "### %s (%d)" % (one["title"], len(one["cuts"])) in markdown
        assert all("`%s`" % domain in markdown for domain in one["cuts"][:MOST_NAMES])


def test_it_is_no_change_of_a_partner() -> None:
    before, after = sample(5), sample(5)
    after["what_if"]["partners"][0]["then"][0]["text"] = "another"
    assert compare(before, after)["changes"] == []
