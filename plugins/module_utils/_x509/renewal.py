# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide when a certificate is due: after a share of its lifetime, or a number of days before its end.

This code is pure. Times are in UTC with their time zone. A decision is the same for a whole slot of time. So all runs
and all Edges of one slot make the same decision. A slot is a day, or six hours for lifetimes below ten days.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._base.texts import utc

SHARE = 2 / 3
DAY = datetime.timedelta(days=1)
# Certificates with a shorter lifetime are checked more often than once a day.
SHORT = 10 * DAY
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class RenewalRule:
    """This is the rule for the renewal of certificates. If days are also set, the earlier time is used.

    share: the share of the lifetime, above 0 and below 1.
    days: the days before the end; None if only the share is used.
    """

    share: float = SHARE
    days: int | None = None

    @property
    def mistakes(self) -> list[str]:
        """Return the mistakes of the rule, as texts with the name of the option."""
        found = []
        if not 0 < self.share < 1:
            found.append("renew.lifetime_share: %s must be between 0 and 1, such as 0.5 for one half" % self.share)
        if self.days is not None and self.days < 1:
            found.append("renew.days: %s must be a number of days above 0" % self.days)
        return found


@dataclass(frozen=True)
class Renewal:
    """Describe whether and why a certificate is due for renewal.

    due: whether the certificate is due now.
    at: the time from which the certificate is due.
    left: the share of the lifetime that is left, 0 to 1.
    reason: why the certificate is due or not due yet.
    """

    due: bool
    at: datetime.datetime
    left: float
    reason: str

    def as_dict(self) -> dict[str, t.Any]:
        return {"due": self.due, "at": utc(self.at), "lifetime_left": round(self.left, 4), "reason": self.reason}


def interval(lifetime: datetime.timedelta) -> datetime.timedelta:
    """Return the time between two checks of a certificate with the given lifetime."""
    return DAY if lifetime >= SHORT else DAY / 4


def due_at(start: datetime.datetime, end: datetime.datetime, rule: RenewalRule) -> datetime.datetime:
    """Return the time from which a certificate is due.

    start, end: the validity of the certificate.

    The rule's days are ignored if the days are more than half of the lifetime. Otherwise a certificate with a short
    lifetime is always due, and every run replaces the certificate.
    """
    lifetime = end - start
    at = start + lifetime * rule.share
    if rule.days is not None and 2 * rule.days * DAY <= lifetime:
        at = min(at, end - rule.days * DAY)
    return at


def renewal(start: datetime.datetime, end: datetime.datetime, now: datetime.datetime, rule: RenewalRule) -> Renewal:
    """Return whether a certificate is due in the current slot.

    start, end: the validity of the certificate.
    """
    at = due_at(start, end, rule)
    lifetime = end - start
    left = min(1.0, max(0.0, (end - now) / lifetime)) if lifetime else 0.0
    due = at < slot_end(now, interval(lifetime))
    share = "%.0f %% of its lifetime is left" % (100 * left)
    if now >= end:
        reason = "it has expired"
    elif due:
        reason = "%s, and it is due since %s" % (share, _day(at))
    else:
        reason = "%s, and it is due on %s" % (share, _day(at))
    return Renewal(due, at, left, reason)


def slot_end(now: datetime.datetime, length: datetime.timedelta) -> datetime.datetime:
    """Return the end of the current slot. Slots begin at midnight UTC."""
    return _EPOCH + ((now - _EPOCH) // length + 1) * length


def _day(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%d")
