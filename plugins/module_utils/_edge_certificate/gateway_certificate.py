# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of an Edge's usages: bring it there, put it in force, leave nothing behind. One run, one result."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from .._base.findings import Finding
from .._base.result import Refused, Result
from .._base.step import Step, difference
from .._shell.statement import Shell
from .._x509.certificate import der, describe
from .._x509.renewal import Verdict
from . import edge_steps as steps
from .edge import ASKED, FORMER, MARKER, Edge, Sight, Stored, transport
from .journal import Journal
from .listener import Listener
from .supply import NEW, UNREADABLE, Supply
from .switch import Switch

PHASES = ("all", "stage", "switch")

# What a run returns that ends without a certificate, beside what it has to tell.
NO_CERTIFICATE: t.Mapping[str, t.Any] = {
    "certificate": None,
    "assigned": {},
    "findings": [],
    "in_force": "unknown",
    "former_thumbprint": None,
    "restarts": {},
    "went_back": False,
    "presented": None,
    "staged": False,
    "pending": False,
    "request": None,
    "renewal": None,
}


@dataclass(frozen=True)
class Order:
    """What a run is about, beside the certificate itself.

    usages, restart, phase: as the module's options; keep_former: days after which a certificate that was replaced is
    deleted from the store, None: never; now: UTC, aware.
    """

    usages: t.Sequence[str]
    restart: str
    now: datetime.datetime
    phase: str = "all"
    keep_former: int | None = None
    listener: Listener | None = None


@dataclass
class Choice:
    """What was decided: the certificate and its way to the Edge, or that there is none yet.

    supply: a result instead while a request waits for its answer. made: the certificate was made in this run, so that
    another run would make another one. verdict: about the renewal of the certificate in force. findings: warnings;
    errors were refused before.
    """

    supply: Supply | Result
    findings: t.Sequence[Finding] = ()
    verdict: Verdict | None = None
    made: bool = False
    warnings: list[str] = field(default_factory=list)


class Bring:
    """One run with state present."""

    def __init__(self, choice: Choice, supply: Supply, order: Order, shell: Shell, before: Sight) -> None:
        self.choice, self.supply, self.order, self.before = choice, supply, order, before
        self.edge = Edge(shell)
        self.shell = shell
        self.switch = Switch(self.edge, before, order.usages, order.restart, order.listener)
        self.warnings: list[str] = list(choice.warnings)
        self.pending = ""

    def run(self, check: bool) -> Result:
        """Raises Refused, ServerRefused, ShellError before anything was written."""
        self.sweep = [steps.remove(name) for name in self.before.files if transport(name)]
        self.bring = self.supply.plan(self.before)
        if self.order.phase == "switch" and any(step.cmdlet != "Remove-Item" for step in self.bring):
            raise Refused(["%s is not on this Edge yet; stage it first (phase: stage)" % self.supply.thumbprint])
        staging = self.order.phase == "stage"
        switching = [] if staging else self.switch.plan(self.supply.thumbprint)
        self.former = [] if staging else [*self.supply.finish(), *self._former()]
        planned = [*self.sweep, *self.bring, *switching, *self.former]
        if planned:
            check_clock(self.edge, self.order.now)
        aliases = dict(self.supply.aliases)
        if check and self.choice.made:
            aliases[self.supply.thumbprint] = NEW
        self.journal = Journal(self.shell, planned, self.supply.secrets, aliases)
        if check or not planned:
            return self._result(self._expected(), "planned")
        self._apply(staging)
        after: Sight | None = None
        try:
            after = self.edge.sight()
        except UNREADABLE as exc:
            self.warnings.append("what the Edge has now could not be read: %s" % exc)
        return self._result(after, "not_sent")

    def _apply(self, staging: bool) -> None:
        for step in self.sweep:
            self._send(step)
        if self.bring:
            taken = self.supply.take(self.journal, self.edge)
            self.pending = getattr(self.supply, "pending", "")
            if not taken:
                return
        if staging:
            return
        self.switch.settle(self.supply.thumbprint, self.journal)
        if self.switch.apply(self.journal):
            for step in self.former:
                self._send(step)

    def _send(self, step: Step) -> None:
        errors = self.journal.send(step)
        if errors:
            self.journal.fail(step, errors[step.cmdlet])

    def _former(self) -> list[Step]:
        """Notes about what is replaced now, and the removal of what was replaced long enough ago."""
        if self.order.keep_former is None:
            return []
        today = self.order.now.strftime("%Y%m%d")
        replaced = {self.before.thumbprint(usage) for usage in self.switch.changing}
        found = [
            steps.note("sfb-xmpp-former-%s-%s.note" % (today, former), "former")
            for former in sorted(name for name in replaced if name and name in self.before.store)
        ]
        kept = [usage for usage in self.before.assigned if usage not in self.switch.changing]
        in_use = {self.supply.thumbprint, *map(self.before.thumbprint, kept)}
        for name in self.before.files:
            match = FORMER.match(name)
            if match is None:
                continue
            since = datetime.datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=datetime.timezone.utc)
            if match[2] in in_use:
                found.append(steps.remove(name))
            elif match[2] not in replaced and (self.order.now - since).days >= self.order.keep_former:
                if match[2] in self.before.store:
                    found.append(steps.delete_certificate(match[2]))
                found.append(steps.remove(name))
        return found

    # Result

    def _expected(self) -> Sight:
        """What the plan makes of the Edge."""
        wanted = self.supply.thumbprint
        changed = {} if self.order.phase == "stage" else {usage: {"Thumbprint": wanted} for usage in self.order.usages}
        store = dict(self.before.store)
        if self.supply.certificate is not None:
            store[wanted] = Stored(der(self.supply.certificate), True)
        files = [name for name in self.before.files if not transport(name) and name != MARKER]
        marked = MARKER in self.before.files if self.order.phase == "stage" else self.switch.marked
        gone = {step.identity for step in self.bring + self.former if step.cmdlet == "Remove-Item"}
        notes = [step.identity for step in self.bring + self.former if step.cmdlet == "Set-Content"]
        written = [name for name in notes if name == ASKED or FORMER.match(name)]
        files = [name for name in dict.fromkeys([*files, *written]) if name not in gone]
        files = sorted([*files, MARKER] if marked else files)
        return Sight({**self.before.assigned, **changed}, store, files)

    def _result(self, after: Sight | None, untouched: str) -> Result:
        shown = self.journal.shown(untouched)
        changed = any(step["result"] in ("planned", "done") for step in shown)
        wanted = self.supply.thumbprint
        assigned = {usage: after.thumbprint(usage) if after else None for usage in self.order.usages}
        mine = [usage for usage in self.order.usages if assigned[usage] == wanted]
        fresh = untouched == "planned" and self.choice.made and bool(shown)
        values = {
            **described(self.supply, mine, fresh),
            "assigned": {usage: NEW if fresh and value == wanted else value for usage, value in assigned.items()},
            "findings": [finding.as_dict() for finding in self.choice.findings],
            "in_force": self._in_force(after, mine, bool(shown) and untouched == "planned"),
            "former_thumbprint": next((self.before.thumbprint(usage) for usage in self.switch.changing), None),
            "restarts": self.switch.down,
            "went_back": self.switch.went_back,
            "presented": self.switch.seen.thumbprint if self.switch.seen else None,
            "staged": self._staged(after),
            "pending": bool(self.pending),
            "request": None,
            "renewal": self.choice.verdict.as_dict() if self.choice.verdict else None,
        }
        remarks = [str(finding) for finding in self.choice.findings] if changed else []
        if self.pending:
            self.warnings.append(self.pending)
        return Result(
            values=values,
            changed=changed,
            diff=self._diff(after, fresh) if changed and after else [],
            steps=shown,
            failures=self.journal.failures,
            warnings=[*remarks, *self.warnings, *self.switch.warnings, *self.journal.warnings],
        )

    def _staged(self, after: Sight | None) -> bool:
        stored = after.store.get(self.supply.thumbprint) if after else None
        return stored is not None and stored.has_key is not False

    def _in_force(self, after: Sight | None, mine: t.Sequence[str], only_planned: bool) -> str:
        if after is None or MARKER in after.files or only_planned or list(mine) != list(self.order.usages):
            return "unknown"
        seen = self.switch.seen
        if seen is None or not seen.reached:
            return "assigned"
        return "proven" if seen.thumbprint == self.supply.thumbprint else "unknown"

    def _diff(self, after: Sight, fresh: bool) -> list[dict[str, str]]:
        names = [restart.service.name for restart in self.switch.restarts]
        restarted = [name for name in names if name in self.switch.down] if self.journal.sent_anything else names
        usages = self.order.usages
        shown = {**after.shown(usages), "restarted": restarted}
        if fresh:
            own = self.supply.thumbprint
            shown = {k: NEW if isinstance(v, str) and v.startswith(own) else v for k, v in shown.items()}
        return [difference("gateway certificate", {**self.before.shown(usages), "restarted": []}, shown)]


def described(supply: Supply, usages: t.Sequence[str], fresh: bool) -> dict[str, t.Any]:
    """The return value ``certificate``. Of one that a run would make, only what is sure beforehand is told."""
    if supply.certificate is None:
        return {"certificate": None}
    facts = describe(supply.certificate)
    if fresh:
        facts.update(thumbprint=None, serial_number=None)
    return {"certificate": {**facts, "usages": list(usages)}}


# Further apart than this, one of the clocks is wrong and not just in another time zone.
_CLOCKS = datetime.timedelta(days=1)


def check_clock(edge: Edge, now: datetime.datetime) -> None:
    """Raises Refused if the controller and the Edge do not agree what day it is: validity cannot be judged then."""
    theirs = edge.clock()
    if theirs is not None and abs(theirs - now) > _CLOCKS:
        raise Refused(
            [
                "the clocks of controller (%s) and Edge (%s) are more than a day apart; one of them is wrong, so it"
                " cannot be told which certificates are valid" % (_iso(now), _iso(theirs))
            ]
        )


def _iso(time: datetime.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
