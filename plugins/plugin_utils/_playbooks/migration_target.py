# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the targets of a move, and what users of XMPP lose on each target, with the source. All functions are pure."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass

from .._documents.short_document import WIDTH
from .names import SERVER_2019, TEAMS, XMPP

_DEPRECATED = "Microsoft, 'What's deprecated from Skype for Business Server 2019'"
_MIGRATING = "Microsoft, 'Migrating XMPP federation'"
_TENANT = "Microsoft, 'Set-CsTenantFederationConfiguration', and 'Coexistence with Skype for Business'"
_NEGOTIATION = "RFC 6120, sections 5 and 6; XEP-0220"


@dataclass(frozen=True)
class Loss:
    """Hold a function that users lose.

    text: the function.
    source: the document. If no document states the loss, the text states this fact.
    """

    text: str
    source: str


@dataclass(frozen=True)
class MigrationTarget:
    """Hold a target of the move.

    key: the value of the setting.
    name: the name in sentences.
    lost: the functions that users lose.
    has_xmpp: whether the target has XMPP, so that the partners can stay.
    """

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
                    "The legacy Edge servers must stay while users use XMPP. An Edge server of 2019 can run next to"
                    " them.",
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
                    _TENANT + ": the pages do not mention XMPP, and no page states the loss",
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
                    "Meetings, calls and shared screens. Only messages, presence and contacts stay.",
                    "RFC 6121 has messages, presence and contact lists. Other functions need extensions or products",
                ),
                Loss("Federation over SIP, and public providers.", "RFC 6120 is the only protocol between the servers"),
                Loss(
                    "The legacy gateway, for all users of a SIP domain at once. SRV records point to one server only,"
                    " so the users of a domain cannot be on both.",
                    "RFC 6120, section 3.2.1",
                ),
                Loss(
                    "Presence without the user's consent. Partners of the type Federated have it, but XMPP asks the"
                    " user for each contact.",
                    "RFC 6121, section 3; Microsoft, 'New-CsXmppAllowedPartner'",
                ),
                Loss(
                    "Contact lists, unless you convert them.",
                    "Microsoft, 'Export-CsUserData': the file has the product's own format",
                ),
                Loss(
                    "The connection limit, the keep-alive and the proxy of each partner. The files below have only the"
                    " domains, encryption and authentication.",
                    _NEGOTIATION,
                ),
            ),
            has_xmpp=True,
        ),
    )
}


def target_of(key: t.Any) -> MigrationTarget:
    """Return the target of a setting.

    key: a text or a YAML number; without a value, the target is Server 2019.
    """
    return TARGETS[str(key or SERVER_2019)]


def letter(domains: t.Sequence[str], target: MigrationTarget) -> list[str]:
    """Return the text for users who move.

    domains: the domains of the partners.
    """
    listed = ["", *("- %s" % name for name in domains or ("(no partner is allowed at present)",)), ""]
    if target.has_xmpp:
        return [
            "Subject: You get another program for messages to partners",
            "",
            *textwrap.wrap(
                "Your account for messages moves to another server. There you can exchange messages and presence with"
                " contacts at the organisations below. The new server has no meetings and calls.",
                WIDTH,
            ),
            *listed,
            *textwrap.wrap(
                "Your contact list may be lost. Before the move, please write down these contacts. Then add them again"
                " and ask them to accept you.",
                WIDTH,
            ),
        ]
    return [
        "Subject: Some of your contacts cannot be reached any more after your move",
        "",
        *textwrap.wrap(
            "Your account moves to %s, which has no XMPP federation. After the move you cannot exchange messages with"
            " contacts at the organisations below. You also cannot see the presence of these contacts." % target.name,
            WIDTH,
        ),
        *listed,
        *textwrap.wrap(
            "Before the move, please agree with these contacts on another way, such as e-mail. Your other contacts are"
            " not affected.",
            WIDTH,
        ),
    ]
