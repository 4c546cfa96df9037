# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_partner_revocation: remove one domain from the allowed partners, in all places at once.

A revocation must work in an emergency, even if other things are broken. So the run reads only the partners before the
writes. A partner that cannot be read does not hide the other partners. A revocation does not wait for a lock, and only
``protect`` can stop the revocation.
"""

from __future__ import annotations

import contextlib
import difflib
import time
import typing as t

from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.reading import UNREADABLE
from .._base.result import Failure, Params, Refused, Result, Unreadable
from .._base.step import Record, Step
from .._base.step_log import StepLog
from .._base.task import Task
from .._base.texts import some
from .._federation.apply import Applied, apply
from .._federation.catalogue import PARTNER
from .._federation.deployment import Deployment, Reader
from .._federation.federation import Wanted
from .._federation.guard import Guard
from .._federation.identity import read_identity
from .._federation.kinds import UnreadableValue
from .._federation.lock import alone
from .._federation.plan import step_for
from .._federation.resource import Resource
from .._federation.summary import block, diff, summarise
from .._federation.tasks import PROTECT
from .._federation.words import called
from .._shell.statement import ServerError, Shell, Statement, place_of
from .replication import Replica, Time, push_steps, read_replicas, wait
from .revocation_advice import RevocationAdvice

# The value of ``allow`` that lets a revocation remove protected domains.
PROTECTED = "protected"
ARGUMENT_SPEC: dict[str, t.Any] = {
    "domain": {"type": "str", "required": True},
    "reason": {"type": "str"},
    "restart": {"type": "bool", "default": False},
    "protect": PROTECT,
    "allow": {"type": "list", "elements": "str", "choices": [PROTECTED], "default": []},
}
_READ = "Get-" + PARTNER.noun
# Seconds to wait for the replicas before a restart, because the services start with the data of their replica.
_PATIENCE = 300
_NEAR = 0.75  # from this similarity of two domains on, one domain is probably a misspelling of the other


class _Partners(Reader):
    """Read partners, each by itself.

    unreadable: the errors of partners with an unknown form, by identity.
    hidden: the errors of the partners whose additional domains cannot be read either, by identity.
    """

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.unreadable: dict[str, str] = {}
        self.hidden: dict[str, str] = {}

    def kinds(self, resources: t.Sequence[Resource]) -> Deployment:
        found: dict[str, Record] = {}
        self.unreadable, self.hidden = {}, {}
        for item in self._ask([Statement(_READ)]).output:
            try:
                found.update(PARTNER.records([item]))
            except Unreadable as exc:
                identity = item.get("Identity") if isinstance(item, dict) else None
                name = PARTNER.identity_from_server(identity) if isinstance(identity, str) else ""
                self.unreadable[name] = str(exc)
                domains = _domains_of(item)
                if domains is None or not name:
                    self.hidden[name] = str(exc)
                if name:
                    # This record is enough to remove the partner, or to remove a domain from the partner.
                    found[key_of(name)] = Record(name, {"additional_domains": domains or []}, str(identity))
        return Deployment("", {PARTNER.part: found})


def _domains_of(item: t.Any) -> list[str] | None:
    field = PARTNER.field("additional_domains")
    try:
        return list(field.kind.from_server(item[field.prop]))
    except (KeyError, TypeError, UnreadableValue):
        return None


def work(params: Params, shell: Shell, check: bool, clock: Time = time) -> Result:
    """Do the work of xmpp_partner_revocation. Raises Refused, ServerRefused, ShellError before anything is written."""
    try:
        domain = canonical_domain(params["domain"] or "")
    except Invalid as exc:
        raise Refused(["domain: %s" % exc]) from None
    with contextlib.ExitStack() as held:
        warnings = [] if check else _turn(shell, held)
        result = _revoke(params, shell, check, domain, clock)
    result.warnings = [*warnings, *result.warnings]
    return result


def _turn(shell: Shell, held: contextlib.ExitStack) -> list[str]:
    """Keep other runs out, but do not wait for a run that writes. Return a warning about such a run."""
    try:
        held.enter_context(alone(shell, limit=0))
    except Refused as exc:
        text = "%s. The revocation did not wait for that run. If that run allows the domain again, revoke again"
        return [text % "; ".join(exc.reasons)]
    return []


def _revoke(params: Params, shell: Shell, check: bool, domain: str, clock: Time) -> Result:
    """Revoke a canonical domain. Raises the exceptions of work()."""
    reader = _Partners(shell)
    deployment = reader.kinds([PARTNER])
    owners = _owners(deployment, domain)
    if not owners:
        option = "sfb_xmpp_revoke_domain" if place_of(shell).playbook else "domain"
        _refuse_unknown(domain, deployment, reader.hidden, option)
    guard = Guard(protect=tuple(params["protect"]), force=True, called=called(place_of(shell).playbook))
    own = owners[0] if owners and owners[0].key == key_of(domain) else None
    going = [domain] * bool(owners) + list(own.values["additional_domains"] if own else ())
    protected = {name: pattern for name in going if (pattern := guard.protector(key_of(name))) is not None}
    if protected and PROTECTED not in params["allow"]:
        text = "%s: is protected by '%s', so it is not removed. Remove the entry from %s first"
        raise Refused([text % (name, pattern, guard.name("protect")) for name, pattern in protected.items()])
    lost = [name for name in reader.hidden if own and key_of(name) == own.key]
    steps = [step for one in owners if (step := _step(one, domain)) is not None]
    run = _Run(shell, domain, owners, steps, check)
    if not check and steps:
        before = _replicas(shell) if params["restart"] else ()
        applied = apply(shell, steps, reader, independent=True)
        run.applied(applied, reader.hidden)
        run.push()
    else:
        before = ()
        run.plan(deployment, reader.hidden)
    if params["restart"] and not check and not run.result.failures:
        run.wait(before, clock)
    run.warnings += [
        "the additional domains of %s, which are revoked with it, could not be read" % name for name in lost
    ]
    return run.finish(params["restart"])


def _owners(deployment: Deployment, domain: str) -> list[Record]:
    """Return the partners that have the domain. The partner whose main domain is this domain comes first."""
    partners = deployment.of(PARTNER.part)
    own = partners.get(key_of(domain))
    others = [one for one in partners.values() if one is not own and domain in one.values["additional_domains"]]
    return [*([own] if own else ()), *others]


def _step(owner: Record, domain: str) -> Step | None:
    whole = owner.key == key_of(domain)
    left = [name for name in owner.values["additional_domains"] if name != domain]
    wanted = Wanted(owner.identity, {} if whole else {"additional_domains": left}, absent=whole)
    return step_for(PARTNER, wanted, owner)[0]


def _refuse_unknown(domain: str, deployment: Deployment, hidden: t.Mapping[str, str], option: str) -> None:
    """Raise Refused if a domain without a partner may still be allowed, or may be misspelled."""
    if hidden:
        text = "it is unknown whether a partner has the additional domain %s: %s"
        raise Refused([text % (domain, "; ".join(hidden.values()))])
    partners = deployment.of(PARTNER.part).values()
    names = sorted({str(name) for one in partners for name in (one.identity, *one.values["additional_domains"])})
    near = max(names, key=lambda name: _likeness(domain, name), default="")
    if _likeness(domain, near) >= _NEAR:
        raise Refused(["%s: no partner has %s (did you mean %s?)" % (option, domain, near)])


def _likeness(one: str, other: str) -> float:
    """Return the similarity of two domains, from 0 to 1. Labels that both domains end with are not compared.

    So a domain is not similar to its child domains, and child domains of one parent are not similar to each other.
    """
    mine, theirs = one.split("."), other.split(".")
    while mine and theirs and mine[-1] == theirs[-1]:
        mine.pop(), theirs.pop()
    return difflib.SequenceMatcher(None, ".".join(mine), ".".join(theirs)).ratio()


def _replicas(shell: Shell) -> tuple[Replica, ...]:
    try:
        return read_replicas(shell)
    except UNREADABLE:
        return ()


class _Run:
    """Describe one revocation.

    result: the module's result, which the methods fill.
    """

    def __init__(
        self, shell: Shell, domain: str, owners: t.Sequence[Record], steps: t.Sequence[Step], check: bool
    ) -> None:
        self._shell, self._domain, self._owners, self._check = shell, domain, owners, check
        self._steps, self._results = steps, ["planned"] * len(steps)
        own = owners[0] if owners and owners[0].key == key_of(domain) else None
        self._also: list[str] = list(own.values["additional_domains"]) if own else []
        self._kept: dict[str, list[str]] = {}  # additional domains of the partner that another partner also has
        self._allowed: list[str] = []
        self._pushed: list[dict[str, t.Any]] = []
        self._advice = RevocationAdvice(shell)
        self.result = Result()
        self.warnings: list[str] = []

    def plan(self, deployment: Deployment, hidden: t.Mapping[str, str]) -> None:
        """Fill the result in check mode, and if no partner has the domain."""
        gone = {one.key for one in self._owners if one.key == key_of(self._domain)}
        self._keep(deployment, gone)
        self.warnings += [_unknown(self._domain, hidden)] if hidden and self._steps else []
        pushes = push_steps(self._advice.replicas) if self._steps else []
        self._pushed = [step.shown("planned") for step in pushes]

    def applied(self, applied: Applied, hidden: t.Mapping[str, str]) -> None:
        """Check the partners that were read after the writes. Only this read shows whether the domain is removed."""
        self._steps, self._results = applied.steps, applied.results
        self.result.failures = list(applied.failures)
        self.warnings += applied.warnings
        if applied.seen is None:
            return
        self._keep(applied.seen, set())
        self._allowed = [one.identity for one in _owners(applied.seen, self._domain)]
        failed = {failure.identity for failure in applied.failures}
        later = [name for name in self._allowed if name not in failed]
        if later:
            self._fail("StillAllowed", "the domain is still allowed by %s. Run the revocation again" % some(later))
        if hidden:
            self._fail("Unknown", _unknown(self._domain, hidden))

    def _keep(self, deployment: Deployment, gone: t.Collection[str]) -> None:
        for name in self._also:
            allowed = [one.identity for one in _owners(deployment, name) if one.key not in gone]
            if allowed:
                self._kept[name] = allowed
        if any(word == "failed" for word in self._results):
            return
        text = "%s is still allowed, because %s also has this domain. Revoke this domain too"
        self.warnings += [text % (name, some(allowed)) for name, allowed in self._kept.items()]

    def _fail(self, category: str, text: str) -> None:
        self.result.failures.append(Failure(_READ, self._domain, ServerError(_READ, "", category, text)))

    def push(self) -> None:
        """Push replication to the servers with XMPP. A failure is a warning: the product replicates by itself."""
        if "done" not in self._results:
            return
        steps = push_steps(self._advice.replicas)
        log = StepLog(self._shell, steps)
        for step in steps:
            log.do(step)
        self._pushed = log.shown("not_sent")
        text = "the domain is removed, but replication%s could not be pushed. The servers get the change later: %s"
        for one in log.failures:
            self.warnings.append(text % (" to " + one.identity if one.identity else "", one.error.message))
        self.warnings += log.warnings

    def wait(self, before: t.Sequence[Replica], clock: Time) -> None:
        """Wait for the replicas. A server that restarts with an old replica accepts the partner's streams again."""
        names = self._advice.replicas or None
        text = "the services are restarted although %s. Until the servers have the change, the partner may reconnect"
        try:
            _now, late = wait(self._shell, before, _PATIENCE, clock, names)
        except UNREADABLE as exc:
            self.warnings.append(text % ("the replicas cannot be read (%s)" % exc))
            return
        if late:
            self.warnings.append(text % ("%s did not get the change within %d s" % (some(late), _PATIENCE)))

    def finish(self, restart: bool) -> Result:
        done = [s for s, word in zip(self._steps, self._results, strict=True) if word in ("done", "planned")]
        also = [name for name in self._also if name not in self._kept]
        place = place_of(self._shell)
        report = block(
            self._steps,
            summarise(done, 0),
            deployment=place.deployment,
            host=place.host,
            check=self._check,
            results=None if self._check else self._results,
        )
        report += [
            *self._about(also),
            *self._advice.lines([self._domain, *also], restart=restart, pushes=bool(self._pushed)),
        ]
        result = self.result
        result.values = {
            "domain": self._domain,
            "owner": self._owners[0].identity if self._owners else None,
            "owners": [one.identity for one in self._owners],
            "also_revoked": also,
            "allowed_by": self._allowed,
            "summary": summarise(done, 0),
            "report": report,
        }
        with contextlib.suppress(*UNREADABLE):
            result.identity = read_identity(self._shell, place.deployment).as_dict()
        result.changed = bool(done)
        result.diff = diff(done)
        shown = [step.shown(word) for step, word in zip(self._steps, self._results, strict=True)]
        result.steps = [*shown, *self._pushed]
        result.warnings = [*self.warnings, *self._advice.warnings([self._domain, *also])]
        return result

    def _about(self, also: t.Sequence[str]) -> list[str]:
        if not self._owners:
            return [
                "%s is not allowed. No partner has it, and no partner has it as an additional domain." % self._domain
            ]
        lines = []
        if also:
            verb = "would also be" if self._check else "are also"
            lines.append("The additional domains of %s %s revoked: %s" % (self._domain, verb, some(also, 50)))
        others = [one.identity for one in self._owners if one.key != key_of(self._domain)]
        if others:
            stay = "This partner stays" if len(others) == 1 else "These partners stay"
            lines.append("%s is an additional domain of %s. %s." % (self._domain, some(others, 50), stay))
        return lines


def _unknown(domain: str, hidden: t.Mapping[str, str]) -> str:
    return "it is unknown whether %s has the additional domain %s: %s" % (
        some([name or "a partner without a name" for name in hidden]), domain, "; ".join(hidden.values()),
    )  # fmt: skip


TASK = Task(ARGUMENT_SPEC, work, writes=True)
