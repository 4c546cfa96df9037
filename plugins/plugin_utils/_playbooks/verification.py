# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide for the role verification: the own certificate, the partners to check, the lines, and when the run fails.

All functions are pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.findings import VIEWS
from ...module_utils._base.names import Invalid, both_forms, canonical_domain
from ...module_utils._base.texts import printable
from ...module_utils._edge_certificate.names import InvalidNames, required_names
from ...module_utils._probe.options import ARGUMENT_SPEC as PROBE
from .._documents.audit_texts import VERDICTS

Values = t.Mapping[str, t.Any]

_SHORT = {
    "SASL EXTERNAL over TLS": "EXTERNAL",
    "dialback over TLS": "dialback in TLS",
    "dialback over clear TCP": "dialback in clear",
}
# The parameters of the role verification, without the role's prefix, and their defaults.
PARAMETERS: dict[str, t.Any] = {
    "partners": [],
    "for_partner": "",
    "own_domains": [],
    "certificate_names": [],
    "from_domain": "",
    "access_edge": "",
    "certificate": {},
    "trust_store": "",
    "nameservers": [],
    "messages": [],
    "fail_on": ["failed"],
    **{name: PROBE[name]["default"] for name in ("gateway_port", "timeout", "workers", "expires_within")},
    # A partner's DNS must not make the controller connect to itself, unless the user allows such a connection.
    "allow_local": False,
}
# The options that list names of a certificate, in addition to access_edge.
_NAMES = ("names", "sip_domains", "xmpp_domains")
# The most names in the message of a failed run.
_NAMED = 5


# The own certificate


@dataclass(frozen=True)
class OwnCertificate:
    """Hold the values for a probe from the settings of a certificate.

    names: the names in the certificate. The first name is the Access Edge's FQDN.
    access_edge: the Access Edge's FQDN.
    file: path and passphrase of a PKCS#12 file on the controller; None if the source has another type.
    """

    names: tuple[str, ...] = ()
    access_edge: str = ""
    file: t.Mapping[str, str] | None = None


def own_certificate(settings: Values) -> OwnCertificate:
    """Return the certificate of your own side.

    settings: ``sfb_xmpp_certificate`` of the deployment; empty if the setting is missing.
    """
    source = settings.get("source") or {}
    file = None
    if source.get("type") == "pkcs12" and source.get("path"):
        file = {name: str(source[name]) for name in ("path", "passphrase") if source.get(name)}
    options = {name: names_in(settings.get(name)) for name in _NAMES}
    try:
        names = tuple(required_names(access_edge=str(settings.get("access_edge") or ""), **options))
    except InvalidNames:  # the playbook certificate reports the mistake before any write
        names = tuple(options["names"])
    return OwnCertificate(names, names[0] if names else "", file)


def names_in(value: t.Any) -> list[str]:
    """Return a list of names. As in Ansible, the value can be a text with commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    return [str(one) for one in value or () if one]


def probing_of(settings: Values, certificate: Values) -> dict[str, t.Any]:
    """Return the options of the probe that a run makes before the first write.

    settings: ``sfb_xmpp_verification``.
    certificate: ``sfb_xmpp_certificate`` of the deployment.
    """
    own = own_certificate(certificate)
    given = {name: value for name, value in settings.items() if name in PROBE and value not in (None, "")}
    found = {"certificate": own.file, "certificate_names": list(own.names), **given}
    return {name: value for name, value in found.items() if value}


# The settings


def parameters_of(values: Values) -> dict[str, t.Any]:
    """Return the parameters of the role, without the prefix, from the settings of the playbook."""
    verification = values.get("verification") or {}
    given = {name: verification[name] for name in PARAMETERS if verification.get(name) not in (None, "")}
    of_run = {"partners": values.get("partners") or [], "for_partner": values.get("for_partner") or ""}
    return {**PARAMETERS, **given, **of_run}


# The partners and messages to check


def of_partner(partners: t.Sequence[Values], wanted: str) -> list[Values]:
    """Return the partners that have a wanted domain; all partners if ``wanted`` is empty.

    wanted: domains or addresses, separated by commas.

    Raises Invalid for a wrong domain.
    """
    domains = {canonical_domain(one.rpartition("@")[2]) for one in each(wanted)}
    return [one for one in partners if not domains or domains & set(domains_of(one))]


def each(wanted: str) -> list[str]:
    """Return the domains or addresses of a text with commas."""
    return [one.strip() for one in wanted.split(",") if one.strip()]


def domains_of(partner: Values) -> list[str]:
    """Return all domains of a declared partner, as A-labels. Invalid domains are left out: the probe reports them."""
    found = []
    for text in (partner.get("domain"), *(partner.get("additional_domains") or ())):
        try:
            found.append(canonical_domain(str(text)))
        except Invalid:
            continue
    return found


def messages_to(messages: t.Sequence[Values], partners: t.Sequence[Values], wanted: str) -> list[int]:
    """Return the numbers of the messages to send.

    If partners are wanted, only messages to the wanted domains are sent.
    """
    if not wanted:
        return list(range(len(messages)))
    domains = {domain for one in partners for domain in domains_of(one)}
    return [
        number
        for number, one in enumerate(messages)
        if str(one.get("to_user", "")).rpartition("@")[2].strip().lower() in domains
    ]


# The lines


@dataclass(frozen=True)
class Message:
    """Hold a test message.

    to_user: the address of the recipient.
    result: the result of xmpp_im_test.
    """

    to_user: str
    result: Values

    @property
    def outcome(self) -> str:
        """Return the outcome of the test. A message that was refused before sending is a failure."""
        return str((self.result.get("test") or {}).get("result") or "failure")

    @property
    def latency(self) -> float | None:
        """Return the latency in seconds; None if the latency is unknown."""
        found: float | None = (self.result.get("test") or {}).get("latency")
        return found

    @property
    def reason(self) -> str:
        return printable(" ".join(str(self.result.get("msg") or "").split()))

    def __str__(self) -> str:
        text = "message to %s: %s" % (self.to_user, self.outcome.replace("_", " "))
        text += "" if self.latency is None else " in %.2f s" % self.latency
        return text + (", " + self.reason if self.outcome == "failure" and self.reason else "")


def table(entries: t.Sequence[Values], messages: t.Sequence[Message], note: str, summary: Values) -> list[str]:
    """Return a line for each domain, the worst first, with a line for each finding of the domain.

    entries: the entries of the probe.
    messages: the test messages.
    note: the source of the own domains; empty if the user declared the domains.
    summary: the number of domains by verdict.
    """
    width = max([len(_domain(entry)) for entry in entries] + [14])
    lines = ["The domains, the worst first (? = not checked):"]
    for entry in sorted(entries, key=lambda one: list(VERDICTS).index(one["verdict"])):
        verdict = entry["verdict"].replace("_", " ")
        lines += ["  %-14s  %-*s  %s" % (verdict, width, _domain(entry), _details(entry)), *_findings(entry)]
    lines += _advice(entries)
    lines += [str(one) for one in messages]
    if note:
        lines.append(note)
    counted = ["%s: %s" % (verdict, summary[verdict]) for verdict in VERDICTS if summary.get(verdict)]
    return [*lines, ", ".join(counted).replace("_", " ")]


def _domain(entry: Values) -> str:
    return both_forms(entry["domain"]) + ("" if "declared" in entry else " (own)")


def _details(entry: Values) -> str:
    declared, accepts = entry.get("declared"), entry.get("accepts")
    found = [(entry.get("tls") or {}).get("version") or "no TLS seen"]
    if accepts and declared:
        found.append("declared settings use " + _methods(accepts, declared["uses"], ", else "))
    if accepts:
        found.append("the server accepts " + _methods(accepts, [one for one in accepts if accepts[one] != "no"], ", "))
    until = (entry.get("certificate") or {}).get("not_after")
    found += ["certificate until " + str(until)[:10]] if until else []
    streams = [edge["streams"] for edge in entry.get("edges") or () if edge["streams"] is not None]
    found += ["open connections at the Edges: %d" % sum(streams)] if streams else []
    found += ["verdict: " + VIEWS[entry["view"]]] if entry.get("view") else []
    return "; ".join(found)


def _methods(accepts: Values, methods: t.Iterable[str], joint: str) -> str:
    """Return short names of methods. For a method with a question mark, the acceptance is unknown."""
    names = [_SHORT[method] + ("?" if accepts[method] == "unknown" else "") for method in methods]
    return joint.join(names) or "nothing"


def _findings(entry: Values) -> t.Iterator[str]:
    for finding in entry["findings"]:
        view = " [%s]" % VIEWS[finding["view"]] if finding.get("view") else ""
        yield "      %(severity)-7s  %(message)s; %(remedy)s" % finding + view
        then = (entry.get("advice") or {}).get("then")
        if finding["code"] == "certificate_expires_soon" and then:
            nothing = "the settings of the partner do not work any more"
            what = nothing if then == "nothing" else "only dialback authenticates the partner"
            yield "               from then on: " + what


def _advice(entries: t.Sequence[Values]) -> list[str]:
    """Return a line for each advice, with the partners to which it applies."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        advice = entry.get("advice") or {}
        if advice.get("row"):
            found.setdefault(advice["text"], []).append(str(entry["partner"]))
    return ["advice for %s: %s" % (", ".join(dict.fromkeys(found[text])), text) for text in sorted(found)]


def of_edges(views: t.Sequence[Values]) -> list[str]:
    """Return lines about the Edges: the logged results, and the checks that were not possible.

    views: results of xmpp_edge_view.
    """
    # The import is late, because a run that writes needs the settings of this file, but not the probe.
    from ...module_utils._probe.edge_judge import gaps, xmpp_events
    from ...module_utils._probe.edge_view import view_of

    lines = []
    for view in map(view_of, views):
        lines += ["Edge %s: not checked: %s" % (view.host, text) for text in gaps(view)]
        lines += ["Edge %s: logged in %d h: %s" % (view.host, view.hours, text) for text in xmpp_events(view)]
    return lines


def wrong(entries: t.Sequence[Values], messages: t.Sequence[Message], fail_on: t.Collection[str]) -> str:
    """Return the message of a failed run; an empty text if nothing is wrong.

    fail_on: verdicts that fail the run.
    """
    bad = [str(entry["domain"]) for entry in entries if entry["verdict"] in fail_on]
    lost = [one.to_user for one in messages if one.outcome == "failure"]
    parts = []
    if bad:
        parts.append("%d of %d domains (%s)" % (len(bad), len(entries), _named(bad)))
    if lost:
        parts.append("%d of %d test messages (to %s)" % (len(lost), len(messages), _named(lost)))
    return "The check failed for %s. The lines above show why." % " and ".join(parts) if parts else ""


def _named(names: t.Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (" and %d more" % more if more > 0 else "")
