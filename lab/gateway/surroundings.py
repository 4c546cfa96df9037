# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gateway reads from the store, each time that it needs it, so that a change acts at once."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass

from cryptography import x509

from ..assumptions import rests_on
from ..deployment import replication
from ..deployment.hosts import HOSTS
from ..deployment.public_ca import ROOT_FILE
from ..deployment.seed import EDGE_POOL
from ..deployment.store import Document, Store, fold
from ..deployment.topology import home_problem, sites
from .negotiation import Row
from .rules import User

USAGE = "XmppServer"
GATEWAY_SERVICE = "RTCXMPPTGW"
EDGES = tuple(name for name, host in HOSTS.items() if host.role == "edge")


@dataclass(frozen=True)
class Partner:
    """An allowed partner. domain: as declared, in lower case; limit: None where it has none of its own."""

    domain: str
    row: Row
    type: str
    limit: int | None
    keep_alive: bool
    proxy: str


@dataclass(frozen=True)
class Settings:
    """The gateway's configuration; times in seconds."""

    connection_limit: int
    partner_connection_limit: int
    establishment_timeout: int
    inactivity_timeout: int
    keep_alive_interval: int
    log_bodies: bool


@dataclass(frozen=True)
class Identity:
    """A certificate with its private key (PKCS#8, DER) and the intermediates that its host knows."""

    certificate: x509.Certificate
    key: bytes
    chain: tuple[x509.Certificate, ...]


class Surroundings:
    """The deployment as the gateway sees it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def own(self, domain: str) -> bool:
        return self.store.get("sip_domain", domain) is not None

    def partner(self, domain: str) -> Partner | None:
        """The partner that a domain belongs to, by its own name or as an additional domain."""
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
        """Whether streams of a partner that has been removed live on."""
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

    def running(self, host: str) -> bool:
        """Whether the XMPP proxy of an Edge is running: the service that presents the certificate for XmppServer."""
        return any(
            service["Status"] == "Running" and USAGE in service["Usages"]
            for key, service in self.store.all("service").items()
            if key.startswith(host + "/")
        )

    def turn(self, host: str) -> str:
        return self.store.turn(host, USAGE)

    def obstacle(self, domain: str) -> str:
        """What keeps the federation with a partner's domain from working, its own settings aside; '' if nothing."""
        service = "EdgeServer:" + EDGE_POOL
        edge = self._configuration("service_role")[service]["Edge"]
        if edge["XmppListeningPort"] is None or edge["XmppInternalPort"] is None:
            return "XMPP federation is not enabled on the Edge pool %s" % EDGE_POOL
        routes = [str(site["XmppFederationRoute"] or "") for site in self._configuration("site").values()]
        rests_on("gateway-route")
        if not any(fold(route) == fold(service) for route in routes):
            return "no site has an XMPP federation route to %s" % EDGE_POOL
        front_end = self.store.get("service", "fe01/" + GATEWAY_SERVICE)
        if front_end is None or front_end["Status"] != "Running":
            rests_on("gateway-front-end-service")
            return "%s is not running on the Front End" % GATEWAY_SERVICE
        for kind, name in (("allowed_domain", "allowed"), ("blocked_domain", "blocked")):
            if fold(domain) in map(fold, self._configuration(kind)):
                rests_on("gateway-sip-lists")
                return "%s is on the list of %s domains of SIP federation" % (domain, name)
        return ""

    def identity(self, host: str) -> Identity | None:
        """What the XMPP proxy of an Edge presents, or None."""
        thumbprint = self.store.presented(host).get(USAGE)
        row = self.store.certificate(host, "My", thumbprint) if thumbprint else None
        if row is None or row.key is None:
            return None
        certificate = x509.load_der_x509_certificate(row.der)
        return Identity(certificate, row.key, _chain(certificate, self._certificates(host, "CA")))

    def anchors(self, host: str) -> list[x509.Certificate]:
        """The roots that an Edge trusts: its store, and the public ones."""
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
        """A local user by address (``name@domain``), with the policy in effect: his own, his site's, or the global.

        A grant counts as soon as one domain controller has it.
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
        """The configured passphrase, or one that the lab makes for itself."""
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
        """What the servers that carry XMPP know."""
        if self.store.setting("stale_configuration"):
            rests_on("gateway-stale-replica")
        return replication.configuration(self.store, kind, [host.fqdn for host in HOSTS.values()])

    def _certificates(self, host: str, store: str) -> list[x509.Certificate]:
        return [x509.load_der_x509_certificate(row.der) for row in self.store.certificates(host, store)]


def _sip(body: t.Mapping[str, t.Any]) -> str:
    return fold(str(body["SipAddress"]).removeprefix("sip:"))


def _chain(certificate: x509.Certificate, known: t.Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The issuers of a certificate among those known, nearest first."""
    chain: list[x509.Certificate] = []
    current = certificate
    while True:
        above = next((c for c in known if c.subject == current.issuer and c not in (current, *chain)), None)
        if above is None:
            return tuple(chain)
        chain.append(above)
        current = above
