# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a run connects to, what it reads there at once, and what the result says."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._server.server import SeenService, Server
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import certificate as _certificate
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.connect import Need, missed, need_of, plans
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.connected import Connected, connected_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.settings import AccessChosen

DEPLOYMENT = DeploymentHosts("a", ("fe1",), ("fe1w",), ("e1",))
HOSTS = {"door": "fe1", "front": "fe1w", "edge": "e1"}
CERTIFICATE = {"certificate": {"names": ["sip.a.test"], "trust_store": "/x", "renew": {"before": 5}}}
ALL = ("partners", "policies")


def needs(playbook: str, values: dict[str, t.Any], parts: t.Collection[str] = ALL, chosen: bool = True) -> str:
    """The kinds of hosts that a run connects to."""
    found = (kind for kind, host in HOSTS.items() if need_of(playbook, host, DEPLOYMENT, values, parts, chosen))
    return " ".join(found)


@pytest.mark.parametrize(
    ("playbook", "values", "expected"),
    [
        ("converge", {}, "door"),
        ("converge", CERTIFICATE, "door edge"),
        ("certificate", CERTIFICATE, "edge"),
        ("certificate", {}, ""),
        ("restore", CERTIFICATE, "door"),
        ("preflight", {}, "door front edge"),
        ("explain", {}, "door front edge"),
        ("audit", {}, "door front edge"),
        ("decommission", {}, "door edge"),
        ("export", CERTIFICATE, "door"),
        ("migration", {}, ""),
        ("migration", {"for_pools": ["fe.a.test"]}, "door"),
        ("failover", {}, "door"),
        ("revoke", {"revoke_domain": "*.test"}, ""),
        ("revoke", {"revoke_domain": "b.test"}, "door"),
        ("revoke", {"revoke_domain": "b.test", "revoke_restart": "yes"}, "door front edge"),
        ("history", {}, ""),
        ("history", {"history": {"changes": 2}}, "door"),
        ("verify", {}, "door"),
        ("verify", {"verification": {"own_domains": ["a.test"]}}, ""),
        ("verify", {"verification": {"own_domains": ["a.test"], "messages": [{}]}}, "door"),
    ],
)
def test_a_run_connects_to_what_the_playbook_and_its_settings_need(
    playbook: str, values: dict[str, t.Any], expected: str
) -> None:
    assert needs(playbook, values) == expected


def test_a_run_connects_to_what_its_tags_leave() -> None:
    assert needs("converge", CERTIFICATE, ["partners"], chosen=False) == "door"
    assert needs("converge", CERTIFICATE, [], chosen=True) == "edge"


def test_a_front_end_that_is_a_door_too_is_asked_for_both() -> None:
    both = DeploymentHosts("a", ("fe1",), ("fe1",))
    found = need_of("preflight", "fe1", both, {}, ALL, True)
    assert found == Need(("cmdlets", "services"), again=True)
    assert need_of("export", "fe1", both, {}, ALL, True) == Need(again=True)
    # Its remote shell offers no certificates; its own WinRM does.
    alone = DeploymentHosts("a", ("fe1",), ("fe1-winrm",))
    found = need_of("preflight", "fe1-winrm", alone, {}, ALL, True)
    assert found == Need(("cmdlets", "services"), {"usages": ["Default"]})
    assert need_of("audit", "fe1-winrm", alone, {}, ALL, True) == found


def test_an_edge_is_asked_for_its_own_settings() -> None:
    audit = need_of("audit", "e1", DEPLOYMENT, CERTIFICATE, ALL, True)
    assert audit == Need(("cmdlets", "services"), {"managed": ["XmppServer"], **CERTIFICATE["certificate"]})
    parts = {"access_edge": "sip.a.test", "sip_domains": ["a.test"], "usages": ["AccessEdgeExternal"]}
    named = need_of("audit", "e1", DEPLOYMENT, {"certificate": parts}, ALL, True)
    assert named is not None
    assert named.certificates == {"managed": parts.pop("usages"), **parts}
    explain = need_of("explain", "e1", DEPLOYMENT, CERTIFICATE, ALL, True)
    assert explain is not None
    assert explain.certificates == {"usages": ["XmppServer", "Internal"], "names": ["sip.a.test"], "trust_store": "/x"}
    # A host of no group, in a play of a user's own.
    assert need_of("federation", "other", DeploymentHosts("default"), {}, ALL, True) == Need()


def test_an_edge_is_asked_about_partners_beside_what_else_is_read() -> None:
    """The view is for Edges only. A verification connects to an Edge for nothing else, and goes on without it."""
    view = {"domains": [{"domain": "fabrikam.com", "proxy": ""}]}
    for playbook in ("preflight", "explain", "audit"):
        plain = need_of(playbook, "e1", DEPLOYMENT, CERTIFICATE, ALL, True)
        assert plain is not None
        assert need_of(playbook, "e1", DEPLOYMENT, CERTIFICATE, ALL, True, view=view) == replace(plain, view=view)
    assert need_of("verify", "e1", DEPLOYMENT, {}, ALL, True) is None
    assert need_of("verify", "e1", DEPLOYMENT, {}, ALL, True, view=view) == Need((), view=view)
    looked_at = need_of("preflight", "e1", DEPLOYMENT, {}, ALL, True, AccessChosen(True, False), view)
    assert looked_at is not None
    assert looked_at.view == view
    alone = need_of("preflight", "e1", DEPLOYMENT, {}, ALL, True, AccessChosen(True, True), view)
    assert alone is not None
    assert alone.view is None, "the way to each host, and nothing else"
    door = need_of("verify", "fe1", DEPLOYMENT, {}, ALL, True, view=view)
    assert door is not None
    assert door.view is None
    assert missed("verify", "e1", DEPLOYMENT, Need((), view=view), Connected("e1", False, "no route")) == ""


def test_the_plan_is_made_at_once_unless_tasks_of_the_user_have_a_part_in_it() -> None:
    settings = _certificate.CertificateSettings({"names": ["a.test"]})
    assert plans(settings)
    for other in (
        replace(settings, hook=True),
        replace(settings, phase="switch"),
        replace(settings, check=True),
        replace(settings, certificate={}),
    ):
        assert not plans(other)


def test_who_fails_where_a_host_did_not_answer() -> None:
    """Where a later task works on it, that task fails. Some playbooks report it as unknown."""
    silent = Connected("e1", False, "no route")
    assert missed("preflight", "e1", DEPLOYMENT, Need(), silent) == "e1 is needed and did not answer: no route"
    for playbook in ("audit", "explain", "converge", "certificate", "revoke", "decommission"):
        assert missed(playbook, "e1", DEPLOYMENT, Need(), silent) == ""
    assert missed("preflight", "fe1", DEPLOYMENT, Need(), silent) == "", "the matter of the task that works"
    assert missed("preflight", "e1", DEPLOYMENT, None, silent) == ""


def test_the_result_of_the_task_is_plain_and_comes_back() -> None:
    server = Server("e1", "a", True, services=(SeenService("RTCXMPPTGW", "XMPP", "running", True),))
    one = Connected("e1", True, server=server, certificates={"certificates": []}, planned={"changed": False})
    one = replace(one, view={"form": 1, "host": "e1"})
    result = json.loads(json.dumps(one.as_dict()))
    assert connected_of("e1", result) == one
    assert connected_of("e1", None) is None
    assert connected_of("e1", {"skipped": True, "changed": False}) is None
    # Ansible's own result, of a host whose variables cannot be evaluated.
    own = connected_of("e1", {"failed": True, "msg": "'x'\nis undefined"})
    assert own == Connected("e1", False, "'x' is undefined")
    with pytest.raises(Refused, match="the form 2, but this version of the collection reads the form 1"):
        connected_of("e1", {**result, "form": 2})
