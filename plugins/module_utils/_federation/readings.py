# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several statements in one pipeline, and which of them each object of the common answer belongs to.

What the account may not read leaves the rest.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.reading import Offered, is_unknown_error, read_offered
from .._base.result import Unreadable
from .._shell.statement import Shell, Statement

# Why a cmdlet that the session does not offer tells nothing.
NOT_OFFERED = "not observable with this role"


@dataclass(frozen=True)
class Reading:
    """One statement. known_by: whether an object of the common answer is one of its own."""

    name: str
    statement: Statement
    known_by: t.Callable[[t.Any], bool]


@dataclass(frozen=True)
class Items:
    """The objects of each reading by its name. unobserved: by cmdlet, why it was not read, in the server's words."""

    found: t.Mapping[str, list[t.Any]]
    unobserved: t.Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> list[t.Any] | None:
        """None: it was not read."""
        return self.found.get(name)


def read_items(shell: Shell, readings: t.Sequence[Reading]) -> Items:
    """One request. What the session does not offer is not read. Raises ShellError, ServerRefused for nothing at all."""
    found = read_offered(shell, [one.statement for one in readings])
    if found.nothing:
        found.require(found.failed)
    return items_of(found, readings)


def items_of(read: Offered, readings: t.Sequence[Reading]) -> Items:
    """Raises Unreadable."""
    found = sorted_items(read.output, readings)
    unobserved = {}
    for one in readings:
        error = read.failed.get(one.statement.cmdlet)
        if error is not None:
            del found[one.name]
            unobserved[one.statement.cmdlet] = NOT_OFFERED if is_unknown_error(error) else error.message
    return Items(found, unobserved)


def sorted_items(output: t.Sequence[t.Any], readings: t.Sequence[Reading]) -> dict[str, list[t.Any]]:
    """Whose each object is. They come in the order of the statements. Raises Unreadable."""
    found: dict[str, list[t.Any]] = {one.name: [] for one in readings}
    current = 0
    for item in output:
        own = [number for number, one in enumerate(readings) if one.known_by(item)]
        if len(own) != 1 or own[0] < current:
            cmdlet = readings[own[0] if len(own) == 1 else current].statement.cmdlet
            shown = ", ".join(list(item)[:8]) if isinstance(item, dict) else repr(item)[:80]
            raise Unreadable(cmdlet, "", "an object came back that is none of what was asked for: %s" % shown)
        current = own[0]
        found[readings[current].name].append(item)
    return found


def has(*names: str) -> t.Callable[[t.Any], bool]:
    """An object is known by properties that only it has."""
    return lambda item: isinstance(item, dict) and all(name in item for name in names)
