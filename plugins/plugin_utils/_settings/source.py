# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a host as Ansible has them: what the settings are read from, in that host's own context."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars

from .._actions.plain_values import plain
from .settings import Settings, Source, read

# An action plugin: what it has of the running task.
Action = t.Any
Variables = t.Mapping[str, t.Any]


def settings_of(action: Action, variables: Variables, playbook: str) -> Settings:
    """The settings of the host of a task. Raises Refused with every mistake."""
    return read(playbook, source_of(action, variables))


def source_of(action: Action, variables: Variables) -> Source:
    """variables: those of a task, or of another host (``hostvars[HOST]``)."""

    def value(name: str) -> t.Any:
        try:
            return plain(action._templar.template(variables[name]))
        except AnsibleError as exc:
            raise ValueError(_brief(exc)) from None

    def place(name: str) -> str:
        try:
            return origin(variables.get(name))
        except AnsibleError:
            return ""

    return Source(
        names={str(name) for name in variables},
        extra={str(name) for name in load_extra_vars(action._loader)},
        value=value,
        place=place,
    )


def _brief(exc: AnsibleError) -> str:
    """Ansible's reason in one line."""
    text = str(getattr(exc, "message", "") or exc)
    return " ".join(text.split())[:300]


def origin(value: t.Any) -> str:
    """File and line in which a value was written, or an empty text.

    ansible-core 2.19 keeps them in a tag, and older ones in an attribute; both are internals, so nothing depends on it.
    """
    position = getattr(value, "ansible_pos", None)
    if position:
        return "%s, line %s" % (_short(str(position[0])), position[1])
    try:
        from ansible._internal._datatag._tags import Origin

        tag = Origin.get_tag(value)
    except (ImportError, AttributeError, TypeError):
        return ""
    if tag is None or not tag.path:
        return ""
    # A file of JSON has no lines.
    return _short(str(tag.path)) + (", line %s" % tag.line_num if tag.line_num else "")


def _short(path: str) -> str:
    """A path as a person would write it: relative to where they are, if the file is below that."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
