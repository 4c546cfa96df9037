# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan file has for rules of others: the partners as the plan leaves them, and who gets which policy. Pure.

Steps say only what is written. A rule such as "TLS is required with every partner" is about all of them.
"""

from __future__ import annotations

import typing as t

from .._base.names import key as key_of
from .catalogue import PARTNER
from .notes import NOTES
from .plan import Plan
from .pools import Pool


def partners(plan: Plan) -> list[dict[str, t.Any]] | None:
    """All partners afterwards, in the options' vocabulary, with the notes of the declared ones; None if they were not
    read.
    """
    records = plan.records.get(PARTNER.part)
    if records is None:
        return None
    declared = {item.key: item for item in plan.federation.wanted.get(PARTNER.part, ()) if not item.absent}
    found = []
    for key, record in sorted(records.items()):
        told = {
            name: str(declared[key].notes[name]) for name in NOTES if key in declared and name in declared[key].notes
        }
        empty = {field.option: None for field in PARTNER.fields}
        shown = {**empty, **PARTNER.shown(record.identity, record.values)}
        found.append({**shown, "declared": key in declared, "notes": told})
    return found


def grants(plan: Plan, pools: t.Iterable[Pool] | None) -> list[dict[str, t.Any]]:
    """Whose policy changes, in the order of the steps. pools: those that home users; None if they were not read."""
    sites = {key_of(pool.fqdn): pool.site for pool in pools or ()}
    found = []
    for step in plan.steps:
        if step.part != "grants":
            continue
        user = plan.deployment.users.get(step.key)
        home = user.pool if user else ""
        found.append(
            {
                "user": step.identity,
                "policy": (step.after or {}).get("policy") or None,
                "former": (step.before or {}).get("policy") or None,
                "pool": home or None,
                "site": sites.get(key_of(home)),
            }
        )
    return found
