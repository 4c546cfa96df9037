# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define every managed kind of object as a table. This is the only list of fields.

Each field has the option, the parameter of the cmdlet, and the default that the page of the New- cmdlet documents. The
on-premises default of every policy switch is False (JJ205323 and the references for 2013 and 2015). The current page
covers several products. For some switches, this page shows the default of another product.
"""

from __future__ import annotations

from .._base.names import canonical_domain, canonical_policy_identity, domain_from_server, policy_from_server
from . import rules
from .kinds import Choice, Domain, Domains, EdgePoolName, Number, SecretText, Switch, Text
from .resource import Field, Resource
from .sites import canonical_site, is_branch, site_from_server

ROUTE = Resource(
    name="route",
    plural="federation_routes",
    part="federation_routes",
    label="route",
    noun="CsSite",
    mark="XmppFederationRoute",
    key=Field("site", "Identity", Text()),
    identity_from_user=canonical_site,
    identity_from_server=site_from_server,
    marks=("FederationRoute", "SiteType"),
    fields=(Field("edge_pool", "XmppFederationRoute", EdgePoolName(), "", may_lack=True),),
    rules=(rules.route_stays,),
    fixed=True,
    beside=is_branch,
    limit="routes",
)

POLICY = Resource(
    name="policy",
    plural="policies",
    part="policies",
    label="policy",
    noun="CsExternalAccessPolicy",
    mark="EnableXmppAccess",
    key=Field("identity", "Identity", Text()),
    identity_from_user=canonical_policy_identity,
    identity_from_server=policy_from_server,
    resettable="global",
    fields=(
        Field("description", "Description", Text(), ""),
        Field("enable_federation_access", "EnableFederationAccess", Switch(), False),
        Field("enable_xmpp_access", "EnableXmppAccess", Switch(), False),
        Field("enable_outside_access", "EnableOutsideAccess", Switch(), False),
        # Servers have this property, although the current page of the cmdlet does not show the property.
        Field("enable_public_cloud_access", "EnablePublicCloudAccess", Switch(), False, may_lack=True),
        Field("enable_public_cloud_audio_video_access", "EnablePublicCloudAudioVideoAccess", Switch(), False),
    ),
    rules=(
        rules.xmpp_needs_federation,
        rules.xmpp_from_outside,
        rules.granted_policy_stays,
        rules.nobody_loses_rights,
        rules.readable_name,
        rules.whole_text,
    ),
)

PARTNER = Resource(
    name="partner",
    plural="partners",
    part="partners",
    label="partner",
    noun="CsXmppAllowedPartner",
    mark="TlsNegotiation",
    key=Field("domain", "Identity", Domain()),
    identity_from_user=canonical_domain,
    identity_from_server=domain_from_server,
    server_name=str,
    fields=(
        Field("additional_domains", "AdditionalDomains", Domains(), []),
        Field("description", "Description", Text(), ""),
        Field(
            "partner_type",
            "PartnerType",
            Choice(federated="Federated", public_verified="PublicVerified", public_unverified="PublicUnverified"),
            "public_unverified",
        ),
        Field(
            "tls_negotiation",
            "TlsNegotiation",
            Choice(required="Required", optional="Optional", not_supported="NotSupported"),
            "required",
        ),
        Field(
            "sasl_negotiation",
            "SaslNegotiation",
            Choice(required="Required", optional="Optional", not_supported="NotSupported"),
            "required",
        ),
        Field("support_dialback_negotiation", "SupportDialbackNegotiation", Switch(), True),
        Field("enable_keep_alive", "EnableKeepAlive", Switch(), True),
        Field("connection_limit", "ConnectionLimit", Number(unset=True)),
        Field("proxy_fqdn", "ProxyFqdn", Domain(), ""),
    ),
    rules=(rules.whole_text, rules.negotiation, rules.verified_public_partner),
)

GATEWAY = Resource(
    name="configuration",
    plural="configuration",
    part="gateway",
    label="gateway",
    noun="CsXmppGatewayConfiguration",
    mark="StreamEstablishmentTimeout",
    fields=(
        Field("connection_limit", "ConnectionLimit", Number(), 1000),
        Field("partner_connection_limit", "PartnerConnectionLimit", Number(), 20),
        Field("keep_alive_interval", "KeepAliveInterval", Number(), 300),
        Field("stream_establishment_timeout", "StreamEstablishmentTimeout", Number(), 60),
        Field("stream_inactivity_timeout", "StreamInactivityTimeout", Number(), 600),
        Field("subscription_refresh_interval", "SubscriptionRefreshInterval", Number(), 28800),
        Field("enable_logging_all_message_bodies", "EnableLoggingAllMessageBodies", Switch(), False),
        # Microsoft does not document whether Get- returns the passphrase.
        Field("dialback_passphrase", "DialbackPassphrase", SecretText(), may_lack=True),
    ),
    rules=(rules.message_bodies_logged,),
)

ACCESS_EDGE = Resource(
    name="configuration",
    plural="configuration",
    part="access_edge",
    label="access edge",
    noun="CsAccessEdgeConfiguration",
    mark="AllowFederatedUsers",
    fields=(
        Field("allow_anonymous_users", "AllowAnonymousUsers", Switch(), False),
        Field("allow_federated_users", "AllowFederatedUsers", Switch(), False),
        Field("allow_outside_users", "AllowOutsideUsers", Switch()),
        Field("enable_archiving_disclaimer", "EnableArchivingDisclaimer", Switch(), False),
        Field("enable_discovered_partner_contacts_limit", "EnableDiscoveredPartnerContactsLimit", Switch(), True),
        Field("enable_user_replicator", "EnableUserReplicator", Switch(), False),
        Field("keep_crls_up_to_date_for_peers", "KeepCrlsUpToDateForPeers", Switch(), True),
        Field("mark_source_verifiable_on_outgoing_messages", "MarkSourceVerifiableOnOutgoingMessages", Switch(), True),
    ),
    rules=(rules.access_edge_switches,),
    also_shown=("EnablePartnerDiscovery",),
    tag="gateway",
)

# The grants of policies to users. deployment.py reads grants as properties of users.
GRANT = Resource(
    name="grant",
    plural="grants",
    part="grants",
    label="grant",
    noun="CsUser",
    mark="SipAddress",
    key=Field("user", "Identity", Text()),
    fields=(Field("policy", "ExternalAccessPolicy", Text(), ""),),
)

# The order is the order of the writes.
RESOURCES = (ROUTE, POLICY, PARTNER, GATEWAY, ACCESS_EDGE)
BY_PART = {resource.part: resource for resource in (*RESOURCES, GRANT)}

# The options that declare a federation. RESOURCES is the source, so a new kind needs an entry only in RESOURCES.
OPTIONS = tuple(resource.part for resource in RESOURCES)
# The options with a purge: objects that are not listed can be removed.
PURGED = tuple(resource.part for resource in RESOURCES if resource.key and not resource.fixed)
# The parts of a run. Together with a kind of object, ``removals`` means the removals of that kind.
REMOVALS = "removals"
PARTS = (*(resource.limited_as for resource in RESOURCES), GRANT.part, REMOVALS)


def parts_of_tag(tag: str) -> tuple[str, ...]:
    """Return the parts that a tag of a playbook means: the part of that name, and the parts that share the tag."""
    shared = [resource.limited_as for resource in RESOURCES if resource.tag == tag]
    return tuple(part for part in PARTS if part == tag or part in shared)
