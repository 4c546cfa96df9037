# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run may write now: what it must bring (plan, ticket, other person), and when writing is allowed. Pure.

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
    """A time of the week in which writing is allowed. days: numbers, 0 is Monday; on which it begins.

    start, end: minutes after midnight. If end is not after start, the window ends on the next day.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: datetime.tzinfo
    text: str

    def covers(self, now: datetime.datetime) -> bool:
        """now: with its time zone."""
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        length = (self.end - self.start) % _MINUTES or _MINUTES
        since = (minute - self.start) % _MINUTES
        begun = local.date() if minute >= self.start else local.date() - datetime.timedelta(days=1)
        return since < length and begun.weekday() in self.days


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing is written. end: the first moment after it."""

    start: datetime.datetime
    end: datetime.datetime
    reason: str

    def covers(self, now: datetime.datetime) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True)
class Control:
    """What the settings ask for. allowed: whether sfb_xmpp_allow has outside_window."""

    require: frozenset[str] = frozenset()
    ticket_pattern: str = ""
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    allowed: bool = False

    def __bool__(self) -> bool:
        return bool(self.require or self.ticket_pattern or self.windows or self.freezes)


@dataclass(frozen=True)
class Brought:
    """What a run brings. digest: whether it was given the digest of its plan. ticket: empty if there is none.

    planner: who made the plan file that it holds to; empty without one. applier: who runs it.
    """

    digest: bool = False
    ticket: str = ""
    planner: str = ""
    applier: str = ""


def reasons(control: Control, brought: Brought, now: datetime.datetime) -> list[str]:
    """Why the run may not write; empty if it may. now: with its time zone."""
    return [*_missing(control, brought), *_untimely(control, now)]


def _missing(control: Control, brought: Brought) -> t.Iterator[str]:
    if PLAN in control.require and not brought.digest:
        yield (
            "sfb_xmpp_require asks for a plan. Set sfb_xmpp_plan_digest to the digest of the approved plan; a run with"
            " --check shows it"
        )
    if TICKET in control.require and not brought.ticket:
        yield "sfb_xmpp_require asks for a ticket. Set sfb_xmpp_ticket"
    elif control.ticket_pattern and (brought.ticket or TICKET in control.require):
        if not re.fullmatch(control.ticket_pattern, brought.ticket):
            text = "sfb_xmpp_ticket: '%s' does not match sfb_xmpp_ticket_pattern (%s) as a whole"
            yield text % (brought.ticket, control.ticket_pattern)
    if OTHER_PERSON in control.require:
        if not brought.planner:
            yield (
                "sfb_xmpp_require asks for another person than the one who made the plan. Set sfb_xmpp_plan_file to"
                " the plan: it names who made it"
            )
        elif brought.planner.casefold() == brought.applier.casefold():
            text = "sfb_xmpp_require asks for another person than the one who made the plan, and both are %s"
            yield text % brought.applier


def _untimely(control: Control, now: datetime.datetime) -> t.Iterator[str]:
    if control.allowed:
        return
    remedy = "Wait, or set sfb_xmpp_allow: [%s]" % OUTSIDE_WINDOW
    for freeze in control.freezes:
        if freeze.covers(now):
            text = "sfb_xmpp_freeze: nothing is written until %s (%s). %s"
            yield text % (freeze.end.isoformat(" ", "minutes"), freeze.reason or "no reason is given", remedy)
    if control.windows and not any(window.covers(now) for window in control.windows):
        listed = "; ".join(window.text for window in control.windows)
        yield "sfb_xmpp_windows: it is %s, outside of every window (%s). %s" % (
            now.isoformat(" ", "minutes"), listed, remedy,
        )  # fmt: skip


# From the settings


def control_of(settings: t.Mapping[str, t.Any], allow: t.Collection[str] = ()) -> Control:
    """settings: by their names without the prefix, as they were declared. Raises Invalid with the setting's path."""
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
            # What Python finds odd in the user's pattern is no warning of ours.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(str(text or ""))
    except re.error as exc:
        raise Invalid("sfb_xmpp_ticket_pattern: '%s' is not a regular expression: %s" % (text, exc)) from None
    return str(text or "")


def window_of(given: t.Mapping[str, t.Any]) -> Window:
    """given: days (all by default), from, to, timezone (UTC by default). Raises Invalid."""
    days = given.get("days") or DAYS
    unknown = [day for day in days if day not in DAYS]
    if unknown:
        raise Invalid("days: '%s' must be one of %s" % (unknown[0], ", ".join(DAYS)))
    name = str(given.get("timezone") or "UTC")
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("timezone: '%s' is not a time zone, such as Europe/Berlin" % name) from None
    start, end = _minutes("from", given.get("from")), _minutes("to", given.get("to"))
    text = "%s %s to %s %s" % (",".join(days), given["from"], given["to"], name)
    return Window(frozenset(DAYS.index(day) for day in days), start, end, zone, text)


def _minutes(option: str, value: t.Any) -> int:
    if isinstance(value, int):
        raise Invalid('%s: put the time in quotes, such as "22:00"; YAML reads it as the number %d' % (option, value))
    found = _TIME.fullmatch(str(value or ""))
    if found is None:
        raise Invalid("%s: '%s' must be a time such as \"22:00\"" % (option, value or ""))
    return int(found[1]) * 60 + int(found[2])


def freeze_of(given: t.Mapping[str, t.Any]) -> Freeze:
    """given: from, to (days or times as ISO 8601 writes them; UTC without an offset; a day ends at midnight), reason.

    Raises Invalid.
    """
    start, end = _moment("from", given.get("from"), False), _moment("to", given.get("to"), True)
    if end <= start:
        raise Invalid("to: %s is not after %s" % (given.get("to"), given.get("from")))
    return Freeze(start, end, str(given.get("reason") or ""))


def _moment(option: str, value: t.Any, last: bool) -> datetime.datetime:
    """last: whether a day stands for its end."""
    found: datetime.datetime
    try:
        if isinstance(value, datetime.datetime):
            found = value
        elif isinstance(value, datetime.date):
            return _midnight(value, last)
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            return _midnight(datetime.date.fromisoformat(str(value)), last)
        else:
            # Python 3.10 knows no Z.
            found = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", str(value)))
    except (ValueError, OverflowError):
        text = "%s: '%s' must be a day or a time as ISO 8601 writes it, such as 2026-12-20 or 2026-12-20T18:00+01:00"
        raise Invalid(text % (option, "" if value is None else value)) from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def _midnight(day: datetime.date, last: bool) -> datetime.datetime:
    day += datetime.timedelta(days=1 if last else 0)
    return datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
