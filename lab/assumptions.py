# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List all decisions of the lab that no public documentation covers.

No assumption was tried on a real server. The code that applies an entry calls ``rests_on(KEY)``. A test compares the
calls with the list. All other behavior follows the pages in contract.yml. If clients must not depend on the more
tolerant possibility, the lab has the stricter one.

The event of a statement lists the assumptions for the statement. SFB_LAB_ASSUMED is the name of a file. A lab appends
the key of every used assumption to this file, one per line. So a test can find the assumptions behind the test.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
import time
import typing as t
from dataclasses import dataclass

VARIABLE = "SFB_LAB_ASSUMED"
_statement: contextvars.ContextVar[set[str] | None] = contextvars.ContextVar("statement", default=None)
_noted: dict[str, float] = {}  # key -> time of the last write
_lock = threading.Lock()
_OFTEN = 0.02  # minimum seconds between two writes of a key, so that polls do not write keys constantly


def rests_on(key: str) -> None:
    """Record that the current behavior is an assumption."""
    used = _statement.get()
    if used is not None:
        if key in used:
            return
        used.add(key)
    _note(key)


@contextlib.contextmanager
def statement() -> t.Iterator[set[str]]:
    """Collect the assumptions that the block uses."""
    used: set[str] = set()
    token = _statement.set(used)
    try:
        yield used
    finally:
        _statement.reset(token)


def forget() -> None:
    """Write every key again, for a test that begins in this process."""
    with _lock:
        _noted.clear()


def _note(key: str) -> None:
    path, now = os.environ.get(VARIABLE), time.monotonic()
    if not path:
        return
    with _lock:
        if now - _noted.get(key, 0.0) < _OFTEN:
            return
        _noted[key] = now
    with open(path, "a", encoding="utf-8") as f:
        f.write(key + "\n")


@dataclass(frozen=True)
class Assumption:
    """Hold one assumption about the product.

    statement: the behavior of the lab.
    why: the reason for this behavior.
    """

    key: str
    statement: str
    why: str


ASSUMPTIONS = (
    # -- binding and the shell
    Assumption(
        "strict-texts",
        "A string parameter accepts strings, numbers and Booleans. Hashtables and secure strings are refused.",
        "PowerShell would convert them to the name of their type, which is useless in a configuration. PowerShell "
        "itself refuses lists and bytes.",
    ),
    Assumption(
        "null-values",
        "Numbers, Booleans, enumerations, dates and mandatory parameters refuse $null. A string accepts $null, and is "
        "then not set.",
        "The pages mention $null only for PolicyName and AdditionalDomains.",
    ),
    Assumption(
        "default-sets",
        "The default parameter set is Identity, if the cmdlet has it. It is Thumbprint for Set-CsCertificate, and "
        "Local for Import-CsCertificate.",
        "The pages list the sets without their default. The examples match this.",
    ),
    Assumption(
        "prompting-cmdlets",
        "Every Remove-Cs cmdlet, Set-CsCertificate, Import-CsCertificate and Stop-CsWindowsService ask for "
        "confirmation. Without -Confirm:$false or -Force they fail, because no user can answer.",
        "Public scripts use -Confirm:$false with them. It is not documented which cmdlets ask.",
    ),
    Assumption(
        "error-texts",
        "Texts and ids of the product's own errors are the lab's. If an object does not exist, or exists already, the "
        "cmdlet writes an error. All other errors are terminating.",
        "The pages describe when a cmdlet fails. They do not describe the text, or whether the error is terminating.",
    ),
    Assumption(
        "one-statement",
        "With the setting one_statement, a pipeline of several statements fails. None of its statements is executed.",
        "Public records show endpoints that accept several statements. No record shows an endpoint that refuses them.",
    ),
    Assumption(
        "full-answers",
        "An answer to Receive waits up to 10 ms for each further object, until it is full or the pipeline has ended.",
        "It is not documented how a server splits a long output. With this rule, the number of answers depends only "
        "on the length.",
    ),
    Assumption(
        "no-scripts",
        "Script text is refused on all hosts, including Edges.",
        "A Front End's endpoint is in no-language mode. The lab does not implement the PowerShell language for Edges.",
    ),
    Assumption(
        "no-autoload",
        "On an Edge, the product's cmdlets are unknown until the session has imported the module.",
        "Module autoloading depends on the search path of the server. A client that imports the module works in both "
        "cases.",
    ),
    Assumption(
        "endpoint-cmdlets",
        "In addition to the product's cmdlets, a Front End's remote shell offers Get-Command, Get-FormatData, "
        "Get-Help, Measure-Object, Out-Default and Select-Object. Select-Object is the proxy of restricted sessions, "
        "which accepts eleven property names. The setting restricted_select lists its servers. The setting "
        "select_object removes Select-Object on all servers.",
        "Every restricted session of PowerShell has these cmdlets. No page lists the cmdlets of this endpoint.",
    ),
    Assumption(
        "select-names",
        "Select-Object -Property accepts only plain property names, on Edges too.",
        "A restricted session accepts no calculated properties. The lab does not implement the PowerShell language, "
        "or wildcards for this parameter.",
    ),
    Assumption(
        "view-only-role",
        "CsViewOnlyAdministrator has every Get- cmdlet. It does not know other cmdlets.",
        "The pages mention the role, but do not list its cmdlets.",
    ),
    Assumption(
        "user-administrator-role",
        "Of the cmdlets for XMPP, CsUserAdministrator has only Get-CsUser, Get-CsEffectivePolicy, "
        "Get-CsExternalAccessPolicy and Grant-CsExternalAccessPolicy.",
        "The page on RBAC says that the role can assign existing policies, but cannot change policies. It lists no "
        "cmdlets.",
    ),
    Assumption(
        "custom-role",
        "A role that was created with the four cmdlets for XMPP partners has these cmdlets, and PowerShell's own.",
        "New-CsAdminRole has -Template and, since 2013, -Cmdlets. The accepted combinations are not documented.",
    ),
    # -- how objects look
    Assumption(
        "enum-numbers",
        "The numbers of enumerations follow the order of their documented names.",
        "Only the names are documented. Clients should use the text.",
    ),
    Assumption(
        "list-shapes",
        "A list property is sent as a list, and an enumeration in a property as a text. With the setting "
        "reported_forms, an empty list is null, a list with one entry is a text, and an enumeration is an object.",
        "PowerShell's serializer sends the first forms. Public scripts report the forms of the setting. A client must "
        "support both.",
    ),
    Assumption(
        "extra-properties",
        "Configuration objects have the properties Key, Anchor, Element and ScopeClass in addition to the documented "
        "properties.",
        "Real objects have undocumented properties. The lab proves that the collection ignores them.",
    ),
    Assumption(
        "servers-in-utc",
        "The servers' clocks use UTC, and dates are sent as UTC.",
        "So the lab's dates do not depend on the time zone of its machine.",
    ),
    Assumption(
        "odd-forms",
        "With the setting odd_forms, objects have unusual forms: a policy as an object, empty texts, missing "
        "properties, $null. A page or a public output shows each form for some object, or PowerShell's serializer can "
        "send it.",
        "It is not documented which forms the product sends. A client must support all of them.",
    ),
    Assumption(
        "branch-appliances",
        "A survivable branch appliance has a Registrar and no UserServer. It belongs to a branch site, whose object "
        "has no XmppFederationRoute. A branch server has the same form.",
        "The page configure-xmpp-gateway says that users on appliances have no XMPP. Planning pages list an "
        "appliance's roles. No page says this about branch servers, or shows the object of a branch site.",
    ),
    Assumption(
        "version-text",
        "Get-CsServerVersion returns 'PRODUCT (VERSION): Volume license key installed.'.",
        "The page shows the text with the build number in parentheses. Its other words vary.",
    ),
    # -- policies, partners, settings
    Assumption(
        "policy-names",
        "The name of a per-user policy can contain all characters except a colon, *, ? and control characters.",
        "This is not documented. The colon separates the scope, and wildcards would make -Filter ambiguous.",
    ),
    Assumption(
        "granted-policy-removal",
        "The removal of a per-user policy fails while a user has the policy, even with -Force.",
        "The pages do not describe this. Public reports mention a prompt or a warning.",
    ),
    Assumption(
        "partner-connection-limit",
        "The ConnectionLimit of a new partner is not set (null).",
        "No default is documented.",
    ),
    Assumption(
        "partner-domain-property",
        "A partner has its key in the properties Identity and Domain.",
        "Domain is documented only as a parameter of New-CsXmppAllowedPartner.",
    ),
    Assumption(
        "partner-domains",
        "A partner's domain must not be empty, longer than 255 characters, or contain spaces. No other checks are "
        "made.",
        "No check is documented. The collection has its own checks.",
    ),
    Assumption(
        "list-modifier-errors",
        "Set-CsXmppAllowedPartner fails if it adds a domain that is already in AdditionalDomains, or removes a domain "
        "that is not.",
        "This is not documented. It does not affect a client that sends only the difference.",
    ),
    Assumption(
        "list-modifier-replace",
        "Set-CsXmppAllowedPartner refuses Replace alone and plain lists for AdditionalDomains. With Add or Remove, "
        "Replace has no effect.",
        "Only Add, Remove and $null are documented. PowerShell itself accepts all three in one hashtable.",
    ),
    Assumption(
        "dialback-passphrase",
        "Get-CsXmppGatewayConfiguration returns DialbackPassphrase in clear text. The setting "
        "hide_dialback_passphrase hides it.",
        "This is not documented. With clear text, the lab can find clients that leak it.",
    ),
    Assumption(
        "access-edge-gaps",
        "If a property of the Access Edge configuration has no documented default, the lab has chosen a value.",
        "An installed server has some value.",
    ),
    # -- the directory
    Assumption(
        "domain-controllers",
        "There are two domain controllers. Without -DomainController, writes use the first, and reads use the "
        "controller in the setting read_controller.",
        "A server's choice depends on its site. The lab must choose a controller.",
    ),
    Assumption(
        "originating-server",
        "OriginatingServer of a user is the domain controller that answered.",
        "The page of the cmdlet has the property only in outputs, without an explanation.",
    ),
    Assumption(
        "real-size-users",
        "With the setting real_size_users, a user object has a hundred properties, about 10 kB.",
        "Public outputs show about as many properties. The size of an object on the wire is not documented.",
    ),
    Assumption(
        "user-identity-forms",
        "A user's identity is a SIP address, UPN, DOMAIN\\user, distinguished name or display name. An alias alone is "
        "not accepted.",
        "These forms are documented.",
    ),
    Assumption(
        "user-filters",
        "Get-CsUser -Filter accepts comparisons with -eq, -ne, -like and -notlike, joined by -and. A comparison of "
        "ExternalAccessPolicy with $null by -ne returns the users with a policy of their own. If the setting "
        "user_filters is off, every filter is refused.",
        "The complete filter language is a PowerShell expression. The page compares policies with $null. The lab "
        "assumes that -ne works for this property, too.",
    ),
    Assumption(
        "ldap-filters",
        "Get-CsUser -LdapFilter accepts memberOf, alone or with the rule for nested groups, and several of them in "
        "(&...). Names of groups are compared without case. A group that does not exist has no members. A filter that "
        "RFC 4515 does not allow is an error.",
        "The example on the page is a filter of two comparisons, without groups. Active Directory finds no users for "
        "an unknown group name.",
    ),
    Assumption(
        "grant-names",
        "Grant-CsExternalAccessPolicy accepts only the name of a per-user policy without prefix. It fails with 'tag:' "
        "or another scope.",
        "The page says that the name has no prefix, and that only per-user policies can be granted.",
    ),
    Assumption(
        "policy-of-a-user",
        "Get-CsUser returns ExternalAccessPolicy as a text, the policy's name without 'Tag:'.",
        "Examples on the page compare it with a name without prefix.",
    ),
    Assumption(
        "effective-policy-form",
        "Get-CsEffectivePolicy returns a site's policy as Site:NAME. With the setting odd_forms, it returns only NAME.",
        "The page shows Global, and the name of a per-user policy without prefix. It shows no policy of a site.",
    ),
    # -- the Edge
    Assumption(
        "edge-usages",
        "An Edge accepts certificates for AccessEdgeExternal, DataEdgeExternal, AudioVideoAuthentication, Internal "
        "and XmppServer. It refuses other types, and commands without -Type.",
        "Public scripts use these types on Edges.",
    ),
    Assumption(
        "initial-certificates",
        "After the installation, every type except XmppServer has a certificate of a private authority.",
        "The setup wizard asks for an internal and an external certificate on an Edge, and for a default certificate "
        "on a Front End.",
    ),
    Assumption(
        "certificate-unassigned",
        "Get-CsCertificate -Type returns nothing for a type without an assigned certificate. This is not an error.",
        "The page says that only assigned certificates are listed.",
    ),
    Assumption(
        "requested-names",
        "Request-CsCertificate uses the Access Edge as the subject, and the texts of -DomainName as further names.",
        "The page says that the subject comes from the topology, and that -DomainName accepts further names, "
        "separated by commas.",
    ),
    Assumption(
        "requested-keys",
        "A key from Request-CsCertificate stays on the computer. The services can read it, even if it is not "
        "exportable. The default of ClientEKU is false.",
        "About -PrivateKeyExportable, the page says only that the certificate can be copied.",
    ),
    Assumption(
        "request-file",
        "-Output writes the request as text (PEM). It fails if the directory does not exist.",
        "The page says only that it is the path of the request file.",
    ),
    Assumption(
        "answer-to-a-request",
        "If a certificate without key answers a request of this computer, Import-CsCertificate joins the certificate "
        "and the key. It keeps the friendly name of the request. Other certificates without key are refused.",
        "Windows does this for a pending request. The page mentions only the import of a certificate.",
    ),
    Assumption(
        "enterprise-authority",
        "A certification authority of the company issues certificates at once, for 365 days. If enterprise_ca_delay "
        "is set, -New ends without an error and without a certificate. Then -Retrieve gets the certificate when it is "
        "issued. An Edge is in a workgroup, so it needs -CaAccount and -CaPassword of the domain.",
        "The page describes the parameters, but not their effects.",
    ),
    Assumption(
        "intermediates-of-a-file",
        "Import-CsCertificate puts the further certificates of a file into the store of intermediates.",
        "This is not documented. The import of Windows does this.",
    ),
    Assumption(
        "network-service-key",
        "Without -PrivateKeyExportable:$true, the services cannot read the key. After a restart, they present no "
        "certificate.",
        "The page says that the switch allows Network Service to read the key. It does not describe the effect of its "
        "absence.",
    ),
    Assumption(
        "xmpp-service-names",
        "The Windows services of the XMPP gateway and the XMPP proxy have different names in each lab (setting "
        "service_suffix). The display names end in XMPP Translating Gateway and in XMPP Translating Gateway Proxy.",
        "The gateway's service is RTCXMPPTGW. The name of the proxy's service is not documented. Clients must find "
        "both by display name.",
    ),
    Assumption(
        "service-dependencies",
        "RTCMEDIARELAY depends on RTCMRAUTH, and RTCXMPPTGW depends on RTCSRV.",
        "The documentation says that Stop-CsWindowsService stops dependent services, but does not list them.",
    ),
    Assumption(
        "graceful-stop",
        "After a graceful stop, a service and its dependent services are Paused, until their sessions have ended "
        "(setting drain_seconds) or until a normal stop. Existing streams continue, and new streams are refused. With "
        "-NoWait, the call returns at once, unless drain_blocks is set. Without -NoWait, it returns when the sessions "
        "have ended.",
        "The page says that new requests are refused, and that the service stops after the existing requests. "
        "Administrators report the status Paused. The combination of -NoWait and -Graceful is not documented.",
    ),
    Assumption(
        "start-while-paused",
        "Start-CsWindowsService fails for a Paused service, and for a service that needs a Paused service. The error "
        "says that an instance is running.",
        "Windows refuses to start a service that has not stopped. The error of the cmdlet is not documented.",
    ),
    Assumption(
        "services-of-others",
        "-ComputerName accepts only the host itself.",
        "The lab has no second domain member with a shell.",
    ),
    Assumption(
        "services-by-remote-shell",
        "A Front End's remote shell offers Get-CsWindowsService for that Front End. With the setting "
        "services_at_doors, it also offers Start-CsWindowsService and Stop-CsWindowsService.",
        "The page view-service-status documents only Get- for remote use. It is UNVERIFIED whether Start- and Stop- "
        "are offered. Their pages mention RTCUniversalServerAdmins and a local session.",
    ),
    Assumption(
        "front-end-local-store",
        "Over WinRM of a Front End, cmdlets that read the Central Management Store also need -LocalStore.",
        "The session cannot pass its credentials to the database server (second hop), except with CredSSP.",
    ),
    Assumption(
        "edge-local-store",
        "On an Edge, cmdlets that read the Central Management Store need -LocalStore.",
        "An Edge is in the perimeter network, and cannot connect to the store.",
    ),
    Assumption(
        "local-store-current",
        "With -LocalStore, an Edge shows the current configuration. If its replica is stuck, it shows the "
        "configuration from that time.",
        "The lab keeps one configuration, and a copy for replicas that are stuck.",
    ),
    Assumption(
        "replication",
        "A change reaches the replicas automatically after replication_seconds. Invoke-CsManagementStoreReplication "
        "creates an update, like a change. Until replication_notice has passed, UpToDate stays true. "
        "LastUpdateCreation is the creation time of the replica's last update.",
        "On real servers, this takes two to three minutes. The page does not say when the status changes.",
    ),
    Assumption(
        "replication-push",
        "Invoke-CsManagementStoreReplication deletes the status of the replicas. For half of status_empty_seconds, a "
        "replica has no status. Then it has a status without LastUpdateCreation and ProductVersion, which is not up "
        "to date, until it has the copy.",
        "The page says that the status is deleted and a full copy starts. It does not describe the status in the "
        "meantime. The lab shows both possibilities, one after the other.",
    ),
    Assumption(
        "store-status-form",
        "-CentralManagementStoreStatus returns the master, the file transfer agent, their heartbeats and the "
        "replicas, as ActiveMasterFqdn and similar properties.",
        "The page describes the content, but not the properties.",
    ),
    Assumption(
        "site-routes",
        "A route of a site is empty, or the identity of an existing Edge service. Null and empty texts remove the "
        "route. Set-CsSite works in the remote shell. It needs the site's name without prefix, and fails without a "
        "name.",
        "The page shows the form, and says not to write 'site:'. It does not say how to remove a route.",
    ),
    Assumption(
        "service-version-numbers",
        "Version of Get-CsService is 6 for Lync Server 2013, 7 for Skype for Business Server 2015, and 8 for 2019.",
        "The page does not explain the number.",
    ),
    Assumption(
        "export-file",
        "Export-CsConfiguration writes to an existing directory of the server, also in its remote shell. It replaces "
        "an existing file.",
        "The page mentions only a path.",
    ),
    # -- the XMPP gateway
    Assumption(
        "gateway-route",
        "An Edge pool carries XMPP while the XMPP federation route of at least one site leads to the pool. Messages "
        "of local users leave from the pool of their site's route. If the site has no route, they leave from the pool "
        "of the first site with a route. A new route takes effect at once. With the setting route_at_restart, it "
        "takes effect when the gateway service of the site's Front Ends starts.",
        "It is not documented whether a site without a route uses another site's route, or when a gateway uses a new "
        "route. The initial deployment has a site of each kind.",
    ),
    Assumption(
        "gateway-legacy-homes",
        "A user has no XMPP if the user is not enabled, or is homed online or on a pool of 2019.",
        "The page on coexistence says that 2019 does not have the feature. The result of a message to such a user is "
        "not documented.",
    ),
    Assumption(
        "gateway-sip-lists",
        "If a partner's domain is an allowed or blocked domain of SIP federation, no messages are exchanged with the "
        "partner.",
        "The pages say that a domain must first be removed from the allowed domains, and that messages of blocked "
        "domains are rejected.",
    ),
    Assumption(
        "gateway-stale-replica",
        "While a replica of the Front End or of an Edge is stuck, the federation uses the configuration from that "
        "time.",
        "Every real server uses its own replica. The lab has one gateway for all servers.",
    ),
    Assumption(
        "gateway-front-end-service",
        "While RTCXMPPTGW is stopped on the Front End, the Edges refuse streams, and no messages are sent.",
        "The proxy on the Edge only forwards to the gateway. Its own answers are not documented.",
    ),
    Assumption(
        "gateway-mutual-tls",
        "If the internal certificate of an Edge has expired, no messages pass between the Edge and the Front Ends. If "
        "the default certificate of a Front End has expired, no messages pass between the Front End and the Edges.",
        "The page on ports says XMPP/MTLS for TCP 23456, so both certificates must be valid. The effect of an invalid "
        "certificate is UNVERIFIED.",
    ),
    Assumption(
        "gateway-next-hop",
        "Streams from partners need the gateway service on a Front End of the Edge pool's next hop (Registrar of "
        "Get-CsService). Messages of local users need the service on a Front End of their own pool. If the lab has no "
        "server of that pool, it uses the first site's Front Ends.",
        "The pages describe the next hop of an Edge pool. It is not documented which Front End's gateway serves which "
        "user.",
    ),
    Assumption(
        "gateway-policies-at-once",
        "A granted policy takes effect for messages as soon as one domain controller has the grant.",
        "The real gateway reads it from a user database, which follows the directory after an undocumented time.",
    ),
    Assumption(
        "gateway-unnamed-peers",
        "If a peer's header has no 'from', TLS is offered. The peer is checked by the name that it authenticates "
        "with. A header without 'to' is answered. Then a dialback key or SASL selects the own domain.",
        "In RFC 6120, 'from' is optional. In RFC 3920, both are optional. The product's behavior is not documented.",
    ),
    Assumption(
        "gateway-public-roots",
        "In addition to its own Root store, an Edge trusts the lab's public authority.",
        "Windows downloads public roots when it needs them.",
    ),
    Assumption(
        "gateway-extended-key-usage",
        "A partner's certificate is valid without an extended key usage. With an extended key usage, it must contain "
        "client authentication if the partner opens the stream, and server authentication if the partner accepts the "
        "stream.",
        "The product's behavior is not documented. This is the stricter possibility.",
    ),
    Assumption(
        "gateway-mutual-authentication",
        "On an outgoing stream, SASL EXTERNAL is tried only if the partner's certificate is valid. Dialback inside "
        "TLS accepts every certificate.",
        "The documentation describes EXTERNAL as mutual TLS authentication, and dialback as the fallback if a "
        "certificate cannot be validated.",
    ),
    Assumption(
        "gateway-clear-after-tls",
        "If TLS with a partner fails and TlsNegotiation is Optional, the gateway connects again in clear text, if the "
        "settings allow dialback there.",
        "Microsoft's table lists dialback over clear TCP for these settings. It is not documented whether a gateway "
        "tries it after a TLS failure. So the probe reports unknown.",
    ),
    Assumption(
        "gateway-verify-security",
        "The gateway verifies a partner's dialback key only on a stream on which the partner's settings allow "
        "dialback.",
        "If the settings require TLS, the gateway should not answer in clear text. XEP-0220 leaves this to the server.",
    ),
    Assumption(
        "gateway-dialback-secret",
        "Without DialbackPassphrase, the Edges share a secret that the lab generates.",
        "No default is documented, and dialback is on by default.",
    ),
    Assumption(
        "gateway-proxy-fqdn",
        "If ProxyFqdn is set, the gateway connects to this host on port 5269, by its address record. It does not use "
        "the domain's SRV record.",
        "The page says only that it is the FQDN of the partner's proxy.",
    ),
    Assumption(
        "gateway-revoked-streams",
        "When a partner is removed, its open streams end. With the setting revoked_streams_stay, they stay open and "
        "accept messages until the proxy restarts.",
        "This is not documented. Both are possible.",
    ),
    Assumption(
        "gateway-limits",
        "The connection limits count the incoming streams of all Edges together. A partner's streams count after "
        "authentication. A partner's own ConnectionLimit replaces PartnerConnectionLimit.",
        "The pages do not say what the limits count. If streams counted before authentication, strangers could use up "
        "a partner's limit.",
    ),
    Assumption(
        "gateway-timeouts",
        "All received bytes, including keep-alives, reset StreamInactivityTimeout. For outgoing streams, sent bytes "
        "reset it.",
        "Only this matches the defaults: 300 s between keep-alives and 600 s of inactivity.",
    ),
    Assumption(
        "gateway-conditions",
        "The lab has chosen the error condition for each refused stream or stanza.",
        "The conditions are standard. The product's use of them is not documented.",
    ),
    Assumption(
        "gateway-contacts",
        "A local user who sends a message to a partner's user has that user as a contact.",
        "The lab has no clients, and PublicUnverified needs contacts.",
    ),
    Assumption(
        "test-credential",
        "Test-CsXmppIM reports a failure if -UserCredential and -UserSipAddress are not of the same user. The "
        "password of every lab user is Lab-user-1.",
        "The page says that both must be the same account.",
    ),
    Assumption(
        "test-users",
        "Without -UserCredential, Test-CsXmppIM sends as the pool's first test user, or as the test user in "
        "-UserSipAddress. If the pool has no such test user, it writes an error.",
        "The page says that it uses the pool's test users. It does not say which test user, or what happens without "
        "test users.",
    ),
    # -- what an Edge sees
    Assumption(
        "edge-dns",
        "Resolve-DnsName writes DNS_ERROR_RCODE_NAME_ERROR for a name that does not exist. For a name with only other "
        "records, it returns the zone's SOA record, with the section Authority.",
        "The page does not list errors. Public records of the cmdlet show these ids.",
    ),
    Assumption(
        "edge-connection-test",
        "If Test-NetConnection -Port cannot connect, it still returns an object, with TcpTestSucceeded false. Then it "
        "pings the address.",
        "The page shows only successful results. Public records show that it pings afterwards, and takes 20 s or more.",
    ),
    Assumption(
        "edge-event-log",
        "The log 'Lync Server' of an Edge has the events of the XMPP proxy, also in Skype for Business Server 2015. "
        "The provider is 'LS XMPP Translating Gateway Proxy'. Numbers and texts of the events are the lab's.",
        "The page 'Setting up XMPP federation in Lync Server 2013' mentions the log, but not its providers and events.",
    ),
    Assumption(
        "test-xmpp-im",
        "Test-CsXmppIM reports success if the partner's server has accepted the message. TaskOutput has Error and "
        "Diagnosis.",
        "The page shows only the printed form.",
    ),
)


def as_text() -> str:
    """Return the table as reStructuredText. docs/docsite/rst/lab_assumptions.rst contains a copy."""
    entries = sorted(ASSUMPTIONS, key=lambda entry: entry.key)
    return "".join("%s\n  %s\n\n  Why: %s\n\n" % (e.key, _escaped(e.statement), _escaped(e.why)) for e in entries)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("`", "\\`").replace("|", "\\|")
