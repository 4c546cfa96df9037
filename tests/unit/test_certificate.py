# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gateway's certificate must satisfy; PKCS#12 in and out."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import (
    FACTS,
    NOT_CHECKED,
    Bundle,
    Unusable,
    check,
    describe,
    load_pkcs12,
    parse,
    wrap,
)
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.unit.certificates import (
    BOTH,
    NAMES,
    NOW,
    PASSPHRASE,
    Issued,
    crossed,
    elliptic_key,
    intermediate,
    issue,
    leaf,
    root,
    rsa_key,
)

OTHERS = (intermediate().certificate,)


def codes(one: Issued, severity: str = "", **arguments: t.Any) -> list[str]:
    arguments = {"now": NOW, "names": NAMES, "others": OTHERS, "anchors": None, **arguments}
    found = check(one.certificate, **arguments)
    return [finding.code for finding in found if severity in ("", finding.severity)]


def by(**arguments: t.Any) -> Issued:
    return issue(issuer=intermediate(), **arguments)


def test_good_certificate_has_no_findings() -> None:
    assert codes(leaf()) == []
    assert codes(leaf(), anchors=(root().certificate,)) == []


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: by(days=0.5), "expired"),
        (lambda: by(start=1), "not_yet_valid"),
        (lambda: by(names=NAMES[:2]), "names_missing"),
        (lambda: by(names=()), "names_missing"),
        (lambda: by(names=("access.contoso.test", "*.contoso.test")), "names_missing"),
        (lambda: by(key=rsa_key(9, 1024)), "key_size"),
        (lambda: by(key=elliptic_key(ec.SECP521R1)), "key_type"),
        (lambda: by(key=ed25519.Ed25519PrivateKey.generate()), "key_type"),
        (lambda: by(pss=True), "rsassa_pss"),
        (lambda: by(purposes=()), "server_auth"),
        (lambda: by(purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)), "server_auth"),
    ],
)
def test_errors(make: t.Callable[[], Issued], code: str) -> None:
    assert codes(make(), "error") == [code]


def test_wildcard_stands_for_one_label() -> None:
    assert codes(by(names=("*.contoso.test", "contoso.test")), "error") == []
    assert codes(by(names=("*.test", "contoso.test")), "error") == ["names_missing"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: by(names=(*NAMES, "*.contoso.test")), "wildcard"),
        (lambda: by(subject="sip.contoso.test"), "subject"),
        (lambda: by(purposes=BOTH[:1]), "client_auth"),
        (lambda: by(crl=False), "no_crl"),
        (lambda: by(start=-190, days=200), "expires_soon"),
        (lambda: by(start=-4.5, days=6), "expires_soon"),
        (issue, "self_signed"),
        (lambda: issue(issuer=root()), "intermediates_missing"),
    ],
)
def test_warnings(make: t.Callable[[], Issued], code: str) -> None:
    assert codes(make()) == [code]


def test_weak_signature_is_a_warning() -> None:
    # Current libraries refuse to sign with SHA-1, so the certificate only says that it was.
    fake = _Stub(leaf().certificate, signature_hash_algorithm=hashes.SHA1())
    assert [f.code for f in check(t.cast(t.Any, fake), now=NOW, names=NAMES)] == ["weak_signature"]


class _Stub:
    """A certificate of which some attributes differ."""

    def __init__(self, real: t.Any, **attributes: t.Any) -> None:
        self.__dict__.update(attributes)
        self._real = real

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._real, name)


def test_six_day_certificate_is_not_always_about_to_expire() -> None:
    assert codes(by(start=-3, days=6)) == []


def test_every_problem_is_named_at_once() -> None:
    found = codes(by(key=rsa_key(9, 1024), names=NAMES[:1], purposes=(), days=0.5))
    assert found == ["expired", "names_missing", "key_size", "server_auth", "client_auth"]


def test_rsassa_pss_of_an_intermediate_counts() -> None:
    below = issue("Contoso Issuing", root(), key=rsa_key(2), ca=True, pss=True)
    assert codes(leaf(), others=(below.certificate,)) == ["rsassa_pss"]


def test_certificates_that_stand_elsewhere_do_not_count() -> None:
    stranger = issue("Stranger", root(), key=rsa_key(7), ca=True, pss=True)
    assert codes(leaf(), others=(stranger.certificate, *OTHERS)) == []


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1])
def test_elliptic_keys_are_for_2015_only(curve: type[ec.EllipticCurve]) -> None:
    one = by(key=elliptic_key(curve))
    assert codes(one) == []
    assert codes(one, rsa_only=True) == ["key_type"]


class TestTrust:
    anchors = (root().certificate,)

    def test_without_the_intermediate(self) -> None:
        assert codes(leaf(), others=(), anchors=self.anchors) == ["incomplete_chain"]

    def test_other_root(self) -> None:
        other = issue("Contoso Root", key=rsa_key(3), ca=True, days=3650)
        assert codes(leaf(), anchors=(other.certificate,)) == ["untrusted"]

    def test_expired_intermediate(self) -> None:
        old = issue("Contoso Issuing", root(), key=rsa_key(2), ca=True, start=-10, days=5)
        assert codes(leaf(), others=(old.certificate,), anchors=self.anchors) == ["chain_expired"]

    def test_issuer_that_is_no_ca(self) -> None:
        no_ca = issue("Contoso Issuing", root(), key=rsa_key(2))
        assert codes(leaf(), others=(no_ca.certificate,), anchors=self.anchors) == ["chain_not_a_ca"]

    def test_intermediate_as_anchor(self) -> None:
        assert codes(leaf(), others=(), anchors=OTHERS) == []

    def test_directly_below_the_root(self) -> None:
        assert codes(issue(issuer=root()), others=(), anchors=self.anchors) == []

    def test_self_signed(self) -> None:
        alone = issue()
        assert codes(alone, anchors=self.anchors) == ["untrusted"]
        assert codes(alone, anchors=(alone.certificate,)) == ["self_signed"]

    def test_cross_signed_intermediate_does_not_hide_the_other_way(self) -> None:
        elsewhere = issue("Old Root", key=rsa_key(4), ca=True)
        crossed = issue("Contoso Root", elsewhere, key=rsa_key(1), ca=True)
        others = (crossed.certificate, *OTHERS)
        assert codes(leaf(), others=others, anchors=self.anchors) == []
        assert codes(leaf(), others=others, anchors=(elsewhere.certificate,)) == []

    def test_loop_ends(self) -> None:
        first = issue("B", issue("A", key=rsa_key(5), ca=True), key=rsa_key(6), ca=True)
        second = issue("A", first, key=rsa_key(5), ca=True)
        one = issue(issuer=second)
        others = (first.certificate, second.certificate)
        assert codes(one, others=others, anchors=self.anchors) == ["untrusted"]

    def test_certificates_that_certify_each_other(self) -> None:
        """They have ten thousands of chains. One that leads to the root is found, and none where there is none."""
        many = crossed(5)
        one = issue(issuer=many[0])
        others = [other.certificate for other in many]
        out = issue("A", root(), key=many[0].key, ca=True).certificate
        begun = time.monotonic()
        assert codes(one, others=others, anchors=self.anchors) == ["untrusted"]
        assert codes(one, others=[*others, out], anchors=self.anchors) == []
        assert time.monotonic() - begun < 15  # the search ends, on a busy machine too

    def test_the_time_for_a_chain_ends(self) -> None:
        """What does not depend on the chain is found all the same, and nothing is said of the chain."""
        found = check(
            by(start=-30, days=20).certificate, now=NOW, others=OTHERS, anchors=(intermediate().certificate,), seconds=0
        )
        assert [(one.code, one.severity) for one in found] == [("expired", "error"), (NOT_CHECKED, "unknown")]


def test_describe() -> None:
    facts = describe(leaf().certificate)
    assert tuple(facts) == FACTS
    assert facts["thumbprint"] == leaf().thumbprint
    assert (facts["subject"], facts["issuer"]) == ("CN=access.contoso.test", "CN=Contoso Issuing")
    assert facts["names"] == list(NAMES)
    assert facts["key"] == "RSA 2048"
    assert facts["not_after"] == leaf().certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert facts["server_auth"]
    assert facts["client_auth"]
    assert describe(by(key=elliptic_key()).certificate)["key"] == "ECDSA P-256"
    bare = describe(issue(names=(), purposes=()).certificate)
    assert (bare["names"], bare["server_auth"], bare["client_auth"]) == ([], False, False)


def unusable(data: bytes, passphrase: str | None) -> str:
    with pytest.raises(Unusable) as caught:
        load_pkcs12(data, Secret(passphrase) if passphrase is not None else None)
    if passphrase:
        assert passphrase not in str(caught.value)
    (finding,) = caught.value.findings
    return finding.code


class TestPkcs12:
    data = leaf().pkcs12(intermediate(), root())

    def test_aes_file_is_read(self) -> None:
        bundle = load_pkcs12(self.data, Secret(PASSPHRASE))
        assert bundle.certificate == leaf().certificate
        assert set(bundle.others) == {intermediate().certificate, root().certificate}
        assert "PrivateKey" not in repr(bundle)

    @pytest.mark.parametrize("passphrase", [None, ""])
    def test_no_passphrase_and_empty_passphrase_are_the_same(self, passphrase: str | None) -> None:
        secret = None if passphrase is None else Secret(passphrase)
        assert load_pkcs12(leaf().pkcs12(passphrase=None), secret).certificate == leaf().certificate

    def test_passphrase_outside_ascii(self) -> None:
        data = leaf().pkcs12(passphrase="schlüssel 🔑")
        assert load_pkcs12(data, Secret("schlüssel 🔑")).certificate == leaf().certificate

    @pytest.mark.parametrize(
        ("data", "passphrase", "code"),
        [
            (data, "wrong horse", "passphrase"),
            (data, None, "passphrase"),
            (leaf().pem, PASSPHRASE, "not_pkcs12"),
            (b"something", PASSPHRASE, "not_pkcs12"),
            (b"", None, "not_pkcs12"),
        ],
    )
    def test_what_cannot_be_opened(self, data: bytes, passphrase: str | None, code: str) -> None:
        assert unusable(data, passphrase) == code

    def test_without_private_key(self) -> None:
        encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
        data = pkcs12.serialize_key_and_certificates(None, None, leaf().certificate, None, encryption)
        assert unusable(data, PASSPHRASE) == "no_private_key"

    def test_without_the_keys_certificate(self) -> None:
        encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
        data = pkcs12.serialize_key_and_certificates(None, leaf().key, None, [root().certificate], encryption)
        assert unusable(data, PASSPHRASE) == "no_certificate"

    def test_wrapped_file_holds_leaf_and_intermediates_but_no_root(self) -> None:
        bundle = load_pkcs12(self.data, Secret(PASSPHRASE))
        again = load_pkcs12(wrap(bundle, Secret("one-time"), NOW), Secret("one-time"))
        assert again.certificate == leaf().certificate
        assert again.others == OTHERS

    def test_unrelated_certificates_stay_behind(self) -> None:
        stranger = issue("Stranger", root(), key=rsa_key(7), ca=True)
        bundle = Bundle(leaf().certificate, leaf().key, (stranger.certificate, intermediate().certificate))
        assert load_pkcs12(wrap(bundle, Secret("one-time"), NOW), Secret("one-time")).others == OTHERS

    @pytest.mark.parametrize("one", [leaf(), by(key=elliptic_key())], ids=["rsa", "ecdsa"])
    def test_openssl_finds_the_old_encryption(self, one: Issued, tmp_path: Path) -> None:
        openssl = shutil.which("openssl")
        assert openssl, "the openssl command is needed"
        file = tmp_path / "wrapped.pfx"
        file.write_bytes(wrap(Bundle(one.certificate, one.key, OTHERS), Secret("one-time"), NOW))
        command = [openssl, "pkcs12", "-legacy", "-in", str(file), "-passin", "pass:one-time", "-info", "-nodes"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "MAC: sha1" in answer.stderr
        assert answer.stderr.count("pbeWithSHA1And3-KeyTripleDES-CBC") == 2
        assert "PBES2" not in answer.stderr
        assert "AES" not in answer.stderr
        assert answer.stdout.count("BEGIN CERTIFICATE") == 2
        assert answer.stdout.count("BEGIN PRIVATE KEY") == 1


def test_broken_certificate() -> None:
    with pytest.raises(Unusable, match="cannot be decoded"):
        parse(b"\x30\x00")


def test_times_are_judged_at_the_given_time() -> None:
    later = NOW + datetime.timedelta(days=400)
    assert "expired" in codes(leaf(), now=later)
