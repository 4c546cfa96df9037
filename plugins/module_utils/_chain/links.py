# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the links on which a message depends, in the order of the documentation. Pure.

A link has one code, one severity and one text, whoever asks: converge and preflight for a deployment, explain for one
user and one partner, audit for everything. What the probe sees of a partner is not here: its findings keep their codes
(_probe). A finding that ends in ``_unknown`` is neither good nor broken, and never stops a run.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, UNKNOWN, WARNING
from .._federation.pools import LATER
from .._shell.rights import ADMINISTRATOR
from . import conditions as when
from .conditions import OLDER, Condition
from .known import DEFAULT, INTERNAL, XMPP

# What may stand in ``group``, in the order in which explain tells of a user and a partner.
Group = t.Literal[
    "user", "home", "policy", "partner", "negotiation", "access_edge", "route", "services", "certificate", "internal",
    "replicas", "partner_server", "published", "account",
]  # fmt: skip

RIGHTS = "rights"
BUILDER = "Topology Builder"
NOTHING = "nobody exchanges a message with any XMPP partner"
_NOT_KNOWN = "it is not known whether this link holds"
_CONTROL_PANEL = "Control Panel, Federation and External Access, "
_POLICIES = _CONTROL_PANEL + "External Access Policy"
_SIP_DOMAINS = _CONTROL_PANEL + "SIP Federated Domains"
_ROUTE = BUILDER + ", the site's properties, Federation route, Enable XMPP federation"
_DNS = "the public DNS zone of the SIP domain"
_WIZARD = "the Edge server itself, deployment wizard, step 3 (Request, Install or Assign Certificates)"
_TLS = "partners that ask for TLS do not connect"
_ALONE = "the other servers carry it alone"
_MTLS = "nothing passes between the XMPP gateway and the XMPP proxy, which use MTLS (port 23456)"


@dataclass(frozen=True)
class Link:
    """One link.

    code: of the finding. group: the link of explain to which it belongs. needs: what has to be known (names of Known)
    for anybody to look at it. broken: its condition. message, remedy: with what the condition names. effect: on users;
    of_rest: the same where other servers carry the work alone, which makes it a warning. where: the place in the
    product. stops: whether additions are pointless until it is mended, so that a run stops before it writes. ends:
    whether no message passes between the two of whom explain tells, where it is an error.
    """

    code: str
    group: Group
    needs: tuple[str, ...]
    broken: Condition
    message: str
    remedy: str
    effect: str
    where: str
    severity: str = ERROR
    stops: bool = False
    ends: bool = True
    of_rest: str = _ALONE


def _unknown(code: str, group: Group, needs: tuple[str, ...], broken: Condition, where: str = "") -> Link:
    return Link(
        code,
        group,
        needs,
        broken,
        "%(what)s is not observable with this account",
        "look with an account that is offered %(cmdlet)s",
        _NOT_KNOWN,
        where or "the account's RBAC roles (Get-CsAdminRole)",
        severity=UNKNOWN,
    )


def _service(kind: t.Literal["gateway", "proxy"], state: t.Literal["not_installed", "stopped"]) -> Link:
    name, role = ("XMPP gateway", "Front End") if kind == "gateway" else ("XMPP proxy", "Edge")
    code, needs, where = "%s_%s" % (kind, state), (_SERVICES[kind],), "the %s server itself" % role
    if state == "not_installed":
        message = "%%(hosts)s has no %s service" % name
        remedy = "run the deployment wizard there, step 2 (Setup or Remove Components)"
        return Link(code, "services", needs, when.not_installed(kind), message, remedy, NOTHING, where)
    message = "the %s does not run on %%(hosts)s" % name
    remedy = "start it (sfb.xmpp.xmpp_gateway_service, or Start-CsWindowsService)"
    return Link(code, "services", needs, when.stopped(kind), message, remedy, NOTHING, where)


def _sip(word: t.Literal["allowed", "blocked"]) -> tuple[Link, Link]:
    code, cmdlet = "partner_" + word, "Get-Cs%sDomain" % word.capitalize()
    return (
        _unknown(code + "_unknown", "partner", ("store",), when.sip_unknown(word, cmdlet)),
        Link(
            code,
            "partner",
            ("store",),
            when.sip_too(word),
            "%%(domains)s: XMPP partner and %s SIP domain at once" % word,
            "take %%(it)s off the list of %s SIP domains, or out of sfb_xmpp_partners" % word,
            "no message is exchanged with %(domains)s over XMPP",
            _SIP_DOMAINS,
        ),
    )


_SERVICES = {"gateway": "gateways", "proxy": "proxies"}
_HOSTS = (("gateway", "XMPP gateway"), ("proxy", "XMPP proxy"))

LINKS: tuple[Link, ...] = (
    # What there is
    _unknown("pools_unknown", "home", ("topology",), when.pools_unknown),
    Link(
        "no_legacy_pool",
        "home",
        ("topology",),
        when.no_legacy_pool,
        "no Front End pool is of %s, and later releases have no XMPP gateway" % OLDER,
        "keep or install a legacy pool beside the later ones (coexistence), and home there who needs XMPP",
        NOTHING,
        "%s, a Front End pool and an Edge pool of the former release" % BUILDER,
    ),
    Link(
        "server_later",
        "home",
        ("topology",),
        when.server_later,
        "the server that answers is of %s" % LATER,
        "use a Front End of the legacy pool in sfb_management",
        "none by itself; its cmdlets for XMPP may be missing or may not be supported",
        "the inventory, group sfb_management",
        severity=WARNING,
    ),
    _unknown("edge_unknown", "route", ("topology",), when.edge_unknown),
    Link(
        "edge_without_xmpp",
        "route",
        ("topology",),
        when.edge_without_xmpp,
        "%(what)s",
        "enable it, publish the topology, and run the deployment wizard on each Front End server, then on each Edge",
        NOTHING,
        "%s, Edge pools, Edit Properties, Enable XMPP federation (port 5269)" % BUILDER,
        stops=True,
    ),
    _service("gateway", "not_installed"),
    _service("proxy", "not_installed"),
    _service("gateway", "stopped"),
    _service("proxy", "stopped"),
    *(
        _unknown("%s_unknown" % kind, "services", (_SERVICES[kind],), when.services_unknown(kind, name))
        for kind, name in _HOSTS
    ),
    # What it is set to
    _unknown("route_unknown", "route", ("store",), when.route_unknown),
    Link(
        "no_route",
        "route",
        ("store",),
        when.no_route,
        "no site has an XMPP federation route",
        "set one (sfb_xmpp_federation_routes), to an Edge pool that has XMPP%(named)s",
        NOTHING,
        _ROUTE,
        stops=True,
    ),
    Link(
        "route_elsewhere",
        "route",
        ("store",),
        when.route_elsewhere,
        "the XMPP federation route leads to %(targets)s, which has no XMPP",
        "lead it to an Edge pool that has%(named)s",
        NOTHING,
        _ROUTE,
        stops=True,
    ),
    Link(
        "two_routes",
        "route",
        ("store",),
        when.two_routes,
        "the XMPP federation routes lead to several Edge pools: %(targets)s",
        "let all sites use the same one",
        "partners reach only one of them by DNS, and what the other sends comes from another server",
        _ROUTE,
        ends=False,
    ),
    _unknown("access_edge_unknown", "access_edge", ("store",), when.access_edge_unknown),
    Link(
        "federation_off",
        "access_edge",
        ("store",),
        when.federation_off,
        "the Access Edge does not allow federated users",
        "set allow_federated_users in sfb_xmpp_access_edge; it opens SIP federation too",
        NOTHING,
        _CONTROL_PANEL + "Access Edge Configuration",
    ),
    _unknown("partners_unknown", "partner", ("store",), when.partners_unknown),
    Link(
        "partner_not_allowed",
        "partner",
        ("store", "pair"),
        when.partner_not_allowed,
        "%(domain)s is no allowed XMPP partner, nor an additional domain of one",
        "declare it in sfb_xmpp_partners",
        "no message is exchanged with %(domain)s",
        _CONTROL_PANEL + "XMPP Federated Partners",
    ),
    *_sip("allowed"),
    *_sip("blocked"),
    Link(
        "partner_unverified",
        "partner",
        ("store", "pair"),
        when.partner_unverified,
        "%(domain)s is allowed as public_unverified: what it sends reaches only those who have added the sender",
        "let the user add the contact, or change partner_type",
        "who has not added the sender gets nothing",
        _CONTROL_PANEL + "XMPP Federated Partners",
        severity=WARNING,
    ),
    Link(
        "row_invalid",
        "negotiation",
        ("row",),
        when.row("invalid"),
        "with %(row)s no stream can be authenticated: %(why)s",
        "%(remedy)s",
        "no message is exchanged with the partner",
        _CONTROL_PANEL + "XMPP Federated Partners",
    ),
    Link(
        "row_risky",
        "negotiation",
        ("row",),
        when.row("risky"),
        "%(row)s is risky: %(why)s",
        "%(remedy)s",
        "none, or no message with the partner",
        _CONTROL_PANEL + "XMPP Federated Partners",
        severity=WARNING,
    ),
    # Who uses it
    _unknown("user_unknown", "user", ("pair",), when.user_unknown),
    Link(
        "user_not_enabled",
        "user",
        ("pair",),
        when.user_not_enabled,
        "%(address)s is no user of the deployment, or is not enabled",
        "correct the address, or enable the user (Enable-CsUser)",
        "the user cannot sign in",
        "Control Panel, Users",
    ),
    _unknown("homes_unknown", "home", ("store",), when.homes_unknown),
    Link(
        "users_elsewhere",
        "home",
        ("store", "users"),
        when.users_elsewhere,
        "homed where there is no XMPP: %(users)s",
        "move them to a legacy Front End pool (Move-CsUser), or do without XMPP for them",
        "they have no XMPP, and nothing tells them so",
        "Control Panel, Users, Move selected users to pool",
    ),
    _unknown("policies_unknown", "policy", ("store",), when.policies_unknown),
    Link(
        "policy_without_xmpp",
        "policy",
        ("store", "pair"),
        when.policy_without_xmpp,
        "the policy in effect, %(policy)s, gives %(address)s no XMPP access",
        "grant a policy with enable_xmpp_access and enable_federation_access, or change this one",
        "the user has no XMPP",
        _POLICIES,
    ),
    Link(
        "policy_without_federation",
        "policy",
        ("store",),
        when.policy_without("enable_federation_access"),
        "%(policies)s: XMPP without federation access",
        "set enable_federation_access as well",
        "who has such a policy has no XMPP",
        _POLICIES,
    ),
    Link(
        "policy_without_outside",
        "policy",
        ("store",),
        when.policy_without("enable_outside_access"),
        "%(policies)s: XMPP without outside access",
        "set enable_outside_access as well if its users sign in from outside",
        "who has such a policy has XMPP in the internal network only",
        _POLICIES,
        severity=WARNING,
    ),
    _unknown("replicas_unknown", "replicas", ("topology",), when.replicas_unknown),
    Link(
        "replica_behind",
        "replicas",
        ("topology",),
        when.replica_behind,
        "the replica of %(replicas)s is not up to date",
        "wait some minutes; then check the service Replica Replicator Agent there, and port 4443 to an Edge; a push"
        " (sfb.xmpp.management_store_replication, push and replicas) starts a full copy",
        "what was written last is not in force there",
        "the server itself",
        severity=WARNING,
    ),
    Link(
        "unreadable",
        "account",
        ("store",),
        when.unreadable,
        "%(what)s",
        "compare the object with what the cmdlet shows on a server, and report its form",
        "it is not known whether what depends on this object holds",
        "the cmdlet, in the management shell",
        severity=UNKNOWN,
    ),
    # What is published, and who may write
    Link(
        "srv_missing",
        "published",
        ("topology", "domains"),
        when.srv_missing,
        "there is no record _xmpp-server._tcp of %(domains)s",
        "publish it, with the Access Edge (%(edges)s) as target and the port of XMPP, 5269",
        "partners do not find the gateway; nobody of the domain gets a message, and dialback fails",
        _DNS,
    ),
    Link(
        "srv_elsewhere",
        "published",
        ("domains",),
        when.srv_elsewhere,
        "the record _xmpp-server._tcp leads elsewhere than to the Access Edge: %(told)s",
        "correct its target, or the address of its target",
        "partners reach another server; nobody of the domain gets a message, and dialback fails",
        _DNS,
    ),
    Link(
        "srv_unknown",
        "published",
        ("domains",),
        when.srv_unknown,
        "the record _xmpp-server._tcp of %(domains)s cannot be seen from here: %(why)s",
        "give name servers that the controller reaches (nameservers in sfb_xmpp_verification)",
        _NOT_KNOWN,
        "the controller",
        severity=UNKNOWN,
    ),
    Link(
        RIGHTS,
        "account",
        ("rights",),
        when.rights,
        "%(what)s",
        "give the account the role %s" % ADMINISTRATOR,
        "none; converge refuses to begin",
        "Active Directory, the group %s" % ADMINISTRATOR,
        severity=WARNING,
    ),
    # The servers themselves
    Link(
        "certificate_missing",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "missing"),
        "no certificate is assigned to XmppServer on %(hosts)s",
        "assign one (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        _TLS,
        _WIZARD,
        of_rest="%s there; %s" % (_TLS, _ALONE),
    ),
    Link(
        "certificate_expired",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "over"),
        "the certificate of XmppServer is not valid now on %(hosts)s",
        "renew it (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        _TLS,
        _WIZARD,
        of_rest="%s there; %s" % (_TLS, _ALONE),
    ),
    Link(
        "certificate_invalid",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "invalid"),
        "the certificate of XmppServer proves nothing on %(hosts)s",
        "replace it (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        "partners that check certificates do not connect",
        _WIZARD,
        of_rest="partners that check certificates do not connect there; " + _ALONE,
    ),
    Link(
        "internal_certificate_expired",
        "internal",
        ("internal",),
        when.certificate(INTERNAL, "over"),
        "the internal certificate of the Edge is not valid now on %(hosts)s",
        "renew it (deployment wizard on the Edge, step 3)",
        _MTLS,
        _WIZARD,
    ),
    Link(
        "default_certificate_expired",
        "internal",
        ("defaults",),
        when.certificate(DEFAULT, "over"),
        "the default certificate of the Front End is not valid now on %(hosts)s",
        "renew it (deployment wizard on the Front End, step 3)",
        _MTLS,
        "the Front End server itself, deployment wizard, step 3 (Request, Install or Assign Certificates)",
    ),
    Link(
        "clock_apart",
        "certificate",
        ("servers",),
        when.clock_apart,
        "the clock is not the controller's on %(hosts)s",
        "synchronise it; an Edge in a workgroup has no domain controller to take the time from",
        "certificates are judged by a wrong time, the partners' and the own",
        "the server itself, the Windows Time service (w32tm), or the controller",
        severity=WARNING,
    ),
    Link(
        "certificate_unknown",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "unknown"),
        "which certificate XmppServer has is not observable on %(hosts)s",
        "look with an account that may read the computer's certificates",
        _NOT_KNOWN,
        "the Edge server itself",
        severity=UNKNOWN,
    ),
)
