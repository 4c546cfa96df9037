# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs leave on the controller: plan files and snapshots; and every way in which a disk can refuse them."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.version import VERSION
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE, PARTNER, PARTS, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan_file import PlanFile
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.plans import FULL, ROW
from tests.unit.module_utils.states import run, snapshot, user

TOP = Path(__file__).parents[3]
WANTED: dict[str, t.Any] = {
    "partners": [{"domain": "n.test", **ROW}, {"domain": "a.test", "description": "x"}],
    "gateway": {"connection_limit": 5, "dialback_passphrase": "s3cret"},
}


def server(deployment: str = "default") -> MemoryShell:
    shell = MemoryShell()
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": False, "AllowFederatedUsers": True})
    shell.put(POLICY.noun, "Tag:X", {"EnableFederationAccess": True})
    for name in ("a.test", "b.test"):
        shell.put(PARTNER.noun, name, {"SaslNegotiation": "Optional"})
    shell.users = [user("ann"), user("bob", "X")]
    shell.place = Place(host="fe01", deployment=deployment, home=shell.place.home)
    return shell


def work(shell: MemoryShell, check: bool = False, **arguments: t.Any) -> Result:
    return run(FEDERATION, shell, check, **{**WANTED, **arguments})


def refusal(shell: MemoryShell, check: bool = False, **arguments: t.Any) -> list[str]:
    """The reasons of a run that wrote nothing."""
    before = len(shell.writes())
    with pytest.raises(Refused) as caught:
        work(shell, check, **arguments)
    assert len(shell.writes()) == before
    return list(caught.value.reasons)


class TestPlanFile:
    @pytest.fixture
    def plan(self, tmp_path: Path) -> str:
        return str(tmp_path / "plan.json")

    def test_check_mode_saves_it_and_a_run_holds_to_it(self, plan: str) -> None:
        shell = server()
        work(shell, check=True, plan_file=plan)
        document = json.loads(Path(plan).read_text(encoding="utf-8"))
        assert {name: document[name] for name in ("form", "collection", "deployment", "host", "summary")} == {
            "form": 3,
            "collection": VERSION,
            "deployment": {"label": "default", "pools": ["fe01.contoso.com"], "sip_domains": ["a.com", "contoso.com"]},
            "host": "fe01",
            "summary": {"added": 1, "changed": 2, "removed": 0, "granted": 0, "withdrawn": 0, "unchanged": 0},
        }
        assert [(step["cmdlet"], step["result"]) for step in document["steps"]] == [
            ("New-CsXmppAllowedPartner", "planned"),
            ("Set-CsXmppAllowedPartner", "planned"),
            ("Set-CsXmppGatewayConfiguration", "planned"),
        ]
        assert set(document["declared"]) == {"partners", "gateway"}
        assert Path(plan).stat().st_mode & 0o777 == 0o600
        assert "s3cret" not in Path(plan).read_text(encoding="utf-8")
        assert work(shell, plan_file=plan).changed
        assert refusal(shell, plan_file=plan)[0] == "this plan is not the plan in %s" % plan

    @pytest.mark.parametrize(
        ("name", "beside"), [("p.json", "p.md"), ("p", "p.md"), ("p.md", "p.md.md"), ("a.b/p", "a.b/p.md")]
    )
    def test_markdown_lies_beside_it_and_never_over_it(self, tmp_path: Path, name: str, beside: str) -> None:
        (tmp_path / "a.b").mkdir()
        shell = server()
        work(shell, check=True, plan_file=str(tmp_path / name))
        assert json.loads((tmp_path / name).read_text(encoding="utf-8"))["form"] == 3
        PlanFile(str(tmp_path / name), "plan_file").save_beside("# sfb.xmpp plan\n")
        assert (tmp_path / beside).read_text(encoding="utf-8") == "# sfb.xmpp plan\n"
        assert (tmp_path / beside).stat().st_mode & 0o777 == 0o600
        assert work(shell, plan_file=str(tmp_path / name)).changed

    def test_a_secret_is_in_no_hash(self, plan: str) -> None:
        shell = server()
        work(shell, check=True, plan_file=plan)
        other: dict[str, t.Any] = {"gateway": {"connection_limit": 5, "dialback_passphrase": "another"}}
        assert work(shell, plan_file=plan, **other).changed

    def test_every_difference_is_named(self, plan: str) -> None:
        shell = server("contoso")
        work(shell, check=True, plan_file=plan)
        other = server()
        other.put(PARTNER.noun, "a.test", {"ProxyFqdn": "p.test"})
        given = {"partners": WANTED["partners"], "policies": [{"identity": "X"}], "gateway": {"connection_limit": 6}}
        for playbook, prefix in (("", ""), ("converge", "sfb_xmpp_")):
            other.place = Place(host="fe01", home=other.place.home, playbook=playbook)
            assert refusal(other, plan_file=plan, **given) == [
                "this plan is not the plan in %s" % plan,
                "it was made for the deployment contoso, but this deployment is default",
                "the saved plan was made from other values of {0}gateway, {0}policies".format(prefix),
                "changed since the plan was made: partner a.test",
                "new since the plan was made: policy x",
                "the Set- call differs from the plan: gateway",
                "run in check mode to save the new plan in the file, and review it",
            ]

    def test_who_is_granted_is_part_of_what_was_declared(self, plan: str) -> None:
        shell = server()
        policies = [{"identity": "X", "granted_to": ["sip:bob@contoso.test"]}]
        work(shell, check=True, plan_file=plan, policies=policies)
        other = [{"identity": "X", "granted_to": ["SIP:bob@contoso.test"]}]
        shell.users[1]["SipAddress"] = "SIP:bob@contoso.test"
        assert "the saved plan was made from other values of policies" in refusal(shell, plan_file=plan, policies=other)

    def test_there_has_to_be_one(self, plan: str) -> None:
        assert refusal(server(), plan_file=plan)[1] == "the file does not exist. Save the plan with --check first"

    @pytest.mark.parametrize(
        "content",
        [b"", b"words", b"[]", b"null", b"{}", b"3", b"\xff\xfe", b'{"form": 3}',
         b'{"form": 3, "deployment": "default", "plan_digest": {}, "declared": {}, "content_digest": 1}',
         b'{"form": 3, "deployment": {"label": "default"}, "plan_digest": 1, "declared": {}, "content_digest": 1}',
         b'{"form": 3, "deployment": {"label": "default", "pools": [], "sip_domains": []}, "content_digest": 1,'
         b' "plan_digest": {"digest": "x", "objects": []}, "declared": 3}'],
    )  # fmt: skip
    def test_what_is_no_plan_is_said_to_be_none(self, plan: str, content: bytes) -> None:
        Path(plan).write_bytes(content)
        assert refusal(server(), plan_file=plan)[1].startswith("it is not a plan of this collection: ")

    @pytest.mark.parametrize(("name", "value"), [("declared", []), ("declared", 3), ("form", None), ("plan_digest", 1)])
    def test_a_plan_with_another_form_inside_is_none(self, plan: str, name: str, value: t.Any) -> None:
        shell = server()
        work(shell, check=True, plan_file=plan)
        document = json.loads(Path(plan).read_text(encoding="utf-8"))
        Path(plan).write_text(json.dumps({**document, name: value}), encoding="utf-8")
        assert refusal(shell, plan_file=plan)[0] == "this plan is not the plan in %s" % plan

    def test_another_form_is_another_version(self, plan: str) -> None:
        shell = server()
        work(shell, check=True, plan_file=plan)
        document = json.loads(Path(plan).read_text(encoding="utf-8"))
        Path(plan).write_text(json.dumps({**document, "form": 9, "collection": "9.0.0"}), encoding="utf-8")
        assert refusal(shell, plan_file=plan)[1] == "it was saved by another version of the collection (9.0.0)"

    def test_where_it_cannot_be_saved_check_mode_fails(self, tmp_path: Path) -> None:
        nowhere = str(tmp_path / "none" / "plan.json")
        assert refusal(server(), check=True, plan_file=nowhere) == [
            "plan_file: %s cannot be used: No such file or directory" % os.path.dirname(nowhere)
        ]

    def test_a_plan_that_is_refused_is_not_saved(self, plan: str) -> None:
        refusal(server(), check=True, plan_file=plan, partners=[], partners_purge=True)
        assert not Path(plan).exists()


def test_the_version_is_the_collections() -> None:
    assert yaml.safe_load((TOP / "galaxy.yml").read_text(encoding="utf-8"))["version"] == VERSION


class TestSnapshots:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> str:
        return str(tmp_path / "snapshots")

    def keeper(self, directory: str, deployment: str = "default", keep: int = 20) -> files.Snapshots:
        return files.Snapshots(directory, "snapshot_directory", Place("fe01", deployment), keep)

    def save(self, directory: str, shell: MemoryShell | None = None, **more: t.Any) -> str:
        reader = Reader(shell or server())
        found = reader.with_all_users(reader.kinds([POLICY, PARTNER]))
        return self.keeper(directory, **more).save(found, ("policies", "partners"))

    def test_what_is_there_is_kept_before_the_first_write(self, directory: str) -> None:
        shell = server()
        result = work(shell, snapshot_directory=directory)
        path = result.values["snapshot"]
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert Path(directory).stat().st_mode & 0o777 == 0o700
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        assert [p["domain"] for p in values["sfb_xmpp_partners"]] == ["a.test", "b.test"]
        assert "sfb_xmpp_policies" not in values, "only what is written"
        assert values["sfb_xmpp_snapshot_of"]["host"] == "fe01"
        assert work(shell, snapshot_directory=directory).changed is False
        assert len(os.listdir(directory)) == 2, "where nothing changes nothing is kept; the lock is the other file"
        assert not work(server(), check=True, snapshot_directory=directory + "2").values.get("snapshot")
        assert not Path(directory + "2").exists()

    def test_policies_are_kept_with_who_has_them(self, directory: str) -> None:
        shell = server()
        before = snapshot(shell)
        changed = work(shell, snapshot_directory=directory, policies=[{"identity": "Y", **FULL}])
        values = yaml.safe_load(Path(changed.values["snapshot"]).read_text(encoding="utf-8"))
        assert values["sfb_xmpp_policies"][1]["granted_to"] == ["sip:bob@contoso.test"]
        back = run(FEDERATION, shell, restore_from=changed.values["snapshot"], force=True)
        assert not back.failures
        assert snapshot(shell) == before

    def test_old_ones_of_the_same_deployment_go(self, directory: str) -> None:
        other = self.save(directory, deployment="other")
        odd = Path(directory) / "20260101T000000.000000Z-default.yml.bak"
        odd.write_text("", encoding="utf-8")
        kept = [self.save(directory, keep=3) for _turn in range(5)]
        assert self.keeper(directory).files() == kept[:1:-1]
        assert os.path.exists(other)
        assert odd.exists()
        assert self.save(directory, keep=0) in self.keeper(directory).files(), "the newest is never removed"

    def test_the_one_of_now_stays_where_the_clock_was_set_back(self, directory: str) -> None:
        Path(directory).mkdir(mode=0o700, exist_ok=True)
        later = [Path(directory) / ("209901%02dT000000.000000Z-default.yml" % day) for day in (1, 2, 3)]
        for path in later:
            path.write_text("", encoding="utf-8")
        now = self.save(directory, keep=2)
        assert sorted(self.keeper(directory).files()) == sorted([now, str(later[2])])

    def test_newest_by_name_and_by_path(self, directory: str) -> None:
        with pytest.raises(
            Refused, match=r"there is no snapshot of default in .*. Set snapshot_directory to the path of a snapshot"
        ):
            self.keeper(directory).find("newest")
        self.save(directory, deployment="other")
        first, last = self.save(directory), self.save(directory)
        assert self.keeper(directory).find("newest") == last
        assert self.keeper(directory).find(first) == first
        assert self.keeper(directory).find(os.path.basename(first)) == first
        for name in ("", "none.yml", "/none", directory):
            with pytest.raises(Refused, match="there is no file"):
                self.keeper(directory).find(name)

    @pytest.mark.parametrize("name", ["../x", "a/b", "a b", "ä", ".."])
    def test_the_name_of_a_deployment_stays_in_the_directory(self, directory: str, name: str) -> None:
        path = self.save(directory, deployment=name)
        assert os.path.dirname(path) == os.path.realpath(directory)
        assert self.keeper(directory, name).find("newest") == path

    @pytest.mark.parametrize("text", ["{{ lookup('pipe', 'touch x') }}", "{% raw %}", "a: b\n- c", "---",
                                      "\u0085\x1b[31m",
                                      "!!python/object:os.system", "'\"\\", "x" * 5000])  # fmt: skip
    def test_whatever_a_server_holds_comes_back_as_it_was(self, directory: str, text: str) -> None:
        shell = server()
        shell.put(PARTNER.noun, "a.test", {"Description": text})
        path = self.save(directory, shell)
        federation, said = files.from_snapshot(path, frozenset(PARTS), "restore_from")
        assert federation.wanted["partners"][0].values["description"] == text
        assert said.startswith(path + ", taken ")
        assert "through fe01: sfb_xmpp_policies, sfb_xmpp_partners" in said
        if "{" in text:
            assert "!unsafe" in Path(path).read_text(encoding="utf-8")

    def test_what_no_file_can_hold_stops_the_run(self, directory: str) -> None:
        shell = server()
        shell.put(PARTNER.noun, "b.test", {"Description": "\ud800"})
        (text,) = refusal(shell, snapshot_directory=directory)
        assert text.startswith("snapshot_directory: the objects cannot be saved in a file: 'utf-8' codec can't encode")

    HEAD = "sfb_xmpp_snapshot_of: {deployment: default, host: fe01, time: now}\n"

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("", "has no variables"),
            ("[]", "has no variables"),
            ("{", "is not YAML"),
            ("sfb_xmpp_partners: []", "it does not have sfb_xmpp_snapshot_of"),
            ("sfb_xmpp_snapshot_of: words", "it does not have sfb_xmpp_snapshot_of"),
            (HEAD, "it has no objects of a deployment"),
            (HEAD + "sfb_xmpp_partners: words", "is not a snapshot of this collection"),
            (HEAD + "sfb_xmpp_partners: {domain: a.test}", "is not a snapshot of this collection"),
            (HEAD + "sfb_xmpp_partners: [a.test]", "is not a snapshot of this collection"),
            (HEAD + "sfb_xmpp_partners: [{}]", "is not a snapshot of this collection"),
            (HEAD + "sfb_xmpp_partners: [{domain: }]", "sfb_xmpp_partners[0]: domain must be a name"),
            (HEAD + "sfb_xmpp_partners: [{domain: ''}]", "sfb_xmpp_partners[0]: domain must be a name"),
            (HEAD + "sfb_xmpp_partners: [{domain: [a.test]}]", "sfb_xmpp_partners[0]: domain must be a name"),
            (
                HEAD + "sfb_xmpp_partners: [{domain: a.test}, {domain: A.test}]",
                "sfb_xmpp_partners[1]: 'a.test' is in the list tw",
            ),
            (
                HEAD + "sfb_xmpp_partners: [{domain: a.test, tls_negotiation: maybe}]",
                "must be required, optional or not_supported, not 'maybe'",
            ),
            (HEAD + "sfb_xmpp_partners: [{domain: a.test, description: [x]}]", "must be a string, not a list"),
            (HEAD + "sfb_xmpp_partners: [{domain: a.test, tls: required}]", "tls: there is no such option"),
            (
                HEAD + "sfb_xmpp_policies: [{identity: X, granted_to: sip:a@b.test}]",
                "sfb_xmpp_policies[0].granted_to: must be",
            ),
            (
                HEAD + "sfb_xmpp_policies: [{identity: X, granted_to: [5]}]",
                "sfb_xmpp_policies[0].granted_to: must be a list",
            ),
            (HEAD + "sfb_xmpp_gateway: [5]", "is not a snapshot of this collection"),
            (HEAD + "sfb_xmpp_partners: !!python/object/apply:os.system ['false']", "is not YAML"),
        ],
    )
    def test_hostile_content_is_refused(self, directory: str, content: str, text: str) -> None:
        os.makedirs(directory, mode=0o700)
        path = os.path.join(directory, "hostile.yml")
        Path(path).write_text(content, encoding="utf-8")
        shell = server()
        with pytest.raises(Refused) as caught:
            run(FEDERATION, shell, restore_from=path)
        assert text in str(caught.value)
        assert str(caught.value).startswith(path)
        assert shell.sent == []

    def test_a_snapshot_of_another_deployment_is_refused(self, directory: str) -> None:
        path = self.save(directory, deployment="west")
        shell = server("east")
        for check in (True, False):
            with pytest.raises(Refused) as caught:
                run(FEDERATION, shell, check, restore_from=path)
            assert str(caught.value) == (
                "restore_from: %s is a snapshot of the deployment west, and fe01 belongs to east."
                " Name a snapshot of east." % path
            )
        assert shell.sent == []
        assert run(FEDERATION, server("west"), restore_from=path).steps == [], "it holds what is there"

    def test_no_template_in_a_name_is_carried_out(self, directory: str) -> None:
        shell = server()
        shell.put(POLICY.noun, "Tag:{{ lookup('pipe', 'false') }}", {})
        federation, _said = files.from_snapshot(self.save(directory, shell), frozenset(PARTS), "restore_from")
        assert "{{ lookup('pipe', 'false') }}" in [item.identity for item in federation.wanted["policies"]]


class TestDirectories:
    """A run that could not keep what is there, or keep others out, writes nothing."""

    @pytest.mark.parametrize("mode", [0o777, 0o702])
    def test_where_others_may_write(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "loose"
        path.mkdir()
        path.chmod(mode)
        shell = server()
        text = "snapshot_directory: any user may write into %s. Run: chmod o-w %s" % (path, path)
        assert refusal(shell, snapshot_directory=str(path)) == [text]
        assert shell.sent == []

    def test_where_others_may_look_is_a_warning(self, tmp_path: Path) -> None:
        path = tmp_path / "seen"
        path.mkdir()
        path.chmod(0o755)
        result = work(server(), snapshot_directory=str(path))
        assert "snapshot_directory: other users can read %s. Set its mode to 0700" % path in result.warnings

    def test_where_it_is_no_directory(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            (text,) = refusal(server(), snapshot_directory=str(path))
            assert text.startswith("snapshot_directory: %s" % (tmp_path / "file"))
            assert " cannot be used: " in text

    def test_where_nothing_may_be_written(self) -> None:
        """As somebody who is not root, for whom modes say nothing."""
        place = tempfile.mkdtemp(dir="/tmp")
        try:
            closed = os.path.join(place, "closed")
            os.makedirs(closed)
            os.chmod(closed, 0o555)
            os.chmod(place, 0o755)
            found = in_a_process(
                "drop()\n"
                "try:\n"
                "    files.Snapshots(%r, 'snapshot_directory', Place()).prepare()\n"
                "except Refused as exc:\n"
                "    print(exc)\n" % closed
            )
            assert found == "snapshot_directory: %s cannot be written\n" % closed
        finally:
            shutil.rmtree(place)

    def test_where_the_disk_is_full(self, tmp_path: Path) -> None:
        """A limit on the size of files stands for it: a write fails in the same place."""
        shell = server()
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        directory = tmp_path / "full"
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, unlimited[1]))
        try:
            (text,) = refusal(shell, snapshot_directory=str(directory))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert text.startswith("snapshot_directory: %s/" % directory)
        assert text.endswith(" cannot be written: File too large")
        assert [name for name in os.listdir(directory) if not name.endswith(".lock")] == [], "no half of a file is left"


SETUP = """
import os, sys, time
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place
def drop():
    if os.getuid() == 0:
        os.setgid(65534); os.setuid(65534)
"""


def in_a_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", SETUP + code], capture_output=True, text=True, check=False, cwd=TOP)
    assert done.returncode == 0, done.stderr
    return done.stdout
