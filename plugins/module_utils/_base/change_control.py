# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a run may write now: check its plan, its ticket, its second person, and the time. This code is pure.

The settings are sfb_xmpp_require, sfb_xmpp_ticket_pattern, sfb_xmpp_windows and sfb_xmpp_freeze.
"""

from __future__ import annotations

import datetime
import re
import typing as t
import warnings
import zoneinfo
from dataclasses import dataclass

from .names import Invalid

PLAN, TICKET, OTHER_PERSON = REQUIREMENTS = ("plan", "ticket", "other_person")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OUTSIDE_WINDOW = "outside_window"

# The options of one window, and of one freeze.
WINDOW: dict[str, t.Any] = {
    "days": {"type": "list", "elements": "str", "choices": list(DAYS)},
    "from": {"type": "raw", "required": True},
    "to": {"type": "raw", "required": True},
    "timezone": {"type": "str"},
}
FREEZE: dict[str, t.Any] = {
    "from": {"type": "raw", "required": True},
    "to": {"type": "raw", "required": True},
    "reason": {"type": "str"},
}

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MINUTES = 24 * 60


@dataclass(frozen=True)
class Window:
    """Describe a time of the week in which writing is allowed.

    days: the days on which the window begins, as numbers; 0 is Monday.
    start, end: minutes after midnight. If end is not after start, the window ends on the next day.
    zone: the time zone of start and end.
    text: the window as messages show it.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: datetime.tzinfo
    text: str

    def covers(self, now: datetime.datetime) -> bool:
        """Return whether the window is open.

        now: the time, with its time zone.
        """
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        length = (self.end - self.start) % _MINUTES or _MINUTES
        since = (minute - self.start) % _MINUTES
        begun = local.date() if minute >= self.start else local.date() - datetime.timedelta(days=1)
        return since < length and begun.weekday() in self.days


@dataclass(frozen=True)
class Freeze:
    """Describe a time in which nothing is written.

    end: the first moment after the freeze.
    """

    start: datetime.datetime
    end: datetime.datetime
    reason: str

    def covers(self, now: datetime.datetime) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True)
class Control:
    """Describe the requirements of the settings.

    require: the requirements of sfb_xmpp_require.
    ticket_pattern: a regular expression that a ticket must match; empty for none.
    windows: the times in which writing is allowed; empty for any time.
    freezes: the times in which writing is not allowed.
    allowed: whether sfb_xmpp_allow has outside_window.
    """

    require: frozenset[str] = frozenset()
    ticket_pattern: str = ""
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    allowed: bool = False

    def __bool__(self) -> bool:
        return bool(self.require or self.ticket_pattern or self.windows or self.freezes)


@dataclass(frozen=True)
class Brought:
    """Describe the values of a run that are checked.

    digest: whether the run has the digest of its plan.
    ticket: the ticket; empty for no ticket.
    planner: who made the plan file; empty for no plan file.
    applier: who runs the playbook.
    """

    digest: bool = False
    ticket: str = ""
    planner: str = ""
    applier: str = ""


def reasons(control: Control, brought: Brought, now: datetime.datetime) -> list[str]:
    """Return why the run may not write; empty if the run may write.

    now: the time, with its time zone.
    """
    return [*_missing(control, brought), *_untimely(control, now)]


def _missing(control: Control, brought: Brought) -> t.Iterator[str]:
    if PLAN in control.require and not brought.digest:
        yield (
            "sfb_xmpp_require asks for a plan. Set sfb_xmpp_plan_digest to the digest of the approved plan. A run with"
            " --check shows the digest"
        )
    if TICKET in control.require and not brought.ticket:
        yield "sfb_xmpp_require asks for a ticket. Set sfb_xmpp_ticket"
    elif control.ticket_pattern and (brought.ticket or TICKET in control.require):
        if not re.fullmatch(control.ticket_pattern, brought.ticket):
            text = "sfb_xmpp_ticket: '%s' does not match sfb_xmpp_ticket_pattern. The whole ticket must match %s"
            yield text % (brought.ticket, control.ticket_pattern)
    if OTHER_PERSON in control.require:
        if not brought.planner:
            yield (
                "sfb_xmpp_require asks for two persons: one makes the plan, the other applies the plan. Set"
                " sfb_xmpp_plan_file to the plan, because it names the first person"
            )
        elif brought.planner.casefold() == brought.applier.casefold():
            text = "sfb_xmpp_require asks for two persons: one makes the plan, the other applies the plan. Both are %s"
            yield text % brought.applier


def _untimely(control: Control, now: datetime.datetime) -> t.Iterator[str]:
    if control.allowed:
        return
    remedy = "Wait, or set sfb_xmpp_allow: [%s]" % OUTSIDE_WINDOW
    for freeze in control.freezes:
        if freeze.covers(now):
            text = "sfb_xmpp_freeze: writing is not allowed until %s (%s). %s"
            yield text % (freeze.end.isoformat(" ", "minutes"), freeze.reason or "no reason is given", remedy)
    if control.windows and not any(window.covers(now) for window in control.windows):
        listed = "; ".join(window.text for window in control.windows)
        yield "sfb_xmpp_windows: the time %s is outside all windows (%s). %s" % (
            now.isoformat(" ", "minutes"), listed, remedy,
        )  # fmt: skip


# Read the settings


def control_of(settings: t.Mapping[str, t.Any], allow: t.Collection[str] = ()) -> Control:
    """Return the requirements of the settings. Raises Invalid with the setting's path.

    settings: the declared values by name, without the prefix sfb_xmpp_.
    allow: the values of sfb_xmpp_allow.
    """
    return Control(
        frozenset(settings.get("require") or ()),
        _pattern(settings.get("ticket_pattern")),
        tuple(_at("windows[%d]" % n, window_of, one) for n, one in enumerate(settings.get("windows") or ())),
        tuple(_at("freeze[%d]" % n, freeze_of, one) for n, one in enumerate(settings.get("freeze") or ())),
        OUTSIDE_WINDOW in allow,
    )


Made = t.TypeVar("Made")


def _at(place: str, make: t.Callable[[t.Mapping[str, t.Any]], Made], given: t.Mapping[str, t.Any]) -> Made:
    try:
        return make(given)
    except Invalid as exc:
        raise Invalid("sfb_xmpp_%s.%s" % (place, exc)) from None


def _pattern(text: t.Any) -> str:
    try:
        with warnings.catch_warnings():
            # A pattern of the user can cause a warning of Python. Users can do nothing about this warning.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(str(text or ""))
    except re.error as exc:
        raise Invalid("sfb_xmpp_ticket_pattern: '%s' must be a regular expression: %s" % (text, exc)) from None
    return str(text or "")


def window_of(given: t.Mapping[str, t.Any]) -> Window:
    """Return a window. Raises Invalid.

    given: days (default all), from, to, timezone (default UTC).
    """
    days = given.get("days") or DAYS
    unknown = [day for day in days if day not in DAYS]
    if unknown:
        raise Invalid("days: '%s' must be one of %s" % (unknown[0], ", ".join(DAYS)))
    name = str(given.get("timezone") or "UTC")
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("timezone: '%s' must be a time zone such as Europe/Berlin" % name) from None
    start, end = _minutes("from", given.get("from")), _minutes("to", given.get("to"))
    text = "%s %s to %s %s" % (",".join(days), given["from"], given["to"], name)
    return Window(frozenset(DAYS.index(day) for day in days), start, end, zone, text)


def _minutes(option: str, value: t.Any) -> int:
    if isinstance(value, int):
        raise Invalid('%s: YAML reads the time as the number %d. Put the time in quotes, as "22:00"' % (option, value))
    found = _TIME.fullmatch(str(value or ""))
    if found is None:
        raise Invalid("%s: '%s' must be a time such as \"22:00\"" % (option, value or ""))
    return int(found[1]) * 60 + int(found[2])


def freeze_of(given: t.Mapping[str, t.Any]) -> Freeze:
    """Return a freeze. Raises Invalid.

    given: from, to and reason. from and to are days or times in the form of ISO 8601. A time without an offset is in
        UTC. A day ends at midnight.
    """
    start, end = _moment("from", given.get("from"), False), _moment("to", given.get("to"), True)
    if end <= start:
        raise Invalid("to: '%s' must be after from: '%s'" % (given.get("to"), given.get("from")))
    return Freeze(start, end, str(given.get("reason") or ""))


def _moment(option: str, value: t.Any, last: bool) -> datetime.datetime:
    """Return the time of a day or a time.

    last: whether a day means the end of the day.
    """
    found: datetime.datetime
    try:
        if isinstance(value, datetime.datetime):
            found = value
        elif isinstance(value, datetime.date):
            return _midnight(value, last)
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            return _midnight(datetime.date.fromisoformat(str(value)), last)
        else:
            # Python 3.10 does not know Z.
            found = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", str(value)))
    except (ValueError, OverflowError):
        text = "%s: '%s' must be a day such as 2026-12-20 or a time such as 2026-12-20T18:00+01:00"
        raise Invalid(text % (option, "" if value is None else value)) from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def _midnight(day: datetime.date, last: bool) -> datetime.datetime:
    day += datetime.timedelta(days=1 if last else 0)
    return datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
