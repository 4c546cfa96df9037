# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the own SIP domains partners may address."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.names import Invalid, canonical_domain, domain_from_server

# Names that the documentation gives an Edge's certificate beside the bare domains (its certificate pages).
_HOSTS = ("sip.", "webcon.", "xmpp.")


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


def asking(own: t.Sequence[str]) -> str:
    """The own domain in whose name partners are asked: the first that is one. Empty if none is."""
    for name in own:
        with contextlib.suppress(Invalid):  # a server may have what nobody may declare
            return canonical_domain(name)
    return ""
