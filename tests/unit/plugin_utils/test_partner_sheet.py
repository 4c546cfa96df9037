# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sheets for partners and for DNS: whole ones against kept texts, and what no value may do to them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sfb.xmpp.plugins.filter.dns_sheet import FilterModule as DnsSheet
from ansible_collections.sfb.xmpp.plugins.filter.partner_sheet import FilterModule as PartnerSheet
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.partner_sheet import dns_sheet, partner_sheet
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.short_document import Form
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.xmpp_peer import Manners, Peer
from tests.unit.certificates import issue

KEPT = Path(__file__).parent / "sheets"
ISSUER = {"subject": "CN=Example Root", "thumbprint": "11" * 20, "not_after": "2034-01-01T00:00:00Z"}
CERTIFICATE: dict[str, t.Any] = {
    "subject": "CN=access.contoso.com",
    "issuer": "CN=Example Root",
    "names": ["access.contoso.com", "contoso.com"],
    "thumbprint": "2F" * 20,
    "not_after": "2026-12-30T00:00:00Z",
    "server_auth": True,
    "client_auth": False,
}
FULL: dict[str, t.Any] = {
    "domains": ["contoso.com", "b\u00fccher.example"],
    "access_edge": "access.contoso.com",
    "addresses": ["192.0.2.10", "2001:db8::10"],
    "certificate": CERTIFICATE,
    "chain": [ISSUER],
    "contact": "xmpp_team@contoso.com",
}
BARE = {"domains": ["contoso.com"], "access_edge": "access.contoso.com"}
PARTNERS: dict[str, dict[str, t.Any]] = {
    "certificates": {"domain": "fabrikam.com", "support_dialback_negotiation": False},
    "fallback": {
        "domain": "Fabrikam.com.",
        "additional_domains": ["emea.fabrikam.com"],
        "description": "not for the partner",
        "sasl_negotiation": "optional",
    },
    "clear": {"domain": "fabrikam.com", "tls_negotiation": "not_supported", "sasl_negotiation": "not_supported"},
}
ENDS: dict[Form, str] = {"markdown": ".md", "text": ".txt"}


@pytest.mark.parametrize("form", ENDS)
@pytest.mark.parametrize("name", [*PARTNERS, "dns"])
def test_whole_sheets(name: str, form: Form) -> None:
    own = BARE if name == "clear" else FULL
    sheet = dns_sheet(own, form) if name == "dns" else partner_sheet(PARTNERS[name], own, form)
    assert sheet == (KEPT / (name + ENDS[form])).read_text("utf-8")
    assert "not for the partner" not in sheet


@pytest.mark.parametrize(
    ("partner", "own", "told"),
    [
        ({}, BARE, "domain: is missing"),
        ({"domain": "*.fabrikam.com"}, BARE, "domain: '\\*.fabrikam.com' is a wildcard"),
        ({"domain": "a.com", "additional_domains": ["x y"]}, BARE, "additional_domains: "),
        ({"domain": "a.com", "tls_negotiation": "requird"}, BARE, "tls_negotiation: 'requird' must be one of required"),
        ({"domain": "a.com", "support_dialback_negotiation": "no"}, BARE, "must be true or false"),
        (
            {"domain": "a.com", "sasl_negotiation": "not_supported", "support_dialback_negotiation": False},
            BARE,
            "a.com: a stream cannot be authenticated",
        ),
        ({"domain": "a.com"}, {"domains": [], "access_edge": "x.com"}, "domains: is missing"),
        ({"domain": "a.com"}, {"domains": ["x.com"]}, "access_edge: is missing"),
        ({"domain": "a.com"}, {**BARE, "port": 70000}, "port: 70000"),
        ({"domain": "a.com"}, {**BARE, "addresses": ["nowhere"]}, "addresses: 'nowhere' must be an IP address"),
        ({"domain": "a.com"}, {**BARE, "adresses": []}, "adresses: is unknown"),
    ],
)
def test_what_is_no_partner_or_no_own_side(partner: dict[str, t.Any], own: dict[str, t.Any], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        partner_sheet(partner, own)
    with pytest.raises(AnsibleFilterError, match=told):
        PartnerSheet().filters()["partner_sheet"](partner, own)


def test_the_filters_are_the_functions() -> None:
    assert DnsSheet().filters()["dns_sheet"](FULL, "text") == dns_sheet(FULL, "text")
    with pytest.raises(AnsibleFilterError, match="Write markdown or text"):
        DnsSheet().filters()["dns_sheet"](FULL, "html")


@given(st.text(min_size=1))
def test_no_text_becomes_markup_or_a_line(text: str) -> None:
    """Subjects are the issuer's, and contacts are anybody's."""

    def sheet_with(text: str) -> str:
        own = {**FULL, "contact": text, "certificate": {**CERTIFICATE, "subject": text}}
        return partner_sheet(PARTNERS["fallback"], own)

    plain, sheet = sheet_with("x"), sheet_with(text)
    if text.strip() and any(c.isprintable() and not c.isspace() for c in text):
        assert len(sheet.split("\n")) == len(plain.split("\n"))
    shown = (
        sheet.split("If you have questions, ask ")[1].split("\n")[0] if "If you have questions, ask " in sheet else ""
    )
    for mark in "<>|`*[]":
        assert shown.count(mark) == shown.count("\\" + mark)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_openssl_command_works() -> None:
    """Against a server that speaks XMPP, with the host replaced only."""
    manners = Manners(certificate=issue("contoso", names=("contoso.com",)))
    with Peer(manners) as peer:
        sheet = partner_sheet(PARTNERS["fallback"], {**BARE, "port": peer.port}, "text")
        (line,) = (line for line in sheet.splitlines() if "openssl s_client" in line)
        command = line.strip().replace("access.contoso.com:", "127.0.0.1:").removesuffix(" </dev/null")
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
    assert "BEGIN CERTIFICATE" in done.stdout
    assert ("", "contoso.com") in peer.seen
