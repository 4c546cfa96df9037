# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fill the deployment as right after the installation: sites, topology, users, defaults, first certificates.

The deployment has two sites with one pool each, one Edge pool of two servers, one SIP domain per region, and twenty
users. Another shape has other values. The topology allows XMPP. The rest of XMPP is not configured.
"""

from __future__ import annotations

import datetime
import functools
import secrets
import typing as t
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from . import replication
from .authority import Authority, common_name, rsa_key
from .hosts import hosts_of
from .shape import SETTING, SHAPE, EdgePool, Shape
from .store import CertificateRow, Store
from .topology import VERSIONS

SIP_DOMAINS = SHAPE.sip_domains
EDGE_POOL = SHAPE.pools[0].fqdn
ACCESS_EDGE = SHAPE.access_edge
DOMAIN_CONTROLLERS = SHAPE.domain_controllers

POLICY_DEFAULTS: dict[str, t.Any] = {
    "Description": None,
    "EnableFederationAccess": False,
    "EnableXmppAccess": False,
    "EnablePublicCloudAccess": False,
    "EnablePublicCloudAudioVideoAccess": False,
    "EnableOutsideAccess": False,
}
GATEWAY_DEFAULTS: dict[str, t.Any] = {
    "ConnectionLimit": 1000,
    "DialbackPassphrase": None,
    "EnableLoggingAllMessageBodies": False,
    "KeepAliveInterval": 300,
    "PartnerConnectionLimit": 20,
    "StreamEstablishmentTimeout": 60,
    "StreamInactivityTimeout": 600,
    "SubscriptionRefreshInterval": 28800,
}
ACCESS_EDGE_DEFAULTS: dict[str, t.Any] = {
    "AllowAnonymousUsers": False,
    "AllowFederatedUsers": False,
    "AllowOutsideUsers": True,
    "BeClearingHouse": False,
    "CertificatesDeletedPercentage": 20,
    "DefaultRouteFqdn": None,
    "DiscoveredPartnerReportPeriodMinutes": 60,
    "DiscoveredPartnerStandardRate": 20,
    "DiscoveredPartnerVerificationLevel": "UseSourceVerification",
    "DnsSrvCacheRecordCount": 131072,
    "EnableArchivingDisclaimer": False,
    "EnableDiscoveredPartnerContactsLimit": True,
    "EnablePartnerDiscovery": False,
    "EnableUserReplicator": False,
    "IsPublicProvider": False,
    "KeepCrlsUpToDateForPeers": True,
    "MarkSourceVerifiableOnOutgoingMessages": True,
    "MaxAcceptedCertificatesStored": 1000,
    "MaxContactsPerDiscoveredPartner": 1000,
    "MaxRejectedCertificatesStored": 500,
    "OutgoingTlsCountForFederatedPartners": 4,
    "RoutingMethod": "UseDnsSrvRouting",
    "SkypeSearchUrl": None,
    "VerificationLevel": "UseSourceVerification",
}

# given name, family name, alias, site
_PEOPLE = (
    ("Ines", "Almeida", "ialmeida", "Redmond"),
    ("Marcus", "Bell", "mbell", "Redmond"),
    ("Chiara", "Conti", "cconti", "Redmond"),
    ("Dmitri", "Dorsey", "ddorsey", "Redmond"),
    ("Esther", "Eaton", "eeaton", "Redmond"),
    ("Farid", "Farouk", "ffarouk", "Redmond"),
    ("Grace", "Gutierrez", "ggutierrez", "Redmond"),
    ("Hiro", "Hayashi", "hhayashi", "Redmond"),
    ("Iris", "Ibsen", "iibsen", "Redmond"),
    ("Jonas", "Jensen", "jjensen", "Redmond"),
    ("Padraig", "O'Brien", "pobrien", "Dublin"),
    ("Aoife", "Kelly", "akelly", "Dublin"),
    ("Liam", "Lynch", "llynch", "Dublin"),
    ("Maeve", "Murphy", "mmurphy", "Dublin"),
    ("Zoë", "Nölke", "znoelke", "Dublin"),
    ("Orla", "Quinn", "oquinn", "Dublin"),
    ("Rory", "Reid", "rreid", "Dublin"),
    ("Sam", "Taylor", "staylor", "Redmond"),
    ("Sam", "Taylor", "staylor2", "Dublin"),  # two users with the same name
    ("Tess", "Turner", "tturner-admin", "Redmond"),
)
# Each site has a group for the staff. Another group contains the groups of all sites.
_GROUP = "CN=%s Staff,OU=Groups,DC=contoso,DC=test"
ALL_STAFF = _GROUP % "All"
_PROTECTED = ("tturner-admin",)  # Active Directory protects this administrator's account (adminCount=1)

# Each service has a name, a display name without the product's name, dependencies on services, and usages of presented
# certificates. The XMPP services have these names only in the store. On the wire, the names have
# a suffix.
_Services = tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]
_EDGE_SERVICES: _Services = (
    ("REPLICA", "Replica Replicator Agent", (), ()),
    ("RTCCLSAGT", "Centralized Logging Service Agent", (), ()),
    ("RTCSRV", "Access Edge", (), ("AccessEdgeExternal", "Internal")),
    ("RTCDATAPROXY", "Web Conferencing Edge", (), ("DataEdgeExternal",)),
    ("RTCMRAUTH", "Audio/Video Authentication", (), ("AudioVideoAuthentication",)),
    ("RTCMEDIARELAY", "Audio/Video Edge", ("RTCMRAUTH",), ()),
    ("RTCXMPPTGWPROXY", "XMPP Translating Gateway Proxy", (), ("XmppServer",)),
)
_FRONT_END_SERVICES: _Services = (
    ("REPLICA", "Replica Replicator Agent", (), ()),
    ("RTCCLSAGT", "Centralized Logging Service Agent", (), ()),
    ("MASTER", "Master Replicator Agent", (), ()),
    ("FTA", "File Transfer Agent", (), ()),
    ("RTCSRV", "Front-End", (), ()),
    ("RTCIMMCU", "IM Conferencing", (), ()),
    ("RTCXMPPTGW", "XMPP Translating Gateway", ("RTCSRV",), ()),
)
_XMPP_SERVICES = {"RTCXMPPTGWPROXY": "EdgePart", "RTCXMPPTGW": "FrontEndPart"}
_DIRECTORIES = (
    "C:", "C:\\Windows", "C:\\Windows\\Temp", "C:\\Users", "C:\\Users\\Administrator",
    "C:\\Users\\Administrator\\AppData", "C:\\Users\\Administrator\\AppData\\Local",
    "C:\\Users\\Administrator\\AppData\\Local\\Temp", "C:\\ProgramData", "C:\\Temp",
)  # fmt: skip


def seed(store: Store, profile: str, shape: Shape = SHAPE) -> None:
    """Fill an empty store.

    profile: ``lync2013`` or ``sfb2015``.
    """
    with store.transaction():
        store.set_setting("profile", profile)
        # The names differ in each lab. So code that searches the services by name, not by display name, fails.
        store.set_setting("service_suffix", store.setting("service_suffix") or secrets.token_hex(2).upper())
        store.set_setting(SETTING, shape.as_text())
        store.set_setting("read_controller", shape.domain_controllers[0])
        store.put("policy", "Global", dict(POLICY_DEFAULTS))
        store.put("gateway", "Global", dict(GATEWAY_DEFAULTS))
        store.put("access_edge", "Global", dict(ACCESS_EDGE_DEFAULTS))
        _topology(store, profile, shape)
        _users(store, shape)
        for host in hosts_of(shape).values():
            _host(store, host.name, host.role, profile)
            for row, usages in initial_certificates(host.name, shape):
                store.put_certificate(row)
                for usage in usages:
                    store.assign(host.name, usage, row.thumbprint)
                    store.present(host.name, usage, row.thumbprint)


def _topology(store: Store, profile: str, shape: Shape) -> None:
    version = VERSIONS[profile]
    first = shape.pools[0]
    for number, domain in enumerate(shape.sip_domains):
        store.put("sip_domain", domain, {"Name": domain, "IsDefault": number == 0})
    for number, (site, pool) in enumerate(shape.sites.items(), 1):
        edge = "EdgeServer:%s" % first.fqdn if site == first.site else ""
        roles = ["Registrar", "UserServer", "ConferencingServer", "WebServer", "FileStore", "UserDatabase"]
        roles += ["CentralManagement", "CentralManagementDatabase"] if site == shape.home else []
        computers = _computers(shape, pool) or [pool]
        store.put("pool", pool, {"Site": site, "Computers": computers, "Roles": roles, "Number": number})
        store.put(
            "site",
            site,
            {"Description": None, "FederationRoute": edge, "XmppFederationRoute": edge, "Number": number},
        )
        for role in roles:
            store.put("service_role", "%s:%s" % (role, pool), {"Role": role, "Pool": pool, "Version": version})
        for fqdn in computers:
            store.put("computer", fqdn, {"Pool": pool})
            replication.install(store, fqdn)
    for number, edge_pool in enumerate(shape.pools, len(shape.sites) + 1):
        edges = _computers(shape, edge_pool.fqdn) or ["edge01." + edge_pool.fqdn]
        _edge_pool(store, shape, edge_pool, edges, number, version)
    for number, (site, fqdn) in enumerate(shape.branches.items(), len(shape.sites) + len(shape.pools) + 1):
        branch(store, shape, site, fqdn, number, version)


def branch(store: Store, shape: Shape, site: str, fqdn: str, number: int, version: str) -> None:
    """Add a branch site of the first site, with an appliance: branch-appliances."""
    roles = ["Registrar", "MediationServer"]
    store.put("pool", fqdn, {"Site": site, "Computers": [fqdn], "Roles": roles, "Number": number})
    body = {"Description": None, "FederationRoute": "", "XmppFederationRoute": "", "Number": number}
    store.put("site", site, {**body, "Parent": shape.home})
    for role in roles:
        store.put("service_role", "%s:%s" % (role, fqdn), {"Role": role, "Pool": fqdn, "Version": version})
    store.put("computer", fqdn, {"Pool": fqdn})
    replication.install(store, fqdn)


def _computers(shape: Shape, pool: str) -> list[str]:
    return [host.fqdn for host in hosts_of(shape).values() if host.pool == pool]


def _edge_pool(store: Store, shape: Shape, pool: EdgePool, edges: list[str], number: int, version: str) -> None:
    store.put("pool", pool.fqdn, {"Site": pool.site, "Computers": edges, "Roles": ["EdgeServer"], "Number": number})
    store.put(
        "service_role",
        "EdgeServer:%s" % pool.fqdn,
        {
            "Role": "EdgeServer",
            "Pool": pool.fqdn,
            "Version": version,
            "Edge": {
                "Registrar": "Registrar:%s" % shape.sites[pool.site],
                "AccessEdgeInternalSipPort": 5061,
                "AccessEdgeExternalSipPort": 5061,
                "AccessEdgeClientSipPort": 443,
                "DataPsomServerPort": 8057,
                "DataPsomClientPort": 443,
                "MediaRelayAuthEdgePort": 5062,
                "AccessEdgeExternalFqdn": pool.access_edge,
                "DataEdgeExternalFqdn": "webcon." + shape.domain,
                "AVEdgeExternalFqdn": "av." + shape.domain,
                "InternalInterfaceFqdn": pool.fqdn,
                "ExternalMrasFqdn": "av." + shape.domain,
                "XmppInternalPort": 23456,
                "XmppListeningPort": 5269,
                "SkypeSearchProxyPort": 4443,
            },
        },
    )
    for fqdn in edges:
        store.put("computer", fqdn, {"Pool": pool.fqdn})
        replication.install(store, fqdn)


def _users(store: Store, shape: Shape) -> None:
    if shape.users is not None:
        for number, user in enumerate(shape.users, 1):
            _user(store, shape, user, "user%d" % number)
        return
    names: set[str] = set()
    for given, family, alias, site in _PEOPLE:
        name = "%s %s" % (given, family)
        common_name = name if name not in names else "%s (%s)" % (name, site)
        names.add(name)
        # Distinguished names escape characters with a backslash (RFC 4514). No character above needs an escape.
        dn = "CN=%s,OU=%s,OU=Staff,DC=contoso,DC=test" % (common_name, site)
        domain = shape.sip_domains[0] if site == "Redmond" else shape.sip_domains[1]
        store.put(
            "user",
            dn,
            {
                "DisplayName": name,
                "FirstName": given,
                "LastName": family,
                "SamAccountName": alias,
                "UserPrincipalName": "%s@%s" % (alias, shape.domain),
                "SipAddress": "sip:%s@%s" % (alias, domain),
                "RegistrarPool": shape.sites[site],
                "Guid": str(uuid.uuid5(uuid.NAMESPACE_X500, dn)),
                "AdminCount": 1 if alias in _PROTECTED else 0,
                "Groups": [_GROUP % site],
            },
        )
        store.put("group", _GROUP % site, {"MemberOf": [ALL_STAFF]})
    store.put("group", ALL_STAFF, {"MemberOf": []})


def _user(store: Store, shape: Shape, given: t.Mapping[str, str], alias: str) -> None:
    """Add a user of another shape."""
    netbios, _slash, account = given.get("account", "").rpartition("\\")
    account = account or alias
    name = given.get("name") or account
    base = ",".join("DC=" + label for label in shape.domain.split("."))
    dn = given.get("dn") or "CN=%s,OU=Staff,%s" % (alias, base)
    upn = given.get("upn") or "%s@%s" % (account, shape.sip_domains[0])
    body = {
        "DisplayName": name,
        "FirstName": "",
        "LastName": name,
        "SamAccountName": account,
        "NetBIOS": netbios or shape.netbios,
        "UserPrincipalName": upn,
        "SipAddress": given.get("sip") or "sip:" + upn,
        "RegistrarPool": {**shape.sites, **shape.branches}[given.get("site") or shape.home],
        "Guid": str(uuid.uuid5(uuid.NAMESPACE_X500, dn)),
        "AdminCount": 0,
        "Groups": [given["group"]] if given.get("group") else [],
    }
    store.put("user", dn, body)


def _host(store: Store, name: str, role: str, profile: str) -> None:
    product = "Lync Server" if profile == "lync2013" else "Skype for Business Server"
    suffix = store.setting("service_suffix")
    for service, title, depends, usages in _EDGE_SERVICES if role == "edge" else _FRONT_END_SERVICES:
        body: dict[str, t.Any] = {
            "Name": "%s-%s" % (_XMPP_SERVICES[service], suffix) if service in _XMPP_SERVICES else service,
            "DisplayName": "%s %s" % (product, title),
            "Status": "Running",
            "DependsOn": list(depends),
            "Usages": list(usages),
        }
        if service == "RTCXMPPTGW":
            body["Routes"] = {site: each["XmppFederationRoute"] for site, each in store.all("site").items()}
        store.put("service", "%s/%s" % (name, service), body)
    for directory in _DIRECTORIES:
        store.put_file(name, directory, None)


def initial_certificates(host: str, shape: Shape = SHAPE) -> list[tuple[CertificateRow, tuple[str, ...]]]:
    """Return the certificates of a server after installation, each with the usages of the certificate."""
    own = hosts_of(shape)[host]
    if own.role == "edge":
        pool = next(one for one in shape.pools if one.fqdn == own.pool)
        names = (pool.access_edge, "webcon." + shape.domain, *("sip." + domain for domain in shape.sip_domains[1:]))
        issued = _issued((names, _EXTERNAL), ((pool.fqdn,), ("Internal",)))
    else:
        names = (own.pool, own.fqdn, *("sip." + domain for domain in shape.sip_domains))
        issued = _issued((tuple(dict.fromkeys(names)), _FRONT_END))
    rows = []
    for store, certificate, key, usages in issued:
        der = certificate.public_bytes(serialization.Encoding.DER)
        row = CertificateRow(host, store, thumbprint(certificate), der, key, key is not None, "")
        rows.append((row, usages))
    return rows


def thumbprint(certificate: x509.Certificate) -> str:
    """Return the SHA-1 digest, which Windows uses as the name of a certificate."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # Windows' name of a certificate


@functools.lru_cache(maxsize=1)
def _authority() -> Authority:
    return Authority(common_name("Contoso Lab Root CA", "Contoso"), rsa_key(), datetime.timedelta(days=3650))


# The setup wizard requests certificates for these usages. XmppServer has no certificate yet.
_EXTERNAL = ("AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication")
_FRONT_END = ("Default", "WebServicesInternal", "WebServicesExternal")


@functools.lru_cache
def _issued(
    *wanted: tuple[tuple[str, ...], tuple[str, ...]],
) -> tuple[tuple[str, x509.Certificate, bytes | None, tuple[str, ...]], ...]:
    """Create a private authority, and issue certificates from names and usages. Edges share a pool's certificate."""
    authority = _authority()
    issued: list[tuple[str, x509.Certificate, bytes | None, tuple[str, ...]]]
    issued = [("Root", authority.certificate, None, ())]
    for names, usages in wanted:
        key = rsa_key()
        subject = common_name(names[0], "Contoso")
        leaf = authority.issue(subject, key, [x509.DNSName(name) for name in names], datetime.timedelta(days=730))
        private = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )  # fmt: skip
        issued.append(("My", leaf, private, usages))
    return tuple(issued)
