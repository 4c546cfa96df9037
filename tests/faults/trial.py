# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fault at one message, and what has to hold after it: nothing half, nothing lost, nothing done twice."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import STATUS

from tests.faults.place import KILLS, STATEMENTS
from tests.faults.run import NOTHING_WRITTEN, PATIENCE
from tests.faults.world import Scenario, World
from tests.integration.management import READS

# Where the message itself is carried out twice by whoever is on the way, a statement is there twice.
REPEATS = ("twice",)


@dataclass
class Verdict:
    """What one trial has shown. mistakes: texts; empty where all is well."""

    scenario: str
    fault: str
    message: int
    told: str = ""
    converged: bool = False
    lost: int = 0
    doubled: int = 0
    mistakes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Course:
    """How a scenario goes without a fault: the states before and after, how many messages and statements there are."""

    before: dict[str, t.Any]
    after: dict[str, t.Any]
    messages: int
    statements: int


def course(scenario: Scenario, world: World) -> Course:
    """Run it once undisturbed."""
    start = world.begin()
    before = scenario.state(world.store)
    world.way.arm()
    results = scenario.work(world)
    assert not [failure for result in results for failure in result.failures], results
    statements = sum(event.kind == "statement" for event in world.store.events(start))
    return Course(before, scenario.state(world.store), world.way.messages, statements)


def trial(scenario: Scenario, world: World, usual: Course, fault: str, message: int) -> Verdict:
    """The fault in a run, a second run, and a third."""
    verdict = Verdict(scenario.name, fault, message)
    start = world.begin()
    world.way.arm(fault, message)
    world.patience = PATIENCE
    results = _first(scenario, world, verdict, start)
    world.patience = 30
    now = scenario.state(world.store)
    _judge_whole(usual, now, verdict)
    if results is not None and fault != "request_late":
        _judge_told(results, usual, now, verdict)
    world.way.arm()
    try:
        again = scenario.work(world)
    except NOTHING_WRITTEN as exc:
        verdict.mistakes.append("the run after it was refused: %s" % exc)
        return verdict
    failures = [str(failure) for result in again for failure in result.failures]
    then = scenario.state(world.store)
    missing = sorted(key for key in {*then, *usual.after} if then.get(key) != usual.after.get(key))
    verdict.converged = not failures and not missing
    verdict.lost += len(missing)
    if not verdict.converged:
        verdict.mistakes.append("a further run does not converge: %s %s" % (failures[:3], missing[:5]))
    verdict.doubled = _doubled(world, start) if fault not in REPEATS else 0
    if verdict.doubled:
        verdict.mistakes.append("%d writes were carried out twice" % verdict.doubled)
    mark = max((event.id for event in world.store.events()), default=0)
    third = scenario.work(world)
    written = [event.cmdlet for event in _writes(world, mark)]
    if any(result.changed for result in third) or written:
        verdict.converged = False
        verdict.mistakes.append("the run after that changes something: %s" % written)
    return verdict


def _first(scenario: Scenario, world: World, verdict: Verdict, start: int) -> list[Result] | None:
    """The run with the fault. An exception says that nothing was written by that task."""
    if verdict.fault in KILLS:
        code, told = world.apart(scenario.jobs(world))
        # A run that waits for replicas asks now and then, so that one has a few messages more than another.
        met = world.way.messages >= verdict.message
        verdict.told = "killed" if code == -9 else "success" if not met and not told.get("failures") else str(told)
        if code != -9 and met:
            verdict.mistakes.append("it was not killed: %s %s" % (code, told))
        return None
    try:
        results = scenario.work(world)
    except NOTHING_WRITTEN as exc:
        verdict.told = "refused"
        if len(scenario.hosts) == 1 and verdict.fault != "request_late" and _writes(world, start):
            verdict.mistakes.append("said that nothing was written, but something was: %s" % exc)
        if not str(exc).strip():
            verdict.mistakes.append("no words")
        return None
    except Exception as exc:  # noqa: BLE001 - a mistake of the collection, which is what is looked for
        verdict.told = "broken"
        verdict.mistakes.append("%s: %s" % (type(exc).__name__, exc))
        return None
    verdict.told = "failures" if any(result.failures for result in results) else "success"
    return results


def _judge_whole(usual: Course, now: dict[str, t.Any], verdict: Verdict) -> None:
    """Each object is as it was or as it has to be."""
    for key in sorted({*usual.before, *usual.after, *now}):
        if now.get(key) not in (usual.before.get(key), usual.after.get(key)):
            verdict.mistakes.append("%s is neither as it was nor as declared: %s" % (key, now.get(key)))


def _judge_told(results: t.Sequence[Result], usual: Course, now: dict[str, t.Any], verdict: Verdict) -> None:
    """Success means that all is there; each step has an outcome, and each that is not done a reason."""
    failures = [failure for result in results for failure in result.failures]
    steps = [step for result in results for step in result.steps or ()]
    if not failures and now != usual.after:
        missing = sorted(key for key in {*now, *usual.after} if now.get(key) != usual.after.get(key))
        verdict.lost += len(missing)
        verdict.mistakes.append("reported success, but %s is not as declared" % ", ".join(missing[:5]))
    open_steps = [step for step in steps if step["result"] != "done"]
    if {step["result"] for step in steps} - {"done", "failed", "not_sent"}:
        verdict.mistakes.append("a step without an outcome: %s" % steps)
    # Waiting for replicas is no step: it fails by itself.
    of_steps = [failure for failure in failures if failure.cmdlet != STATUS]
    if bool(open_steps) != bool(of_steps):
        verdict.mistakes.append("%d steps are not done, and there are %d failures" % (len(open_steps), len(of_steps)))
    for failure in failures:
        if not failure.error.message.strip():
            verdict.mistakes.append("%s %s failed without words" % (failure.cmdlet, failure.identity))


def _writes(world: World, since: int) -> list[t.Any]:
    return [e for e in world.store.events(since) if e.kind == "statement" and not e.cmdlet.startswith(READS)]


def _doubled(world: World, since: int) -> int:
    """Writes that took effect again although nothing else was written to the same object in between.

    A certificate that went back after a failure is assigned anew by the next run: that is not counted.
    """
    last: dict[tuple[str, ...], str] = {}
    doubled = 0
    for event in _writes(world, since):
        verb, _dash, noun = event.cmdlet.partition("-")
        if event.outcome != "ok" or verb not in ("New", "Set", "Remove", "Grant") or not noun.startswith("Cs"):
            continue
        parameters = event.parameters
        identity = json.dumps(parameters.get("Identity", parameters.get("Type")))
        written = verb + json.dumps(parameters, sort_keys=True)
        doubled += last.get((event.host, noun, identity)) == written
        last[event.host, noun, identity] = written
    return doubled


def places(usual: Course, fault: str, most: int) -> list[int]:
    """The numbers of messages or statements to try: all, or so many, spread over the run, with both its ends."""
    count = usual.statements if fault in STATEMENTS else usual.messages
    if most <= 0 or count <= most:
        return list(range(1, count + 1))
    step = (count - 1) / (most - 1)
    return sorted({round(1 + number * step) for number in range(most)})
