# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the process that keeps a host's session: Ansible's own daemon, as a fork of the worker that needs the session.

Ansible itself starts a new Python process, which loads Ansible and this collection again. A fork already has Ansible
and the collection in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import inspect
import io
import json
import logging
import os
import sys
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.service import fork_process
from ansible.utils.display import Display

_PARAMETERS = {
    "__init__": ["self", "fd", "play_context", "socket_path", "original_path", "task_uuid", "ansible_playbook_pid"],
    "start": ["self", "options"],
    "run": ["self"],
}


def _process() -> t.Any:
    """Return Ansible's class of the daemon's process. The import is late, because the import reads the terminal."""
    from ansible.cli.scripts.ansible_connection_cli_stub import ConnectionProcess

    return ConnectionProcess


def can_fork() -> bool:
    """Return whether this ansible-core has the class of the daemon's process in the form that this file uses."""
    try:
        of = _process()
        return hasattr(Display(), "_final_q") and all(
            list(inspect.signature(getattr(of, name)).parameters) == parameters
            for name, parameters in _PARAMETERS.items()
        )
    except (ImportError, AttributeError, TypeError, ValueError):
        return False


@contextlib.contextmanager
def alone(path: str) -> t.Iterator[None]:
    """Keep other workers from starting a daemon with this socket. Ansible uses the same lock."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    lock = os.open("%s/.ansible_pc_lock_%s" % os.path.split(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def start(play_context: t.Any, options: dict[str, t.Any], path: str, task: str) -> list[tuple[str, str]]:
    """Start the daemon that listens at the path. Return its messages: level and text.

    Call this function in a worker, within alone(path). Raises AnsibleError if the daemon does not start.

    options: the options of the connection.
    task: the identifier of the task.
    """
    of, playbook, directory = _process(), str(os.getppid()), os.getcwd()
    reading, writing = os.pipe()
    child = fork_process()
    if child == 0:
        try:
            _leave_worker(writing)
            _rename("ansible_connection %s" % path)
            answer = os.fdopen(writing, "w")
            process = of(answer, play_context, path, directory, task, playbook)
            process.start(options)
            sys.stdout = io.StringIO()
            process.run()
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        text = answer.read()
    if not text:
        raise AnsibleError("the process that keeps the session did not start. Run again with -vvvv to see why")
    result: dict[str, t.Any] = json.loads(text)
    if "error" in result:
        raise AnsibleError(str(result["error"]))
    return [(str(level), str(text)) for level, text in result["messages"]]


def _leave_worker(kept: int) -> None:
    """Release everything that belongs to the worker, except for logs.

    The worker's files become /dev/null and are not closed. Otherwise, an object that closes its file later could close
    a new file with the same number.
    """
    gc.freeze()
    display: t.Any = Display()
    display._final_q = None  # the queue for the worker's messages
    logs = {one.stream.fileno() for one in logging.root.handlers if isinstance(one, logging.FileHandler) and one.stream}
    null = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):
        if int(name) not in {kept, null, *logs}:
            with contextlib.suppress(OSError):
                os.dup2(null, int(name), inheritable=False)
    sys.stdin, sys.stderr = open(os.devnull), open(os.devnull, "w")  # noqa: SIM115 - open until the process ends
    sys.stdout = io.StringIO()


def _rename(name: str) -> None:
    """Set the process's name in lists of processes, because the playbook's command line may have variables.

    The change works on Linux only. /proc/PID/stat has the address of the command line (proc(5), fields 48 and 49).
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        begin, length = int(fields[45]), int(fields[46]) - int(fields[45])
        if begin and length > 0:
            ctypes.memmove(begin, os.fsencode(name)[: length - 1].ljust(length, b"\0"), length)
