# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the own SIP domains that partners can address."""

from __future__ import annotations

import contextlib
import typing as t

from .._base.names import Invalid, canonical_domain, domain_from_server

# Prefixes of the host names in an Edge's certificate. The source is the product's certificate pages.
_HOSTS = ("sip.", "webcon.", "xmpp.")


def own_domains(sip_domains: t.Sequence[str], names: t.Sequence[str]) -> list[str]:
    """Return the own domains that partners can address, as A-labels.

    The certificate contains the SIP domains that use XMPP (the product's certificate page). So the function returns the
    SIP domains in the certificate. If the certificate has no SIP domain, the function returns all SIP domains. If
    ``sip_domains`` is empty, the function returns the names of the certificate that are not host names.

    sip_domains: the SIP domains of the deployment; empty: not read.
    names: the names of the gateway's certificate, the Access Edge first; empty: not declared.
    """
    named: list[str] = []
    for name in names:
        with contextlib.suppress(Invalid):  # a wildcard is not a SIP domain
            named.append(canonical_domain(name))
    access_edge = domain_from_server(names[0]) if names else ""
    if sip_domains:
        return [domain for domain in sip_domains if domain in named] or list(sip_domains)
    return [name for name in dict.fromkeys(named) if name != access_edge and not name.startswith(_HOSTS)]


def asking(own: t.Sequence[str]) -> str:
    """Return the own domain for the probe of partners: the first valid domain; '' for no valid domain."""
    for name in own:
        with contextlib.suppress(Invalid):  # a server can have names that the inventory does not allow
            return canonical_domain(name)
    return ""
