# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a run from writing: windows, tickets, and domains that were revoked."""

from __future__ import annotations

import json
import typing as t

from lab.gateway.dial import DialFailed
from tests.integration.gateway_federation import Federation
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark, writes

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
NEVER = [{"from": "2000-01-01", "to": "2999-12-31", "reason": "nobody is here"}]
FABRIKAM, LITWARE = "fabrikam.test", "litware.test"


def run(plays: Plays, playbook: str, *arguments: str, extra: t.Any = None, **settings: t.Any) -> Run:
    hosts = {"sfb_management": plays.hosts()["sfb_management"]}
    settings = {"sfb_xmpp_replication": "none", **settings}
    inventory = plays.write("controlled.yml", {"all": {"vars": settings, "children": hosts}})
    return plays.run("sfb.xmpp." + playbook, *arguments, "-e", json.dumps(extra or {}), inventory=inventory)


def partners(*domains: str) -> list[dict[str, t.Any]]:
    return [{"domain": domain, **ROW} for domain in domains]


def allowed(plays: Plays) -> set[str]:
    return set(plays.lab.store().all("partner"))


def test_outside_of_a_window_nothing_is_written(plays: Plays) -> None:
    declared: dict[str, t.Any] = {"sfb_xmpp_partners": partners(LITWARE), "sfb_xmpp_freeze": NEVER}
    declared |= {"sfb_xmpp_require": ["ticket"], "sfb_xmpp_ticket_pattern": "CHG-[0-9]+"}
    since = mark(plays)
    planned = run(plays, "converge", "--check", **declared)
    assert planned.code == 0, planned.output
    refused = run(plays, "converge", **declared)
    assert (refused.code, writes(plays, since)) == (2, [])
    assert "nobody is here" in refused.output
    assert "sfb_xmpp_ticket" in refused.output
    ticket = {**declared, "sfb_xmpp_ticket": "CHG-1"}
    done = run(plays, "converge", extra={"sfb_xmpp_allow": ["outside_window"]}, **ticket)
    assert done.code == 0, done.output
    assert LITWARE in allowed(plays)
    # What has nothing to write needs no leave.
    assert run(plays, "converge", **declared).code == 0


def test_a_revocation_is_remembered_until_the_inventory_has_it(plays: Plays) -> None:
    both: dict[str, t.Any] = {"sfb_xmpp_partners": partners(FABRIKAM, LITWARE)}
    with Federation.of(plays.lab) as federation:

        def talks() -> bool:
            """Whether a message leaves, and the partner's stream is taken. One of both alone is a mistake."""
            why = ""
            try:
                federation.peer.dial()
            except DialFailed as exc:
                why = str(exc)
            outcome = federation.send().status, "not an allowed partner" in why
            return {("sent", False): True, ("refused", True): False}[outcome]

        assert run(plays, "converge", **both).code == 0
        assert talks()
        revoked = run(plays, "revoke", extra={"sfb_xmpp_revoke_domain": FABRIKAM}, sfb_xmpp_freeze=NEVER, **both)
        assert revoked.code == 0, revoked.output
        assert "sfb_xmpp_revoked:" in revoked.output
        assert FABRIKAM not in allowed(plays)
        (reminder,) = plays.directory.rglob("revoked-default.json")
        since = mark(plays)
        again = run(plays, "converge", **both)
        assert again.code == 0, again.output
        assert writes(plays, since) == []
        assert "it is missing in sfb_xmpp_revoked" in " ".join(again.output.split())
        entry = [{"domain": FABRIKAM, "ticket": "CHG-2"}]
        assert not talks()
        assert run(plays, "converge", sfb_xmpp_revoked=entry, **both).code == 0
        assert not reminder.exists()
        assert FABRIKAM not in allowed(plays)
        # The newest snapshot still has the domain.
        back = run(plays, "restore", extra={"sfb_xmpp_force": True}, sfb_xmpp_revoked=entry)
        assert back.code == 0, back.output
        assert FABRIKAM not in allowed(plays)
        assert not talks()
        lifted = run(
            plays, "converge", extra={"sfb_xmpp_allow": ["revoked:" + FABRIKAM]}, sfb_xmpp_revoked=entry, **both
        )
        assert lifted.code == 0, lifted.output
        assert FABRIKAM in allowed(plays)
        assert talks()
        # Somebody else has allowed it meanwhile.
        assert run(plays, "converge", sfb_xmpp_revoked=entry).code == 0
        assert FABRIKAM not in allowed(plays)
