# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several statements in one pipeline, and which of them each object of the common answer belongs to.

Where one of them is refused each is asked alone, so that what the account may not read leaves the rest.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.reading import is_unknown
from .._base.result import ServerRefused, Unreadable
from .._shell.statement import Answer, Shell, Statement


@dataclass(frozen=True)
class Reading:
    """One statement. known_by: whether an object of the common answer is one of its own."""

    name: str
    statement: Statement
    known_by: t.Callable[[t.Any], bool]


@dataclass(frozen=True)
class Items:
    """The objects of each reading by its name. refused: by name, the cmdlet and the answer of what was not read."""

    found: t.Mapping[str, list[t.Any]]
    refused: t.Mapping[str, tuple[str, Answer]] = field(default_factory=dict)

    def of(self, name: str) -> list[t.Any] | None:
        """None: it was not read."""
        return self.found.get(name)

    def check(self, *names: str) -> None:
        """Raises ServerRefused for the first of these that was refused."""
        for name in names:
            if name in self.refused:
                raise ServerRefused(*self.refused[name])

    @property
    def unobserved(self) -> dict[str, str]:
        """By cmdlet, why it could not be read, in the server's words."""
        return {cmdlet: _why(answer) for cmdlet, answer in self.refused.values()}


def _why(answer: Answer) -> str:
    if is_unknown(answer):
        return "not observable with this role"
    return answer.errors[0].message if answer.errors else answer.lost


def together(shell: Shell, readings: t.Sequence[Reading]) -> Items:
    """One request, and one for each statement where any of them was refused. Raises as ``one_by_one`` does."""
    answer = shell.invoke([one.statement for one in readings])
    if not (answer.errors or answer.lost or answer.refused):
        return sorted_items(answer.output, readings)
    return one_by_one(shell, readings)


def one_by_one(shell: Shell, readings: t.Sequence[Reading]) -> Items:
    """Raises ShellError, ServerRefused if nothing at all could be read."""
    found: dict[str, list[t.Any]] = {}
    refused: dict[str, tuple[str, Answer]] = {}
    for one in readings:
        alone = shell.invoke([one.statement])
        if alone.errors or alone.lost:
            refused[one.name] = (one.statement.cmdlet, alone)
        else:
            found[one.name] = list(alone.output)
    items = Items(found, refused)
    if not found:
        items.check(*refused)
    return items


def sorted_items(output: t.Sequence[t.Any], readings: t.Sequence[Reading]) -> Items:
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
    return Items(found)


def has(*names: str) -> t.Callable[[t.Any], bool]:
    """An object is known by properties that only it has."""
    return lambda item: isinstance(item, dict) and all(name in item for name in names)
