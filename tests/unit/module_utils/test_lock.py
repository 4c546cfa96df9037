# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs on one controller: who waits, and for how long. Orders of their requests: tests/unit/test_schedules.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import lock
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.files import Snapshots
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK as REVOCATION

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

TOP = Path(__file__).parents[3]
HOLD = """
import sys
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files, lock
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place
class Shell:
    place = Place(home=sys.argv[1], deployment=sys.argv[2])
snapshots = files.Snapshots(sys.argv[3], 'snapshot_directory', Shell.place) if sys.argv[3] else None
with lock.alone(Shell(), snapshots):
    print('held', flush=True)
    sys.stdin.read()
"""


class Controller:
    """A shell for the lock alone. told: what the run has said."""

    def __init__(self, home: Path, deployment: str = "default") -> None:
        self.place = Place(home=str(home), deployment=deployment)
        self.told: list[str] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise AssertionError("nothing is asked")

    def tell(self, text: str) -> None:
        self.told.append(text)


def hold(home: Path, deployment: str = "default", snapshots: Path | str = "") -> subprocess.Popen[str]:
    """A process that has the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home), deployment, str(snapshots)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=TOP,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("killed", [False, True])
def test_one_process_waits_for_the_other(tmp_path: Path, killed: bool) -> None:
    holder = hold(tmp_path)

    class Waiting(Controller):
        def tell(self, text: str) -> None:
            super().tell(text)
            assert holder.poll() is None, "nobody else has the lock yet"
            if killed:
                holder.kill()
            else:
                holder.communicate()

    shell = Waiting(tmp_path)
    with lock.alone(shell):
        assert holder.wait(10) == (-9 if killed else 0)
    (text,) = shell.told
    words = r"waits up to 30 minutes for another run that can write to default: process %d of \S+, since \S+ \S+ UTC"
    assert re.fullmatch(words % holder.pid, text)


def test_after_the_limit_it_is_refused_and_says_who_has_it(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    with pytest.raises(Refused) as caught, lock.alone(Controller(tmp_path), limit=0.3):
        pass
    holder.communicate()
    text = str(caught.value)
    assert "holds the lock %s/.default.lock: process %d of " % (tmp_path, holder.pid) in text
    assert text.endswith("Wait until the other run ends, or end it. Then run again")


def test_other_deployments_do_not_wait(tmp_path: Path) -> None:
    holder = hold(tmp_path, "other")
    with lock.alone(shell := Controller(tmp_path)):
        assert shell.told == []
    holder.communicate()


def test_another_home_with_the_same_directory_of_snapshots_waits(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    holder = hold(tmp_path / "one", snapshots=kept)
    shell = Controller(tmp_path / "two")
    with (
        pytest.raises(Refused, match=r"kept/\.default\.lock"),
        lock.alone(shell, Snapshots(str(kept), "snapshot_directory", shell.place), limit=0.3),
    ):
        pass
    with lock.alone(shell):
        assert sorted(path.name for path in tmp_path.rglob("*.lock")) == [".default.lock"] * 3
    holder.communicate()


def test_nobody_waits_for_their_own_lock(tmp_path: Path) -> None:
    shell = Controller(tmp_path)
    with lock.alone(shell, Snapshots(str(tmp_path), "snapshot_directory", shell.place), limit=0.3):
        assert shell.told == []


def test_it_is_given_back_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.alone(Controller(tmp_path)):
        _quotient = 1 / 0
    with lock.alone(shell := Controller(tmp_path)):
        assert shell.told == []
    assert (tmp_path / ".default.lock").stat().st_mode & 0o777 == 0o600


def test_what_is_no_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".default.lock").symlink_to("/dev/full")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for home, text in ((tmp_path, ".default.lock is a link"), (tmp_path / "file" / "x", "cannot be used: ")):
        with (
            pytest.raises(Refused, match="the directory of Ansible's own files: .*" + text),
            lock.alone(Controller(home)),
        ):
            pass


def test_check_mode_takes_no_lock_and_a_revocation_does_not_wait(tmp_path: Path) -> None:
    shell = MemoryShell()
    shell.place = Place(host="fe01", home=str(tmp_path))
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": False, "AllowFederatedUsers": True})
    shell.put("CsXmppAllowedPartner", "a.test", {})
    wanted = {"partners": [{"domain": "b.test"}]}
    assert run(FEDERATION, shell, check=True, **wanted).changed
    assert os.listdir(tmp_path) == []
    holder = hold(tmp_path)
    assert run(FEDERATION, shell, check=True, **wanted).changed
    done = run(REVOCATION, shell, domain="a.test")
    assert done.changed
    assert shell.store["CsXmppAllowedPartner"] == {}
    (text,) = (warning for warning in done.warnings if "did not wait" in warning)
    assert "process %d of " % holder.pid in text
    assert "The revocation did not wait for that run. If that run allows the domain again, revoke again" in text
    holder.communicate()
    assert "did not wait" not in " ".join(run(REVOCATION, shell, domain="a.test").warnings)
