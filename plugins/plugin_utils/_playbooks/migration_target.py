# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users of XMPP move to, and what each target takes from them, each with its source. Pure."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass

from .._documents.short_document import WIDTH

SERVER_2019, TEAMS, XMPP = "2019", "teams", "xmpp"

_DEPRECATED = "Microsoft, 'What's deprecated from Skype for Business Server 2019'"
_MIGRATING = "Microsoft, 'Migrating XMPP federation'"
_TENANT = "Microsoft, 'Set-CsTenantFederationConfiguration', and 'Coexistence with Skype for Business'"
_NEGOTIATION = "RFC 6120, sections 5 and 6; XEP-0220"


@dataclass(frozen=True)
class Loss:
    """text: what is lost. source: where that is written; it says so if it only follows from what is not written."""

    text: str
    source: str


@dataclass(frozen=True)
class MigrationTarget:
    """name: in a sentence. has_xmpp: whether the partners can stay."""

    key: str
    name: str
    lost: tuple[Loss, ...]
    has_xmpp: bool = False


TARGETS: t.Mapping[str, MigrationTarget] = {
    one.key: one
    for one in (
        MigrationTarget(
            SERVER_2019,
            "Skype for Business Server 2019",
            (
                Loss("XMPP federation. Edge servers have no XMPP proxy, and Front Ends have no gateway.", _DEPRECATED),
                Loss(
                    "Messages and presence with contacts at XMPP partners, for each user who moves. Users who need"
                    " XMPP stay on the legacy pool.",
                    _MIGRATING,
                ),
                Loss(
                    "The legacy Edge servers cannot be replaced while somebody uses XMPP. An Edge of 2019 can stand"
                    " beside them.",
                    _MIGRATING,
                ),
            ),
        ),
        MigrationTarget(
            TEAMS,
            "Microsoft Teams",
            (
                Loss(
                    "XMPP federation. Messages and presence with contacts at XMPP partners, for each user who moves.",
                    _TENANT + ": the pages name no XMPP. No page says it in so many words",
                ),
                Loss(
                    "A partner with Teams or Skype for Business can be reached again by external access. Both"
                    " organisations have to allow it. Other partners cannot.",
                    _TENANT,
                ),
            ),
        ),
        MigrationTarget(
            XMPP,
            "an XMPP server of your own",
            (
                Loss(
                    "Everything but messages, presence and contacts: meetings, calls, shared screens.",
                    "RFC 6121 has messages, presence and contact lists. All else is an extension, or another product",
                ),
                Loss("Federation over SIP, and public providers.", "RFC 6120 is the only protocol between the servers"),
                Loss(
                    "The legacy gateway, for all users of a SIP domain at once. SRV records lead partners to one of the"
                    " two, so users of one domain cannot be on both.",
                    "RFC 6120, section 3.2.1",
                ),
                Loss(
                    "Presence without the user's consent, which partners of the type Federated have. XMPP asks the"
                    " user for each contact.",
                    "RFC 6121, section 3; Microsoft, 'New-CsXmppAllowedPartner'",
                ),
                Loss(
                    "Contact lists, unless somebody converts them.",
                    "Microsoft, 'Export-CsUserData': the file has a form of the product",
                ),
                Loss(
                    "The connection limit, the keep-alive and the proxy of each partner. The files below have the"
                    " domains, encryption, and how partners prove themselves.",
                    _NEGOTIATION,
                ),
            ),
            has_xmpp=True,
        ),
    )
}


def target_of(key: t.Any) -> MigrationTarget:
    """key: of the setting; Server 2019 without one. A number of YAML is accepted."""
    return TARGETS[str(key or SERVER_2019)]


def letter(domains: t.Sequence[str], target: MigrationTarget) -> list[str]:
    """For users who move. domains: of the partners."""
    listed = ["", *("- %s" % name for name in domains or ("(no partner is allowed at present)",)), ""]
    if target.has_xmpp:
        return [
            "Subject: You get another program for messages to partners",
            "",
            *textwrap.wrap(
                "Your account for messages moves to another server. With it you reach contacts at the organisations"
                " below, with messages and presence. Meetings and calls are not part of it.",
                WIDTH,
            ),
            *listed,
            *textwrap.wrap(
                "Your contact list may not come along. Please write down these contacts before that day, add them"
                " again, and ask them to accept you.",
                WIDTH,
            ),
        ]
    return [
        "Subject: Some of your contacts cannot be reached any more after your move",
        "",
        *textwrap.wrap(
            "Your account moves to %s. From then on you cannot exchange messages with contacts at the organisations"
            " below, nor see their presence, because it has no XMPP federation." % target.name,
            WIDTH,
        ),
        *listed,
        *textwrap.wrap(
            "Before that day, please agree with them on another way, such as e-mail. Your other contacts are not"
            " affected by this.",
            WIDTH,
        ),
    ]
