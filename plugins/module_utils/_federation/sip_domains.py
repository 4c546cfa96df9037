# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuses a partner whose domain is a SIP domain of the deployment: messages to it never reach a gateway.

A SIP server looks up users of its own domains itself, and forwards only the others (RFC 3261 section 16.5).
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
    """A-labels, the default one first. Raises ServerRefused, and Unreadable for a form that is another.

    The page of Get-CsSipDomain: Name is the domain, IsDefault whether it is the default one, which always exists.
    """
    if not items:
        raise ServerRefused(SIP_DOMAIN, Answer())
    found = [(one.get("IsDefault") is not True, domain_from_server(text_of(SIP_DOMAIN, one, "Name"))) for one in items]
    return tuple(name for _other, name in sorted(found, key=lambda one: one[0]))


def read_sip_domains(shell: Shell) -> tuple[str, ...] | None:
    """None where the account cannot read them. Raises ShellError, and Unreadable for a form that is another."""
    answer = shell.invoke([Statement(SIP_DOMAIN)])
    return None if answer.errors or answer.lost else sip_domains_of(answer.output)


def new_domains(steps: t.Iterable[Step]) -> list[tuple[str, str, str]]:
    """The domains that the steps declare as a partner's: partner, option, domain."""
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
    """Why the domains cannot be a partner's. own: the SIP domains."""
    text = "%s: the SIP domain '%s' is this deployment's own, so messages to it never reach a partner; remove %s"
    wrong = {"domain": "the partner", "additional_domains": "it from additional_domains"}
    return [text % (partner, domain, wrong[option]) for partner, option, domain in new if domain in own]


def unknown(new: t.Sequence[tuple[str, str, str]]) -> list[str]:
    """The warning where the SIP domains cannot be read."""
    text = (
        "not checked whether a new partner's domain is a SIP domain of the deployment: %s is not offered to this"
        " account, or fails"
    )
    return [text % SIP_DOMAIN] if new else []
