# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace the names of users by pseudonyms in output if ``sfb_xmpp_show_users`` is false.

With the same key a user has the same pseudonym in every file. So the changes of one user can be followed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t

from .names import key as key_of

# A SIP address, a user principal name or a distinguished name. No other texts name a user.
_NAME = re.compile(
    r"(?:sips?:)?[^\s,;:'\"<>()\[\]{}|=@][^\s,;:\"<>()\[\]{}|=@]*@[^\s,;:'\"<>()\[\]{}|=@]*[^\s,;:'\"<>()\[\]{}|=@.]"
    r"|\bCN=(?:\\.|[^,\\\n])+(?:,\s*(?:CN|OU|DC)=(?:\\.|[^,\\\s])(?:\\.|[^,\\\n'\")|])*)*",
    re.IGNORECASE,
)
_DIGITS = 10
_key: bytes | None = None


def hide(key: bytes | None) -> None:
    """Hide the names in this process from now on.

    key: the key of the pseudonyms; None shows the names.
    """
    global _key
    _key = key


def hidden() -> bool:
    return _key is not None


def pseudonym(name: str) -> str:
    """Return the pseudonym of a user, or the name itself if names are shown."""
    if _key is None:
        return name
    plain = re.sub(r"^sips?:", "", key_of(name))
    return "user-" + hmac.new(_key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]


def shown(value: t.Any) -> t.Any:
    """Return a value with a pseudonym for every name.

    value: a text, or texts in lists and dictionaries.
    """
    if _key is None:
        return value
    if isinstance(value, str):
        return _NAME.sub(lambda found: pseudonym(found.group()), value)
    if isinstance(value, t.Mapping):
        return {shown(name): shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, (list, tuple)) else value
