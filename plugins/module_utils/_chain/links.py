# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the table of links on which a message depends, in the order of the documentation. Pure.

A link has one code, one severity and one text for all callers. Converge and preflight check a deployment, explain
checks one user and one partner, and audit checks everything. Findings of the probe are not in this table (_probe). A
finding whose code ends in ``_unknown`` is neither working nor broken. Such a finding never stops a run.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._base.findings import ERROR, UNKNOWN, WARNING
from .._federation.pools import LATER
from .._shell.rights import ADMINISTRATOR
from . import conditions as when
from . import edge_conditions as seen
from .conditions import OLDER, Condition
from .known import DEFAULT, INTERNAL, XMPP

# The values of ``group``, in the order in which explain shows them.
Group = t.Literal[
    "user", "home", "policy", "partner", "negotiation", "access_edge", "route", "services", "certificate", "internal",
    "replicas", "partner_server", "published", "account",
]  # fmt: skip

RIGHTS = "rights"
BUILDER = "Topology Builder"
NOTHING = "no user can exchange messages with any XMPP partner"
_NOT_KNOWN = "it is unknown whether this link works"
_CONTROL_PANEL = "Control Panel, Federation and External Access, "
_POLICIES = _CONTROL_PANEL + "External Access Policy"
_SIP_DOMAINS = _CONTROL_PANEL + "SIP Federated Domains"
_ROUTE = BUILDER + ", the site's properties, Federation route, Enable XMPP federation"
_DNS = "the public DNS zone of the SIP domain"
_WIZARD = "the Edge server itself, deployment wizard, step 3 (Request, Install or Assign Certificates)"
_TLS = "partners that require TLS cannot connect"
_ALONE = "the other servers do the work"
_MTLS = "no message passes between the XMPP gateway and the XMPP proxy, which use MTLS (port 23456)"


@dataclass(frozen=True)
class Link:
    """Describe one link.

    code: the code of the finding.
    group: the group of explain that shows the link.
    needs: the values that the condition needs (names of Known). If a value is None, the link is not checked.
    broken: the condition.
    message, remedy: texts with the values of the condition.
    effect: the effect on users.
    where: the place in the product.
    stops: whether additions have no use while the link is broken. A run then stops before the first write.
    ends: whether an error stops the messages between the user and the partner of explain.
    of_rest: the effect if other servers do the work. The finding is then a warning.
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
        "this account cannot find out %(what)s",
        "use an account that is offered %(cmdlet)s",
        _NOT_KNOWN,
        where or "the account's RBAC roles (Get-CsAdminRole)",
        severity=UNKNOWN,
    )


def _service(kind: t.Literal["gateway", "proxy"], state: t.Literal["not_installed", "stopped"]) -> Link:
    name, role = ("XMPP gateway", "Front End") if kind == "gateway" else ("XMPP proxy", "Edge")
    code, needs, where = "%s_%s" % (kind, state), (_SERVICES[kind],), "the %s server itself" % role
    if state == "not_installed":
        message = "%%(hosts)s has no %s service" % name
        remedy = "run the deployment wizard on this server, step 2 (Setup or Remove Components)"
        return Link(code, "services", needs, when.not_installed(kind), message, remedy, NOTHING, where)
    message = "the %s does not run on %%(hosts)s" % name
    remedy = "start the service (sfb.xmpp.xmpp_gateway_service, or Start-CsWindowsService)"
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
            "domains that are both XMPP partners and %s SIP domains: %%(domains)s" % word,
            "remove %%(it)s from the list of %s SIP domains, or from sfb_xmpp_partners" % word,
            "no message is exchanged with %(domains)s over XMPP",
            _SIP_DOMAINS,
        ),
    )


def _out_of_reach() -> tuple[Link, ...]:
    codes: tuple[t.Literal["edge_not_reachable", "edge_no_address"], ...] = ("edge_not_reachable", "edge_no_address")
    return tuple(
        Link(
            code,
            "partner_server",
            ("reach",),
            seen.out_of_reach(code),
            "%(what)s",
            "%(remedy)s",
            "no message is exchanged with %(domains)s",
            "the network between the Edge server and the partner",
        )
        for code in codes
    )


_SERVICES = {"gateway": "gateways", "proxy": "proxies"}
_HOSTS = (("gateway", "XMPP gateway"), ("proxy", "XMPP proxy"))

LINKS: tuple[Link, ...] = (
    # Pools, Edges and services
    _unknown("pools_unknown", "home", ("topology",), when.pools_unknown),
    Link(
        "no_legacy_pool",
        "home",
        ("topology",),
        when.no_legacy_pool,
        "there is no Front End pool of %s; later releases have no XMPP gateway" % OLDER,
        "keep or install a legacy pool beside the later pools (coexistence), and move the users who need XMPP to it",
        NOTHING,
        "%s, a Front End pool and an Edge pool of the earlier release" % BUILDER,
    ),
    Link(
        "server_later",
        "home",
        ("topology",),
        when.server_later,
        "the server of this session has %s" % LATER,
        "use a Front End of the legacy pool in sfb_management",
        "no effect on users; this server's cmdlets for XMPP can be missing or unsupported",
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
        "enable XMPP federation, publish the topology, and run the deployment wizard on each Front End server, then on"
        " each Edge",
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
    # Settings of the deployment
    _unknown("route_unknown", "route", ("store",), when.route_unknown),
    Link(
        "no_route",
        "route",
        ("store",),
        when.no_route,
        "no site has an XMPP federation route",
        "set a route (sfb_xmpp_federation_routes) to an Edge pool that has XMPP%(named)s",
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
        "set the route to an Edge pool that has XMPP%(named)s",
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
        "set the routes of all sites to the same Edge pool",
        "by DNS, partners reach only one of these pools; the other pools send from other servers",
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
        "set allow_federated_users in sfb_xmpp_access_edge to true; this also opens SIP federation",
        NOTHING,
        _CONTROL_PANEL + "Access Edge Configuration",
    ),
    _unknown("partners_unknown", "partner", ("store",), when.partners_unknown),
    Link(
        "partner_not_allowed",
        "partner",
        ("store", "pair"),
        when.partner_not_allowed,
        "%(domain)s is not an allowed XMPP partner or an additional domain of an allowed partner",
        "declare the domain in sfb_xmpp_partners",
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
        "%(domain)s is allowed as public_unverified: its messages reach only users who have added the sender",
        "ask the user to add the contact, or change partner_type",
        "users who have not added the sender get no message",
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
        "possibly no message is exchanged with the partner",
        _CONTROL_PANEL + "XMPP Federated Partners",
        severity=WARNING,
    ),
    # Users and policies
    _unknown("user_unknown", "user", ("pair",), when.user_unknown),
    Link(
        "user_not_enabled",
        "user",
        ("pair",),
        when.user_not_enabled,
        "%(address)s is not a user of the deployment, or is not enabled",
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
        "these users are homed on pools without XMPP: %(users)s",
        "move them to a legacy Front End pool (Move-CsUser), or accept that they have no XMPP",
        "these users have no XMPP and get no notice",
        "Control Panel, Users, Move selected users to pool",
    ),
    _unknown("policies_unknown", "policy", ("store",), when.policies_unknown),
    Link(
        "policy_without_xmpp",
        "policy",
        ("store", "pair"),
        when.policy_without_xmpp,
        "the policy in effect, %(policy)s, does not give %(address)s XMPP access",
        "grant a policy with enable_xmpp_access and enable_federation_access, or change this policy",
        "the user has no XMPP",
        _POLICIES,
    ),
    Link(
        "policy_without_federation",
        "policy",
        ("store",),
        when.policy_without("enable_federation_access"),
        "these policies give XMPP access without federation access: %(policies)s",
        "set enable_federation_access as well",
        "users with this policy have no XMPP",
        _POLICIES,
    ),
    Link(
        "policy_without_outside",
        "policy",
        ("store",),
        when.policy_without("enable_outside_access"),
        "these policies give XMPP access without outside access: %(policies)s",
        "set enable_outside_access as well if the users of the policy sign in from outside",
        "users with this policy have XMPP in the internal network only",
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
        "wait some minutes; then check the service Replica Replicator Agent on this server, and port 4443 to an Edge;"
        " then start a full copy (sfb.xmpp.management_store_replication)",
        "the last changes are not yet in effect on this server",
        "the server itself",
        severity=WARNING,
    ),
    Link(
        "unreadable",
        "account",
        ("store",),
        when.unreadable,
        "%(what)s",
        "compare the object with the output of the cmdlet on a server, and report the form of the object",
        "it is unknown whether the links that need this object work",
        "the cmdlet, in the management shell",
        severity=UNKNOWN,
    ),
    # DNS records and rights
    Link(
        "srv_missing",
        "published",
        ("topology", "domains"),
        when.srv_missing,
        "there is no record _xmpp-server._tcp of %(domains)s",
        "publish the record, with the Access Edge (%(edges)s) as target and port 5269 (XMPP)",
        "partners do not find the gateway; users of the domain get no messages, and dialback fails",
        _DNS,
    ),
    Link(
        "srv_elsewhere",
        "published",
        ("domains",),
        when.srv_elsewhere,
        "the record _xmpp-server._tcp does not lead to the Access Edge: %(told)s",
        "correct the target of the record, or the address of the target",
        "partners reach another server; users of the domain get no messages, and dialback fails",
        _DNS,
    ),
    Link(
        "srv_unknown",
        "published",
        ("domains",),
        when.srv_unknown,
        "the controller cannot read the record _xmpp-server._tcp of %(domains)s: %(why)s",
        "set name servers that the controller reaches (nameservers in sfb_xmpp_verification)",
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
        "no effect on users; converge refuses to start",
        "Active Directory, the group %s" % ADMINISTRATOR,
        severity=WARNING,
    ),
    # Certificates and clocks
    Link(
        "certificate_missing",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "missing"),
        "no certificate is assigned to XmppServer on %(hosts)s",
        "assign a certificate (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        _TLS,
        _WIZARD,
        of_rest="%s to these servers; %s" % (_TLS, _ALONE),
    ),
    Link(
        "certificate_expired",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "over"),
        "the certificate of XmppServer is not valid now on %(hosts)s",
        "renew the certificate (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        _TLS,
        _WIZARD,
        of_rest="%s to these servers; %s" % (_TLS, _ALONE),
    ),
    Link(
        "certificate_invalid",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "invalid"),
        "the certificate of XmppServer cannot be used on %(hosts)s",
        "replace the certificate (sfb_xmpp_certificate, sfb.xmpp.certificate)",
        "partners that check certificates cannot connect",
        _WIZARD,
        of_rest="partners that check certificates cannot connect to these servers; " + _ALONE,
    ),
    Link(
        "internal_certificate_expired",
        "internal",
        ("internal",),
        when.certificate(INTERNAL, "over"),
        "the internal certificate of the Edge is not valid now on %(hosts)s",
        "renew the certificate (deployment wizard on the Edge, step 3)",
        _MTLS,
        _WIZARD,
    ),
    Link(
        "default_certificate_expired",
        "internal",
        ("defaults",),
        when.certificate(DEFAULT, "over"),
        "the default certificate of the Front End is not valid now on %(hosts)s",
        "renew the certificate (deployment wizard on the Front End, step 3)",
        _MTLS,
        "the Front End server itself, deployment wizard, step 3 (Request, Install or Assign Certificates)",
    ),
    Link(
        "clock_apart",
        "certificate",
        ("servers",),
        when.clock_apart,
        "the clock of %(hosts)s differs from the controller's clock",
        "synchronise the clock; an Edge in a workgroup gets no time from a domain controller",
        "the server checks its own and the partners' certificates with a wrong time",
        "the server itself, the Windows Time service (w32tm), or the controller",
        severity=WARNING,
    ),
    Link(
        "certificate_unknown",
        "certificate",
        ("edges",),
        when.certificate(XMPP, "unknown"),
        "this account cannot read the certificate of XmppServer on %(hosts)s",
        "use an account that can read the computer's certificates",
        _NOT_KNOWN,
        "the Edge server itself",
        severity=UNKNOWN,
    ),
    # Test results of an Edge
    *_out_of_reach(),
    Link(
        "edge_view_unknown",
        "partner_server",
        ("views",),
        seen.view_unknown,
        "the results of the Edge for partners are not complete: %(what)s",
        "test the partners on the Edge itself (nslookup, telnet, netstat -ano), or raise edge_limit and edge_timeout in"
        " sfb_xmpp_verification",
        _NOT_KNOWN,
        "the Edge server itself",
        severity=UNKNOWN,
    ),
    Link(
        "edge_events",
        "services",
        ("views",),
        seen.logged,
        "the XMPP services logged errors or warnings on an Edge: %(what)s",
        "read the events in the Event Viewer of the Edge, Applications and Services Logs, Lync Server",
        "no known effect; the text of the event says what failed",
        "the Edge server itself, Event Viewer",
        severity=WARNING,
        ends=False,
    ),
)
