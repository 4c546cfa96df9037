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

from .._base.findings import ERROR, SEVERITIES, UNKNOWN, WARNING
from .._base.texts import some
from .._federation.negotiation import Row
from .between import Deployment, Direction, Explanation, Link, Partner, Probed, User
from .outside import needs_certificate, published, seen

_SCOPES = {"user": "granted to him", "site": "his site's", "global": "the global one"}


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
        _certificates(deployment, partner.row, probed),
        _replicas(deployment),
        seen(probed, partner, deployment),
        published(probed, user, partner, deployment),
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
    if user.has_xmpp is None:
        return Link("home", UNKNOWN, "it is not known whether %s, the home of %s, has XMPP" % (pool, user.address))
    if not user.has_xmpp:
        text = "%s is homed on %s, and only Lync Server 2013 and Skype for Business Server 2015 have XMPP"
        if user.lack:
            text = "%%s is homed on %%s, %s" % user.lack
        remedy = "move the user to a legacy Front End pool (Move-CsUser)"
        return Link("home", ERROR, text % (user.address, pool), remedy)
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


def _certificates(deployment: Deployment, row: Row | None, probed: Probed) -> Link:
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
    ends = not good and needs_certificate(row, probed, missing=not faults)
    severity = ERROR if ends else WARNING
    return Link("certificate", severity, "; ".join(texts), "give the Edges a good one (sfb_xmpp_certificate)")


def _replicas(deployment: Deployment) -> Link:
    """Servers work from their replica. What one that is behind does not know yet cannot be seen from here."""
    if deployment.behind is None:
        return Link("replicas", UNKNOWN, "it could not be read whether the replicas are up to date")
    if deployment.behind:
        return Link(
            "replicas",
            UNKNOWN,
            _late(deployment.behind),
            "wait some minutes (sfb.xmpp.management_store_replication waits); a push starts a full copy",
        )
    return Link("replicas", "", "the replicas are up to date")


def _late(behind: t.Sequence[str]) -> str:
    return "the replica of %s is not up to date, so what was written last may not count there" % some(behind)
