# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of a group of Active Directory: the name of the group, and the filter that finds them. Pure.

This is the one place where a text of a user becomes part of a filter, so every character that means something in a
filter is escaped here (RFC 4515, section 3).
"""

from __future__ import annotations

import re
import typing as t

from .._base.names import Invalid, check_text
from .kinds import written

# LDAP_MATCHING_RULE_IN_CHAIN, which follows groups in groups (Microsoft: Search Filter Syntax).
NESTED = "1.2.840.113556.1.4.1941"
# RFC 4515 names these and NUL. Other characters that nobody sees are escaped as well: some readers of filters cut them.
_SPECIAL = re.compile(r"[\x00-\x1f\x7f*()\\]|^ | $")
# Every group belongs to a domain, which ends its name.
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9.-]*\s*=.*[^\\],\s*DC\s*=.", re.I)


def group_from_user(value: t.Any) -> str:
    """The distinguished name of a group, as a user wrote it. Raises Invalid."""
    name = check_text(value, name=True).strip() if isinstance(value, str) else ""
    if not _GROUP.match(name):
        text = "%s is not the distinguished name of a group; write it as in CN=XMPP Users,OU=Groups,DC=contoso,DC=com"
        raise Invalid(text % written(value))
    return name


def member_filter(group: str, nested: bool) -> str:
    """The LDAP filter of who is a member of a group, with its distinguished name; nested: or of a group in it."""
    rule = ":%s:" % NESTED if nested else ""
    return "(memberOf%s=%s)" % (rule, _SPECIAL.sub(lambda found: "\\%02x" % ord(found[0]), group))
