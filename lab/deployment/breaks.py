# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break links of the federation in a running lab: ``python -m lab break NAME``. Repair links with ``mend NAME``.

Each break simulates a mistake in a real deployment. The store keeps the values from before the break, so that another
process can repair the link. Several breaks can be active at once. Breaks of different objects can be repaired in any
order.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ..errors import LabError
from . import replication
from .authority import Authority, common_name, rsa_key
from .hosts import DOMAIN, HOSTS, hosts_of
from .seed import ACCESS_EDGE, EDGE_POOL, thumbprint
from .shape import shape_in
from .store import CertificateRow, Document, Store, fold
from .topology import VERSION_2019

POOL_2019 = "fe19." + DOMAIN
EDGE_POOL_2019 = "edge19." + DOMAIN
SOMEBODY = ("ialmeida@contoso.test", "mbell@contoso.test")  # the affected users, if a break concerns users
PARTNER = "fabrikam.example"  # the affected partner, if the store has no partner
GATEWAY, PROXY = "RTCXMPPTGW", "RTCXMPPTGWPROXY"
XMPP, INTERNAL, DEFAULT = "XmppServer", "Internal", "Default"
_SETTING = "broken"
_EDGE = "EdgeServer:" + EDGE_POOL


class _Changes:
    """Change the store, and keep the values from before."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.undo: list[list[t.Any]] = []

    def put(self, kind: str, key: str, body: Document) -> None:
        self.undo.append(["document", kind, key, self.store.get(kind, key)])
        self.store.put(kind, key, body)

    def change(self, kind: str, key: str, **values: t.Any) -> None:
        body = self.store.get(kind, key)
        if body is None:
            raise LabError("the lab no longer has the %s '%s'. Reset the lab first" % (kind, key))
        self.put(kind, key, {**body, **values})

    def delete(self, kind: str, key: str) -> None:
        self.undo.append(["document", kind, key, self.store.get(kind, key)])
        self.store.delete(kind, key)

    def set(self, name: str, value: t.Any) -> None:
        self.undo.append(["setting", name, self.store.setting(name)])
        self.store.set_setting(name, value)

    def present(self, host: str, usage: str, thumbprint: str | None) -> None:
        self.undo.append(["presented", host, usage, self.store.presented(host).get(usage)])
        self.store.present(host, usage, thumbprint)

    # -- helpers for several breaks

    def stop(self, host: str, service: str) -> None:
        self.change("service", "%s/%s" % (host, service), Status="Stopped")
        if service == PROXY:
            self.present(host, XMPP, None)

    def add_pool_2019(self, fqdn: str, roles: t.Sequence[str], edge: Document | None = None) -> None:
        """Add a pool with one 2019 server to the first site, if the pool does not exist."""
        if self.store.get("pool", fqdn) is not None:
            return
        number = len(self.store.all("pool")) + 1
        self.put("pool", fqdn, {"Site": "Redmond", "Computers": [fqdn], "Roles": list(roles), "Number": number})
        for role in roles:
            body: Document = {"Role": role, "Pool": fqdn, "Version": VERSION_2019}
            self.put("service_role", "%s:%s" % (role, fqdn), body if edge is None else {**body, "Edge": edge})
        self.put("computer", fqdn, {"Pool": fqdn})
        self.undo.append(["document", "replica", fqdn, None])
        replication.install(self.store, fqdn)

    def partners(self) -> list[str]:
        return list(self.store.partners()) or [PARTNER]


def _coexistence(changes: _Changes) -> None:
    changes.add_pool_2019(POOL_2019, ("Registrar", "UserServer", "ConferencingServer", "WebServer"))


def _users_on_2019(changes: _Changes) -> None:
    _coexistence(changes)
    for dn in _users(changes.store, SOMEBODY):
        changes.change("user", dn, RegistrarPool=POOL_2019)


def _users_online(changes: _Changes) -> None:
    for dn in _users(changes.store, SOMEBODY):
        changes.change("user", dn, HostingProvider="sipfed.online.lync.com", RegistrarPool=None)


def _users_disabled(changes: _Changes) -> None:
    for dn in _users(changes.store, SOMEBODY):
        changes.change("user", dn, Enabled=False)


def _edge_without_xmpp(changes: _Changes) -> None:
    edge = (changes.store.get("service_role", _EDGE) or {})["Edge"]
    changes.change("service_role", _EDGE, Edge={**edge, "XmppListeningPort": None, "XmppInternalPort": None})


def _no_proxy(changes: _Changes) -> None:
    for host in shape_in(changes.store).edges():
        changes.delete("service", "%s/%s" % (host, PROXY))


def _proxy_stopped(changes: _Changes) -> None:
    for host in shape_in(changes.store).edges():
        changes.stop(host, PROXY)


def _no_route(changes: _Changes) -> None:
    for name in changes.store.all("site"):
        changes.change("site", name, XmppFederationRoute="")


def _route_elsewhere(changes: _Changes) -> None:
    edge = (changes.store.get("service_role", _EDGE) or {})["Edge"]
    other = {**edge, "XmppListeningPort": None, "XmppInternalPort": None, "InternalInterfaceFqdn": EDGE_POOL_2019}
    changes.add_pool_2019(EDGE_POOL_2019, ("EdgeServer",), other)
    for name in changes.store.all("site"):
        changes.change("site", name, XmppFederationRoute="EdgeServer:" + EDGE_POOL_2019)


def _no_legacy_pool(changes: _Changes) -> None:
    for identity in changes.store.all("service_role"):
        changes.change("service_role", identity, Version=VERSION_2019)
    changes.set("server_version", VERSION_2019)


def _stuck(fqdn: str) -> t.Callable[[_Changes], None]:
    def run(changes: _Changes) -> None:
        changes.set("replicas_stuck", [*changes.store.setting("replicas_stuck"), fqdn])
        frozen = replication.freeze(changes.store)
        changes.set("stale_configuration", {**changes.store.setting("stale_configuration"), fqdn: frozen})

    return run


def _policies(rights: t.Mapping[str, bool]) -> t.Callable[[_Changes], None]:
    """Change every policy that allows XMPP, or create a global policy that allows XMPP."""

    def run(changes: _Changes) -> None:
        found = [name for name, policy in changes.store.policies().items() if policy["EnableXmppAccess"]]
        for name in found or ["Global"]:
            changes.change("policy", name, EnableXmppAccess=True, **rights)

    return run


def _listed(kind: str, body: Document) -> t.Callable[[_Changes], None]:
    def run(changes: _Changes) -> None:
        for domain in changes.partners():
            changes.put(kind, domain, body)

    return run


def _expired(changes: _Changes, usage: str = XMPP, role: str = "edge") -> None:
    key = rsa_key()
    authority = Authority(common_name("Expired CA", "Contoso"), rsa_key(), datetime.timedelta(days=3650))
    names = [x509.DNSName(name) for name in (ACCESS_EDGE, DOMAIN)]
    age, lifetime = datetime.timedelta(days=91), datetime.timedelta(days=90)
    leaf = authority.issue(common_name(ACCESS_EDGE, "Contoso"), key, names, lifetime, age=age)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    hosts = [one.name for one in hosts_of(shape_in(changes.store)).values() if one.role == role]
    for host in hosts:
        der = leaf.public_bytes(serialization.Encoding.DER)
        changes.store.put_certificate(CertificateRow(host, "My", thumbprint(leaf), der, private, True, ""))
        changes.undo.append(["certificate", host, thumbprint(leaf)])
        _assign(changes, host, thumbprint(leaf), usage)


def _unassigned(changes: _Changes) -> None:
    for host in shape_in(changes.store).edges():
        _assign(changes, host, None)


def _assign(changes: _Changes, host: str, print_: str | None, usage: str = XMPP) -> None:
    changes.undo.append(["assigned", host, changes.store.assignments(host).get(usage), usage])
    _set_assignment(changes.store, host, print_, usage)
    if usage == XMPP:
        changes.present(host, usage, print_)


def _set_assignment(store: Store, host: str, print_: str | None, usage: str) -> None:
    if print_ is None:
        store.unassign(host, usage)
    else:
        store.assign(host, usage, print_)


def _users(store: Store, addresses: t.Collection[str]) -> list[str]:
    wanted = {fold("sip:" + address) for address in addresses}
    return [dn for dn, user in store.all("user").items() if fold(user["SipAddress"]) in wanted]


@dataclass(frozen=True)
class Break:
    """Hold one break of a link.

    blocks: whether no message can pass during the break.
    """

    text: str
    run: t.Callable[[_Changes], None]
    blocks: bool = True


_ALLOWED: Document = {"Comment": None, "MarkForMonitoring": False, "ProxyFqdn": None}
_BLOCKED: Document = {"Comment": None}
_BOTH = "of every partner (%s without partners)" % PARTNER

BREAKS: t.Mapping[str, Break] = {
    "coexistence": Break("a 2019 pool exists beside the legacy pools, and has no users", _coexistence, blocks=False),
    "no-legacy-pool": Break("every pool is of 2019", _no_legacy_pool),
    "users-on-2019": Break("%s are homed on a 2019 pool" % " and ".join(SOMEBODY), _users_on_2019),
    "users-online": Break("%s are homed online" % " and ".join(SOMEBODY), _users_online),
    "users-disabled": Break("%s are not enabled" % " and ".join(SOMEBODY), _users_disabled),
    "edge-without-xmpp": Break("XMPP federation is not enabled on the Edge pool", _edge_without_xmpp),
    "gateway-not-installed": Break(
        "the Front End has no XMPP gateway service", lambda b: b.delete("service", "fe01/" + GATEWAY)
    ),
    "proxy-not-installed": Break("the Edges have no XMPP proxy service", _no_proxy),
    "gateway-stopped": Break("the XMPP gateway service is stopped", lambda b: b.stop("fe01", GATEWAY)),
    "proxy-stopped": Break("the XMPP proxy is stopped on every Edge", _proxy_stopped),
    "no-route": Break("no site has a route for XMPP federation", _no_route),
    "route-to-2019": Break("the sites' XMPP routes lead to an Edge pool of 2019", _route_elsewhere),
    "federated-users-off": Break(
        "AllowFederatedUsers of the Access Edge is off",
        lambda b: b.change("access_edge", "Global", AllowFederatedUsers=False),
    ),
    "partner-allowed": Break("the domain %s is an allowed SIP domain" % _BOTH, _listed("allowed_domain", _ALLOWED)),
    "partner-blocked": Break("the domain %s is a blocked SIP domain" % _BOTH, _listed("blocked_domain", _BLOCKED)),
    "policy-without-federation": Break(
        "the policies that give XMPP do not give federation", _policies({"EnableFederationAccess": False})
    ),
    "policy-without-outside": Break(
        "the policies that give XMPP give no outside access",
        _policies({"EnableFederationAccess": True, "EnableOutsideAccess": False}),
        blocks=False,
    ),
    "stale-front-end": Break("the Front End's replica is stuck", _stuck(HOSTS["fe01"].fqdn), blocks=False),
    "stale-replica": Break("the replica of edge01 is stuck", _stuck(HOSTS["edge01"].fqdn), blocks=False),
    "late-replica": Break(
        "the replica of edge01 takes 8 s", lambda b: b.set("replicas_late", {HOSTS["edge01"].fqdn: 8.0}), blocks=False
    ),
    "srv-missing": Break(
        "no SRV record of the SIP domains is published", lambda b: b.set("own_records", "missing"), blocks=False
    ),
    "srv-elsewhere": Break(
        "the SRV records of the SIP domains lead to a former Edge",
        lambda b: b.set("own_records", "elsewhere"),
        blocks=False,
    ),
    "certificate-missing": Break("no certificate is assigned to XmppServer", _unassigned, blocks=False),
    "certificate-expired": Break("the Edges' certificate for XMPP has expired", _expired, blocks=False),
    "internal-certificate-expired": Break(
        "the Edges' internal certificate has expired", lambda b: _expired(b, INTERNAL)
    ),
    "default-certificate-expired": Break(
        "the Front Ends' default certificate has expired", lambda b: _expired(b, DEFAULT, "management")
    ),
    "clock-ahead": Break(
        "the servers' clocks are ten minutes ahead", lambda b: b.set("clock_ahead", 600.0), blocks=False
    ),
    "set-site-missing": Break(
        "the remote shell does not offer Set-CsSite", lambda b: b.set("cmdlets_hidden", ["Set-CsSite"]), blocks=False
    ),
    "only-reading": Break(
        "the remote shell offers no cmdlets that write, as for a view-only role",
        lambda b: b.set("cmdlets_hidden", ["New-Cs*", "Set-Cs*", "Remove-Cs*", "Grant-Cs*"]),
        blocks=False,
    ),
}


def broken(store: Store) -> list[str]:
    """Return the names of the active breaks."""
    return list(store.setting(_SETTING) or {})


def break_link(store: Store, name: str) -> None:
    """Break one link. Raises LabError for an unknown name, or if the link is already broken."""
    if name not in BREAKS:
        raise LabError("the lab cannot break '%s'. Use one of: %s" % (name, ", ".join(BREAKS)))
    if name in broken(store):
        raise LabError("%s is already broken. Mend it first" % name)
    with store.transaction():
        changes = _Changes(store)
        BREAKS[name].run(changes)
        # Convert to JSON and back, as the store does. So an error appears now, and not during the repair of the link.
        store.set_setting(_SETTING, {**(store.setting(_SETTING) or {}), name: json.loads(json.dumps(changes.undo))})


def mend(store: Store, name: str | None = None) -> None:
    """Restore the values from before a break. Without a name, mend all breaks, the last first. Raises LabError."""
    kept = dict(store.setting(_SETTING) or {})
    if name is not None and name not in kept:
        raise LabError("%s is not broken" % name)
    with store.transaction():
        for each in reversed(kept) if name is None else [name]:
            for entry in reversed(kept[each]):
                _put_back(store, *entry)
        left = {} if name is None else {other: undo for other, undo in kept.items() if other != name}
        store.set_setting(_SETTING, left)


def _put_back(store: Store, what: str, *entry: t.Any) -> None:
    if what == "document":
        kind, key, body = entry
        if body is None:
            store.delete(kind, key)
        else:
            store.put(kind, key, body)
    elif what == "setting":
        store.set_setting(*entry)
    elif what == "presented":
        store.present(*entry)
    elif what == "assigned":
        _set_assignment(store, *entry)
    else:
        host, print_ = entry
        store.delete_certificate(host, "My", print_)
