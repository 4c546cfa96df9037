# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in an inventory, and every text that is said of each: a table for test_declared."""

from __future__ import annotations

import typing as t

FABRIKAM = {"domain": "fabrikam.com"}
SELECTORS = "write a list of users, or one of {pool: FQDN}, {site: NAME} and {group: DN}"
GROUP = "the distinguished name of a group; write it as in CN=XMPP Users,OU=Groups,DC=contoso,DC=com"


def partner(**options: t.Any) -> dict[str, t.Any]:
    """An inventory with one partner."""
    return {"partners": [{**FABRIKAM, **options}]}


def policies(*items: t.Any) -> dict[str, t.Any]:
    return {"policies": list(items)}


# What is wrong with one partner.
PARTNER_MISTAKES: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"tls_negotiation": True}, "tls_negotiation: true is none of required, optional, not_supported"),
    ({"tls": True}, "tls: there is no such option (did you mean tls_negotiation?)"),
    (
        {"tls_negotiation": "Required"},
        ("tls_negotiation: 'Required' is none of required, optional, not_supported (did you mean required?)"),
    ),
    ({"tls_negotiation": ["required"]}, "tls_negotiation: a list is none of required, optional, not_supported"),
    ({"tls_negotiation": 5}, "tls_negotiation: 5 is none of required, optional, not_supported"),
    ({"tls_negotiation": ""}, "tls_negotiation: '' is none of required, optional, not_supported"),
    (
        {"partner_type": "federate"},
        ("partner_type: 'federate' is none of federated, public_verified, public_unverified (did you mean federated?)"),
    ),
    ({"sasl_negotiation": {"a": 1}}, "sasl_negotiation: a dictionary is none of required, optional, not_supported"),
    ({"support_dialback_negotiation": "maybe"}, "support_dialback_negotiation: 'maybe' is neither true nor false"),
    ({"support_dialback_negotiation": 2}, "support_dialback_negotiation: 2 is neither true nor false"),
    ({"support_dialback_negotiation": [True]}, "support_dialback_negotiation: a list is neither true nor false"),
    ({"enable_keep_alive": ""}, "enable_keep_alive: '' is neither true nor false"),
    ({"connection_limit": "many"}, "connection_limit: 'many' is not a whole number"),
    ({"connection_limit": -1}, "connection_limit: -1 is outside 0 to 4294967295"),
    ({"connection_limit": 4294967296}, "connection_limit: 4294967296 is outside 0 to 4294967295"),
    ({"connection_limit": True}, "connection_limit: true is not a whole number"),
    ({"connection_limit": 1.5}, "connection_limit: 1.5 is not a whole number"),
    ({"connection_limit": [5]}, "connection_limit: a list is not a whole number"),
    (
        {"additional_domains": "a.test b.test"},
        "additional_domains: 'a.test b.test' contains spaces. Write only the domain, as in 'fabrikam.com'",
    ),
    ({"additional_domains": {"a": "b"}}, "additional_domains: a dictionary is no list of domains"),
    ({"additional_domains": ["*.a.test"]}, "additional_domains: '*.a.test' is a wildcard. List each domain by name"),
    (
        {"additional_domains": ["ok.test", ""]},
        "additional_domains: entry 1 is empty. Write a domain such as 'fabrikam.com'",
    ),
    ({"additional_domains": [None]}, "additional_domains: entry 0: an empty value is no domain name"),
    ({"additional_domains": 5}, "additional_domains: 5 is no list of domains"),
    ({"additional_domains": [{"domain": "x.test"}]}, "additional_domains: entry 0: a dictionary is no domain name"),
    (
        {"additional_domains": [5]},
        "additional_domains: '5' has a single label. Write the whole domain, as in 'fabrikam.com'",
    ),
    ({"description": ["a"]}, "description: a list is no text"),
    ({"description": {"a": 1}}, "description: a dictionary is no text"),
    ({"description": 45045}, "description: YAML reads the value as a number, 45045; put the text in quotes"),
    ({"description": "x\x07y"}, "description: 'x\\x07y' has the control character U+0007. Remove it"),
    (
        {"description": "x\u202ey"},
        "description: 'x\\u202ey' has the bidirectional character U+202E. Remove it",
    ),
    ({"description": "x" * 1025}, "description: has 1025 characters. At most 1024 are allowed"),
    ({"proxy_fqdn": "proxy"}, "proxy_fqdn: 'proxy' has a single label. Write the whole domain, as in 'fabrikam.com'"),
    ({"proxy_fqdn": ["p.test"]}, "proxy_fqdn: a list is no domain name"),
    ({"proxy_fqdn": False}, "proxy_fqdn: false is no domain name"),
    ({"state": "absent"}, "state: there is no such option"),
    ({"dns_name": "x"}, "dns_name: there is no such option"),
    (
        {"additional_domains": ["fabrikam.com"]},
        "additional_domains: 'fabrikam.com' is the partner's own domain; leave it out",
    ),
)

# What stands in the inventory, and every text that is said of it.
MISTAKES: tuple[tuple[dict[str, t.Any], list[str]], ...] = (
    *((partner(**options), ["sfb_xmpp_partners[0] (fabrikam.com): " + text]) for options, text in PARTNER_MISTAKES),
    (
        {
            "partners": [
                FABRIKAM,
                {"domain": "b.test"},
                {"domain": "c.test"},
                {"domain": "fabrikam.de", "tls_negotiation": "requird"},
            ]
        },
        [
            (
                "sfb_xmpp_partners[3] (fabrikam.de): tls_negotiation: 'requird' is none of "
                "required, optional, not_supported (did you mean required?)"
            )
        ],
    ),
    (
        {"partners": [{5: 1, "domain": "fabrikam.com"}]},
        ["sfb_xmpp_partners[0] (fabrikam.com): 5: there is no such option"],
    ),
    (
        {"partners": [{"tls_negotiation": "required"}]},
        ["sfb_xmpp_partners[0]: domain is missing; it names the partner"],
    ),
    (
        {"partners": [{"domian": "fabrikam.com"}]},
        [
            "sfb_xmpp_partners[0]: domain is missing; it names the partner",
            "sfb_xmpp_partners[0]: domian: there is no such option (did you mean domain?)",
        ],
    ),
    ({"partners": [{"domain": ""}]}, ["sfb_xmpp_partners[0]: domain is empty; it names the partner"]),
    ({"partners": [{"domain": None}]}, ["sfb_xmpp_partners[0]: domain is empty; it names the partner"]),
    ({"partners": [{"domain": ["a.test"]}]}, ["sfb_xmpp_partners[0]: domain: a list is no text"]),
    (
        {"policies": [{"identity": 8}]},
        ["sfb_xmpp_policies[0]: identity: YAML reads the value as a number, 8; put the text in quotes"],
    ),
    ({"partners": [{"domain": True}]}, ["sfb_xmpp_partners[0]: domain: true is no text"]),
    (
        {"partners": [{"domain": 5}]},
        [("sfb_xmpp_partners[0]: domain '5' has a single label. Write the whole domain, as in 'fabrikam.com'")],
    ),
    (
        {"partners": [{"domain": "*.a.test"}]},
        ["sfb_xmpp_partners[0]: domain '*.a.test' is a wildcard. List each domain by name"],
    ),
    (
        {"partners": [{"domain": "192.0.2.1"}]},
        [
            (
                "sfb_xmpp_partners[0]: domain '192.0.2.1' is an IP address. Write the partner's domain,"
                " as in 'fabrikam.com'"
            )
        ],
    ),
    (
        {"partners": [{"domain": "fabrikam"}]},
        [("sfb_xmpp_partners[0]: domain 'fabrikam' has a single label. Write the whole domain, as in 'fabrikam.com'")],
    ),
    (
        {"partners": [{"domain": "sip:x@a.test"}]},
        [("sfb_xmpp_partners[0]: domain 'sip:x@a.test' is an address. Write only the domain, as in 'fabrikam.com'")],
    ),
    (
        {"partners": ["fabrikam.com"]},
        [
            (
                "sfb_xmpp_partners[0]: 'fabrikam.com' is not a partner; write '- domain: "
                "fabrikam.com', with its options below"
            )
        ],
    ),
    ({"partners": [5]}, ["sfb_xmpp_partners[0]: 5 is not a partner; write '- domain: ...', with its options below"]),
    (
        {"partners": [None]},
        [("sfb_xmpp_partners[0]: an empty value is not a partner; write '- domain: ...', with its options below")],
    ),
    (
        {"partners": [["a"]]},
        ["sfb_xmpp_partners[0]: a list is not a partner; write '- domain: ...', with its options below"],
    ),
    (
        {"partners": "fabrikam.com"},
        [("sfb_xmpp_partners: 'fabrikam.com' is no list; write each partner as an entry that begins with '- domain:'")],
    ),
    (
        {"partners": FABRIKAM},
        [("sfb_xmpp_partners: a dictionary is no list; write each partner as an entry that begins with '- domain:'")],
    ),
    ({"partners": 5}, ["sfb_xmpp_partners: 5 is no list; write each partner as an entry that begins with '- domain:'"]),
    (
        {"partners": True},
        [("sfb_xmpp_partners: true is no list; write each partner as an entry that begins with '- domain:'")],
    ),
    (
        {"partners": ""},
        ["sfb_xmpp_partners: '' is no list; write each partner as an entry that begins with '- domain:'"],
    ),
    (
        {"partners": [FABRIKAM, {"domain": "Fabrikam.COM."}]},
        ["sfb_xmpp_partners[0] and sfb_xmpp_partners[1] both name 'fabrikam.com'; keep one of them"],
    ),
    (
        {"partners": [FABRIKAM, {"domain": "b.test", "additional_domains": ["fabrikam.com"]}]},
        [
            (
                "sfb_xmpp_partners[1] (b.test): additional_domains: 'fabrikam.com' is a partner "
                "of its own, sfb_xmpp_partners[0]; a domain belongs to one"
            )
        ],
    ),
    (
        {"gateway": [{"connection_limit": 5}]},
        [("sfb_xmpp_gateway: a list is no dictionary; write its options below it, as in 'connection_limit: ...'")],
    ),
    (
        {"gateway": "x"},
        [("sfb_xmpp_gateway: 'x' is no dictionary; write its options below it, as in 'connection_limit: ...'")],
    ),
    (
        {"gateway": {"conection_limit": 5}},
        ["sfb_xmpp_gateway: conection_limit: there is no such option (did you mean connection_limit?)"],
    ),
    ({"gateway": {"connection_limit": "x"}}, ["sfb_xmpp_gateway: connection_limit: 'x' is not a whole number"]),
    ({"gateway": {"domain": "x"}}, ["sfb_xmpp_gateway: domain: there is no such option"]),
    (
        {"gateway": 5},
        [("sfb_xmpp_gateway: 5 is no dictionary; write its options below it, as in 'connection_limit: ...'")],
    ),
    (
        {"access_edge": {"allow_federated_users": "maybe"}},
        ["sfb_xmpp_access_edge: allow_federated_users: 'maybe' is neither true nor false"],
    ),
    (
        {"access_edge": True},
        [
            (
                "sfb_xmpp_access_edge: true is no dictionary; write its options below it, as in "
                "'allow_anonymous_users: ...'"
            )
        ],
    ),
    (
        {"access_edge": {"AllowFederatedUsers": True}},
        [("sfb_xmpp_access_edge: AllowFederatedUsers: there is no such option (did you mean allow_federated_users?)")],
    ),
    (
        policies({"identity": "service:x"}),
        [
            (
                "sfb_xmpp_policies[0]: identity 'service:x' has the scope 'service'. Write "
                "'global', 'site:NAME' or a policy's name"
            )
        ],
    ),
    (
        policies({"identity": "a*"}),
        [
            (
                "sfb_xmpp_policies[0]: identity 'a*' is not a policy's name. Do not use * ? [ ] : / "
                "\\ or control characters"
            )
        ],
    ),
    (
        policies({"name": "x"}),
        [
            "sfb_xmpp_policies[0]: identity is missing; it names the policy",
            "sfb_xmpp_policies[0]: name: there is no such option",
        ],
    ),
    (
        policies("XMPP Users"),
        [
            (
                "sfb_xmpp_policies[0]: 'XMPP Users' is not a policy; write '- identity: XMPP "
                "Users', with its options below"
            )
        ],
    ),
    (
        policies({"identity": "tag:global"}),
        [
            (
                "sfb_xmpp_policies[0]: identity 'tag:global' is a per-user policy with the name "
                "global, which the product does not allow"
            )
        ],
    ),
    (policies({"identity": " x"}), ["sfb_xmpp_policies[0]: identity ' x' is empty, or begins or ends with a space"]),
    (
        policies({"identity": "x", "granted": ["a@b"]}),
        ["sfb_xmpp_policies[0] (x): granted: there is no such option (did you mean granted_to?)"],
    ),
    (
        policies({"identity": "x", "granted_to": "sip:a@b.test"}),
        [
            (
                "sfb_xmpp_policies[0] (x): granted_to: 'sip:a@b.test' is no list of users; write "
                "'- sip:user@example.com' for each"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": ["sip:*@b.test"]}),
        [
            (
                "sfb_xmpp_policies[0] (x): granted_to[0]: 'sip:*@b.test' is not one user; write "
                "an address, without wildcards"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": [5, "", None, {"a": 1}]}),
        [
            ("sfb_xmpp_policies[0] (x): granted_to[0]: 5 is not one user; write an address, without wildcards"),
            ("sfb_xmpp_policies[0] (x): granted_to[1]: '' is not one user; write an address, without wildcards"),
            (
                "sfb_xmpp_policies[0] (x): granted_to[2]: an empty value is not one user; write "
                "an address, without wildcards"
            ),
            (
                "sfb_xmpp_policies[0] (x): granted_to[3]: a dictionary is not one user; write an "
                "address, without wildcards"
            ),
        ],
    ),
    (
        policies(
            {"identity": "x", "granted_to": {"user": "a"}},
            {"identity": "y", "granted_to": {"pool": "fe01.test", "site": "R"}},
            {"identity": "z", "granted_to": {}},
            {"identity": "v", "granted_to": {"pool": ["fe01.test"]}},
            {"identity": "w", "granted_to": {"site": "global:R"}},
        ),
        [
            "sfb_xmpp_policies[0] (x): granted_to: is chosen by user; " + SELECTORS,
            "sfb_xmpp_policies[1] (y): granted_to: is chosen by pool and site; " + SELECTORS,
            "sfb_xmpp_policies[2] (z): granted_to: is chosen by nothing; " + SELECTORS,
            "sfb_xmpp_policies[3] (v): granted_to: pool: a list is no name",
            "sfb_xmpp_policies[4] (w): granted_to: site: 'global:R' is no site's name; write it as Get-CsSite shows it,"
            " without 'Site:'",
        ],
    ),
    (
        policies(
            {"identity": "x", "granted_to": {"group": "XMPP Users"}},
            {"identity": "y", "granted_to": {"group": ["CN=a,DC=b"], "nested": "deep"}},
            {"identity": "z", "granted_to": {"nested": True}},
            {"identity": "v", "granted_to": {"group": "CN=a,DC=b", "site": "R"}},
            {"identity": "w", "granted_to": {"group": "CN=a\u200b,DC=b"}},
            {"identity": "u", "granted_to": {"group": "CN=a\\,DC=b"}},
        ),
        [
            "sfb_xmpp_policies[0] (x): granted_to: group: 'XMPP Users' is not " + GROUP,
            "sfb_xmpp_policies[1] (y): granted_to: group: a list is not " + GROUP,
            "sfb_xmpp_policies[1] (y): granted_to: nested: 'deep' is neither true nor false",
            "sfb_xmpp_policies[2] (z): granted_to: is chosen by nested; " + SELECTORS,
            "sfb_xmpp_policies[3] (v): granted_to: is chosen by group and site; " + SELECTORS,
            "sfb_xmpp_policies[4] (w): granted_to: group: 'CN=a\\u200b,DC=b' has the invisible character U+200B."
            " Remove it",
            "sfb_xmpp_policies[5] (u): granted_to: group: 'CN=a\\\\,DC=b' is not " + GROUP,
        ],
    ),
    (
        policies({"identity": "site:R", "granted_to": ["sip:a@b.test"]}),
        [("sfb_xmpp_policies[0] (site:R): granted_to: this policy acts on its own; only a per-user policy is granted")],
    ),
    (
        policies({"identity": "global", "granted_to": ["sip:a@b.test"]}),
        [("sfb_xmpp_policies[0] (global): granted_to: this policy acts on its own; only a per-user policy is granted")],
    ),
    (
        policies({"identity": "global", "granted_to": "x"}),
        [("sfb_xmpp_policies[0] (global): granted_to: this policy acts on its own; only a per-user policy is granted")],
    ),
    (
        policies({"identity": "x", "granted_to": ["sip:a@b.test"]}, {"identity": "y", "granted_to": ["SIP:A@b.test"]}),
        [
            (
                "'SIP:A@b.test' is named in granted_to of sfb_xmpp_policies[0] (x) and of "
                "sfb_xmpp_policies[1] (y); a user has exactly one policy"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": ["sip:a@b.test"]}, {"identity": "y", "granted_to": ["A@b.test"]}),
        [
            (
                "'A@b.test' is named in granted_to of sfb_xmpp_policies[0] (x) and of "
                "sfb_xmpp_policies[1] (y); a user has exactly one policy"
            )
        ],
    ),
    (
        {"policies": {"x": {"enable_xmpp_access": True}}},
        [("sfb_xmpp_policies: a dictionary is no list; write each policy as an entry that begins with '- identity:'")],
    ),
    (
        {"federation_routes": [{"site": "A:b"}]},
        [
            (
                "sfb_xmpp_federation_routes[0]: site 'A:b' is no site's name; write it as "
                "Get-CsSite shows it, without 'Site:'"
            )
        ],
    ),
    (
        {"federation_routes": [{"edge_pool": "x.test"}]},
        ["sfb_xmpp_federation_routes[0]: site is missing; it names the route"],
    ),
    (
        {"federation_routes": ["A"]},
        ["sfb_xmpp_federation_routes[0]: 'A' is not a route; write '- site: A', with its options below"],
    ),
    (
        {"federation_routes": [{"site": "A", "edge_pool": "x"}]},
        [
            (
                "sfb_xmpp_federation_routes[0] (A): edge_pool: 'x' has a single label. Write the "
                "whole domain, as in 'fabrikam.com'"
            )
        ],
    ),
    (
        {"federation_routes": [{"site": "A", "edge_pool": ["x.test"]}]},
        ["sfb_xmpp_federation_routes[0] (A): edge_pool: a list is no domain name"],
    ),
    (
        {"restore_from": "newest", "partners": []},
        ["sfb_xmpp_snapshot_file excludes sfb_xmpp_partners: a snapshot says it all"],
    ),
    (
        {
            "partners": [{"domain": "a.test", "tls_negotiation": "no", "connection_limit": "x"}, "b.test"],
            "policies": [{"identity": "x", "enable_xmp_access": True}],
            "gateway": {"dialback_passphrase": ["s3cret"]},
        },
        [
            "sfb_xmpp_policies[0] (x): enable_xmp_access: there is no such option (did you mean enable_xmpp_access?)",
            "sfb_xmpp_partners[0] (a.test): tls_negotiation: 'no' is none of required, optional, not_supported",
            "sfb_xmpp_partners[0] (a.test): connection_limit: 'x' is not a whole number",
            "sfb_xmpp_partners[1]: 'b.test' is not a partner; write '- domain: b.test', with its options below",
            "sfb_xmpp_gateway: dialback_passphrase: is no text",
        ],
    ),
)
