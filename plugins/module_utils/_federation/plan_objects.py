# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the objects of a plan file that other programs check: the partners after the plan, and the grants.

Steps show only changes. But a rule such as "TLS is required with every partner" needs all partners.
"""

from __future__ import annotations

import typing as t

from .._base.names import key as key_of
from .catalogue import PARTNER
from .notes import NOTES
from .plan import Plan
from .pools import Pool


def partners(plan: Plan) -> list[dict[str, t.Any]] | None:
    """Return all partners after the plan, with the names of the options; None if the partners were not read.

    Declared partners also have their notes.
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
    """Return the users whose policies change, in the order of the steps.

    pools: the pools that home users; None if the pools were not read.
    """
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
