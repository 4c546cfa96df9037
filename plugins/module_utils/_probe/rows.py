# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ways of authentication a partner would accept, which of them a row uses, and the strictest row. Pure."""

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
# From strict to lenient; each of them is a valid row that the page of the negotiation settings has. The first falls
# back to dialback when a certificate does not do; the last is what is left with a peer whose TLS does not work.
_CANDIDATES = (
    Row("required", "optional", True),
    Row("optional", "not_supported", True),
    Row("not_supported", "not_supported", True),
)

Accepted = t.Literal["yes", "no", "unknown"]


def number(row: Row) -> int:
    """The row's place in the printed table, from 1 to 18."""
    return ROWS.index(row) + 1


def options(row: Row) -> dict[str, t.Any]:
    """In the vocabulary of a partner's options."""
    return {"tls_negotiation": row.tls, "sasl_negotiation": row.sasl, "support_dialback_negotiation": row.dialback}


def accepts(facts: Facts) -> dict[str, Accepted]:
    """For each method whether the partner would accept it, whatever row is declared.

    ``yes`` was seen: EXTERNAL succeeded, dialback is offered. ``no`` was seen as well. Everything else is unknown.
    So is EXTERNAL with a partner whose own chain was not checked: the gateway may refuse it.
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
    """The row's methods that nothing that was seen rules out, strongest first."""
    accepted = accepts(facts)
    return tuple(method for method in row.methods if accepted[method] != "no" and _offers(facts, row, method))


def uses(facts: Facts, row: Row) -> tuple[str, ...]:
    """What the row would use: its strongest method that was seen to work, after stronger ones that are unknown.

    Empty if none works.
    """
    accepted, found = accepts(facts), []
    for method in possible(facts, row):
        found.append(method)
        if accepted[method] == "yes":
            break
    return tuple(found)


def _offers(facts: Facts, row: Row, method: str) -> bool:
    """Whether the own side would come to the method."""
    if method == SASL_OVER_TLS:
        return not FATAL.intersection(facts.faults)
    # Where the partner offers TLS, a row that has it encrypts the stream, or fails in the attempt.
    encrypts = facts.before is not None and bool(facts.before.starttls) and row.tls != "not_supported"
    return method != TCP_DIALBACK or not encrypts


def falls_to_clear(facts: Facts, row: Row) -> bool:
    """Whether the row has nothing left but a clear stream to a partner that offers TLS.

    Microsoft's table lists clear TCP for TLS optional. It does not say whether the gateway goes on in clear after TLS
    failed, so nothing is known then.
    """
    return may_fall_to_clear(facts, row) and not possible(facts, row)


def may_fall_to_clear(facts: Facts, row: Row) -> bool:
    """The same, whether or not something else is left."""
    offers = facts.before is not None and facts.before.starttls == "offered"
    return offers and row.tls == "optional" and TCP_DIALBACK in row.methods and accepts(facts)[TCP_DIALBACK] != "no"


def seen_to_work(facts: Facts, row: Row | None) -> bool:
    """Whether a method of the row was seen to work; without a row, whether any method was."""
    accepted = accepts(facts)
    return any(accepted[method] == "yes" for method in (METHODS if row is None else possible(facts, row)))


def relies_on_certificate(facts: Facts, row: Row | None) -> bool:
    """Whether a certificate that proves nothing is the end of the federation, because no dialback is left."""
    if row is None:
        return facts.dialback in ("not offered", "refused")
    if SASL_OVER_TLS not in row.methods:
        return False
    return not set(possible(facts, row)) - {SASL_OVER_TLS} and not falls_to_clear(facts, row)


def suggest(facts: Facts) -> Row | None:
    """The strictest row that works as far as can be seen; None if nothing was seen or nothing works.

    To insist on certificates is suggested where EXTERNAL was seen to succeed and the partner's own certificate is good
    for both directions, or where there is nothing else.
    """
    if facts.header is None:
        return None
    certificate = bool(possible(facts, CERTIFICATE_ONLY))
    proven = accepts(facts)[SASL_OVER_TLS] == "yes" and "client_auth" not in facts.faults
    if certificate and (proven or facts.dialback in ("not offered", "refused")):
        return CERTIFICATE_ONLY
    return next((row for row in _CANDIDATES if possible(facts, row)), None)
