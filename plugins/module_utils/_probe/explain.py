# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a user and a partner cannot exchange messages: the chain from one to the other, and its first broken link. Pure.

The order is that of the documentation: who may (user, policy, partner), what the deployment is set up for (Access Edge,
route), what runs (services, certificate), and what was seen from outside (the probe). A value that could not be read is
None; a link with such a value is unknown, which is neither good nor broken.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.findings import ERROR, SEVERITIES, UNKNOWN, WARNING, Finding, in_order
from .._base.texts import some
from .._federation.negotiation import SASL_OVER_TLS, Row
from .certificate import FATAL

# out: from the user to the partner. in: from the partner to the user.
Direction = t.Literal["out", "in"]
BOTH: tuple[Direction, ...] = ("out", "in")

Scope = t.Literal["user", "site", "global"]
_SCOPES = {"user": "granted to him", "site": "his site's", "global": "the global one"}


@dataclass(frozen=True)
class User:
    """enabled: False if there is no such user, or he is disabled. pool: his home. legacy: whether that has XMPP (Lync
    Server 2013, Skype for Business Server 2015). policy: the effective one, scope: which of the three it is, and
    whether it gives XMPP and federation access.
    """

    address: str
    enabled: bool | None = None
    pool: str = ""
    legacy: bool | None = None
    policy: str = ""
    scope: Scope | None = None
    xmpp: bool | None = None
    federation: bool | None = None


@dataclass(frozen=True)
class Partner:
    """domain: that of the message. allowed: whether a partner has it. identity: that partner's own domain, which is
    another one if ``domain`` is one of its additional domains. type: as option ``partner_type``. sip: which list of
    SIP federation has the domain, allowed or blocked; '' if neither.
    """

    domain: str
    allowed: bool | None = None
    identity: str = ""
    type: str = ""
    row: Row | None = None
    sip: str | None = ""


@dataclass(frozen=True)
class Service:
    """A Windows service that XMPP needs. kind: gateway (Front End) or proxy (Edge)."""

    kind: t.Literal["gateway", "proxy"]
    host: str
    name: str
    running: bool | None = None


@dataclass(frozen=True)
class OwnCertificate:
    """Of an Edge, for XmppServer. assigned: whether there is one. faults: why it proves nothing, such as its end."""

    host: str
    assigned: bool | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployment:
    """access_edge: AllowFederatedUsers. route: the Edge pool of the site's XMPP federation route; '' if there is none.

    services, certificates: empty if they were not looked at. has_xmpp: whether XMPP federation is enabled on that Edge
    pool. behind: servers that carry XMPP and whose replica is not up to date.
    """

    access_edge: bool | None = None
    route: str | None = None
    services: tuple[Service, ...] = ()
    certificates: tuple[OwnCertificate, ...] = ()
    has_xmpp: bool | None = True
    behind: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Probed:
    """Findings about the partner, and about what is published of the user's domain; None: not probed."""

    partner: tuple[Finding, ...] | None = None
    own: tuple[Finding, ...] | None = None


@dataclass(frozen=True)
class Link:
    """severity: '' if it is good, else one of _base.findings. blocks: the directions that it ends if it is broken."""

    name: str
    severity: str
    text: str
    remedy: str = ""
    blocks: tuple[Direction, ...] = BOTH

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "severity": self.severity or "ok",
            "text": self.text,
            "remedy": self.remedy,
            "blocks": list(self.blocks) if self.severity == ERROR else [],
        }


@dataclass(frozen=True)
class Explanation:
    """links: the whole chain in its order. sentence: what is to be told."""

    links: tuple[Link, ...]
    sentence: str

    def broken(self, direction: Direction | None = None) -> Link | None:
        """The first broken link of a direction, or of any."""
        for link in self.links:
            if link.severity == ERROR and (direction is None or direction in link.blocks):
                return link
        return None

    def as_dict(self) -> dict[str, t.Any]:
        first = self.broken()
        return {
            "sentence": self.sentence,
            "first_broken": None if first is None else first.name,
            "out": None if (out := self.broken("out")) is None else out.name,
            "in": None if (into := self.broken("in")) is None else into.name,
            "links": [link.as_dict() for link in self.links],
        }


def explain(user: User, partner: Partner, deployment: Deployment, probed: Probed) -> Explanation:
    """The chain between a user and a partner's domain."""
    links = (
        _user(user),
        _home(user),
        _policy(user),
        _partner(partner),
        _row(partner),
        _access_edge(deployment),
        _route(deployment),
        _services(deployment),
        _certificates(deployment, partner.row),
        _replicas(deployment),
        _seen(probed, partner, deployment),
        _published(probed, user, partner, deployment),
    )
    return Explanation(links, _sentence(user, partner, deployment, links))


def _sentence(user: User, partner: Partner, deployment: Deployment, links: t.Sequence[Link]) -> str:
    of = {severity: [link for link in links if link.severity == severity] for severity in SEVERITIES}
    if of[ERROR]:
        first = of[ERROR][0]
        ended = _ended(first.blocks, user.address, partner.domain)
        but = " But %s." % _late(deployment.behind) if deployment.behind else ""
        return "%s: %s. To do: %s.%s" % (ended, first.text, first.remedy, but)
    pair = (user.address, partner.domain)
    if of[UNKNOWN]:
        names = ", ".join(link.name for link in of[UNKNOWN])
        text = "Nothing that was seen stands between %s and %s, but not everything was seen (%s): %s."
        return text % (*pair, names, of[UNKNOWN][0].text)
    told = "; to be known: %s" % "; ".join(link.text for link in of[WARNING]) if of[WARNING] else ""
    return "Nothing stands between %s and %s, as far as can be seen without a message%s." % (*pair, told)


def _ended(blocks: t.Sequence[Direction], user: str, partner: str) -> str:
    if "in" not in blocks:
        return "Messages from %s to %s do not get through" % (user, partner)
    if "out" not in blocks:
        return "Messages from %s to %s do not get through" % (partner, user)
    return "%s and %s cannot exchange messages" % (user, partner)


# Who may


def _user(user: User) -> Link:
    if user.enabled is None:
        return Link("user", UNKNOWN, "it could not be read whether %s is an enabled user" % user.address)
    if not user.enabled:
        text = "%s is no user of the deployment, or is not enabled" % user.address
        return Link("user", ERROR, text, "correct the address, or enable the user (Enable-CsUser)")
    return Link("user", "", "%s is enabled" % user.address)


def _home(user: User) -> Link:
    pool = user.pool or "a pool that is not known"
    if user.legacy is None:
        return Link("home", UNKNOWN, "it is not known whether %s, the home of %s, has XMPP" % (pool, user.address))
    if not user.legacy:
        text = "%s is homed on %s, and only Lync Server 2013 and Skype for Business Server 2015 have XMPP" % (
            user.address,
            pool,
        )
        return Link("home", ERROR, text, "move the user to a legacy pool (Move-CsUser)")
    return Link("home", "", "%s is homed on %s, which has XMPP" % (user.address, pool))


def _policy(user: User) -> Link:
    which = "the external access policy in effect"
    if user.scope:
        which += ", %s (%s)," % (user.policy, _SCOPES[user.scope])
    if user.xmpp is False or user.federation is False:
        missing = "XMPP" if user.xmpp is False else "federation"
        remedy = "grant a policy with enable_xmpp_access and enable_federation_access, or change this one"
        return Link("policy", ERROR, "%s gives %s no %s access" % (which, user.address, missing), remedy)
    if user.xmpp is None or user.federation is None:
        return Link("policy", UNKNOWN, "it could not be read what %s gives %s" % (which, user.address))
    return Link("policy", "", "%s gives XMPP and federation access" % which)


def _partner(partner: Partner) -> Link:
    if partner.allowed is None:
        return Link("partner", UNKNOWN, "the allowed partners could not be read")
    if not partner.allowed:
        text = "%s is no allowed XMPP partner, nor an additional domain of one" % partner.domain
        return Link("partner", ERROR, text, "declare it in sfb_xmpp_partners")
    of = " as an additional domain of %s" % partner.identity if partner.identity not in ("", partner.domain) else ""
    allowed = "%s is allowed%s" % (partner.domain, of)
    if partner.sip:
        text = "%s, and is on the list of %s domains of SIP federation, which takes it from XMPP" % (
            allowed,
            partner.sip,
        )
        cmdlet = "Remove-Cs%sDomain" % partner.sip.capitalize()
        return Link("partner", ERROR, text, "take it off that list (%s)" % cmdlet)
    if partner.sip is None:
        text = "%s, but it could not be read whether SIP federation has it too" % allowed
        return Link("partner", UNKNOWN, text)
    if partner.type == "public_unverified":
        text = "%s as public_unverified: what it sends reaches only those who have added the sender" % allowed
        return Link("partner", WARNING, text, "let the user add the contact, or change partner_type")
    return Link("partner", "", allowed)


def _row(partner: Partner) -> Link:
    row = partner.row
    if row is None:
        text = "the negotiation settings of %s are not known" % partner.domain
        # Where the partner is not allowed there is no row, and that is said already.
        return Link("negotiation", UNKNOWN if partner.allowed is not False else "", text)
    if row.level == "invalid":
        why, remedy = row.remark.rsplit("; ", 1)
        return Link("negotiation", ERROR, "with %s no stream can be authenticated: %s" % (row, why), remedy)
    if row.level == "risky":
        return Link("negotiation", WARNING, "%s is risky: %s" % (row, row.remark))
    return Link("negotiation", "", str(row))


# What the deployment is set up for


def _access_edge(deployment: Deployment) -> Link:
    if deployment.access_edge is None:
        return Link("access_edge", UNKNOWN, "it could not be read whether the Access Edge allows federated users")
    if not deployment.access_edge:
        remedy = "set allow_federated_users in sfb_xmpp_access_edge, which is the switch of SIP federation as well"
        return Link("access_edge", ERROR, "the Access Edge does not allow federated users", remedy)
    return Link("access_edge", "", "the Access Edge allows federated users")


def _route(deployment: Deployment) -> Link:
    if deployment.route is None:
        return Link("route", UNKNOWN, "the site's XMPP federation route could not be read")
    if not deployment.route:
        remedy = "set it (sfb_xmpp_federation_routes, or in Topology Builder)"
        return Link("route", ERROR, "no site has an XMPP federation route", remedy)
    leads = "the XMPP federation route leads to %s" % deployment.route
    if deployment.has_xmpp is None:
        return Link("route", UNKNOWN, "%s, of which it is not known whether it has XMPP" % leads)
    if not deployment.has_xmpp:
        remedy = "enable XMPP federation on that Edge pool (Topology Builder), or lead the route to one that has it"
        return Link("route", ERROR, "%s, which has no XMPP" % leads, remedy)
    return Link("route", "", leads)


# What runs


def _services(deployment: Deployment) -> Link:
    """XMPP needs one gateway and one proxy that run. Others that do not are to be known."""
    found: list[Link] = []
    for kind, name in (("gateway", "the XMPP gateway on the Front Ends"), ("proxy", "the XMPP proxy on the Edges")):
        services = [service for service in deployment.services if service.kind == kind]
        stopped = ["%s on %s" % (one.name, one.host) for one in services if one.running is False]
        if any(one.running for one in services):
            if stopped:
                found.append(Link("services", WARNING, "not running: %s" % some(stopped), "start them"))
        elif stopped and len(stopped) == len(services):
            found.append(
                Link("services", ERROR, "not running: %s" % some(stopped), "start them (Start-CsWindowsService)")
            )
        else:
            found.append(Link("services", UNKNOWN, "it was not seen whether %s runs" % name))
    found.sort(key=lambda link: SEVERITIES.index(link.severity))
    if found:
        return found[0]
    return Link("services", "", "the services run")


def _certificates(deployment: Deployment, row: Row | None) -> Link:
    """Without TLS nothing is presented. One good certificate is enough for the Edge that has it."""
    found = deployment.certificates
    if row is not None and row.tls == "not_supported":
        return Link("certificate", "", "no certificate is needed, because TLS is not used with the partner")
    missing = [one.host for one in found if one.assigned is False]
    faults = ["%s: %s" % (one.host, fault) for one in found if one.assigned for fault in one.faults]
    texts = ["there is no certificate for XmppServer on %s" % some(missing)] if missing else []
    texts += ["the gateway's certificate proves nothing (%s)" % some(faults)] if faults else []
    if not texts or any(one.assigned is None for one in found):
        unseen = not found or any(one.assigned is None for one in found)
        text = "the gateway's certificate was not looked at on every Edge" if unseen else "the certificate is good"
        return Link("certificate", UNKNOWN if unseen else "", text)
    good = any(one.assigned and not one.faults for one in found)
    ends = not good and _needs_certificate(row, missing=not faults)
    severity = ERROR if ends else WARNING
    return Link("certificate", severity, "; ".join(texts), "give the Edges a good one (sfb_xmpp_certificate)")


def _needs_certificate(row: Row | None, *, missing: bool) -> bool:
    """Whether the row ends with the gateway's certificate. One that is there and not good encrypts the stream all the
    same, and dialback decides where the row has it.
    """
    return row is None or row.methods == (SASL_OVER_TLS,) or (row.tls == "required" and missing)


def _replicas(deployment: Deployment) -> Link:
    """Servers work from their replica. What one that is behind does not know yet cannot be seen from here."""
    if deployment.behind is None:
        return Link("replicas", UNKNOWN, "it could not be read whether the replicas are up to date")
    if deployment.behind:
        return Link("replicas", UNKNOWN, _late(deployment.behind), "push it (management_store_replication)")
    return Link("replicas", "", "the replicas are up to date")


def _late(behind: t.Sequence[str]) -> str:
    return "the replica of %s is not up to date, so what was written last may not count there" % some(behind)


# What was seen from outside

# What the probe finds against a certificate: the gateway's, and the partner's, which is shown in both directions.
_OWN_CERTIFICATE = ("own_certificate_", "own_no_tls")
_THEIR_CERTIFICATE = tuple("certificate_" + code for code in FATAL - {"server_auth"})
_NO_EXTERNAL = ("own_certificate_refused", "external_not_offered")


def _by_dialback(deployment: Deployment, row: Row | None, probed: Probed) -> bool:
    """Whether dialback is what is left: each side then has to find the other by DNS, whoever sends the message."""
    if row is None or not set(row.methods) - {SASL_OVER_TLS}:
        return False
    certificates = deployment.certificates
    return (
        SASL_OVER_TLS not in row.methods
        or bool(certificates and all(one.assigned is False or one.faults for one in certificates))
        or any(one.severity == ERROR and one.code.startswith(_OWN_CERTIFICATE) for one in probed.own or ())
        or any(one.code in _THEIR_CERTIFICATE or one.code in _NO_EXTERNAL for one in probed.partner or ())
    )


def _seen(probed: Probed, partner: Partner, deployment: Deployment) -> Link:
    """The probe goes the way that a message of the user goes. What the other way needs of it as well: an answer about
    the partner's key, and a certificate that is the same in both directions.
    """
    both = _by_dialback(deployment, partner.row, probed)
    both = both or any(one.severity == ERROR and one.code in _THEIR_CERTIFICATE for one in probed.partner or ())
    what = "the servers of %s" % partner.domain
    return _worst("partner_server", probed.partner, what, BOTH if both else ("out",))


def _published(probed: Probed, user: User, partner: Partner, deployment: Deployment) -> Link:
    """Partners find the gateway by what is published, to send a message or to ask about a key of dialback."""
    findings, both = probed.own, _by_dialback(deployment, partner.row, probed)
    if findings is not None:
        findings = tuple(_by_row(one, partner.row) for one in findings)
        both = both or any(one.severity == ERROR and one.code.startswith(_OWN_CERTIFICATE) for one in findings)
    what = "the records and the gateway of %s" % user.address.rpartition("@")[2]
    return _worst("published", findings, what, BOTH if both else ("in",))


def _by_row(finding: Finding, row: Row | None) -> Finding:
    """What is found against the gateway's certificate ends only a row that needs it."""
    if finding.severity != ERROR or not finding.code.startswith(_OWN_CERTIFICATE):
        return finding
    needed = _needs_certificate(row, missing=finding.code == "own_no_tls")
    return finding if needed else replace(finding, severity=WARNING)


def _worst(name: str, findings: t.Sequence[Finding] | None, what: str, blocks: tuple[Direction, ...]) -> Link:
    if findings is None:
        return Link(name, UNKNOWN, "%s were not probed" % what)
    if not findings:
        return Link(name, "", "the probe found nothing against %s" % what)
    worst = in_order(findings)[0]
    return Link(name, worst.severity, worst.message, worst.remedy, blocks)
