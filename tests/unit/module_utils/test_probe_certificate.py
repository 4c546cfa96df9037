# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A peer's certificate: which names stand for a domain, and which fault has which name."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import (
    _der_text,
    covers,
    examine,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import check
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.certificates import NOW, Issued, elliptic_key, intermediate, issue, root

DOMAIN = "fabrikam.test"
SRV_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")
XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")


def other(kind: x509.ObjectIdentifier, text: str, tag: int = 0x0C) -> x509.OtherName:
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])
    return x509.OtherName(kind, bytes([tag]) + length + data)


def named(*names: x509.GeneralName) -> x509.Certificate:
    """A certificate with these subject alternative names."""
    key = elliptic_key()
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(days=1))
    return builder.add_extension(x509.SubjectAlternativeName(names), False).sign(key, hashes.SHA256())


def faults(one: Issued, *others: Issued, anchors: t.Sequence[Issued] = (), within: int = 14) -> dict[str, str]:
    chain = [one.certificate, *(more.certificate for more in others)]
    trusted = [anchor.certificate for anchor in anchors or (root(),)]
    return examine(chain, DOMAIN, trusted, NOW, within)[1]


@pytest.mark.parametrize(
    ("names", "stands"),
    [
        ([x509.DNSName("fabrikam.test")], True),
        ([x509.DNSName("FABRIKAM.test")], True),
        ([x509.DNSName("*.test")], False),  # a wildcard directly below a top-level domain is no name
        ([x509.DNSName("xmpp.fabrikam.test")], False),
        ([x509.DNSName("*.fabrikam.test")], False),
        ([other(SRV_NAME, "_xmpp-server.fabrikam.test", 0x16)], True),
        ([other(SRV_NAME, "_xmpp-client.fabrikam.test", 0x16)], False),
        ([other(SRV_NAME, "_xmpp-server.other.test", 0x16)], False),
        ([other(XMPP_ADDR, "fabrikam.test")], True),
        ([other(XMPP_ADDR, "Fabrikam.Test")], True),
        ([other(XMPP_ADDR, "ann@fabrikam.test")], False),
        ([other(XMPP_ADDR, "fabrikam.test", 0x04)], False),
        ([x509.UniformResourceIdentifier("xmpp:fabrikam.test")], False),
        ([x509.DNSName("*"), other(SRV_NAME, "no service", 0x16), x509.DNSName("fabrikam.test")], True),
        ([x509.DNSName("")], False),
    ],
)
def test_names(names: list[x509.GeneralName], stands: bool) -> None:
    assert covers(named(*names), DOMAIN) is stands


def test_an_address_in_unicode_is_compared_in_a_labels() -> None:
    """RFC 6120 section 13.7.1.4: an xmppAddr is written in Unicode."""
    for name in ("bücher.test", "BÜCHER.test", "xn--bcher-kva.test"):
        assert covers(named(other(XMPP_ADDR, name)), "xn--bcher-kva.test"), name
    for name in ("bucher.test", "b\u00fc\u200bcher.test", "bu\u0308cher..test"):
        assert not covers(named(other(XMPP_ADDR, name)), "xn--bcher-kva.test"), ascii(name)


# An x400Address (RFC 5280 section 4.2.1.6), and a dNSName.
X400 = b"\x30\x11\xa3\x00\x82\x0dfabrikam.test"


def malformed(*values: bytes) -> x509.Certificate:
    """A certificate with these values as subject alternative names, one extension each."""
    key = elliptic_key()
    kinds = [x509.ObjectIdentifier("2.5.29.%d" % number) for number in range(90, 90 + len(values))]
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(days=1))
    for kind, value in zip(kinds, values, strict=True):
        builder = builder.add_extension(x509.UnrecognizedExtension(kind, value), False)
    data = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    for number in range(90, 90 + len(values)):
        data = data.replace(b"\x06\x03\x55\x1d" + bytes([number]), b"\x06\x03\x55\x1d\x11")
    return x509.load_der_x509_certificate(data)


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        (malformed(X400), "it has a name of an unsupported kind, such as an X.400 address"),
        (malformed(X400[:2] + X400[4:], X400[:2] + X400[4:]), "it has the extension 2.5.29.17 twice"),
        (malformed(b"\x30\x05"), "a part of it cannot be decoded"),
    ],
)
def test_a_certificate_that_cannot_be_read(certificate: x509.Certificate, text: str) -> None:
    assert examine([certificate], DOMAIN, [root().certificate], NOW, 14) == ({}, {"malformed": text})
    found = [(one.code, one.message) for one in check(certificate, now=NOW, names=(DOMAIN,))]
    assert ("malformed", text) in found
    assert not covers(certificate, DOMAIN)
    # Above a good certificate it is no obstacle.
    chain = [issue(issuer=intermediate(), names=(DOMAIN,)).certificate, certificate, intermediate().certificate]
    assert examine(chain, DOMAIN, [root().certificate], NOW, 14)[1] == {}


def test_a_wildcard_stands_for_one_label() -> None:
    certificate = named(x509.DNSName("*.fabrikam.test"))
    assert covers(certificate, "chat.fabrikam.test")
    assert not covers(certificate, "a.chat.fabrikam.test")


@given(st.binary(max_size=300))
def test_a_name_in_any_bytes_is_a_text_or_nothing(data: bytes) -> None:
    assert _der_text(data).encode() in data


@given(st.text(max_size=90), st.sampled_from([0x0C, 0x16]))
def test_a_name_is_read_as_it_was_written(text: str, tag: int) -> None:
    assert _der_text(other(XMPP_ADDR, text, tag).value) == (text if len(text.encode()) < 256 else "")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, set()),
        ({"start": -30, "days": 20}, {"expired"}),
        ({"start": 3}, {"not_yet_valid"}),
        ({"start": -190}, {"expires_soon"}),
        ({"days": 10}, set()),  # two thirds of its life are not over
        ({"start": -8, "days": 10}, {"expires_soon"}),
        ({"names": ("other.test",)}, {"name_mismatch"}),
        ({"names": ()}, {"name_mismatch"}),
        ({"purposes": ()}, set()),  # without the extension it may be used for everything
        ({"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, set()),
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, {"client_auth"}),
        ({"purposes": (ExtendedKeyUsageOID.CLIENT_AUTH,)}, {"server_auth"}),
    ],
)
def test_faults(options: dict[str, t.Any], found: set[str]) -> None:
    one = issue(issuer=intermediate(), **{"names": (DOMAIN,), **options})
    assert set(faults(one, intermediate())) == found


def test_chains() -> None:
    one = issue(issuer=intermediate(), names=(DOMAIN,))
    assert faults(one, intermediate()) == {}
    assert faults(one, intermediate(), root()) == {}
    assert set(faults(one)) == {"incomplete_chain"}
    assert faults(one, anchors=(intermediate(), root())) == {}
    stranger = issue("Other Root", ca=True)
    assert set(faults(one, intermediate(), anchors=(stranger,))) == {"untrusted"}
    assert set(faults(issue(names=(DOMAIN,)))) == {"untrusted"}
    old = issue("Old", root(), ca=True, start=-30, days=20)
    assert set(faults(issue(issuer=old, names=(DOMAIN,)), old)) == {"chain_expired"}


def test_days_before_the_end_can_be_chosen() -> None:
    one = issue(issuer=intermediate(), names=(DOMAIN,), start=-160)
    assert faults(one, intermediate()) == {}
    assert set(faults(one, intermediate(), within=60)) == {"expires_soon"}
