# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a row's methods can work with what was seen of a partner, and which row would be the strictest. Pure."""

from __future__ import annotations

from .._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from .certificate import FATAL
from .facts import Facts

_WORDS = ("required", "optional", "not_supported")

CERTIFICATE_ONLY = Row("required", "required", False)
# From strict to lenient; each of them is a valid row that the page of the negotiation settings has. The first falls
# back to dialback when a certificate does not do; the last is what is left with a peer whose TLS does not work.
_CANDIDATES = (
    Row("required", "optional", True),
    Row("optional", "not_supported", True),
    Row("not_supported", "not_supported", True),
)


def number(row: Row) -> int:
    """The row's place in the printed table, from 1 to 18."""
    return 6 * _WORDS.index(row.sasl) + 2 * _WORDS.index(row.tls) + (1 if row.dialback else 2)


def possible(facts: Facts, row: Row) -> tuple[str, ...]:
    """The row's methods that nothing that was seen rules out, strongest first."""
    return tuple(method for method in row.methods if _possible(facts, row, method))


def _possible(facts: Facts, row: Row, method: str) -> bool:
    if method == TCP_DIALBACK:
        if facts.before is not None and facts.before.starttls == "required":
            return False
        if facts.before is not None and facts.before.starttls and row.tls != "not_supported":
            return False  # the stream is encrypted, or fails in the attempt
        return facts.clear_dialback != "not offered"
    if facts.tls_usable is False or facts.own_refused:
        return False
    if method == TLS_DIALBACK:
        return facts.dialback != "not offered"
    return facts.external not in ("refused", "not offered") and not FATAL.intersection(facts.faults)


def relies_on_certificate(facts: Facts, row: Row | None) -> bool:
    """Whether a certificate that proves nothing is the end of the federation."""
    if row is None:
        return facts.dialback == "not offered"
    if SASL_OVER_TLS not in row.methods:
        return False
    return row.sasl == "required" or row.methods == (SASL_OVER_TLS,)


def suggest(facts: Facts) -> Row | None:
    """The strictest row that works as far as can be seen; None if nothing was seen or nothing works.

    To insist on certificates is suggested where EXTERNAL was seen to succeed and the partner's own certificate is good
    for both directions, or where there is nothing else.
    """
    if facts.header is None:
        return None
    certificate = bool(possible(facts, CERTIFICATE_ONLY))
    proven = facts.external == "succeeded" and "client_auth" not in facts.faults
    if certificate and (proven or facts.dialback == "not offered"):
        return CERTIFICATE_ONLY
    return next((row for row in _CANDIDATES if possible(facts, row)), None)
