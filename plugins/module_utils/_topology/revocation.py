# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_partner_revocation does: one domain off the allowed partners, at once.

It is for the hour in which everything else may be broken. So nothing is looked at but the partners, one that cannot be
read hides no other, no lock is waited for, and of all bounds only ``protect`` holds.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._base.names import Invalid, canonical_domain
from .._base.names import key as key_of
from .._base.result import Params, Refused, Result, Unreadable
from .._base.step import Record, Step
from .._base.task import Task
from .._base.texts import some
from .._federation.apply import apply
from .._federation.catalogue import PARTNER
from .._federation.deployment import Deployment, Reader
from .._federation.federation import Federation, Wanted
from .._federation.guard import Guard
from .._federation.lock import alone
from .._federation.plan import make_plan
from .._federation.resource import Resource
from .._federation.summary import block, diff, summarise
from .._federation.tasks import PROTECT
from .._shell.statement import Shell, ShellError, Statement, place_of
from .replication import PUSH

ARGUMENT_SPEC: dict[str, t.Any] = {"domain": {"type": "str", "required": True}, "protect": PROTECT}


class _Partners(Reader):
    """Reads partners each by itself. unreadable: what is wrong with those that have another form, by their identity."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.unreadable: dict[str, str] = {}

    def kinds(self, resources: t.Sequence[Resource]) -> Deployment:
        found: dict[str, Record] = {}
        self.unreadable = {}
        for item in self._ask([Statement("Get-" + PARTNER.noun)]).output:
            try:
                found.update(PARTNER.records([item]))
            except Unreadable as exc:
                identity = item.get("Identity") if isinstance(item, dict) else None
                name = PARTNER.identity_from_server(identity) if isinstance(identity, str) else ""
                self.unreadable[name] = str(exc)
                if name:
                    # Enough to remove it by its name.
                    found[key_of(name)] = Record(name, {"additional_domains": []}, str(identity))
        return Deployment("", {PARTNER.part: found})


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_partner_revocation. Raises Refused, ServerRefused, ShellError; nothing was written then."""
    try:
        domain = canonical_domain(params["domain"] or "")
    except Invalid as exc:
        raise Refused(["domain: %s" % exc]) from None
    with contextlib.ExitStack() as held:
        warnings = [] if check else _turn(shell, held)
        result = _revoke(params, shell, check, domain)
    result.warnings = [*warnings, *result.warnings]
    return result


def _turn(shell: Shell, held: contextlib.ExitStack) -> list[str]:
    """Keep other runs out; but a revocation does not wait for one that writes. Returns a warning if there is one."""
    try:
        held.enter_context(alone(shell, limit=0))
    except Refused as exc:
        text = "%s. The revocation did not wait. If another run allows the domain meanwhile, revoke it once more"
        return [text % "; ".join(exc.reasons)]
    return []


def _revoke(params: Params, shell: Shell, check: bool, domain: str) -> Result:
    """The work, of a canonical domain. Raises as work() does."""
    reader = _Partners(shell)
    deployment = reader.kinds([PARTNER])
    owner, unread = _owner(deployment, domain), reader.unreadable
    guard = Guard(protect=tuple(params["protect"]), force=True, playbook=bool(place_of(shell).playbook))
    if owner is None:
        if unread:
            text = "whether a partner has %s as an additional domain cannot be known: %s"
            raise Refused([text % (domain, "; ".join(unread.values()))])
        return _result(shell, domain, None, [], [], check)
    whole = owner.key == key_of(domain)
    going = [domain, *(owner.values["additional_domains"] if whole else ())]
    protected = {name: pattern for name in going if (pattern := guard.protector(key_of(name))) is not None}
    if protected:
        text = "%s: is protected by '%s', and nothing removes it; take it out of %s first"
        raise Refused([text % (name, pattern, guard.name("protect")) for name, pattern in protected.items()])
    left = [name for name in owner.values["additional_domains"] if name != domain]
    wanted = Wanted(owner.identity, {} if whole else {"additional_domains": left}, absent=whole)
    steps = make_plan(deployment, Federation({PARTNER.part: (wanted,)}), guard).steps
    if check:
        return _result(shell, domain, owner, steps, ["planned"] * len(steps), check)
    applied = apply(shell, steps, reader)
    result = _result(shell, domain, owner, applied.steps, applied.results, check)
    result.failures = applied.failures
    unseen = ["what else goes with %s could not be read" % owner.identity] if owner.identity in unread else []
    result.warnings = [*applied.warnings, *unseen, *result.warnings]
    return result


def _owner(deployment: Deployment, domain: str) -> Record | None:
    """The partner that has the domain, by its own name before any other's additional domain."""
    partners = deployment.of(PARTNER.part)
    own = partners.get(key_of(domain))
    return own or next((one for one in partners.values() if domain in one.values["additional_domains"]), None)


def _result(
    shell: Shell, domain: str, owner: Record | None, steps: t.Sequence[Step], results: list[str], check: bool
) -> Result:
    """The result, after the push of what was written."""
    done = [step for step, word in zip(steps, results, strict=True) if word in ("done", "planned")]
    push = Step(PUSH, "", {})
    problem = _push(shell, push) if done and not check else ""
    pushed = [push.shown("planned" if check else "failed" if problem else "done")] if done else []
    also = list(owner.values["additional_domains"]) if owner is not None and owner.key == key_of(domain) else []
    place = place_of(shell)
    report = block(
        steps,
        summarise(done, 0),
        deployment=place.deployment,
        host=place.host,
        check=check,
        results=None if check else results,
    )
    if owner is None:
        report.append("%s is no allowed partner, nor an additional domain of one." % domain)
    elif also:
        report.append("With %s %s its additional domains: %s" % (domain, "would go" if check else "go", some(also, 50)))
    elif owner.key != key_of(domain):
        report.append("%s is an additional domain of %s, which stays." % (domain, owner.identity))
    return Result(
        values={
            "domain": domain,
            "owner": owner.identity if owner else None,
            "also_revoked": also,
            "summary": summarise(done, 0),
            "report": report,
        },
        changed=bool(done),
        diff=diff(done),
        steps=[*(step.shown(word) for step, word in zip(steps, results, strict=True)), *pushed],
        warnings=[problem] if problem else [],
    )


def _push(shell: Shell, push: Step) -> str:
    """Why replication could not be pushed; empty if it was. What was written stands either way."""
    try:
        answer = shell.invoke([push.statement])
    except ShellError as exc:
        said = str(exc)
    else:
        said = answer.errors[0].message if answer.errors else answer.lost
    if not said:
        return ""
    text = "written, but replication could not be pushed, so the Edge learns of it with the next one: %s"
    return text % said


TASK = Task(ARGUMENT_SPEC, work, writes=True)
