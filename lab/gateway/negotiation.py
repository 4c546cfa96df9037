# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the product's negotiation settings as the product's page prints them: a table of 18 rows.

The page is "Negotiation settings for XMPP federated partners" (Lync Server 2013, JJ552456; Skype for Business Server
2015 has the same table). This file contains only data, so that code that derives the rows can be compared with the
data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

SASL = "sasl-over-tls"
TLS_DIALBACK = "tls-dialback"
TCP_DIALBACK = "tcp-dialback"

# The columns are TlsNegotiation, SaslNegotiation, SupportDialbackNegotiation, and the methods of the page, in the order
# of the page. A row without methods is invalid on the page.
_PRINTED: tuple[tuple[str, str, bool, tuple[str, ...]], ...] = (
    ("Required", "Required", True, (SASL,)),
    ("Required", "Required", False, (SASL,)),
    ("Optional", "Required", True, (SASL, TLS_DIALBACK, TCP_DIALBACK)),
    ("Optional", "Required", False, (SASL,)),
    ("NotSupported", "Required", True, (TCP_DIALBACK,)),
    ("NotSupported", "Required", False, ()),
    ("Required", "Optional", True, (SASL, TLS_DIALBACK)),
    ("Required", "Optional", False, (SASL,)),
    ("Optional", "Optional", True, (SASL, TLS_DIALBACK, TCP_DIALBACK)),
    ("Optional", "Optional", False, (SASL,)),
    ("NotSupported", "Optional", True, (TCP_DIALBACK,)),
    ("NotSupported", "Optional", False, ()),
    ("Required", "NotSupported", True, (TLS_DIALBACK,)),
    ("Required", "NotSupported", False, ()),
    ("Optional", "NotSupported", True, (TLS_DIALBACK, TCP_DIALBACK)),
    ("Optional", "NotSupported", False, ()),
    ("NotSupported", "NotSupported", True, (TCP_DIALBACK,)),
    ("NotSupported", "NotSupported", False, ()),
)


@dataclass(frozen=True)
class Row:
    """Hold a partner's settings. tls and sasl: ``Required``, ``Optional`` or ``NotSupported``, as in cmdlets."""

    tls: str
    sasl: str
    dialback: bool

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods that can authenticate a stream, strongest first. An invalid row has none."""
        return TABLE[self]

    def __str__(self) -> str:
        return "TLS %s, SASL %s, dialback %s" % (self.tls, self.sasl, "on" if self.dialback else "off")


# Row -> methods, in the order of the page.
TABLE: t.Mapping[Row, tuple[str, ...]] = {
    Row(tls, sasl, dialback): methods for tls, sasl, dialback, methods in _PRINTED
}
