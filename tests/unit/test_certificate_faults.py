# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was once wrong with the certificate of an Edge, each as the smallest case that shows it."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import info, work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import certificate, chain, trust_store
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import issue as making

from tests.unit.certificates import NAMES, EdgeShell, answer_to, elliptic_key, intermediate, issue, root
from tests.unit.test_certificate_sequence import MARKER, QUICK, edge, params, restarted
from tests.unit.test_certificate_sources import requested, self_signed

REQUEST = "C:\\Windows\\Temp\\sfb-xmpp-request.csr"


class TestRequestFileThatRemained:
    """The answer was imported, and the run ended before it removed the request's file."""

    def state(self, place: Path) -> tuple[EdgeShell, str]:
        csr = making.request(elliptic_key(), NAMES)
        one = answer_to(csr)
        (place / "gateway.csr").write_bytes(csr)
        (place / "gateway.crt").write_bytes(one.pem + intermediate().pem)
        return EdgeShell(store={one.thumbprint: (one.der, True)}, files={REQUEST: csr}), one.thumbprint

    def test_the_next_run_goes_on(self, tmp_path: Path) -> None:
        shell, wanted = self.state(tmp_path)
        arguments = requested(tmp_path, source={"key_on": "edge"})
        planned = work(arguments, shell, True)
        done = work(arguments, shell, False)
        assert done.failures == []
        assert [step["cmdlet"] for step in done.steps or []] == [step["cmdlet"] for step in planned.steps or []]
        assert "Import-CsCertificate" not in [statement.cmdlet for statement in shell.writes]
        assert (shell.presented, shell.files) == (wanted, {})
        assert not work(arguments, shell, False).changed

    def test_it_can_be_switched(self, tmp_path: Path) -> None:
        shell, wanted = self.state(tmp_path)
        done = work(requested(tmp_path, source={"key_on": "edge"}, phase="switch"), shell, False)
        assert (done.failures, shell.presented) == ([], wanted)


class Blind(EdgeShell):
    """Takes the assignment without effect, and cannot tell afterwards what is assigned."""

    blind = False

    def _one(self, statement: Statement) -> list[t.Any]:
        if statement.cmdlet == "Set-CsCertificate":
            self.blind = True
            return []
        if statement.cmdlet == "Get-CsCertificate" and self.blind:
            raise LookupError("the registry cannot be read")
        return super()._one(statement)


def test_an_assignment_that_cannot_be_read_is_not_taken_for_done(tmp_path: Path) -> None:
    shell = Blind(**vars(edge()))
    result = work(params(tmp_path, QUICK), shell, False)
    assert "the registry cannot be read" in result.message
    assert (restarted(shell), list(shell.files)) == ([], [MARKER]), "the restart is still due"
    assert result.values["in_force"] == "unknown"
    assert result.values["assigned"] == {"XmppServer": None}
    seeing = EdgeShell(**{name: value for name, value in vars(shell).items() if name != "blind"})
    assert work(params(tmp_path, QUICK), seeing, False).failures == []
    assert (seeing.presented, seeing.files) == (QUICK.thumbprint, {})


def test_the_version_is_asked_for_once(tmp_path: Path) -> None:
    class Counting(EdgeShell):
        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            asked.extend(statement.cmdlet for statement in statements)
            return super().invoke(statements)

    asked: list[str] = []
    shell = Counting()
    for _run in range(2):
        asked.clear()
        assert not work(self_signed(tmp_path), shell, False).failures
        assert asked.count("Get-CsServerVersion") == 1


class TestTrustStore:
    def test_a_file_or_a_directory(self, tmp_path: Path) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(root().pem + intermediate().pem)
        assert trust_store.load(str(file)).certificates == (root().certificate, intermediate().certificate)
        (tmp_path / "0123abcd.0").write_bytes(root().pem)
        assert trust_store.load(str(tmp_path)).certificates == (root().certificate,)

    def test_what_is_wrong_with_it(self, tmp_path: Path) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(b"nothing")
        with pytest.raises(Invalid, match=r"roots\.pem has no PEM certificates"):
            trust_store.load(str(file))
        with pytest.raises(Invalid, match="cannot be read: No such file"):
            trust_store.load(str(tmp_path / "none"))
        with pytest.raises(Invalid, match="openssl rehash"):
            trust_store.load(str(tmp_path))

    def test_a_certificate_that_cannot_be_loaded_is_skipped_and_named(self, tmp_path: Path) -> None:
        """Each by itself, since the library refuses a file for one of its certificates."""
        broken = root().pem.replace(b"\nMII", b"\nMAA", 1)
        assert broken != root().pem
        file = tmp_path / "roots.pem"
        file.write_bytes(b"# Root\n" + root().pem + b"# Odd\n" + broken + intermediate().pem)
        store = trust_store.load(str(file))
        assert store.certificates == (root().certificate, intermediate().certificate)
        line = root().pem.count(b"\n") + 3
        assert store.skipped == ("certificate 2 of %s, at line %d (cannot be decoded)" % (file, line),)
        arguments = {"usages": ["XmppServer"], "names": list(NAMES), "trust_store": str(file)}
        for result in (
            info(arguments, edge(), False),
            work(params(tmp_path, QUICK, trust_store=str(file)), edge(), True),
        ):
            assert [text for text in result.warnings if "trust_store: skipped certificate 2 of" in text]
        file.write_bytes(broken)
        with pytest.raises(Invalid, match="no PEM certificates that can be loaded"):
            trust_store.load(str(file))

    def test_what_others_manage_may_have_other_names_and_another_authority(self, tmp_path: Path) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(root().pem)
        own = issue(NAMES[0], intermediate(), names=NAMES)
        other = issue("sip.other.test", names=["sip.other.test"], start=-9, days=8)
        store = {one.thumbprint: (one.der, True) for one in (own, other)}
        assigned = {"XmppServer": own.thumbprint, "AccessEdgeExternal": other.thumbprint, "Internal": other.thumbprint}
        shell = edge(store=store, assigned=assigned)
        arguments = {"usages": list(assigned), "names": list(NAMES), "trust_store": str(file)}

        def found(**more: t.Any) -> dict[str, set[str]]:
            read = info({**arguments, **more}, shell, False).values["certificates"]
            return {one["thumbprint"]: {two["code"] for two in one["findings"]} for one in read}

        demanded = {"names_missing", "untrusted"}
        assert demanded | {"expired"} <= found()[other.thumbprint]
        for managed in (["XmppServer"], ["XmppServer", "DataEdgeExternal"]):
            assert found(managed=managed)[own.thumbprint] == found()[own.thumbprint]
            assert "expired" in found(managed=managed)[other.thumbprint]
            assert demanded.isdisjoint(found(managed=managed)[other.thumbprint])
        assert "untrusted" in found(managed=["AccessEdgeExternal"])[other.thumbprint]

    def test_odd_certificates_make_no_noise(self, tmp_path: Path) -> None:
        """A serial number of 0, as nine roots of Debian 12 have it. Ansible undoes filters that an import sets."""
        openssl = shutil.which("openssl")
        assert openssl, "the openssl command is needed"
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += [
            "-keyout",
            "/dev/null",
            "-set_serial",
            "0",
            "-subj",
            "/CN=Old Root",
            "-out",
            str(tmp_path / "r.pem"),
        ]
        subprocess.run(command, check=True, capture_output=True)
        program = "import warnings\nwith warnings.catch_warnings():\n    from %s import load\ns = load(%r)\n"
        program += "print(s.certificates[0].serial_number, *s.skipped)"
        program %= (trust_store.__name__, str(tmp_path / "r.pem"))
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("0\n", "")

    def test_the_certificate_takes_both(self, tmp_path: Path) -> None:
        directory = tmp_path / "roots"
        directory.mkdir()
        (directory / "0123abcd.0").write_bytes(root().pem)
        given = params(tmp_path, QUICK, trust_store=str(directory))
        assert work(given, edge(), False).failures == []
        shell = edge(intermediates=[intermediate().der])
        arguments = {"usages": ["XmppServer"], "names": list(NAMES), "trust_store": str(directory)}
        (found,) = info(arguments, shell, False).values["certificates"]
        assert "untrusted" not in [finding["code"] for finding in found["findings"]]
        (directory / "0123abcd.0").write_bytes(issue("Other", key=elliptic_key(), ca=True).pem)
        with pytest.raises(Refused, match="trust store"):
            work(given, edge(), False)
        (directory / "0123abcd.0").unlink()
        with pytest.raises(Refused, match=r"trust_store: .*openssl rehash"):
            work(given, edge(), False)

    def test_the_systems_is_that_of_pythons_ssl(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(root().pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert trust_store.default() == str(file)


def test_a_chain_that_could_not_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing with such a chain comes into use, and what is in use is not replaced for it."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(root().pem)
    given = params(tmp_path, QUICK, trust_store=str(roots))
    made = edge(intermediates=[intermediate().der])
    assert work(given, made, False).failures == []
    made.writes.clear()
    ticks = itertools.count(0, 60)
    for module in (certificate, chain):
        monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: float(next(ticks))))
    with pytest.raises(Refused, match="its chain was not checked"):
        work(given, edge(), False)
    arguments = {"usages": ["XmppServer"], "names": list(NAMES), "trust_store": str(roots)}
    (found,) = info(arguments, made, False).values["certificates"]
    assert [(one["code"], one["severity"]) for one in found["findings"]][:1] == [("chain_not_checked", "unknown")]
    waiting = work({**requested(tmp_path), "trust_store": str(roots), "names": list(NAMES)}, made, False)
    assert (waiting.changed, made.writes, (tmp_path / "gateway.csr").exists()) == (False, [], False)
