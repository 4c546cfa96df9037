# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated chains, each with one known defect in a known certificate, or none: the verdict and the named certificate.

A number makes the same chain each time. `make nightly` tries all of them, `make test` a sample of all kinds.
"""

from __future__ import annotations

import datetime
import functools
import random
import re
import typing as t
from dataclasses import dataclass, replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import examine
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.chain import check_chain
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import crypto

from tests.unit.certificates import NOW, Issued

DOMAIN = "fabrikam.test"
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
ANY, MAIL = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.EMAIL_PROTECTION
Purposes = tuple[x509.ObjectIdentifier, ...]


@dataclass(frozen=True)
class Model:
    """What a certificate has. start and end: days from now. Of the rest, None leaves the extension out.

    ca: of the basic constraints. sign: the bit keyCertSign of the key usage. names: allowed, excluded.
    """

    name: str
    key: int
    start: float = -100
    end: float = 500
    ca: bool | None = True
    length: int | None = None
    sign: bool | None = True
    purposes: Purposes | None = None
    allowed: str = ""
    excluded: str = ""
    dns: tuple[str, ...] = ()
    unknown: bool = False
    version: int = 3


@functools.cache
def key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make(model: Model, issuer: Issued | None) -> Issued:
    own = key(model.key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, model.name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=model.start))
        .not_valid_after(NOW + datetime.timedelta(days=model.end))
    )
    for extension, critical in _extensions(model):
        builder = builder.add_extension(extension, critical)
    signer = issuer.key if issuer else own
    made = builder.sign(signer, hashes.SHA256())
    return Issued(made if model.version == 3 else of_version_1(made, signer), own)


def _extensions(model: Model) -> t.Iterator[tuple[x509.ExtensionType, bool]]:
    if model.version == 1:
        return
    if model.ca is not None:
        yield x509.BasicConstraints(model.ca, model.length if model.ca else None), True
    if model.sign is not None:
        yield x509.KeyUsage(True, False, False, False, False, model.sign, True, False, False), True
    if model.purposes is not None:
        yield x509.ExtendedKeyUsage(list(model.purposes)), False
    if model.allowed or model.excluded:
        trees = [[x509.DNSName(name)] if name else None for name in (model.allowed, model.excluded)]
        yield x509.NameConstraints(*trees), True
    if model.dns:
        yield x509.SubjectAlternativeName([x509.DNSName(name) for name in model.dns]), False
    if model.unknown:
        yield x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True


def of_version_1(certificate: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """The same without version and extensions (RFC 5280 section 4.1), signed again."""
    parts = [part for part in _parts(_content(certificate.tbs_certificate_bytes)) if part[:1] not in (b"\xa0", b"\xa3")]
    signed = _element(0x30, b"".join(parts))
    algorithm = next(part for part in parts if part[:1] == b"\x30")  # after the serial number
    signature = b"\x00" + signer.sign(signed, ec.ECDSA(hashes.SHA256()))
    return x509.load_der_x509_certificate(_element(0x30, signed + algorithm + _element(0x03, signature)))


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _head(data: bytes) -> tuple[int, int]:
    """The bytes of the tag and the length, and those of the content."""
    if data[1] < 128:
        return 2, data[1]
    more = data[1] & 0x7F
    return 2 + more, int.from_bytes(data[2 : 2 + more], "big")


def _content(data: bytes) -> bytes:
    return data[_head(data)[0] :]


def _parts(data: bytes) -> t.Iterator[bytes]:
    while data:
        end = sum(_head(data))
        yield data[:end]
        data = data[end:]


# What is wrong. Of a CA below the root, of the root, of the certificate itself: kind -> code, what is changed.

CA: dict[str, tuple[str, dict[str, t.Any]]] = {
    "expired": ("chain_expired", {"start": -60, "end": -1}),
    "future": ("chain_not_yet_valid", {"start": 5, "end": 400}),
    "no CA": ("chain_not_a_ca", {"ca": False}),
    "no basic constraints": ("chain_not_a_ca", {"ca": None}),
    "no keyCertSign": ("chain_not_a_ca", {"sign": False}),
    "version 1": ("chain_not_a_ca", {"version": 1}),
    "path length": ("chain_path_length", {}),  # how many is said where the place is known
    "names not allowed": ("chain_name_constraints", {"allowed": "contoso.test", "excluded": ""}),
    "names excluded": ("chain_name_constraints", {"allowed": "", "excluded": DOMAIN}),
    "unknown extension": ("chain_refused", {"unknown": True}),
    "purpose": ("chain_purpose", {"purposes": (MAIL,)}),
    "purpose of clients": ("chain_purpose", {"purposes": (CLIENT,)}),
}
ROOT: dict[str, tuple[str, dict[str, t.Any]]] = {
    "root expired": ("root_not_valid", {"start": -900, "end": -3}),
    "root in the future": ("root_not_valid", {"start": 2}),
    "root is no CA": ("root_not_valid", {"ca": False}),
    "root without keyCertSign": ("root_not_valid", {"sign": False}),
    "root's path length": ("chain_path_length", {}),
    "root's names": ("chain_name_constraints", {"allowed": "contoso.test", "excluded": ""}),
}
LEAF: dict[str, tuple[str, dict[str, t.Any]]] = {
    "own time is over": ("expired", {"start": -90, "end": -1}),
    "own time is to come": ("not_yet_valid", {"start": 4}),
    "own purpose is not for servers": ("server_auth", {"purposes": (CLIENT,)}),
    "own purpose is not for clients": ("client_auth", {"purposes": (SERVER,)}),
    "other names": ("name_mismatch", {"dns": ("www.fabrikam.test", "*.fabrikam.test")}),
    "own unknown extension": ("chain_refused", {"unknown": True}),
}
# Of what is sent, and of what is trusted.
SENT = {"missing": "untrusted", "first missing": "incomplete_chain", "unknown root": "untrusted", "forged": "untrusted"}
KINDS = ("good", *CA, *ROOT, *LEAF, *SENT)
# What OpenSSL does not judge: our rules, and the times of the certificate itself, which are no matter of its chain.
OF_LEAF = ("server_auth", "client_auth", "name_mismatch", "expired", "not_yet_valid")
OURS = ("chain_purpose", *OF_LEAF)


@dataclass(frozen=True)
class Planted:
    """code: of what is wrong; empty where nothing is, or where another way is good.

    named: the certificates that the message names, in this order; the certificate itself has no name there.
    several: whether there is a good way beside the broken one. OpenSSL, if it takes the wrong one, does not go back.
    """

    code: str
    named: tuple[str, ...]
    several: bool
    sent: tuple[Issued, ...]
    trusted: tuple[Issued, ...]


def planted(number: int) -> Planted:
    chance = random.Random(number)
    kind = KINDS[number % len(KINDS)]
    least = 2 if kind in ("path length", "missing", "forged") else 1
    count = chance.randint(least, 6)
    place = chance.randrange(count - 1) if least == 2 else chance.randrange(count)  # 0 is below the root
    if kind == "first missing":
        place = count - 1
    models = [_good_ca(number, at, count, chance) for at in range(count)]
    if kind in CA:
        below = count - 1 - place  # CA certificates
        change = {"length": chance.randrange(below)} if kind == "path length" else CA[kind][1]
        models[place] = replace(models[place], **change)
    root = _root(number, kind, count, chance)
    chain = [make(root, None)]
    for model in models:
        chain.append(make(model, chain[-1]))
    purposes = chance.choice(((SERVER, CLIENT), (ANY,), None))
    own = Model(DOMAIN, 0, ca=chance.choice((None, False)), sign=chance.choice((None, False)), dns=(DOMAIN,))
    own = replace(own, **{"purposes": purposes, **(LEAF[kind][1] if kind in LEAF else {})})
    first = make(own, chain[-1])
    top, sent = chain[0], chain[1:]
    other = make(Model("Other Root", 40), None)
    trusted = [other] if kind == "unknown root" else [other, top]
    code, named, several = *_expected(kind, number, place), False
    if kind in ("missing", "first missing"):
        del sent[place]
    elif kind == "forged":  # the name is right, the key is not
        sent[place] = make(replace(models[place], key=41), chain[place])
    elif kind in CA and chance.random() < 0.3:
        code, named, several = "", (), True
        sent.append(_way_round(number, models[place], place, count, chain, other, chance))
    elif kind in ("good", *LEAF) and chance.random() < 0.3:
        # A trusted intermediate is enough; what stands above it does not matter.
        at = chance.randrange(len(sent))
        trusted = [other, sent[at]]
        sent = sent[at:] if chance.random() < 0.5 else sent
    beside = _beside(models[place], chain, chance, crossed=kind not in SENT)
    sent += beside
    several = several or bool(beside)
    if kind == "unknown root" and top in sent:
        named = (top_name(number),)
    chance.shuffle(sent)
    chance.shuffle(trusted)
    return Planted(code, named, several, (first, *sent), tuple(trusted))


def top_name(number: int) -> str:
    return "Root %d" % number


def ca_name(number: int, place: int) -> str:
    return "CA %d.%d" % (number, place)


def _good_ca(number: int, at: int, count: int, chance: random.Random) -> Model:
    """With what a CA may have and what breaks nothing."""
    return Model(
        ca_name(number, at),
        10 + at,
        end=chance.choice((1, 400, 5000)),
        length=chance.choice((None, count - 1 - at, 7)),
        sign=chance.choice((None, True)),
        purposes=chance.choice((None, None, (SERVER, CLIENT), (ANY,))),
        allowed=chance.choice(("", "", DOMAIN)),
        excluded=chance.choice(("", "", "contoso.test")),
    )


def _root(number: int, kind: str, count: int, chance: random.Random) -> Model:
    model = Model(top_name(number), 9, length=chance.choice((None, count, 9)))
    if kind not in ROOT:
        return replace(model, version=chance.choice((3, 3, 1)))
    change = {"length": chance.randrange(count)} if kind == "root's path length" else ROOT[kind][1]
    return replace(model, **change)


def _expected(kind: str, number: int, place: int) -> tuple[str, tuple[str, ...]]:
    """The code, and the certificates that the message names."""
    if kind in ROOT:
        return ROOT[kind][0], (top_name(number),)
    if kind in LEAF:
        return LEAF[kind][0], ()
    if kind in CA:
        return CA[kind][0], (ca_name(number, place),)
    if kind == "unknown root":
        return SENT[kind], (ca_name(number, 0), top_name(number))
    if kind == "good":
        return "", ()
    # The last one that there is, if any, and the one that is missing.
    below = () if kind == "first missing" else (ca_name(number, place + 1),)
    return SENT[kind], (*below, ca_name(number, place))


def _way_round(
    number: int, model: Model, place: int, count: int, chain: list[Issued], other: Issued, chance: random.Random
) -> Issued:
    """A certificate for the key of the broken one without its defect: its renewal, or from another trusted root."""
    good = replace(_good_ca(number, place, count, chance), name=model.name, key=model.key)
    return make(good, chance.choice((chain[place], other)))


def _beside(model: Model, chain: list[Issued], chance: random.Random, crossed: bool) -> list[Issued]:
    """What servers send as well: strangers, another CA of the same name, cross certificates, certificates twice."""
    stranger = make(Model("Stranger", 42), None)
    namesake = make(replace(model, key=43, version=3, ca=True), stranger)
    found = [stranger, namesake, chain[0]]
    if crossed:  # from a root that is not trusted
        found += [make(replace(model, version=3, ca=True, start=-50, end=50), stranger), chain[-1]]
    return [one for one in found if chance.random() < 0.3]


def plain(chain: t.Iterable[Issued]) -> list[x509.Certificate]:
    return [one.certificate for one in chain]


def accepted(sent: t.Sequence[Issued], trusted: t.Sequence[Issued]) -> bool:
    """What OpenSSL says to the whole of it."""
    store = crypto.X509Store()
    for one in trusted:
        store.add_cert(crypto.X509.from_cryptography(one.certificate))
    store.set_time(NOW)
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    first, *others = [crypto.X509.from_cryptography(one.certificate) for one in sent]
    try:
        crypto.X509StoreContext(store, first, others).verify_certificate()
    except crypto.X509StoreContextError:
        return False
    return True


ALL = 2000
# 33 and the number of kinds have no common divisor, so that the sample has each of them.
SAMPLE = range(0, ALL, 33)
NUMBERS = [one if one in SAMPLE else pytest.param(one, marks=pytest.mark.nightly) for one in range(ALL)]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_verdict_and_the_named_certificate(number: int) -> None:
    one = planted(number)
    faults = examine(plain(one.sent), DOMAIN, plain(one.trusted), NOW, 14)[1]
    assert list(faults) == ([one.code] if one.code else [])
    for text in faults.values():
        named = re.findall(r"CN=((?:CA|Root) [\d.]*\d|Other Root|Stranger)", text)
        assert tuple(named)[: len(one.named)] == one.named, text
        assert one.named or "CN=" not in text
    found = check_chain(one.sent[0].certificate, plain(one.sent[1:]), plain(one.trusted), NOW)
    assert [each.code for each in found] == [code for code in faults if code not in OF_LEAF]
    if not one.several and one.code not in OURS:
        assert accepted(one.sent, one.trusted) is (found == [])


def test_the_sample_has_every_kind() -> None:
    assert {KINDS[number % len(KINDS)] for number in SAMPLE} == set(KINDS)
