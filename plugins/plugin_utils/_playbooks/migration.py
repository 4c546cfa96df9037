# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report on a move away from the legacy pools, as Markdown with texts to send. All functions are pure."""

from __future__ import annotations

import typing as t

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import count, some
from ...module_utils._federation.migration import ELSEWHERE, LOSES, MAY_LOSE, WITHOUT
from .._documents import xmpp_servers
from .._documents.short_document import Code, Heading, Paragraph, Part, Points, Table, render
from .._files.usage import DomainUse
from . import usage
from .decommission import ending_sheet, sentence
from .migration_target import TARGETS, MigrationTarget, letter
from .names import SERVER_2019
from .usage import PartnerUsage

Info = t.Mapping[str, t.Any]
DEFAULT = TARGETS[SERVER_2019]
# An administrator's role may be limited to a part of the users (page of New-CsAdminRole, UserScopes).
_SEEN = (
    "As far as this account can see, no user with XMPP remains on a legacy pool afterwards. If its role is limited to"
    " some users, run this again with an account that sees all users before you remove anything."
)
_HEADINGS = {
    LOSES: "Users with XMPP now",
    MAY_LOSE: "Users whose XMPP is unknown",
    ELSEWHERE: "Users on other pools, without XMPP",
    WITHOUT: "Users without XMPP",
}

# The steps before partners can use another server.
_SERVER_STEPS = (
    "Set up the XMPP server with the SIP domains that partners address and with an account for each user. Its"
    " certificate must have these domains. Add the files to its configuration.",
    "Move all users of a SIP domain on one day. On that day, point the SRV records _xmpp-server._tcp of the domain to"
    " the new server.",
)

USERS, POOLS = "sfb_xmpp_for_users", "sfb_xmpp_for_pools"


def options(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options of xmpp_migration_info.

    values: the settings.
    Raises Refused if no user or pool is named.
    """
    users, pools = (values.get(name.removeprefix("sfb_xmpp_")) or [] for name in (USERS, POOLS))
    if not users and not pools:
        text = "%s and %s are missing. Name users or pools, as in -e %s=ann@contoso.com or -e %s=fe01.contoso.com"
        raise Refused([text % (USERS, POOLS, USERS, POOLS)])
    declared = [str(one["domain"]) for one in values.get("partners") or () if one.get("domain")]
    return {"users": users, "pools": pools, "declared": declared}


def named(reasons: t.Iterable[str]) -> list[str]:
    """Return the reasons of xmpp_migration_info, with names of settings instead of names of options."""
    names = {"users: ": USERS, "pools: ": POOLS, "declared: ": "sfb_xmpp_partners"}
    return [
        next((name + ": " + text[len(option) :] for option, name in names.items() if text.startswith(option)), text)
        for text in reasons
    ]


def lines(info: Info, path: str, changed: bool, check: bool, target: MigrationTarget = DEFAULT) -> list[str]:
    """Return the lines that the playbook shows: the answer, and the path of the report."""
    done = "is unchanged" if not changed else "would be written" if check else "is written"
    shown = usage.lines(PartnerUsage.of(info["usage"])) if "usage" in info else []
    lost = ["Lost functions:", *("- " + one.text for one in target.lost)]
    return [_counted(info, target), _left(info), *shown, *lost, "The report %s %s." % (path, done)]


def files(info: Info, target: MigrationTarget) -> dict[str, str]:
    """Return the files to write next to the report, by path: the configuration of an XMPP server with the partners."""
    return xmpp_servers.files(_servers(info)) if target.has_xmpp else {}


def _servers(info: Info) -> xmpp_servers.S2sPartners:
    return xmpp_servers.s2s_partners(one for one in info["partner_domains"] if one["allowed"])


def compared(info: Info, rows: t.Sequence[DomainUse]) -> PartnerUsage | None:
    """Return the use of each partner; None without a table.

    info: the result of xmpp_migration_info.
    rows: the rows of the table.
    """
    return usage.compare(rows, info["partner_domains"], info["own_domains"]) if rows else None


def report(info: Info, deployment: str, used: PartnerUsage | None = None, target: MigrationTarget = DEFAULT) -> str:
    """Return the report as Markdown.

    info: the result of xmpp_migration_info.
    """
    parts: list[Part] = [
        Heading("XMPP and the move to %s (%s)" % (target.name, deployment), 1),
        *_answer(info, target),
        Heading("Lost functions"),
        Table(("function", "source"), tuple((one.text, one.source) for one in target.lost)),
        *_who(info, target),
        *_partners(info, used),
        *(_of_servers(_servers(info)) if target.has_xmpp else ()),
        Heading("Texts and steps"),
        *_for_users(info, target),
        *_for_partners(info, target),
        *_steps(info, deployment, target),
    ]
    return render(parts, "markdown")


def _of(info: Info, kind: str) -> list[dict[str, str]]:
    return [one for one in info["users"] if one["outcome"] == kind]


def _answer(info: Info, target: MigrationTarget) -> list[Part]:
    return [Paragraph(_counted(info, target)), Paragraph(_left(info))]


def _counted(info: Info, target: MigrationTarget) -> str:
    words = ["%s would move" % count(info["users"], "user")]
    if info["pools"]:
        words[0] += ", including all users of %s" % ", ".join(info["pools"])
    number = len(_of(info, LOSES)) or "none"
    if target.has_xmpp:
        words.append("%s of them use the XMPP gateway, and need an account on the new server" % number)
    else:
        words.append("%s has no XMPP: %s of them lose it" % (target.name, number))
    if _of(info, MAY_LOSE):
        words.append("unknown for %d of them" % len(_of(info, MAY_LOSE)))
    if info["unknown"]:
        words.append("no user was found for %s" % count(info["unknown"], "name"))
    return "; ".join(words) + "."


def _left(info: Info) -> str:
    if info["nobody_left"]:
        return _SEEN
    if info["nobody_left"] is None:
        text = "It is unknown whether users with XMPP remain on a legacy pool afterwards. These users may have it: %s."
        return text % some(info["remaining_unknown"], 20)
    return "%s on a legacy pool afterwards: %s." % (
        "1 user with XMPP remains"
        if len(info["remaining"]) == 1
        else "%d users with XMPP remain" % len(info["remaining"]),
        some(info["remaining"], 20),
    )


def _who(info: Info, target: MigrationTarget) -> t.Iterator[Part]:
    for kind, heading in _HEADINGS.items():
        found = _of(info, kind)
        if found:
            yield Heading("Users that lose XMPP" if kind == LOSES and not target.has_xmpp else heading)
            rows = tuple((one["name"], one["pool"], one["reason"]) for one in found)
            yield Table(("user", "home pool", "policy" if kind == LOSES else "reason"), rows)
    if info["unknown"]:
        yield Heading("Users that were not found")
        yield Points(tuple("%s: %s" % (one["name"], one["message"]) for one in info["unknown"]))


def _partners(info: Info, used: PartnerUsage | None) -> list[Part]:
    parts: list[Part] = [Heading("Partners that lose their users")]
    names = tuple(_partner(one) for one in info["partner_domains"])
    more = [Heading("Use of the partners", 3), *usage.parts(used)] if used else []
    if not names:
        return [*parts, Paragraph("The deployment has no partner."), *more]
    if info["nobody_left"]:
        text = "As far as this account can see, no user of these partners remains:"
        return [*parts, Paragraph(text), Points(names), *more]
    why = "Users with XMPP remain or may remain, so each of these partners may be in use."
    why += (
        " The table below shows the use:"
        if used
        else " The management shell does not record sessions. A Monitoring database has the addresses of each session."
        " The users' contact lists (Export-CsUserData) have their contacts:"
    )
    return [*parts, Paragraph(why), Points(names), *more]


def _partner(one: t.Mapping[str, t.Any]) -> str:
    more = " (with %s)" % ", ".join(one["additional_domains"]) if one["additional_domains"] else ""
    return str(one["domain"]) + more + ("" if one["allowed"] else ": declared, but not allowed on the servers")


def _of_servers(servers: xmpp_servers.S2sPartners) -> t.Iterator[Part]:
    yield Heading("The partners on the new server")
    yield Paragraph("These files are next to this report. Their first lines name the place for each file.")
    yield Points(tuple(xmpp_servers.files(servers)))
    rows = tuple(
        (
            ", ".join(one.domains),
            "required" if one.encryption else "not required",
            "certificate" if one.certificate else "certificate or dialback",
        )
        for one in servers.partners
    )
    if rows:
        yield Table(("domains", "encryption", "authentication"), rows)
    notes = ["%s. Not in the files." % text for text in servers.left_out]
    if servers.loose:
        text = (
            "ejabberd does not enforce encryption for %s. It has one switch for all partners, and another partner has"
            " no encryption."
        )
        notes.append(text % some(servers.loose, 20))
    if notes:
        yield Points(tuple(notes))


def _for_users(info: Info, target: MigrationTarget) -> t.Iterator[Part]:
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
    yield Code(tuple(letter(domains, target)))


def _for_partners(info: Info, target: MigrationTarget) -> t.Iterator[Part]:
    allowed = [one for one in info["partner_domains"] if one["allowed"]]
    if target.has_xmpp and allowed:
        yield Heading("The partners' administrators", 3)
        yield Paragraph(
            "Our domains %s move to another XMPP server. From that day, their SRV records point to the new server,"
            " which has another certificate. Nothing else changes for you." % some(info["own_domains"], 20)
        )
        return
    if not info["nobody_left"] or not allowed:
        return
    yield Heading("The partners' administrators", 3)
    for one in allowed:
        yield Paragraph("To the administrator of %s:" % one["domain"])
        yield Code(tuple(ending_sheet(one, info["own_domains"], "", "text").rstrip("\n").split("\n")))


def _steps(info: Info, deployment: str, target: MigrationTarget) -> list[Part]:
    """Return the steps of the administrator who moves the users."""
    losing = _of(info, LOSES) + _of(info, MAY_LOSE)
    steps = list(_SERVER_STEPS) if target.has_xmpp else []
    if losing:
        text = "Send the users the text above%s."
        steps.append(text % ("" if target.has_xmpp else ", or do not move (Move-CsUser) users who need XMPP"))
    if _of(info, MAY_LOSE):
        steps.append("For users whose XMPP is unknown, find out the release of the home pool and the policies.")
    if not info["nobody_left"]:
        steps += [
            "Keep the legacy Front End and Edge pools with XMPP, the route, the certificate and the SRV records.",
            "After the move, run sfb.xmpp.preflight. The finding users_elsewhere names the moved users who still have a"
            " policy that allows XMPP. Remove them from granted_to in sfb_xmpp_policies.",
            "Run sfb.xmpp.migration again before the next move.",
        ]
        return [Heading("The administrator", 3), Points(tuple(steps))]
    if info["partner_domains"]:
        told = "the text above" if target.has_xmpp else "the texts above"
        steps.append(
            "Send the partners' administrators " + told + ". Remove the partners from sfb_xmpp_partners. Otherwise"
            " sfb.xmpp.converge allows them again."
        )
    steps += [
        "Remove XMPP from the deployment in stages, with the command below. It keeps an export and names the SRV"
        " records to delete. Then it removes partners, rights, the route and the certificate's assignment.",
        "Move the users, and then remove the legacy pools.",
    ]
    command = (
        "ansible-playbook sfb.xmpp.decommission -i INVENTORY -e sfb_xmpp_decommission_date=DATE"
        ' -e \'{"sfb_xmpp_decommission": "%s"}\''
    )
    return [Heading("The administrator", 3), Points(tuple(steps)), Code((command % sentence(deployment),))]
