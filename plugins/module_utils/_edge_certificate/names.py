# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names the gateway's certificate has to cover, from what is declared. Pure.

The rules are those of Microsoft's pages on Edge certificates: the Access Edge is the subject, every SIP domain has its
``sip.`` name, and every domain that takes part in XMPP stands there bare, since that is what partners look for.
"""

from __future__ import annotations

import typing as t

from .._base.names import Invalid, canonical_domain


class InvalidNames(ValueError):
    """Names that cannot be in a certificate. ``texts``: one for each, with the option and its place in it."""

    def __init__(self, texts: t.Sequence[str]) -> None:
        super().__init__("; ".join(texts))
        self.texts = tuple(texts)


def required_names(
    names: t.Sequence[str] = (),
    access_edge: str | None = None,
    sip_domains: t.Sequence[str] = (),
    xmpp_domains: t.Sequence[str] = (),
) -> list[str]:
    """The names, canonical and each once, the Access Edge's first; none if nothing is declared. Raises InvalidNames."""
    texts: list[str] = []

    def read(option: str, given: t.Sequence[str]) -> list[str]:
        found = []
        for number, name in enumerate(given):
            try:
                found.append(canonical_domain(str(name)))
            except Invalid as exc:
                texts.append("%s: %s" % ("%s[%d]" % (option, number) if option != "access_edge" else option, exc))
        return found

    first = read("access_edge", [access_edge] if access_edge else [])
    listed = read("names", names)
    sip = read("sip_domains", sip_domains)
    xmpp = read("xmpp_domains", xmpp_domains)
    if (sip_domains or xmpp_domains) and not (access_edge or names):
        texts.append("access_edge: with sip_domains or xmpp_domains it is needed, as the certificate's subject")
    if texts:
        raise InvalidNames(texts)
    return list(dict.fromkeys([*first, *listed, *("sip." + domain for domain in sip), *xmpp]))
