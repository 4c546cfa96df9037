# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a link that only an Edge server sees is broken: connections to partners, and the Edge's log. Pure.

The checks are imported only if needed: a run that reads no Edge server does not load the probe.
"""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR
from .._base.texts import some
from .conditions import Condition, Found, found
from .known import Known

# Events of one Edge server in a message.
_MOST_EVENTS = 5


def out_of_reach(code: t.Literal["edge_not_reachable", "edge_no_address"]) -> Condition:
    """Find partners that an Edge server does not reach.

    If another Edge server reaches all these partners, the finding is a warning.
    """

    def condition(known: Known) -> Found | None:
        from .._probe.edge_judge import Unreached, obstacles, told

        views = known.reach or ()
        bad: dict[str, list[Unreached]] = {}
        slight: dict[str, list[Unreached]] = {}
        for domain in dict.fromkeys(sight.domain for view in views for sight in view.sights):
            severity, them = obstacles(domain, views)
            own = [one for one in them if one.code == code]
            if own:
                (bad if severity == ERROR else slight)[domain] = own
        named = bad or slight
        if not named:
            return None
        every = [one for them in named.values() for one in them]
        return Found({"what": told(every), "domains": some(list(named)), "remedy": every[0].remedy}, rest=not bad)

    return condition


def view_unknown(known: Known) -> Found | None:
    from .._probe.edge_judge import gaps

    told = ["%s: %s" % (view.host, "; ".join(missing)) for view in known.views or () if (missing := gaps(view))]
    return found(what=some(told)) if told else None


def logged(known: Known) -> Found | None:
    from .._probe.edge_judge import xmpp_events

    told = [
        "%s, in %d h: %s" % (view.host, view.hours, some(events, _MOST_EVENTS))
        for view in known.views or ()
        if (events := xmpp_events(view))
    ]
    return found(what=some(told)) if told else None
