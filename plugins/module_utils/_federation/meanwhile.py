# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find changes that another run or administrator made between the last read and the write, or right after the write."""

from __future__ import annotations

import json
import typing as t

from .._base.step import Record, Step
from .._base.texts import foreign
from .._shell.statement import Secret


def met(step: Step, record: Record | None) -> list[str]:
    """Return the changes by other runs and administrators before the write, with one text for each property."""
    if step.before is None:
        return []
    if record is None:
        return ["another run or administrator removed the object right before this run wrote"]
    found = []
    for option, value in step.before.items():
        theirs = record.values.get(option)
        if theirs == value or (step.expect is not None and theirs == step.expect.get(option, value)):
            continue
        if step.expect is None:
            text = "this run removed the object after another change: %s was %s in the plan, and %s right before"
            found.append(text % (option, shown(value), shown(theirs)))
        elif option in step.expect:
            text = "overwrote another change: %s was %s in the plan, %s right before the write, and is %s now"
            found.append(text % (option, shown(value), shown(theirs), shown(step.expect[option])))
    return found


def beside(step: Step, record: Record | None) -> list[str]:
    """Return the changes by other runs and administrators in properties that this run did not write."""
    if record is None or step.after is None or step.before is None:
        return []
    text = "another run or administrator changed %s while this run wrote, from %s to %s. Check the value"
    return [
        text % (option, shown(value), shown(record.values.get(option)))
        for option, value in step.before.items()
        if option not in (step.expect or {}) and record.values.get(option) != value
    ]


def replaced(step: Step, record: Record) -> list[str]:
    """Return the properties whose values differ from the values that this run wrote."""
    return [
        "this run wrote %s as %s, but it is %s now" % (option, shown(value), shown(record.values.get(option)))
        for option, value in (step.expect or {}).items()
        if record.values.get(option) != value
    ]


def untouched(step: Step, record: Record | None) -> bool:
    """Return whether a step can be sent again, because the object's properties still have the values in the plan.

    If the object does not exist, the server refuses a late Set- or Remove-. If the object exists, the server refuses
    New-.
    """
    if record is None or step.before is None:
        return True
    options = step.expect if step.expect is not None else step.before
    return all(record.values.get(option) == step.before.get(option) for option in options)


def shown(value: t.Any) -> str:
    """Return a value for a message."""
    if isinstance(value, Secret):
        return "a secret"
    return foreign(json.dumps(value, ensure_ascii=False, default=str))
