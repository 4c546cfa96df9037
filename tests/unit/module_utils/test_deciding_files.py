# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that decide what a run writes: taken from whom, through what, and what is in them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base import private_file
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files, lock
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import journal

from tests.unit.module_utils.states import run
from tests.unit.module_utils.test_files import server

TOP = Path(__file__).parents[3]
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files to others")
NOBODY = 65534


class Controller:
    def __init__(self, home: Path) -> None:
        self.place = Place(home=str(home))


def plan(path: Path) -> None:
    """What a run does with a plan file."""
    run(FEDERATION, server(), plan_file=str(path), **WANTED)


def take_lock(path: Path) -> None:
    with lock.alone(Controller(path.parent)):  # type: ignore[arg-type]
        pass


WANTED: dict[str, t.Any] = {"partners": [{"domain": "a.test", "description": "x"}]}
OLD = "sfb_xmpp_snapshot_of: {deployment: default, host: x, time: y}\nsfb_xmpp_partners: []\n"


def save_plan(path: Path) -> None:
    run(FEDERATION, server(), check=True, plan_file=str(path), **WANTED)


def save_snapshot(path: Path) -> None:
    path.write_text(OLD, encoding="utf-8")


def read_snapshot(path: Path) -> None:
    files.load(str(path), "restore_from")


def write_journal(path: Path) -> None:
    journal.append(str(path.parent), {"a": 1})


def take_key(path: Path) -> None:
    private_file.key(str(path), "key_file")


# Kind of file: its name, how it is made, and what a run does with it.
KINDS: dict[str, tuple[str, t.Callable[[Path], None], t.Callable[[Path], None]]] = {
    "plan": ("plan.json", save_plan, plan),
    "snapshot": ("20260101T000000.000000Z-default.yml", save_snapshot, read_snapshot),
    "journal": ("runs.jsonl", write_journal, write_journal),
    "lock": (".default.lock", take_lock, take_lock),
    "key": ("capture.key", take_key, take_key),
}


def open_to_all(path: Path) -> None:
    path.chmod(0o666)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def open_folder_above(path: Path) -> None:
    path.parent.parent.chmod(0o777)


def of_nobody(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


def folder_of_nobody(path: Path) -> None:
    os.chown(path.parent, NOBODY, NOBODY)


def folder_above_of_nobody(path: Path) -> None:
    os.chown(path.parent.parent, NOBODY, NOBODY)


def link_of_nobody(path: Path) -> None:
    path.rename(path.parent / "real")
    path.symlink_to("real")
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def link_through_an_open_folder(path: Path) -> None:
    other = path.parent.parent / "open"
    other.mkdir()
    path.rename(other / "real")
    path.symlink_to(other / "real")
    other.chmod(0o777)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


BY_ROOT = (of_nobody, folder_of_nobody, folder_above_of_nobody, link_of_nobody)
TAMPERED = (open_to_all, open_folder, open_folder_above, *BY_ROOT, link_through_an_open_folder, loop, folder, pipe)


def made(tmp_path: Path, kind: str) -> Path:
    folder = tmp_path / "above" / "folder"
    folder.mkdir(parents=True, mode=0o700)
    path = folder / KINDS[kind][0]
    KINDS[kind][1](path)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda one: one.__name__)
def test_what_somebody_else_could_have_written_is_refused(
    tmp_path: Path, kind: str, tamper: t.Callable[[Path], None]
) -> None:
    if tamper in BY_ROOT and os.getuid():
        pytest.skip("only root may give files to others")
    path = made(tmp_path, kind)
    tamper(path)
    with pytest.raises(Refused):
        KINDS[kind][2](path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [0o2770, 0o1777, 0o755])
def test_folders_of_a_group_and_with_the_sticky_bit_are_accepted(tmp_path: Path, kind: str, mode: int) -> None:
    path = made(tmp_path, kind)
    path.parent.chmod(mode)
    KINDS[kind][2](path)


@pytest.mark.parametrize("kind", ["plan", "snapshot", "key"])
def test_links_are_followed_for_reading(tmp_path: Path, kind: str) -> None:
    """As Kubernetes mounts a secret: name -> ..data/name, ..data -> ..2026_01_01."""
    path = made(tmp_path, kind)
    (path.parent / "..2026").mkdir()
    path.rename(path.parent / "..2026" / path.name)
    (path.parent / "..data").symlink_to("..2026")
    path.symlink_to("..data/%s" % path.name)
    KINDS[kind][2](path)


@pytest.mark.parametrize("kind", ["journal", "lock"])
@pytest.mark.parametrize("hard", [True, False])
def test_lock_and_journal_are_never_opened_through_a_link(tmp_path: Path, kind: str, hard: bool) -> None:
    path = made(tmp_path, kind)
    path.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious\n", encoding="utf-8")
    (os.link if hard else os.symlink)(victim, path)
    with pytest.raises(Refused):
        KINDS[kind][2](path)
    assert victim.read_text(encoding="utf-8") == "precious\n"


@ROOT
@pytest.mark.parametrize("owner", ["nobody", str(NOBODY)])
def test_whoever_is_trusted_may_own_them(tmp_path: Path, owner: str) -> None:
    path = made(tmp_path, "snapshot")
    os.chown(path, NOBODY, NOBODY)
    os.chown(path.parent, NOBODY, NOBODY)
    private_file.trust([owner])
    try:
        KINDS["snapshot"][2](path)
    finally:
        private_file.trust([])
    with pytest.raises(Refused, match="sfb_xmpp_trusted_owners"):
        KINDS["snapshot"][2](path)
    with pytest.raises(Refused, match="this controller has no user of-nobody"):
        private_file.trust(["of-nobody"])


def test_a_file_system_without_locks_is_named() -> None:
    text = private_file.not_locked("/nfs/.default.lock", OSError(errno.ENOLCK, "No locks available"))
    assert "does not support flock" in text
    assert "sfb_xmpp_state_directory" in text
    assert "flock" not in private_file.not_locked("/x", OSError(errno.EIO, "Input/output error"))


@ROOT
def test_a_plan_whose_digest_is_given_may_belong_to_anybody(tmp_path: Path) -> None:
    path = made(tmp_path, "plan")
    os.chown(path, NOBODY, NOBODY)
    path.chmod(0o666)
    digest = json.loads(path.read_text(encoding="utf-8"))["plan_digest"]
    assert run(FEDERATION, server(), plan_file=str(path), plan_digest=digest, **WANTED).changed


def test_a_team_shares_what_its_directory_holds(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    before = os.umask(0o077)
    try:
        journal.append(str(shared), {"a": 1})
        run(FEDERATION, server(), snapshot_directory=str(shared), **WANTED)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in shared.iterdir()} == {0o660}


HEAD = "sfb_xmpp_snapshot_of: {deployment: default, host: fe01, time: x}\n"
BOMB = "".join("a%d: &a%d [%s]\n" % (n, n, ", ".join(["*a%d" % (n - 1)] * 10 if n else ["x"] * 10)) for n in range(9))
HOSTILE = {
    "aliases": HEAD + BOMB + "sfb_xmpp_partners: [{domain: a.test, additional_domains: *a8}]\n",
    "an alias of itself": HEAD + "sfb_xmpp_partners: &a [*a]\n",
    "depth": HEAD + "sfb_xmpp_partners: " + "[" * 200_000 + "\n",
    "depth, closed": HEAD + "sfb_xmpp_partners: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "a huge number": HEAD + "sfb_xmpp_gateway: {connection_limit: %s}\n" % ("9" * 6000),
    "a huge number in hexadecimal": HEAD + "sfb_xmpp_gateway: {connection_limit: 0x%s}\n" % ("f" * 5000),
    "a huge number in sixties": HEAD + "sfb_xmpp_gateway: {connection_limit: 1%s}\n" % (":59" * 3000),
    "no date": HEAD + "sfb_xmpp_partners: [{domain: a.test, description: 2026-99-99}]\n",
    "a list as a key": HEAD + "? [a, b]\n: 1\nsfb_xmpp_partners: []\n",
    "a number as an option": HEAD + "sfb_xmpp_partners: [{domain: a.test, 5: 6}]\n",
    "a tag": HEAD + 'sfb_xmpp_partners: !!python/object/apply:os.system ["false"]\n',
    "a tag on a list": HEAD + "sfb_xmpp_partners: !unsafe [a]\n",
    "a vault": HEAD + "sfb_xmpp_partners: !vault |\n  x\n",
    "two documents": HEAD + "sfb_xmpp_partners: []\n---\n" + HEAD,
    "infinity": HEAD + "sfb_xmpp_gateway: {connection_limit: .inf}\n",
    "a later form": HEAD.replace("{", "{form: 9, ") + "sfb_xmpp_partners: []\n",
    "a form that is a list": HEAD.replace("{", "{form: [], ") + "sfb_xmpp_partners: []\n",
    "a host that is a list": "sfb_xmpp_snapshot_of: {deployment: default, host: [x]}\nsfb_xmpp_partners: []\n",
}
# In a process of its own: what is wrong with such a file may end it.
READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pathlib import Path
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTS
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        files.from_snapshot(str(path), frozenset(PARTS), "restore_from")
        print("ACCEPTED", path.name)
    except Refused as exc:
        text = str(exc)
        assert text.startswith("%s is not a snapshot of this collection: " % path), text
        assert len(text) < 1000, text
        print("refused", path.name)
"""


def test_hostile_content_is_refused_in_words_and_soon(tmp_path: Path) -> None:
    for name, content in HOSTILE.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, cwd=TOP,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["refused " + name for name in sorted(HOSTILE)]


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"form": %s}' % ("9" * 5000), '{"form": 3, "deployment": %s}' % ("[" * 100 + "]" * 100), "NaN"],
)
def test_a_hostile_plan_is_refused_in_words(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Refused, match="it is not a plan of this collection: "):
        plan(path)


def test_an_edited_plan_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, "plan")
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "summary": {}}), encoding="utf-8")
    with pytest.raises(Refused, match="it was edited after it was saved"):
        plan(path)


def test_an_edited_snapshot_is_said_to_be_edited(tmp_path: Path) -> None:
    path = Path(run(FEDERATION, server(), snapshot_directory=str(tmp_path / "kept"), **WANTED).values["snapshot"])
    text = path.read_text(encoding="utf-8")
    assert [one for one in run(FEDERATION, server(), True, restore_from=str(path)).warnings if "edited" in one] == []
    for changed in (text.replace("a.test", "c.test"), text.rpartition("sfb_xmpp_snapshot_digest")[0]):
        path.write_text(changed, encoding="utf-8")
        done = run(FEDERATION, server(), True, restore_from=str(path), force=True)
        assert "%s: the snapshot was edited after it was taken" % path in done.warnings


def test_an_old_snapshot_is_restored_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "old.yml"
    path.write_text(HEAD + "sfb_xmpp_partners: [{domain: a.test}]\n", encoding="utf-8")
    assert files.from_snapshot(str(path), frozenset(PARTS), "restore_from")[0].wanted["partners"]
    done = run(FEDERATION, server(), True, restore_from=str(path), force=True)
    assert [one for one in done.warnings if "only the label default was compared" in one]
