# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the findings of an audit at a moment, from one reading of a deployment.

All functions are pure: the moment is an argument. decide() uses the present, and forecast() uses later moments.
The reading has the later findings on certificates (``later``, from xmpp_gateway_cert_info and
xmpp_partner_probe_info). All other parts of the reading stay unchanged.
"""

from __future__ import annotations

import datetime
import typing as t

from ...module_utils._base.texts import utc
from ...module_utils._federation import notes
from .._documents.finding_order import Finding
from .accepted import Accepted, accept
from .announced import support_ended
from .audit_gather import Result, finding, gather

# The arguments of gather(), by name.
Reading = t.Mapping[str, t.Any]
# The lists of declared objects that may have notes: the option, the area of its findings, the key of the name.
NOTED = (("partners", "partner", "domain"), ("policies", "policy", "identity"))


def judge(
    reading: Reading,
    at: datetime.datetime,
    *,
    declared: t.Mapping[str, t.Any],
    accepted: t.Sequence[Accepted] = (),
    releases: t.Iterable[str] = (),
) -> dict[str, t.Any]:
    """Return the result of gather() at a moment, with the findings that depend on the date.

    at: the moment (UTC, aware).
    declared: the settings. The notes of the declared partners and policies are checked.
    accepted: see accepted.py.
    releases: the releases of the servers, such as ``2015``.
    """
    today = at.date()
    gathered = gather(**as_of(reading, at))
    support = (finding("info", "own", *one) for one in support_ended(reading["deployment"], releases, today))
    found = [*gathered["findings"], *due_notes(declared, today), *support]
    gathered["findings"] = accept(found, accepted, today)
    return gathered


def due_notes(declared: t.Mapping[str, t.Any], today: datetime.date) -> t.Iterator[Finding]:
    """Return the findings from the notes of the declared partners and policies."""
    for option, area, key in NOTED:
        for item in declared.get(option) or ():
            for code, message, remedy in notes.due(item, today):
                yield finding("warning", area, code, str(item[key]), message, remedy)


def as_of(reading: Reading, at: datetime.datetime) -> dict[str, t.Any]:
    """Return the reading at a moment, if only the time has changed."""
    moment = utc(at)
    probe = reading["probe"]
    seen = {name: [_then(one, moment) for one in probe[name]] for name in ("domains", "own") if name in probe}
    servers = {name: _servers(reading.get(name) or {}, moment) for name in ("edges", "front_ends")}
    return {**reading, "probe": {**probe, **seen}, **servers}


def _servers(reads: t.Mapping[str, Result], moment: str) -> dict[str, Result]:
    return {
        host: {**read, "certificates": [_then(one, moment) for one in read["certificates"]]}
        if "certificates" in read
        else read
        for host, read in reads.items()
    }


def _then(item: Result, moment: str) -> Result:
    """Return an entry with the last state in ``later`` that has begun at the moment.

    All times have the same form, so times can be compared as texts.
    """
    begun = [state for state in item.get("later") or () if state["from"] <= moment]
    return {**item, **begun[-1]} if begun else item
