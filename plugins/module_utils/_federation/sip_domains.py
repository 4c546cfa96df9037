# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse a partner with a SIP domain of the deployment. Messages to such a domain never reach a gateway.

A SIP server finds the users of its own domains itself. The server forwards only messages to other domains (RFC 3261
section 16.5).
"""

from __future__ import annotations

import typing as t

from .._base.names import domain_from_server
from .._base.result import ServerRefused
from .._base.step import Step
from .._shell.statement import Answer, Shell, Statement
from .pools import text_of

SIP_DOMAIN = "Get-CsSipDomain"


def sip_domains_of(items: t.Sequence[t.Any]) -> tuple[str, ...]:
    """Return the SIP domains as A-labels, the default domain first.

    Raises ServerRefused without a SIP domain, and Unreadable for unknown forms.

    Source: the page of Get-CsSipDomain. Name is the domain. IsDefault is true for the default domain, which always
    exists.
    """
    if not items:
        raise ServerRefused(SIP_DOMAIN, Answer())
    found = [(one.get("IsDefault") is not True, domain_from_server(text_of(SIP_DOMAIN, one, "Name"))) for one in items]
    return tuple(name for _other, name in sorted(found, key=lambda one: one[0]))


def read_sip_domains(shell: Shell) -> tuple[str, ...] | None:
    """Read the SIP domains; None if the account cannot read the domains.

    Raises ShellError, and Unreadable for unknown forms.
    """
    answer = shell.invoke([Statement(SIP_DOMAIN)])
    return None if answer.errors or answer.lost else sip_domains_of(answer.output)


def new_domains(steps: t.Iterable[Step]) -> list[tuple[str, str, str]]:
    """Return the domains that the steps add to partners: partner, option and domain."""
    found = []
    for step in steps:
        if step.part != "partners" or step.after is None:
            continue
        if step.before is None:
            found.append((step.identity, "domain", step.key))
        had = (step.before or {}).get("additional_domains") or ()
        more = step.after.get("additional_domains") or ()
        found += [(step.identity, "additional_domains", str(one)) for one in more if one not in had]
    return found


def mistakes(new: t.Iterable[tuple[str, str, str]], own: t.Collection[str]) -> list[str]:
    """Return why the domains cannot belong to a partner.

    new: partner, option and domain.
    own: the SIP domains of the deployment.
    """
    text = "%s: '%s' is a SIP domain of this deployment, so messages to it never reach a partner. Remove %s"
    wrong = {"domain": "the partner", "additional_domains": "it from additional_domains"}
    return [text % (partner, domain, wrong[option]) for partner, option, domain in new if domain in own]


def unknown(new: t.Sequence[tuple[str, str, str]]) -> list[str]:
    """Return the warning for SIP domains that cannot be read."""
    text = (
        "the domains of new partners were not compared with the SIP domains of the deployment, because %s is not"
        " offered to this account, or fails"
    )
    return [text % SIP_DOMAIN] if new else []
