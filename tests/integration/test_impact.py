# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does to users: said before it, held to a limit, and the same that explain says of them afterwards."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import TASK as EXPLAIN

from lab.deployment.ready import USER, make_ready
from tests.integration.management import Management
from tests.integration.plays import Plays
from tests.integration.test_converge import mark, writes
from tests.integration.test_plan_file import play

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
GETS = ("mbell", "cconti")
WANTED: dict[str, t.Any] = {
    "sfb_xmpp_partners": [
        {"domain": "a.test", "partner_type": "federated", "additional_domains": ["x.a.test"], **ROW},
        {"domain": "b.test", "partner_type": "public_unverified", **ROW},
    ],
    "sfb_xmpp_policies": [{"identity": "New", **FULL, "granted_to": ["sip:%s@contoso.test" % name for name in GETS]}],
    "sfb_xmpp_impact_limit": {"lose": 0, "gain": 2},
}


def test_said_before_held_to_a_limit_and_true_afterwards(plays: Plays, management: Management) -> None:
    store = plays.lab.store()
    make_ready(store)
    begin, file = mark(plays), plays.directory / "plan.json"
    planned = play(plays, "converge", "--check", sfb_xmpp_plan_file=str(file), sfb_xmpp_show_users=False, **WANTED)
    assert planned.code == 0, planned.output
    assert writes(plays, begin) == []
    assert "Users: 3 gain a partner, none lose one. Seen: %d users." % len(store.all("user")) in planned.output
    assert "A real run would be refused before its first write: sfb_xmpp_impact_limit.gain" in planned.output
    found = json.loads(file.read_text(encoding="utf-8"))["impact"]
    assert {one["domain"]: one["out"]["gain"] for one in found["domains"]} == dict.fromkeys(
        ("a.test", "x.a.test", "b.test"), 3
    )
    (group,) = found["groups"]
    assert len(set(group["names"])) == group["users"] == 3
    assert [one["domain"] for one in found["domains"] if one["contact_first"]] == ["b.test"]
    ticket = file.with_suffix(".md").read_text(encoding="utf-8")
    assert "| `b.test` | 3 gain | 3 gain (only to users who have added the contact) |" in ticket
    assert all("`%s`" % name in ticket for name in group["names"])
    assert not re.search("sip:|@", ticket + str(group)), "users have pseudonyms"

    refused = play(plays, "converge", **WANTED)
    assert refused.code == 2, refused.output
    assert "sfb_xmpp_impact_limit.gain: 3 users would gain a partner; the limit is 2" in refused.output
    assert writes(plays, begin) == []
    done = play(plays, "converge", sfb_xmpp_allow=["impact"], **WANTED)
    assert done.code == 0, done.output
    assert store.partners().keys() >= {"a.test", "b.test"}
    again = play(plays, "converge", **WANTED)
    assert (again.code, again.stats["sfb_xmpp_changes"]) == (0, 0), again.output
    assert "Users:" not in again.output
    more = {"sfb_xmpp_partners": [{"domain": "c.test", **ROW}]}
    shown = play(plays, "converge", "--check", "-v", **more)
    assert "+ c.test: 3 users gain, none lose" in shown.output
    assert "Users:" not in play(plays, "converge", "--check", **more).output

    others = ("ddorsey", "eeaton")
    for name in (*GETS, USER.partition("@")[0], *others):
        for domain in ("x.a.test", "b.test", "c.test"):
            said = management.run(EXPLAIN, user="%s@contoso.test" % name, partner=domain).values
            may = name not in others and domain != "c.test"
            assert (said["out"] is None, said["in"] is None) == (may, may), said["sentence"]
