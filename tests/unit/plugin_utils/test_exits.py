# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the actions of revoke and decommission decide from the results of other hosts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.action.xmpp_decommission import written
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import decommission as _decommission
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.revoked_services import revoked, took_part
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.inventory import servers_in

BOUND: dict[str, t.Any] = {"certificates": [{"usages": ["XmppServer"]}]}
FREE: dict[str, t.Any] = {"certificates": [{"usages": []}]}


@pytest.mark.parametrize(
    ("results", "done", "restarted"),
    [
        ([], False, False),
        ([{"skipped": True}], False, False),
        ([{"owners": []}], True, True),
        ([{"skipped": True}, {"owners": ["a.test"]}], True, True),
        ([{"owners": ["a.test"], "failed": True}], False, True),
    ],
)
def test_a_revocation_restarts_what_it_concerns(results: list[dict[str, t.Any]], done: bool, restarted: bool) -> None:
    assert (revoked(results), took_part(results)) == (done, restarted)


def test_edges_follow_the_one_deployment_that_management_hosts_name() -> None:
    """Otherwise the last stage would count as done while they have the certificate."""
    groups = {"sfb_management": ["fe01"], "sfb_edge": ["edge01", "edge02", "edge03"]}
    hostvars: dict[str, dict[str, t.Any]] = {"fe01": {"sfb_xmpp_deployment": "contoso"}}
    hostvars.update({edge: {} for edge in groups["sfb_edge"]})
    edges = servers_in({"groups": groups, "hostvars": hostvars}).of("fe01").edges
    assert _decommission.bound_edges(edges, {"edge01": BOUND, "edge02": FREE}) == ["edge01", "edge03"]
    info: dict[str, t.Any] = {"policies": [], "partners": [], "federation_routes": []}
    stage = _decommission.find_stage(info, asked="", exported=True, protect=[], bound=["edge01"])
    assert stage.name == "unbind"


def test_a_stage_waits_for_those_before_it() -> None:
    info: dict[str, t.Any] = {"policies": [], "partners": [{"domain": "a.test"}], "federation_routes": []}
    with pytest.raises(Refused, match="sfb_xmpp_decommission_stage: remove comes before route, and is not done"):
        _decommission.find_stage(info, asked="route", exported=True, protect=[], bound=[])
    assert _decommission.stage_of([{"skipped": True}, {"stage": "unbind", "failed": True}]) == ""
    assert _decommission.stage_of([{"skipped": True}, {"stage": "unbind"}]) == "unbind"


def test_the_topology_must_be_known_to_have_no_xmpp() -> None:
    edge = {"fqdn": "edge.test", "xmpp_listening_port": None}
    _decommission.check_topology([edge])
    with pytest.raises(Refused, match="the topology still has XMPP on the Edge pool edge"):
        _decommission.check_topology([{**edge, "xmpp_listening_port": 5269}])
    with pytest.raises(Refused, match="the topology cannot be read"):
        _decommission.check_topology(None)


def test_files_are_planned_written_and_left_as_they_are(tmp_path: Path) -> None:
    texts = {"partners/a.test.md": "bye\n", "README.md": "kept\n"}
    out = tmp_path / "out"
    planned = written(str(out), texts, True)
    assert planned["changed"]
    assert not out.exists()
    done = written(str(out), texts, False)
    assert done == planned
    assert {str(p.relative_to(out)): p.read_text() for p in out.rglob("*.md")} == texts
    assert (out / "README.md").stat().st_mode & 0o777 == 0o644
    assert written(str(out), texts, False) == {"changed": False, "diff": []}
    with pytest.raises(Refused, match=r"sfb_xmpp_into: .* cannot be made"):
        written(str(out / "README.md"), {"x/y.md": ""}, False)
