# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the dates and times of a server. No other file parses dates and times."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._shell.statement import Shell, Statement

CLOCK = "Get-Date"
# MS-PSRP 2.2.5.1.16 (DateTime): .NET's round-trip form, with 0 to 7 digits of a second. datetime.fromisoformat of
# Python 3.10 takes 3 or 6 digits only.
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(?:(Z)|([+-])(\d\d):?(\d\d))?",
    re.ASCII | re.IGNORECASE,
)


def server_time(value: t.Any) -> datetime.datetime:
    """Return the date of a server. A date without an offset is the server's local time, and has no zone.

    value: a text, or a datetime. The seventh digit of a second is dropped. Raises ValueError.
    """
    if isinstance(value, datetime.datetime):
        return value
    match = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("%r must be a time such as 2027-03-01T09:30:00.1234567+01:00" % (value,))
    *parts, fraction, utc, sign, hours, minutes = match.groups()
    zone = datetime.timezone.utc if utc else None
    if sign:
        if int(minutes) > 59:
            raise ValueError("%r has an offset with %s minutes" % (value, minutes))
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        zone = datetime.timezone(offset if sign == "+" else -offset)
    microseconds = int((fraction or "0").ljust(6, "0")[:6])
    year, month, day, hour, minute, second = map(int, parts)
    return datetime.datetime(year, month, day, hour, minute, second, microseconds, zone)


def server_clock(shell: Shell) -> datetime.datetime | None:
    """Return the server's time from Get-Date; None if the session does not provide the time. Raises ShellError."""
    answer = shell.invoke([Statement(CLOCK)])
    for item in () if answer.lost or answer.errors else answer.output:
        try:
            return server_time(item)
        except ValueError:
            continue
    return None


def in_zone(time: datetime.datetime, clock: datetime.datetime | None) -> datetime.datetime:
    """Return the time. A time without a zone gets the zone of the server's clock."""
    return time if time.tzinfo or clock is None else time.replace(tzinfo=clock.tzinfo)
