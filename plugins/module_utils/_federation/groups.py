# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the name of a group of Active Directory, and make the filter for its members. The functions are pure.

Only here, a user's text becomes a part of a filter. So every character with a meaning in a filter is escaped (RFC 4515,
section 3).
"""

from __future__ import annotations

import re
import typing as t

from .._base.names import Invalid, check_text
from .kinds import written

# LDAP_MATCHING_RULE_IN_CHAIN, which follows groups in groups (Microsoft: Search Filter Syntax).
NESTED = "1.2.840.113556.1.4.1941"
# RFC 4515 lists these characters and NUL. Invisible characters are escaped too, because some programs remove such
# characters.
_SPECIAL = re.compile(r"[\x00-\x1f\x7f*()\\]|^ | $")
# Every group belongs to a domain, and the domain is the end of the name.
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9.-]*\s*=.*[^\\],\s*DC\s*=.", re.I)


def group_from_user(value: t.Any) -> str:
    """Return the distinguished name of a group from the user's value. Raises Invalid."""
    name = check_text(value, name=True).strip() if isinstance(value, str) else ""
    if not _GROUP.match(name):
        text = "%s is not the distinguished name of a group. Write it as in CN=XMPP Users,OU=Groups,DC=contoso,DC=com"
        raise Invalid(text % written(value))
    return name


def member_filter(group: str, nested: bool) -> str:
    """Return the LDAP filter that finds the members of a group.

    group: the distinguished name of the group.
    nested: whether to find the members of groups in the group too.
    """
    rule = ":%s:" % NESTED if nested else ""
    return "(memberOf%s=%s)" % (rule, _SPECIAL.sub(lambda found: "\\%02x" % ord(found[0]), group))
