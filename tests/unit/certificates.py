# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For tests: certificates of every kind, and an Edge server in memory that can fail at any statement."""

from __future__ import annotations

import datetime
import fnmatch
import functools
import time
import typing as t
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    Secret,
    ServerError,
    ShellError,
    Statement,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
NAMES = ("access.contoso.test", "sip.contoso.test", "contoso.test")
PASSPHRASE = "correct horse battery"
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@functools.cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key that is made once a test run; ``number`` tells several apart."""
    return rsa.generate_private_key(65537, bits)


@functools.cache
def elliptic_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: t.Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def thumbprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()

    def pkcs12(self, *others: Issued, passphrase: str | None = PASSPHRASE) -> bytes:
        """As today's tools write it: AES-256, or without encryption."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(
            b"test", self.key, self.certificate, [other.certificate for other in others], encryption
        )


def issue(
    subject: str = NAMES[0],
    issuer: Issued | None = None,
    *,
    key: t.Any = None,
    names: t.Sequence[str] = NAMES,
    start: float = -1,
    days: float = 200,
    purposes: t.Sequence[x509.ObjectIdentifier] = BOTH,
    ca: bool = False,
    crl: bool = True,
    pss: bool = False,
    path_length: int | None = None,
    more: t.Sequence[x509.ExtensionType] = (),
) -> Issued:
    """A certificate, self-signed without ``issuer``. ``start`` and ``days`` (from there) are days from now.

    path_length: how many CA certificates may stand below it. more: further extensions, all of them critical.
    """
    key = key or rsa_key()
    signer = issuer.key if issuer else key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    began = NOW + datetime.timedelta(days=start)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    )
    if not ca:
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), False)
        if crl:
            point = x509.UniformResourceIdentifier("http://crl.contoso.test/ca.crl")
            points = [x509.DistributionPoint([point], None, None, None)]
            builder = builder.add_extension(x509.CRLDistributionPoints(points), False)
    for extension in more:
        builder = builder.add_extension(extension, critical=True)
    algorithm = hashes.SHA256()
    if pss:
        scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
        return Issued(builder.sign(signer, algorithm, rsa_padding=scheme), key)
    return Issued(builder.sign(signer, algorithm), key)


@functools.cache
def root() -> Issued:
    return issue("Contoso Root", key=rsa_key(1), ca=True, days=3650)


@functools.cache
def intermediate() -> Issued:
    return issue("Contoso Issuing", root(), key=rsa_key(2), ca=True, days=1825)


@functools.cache
def leaf() -> Issued:
    return issue(issuer=intermediate())


@functools.cache
def crossed(pairs: int) -> tuple[Issued, ...]:
    """So many CA certificates of each of two authorities that certify each other. The first one can issue."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in "AB"}
    roots = {name: issue(name, key=key, ca=True) for name, key in keys.items()}
    each = [
        [issue(name, roots[other], key=keys[name], ca=True) for name, other in ("AB", "BA")] for _pair in range(pairs)
    ]
    return tuple(one for pair in each for one in pair)


@dataclass
class Fault:
    """What happens at the n-th writing statement (from 0), once.

    error: it fails without effect; late: it takes effect and reports an error; lost: the session is lost before it, and
    with it the rest of the request; cut: it takes effect, and the session is lost with the rest of the request; dead:
    the server does the whole request, and the controller never hears from it again; refused: nothing can be sent.
    """

    at: int
    kind: str


SERVICES = {
    "REPLICA": "Skype for Business Server Replica Replicator Agent",
    "RTCSRV": "Skype for Business Server Access Edge",
    "RTCDATAPROXY": "Skype for Business Server Web Conferencing Edge",
    "RTCMRAUTH": "Skype for Business Server Audio/Video Authentication",
    "RTCMEDIARELAY": "Skype for Business Server Audio/Video Edge",
    "RTCXMPPTGWPX": "Skype for Business Server XMPP Translating Gateway Proxy",
}
XMPP = "RTCXMPPTGWPX"
EVERYTHING = ("AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication", "XmppServer")


# Seconds that sessions last which never end.
EVER = 1e9


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def _serialised(item: t.Any, statement: Statement) -> t.Any:
    """What crosses the wire: of a certificate only what Select-Object names, and without it RawData."""
    if statement.select:
        return {name: item.get(name) for name in statement.select}
    return {"RawData": item["RawData"]} if isinstance(item, dict) and "RawData" in item else item


class _Lost(Exception):
    pass


@dataclass
class EdgeShell:
    """An Edge in memory. ``presented``: what the XMPP proxy loaded when it was last started.

    sessions: seconds that a service is Paused after a graceful stop. paused: until when those are that drain now.
    """

    version: str = "Skype for Business Server 2015 (6.0.9319.0)"
    store: dict[str, tuple[bytes, bool | None]] = field(default_factory=dict)
    intermediates: list[bytes] = field(default_factory=list)
    roots: list[bytes] = field(default_factory=list)
    assigned: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=lambda: dict(SERVICES))
    running: set[str] = field(default_factory=lambda: set(SERVICES))
    dependents: dict[str, list[str]] = field(default_factory=dict)
    sessions: float = 0.0
    paused: dict[str, float] = field(default_factory=dict)
    presented: str = ""
    fault: Fault | None = None
    writes: list[Statement] = field(default_factory=list)
    passphrases: list[str] = field(default_factory=list)
    dead: bool = False
    cuts: bool = True  # whether its Select-Object takes all properties
    lacks: frozenset[str] = frozenset()  # commands that the session does not offer
    clock_ahead: datetime.timedelta = datetime.timedelta(0)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if self.dead:
            raise ShellError("the Edge cannot be reached")
        output: list[t.Any] = []
        errors: list[ServerError] = []
        for statement in statements:
            assert Statement.decode(statement.encode()).cmdlet == statement.cmdlet
            if not self.cuts:
                statement = replace(statement, select=())
            if statement.cmdlet == "Get-Command":
                names = t.cast("tuple[str, ...]", statement.parameters["Name"])
                output += [{"Name": name, "CommandType": "Cmdlet"} for name in names if name not in self.lacks]
                unknown = "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand"
                errors += [ServerError(statement.cmdlet, unknown, target=name) for name in names if name in self.lacks]
                continue
            try:
                output += self._one(statement)
            except _Lost:
                return Answer(tuple(output), tuple(errors), lost="connection reset")
            except LookupError as exc:
                errors.append(ServerError(statement.cmdlet, "Failed", "InvalidOperation", str(exc.args[0])))
        lost = "connection reset" if self._silent() else ""
        return Answer(lost=lost) if lost else Answer(tuple(output), tuple(errors))

    def _silent(self) -> bool:
        return self.dead

    def _one(self, statement: Statement) -> list[t.Any]:
        run = getattr(self, "_" + statement.cmdlet.replace("-", "_").lower())
        if statement.is_read:
            return [_serialised(item, statement) for item in run(**statement.parameters)]
        number = len(self.writes)
        self.writes.append(statement)
        fault = self.fault.kind if self.fault and self.fault.at == number else ""
        if fault == "refused":
            self.writes.pop()
            self.fault = None
            raise ShellError("the session cannot be opened")
        if fault == "lost":
            raise _Lost
        # The server repeats what it was given, as servers do.
        words = "it failed: %s" % {
            k: v.reveal() if isinstance(v, Secret) else v for k, v in statement.parameters.items()
        }
        if fault == "error":
            raise LookupError(words)
        self.dead = self.dead or fault == "dead"
        run(**statement.parameters)
        if fault == "cut":
            raise _Lost
        if fault == "late":
            raise LookupError(words)
        return []

    def _get_command(self, Name: t.Sequence[str]) -> list[t.Any]:
        return [{"Name": name, "CommandType": "Cmdlet"} for name in Name]

    def _get_cscertificate(self) -> list[t.Any]:
        return [{"Thumbprint": thumb, "Use": use} for use, thumb in self.assigned.items()]

    def _get_csserverversion(self) -> list[t.Any]:
        return [self.version]

    def _get_date(self) -> list[t.Any]:
        return [datetime.datetime.now(datetime.timezone.utc) + self.clock_ahead]

    def _get_content(self, LiteralPath: str) -> list[t.Any]:
        if LiteralPath not in self.files:
            raise LookupError("Cannot find path '%s'" % LiteralPath)
        return list(self.files[LiteralPath].decode().splitlines())

    def _get_cswindowsservice(self) -> list[t.Any]:
        return [
            {"Name": name, "DisplayName": text, "Status": self._status(name)} for name, text in self.services.items()
        ]

    def _status(self, name: str) -> str:
        if self.paused.get(name, 0.0) > time.monotonic():
            return "Paused"
        return "Running" if name in self.running else "Stopped"

    def _get_childitem(self, Path: str, Filter: str = "*") -> list[t.Any]:
        if Path == "Cert:\\LocalMachine\\My":
            return [{"RawData": raw, "HasPrivateKey": key} for raw, key in self.store.values()]
        if Path == "Cert:\\LocalMachine\\CA":
            return [{"RawData": raw, "HasPrivateKey": False} for raw in self.intermediates]
        if Path == "Cert:\\LocalMachine\\Root":
            return [{"RawData": raw, "HasPrivateKey": False} for raw in self.roots]
        names = [path.rpartition("\\") for path in self.files]
        return [
            {"Name": name} for folder, _content, name in names if folder == Path and fnmatch.fnmatchcase(name, Filter)
        ]

    def _set_content(self, LiteralPath: str, Encoding: str, Value: bytes) -> None:
        assert Encoding == "Byte"
        self.files[LiteralPath] = Value

    def _add_content(self, LiteralPath: str, Encoding: str, Value: bytes) -> None:
        assert Encoding == "Byte"
        self.files[LiteralPath] += Value

    def _remove_item(self, LiteralPath: str, Force: bool, DeleteKey: bool = False) -> None:
        thumbprint = LiteralPath.rpartition("LocalMachine\\My\\")[2]
        if thumbprint in self.store:
            assert DeleteKey, "the key would stay"
            del self.store[thumbprint]
            return
        if LiteralPath not in self.files:
            raise LookupError("Cannot find path '%s'" % LiteralPath)
        del self.files[LiteralPath]

    def _import_cscertificate(self, Path: str, Password: Secret, PrivateKeyExportable: bool, Confirm: bool) -> None:
        assert PrivateKeyExportable
        assert Confirm is False
        if Path not in self.files:
            raise LookupError("no file %s" % Path)
        self.passphrases.append(Password.reveal())
        content = pkcs12.load_pkcs12(self.files[Path], Password.reveal().encode())
        assert content.cert is not None
        found = Issued(content.cert.certificate, content.key)
        self.store[found.thumbprint] = (found.der, True)

    def _set_cscertificate(self, Type: tuple[str, ...], Thumbprint: str, Confirm: bool) -> None:
        assert Confirm is False
        if Thumbprint not in self.store:
            raise LookupError("no certificate %s" % Thumbprint)
        self.assigned.update(dict.fromkeys(Type, Thumbprint))

    def _remove_cscertificate(self, Type: tuple[str, ...], Force: bool, Confirm: bool) -> None:
        for usage in Type:
            del self.assigned[usage]

    def _stop_cswindowsservice(self, Name: str, Confirm: bool, Graceful: bool = False, NoWait: bool = False) -> None:
        assert Confirm is False
        for name in (Name, *self.dependents.get(Name, ())):
            if Graceful and name in self.running:
                self.paused[name] = time.monotonic() + self.sessions
            elif not Graceful:
                self.paused.pop(name, None)
            self.running.discard(name)

    def _start_cswindowsservice(self, Name: str, Confirm: bool) -> None:
        if self._status(Name) == "Paused":
            raise LookupError("an instance of the service is already running")
        if Name not in self.running and Name == XMPP:
            self.presented = self.assigned.get("XmppServer", "")
        self.running.add(Name)


def answer_to(csr: bytes, names: t.Sequence[str] = NAMES, **arguments: t.Any) -> Issued:
    """What an authority makes of a certificate request (PEM)."""
    public = x509.load_pem_x509_csr(csr).public_key()

    class Public:
        """Stands in for a key that somebody else has."""

        def public_key(self) -> t.Any:
            return public

    return issue(issuer=intermediate(), key=Public(), names=names, **arguments)
