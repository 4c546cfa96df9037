# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments over a year: every new error had been forecast, and what is forecast comes true if nothing is done.

Twenty of them in every run, 1,000 in ``make nightly``.
"""

from __future__ import annotations

import collections
import datetime
import functools
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import certificate as of_peers
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import certificate as x509
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import chain, fields
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.audit import moment

from tests.unit.plugin_utils.forecast_world import DAY, World

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


@dataclass(frozen=True)
class Day:
    """What an audit found. silent: partners that did not answer."""

    at: datetime.datetime
    errors: set[Key] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


def live(seed: int, directory: Path, score: Score) -> None:
    """One deployment through the year."""
    world = World(seed, directory)
    said: dict[Key, dict[datetime.datetime, datetime.datetime]] = collections.defaultdict(dict)
    days: list[Day] = []
    # Of whom an audit has seen what they have now.
    seen: set[str] = set()
    while True:
        audit = world.audit(DAYS)
        score.audits += 1
        before = days[-1] if days else Day(world.now)
        silent = {one["object"] for one in audit["findings"] if one["code"] == "not_reachable"}
        errors = set(_errors(audit["findings"]))
        seen -= {name for at, names in world.touched if at > before.at for name in names}
        # Of a partner that does not answer that day nothing is known; the errors of the day before stay.
        errors |= {key for key in before.errors if key[1] in silent}
        for key in errors - before.errors if days else ():
            if key[0] == "partner" and key[1] not in seen:
                continue  # no audit has seen its certificate before
            score.errors += 1
            score.codes[key[2]] += 1
            told = said[key]
            # The forecast names a moment since somebody looked at it last, and was made within the horizon before that.
            last = next(one.at for one in reversed(days) if key[1] not in one.silent)
            if not any(last < at <= world.now and at - when <= DAYS * DAY for at, when in told.items()):
                score.missed.append("%d %s %s: %s" % (seed, world.now, key, sorted(map(str, told))))
        days.append(Day(world.now, errors, silent))
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
            day = next((one for one in days if one.at >= at and key[1] not in one.silent), None)
            if day is None or any(when <= time <= day.at and key[1] in names for time, names in world.touched):
                continue
            score.forecasts += 1
            if key not in day.errors:
                score.false.append("%d %s %s, said on %s" % (seed, at, key, when))


def _errors(findings: t.Iterable[dict[str, t.Any]]) -> t.Iterator[Key]:
    return ((one["area"], one["object"], one["code"]) for one in findings if one["severity"] == "error")


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


@pytest.mark.parametrize("worlds", [20, pytest.param(1000, marks=pytest.mark.nightly)])
def test_every_new_error_had_been_forecast_and_what_is_forecast_comes_true(
    memory: None, worlds: int, tmp_path: Path
) -> None:
    score = Score()
    for seed in range(worlds):
        live(seed, tmp_path, score)
    assert score.missed == []
    assert score.errors > 5 * worlds
    assert score.forecasts > 5 * worlds
    # Of the forecasts at most 2 % may not come true.
    assert len(score.false) <= 0.02 * score.forecasts, score.false[:20]
