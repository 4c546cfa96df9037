# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables as the text of an inventory file: YAML in which nothing that a server said can become a template. Pure."""

from __future__ import annotations

import typing as t

import yaml

from ._plain import plain

_Base: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# What begins a template; Ansible would carry it out when it reads the file.
_TEMPLATES = ("{{", "{%", "{#")


class _Dumper(_Base):  # type: ignore[misc]
    """Marks texts that look like templates, and writes everything in full."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True


def _text(dumper: t.Any, value: str) -> t.Any:
    if any(mark in value for mark in _TEMPLATES):
        return dumper.represent_scalar("!unsafe", value, style='"')
    return dumper.represent_str(value)


_Dumper.add_representer(str, _text)


def inventory_text(variables: t.Mapping[str, t.Any]) -> str:
    """One document. Null options are left out, since they say the same as options that are not there."""
    text = yaml.dump(
        _without_nulls(plain(variables)),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1_000_000,
    )
    return "---\n" + str(text)


def _without_nulls(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
