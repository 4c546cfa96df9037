# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advice about a partner's row: the strictest that was seen to work, and when a certificate will break the present one.

Pure. What the advice rests on was seen from one place, the controller, and every text says so. A weaker row than the
declared one is never advised: to lower what is demanded of a partner is a decision, not a finding.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._federation.negotiation import SASL_OVER_TLS, Row
from .facts import Facts
from .rows import METHODS, VALID, accepts, options, possible, uses

# What becomes of a row when the partner's certificate ends: it is not affected, dialback decides, or nothing works.
Then = t.Literal["", "dialback", "nothing"]


@dataclass(frozen=True)
class Advice:
    """row: what to declare instead; None: nothing better was seen. text: why, in a sentence.

    until: when the partner's certificate ends (UTC, as the probe shows it), if the present row depends on it; else ''.
    then: what becomes of the row at that time.
    """

    row: Row | None
    text: str
    until: str = ""
    then: Then = ""

    def as_dict(self) -> dict[str, t.Any]:
        row = None if self.row is None else options(self.row)
        return {"row": row, "text": self.text, "until": self.until or None, "then": self.then or None}


def strictness(facts: Facts, row: Row) -> tuple[int, ...]:
    """For comparing rows that authenticate at all; the strictest is the smallest.

    A row is as strict as the weakest way of authentication that it takes. Of two that are alike in this, the stricter
    is the one that also takes a stronger way which the partner was seen to accept, because it uses that first.
    """
    accepted, open_ = accepts(facts), possible(facts, row)
    return METHODS.index(row.methods[-1]), *(m not in open_ or accepted[m] != "yes" for m in METHODS)


def works(facts: Facts, row: Row) -> bool:
    """Whether the row was seen to work. To insist on certificates, both sides' have to be good for both directions."""
    used = uses(facts, row)
    if not used or accepts(facts)[used[-1]] != "yes":
        return False
    return row.methods != (SASL_OVER_TLS,) or "client_auth" not in facts.faults


def advise(facts: Facts, declared: Row | None) -> Advice:
    """declared: the present row; None: not a declared partner, for which every row that works may be advised."""
    if facts.header is None:
        return Advice(None, "No server of the partner answered this controller, so there is no advice.")
    until, then = ends(facts, declared)
    seen = [row for row in VALID if works(facts, row)]
    best = min(seen, key=lambda row: strictness(facts, row), default=None)
    if best is None:
        return Advice(None, "No row was seen to work from this controller.", until, then)
    sentence = "As seen from this controller, the strictest row that works is %s." % best
    if declared is None or not declared.methods:
        return Advice(best, sentence, until, then)
    here, there = strictness(facts, declared), strictness(facts, best)
    if there < here or (there == here and declared.level != "valid"):
        return Advice(best, sentence, until, then)
    if works(facts, declared):
        text = "As seen from this controller, the declared row is the strictest that works."
    elif possible(facts, declared):
        text = "Whether the declared row works cannot be seen from this controller."
    else:
        text = "Only rows that are weaker than the declared one were seen to work from this controller."
    return Advice(None, text, until, then)


def common(advice: t.Sequence[Advice]) -> list[Advice]:
    """The advice about the domains of one partner, which share one row: what is not advised for all is for none."""
    if all(one.row == advice[0].row for one in advice):
        return list(advice)
    text = "Not all domains of the partner were seen to work with the same stricter row from this controller."
    return [Advice(None, text, one.until, one.then) if one.row is not None else one for one in advice]


def ends(facts: Facts, row: Row | None) -> tuple[str, Then]:
    """When the partner's certificate will break the row, and what is left of the row then; ('', '') if it will not.

    Only SASL EXTERNAL depends on the certificate; dialback over TLS takes whatever is presented.
    """
    if row is None or SASL_OVER_TLS not in possible(facts, row) or not facts.certificate:
        return "", ""
    rest = [method for method in possible(facts, row) if method != SASL_OVER_TLS]
    return str(facts.certificate["not_after"]), "dialback" if rest else "nothing"
