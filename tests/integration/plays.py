# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ansible-playbook runs against a lab: what they print, what each task returned, what they leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.testing import Lab

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
CONNECTION = "sfb.xmpp.management_shell"


@dataclass(frozen=True)
class TaskResult:
    """state: ok, failed, ignored, unreachable, skipped."""

    state: str
    host: str
    task: str
    result: dict[str, t.Any]


@dataclass(frozen=True)
class Run:
    """output: standard output and error. tasks: results in order. stats: the custom ones of the run."""

    code: int
    output: str
    tasks: list[TaskResult]
    stats: dict[str, t.Any] = field(default_factory=dict)

    def result(self, name: str) -> dict[str, t.Any]:
        """What the one task of that name returned. A task of a role is found by its own name."""
        (found,) = (task.result for task in self.tasks if name in (task.task, task.task.rpartition(" : ")[2]))
        return found

    def failures(self) -> list[TaskResult]:
        return [task for task in self.tasks if task.state in ("failed", "unreachable")]

    def wrong(self) -> list[TaskResult]:
        """The same, and before them the tasks that report what went wrong, and leave it to the next one to fail."""
        return [
            task
            for task in self.tasks
            if task.state in ("failed", "unreachable") or task.result.get("outcome") in ("refused", "failed")
        ]


class Plays:
    """Runs plays with an inventory of the lab's hosts. Everything it writes lies in a short directory of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        # Short, because the paths of sockets below it may have 108 bytes at most.
        self.directory = Path(tempfile.mkdtemp(prefix="sfb.", dir="/tmp"))
        self.inventory = self.write("inventory.yml", self.hosts())
        self._number = 0
        self.record = self.directory / "record.jsonl"

    def close(self) -> None:
        """Remove the directory, and end what a killed playbook left."""
        self.end_all()
        shutil.rmtree(self.directory, ignore_errors=True)

    def end_all(self) -> None:
        """Kill what a killed playbook left: Ansible's workers and daemons have a session of their own."""
        mark = ("HOME=%s" % self.directory).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def write(self, name: str, content: t.Any) -> Path:
        path = self.directory / name
        path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    def hosts(self) -> dict[str, t.Any]:
        """The lab as an inventory. Variables are those of ansible.builtin.psrp."""
        common = {
            "ansible_port": self.lab.port,
            "ansible_psrp_protocol": "https",
            "ansible_psrp_ca_cert": str(self.lab.ca),
        }
        edges = {
            name: {"ansible_host": self.lab.addresses[name], "ansible_user": "Administrator"}
            for name in ("edge01", "edge02")
        }
        return {
            "sfb_management": {
                "hosts": {"fe01": {"ansible_host": self.lab.addresses["fe01"]}},
                "vars": {
                    **common,
                    "ansible_psrp_path": "OcsPowershell",
                    "ansible_psrp_auth": "negotiate",
                    "ansible_user": "CONTOSO\\admin",
                    "ansible_password": "Lab-admin-1",
                },
            },
            "sfb_edge": {
                "hosts": edges,
                "vars": {
                    **common,
                    "ansible_psrp_auth": "ntlm",
                    "ansible_password": "Lab-edge-1",
                    "ansible_management_shell_modules": ["SkypeForBusiness"],
                },
            },
        }

    def tasks(self, tasks: t.Sequence[dict[str, t.Any]], hosts: str = "fe01", **play: t.Any) -> list[dict[str, t.Any]]:
        """A playbook of one play over the collection's connection."""
        variables = {"ansible_connection": CONNECTION, **play.pop("vars", {})}
        return [{"hosts": hosts, "gather_facts": False, "vars": variables, "tasks": list(tasks), **play}]

    def command(
        self, playbook: t.Sequence[dict[str, t.Any]] | str, *arguments: str, inventory: Path | None = None
    ) -> list[str]:
        """The command line for a playbook, given as plays or by its name (``sfb.xmpp.converge``)."""
        self._number += 1
        name = playbook if isinstance(playbook, str) else str(self.write("play%d.yml" % self._number, list(playbook)))
        self.record = self.directory / ("record%d.jsonl" % self._number)
        return [str(TOOLS / "ansible-playbook"), "-i", str(inventory or self.inventory), name, *arguments]

    def environment(self) -> dict[str, str]:
        """Of the last command: nothing of the user's own settings."""
        here = Path(__file__).parent
        return {
            "PATH": "%s:%s" % (TOOLS, os.environ.get("PATH", os.defpath)),
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_CALLBACK_PLUGINS": str(here / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "ANSIBLE_LIBRARY": str(here / "library"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "1000",  # lines stay whole
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_DEPRECATION_WARNINGS": "true",
            "RECORDER_FILE": str(self.record),
        }

    def run(
        self,
        playbook: t.Sequence[dict[str, t.Any]] | str,
        *arguments: str,
        inventory: Path | None = None,
        environment: t.Mapping[str, str] | None = None,
        directory: Path = CHECKOUT,
    ) -> Run:
        """Run a playbook to its end, started in a directory."""
        done = subprocess.run(
            self.command(playbook, *arguments, inventory=inventory),
            cwd=directory,
            env={**self.environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        lines = self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []
        found = [TaskResult(**json.loads(line)) for line in lines]
        stats = {name: value for one in found if one.state == "stats" for name, value in one.result.items()}
        return Run(done.returncode, done.stdout, [one for one in found if one.state != "stats"], stats)


def own_winrm(hosts: dict[str, t.Any], module: str = "SkypeForBusiness") -> dict[str, t.Any]:
    """A group of the Front End's own WinRM, which offers what its remote shell does not."""
    group = hosts["sfb_management"]
    values = {**group["vars"], "ansible_psrp_path": "wsman", "ansible_management_shell_modules": [module]}
    return {"hosts": {"%s-winrm" % name: one for name, one in group["hosts"].items()}, "vars": values}
