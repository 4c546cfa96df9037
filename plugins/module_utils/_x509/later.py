# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the later findings about a certificate. The code is pure, except for its time limit.

The check is repeated for each time at which its result can change. The times are the start and the end of the validity
of each certificate in the chain, and the time from which the certificate ends soon. Times are in UTC with their time
zone.
"""

from __future__ import annotations

import datetime
import time
import typing as t

from .._base.texts import utc
from .chain import TimeIsUp, paths

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

# The longest forecast. Public certificates are valid for 200 days at most, and certificates of other CAs often a year.
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
    """Return the times up to HORIZON at which the result of the check changes, with the new results, in order of time.

    others: all certificates that can be above the certificate in its chain.
    soon: the time before the end in which a certificate ends soon (at most a third of its lifetime).
    first: the current result.
    ``judge``: makes the check. The arguments are the time of the check and the time limit in seconds.
    same: returns the part of a result that is compared.
    seconds: the time limit of all checks together. Later results do not check the chain, and have a finding about the
        missing check.
    """
    end = time.monotonic() + seconds
    found: list[tuple[datetime.datetime, Judgement]] = []
    former = same(first)
    for at in turns(certificate, _above(certificate, others, end), now, soon):
        # Without time left, the check reports that the chain was not checked.
        then = judge(at, end - time.monotonic())
        if same(then) != former:
            found.append((at, then))
            former = same(then)
    return found


def turns(
    certificate: Certificate, above: t.Iterable[Certificate], now: datetime.datetime, soon: datetime.timedelta
) -> list[datetime.datetime]:
    """Return the times after ``now`` at which a check's result can change, in whole seconds, the earliest first."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # The first time at which less than ``soon`` is left.
    found = {(end - min(soon, (end - start) / 3)).replace(microsecond=0) + _SECOND}
    found |= {start, end}
    for one in above:
        # For OpenSSL a certificate is still valid in its last second (RFC 5280 section 4.1.2.5).
        found |= {one.not_valid_before_utc, one.not_valid_after_utc + _SECOND}
    return sorted(at for at in found if now < at <= now + HORIZON)


def shown(states: t.Iterable[tuple[datetime.datetime, dict[str, t.Any]]]) -> list[dict[str, t.Any]]:
    """Return the states in the form of results, each state with the time from which the state is true."""
    return [{"from": utc(at), **state} for at, state in states]


def _above(certificate: Certificate, others: t.Iterable[Certificate], end: float) -> list[Certificate]:
    try:
        return [one for one in paths(certificate, others, None, end) if one is not certificate]
    except TimeIsUp:
        return []
