# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe the partners that a plan adds or changes, before the first write. Refuse a change that cannot work.

Two kinds of changes are refused:

- The present settings work, and the new settings would not work.
- The domain is new or its state is unknown. The partner's server answers, but does not accept the new settings.

If no server answers, the finding is only a warning: the controller possibly cannot reach servers that the Edges reach.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from .._base.result import Params, Refused
from .._base.step import Step, Values
from .._base.texts import printable, some
from .._federation.guard import BREAKS_PARTNER
from .._federation.rules import negotiation_row
from .._probe.options import ARGUMENT_SPEC, PROBED
from .._probe.own_domains import asking, own_domains
from .._probe.prober import Entry, Job, concurrently
from .._probe.tasks import open_prober
from .probe_found import ProbeFound


@dataclass(frozen=True)
class ProbedChange:
    """Describe a change of one domain of a partner.

    after: the probe with the new settings.
    before: the probe with the present settings; None: the domain is not allowed now.
    """

    after: Job
    before: Job | None


def changes_of(steps: t.Iterable[Step]) -> list[ProbedChange]:
    """Return the domains for which a plan changes the authentication or the server."""
    found = []
    for step in steps:
        if step.part != "partners" or step.expect is None or not step.after:
            continue
        if step.before is not None and not set(step.expect) & set(PROBED):
            continue
        had = _domains(step.identity, step.before) if step.before else ()
        for domain in _domains(step.identity, step.after):
            before = _job(domain, step.identity, step.before) if step.before and domain in had else None
            after = _job(domain, step.identity, step.after)
            if after != before:
                found.append(ProbedChange(after, before))
    return found


def _domains(identity: str, values: Values) -> tuple[str, ...]:
    return (identity, *values.get("additional_domains", ()))


def _job(domain: str, partner: str, values: Values) -> Job:
    return Job(str(domain), partner, negotiation_row(values), str(values.get("proxy_fqdn") or ""))


def probe(
    changes: t.Sequence[ProbedChange],
    settings: Params,
    sip_domains: t.Sequence[str],
    name: t.Callable[[str], str],
    allowed: bool,
) -> ProbeFound:
    """Probe the partners' servers. Raises nothing.

    settings: options of xmpp_partner_probe_info with its defaults, except that allow_local is false by default. The
        option certificate_names (the names of the own certificate) is added.
    sip_domains: the SIP domains of the deployment.
    name: returns the name of an option in messages.
    allowed: whether the run is allowed to break a partner.
    """
    defaults = {option: spec.get("default") for option, spec in ARGUMENT_SPEC.items()}
    given = {**defaults, "allow_local": False, **settings}
    own = list(given["own_domains"] or own_domains(sip_domains, given.get("certificate_names") or ()))
    given["from_domain"] = given["from_domain"] or asking(own)
    place = name("probe_first")
    if not given["from_domain"]:
        text = "%s: the probe of partners needs an own SIP domain, and none is known. Set from_domain in %s"
        return ProbeFound((text % (place, name("verification")),))
    try:
        prober, _store, _warnings = open_prober(given)
    except Refused as exc:
        return ProbeFound(tuple("%s: %s" % (name("verification"), reason) for reason in exc.reasons))
    calls = [functools.partial(prober.change, one.after, one.before) for one in changes]
    return judge(changes, concurrently(calls, given["workers"]), name, allowed)


def judge(
    changes: t.Sequence[ProbedChange],
    entries: t.Sequence[tuple[Entry, Entry | None]],
    name: t.Callable[[str], str],
    allowed: bool,
) -> ProbeFound:
    """Decide which changes are refused. Pure.

    entries: for each change, the results with the new settings and with the present settings.
    """
    refusals, doubts, probed = [], [], []
    for change, (after, before) in zip(changes, entries, strict=True):
        probed.append(
            {"domain": after["domain"], "verdict": after["verdict"], "before": before["verdict"] if before else None}
        )
        if after["verdict"] != "failed":
            continue
        worked = before is not None and before["verdict"] in ("ok", "warning")
        # If the present settings fail, the new settings make nothing worse.
        hopeless = after["accepts"] is not None and (before is None or before["verdict"] == "not_observable")
        if worked:
            text = "%s: the partner works with the present settings and would not work with the new settings: %s"
        elif hopeless:
            text = "%s: the server of the partner does not accept these settings: %s"
        else:
            text = "%s: it is unknown whether the new settings work: %s"
        said = text % (_named(change), _reason(after))
        if (worked or hopeless) and not allowed:
            remedy = ". To write this change anyway, add %s to %s" % (BREAKS_PARTNER, name("allow"))
            refusals.append(said + remedy)
        else:
            doubts.append(said)
    return ProbeFound(tuple(refusals), tuple(doubts), tuple(probed))


def _named(change: ProbedChange) -> str:
    own = change.after.domain == change.after.partner
    return change.after.domain if own else "%s (%s)" % (change.after.domain, change.after.partner)


def _reason(entry: Entry) -> str:
    """Return why the probe failed, and which methods the partner accepts."""
    errors = [str(one["message"]) for one in entry["findings"] if one["severity"] == "error"]
    accepted = [method for method, known in (entry["accepts"] or {}).items() if known == "yes"]
    text = printable(errors[0] if errors else "the reason is unknown").rstrip(".")
    return text + ("; the server accepts %s" % some(accepted) if accepted else "")
