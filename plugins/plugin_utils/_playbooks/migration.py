# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A move to Server 2019: what is asked of the deployment, and the report as Markdown, with texts to send. Pure."""

from __future__ import annotations

import textwrap
import typing as t

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import count, some
from ...module_utils._federation.migration import ELSEWHERE, LOSES, MAY_LOSE, WITHOUT
from .._documents.short_document import WIDTH, Code, Heading, Paragraph, Part, Points, Table, render
from .._files.usage import DomainUse
from . import usage
from .decommission import ending_sheet, sentence
from .usage import PartnerUsage

Info = t.Mapping[str, t.Any]
# An administrator's role may be limited to a part of the users (page of New-CsAdminRole, UserScopes).
_SEEN = (
    "As far as this account sees, no user with XMPP remains on a legacy pool afterwards. If its role is limited to a"
    " part of the users, ask with an account that sees all of them before you remove anything."
)
_HEADINGS = {
    LOSES: "Who loses XMPP",
    MAY_LOSE: "Of whom it is not known",
    ELSEWHERE: "Who is elsewhere already, and has no XMPP",
    WITHOUT: "Who has no XMPP",
}

USERS, POOLS = "sfb_xmpp_for_users", "sfb_xmpp_for_pools"


def options(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options of xmpp_migration_info. values: the settings. Raises Refused where nobody is named."""
    users, pools = (values.get(name.removeprefix("sfb_xmpp_")) or [] for name in (USERS, POOLS))
    if not users and not pools:
        text = "%s and %s are missing; name who moves next, as in -e %s=ann@contoso.com or -e %s=fe01.contoso.com"
        raise Refused([text % (USERS, POOLS, USERS, POOLS)])
    declared = [str(one["domain"]) for one in values.get("partners") or () if one.get("domain")]
    return {"users": users, "pools": pools, "declared": declared}


def named(reasons: t.Iterable[str]) -> list[str]:
    """Reasons of xmpp_migration_info, with the names of the settings in place of those of its options."""
    names = {"users: ": USERS, "pools: ": POOLS, "declared: ": "sfb_xmpp_partners"}
    return [
        next((name + ": " + text[len(option) :] for option, name in names.items() if text.startswith(option)), text)
        for text in reasons
    ]


def lines(info: Info, path: str, changed: bool, check: bool) -> list[str]:
    """What the playbook shows: the answer, and where the report is. path: of the report."""
    done = "is as it was" if not changed else "would be written" if check else "is written"
    shown = usage.lines(PartnerUsage.of(info["usage"])) if "usage" in info else []
    return [_counted(info), _left(info), *shown, "The report %s %s." % (path, done)]


def compared(info: Info, rows: t.Sequence[DomainUse]) -> PartnerUsage | None:
    """The use of each partner; None without a table. info: of xmpp_migration_info. rows: of the table."""
    return usage.compare(rows, info["partner_domains"], info["own_domains"]) if rows else None


def report(info: Info, deployment: str, used: PartnerUsage | None = None) -> str:
    """info: of xmpp_migration_info."""
    parts: list[Part] = [
        Heading("Who loses XMPP by the move to Server 2019 (%s)" % deployment, 1),
        *_answer(info),
        *_who(info),
        *_partners(info, used),
        Heading("What to tell whom"),
        *_for_users(info),
        *_for_partners(info),
        *_steps(info, deployment),
    ]
    return render(parts, "markdown")


def _of(info: Info, kind: str) -> list[dict[str, str]]:
    return [one for one in info["users"] if one["outcome"] == kind]


def _answer(info: Info) -> list[Part]:
    return [Paragraph(_counted(info)), Paragraph(_left(info))]


def _counted(info: Info) -> str:
    words = ["%s would move" % count(info["users"], "user")]
    if info["pools"]:
        words[0] += ", with everybody of %s" % ", ".join(info["pools"])
    words.append("XMPP, which Server 2019 does not have, is lost by %s of them" % (len(_of(info, LOSES)) or "none"))
    if _of(info, MAY_LOSE):
        words.append("of %d it is not known" % len(_of(info, MAY_LOSE)))
    if info["unknown"]:
        words.append("nobody was found for %s" % count(info["unknown"], "name"))
    return "; ".join(words) + "."


def _left(info: Info) -> str:
    if info["nobody_left"]:
        return _SEEN
    if info["nobody_left"] is None:
        text = "It is not known whether anybody with XMPP is left on a legacy pool afterwards; it may be %s."
        return text % some(info["remaining_unknown"], 20)
    return "%s with XMPP left afterwards: %s." % (
        "1 user is" if len(info["remaining"]) == 1 else "%d users are" % len(info["remaining"]),
        some(info["remaining"], 20),
    )


def _who(info: Info) -> t.Iterator[Part]:
    for kind, heading in _HEADINGS.items():
        found = _of(info, kind)
        if found:
            yield Heading(heading)
            rows = tuple((one["name"], one["pool"], one["reason"]) for one in found)
            yield Table(("user", "home", "by what" if kind == LOSES else "why"), rows)
    if info["unknown"]:
        yield Heading("Who was not found")
        yield Points(tuple("%s: %s" % (one["name"], one["message"]) for one in info["unknown"]))


def _partners(info: Info, used: PartnerUsage | None) -> list[Part]:
    parts: list[Part] = [Heading("Partners that lose their users")]
    names = tuple(_partner(one) for one in info["partner_domains"])
    more = [Heading("Use of the partners", 3), *usage.parts(used)] if used else []
    if not names:
        return [*parts, Paragraph("There is no partner."), *more]
    if info["nobody_left"]:
        return [*parts, Paragraph("As far as this account sees, no user of these is left:"), Points(names), *more]
    why = (
        "The management shell has no record of who talks to whom, so it cannot be known here of a single partner. While"
        " somebody with XMPP is left, or may be, each of these may be in use. If there is a Monitoring database,"
        " its session details hold both addresses; the users' contact lists (Export-CsUserData) hold their contacts:"
    )
    if used:
        why = "While somebody with XMPP is left, or may be, each of these may be in use. The table below says how much:"
    return [*parts, Paragraph(why), Points(names), *more]


def _partner(one: t.Mapping[str, t.Any]) -> str:
    more = " (with %s)" % ", ".join(one["additional_domains"]) if one["additional_domains"] else ""
    return str(one["domain"]) + more + ("" if one["allowed"] else ": declared, but not allowed on the servers")


def _for_users(info: Info) -> t.Iterator[Part]:
    losing = [one["name"] for one in info["users"] if one["outcome"] in (LOSES, MAY_LOSE)]
    if not losing:
        return
    domains = [
        name
        for one in info["partner_domains"]
        if one["allowed"]
        for name in (one["domain"], *one["additional_domains"])
    ]
    yield Heading("The users", 3)
    yield Paragraph("To: %s" % ", ".join(name.removeprefix("sip:") for name in losing))
    lines = ["Subject: Some of your contacts cannot be reached any more after your move", ""]
    lines += textwrap.wrap(
        "Your account moves to Skype for Business Server 2019. From then on you cannot exchange messages with contacts"
        " at the organisations below, nor see their presence, because that version has no XMPP federation.",
        WIDTH,
    )
    lines += ["", *("- %s" % name for name in domains or ("(no partner is allowed at present)",)), ""]
    lines += textwrap.wrap(
        "Before that day, please agree with them on another way, such as e-mail. Your other contacts are not affected"
        " by this.",
        WIDTH,
    )
    yield Code(tuple(lines))


def _for_partners(info: Info) -> t.Iterator[Part]:
    allowed = [one for one in info["partner_domains"] if one["allowed"]]
    if not info["nobody_left"] or not allowed:
        return
    yield Heading("The partners' administrators", 3)
    for one in allowed:
        yield Paragraph("To the administrator of %s:" % one["domain"])
        yield Code(tuple(ending_sheet(one, info["own_domains"], "", "text").rstrip("\n").split("\n")))


def _steps(info: Info, deployment: str) -> list[Part]:
    """For whoever moves the users."""
    losing = _of(info, LOSES) + _of(info, MAY_LOSE)
    steps = []
    if losing:
        steps.append("Send the users the text above, or leave out of the move (Move-CsUser) who needs XMPP.")
    if _of(info, MAY_LOSE):
        steps.append(
            "Find out of which release the homes are, and which policies there are, for those of whom it is not known."
        )
    if not info["nobody_left"]:
        steps += [
            "Keep the legacy Front End and Edge pools with XMPP, the route, the certificate and the SRV records.",
            "After the move run sfb.xmpp.preflight: users_elsewhere names those who still have a policy that gives"
            " XMPP. Take them out of granted_to in sfb_xmpp_policies.",
            "Run sfb.xmpp.migration again before the next move.",
        ]
        return [Heading("The administrator", 3), Points(tuple(steps))]
    if info["partner_domains"]:
        steps.append(
            "Send the partners' administrators their texts. Take the partners out of sfb_xmpp_partners, or"
            " sfb.xmpp.converge allows them again."
        )
    steps += [
        "Take XMPP out of the deployment, in stages, with the command below: it keeps an export, says which SRV records"
        " to delete, and then removes partners, rights, the route and the certificate's assignment.",
        "Move the users, and only then the legacy pools.",
    ]
    command = (
        "ansible-playbook sfb.xmpp.decommission -i INVENTORY -e sfb_xmpp_decommission_date=DATE"
        ' -e \'{"sfb_xmpp_decommission": "%s"}\''
    )
    return [Heading("The administrator", 3), Points(tuple(steps)), Code((command % sentence(deployment),))]
