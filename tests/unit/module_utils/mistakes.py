# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in an inventory, and every text that is said of each: a table for test_declared."""

from __future__ import annotations

import typing as t

FABRIKAM = {"domain": "fabrikam.com"}
SELECTORS = "must be a list of users, or one of {pool: FQDN}, {site: NAME} and {group: DN}. The dictionary has "
GROUP = "the distinguished name of a group. Write it as in CN=XMPP Users,OU=Groups,DC=contoso,DC=com"


def partner(**options: t.Any) -> dict[str, t.Any]:
    """An inventory with one partner."""
    return {"partners": [{**FABRIKAM, **options}]}


def policies(*items: t.Any) -> dict[str, t.Any]:
    return {"policies": list(items)}


# What is wrong with one partner.
PARTNER_MISTAKES: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"tls_negotiation": True}, "tls_negotiation: must be required, optional or not_supported, not true"),
    ({"tls": True}, "tls: there is no such option (did you mean tls_negotiation?)"),
    (
        {"tls_negotiation": "Required"},
        ("tls_negotiation: must be required, optional or not_supported, not 'Required' (did you mean required?)"),
    ),
    ({"tls_negotiation": ["required"]}, "tls_negotiation: must be required, optional or not_supported, not a list"),
    ({"tls_negotiation": 5}, "tls_negotiation: must be required, optional or not_supported, not 5"),
    ({"tls_negotiation": ""}, "tls_negotiation: must be required, optional or not_supported, not ''"),
    (
        {"partner_type": "federate"},
        (
            "partner_type: must be federated, public_verified or public_unverified, "
            "not 'federate' (did you mean federated?)"
        ),
    ),
    (
        {"sasl_negotiation": {"a": 1}},
        ("sasl_negotiation: must be required, optional or not_supported, not a dictionary"),
    ),
    ({"support_dialback_negotiation": "maybe"}, "support_dialback_negotiation: must be true or false, not 'maybe'"),
    ({"support_dialback_negotiation": 2}, "support_dialback_negotiation: must be true or false, not 2"),
    ({"support_dialback_negotiation": [True]}, "support_dialback_negotiation: must be true or false, not a list"),
    ({"enable_keep_alive": ""}, "enable_keep_alive: must be true or false, not ''"),
    ({"connection_limit": "many"}, "connection_limit: must be a whole number, not 'many'"),
    ({"connection_limit": -1}, "connection_limit: must be from 0 to 4294967295, not -1"),
    ({"connection_limit": 4294967296}, "connection_limit: must be from 0 to 4294967295, not 4294967296"),
    ({"connection_limit": True}, "connection_limit: must be a whole number, not true"),
    ({"connection_limit": 1.5}, "connection_limit: must be a whole number, not 1.5"),
    ({"connection_limit": [5]}, "connection_limit: must be a whole number, not a list"),
    (
        {"additional_domains": "a.test b.test"},
        "additional_domains: 'a.test b.test' contains spaces. Write only the domain, as in 'fabrikam.com'",
    ),
    ({"additional_domains": {"a": "b"}}, "additional_domains: must be a list of domains, not a dictionary"),
    ({"additional_domains": ["*.a.test"]}, "additional_domains: '*.a.test' is a wildcard. List each domain by name"),
    (
        {"additional_domains": ["ok.test", ""]},
        "additional_domains: entry 1 is empty. Write a domain such as 'fabrikam.com'",
    ),
    ({"additional_domains": [None]}, "additional_domains: entry 0: must be a domain name, not an empty value"),
    ({"additional_domains": 5}, "additional_domains: must be a list of domains, not 5"),
    (
        {"additional_domains": [{"domain": "x.test"}]},
        ("additional_domains: entry 0: must be a domain name, not a dictionary"),
    ),
    (
        {"additional_domains": [5]},
        "additional_domains: '5' has a single label. Write the whole domain, as in 'fabrikam.com'",
    ),
    ({"description": ["a"]}, "description: must be a string, not a list"),
    ({"description": {"a": 1}}, "description: must be a string, not a dictionary"),
    ({"description": 45045}, "description: YAML reads the value as a number, 45045. Put the text in quotes"),
    ({"description": "x\x07y"}, "description: 'x\\x07y' has the control character U+0007. Remove it"),
    (
        {"description": "x\u202ey"},
        "description: 'x\\u202ey' has the bidirectional character U+202E. Remove it",
    ),
    ({"description": "x" * 1025}, "description: has 1025 characters. At most 1024 are allowed"),
    ({"proxy_fqdn": "proxy"}, "proxy_fqdn: 'proxy' has a single label. Write the whole domain, as in 'fabrikam.com'"),
    ({"proxy_fqdn": ["p.test"]}, "proxy_fqdn: must be a domain name, not a list"),
    ({"proxy_fqdn": False}, "proxy_fqdn: must be a domain name, not false"),
    ({"state": "absent"}, "state: there is no such option"),
    ({"dns_name": "x"}, "dns_name: there is no such option"),
    (
        {"additional_domains": ["fabrikam.com"]},
        "additional_domains: 'fabrikam.com' is the partner's own domain. Remove it from the list",
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
                "sfb_xmpp_partners[3] (fabrikam.de): tls_negotiation: must be required, "
                "optional or not_supported, not 'requird' (did you mean required?)"
            )
        ],
    ),
    (
        {"partners": [{5: 1, "domain": "fabrikam.com"}]},
        ["sfb_xmpp_partners[0] (fabrikam.com): 5: there is no such option"],
    ),
    (
        {"partners": [{"tls_negotiation": "required"}]},
        ["sfb_xmpp_partners[0]: domain is missing. Set it to the name of the partner"],
    ),
    (
        {"partners": [{"domian": "fabrikam.com"}]},
        [
            "sfb_xmpp_partners[0]: domain is missing. Set it to the name of the partner",
            "sfb_xmpp_partners[0]: domian: there is no such option (did you mean domain?)",
        ],
    ),
    ({"partners": [{"domain": ""}]}, ["sfb_xmpp_partners[0]: domain is empty. Set it to the name of the partner"]),
    ({"partners": [{"domain": None}]}, ["sfb_xmpp_partners[0]: domain is empty. Set it to the name of the partner"]),
    ({"partners": [{"domain": ["a.test"]}]}, ["sfb_xmpp_partners[0]: domain: must be a string, not a list"]),
    (
        {"policies": [{"identity": 8}]},
        ["sfb_xmpp_policies[0]: identity: YAML reads the value as a number, 8. Put the text in quotes"],
    ),
    ({"partners": [{"domain": True}]}, ["sfb_xmpp_partners[0]: domain: must be a string, not true"]),
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
                "sfb_xmpp_partners[0]: 'fabrikam.com' is not a partner. Write '- domain: "
                "fabrikam.com', with its options below"
            )
        ],
    ),
    ({"partners": [5]}, ["sfb_xmpp_partners[0]: 5 is not a partner. Write '- domain: ...', with its options below"]),
    (
        {"partners": [None]},
        [("sfb_xmpp_partners[0]: an empty value is not a partner. Write '- domain: ...', with its options below")],
    ),
    (
        {"partners": [["a"]]},
        ["sfb_xmpp_partners[0]: a list is not a partner. Write '- domain: ...', with its options below"],
    ),
    (
        {"partners": "fabrikam.com"},
        [
            (
                "sfb_xmpp_partners: must be a list, not 'fabrikam.com'. Write each partner "
                "as an entry that begins with '- domain:'"
            )
        ],
    ),
    (
        {"partners": FABRIKAM},
        [
            (
                "sfb_xmpp_partners: must be a list, not a dictionary. Write each partner "
                "as an entry that begins with '- domain:'"
            )
        ],
    ),
    (
        {"partners": 5},
        [("sfb_xmpp_partners: must be a list, not 5. Write each partner as an entry that begins with '- domain:'")],
    ),
    (
        {"partners": True},
        [("sfb_xmpp_partners: must be a list, not true. Write each partner as an entry that begins with '- domain:'")],
    ),
    (
        {"partners": ""},
        ["sfb_xmpp_partners: must be a list, not ''. Write each partner as an entry that begins with '- domain:'"],
    ),
    (
        {"partners": [FABRIKAM, {"domain": "Fabrikam.COM."}]},
        ["sfb_xmpp_partners[0] and sfb_xmpp_partners[1] are both 'fabrikam.com'. Remove one of the two entries"],
    ),
    (
        {"partners": [FABRIKAM, {"domain": "b.test", "additional_domains": ["fabrikam.com"]}]},
        [
            (
                "sfb_xmpp_partners[1] (b.test): additional_domains: 'fabrikam.com' is already another partner, "
                "sfb_xmpp_partners[0]. Remove one of the two entries"
            )
        ],
    ),
    (
        {"gateway": [{"connection_limit": 5}]},
        [
            (
                "sfb_xmpp_gateway: must be a dictionary, not a list. Write its options "
                "below it, as in 'connection_limit: ...'"
            )
        ],
    ),
    (
        {"gateway": "x"},
        [
            (
                "sfb_xmpp_gateway: must be a dictionary, not 'x'. Write its options "
                "below it, as in 'connection_limit: ...'"
            )
        ],
    ),
    (
        {"gateway": {"conection_limit": 5}},
        ["sfb_xmpp_gateway: conection_limit: there is no such option (did you mean connection_limit?)"],
    ),
    ({"gateway": {"connection_limit": "x"}}, ["sfb_xmpp_gateway: connection_limit: must be a whole number, not 'x'"]),
    ({"gateway": {"domain": "x"}}, ["sfb_xmpp_gateway: domain: there is no such option"]),
    (
        {"gateway": 5},
        [("sfb_xmpp_gateway: must be a dictionary, not 5. Write its options below it, as in 'connection_limit: ...'")],
    ),
    (
        {"access_edge": {"allow_federated_users": "maybe"}},
        ["sfb_xmpp_access_edge: allow_federated_users: must be true or false, not 'maybe'"],
    ),
    (
        {"access_edge": True},
        [
            (
                "sfb_xmpp_access_edge: must be a dictionary, not true. Write its options below it, as in "
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
            "sfb_xmpp_policies[0]: identity is missing. Set it to the name of the policy",
            "sfb_xmpp_policies[0]: name: there is no such option",
        ],
    ),
    (
        policies("XMPP Users"),
        [
            (
                "sfb_xmpp_policies[0]: 'XMPP Users' is not a policy. Write '- identity: XMPP "
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
                "sfb_xmpp_policies[0] (x): granted_to: must be a list of users, not 'sip:a@b.test'. Write "
                "'- sip:user@example.com' for each"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": ["sip:*@b.test"]}),
        [
            (
                "sfb_xmpp_policies[0] (x): granted_to[0]: 'sip:*@b.test' is not one user. Write "
                "an address, without wildcards"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": [5, "", None, {"a": 1}]}),
        [
            ("sfb_xmpp_policies[0] (x): granted_to[0]: 5 is not one user. Write an address, without wildcards"),
            ("sfb_xmpp_policies[0] (x): granted_to[1]: '' is not one user. Write an address, without wildcards"),
            (
                "sfb_xmpp_policies[0] (x): granted_to[2]: an empty value is not one user. Write "
                "an address, without wildcards"
            ),
            (
                "sfb_xmpp_policies[0] (x): granted_to[3]: a dictionary is not one user. Write an "
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
            "sfb_xmpp_policies[0] (x): granted_to: " + SELECTORS + "user",
            "sfb_xmpp_policies[1] (y): granted_to: " + SELECTORS + "pool and site",
            "sfb_xmpp_policies[2] (z): granted_to: " + SELECTORS + "nothing",
            "sfb_xmpp_policies[3] (v): granted_to: pool: must be a string, not a list",
            "sfb_xmpp_policies[4] (w): granted_to: site: 'global:R' is not the name of a "
            "site. Write it as Get-CsSite shows it,"
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
            "sfb_xmpp_policies[1] (y): granted_to: nested: must be true or false, not 'deep'",
            "sfb_xmpp_policies[2] (z): granted_to: " + SELECTORS + "nested",
            "sfb_xmpp_policies[3] (v): granted_to: " + SELECTORS + "group and site",
            "sfb_xmpp_policies[4] (w): granted_to: group: 'CN=a\\u200b,DC=b' has the invisible character U+200B."
            " Remove it",
            "sfb_xmpp_policies[5] (u): granted_to: group: 'CN=a\\\\,DC=b' is not " + GROUP,
        ],
    ),
    (
        policies({"identity": "site:R", "granted_to": ["sip:a@b.test"]}),
        [
            (
                "sfb_xmpp_policies[0] (site:R): granted_to: only a per-user policy can be "
                "granted. Remove granted_to from this policy"
            )
        ],
    ),
    (
        policies({"identity": "global", "granted_to": ["sip:a@b.test"]}),
        [
            (
                "sfb_xmpp_policies[0] (global): granted_to: only a per-user policy can be "
                "granted. Remove granted_to from this policy"
            )
        ],
    ),
    (
        policies({"identity": "global", "granted_to": "x"}),
        [
            (
                "sfb_xmpp_policies[0] (global): granted_to: only a per-user policy can be "
                "granted. Remove granted_to from this policy"
            )
        ],
    ),
    (
        policies(
            {"identity": "x", "granted_to": ["sip:a@b.test"]},
            {"identity": "y", "granted_to": ["SIP:A@b.test"]},
        ),
        [
            (
                "'SIP:A@b.test' is in granted_to of sfb_xmpp_policies[0] (x) and of "
                "sfb_xmpp_policies[1] (y). A user has exactly one policy, so list them only once"
            )
        ],
    ),
    (
        policies({"identity": "x", "granted_to": ["sip:a@b.test"]}, {"identity": "y", "granted_to": ["A@b.test"]}),
        [
            (
                "'A@b.test' is in granted_to of sfb_xmpp_policies[0] (x) and of "
                "sfb_xmpp_policies[1] (y). A user has exactly one policy, so list them only once"
            )
        ],
    ),
    (
        {"policies": {"x": {"enable_xmpp_access": True}}},
        [
            (
                "sfb_xmpp_policies: must be a list, not a dictionary. Write each policy as "
                "an entry that begins with '- identity:'"
            )
        ],
    ),
    (
        {"federation_routes": [{"site": "A:b"}]},
        [
            (
                "sfb_xmpp_federation_routes[0]: site 'A:b' is not the name of a site. Write it as "
                "Get-CsSite shows it, without 'Site:'"
            )
        ],
    ),
    (
        {"federation_routes": [{"edge_pool": "x.test"}]},
        ["sfb_xmpp_federation_routes[0]: site is missing. Set it to the name of the route"],
    ),
    (
        {"federation_routes": ["A"]},
        ["sfb_xmpp_federation_routes[0]: 'A' is not a route. Write '- site: A', with its options below"],
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
        ["sfb_xmpp_federation_routes[0] (A): edge_pool: must be a domain name, not a list"],
    ),
    (
        {"restore_from": "newest", "partners": []},
        [
            (
                "sfb_xmpp_snapshot_file cannot be used with sfb_xmpp_partners, because a "
                "snapshot has all objects. Remove one of the two"
            )
        ],
    ),
    (
        {
            "partners": [{"domain": "a.test", "tls_negotiation": "no", "connection_limit": "x"}, "b.test"],
            "policies": [{"identity": "x", "enable_xmp_access": True}],
            "gateway": {"dialback_passphrase": ["s3cret"]},
        },
        [
            "sfb_xmpp_policies[0] (x): enable_xmp_access: there is no such option (did you mean enable_xmpp_access?)",
            "sfb_xmpp_partners[0] (a.test): tls_negotiation: must be required, optional or not_supported, not 'no'",
            "sfb_xmpp_partners[0] (a.test): connection_limit: must be a whole number, not 'x'",
            "sfb_xmpp_partners[1]: 'b.test' is not a partner. Write '- domain: b.test', with its options below",
            "sfb_xmpp_gateway: dialback_passphrase: must be a string",
        ],
    ),
)
