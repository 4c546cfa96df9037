# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chains with a planted defect: the verdict is OpenSSL's, and the broken certificate is named."""

from __future__ import annotations

import datetime
import functools
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import FATAL, examine
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.explanations import FAULTS
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import check, load_chain
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.chain import CHAIN, check_chain
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.certificates import NOW, Issued, issue

DOMAIN = "fabrikam.test"


@functools.cache
def key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, sign, True, False, False)


def limited(*names: str, excluded: bool = False) -> x509.NameConstraints:
    subtrees = [x509.DNSName(name) for name in names]
    return x509.NameConstraints(None if excluded else subtrees, subtrees if excluded else None)


def ca(name: str, number: int, issuer: Issued | None = None, **more: t.Any) -> Issued:
    return issue(name, issuer, key=key(number), ca=True, **{"days": 900, **more})


def leaf(issuer: Issued | None, **more: t.Any) -> Issued:
    return issue(DOMAIN, issuer, key=key(0), **{"names": (DOMAIN,), **more})


ROOT = ca("Root", 1)
MIDDLE = ca("Middle", 2, ROOT)
LOW = ca("Low", 3, MIDDLE)
GOOD = leaf(LOW)


def ended(name: str, number: int, issuer: Issued | None = None) -> Issued:
    return ca(name, number, issuer, start=-400, days=397)


def when(one: Issued) -> str:
    return one.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


EXPIRED = ended("Middle", 2, ROOT)
EXPIRED_ROOT = ended("Root", 1)
FUTURE = ca("Middle", 2, ROOT, start=3)
SHORT = ca("Middle", 2, ROOT, path_length=0)
NO_SIGN = ca("Middle", 2, ROOT, more=[usage(False)])
NO_CA = issue("Middle", ROOT, key=key(2))
ONLY = ca("Middle", 2, ROOT, more=[limited("contoso.test")])
NOT_THESE = ca("Middle", 2, ROOT, more=[limited(DOMAIN, excluded=True)])
ODD = ca(
    "Middle", 2, ROOT, more=[x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")]
)
OLD_ROOT = ca("Old Root", 4)
CROSS = ca("Root", 1, OLD_ROOT)
CROSS_ENDED = ended("Root", 1, OLD_ROOT)
ALONE = leaf(None)

# (sent, trusted, findings: code -> what the message names)
CHAINS: dict[str, tuple[tuple[Issued, ...], tuple[Issued, ...], dict[str, tuple[str, ...]]]] = {
    "good": ((GOOD, LOW, MIDDLE), (ROOT,), {}),
    "the root is sent as well": ((GOOD, LOW, MIDDLE, ROOT), (ROOT,), {}),
    "wrong order": ((GOOD, ROOT, MIDDLE, LOW), (ROOT,), {}),
    "an intermediate is trusted": ((GOOD, LOW), (MIDDLE,), {}),
    "expired intermediate": (
        (GOOD, LOW, EXPIRED),
        (ROOT,),
        {"chain_expired": ("intermediate CN=Middle", when(EXPIRED))},
    ),
    "expired intermediate, and its renewal": ((GOOD, LOW, EXPIRED, MIDDLE), (ROOT,), {}),
    "two expired": (
        (leaf(ended("Low", 3, MIDDLE)), ended("Low", 3, MIDDLE), EXPIRED),
        (ROOT,),
        {"chain_expired": ("CN=Low expired", "CN=Middle expired")},
    ),
    "expired root": ((GOOD, LOW, MIDDLE), (EXPIRED_ROOT,), {"root_not_valid": ("root CN=Root of the trust store",)}),
    "not yet valid": ((GOOD, LOW, FUTURE), (ROOT,), {"chain_not_yet_valid": ("CN=Middle is not valid before",)}),
    "path length": (
        (GOOD, LOW, SHORT),
        (ROOT,),
        {"chain_path_length": ("CN=Middle allows 0 CA certificates below it, and its chain has 1",)},
    ),
    "path length of the root": (
        (GOOD, LOW, MIDDLE),
        (ca("Root", 1, path_length=1),),
        {"chain_path_length": ("CN=Root",)},
    ),
    "names are not allowed": (
        (GOOD, LOW, ONLY),
        (ROOT,),
        {"chain_name_constraints": ("it has names", "CN=Middle may not issue for (allowed: contoso.test)")},
    ),
    "names are excluded": (
        (GOOD, LOW, NOT_THESE),
        (ROOT,),
        {"chain_name_constraints": ("CN=Middle may not issue for (excluded: fabrikam.test)",)},
    ),
    "no keyCertSign": ((GOOD, LOW, NO_SIGN), (ROOT,), {"chain_not_a_ca": ("CN=Middle, which issued", "keyCertSign")}),
    "not a CA": (
        (GOOD, LOW, NO_CA),
        (ROOT,),
        {"chain_not_a_ca": ("CN=Middle, which issued the intermediate CN=Low, is not a CA certificate",)},
    ),
    "critical extension": ((GOOD, LOW, ODD), (ROOT,), {"chain_refused": ("CN=Middle: unhandled critical extension",)}),
    "missing intermediate": (
        (GOOD, LOW),
        (ROOT,),
        {"untrusted": ("ends at the intermediate CN=Low", "issuer CN=Middle")},
    ),
    "only the certificate": ((GOOD,), (ROOT,), {"incomplete_chain": ("its issuer CN=Low",)}),
    "unknown root": ((GOOD, LOW, MIDDLE, ROOT), (OLD_ROOT,), {"untrusted": ("ends at the root CN=Root",)}),
    "unknown root above an expired intermediate": (
        (GOOD, LOW, EXPIRED, ROOT),
        (OLD_ROOT,),
        {"untrusted": ("root CN=Root",), "chain_expired": ("CN=Middle", when(EXPIRED))},
    ),
    "self-signed": ((ALONE,), (ROOT,), {"untrusted": ("it is self-signed",)}),
    "self-signed and trusted": ((ALONE,), (ALONE,), {}),
    "cross certificate": ((GOOD, LOW, MIDDLE, CROSS), (OLD_ROOT,), {}),
    "expired cross certificate, new root": ((GOOD, LOW, MIDDLE, CROSS_ENDED), (ROOT, OLD_ROOT), {}),
    "expired cross certificate, old root": (
        (GOOD, LOW, MIDDLE, CROSS_ENDED),
        (OLD_ROOT,),
        {"chain_expired": ("intermediate CN=Root", when(CROSS_ENDED))},
    ),
    "a way without the constraint": ((GOOD, LOW, ONLY, MIDDLE), (ROOT,), {}),
    "another root of the same name": ((GOOD, LOW, MIDDLE), (ca("Root", 5), ROOT), {}),
}


def plain(chain: t.Iterable[Issued]) -> list[x509.Certificate]:
    return [one.certificate for one in chain]


@pytest.mark.parametrize("name", CHAINS)
def test_the_verdict_and_the_broken_certificate(name: str) -> None:
    (first, *others), trusted, expected = CHAINS[name]
    found = check_chain(first.certificate, plain(others), plain(trusted), NOW)
    assert {one.code for one in found} == set(expected), found
    for one in found:
        assert all(part in one.message for part in expected[one.code]), one.message
        assert (one.severity, one.remedy) == ("error", CHAIN[one.code])


@pytest.mark.parametrize("name", CHAINS)
def test_a_partners_chain_has_the_same_faults(name: str) -> None:
    sent, trusted, expected = CHAINS[name]
    faults = examine(plain(sent), DOMAIN, plain(trusted), NOW, 14)[1]
    assert set(faults) == set(expected)
    assert set(CHAIN) <= FATAL & set(FAULTS)


@pytest.mark.parametrize(("start", "code"), [(-400, "expired"), (3, "not_yet_valid")])
def test_the_certificates_own_time_is_not_a_fault_of_its_chain(start: int, code: str) -> None:
    one = leaf(LOW, start=start, days=100)
    assert check_chain(one.certificate, plain((LOW, MIDDLE)), plain((ROOT,)), NOW) == []
    assert set(examine(plain((one, LOW, MIDDLE)), DOMAIN, plain((ROOT,)), NOW, 14)[1]) == {code}
    assert set(examine(plain((one, LOW, EXPIRED)), DOMAIN, plain((ROOT,)), NOW, 14)[1]) == {code, "chain_expired"}


def test_without_a_trust_store_a_broken_intermediate_is_a_warning() -> None:
    others = plain((ended("Low", 3, MIDDLE), MIDDLE))
    found = check(GOOD.certificate, now=NOW, others=others)
    assert [(one.code, one.severity) for one in found if "chain" in one.code] == [("chain_expired", "warning")]


def test_a_root_of_version_1(tmp_path: Path) -> None:
    """As a trusted root it is good (RFC 5280 section 6.1.1 d). As an intermediate it is not a CA's."""
    openssl = shutil.which("openssl")
    assert openssl, "the openssl command is needed"

    def old(name: str, signer: Issued | None) -> Issued:
        own = tmp_path / "own.key"
        encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        own.write_bytes(key(6).private_bytes(*encoding))
        run = functools.partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True)
        run([openssl, "req", "-new", "-key", "own.key", "-out", "r", "-subj", "/CN=" + name])
        by = ["-signkey", "own.key"]
        if signer is not None:
            (tmp_path / "ca.key").write_bytes(signer.key.private_bytes(*encoding))
            (tmp_path / "ca.pem").write_bytes(signer.pem)
            by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7"]
        (tmp_path / "none").write_bytes(b"")
        run([openssl, "x509", "-req", "-in", "r", *by, "-out", "c.pem", "-days", "900"])
        return Issued(load_chain((tmp_path / "c.pem").read_bytes())[0], key(6))

    now = NOW + datetime.timedelta(minutes=30)  # openssl makes them valid from its own now on
    root, between = old("Version 1", None), old("Version 1", ROOT)
    one = leaf(root)
    if root.certificate.version is not x509.Version.v1:
        pytest.fail("this openssl makes version 3")
    assert check_chain(one.certificate, (), plain((root,)), now) == []
    (found,) = check_chain(one.certificate, plain((between,)), plain((ROOT,)), now)
    assert (found.code, "CN=Version 1, which issued it, is not a CA" in found.message) == ("chain_not_a_ca", True)
