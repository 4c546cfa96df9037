# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that somebody else chose: what is shown of them, and that a certificate's names come in that form only."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import LONGEST, foreign
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import covers, examine
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import check
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.certificates import NOW, elliptic_key, root
from tests.unit.module_utils.test_probe_certificate import SRV_NAME, XMPP_ADDR, other

DOMAIN = "fabrikam.test"
# What is sent, and what is shown of it.
TEXTS = {
    "an escape sequence": ("a\x1b[2k", "a\\x1b[2k"),
    "a line of the recap": ("a\nok=9\rb", "a\\nok=9\\rb"),
    "delete": ("a\x7f", "a\\x7f"),
    "a C1 control": ("a\x9b31m\x85", "a\\x9b31m\\x85"),
    "bidi": ("a\u202eb\u2066", "a\\u202eb\\u2066"),
    "zero width": ("a\u200bb\ufeff\u00ad", "a\\u200bb\\ufeff\\xad"),
    "line separators": ("a\u2028b\u2029", "a\\u2028b\\u2029"),
    "tags": ("a\U000e0041", "a\\U000e0041"),
    "noncharacters": ("a\ufffe\uffff", "a\\ufffe\\uffff"),
    "spaces": ("a\u00a0\u202f: b", "a  : b"),
    "letters": ("bücher \u4e2d\u6587 \U0001f600", "bücher \u4e2d\u6587 \U0001f600"),
}
ASCII = [name for name, (sent, shown) in TEXTS.items() if sent.isascii()]


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_shown(name: str) -> None:
    sent, shown = TEXTS[name]
    assert foreign(sent) == shown


def test_surrogates_and_length() -> None:
    assert foreign("a\ud800") == "a\\ud800"
    assert foreign("x" * LONGEST) == "x" * LONGEST
    assert foreign("x" * 10**7) == "x" * (LONGEST - 1) + "…"
    assert foreign("\x1b" * LONGEST) == ("\\x1b" * LONGEST)[: LONGEST - 1] + "…"


@given(st.text(st.characters(), max_size=2 * LONGEST))
def test_any_text_can_be_printed(text: str) -> None:
    """On one line, by any terminal, in UTF-8; and what was shown once is shown the same again."""
    shown = foreign(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert foreign(shown) == shown
    if text.isprintable() and len(text) <= LONGEST:
        assert shown == text


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str = "x", issuer: str = "x", names: t.Sequence[x509.GeneralName] = (x509.DNSName(DOMAIN),)
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(_named(subject)).issuer_name(_named(issuer)).serial_number(1)
    builder = builder.public_key(elliptic_key().public_key())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return builder.sign(elliptic_key(), hashes.SHA256())


PLACES: dict[str, t.Callable[[str], x509.Certificate]] = {
    "subject": lambda text: _certificate(subject=text),
    "issuer": lambda text: _certificate(issuer=text),
    "names": lambda text: _certificate(names=[x509.DNSName(text)]),
    "srv_names": lambda text: _certificate(names=[other(SRV_NAME, text, 0x16)]),
    "xmpp_addresses": lambda text: _certificate(names=[other(XMPP_ADDR, text)]),
}


def _strings(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", TEXTS)
def test_the_names_in_a_partners_certificate(name: str, place: str) -> None:
    sent, shown = TEXTS[name]
    if place == "names" and name not in ASCII:
        with pytest.raises(ValueError, match="DNSName"):  # an IA5String has none of them
            PLACES[place](sent)
        return
    certificate = PLACES[place](sent)
    facts, faults = examine([certificate], DOMAIN, [root().certificate], NOW, 14)
    texts = [*_strings(facts), *_strings(faults)]
    assert all(text.isprintable() for text in texts), [text for text in texts if not text.isprintable()]
    assert shown in next(_strings(facts[place]))


@pytest.mark.parametrize("name", TEXTS)
def test_the_names_in_an_own_certificate(name: str) -> None:
    """What is found against an Edge's certificate names its issuer and its subject."""
    sent, _shown = TEXTS[name]
    certificate = _certificate(
        sent, sent, [x509.DNSName(DOMAIN), x509.DNSName("*.a" + ("\x1b" if name in ASCII else ""))]
    )
    for others, anchors in (((), None), ((), (root().certificate,))):
        found = check(certificate, now=NOW, names=("access.contoso.test",), others=others, anchors=anchors)
        assert {"wildcard", "subject"} < {one.code for one in found}
        assert all(str(one).isprintable() for one in found)


def test_names_are_compared_in_their_original_form() -> None:
    """A name is neither another one because of what is shown of it, nor because of how letters are folded."""
    for name in ("\x1b" + DOMAIN, DOMAIN + "\n", DOMAIN + "\x00", "fabri\u200bkam.test", "fabri\u212aam.test"):
        names: list[x509.GeneralName] = [other(XMPP_ADDR, name), other(SRV_NAME, "_xmpp-server." + name)]
        names += [x509.DNSName(name)] if name.isascii() else []
        assert not covers(_certificate(names=names), DOMAIN), ascii(name)
    assert covers(_certificate(names=[other(XMPP_ADDR, "Fabrikam.TEST")]), DOMAIN)
