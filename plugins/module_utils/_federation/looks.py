# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the objects of a batch of steps in the pipeline of the batch, right before the writes.

The controller decides with an earlier read. So a look cannot stop a write, but the look shows later what a write
changed.
"""

from __future__ import annotations

import typing as t

from .._base.result import Unreadable
from .._base.step import Record, Step
from .._shell.statement import Answer, Statement, Value
from .catalogue import RESOURCES
from .deployment import CONTROLLER, USERS, User, is_user, reading, user_of, user_statement
from .resource import Resource


class Looks:
    """This is one batch of statements.

    statements: the reads and the steps, in their order.
    records: the objects right before the writes, by part and by key.
    users: the users right before the writes, by key.
    whole: whether all reads were answered.
    """

    def __init__(
        self, steps: t.Sequence[Step], controller: t.Mapping[str, Value], holders: Statement | None = None
    ) -> None:
        """Make the statements.

        controller: the parameter with the domain controller, for steps without a controller.
        holders: the statement that reads the users of policies; None for no such read.
        """
        self.steps = steps
        self.records: dict[str, dict[str, Record]] = {}
        self.users: dict[str, User] = {}
        self.whole = False
        self._kinds = _kinds(steps)
        self.statements: list[Statement] = [reading(resource) for resource in self._kinds]
        if holders is not None:
            self.statements.append(holders)
        self._reads = {statement.cmdlet.casefold() for statement in self.statements}
        for step in steps:
            if step.part == "grants":
                # Each user is read right before the grant, because a batch of grants takes long.
                given = {name: v for name, v in step.parameters.items() if name == CONTROLLER}
                self.statements.append(user_statement(str(step.parameters["Identity"]), given or controller))
                self._reads.add(USERS.casefold())
            self.statements.append(step.statement)

    def take(self, answer: Answer) -> Answer:
        """Keep the objects of the reads. Return the answer of the writes."""
        own = tuple(error for error in answer.errors if error.cmdlet.casefold() not in self._reads)
        self.whole = not answer.ended_early and len(own) == len(answer.errors)
        # New- returns the new object, which did not exist before.
        made = {(step.part, step.key) for step in self.steps if step.before is None and step.part != "grants"}
        for item in answer.output:
            try:
                if is_user(item):
                    user = user_of(item)
                    self.users[user.key] = user
                else:
                    self._take_object(item, made)
            except Unreadable:
                # The read for the plan could read this object. The read after the writes shows its state.
                self.whole = False
        return Answer(answer.output, own, answer.warnings, answer.lost, answer.refused)

    def _take_object(self, item: t.Any, made: t.Collection[tuple[str, str]]) -> None:
        for resource in self._kinds:
            if resource.returned(item):
                record = resource.one(item)
                if record and (resource.part, record.key) not in made:
                    self.records.setdefault(resource.part, {}).setdefault(record.key, record)

    def before(self, step: Step) -> tuple[bool, Record | None]:
        """Return whether the object right before a step is known, and the object; None if the object did not exist."""
        if step.part == "grants":
            user = self.users.get(step.key)
            return (True, Record(user.name, {"policy": user.policy})) if user else (False, None)
        record = self.records.get(step.part, {}).get(step.key)
        return record is not None or (self.whole and step.before is not None), record


def _kinds(steps: t.Sequence[Step]) -> list[Resource]:
    """Return the kinds of the existing objects that steps change. A grant means the kind of policies.

    New- needs no read, because New- fails if the object exists.
    """
    parts = {"policies" if step.part == "grants" else step.part for step in steps if step.before is not None}
    return [resource for resource in RESOURCES if resource.part in parts]
