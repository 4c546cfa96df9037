# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute which methods a partner accepts, which methods the settings use, and the strictest settings. Pure.

A row is one combination of TLS, SASL and dialback settings (the negotiation table).
"""

from __future__ import annotations

import typing as t

from .._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from .._x509.certificate import NOT_CHECKED
from .certificate import FATAL
from .facts import Facts

METHODS = (SASL_OVER_TLS, TLS_DIALBACK, TCP_DIALBACK)  # strongest first

_VALUES = ("required", "optional", "not_supported")

ROWS = tuple(Row(tls, sasl, dialback) for sasl in _VALUES for tls in _VALUES for dialback in (True, False))
VALID = tuple(row for row in ROWS if row.level == "valid")

CERTIFICATE_ONLY = Row("required", "required", False)
# From strict to lenient. All are valid rows of the product's page. The first row uses dialback if the certificate is
# not accepted. The last row is for a peer whose TLS does not work.
_CANDIDATES = (
    Row("required", "optional", True),
    Row("optional", "not_supported", True),
    Row("not_supported", "not_supported", True),
)

Accepted = t.Literal["yes", "no", "unknown"]


def number(row: Row) -> int:
    """Return the row's number in the negotiation table, from 1 to 18."""
    return ROWS.index(row) + 1


def options(row: Row) -> dict[str, t.Any]:
    """Return the settings under the names of a partner's options."""
    return {"tls_negotiation": row.tls, "sasl_negotiation": row.sasl, "support_dialback_negotiation": row.dialback}


def accepts(facts: Facts) -> dict[str, Accepted]:
    """Return for each method whether the partner accepts the method, independent of the declared settings.

    ``yes`` and ``no`` are test results: ``yes`` means that EXTERNAL succeeded, or that dialback is offered. All other
    methods are unknown. EXTERNAL is also unknown if the partner's chain was not checked: the gateway can refuse the
    chain.
    """
    no = ("not offered", "refused")
    external = facts.external == "succeeded" and NOT_CHECKED not in facts.faults
    tls = facts.tls_usable is not False and not facts.own_refused
    clear = facts.before is None or facts.before.starttls != "required"
    return {
        SASL_OVER_TLS: _accepted(tls, external, facts.external in no),
        TLS_DIALBACK: _accepted(
            tls, bool(facts.tls) and facts.dialback == "offered", bool(facts.tls) and facts.dialback in no
        ),
        TCP_DIALBACK: _accepted(clear, facts.clear_dialback == "offered", facts.clear_dialback in no),
    }


def _accepted(reachable: bool, seen: bool, denied: bool) -> Accepted:
    if denied or not reachable:
        return "no"
    return "yes" if seen else "unknown"


def possible(facts: Facts, row: Row) -> tuple[str, ...]:
    """Return the methods of the settings that can still work, strongest first."""
    accepted = accepts(facts)
    return tuple(method for method in row.methods if accepted[method] != "no" and _offers(facts, row, method))


def uses(facts: Facts, row: Row) -> tuple[str, ...]:
    """Return the methods that the settings use: unknown stronger methods, then the strongest method that works.

    Empty if no method works.
    """
    accepted, found = accepts(facts), []
    for method in possible(facts, row):
        found.append(method)
        if accepted[method] == "yes":
            break
    return tuple(found)


def _offers(facts: Facts, row: Row, method: str) -> bool:
    """Return whether the own side reaches the method."""
    if method == SASL_OVER_TLS:
        return not FATAL.intersection(facts.faults)
    # If both sides have TLS, the stream is encrypted, or the attempt fails.
    encrypts = facts.before is not None and bool(facts.before.starttls) and row.tls != "not_supported"
    return method != TCP_DIALBACK or not encrypts


def falls_to_clear(facts: Facts, row: Row) -> bool:
    """Return whether only an unencrypted stream is left, although the partner offers TLS.

    Microsoft's table lists unencrypted TCP for optional TLS. The table does not show whether the gateway continues
    without TLS after TLS failed. So the result is unknown.
    """
    return may_fall_to_clear(facts, row) and not possible(facts, row)


def may_fall_to_clear(facts: Facts, row: Row) -> bool:
    """Return whether an unencrypted stream is one of the possible ways, although the partner offers TLS."""
    offers = facts.before is not None and facts.before.starttls == "offered"
    return offers and row.tls == "optional" and TCP_DIALBACK in row.methods and accepts(facts)[TCP_DIALBACK] != "no"


def seen_to_work(facts: Facts, row: Row | None) -> bool:
    """Return whether a method of the settings works. Without settings: whether any method works."""
    accepted = accepts(facts)
    return any(accepted[method] == "yes" for method in (METHODS if row is None else possible(facts, row)))


def relies_on_certificate(facts: Facts, row: Row | None) -> bool:
    """Return whether the federation needs a valid certificate, because dialback is not possible."""
    if row is None:
        return facts.dialback in ("not offered", "refused")
    if SASL_OVER_TLS not in row.methods:
        return False
    return not set(possible(facts, row)) - {SASL_OVER_TLS} and not falls_to_clear(facts, row)


def suggest(facts: Facts) -> Row | None:
    """Return the strictest settings that can work; None if the partner was not reached, or if no method works.

    Settings with certificates only are suggested if EXTERNAL succeeded and the partner's certificate is valid for both
    directions. Such settings are also suggested if dialback is not possible.
    """
    if facts.header is None:
        return None
    certificate = bool(possible(facts, CERTIFICATE_ONLY))
    proven = accepts(facts)[SASL_OVER_TLS] == "yes" and "client_auth" not in facts.faults
    if certificate and (proven or facts.dialback in ("not offered", "refused")):
        return CERTIFICATE_ONLY
    return next((row for row in _CANDIDATES if possible(facts, row)), None)
