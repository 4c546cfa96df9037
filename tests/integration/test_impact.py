# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does to users: said before it, held to a limit, and the same that explain says of them afterwards."""

from __future__ import annotations

import json
import re
import typing as t

import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import TASK as EXPLAIN

from tests.integration.management import Management
from tests.integration.plays import Plays
from tests.integration.test_converge import mark, writes
from tests.integration.test_guides import block, lines
from tests.integration.test_plan_file import play

HAVE = ("pobrien", "akelly", "znoelke", "llynch", "mmurphy")


def declared() -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The inventory before the change that the guide shows, and as the guide has it."""
    wanted: dict[str, t.Any] = yaml.safe_load(block("impact", "yaml", "sfb_xmpp_policies:"))
    everyone, desk = wanted["sfb_xmpp_policies"]
    fabrikam, lucerne = wanted["sfb_xmpp_partners"]
    holders = ["sip:%s@contoso-emea.test" % name for name in HAVE]
    return {
        "sfb_xmpp_policies": [everyone, {**desk, "granted_to": holders}],
        "sfb_xmpp_partners": [fabrikam, {**lucerne, "domain": "litware.example", "partner_type": "federated"}],
        "sfb_xmpp_access_edge": {"allow_federated_users": True},
    }, wanted


def test_said_before_held_to_a_limit_and_true_afterwards(plays: Plays, management: Management) -> None:
    before, wanted = declared()
    made = play(plays, "converge", sfb_xmpp_snapshot=False, **before)
    assert made.code == 0, made.output
    begin, file = mark(plays), plays.directory / "plan.json"
    planned = play(plays, "converge", "--check", sfb_xmpp_plan_file=str(file), **wanted)
    assert planned.code == 0, planned.output
    assert writes(plays, begin) == []
    assert "\n".join(lines(block("impact", "text", "sfb.xmpp plan for"))) in planned.output
    found = json.loads(file.read_text(encoding="utf-8"))["impact"]
    assert found["seen"] == len(plays.lab.store().all("user"))
    assert {one["domain"]: (one["out"]["gain"], one["in"]["lose"]) for one in found["domains"]} == {
        "litware.example": (0, 5), "fabrikam.example": (1, 3), "emea.fabrikam.example": (1, 3),
        "lucernepublishing.example": (3, 0),
    }  # fmt: skip
    assert [one["domain"] for one in found["domains"] if one["contact_first"]] == ["lucernepublishing.example"]
    ticket = file.with_suffix(".md").read_text(encoding="utf-8")
    assert "| `lucernepublishing.example` | 3 gain | 3 gain (only to users who have added the contact) |" in ticket
    assert "| `litware.example` | lose | 5 | `sip:akelly@contoso-emea.test`, `sip:llynch@" in ticket

    refused = play(plays, "converge", **wanted)
    assert refused.code == 2, refused.output
    assert "sfb_xmpp_impact_limit.lose: 5 users would lose a partner; the limit is 2" in refused.output
    assert writes(plays, begin) == []
    done = play(plays, "converge", sfb_xmpp_allow=["impact"], **wanted)
    assert done.code == 0, done.output
    again = play(plays, "converge", **wanted)
    assert (again.code, again.stats["sfb_xmpp_changes"]) == (0, 0), again.output
    assert "Users:" not in again.output
    agrees_with_explain(management)

    del wanted["sfb_xmpp_impact_limit"]
    more = {**wanted, "sfb_xmpp_partners": [*wanted["sfb_xmpp_partners"], {"domain": "adatum.example"}]}
    shown = play(plays, "converge", "--check", "-v", **more)
    assert "+ adatum.example: 3 users gain, none lose" in shown.output
    assert "Users:" not in play(plays, "converge", "--check", **more).output
    hidden = play(plays, "converge", "--check", sfb_xmpp_plan_file=str(file), sfb_xmpp_show_users=False, **more)
    assert hidden.code == 0, hidden.output
    found, ticket = json.loads(file.read_text("utf-8"))["impact"], file.with_suffix(".md").read_text("utf-8")
    assert all("`%s`" % name in ticket for group in found["groups"] for name in group["names"])
    assert not re.search("sip:|@", ticket + str(found)), "users have pseudonyms"


def agrees_with_explain(management: Management) -> None:
    """After the run, of each user and each partner."""
    for user in (
        "pobrien@contoso-emea.test",
        "ialmeida@contoso.test",
        "znoelke@contoso-emea.test",
        "mbell@contoso.test",
    ):
        for domain in ("emea.fabrikam.example", "lucernepublishing.example", "litware.example"):
            said = management.run(EXPLAIN, user=user, partner=domain).values
            may = user[0] in "pi" and domain != "litware.example"
            assert (said["out"] is None, said["in"] is None) == (may, may), said["sentence"]
