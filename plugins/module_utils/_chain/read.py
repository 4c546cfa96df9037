# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of the store what can be read, for those who only look: what the account may not read leaves the rest."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.result import ServerRefused, Unreadable


@contextlib.contextmanager
def what_is_refused() -> t.Iterator[None]:
    """Goes on after a read that the server refused; a form that is another stays an error."""
    try:
        yield
    except Unreadable:
        raise
    except ServerRefused:
        pass
