# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the results of the Edges and of the controller for a partner, and decide which results apply. Pure.

The Edge connects to partners. So the result of the Edge decides whether a partner can be reached. Only the controller
tests the methods that a server offers.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.findings import BOTH, CONTROLLER, EDGE, ERROR, UNKNOWN, WARNING, Finding, in_order
from .._base.texts import some
from .edge_view import EdgeView, LoggedEvent, Sight
from .findings import verdict

# The codes for partners that the controller cannot reach. If an Edge reaches the partner, these codes do not decide.
_OF_REACH = frozenset(
    (
        "address_unknown", "connection_refused", "ipv6_only", "local_address", "no_address", "not_reachable",
        "not_tried", "private_address", "srv_unknown", "time_up",
    )
)  # fmt: skip
_FIREWALL = (
    "allow TCP from the Edge to this port in the firewalls; then ask the partner whether its server accepts the Edge's"
    " address"
)
_DNS = "correct the DNS servers or the hosts file of the Edge, or ask the partner to publish its record"
# Domains or servers in a message.
_MOST = 5

Entry = dict[str, t.Any]
Seen = tuple[str, Sight]


def with_edges(entry: Entry, views: t.Sequence[EdgeView]) -> Entry:
    """Add the results of the Edges to an entry of a probe. Without results of Edges, the entry is unchanged.

    Added keys:

    view: the servers whose results decide the verdict.
    edges: the results of each Edge.
    """
    seen = _seen(entry["domain"], views)
    if not seen:
        return entry
    judged = _judged(entry, seen, views)
    later = [(one["from"], _judged({**entry, **one}, seen, views)) for one in entry["later"]]
    states = [{"from": at, "verdict": one["verdict"], "findings": one["findings"]} for at, one in later]
    return {**judged, "later": states}


def _judged(entry: Entry, seen: t.Sequence[Seen], views: t.Sequence[EdgeView]) -> Entry:
    found = [replace(Finding(**one), view=CONTROLLER) for one in entry["findings"]]
    here = any(attempt["result"] in ("answered", "silent") for attempt in entry["attempts"])
    if not here:
        found = _beyond(entry["domain"], found, seen)
    found = in_order([*found, *reach_findings(entry["domain"], views), *_other_servers(entry, seen)])
    reached = any(sight.reached for _host, sight in seen)
    return {
        **entry,
        "verdict": verdict(found),
        "findings": [one.as_dict() for one in found],
        "view": _rests_on(found, BOTH if here and reached else CONTROLLER if here else EDGE),
        "edges": [_shown(host, sight) for host, sight in seen],
    }


def _seen(domain: str, views: t.Sequence[EdgeView]) -> list[Seen]:
    return [(view.host, sight) for view in views if (sight := view.of(domain)) is not None]


def _beyond(domain: str, found: t.Sequence[Finding], seen: t.Sequence[Seen]) -> list[Finding]:
    """Return the findings for a partner that the controller does not reach."""
    reaching = ["%s (%s)" % (sight.first.where, host) for host, sight in seen if sight.first is not None]
    if reaching:
        text = (
            "the Edge reaches %s, but the controller does not; TLS, certificate and authentication were not checked%s"
        )
        remedy = "send a test message (sfb.xmpp.xmpp_im_test), or run from a host that reaches the partner"
        message = text % (some(reaching), _open_streams(seen))
        return [*map(_second, found), Finding("only_edge_reaches", UNKNOWN, message, remedy, view=EDGE)]
    unknown = ["%s: %s" % (host, _why(sight)) for host, sight in seen if sight.reached is None]
    if unknown and not any(sight.reached is False for _host, sight in seen):
        text = "it is also unknown whether the Edge reaches %s (%s)" % (domain, some(unknown))
        remedy = "test the connection on the Edge, or raise edge_timeout in sfb_xmpp_verification"
        return [*found, Finding("edge_unknown", UNKNOWN, text, remedy, view=EDGE)]
    return list(found)


def _second(one: Finding) -> Finding:
    """Return a finding of the controller with the severity for the case that the Edge's result decides."""
    return replace(one, severity=WARNING) if one.code in _OF_REACH and one.severity in (ERROR, UNKNOWN) else one


def _open_streams(seen: t.Sequence[Seen]) -> str:
    numbers = [sight.streams for _host, sight in seen if sight.streams is not None]
    return "; open connections now: %d" % sum(numbers) if numbers else ""


def _why(sight: Sight) -> str:
    texts = [sight.text, *(target.text for target in sight.targets if target.reached is None)]
    return next(filter(None, texts), "it was not tested")


@dataclass(frozen=True)
class Unreached:
    """Describe why one Edge does not reach a domain.

    code: a finding code, edge_not_reachable or edge_no_address.
    text: the message, with %s for the Edges, and %s for the domains or servers that the Edges do not reach.
    what: the domain, or the servers that were tried.
    """

    code: str
    host: str
    text: str
    what: str

    @property
    def remedy(self) -> str:
        return _FIREWALL if self.code == "edge_not_reachable" else _DNS


def reach_findings(domain: str, views: t.Sequence[EdgeView]) -> list[Finding]:
    """Return why Edges do not reach a partner's domain.

    If another Edge reaches the domain, the finding is a warning.
    """
    severity, found = obstacles(domain, views)
    by_code: dict[str, list[Unreached]] = {}
    for one in found:
        by_code.setdefault(one.code, []).append(one)
    return [Finding(code, severity, told(them), them[0].remedy, view=EDGE) for code, them in by_code.items()]


def obstacles(domain: str, views: t.Sequence[EdgeView]) -> tuple[str, list[Unreached]]:
    """Return the severity of a domain's obstacles, and the obstacles of all Edges."""
    seen = _seen(domain, views)
    severity = WARNING if any(sight.reached for _host, sight in seen) else ERROR
    return severity, [_obstacle(host, sight) for host, sight in seen if sight.reached is False]


def told(found: t.Sequence[Unreached]) -> str:
    """Return one message for obstacles. Edges and domains that have the same obstacle are in one list each."""
    hosts: dict[tuple[str, str], list[str]] = {}
    for one in found:
        hosts.setdefault((one.text, one.what), []).append(one.host)
    whats: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (text, what), them in hosts.items():
        whats.setdefault((text, tuple(them)), []).append(what)
    return "; ".join(text % (some(them), some(what, _MOST)) for (text, them), what in whats.items())


def _obstacle(host: str, sight: Sight) -> Unreached:
    tried = ["%s%s" % (one.where, ", " + one.text if one.text else "") for one in sight.targets if one.address]
    if sight.named == "none":
        text = "the DNS of %s has neither an SRV record nor an address of %s"
    elif sight.named == "not_offered":
        text = "the DNS of %s returns an SRV record that offers no XMPP service: %s"
    elif not tried:
        text = "the DNS of %s has no address of a server of %s"
    else:
        return Unreached("edge_not_reachable", host, "%s cannot connect to %s", some(tried, 3))
    return Unreached("edge_no_address", host, text, sight.domain)


def _other_servers(entry: Entry, seen: t.Sequence[Seen]) -> t.Iterator[Finding]:
    """Find different DNS answers. Then the controller and the Edge have tested different servers."""
    own = {(one["host"], one["port"]) for one in entry["srv"]}
    others = {}
    for host, sight in seen:
        records = {(one.host, one.port) for one in sight.records}
        if own and records and records != own:
            others[host] = some(["%s:%d" % one for one in sorted(records)])
    if others:
        text = "the controller's DNS returns %s, but the Edge's DNS returns other servers: %s"
        told = some(["%s: %s" % one for one in sorted(others.items())])
        remedy = "compare the DNS servers; set nameservers in sfb_xmpp_verification to the DNS servers of the Edge"
        message = text % (some(["%s:%d" % one for one in sorted(own)]), told)
        yield Finding("edge_dns_differs", WARNING, message, remedy, view=EDGE)


def _rests_on(found: t.Sequence[Finding], otherwise: str) -> str:
    """Return the servers whose findings decide the verdict.

    otherwise: the result without findings.
    """
    views = {one.view for one in found if one.severity == found[0].severity}
    return otherwise if not views else BOTH if len(views) > 1 else views.pop()


def _shown(host: str, sight: Sight) -> dict[str, t.Any]:
    """Return the result of an Edge in plain values. reached: None if unknown."""
    return {
        "host": host,
        "reached": sight.reached,
        "targets": [
            {"host": one.host, "address": one.address, "port": one.port, "reached": one.reached, "text": one.text}
            for one in sight.targets
        ],
        "streams": sight.streams,
        "text": _why(sight) if sight.reached is None else "",
    }


# The complete results of one Edge


def gaps(view: EdgeView) -> list[str]:
    """Return why results of an Edge are missing."""
    over = ["%d domains were not tested (edge_limit)" % view.left] if view.left else []
    unseen: dict[str, list[str]] = {}
    for sight in view.sights:
        if sight.reached is None:
            unseen.setdefault(_why(sight), []).append(sight.domain)
    return [*view.unobserved, *("%s: %s" % (some(names, 3), why) for why, names in unseen.items()), *over]


def xmpp_events(view: EdgeView) -> list[str]:
    """Return the logged events of the XMPP services, one text for each event number."""
    least = "at least " if view.more else ""
    return [
        "%s%d of event %d (%s, the last at %s): %s" % (least, one.count, one.id, one.provider, one.last, one.text)
        for one in view.events or ()
        if _of_xmpp(one)
    ]


def _of_xmpp(event: LoggedEvent) -> bool:
    return "xmpp" in event.provider.casefold()
