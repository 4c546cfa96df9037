# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the store for the gateway, each time that a value is needed, so that a change takes effect at once."""

from __future__ import annotations

import datetime
import secrets
import typing as t
from dataclasses import dataclass

from cryptography import x509

from ..assumptions import rests_on
from ..deployment import replication
from ..deployment.hosts import HOSTS, Host
from ..deployment.public_ca import ROOT_FILE
from ..deployment.seed import EDGE_POOL
from ..deployment.shape import SHAPE
from ..deployment.store import Document, Store, fold, service_status
from ..deployment.topology import home_problem, sites
from .negotiation import Row
from .rules import User

USAGE, INTERNAL, DEFAULT = "XmppServer", "Internal", "Default"
GATEWAY_SERVICE = "RTCXMPPTGW"
EDGES = SHAPE.edges()
_FRONT_ENDS = tuple(host for host in HOSTS.values() if host.role == "management")


@dataclass(frozen=True)
class Partner:
    """Hold an allowed partner.

    domain: the domain as declared, in lower case.
    limit: the partner's own limit, or None.
    """

    domain: str
    row: Row
    type: str
    limit: int | None
    keep_alive: bool
    proxy: str


@dataclass(frozen=True)
class Settings:
    """Hold the gateway's configuration. Times are in seconds."""

    connection_limit: int
    partner_connection_limit: int
    establishment_timeout: int
    inactivity_timeout: int
    keep_alive_interval: int
    log_bodies: bool


@dataclass(frozen=True)
class Identity:
    """Hold a certificate with the private key (PKCS#8, DER) and the intermediates that the host knows."""

    certificate: x509.Certificate
    key: bytes
    chain: tuple[x509.Certificate, ...]


class Surroundings:
    """Read the deployment for the gateway."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def own(self, domain: str) -> bool:
        return self.store.get("sip_domain", domain) is not None

    def partner(self, domain: str) -> Partner | None:
        """Return the partner of a domain, by main domain or additional domain."""
        wanted = fold(domain)
        for name, body in self._configuration("partner").items():
            if wanted in (fold(name), *map(fold, body["AdditionalDomains"])):
                return Partner(
                    domain=fold(name),
                    row=Row(body["TlsNegotiation"], body["SaslNegotiation"], body["SupportDialbackNegotiation"]),
                    type=body["PartnerType"],
                    limit=body["ConnectionLimit"],
                    keep_alive=body["EnableKeepAlive"],
                    proxy=body["ProxyFqdn"] or "",
                )
        return None

    def streams_stay(self) -> bool:
        """Return whether streams of a removed partner continue."""
        rests_on("gateway-revoked-streams")
        return bool(self.store.setting("revoked_streams_stay"))

    def settings(self) -> Settings:
        body = self._configuration("gateway")["Global"]
        return Settings(
            connection_limit=body["ConnectionLimit"],
            partner_connection_limit=body["PartnerConnectionLimit"],
            establishment_timeout=body["StreamEstablishmentTimeout"],
            inactivity_timeout=body["StreamInactivityTimeout"],
            keep_alive_interval=body["KeepAliveInterval"],
            log_bodies=bool(body["EnableLoggingAllMessageBodies"]),
        )

    def only_tls12(self) -> bool:
        """Return whether TLS 1.0 and 1.1 are disabled on the Edges."""
        return bool(self.store.setting("only_tls12"))

    def running(self, host: str) -> bool:
        """Return whether the XMPP proxy of an Edge, which presents the certificate for XmppServer, is running."""
        return not self.off(host) and self._proxy(host) == "Running"

    def goes_on(self, host: str) -> bool:
        """Return whether the streams of a host continue. A Paused service keeps streams, but accepts none."""
        return not self.off(host) and self._proxy(host) in ("Running", "Paused")

    def _proxy(self, host: str) -> str:
        found = self.store.all("service").items()
        mine = [service for key, service in found if key.startswith(host + "/") and USAGE in service["Usages"]]
        return service_status(mine[0]) if mine else ""

    def off(self, host: str) -> bool:
        """Return whether a setting of the lab turns a machine off."""
        return bool(self.store.setting("hosts_down").get(host) == "off")

    def turn(self, host: str) -> str:
        return self.store.turn(host, USAGE)

    def routes(self) -> dict[str, str]:
        """Return the Edge pools (FQDN, lower case) that the sites' gateways send to; '' for a site without a route."""
        rests_on("gateway-route")
        sites = self._configuration("site")
        return {name: _pool(self._route(name, str(site["XmppFederationRoute"] or ""))) for name, site in sites.items()}

    def _route(self, site: str, configured: str) -> str:
        """Return the route that the gateways of a site use. One gateway that still uses the old route is enough."""
        if not self.store.setting("route_at_restart"):
            return configured
        own = SHAPE.sites.get(site, "")
        services = [self._gateway(host) for host in _gateways(own)]
        known = [str(s["Routes"].get(site) or "") for s in services if s is not None and "Routes" in s]
        return next((route for route in known if fold(route) != fold(configured)), configured)

    def carries(self, host: str) -> bool:
        """Return whether a site's route leads to the pool of an Edge."""
        return fold(HOSTS[host].pool) in self.routes().values()

    def pool_for(self, address: str) -> str:
        """Return the Edge pool (lower case) of a local user's messages.

        The user's site determines the pool. Otherwise, the first site with a route determines the pool. Without routes,
        the first Edge pool is used.
        """
        routes = self.routes()
        own = routes.get(sites(self.store).get(fold(self._home(address)), ""), "")
        return own or next(filter(None, routes.values()), fold(EDGE_POOL))

    def obstacle(self, domain: str, host: str = "", user: str = "") -> str:
        """Return the obstacle to federation with a domain, except for the partner's settings; '' for none.

        host: the Edge of a stream from the partner.
        user: the address of a local user who writes.

        Without host and user, any gateway is checked, and the Edge pool of the first route.
        """
        pool = fold(HOSTS[host].pool) if host else self.pool_for(user)
        service = next((s for name, s in self._configuration("service_role").items() if _pool(name) == pool), {})
        edge = service.get("Edge", {})
        if not edge.get("XmppListeningPort") or not edge.get("XmppInternalPort"):
            return "XMPP federation is not enabled on the Edge pool %s" % pool
        if pool not in self.routes().values():
            return "no site has an XMPP federation route to %s" % pool
        rests_on("gateway-next-hop")
        home = str(edge["Registrar"]).partition(":")[2] if host else self._home(user)
        gateways = _gateways(home) if host or user else _FRONT_ENDS
        running = [one for one in gateways if (self._gateway(one) or {}).get("Status") == "Running"]
        if not running:
            rests_on("gateway-front-end-service")
            return "%s is not running on the Front End" % GATEWAY_SERVICE
        if all(self._is_over(one.name, DEFAULT) for one in running):
            rests_on("gateway-mutual-tls")
            return "the default certificate of %s is not valid now" % ", ".join(one.name for one in running)
        edges = [host] if host else [name for name in EDGES if fold(HOSTS[name].pool) == pool]
        if edges and all(self._is_over(one, INTERNAL) for one in edges):
            rests_on("gateway-mutual-tls")
            return "the internal certificate of %s is not valid now" % ", ".join(edges)
        for kind, name in (("allowed_domain", "allowed"), ("blocked_domain", "blocked")):
            if fold(domain) in map(fold, self._configuration(kind)):
                rests_on("gateway-sip-lists")
                return "%s is on the list of %s domains of SIP federation" % (domain, name)
        return ""

    def _gateway(self, host: Host) -> Document | None:
        """Return the gateway's service on a Front End that is on."""
        return None if self.off(host.name) else self.store.get("service", "%s/%s" % (host.name, GATEWAY_SERVICE))

    def _is_over(self, host: str, usage: str) -> bool:
        """Return whether the certificate that a server shows to the other side of MTLS (TCP 23456) has expired."""
        thumbprint = self.store.assignments(host).get(usage)
        row = self.store.certificate(host, "My", thumbprint) if thumbprint else None
        now = datetime.datetime.now(datetime.timezone.utc)
        return row is not None and x509.load_der_x509_certificate(row.der).not_valid_after_utc < now

    def _home(self, address: str) -> str:
        """Return the pool of a local user."""
        found = (u["RegistrarPool"] for u in self.store.all("user").values() if _sip(u) == fold(address))
        return str(next(found, "") or "")

    def identity(self, host: str) -> Identity | None:
        """Return the certificate that the XMPP proxy of an Edge presents, or None."""
        thumbprint = self.store.presented(host).get(USAGE)
        row = self.store.certificate(host, "My", thumbprint) if thumbprint else None
        if row is None or row.key is None:
            return None
        certificate = x509.load_der_x509_certificate(row.der)
        return Identity(certificate, row.key, _chain(certificate, self._certificates(host, "CA")))

    def anchors(self, host: str) -> list[x509.Certificate]:
        """Return the roots that an Edge trusts: the roots in the store of the Edge, and the public roots."""
        rests_on("gateway-public-roots")
        roots = self._certificates(host, "Root")
        file = self.store.directory / ROOT_FILE
        if file.exists():
            roots += x509.load_pem_x509_certificates(file.read_bytes())
        return roots

    def intermediates(self, host: str) -> list[x509.Certificate]:
        return self._certificates(host, "CA")

    def federated_users(self) -> bool:
        return bool(self._configuration("access_edge")["Global"]["AllowFederatedUsers"])

    def user(self, address: str) -> User | None:
        """Return a local user by address (``name@domain``), with the policy in effect (own, site, or global).

        A grant takes effect as soon as one domain controller has the grant.
        """
        rests_on("gateway-policies-at-once")
        found = next(((d, u) for d, u in self.store.all("user").items() if _sip(u) == fold(address)), None)
        if found is None:
            return None
        dn, body = found
        policies = {fold(identity): (identity, policy) for identity, policy in self._configuration("policy").items()}
        site = "Site:%s" % sites(self.store).get(fold(body["RegistrarPool"] or ""), "")
        granted = self.store.grants().get(dn)
        name, policy = policies.get(fold(granted or site), (granted, {}) if granted else policies["global"])
        problem = home_problem(self._configuration("service_role"), body)
        rights = (bool(policy.get("EnableXmppAccess")), bool(policy.get("EnableFederationAccess")))
        return User(_sip(body), str(name), *rights, problem)

    def dialback_secret(self) -> str:
        """Return the configured passphrase, or a passphrase that the lab generates."""
        configured = self._configuration("gateway")["Global"]["DialbackPassphrase"]
        if configured:
            return str(configured)
        rests_on("gateway-dialback-secret")
        with self.store.transaction():
            if self.store.setting("dialback_secret") is None:
                self.store.set_setting("dialback_secret", secrets.token_hex(32))
            return str(self.store.setting("dialback_secret"))

    def nameserver(self) -> str:
        return str(self.store.setting("xmpp_nameserver") or "")

    def _configuration(self, kind: str) -> dict[str, Document]:
        """Return the configuration that the servers with XMPP know."""
        if self.store.setting("stale_configuration"):
            rests_on("gateway-stale-replica")
        return replication.configuration(self.store, kind, [host.fqdn for host in HOSTS.values()])

    def _certificates(self, host: str, store: str) -> list[x509.Certificate]:
        return [x509.load_der_x509_certificate(row.der) for row in self.store.certificates(host, store)]


def _pool(service: str) -> str:
    """Return the pool in an Edge service's identity, ``EdgeServer:FQDN``; '' for other identities."""
    role, _colon, pool = fold(service).partition(":")
    return pool if role == "edgeserver" else ""


def _gateways(pool: str) -> tuple[Host, ...]:
    """Return the Front Ends of a pool. Without Front Ends, return those of the first site."""
    own = tuple(host for host in _FRONT_ENDS if fold(host.pool) == fold(pool))
    return own or tuple(host for host in _FRONT_ENDS if fold(host.pool) == fold(SHAPE.sites[SHAPE.home]))


def _sip(body: t.Mapping[str, t.Any]) -> str:
    return fold(str(body["SipAddress"]).removeprefix("sip:"))


def _chain(certificate: x509.Certificate, known: t.Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the known issuers of a certificate, nearest first."""
    chain: list[x509.Certificate] = []
    current = certificate
    while True:
        above = next((c for c in known if c.subject == current.issuer and c not in (current, *chain)), None)
        if above is None:
            return tuple(chain)
        chain.append(above)
        current = above
