# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""renew.check_crl: lists of revoked certificates, made here and loaded over HTTP, and what each of them proves."""

from __future__ import annotations

import datetime
import http.server
import threading
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import crl as _crl
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.crl import revocation
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import info, work
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.crl import Revocation, judge, places
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.unit.certificates import NOW, EdgeShell, Issued, elliptic_key, intermediate, issue, root, rsa_key
from tests.unit.test_certificate_issuer import options_of_info, words
from tests.unit.test_certificate_renew_now import pkcs12
from tests.unit.test_certificate_sources import folder, own_ca, used

__all__ = ["folder"]  # a fixture

DAY = datetime.timedelta(days=1)
PLACE = "http://crl.contoso.test/ca.crl"  # in every certificate of tests/unit/certificates.py
CHECK = {"check_crl": True}


def listed(
    *serials: int,
    by: Issued | None = None,
    name: x509.Name | None = None,
    reason: x509.ReasonFlags | None = None,
    last: float = -1,
    until: float = 7,
    more: t.Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A list in DER. last, until: days from now. more: extensions, and whether they are critical."""
    by = by or intermediate()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or by.certificate.subject)
        .last_update(NOW + last * DAY)
        .next_update(NOW + until * DAY)
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * DAY)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def part(**given: t.Any) -> tuple[x509.ExtensionType, bool]:
    given = {
        **dict.fromkeys(("full_name", "relative_name", "only_some_reasons")),
        **dict.fromkeys(("only_contains_user_certs", "only_contains_ca_certs"), False),
        **dict.fromkeys(("indirect_crl", "only_contains_attribute_certs"), False),
        **given,
    }
    return x509.IssuingDistributionPoint(**given), True


def uri(place: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(place)]


ONE = issue(issuer=intermediate(), key=elliptic_key())
SERIAL = ONE.certificate.serial_number
ISSUER = intermediate().certificate.subject
ISSUERS = (root().certificate, intermediate().certificate)
STOLEN, HOLD = x509.ReasonFlags.key_compromise, x509.ReasonFlags.certificate_hold


class TestJudge:
    def judge(self, data: bytes, issuers: t.Sequence[x509.Certificate] = ISSUERS) -> Revocation:
        return judge(data, ONE.certificate, issuers, NOW)

    @pytest.mark.parametrize(
        "data",
        [
            listed(),
            listed(SERIAL + 1, reason=STOLEN),
            listed(more=[part(full_name=uri(PLACE), only_contains_user_certs=True), (x509.CRLNumber(7), False)]),
        ],
    )
    def test_good(self, data: bytes) -> None:
        assert self.judge(data) == Revocation()

    @pytest.mark.parametrize(
        ("data", "told", "compromised"),
        [
            (listed(SERIAL), "", False),
            (listed(SERIAL, SERIAL + 1, reason=STOLEN), "keyCompromise", True),
            (listed(SERIAL, reason=HOLD), "certificateHold", False),
            # Once revoked, it stays revoked.
            (listed(SERIAL, reason=STOLEN, last=-9, until=-2), "keyCompromise", True),
        ],
    )
    def test_revoked(self, data: bytes, told: str, compromised: bool) -> None:
        found = self.judge(data)
        assert found.revoked is not None
        assert (found.revoked.reason, found.revoked.compromised, found.unknown) == (told, compromised, "")
        assert found.revoked.at[:10] == (NOW - 2 * DAY).strftime("%Y-%m-%d")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "not a CRL"),
            (b"<html>not found</html>", "not a CRL"),
            (ONE.der, "not a CRL"),
            (listed(SERIAL)[:-9], "not a CRL"),
            # Somebody else who takes the issuer's name; another authority; a flipped bit of the signature.
            (
                listed(SERIAL, by=Issued(root().certificate, rsa_key(7)), name=intermediate().certificate.subject),
                "did not sign the CRL",
            ),
            (
                listed(SERIAL, by=Issued(root().certificate, elliptic_key()), name=intermediate().certificate.subject),
                "sign",
            ),
            (listed(SERIAL, by=root()), "did not sign the CRL"),
            (listed(SERIAL)[:-1] + bytes([listed(SERIAL)[-1] ^ 1]), "did not sign the CRL"),
            (listed(last=-9, until=-2), "the CRL expired on"),
            (listed(SERIAL, reason=HOLD, last=-9, until=-2), "the CRL expired on"),
            (listed(last=3), "from the future"),
            (listed(SERIAL, more=[part(only_contains_ca_certs=True)]), "not for certificates of servers"),
            (listed(SERIAL, more=[part(indirect_crl=True)]), "not for certificates of servers"),
            (listed(more=[part(only_some_reasons=frozenset([STOLEN]))]), "only a part"),
            (listed(more=[part(full_name=uri("http://crl.contoso.test/other.crl"))]), "another CRL"),
            (listed(more=[(x509.DeltaCRLIndicator(3), True)]), "critical extension"),
        ],
    )
    def test_unknown(self, data: bytes, why: str) -> None:
        found = self.judge(data)
        assert found.revoked is None
        assert why in found.unknown

    def test_without_the_issuer_nothing_is_known(self) -> None:
        assert "the signature of the CRL cannot be verified" in self.judge(listed(SERIAL), [root().certificate]).unknown


def test_where_the_lists_are() -> None:
    def point(names: list[x509.GeneralName], **given: t.Any) -> x509.DistributionPoint:
        return x509.DistributionPoint(names, None, **{"reasons": None, "crl_issuer": None, **given})

    points = x509.CRLDistributionPoints(
        [
            point([*uri("ldap:///CN=CA"), *uri("HTTP://a.example/1.crl")]),
            point(uri("http://b.example/2.crl"), reasons=frozenset([STOLEN])),
            point(uri("http://c.example/3.crl"), crl_issuer=[x509.DirectoryName(root().certificate.subject)]),
            point(uri("file:///etc/passwd")),
            point(uri("http://d.example/4.crl")),
        ]
    )
    one = issue(key=elliptic_key(), crl=False, more=[points])
    assert places(one.certificate) == ["HTTP://a.example/1.crl", "http://d.example/4.crl"]
    assert places(issue(key=elliptic_key(), crl=False).certificate) == []


# Over HTTP


@dataclass
class Server:
    """answers: body, or status, by path. slow: seconds between two bytes."""

    port: int = 0
    answers: dict[str, bytes | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    slow: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def place(self, path: str = "/ca.crl") -> str:
        return "http://127.0.0.1:%d%s" % (self.port, path)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answer = found.answers.get(self.path, 404)
            if isinstance(answer, int):
                self.send_response(answer)
                self.send_header("Location", found.place())
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            size = 1 if found.slow else len(answer)
            for start in range(0, len(answer), size):
                try:
                    self.wfile.write(answer[start : start + size])
                except OSError:
                    return
                if found.stopped.wait(found.slow):
                    return

        def log_message(self, *_args: t.Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        found.port = listening.server_port
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.stopped.set()
        listening.shutdown()
        thread.join()


@pytest.fixture
def crl_of(server: Server, folder: Path) -> tuple[EdgeShell, Issued, Issued]:
    """An Edge with a certificate that names the server's list, and its authority."""
    shell, former = used(folder, 10)
    own = Issued(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()), rsa_key(5))
    one = issue(issuer=own, key=elliptic_key(), start=-10, days=90, crl=False, more=[at(server.place())])
    (folder / "gateway.pfx").write_bytes(one.pkcs12(own))
    shell.store = {one.thumbprint: (one.der, True)}
    shell.assigned = {"XmppServer": one.thumbprint}
    shell.presented = one.thumbprint
    assert former.thumbprint not in shell.store
    return shell, one, own


def at(*places: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints([x509.DistributionPoint(uri(one), None, None, None) for one in places])


def codes(certificate: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in certificate["findings"]]


Crl = tuple[EdgeShell, Issued, Issued]


class TestRun:
    def test_a_revoked_certificate_is_replaced_now(self, folder: Path, server: Server, crl_of: Crl) -> None:
        shell, one, own = crl_of
        server.answers["/ca.crl"] = listed(one.certificate.serial_number, by=own, reason=STOLEN)
        assert not work(own_ca(folder), shell, False).changed, "only where a setting asks for it"
        assert server.asked == []
        planned = work(own_ca(folder, renew=CHECK), shell, True)
        assert (planned.changed, shell.writes) == (True, [])
        reason = planned.values["renewal"]["reason"]
        assert reason.startswith("it is replaced now: its issuer has revoked it (keyCompromise, ")
        read = info(options_of_info(CHECK), shell, True).values["certificates"][0]
        assert (read["renewal"]["due"], read["renewal"]["reason"]) == (True, reason)
        assert ("revoked", "error") in codes(read)
        done = work(own_ca(folder, renew=CHECK), shell, False)
        assert done.failures == []
        assert shell.presented != one.thumbprint
        assert one.thumbprint not in shell.store, "others have its key"
        shell.writes.clear()
        # The new one is of the same authority, and names no list in these tests.
        again = work(own_ca(folder, renew=CHECK), shell, False)
        assert (again.changed, shell.writes) == (False, [])
        assert "has no CRL address" in words(again)

    def test_a_good_one_stays(self, folder: Path, server: Server, crl_of: Crl) -> None:
        shell, _one, own = crl_of
        server.answers["/ca.crl"] = listed(4711, by=own)
        result = work(own_ca(folder, renew=CHECK), shell, False)
        assert (result.changed, result.warnings, server.asked) == (False, [], ["/ca.crl"])

    @pytest.mark.parametrize("answer", [b"", 404, 500, 302, listed(by=root()), b"x" * 300])
    def test_what_proves_nothing_is_told(
        self, folder: Path, server: Server, crl_of: Crl, answer: bytes | int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shell, _one, _own = crl_of
        monkeypatch.setattr(_crl, "LARGEST", 10_000 if answer else 1)
        server.answers["/ca.crl"] = answer
        result = work(own_ca(folder, renew=CHECK), shell, False)
        assert (result.changed, result.values["renewal"]["due"]) == (False, False)
        assert "it is unknown whether the certificate is revoked (%s: " % server.place() in words(result)
        assert len(server.asked) == 1, "no redirection is followed"
        read = info(options_of_info(CHECK), shell, True)
        assert ("revocation_unknown", "unknown") in codes(read.values["certificates"][0])
        assert "it is unknown whether the certificate is revoked" in words(read)

    def test_the_file_still_holds_the_revoked_one(self, folder: Path, server: Server, crl_of: Crl) -> None:
        shell, one, own = crl_of
        server.answers["/ca.crl"] = listed(one.certificate.serial_number, by=own)
        with pytest.raises(Refused, match="its issuer has revoked it"):
            work(pkcs12(folder, renew=CHECK), shell, False)
        assert shell.writes == []


class TestLoad:
    def read(self, *places: str) -> Revocation:
        one = issue(issuer=intermediate(), key=elliptic_key(), crl=False, more=[at(*places)])
        return revocation(one.certificate, lambda: ISSUERS, NOW)

    def test_the_next_address_where_one_is_of_no_use(self, server: Server) -> None:
        server.answers["/2.crl"] = listed()
        gone = "http://127.0.0.1:9/gone.crl"
        assert self.read(gone, server.place("/1.crl"), server.place("/2.crl")) == Revocation()
        assert server.asked == ["/1.crl", "/2.crl"]
        assert self.read(gone).unknown.startswith(gone)

    def test_too_large(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        server.answers["/ca.crl"] = listed()
        monkeypatch.setattr(_crl, "LARGEST", 100)
        assert "more than" in self.read(server.place()).unknown

    def test_a_server_that_sends_a_byte_now_and_then(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        server.answers["/ca.crl"], server.slow = listed(), 0.05
        monkeypatch.setattr(_crl, "SECONDS", 0.3)
        assert "took more than" in self.read(server.place()).unknown
