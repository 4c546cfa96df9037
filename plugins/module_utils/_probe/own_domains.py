# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The own SIP domains: read from the deployment, and which of them partners may address."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.names import Invalid, canonical_domain, domain_from_server
from .._base.result import Params, Result, ServerRefused
from .._base.task import Task
from .._shell.statement import Answer, ServerError, Shell, Statement

CMDLET = "Get-CsSipDomain"

# Names that the documentation gives an Edge's certificate beside the bare domains (its certificate pages).
_HOSTS = ("sip.", "webcon.", "xmpp.")


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_topology_info. Raises ServerRefused, ShellError."""
    return Result({"sip_domains": read_sip_domains(shell)})


def read_sip_domains(shell: Shell) -> list[str]:
    """As A-labels in lower case, the default domain first. Raises ServerRefused, ShellError.

    The cmdlet page of Get-CsSipDomain: Name is the domain, IsDefault whether it is the default one. A deployment has at
    least that one, so no object is an error.
    """
    answer = shell.invoke([Statement(CMDLET)])
    if answer.lost or answer.errors or not answer.output:
        raise ServerRefused(CMDLET, answer)
    found: list[tuple[bool, str]] = []
    for item in answer.output:
        name = item.get("Name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name:
            text = "an object has no Name that is a text, so it is unknown which domain it is"
            raise ServerRefused(CMDLET, Answer(errors=(ServerError(CMDLET, "", "InvalidData", text),)))
        found.append((item.get("IsDefault") is not True, domain_from_server(name)))
    return [name for _other, name in sorted(found, key=lambda one: one[0])]


def own_domains(sip_domains: t.Sequence[str], names: t.Sequence[str]) -> list[str]:
    """The own domains that partners may address, as A-labels.

    sip_domains: of the deployment; empty: not read. names: of the gateway's certificate, the Access Edge's first;
    empty: not declared. A SIP domain that takes part in XMPP stands in the certificate (the product's certificate
    page), so those that do are taken; without such names all SIP domains, and without SIP domains the names that look
    like one.
    """
    named: list[str] = []
    for name in names:
        with contextlib.suppress(Invalid):  # a wildcard names no SIP domain
            named.append(canonical_domain(name))
    access_edge = domain_from_server(names[0]) if names else ""
    if sip_domains:
        return [domain for domain in sip_domains if domain in named] or list(sip_domains)
    return [name for name in dict.fromkeys(named) if name != access_edge and not name.startswith(_HOSTS)]


TASK = Task({}, work)
