# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert a call's parameters to JSON without secrets, for the event log."""

from __future__ import annotations

import itertools
import typing as t

from psrpcore.types import PSByte, PSSecureString

from ..errors import BindingError
from .binding import resolve_name
from .contract import Cmdlet
from .objects import type_names

_SECRETS = ("Password", "CaPassword", "DialbackPassphrase", "Credential")


def show_parameters(cmdlet: Cmdlet | None, given: t.Sequence[tuple[str | None, object]]) -> dict[str, t.Any]:
    """Return parameters as JSON with masked secrets. Parameters that the cmdlet knows get full names."""
    numbers = itertools.count()
    shown = {}
    for name, value in given:
        if name is None:
            shown["#%d" % next(numbers)] = _show(value)
            continue
        try:
            parameter = resolve_name(cmdlet, name) if cmdlet else None
        except BindingError:
            parameter = None
        full = parameter.name if parameter else name
        secret = full in _SECRETS or (parameter is None and _may_be_secret(full))
        shown[full] = {"secret": True} if secret else _show(value)
    return shown


def _may_be_secret(name: str) -> bool:
    """Return whether an unknown parameter name is similar to the name of a secret."""
    return any(word in name.lower() for word in ("pass", "cred", "secret", "pwd"))


def _show(value: object) -> t.Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, PSSecureString):
        return {"secret": True}
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        kind = type(value).__name__.removeprefix("PS").lower()
        return int(value) if kind == "int" else {kind + ("32" if kind == "uint" else ""): int(value)}
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(v, PSByte) for v in value):
            return {"bytes": len(value)}
        return [_show(v) for v in value]
    if isinstance(value, dict):
        return {"hashtable": {str(k): _show(v) for k, v in value.items()}}
    names = type_names(value)
    return {"object": names[0] if names else type(value).__name__}
