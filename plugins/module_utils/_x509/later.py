# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What will be found of a certificate later, if nothing changes but the time. Pure, but for the limit on the time.

The same check is made again at each moment at which its answer can change: where a validity begins or ends, of the
certificate and of each one above it, and where the days begin in which a certificate ends soon. Times are UTC, aware.
"""

from __future__ import annotations

import datetime
import time
import typing as t

from .._base.texts import utc
from .chain import TimeIsUp, paths

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

# How far ahead is looked. Public certificates live 200 days at most, and yearly ones of other CAs are within it.
HORIZON = datetime.timedelta(days=400)
_SECOND = datetime.timedelta(seconds=1)

Judgement = t.TypeVar("Judgement")


def later(
    certificate: Certificate,
    others: t.Iterable[Certificate],
    *,
    now: datetime.datetime,
    soon: datetime.timedelta,
    first: Judgement,
    judge: t.Callable[[datetime.datetime, float], Judgement],
    same: t.Callable[[Judgement], object],
    seconds: float,
) -> list[tuple[datetime.datetime, Judgement]]:
    """From when on another judgement holds, in order of time; up to HORIZON.

    others: all certificates that may stand above it. soon: how long before its end a certificate ends soon (a third of
    its life at most). first: the judgement of now. judge: makes one, for a moment and the seconds that it may take.
    same: what makes two judgements the same one. seconds: for all of it; what takes longer is left out.
    """
    end = time.monotonic() + seconds
    found: list[tuple[datetime.datetime, Judgement]] = []
    former = same(first)
    for at in turns(certificate, _above(certificate, others, end), now, soon):
        left = end - time.monotonic()
        if seconds > 0 and left <= 0:
            break
        then = judge(at, left)
        if same(then) != former:
            found.append((at, then))
            former = same(then)
    return found


def turns(
    certificate: Certificate, above: t.Iterable[Certificate], now: datetime.datetime, soon: datetime.timedelta
) -> list[datetime.datetime]:
    """The moments after ``now`` at which the answer of a check can change, whole seconds, in their order."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # The first moment with less than that left.
    found = {(end - min(soon, (end - start) / 3)).replace(microsecond=0) + _SECOND}
    found |= {start, end}
    for one in above:
        # To OpenSSL a certificate is still valid in its last second, as RFC 5280 section 4.1.2.5 has it.
        found |= {one.not_valid_before_utc, one.not_valid_after_utc + _SECOND}
    return sorted(at for at in found if now < at <= now + HORIZON)


def shown(states: t.Iterable[tuple[datetime.datetime, dict[str, t.Any]]]) -> list[dict[str, t.Any]]:
    """As results have it: each state with the moment from which on it holds."""
    return [{"from": utc(at), **state} for at, state in states]


def _above(certificate: Certificate, others: t.Iterable[Certificate], end: float) -> list[Certificate]:
    try:
        return [one for one in paths(certificate, others, None, end) if one is not certificate]
    except TimeIsUp:
        return []
