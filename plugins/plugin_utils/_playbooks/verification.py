# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verification decides: whose certificate, which partners, what is shown and what fails. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

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
# The parameters of the role verification, without its name, and their values where nothing is set.
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
    # DNS of a partner does not lead the controller to itself, unless somebody wants that.
    "allow_local": False,
}
# The lists of a certificate that name what it is for, beside access_edge.
_NAMES = ("names", "sip_domains", "xmpp_domains")
# How many names the sentence of a failed run has.
_NAMED = 5


# The own certificate


@dataclass(frozen=True)
class OwnCertificate:
    """What the settings of a certificate tell a probe. names: the Access Edge's FQDN first.

    file: path and passphrase of a PKCS#12 file on the controller; empty if the source is of another kind.
    """

    names: tuple[str, ...] = ()
    access_edge: str = ""
    file: t.Mapping[str, str] | None = None


def own_certificate(settings: Values) -> OwnCertificate:
    """settings: ``sfb_xmpp_certificate`` of the deployment; empty where it has none."""
    source = settings.get("source") or {}
    file = None
    if source.get("type") == "pkcs12" and source.get("path"):
        file = {name: str(source[name]) for name in ("path", "passphrase") if source.get(name)}
    options = {name: names_in(settings.get(name)) for name in _NAMES}
    try:
        names = tuple(required_names(access_edge=str(settings.get("access_edge") or ""), **options))
    except InvalidNames:  # sfb.xmpp.certificate names the mistake, before it writes
        names = tuple(options["names"])
    return OwnCertificate(names, names[0] if names else "", file)


def names_in(value: t.Any) -> list[str]:
    """A list of names, which may be one text with commas, as Ansible takes lists."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    return [str(one) for one in value or () if one]


def probing_of(settings: Values, certificate: Values) -> dict[str, t.Any]:
    """How a run probes partners before it writes: options of xmpp_partner_probe_info and certificate_names.

    settings: ``sfb_xmpp_verification``. certificate: ``sfb_xmpp_certificate`` of the deployment.
    """
    own = own_certificate(certificate)
    given = {name: value for name, value in settings.items() if name in PROBE and value not in (None, "")}
    found = {"certificate": own.file, "certificate_names": list(own.names), **given}
    return {name: value for name, value in found.items() if value}


# The settings


def parameters_of(values: Values) -> dict[str, t.Any]:
    """The parameters of the role, without its name, from the settings of the playbook."""
    verification = values.get("verification") or {}
    given = {name: verification[name] for name in PARAMETERS if verification.get(name) not in (None, "")}
    of_run = {"partners": values.get("partners") or [], "for_partner": values.get("for_partner") or ""}
    return {**PARAMETERS, **given, **of_run}


# What is looked at


def of_partner(partners: t.Sequence[Values], wanted: str) -> list[Values]:
    """The partners that have a domain, or all if none is wanted. wanted: domains, or addresses there, with commas.

    Raises Invalid.
    """
    domains = {canonical_domain(one.rpartition("@")[2]) for one in each(wanted)}
    return [one for one in partners if not domains or domains & set(domains_of(one))]


def each(wanted: str) -> list[str]:
    """The domains or addresses of a text that separates them by commas."""
    return [one.strip() for one in wanted.split(",") if one.strip()]


def domains_of(partner: Values) -> list[str]:
    """All domains of a declared partner, as A-labels. One that cannot be read is left to the probe, which names it."""
    found = []
    for text in (partner.get("domain"), *(partner.get("additional_domains") or ())):
        try:
            found.append(canonical_domain(str(text)))
        except Invalid:
            continue
    return found


def messages_to(messages: t.Sequence[Values], partners: t.Sequence[Values], wanted: str) -> list[int]:
    """Which messages are sent, by number: if one partner is wanted, those to its domains."""
    if not wanted:
        return list(range(len(messages)))
    domains = {domain for one in partners for domain in domains_of(one)}
    return [
        number
        for number, one in enumerate(messages)
        if str(one.get("to_user", "")).rpartition("@")[2].strip().lower() in domains
    ]


# What is shown


@dataclass(frozen=True)
class Message:
    """A test message. result: that of xmpp_im_test."""

    to_user: str
    result: Values

    @property
    def outcome(self) -> str:
        """A message that was refused before it was sent has no outcome of its own."""
        return str((self.result.get("test") or {}).get("result") or "failure")

    @property
    def latency(self) -> float | None:
        """Seconds; None where it is not known."""
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
    """A row for each domain, the worst first, and one for each finding below it. entries: of the probe.

    note: where the own domains come from; an empty text if they were given.
    """
    width = max([len(_domain(entry)) for entry in entries] + [14])
    lines = ["The domains, the worst first (? = not seen):"]
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
        found.append("it accepts " + _methods(accepts, [one for one in accepts if accepts[one] != "no"], ", "))
    until = (entry.get("certificate") or {}).get("not_after")
    return "; ".join([*found, *(["certificate until " + str(until)[:10]] if until else [])])


def _methods(accepts: Values, methods: t.Iterable[str], joint: str) -> str:
    """Short names of methods, with a question mark if it was not seen whether the partner accepts one."""
    names = [_SHORT[method] + ("?" if accepts[method] == "unknown" else "") for method in methods]
    return joint.join(names) or "nothing"


def _findings(entry: Values) -> t.Iterator[str]:
    for finding in entry["findings"]:
        yield "      %(severity)-7s  %(message)s; %(remedy)s" % finding
        then = (entry.get("advice") or {}).get("then")
        if finding["code"] == "certificate_expires_soon" and then:
            nothing = "the declared row does not work any more"
            what = nothing if then == "nothing" else "dialback alone decides under the declared row"
            yield "               from then on: " + what


def _advice(entries: t.Sequence[Values]) -> list[str]:
    """A line for each advice, with the partners that it is for."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        advice = entry.get("advice") or {}
        if advice.get("row"):
            found.setdefault(advice["text"], []).append(str(entry["partner"]))
    return ["advice for %s: %s" % (", ".join(dict.fromkeys(found[text])), text) for text in sorted(found)]


def wrong(entries: t.Sequence[Values], messages: t.Sequence[Message], fail_on: t.Collection[str]) -> str:
    """The sentence with which a run fails; an empty text if nothing is wrong. fail_on: verdicts."""
    bad = [str(entry["domain"]) for entry in entries if entry["verdict"] in fail_on]
    lost = [one.to_user for one in messages if one.outcome == "failure"]
    parts = []
    if bad:
        parts.append("%d of %d domains (%s)" % (len(bad), len(entries), _named(bad)))
    if lost:
        parts.append("%d of %d test messages (to %s)" % (len(lost), len(messages), _named(lost)))
    return "The check failed for %s; the lines above say why." % " and ".join(parts) if parts else ""


def _named(names: t.Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (" and %d more" % more if more > 0 else "")
