# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the variables of a host from Ansible, in the context of that host."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars

from .._actions.plain_values import plain
from .settings import Settings, Source, read

# An action plugin with its running task.
Action = t.Any
Variables = t.Mapping[str, t.Any]


def settings_of(action: Action, variables: Variables, playbook: str) -> Settings:
    """Return the settings of a task's host. Raises Refused with all mistakes."""
    return read(playbook, source_of(action, variables))


def source_of(action: Action, variables: Variables) -> Source:
    """Return the source of values.

    variables: the variables of a task, or of another host (``hostvars[HOST]``).
    """

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
    """Return Ansible's reason on a single line, with at most 300 characters."""
    text = str(getattr(exc, "message", "") or exc)
    return " ".join(text.split())[:300]


def origin(value: t.Any) -> str:
    """Return file and line of a value, or an empty text.

    ansible-core 2.19 keeps file and line in a tag. Older versions keep file and line in an attribute. Tag and attribute
    are internal to ansible-core, so an empty text must always be acceptable.
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
    """Return a path relative to the working directory, if the file is below this directory."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
