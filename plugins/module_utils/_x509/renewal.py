# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate is to be replaced: by the share of its lifetime that is gone, or a number of days before its end.

Pure. Times are UTC, aware. A decision is made for a whole slot of time (a day, or six hours for certificates that live
less than ten days), so that all runs and all Edges of one slot decide alike, whatever minute it is.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._base.texts import utc

SHARE = 2 / 3
DAY = datetime.timedelta(days=1)
# Certificates that live shorter than this are looked at more often than once a day.
SHORT = 10 * DAY
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class RenewalRule:
    """share: of the lifetime, above 0 and below 1; days: before the end, in addition; whichever comes first."""

    share: float = SHARE
    days: int | None = None

    @property
    def mistakes(self) -> list[str]:
        """What is wrong with it, as texts that name the option."""
        found = []
        if not 0 < self.share < 1:
            found.append("renew.lifetime_share: %s is not between 0 and 1; 0.5 is half of the lifetime" % self.share)
        if self.days is not None and self.days < 1:
            found.append("renew.days: %s is not a number of days above 0" % self.days)
        return found


@dataclass(frozen=True)
class Renewal:
    """at: from when on it is due; left: share of the lifetime that is left, 0 to 1."""

    due: bool
    at: datetime.datetime
    left: float
    reason: str

    def as_dict(self) -> dict[str, t.Any]:
        return {"due": self.due, "at": utc(self.at), "lifetime_left": round(self.left, 4), "reason": self.reason}


def interval(lifetime: datetime.timedelta) -> datetime.timedelta:
    """How often runs have to look at a certificate that lives so long."""
    return DAY if lifetime >= SHORT else DAY / 4


def due_at(start: datetime.datetime, end: datetime.datetime, rule: RenewalRule) -> datetime.datetime:
    """The moment from which a certificate that is valid from ``start`` to ``end`` is due.

    Days count only where they are at most half of the lifetime: a certificate of six days cannot be renewed thirty days
    before its end, and one that is due from its first moment on would be replaced by every run.
    """
    lifetime = end - start
    at = start + lifetime * rule.share
    if rule.days is not None and 2 * rule.days * DAY <= lifetime:
        at = min(at, end - rule.days * DAY)
    return at


def renewal(start: datetime.datetime, end: datetime.datetime, now: datetime.datetime, rule: RenewalRule) -> Renewal:
    """Whether a certificate that is valid from ``start`` to ``end`` is due in the slot that ``now`` is in."""
    at = due_at(start, end, rule)
    lifetime = end - start
    left = min(1.0, max(0.0, (end - now) / lifetime)) if lifetime else 0.0
    due = at < slot_end(now, interval(lifetime))
    share = "%.0f %% of its lifetime are left" % (100 * left)
    if now >= end:
        reason = "it has expired"
    elif due:
        reason = "%s, and it is due since %s" % (share, _day(at))
    else:
        reason = "%s, and it is due on %s" % (share, _day(at))
    return Renewal(due, at, left, reason)


def slot_end(now: datetime.datetime, length: datetime.timedelta) -> datetime.datetime:
    """The end of the slot that ``now`` is in; slots begin at midnight UTC."""
    return _EPOCH + ((now - _EPOCH) // length + 1) * length


def _day(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%d")
