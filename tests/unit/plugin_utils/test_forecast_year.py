# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments over a year: every new error had been forecast, and what is forecast comes true if nobody acts.

Twenty of them in every run, 1,000 with SFB_NIGHTLY=1 (``make nightly``).
"""

from __future__ import annotations

import collections
import datetime
import functools
import os
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import certificate as of_peers
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import certificate as x509
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import chain, fields
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit import moment

from tests.unit.plugin_utils.forecast_world import DAY, World

WORLDS = 1000 if os.environ.get("SFB_NIGHTLY") else 20
DAYS = 90
Key = tuple[str, str, str]


@dataclass
class Score:
    """errors: new ones. missed: those of them that no audit had forecast. forecasts: whose day came, without an act.

    false: those of them that did not come true.
    """

    audits: int = 0
    errors: int = 0
    missed: list[str] = field(default_factory=list)
    forecasts: int = 0
    false: list[str] = field(default_factory=list)
    codes: collections.Counter[str] = field(default_factory=collections.Counter)


def live(seed: int, directory: Path, score: Score) -> None:
    """One deployment through the year."""
    world = World(seed, directory)
    said: dict[Key, dict[datetime.datetime, datetime.datetime]] = collections.defaultdict(dict)
    found: list[tuple[datetime.datetime, set[Key]]] = []
    seen: set[str] = set()
    while True:
        audit = world.audit(DAYS)
        score.audits += 1
        errors = _keys(audit["findings"], "error")
        # Of a partner that does not answer that day nothing is known; the errors of the day before stay.
        silent = {one["object"] for one in audit["findings"] if one["code"] == "not_reachable"}
        errors |= {key for key in (found[-1][1] if found else ()) if key[1] in silent}
        for key in errors - found[-1][1] if found else ():
            if key[0] == "partner" and key[1] not in seen:
                continue  # it answers for the first time
            score.errors += 1
            score.codes[key[2]] += 1
            told = said[key]
            if not any(at <= world.now and world.now - when <= (DAYS + 1) * DAY for at, when in told.items()):
                score.missed.append("%d %s %s: %s" % (seed, world.now, key, sorted(map(str, told))))
        found.append((world.now, errors))
        seen |= {one["domain"] for one in audit["partners"]} - silent
        for one in audit["forecast"]["items"]:
            if one["severity"] == "error":
                said[one["area"], one["object"], one["code"]][moment(one["at"])] = world.now
        following = world.next_day()
        if following is None:
            break
        world.pass_to(following)
    for key, told in said.items():
        for at, when in told.items():
            after = next((errors for time, errors in found if time >= at), None)
            acted = any(when <= time <= at + DAY and key[1] in names for time, names in world.touched)
            if after is None or acted:
                continue
            score.forecasts += 1
            if key not in after and not _unseen(key, at, found, world):
                score.false.append("%d %s %s, said on %s" % (seed, at, key, when))


def _keys(findings: t.Iterable[dict[str, t.Any]], severity: str) -> set[Key]:
    return {(one["area"], one["object"], one["code"]) for one in findings if one["severity"] == severity}


def _unseen(key: Key, at: datetime.datetime, found: list[tuple[datetime.datetime, set[Key]]], world: World) -> bool:
    """Whether the partner did not answer on that day, so that the next answer counts."""
    partner = next((one for one in world.partners if one.domain == key[1]), None)
    later = [errors for time, errors in found if time >= at]
    return bool(partner and partner.unreachable and any(key in errors for errors in later[:4]))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks of certificates are kept by their arguments, the time among them: the same answers, in a tenth of it."""
    real, kept = x509.check, {}

    def check(certificate: t.Any, **given: t.Any) -> t.Any:
        given = {name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in given.items()}
        seconds = given.pop("seconds", x509.CHAIN_SECONDS)
        key = (certificate, *sorted(given.items(), key=lambda one: one[0]))
        if key not in kept:
            kept[key] = real(certificate, seconds=seconds, **given)
        return list(kept[key])

    issued = functools.cache(fields.issued)
    for module in (x509, of_peers):
        monkeypatch.setattr(module, "check", check)
    for module in (x509, chain, fields):
        monkeypatch.setattr(module, "issued", issued)


def test_every_new_error_had_been_forecast_and_what_is_forecast_comes_true(memory: None, tmp_path: Path) -> None:
    score = Score()
    for seed in range(WORLDS):
        live(seed, tmp_path, score)
    print(score.audits, score.errors, score.forecasts, len(score.missed), len(score.false), score.codes)
    assert score.missed == []
    assert score.errors > WORLDS
    assert len(score.false) <= 0.02 * score.forecasts, score.false[:20]
