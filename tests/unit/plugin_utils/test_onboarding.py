# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new partner: what is declared, what is shown, and how it comes into a file of variables."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.onboarding import added, decide, lines

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
STRICT = {"tls_negotiation": "required", "sasl_negotiation": "required", "support_dialback_negotiation": False}
OWN = {"domains": ["contoso.com"], "access_edge": "sip.contoso.com", "addresses": ["192.0.2.1"]}
FINDING = {"code": "c", "severity": "error", "message": "nothing \u202elistens.", "remedy": "r"}


def entry(**changes: t.Any) -> dict[str, t.Any]:
    return {
        "domain": "fabrikam.com",
        "advice": {"row": STRICT, "text": "the strictest row that works"},
        "suggestion": ROW,
        "accepts": {"SASL EXTERNAL over TLS": "unknown"},
        "findings": [],
        "srv": [{"host": "xmpp.fabrikam.com", "port": 5270, "priority": 0, "weight": 0}],
        "addresses": {"xmpp.fabrikam.com": ["192.0.2.80", "192.0.2.81"]},
        **changes,
    }


def test_the_strictest_settings_that_work() -> None:
    found = decide(entry(), OWN, "CHG-1")
    assert found.partner == {"domain": "fabrikam.com", "partner_type": "federated", **STRICT, "ticket": "CHG-1"}
    assert yaml.safe_load(found.text) == {"sfb_xmpp_partners": [found.partner]}
    assert found.firewall[:2] == (
        "out: each Edge -> xmpp.fabrikam.com (192.0.2.80, 192.0.2.81), TCP 5270",
        "in: the servers of fabrikam.com -> 192.0.2.1, TCP 5269",
    )
    assert "sip.contoso.com" in found.sheet
    assert not found.failed


def test_what_only_may_work_says_so() -> None:
    found = decide(entry(advice={"row": None, "text": "x"}), OWN)
    assert found.partner is not None
    assert found.partner["sasl_negotiation"] == "optional"
    assert "SASL EXTERNAL over TLS" in found.why


def test_without_settings_it_fails_with_the_reason_in_safe_letters() -> None:
    found = decide(entry(advice={"row": None, "text": "x"}, suggestion=None, findings=[FINDING]), {})
    assert (found.partner, found.text, found.sheet) == (None, "", "")
    assert found.failed == "No settings for fabrikam.com were found: nothing \\u202elistens."
    assert any("access_edge" in line for line in lines(found, "fabrikam.com"))


PARTNER = {"domain": "new.com", **ROW}
FILES = [
    "",
    "---\n",
    "a: 1\n",
    "# partners\nsfb_xmpp_partners:\n  - domain: a.com\n    tls_negotiation: required  # x\n\n# more\nb:\n  a: 1\n",
    "sfb_xmpp_partners:\n- domain: a.com\n- domain: b.com",
    "sfb_xmpp_partners:\n    - domain: a.com\n      additional_domains:\n        - x.com\n        - y.com\n    # end\n",
    "sfb_xmpp_partners:\n  - domain: a.com\n    description: |\n      text\n      # more\n\n\nb: 2\n",
    "sfb_xmpp_partners:\n  - {domain: a.com}\nb: [1,\n  2]\n",
    "sfb_xmpp_partners:\n  - domain: a.com\n  -\n    domain: b.com\n",
]


@pytest.mark.parametrize("text", FILES)
def test_a_partner_comes_to_the_end_of_the_list_and_the_rest_stays(text: str) -> None:
    before = yaml.safe_load(text) or {}
    now = added(text, PARTNER)
    assert yaml.safe_load(now) == {**before, "sfb_xmpp_partners": [*before.get("sfb_xmpp_partners", []), PARTNER]}
    rows = now.split("\n")
    if text.strip("-\n"):
        assert [row for row in text.split("\n") if row.strip() and row not in rows] == []
    with pytest.raises(Invalid, match="has the partner"):
        added(now, {**PARTNER, "domain": "new.com"})


def test_a_vaulted_value_stays_as_it_is() -> None:
    text = "sfb_xmpp_partners:\n  - domain: a.com\nsecret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
    assert added(text, PARTNER).endswith(text[text.index("secret") :])


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "sfb_xmpp_partners: []\n",
        "sfb_xmpp_partners: '{{ x }}'\n",
        "sfb_xmpp_partners: [{domain: a.com}]\n",
        "a: [\n",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        added(text, PARTNER)
