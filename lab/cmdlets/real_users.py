# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the properties of Get-CsUser that the lab does not keep. A user then has a hundred properties, about 10 kB.

The names are from public outputs of the cmdlet and from the attributes of Active Directory. Most properties are empty
for most users. Addresses, groups and certificates make up most of the size.
"""

from __future__ import annotations

import hashlib
import typing as t

from psrpcore.types import PSList

_POLICIES = (
    "ConferencingPolicy", "ClientPolicy", "ClientVersionPolicy", "ArchivingPolicy", "PinPolicy", "PresencePolicy",
    "MobilityPolicy", "LocationPolicy", "DialPlan", "VoicePolicy", "VoiceRoutingPolicy", "HostedVoicemailPolicy",
    "HostedVoiceMail", "UserServicesPolicy", "ExperiencePolicy", "PersistentChatPolicy", "SmsServicePolicy", "TenantId",
    "ExternalUserCommunicationPolicy", "ThirdPartyVideoSystemPolicy", "CallerIdPolicy", "CallViaWorkPolicy",
    "GraphPolicy", "InterpretedUserType", "LegalInterceptPolicy", "LineServerURI", "NameRecordingPolicy", "PrivateLine",
    "TeamsUpgradePolicy", "OnlineDialinConferencingPolicy", "OnlineVoicemailPolicy", "ConferencingRoutingPolicy",
)  # fmt: skip
_SWITCHES = (
    "AudioVideoDisabled", "IPPBXSoftPhoneRoutingEnabled", "RemoteCallControlTelephonyEnabled", "EnabledForFederation",
    "EnabledForInternetAccess", "PublicNetworkEnabled", "EnabledForRichPresence", "ExchangeArchivingPolicy",
    "DoNotNormalize", "IsBvUser", "ExUmEnabled", "SipProxyAddressEnabled",
)  # fmt: skip
_TEXTS = {
    "Company": "Contoso", "Department": "Research", "Office": "Building 7, Room 1123", "Title": "Engineer",
    "City": "Redmond", "CountryAbbreviation": "US", "CountryOrRegionDisplayName": "USA", "PostalCode": "98052",
    "StreetAddress": "1 Contoso Way", "StateOrProvince": "WA", "Phone": "+1 425 555 0100", "MobilePhone": "",
    "WebPage": "", "Fax": "", "HomePhone": "", "PreferredLanguage": "en-US", "ObjectState": "Unchanged",
    "ObjectCategory": "contoso.test/Configuration/Schema/Person", "WhenCreated": "2013-05-02T08:00:00",
    "WhenChanged": "2024-11-19T13:14:15", "PreferredDataLocation": "", "TargetServerIfMoving": "",
    "HomeServer": "CN=Lc Services,CN=Microsoft,CN=1:1,CN=Pools,CN=RTC Service,CN=Services,CN=Configuration,DC=contoso",
    "ExchangeUserDn": "", "Manager": "CN=Pilar Ackerman,OU=Staff,DC=contoso,DC=test", "Description": "",
    "AcpInfo": "", "Puid": "", "CountryCode": "840", "SoftDeletionTimestamp": "", "LastSyncTimeStamp": "",
    "LastProvisionTimeStamp": "",
}  # fmt: skip


def more_properties(dn: str, known: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the other properties of a user.

    known: the properties that the lab stores.
    """
    alias, seed = str(known["SamAccountName"]), hashlib.sha256(dn.encode()).hexdigest()
    certificate = "".join(hashlib.sha256(b"%d %s" % (part, dn.encode())).hexdigest() for part in range(16))
    return {
        **dict.fromkeys(_POLICIES),
        **dict.fromkeys(_SWITCHES, False),
        **_TEXTS,
        "Alias": alias,
        "Sid": "S-1-5-21-%s" % "-".join(str(int(seed[at : at + 8], 16)) for at in (0, 8, 16, 24)),
        "ProxyAddresses": PSList("smtp:%s.%d@contoso.test" % (alias, one) for one in range(12)),
        "OtherTelephone": PSList("+1 425 555 %04d" % one for one in range(4)),
        "MemberOf": PSList(
            "CN=%s,OU=Distribution Groups,OU=Staff,DC=contoso,DC=test" % seed[at : at + 12] for at in range(30)
        ),
        "UserCertificate": PSList([certificate, certificate[::-1]]),
        "ThumbnailPhoto": seed * 16,
    }
