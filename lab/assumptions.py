# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that the lab had to decide because no public documentation states it.

Nothing here was tried on a real server. Each entry is named in the code where it is applied, ``rests_on(KEY)``; a
test keeps both in step. What has no such mark follows the pages that contract.yml names. Where a client must not depend
on the kinder possibility, the lab chose the stricter one.

What a statement rests on is in its event. SFB_LAB_ASSUMED names a file to which a lab writes every key that it comes to
rest on, a line each, for whoever wants to know what a test rests on.
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
_noted: dict[str, float] = {}  # key -> when it was written last
_lock = threading.Lock()
_OFTEN = 0.02  # seconds in which a key is written once: what polls would write it all the time


def rests_on(key: str) -> None:
    """Say that what the lab does here is an assumption."""
    used = _statement.get()
    if used is not None:
        if key in used:
            return
        used.add(key)
    _note(key)


@contextlib.contextmanager
def statement() -> t.Iterator[set[str]]:
    """Collects what the block rests on."""
    used: set[str] = set()
    token = _statement.set(used)
    try:
        yield used
    finally:
        _statement.reset(token)


def forget() -> None:
    """Write every key anew, for a test that begins in this process."""
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
    """One decision. statement: what the lab does; why: why this and not something else."""

    key: str
    statement: str
    why: str


ASSUMPTIONS = (
    # -- binding and the shell
    Assumption(
        "strict-texts",
        "A text parameter takes texts, numbers and Booleans; hashtables and secure strings are refused.",
        "PowerShell would turn them into their type's name, which nobody wants in a configuration. Lists and bytes it "
        "refuses itself.",
    ),
    Assumption(
        "null-values",
        "Numbers, Booleans, choices, dates and mandatory parameters refuse $null; a text takes it and is then not set.",
        "The pages name $null for PolicyName and AdditionalDomains only.",
    ),
    Assumption(
        "default-sets",
        "The default parameter set is Identity where there is one (Thumbprint of Set-CsCertificate, Local of Import-).",
        "The pages list the sets without saying which is the default; the examples fit this.",
    ),
    Assumption(
        "prompting-cmdlets",
        "Every Remove-Cs cmdlet, Set- and Import-CsCertificate and Stop-CsWindowsService ask for confirmation unless "
        "-Confirm:$false or -Force is given, and fail because nobody can answer.",
        "Public scripts pass -Confirm:$false to them; which cmdlets really ask is not documented.",
    ),
    Assumption(
        "error-texts",
        "Texts and ids of the product's own errors are the lab's. What does not exist or exists already is an error "
        "that the cmdlet writes; all others are terminating.",
        "The pages describe when a cmdlet fails, not with which words, nor whether the error is terminating.",
    ),
    Assumption(
        "one-statement",
        "With the setting one_statement, a pipeline of several statements fails, and nothing of it is carried out.",
        "Public records show endpoints that take several; how one answers that does not is not recorded.",
    ),
    Assumption(
        "full-answers",
        "An answer to Receive waits up to 10 ms for each further object, until it is full or the pipeline has ended.",
        "How a server cuts a long output is not documented; this way the number of answers follows from its length.",
    ),
    Assumption(
        "no-scripts",
        "Script text is refused everywhere, on Edges too.",
        "A Front End's endpoint is in no-language mode; the lab has no PowerShell language for the Edges.",
    ),
    Assumption(
        "no-autoload",
        "On an Edge the product's cmdlets are unknown until its module was imported in the session.",
        "Module autoloading depends on the search path of the server; a client that imports works in both cases.",
    ),
    Assumption(
        "endpoint-cmdlets",
        "A Front End's remote shell offers Get-Command, Get-FormatData, Get-Help, Measure-Object, Out-Default and "
        "Select-Object beside the product's cmdlets.",
        "They belong to every restricted session of PowerShell; no page says which this endpoint has. "
        "Its Select-Object is the proxy that PowerShell has for restricted sessions, which takes eleven names of "
        "properties; the setting restricted_select says on which servers. The setting select_object takes it away "
        "everywhere.",
    ),
    Assumption(
        "select-names",
        "Select-Object -Property takes plain names of properties only, on Edges too.",
        "A restricted session takes no calculated properties; the lab has no PowerShell language, nor wildcards here.",
    ),
    Assumption(
        "view-only-role",
        "CsViewOnlyAdministrator has every Get- cmdlet; all others are unknown to it.",
        "The pages name the role without listing its cmdlets.",
    ),
    Assumption(
        "user-administrator-role",
        "CsUserAdministrator has Get-CsUser, Get-CsEffectivePolicy, Get-CsExternalAccessPolicy and "
        "Grant-CsExternalAccessPolicy; of what concerns XMPP nothing else.",
        "The page on RBAC says that it assigns policies that exist, and cannot change them. It lists no cmdlets.",
    ),
    Assumption(
        "custom-role",
        "A role that was made with the four cmdlets of XMPP partners has these, and PowerShell's own.",
        "New-CsAdminRole takes -Template and, since 2013, -Cmdlets; which combinations it accepts is not said.",
    ),
    # -- how objects look
    Assumption(
        "enum-numbers",
        "The numbers behind enumerations follow the order of their documented names.",
        "Only the names are documented; clients should use the text.",
    ),
    Assumption(
        "list-shapes",
        "A list property arrives as a list, whatever its length, and an enumeration in a property as a text. With the "
        "setting reported_forms a list arrives as null when empty and as a single text when it has one entry, and an "
        "enumeration as an object.",
        "PowerShell's serializer sends the former. Public scripts report the latter; a client has to cope with each.",
    ),
    Assumption(
        "extra-properties",
        "Configuration objects carry Key, Anchor, Element and ScopeClass beside the documented properties.",
        "Real objects carry more than is documented; the lab makes sure that nobody trips over it.",
    ),
    Assumption(
        "servers-in-utc",
        "Servers keep their clocks in UTC, and dates arrive as UTC.",
        "It keeps the lab's dates free of the time zone of the machine it runs on.",
    ),
    Assumption(
        "odd-forms",
        "With the setting odd_forms objects come in forms that a page or a public output shows for some object, or "
        "that PowerShell's serializer can send: a policy as an object, empty texts, missing properties, $null.",
        "Which of them the product sends is not documented; a client has to cope with each.",
    ),
    Assumption(
        "branch-appliances",
        "A survivable branch appliance has a Registrar and no UserServer, and belongs to a branch site, whose object "
        "has no XmppFederationRoute. A branch server is like an appliance.",
        "configure-xmpp-gateway says that users on appliances have no XMPP; planning pages name an appliance's roles. "
        "No page says it of branch servers, or shows the object of a branch site.",
    ),
    Assumption(
        "version-text",
        "Get-CsServerVersion answers 'PRODUCT (VERSION): Volume license key installed.'.",
        "The page shows the text with the build number in parentheses; the words around it vary.",
    ),
    # -- policies, partners, settings
    Assumption(
        "policy-names",
        "The name of a per-user policy may hold anything but a colon, *, ? and control characters.",
        "The colon separates the scope; wildcards would make -Filter ambiguous. Nothing is documented.",
    ),
    Assumption(
        "granted-policy-removal",
        "Removing a per-user policy that is granted to somebody fails, with -Force too.",
        "The pages are silent; public reports speak of a prompt or a warning.",
    ),
    Assumption(
        "partner-connection-limit",
        "The ConnectionLimit of a new partner is not set (null).",
        "No default is documented.",
    ),
    Assumption(
        "partner-domain-property",
        "A partner shows its key as Identity and as Domain.",
        "Domain is documented as a parameter of New- only.",
    ),
    Assumption(
        "partner-domains",
        "A partner's domain may not be empty, longer than 255 characters, or hold blanks; nothing else is checked.",
        "No check is documented; the collection has its own.",
    ),
    Assumption(
        "list-modifier-errors",
        "Adding a domain that is in AdditionalDomains fails, and so does removing one that is not.",
        "Not documented; a client that sends the difference only never meets it.",
    ),
    Assumption(
        "list-modifier-replace",
        "Set-CsXmppAllowedPartner refuses Replace alone and plain lists for AdditionalDomains. Beside Add or Remove, "
        "Replace has no effect.",
        "Only Add, Remove and $null are documented. PowerShell itself takes all three in one hashtable.",
    ),
    Assumption(
        "dialback-passphrase",
        "Get-CsXmppGatewayConfiguration returns DialbackPassphrase in clear (hide_dialback_passphrase hides it).",
        "Not documented; clear text is the case in which a client could leak it.",
    ),
    Assumption(
        "access-edge-gaps",
        "Properties of the Access Edge configuration without a documented default have one of the lab's choice.",
        "An installed server shows some value.",
    ),
    # -- the directory
    Assumption(
        "domain-controllers",
        "There are two; writes go to the first unless told otherwise, reads to the one in the setting read_controller.",
        "Which one a server chooses depends on the site; the lab has to choose one.",
    ),
    Assumption(
        "originating-server",
        "OriginatingServer of a user is the domain controller that answered.",
        "The property is on the page of the cmdlet in outputs only, without a word on what it is.",
    ),
    Assumption(
        "real-size-users",
        "With the setting real_size_users an object of a user has a hundred properties, some 10 kB.",
        "Public outputs show about so many; how large an object is on the wire is not documented.",
    ),
    Assumption(
        "user-identity-forms",
        "A user is found by SIP address, UPN, DOMAIN\\user, distinguished name or display name, not by a bare alias.",
        "These are the documented forms.",
    ),
    Assumption(
        "user-filters",
        "Get-CsUser -Filter understands comparisons with -eq, -ne, -like, -notlike joined by -and. A comparison of "
        "ExternalAccessPolicy with $null by -ne gives those who have a policy of their own. With the setting "
        "user_filters off, a filter is refused.",
        "The whole filter language is a PowerShell expression. The page compares policies with $null; that -ne works "
        "for this property follows by analogy.",
    ),
    Assumption(
        "ldap-filters",
        "Get-CsUser -LdapFilter understands memberOf, alone or with the rule for nested groups, several in (&...). "
        "Names of groups are compared without case. A group that does not exist has no members. A filter that RFC 4515 "
        "does not allow is an error.",
        "The page gives a filter of two comparisons as its example and does not mention groups. That a name of nothing "
        "finds nobody is how Active Directory compares names.",
    ),
    Assumption(
        "grant-names",
        "Grant-CsExternalAccessPolicy takes the bare name of a per-user policy; with 'tag:' or another scope it fails.",
        "The page says without the prefix, and that only per-user policies can be granted.",
    ),
    Assumption(
        "policy-of-a-user",
        "Get-CsUser shows ExternalAccessPolicy as a text, the policy's name without 'Tag:'.",
        "Examples of the page compare it with a bare name.",
    ),
    Assumption(
        "effective-policy-form",
        "Get-CsEffectivePolicy shows a site's policy as Site:NAME; with the setting odd_forms by its bare name.",
        "The page shows Global and the bare name of a per-user policy, and no policy of a site.",
    ),
    # -- the Edge
    Assumption(
        "edge-usages",
        "An Edge takes certificates for AccessEdgeExternal, DataEdgeExternal, AudioVideoAuthentication, Internal and "
        "XmppServer; other types are refused, and so is a missing -Type.",
        "Public scripts use these on Edges.",
    ),
    Assumption(
        "initial-certificates",
        "After the installation everything but XmppServer has a certificate, of a private authority.",
        "The setup wizard of an Edge asks for an internal and an external one, that of a Front End for a default one.",
    ),
    Assumption(
        "certificate-unassigned",
        "Get-CsCertificate -Type with a type to which nothing is assigned returns nothing and is no error.",
        "The page says that only assigned certificates are listed.",
    ),
    Assumption(
        "requested-names",
        "Request-CsCertificate names the Access Edge as the subject, and the texts of -DomainName as further names.",
        "The page says that the subject comes from the topology, and that -DomainName takes further names with commas.",
    ),
    Assumption(
        "requested-keys",
        "A key that Request-CsCertificate makes stays with the computer, and the services can read it whether or not "
        "it may be exported. ClientEKU is false unless given.",
        "The page says of -PrivateKeyExportable only that the certificate can be copied.",
    ),
    Assumption(
        "request-file",
        "-Output writes the request as text (PEM), and fails where the directory is missing.",
        "The page calls it the path of the request file.",
    ),
    Assumption(
        "answer-to-a-request",
        "Import-CsCertificate of a certificate without key that answers a request of this computer joins both, under "
        "the friendly name of the request. Any other certificate without key is refused.",
        "Windows does so for a pending request; the page speaks of importing a certificate only.",
    ),
    Assumption(
        "enterprise-authority",
        "A certification authority of the company issues at once, for 365 days, unless enterprise_ca_delay is set: "
        "then -New ends without an error and without a certificate, and -Retrieve fetches it when it is issued. "
        "An Edge, being in a workgroup, needs -CaAccount and -CaPassword of the domain.",
        "The page describes the parameters, not their course.",
    ),
    Assumption(
        "intermediates-of-a-file",
        "Import-CsCertificate puts the further certificates of a file into the store of intermediates.",
        "Not documented; Windows' own import does so.",
    ),
    Assumption(
        "network-service-key",
        "Without -PrivateKeyExportable:$true the services cannot read the key: after a restart they present nothing.",
        "The page says that the switch lets Network Service read the key, not what happens without it.",
    ),
    Assumption(
        "xmpp-service-names",
        "The Windows services of the XMPP gateway and the XMPP proxy have other names in each lab "
        "(the setting service_suffix). The display names end in XMPP Translating Gateway, and in the same with Proxy.",
        "The gateway's is RTCXMPPTGW. The name of the proxy's service is not documented; find both by display name.",
    ),
    Assumption(
        "service-dependencies",
        "RTCMEDIARELAY depends on RTCMRAUTH, and RTCXMPPTGW on RTCSRV.",
        "Stop- is documented to stop dependents; which there are is not.",
    ),
    Assumption(
        "graceful-stop",
        "A service that is stopped gracefully, and what depends on it, is Paused as long as its sessions last (the "
        "setting drain_seconds) or until a plain stop. Streams that it has go on meanwhile, and it takes no new one. "
        "The call returns at once with -NoWait (unless drain_blocks is set), and without it when the sessions have "
        "ended.",
        "The page says that new requests are refused and that the service shuts down when the existing ones are "
        "filled. Paused is what administrators report. How -NoWait and -Graceful go together is not documented.",
    ),
    Assumption(
        "start-while-paused",
        "Start-CsWindowsService of a service that is Paused, or that needs one, is an error: an instance is running.",
        "Windows refuses to start a service that has not stopped. What the cmdlet says then is not documented.",
    ),
    Assumption(
        "services-of-others",
        "-ComputerName takes the host itself only.",
        "The lab has no second domain member with a shell.",
    ),
    Assumption(
        "services-by-remote-shell",
        "A Front End's remote shell offers Get-CsWindowsService for that Front End. With the setting services_at_doors "
        "it offers Start- and Stop-CsWindowsService too.",
        "Only Get- is documented as working remotely (view-service-status page). Whether Start- and Stop- are offered "
        "is UNVERIFIED: their pages name RTCUniversalServerAdmins and a local session.",
    ),
    Assumption(
        "front-end-local-store",
        "Through WinRM of a Front End, too, cmdlets that read the Central Management Store need -LocalStore.",
        "The session cannot pass its credentials on to the database server (second hop), unless CredSSP is set up.",
    ),
    Assumption(
        "edge-local-store",
        "On an Edge, cmdlets that read the Central Management Store need -LocalStore.",
        "An Edge stands in the perimeter and reaches no store.",
    ),
    Assumption(
        "local-store-current",
        "With -LocalStore an Edge shows the present configuration, or if its replica is stuck, what it was then.",
        "The lab keeps one configuration, and a copy for replicas that are stuck.",
    ),
    Assumption(
        "replication",
        "A change reaches the replicas by itself after replication_seconds; Invoke- makes an update as a change does. "
        "UpToDate stays true for replication_notice first. LastUpdateCreation is when the update that a replica has "
        "was made.",
        "The real thing takes two to three minutes and is the same in kind. The page does not say how soon the status "
        "follows.",
    ),
    Assumption(
        "replication-push",
        "Invoke- deletes the status of the replicas: for half of status_empty_seconds a replica has no row, then one "
        "without LastUpdateCreation and ProductVersion that is not up to date, until it has the copy.",
        "The page says that the status is deleted and a full copy starts, not what the status shows in between; both "
        "possibilities are there, one after the other.",
    ),
    Assumption(
        "store-status-form",
        "-CentralManagementStoreStatus answers with the master, the file transfer agent, their heartbeats and the "
        "replicas, as ActiveMasterFqdn and so on.",
        "The page describes what it says, not the properties.",
    ),
    Assumption(
        "site-routes",
        "A route of a site is the identity of an Edge service that there is, or empty; null and empty texts clear it. "
        "Set-CsSite works in the remote shell, needs the bare name, and fails without one.",
        "The page shows the form and says not to write 'site:'; it does not say how a route is taken away.",
    ),
    Assumption(
        "service-version-numbers",
        "Version of Get-CsService is 6 for Lync Server 2013, 7 for Skype for Business Server 2015, 8 for 2019.",
        "The page does not explain the number.",
    ),
    Assumption(
        "export-file",
        "Export-CsConfiguration writes to an existing directory of the server, also in its remote shell, and replaces "
        "a file that is there.",
        "The page names a path and nothing else.",
    ),
    # -- the XMPP gateway
    Assumption(
        "gateway-route",
        "An Edge pool carries XMPP while the XMPP federation route of at least one site leads to it. Messages of local "
        "users leave from the pool of their own site's route, or of the first site with a route. A new route takes "
        "effect at once; with the setting route_at_restart when the gateway service of the site's Front Ends starts.",
        "Neither whether a site without a route uses another's nor when a gateway takes a new route is documented; the "
        "seed has a site of each kind.",
    ),
    Assumption(
        "gateway-legacy-homes",
        "A user who is not enabled, is homed online or on a pool of 2019 has no XMPP.",
        "The page on coexistence says that the feature is not in 2019; what a message to such a user meets is not "
        "documented.",
    ),
    Assumption(
        "gateway-sip-lists",
        "A partner whose domain is on the list of allowed or blocked domains of SIP federation exchanges no messages.",
        "The pages say that a domain has to leave the list of allowed ones first, and that messages of blocked ones "
        "are rejected.",
    ),
    Assumption(
        "gateway-stale-replica",
        "While a replica of the Front End or of an Edge is stuck, the federation follows the configuration of then.",
        "Every server follows its own replica; the lab has one gateway for all of them.",
    ),
    Assumption(
        "gateway-front-end-service",
        "While RTCXMPPTGW is stopped on the Front End, the Edges refuse streams and nothing is sent.",
        "The proxy on the Edge only passes on to it; what it answers alone is not documented.",
    ),
    Assumption(
        "gateway-mutual-tls",
        "While the internal certificate of an Edge has expired, nothing passes between it and the Front Ends; while "
        "the default certificate of a Front End has, nothing passes between that and the Edges.",
        "The ports page says XMPP/MTLS for TCP 23456, so both certificates must be valid. What the services do with "
        "one that is not is UNVERIFIED.",
    ),
    Assumption(
        "gateway-next-hop",
        "Streams from partners need the gateway service on a Front End of the Edge pool's next hop (Registrar of "
        "Get-CsService), messages of local users need it on one of their own pool. Where the lab has no server of that "
        "pool, the first site's Front Ends serve.",
        "The pages name the next hop of an Edge pool; which Front End's gateway serves which user is not documented.",
    ),
    Assumption(
        "gateway-policies-at-once",
        "A granted policy decides about messages as soon as any domain controller has the grant.",
        "The real gateway learns it from a user database that follows the directory after an undocumented time.",
    ),
    Assumption(
        "gateway-unnamed-peers",
        "A peer whose header has no 'from' is offered TLS and checked by the name that it authenticates as. A header "
        "without 'to' is answered; a dialback key, or SASL, then says which of the own domains is meant.",
        "RFC 6120 lets 'from' be absent, RFC 3920 both of them; what the product does is not documented.",
    ),
    Assumption(
        "gateway-public-roots",
        "Beside its own Root store an Edge trusts the lab's public authority.",
        "Windows fetches public roots when it needs them.",
    ),
    Assumption(
        "gateway-extended-key-usage",
        "A partner's certificate is good without an extended key usage; with one, it must name client "
        "authentication when the partner opens the stream and server authentication when it takes it.",
        "How the product treats this is not documented; this is the stricter possibility.",
    ),
    Assumption(
        "gateway-mutual-authentication",
        "SASL EXTERNAL is tried on an outgoing stream only if the partner's certificate is good; dialback inside "
        "TLS takes any certificate.",
        "EXTERNAL is described as mutual TLS authentication, dialback as the fallback when a certificate cannot be "
        "validated.",
    ),
    Assumption(
        "gateway-clear-after-tls",
        "If TLS with a partner fails and TlsNegotiation is Optional, the gateway connects again in clear where the row "
        "allows dialback there.",
        "Microsoft's table lists dialback over clear TCP for these rows. Whether a gateway tries it after TLS failed "
        "is not documented, so the probe says unknown.",
    ),
    Assumption(
        "gateway-verify-security",
        "A partner may have a dialback key verified only on a stream on which its row would allow dialback.",
        "A row that requires TLS should not be served in clear; XEP-0220 leaves it to the server.",
    ),
    Assumption(
        "gateway-dialback-secret",
        "Without DialbackPassphrase the Edges share a secret of the lab's own.",
        "No default is documented, and dialback is on by default.",
    ),
    Assumption(
        "gateway-proxy-fqdn",
        "ProxyFqdn is the host that is connected to on port 5269, by its address record, instead of the domain's "
        "SRV record.",
        "The page calls it the FQDN of the partner's proxy and says no more.",
    ),
    Assumption(
        "gateway-revoked-streams",
        "When a partner is removed its open streams end; with the setting revoked_streams_stay they live, and take "
        "messages, until the proxy restarts.",
        "Not documented; either may be true.",
    ),
    Assumption(
        "gateway-limits",
        "The connection limits count incoming streams of all Edges together; those of a partner count once "
        "authenticated, and its own ConnectionLimit takes the place of PartnerConnectionLimit.",
        "The pages name the limits without saying what they count; otherwise anybody could use up a partner's share.",
    ),
    Assumption(
        "gateway-timeouts",
        "Any byte received, keep-alives included, counts against StreamInactivityTimeout; outgoing streams count "
        "what they send.",
        "The defaults, 300 s between keep-alives and 600 s of inactivity, fit this only.",
    ),
    Assumption(
        "gateway-conditions",
        "Which error condition a refused stream or stanza is answered with is the lab's choice.",
        "The conditions are standard, the product's use of them is not documented.",
    ),
    Assumption(
        "gateway-contacts",
        "A local user who sends a message to a user of a partner has that user as a contact.",
        "The lab has no clients, and PublicUnverified needs contacts.",
    ),
    Assumption(
        "test-credential",
        "Test-CsXmppIM reports a failure where -UserCredential is not that of -UserSipAddress. The password of every "
        "user of the lab is Lab-user-1.",
        "The page says that both have to be the same account.",
    ),
    Assumption(
        "test-users",
        "Without -UserCredential, Test-CsXmppIM sends as the pool's first test user, or as the one that "
        "-UserSipAddress names; where the pool has no such test user it writes an error.",
        "The page says that the pool's test users are taken, not which of the two, nor what happens without them.",
    ),
    # -- what an Edge sees
    Assumption(
        "edge-dns",
        "Resolve-DnsName writes DNS_ERROR_RCODE_NAME_ERROR for a name that does not exist. For a name with other "
        "records it returns the zone's SOA record, with the section Authority.",
        "The page does not list errors. The ids are those that public records of the cmdlet show.",
    ),
    Assumption(
        "edge-connection-test",
        "Test-NetConnection -Port returns an object also where it cannot connect, with TcpTestSucceeded false, and "
        "then pings the address.",
        "The page shows results that succeed. Public records show that it pings afterwards and takes 20 s or more.",
    ),
    Assumption(
        "edge-event-log",
        "The log 'Lync Server' of an Edge has the events of the XMPP proxy, also in Skype for Business Server 2015. "
        "The provider is 'LS XMPP Translating Gateway Proxy'. Numbers and texts of the events are the lab's.",
        "The page 'Setting up XMPP federation in Lync Server 2013' names the log, and not its providers and events.",
    ),
    Assumption(
        "test-xmpp-im",
        "Test-CsXmppIM reports success when the partner's server has taken the message; TaskOutput has Error and "
        "Diagnosis.",
        "The page shows the printed form only.",
    ),
)


def as_text() -> str:
    """The table as reStructuredText, which reads as it stands. docs/docsite/rst/lab_assumptions.rst holds a copy."""
    entries = sorted(ASSUMPTIONS, key=lambda entry: entry.key)
    return "".join("%s\n  %s\n\n  Why: %s\n\n" % (e.key, _escaped(e.statement), _escaped(e.why)) for e in entries)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("`", "\\`").replace("|", "\\|")
