# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the options of every managed kind of object once.

A module of one object has these options. A module of a list, and xmpp_federation, have these options as suboptions.
This file makes both texts from one text. In this text, O(name) is written as in a module of one object.
"""

from __future__ import annotations

import re
import textwrap

_IDENTITY = r"""
identity:
  description:
    - The policy to manage. The value is V(global), V(site:NAME) for the policy of a site, or the name of a per-user
      policy.
    - Case does not matter. The product prints the prefix V(tag:) before the names of per-user policies. You may write
      this prefix or omit it.
    - V(global) always exists. The policy of a site takes effect for all users of the site as soon as it exists. A
      per-user policy has no effect until it is granted.
  type: str
  required: true
"""

_POLICY = r"""
description:
  description:
    - A description for administrators.
    - V('') clears the description. A new policy has no description.
  type: str
enable_federation_access:
  description:
    - Whether users may communicate with users in federated domains.
    - The value of a new policy is V(false).
  type: bool
enable_xmpp_access:
  description:
    - Whether users may communicate with users in the domains of XMPP federated partners. The option has no effect
      without O(enable_federation_access). A run that sets this option to V(true) without O(enable_federation_access) is
      refused.
    - The value of a new policy is V(false).
  type: bool
enable_outside_access:
  description:
    - Whether users may sign in from outside the internal network without VPN.
    - The value of a new policy is V(false).
  type: bool
enable_public_cloud_access:
  description:
    - Whether users may communicate with users of public instant messaging providers.
    - The value of a new policy is V(false).
  type: bool
enable_public_cloud_audio_video_access:
  description:
    - Whether users may have audio and video conversations with users of public instant messaging providers.
    - The value of a new policy is V(false).
  type: bool
"""

# In a list of policies, each policy has its users.
_GRANTED_TO = r"""
granted_to:
  description:
    - The users who get this per-user policy. Each user is a SIP address (V(sip:ann@contoso.com)), a user principal
      name, V(DOMAIN\\name) or a distinguished name. Wildcards are refused. Each name must match exactly one user.
    - The list adds users. Users who are not in the list keep the policy, unless O(exclusive_grants) is V(true). If the
      option is left out or null, no grants change. V([]) together with O(exclusive_grants) withdraws the policy from
      all users.
    - A user has exactly one policy. A user who is listed under two policies is an error. The error names both places.
    - >-
      Instead of a list, write V({pool: fe01.contoso.com}) or V({site: Redmond}). Such a value selects the users who are
      homed on that pool, or on the pools of that site, when the run reads the users. The run skips some users, with a
      warning that names these users. The run skips users who are not enabled, homed online or on a pool without XMPP,
      or in the list of another policy. Users with another per-user policy are also skipped. The policy of these users
      is replaced only with C(allow_replaced_policies). Users who leave the pool later keep the policy.
    - Selected users are included in C(update_limit), as a share of all users. A pool or a site without users is
      refused. A pool or a site together with O(exclusive_grants) is also refused.
    - >-
      V({group: "CN=XMPP Users,OU=Groups,DC=contoso,DC=com"}) selects the members of a group of Active Directory. The
      group has its distinguished name. C(nested: true) adds the members of groups in the group. The same users are
      skipped as for a pool. A warning names users who have the policy but are not in the group. With
      O(exclusive_grants), these users lose the policy.
    - If the group does not exist or has no members, no user gets the policy, and the run warns. Together with
      O(exclusive_grants) the run is refused, because all users would lose the policy.
    - If ten or more users have the policy, joining and leaving users are included in C(update_limit). The share is a
      share of the users who have or get the policy.
    - The primary group of a user, such as C(Domain Users), is not used. Active Directory does not list its members
      in C(memberOf).
    - For all users of a site or of the deployment, use the policies V(site:NAME) and V(global). These policies need no
      grant.
  type: raw
"""

_DOMAIN = r"""
domain:
  description:
    - The partner's XMPP domain. The domain is the part after the C(@) in the addresses of the partner's users.
    - Case and a trailing dot do not matter. You can write an internationalised domain in its own letters. The domain is
      sent as A-labels (C(xn--…)). Wildcards, addresses, ports and names of a single label are refused.
  type: str
  required: true
"""

_PARTNER = r"""
additional_domains:
  description:
    - The other domains that the same partner serves. The option is a set. Order and repetitions do not matter.
    - The list is complete. Domains that are not in the list are removed.
    - A domain belongs to one partner. The partner's own domain in this list is an error. The domain of another partner
      is also an error.
    - A SIP domain of the deployment (C(Get-CsSipDomain)) cannot be a partner's domain. A run that adds a SIP domain is
      refused. If the SIP domains cannot be read, the plan warns.
    - V([]) clears the list. A new partner has no additional domains.
  type: list
  elements: str
description:
  description:
    - A description for administrators.
    - V('') clears the description. A new partner has no description.
  type: str
partner_type:
  description:
    - Sets how much presence of your users the partner sees.
    - The value of a new partner is V(public_unverified).
  type: str
  choices:
    federated: A trusted organisation. Its users see presence and notes without an authorisation by each user.
    public_verified: >-
      Like V(federated), but without notes. Do not use this value for public providers, where everyone can have an
      account. The run warns about this value.
    public_unverified: Only users who are contacts of a local user see presence.
tls_negotiation:
  description:
    - Whether the stream to the partner is encrypted.
    - Some combinations of O(tls_negotiation), O(sasl_negotiation) and O(support_dialback_negotiation) cannot
      authenticate the partner. A run that writes such a combination is refused. Other combinations are allowed but
      risky. A run that writes a risky combination warns.
    - The value of a new partner is V(required).
  type: str
  choices:
    required: Without TLS, no connection is made.
    optional: TLS is used if the partner offers it.
    not_supported: TLS is never used.
sasl_negotiation:
  description:
    - Whether the partner proves its domain by its certificate (SASL EXTERNAL). SASL works only inside TLS. Many public
      certificates are no longer issued for client authentication, and some servers require this purpose.
    - The value of a new partner is V(required).
  type: str
  choices:
    required: Without a certificate that proves the domain, no connection is made.
    optional: SASL is tried first, then dialback.
    not_supported: SASL is never used.
support_dialback_negotiation:
  description:
    - Whether the partner may prove its domain by server dialback (XEP-0220). Dialback depends on DNS.
    - If TLS and SASL are both required, this option has no effect. The value of a new partner is V(true). Together with
      the other defaults, this value gives a warning. To avoid the warning, set V(false), or set
      O(sasl_negotiation=optional).
  type: bool
enable_keep_alive:
  description:
    - Whether idle streams are kept open. The interval is a setting of the gateway. See
      O(sfb.xmpp.xmpp_gateway_configuration#module:keep_alive_interval).
    - The value of a new partner is V(true).
  type: bool
connection_limit:
  description:
    - The maximum number of simultaneous connections with this partner, V(0) to V(4294967295). Microsoft does not
      document the meaning of V(0).
    - Microsoft does not document the value of a new partner.
  type: int
proxy_fqdn:
  description:
    - The fully qualified name of the host to connect to. This host replaces the host from the DNS records of the
      domain.
    - V('') clears the value. A new partner has no such host.
  type: str
"""

_GATEWAY = r"""
connection_limit:
  description:
    - The maximum number of simultaneous connections with all partners together, V(0) to V(4294967295).
    - The product's default is V(1000).
  type: int
partner_connection_limit:
  description:
    - The maximum number of simultaneous connections with each partner, V(0) to V(4294967295). A partner can have its
      own limit. See O(sfb.xmpp.xmpp_federated_partner#module:connection_limit).
    - The product's default is V(20).
  type: int
keep_alive_interval:
  description:
    - Seconds between two keep-alives on an idle stream, V(0) to V(4294967295).
    - The product's default is V(300).
  type: int
stream_establishment_timeout:
  description:
    - The maximum time for setting up a stream, in seconds, V(0) to V(4294967295).
    - The product's default is V(60).
  type: int
stream_inactivity_timeout:
  description:
    - The time without traffic after which a stream is closed, in seconds, V(0) to V(4294967295).
    - The product's default is V(600).
  type: int
subscription_refresh_interval:
  description:
    - Seconds between two refreshes of a presence subscription, V(0) to V(4294967295).
    - The product's default is V(28800).
  type: int
enable_logging_all_message_bodies:
  description:
    - Whether the gateway writes the text of all messages to its log. The log then has private messages of users. Check
      the law before you set V(true). A run that sets V(true) warns.
    - The product's default is V(false).
  type: bool
dialback_passphrase:
  description:
    - The secret for the keys of server dialback. All gateways of the deployment have the same secret.
    - The passphrase is never shown, neither in the diff nor in the results.
    - Microsoft does not document whether the server returns the passphrase. If the server returns the passphrase, a run
      writes only a different passphrase. Otherwise, every run with this option writes the passphrase and reports a
      change. Set this option only when you want to write the passphrase.
    - V('') clears the passphrase.
  type: str
"""

_ACCESS_EDGE = r"""
allow_anonymous_users:
  description:
    - Whether users without an account may take part in meetings through the Edge. V(false) needs O(force).
    - The product's default is V(false).
  type: bool
allow_federated_users:
  description:
    - Whether federation is on, for SIP domains and for XMPP domains. V(false) ends both kinds of federation, and needs
      O(force). V(true) also opens SIP federation, and the run warns. The warning shows the value of
      C(EnablePartnerDiscovery), which decides which SIP domains are allowed.
    - The product's default is V(false). For XMPP federation, set this option to V(true) once.
  type: bool
allow_outside_users:
  description:
    - Whether users may sign in through the Edge from outside the internal network. V(false) needs O(force).
    - The page of the cmdlet gives V(true) as the product's default. The value of a new deployment is unknown.
  type: bool
enable_archiving_disclaimer:
  description:
    - Whether the gateway informs federated partners that messages are archived.
    - The product's default is V(false).
  type: bool
enable_discovered_partner_contacts_limit:
  description:
    - Whether the number of contacts with partners that were discovered by DNS is limited. Listed partners are not
      limited.
    - The product's default is V(true).
  type: bool
enable_user_replicator:
  description:
    - Whether information about users is replicated to the Edge.
    - The product's default is V(false).
  type: bool
keep_crls_up_to_date_for_peers:
  description:
    - Whether the revocation lists for the certificates of peers are checked regularly.
    - The product's default is V(true).
  type: bool
mark_source_verifiable_on_outgoing_messages:
  description:
    - Whether outgoing messages are marked as having a verified sender.
    - The product's default is V(true).
  type: bool
"""

_ROUTE = r"""
site:
  description:
    - The site, as C(Get-CsSite) shows it. Case does not matter. The site must exist in the topology.
  type: str
  required: true
edge_pool:
  description:
    - The fully qualified name of the Edge pool that carries the XMPP federation of the site.
    - If the site has a route through another pool, the change needs O(force). Open connections through the former pool
      break.
    - V('') clears the route, and needs O(force) too.
  type: str
"""

_LISTS = {
    "policies": r"""
  description:
    - The external access policies. A policy that is listed twice is an error. The error names both places.
    - An empty list declares nothing. A purge with an empty list is refused unless it is allowed.
""",
    "partners": r"""
  description:
    - The XMPP federated partners. A domain that is listed twice, in any spelling, is an error. The error names both
      places.
    - An empty list declares nothing. A purge with an empty list is refused unless it is allowed.
""",
    "federation_routes": r"""
  description:
    - The XMPP federation routes of sites. A site that is not listed keeps its route.
""",
}
_SINGLES = {
    "gateway": r"""
  description:
    - The settings of the XMPP gateway, for the whole deployment.
""",
    "access_edge": r"""
  description:
    - The switches of the Access Edge service, for the whole deployment.
""",
}


def _flat(fields: str) -> str:
    """Return the options of a module."""
    return "options:\n" + textwrap.indent(fields.strip("\n"), "  ") + "\n"


def _nested(option: str, fields: str) -> str:
    """Return the suboptions of an option, for the text below ``options:``."""
    several = option in _LISTS
    names = "|".join(re.findall(r"^(\w+):$", fields, re.M))
    fields = re.sub(r"\bO\((%s)\b" % names, r"O(%s.\1" % (option + "[]" if several else option), fields)
    head = (_LISTS if several else _SINGLES)[option].strip("\n")
    kind = "  type: list\n  elements: dict" if several else "  type: dict"
    text = "%s:\n%s\n%s\n  suboptions:\n%s" % (option, head, kind, textwrap.indent(fields.strip("\n"), "    "))
    return textwrap.indent(text, "  ") + "\n"


_POLICIES = _nested("policies", _IDENTITY + _POLICY + _GRANTED_TO)
_PARTNERS = _nested("partners", _DOMAIN + _PARTNER)


class ModuleDocFragment:
    # The types are needed, because ansible-test reads a value without a type as a literal text.

    # Options of modules of one object.
    POLICY: str = _flat(_IDENTITY + _POLICY)
    PARTNER: str = _flat(_DOMAIN + _PARTNER)
    GATEWAY: str = _flat(_GATEWAY)
    ACCESS_EDGE: str = _flat(_ACCESS_EDGE)
    ROUTE: str = _flat(_ROUTE)

    # Options of modules of a list.
    POLICIES: str = "options:\n" + _POLICIES
    PARTNERS: str = "options:\n" + _PARTNERS

    # All options of a federation.
    FEDERATION: str = (
        "options:\n"
        + _POLICIES
        + _PARTNERS
        + _nested("gateway", _GATEWAY)
        + _nested("access_edge", _ACCESS_EDGE)
        + _nested("federation_routes", _ROUTE)
    )

    # Options of a module that only plans. Its limits are options of xmpp_federation.
    PLANNED: str = re.sub(r"O\((exclusive_grants|force)\)", r"O(sfb.xmpp.xmpp_federation#module:\1)", FEDERATION)
