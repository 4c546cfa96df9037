# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check each assumption of the lab against a capture, and return the evidence.

Each check is for one assumption. The result is ``confirmed`` or ``refuted`` only if the capture shows the fact.
Otherwise, the result is ``unknown``. Facts that only a write shows, and facts about XMPP in a capture without XMPP, are
unknown.
"""

from __future__ import annotations

import re
import typing as t

from ..cmdlets import objects
from ..deployment.topology import BUILDS
from .capture import Capture
from .shapes import Property, properties

Verdict = t.Literal["confirmed", "refuted", "unknown"]
Answer = tuple[Verdict, str]
Check = t.Callable[[Capture], Answer]

_NOT_SHOWN: Answer = ("unknown", "the capture does not show it")
_PARTNER = "Get-CsXmppAllowedPartner"
_POLICY = "Get-CsExternalAccessPolicy"
# The collection reads these lists.
_LISTS = {
    _PARTNER: ("AdditionalDomains",),
    "Get-CsPool": ("Computers", "Services"),
    "Get-CsSite": ("Pools", "Services"),
}
_ENUMERATIONS: dict[str, t.Any] = {
    "PartnerType": objects.PartnerType,
    "TlsNegotiation": objects.TlsNegotiation,
    "SaslNegotiation": objects.SaslNegotiation,
}


def _values(capture: Capture, cmdlet: str, name: str, role: str = "") -> list[Property]:
    """Return every value of a property of a cmdlet's objects."""
    answers = capture.statements(cmdlet, role, whole=False)
    return [one for a in answers for xml in a.output for one in properties(xml) if one.name == name]


def _all_or_none(right: t.Sequence[str], wrong: t.Sequence[str]) -> Answer:
    """Return refuted for the first wrong value, or else confirmed for any right value."""
    if wrong:
        return "refuted", wrong[0]
    return ("confirmed", right[0]) if right else _NOT_SHOWN


def _list_shapes(capture: Capture) -> Answer:
    right: list[str] = []
    wrong: list[str] = []
    for cmdlet, names in _LISTS.items():
        for name in names:
            for one in _values(capture, cmdlet, name):
                said = "%s of %s with %d entries is %s" % (name, cmdlet, len(one.values), one.kind)
                (right if one.kind == "list" else wrong).append(said)
    return _all_or_none(right, wrong)


def _enum_numbers(capture: Capture) -> Answer:
    right: list[str] = []
    wrong: list[str] = []
    for name, enum in _ENUMERATIONS.items():
        for one in _values(capture, _PARTNER, name):
            if one.kind == "text":
                continue  # Texts have no number.
            number = getattr(enum, one.values[0], None) if one.values else None
            good = one.kind == "enumeration" and number is not None and int(number.value) == one.number
            number_said = "" if one.number is None else " with the number %d" % one.number
            said = "%s is the %s %s%s" % (name, one.kind, "".join(one.values), number_said)
            (right if good else wrong).append(said)
    return _all_or_none(right, wrong)


def _extra_properties(capture: Capture) -> Answer:
    known = {"Key", "Anchor", "Element", "ScopeClass"}
    documented = {p.name for p in _known(_POLICY)} | {p.name for p in _known(_PARTNER)}
    for cmdlet in (_POLICY, _PARTNER):
        for answered in capture.statements(cmdlet):
            for xml in answered.output:
                more = {p.name for p in properties(xml)} - documented
                expected = known if cmdlet == _POLICY else known - {"ScopeClass"}
                said = "objects of %s carry %s" % (cmdlet, ", ".join(sorted(more)) or "nothing more")
                return ("confirmed" if more == expected else "refuted"), said
    return _NOT_SHOWN


def _known(cmdlet: str) -> list[Property]:
    from ..cmdlets.partners import DEFAULTS
    from ..deployment.seed import POLICY_DEFAULTS

    names = [*DEFAULTS, "Domain", "Identity"] if cmdlet == _PARTNER else [*POLICY_DEFAULTS, "Identity"]
    return [Property(name, "", ()) for name in names]


def _matches(cmdlet: str, name: str, pattern: str, role: str = "") -> Check:
    """Check whether all existing values of a property match a pattern."""

    def check(capture: Capture) -> Answer:
        right: list[str] = []
        wrong: list[str] = []
        for one in _values(capture, cmdlet, name, role):
            for value in one.values:
                good = one.kind in ("text", "enumeration") and re.fullmatch(pattern, value) is not None
                (right if good else wrong).append("%s of %s is the %s '%s'" % (name, cmdlet, one.kind, value))
        return _all_or_none(right, wrong)

    return check


def _texts(cmdlet: str, pattern: str) -> Check:
    """Check whether every text in a cmdlet's output matches a pattern."""

    def check(capture: Capture) -> Answer:
        said = [re.sub(r"<[^>]*>", "", xml) for answered in capture.statements(cmdlet) for xml in answered.output]
        wrong = ["%s answers '%s'" % (cmdlet, text) for text in said if not re.fullmatch(pattern, text)]
        return _all_or_none(["%s answers '%s'" % (cmdlet, text) for text in said], wrong)

    return check


def _dates(capture: Capture) -> Answer:
    output = "".join(xml for host in capture.hosts for one in host.statements for xml in one.output)
    stamps = re.findall(r"<DT[^>]*>([^<]*)</DT>", output)
    wrong = ["a date arrives as %s" % stamp for stamp in stamps if not re.search(r"(Z|[+-]00:00)$", stamp)]
    return _all_or_none(["a date arrives as %s" % stamp for stamp in stamps], wrong)


def _domain(capture: Capture) -> Answer:
    right: list[str] = []
    wrong: list[str] = []
    for answered in capture.statements(_PARTNER):
        for xml in answered.output:
            values = {p.name: p.values for p in properties(xml)}
            same = "Domain" in values and values["Domain"] == values.get("Identity")
            said = "Identity %s, Domain %s" % (values.get("Identity"), values.get("Domain", "is not there"))
            (right if same else wrong).append(said)
    return _all_or_none(right, wrong)


def _limit(capture: Capture) -> Answer:
    kinds = {one.kind for one in _values(capture, _PARTNER, "ConnectionLimit")}
    return ("confirmed", "there are partners whose ConnectionLimit is null") if "null" in kinds else _NOT_SHOWN


def _passphrase(capture: Capture) -> Answer:
    found = _values(capture, "Get-CsXmppGatewayConfiguration", "DialbackPassphrase")
    if capture.statements("Get-CsXmppGatewayConfiguration") and not found:
        return "refuted", "the configuration has no property DialbackPassphrase"
    kinds = {one.kind for one in found} - {"null"}
    if not kinds:
        return _NOT_SHOWN
    return ("confirmed" if kinds == {"text"} else "refuted"), "DialbackPassphrase arrives as %s" % ", ".join(kinds)


def _versions(capture: Capture) -> Answer:
    builds = {build: version for version, build in BUILDS.items()}
    texts = [re.findall(r"\d+\.\d+\.\d+\.\d+", x) for a in capture.statements("Get-CsServerVersion") for x in a.output]
    said = {builds[build] for found in texts for build in found if build in builds}
    numbers = {value for one in _values(capture, "Get-CsService", "Version") for value in one.values}
    if not said or not numbers:
        return _NOT_SHOWN
    text = "servers of version %s, services of Version %s" % (", ".join(sorted(said)), ", ".join(sorted(numbers)))
    return ("confirmed" if said <= numbers <= set(BUILDS) else "refuted"), text


def _proxy(capture: Capture) -> Answer:
    right: list[str] = []
    wrong: list[str] = []
    for answered in capture.statements("Get-CsWindowsService", "edge"):
        for xml in answered.output:
            values = {p.name: "".join(p.values) for p in properties(xml)}
            if "XMPP" in values.get("DisplayName", ""):
                name = values.get("Name", "")
                said = "'%s' is the service %s" % (values["DisplayName"], name)
                (right if "XMPP TRANSLATING GATEWAY PROXY" in values["DisplayName"].upper() else wrong).append(said)
    return _all_or_none(right, wrong)


def _commands(capture: Capture, role: str) -> set[str] | None:
    """Return the commands that the first host of a role offers; None if the capture does not contain the commands."""
    found = [host.commands for host in capture.hosts if host.role == role and host.commands is not None]
    return set(found[0]) if found else None


def _endpoint(capture: Capture) -> Answer:
    commands = _commands(capture, "management")
    if commands is None:
        return _NOT_SHOWN
    plain = {name for name in commands if not name.partition("-")[2].startswith("Cs")}
    missing = {"Get-Command", "Select-Object", "Out-Default"} - plain
    said = "a Front End offers, beside the product's, %s" % (", ".join(sorted(plain)) or "nothing")
    return ("refuted" if missing else "confirmed"), said


def _offered(name: str) -> Check:
    def check(capture: Capture) -> Answer:
        commands = _commands(capture, "management")
        if commands is None:
            return _NOT_SHOWN
        return ("confirmed", "%s is offered" % name) if name in commands else ("refuted", "%s is not offered" % name)

    return check


def _viewer(capture: Capture) -> Answer:
    commands = _commands(capture, "management") or set()
    own = {name for name in commands if name.partition("-")[2].startswith("Cs")}
    if not own or any(name.startswith(("New-", "Set-", "Remove-", "Grant-")) for name in own):
        return _NOT_SHOWN
    more = sorted(name for name in own if not name.startswith("Get-"))
    return ("refuted", "an account without writes is offered %s" % more[0]) if more else (
        "confirmed", "an account without writes is offered %d Get- cmdlets" % len(own),
    )  # fmt: skip


def _local_store(capture: Capture) -> Answer:
    right: list[str] = []
    wrong: list[str] = []
    for name in (_PARTNER, _POLICY, "Get-CsAccessEdgeConfiguration"):
        for answered in capture.statements(name, "edge"):
            if "LocalStore" not in answered.pipeline[0].parameters:
                failed = bool(answered.errors)
                said = "%s without -LocalStore %s on an Edge" % (name, "fails" if failed else "answers")
                (right if failed else wrong).append(said)
    return _all_or_none(right, wrong)


def _unassigned(capture: Capture) -> Answer:
    for answered in capture.statements("Get-CsCertificate"):
        if "Type" in answered.pipeline[0].parameters and not answered.output:
            if answered.errors:
                return "refuted", answered.errors[0].message
            return "confirmed", "Get-CsCertificate -Type returns nothing"
    return _NOT_SHOWN


def _store_status(capture: Capture) -> Answer:
    wanted = {"ActiveMasterFqdn", "ActiveMasterLastHeartbeat", "ActiveReplicas", "DeletedReplicas"}
    for answered in capture.statements("Get-CsManagementStoreReplicationStatus"):
        if "CentralManagementStoreStatus" in answered.pipeline[0].parameters and answered.output:
            names = {p.name for p in properties(answered.output[0])}
            return ("confirmed" if wanted <= names else "refuted"), "it has %s" % ", ".join(sorted(names))
    return _NOT_SHOWN


CHECKS: t.Mapping[str, Check] = {
    "certificate-unassigned": _unassigned,
    "dialback-passphrase": _passphrase,
    "edge-local-store": _local_store,
    "edge-usages": _matches(
        "Get-CsCertificate", "Use", "AccessEdgeExternal|DataEdgeExternal|AudioVideoAuthentication|Internal|XmppServer",
        "edge",
    ),
    "effective-policy-form": _matches("Get-CsEffectivePolicy", "ExternalAccessPolicy", "Site:.+|[^:]+"),
    "endpoint-cmdlets": _endpoint,
    "enum-numbers": _enum_numbers,
    "export-file": _offered("Export-CsConfiguration"),
    "extra-properties": _extra_properties,
    "list-shapes": _list_shapes,
    "partner-connection-limit": _limit,
    "partner-domain-property": _domain,
    "policy-of-a-user": _matches("Get-CsUser", "ExternalAccessPolicy", "(?!Tag:|Site:).+"),
    "xmpp-service-names": _proxy,
    "servers-in-utc": _dates,
    "service-version-numbers": _versions,
    "services-by-remote-shell": _offered("Get-CsWindowsService"),
    "site-routes": _matches("Get-CsSite", "XmppFederationRoute", "|EdgeServer:.+"),
    "store-status-form": _store_status,
    "version-text": _texts("Get-CsServerVersion", r".+ \(\d+\.\d+\.\d+\.\d+\): Volume license key installed\."),
    "view-only-role": _viewer,
}  # fmt: skip
