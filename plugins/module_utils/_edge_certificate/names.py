# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive the names of the gateway's certificate from the declared options. This code is pure.

Source of the rules: Microsoft's pages on Edge certificates. The Access Edge is the subject. Every SIP domain has its
``sip.`` name. Every XMPP domain is a name itself, because partners check the domain.
"""

from __future__ import annotations

import typing as t

from .._base.names import Invalid, canonical_domain


class InvalidNames(ValueError):
    """A certificate cannot have some of the names.

    texts: one text for each name, with the option and the name's place in the option.
    """

    def __init__(self, texts: t.Sequence[str]) -> None:
        super().__init__("; ".join(texts))
        self.texts = tuple(texts)


def required_names(
    names: t.Sequence[str] = (),
    access_edge: str | None = None,
    sip_domains: t.Sequence[str] = (),
    xmpp_domains: t.Sequence[str] = (),
) -> list[str]:
    """Return the canonical names, each once, the Access Edge's first. Raises InvalidNames.

    The list is empty if nothing is declared.
    """
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
        texts.append(
            "access_edge: is required with sip_domains or xmpp_domains, because it is the certificate's subject"
        )
    if texts:
        raise InvalidNames(texts)
    return list(dict.fromkeys([*first, *listed, *("sip." + domain for domain in sip), *xmpp]))
