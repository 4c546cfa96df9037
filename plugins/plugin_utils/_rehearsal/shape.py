# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive the shape of a lab from an inventory (lab/deployment/shape.py): hosts, sites, pools, domains, users.

This code is pure.

Facts that only servers know are taken from the declared settings. So a misspelled site becomes a site of the lab.
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.names import Invalid, canonical_domain

Values = t.Mapping[str, t.Any]

_DOMAIN = "contoso.test"  # the domain of the lab's computers
_HOME = "Redmond"  # the site of a deployment without a known site


def make_shape(variables: t.Sequence[Values], management: int, edges: int, network: int) -> dict[str, t.Any]:
    """Return the shape for the declared settings of one deployment.

    variables: the variables of each host.
    management, edges: the number of hosts.
    network: the part of 127/8 for the hosts.
    """
    routes = [one for values in variables for one in _dicts(values.get("sfb_xmpp_federation_routes"))]
    policies = [one for values in variables for one in _dicts(values.get("sfb_xmpp_policies"))]
    sites = _sites(routes, policies)
    domains = _sip_domains(variables, policies)
    users = list({str(user): user for user in _users(policies, domains[0])}.values())
    # Every pool has a user, so that policies of sites and selectors have an effect.
    users += [{"sip": "sip:rehearsal-%d@%s" % (n, domains[0]), "site": site} for n, site in enumerate(sites, 1)]
    users += [{"sip": "sip:member-%d@%s" % (n, domains[0]), "group": one} for n, one in enumerate(_groups(policies), 1)]
    pools = dict.fromkeys(str(one["edge_pool"]) for one in routes if one.get("edge_pool"))
    shape: dict[str, t.Any] = {
        "hosts": [
            *_hosts("fe", "management", "127.1.%d" % network, max(management, 1)),
            *_hosts("edge", "edge", "127.2.%d" % network, max(edges, 1)),
        ],
        "sip_domains": domains,
        "sites": sites,
        "edge_pools": list(pools) or ["edge." + _DOMAIN],
        "access_edge": _access_edge(variables) or "sip." + domains[0],
        "users": users,
    }
    controllers = list(dict.fromkeys(filter(None, (v.get("sfb_xmpp_domain_controller") for v in variables))))
    if controllers:
        shape["domain_controllers"] = [str(name).rstrip(".") for name in controllers]
    return shape


def _hosts(name: str, role: str, network: str, count: int) -> t.Iterator[dict[str, str]]:
    for number in range(1, count + 1):
        yield {"name": "%s%02d" % (name, number), "role": role, "address": "%s.%d" % (network, number)}


def _dicts(value: t.Any) -> list[Values]:
    """Return the valid entries of a declared list. converge reports the invalid entries."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _sites(routes: t.Sequence[Values], policies: t.Sequence[Values]) -> dict[str, str]:
    """Return the sites with their pools. Sites with a route come first, because the first site has the Edge pool."""
    named = [str(one["site"]) for one in sorted(routes, key=lambda one: not one.get("edge_pool")) if one.get("site")]
    for policy in policies:
        identity = str(policy.get("identity") or "")
        if identity.lower().startswith("site:"):
            named.append(identity[5:])
    selectors = [one for one in (policy.get("granted_to") for policy in policies) if isinstance(one, dict)]
    named += [name for one in selectors for name in _texts(one.get("site"))]
    sites: dict[str, str] = {}
    for name in {name.lower(): name for name in reversed(named)}.values():
        sites = {name: "", **sites}
    pools = list(dict.fromkeys(name for one in selectors for name in _texts(one.get("pool"))))
    for name in sites or {_HOME: ""}:
        sites[name] = pools.pop(0) if pools else "pool%02d.%s" % (len(sites), name.lower().replace(" ", "-") + ".test")
    return {**sites, **{"Site of %s" % pool: pool for pool in pools}}


def _groups(policies: t.Sequence[Values]) -> list[str]:
    """Return the groups of the policies' grants."""
    return list(dict.fromkeys(name for one in policies for name in _texts(_dict(one.get("granted_to")).get("group"))))


def _texts(value: t.Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


def _sip_domains(variables: t.Sequence[Values], policies: t.Sequence[Values]) -> list[str]:
    found: dict[str, None] = {}
    for values in variables:
        for name in _texts(_dict(values.get("sfb_xmpp_verification")).get("own_domains")):
            found[_domain(name)] = None
        certificate = _dict(values.get("sfb_xmpp_certificate"))
        for name in (*_texts(certificate.get("sip_domains")), *_texts(certificate.get("xmpp_domains"))):
            found[_domain(name)] = None
        # The first name is the Access Edge. The list has each domain, and each domain's name with sip.
        names = [_domain(name) for name in _texts(certificate.get("names"))[1:]]
        found.update((name, None) for name in names if not name.startswith(("sip.", "webcon.", "av.", "*")))
    for user in (user for policy in policies for user in _texts(policy.get("granted_to"))):
        if user.lower().startswith("sip:") and "@" in user:
            found[_domain(user.rpartition("@")[2])] = None
    return list(filter(None, found)) or [_DOMAIN]


def _domain(name: str) -> str:
    """Return the domain as A-labels; empty if the text is not a domain. converge reports such a text."""
    try:
        return canonical_domain(name)
    except Invalid:
        return ""


def _dict(value: t.Any) -> Values:
    return value if isinstance(value, dict) else {}


def _access_edge(variables: t.Sequence[Values]) -> str:
    for values in variables:
        certificate = _dict(values.get("sfb_xmpp_certificate"))
        first = (_texts(certificate.get("names")) or [""])[0]
        verification = _dict(values.get("sfb_xmpp_verification"))
        name = verification.get("access_edge") or certificate.get("access_edge") or first
        if name and _domain(str(name)):
            return _domain(str(name))
    return ""


def _users(policies: t.Sequence[Values], domain: str) -> t.Iterator[dict[str, str]]:
    """Yield the named users, each user with the form of the user's name."""
    for user in (user for policy in policies for user in _texts(policy.get("granted_to"))):
        if user.lower().startswith("sip:"):
            yield {"sip": user, "upn": user[4:]}
        elif "\\" in user:
            yield {"account": user, "upn": "%s@%s" % (user.rpartition("\\")[2], domain)}
        elif "@" in user:
            yield {"upn": user}
        elif user.upper().startswith("CN="):
            yield {"dn": user}
        elif user.strip():
            yield {"name": user}
