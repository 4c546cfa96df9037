# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs: a line of JSON for each run that may have written, refused and failed ones too.

runs.jsonl lies beside the snapshots, for its owner only. When it is full it becomes runs.jsonl.1, and that one
runs.jsonl.2. Secrets are in none of the keys: steps are counted and hashed, as they are shown, and not kept.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import pwd
import re
import subprocess
import typing as t

from ...module_utils._base import private_file
from ...module_utils._base.result import Refused
from ...module_utils._federation.deployment import CONTROLLER
from ...module_utils._federation.files import Snapshots
from ...module_utils._federation.words import ROLES
from ...module_utils._shell.statement import Place

NAME = "runs.jsonl"
# Runs in one file, and how many full files are kept beside it.
MOST_RUNS = 1000
KEPT = 9
_OPTION = "sfb_xmpp_snapshot_directory"
_SNAPSHOT = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-.+\.yml\Z")
# The playbooks and roles that may write.
WRITING = ("converge", "restore", "revoke", "failover", "decommission", *ROLES)

Run = dict[str, t.Any]


def make_run(
    result: t.Mapping[str, t.Any],
    *,
    playbook: str,
    deployment: str,
    host: str,
    account: str,
    inventory: t.Sequence[str],
    ticket: str = "",
    reason: str = "",
) -> Run:
    """A run as a line of the journal. result: of xmpp_federation. inventory: its sources, as Ansible has them.

    reason: why, in the words of who started it; a revocation has one.
    """
    failed = bool(result.get("failed"))
    outcome = "refused" if failed and "reasons" in result else "failed" if failed else "ok"
    snapshot = result.get("snapshot")
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "playbook": playbook,
        "user": _user(),
        "account": account,
        "host": host,
        "deployment": deployment,
        "inventory": list(inventory),
        "commit": next(filter(None, map(commit, inventory)), None),
        "ticket": ticket or None,
        "reason": reason or None,
        "summary": result.get("summary"),
        "digest": digest(result["steps"]) if result.get("steps") is not None else None,
        "outcome": outcome,
        "message": _first(result) if failed else None,
        "snapshot": os.path.basename(str(snapshot)) if snapshot else None,
    }


def digest(steps: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """SHA-256 of the calls, whatever became of them: the same for a plan and for the run that carries it out."""
    calls = [
        {
            "cmdlet": step["cmdlet"],
            "identity": step["identity"],
            # Which domain controller is the one to use may change between a plan and its run.
            "parameters": {name: value for name, value in step["parameters"].items() if name != CONTROLLER},
        }
        for step in steps
    ]
    return hashlib.sha256(json.dumps(calls, sort_keys=True, default=str).encode()).hexdigest()


def commit(source: str) -> str | None:
    """The commit of the repository in which an inventory's source lies, with ``-dirty`` where files were changed."""
    directory = source if os.path.isdir(source) else os.path.dirname(source)
    if not os.path.exists(source):
        return None
    command = ["git", "-c", "core.fsmonitor=false", "-C", directory or "."]
    command += ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def ready(directory: str) -> None:
    """Find out before a run whether it can be written down. Raises Refused."""
    directory = Snapshots(directory, _OPTION, Place()).prepare()
    path = os.path.join(directory, NAME)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600))
        full = os.statvfs(directory).f_bavail == 0
    except OSError as exc:
        raise Refused(["%s: %s cannot be written: %s" % (_OPTION, path, exc.strerror)]) from None
    if full:
        raise Refused(["%s: %s cannot be written: no space is left on the disk" % (_OPTION, path)])


def append(directory: str, run: Run) -> None:
    """Add a run, in one write, while no other process does. Raises Refused."""
    directory = Snapshots(directory, _OPTION, Place()).prepare()
    path = os.path.join(directory, NAME)
    line = (json.dumps(run, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    with private_file.alone(path, _OPTION):
        try:
            if _count(path) >= MOST_RUNS:
                _rotate(path)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as exc:
            raise Refused(["%s: %s cannot be written: %s" % (_OPTION, path, exc.strerror)]) from None


def read(directory: str) -> str:
    """The lines of all files, the oldest first. Raises Refused where one cannot be read."""
    path = os.path.join(os.path.expanduser(directory), NAME)
    texts = []
    for name in (*("%s.%d" % (path, number) for number in range(KEPT, 0, -1)), path):
        data = private_file.read_if_there(name, _OPTION)
        if data:
            texts.append(data.decode("utf-8", "replace"))
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts)


def snapshots(directory: str) -> list[str]:
    """The names of the snapshots of all deployments, the newest first. Raises Refused."""
    path = os.path.expanduser(directory)
    try:
        names = os.listdir(path) if os.path.isdir(path) else []
    except OSError as exc:
        raise Refused(["%s: %s cannot be read: %s" % (_OPTION, path, exc.strerror)]) from None
    return sorted(filter(_SNAPSHOT.match, names), reverse=True)


def _count(path: str) -> int:
    try:
        with open(path, "rb") as stream:
            return sum(1 for _line in stream)
    except FileNotFoundError:
        return 0


def _rotate(path: str) -> None:
    for number in range(KEPT - 1, 0, -1):
        older = "%s.%d" % (path, number)
        if os.path.exists(older):
            os.replace(older, "%s.%d" % (path, number + 1))
    os.replace(path, path + ".1")


def _user() -> str:
    """Whose process it is, which no variable of the environment can say otherwise."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _first(result: t.Mapping[str, t.Any]) -> str:
    """The first reason or failure, on one line."""
    reasons = result.get("reasons") or [str(result.get("msg") or "no reason given").splitlines()[0]]
    return str(reasons[0])
