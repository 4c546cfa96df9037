# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the lab of a rehearsal, and Ansible against the lab, as separate processes that know only the lab's hosts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass

from ansible import constants

from ...module_utils._base.inventory_text import inventory_text
from ...module_utils._base.result import Refused

_HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))
_PATIENCE = 60.0  # seconds for a lab to answer
_NO_LAB = (
    "a rehearsal needs the lab, but this copy of the collection has no folder %s. Install the whole collection from its"
    " tarball: ansible-galaxy collection install --force sfb-xmpp-VERSION.tar.gz"
)
RECORD = "SFB_REHEARSAL_RECORD"
Task = dict[str, t.Any]


class Lab:
    """Run the lab of one deployment. The lab always ends with this process."""

    def __init__(self, directory: str, profile: str, shape: t.Mapping[str, t.Any], replay: str = "") -> None:
        """Start the lab. Raises Refused if the lab does not start."""
        if not os.path.isdir(os.path.join(TOP, "lab")):
            raise Refused([_NO_LAB % os.path.join(TOP, "lab")])
        self.directory = directory
        self.shape = shape
        os.makedirs(directory)
        path = os.path.join(directory, "shape.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(shape, file)
        self._environment = {**environment(), "SFB_LAB_SHAPE": path}
        command = ["up", "--foreground", "--until-eof", "--port", "0", "--xmpp-port", "0", "--profile", profile]
        with open(os.path.join(directory, "lab.log"), "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lab", *command, *(["--replay", replay] if replay else []), *self._where],
                cwd=TOP,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        running = self._await()
        self.port, self.xmpp_port = int(running["port"]), int(running["xmpp_port"])
        self.ca = os.path.join(directory, "ca.pem")

    @property
    def _where(self) -> list[str]:
        return ["--directory", self.directory]

    def _await(self) -> dict[str, t.Any]:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError, ValueError), open(os.path.join(self.directory, "lab.pid")) as file:
                return t.cast("dict[str, t.Any]", json.load(file))
            time.sleep(0.05)
        self.stop()
        with open(os.path.join(self.directory, "lab.log"), encoding="utf-8", errors="replace") as file:
            said = file.read().strip()
        raise Refused(["the lab did not start: %s" % (said.rpartition("\n")[2] or "it printed nothing")])

    def talk(self, trust: str) -> dict[str, t.Any]:
        """Send messages between users and the stand-in servers of the partners, and return the results."""
        command = [sys.executable, "-m", "lab.rehearsal", *self._where, *(["--trust", trust] if trust else [])]
        done = subprocess.run(
            command,
            cwd=TOP,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = done.stderr.strip().rpartition("\n")[2] or "no reason given"
            return {"talks": [], "skipped": [{"name": "partners", "reason": reason}]}
        return t.cast("dict[str, t.Any]", json.loads(done.stdout))

    def stop(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def environment() -> dict[str, str]:
    """Return the user's environment without Ansible's settings and without a proxy to the lab."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "SFB_LAB_")) and not name.lower().endswith("_proxy")
    }


@dataclass(frozen=True)
class Played:
    """Hold the results of one run of a playbook.

    tasks: the state, host, task, changed and the readable result of each task.
    """

    code: int
    seconds: float
    output: str
    tasks: list[Task]

    @property
    def message(self) -> str:
        """Return the reason why the run failed, or an empty text.

        The reason is the message of the first failed task. Without a failed task, it is the last line of the output.
        """
        wrong = [task["msg"] for task in self.tasks if task["state"] in ("failed", "unreachable") and task["msg"]]
        if wrong:
            return str(wrong[0])
        if self.code:
            return (self.output.strip().rpartition("\n")[2] or "no reason given").strip()
        return ""

    @property
    def changed(self) -> bool:
        return any(task["changed"] for task in self.tasks)

    @property
    def summary(self) -> dict[str, int] | None:
        """Return the summary of all deployments together."""
        found = [task["summary"] for task in self.tasks if task["summary"]]
        return {name: sum(one.get(name, 0) for one in found) for name in found[0]} if found else None


def play(playbook: str, inventory: t.Mapping[str, t.Any], scratch: str, *arguments: str) -> Played:
    """Run a playbook of this collection against the lab.

    The inventory exists in memory only, because the inventory has the user's secrets.
    """
    record = os.path.join(scratch, "record.jsonl")
    configuration = os.path.join(scratch, "ansible.cfg")
    for path in (record, configuration):
        with open(path, "w", encoding="utf-8"):
            pass
    handle = os.memfd_create("inventory")
    try:
        os.write(handle, inventory_text(inventory).encode("utf-8", "surrogatepass"))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", "/dev/fd/%d" % handle, playbook, *arguments],
            env={**_settings(scratch, configuration), RECORD: record},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(handle,),
            check=False,
        )
        seconds = time.monotonic() - started
    finally:
        os.close(handle)
    with open(record, encoding="utf-8") as file:
        tasks = [json.loads(line) for line in file]
    return Played(done.returncode, seconds, done.stdout, tasks)


def _settings(scratch: str, configuration: str) -> dict[str, str]:
    own = TOP.split(os.sep + "ansible_collections" + os.sep)
    paths = [own[0]] if len(own) == 2 else []
    return {
        **environment(),
        "ANSIBLE_CONFIG": configuration,
        "ANSIBLE_HOME": os.path.join(scratch, "home"),
        "ANSIBLE_LOCAL_TEMP": os.path.join(scratch, "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(
            [*paths, *map(str, constants.config.get_config_value("COLLECTIONS_PATHS"))]
        ),
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "ANSIBLE_CALLBACK_PLUGINS": os.path.join(_HERE, "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "sfb_rehearsal",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
    }
