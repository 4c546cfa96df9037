# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public authority of the lab's world, and the certificates that it gives to partners."""

from __future__ import annotations

import datetime
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from lab.deployment.gateway_pfx import PASSPHRASE, ensure_gateway_pfx
from lab.deployment.public_ca import KEY_FILE, ROOT_FILE, public_authority
from lab.errors import LabError
from lab.partners.certificates import KINDS, read_certificate, write_certificate

DOMAIN = "fabrikam.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("authority")
    public_authority(directory)
    return directory


def issued(directory: Path, path: Path, kind: str) -> list[x509.Certificate]:
    write_certificate(directory, path, DOMAIN, kind)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    chain = x509.load_pem_x509_certificates(path.read_bytes())
    assert read_certificate(path) == chain[0].public_bytes(Encoding.DER)
    return chain


def root(directory: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / ROOT_FILE).read_bytes())


def accepted(directory: Path, chain: list[x509.Certificate], name: str = DOMAIN) -> bool:
    verifier = PolicyBuilder().store(Store([root(directory)])).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(chain[0], chain[1:])
    except VerificationError:
        return False
    return True


def purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


class TestKinds:
    def test_a_good_one_is_good(self, authority: Path, tmp_path: Path) -> None:
        chain = issued(authority, tmp_path / "c.pem", "good")
        assert accepted(authority, chain)
        assert purposes(chain[0]) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}

    def test_an_expired_one_was_good(self, authority: Path, tmp_path: Path) -> None:
        chain = issued(authority, tmp_path / "c.pem", "expired")
        assert not accepted(authority, chain)
        assert chain[0].not_valid_after_utc < datetime.datetime.now(datetime.timezone.utc)
        leaf_name = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert leaf_name.get_values_for_type(x509.DNSName) == [DOMAIN]
        chain[0].verify_directly_issued_by(chain[1])

    def test_one_for_another_name_is_good_for_that(self, authority: Path, tmp_path: Path) -> None:
        chain = issued(authority, tmp_path / "c.pem", "wrongname")
        assert not accepted(authority, chain)
        assert accepted(authority, chain, "mail." + DOMAIN)

    def test_one_of_an_unknown_authority_comes_with_it(self, authority: Path, tmp_path: Path) -> None:
        chain = issued(authority, tmp_path / "c.pem", "unknownca")
        assert chain[0].issuer == chain[1].subject == chain[1].issuer
        assert not accepted(authority, chain)
        assert chain[0].not_valid_after_utc > datetime.datetime.now(datetime.timezone.utc)

    def test_one_for_servers_only(self, authority: Path, tmp_path: Path) -> None:
        chain = issued(authority, tmp_path / "c.pem", "serveronly")
        assert accepted(authority, chain)
        assert purposes(chain[0]) == {ExtendedKeyUsageOID.SERVER_AUTH}

    def test_there_are_no_others(self, authority: Path, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="good, expired, wrongname, unknownca, serveronly"):
            write_certificate(authority, tmp_path / "c.pem", DOMAIN, "revoked")
        assert len(KINDS) == 5


class TestPublicAuthority:
    def test_it_is_made_once(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _turn: public_authority(tmp_path)[0].certificate, range(4)))
        assert made == [made[0]] * 4
        assert public_authority(tmp_path)[1] == (made[0],)

    def test_its_key_is_for_its_owner_only(self, authority: Path) -> None:
        assert stat.S_IMODE((authority / KEY_FILE).stat().st_mode) == 0o600
        assert b"PRIVATE" not in (authority / ROOT_FILE).read_bytes()

    def test_the_gateways_certificate_is_of_it(self, tmp_path: Path) -> None:
        ensure_gateway_pfx(tmp_path)
        content = pkcs12.load_pkcs12((tmp_path / "gateway.pfx").read_bytes(), PASSPHRASE.encode())
        assert content.cert is not None
        content.cert.certificate.verify_directly_issued_by(public_authority(tmp_path)[0].certificate)
        before = (tmp_path / "gateway.pfx").read_bytes()
        ensure_gateway_pfx(tmp_path)
        assert (tmp_path / "gateway.pfx").read_bytes() == before

    @pytest.mark.parametrize("name", [KEY_FILE, ROOT_FILE])
    def test_what_is_lost_is_made_anew_altogether(self, tmp_path: Path, name: str) -> None:
        ensure_gateway_pfx(tmp_path)
        former = root(tmp_path)
        (tmp_path / name).unlink()
        ensure_gateway_pfx(tmp_path)
        content = pkcs12.load_pkcs12((tmp_path / "gateway.pfx").read_bytes(), PASSPHRASE.encode())
        assert content.cert is not None
        assert root(tmp_path) != former
        assert accepted(
            tmp_path,
            [content.cert.certificate, *(each.certificate for each in content.additional_certs)],
            "sip.contoso.test",
        )
