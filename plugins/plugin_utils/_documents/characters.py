# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Characters that XML and HTML have no form for. Pure."""

from __future__ import annotations

import re

# All but those of XML 1.0 section 2.2: control characters, half a surrogate pair.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text with each of them replaced by U+FFFD, so that it is seen that something was there."""
    return _NO_TEXT.sub("\ufffd", text)
