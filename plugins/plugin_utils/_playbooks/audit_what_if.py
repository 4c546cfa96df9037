# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the probe's forecasts for possible events into a part of an audit. All functions are pure."""

from __future__ import annotations

import typing as t

from ...module_utils._base.names import key as key_of
from ...module_utils._probe.events import EVENTS
from ...module_utils._probe.what_if import OUTCOMES

Result = t.Mapping[str, t.Any]


def gather_what_if(probe: Result) -> dict[str, t.Any]:
    """Return the value of ``what_if``: the events in their fixed order, and the probed partners, by name.

    Partners with equal outcomes are in one group, because many partners have the same settings.
    If a partner has several domains, the worst outcome of an event applies.

    probe: the result of xmpp_partner_probe_info; without entries, both lists are empty.
    """
    partners: dict[str, list[Result]] = {}
    for entry in probe.get("domains") or ():
        if entry.get("what_if"):
            partners.setdefault(key_of(entry["partner"]), []).append(entry)
    alike: dict[tuple[tuple[t.Any, ...], ...], dict[str, t.Any]] = {}
    for _key, of in sorted(partners.items()):
        then = _worst(of)
        group = alike.setdefault(tuple(tuple(one.values()) for one in then), {"domains": [], "then": then})
        group["domains"].append(of[0]["partner"])
    found = list(alike.values())
    return {"events": list(_events(found)) if found else [], "partners": found}


def _worst(entries: t.Sequence[Result]) -> list[dict[str, t.Any]]:
    if len(entries) == 1:
        return [dict(one) for one in entries[0]["what_if"]]
    return [
        dict(max(same, key=lambda one: (one["cuts"], OUTCOMES.index(one["outcome"]))))
        for same in zip(*(entry["what_if"] for entry in entries), strict=True)
    ]


def _events(groups: t.Sequence[Result]) -> t.Iterator[dict[str, t.Any]]:
    for number, (name, event) in enumerate(EVENTS.items()):
        then = [(group["domains"], group["then"][number]) for group in groups]
        yield {
            "event": name,
            "side": event.side,
            "title": event.title,
            **{word: sum(len(domains) for domains, one in then if one["outcome"] == word) for word in OUTCOMES},
            "cuts": sorted(domain for domains, one in then if one["cuts"] for domain in domains),
        }
