# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a plan for a change ticket: the author, the deployment, the summary, the affected users, and all calls.

This code is pure.
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.texts import deployment_name
from . import markdown

Result = t.Mapping[str, t.Any]

# Every call has these parameters, so they are not shown.
_LEFT_OUT = ("Identity", "Confirm")


def render(
    result: Result, *, label: str, host: str, user: str, account: str, time: str, collection: str, ticket: str = ""
) -> str:
    """Return the plan in Markdown.

    result: the result of xmpp_federation in check mode.
    label: the name of the deployment.
    host: the management host of the deployment.
    user: the user on the controller.
    account: the account of the session.
    time: the time in UTC, in ISO 8601.
    """
    identity = result.get("identity") or {}
    facts = [
        ("Deployment", markdown.text(deployment_name(label, host))),
        ("Pool of the Central Management Store", ", ".join(map(markdown.code, identity.get("pools") or ()))),
        ("SIP domains", ", ".join(map(markdown.code, identity.get("sip_domains") or ()))),
        ("Planned at", markdown.text(time)),
        ("By", markdown.text(user + (", with the account %s" % account if account else ""))),
        ("Ticket", markdown.text(ticket)),
        ("Collection", markdown.text("sfb.xmpp " + collection)),
        ("Digest", markdown.code((result.get("plan_digest") or {}).get("digest") or "")),
    ]
    calls = [
        [markdown.code(step["cmdlet"]), markdown.code(step["identity"]), _parameters(step["parameters"])]
        for step in result.get("steps") or ()
    ]
    warnings = list(result.get("warnings") or ())
    first, *rest = result.get("report") or ("sfb.xmpp plan",)
    return markdown.document(
        [
            "# " + markdown.text(first),
            markdown.table(["Plan", ""], [[name, value] for name, value in facts if value]),
            markdown.block(rest),
            *_impact(result.get("impact") or {}),
            "## Warnings" if warnings else "",
            "\n".join("- " + markdown.text(one) for one in warnings),
            "## Calls" if calls else "",
            markdown.table(["Cmdlet", "Object", "Parameters"], calls),
        ]
    )


def _impact(found: Result) -> list[str]:
    """Return the users who gain or lose a partner: the numbers by domain, then the names of users by change."""
    if not found:
        return []
    head = "Users that the account could read: %s. " % "{:,}".format(found["seen"])
    if found["unread"]:
        told = markdown.text(
            "It is unknown who gains or loses a partner, because this could not be read: %s." % found["unread"]
        )
        return ["## Users", told]
    if not found["domains"]:
        return ["## Users", head + "No user gains or loses a partner."]
    numbers = [
        [
            markdown.code(one["domain"]),
            _changes(one["out"]),
            _changes(one["in"]) + (_CONTACTS if one["contact_first"] and one["in"]["gain"] else ""),
        ]
        for one in found["domains"]
    ]
    groups = [
        [
            _named(one["domains"], _DOMAINS),
            _both(one),
            "{:,}".format(one["users"]),
            _named(one["names"], None, one["users"]),
        ]
        for one in found["groups"]
    ]
    return [
        "## Users",
        head + "At least one partner: %s." % _changes(found["users"]),
        markdown.table(["Domain of a partner", "Messages to the partner", "Messages from the partner"], numbers),
        markdown.table(["Domains", "What changes", "Users", "Who"], groups),
    ]


# The number of domains that are shown for a group. The table above has all domains.
_DOMAINS = 20
_CONTACTS = " (only to users who have added the contact)"
_WORDS = {
    "gain": "gain", "lose": "lose", "narrowed": "only from contacts now", "widened": "no longer only from contacts",
    "unknown": "unknown", "": "nothing changes",
}  # fmt: skip


def _changes(numbers: t.Mapping[str, int]) -> str:
    told = ["%s %s" % ("{:,}".format(number), _WORDS[change]) for change, number in numbers.items() if number]
    return ", ".join(told) or _WORDS[""]


def _both(one: Result) -> str:
    """Return the changes of both directions. Different changes are shown separately."""
    out, back = (_WORDS[one[way]] for way in ("out", "in"))
    return out if out == back else "to: %s; from: %s" % (out, back)


def _named(names: t.Sequence[str], most: int | None, number: int = 0) -> str:
    more = max(number, len(names)) - len(names[:most])
    return ", ".join([*map(markdown.code, names[:most]), *(["%s more" % "{:,}".format(more)] if more else [])])


def _parameters(given: t.Mapping[str, t.Any]) -> str:
    return ", ".join(
        "%s: %s" % (name, markdown.text(in_words(v))) for name, v in given.items() if name not in _LEFT_OUT
    )


def in_words(value: t.Any) -> str:
    """Return a parameter's value as in results, but without brackets."""
    if isinstance(value, t.Mapping):
        if value.get("secret"):
            return "(secret)"
        if set(value) <= {"add", "remove"}:
            return " and ".join("%s %s" % (word, in_words(names)) for word, names in value.items())
        return ", ".join("%s %s" % (name, in_words(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value)) or "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "nothing" if value is None or value == "" else str(value)
