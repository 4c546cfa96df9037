# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs that are started together: nothing that one of them writes is lost without a word."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import dataclass, field

from lab.deployment.store import Event
from tests.faults.run import Job
from tests.faults.world import World

READ = "Get-CsXmppAllowedPartner"
TASKS = ("federation", "partners")
COUNT = 12


@dataclass
class Pair:
    """What became of two runs. lost: texts, of updates that went without a word."""

    told: tuple[str, str]
    lost: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


def jobs(world: World, task: str, word: str) -> list[Job]:
    """A run that makes all partners its own. Both runs name the same domains, and each some of its own."""
    domains = ["p%d.example" % number for number in range(COUNT)] + ["%s.example" % word]
    partners = [{"domain": domain, "description": word} for domain in domains]
    more: dict[str, t.Any] = {"update_limit": 100, "force": True}
    if task == "federation":
        return [world.job("fe01", task, partners=partners, partners_purge=True, **more)]
    return [world.job("fe01", task, partners=partners, purge=True, **more)]


def pair(world: World, task: str, words: tuple[str, str], homes: tuple[str, str] = ("home", "home")) -> Pair:
    """Start both. homes: two controllers where they differ, which do not share a lock."""
    start = world.begin()
    processes = []
    for number, (word, home) in enumerate(zip(words, homes, strict=True)):
        own = [Job(**{**vars(job), "home": str(world.directory / home)}) for job in jobs(world, task, word)]
        processes.append(world.start(own, "jobs%d.json" % number))
    told = [_told(process) for process in processes]
    found = Pair((told[0]["word"], told[1]["word"]))
    events = [event for event in world.store.events(start) if event.kind == "statement"]
    state = {domain: body["Description"] for domain, body in world.store.partners().items()}
    succeeded = [word for word, one in zip(words, told, strict=True) if one["word"] == "success"]
    # From two controllers each may overwrite the other, and both say so.
    if not succeeded and homes[0] == homes[1]:
        found.mistakes.append("neither of the two came to an end: %s" % [one["text"] for one in told])
    # Whoever says success, and nothing else, has the deployment as it wants it, or was followed by the other one.
    for word, one, other in zip(words, told, reversed(told), strict=True):
        whole = set(state.values()) == {word} and len(state) == COUNT + 1
        if one["word"] == "success" and not whole and other["word"] != "success" and not _wrote(events, other, words):
            found.lost.append("%s said success, and is not there" % word)
    if all(one["word"] == "success" for one in told) and len(set(words)) == 2:
        found.lost += _overlapping(events)
    if len(set(words)) == 1 and set(state.values()) != {words[0]}:
        found.mistakes.append("the same list, and yet: %s" % state)
    return found


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    """success, warned (it says that it met the other run), refused or failures; and the words."""
    output, _nothing = process.communicate(timeout=180)
    told = _last(output)
    if process.returncode or told is None:
        return {"word": "broken", "text": "exit %d" % process.returncode}
    if "refused" in told:
        return {"word": "refused", "text": told["refused"]}
    if told["failures"]:
        return {"word": "failures", "text": "; ".join(told["failures"])}
    if any(word in text for word in ("another run", "another change") for text in told["warnings"]):
        return {"word": "warned", "text": "; ".join(told["warnings"])}
    return {"word": "success", "text": ""}


def _last(output: str) -> dict[str, t.Any] | None:
    import json

    lines = output.strip().splitlines()
    return json.loads(lines[-1]) if lines else None


def _wrote(events: t.Sequence[Event], one: t.Mapping[str, str], words: tuple[str, str]) -> bool:
    """Whether a run that tells of failures or a warning may have written over the other: it has said so."""
    return one["word"] in ("failures", "warned")


def _overlapping(events: t.Sequence[Event]) -> list[str]:
    """Sessions that wrote between another one's last look before its writes and its last write."""
    sessions = sorted({event.session for event in events})
    writes = {s: [e.id for e in events if e.session == s and not e.cmdlet.startswith("Get-")] for s in sessions}
    found = []
    for session in sessions:
        if not writes[session]:
            continue
        looks = [e.id for e in events if e.session == session and e.cmdlet == READ and e.id < writes[session][0]]
        for other in sessions:
            if other != session and any(looks[-1] < number < writes[session][-1] for number in writes[other]):
                found.append("%s wrote between the look and the writes of %s" % (other, session))
    return found
