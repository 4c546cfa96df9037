# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escape characters that XML and HTML do not allow, and invisible characters. This code is pure."""

from __future__ import annotations

from ...module_utils._base.texts import in_strings, printable


def clean(text: str) -> str:
    """Return the text with a visible escape for each forbidden or invisible character. Line feeds stay.

    XML 1.0 section 2.2 does not allow most control characters, or half of a surrogate pair.
    """
    return in_strings(text, lambda one: one if one in _SPACES else printable(one))


# The thousands space, and the space without a line break.
_SPACES = "\u00a0\u2009\u202f"
