# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""plan.md: complete, and nothing of a server or an inventory becomes markup."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.plan_markdown import in_words, render

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

FACTS = {
    "label": "contoso", "host": "fe01", "user": "ann", "account": "CONTOSO\\admin", "time": "2026-11-30T20:00:00Z",
    "collection": "1.0.0", "ticket": "CHG-4711",
}  # fmt: skip


def planned(**wanted: t.Any) -> dict[str, t.Any]:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "a.test", {"AdditionalDomains": ("y.a.test",)})
    shell.put("CsXmppGatewayConfiguration", "Global", {"DialbackPassphrase": "s3cret-old"})
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": False, "AllowOutsideUsers": True})
    done = run(FEDERATION, shell, check=True, **wanted)
    return {**done.as_dict(), "warnings": done.warnings}


def test_everything_that_a_ticket_needs() -> None:
    partner = {"domain": "a.test", "additional_domains": ["x.a.test", "z.a.test"]}
    gateway = {"dialback_passphrase": "s3cret-new", "enable_logging_all_message_bodies": True}
    result = planned(partners=[partner], gateway=gateway)
    assert result["warnings"]
    found = render(result, **FACTS)
    lines = found.splitlines()
    assert lines[0].startswith("# sfb.xmpp plan for ")
    for line in (
        "| Deployment | contoso (fe01) |",
        "| Pool of the Central Management Store | `fe01.contoso.com` |",
        "| Planned at | 2026-11-30T20:00:00Z |",
        "| By | ann, with the account CONTOSO\\\\admin |",
        "| Ticket | CHG-4711 |",
        "| Collection | sfb.xmpp 1.0.0 |",
        "| Digest | `%s` |" % result["plan_digest"]["digest"],
        "## Warnings",
        "| `Set-CsXmppAllowedPartner` | `a.test` | AdditionalDomains: add x.a.test, z.a.test and remove y.a.test |",
    ):
        assert line in lines, line
    assert all("- " + text[:20] in found for text in result["warnings"])
    assert "DialbackPassphrase: (secret)" in found
    assert "s3cret" not in found
    assert "EnableLoggingAllMessageBodies: on" in found


def test_nothing_to_do_is_short() -> None:
    found = render({"report": ["sfb.xmpp plan for d", "Nothing to do; 1 unchanged."], "steps": []}, **FACTS)
    assert "```\nNothing to do; 1 unchanged.\n```\n" in found
    assert "## " not in found


@pytest.mark.parametrize(
    "text", ["|", "`", "```", "[x](http://x.test)", "<b>", "a\nb", "\x1b[2J", "\u202e", "![x](y)", "| a | b |"]
)
def test_no_text_becomes_markup_or_a_line_of_its_own(text: str) -> None:
    step = {"cmdlet": "Set-CsXmppAllowedPartner", "identity": text, "parameters": {"Description": text}}
    found = render({"report": ["plan", "  ~ " + text], "steps": [step], "warnings": [text]}, **FACTS)
    assert all(line.isprintable() for line in found.split("\n"))
    (row,) = [line for line in found.split("\n") if "Set-CsXmppAllowedPartner" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 4, "three cells"
    cell = row.rpartition("Description: ")[2]
    assert not re.search(r"(?<!\\)[\[\]`]|<", cell)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["a", "b"], "a, b"), ([], "nothing"), ("", "nothing"), (None, "nothing"), (True, "on"), (False, "off"),
        ({"secret": True}, "(secret)"), ({"remove": ["a"]}, "remove a"), (5, "5"), ({"bytes": 3}, "bytes 3"),
    ],
)  # fmt: skip
def test_values_in_words(value: t.Any, words: str) -> None:
    assert in_words(value) == words


def of(**numbers: int) -> dict[str, int]:
    return {**dict.fromkeys(("gain", "lose", "narrowed", "widened", "unknown"), 0), **numbers}


IMPACT: dict[str, t.Any] = {
    "seen": 1243, "unread": "", "users": of(gain=1240, lose=3, narrowed=2),
    "domains": [
        {"domain": "litware.com", "out": of(lose=3), "in": of(lose=3), "contact_first": False},
        {"domain": "fabrikam.com", "out": of(gain=1240), "in": of(gain=1240), "contact_first": True},
        {"domain": "tailspin.com", "out": of(), "in": of(narrowed=2), "contact_first": True},
    ],
    "groups": [
        {"domains": ["litware.com"], "out": "lose", "in": "lose", "users": 3,
         "names": ["sip:a@x", "sip:b@x", "sip:c@x"]},
        {"domains": ["fabrikam.com"], "out": "gain", "in": "gain", "users": 1240,
         "names": ["sip:%d@x" % n for n in range(100)]},
        {"domains": ["tailspin.com"], "out": "", "in": "narrowed", "users": 2, "names": ["sip:a@x", "sip:d@x"]},
    ],
}  # fmt: skip


def test_users_by_domain_and_who_they_are() -> None:
    found = render({"report": ["plan"], "impact": IMPACT}, **FACTS)
    lines = found.splitlines()
    for line in (
        "Users that the account could read: 1,243. At least one partner: 1,240 gain, 3 lose, 2 only from contacts now.",
        "| `litware.com` | 3 lose | 3 lose |",
        "| `fabrikam.com` | 1,240 gain | 1,240 gain (only to users who have added the contact) |",
        "| `tailspin.com` | nothing changes | 2 only from contacts now |",
        "| `litware.com` | lose | 3 | `sip:a@x`, `sip:b@x`, `sip:c@x` |",
        "| `tailspin.com` | to: nothing changes; from: only from contacts now | 2 | `sip:a@x`, `sip:d@x` |",
    ):
        assert line in lines, line
    assert "`sip:99@x`, 1,140 more |" in found


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"domains": [], "groups": []}, "No user gains or loses a partner."),
        (
            {"unread": "the users (Get-CsUser failed)"},
            "It is unknown who gains or loses a partner, because this could not be read: the users",
        ),
    ],
)
def test_nobody_and_not_known(changed: dict[str, t.Any], told: str) -> None:
    found = render({"report": ["plan"], "impact": {**IMPACT, **changed}}, **FACTS)
    assert told in found
    assert "| Who |" not in found
