# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advise on a partner's settings: the strictest settings that work, and when a certificate breaks the settings. Pure.

The advice uses only test results of the controller, and every text has "From this controller". The advice never
proposes weaker settings than the declared settings. Weaker requirements for a partner are a decision of the
administrators, not a finding.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._federation.negotiation import SASL_OVER_TLS, Row
from .facts import Facts
from .rows import METHODS, VALID, accepts, options, possible, uses

# The effect on the settings when the partner's certificate expires: none, dialback authenticates, or nothing works.
Then = t.Literal["", "dialback", "nothing"]


@dataclass(frozen=True)
class Advice:
    """Describe the advice for one domain of a partner.

    row: the settings to declare instead; None: no better settings were found.
    text: the reason, in a sentence.
    until: when the partner's certificate expires (UTC, as the probe shows it); '' if the settings do not depend on the
        certificate.
    then: the effect on the settings at that time.
    """

    row: Row | None
    text: str
    until: str = ""
    then: Then = ""

    def as_dict(self) -> dict[str, t.Any]:
        row = None if self.row is None else options(self.row)
        return {"row": row, "text": self.text, "until": self.until or None, "then": self.then or None}


def strictness(facts: Facts, row: Row) -> tuple[int, ...]:
    """Return a key to compare settings that authenticate. The strictest settings have the smallest key.

    The weakest method that the settings allow decides. If two settings have the same weakest method, the settings that
    also allow a stronger method are stricter, if the partner accepts this method. The gateway uses the stronger method
    first.
    """
    accepted, open_ = accepts(facts), possible(facts, row)
    return METHODS.index(row.methods[-1]), *(m not in open_ or accepted[m] != "yes" for m in METHODS)


def works(facts: Facts, row: Row) -> bool:
    """Return whether the settings work.

    If only certificates are allowed, the certificates must be valid for both directions.
    """
    used = uses(facts, row)
    if not used or accepts(facts)[used[-1]] != "yes":
        return False
    return row.methods != (SASL_OVER_TLS,) or "client_auth" not in facts.faults


def advise(facts: Facts, declared: Row | None) -> Advice:
    """Return the advice.

    declared: the present settings; None: the partner is not declared.
    """
    if facts.header is None:
        return Advice(None, "No server of the partner answered this controller, so there is no advice.")
    until, then = ends(facts, declared)
    seen = [row for row in VALID if works(facts, row)]
    best = min(seen, key=lambda row: strictness(facts, row), default=None)
    if best is None:
        return Advice(None, "No settings work from this controller.", until, then)
    sentence = "From this controller, the strictest settings that work are: %s." % best
    if declared is None or not declared.methods:
        return Advice(best, sentence, until, then)
    here, there = strictness(facts, declared), strictness(facts, best)
    if there < here or (there == here and declared.level != "valid"):
        return Advice(best, sentence, until, then)
    if works(facts, declared):
        text = "From this controller, the declared settings are the strictest settings that work."
    elif possible(facts, declared):
        text = "From this controller, it is unknown whether the declared settings work."
    else:
        text = "From this controller, only settings that are weaker than the declared settings work."
    return Advice(None, text, until, then)


def common(advice: t.Sequence[Advice]) -> list[Advice]:
    """Return the advice for all domains of one partner.

    All domains share the settings, so all must get the same advice.
    """
    if all(one.row == advice[0].row for one in advice):
        return list(advice)
    text = "From this controller, not all domains of the partner work with the same stricter settings."
    return [Advice(None, text, one.until, one.then) if one.row is not None else one for one in advice]


def ends(facts: Facts, row: Row | None) -> tuple[str, Then]:
    """Return when the partner's certificate breaks the settings, and the effect; ('', '') without such a date.

    Only SASL EXTERNAL depends on the certificate. Dialback over TLS accepts every certificate.
    """
    if row is None or SASL_OVER_TLS not in possible(facts, row) or not facts.certificate:
        return "", ""
    rest = [method for method in possible(facts, row) if method != SASL_OVER_TLS]
    return str(facts.certificate["not_after"]), "dialback" if rest else "nothing"
