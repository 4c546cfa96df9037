# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of every managed kind of object, each described once.

A module of one object has them as its options, a module of a list (and xmpp_federation) as suboptions. Both texts are
made from one, in which O(name) of the same kind is written as in a module of one object.
"""

from __future__ import annotations

import re
import textwrap

_IDENTITY = r"""
identity:
  description:
    - The policy. V(global), V(site:NAME) for the policy of a site, or the name of a per-user policy.
    - Compared without regard to case. The prefix V(tag:), which the product prints before the names of per-user
      policies, may be written and means nothing.
    - V(global) always exists. A site's policy acts on everyone there as soon as it exists. A per-user policy acts on
      nobody until it is granted.
  type: str
  required: true
"""

_POLICY = r"""
description:
  description:
    - A text for administrators.
    - V('') clears it. A new policy has none.
  type: str
enable_federation_access:
  description:
    - Whether users may communicate with people in federated domains.
    - A new policy says V(false).
  type: bool
enable_xmpp_access:
  description:
    - Whether users may communicate with people in the domains of XMPP federated partners. Has no effect without
      O(enable_federation_access). A run that would leave the one without the other is refused.
    - A new policy says V(false).
  type: bool
enable_outside_access:
  description:
    - Whether users may sign in from outside the internal network without VPN.
    - A new policy says V(false).
  type: bool
enable_public_cloud_access:
  description:
    - Whether users may communicate with people at public instant messaging providers.
    - A new policy says V(false).
  type: bool
enable_public_cloud_audio_video_access:
  description:
    - Whether users may have audio and video conversations with people at public instant messaging providers.
    - A new policy says V(false).
  type: bool
"""

# Where policies are a list, each says who has it.
_GRANTED_TO = r"""
granted_to:
  description:
    - The users who have to have this per-user policy, each by SIP address (V(sip:ann@contoso.com)), user principal
      name, V(DOMAIN\\name) or distinguished name. Wildcards are refused. A name has to lead to exactly one user.
    - The list adds users. Who is not in it keeps the policy, unless O(exclusive_grants) says that the lists are
      complete. Left out, or null, it touches nobody. V([]) together with O(exclusive_grants) withdraws the policy from
      everyone.
    - A user has exactly one policy, so a user who is named under two policies is an error that names both places.
    - >-
      In place of a list, V({pool: fe01.contoso.com}) or V({site: Redmond}) means the users who are homed on that pool,
      or on the pools of that site, when the run reads them. Who is not enabled, is homed online or on a pool without
      XMPP, is named in the list of another policy, or has another per-user policy, is left out and named in a warning.
      Only with C(allow_replaced_policies) is another policy replaced. Who leaves the pool later keeps the policy.
    - Users who were chosen so count for C(update_limit), as a share of all users. A pool or a site that means nobody is
      refused, and so is one together with O(exclusive_grants).
    - >-
      V({group: "CN=XMPP Users,OU=Groups,DC=contoso,DC=com"}) means the members of a group of Active Directory, with
      its distinguished name. With C(nested: true) also the members of groups in the group. Users are left out as above.
      Who has the policy and is not in the group is named in a warning. With O(exclusive_grants) they lose the policy.
    - If the group has no members, or does not exist, nobody gets the policy, and a warning says so. Together with
      O(exclusive_grants) the run is refused, because everyone would lose the policy.
    - Once ten users have the policy, joining and leaving count for C(update_limit), as a share of who has the policy or
      gets it.
    - The primary group of a user, such as C(Domain Users), does not count, because Active Directory does not list its
      members in C(memberOf).
    - For everyone of a site, or of the deployment, there are the policies V(site:NAME) and V(global), which need no
      grant.
  type: raw
"""

_DOMAIN = r"""
domain:
  description:
    - The partner's XMPP domain, which is the part of its users' addresses behind the C(@).
    - Compared without regard to case or to a trailing dot. An internationalised domain may be written in its own
      letters and is sent as A-labels (C(xn--…)). Wildcards, addresses, ports and names of a single label are refused.
  type: str
  required: true
"""

_PARTNER = r"""
additional_domains:
  description:
    - Further domains that the same partner serves. A set. Their order does not matter, and repetitions count once.
    - The list is the whole set, so domains that are not in it are taken away.
    - A domain belongs to one partner. The partner's own domain here, or one that is a partner of its own, is an error.
    - A SIP domain of the deployment (C(Get-CsSipDomain)) cannot be a partner's domain. A run that would add one is
      refused. If the SIP domains cannot be read, the plan warns.
    - V([]) clears it. A new partner has none.
  type: list
  elements: str
description:
  description:
    - A text for administrators.
    - V('') clears it. A new partner has none.
  type: str
partner_type:
  description:
    - How far the partner is trusted with the presence of the own users.
    - A new partner is V(public_unverified).
  type: str
  choices:
    federated: An organisation that is trusted. Its users see presence and notes without being authorised one by one.
    public_verified: As V(federated), but without notes. Discouraged for public providers, where anybody can have an
      account. The run warns of it.
    public_unverified: Presence is shown only to those whom a local user has added as contact.
tls_negotiation:
  description:
    - Whether the stream to the partner is encrypted.
    - Of the combinations of O(tls_negotiation), O(sasl_negotiation) and O(support_dialback_negotiation), some leave no
      way to authenticate the partner. A run that would write one of them is refused. Others rarely do what is meant.
      Writing one of those gives a warning.
    - A new partner says V(required).
  type: str
  choices:
    required: Without TLS there is no connection.
    optional: TLS where the partner offers it.
    not_supported: Never.
sasl_negotiation:
  description:
    - Whether the partner proves its domain by its certificate (SASL EXTERNAL). Works inside TLS only. Many public
      certificates are no longer issued for the purpose of client authentication, which some servers insist on.
    - A new partner says V(required).
  type: str
  choices:
    required: Without a certificate that proves the domain there is no connection.
    optional: Tried, with dialback as the fallback.
    not_supported: Never.
support_dialback_negotiation:
  description:
    - Whether the partner may prove its domain by server dialback (XEP-0220), which rests on DNS.
    - Takes no effect where TLS and SASL are both required. A new partner says V(true) nevertheless, which together with
      the other defaults gives a warning. Set V(false), or O(sasl_negotiation=optional).
  type: bool
enable_keep_alive:
  description:
    - Whether idle streams are kept open. The interval is a setting of the gateway, see
      O(sfb.xmpp.xmpp_gateway_configuration#module:keep_alive_interval).
    - A new partner says V(true).
  type: bool
connection_limit:
  description:
    - The most connections at a time with this partner, V(0) to V(4294967295). What V(0) means is not documented.
    - A new partner's value is not documented either.
  type: int
proxy_fqdn:
  description:
    - The host to connect to instead of what DNS says of the domain. A fully qualified name.
    - V('') clears it. A new partner has none.
  type: str
"""

_GATEWAY = r"""
connection_limit:
  description:
    - The most connections at a time with all partners together, V(0) to V(4294967295).
    - The product's default is V(1000).
  type: int
partner_connection_limit:
  description:
    - The most connections at a time with any one partner, V(0) to V(4294967295). A partner may have a limit of its own,
      see O(sfb.xmpp.xmpp_federated_partner#module:connection_limit).
    - The product's default is V(20).
  type: int
keep_alive_interval:
  description:
    - Seconds between two keep-alives on an idle stream, V(0) to V(4294967295).
    - The product's default is V(300).
  type: int
stream_establishment_timeout:
  description:
    - Seconds that setting up a stream may take, V(0) to V(4294967295).
    - The product's default is V(60).
  type: int
stream_inactivity_timeout:
  description:
    - Seconds without traffic after which a stream is closed, V(0) to V(4294967295).
    - The product's default is V(600).
  type: int
subscription_refresh_interval:
  description:
    - Seconds between two refreshes of a presence subscription, V(0) to V(4294967295).
    - The product's default is V(28800).
  type: int
enable_logging_all_message_bodies:
  description:
    - Whether the gateway's log records the text of all messages. That is what people write to each other; mind the law.
      Setting it to V(true) gives a warning.
    - The product's default is V(false).
  type: bool
dialback_passphrase:
  description:
    - The secret from which the keys of server dialback are made. The same for all gateways of the deployment.
    - It is never shown, neither in the diff nor in what the module returns.
    - Whether the server gives it back is not documented. Where it does, the passphrase is written only when it differs.
      Where it does not, it cannot be compared, and every run that has this option writes it and reports a change. Give
      it only when it is to be set.
    - V('') clears it.
  type: str
"""

_ACCESS_EDGE = r"""
allow_anonymous_users:
  description:
    - Whether people without an account may take part in meetings through the Edge. A run that switches it off needs
      O(force).
    - The product's default is V(false).
  type: bool
allow_federated_users:
  description:
    - Whether there is federation at all, with SIP domains as well as with XMPP domains. A run that switches it off ends
      both and needs O(force). A run that switches it on warns that it opens SIP federation too, and says what
      C(EnablePartnerDiscovery) is, which decides how open.
    - The product's default is V(false), so this has to be set once for XMPP federation.
  type: bool
allow_outside_users:
  description:
    - Whether users may sign in through the Edge from outside the internal network. A run that switches it off needs
      O(force).
    - The page of the cmdlet gives V(true) as the product's default; what a fresh deployment has is not known for sure.
  type: bool
enable_archiving_disclaimer:
  description:
    - Whether federated partners are told that messages are archived.
    - The product's default is V(false).
  type: bool
enable_discovered_partner_contacts_limit:
  description:
    - Whether the number of contacts with a partner that was discovered by DNS, rather than listed, is limited.
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
    - Whether outgoing messages say that their sender was verified.
    - The product's default is V(true).
  type: bool
"""

_ROUTE = r"""
site:
  description:
    - The site, as C(Get-CsSite) shows it, without regard to case. It has to exist; sites come from the topology.
  type: str
  required: true
edge_pool:
  description:
    - The fully qualified name of the Edge pool through which the XMPP federation of the site goes.
    - Moving a route that leads through another pool needs O(force); what flows through the former pool is cut off.
    - V('') clears the route, which needs O(force) as well.
  type: str
"""

_LISTS = {
    "policies": r"""
  description:
    - The external access policies. A policy that stands twice in the list is an error that names both places.
    - V([]) describes none. A purge with an empty list is refused unless it is allowed.
""",
    "partners": r"""
  description:
    - The XMPP federated partners. A domain that stands twice in the list, in whatever spelling, is an error that names
      both places.
    - V([]) describes none. A purge with an empty list is refused unless it is allowed.
""",
    "federation_routes": r"""
  description:
    - The XMPP federation route of sites. A site that is not listed keeps its route.
""",
}
_SINGLES = {
    "gateway": r"""
  description:
    - The settings of the XMPP gateway, which hold for the whole deployment.
""",
    "access_edge": r"""
  description:
    - The switches of the Access Edge service, which hold for the whole deployment.
""",
}


def _flat(fields: str) -> str:
    """Options of a module."""
    return "options:\n" + textwrap.indent(fields.strip("\n"), "  ") + "\n"


def _nested(option: str, fields: str) -> str:
    """Suboptions of an option, to be put below ``options:``."""
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
    # With their type, since ansible-test reads what is assigned without one as a literal text.

    # One object.
    POLICY: str = _flat(_IDENTITY + _POLICY)
    PARTNER: str = _flat(_DOMAIN + _PARTNER)
    GATEWAY: str = _flat(_GATEWAY)
    ACCESS_EDGE: str = _flat(_ACCESS_EDGE)
    ROUTE: str = _flat(_ROUTE)

    # Lists of them.
    POLICIES: str = "options:\n" + _POLICIES
    PARTNERS: str = "options:\n" + _PARTNERS

    # Everything that is declared of a federation.
    FEDERATION: str = (
        "options:\n"
        + _POLICIES
        + _PARTNERS
        + _nested("gateway", _GATEWAY)
        + _nested("access_edge", _ACCESS_EDGE)
        + _nested("federation_routes", _ROUTE)
    )

    # The same for a module that only plans: what a run may do is an option of xmpp_federation.
    PLANNED: str = re.sub(r"O\((exclusive_grants|force)\)", r"O(sfb.xmpp.xmpp_federation#module:\1)", FEDERATION)
