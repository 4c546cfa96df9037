# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The negotiation settings of an XMPP federated partner: which combinations work, which deserve a word.

Rules of "Negotiation settings for XMPP federated partners" (Lync Server 2013, JJ552456; the same table is kept for
Skype for Business Server 2015). The 18 rows follow from four rules; tests hold them against the printed table.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

SASL_OVER_TLS = "SASL EXTERNAL over TLS"
TLS_DIALBACK = "dialback over TLS"
TCP_DIALBACK = "dialback over clear TCP"

Level = t.Literal["valid", "risky", "invalid"]


@dataclass(frozen=True)
class Row:
    """tls and sasl are ``required``, ``optional`` or ``not_supported``."""

    tls: str
    sasl: str
    dialback: bool

    @property
    def methods(self) -> tuple[str, ...]:
        """The ways in which a stream can be authenticated, strongest first."""
        found = []
        if self.sasl != "not_supported" and self.tls != "not_supported":
            found.append(SASL_OVER_TLS)
        if self.dialback and self.tls != "not_supported" and not (self.tls == self.sasl == "required"):
            found.append(TLS_DIALBACK)
        if self.dialback and self.tls != "required":
            found.append(TCP_DIALBACK)
        return tuple(found)

    @property
    def level(self) -> Level:
        if not self.methods:
            return "invalid"
        if self.tls == self.sasl == "required" and self.dialback:
            return "risky"
        if self.sasl != "not_supported" and self.tls != "required":
            return "risky"
        return "valid"

    @property
    def remark(self) -> str:
        """Why the row is risky or invalid, and what would be right; empty for a valid one."""
        if self.level == "invalid":
            if self.sasl == "not_supported":
                why = "neither SASL nor dialback is enabled, so nothing can authenticate the partner"
            else:
                why = "SASL needs TLS, which is not supported here, and dialback is off"
            return why + "; enable dialback, or allow TLS with SASL"
        if self.level == "risky":
            if self.tls == "required":
                return (
                    "TLS and SASL are both required, so dialback never takes effect; "
                    "turn support_dialback_negotiation off, or make SASL optional to use it as a fallback"
                )
            return (
                "SASL works only inside TLS, which is %s here, so SASL can fail and dialback alone may decide; "
                "require TLS, or set sasl_negotiation to not_supported"
                % ("not supported" if self.tls == "not_supported" else "optional")
            )
        return ""

    def __str__(self) -> str:
        return "TLS %s, SASL %s, dialback %s" % (
            self.tls.replace("_", " "),
            self.sasl.replace("_", " "),
            "on" if self.dialback else "off",
        )
