# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of an Edge's usages: bring it there, assign it, restart what presents it, leave nothing behind.

The way of the private key: the file on the controller is opened and wrapped anew under a one-time passphrase that
exists only in this process, written to the Edge by Set-Content, imported and removed by one request.
"""

from __future__ import annotations

import datetime
import secrets
import time
import typing as t
from dataclasses import dataclass

from ._certificate import Bundle, Finding, der, describe, thumbprint, wrap
from ._converge import Result, ServerRefused
from ._edge import DIRECTORY, MARKER, USAGES, Edge, Service, Sight, Stored, affected
from ._journal import Journal
from ._plan import Refused, Step, difference
from ._shell import Secret, ServerError, Shell, ShellError, Value

# In an envelope of 150 kB (the default), base64 inside base64 leaves room for about 80 kB.
CHUNK = 32 * 1024

# What the random name of the file on the Edge is shown as, so that check mode shows what a run does.
ANY_FILE = "sfb-xmpp-*.pfx"

_UNREADABLE = (Refused, ServerRefused, ShellError)


@dataclass(frozen=True)
class Restart:
    """One service's stop and start, sent together so that the start runs whatever becomes of the controller."""

    service: Service
    stop: Step
    start: Step


@dataclass(frozen=True)
class Plan:
    """The steps in the order in which they are sent.

    A restart that is due is marked by a file on the Edge before the certificate is assigned, and the mark goes away
    when the services run again: a run that fails in between is completed by the next one.
    """

    sweep: tuple[Step, ...] = ()
    carry: tuple[Step, ...] = ()
    take: tuple[Step, Step] | None = None  # import, remove
    mark: Step | None = None
    assign: Step | None = None
    restarts: tuple[Restart, ...] = ()
    unmark: Step | None = None

    @property
    def steps(self) -> list[Step]:
        found = [*self.sweep, *self.carry, *(self.take or ()), self.mark, self.assign]
        for restart in self.restarts:
            found += [restart.stop, restart.start]
        return [step for step in [*found, self.unmark] if step is not None]


class Bring:
    """One run with state present. ``findings`` are warnings about the certificate; errors were refused before.

    ``restart`` is affected, all or none; ``now`` is UTC, aware.
    """

    def __init__(
        self,
        bundle: Bundle,
        findings: t.Sequence[Finding],
        usages: t.Sequence[str],
        restart: str,
        shell: Shell,
        now: datetime.datetime,
    ) -> None:
        self.bundle = bundle
        self.findings = findings
        self.usages = usages
        self.restart = restart
        self.now = now
        self.shell = shell
        self.edge = Edge(shell)
        self.thumbprint = thumbprint(bundle.certificate)
        self.passphrase = Secret(secrets.token_hex(16))
        self.file = "sfb-xmpp-%s.pfx" % secrets.token_hex(8)
        self.services: list[Service] = []
        self.warnings: list[str] = []
        self.down: dict[str, float] = {}

    def run(self, check: bool) -> Result:
        """Raises Refused, ServerRefused, ShellError before anything was written."""
        self.before = self.edge.sight()
        self.changing = [usage for usage in self.usages if self.before.thumbprint(usage) != self.thumbprint]
        self.plan = self._plan()
        aliases = {_path(self.file): _path(ANY_FILE)}
        self.journal = Journal(self.shell, self.plan.steps, self.passphrase, aliases)
        if check or not self.plan.steps:
            return self._result(self._expected(), "planned")
        self._apply()
        after: Sight | None = None
        try:
            after = self.edge.sight()
        except _UNREADABLE as exc:
            self.warnings.append("what the Edge has now could not be read: %s" % exc)
        return self._result(after, "not_sent")

    # Plan

    def _plan(self) -> Plan:
        stored = self.before.store.get(self.thumbprint)
        bring = stored is None or stored.has_key is False
        marked = MARKER in self.before.files
        pending = marked and self.restart != "none"
        restarts = self._restarts(self.usages if pending else self.changing) if self.changing or pending else ()
        return Plan(
            sweep=tuple(_remove(name, name) for name in self.before.files if name != MARKER),
            carry=tuple(self._carry()) if bring else (),
            take=(self._import(), _remove(self.file, ANY_FILE)) if bring else None,
            mark=_write("Set-Content", MARKER, MARKER, b"restart") if self.changing and not marked else None,
            assign=self._assignment() if self.changing else None,
            restarts=restarts,
            unmark=_remove(MARKER, MARKER) if restarts else None,
        )

    def _carry(self) -> t.Iterator[Step]:
        data = wrap(self.bundle, self.passphrase, self.now)
        for start in range(0, len(data), CHUNK):
            cmdlet = "Add-Content" if start else "Set-Content"
            yield _write(cmdlet, self.file, ANY_FILE, data[start : start + CHUNK])

    def _import(self) -> Step:
        return Step(
            "Import-CsCertificate",
            self.thumbprint,
            {
                "Path": _path(self.file),
                "Password": self.passphrase,
                # It also lets Network Service, under which the services run, read the key.
                "PrivateKeyExportable": True,
                "Confirm": False,
            },
        )

    def _assignment(self) -> Step:
        parameters: dict[str, Value] = {"Type": tuple(self.changing), "Thumbprint": self.thumbprint, "Confirm": False}
        return Step("Set-CsCertificate", self.thumbprint, parameters)

    def _restarts(self, usages: t.Sequence[str]) -> tuple[Restart, ...]:
        if self.restart == "none":
            return ()
        self.services = self.edge.services()
        chosen = affected(usages, self.services) if self.restart == "affected" else None
        if chosen is None:
            if self.restart == "affected" and not set(usages) >= set(USAGES):
                self.warnings.append(
                    "not every one of %s has a service that is known to present its certificate, so all services of "
                    "the Edge are restarted" % ", ".join(usages)
                )
            # A service that somebody stopped stays stopped, unless it is one that has to present the certificate.
            chosen = [s for s in self.services if s.running or any(s.presents(usage) for usage in usages)]
        return tuple(
            Restart(service, _service_step("Stop", service.name), _service_step("Start", service.name))
            for service in chosen
        )

    # Apply

    def _apply(self) -> None:
        for step in self.plan.sweep:
            self._send(step)
        if self.plan.take and not self._take(*self.plan.take):
            return
        if self.plan.mark and not self._send(self.plan.mark):
            return
        if self.plan.assign and not self._assign(self.plan.assign):
            if self.plan.mark:  # nothing was assigned, so nothing is due
                self._send(self.plan.unmark or _remove(MARKER, MARKER))
            if self.plan.mark or not self.plan.restarts:
                return
        if self.plan.restarts and self._restart_all() and self.plan.unmark:
            self._send(self.plan.unmark)

    def _send(self, step: Step) -> bool:
        errors = self.journal.send(step)
        if errors:
            self.journal.fail(step, errors[step.cmdlet])
        return not errors

    def _take(self, import_: Step, remove: Step) -> bool:
        """Carry the file over and import it. Whatever happens, it is removed again."""
        try:
            if not all(self._send(step) for step in self.plan.carry):
                return False
            errors = self.journal.send(import_, remove)
            error = errors.get(import_.cmdlet)
            try:
                stored = self.edge.store().get(self.thumbprint)
            except _UNREADABLE as exc:
                self.journal.fail(import_, error or exc)
                return False
            if stored is None or stored.has_key is False:
                text = "no error was reported, but the certificate is not in the computer's store with its key"
                self.journal.fail(import_, error or text)
                return False
            self.journal.done(import_, error)
            return True
        finally:
            self._clear_away(remove)

    def _clear_away(self, remove: Step) -> None:
        error = ServerError(remove.cmdlet, "", "NotInEffect", "no error was reported")
        try:
            there = self.file in self.edge.files()
            if there:
                error = self.journal.send(remove).get(remove.cmdlet, error)
                there = self.file in self.edge.files()
        except _UNREADABLE as exc:
            there, error = True, ServerError(remove.cmdlet, "", "ConnectionError", str(exc))
        if there:
            text = "%s; %s may still be there, under a passphrase that no longer exists; the next run removes it" % (
                error.message,
                _path(self.file),
            )
            self.journal.fail(remove, ServerError(remove.cmdlet, error.error_id, error.category, text))
        elif self.journal.was_sent(remove):
            self.journal.done(remove)

    def _assign(self, step: Step) -> bool:
        """Whether any usage got the new certificate, or may have got it."""
        error = self.journal.send(step).get(step.cmdlet)
        try:
            seen = Sight(self.edge.assigned(), {})
        except _UNREADABLE as exc:
            self.journal.fail(step, error or exc)
            return True
        missing = [usage for usage in self.changing if seen.thumbprint(usage) != self.thumbprint]
        if missing:
            text = "no error was reported, but Get-CsCertificate does not show it for %s" % ", ".join(missing)
            self.journal.fail(step, error or text)
        else:
            self.journal.done(step, error)
        return missing != self.changing

    def _restart_all(self) -> bool:
        """Stop and start one service after the other. Whether all of them were restarted, and run."""
        began: dict[str, float] = {}
        for restart in self.plan.restarts:
            name = restart.service.name
            began[name] = time.monotonic()
            errors = self.journal.send(restart.stop, restart.start)
            if restart.stop.cmdlet in errors:
                self.journal.fail(restart.stop, errors[restart.stop.cmdlet])
                del began[name]
            elif not errors:
                self.down[name] = round(time.monotonic() - began[name], 1)
        running = self._make_run()
        for name in began:
            if running and name not in self.down:
                self.down[name] = round(time.monotonic() - began[name], 1)
        return running and len(began) == len(self.plan.restarts)

    def _make_run(self) -> bool:
        """Whatever ran before, and whatever was restarted, has to run: stopping a service also stops its dependents."""
        starts = {service.name: _service_step("Start", service.name) for service in self.services if service.running}
        starts.update({restart.service.name: restart.start for restart in self.plan.restarts})
        errors: dict[str, ServerError] = {}
        try:
            stopped = self._stopped(starts)
            for name in stopped:
                for error in self.journal.send(starts[name]).values():
                    errors[name] = error
            stopped = self._stopped(starts) if stopped else []
        except _UNREADABLE as exc:
            self.journal.fail(self.plan.restarts[-1].start, exc)
            return False
        for name, start in starts.items():
            if name in stopped:
                text = "the service does not run, although no error was reported"
                self.journal.fail(start, errors.get(name, text))
            elif self.journal.was_sent(start):
                self.journal.done(start)
        return not stopped

    def _stopped(self, names: t.Collection[str]) -> list[str]:
        return [service.name for service in self.edge.services() if service.name in names and not service.running]

    # Result

    def _expected(self) -> Sight:
        """What the plan makes of the Edge."""
        wanted = {usage: {"Thumbprint": self.thumbprint} for usage in self.usages}
        store = {**self.before.store, self.thumbprint: Stored(der(self.bundle.certificate), True)}
        marked = (MARKER in self.before.files or self.plan.mark) and not self.plan.unmark
        return Sight({**self.before.assigned, **wanted}, store, [MARKER] if marked else [])

    def _result(self, after: Sight | None, untouched: str) -> Result:
        steps = self.journal.shown(untouched)
        changed = any(step["result"] in ("planned", "done") for step in steps)
        assigned = {usage: after.thumbprint(usage) if after else None for usage in self.usages}
        mine = [usage for usage in self.usages if assigned[usage] == self.thumbprint]
        settled = after is not None and MARKER not in after.files and not (steps and untouched == "planned")
        values = {
            "certificate": {**describe(self.bundle.certificate), "usages": mine},
            "assigned": assigned,
            "findings": [finding.as_dict() for finding in self.findings],
            "in_force": "assigned" if settled and mine == list(self.usages) else "unknown",
            "former_thumbprint": next((self.before.thumbprint(usage) for usage in self.changing), None),
            "restarts": self.down,
        }
        remarks = [str(finding) for finding in self.findings] if changed else []
        return Result(
            values=values,
            changed=changed,
            diff=self._diff(after) if changed and after else [],
            steps=steps,
            failures=self.journal.failures,
            warnings=[*remarks, *self.warnings, *self.journal.warnings],
        )

    def _diff(self, after: Sight) -> list[dict[str, str]]:
        names = [restart.service.name for restart in self.plan.restarts]
        restarted = [name for name in names if name in self.down] if self.journal.sent_anything else names
        return _diff(
            {**self.before.shown(self.usages), "restarted": []},
            {**after.shown(self.usages), "restarted": restarted},
        )


def unbind(usages: t.Sequence[str], shell: Shell, check: bool) -> Result:
    """The usages lose their certificate, which stays in the store. No service is restarted: none could present one.

    Raises Refused, ServerRefused, ShellError before anything was written.
    """
    edge = Edge(shell)
    before = Sight(edge.assigned(), edge.store())
    bound = [usage for usage in usages if before.thumbprint(usage)]
    # Force answers the question that Remove-CsCertificate asks when the certificate is in use.
    parameters: dict[str, Value] = {"Type": tuple(bound), "Force": True, "Confirm": False}
    steps = [Step("Remove-CsCertificate", ", ".join(bound), parameters)] if bound else []
    journal = Journal(shell, steps, Secret(secrets.token_hex(16)), {})
    after = Sight({k: v for k, v in before.assigned.items() if k not in bound}, before.store)
    for step in () if check else steps:
        error = journal.send(step).get(step.cmdlet)
        try:
            after = Sight(edge.assigned(), before.store)
        except _UNREADABLE as exc:
            journal.fail(step, error or exc)
            continue
        still = [usage for usage in bound if after.thumbprint(usage)]
        if still:
            text = "no error was reported, but Get-CsCertificate still shows one for %s" % ", ".join(still)
            journal.fail(step, error or text)
        else:
            journal.done(step, error)
    shown = journal.shown("planned" if check else "not_sent")
    changed = any(step["result"] in ("planned", "done") for step in shown)
    return Result(
        values={
            "certificate": None,
            "assigned": {usage: after.thumbprint(usage) for usage in usages},
            "findings": [],
            "in_force": "unknown",
            "former_thumbprint": next((before.thumbprint(usage) for usage in bound), None),
            "restarts": {},
        },
        changed=changed,
        diff=_diff(before.shown(usages), after.shown(usages)) if changed else [],
        steps=shown,
        failures=journal.failures,
        warnings=journal.warnings,
    )


def _path(name: str) -> str:
    return "%s\\%s" % (DIRECTORY, name)


def _write(cmdlet: str, name: str, identity: str, data: bytes) -> Step:
    return Step(cmdlet, identity, {"LiteralPath": _path(name), "Encoding": "Byte", "Value": data})


def _remove(name: str, identity: str) -> Step:
    return Step("Remove-Item", identity, {"LiteralPath": _path(name), "Force": True})


def _service_step(verb: str, name: str) -> Step:
    return Step(verb + "-CsWindowsService", name, {"Name": name, "Confirm": False})


def _diff(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    return [difference("gateway certificate", before, after)]
