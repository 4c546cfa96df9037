# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Match PowerShell's wildcards (about_Wildcards): ``*``, ``?``, ``[abc]``, ``[a-z]``, and the backtick as escape."""

from __future__ import annotations

import functools
import re


@functools.lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    out = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        end = pattern.find("]", i + 1) if c == "[" else -1
        if c == "`" and i + 1 < len(pattern):
            i += 1
            out.append(re.escape(pattern[i]))
        elif c == "*":
            out.append(".*")
        elif c == "?":
            out.append(".")
        elif end > i + 1:
            out.append("[%s]" % re.escape(pattern[i + 1 : end]).replace("\\-", "-"))
            i = end
        else:
            out.append(re.escape(c))
        i += 1
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def like(text: str, pattern: str) -> bool:
    """Return whether the whole text matches the pattern, without regard to case."""
    return _compile(pattern).fullmatch(text) is not None


def has_wildcard(text: str) -> bool:
    """Return whether a text is a pattern."""
    return any(c in text for c in "*?[")
