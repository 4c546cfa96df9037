# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain the chain between one user and one partner: the broken links, the stopped directions, the sentence. Pure.

The links and their severities come from the table, and findings of the probe keep their codes. The severity does not
say whether a broken link stops the messages of the two. Example: an expired certificate is an error for the deployment.
This certificate stops no message to a partner that is authenticated by dialback.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, SEVERITIES, UNKNOWN, VIEWS, WARNING, Finding, in_order
from .._base.texts import some
from .._federation.negotiation import SASL_OVER_TLS
from .._probe.certificate import FATAL
from .._topology.replicate import carrying
from .conditions import targets
from .known import XMPP, Known, Pair, Probed
from .links import LINKS, Group
from .walk import MARKS, Obstacle, looked_at, walk

# out: from the user to the partner. in: from the partner to the user.
Direction = t.Literal["out", "in"]
BOTH: tuple[Direction, ...] = ("out", "in")
# The order: the user's rights, the settings of the deployment, the services, and the results of the probe.
GROUPS: tuple[Group, ...] = (
    "user", "home", "policy", "partner", "negotiation", "access_edge", "route", "services", "certificate", "internal",
    "replicas", "partner_server", "published",
)  # fmt: skip
NOT_CHECKED = "not_checked"
# If one of these groups was not checked, no entry says "not checked". The group before already gives the reason, or no
# playbook reads the values of the group.
_OPTIONAL = ("negotiation", "internal")
_PROBED = ("partner_server", "published")
# A group counts as checked without the following values. The probe's findings contain the results of an Edge. The log
# of an Edge only adds to the state of its services.
_BESIDE = frozenset(("views", "reach"))
_SCOPES = {"user": "granted to the user", "site": "of the user's site", "global": "the global policy"}
_NAMES: dict[Group, str] = {
    "user": "the user", "home": "the user's pool", "policy": "the policy in effect", "partner": "the partner",
    "negotiation": "the partner's settings", "access_edge": "the Access Edge", "route": "the route",
    "services": "the XMPP services", "certificate": "the gateway's certificate",
    "internal": "the certificates of port 23456", "replicas": "the replicas",
    "partner_server": "the partner's servers", "published": "the DNS records of the user's domain",
}  # fmt: skip
# The probe's codes for faults of a certificate: the gateway's, and the partner's. The partner's server presents its
# certificate in both directions.
_OWN_CERTIFICATE = ("own_certificate_", "own_no_tls")
_THEIR_CERTIFICATE = tuple("certificate_" + code for code in FATAL - {"server_auth"})
_NO_EXTERNAL = ("own_certificate_refused", "external_not_offered")
_WAY_IN = (
    "it is unknown whether the partner's server uses SASL EXTERNAL when it connects; the settings allow no other method"
    " for messages from the partner"
)
_TRY = "ask a user of the partner to send a message, or set support_dialback_negotiation to true"
# Codes about the TLS of the partner's server. The codes are also true if that server opens the connection.
_THEIR_TLS = ("tls_not_offered", "tls_required", "tls13_only")


@dataclass(frozen=True)
class Entry:
    """Describe a link in the form of xmpp_explain_info.

    severity: '' if the link works.
    blocks: the directions that the link stops.
    view: who found the link's state: edge, controller or both; '' if only one of the two can find this state.
    """

    name: Group
    severity: str
    text: str
    code: str = ""
    remedy: str = ""
    blocks: tuple[Direction, ...] = ()
    view: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "code": self.code,
            "severity": self.severity or "ok",
            "text": self.text,
            "remedy": self.remedy,
            "blocks": list(self.blocks),
            **({"view": self.view} if self.view else {}),
        }

    def __str__(self) -> str:
        text = "%s %-14s %s" % (MARKS.get(self.severity, " "), self.name, self.text)
        return "%s [%s]" % (text, VIEWS[self.view]) if self.view else text


@dataclass(frozen=True)
class Explanation:
    """Describe the result of explain.

    entries: all links of the chain in their order.
    sentence: the summary for the user.
    """

    entries: tuple[Entry, ...]
    sentence: str

    def broken(self, direction: Direction | None = None) -> Entry | None:
        """Return the first link that stops a direction. direction: None means any direction."""
        for entry in self.entries:
            if entry.blocks and (direction is None or direction in entry.blocks):
                return entry
        return None

    def as_dict(self) -> dict[str, t.Any]:
        ends = {"first_broken": self.broken(), "out": self.broken("out"), "in": self.broken("in")}
        names = {key: None if entry is None else entry.name for key, entry in ends.items()}
        return {"sentence": self.sentence, **names, "links": [entry.as_dict() for entry in self.entries]}


def explain(known: Known, probed: Probed) -> Explanation:
    """Explain the chain between the user and the partner of ``known.pair``, which must be given."""
    pair = t.cast(Pair, known.pair)
    found = walk(known)
    entries = [entry for group in GROUPS for entry in _entries(group, found, known, probed)]
    if _way_in_unknown(known, probed, entries):
        last = max(number for number, entry in enumerate(entries) if entry.name == "partner_server")
        entries.insert(last + 1, Entry("partner_server", UNKNOWN, _WAY_IN, "in_unknown", _TRY))
    return Explanation(tuple(entries), _sentence(known, pair, entries))


def entries_of(groups: t.Sequence[Group], known: Known) -> list[Entry]:
    """Return the entries of some groups, without a probe."""
    found = walk(known, groups)
    return [entry for group in groups for entry in _entries(group, found, known, Probed())]


def _way_in_unknown(known: Known, probed: Probed, entries: t.Sequence[Entry]) -> bool:
    """Return whether the authentication of a connecting server of the partner is unknown.

    The settings allow only certificates, and the partner's server does not offer SASL EXTERNAL. The probe sees the
    methods that a server offers, not the methods that the server uses when the server connects. jabberd2 has no SASL in
    either direction.
    """
    row = known.row
    if row is None or row.methods != (SASL_OVER_TLS,) or any("in" in entry.blocks for entry in entries):
        return False
    return any(one.severity == ERROR and one.code in _NO_EXTERNAL for one in probed.partner or ())


def _entries(group: Group, found: t.Sequence[Obstacle], known: Known, probed: Probed) -> list[Entry]:
    """Return the broken links of a group, the worst first. If all links work, return one entry with this result."""
    if group in _PROBED:
        return _of_probe(group, known, probed)
    own = [one for one in found if one.link is not None and one.link.group == group]
    entries = [
        Entry(group, one.severity, one.message, one.code, one.remedy, _ends(one, known, probed))
        for one in in_order(own)
        if isinstance(one, Obstacle)
    ]
    own_links = [link for link in LINKS if link.group == group and not _BESIDE.intersection(link.needs)]
    unseen = [link for link in own_links if not looked_at(link, known)]
    if unseen and group in _OPTIONAL:
        return entries
    if unseen and not any(entry.severity in (ERROR, UNKNOWN) for entry in entries):
        entries.insert(0, Entry(group, UNKNOWN, "%s: not checked" % _NAMES[group], NOT_CHECKED))
    return entries or [Entry(group, "", _holds(group, known))]


def _ends(one: Obstacle, known: Known, probed: Probed) -> tuple[Direction, ...]:
    if one.severity != ERROR or one.link is None or not one.link.ends:
        return ()
    if one.link.group == "certificate" and not needs_certificate(known, probed, missing=_nothing_assigned(known)):
        return ()
    return BOTH


def _nothing_assigned(known: Known) -> bool:
    return all(one.state(XMPP) == "missing" for one in known.edges or ())


def needs_certificate(known: Known, probed: Probed, *, missing: bool) -> bool:
    """Return whether the partner's settings fail without a valid certificate of the gateway.

    A bad certificate still encrypts the stream. Dialback then authenticates, if the settings allow dialback and the
    partner accepts dialback.

    missing: whether the gateway has no certificate at all.
    """
    row = known.row
    if row is None or row.methods == (SASL_OVER_TLS,):
        return True
    if missing and (row.tls == "required" or probed.requires_tls):
        return True
    return SASL_OVER_TLS in row.methods and probed.no_dialback


# Findings of the probe


def _of_probe(group: Group, known: Known, probed: Probed) -> list[Entry]:
    pair = t.cast(Pair, known.pair)
    findings = probed.partner if group == "partner_server" else probed.own
    what = "the servers of %s" % pair.domain
    if group == "published":
        what = "the records and the gateway of %s" % pair.address.rpartition("@")[2]
    if findings is None:
        return [Entry(group, UNKNOWN, "%s were not probed" % what, NOT_CHECKED)]
    # The probe also checks the declared settings. The table has a separate link for the declared settings.
    told = [one for one in in_order(findings) if one.code not in ("row_invalid", "row_risky")]
    if not told:
        view = probed.view if group == "partner_server" else ""
        return [Entry(group, "", "the probe found no fault of %s" % what, view=view)]
    ends = _out(known, probed) if group == "partner_server" else _in(known, probed)
    return [
        Entry(group, one.severity, one.message, one.code, one.remedy, _of_finding(one, ends, known, probed), one.view)
        for one in told
    ]


def _of_finding(one: Finding, ends: tuple[Direction, ...], known: Known, probed: Probed) -> tuple[Direction, ...]:
    """Return the directions that a finding stops.

    A bad certificate of the gateway stops only settings that need the certificate.
    """
    if one.severity != ERROR:
        return ()
    own = one.code.startswith(_OWN_CERTIFICATE)
    return ends if not own or needs_certificate(known, probed, missing=one.code == "own_no_tls") else ()


def _out(known: Known, probed: Probed) -> tuple[Direction, ...]:
    """Return the directions that a fault of the partner's server stops.

    The probe connects as the gateway does for a message of the user. The other direction also needs an answer about
    the partner's key, and the partner's certificate and TLS.
    """
    codes = (*_THEIR_CERTIFICATE, *_THEIR_TLS)
    both = any(one.severity == ERROR and one.code in codes for one in probed.partner or ())
    return BOTH if both or _by_dialback(known, probed) else ("out",)


def _in(known: Known, probed: Probed) -> tuple[Direction, ...]:
    """Return the directions that a fault of the published records or of the gateway stops.

    Partners use the records to send a message, and to ask about a dialback key.
    """
    both = any(
        one.severity == ERROR
        and one.code.startswith(_OWN_CERTIFICATE)
        and needs_certificate(known, probed, missing=one.code == "own_no_tls")
        for one in probed.own or ()
    )
    return BOTH if both or _by_dialback(known, probed) else ("in",)


def _by_dialback(known: Known, probed: Probed) -> bool:
    """Return whether only dialback is left. Each side must then find the other by DNS, in both directions."""
    row = known.row
    if row is None or not set(row.methods) - {SASL_OVER_TLS}:
        return False
    edges = known.edges or ()
    return (
        SASL_OVER_TLS not in row.methods
        or bool(edges and all(one.state(XMPP) in ("missing", "over", "invalid") for one in edges))
        or any(one.severity == ERROR and one.code.startswith(_OWN_CERTIFICATE) for one in probed.own or ())
        or any(one.code in _THEIR_CERTIFICATE or one.code in _NO_EXTERNAL for one in probed.partner or ())
    )


# The texts


def _holds(group: Group, known: Known) -> str:
    """Return the text of a group whose links all work."""
    pair = t.cast(Pair, known.pair)
    if group == "user":
        return "%s is enabled" % pair.address
    if group == "home" and pair.user is not None:
        return "%s is homed on %s, which has XMPP" % (pair.address, pair.user.pool)
    if group == "policy" and pair.policy is not None:
        scope = " (%s)" % _SCOPES[pair.scope] if pair.scope else ""
        return "the policy in effect, %s%s, gives XMPP and federation access" % (pair.policy.identity, scope)
    if group == "partner" and known.partner is not None:
        of = known.partner.identity
        return "%s is allowed%s" % (pair.domain, "" if of == pair.domain else " as an additional domain of %s" % of)
    if group == "negotiation":
        return str(known.row)
    if group == "route" and known.store is not None:
        return "the XMPP federation route leads to %s" % some(targets(known.store) or [])
    return {
        "access_edge": "the Access Edge allows federated users",
        "services": "the services run",
        "certificate": "the certificate is valid",
        "internal": "the certificates between Front End and Edge are valid",
        "replicas": "the replicas are up to date",
    }.get(group, "no fault was found")


def _sentence(known: Known, pair: Pair, entries: t.Sequence[Entry]) -> str:
    first = next((entry for entry in entries if entry.blocks), None)
    if first is not None:
        ended = _ended(first.blocks, pair.address, pair.domain)
        late = _behind(known)
        text = " The replica of %s is not up to date, so the last changes are possibly not in effect on that server."
        but = text % some(late) if late else ""
        return "%s: %s. To do: %s.%s" % (ended, first.text, first.remedy, but)
    # The worst entry of each group.
    worst: dict[Group, Entry] = {}
    for entry in sorted(entries, key=lambda one: [*SEVERITIES, ""].index(one.severity)):
        worst.setdefault(entry.name, entry)
    told = [worst[entry.name] for entry in entries if worst[entry.name] is entry]
    unknown = [entry for entry in told if entry.severity == UNKNOWN]
    if unknown:
        text = "No fault was found between %s and %s, but not everything could be checked (%s): %s."
        names = ", ".join(entry.name for entry in unknown)
        return text % (pair.address, pair.domain, names, unknown[0].text)
    notes = [entry.text for entry in told if entry.severity in (ERROR, WARNING)]
    more = " Note: %s." % "; ".join(notes) if notes else ""
    text = "No fault was found between %s and %s (no test message was sent).%s"
    return text % (pair.address, pair.domain, more)


def _ended(blocks: t.Sequence[Direction], user: str, partner: str) -> str:
    if "in" not in blocks:
        return "Messages from %s to %s do not get through" % (user, partner)
    if "out" not in blocks:
        return "Messages from %s to %s do not get through" % (partner, user)
    return "%s and %s cannot exchange messages" % (user, partner)


def _behind(known: Known) -> list[str]:
    """Return the servers for XMPP whose replica is not up to date."""
    topology = known.topology
    if topology is None:
        return []
    # All Edge pools, not only the pool of the route: an outdated replica can still have an old route.
    servers = carrying(topology, [edge.fqdn.casefold() for edge in topology.edges or () if edge.legacy is not False])
    late = [one.fqdn for one in topology.replicas or () if not one.up_to_date]
    return [fqdn for fqdn in late if servers is None or fqdn.casefold() in servers]
