# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab in a temporary directory, driven without a network: statements in, recorded objects and errors out."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from lab.cmdlets.objects import properties_of
from lab.cmdlets.runspace import Call, Deployment, Runspace
from lab.deployment.faults import Faults
from lab.deployment.store import Event, Store
from lab.errors import ErrorDetails

USERS = {"fe01": "CONTOSO\\admin", "fe01/wsman": "CONTOSO\\admin", "edge01": "Administrator", "edge02": "Administrator"}


class Recorder:
    """A sink that keeps what it is told. stop_after: pretend that the client stops after so many objects."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.values: list[t.Any] = []
        self.errors: list[ErrorDetails] = []
        self.is_failed = False
        self.warnings: list[str] = []
        self._stop_after = stop_after

    def output(self, value: object) -> None:
        self.values.append(value)

    def error(self, record: ErrorDetails) -> None:
        self.errors.append(record)

    def failed(self, record: ErrorDetails) -> None:
        self.errors.append(record)
        self.is_failed = True

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    @property
    def stopped(self) -> bool:
        return self._stop_after is not None and len(self.values) >= self._stop_after

    @property
    def rows(self) -> list[dict[str, t.Any]]:
        """The objects' properties."""
        return [t.cast("dict[str, t.Any]", properties_of(value)) for value in self.values]

    @property
    def ids(self) -> list[str]:
        """The error ids without the command's name."""
        return [error.error_id.partition(",")[0] for error in self.errors]


class Bench:
    """One lab and a session on each of its hosts."""

    def __init__(self, directory: Path, profile: str = "sfb2015") -> None:
        self.deployment = Deployment(directory, profile)
        self.store: Store = self.deployment.store
        self.faults = Faults(self.store)
        self._runspaces: dict[tuple[str, str], Runspace] = {}

    def runspace(self, host: str, user: str | None = None) -> Runspace:
        """The session of a user on a host. That of an Edge has the product's module imported."""
        key = (host, user or USERS[host])
        if key not in self._runspaces:
            self._runspaces[key] = self.deployment.open_runspace(host, key[1], "%s-1" % host)
            if host != "fe01":  # an ordinary endpoint, where the module has to be imported
                module = "Lync" if self.deployment.profile == "lync2013" else "SkypeForBusiness"
                self._runspaces[key].run([[Call("Import-Module", (("Name", module),))]], Recorder())
        return self._runspaces[key]

    def run(self, *calls: tuple[t.Any, ...], host: str = "fe01", user: str | None = None) -> Recorder:
        """Run statements, each a name and a dict of parameters, or several of these in a pipeline."""
        statements = []
        for call in calls:
            pairs = [call] if isinstance(call[0], str) else call
            statements.append([Call(name, tuple(parameters.items())) for name, parameters in pairs])
        sink = Recorder()
        self.runspace(host, user).run(statements, sink)
        return sink

    def call(self, name: str, host: str = "fe01", user: str | None = None, **parameters: t.Any) -> Recorder:
        """Run one statement, whatever comes of it."""
        return self.run((name, parameters), host=host, user=user)

    def ok(self, name: str, host: str = "fe01", **parameters: t.Any) -> list[dict[str, t.Any]]:
        """Run one statement that must not fail. Returns the properties of its output."""
        sink = self.call(name, host=host, **parameters)
        assert sink.errors == []
        return sink.rows

    def fails(self, name: str, host: str = "fe01", **parameters: t.Any) -> str:
        """Run one statement that must fail with one error and no output. Returns the error's id."""
        sink = self.call(name, host=host, **parameters)
        assert len(sink.errors) == 1
        assert sink.values == []
        return sink.ids[0]

    def last(self) -> Event:
        return self.store.events()[-1]


@pytest.fixture
def bench(tmp_path: Path) -> t.Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def bench2013(tmp_path: Path) -> t.Iterator[Bench]:
    made = Bench(tmp_path, "lync2013")
    yield made
    made.store.close()


class Material(t.NamedTuple):
    """A certificate with an issuer above it, as PKCS#12 files of several kinds, all with the passphrase ``pfx``."""

    thumbprint: str
    issuer_thumbprint: str
    old: bytes
    modern: bytes
    modern_mac: bytes


def _material(elliptic: bool) -> Material:
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    issuer_key = ec.generate_private_key(ec.SECP256R1())
    key: t.Any = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def build(subject: str, public: t.Any, serial: int) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Test Issuer"))
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject), x509.DNSName("contoso.test")]), False)
            .sign(issuer_key, hashes.SHA256())
        )

    issuer = build("Test Issuer", issuer_key.public_key(), 1)
    leaf = build("sip.contoso.test", key.public_key(), 0xABC)

    def pack(builder: t.Any) -> bytes:
        return pkcs12.serialize_key_and_certificates(b"lab test", key, leaf, [issuer], builder)

    old_pbe = pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC
    base = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1000).key_cert_algorithm(old_pbe)
    return Material(
        leaf.fingerprint(hashes.SHA1()).hex().upper(),
        issuer.fingerprint(hashes.SHA1()).hex().upper(),
        pack(base.hmac_hash(hashes.SHA1()).build(b"pfx")),
        pack(BestAvailableEncryption(b"pfx")),
        pack(base.hmac_hash(hashes.SHA256()).build(b"pfx")),
    )


@pytest.fixture(scope="session")
def rsa_material() -> Material:
    return _material(elliptic=False)


@pytest.fixture(scope="session")
def ec_material() -> Material:
    return _material(elliptic=True)
