# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Characters that XML and HTML have no form for, or that nobody sees. Pure."""

from __future__ import annotations

from ...module_utils._base.texts import in_strings, printable


def clean(text: str) -> str:
    """The text with each of them as an escape, so that it is seen that something was there. Line feeds stay.

    XML 1.0 section 2.2 has no form for control characters and half a surrogate pair.
    """
    return in_strings(text, lambda one: one if one in _SPACES else printable(one))


# That of a thousand, and that which does not break.
_SPACES = "\u00a0\u2009\u202f"
