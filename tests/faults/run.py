# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run as a process of its own, which can be killed or be left without room: ``python -m tests.faults.run FILE``."""

from __future__ import annotations

import json
import resource
import signal
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import TASK as CERTIFICATE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, ShellError, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from tests.unit.plugin_utils.test_psrp_options import OPTIONS

TASKS: dict[str, Task] = {"federation": FEDERATION, "certificate": CERTIFICATE, "partners": plural(PARTNER)}
# What says that a task has written nothing.
NOTHING_WRITTEN = (Refused, ServerRefused, ShellError)
# Seconds that a client waits for an answer in these trials.
PATIENCE = 2


@dataclass(frozen=True)
class Job:
    """One task as a play would run it. where: the connection's options."""

    host: str
    task: str
    arguments: dict[str, t.Any]
    where: dict[str, t.Any]
    home: str


class Session:
    """A shell as a module has it, over TLS that is verified."""

    def __init__(self, job: Job) -> None:
        self.session = PsrpSession(target({**OPTIONS, **job.where}))
        self.session.limit = 30
        self.place = Place(host=job.host, home=job.home)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        try:
            return Answer.decode(self.session.invoke([Statement.decode(one.encode()) for one in statements]).encode())
        except SessionError as exc:
            raise ShellError(str(exc)) from exc


def do(job: Job) -> Result:
    """As a task of a play: a session of its own. Raises what the work raises."""
    task = TASKS[job.task]
    validated = ArgumentSpecValidator(dict(task.argument_spec)).validate(job.arguments)
    if validated.error_messages:
        raise ValueError(validated.error_messages)
    shell = Session(job)
    try:
        return task.work(validated.validated_parameters, shell, False)
    finally:
        shell.session.close()


def main(file: Path) -> None:
    """Do the jobs of a file and print what became of the last one. room: bytes that a file may have."""
    content = json.loads(file.read_text())
    if content.get("room") is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (content["room"], content["room"]))
    try:
        for job in content["jobs"]:
            result = do(Job(**job))
            told = {"changed": result.changed, "failures": [str(failure) for failure in result.failures]}
            told["warnings"] = result.warnings
    except NOTHING_WRITTEN as exc:
        told = {"refused": str(exc)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
