# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All users, cut by Select-Object and as whole objects: ``python -m tests.benchmarks.users [--users N] [--runs N]``.

Bytes, seconds and memory, medians of several runs in turn, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, Reader

from lab.testing import Lab, running_lab
from tests.benchmarks.__main__ import traffic
from tests.faults.run import Job, Session

# What an object of Get-CsUser has besides, by its page. Most of it is empty, for most users.
POLICIES = (
    "ConferencingPolicy", "ClientPolicy", "ClientVersionPolicy", "ArchivingPolicy", "PinPolicy", "PresencePolicy",
    "MobilityPolicy", "LocationPolicy", "DialPlan", "VoicePolicy", "VoiceRoutingPolicy", "HostedVoicemailPolicy",
    "HostedVoiceMail", "UserServicesPolicy", "ExperiencePolicy", "PersistentChatPolicy", "SmsServicePolicy", "TenantId",
    "ExternalUserCommunicationPolicy", "ThirdPartyVideoSystemPolicy", "CallerIdPolicy", "CallViaWorkPolicy",
    "GraphPolicy", "InterpretedUserType", "LegalInterceptPolicy", "LineServerURI", "NameRecordingPolicy", "PrivateLine",
)  # fmt: skip
SWITCHES = (
    "AudioVideoDisabled", "IPPBXSoftPhoneRoutingEnabled", "RemoteCallControlTelephonyEnabled", "EnabledForFederation",
    "EnabledForInternetAccess", "PublicNetworkEnabled", "EnabledForRichPresence", "ExchangeArchivingPolicy",
    "DoNotNormalize", "IsBvUser", "ExUmEnabled", "SipProxyAddressEnabled",
)  # fmt: skip
TEXTS = {
    "Company": "Contoso", "Department": "Research", "Office": "Building 7, Room 1123", "Title": "Engineer",
    "City": "Redmond", "CountryAbbreviation": "US", "CountryOrRegionDisplayName": "USA", "PostalCode": "98052",
    "StreetAddress": "1 Contoso Way", "StateOrProvince": "WA", "Phone": "+1 425 555 0100", "MobilePhone": "",
    "WebPage": "", "Fax": "", "HomePhone": "", "PreferredLanguage": "en-US", "ObjectState": "Unchanged",
    "ObjectCategory": "contoso.test/Configuration/Schema/Person", "Sid": "S-1-5-21-1-2-3-4",
    "WhenCreated": "2013-05-02T08:00:00", "WhenChanged": "2024-11-19T13:14:15", "PreferredDataLocation": "",
    "TargetServerIfMoving": "", "HomeServer": "CN=Lc Services",
}  # fmt: skip
MORE: dict[str, t.Any] = {**dict.fromkeys(POLICIES), **dict.fromkeys(SWITCHES, False), **TEXTS}
WAYS = {"Select-Object": True, "whole objects": False}


def fill(lab: Lab, number: int) -> None:
    store = lab.store()
    model = next(user for user in store.all("user").values() if not user["AdminCount"])
    with store.transaction():
        for n in range(number):
            own = {"SamAccountName": "user%05d" % n, "UserPrincipalName": "user%05d@contoso.test" % n, "More": MORE}
            address = "sip:user%05d@contoso.test" % n
            dn = "CN=User %05d,OU=Staff,DC=contoso,DC=test" % n
            store.put("user", dn, {**model, **own, "SipAddress": address, "DisplayName": "User %05d" % n})


def read(where: dict[str, t.Any]) -> None:
    """In a process of its own: read all users, and print what it took."""
    shell = Session(Job("fe01", "", {}, where, ""))
    shell.session.limit = 600
    Reader(shell).kinds(())
    begin, cpu = time.monotonic(), time.process_time()
    found = Reader(shell).with_all_users(Deployment(""))
    told = {"users": len(found.users), "seconds": time.monotonic() - begin, "cpu": time.process_time() - cpu}
    shell.session.close()
    print(json.dumps({**told, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(json.loads(options.read))
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as name, running_lab(Path(name) / "lab") as lab:
        fill(lab, options.users)
        lab.store().set_setting("restricted_select", [])
        where = {"remote_addr": lab.addresses["fe01"], "port": lab.port, "protocol": "https", "ca_cert": str(lab.ca)}
        where.update(path="OcsPowershell", remote_password="Lab-admin-1")
        taken: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _run in range(options.runs):
            for way, offered in WAYS.items():
                lab.store().set_setting("select_object", offered)
                before = traffic(lab)
                command = [sys.executable, "-m", "tests.benchmarks.users", "--read", json.dumps(where)]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
                sent = traffic(lab)["sent"] - before["sent"]
                taken[way].append({**json.loads(done.stdout), "MB": sent / 1e6})
        medians = {
            way: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for way, runs in taken.items()
        }
        print("%d users, %d properties each" % (options.users, 18 + len(MORE)))
        for way, median in medians.items():
            print("%-15s" % way + "".join("  %s %.2f" % (key, value) for key, value in median.items()))


if __name__ == "__main__":
    main()
