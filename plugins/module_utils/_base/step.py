# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define a step: one call that changes one object, with its expected result and its output."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from .._shell.statement import Secret, Statement, Value, show_value
from .names import key as key_of
from .texts import printable

# One object as options: option -> canonical value.
Values = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Record:
    """Describe one object that exists.

    identity: the name of the object.
    values: its managed properties.
    on_server: the name that calls must use.
    more: properties that are only shown.
    """

    identity: str
    values: Values
    on_server: str = ""
    more: Values = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        return key_of(self.identity)

    def has(self, option: str, value: t.Any) -> bool:
        """Return whether a property has this value. A property that the server does not show is treated as empty."""
        return bool(self.values.get(option, "" if value == "" else None) == value)


@dataclass(frozen=True)
class Step:
    """Describe one call that changes one object.

    key: the key of the object among the objects of its kind.
    before, after: the object's values before and after the call; None if there is no object.
    expect: the values that a later read must show, by option; None if the object must not exist.
    part: the part of the federation that the step belongs to (policies, partners, grants, ...).
    """

    cmdlet: str
    identity: str
    parameters: t.Mapping[str, Value]
    key: str = ""
    before: Values | None = None
    after: Values | None = None
    expect: Values | None = None
    part: str = ""

    @property
    def statement(self) -> Statement:
        return Statement(self.cmdlet, self.parameters)

    def shown(self, result: str) -> dict[str, t.Any]:
        """Return the step in the form of a module's result.

        result: planned, done, failed or not_sent.
        """
        return {
            "cmdlet": self.cmdlet,
            "identity": self.identity,
            "parameters": {name: show_value(value) for name, value in self.parameters.items()},
            "result": result,
        }

    def in_effect(self, record: Record | None) -> bool:
        """Return whether the object that was read after the call is as expected."""
        if self.expect is None:
            return record is None
        hidden = self.hidden(record)
        return record is not None and all(
            record.has(option, value) for option, value in self.expect.items() if option not in hidden
        )

    def hidden(self, record: Record | None) -> list[str]:
        """Return the secrets that cannot be compared, because the server does not show secrets."""
        return [
            option
            for option, value in (self.expect or {}).items()
            if isinstance(value, Secret) and record and record.values.get(option) in (None, Secret(""))
        ]

    def still_wrong(self, record: Record | None) -> str:
        """Return the difference between the object and the expected object, for a message."""
        if self.expect is None:
            return "it still exists"
        if record is None:
            return "it does not exist"
        wrong = [option for option, value in self.expect.items() if record.values.get(option) != value]
        return "%s still differ%s" % (", ".join(wrong), "s" if len(wrong) == 1 else "")


def difference(header: str, before: Values | None, after: Values | None) -> dict[str, str]:
    """Return one entry of a diff, with one line for each value in YAML. A missing object has no lines."""
    return {"before_header": header, "after_header": header, "before": _lines(before), "after": _lines(after)}


def _lines(values: Values | None) -> str:
    # JSON is also YAML, and keeps a value with line breaks on one line.
    texts = {name: printable(json.dumps(value, ensure_ascii=False)) for name, value in (values or {}).items()}
    return "".join("%s: %s\n" % item for item in texts.items())
