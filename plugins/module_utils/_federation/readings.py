# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send several statements in one pipeline, and assign each object of the answer to its statement.

If the account cannot read one kind, or if an object has an unknown form, the other kinds are still read.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._base.reading import PipelineOutput, is_unknown_error, read_offered, require
from .._base.result import UNREADABLE_ANSWER, Unreadable
from .._shell.statement import ServerError, Shell, Statement

# The reason for a cmdlet that the session does not offer.
NOT_OFFERED = "not offered to this account"


@dataclass(frozen=True)
class Reading:
    """This is one statement that reads.

    name: the name of the statement's objects.
    statement: the statement.
    known_by: returns whether an object of the answer is from this statement.
    """

    name: str
    statement: Statement
    known_by: t.Callable[[t.Any], bool]


T = t.TypeVar("T")


@dataclass(frozen=True)
class Items:
    """These are the objects of several readings.

    found: the objects, by name of the reading.
    cmdlets: the cmdlets, by name of the reading.
    failed: the errors of cmdlets whose objects are unknown, by cmdlet.
    nothing: whether all cmdlets failed.
    """

    found: t.Mapping[str, list[t.Any]]
    cmdlets: t.Mapping[str, str]
    failed: t.Mapping[str, ServerError] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        return {*self.cmdlets.values()} <= self.failed.keys()

    @property
    def unobserved(self) -> dict[str, str]:
        """Return, by cmdlet, why the objects were not read, with the server's message."""
        return {
            cmdlet: NOT_OFFERED if is_unknown_error(error) else error.message for cmdlet, error in self.failed.items()
        }

    def of(self, name: str) -> list[t.Any] | None:
        """Return the objects of a reading; None if the objects were not read."""
        return None if self.cmdlets.get(name) in self.failed else self.found.get(name)

    def without(self, cmdlet: str, error: ServerError) -> Items:
        """Return a copy in which this cmdlet has failed."""
        return replace(self, failed={**self.failed, cmdlet: error})

    def require(self, cmdlets: t.Iterable[str]) -> None:
        """Raise ServerRefused if one of these cmdlets failed."""
        require(self.failed, cmdlets)


def read_items(shell: Shell, readings: t.Sequence[Reading]) -> Items:
    """Read all readings with one request. Raises the errors of ``read_offered``.

    If an object does not show its statement, each statement is sent in a separate request.
    """
    try:
        return items_of(read_offered(shell, [one.statement for one in readings]), readings)
    except Unreadable:
        return read_alone(shell, readings)


def read_alone(shell: Shell, readings: t.Sequence[Reading]) -> Items:
    """Read with one request for each statement. Raises the errors of ``read_offered``."""
    items = Items({}, {one.name: one.statement.cmdlet for one in readings})
    for one in readings:
        alone = read_offered(shell, [one.statement])
        items = replace(items, found={**items.found, one.name: list(alone.output)})
        for cmdlet, error in alone.failed.items():
            items = items.without(cmdlet, error)
        if strangers := [item for item in alone.output if not one.known_by(item)]:
            items = items.without(one.statement.cmdlet, _stranger(one.statement.cmdlet, strangers[0]).errors[0])
    return items


def items_of(read: PipelineOutput, readings: t.Sequence[Reading]) -> Items:
    """Return the items of a pipeline's output. Raises Unreadable."""
    cmdlets = {one.name: one.statement.cmdlet for one in readings}
    return Items(sorted_items(read.output, readings), cmdlets, read.failed)


def readable(items: Items, make: t.Callable[[Items], T]) -> tuple[T, Items]:
    """Make a value from the items.

    If an object has an unknown form, its cmdlet has failed. The other items are used.
    """
    while True:
        try:
            return make(items), items
        except Unreadable as exc:
            error = exc.errors[0]
            if error.cmdlet in items.failed or error.cmdlet not in items.cmdlets.values():
                raise
            items = items.without(error.cmdlet, error)


def unreadable(unobserved: t.Mapping[str, str]) -> dict[str, str]:
    """Return the cmdlets whose answers have an unknown form."""
    return {cmdlet: why for cmdlet, why in unobserved.items() if why.startswith(UNREADABLE_ANSWER)}


def sorted_items(output: t.Sequence[t.Any], readings: t.Sequence[Reading]) -> dict[str, list[t.Any]]:
    """Return the objects by reading. The objects arrive in the order of the statements. Raises Unreadable."""
    found: dict[str, list[t.Any]] = {one.name: [] for one in readings}
    current = 0
    for item in output:
        own = [number for number, one in enumerate(readings) if one.known_by(item)]
        if len(own) != 1 or own[0] < current:
            cmdlet = readings[own[0] if len(own) == 1 else current].statement.cmdlet
            raise _stranger(cmdlet, item)
        current = own[0]
        found[readings[current].name].append(item)
    return found


def _stranger(cmdlet: str, item: t.Any) -> Unreadable:
    shown = ", ".join(map(str, list(item)[:8])) if isinstance(item, dict) else repr(item)[:80]
    return Unreadable(cmdlet, "", "the server returned an unexpected object: %s" % shown)


def has(*names: str) -> t.Callable[[t.Any], bool]:
    """Return a test for objects that have all these properties."""
    return lambda item: isinstance(item, dict) and all(name in item for name in names)
