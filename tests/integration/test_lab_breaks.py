# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's breaks: that mending mends, what a stale replica does, and the commands."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from lab.deployment.breaks import BREAKS, break_link, broken, mend
from lab.deployment.ready import POLICY, USER
from lab.errors import LabError
from lab.gateway.dial import DialFailed
from lab.testing import Lab
from tests.integration.gateway_federation import Federation

CHECKOUT = Path(__file__).resolve().parents[2]
ROW = ("Optional", "Optional", True)


@pytest.fixture
def federation(fresh_lab: Lab) -> t.Iterator[Federation]:
    with Federation.of(fresh_lab) as made:
        made.allow(ROW)
        yield made


def passes(federation: Federation) -> tuple[bool, bool]:
    """Whether a message gets out, and one in, over streams that are new."""
    out = federation.send().status == "sent"
    try:
        dialog = federation.peer.secured()
        federation.peer.external(dialog)
        came = federation.says(dialog).status == "delivered"
        dialog.close()
    except DialFailed:
        came = False
    return out, came


def test_what_is_mended_is_as_it_was(federation: Federation) -> None:
    """test_explain_links.py has what each break does to messages."""
    federation.configure("policy", POLICY, EnableOutsideAccess=True)
    before = _state(federation)
    for name in BREAKS:
        break_link(federation.store, name)
        assert broken(federation.store) == [name]
        assert _state(federation) != before, name
        mend(federation.store, name)
        assert _state(federation) == before, name


def _state(federation: Federation) -> list[t.Any]:
    store = federation.store
    kinds = ["policy", "partner", "access_edge", "allowed_domain", "blocked_domain", "site", "service_role", "service"]
    kinds += ["user", "pool", "replica", "computer"]
    settings = ["replicas_stuck", "replicas_late", "stale_configuration", "clock_ahead", "cmdlets_hidden"]
    settings += ["server_version", "own_records"]
    hosts = [[store.assignments(host), store.presented(host)] for host in ("fe01", "edge01", "edge02")]
    return [[store.all(kind) for kind in kinds], [store.setting(name) for name in settings], hosts]


def test_a_stream_that_is_open_carries_nothing_once_a_link_is_broken(federation: Federation) -> None:
    dialog = federation.peer.secured()
    assert federation.peer.external(dialog) is None
    assert federation.says(dialog).status == "delivered"
    break_link(federation.store, "no-route")
    said = federation.says(dialog)
    assert (said.status, said.reason) == ("refused", "no site has an XMPP federation route to edge.contoso.test")


@pytest.mark.parametrize("name", ["stale-replica", "stale-front-end"])
def test_a_stale_replica_does_not_know_a_new_partner(federation: Federation, name: str) -> None:
    federation.store.delete("partner", "fabrikam.test")
    break_link(federation.store, name)
    federation.allow(ROW)
    assert passes(federation) == (False, False)
    mend(federation.store)
    assert passes(federation) == (True, True)


def test_a_stale_replica_lets_a_removed_partner_in(federation: Federation) -> None:
    break_link(federation.store, "stale-replica")
    federation.store.delete("partner", "fabrikam.test")
    assert passes(federation) == (True, True)


def test_who_is_on_2019_is_named(federation: Federation) -> None:
    break_link(federation.store, "users-on-2019")
    assert federation.send().reason == "%s is homed on fe19.contoso.test, which has no XMPP" % USER
    assert federation.send(sender="cconti@contoso.test").reason.startswith("EnableFederationAccess is off")


def test_several_links_break_and_mend_together(federation: Federation) -> None:
    before = _state(federation)
    for name in BREAKS:
        if not name.startswith(("gateway-stopped", "proxy-stopped")):  # of services that are gone already
            break_link(federation.store, name)
    mend(federation.store)
    assert (_state(federation), broken(federation.store)) == (before, [])


def test_what_cannot_be_broken_or_mended_is_said(federation: Federation) -> None:
    with pytest.raises(LabError, match=r"cannot break 'nothing'\. Use one of: coexistence, "):
        break_link(federation.store, "nothing")
    break_link(federation.store, "no-route")
    with pytest.raises(LabError, match="already broken"):
        break_link(federation.store, "no-route")
    with pytest.raises(LabError, match="users-online is not broken"):
        mend(federation.store, "users-online")


def test_on_the_command_line(federation: Federation) -> None:
    def lab(*arguments: str) -> str:
        command = [sys.executable, "-m", "lab", *arguments, "--directory", str(federation.lab.directory)]
        return subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout

    lab("break", "no-route")
    shown = lab("break").splitlines()
    assert [line.split()[1] for line in shown if line.startswith("*")] == ["no-route"]
    assert len(shown) == len(BREAKS)
    assert "  broken: no-route\n" in lab("status")
    assert [site["XmppFederationRoute"] for site in federation.store.all("site").values()] == ["", ""]
    lab("mend")
    assert federation.store.all("site")["Redmond"]["XmppFederationRoute"] == "EdgeServer:edge.contoso.test"
