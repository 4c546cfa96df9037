# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the actions of revoke and decommission decide from the results of other hosts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base import private_file
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import rehearsal
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import output
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import decommission as _decommission
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import migration
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.names import STAGES
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
    with pytest.raises(Refused, match="sfb_xmpp_decommission_stage: remove comes before route and is not done"):
        _decommission.find_stage(info, asked="route", exported=True, protect=[], bound=[])
    assert _decommission.stage_of([{"skipped": True}, {"stage": "unbind", "failed": True}]) == ""
    assert _decommission.stage_of([{"skipped": True}, {"stage": "unbind"}]) == "unbind"


@pytest.mark.parametrize("stage", STAGES)
def test_a_check_run_does_not_say_that_a_stage_is_done(stage: str) -> None:
    done, checked = (_decommission.what_next(stage, check) for check in (False, True))
    assert done == _decommission.NEXT[stage]
    assert "not done" in checked
    assert not any(_decommission.NEXT[one] in checked for one in STAGES)
    assert _decommission.what_next("done", True) == _decommission.what_next("done", False)


def test_the_topology_must_be_known_to_have_no_xmpp() -> None:
    edge = {"fqdn": "edge.test", "xmpp_listening_port": None}
    _decommission.check_topology([edge])
    with pytest.raises(Refused, match="the topology still has XMPP on the Edge pool edge"):
        _decommission.check_topology([{**edge, "xmpp_listening_port": 5269}])
    with pytest.raises(Refused, match="the topology cannot be read"):
        _decommission.check_topology(None)


def test_files_are_planned_written_and_left_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    texts = {str(out / name): text for name, text in (("partners/a.test.md", "bye\n"), ("README.md", "ann\n"))}
    sheet, own = (Path(path) for path in texts)
    planned = output.write(texts, True, shared={str(sheet)})
    assert planned["changed"]
    assert not out.exists()
    done = output.write(texts, False, shared={str(sheet)})
    assert done == planned
    assert {str(path): path.read_text() for path in out.rglob("*.md")} == texts
    assert (sheet.stat().st_mode & 0o777, own.stat().st_mode & 0o777) == (0o644, 0o600)
    again = output.write(texts, False, shared={str(sheet)})
    assert (again["changed"], again["diff"]) == (False, [])
    own.chmod(0o644)
    assert output.write(texts, False, shared={str(sheet)})["changed"], "others may read what names users"
    assert own.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match=r"sfb_xmpp_into: .* cannot be created"):
        output.write({str(own / "x" / "y.md"): ""}, False)


def test_the_last_file_is_written_when_all_others_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that a stage is done. A file that cannot be written keeps it away."""
    texts = {str(tmp_path / name): "x" for name in (*("%03d" % number for number in range(50)), "last")}
    whole = private_file.write

    def full(path: str, data: bytes, option: str, secret: bool = True) -> None:
        if path.endswith("007"):
            raise Refused(["%s: %s: no space left" % (option, path)])
        whole(path, data, option, secret)

    monkeypatch.setattr(private_file, "write", full)
    with pytest.raises(Refused, match="007: no space left"):
        output.write(texts, False)
    assert {*map(str, tmp_path.iterdir())} == {*texts} - {str(tmp_path / "007"), str(tmp_path / "last")}
    monkeypatch.undo()
    output.write(texts, False)
    assert {*map(str, tmp_path.iterdir())} == {*texts}


def test_what_is_replaced_is_kept_where_that_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "lists.yml"
    path.write_text("old")
    output.write({str(path): "new"}, True, backup=True)
    assert [one.name for one in tmp_path.iterdir()] == ["lists.yml"]
    output.write({str(path): "new"}, False, backup=True)
    output.write({str(path): "new"}, False, backup=True)
    (kept,) = tmp_path.glob("lists.yml.*~")
    assert (kept.read_text(), path.read_text()) == ("old", "new")
    secret = output.write({str(path): "more"}, True, diff=False)["diff"]
    assert secret == [{"before_header": str(path), "after_header": str(path), "before": "", "after": ""}]


def test_each_of_several_deployments_has_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def servers(*labels: str) -> t.Any:
        hostvars = {"h%d" % n: {"sfb_xmpp_deployment": label} for n, label in enumerate(labels)}
        return servers_in({"groups": {"sfb_management": list(hostvars)}, "hostvars": hostvars})

    monkeypatch.chdir(tmp_path)
    here = Path.cwd()
    assert output.directory_of("out", servers("a b"), "a b") == str(here / "out")
    assert output.directory_of("out", servers("a b", "c"), "a b") == str(here / "out" / "a_b")
    with pytest.raises(Refused, match="sfb_xmpp_deployment: the labels a b and a_b give the same directory name"):
        output.directory_of("out", servers("a b", "a_b"), "a b")
    with pytest.raises(Refused, match=r"sfb_xmpp_deployment: the labels \.\. give"):
        output.directory_of("out", servers("..", "c"), "..")


def test_who_moves_is_named_by_the_settings() -> None:
    partners = [{"domain": "a.test"}, {}]
    given = {"for_users": "ann@a.test,bob@a.test", "partners": partners}
    assert migration.options(given) == {"users": "ann@a.test,bob@a.test", "pools": [], "declared": ["a.test"]}
    with pytest.raises(Refused, match="sfb_xmpp_for_users and sfb_xmpp_for_pools are missing"):
        migration.options({"for_users": [], "partners": partners})
    assert migration.named(["pools: there is none", "users: 'a*'", "declared: x", "else"]) == [
        "sfb_xmpp_for_pools: there is none", "sfb_xmpp_for_users: 'a*'", "sfb_xmpp_partners: x", "else",
    ]  # fmt: skip


def test_a_rehearsal_fails_with_one_sentence() -> None:
    run: dict[str, t.Any] = {
        "name": "converge",
        "seconds": 1.0,
        "result": "failed",
        "summary": None,
        "message": "no site",
    }
    done: dict[str, t.Any] = {"runs": [run], "findings": [], "skipped": [{"name": "x", "reason": "y"}]}
    assert rehearsal.lines(done) == ["converge failed: no site (1.0 s)", "not rehearsed: x: y"]
    assert rehearsal.failure(done) == "The rehearsal failed: converge failed: no site"
    twice = {**done, "runs": [run, {**run, "name": "audit"}]}
    assert rehearsal.failure(twice).endswith("no site (and 1 more, which are shown above)")
    assert rehearsal.failure({**done, "runs": [{**run, "result": "ok", "message": ""}]}) == ""
