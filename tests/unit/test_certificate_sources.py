# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that are made on the controller: are they good, when are they made, and who can read the files."""

from __future__ import annotations

import datetime
import json
import shutil
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.module_utils._base import private_file as _private_file
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import TASK, info, work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import issue as _certificate_issue
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import Unusable, check, load_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store

from tests.unit.certificates import (
    NAMES,
    PASSPHRASE,
    EdgeShell,
    Issued,
    answer_to,
    elliptic_key,
    intermediate,
    issue,
    root,
    rsa_key,
)

DAY = datetime.timedelta(days=1)
OPENSSL = shutil.which("openssl")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds a CA: root.pem, ca.pem (with the root behind it), ca.key (encrypted)."""
    above = issue("Own Root", key=elliptic_key(), ca=True, days=3650)
    own = issue("Own Issuing", above, key=rsa_key(5), ca=True, days=1825)
    (tmp_path / "root.pem").write_bytes(above.pem)
    (tmp_path / "ca.pem").write_bytes(own.pem + above.pem)
    encryption = serialization.BestAvailableEncryption(b"ca secret")
    pem = own.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    (tmp_path / "ca.key").write_bytes(pem)
    return tmp_path


def options(**given: t.Any) -> dict[str, t.Any]:
    """As Ansible hands them over."""
    found = ArgumentSpecValidator(dict(TASK.argument_spec)).validate(given)
    assert not found.error_messages, found.error_messages
    return t.cast("dict[str, t.Any]", found.validated_parameters)


def own_ca(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    source = {
        "type": "own_ca",
        "path": str(folder / "gateway.pfx"),
        "passphrase": PASSPHRASE,
        "key": "ecdsa_p256",
        "ca_certificate": str(folder / "ca.pem"),
        "ca_key": str(folder / "ca.key"),
        "ca_passphrase": "ca secret",
        **more.pop("source", {}),
    }
    return options(names=list(NAMES), source=source, trust_store=str(folder / "root.pem"), **more)


def self_signed(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    source = {"type": "self_signed", "path": str(folder / "gateway.pfx"), "key": "ecdsa_p256", **more.pop("source", {})}
    return options(names=list(NAMES), source=source, **more)


def requested(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    source = {
        "type": "request",
        "path": str(folder / "gateway.pfx"),
        "passphrase": PASSPHRASE,
        "key": "ecdsa_p256",
        "request": str(folder / "gateway.csr"),
        "answer": str(folder / "gateway.crt"),
        **more.pop("source", {}),
    }
    return options(names=list(NAMES), source=source, **more)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secrets_in(folder: Path) -> list[str]:
    """Files that hold a private key in clear."""
    return [path.name for path in folder.iterdir() if b"BEGIN PRIVATE KEY" in path.read_bytes()]


def answered(folder: Path, names: t.Sequence[str] = NAMES) -> Issued:
    """What an authority makes of the request that waits."""
    one = answer_to((folder / "gateway.csr").read_bytes(), names)
    (folder / "gateway.crt").write_bytes(one.pem + intermediate().pem)
    return one


def verified_by_openssl(certificate: x509.Certificate, others: t.Sequence[x509.Certificate], anchor: bytes) -> str:
    """Empty, or what openssl has against it as a server's certificate for every name."""
    assert OPENSSL
    import tempfile

    pem = serialization.Encoding.PEM
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "leaf.pem").write_bytes(certificate.public_bytes(pem))
        (place / "others.pem").write_bytes(b"".join(other.public_bytes(pem) for other in others))
        (place / "root.pem").write_bytes(anchor)
        command = [OPENSSL, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "root.pem"]
        if others:
            command += ["-untrusted", "others.pem"]
        for host in NAMES:
            done = subprocess.run(
                [*command, "-verify_hostname", host, "leaf.pem"], cwd=place, capture_output=True, text=True, check=False
            )
            if done.returncode:
                return done.stdout + done.stderr
        shown = subprocess.run(
            [OPENSSL, "x509", "-noout", "-text", "-in", "leaf.pem"],
            cwd=place,
            capture_output=True,
            text=True,
            check=True,
        )
        return "" if "TLS Web Server Authentication" in shown.stdout else shown.stdout


class TestIssue:
    """Every kind of key, checked by others."""

    @pytest.mark.parametrize("kind", _certificate_issue.KEYS)
    def test_by_an_authority(self, kind: str) -> None:
        above = strict_ca("Strict Root", elliptic_key(), None)
        own = strict_ca("Strict Issuing", rsa_key(5), above)
        chain = _certificate_issue.Authority((own.certificate, above.certificate), own.key)
        key = _certificate_issue.make_key(kind)
        bundle = chain.issue(key, NAMES, 47, now(), "http://crl.contoso.test/own.crl")
        assert (
            check(bundle.certificate, now=now(), names=NAMES, others=bundle.others, anchors=[above.certificate]) == []
        ), "findings"
        assert [one.subject for one in bundle.others] == [own.certificate.subject], "the root does not travel"
        lifetime = bundle.certificate.not_valid_after_utc - bundle.certificate.not_valid_before_utc
        assert lifetime == 47 * DAY
        for host in NAMES:
            verifier = PolicyBuilder().store(Store([above.certificate])).build_server_verifier(x509.DNSName(host))
            assert verifier.verify(bundle.certificate, list(bundle.others))[0] == bundle.certificate
        if OPENSSL:
            assert verified_by_openssl(bundle.certificate, bundle.others, above.pem) == ""

    def test_self_signed(self) -> None:
        bundle = _certificate_issue.self_signed(_certificate_issue.make_key("rsa2048"), NAMES, 30, now())
        codes = {finding.code for finding in check(bundle.certificate, now=now(), names=NAMES)}
        assert codes == {"self_signed", "no_crl"}
        if OPENSSL:
            pem = bundle.certificate.public_bytes(serialization.Encoding.PEM)
            assert verified_by_openssl(bundle.certificate, (), pem) == ""

    def test_never_longer_than_its_authority(self) -> None:
        short = issue("Short CA", key=elliptic_key(), ca=True, days=30)
        made = _certificate_issue.Authority([short.certificate], short.key).issue(
            _certificate_issue.make_key("ecdsa_p256"), NAMES, 90, now(), None
        )
        assert made.certificate.not_valid_after_utc == short.certificate.not_valid_after_utc

    def test_who_may_not_sign(self) -> None:
        leaf, expired = issue(key=elliptic_key()), issue("Old CA", key=elliptic_key(), ca=True, start=-40, days=30)
        with pytest.raises(Unusable, match="not a CA certificate"):
            _certificate_issue.Authority([leaf.certificate], leaf.key)
        with pytest.raises(Unusable, match="does not belong to the CA"):
            _certificate_issue.Authority([expired.certificate], rsa_key())
        with pytest.raises(Unusable, match="not valid now"):
            _certificate_issue.Authority([expired.certificate], expired.key).issue(
                elliptic_key(), NAMES, 9, now(), None
            )

    @pytest.mark.parametrize("kind", ["rsa2048", "ecdsa_p384"])
    def test_request(self, kind: str) -> None:
        key = _certificate_issue.make_key(kind)
        csr = x509.load_pem_x509_csr(_certificate_issue.request(key, NAMES))
        assert csr.is_signature_valid
        public, names = _certificate_issue.load_request(csr.public_bytes(serialization.Encoding.PEM))
        assert names == list(NAMES)
        assert csr.subject.rfc4514_string() == "CN=" + NAMES[0]
        if OPENSSL:
            done = subprocess.run(
                [OPENSSL, "req", "-verify", "-noout"],
                input=csr.public_bytes(serialization.Encoding.PEM),
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0

    def test_a_name_too_long_for_a_subject(self) -> None:
        names = ["a" * 60 + ".contoso.test", *NAMES]
        own = strict_ca("Strict Root", elliptic_key(), None)
        made = _certificate_issue.Authority([own.certificate], own.key).issue(
            _certificate_issue.make_key("ecdsa_p256"), names, 9, now(), None
        )
        assert made.certificate.subject.rfc4514_string() == ""
        assert check(made.certificate, now=now(), names=names)[0].severity == "warning"

    @pytest.mark.parametrize("form", ["pem", "der", "p7b", "pem p7b"])
    def test_forms_of_an_answer(self, form: str) -> None:
        from cryptography.hazmat.primitives.serialization import pkcs7

        one = issue(issuer=intermediate(), key=elliptic_key())
        both = [intermediate().certificate, one.certificate]
        data = {
            "pem": intermediate().pem + one.pem,
            "der": one.der,
            "p7b": pkcs7.serialize_certificates(both, serialization.Encoding.DER),
            "pem p7b": pkcs7.serialize_certificates(both, serialization.Encoding.PEM),
        }[form]
        public = one.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        found, others = _certificate_issue.answer_to(public, _certificate_issue.load_answer(data))
        assert found == one.certificate
        assert list(others) == ([] if form == "der" else [intermediate().certificate])
        with pytest.raises(Unusable, match="another request"):
            _certificate_issue.answer_to(b"other", [found])
        with pytest.raises(Unusable, match="no certificate"):
            _certificate_issue.load_answer(b"nothing")


def strict_ca(name: str, key: t.Any, above: Issued | None) -> Issued:
    """A CA certificate with all that strict verifiers ask for."""
    from lab.deployment.authority import Authority, common_name

    if above is None:
        made = Authority(common_name(name), key, 3650 * DAY)
        return Issued(made.certificate, key)
    parent = Authority.__new__(Authority)
    parent.name, parent._key, parent.certificate = above.certificate.subject, above.key, above.certificate
    return Issued(Authority(common_name(name), key, 1825 * DAY, above=parent).certificate, key)


class TestOwnCa:
    def test_first_issue_and_nothing_to_do(self, folder: Path) -> None:
        shell = EdgeShell()
        planned = work(own_ca(folder), shell, True)
        assert not (folder / "gateway.pfx").exists()
        assert shell.writes == []
        assert planned.values["certificate"]["thumbprint"] is None
        done = work(own_ca(folder), shell, False)
        assert done.failures == []
        assert [step["cmdlet"] for step in planned.steps or []] == [step["cmdlet"] for step in done.steps or []]
        assert planned.diff[0]["after"].splitlines()[0] == 'XmppServer: "(new certificate)"'
        assert mode(folder / "gateway.pfx") == 0o600
        bundle = load_pkcs12((folder / "gateway.pfx").read_bytes(), Secret(PASSPHRASE))
        assert shell.presented == done.values["certificate"]["thumbprint"]
        assert check(bundle.certificate, now=now(), names=NAMES, others=bundle.others)[0].code == "no_crl"
        with pytest.raises(Unusable, match="needs a passphrase"):
            load_pkcs12((folder / "gateway.pfx").read_bytes(), None)
        shell.writes.clear()
        again = work(own_ca(folder), shell, False)
        assert (again.changed, again.steps, shell.writes) == (False, [], [])
        assert again.values["renewal"]["due"] is False
        assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []

    def test_a_pool_gets_one_certificate(self, folder: Path) -> None:
        first, second = EdgeShell(), EdgeShell()
        for shell in (first, second):
            assert not work(own_ca(folder), shell, False).failures
        assert first.presented == second.presented

    @pytest.mark.parametrize(("age", "renewed"), [(55, False), (65, True), (95, True)])
    def test_renewal(self, folder: Path, age: int, renewed: bool) -> None:
        shell, former = used(folder, age)
        result = work(own_ca(folder), shell, False)
        assert result.failures == []
        assert result.changed == renewed
        assert (shell.presented != former.thumbprint) == renewed
        assert result.values["renewal"]["due"] == renewed
        assert not work(own_ca(folder), shell, False).changed, "never twice"

    def test_a_lost_file_is_no_reason_to_renew(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        (folder / "gateway.pfx").unlink()
        assert not work(own_ca(folder), shell, False).changed
        assert shell.presented == former.thumbprint

    def test_a_new_domain_is(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        arguments = own_ca(folder)
        result = work({**arguments, "xmpp_domains": ["new.contoso.test"]}, shell, False)
        assert shell.presented != former.thumbprint
        assert "new.contoso.test" in result.values["certificate"]["names"]

    def test_share_and_days(self, folder: Path) -> None:
        shell, former = used(folder, 30)
        assert not work(own_ca(folder, renew={"lifetime_share": 0.5}), shell, False).changed
        assert work(own_ca(folder, renew={"lifetime_share": 0.3}), shell, True).changed
        assert work(own_ca(folder, renew={"days": 45, "lifetime_share": 0.9}), shell, True).changed is False
        later = (now() + 20 * DAY).isoformat()
        assert work(own_ca(folder, renew={"days": 45, "as_of": later}), shell, True).changed

    def test_what_was_made_is_used_after_a_failure(self, folder: Path) -> None:
        """Made, but not brought over: the next run takes it from the file."""
        from tests.unit.certificates import Fault

        shell = EdgeShell(fault=Fault(0, "error"))
        assert work(own_ca(folder), shell, False).failures
        made = load_pkcs12((folder / "gateway.pfx").read_bytes(), Secret(PASSPHRASE))
        assert not work(own_ca(folder), shell, False).failures
        assert shell.presented == Issued(made.certificate, None).thumbprint

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ({"ca_passphrase": "wrong"}, "ca_key cannot be read"),
            ({"ca_passphrase": None}, "ca_key needs a passphrase"),
            ({"ca_certificate": "/none"}, "cannot be read"),
            ({"ca_key": None}, "source.ca_key: is required"),
            ({"days": 0}, "source.days"),
            ({"path": "/none/gateway.pfx"}, "directory /none"),
        ],
    )
    def test_refused(self, folder: Path, source: dict[str, t.Any], words: str) -> None:
        shell = EdgeShell()
        with pytest.raises(Refused, match=words):
            work(own_ca(folder, source=source), shell, False)
        assert shell.writes == []
        assert not (folder / "gateway.pfx").exists()

    def test_a_ca_that_the_trust_store_lacks(self, folder: Path) -> None:
        (folder / "root.pem").write_bytes(root().pem)
        with pytest.raises(Refused, match="trust store"):
            work(own_ca(folder), EdgeShell(), False)
        assert not (folder / "gateway.pfx").exists()

    def test_clocks_that_disagree(self, folder: Path) -> None:
        shell = EdgeShell(clock_ahead=400 * DAY)
        with pytest.raises(Refused, match="differ by more than a day"):
            work(own_ca(folder), shell, False)
        assert not (folder / "gateway.pfx").exists()
        assert shell.writes == []

    def test_another_time_is_for_check_mode(self, folder: Path) -> None:
        far = "2060-01-01T00:00:00Z"
        with pytest.raises(Refused, match="check mode only"):
            work(own_ca(folder, renew={"as_of": far}), EdgeShell(), False)
        with pytest.raises(Refused, match="must be a time"):
            work(own_ca(folder, renew={"as_of": "soon"}), EdgeShell(), False)

    def test_lync_2013_gets_rsa(self, folder: Path) -> None:
        lync = EdgeShell(version="Microsoft Lync Server 2013 (5.0.8308.0)")
        with pytest.raises(Refused, match="Use RSA"):
            work(own_ca(folder), lync, False)
        assert not work(own_ca(folder, source={"key": "rsa2048"}), lync, False).failures


def used(folder: Path, age: int) -> tuple[EdgeShell, Issued]:
    """An Edge with a certificate of ninety days that is so old, as an earlier run has left it; also in the file."""
    own = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    former = issue(issuer=Issued(own, rsa_key(5)), key=elliptic_key(), start=-age, days=90)
    (folder / "gateway.pfx").write_bytes(former.pkcs12(Issued(own, None)))
    shell = EdgeShell(
        store={former.thumbprint: (former.der, True)},
        intermediates=[Issued(own, None).der],
        assigned={"XmppServer": former.thumbprint},
        presented=former.thumbprint,
    )
    return shell, former


class TestSelfSigned:
    def test_made_with_a_warning(self, folder: Path) -> None:
        shell = EdgeShell()
        result = work(self_signed(folder), shell, False)
        assert not result.failures
        assert "self_signed" in [finding["code"] for finding in result.values["findings"]]
        assert mode(folder / "gateway.pfx") == 0o600
        assert not work(self_signed(folder), shell, False).changed


class TestRequest:
    def test_two_steps(self, folder: Path) -> None:
        shell = EdgeShell()
        planned = work(requested(folder), shell, True)
        assert (planned.changed, planned.values["pending"]) == (True, True)
        assert sorted(path.name for path in folder.iterdir()) == ["ca.key", "ca.pem", "root.pem"]
        first = work(requested(folder), shell, False)
        assert (first.changed, first.failures, first.values["pending"]) == (True, [], True)
        assert first.values["request"] == str(folder / "gateway.csr")
        assert "gateway.csr" in first.warnings[0]
        assert mode(folder / "gateway.pfx.key") == 0o600
        assert secrets_in(folder) == []
        csr = (folder / "gateway.csr").read_bytes()
        second = work(requested(folder), shell, False)
        assert (second.changed, second.values["pending"]) == (False, True)
        assert (folder / "gateway.csr").read_bytes() == csr, "requested twice"
        assert shell.writes == []
        one = answered(folder)
        planned = work(requested(folder), shell, True)
        assert planned.changed
        assert not (folder / "gateway.pfx").exists()
        third = work(requested(folder), shell, False)
        assert third.failures == []
        assert shell.presented == one.thumbprint
        assert sorted(path.name for path in folder.iterdir() if path.name.startswith("gateway")) == [
            "gateway.crt",
            "gateway.pfx",
        ]
        assert mode(folder / "gateway.pfx") == 0o600
        assert not work(requested(folder), shell, False).changed
        assert not (folder / "gateway.pfx.key").exists(), "the old answer must not lead to a new request"

    def test_the_whole_pool_waits_for_one_request(self, folder: Path) -> None:
        first, second = EdgeShell(), EdgeShell()
        assert [work(requested(folder), shell, False).changed for shell in (first, second)] == [True, False]
        one = answered(folder)
        for shell in (first, second):
            assert not work(requested(folder), shell, False).failures
        assert first.presented == second.presented == one.thumbprint

    def test_an_answer_to_another_request(self, folder: Path) -> None:
        (folder / "gateway.crt").write_bytes(issue(issuer=intermediate(), key=rsa_key(7)).pem)
        result = work(requested(folder), EdgeShell(), False)
        assert result.values["pending"]
        assert "answers another request" in " ".join(result.warnings)

    def test_an_answer_that_lacks_a_name(self, folder: Path) -> None:
        shell = EdgeShell()
        work(requested(folder), shell, False)
        answered(folder, NAMES[:2])
        with pytest.raises(Refused, match=r"do not cover contoso\.test"):
            work(requested(folder), shell, False)
        assert shell.writes == []
        assert (folder / "gateway.pfx.key").exists()

    def test_changed_names_keep_the_key(self, folder: Path) -> None:
        shell = EdgeShell()
        work(requested(folder), shell, False)
        key = (folder / "gateway.pfx.key").read_bytes()
        result = work({**requested(folder), "xmpp_domains": ["new.contoso.test"]}, shell, False)
        assert (result.changed, result.values["pending"]) == (True, True)
        assert (folder / "gateway.pfx.key").read_bytes() == key
        _public, names = _certificate_issue.load_request((folder / "gateway.csr").read_bytes())
        assert "new.contoso.test" in names

    def test_the_switch_waits_as_well(self, folder: Path) -> None:
        shell = EdgeShell()
        work(requested(folder), shell, False)
        result = work(requested(folder, phase="switch"), shell, False)
        assert (result.changed, result.values["pending"], shell.writes) == (False, True, [])

    @pytest.mark.parametrize("name", ["request", "answer", "path"])
    def test_what_is_needed(self, folder: Path, name: str) -> None:
        with pytest.raises(Refused, match=r"source\.%s: is required" % name):
            work(requested(folder, source={name: None}), EdgeShell(), False)


class TestPhases:
    def test_stage_then_switch(self, folder: Path) -> None:
        shell, former = used(folder, 70)
        staged = work(own_ca(folder, phase="stage"), shell, False)
        assert (staged.failures, staged.values["staged"]) == ([], True)
        assert [s.cmdlet for s in shell.writes] == ["Set-Content", "Import-CsCertificate", "Remove-Item"]
        assert shell.presented == former.thumbprint
        assert shell.assigned == {"XmppServer": former.thumbprint}
        assert not work(own_ca(folder, phase="stage"), shell, False).changed
        shell.writes.clear()
        switched = work(own_ca(folder, phase="switch"), shell, False)
        assert switched.failures == []
        assert [s.cmdlet for s in shell.writes][:2] == ["Set-Content", "Set-CsCertificate"]
        assert shell.presented == staged.values["certificate"]["thumbprint"]

    def test_switch_makes_nothing(self, folder: Path) -> None:
        shell, former = used(folder, 70)
        result = work(own_ca(folder, phase="switch"), shell, False)
        assert not result.changed
        assert shell.presented == former.thumbprint
        with pytest.raises(Refused, match="Run phase: stage"):
            work(own_ca(folder, phase="switch", source={"path": str(folder / "other.pfx")}), EdgeShell(), False)

    def test_switch_of_a_file_that_was_not_staged(self, folder: Path) -> None:
        work(own_ca(folder), EdgeShell(), False)
        with pytest.raises(Refused, match="Stage it first"):
            work(own_ca(folder, phase="switch"), EdgeShell(), False)


class TestFormer:
    def test_is_deleted_after_the_days(self, folder: Path) -> None:
        shell, former = used(folder, 70)
        assert not work(own_ca(folder, remove_former_after=14), shell, False).failures
        (note,) = shell.files
        assert note.endswith("-%s.note" % former.thumbprint)
        assert former.thumbprint in shell.store
        assert not work(own_ca(folder, remove_former_after=14), shell, False).changed
        before = (now() - 15 * DAY).strftime("%Y%m%d")
        shell.files = {note.replace(now().strftime("%Y%m%d"), before): b"former"}
        result = work(own_ca(folder, remove_former_after=14), shell, False)
        assert (result.failures, shell.files) == ([], {})
        assert former.thumbprint not in shell.store
        assert shell.presented in shell.store

    def test_one_that_is_in_use_again_stays(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        note = "C:\\Windows\\Temp\\sfb-xmpp-former-20200101-%s.note" % former.thumbprint
        shell.files = {note: b"former"}
        assert not work(own_ca(folder, remove_former_after=14), shell, False).failures
        assert former.thumbprint in shell.store
        assert shell.files == {}

    def test_without_the_option_nothing_is_noted(self, folder: Path) -> None:
        shell, former = used(folder, 70)
        work(own_ca(folder), shell, False)
        assert shell.files == {}
        assert former.thumbprint in shell.store


def test_secrets_are_in_no_result(folder: Path) -> None:
    from tests.unit.certificates import Fault

    for arguments in (own_ca(folder), requested(folder)):
        for at in range(9):
            shell = EdgeShell(fault=Fault(at, "error"))
            (folder / "gateway.pfx").unlink(missing_ok=True)
            result = work(arguments, shell, False)
            for secret in (PASSPHRASE, "ca secret", *shell.passphrases):
                assert secret not in said(result)
            assert "PRIVATE KEY" not in said(result)
            assert [path for path in shell.files if path.endswith((".pfx", ".cer"))] == []


def said(result: Result) -> str:
    return json.dumps([result.as_dict(), result.warnings, result.message if result.failures else ""])


class TestPool:
    @pytest.mark.parametrize("kind", ["request", "enterprise_ca"])
    def test_a_key_that_cannot_be_shared(self, folder: Path, kind: str) -> None:
        source = {"key_on": "edge", "type": kind, "ca": "ca01\\CA", "key": "rsa2048"}
        usages = ["AudioVideoAuthentication", "XmppServer"]
        with pytest.raises(Refused, match="cannot be shared"):
            work(requested(folder, source=source, usages=usages, pool_size=2), EdgeShell(), False)


class TestPrivateFile:
    def test_written_whole_and_for_its_owner(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_bytes(b"old")
        file.chmod(0o644)
        _private_file.write(str(file), b"new", "path")
        assert (file.read_bytes(), mode(file)) == (b"new", 0o600)
        assert [path.name for path in tmp_path.iterdir()] == ["key"]

    def test_nothing_is_left_after_a_failure(self, tmp_path: Path) -> None:
        (tmp_path / "key").mkdir()
        with pytest.raises(Refused, match=r"path: .* cannot be written"):
            _private_file.write(str(tmp_path / "key"), b"new", "path")
        assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_info_tells_when_it_is_due(folder: Path) -> None:
    shell, _former = used(folder, 70)
    found = info({"usages": ["XmppServer"], "names": list(NAMES), "renew": {"days": 25}}, shell, False)
    renewal = found.values["certificates"][0]["renewal"]
    assert renewal["due"]
    assert renewal["lifetime_left"] == pytest.approx(20 / 90, abs=0.01)
    assert found.values["presented"] is None
