# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the negotiation settings of an XMPP federated partner: valid, risky or invalid.

The source is "Negotiation settings for XMPP federated partners" (Lync Server 2013, JJ552456). Skype for Business Server
2015 has the same table. Four rules give the 18 rows of this table. Tests compare the rules with the printed table.
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
    """These are the settings of a partner, which are a row of the negotiation table.

    tls: ``required``, ``optional`` or ``not_supported``.
    sasl: ``required``, ``optional`` or ``not_supported``.
    dialback: whether dialback is on.
    """

    tls: str
    sasl: str
    dialback: bool

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods that can authenticate a stream, the strongest first."""
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
    def why(self) -> str:
        """Return why the settings are risky or invalid; empty if the settings are valid."""
        if self.level == "valid":
            return ""
        if self.level == "invalid":
            if self.sasl == "not_supported":
                return "SASL and dialback are both off, so the partner cannot be authenticated"
            return "SASL needs TLS, but TLS is not supported here, and dialback is off"
        if self.tls == "required":
            return "TLS and SASL are both required, so dialback never takes effect"
        text = "SASL needs TLS, but TLS is %s here. Without TLS, %s"
        end = "only dialback authenticates the partner" if self.dialback else "the partner cannot be authenticated"
        return text % (self.tls.replace("_", " "), end)

    @property
    def remedy(self) -> str:
        """Return how to correct settings that are risky or invalid; empty if the settings are valid."""
        if self.level == "valid":
            return ""
        if self.level == "invalid":
            return "enable dialback, or allow TLS with SASL"
        if self.tls == "required":
            return "set support_dialback_negotiation to false, or set sasl_negotiation to optional for a fallback"
        return "set tls_negotiation to required, or set sasl_negotiation to not_supported"

    @property
    def remark(self) -> str:
        """Return the reason and the remedy as sentences; empty if the settings are valid."""
        return "%s. %s%s" % (self.why, self.remedy[:1].upper(), self.remedy[1:]) if self.why else ""

    def __str__(self) -> str:
        return "TLS %s, SASL %s, dialback %s" % (
            self.tls.replace("_", " "),
            self.sasl.replace("_", " "),
            "on" if self.dialback else "off",
        )
