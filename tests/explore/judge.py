# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to hold at the end of a schedule."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused

from tests.explore.jobs import Job
from tests.explore.scheduler import Told
from tests.explore.world import Deployment, Key, Values

# A text that says that another run was met has one of these words.
WORDS = ("another run", "overwrote another change", "is still allowed", "did not wait")

_KILLED = "killed"


def mistakes(
    world: Deployment,
    jobs: tuple[Job, Job],
    told: tuple[Told, Told],
    rights: t.Mapping[str, set[str]],
    serial: t.Sequence[t.Mapping[Key, Values]],
) -> list[str]:
    """What is wrong, in words. rights: before the runs. serial: the states to which one run after the other leads."""
    return [
        *["run %d crashed: %s" % (n, one.words) for n, one in enumerate(told) if one.state == "crashed"],
        *_lost_rights(world, jobs, told, rights),
        *_overwritten(world, told),
        *_mixed(world, told, serial),
        *_untrue(world, told),
    ]


def left_by_kill(
    world: Deployment, jobs: tuple[Job, Job], told: tuple[Told, Told], before: t.Mapping[str, set[str]]
) -> bool:
    """Whether a run that was killed left a user without a right, and nobody says so: who is dead tells nothing."""
    return _KILLED in (told[0].state, told[1].state) and bool(_unnamed(world, jobs, told, before))


def _lost_rights(
    world: Deployment, jobs: tuple[Job, Job], told: tuple[Told, Told], before: t.Mapping[str, set[str]]
) -> t.Iterator[str]:
    """A right that a user had, that no run was allowed to take, and that no run names as lost."""
    if _KILLED not in (told[0].state, told[1].state):
        for user, lost in _unnamed(world, jobs, told, before).items():
            yield "right lost: %s lost %s, and no run says so" % (user, ", ".join(sorted(lost)))


def _unnamed(
    world: Deployment, jobs: tuple[Job, Job], told: tuple[Told, Told], before: t.Mapping[str, set[str]]
) -> dict[str, set[str]]:
    """The rights that users lost, by the users whom no run names."""
    allowed = jobs[0].allowed | jobs[1].allowed
    lost = {user: before[user] - rights - allowed for user, rights in world.rights().items()}
    return {user: rights for user, rights in lost.items() if rights and not any(user in one.words for one in told)}


def _overwritten(world: Deployment, told: tuple[Told, Told]) -> t.Iterator[str]:
    """Both end green, and one replaced what the other one wrote without having seen it, and without a word."""
    if not (told[0].green and told[1].green):
        return
    for one in world.overwrites:
        said = any(word in text for text in _texts(told, one.name) for word in WORDS)
        if not said:
            yield "overwritten: run %d replaced what run %d wrote to %s" % (one.party, one.other, one.name)


def _texts(told: tuple[Told, Told], name: str) -> list[str]:
    return [line for one in told for line in one.words.splitlines() if name.casefold() in line.casefold()]


def _mixed(world: Deployment, told: tuple[Told, Told], serial: t.Sequence[t.Mapping[Key, Values]]) -> t.Iterator[str]:
    """Both end green without a word, and the result is none of one run after the other."""
    quiet = all(one.green and not any(word in one.words for word in WORDS) for one in told)
    if quiet and world.things() not in serial:
        yield "mixed: both runs end green, and the result is that of neither order"


def _untrue(world: Deployment, told: tuple[Told, Told]) -> t.Iterator[str]:
    """A step that is called done and was not carried out, or the other way round."""
    for number, one in enumerate(told):
        executed = {_name(s.cmdlet, s.parameters) for s in world.executed[number]}
        for step in (one.result.steps if one.result else None) or ():
            name = _name(step["cmdlet"], step["parameters"])
            if not name[1]:
                continue
            by_other = any(s.cmdlet == step["cmdlet"] for s in world.executed[1 - number])
            if step["result"] == "done" and name not in executed and not by_other:
                yield "untrue: run %d calls %s of %s done" % (number, *name)
            if step["result"] == "not_sent" and name in executed:
                yield "untrue: run %d calls %s of %s not sent" % (number, *name)


def _name(cmdlet: str, parameters: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """A call, and its object; empty where the call names none that is the same in each run."""
    return cmdlet, str(parameters.get("Identity") or parameters.get("Thumbprint") or "")


def not_finished(world: Deployment, jobs: tuple[Job, Job]) -> list[str]:
    """The first run is started again, alone: it comes to its end, and once more changes nothing."""
    for party, job in enumerate(jobs[:1]):
        shell = world.shell_of(party)
        try:
            first = job.work(shell)
            again = job.work(shell)
        except Refused:
            return []  # what the other run left needs a decision
        if first.failures:
            return ["not finished: run again, it fails: %s" % first.message]
        if again.changed:
            return ["not finished: run again, it changes something each time"]
    return []
