# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sfb.xmpp.import decides: which files, how they come together, and what refuses them."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inventory_text import inventory_values
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.imports import File, Imported, asked, decide, lines

from lab.deployment.seed import GATEWAY_DEFAULTS
from tests.unit.plugin_utils.test_import import clixml

GATEWAY = {"Identity": "Global", **GATEWAY_DEFAULTS}
POLICIES = clixml([{"Identity": "Global", "EnableXmppAccess": False}, {"Identity": "Tag:Desk & Co"}])
# The three properties of the guide's command; of one user in each form in which a policy arrives.
USERS = clixml(
    [
        {"Identity": "CN=Ann,DC=a", "SipAddress": "sip:ann@a.test", "ExternalAccessPolicy": "desk & co"},
        {"Identity": "CN=Bob,DC=a", "SipAddress": "", "ExternalAccessPolicy": "Tag:Desk & Co"},
        {"Identity": "CN=Cy,DC=a", "SipAddress": "sip:cy@a.test", "ExternalAccessPolicy": None},
    ],
    more='<Obj RefId="90"><MS><S N="Identity">CN=Dee,DC=a</S><S N="SipAddress">sip:dee@a.test</S>'
    '<Obj N="ExternalAccessPolicy" RefId="91"><ToString>Desk &amp; Co</ToString></Obj></MS></Obj>',
)
HOLDERS = ["CN=Bob,DC=a", "sip:ann@a.test", "sip:dee@a.test"]


def done(**texts: str) -> Imported:
    return decide({kind: File("%s.file" % kind, text.encode()) for kind, text in texts.items()})


def refused(**texts: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        done(**texts)
    return list(caught.value.reasons)


def test_every_kind_of_export_in_one_file() -> None:
    found = done(
        users=USERS, gateway=clixml([GATEWAY]), partners="domain,description\na.test,{{ 1 }}\n", policies=POLICIES
    )
    values = inventory_values(found.text)
    assert list(values) == ["sfb_xmpp_policies", "sfb_xmpp_partners", "sfb_xmpp_gateway"]
    assert values["sfb_xmpp_policies"] == [
        {"identity": "global", "enable_xmpp_access": False},
        {"identity": "Desk & Co", "granted_to": HOLDERS},
    ]
    assert values["sfb_xmpp_partners"] == [{"domain": "a.test", "description": "{{ 1 }}"}]
    assert "!unsafe" in found.text
    assert values["sfb_xmpp_gateway"] == {
        "connection_limit": 1000, "partner_connection_limit": 20, "keep_alive_interval": 300,
        "stream_establishment_timeout": 60, "stream_inactivity_timeout": 600, "subscription_refresh_interval": 28800,
        "enable_logging_all_message_bodies": False,
    }  # fmt: skip
    assert found.numbers == (
        "2 policies", "1 partner", "the settings of the gateway", "the policies of 3 of 4 users"
    )  # fmt: skip
    assert found.warnings == ()
    assert lines(found, "/a.yml", True, False)[0].startswith("/a.yml now has 2 policies, 1 partner")
    assert "would have" in lines(found, "/a.yml", True, True)[0]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_users_and_settings_in_other_forms(form: str) -> None:
    users = [
        {"SipAddress": "sip:cy@a.test", "Identity": "CN=Cy", "ExternalAccessPolicy": ""},
        {"SipAddress": "sip:ann@a.test", "Identity": "CN=Ann", "ExternalAccessPolicy": "Desk"},
    ]
    rows = [list(users[0]), *(list(one.values()) for one in users)]
    text = json.dumps(users) if form == "json" else "\n".join(";".join(row) for row in rows)
    gateway = json.dumps(GATEWAY) if form == "json" else "Identity,KeepAliveInterval\nGlobal,240\n"
    values = inventory_values(done(users=text, gateway=gateway).text)
    assert values["sfb_xmpp_policies"] == [{"identity": "Desk", "granted_to": ["sip:ann@a.test"]}]
    assert values["sfb_xmpp_gateway"]["keep_alive_interval"] == (300 if form == "json" else 240)


def test_a_passphrase_is_left_out_and_said() -> None:
    found = done(gateway=clixml([{**GATEWAY, "DialbackPassphrase": "s3cret-words"}]))
    assert "s3cret-words" not in str(found)
    (warning,) = found.warnings
    text = "'gateway.file': left out DialbackPassphrase, because it is a secret. Set it in a file of ansible-vault"
    assert warning == text
    secure = '<Obj RefId="0"><Props><S N="Identity">Global</S><SS N="DialbackPassphrase">AAAA</SS></Props></Obj>'
    assert done(gateway=clixml([], more=secure)).warnings == (warning,)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {"gateway": clixml([{**GATEWAY, "Identity": "Site:A"}])},
            ["record 1 (global): Identity: 'Site:A' must be Global"],
        ),
        ({"gateway": clixml([GATEWAY, GATEWAY])}, ["record 2 (global): has the same name 'global' as record 1"]),
        ({"gateway": clixml([])}, ["the file has no object. Export it with Get-CsXmppGatewayConfiguration"]),
        (
            {"users": clixml([{"Identity": "CN=A"}])},
            ["the column SipAddress is missing. Export with Get-"],
        ),
        (
            {"users": clixml([{"Identity": "CN=A", "SipAddress": "sip:a@a.test", "ExternalAccessPolicy": 5}])},
            ["ExternalAccessPolicy"],
        ),
        (
            {"users": "Identity,SipAddress,ExternalAccessPolicy\nCN=A,sip:a@a.test,X\nCN=B,SIP:A@a.test,X\n"},
            ["line 3: is the same user 'SIP:A@a.test' as line 2"],
        ),
        (
            {"policies": POLICIES, "users": "Identity,SipAddress,ExternalAccessPolicy\nCN=A,sip:a@a.test,Other\n"},
            ["the policy 'Other' is granted to 1 user, but is not in the file of policies"],
        ),
        (
            {
                "policies": "Identity,EnableTeamsX\nGlobal,1\n",
                "partners": b"domain\nb\xfc.test\n".decode("latin-1")[:0],
            },
            ["Ignore it with sfb_xmpp_import_ignore_columns=EnableTeamsX", "the file is empty"],
        ),
        ({"partners": "domain,additional_domains\na.test,b.test\nb.test,\n"}, ["sfb_xmpp_partners"]),
    ],
)
def test_what_is_refused_names_the_file_and_the_place(texts: dict[str, str], expected: list[str]) -> None:
    reasons = refused(**texts)
    assert len(reasons) == len(expected), reasons
    for words, reason in zip(expected, reasons, strict=True):
        assert words in reason
        assert reason.startswith("sfb_xmpp_")


def test_what_is_asked() -> None:
    given: dict[str, t.Any] = {"import_users": "u.xml", "import_partners": "p.csv", "into": "x.yml"}
    assert asked(given) == {"partners": "p.csv", "users": "u.xml"}
    with pytest.raises(Refused, match="no file to import is named"):
        asked({"import_encoding": "cp1252", "into": "x.yml"})
