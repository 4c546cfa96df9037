# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules' tasks against the lab over the wire: a real PSRP session over TLS, without a playbook around it.

A task is validated as Ansible validates it, then works over the session that the connection plugin uses. What is
proven comes from the lab's event log and store, not only from what the task returns.
"""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import Captured
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import Target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from lab.deployment.endpoints import ADDRESSES
from lab.deployment.seed import seed
from lab.deployment.store import Event, Store
from lab.testing import Lab

# Where the lab answers for the deployment's own names, with the gateway's port.
NAMESERVER = ADDRESSES["fe01"]
READS = ("Get-", "Test-Path", "Import-Module", "Select-Object")


def renewed(lab: Lab) -> Lab:
    """The same lab as if it had just been installed, without faults and with an empty event log.

    Its replicas are up to date at once, since each run that writes waits for them; tests of the waiting set the time.
    """
    store = lab.store()
    with store.transaction():
        store.clear()
        seed(store, lab.profile, lab.shape)
        for setting in ("replication_seconds", "replication_notice", "status_empty_seconds"):
            store.set_setting(setting, 0.0)
    return lab


def target(lab: Lab, host: str, user: str, password: str, modules: tuple[str, ...] = (), winrm: bool = False) -> Target:
    """A host of the lab, over TLS that is verified, with Basic (the cheapest to open). winrm: a Front End's own."""
    path = "OcsPowershell" if host.startswith("fe") and not winrm else "wsman"
    wsman = {
        "server": lab.addresses[host],
        "port": lab.port,
        "ssl": True,
        "path": path,
        "auth": "basic",
        "username": user,
        "password": password,
        "cert_validation": str(lab.ca),
        "encryption": "auto",
        "operation_timeout": 20,
        "read_timeout": 30,
    }
    endpoint = "https://%s:%d/%s" % (lab.addresses[host], lab.port, path)
    return Target(host, endpoint, user, "basic", wsman, "Microsoft.PowerShell", modules)


class Management:
    """A session on one host of the lab, as a Shell, and what the lab has to say about it."""

    def __init__(self, lab: Lab, where: Target) -> None:
        self.lab = lab
        self.session = PsrpSession(where)
        self.requests = 0  # pipelines that the session ran
        pipeline = self.session._pipeline

        def counted(*arguments: t.Any) -> Answer:
            self.requests += 1
            return pipeline(*arguments)

        vars(self.session)["_pipeline"] = counted
        self.place = Place(host=where.name if hasattr(where, "name") else "fe01", home=str(lab.directory / "home"))

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        try:
            # Through the plain form, as between a module and the connection's process.
            return Answer.decode(
                self.session.invoke([Statement.decode(statement.encode()) for statement in statements]).encode()
            )
        except SessionError as exc:
            from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ShellError

            raise ShellError(str(exc)) from exc

    def capture(self, statement: Statement) -> Captured:
        """The same with what the server sent, as the connection gives it to a capture."""
        begun = time.monotonic()
        with self.session.capturing() as output:
            answer = self.invoke([statement])
        seconds, versions = time.monotonic() - begun, self.session.versions()
        return Captured(answer, tuple(output), seconds, self.session.cuts(statement), versions)

    def run(self, task: Task, check: bool = False, **arguments: t.Any) -> Result:
        """Validate the arguments and do the work. Raises what the work raises, ValueError for invalid arguments."""
        validated = ArgumentSpecValidator(dict(task.argument_spec)).validate(arguments)
        if validated.error_messages:
            raise ValueError(validated.error_messages)
        return task.work(validated.validated_parameters, self, check)

    @property
    def store(self) -> Store:
        return self.lab.store()

    def mark(self) -> int:
        """The number of the newest event."""
        return max((event.id for event in self.store.events()), default=0)

    def writes(self, since: int = 0) -> list[Event]:
        """Statements after ``since`` that change something, whatever became of them."""
        return [e for e in self.store.events(since) if e.kind == "statement" and not e.cmdlet.startswith(READS)]

    def rhythm(self, task: Task, **arguments: t.Any) -> Result:
        """Check, prove that nothing happened, do, prove that just the planned steps were sent, again: unchanged."""
        mark = self.mark()
        planned = self.run(task, check=True, **arguments)
        assert planned.changed, "check mode finds nothing to do"
        assert self.writes(mark) == []
        done = self.run(task, **arguments)
        assert [str(failure) for failure in done.failures] == []
        assert done.changed
        assert [step["result"] for step in done.steps or []] == ["done"] * len(done.steps or [])
        assert calls(done.steps or []) == calls(planned.steps or []) == logged(self.writes(mark))
        assert done.diff == planned.diff
        assert done.values == planned.values, "what check mode foresees is what is read back"
        mark = self.mark()
        again = self.run(task, **arguments)
        assert not again.changed
        assert again.steps == []
        assert again.diff == []
        assert self.writes(mark) == []
        assert again.values == done.values
        return done


def calls(steps: t.Sequence[t.Mapping[str, t.Any]]) -> list[tuple[str, dict[str, t.Any]]]:
    """The steps that a task returned, as comparable calls."""
    return [(step["cmdlet"], step["parameters"]) for step in steps]


def logged(events: t.Sequence[Event]) -> list[tuple[str, dict[str, t.Any]]]:
    """Events as calls in the form of a task's steps."""
    return [(event.cmdlet, {name: _shown(value) for name, value in event.parameters.items()}) for event in events]


def _shown(value: t.Any) -> t.Any:
    if isinstance(value, dict) and "uint32" in value:
        return value["uint32"]
    if isinstance(value, dict) and "hashtable" in value:
        return {name.lower(): content for name, content in value["hashtable"].items()}
    return value


def new_directory(factory: t.Any) -> Path:
    return t.cast(Path, factory.mktemp("lab"))
