# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots that converge takes, and the way back to one, over the wire."""

from __future__ import annotations

import typing as t
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.integration.management import calls, logged
from tests.integration.plays import Plays
from tests.integration.test_converge import mark, steps, writes
from tests.integration.test_plan_file import FULL, ROW, play

RIGHTS = ["federation_access", "outside_access", "public_cloud_access", "public_cloud_audio_video_access"]
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'false') }} {% raw %}"
FIRST: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "global", "enable_outside_access": True},
        {"identity": "Desk", **FULL, "granted_to": ["sip:mbell@contoso.test"]},
        {"identity": "Quiet", "description": "without XMPP"},
    ],
    "sfb_xmpp_partners": [
        {"domain": "a.test", "connection_limit": 5, "description": "brackets {} and ünïcode", **ROW},
        {"domain": "b.test", "connection_limit": 7, "additional_domains": ["x.b.test", "y.b.test"], **ROW},
    ],
    "sfb_xmpp_gateway": {"keep_alive_interval": 240, "dialback_passphrase": "s3cret-words"},
    "sfb_xmpp_access_edge": {"allow_federated_users": True},
}
# Something of each kind: new, changed, gone; grants that move, come, and go with their policy.
SECOND: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "global", "description": "other words"},
        {"identity": "site:Redmond", **FULL},
        {"identity": "Quiet", "description": ""},
        {"identity": "Bell", **FULL, "granted_to": ["sip:mbell@contoso.test", "sip:akelly@contoso-emea.test"]},
        {"identity": "Silent", "description": "came, and has no XMPP"},
    ],
    "sfb_xmpp_policies_purge": True,
    "sfb_xmpp_partners": [
        {"domain": "b.test", "additional_domains": ["y.b.test", "z.b.test"], "connection_limit": 9},
        {"domain": "c.test", **ROW},
    ],
    "sfb_xmpp_partners_purge": True,
    "sfb_xmpp_gateway": {"keep_alive_interval": 100, "connection_limit": 77},
    "sfb_xmpp_access_edge": {"allow_outside_users": True},
}
BOLD: dict[str, t.Any] = {"sfb_xmpp_force": True, "sfb_xmpp_allow_loss": RIGHTS}


def state(plays: Plays) -> dict[str, t.Any]:
    """All of the store that the playbooks may touch. Lists are sets, and a text that is empty is none."""
    store = plays.lab.store()
    found = {
        kind: {key: {name: same(value) for name, value in body.items()} for key, body in store.all(kind).items()}
        for kind in ("policy", "partner", "gateway", "access_edge")
    }
    return {**found, "grants": store.grants()}


def same(value: t.Any) -> t.Any:
    return sorted(value) if isinstance(value, list) else value or None if isinstance(value, str) else value


def snapshots(plays: Plays) -> list[Path]:
    return sorted((plays.directory / "home" / "sfb.xmpp" / "snapshots").glob("*.yml"))


def test_restore_converge_restore_ends_where_it_began(plays: Plays) -> None:
    made = play(plays, "converge", **FIRST)
    assert made.code == 0, made.output
    first = state(plays)
    (empty,) = snapshots(plays)

    assert play(plays, "converge", "--check", **SECOND, **BOLD).code == 0
    assert snapshots(plays) == [empty], "check mode takes none"
    done = play(plays, "converge", **SECOND, **BOLD)
    assert done.code == 0, done.output
    second = state(plays)
    assert second != first
    _empty, taken = snapshots(plays)
    assert str(taken) in done.output
    assert taken.stat().st_mode & 0o777 == 0o600
    assert taken.parent.stat().st_mode & 0o777 == 0o700
    assert "s3cret" not in taken.read_text(encoding="utf-8")
    kept = yaml.safe_load(taken.read_text(encoding="utf-8"))
    assert kept["sfb_xmpp_snapshot_of"]["host"] == "fe01"
    assert {p["domain"]: p["connection_limit"] for p in kept["sfb_xmpp_partners"]} == {"a.test": 5, "b.test": 7}
    holders = {p["identity"]: p.get("granted_to") for p in kept["sfb_xmpp_policies"]}
    assert holders == {"global": None, "Desk": ["sip:mbell@contoso.test"], "Quiet": []}

    # Under the same guards: rights would go with the policy that came, and with the site's.
    begin = mark(plays)
    refused = play(plays, "restore", sfb_xmpp_impact_limit={"lose": 0})
    assert refused.code != 0
    assert "sfb_xmpp_impact_limit.lose: " in refused.output, refused.output
    assert "site:redmond: would take federation_access from all users that it applies to" in refused.output.lower(), (
        refused.output
    )
    assert writes(plays, begin) == []

    planned = play(plays, "restore", "--check", "--diff", **BOLD)
    assert planned.code == 0, planned.output
    assert str(taken) in planned.output, "the newest of the deployment"
    assert writes(plays, begin) == []
    back = play(plays, "restore", **BOLD)
    assert back.code == 0, back.output
    assert calls(steps(planned, "fe01")) == calls(steps(back, "fe01")) == logged(writes(plays, begin))
    assert state(plays) == first

    # The way back can be undone: the newest snapshot is now what restore found.
    assert len(snapshots(plays)) == 3
    forth = play(plays, "restore", **BOLD)
    assert forth.code == 0, forth.output
    assert state(plays) == second
    named = play(plays, "restore", sfb_xmpp_snapshot_file=str(taken), **BOLD)
    assert named.code == 0, named.output
    assert state(plays) == first
    begin = mark(plays)
    again = play(plays, "restore", sfb_xmpp_snapshot_file=str(taken), **BOLD)
    assert again.code == 0, again.output
    assert "changed=0" in again.output
    assert writes(plays, begin) == []
    # And a snapshot is an inventory.
    assert play(plays, "converge", "-e", "@%s" % taken).code == 0
    assert writes(plays, begin) == []


def test_only_what_is_written_to_is_kept_so_many_and_only_if_wanted(plays: Plays) -> None:
    directory = plays.directory / "kept"
    where = {"sfb_xmpp_snapshot_directory": str(directory), "sfb_xmpp_snapshot_keep": 2}
    assert play(plays, "converge", sfb_xmpp_gateway={"connection_limit": 1}, sfb_xmpp_snapshot=False, **where).code == 0
    assert not list(directory.glob("*.yml")), "the journal aside"
    stranger = directory / "20200101T000000.000000Z-x-default.yml"
    for number in range(2, 5):
        begin = mark(plays)
        assert play(plays, "converge", sfb_xmpp_gateway={"connection_limit": number}, **where).code == 0
        sent = Counter(event.cmdlet for event in plays.lab.store().events(begin) if event.kind == "statement")
        # Of the other kinds nothing is kept: they are looked at once, for what federation depends on.
        kinds = ("Get-CsXmppGatewayConfiguration", "Get-CsXmppAllowedPartner", "Get-CsExternalAccessPolicy")
        assert [sent[cmdlet] for cmdlet in kinds] == [4, 1, 1]
        assert "Get-CsUser" not in sent
        written = [event.cmdlet for event in writes(plays, begin) if event.cmdlet.startswith("Set-")]
        assert written == ["Set-CsXmppGatewayConfiguration"]
        stranger.touch()
    assert play(plays, "converge", sfb_xmpp_gateway={"connection_limit": 4}, **where).code == 0
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(directory.glob("*Z-default.yml"))]
    assert [item["sfb_xmpp_gateway"]["connection_limit"] for item in found] == [2, 3]
    assert all(set(item) == {"sfb_xmpp_snapshot_of", "sfb_xmpp_snapshot_digest", "sfb_xmpp_gateway"} for item in found)
    assert stranger.exists(), "another deployment's"


@pytest.mark.quick
def test_what_a_server_says_is_no_template(plays: Plays) -> None:
    made = play(plays, "converge", sfb_xmpp_partners=[{"domain": "a.test", "connection_limit": 1, **ROW}])
    assert made.code == 0, made.output
    text = plays.directory / "unsafe.yml"
    text.write_text('sfb_xmpp_partners: [{domain: a.test, description: !unsafe "%s"}]\n' % TEMPLATE, encoding="utf-8")
    assert play(plays, "converge", "-e", "@%s" % text).code == 0
    first = state(plays)
    assert first["partner"]["a.test"]["Description"] == TEMPLATE
    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "a.test", "description": "plain"}]).code == 0
    back = play(plays, "restore")
    assert back.code == 0, back.output
    assert state(plays) == first


def test_a_limit_that_came_is_said_to_stay(plays: Plays) -> None:
    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "a.test", **ROW}]).code == 0
    assert play(plays, "converge", sfb_xmpp_partners=[{"domain": "a.test", "connection_limit": 4}]).code == 0
    back = play(plays, "restore")
    assert back.code == 0, back.output
    assert "keeps the present connection_limit" in back.output
    assert "a.test" in back.output


def test_no_snapshot_and_no_file(plays: Plays) -> None:
    assert "there is no snapshot of default" in play(plays, "restore").output
    assert "there is no file" in play(plays, "restore", sfb_xmpp_snapshot_file="/nowhere.yml").output
    other = plays.write("other.yml", {"sfb_xmpp_partners": []})
    assert "is not a snapshot" in play(plays, "restore", sfb_xmpp_snapshot_file=str(other)).output
    assert writes(plays) == []
