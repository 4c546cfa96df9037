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


# Free texts, with what must not be left of them and the form of what is. D is another group of that many digits.
FREE = [
    ("+49 89 123 456", r"\+DD DD DDD DDD"),
    ("(0)89 / 1234-567", r"\(D\)DD / X"),
    ("089 12 34 56", "DDD DD DD DD"),
    ("089.123.456", r"DDD\.DDD\.DDD"),
    ("+1.425.555.1212", r"\+D\.DDD\.DDD\.DDDD"),
    ("0049.89.123", r"DDDD\.DD\.DDD"),
    ("555-0142", "X"),
    ("1 (800) 555 0199", r"D \(DDD\) DDD DDDD"),
    ("01 23 45 67 89", "DD DD DD DD DD"),
    ("112 / 7", "DDD / D"),
    ("tel 4711,15", "X DDDD,DD"),
    ("x42", "X"),
    ("42", "42"),
    ("4711", "DDDD"),
    ("room 12b, floor 3", "X X, X D"),
    ("\u0660\u0668\u0669 123", "DDD DDD"),
    ("since 2026-11-30", "X 2026-11-30"),
    ("since 2026-11-30T12:34:56Z", "X 2026-11-30T12:34:56Z"),
    ("2026-11-30 12:34:56.123 now", r"2026-11-30 12:34:56\.123 X"),
    ("30.11.2026 12:30", r"30\.11\.2026 12:30"),
    ("11/30/2026", "11/30/2026"),
    ("30/11/2026", "30/11/2026"),
    ("12:30:45", "12:30:45"),
    ("25:61:99", "DD:DD:DD"),
    ("0170-12-30", "X"),
    ("30.11.1826", r"DD\.DD\.DDDD"),
    ("version 6.0.9319.0", r"X 6\.0\.9319\.0"),
    ("10.0.20348", r"10\.0\.20348"),
    ("49.89.12345", r"DD\.DD\.DDDDD"),
    ("8E:68:C6:1E:C8:15:34:1B:94:99:09:A0:D7:36:64:03:31:B6:42:7B", "(?:[0-9A-F]{2}:){19}[0-9A-F]{2}"),
    ("8e 68 c6 1e c8 15 34 1b 94 99 09 a0 d7 36 64 03 31 b6 42 7b", "(?:[0-9a-f]{2} ){19}[0-9a-f]{2}"),
    ("8E68 C61E C815 341B 9499 09A0 D736 6403 31B6 427B", "(?:[0-9A-F]{4} ){9}[0-9A-F]{4}"),
    ("8E68C61E C815341B 949909A0 D7366403 31B6427B", "X X X X X"),
    ("00-1A-2B-3C-4D-5E", "(?:[0-9A-F]{2}-){5}[0-9A-F]{2}"),
    ("mac 00:1a:2b:3c:4d:5e", "X (?:[0-9a-f]{2}:){5}[0-9a-f]{2}"),
    ("001a.2b3c.4d5e", r"X\.X\.X\.example"),
    ("2001:db8::17", "2001:db8:[0-9a-f:]+"),
    ("fe80::1%eth0", "2001:db8:[0-9a-f:]+%X"),
    ("[2001:db8:1:2:3:4:5:6]:5061", r"\[2001:db8:[0-9a-f:]+\]:DDDD"),
    ("::ffff:10.1.2.3", "2001:db8:[0-9a-f:]+"),
    ("192.168.0.12:5061", r"10\.\d+\.\d+\.\d+:DDDD"),
    ("0x80070005", "X"),
    ("S-1-5-21-1-2-3", r"S-1-5-21-D-D-D"),
]


@pytest.mark.parametrize(("text", "form"), FREE)
@pytest.mark.parametrize("prose", [False, True])
def test_of_the_numbers_in_a_text_only_dates_and_versions_stay(text: str, form: str, prose: bool) -> None:
    found = names().text(text, prose)
    words = "(?:%s|[a-z]+)" % TOKEN.pattern if prose else TOKEN.pattern
    assert re.fullmatch(form.replace("X", words).replace("D", r"\d"), found), found
    if "D" in form:
        assert found != text
    assert found == names().text(text, prose), "the same key gives the same"


def test_no_two_short_numbers_become_the_same() -> None:
    one = names()
    for length in (1, 2, 3):
        texts = ["ext %0*d" % (length, number) for number in range(10**length)]
        assert len({one.text(text) for text in texts}) == len(texts)


def test_a_thumbprint_is_the_same_however_it_is_written() -> None:
    one = names()
    one.thumbprints["8E68C61EC815341B949909A0D736640331B6427B"] = new = "00" * 19 + "AB"
    assert one.text("8E:68:C6:1E:C8:15:34:1B:94:99:09:A0:D7:36:64:03:31:B6:42:7B").replace(":", "") == new
    assert one.text("8e 68 c6 1e c8 15 34 1b 94 99 09 a0 d7 36 64 03 31 b6 42 7b").replace(" ", "") == new.lower()


def test_the_products_own_words_stay_in_its_own_texts_only() -> None:
    text = "Skype for Business Server 2015 (6.0.9319.0): Volume license key installed."
    assert names().text(text, prose=True) == text
    assert "Skype" not in names().text(text)
    said = names().text("Cannot find 'Brunhilde' on fe01.contoso.test, see Get-CsUser.", prose=True)
    assert re.fullmatch(r"Cannot find 'X' on X\.X\.X\.example, see Get-CsUser\.".replace("X", TOKEN.pattern), said), (
        said
    )


def test_a_type_keeps_the_products_words_only() -> None:
    assert names().text("System.Array") == "System.Array"
    assert "Brunhilde" not in names().text("System.Brunhilde")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60), st.booleans())
def test_no_word_survives_that_is_not_the_products(text: str, prose: bool) -> None:
    # The product's own commands and types, which stay.
    assume(not any(map(is_command, text.split())) and "System." not in text and "Microsoft." not in text)
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
