# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of names, secrets and certificates in a capture."""

from __future__ import annotations

import base64
import hashlib
import re
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.clixml import Unsharable, replaced
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.product_words import KNOWN, WORDS, is_command
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.pseudonyms import Pseudonyms
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.recording import Recording
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import Captured
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ShellError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import describe, parse
from cryptography import x509
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit import certificates

KEY = b"0" * 32
TOKEN = re.compile(r"x[0-9a-f]{10}")


def names() -> Pseudonyms:
    return Pseudonyms(KEY)


def test_a_word_is_the_same_everywhere_whatever_its_case() -> None:
    one = names()
    (label,) = TOKEN.findall(one.text("Contoso"))
    assert one.text("CONTOSO\\admin").startswith(label + "\\")
    assert one.text("sip:ann@chat.contoso.test").split("@")[1].split(".")[1] == label
    assert one.text("CN=Ann,DC=contoso").endswith("DC=" + label)
    assert label not in Pseudonyms(b"1" * 32).text("contoso")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Tag:Partners Inc", r"Tag:X X"),
        ("Global", "Global"),
        ("Required", "Required"),
        ("Site:Redmond", "Site:X"),
        ("EdgeServer:edge.contoso.test", r"EdgeServer:X\.X\.X\.example"),
        ("sip:ann@contoso.test", r"sip:X@X\.X\.example"),
        ("*.contoso.test", r"\*\.X\.X\.example"),
        ("_xmpp-server._tcp.contoso.test", r"X\.X\.X\.X\.example"),
        ("microsoft.com", r"X\.X\.example"),
        ("Required Partners", "X X"),
        ("8E68C61EC815341B949909A0D736640331B6427B", "[0-9A-F]{40}"),
        ("8e68c61ec815341b949909a0d736640331b6427b", "[0-9a-f]{40}"),
        ("S-1-5-21-1004336348-1177238915-682003330-512", r"S-1-5-21-\d{10}-\d{10}-\d{9}-\d{3}"),
        ("S-1-5-32-544", "X"),
        ("tel:+15551234567", r"tel:\+\d{11}"),
        ("192.168.0.12", r"10\.\d+\.\d+\.\d+"),
        ("6.0.9319.0", r"6\.0\.9319\.0"),
        ("5082d236-0fcf-53ec-8c21-fee668259d69", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("urn:schema:Microsoft.Rtc.Management.Settings.Xmpp.2011", "same"),
        ("Zoë Nölke", "X X"),
        ("System.Collections.Generic.List", "same"),
        ("Microsoft.Rtc.Management.Xds.PSListModifier", "same"),
        ("System.Brunhilde", r"X\.X\.example"),
        ("Microsoft.Rtc.Brunhilde", r"X\.X\.X\.example"),
        ("System.Zoë", r"X\.X\.example"),
        ("", ""),
    ],
)
def test_the_form_stays(text: str, form: str) -> None:
    found = names().text(text)
    if form == "same":
        assert found == text
        return
    assert re.fullmatch(form.replace("X", TOKEN.pattern), found), found
    assert found == names().text(text)


def test_the_products_own_words_stay_in_its_own_texts_only() -> None:
    text = "Skype for Business Server 2015 (6.0.9319.0): Volume license key installed."
    assert names().text(text, prose=True) == text
    assert "Skype" not in names().text(text)
    said = names().text("Cannot find 'Brunhilde' on fe01.contoso.test, see Get-CsUser.", prose=True)
    assert re.fullmatch(r"Cannot find 'X' on X\.X\.X\.example, see Get-CsUser\.".replace("X", TOKEN.pattern), said), (
        said
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60), st.booleans())
def test_no_word_survives_that_is_not_the_products(text: str, prose: bool) -> None:
    assume(not any(map(is_command, text.split())))  # the product's own, which stay
    found = names().text(text, prose)
    words = {word.casefold() for word in re.findall(r"[^\W\d_]{3,}", text)} - KNOWN - WORDS
    left = {word.casefold() for word in re.findall(r"[^\W\d_]{3,}", TOKEN.sub(" ", found))} - {"example"}
    assert not words & left


def obj(properties: str) -> str:
    return '<Obj RefId="0"><TN RefId="0"><T>Microsoft.Rtc.X.Partner</T></TN><Props>%s</Props></Obj>' % properties


def test_secrets_and_bytes_go_and_the_rest_stays() -> None:
    xml = obj(
        '<S N="DialbackPassphrase">Hush</S><BA N="Blob">SHVzaA==</BA><SS N="Password">0100</SS><I32 N="Port">5061</I32>'
        '<B N="Enabled">true</B><DT N="When">2026-11-25T02:14:45Z</DT><Nil N="None" /><I32 N="Odd">Hush</I32>'
        '<Obj N="Secret" RefId="1"><LST><S>Hush</S></LST></Obj><S N="Element">&lt;Hush /&gt;</S>'
    )
    found = replaced(xml, "Get-Something", names())
    assert "Hush" not in found
    assert "SHVzaA" not in found
    for part in ('<I32 N="Port">5061</I32>', '<B N="Enabled">true</B>', "2026-11-25T02:14:45Z", "<T>Microsoft.Rtc.X.P"):
        assert part in found
    assert '<S N="DialbackPassphrase">secret</S>' in found


@pytest.mark.parametrize("xml", ["<Obj", "contoso", "<S>a</S><S>b</S>", '<!DOCTYPE a [<!ENTITY b "c">]><S>&b;</S>'])
def test_what_is_no_xml_is_left_out(xml: str) -> None:
    with pytest.raises(Unsharable) as caught:
        replaced(xml, "Get-CsUser", names())
    assert "contoso" not in str(caught.value)


def test_a_name_in_a_place_of_the_products_goes_too() -> None:
    one = names()
    one.text("Contoso")
    assert "Contoso" not in one.kept("Microsoft.Rtc.Contoso.Thing")
    assert one.kept("Microsoft.Rtc.Management.Thing") == "Microsoft.Rtc.Management.Thing"
    assert one.kept("System.Enum") == "System.Enum"


@pytest.mark.parametrize("key", [None, certificates.elliptic_key()])
def test_a_certificate_becomes_another_that_is_as_good(key: t.Any) -> None:
    former = certificates.issue(issuer=certificates.intermediate(), **({"key": key} if key else {}))
    one = names()
    xml = '<BA N="RawData">%s</BA>' % base64.b64encode(former.der).decode()
    found = replaced(xml, "Get-ChildItem", one)
    assert found == replaced(xml, "Get-ChildItem", names()), "it has one thumbprint"
    (raw,) = re.findall(">(.*)<", found)
    new = parse(base64.b64decode(raw))
    old = parse(former.der)
    assert (new.not_valid_before_utc, new.not_valid_after_utc) == (old.not_valid_before_utc, old.not_valid_after_utc)
    mine, theirs = describe(new), describe(old)
    for fact in ("key", "server_auth", "client_auth"):
        assert mine[fact] == theirs[fact], fact
    assert len(mine["names"]) == len(theirs["names"])
    assert not set(mine["names"]) & set(theirs["names"])
    for name in theirs["names"]:
        assert name.encode() not in base64.b64decode(raw)
    assert new.public_key() != old.public_key()
    thumbprint = hashlib.sha1(base64.b64decode(raw), usedforsecurity=False).hexdigest().upper()
    assert one.text(former.thumbprint) == thumbprint, "it is named by the new one everywhere"
    assert isinstance(new, x509.Certificate)


class Refusing:
    def __init__(self) -> None:
        self.sent: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise AssertionError

    def capture(self, statement: Statement) -> Captured:
        self.sent.append(statement)
        return Captured(Answer())


@pytest.mark.parametrize("cmdlet", ["Set-CsSite", "Test-CsXmppIM", "Invoke-Anything", "get-CsUser"])
def test_nothing_is_sent_that_does_not_read(cmdlet: str) -> None:
    shell = Refusing()
    with pytest.raises(ShellError, match="only reads"):
        Recording(shell).invoke([Statement(cmdlet)])
    assert shell.sent == []


def test_the_same_is_asked_once() -> None:
    shell = Refusing()
    recording = Recording(shell)
    recording.invoke([Statement("Get-CsUser"), Statement("Get-CsUser"), Statement("Get-CsSite")])
    assert shell.sent == [Statement("Get-CsUser"), Statement("Get-CsSite")]
