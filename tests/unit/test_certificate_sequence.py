# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing a certificate to an Edge: what is sent, and what is left whatever step fails."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import delivery
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import info, work
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import certificate as _certificate
from ansible_collections.sfb.xmpp.plugins.module_utils._x509 import chain
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import FACTS

from tests.unit.certificates import (
    EVER,
    EVERYTHING,
    NAMES,
    PASSPHRASE,
    XMPP,
    Clock,
    EdgeShell,
    Fault,
    Issued,
    crossed,
    elliptic_key,
    intermediate,
    issue,
    leaf,
    root,
    rsa_key,
)

FORMER = issue(issuer=intermediate(), key=rsa_key(8), days=190)
# To open a file with an RSA key takes a tenth of a second, most of it to check the key.
QUICK = issue(issuer=intermediate(), key=elliptic_key())
MARKER = "C:\\Windows\\Temp\\sfb-xmpp-restart.pending"
WRITES = [
    "Set-Content",
    "Import-CsCertificate",
    "Remove-Item",
    "Set-Content",
    "Set-CsCertificate",
    "Stop-CsWindowsService",
    "Start-CsWindowsService",
    "Remove-Item",
]


def edge(**arguments: t.Any) -> EdgeShell:
    """An Edge on which every usage has the former certificate."""
    state = {
        "store": {FORMER.thumbprint: (FORMER.der, True)},
        "assigned": dict.fromkeys(EVERYTHING, FORMER.thumbprint),
        "presented": FORMER.thumbprint,
    }
    return EdgeShell(**{**state, **arguments})


def params(tmp_path: Path, one: Issued | None = None, **arguments: t.Any) -> dict[str, t.Any]:
    file = tmp_path / "gateway.pfx"
    file.write_bytes((one or leaf()).pkcs12(intermediate(), root()))
    return {
        "usages": ["XmppServer"],
        "names": list(NAMES),
        "source": {"type": "pkcs12", "path": str(file), "passphrase": PASSPHRASE},
        "restart": "affected",
        "trust_store": None,
        "state": "present",
        **arguments,
    }


def cmdlets(shell: EdgeShell) -> list[str]:
    return [statement.cmdlet for statement in shell.writes]


def restarted(shell: EdgeShell) -> list[str]:
    return [str(s.parameters["Name"]) for s in shell.writes if s.cmdlet == "Stop-CsWindowsService"]


def said(result: Result) -> str:
    """Everything that the user may see."""
    return json.dumps([result.as_dict(), result.warnings, result.message if result.failures else ""])


def test_first_time(tmp_path: Path) -> None:
    shell = edge()
    result = work(params(tmp_path), shell, False)
    assert cmdlets(shell) == WRITES
    assert (result.changed, result.failures, result.warnings) == (True, [], [])
    assert shell.assigned == {**dict.fromkeys(EVERYTHING, FORMER.thumbprint), "XmppServer": leaf().thumbprint}
    assert shell.presented == leaf().thumbprint
    assert restarted(shell) == [XMPP]
    assert shell.files == {}
    assert {step["result"] for step in result.steps or []} == {"done"}
    values = result.values
    assert values["certificate"]["thumbprint"] == leaf().thumbprint
    assert values["certificate"]["usages"] == ["XmppServer"]
    assert values["assigned"] == {"XmppServer": leaf().thumbprint}
    assert values["in_force"] == "assigned"
    assert values["former_thumbprint"] == FORMER.thumbprint
    assert list(values["restarts"]) == [XMPP]
    assert 0 <= values["restarts"][XMPP] < 5
    (difference,) = result.diff
    assert 'XmppServer: "%s' % FORMER.thumbprint in difference["before"]
    assert 'XmppServer: "%s' % leaf().thumbprint in difference["after"]
    assert 'restarted: ["%s"]' % XMPP in difference["after"]


def test_second_time_writes_nothing(tmp_path: Path) -> None:
    shell = edge()
    work(params(tmp_path), shell, False)
    shell.writes.clear()
    result = work(params(tmp_path), shell, False)
    assert shell.writes == []
    assert (result.changed, result.diff, result.steps, result.warnings) == (False, [], [], [])
    assert result.values["in_force"] == "assigned"
    assert result.values["former_thumbprint"] is None


@pytest.mark.parametrize("restart", ["affected", "all", "none"])
def test_check_mode_shows_what_a_run_does(tmp_path: Path, restart: str) -> None:
    shell = edge()
    shell.files["C:\\Windows\\Temp\\sfb-xmpp-0123456789abcdef.pfx"] = b""
    planned = work(params(tmp_path, restart=restart), shell, True)
    assert shell.writes == []
    assert planned.changed
    done = work(params(tmp_path, restart=restart), shell, False)
    assert [{**step, "result": "done"} for step in planned.steps or []] == done.steps
    assert planned.diff == done.diff
    assert {step["result"] for step in planned.steps or []} == {"planned"}
    assert planned.values["in_force"] == "unknown"
    assert planned.values.keys() == done.values.keys()


def test_the_one_time_passphrase_is_new_each_time_and_never_shown(tmp_path: Path) -> None:
    seen = set()
    for number in range(len(WRITES)):
        shell = edge(fault=Fault(number, "late"))
        result = work(params(tmp_path, QUICK), shell, False)
        seen.update(shell.passphrases)
        for secret in (*shell.passphrases, PASSPHRASE):
            assert secret not in said(result)
            assert secret not in repr(result) + repr(shell.writes)
    assert len(seen) == len(WRITES) - 1  # where Set-Content failed, nothing was imported
    assert all(len(secret) == 32 for secret in seen)


def test_a_long_file_is_carried_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "CHUNK", 500)
    shell = edge()
    result = work(params(tmp_path, QUICK), shell, False)
    pieces = [s.parameters["Value"] for s in shell.writes if s.cmdlet in ("Set-Content", "Add-Content")][:-1]
    assert [len(t.cast(bytes, piece)) for piece in pieces[:-1]] == [500] * (len(pieces) - 1)
    assert len(pieces) > 2
    assert not result.failures
    assert shell.presented == QUICK.thumbprint


def test_imported_but_not_assigned(tmp_path: Path) -> None:
    shell = edge()
    shell.store[leaf().thumbprint] = (leaf().der, True)
    work(params(tmp_path), shell, False)
    assert cmdlets(shell) == WRITES[3:]


def test_certificate_without_its_key_is_imported_again(tmp_path: Path) -> None:
    shell = edge()
    shell.store[leaf().thumbprint] = (leaf().der, False)
    work(params(tmp_path), shell, False)
    assert cmdlets(shell) == WRITES


@pytest.mark.parametrize("cuts", [True, False])
def test_a_staged_certificate_whose_key_is_not_shown_is_told(tmp_path: Path, cuts: bool) -> None:
    shell = edge()
    shell.cuts = cuts
    assert work(params(tmp_path, phase="stage"), shell, False).changed
    again = work(params(tmp_path, phase="stage"), shell, False)
    assert (again.changed, again.values["staged"]) == (False, True)
    told = [text for text in again.warnings if "it is unknown whether the certificate" in text]
    assert len(told) == (0 if cuts else 1)
    work(params(tmp_path, phase="switch"), shell, False)
    assert not [text for text in work(params(tmp_path), shell, False).warnings if "does not show" in text]


def test_only_usages_that_differ_are_assigned(tmp_path: Path) -> None:
    shell = edge()
    work(params(tmp_path), shell, False)
    shell.writes.clear()
    result = work(params(tmp_path, usages=["XmppServer", "AccessEdgeExternal"]), shell, False)
    (assign,) = (s for s in shell.writes if s.cmdlet == "Set-CsCertificate")
    assert assign.parameters["Type"] == ("AccessEdgeExternal",)
    assert restarted(shell) == ["RTCSRV"]
    assert result.values["certificate"]["usages"] == ["XmppServer", "AccessEdgeExternal"]


@pytest.mark.parametrize(
    ("usages", "restart", "services"),
    [
        (["XmppServer"], "affected", [XMPP]),
        (["AudioVideoAuthentication"], "affected", ["RTCMRAUTH", "RTCMEDIARELAY"]),
        (list(EVERYTHING), "affected", [*EdgeShell().services]),
        (["XmppServer"], "all", [*EdgeShell().services]),
        (["XmppServer"], "none", []),
    ],
)
def test_which_services_are_restarted(tmp_path: Path, usages: list[str], restart: str, services: list[str]) -> None:
    shell = edge()
    planned = work(params(tmp_path, QUICK, usages=usages, restart=restart), shell, True)
    result = work(params(tmp_path, QUICK, usages=usages, restart=restart), shell, False)
    assert restarted(shell) == services
    assert list(result.values["restarts"]) == services
    # More than XMPP is interrupted: that is said, with the services, before it happens.
    outage = ["the switch restarts %s. This is an outage for remote users" % ", ".join(services)]
    expected = outage if services and services != [XMPP] else []
    for warnings in (result.warnings, planned.warnings):
        assert [text.partition(" of this Edge")[0] for text in warnings] == expected


def test_all_services_where_the_proxy_is_not_found(tmp_path: Path) -> None:
    shell = edge()
    del shell.services[XMPP]
    result = work(params(tmp_path, QUICK), shell, False)
    assert restarted(shell) == list(shell.services)
    assert "all services of the Edge server are restarted" in result.warnings[0]


def test_a_service_that_was_stopped_by_hand_stays_stopped(tmp_path: Path) -> None:
    shell = edge()
    shell.running.discard("REPLICA")
    work(params(tmp_path, QUICK, restart="all"), shell, False)
    assert "REPLICA" not in shell.running


def test_dependents_run_again(tmp_path: Path) -> None:
    shell = edge(dependents={"RTCSRV": [XMPP, "RTCMRAUTH"]})
    result = work(params(tmp_path, QUICK, usages=["AccessEdgeExternal"]), shell, False)
    assert not result.failures
    assert shell.running == set(shell.services)
    assert restarted(shell) == ["RTCSRV"]
    assert result.values["in_force"] == "assigned"


class TestGraceful:
    """The proxy has sessions that last longer than they are given."""

    def options(self, tmp_path: Path, then: str, **more: t.Any) -> dict[str, t.Any]:
        return params(tmp_path, QUICK, graceful={"timeout": 1, "then": then}, **more)

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        return Clock(monkeypatch)

    def test_then_stop(self, tmp_path: Path) -> None:
        shell = edge(sessions=EVER)
        result = work(self.options(tmp_path, "stop"), shell, False)
        assert result.failures == []
        assert cmdlets(shell) == [*WRITES[:5], "Stop-CsWindowsService", *WRITES[5:]]
        assert [bool(s.parameters.get("Graceful")) for s in shell.writes][5:7] == [True, False]
        assert [step["cmdlet"] for step in result.steps or []] == cmdlets(shell)
        assert (shell.presented, shell.files) == (QUICK.thumbprint, {})

    @pytest.mark.parametrize("then", [None, "leave", "stop"])
    def test_then_leave_and_run_again(self, tmp_path: Path, clock: Clock, then: str | None) -> None:
        """It is told, nothing goes back, nothing is started, and the next run completes it, however that one stops."""
        shell = edge(sessions=100, dependents={XMPP: ["REPLICA"]})
        result = work(self.options(tmp_path, "leave"), shell, False)
        (failure,) = result.failures
        assert (failure.cmdlet, failure.identity) == ("Stop-CsWindowsService", XMPP)
        assert "is Paused after 1 seconds" in failure.error.message
        assert any("%s does not use it" % XMPP in text for text in result.warnings)
        assert "Start-CsWindowsService" not in cmdlets(shell)
        assert shell.assigned["XmppServer"] == QUICK.thumbprint
        assert (result.values["in_force"], result.values["went_back"], shell.presented) == (
            "unknown",
            False,
            FORMER.thumbprint,
        )
        assert MARKER in shell.files
        shell.writes.clear()
        assert work(self.options(tmp_path, "leave"), shell, False).failures, "its sessions last"
        assert "Stop-CsWindowsService" not in cmdlets(shell), "it drains already"
        clock.now += 100
        again = params(tmp_path, QUICK, graceful=then and {"timeout": 1, "then": then})
        shell.writes.clear()
        assert work(again, shell, False).failures == []
        assert (shell.presented, shell.files) == (QUICK.thumbprint, {})
        assert shell.running == set(shell.services), "what stopped with it runs again"
        assert restarted(shell) == []
        assert not work(again, shell, False).changed

    def test_the_way_back_is_plain(self, tmp_path: Path) -> None:
        class Lame(EdgeShell):
            def _start_cswindowsservice(self, Name: str, Confirm: bool) -> None:
                if self.assigned["XmppServer"] == QUICK.thumbprint:
                    raise LookupError("the service did not respond in time")
                super()._start_cswindowsservice(Name, Confirm)

        shell: EdgeShell = Lame(**vars(edge()))
        result = work(self.options(tmp_path, "leave"), shell, False)
        assert result.values["went_back"]
        stops = [bool(s.parameters.get("Graceful")) for s in shell.writes if s.cmdlet == "Stop-CsWindowsService"]
        assert stops == [True, False]
        assert shell.running == set(shell.services)


def test_restart_none_is_remembered(tmp_path: Path) -> None:
    shell = edge()
    first = work(params(tmp_path, QUICK, restart="none"), shell, False)
    assert (first.values["in_force"], shell.presented) == ("unknown", FORMER.thumbprint)
    second = work(params(tmp_path, QUICK, restart="none"), shell, False)
    assert (second.changed, second.values["in_force"]) == (False, "unknown")
    third = work(params(tmp_path, QUICK), shell, False)
    assert third.changed
    assert third.values["in_force"] == "assigned"
    assert (shell.presented, shell.files) == (QUICK.thumbprint, {})
    assert not work(params(tmp_path, QUICK), shell, False).changed


def test_left_overs_are_swept_and_nothing_else(tmp_path: Path) -> None:
    folder = "C:\\Windows\\Temp\\"
    stranger = {folder + "sfb-xmpp-notes.txt": b"", folder + "sfb-xmpp-0123456789abcdef.pfx.bak": b"", "C:\\x.pfx": b""}
    shell = edge()
    work(params(tmp_path, QUICK), shell, False)
    shell.writes.clear()
    shell.files.update({folder + "sfb-xmpp-0123456789abcdef.pfx": b"", **stranger})
    result = work(params(tmp_path, QUICK), shell, False)
    assert cmdlets(shell) == ["Remove-Item"]
    assert result.changed
    assert shell.files == stranger


KINDS = ["error", "late", "lost", "cut", "refused"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(len(WRITES)))
def test_every_step_fails_once(tmp_path: Path, number: int, kind: str) -> None:
    """No key is left, services run, the answer tells the truth, and the next run completes what is missing."""
    shell = edge(fault=Fault(number, kind))
    result = work(params(tmp_path, QUICK), shell, False)
    assert [path for path in shell.files if path != MARKER] == []
    assert shell.running == set(shell.services)
    assert result.values["assigned"] == {"XmppServer": shell.assigned["XmppServer"]}
    fresh = shell.presented == QUICK.thumbprint
    if result.failures:
        assert any(step["result"] in ("failed", "not_sent") for step in result.steps or [])
        assert result.values["in_force"] == "unknown" or number == len(WRITES) - 1
    else:
        assert fresh
    if result.values["in_force"] == "assigned":
        assert fresh
    shell.fault = None
    again = work(params(tmp_path, QUICK), shell, False)
    assert again.failures == []
    assert again.values["in_force"] == "assigned"
    assert shell.presented == QUICK.thumbprint
    assert shell.files == {}
    shell.writes.clear()
    assert not work(params(tmp_path, QUICK), shell, False).changed
    assert shell.writes == []


@pytest.mark.parametrize("number", range(len(WRITES)))
def test_the_edge_falls_silent(tmp_path: Path, number: int) -> None:
    """Each request is complete in itself: no key file once the import was sent, no service that stays stopped."""
    shell = edge(fault=Fault(number, "dead"))
    result = work(params(tmp_path, QUICK), shell, False)
    assert result.failures
    assert result.values["in_force"] == "unknown"
    assert result.values["assigned"] == {"XmppServer": None}
    assert shell.running == set(shell.services)
    keys = [path for path in shell.files if path.endswith(".pfx")]
    assert bool(keys) == (number == 0)
    if keys:
        assert keys[0] in " ".join(failure.error.message for failure in result.failures)
    shell.dead, shell.fault = False, None
    assert work(params(tmp_path, QUICK), shell, False).failures == []
    assert (shell.presented, shell.files) == (QUICK.thumbprint, {})


def test_file_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    class Stubborn(EdgeShell):
        def _remove_item(self, LiteralPath: str, Force: bool, DeleteKey: bool = False) -> None:
            raise LookupError("Access to the path '%s' is denied" % LiteralPath)

    shell = Stubborn(store={}, assigned={})
    result = work(params(tmp_path, QUICK), shell, False)
    (key,) = (path for path in shell.files if path != MARKER)
    failures = [failure.as_dict() for failure in result.failures]
    assert [failure["cmdlet"] for failure in failures] == ["Remove-Item", "Remove-Item"]
    assert key in failures[0]["message"]
    assert "next run removes it" in failures[0]["message"]
    assert shell.presented == QUICK.thumbprint


def test_service_that_does_not_start(tmp_path: Path) -> None:
    class Lame(EdgeShell):
        def _start_cswindowsservice(self, Name: str, Confirm: bool) -> None:
            raise LookupError("the service did not respond in time")

    shell: EdgeShell = Lame(**vars(edge()))
    result = work(params(tmp_path, QUICK), shell, False)
    assert {(failure.cmdlet, failure.identity) for failure in result.failures} == {("Start-CsWindowsService", XMPP)}
    assert {failure.error.message for failure in result.failures} == {"the service did not respond in time"}
    assert result.values["restarts"] == {}
    assert result.values["in_force"] == "unknown"
    assert shell.assigned["XmppServer"] == FORMER.thumbprint
    assert not result.values["went_back"]  # the service does not run with the former one either
    # Somebody repairs the service: the next run starts it.
    shell = EdgeShell(**vars(shell))
    assert not work(params(tmp_path, QUICK), shell, False).failures
    assert shell.presented == QUICK.thumbprint


@pytest.mark.parametrize("quiet", ["Import-CsCertificate", "Set-CsCertificate"])
def test_success_that_is_none(tmp_path: Path, quiet: str) -> None:
    class Liar(EdgeShell):
        def _one(self, statement: Statement) -> list[t.Any]:
            return [] if statement.cmdlet == quiet else super()._one(statement)

    shell = Liar(**vars(edge()))
    result = work(params(tmp_path, QUICK), shell, False)
    (failure,) = result.failures
    assert failure.cmdlet == quiet
    assert "reported no error" in failure.error.message
    assert shell.files == {}
    assert restarted(shell) == []


class TestRefused:
    """Before anything is sent."""

    def reasons(self, arguments: dict[str, t.Any], shell: EdgeShell | None = None) -> tuple[str, ...]:
        shell = shell or edge()
        with pytest.raises(Refused) as caught:
            work(arguments, shell, False)
        assert shell.writes == []
        assert PASSPHRASE not in str(caught.value)
        return caught.value.reasons

    def test_every_problem_of_the_certificate(self, tmp_path: Path) -> None:
        bad = issue(names=NAMES[:1], key=rsa_key(9, 1024), purposes=())
        reasons = self.reasons(params(tmp_path, bad))
        assert len(reasons) == 3
        assert all(str(tmp_path) in reason for reason in reasons)
        assert "sip.contoso.test, contoso.test" in reasons[0]

    def test_wrong_passphrase(self, tmp_path: Path) -> None:
        arguments = params(tmp_path)
        arguments["source"]["passphrase"] = "wrong horse"
        (reason,) = self.reasons(arguments)
        assert "the passphrase does not open the file" in reason

    def test_missing_file(self, tmp_path: Path) -> None:
        arguments = params(tmp_path)
        arguments["source"]["path"] = str(tmp_path / "none.pfx")
        assert self.reasons(arguments) == (
            "source.path: %s cannot be read: No such file or directory" % (tmp_path / "none.pfx"),
        )

    def test_trust(self, tmp_path: Path) -> None:
        bundle = tmp_path / "ca.pem"
        bundle.write_bytes(issue("Other", key=rsa_key(3), ca=True).pem)
        (reason,) = self.reasons(params(tmp_path, trust_store=str(bundle)))
        assert "trust store" in reason
        bundle.write_bytes(root().pem)
        assert not work(params(tmp_path, trust_store=str(bundle)), edge(), False).failures

    def test_names_are_domains(self, tmp_path: Path) -> None:
        reasons = self.reasons(params(tmp_path, names=["access.contoso.test", "*.contoso.test", "10.0.0.1"]))
        assert [reason.partition(":")[0] for reason in reasons] == ["names[1]", "names[2]"]

    def test_names_compare_in_canonical_form(self, tmp_path: Path) -> None:
        one = issue(issuer=intermediate(), names=(*NAMES, "xn--bcher-kva.example"))
        arguments = params(tmp_path, one, names=["ACCESS.contoso.test.", "Bücher.example"])
        assert not work(arguments, edge(), False).failures

    def test_elliptic_key_on_lync_2013(self, tmp_path: Path) -> None:
        one = issue(issuer=intermediate(), key=elliptic_key())
        lync = edge(version="Microsoft Lync Server 2013 (5.0.8308.0)")
        (reason,) = self.reasons(params(tmp_path, one), lync)
        assert "Lync Server 2013" in reason
        assert not work(params(tmp_path, one), edge(), False).failures

    def test_no_usage(self, tmp_path: Path) -> None:
        assert "empty" in self.reasons(params(tmp_path, usages=[]))[0]

    def test_without_packages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_certificate, "IMPORT_ERROR", ImportError("No module named 'cryptography'"))
        monkeypatch.setattr(chain, "IMPORT_ERROR", ImportError("No module named 'OpenSSL'"))
        assert [text.split()[0] for text in self.reasons(params(tmp_path))] == ["cryptography", "pyOpenSSL"]

    def test_session_without_the_module(self, tmp_path: Path) -> None:
        class Bare(EdgeShell):
            def invoke(self, statements: t.Sequence[Statement]) -> Answer:
                return Answer(errors=(ServerError("Get-CsCertificate", "CommandNotFoundException", "", "not known"),))

        assert "ansible_management_shell_modules" in self.reasons(params(tmp_path), Bare())[0]

    def test_unreadable_edge(self, tmp_path: Path) -> None:
        class Broken(EdgeShell):
            def _get_cscertificate(self) -> list[t.Any]:
                raise LookupError("access denied")

        shell = Broken()
        with pytest.raises(ServerRefused, match="access denied"):
            work(params(tmp_path), shell, False)
        assert shell.writes == []


def test_findings_warn_when_something_is_written(tmp_path: Path) -> None:
    one = issue(issuer=intermediate(), crl=False)
    shell = edge()
    first = work(params(tmp_path, one), shell, False)
    assert [finding["code"] for finding in first.values["findings"]] == ["no_crl"]
    assert len(first.warnings) == 1
    assert "CRL" in first.warnings[0]
    second = work(params(tmp_path, one), shell, False)
    assert second.warnings == []
    assert [finding["code"] for finding in second.values["findings"]] == ["no_crl"]


def documented(module: str) -> dict[str, t.Any]:
    file = Path(__file__).parents[2] / "plugins" / "modules" / ("%s.yml" % module)
    return t.cast("dict[str, t.Any]", yaml.safe_load(file.read_text(encoding="utf-8"))["RETURN"])


def test_what_is_returned_is_documented(tmp_path: Path) -> None:
    one = issue(issuer=intermediate(), crl=False)
    shell = edge(fault=Fault(len(WRITES) - 1, "error"))
    returned = work(params(tmp_path, one), shell, False).as_dict()
    keys = documented("xmpp_gateway_cert")
    # Ansible adds "changed"; a refusal returns "reasons" instead.
    assert {*keys} - {"reasons", "keys_left"} == {*returned} - {"changed"}
    for key in ("certificate", "findings", "diff", "steps", "failures"):
        found = returned[key][0] if isinstance(returned[key], list) else returned[key]
        assert {*keys[key]["contains"]} == {*found}, key
    found = info({**TestInfo.arguments, "names": []}, shell, False).as_dict()
    keys = documented("xmpp_gateway_cert_info")
    assert {*keys} - {"reasons", "failures"} == {*found} - {"changed"}
    contains = keys["certificates"]["contains"]
    assert {*contains} == {*found["certificates"][0]}
    assert {*contains["findings"]["contains"]} == {*found["certificates"][0]["findings"][0]}


class TestAbsent:
    def test_unbinds_and_keeps_the_certificate(self, tmp_path: Path) -> None:
        shell = edge()
        arguments = {"usages": ["XmppServer"], "state": "absent", "source": None}
        planned = work(arguments, shell, True)
        assert shell.writes == []
        result = work(arguments, shell, False)
        assert cmdlets(shell) == ["Remove-CsCertificate"]
        assert [{**step, "result": "done"} for step in planned.steps or []] == result.steps
        assert planned.diff == result.diff
        assert "XmppServer" not in shell.assigned
        assert FORMER.thumbprint in shell.store
        assert result.values["former_thumbprint"] == FORMER.thumbprint
        assert result.values["assigned"] == {"XmppServer": None}
        (left,) = result.values["keys_left"]
        assert (left["thumbprint"], left["usages"]) == (FORMER.thumbprint, sorted(EVERYTHING[:3]))
        assert {*left} == {*documented("xmpp_gateway_cert")["keys_left"]["contains"]}
        assert not work(arguments, shell, False).changed
        assert len(shell.writes) == 1

    def test_says_whose_keys_are_left(self) -> None:
        shell = edge()
        for name, has_key in ((leaf().thumbprint, None), (intermediate().thumbprint, False)):
            shell.store[name] = ((leaf() if has_key is None else intermediate()).der, has_key)
        left = work({"usages": ["XmppServer"], "state": "absent"}, shell, True).values["keys_left"]
        assert {one["thumbprint"]: one["usages"] for one in left} == {
            FORMER.thumbprint: sorted(EVERYTHING[:3]), leaf().thumbprint: [],
        }  # fmt: skip

    @pytest.mark.parametrize("kind", KINDS)
    def test_failure(self, kind: str) -> None:
        shell = edge(fault=Fault(0, kind))
        result = work({"usages": ["XmppServer"], "state": "absent"}, shell, False)
        assert bool(result.failures) == ("XmppServer" in shell.assigned)
        assert result.changed == ("XmppServer" not in shell.assigned)


class TestInfo:
    arguments: t.ClassVar[dict[str, t.Any]] = {"usages": list(EVERYTHING), "names": list(NAMES), "trust_store": None}

    def certificates(self, shell: EdgeShell, **arguments: t.Any) -> list[dict[str, t.Any]]:
        result = info({**self.arguments, **arguments}, shell, False)
        assert shell.writes == []
        return t.cast("list[dict[str, t.Any]]", result.values["certificates"])

    def test_one_entry_a_certificate(self) -> None:
        shell = edge(intermediates=[intermediate().der])
        shell.store[leaf().thumbprint] = (leaf().der, True)
        shell.assigned.update(XmppServer=leaf().thumbprint, Internal="AB")
        former, xmpp = self.certificates(shell)
        assert (former["thumbprint"], former["usages"]) == (FORMER.thumbprint, list(EVERYTHING[:3]))
        assert (xmpp["thumbprint"], xmpp["usages"], xmpp["findings"]) == (leaf().thumbprint, ["XmppServer"], [])
        assert set(xmpp) == {*FACTS, "usages", "managed", "findings", "later", "renewal", "renewal_info_id"}

    def test_findings(self) -> None:
        (found,) = self.certificates(edge(), names=["other.contoso.test"])
        assert [finding["code"] for finding in found["findings"]] == [
            "names_missing",
            "subject",
            "intermediates_missing",
        ]

    def test_issued_by_a_root_directly(self) -> None:
        one = issue(issuer=root())
        shell = edge(intermediates=[intermediate().der], roots=[root().der])
        shell.store, shell.assigned = {one.thumbprint: (one.der, True)}, {"XmppServer": one.thumbprint}
        (found,) = self.certificates(shell)
        assert found["findings"] == []

    def test_trust_store(self, tmp_path: Path) -> None:
        bundle = tmp_path / "ca.pem"
        bundle.write_bytes(root().pem)
        (found,) = self.certificates(edge(intermediates=[intermediate().der]), trust_store=str(bundle))
        assert found["findings"] == []
        (found,) = self.certificates(edge(), trust_store=str(bundle))
        assert [finding["code"] for finding in found["findings"]] == ["incomplete_chain"]

    def test_a_store_of_certificates_that_certify_each_other(self, tmp_path: Path) -> None:
        many = crossed(5)
        one = issue(issuer=many[0])
        bundle = tmp_path / "ca.pem"
        bundle.write_bytes(root().pem)
        shell = edge(intermediates=[other.der for other in many])
        shell.store, shell.assigned = {one.thumbprint: (one.der, True)}, {"XmppServer": one.thumbprint}
        begun = time.monotonic()
        (found,) = self.certificates(shell, trust_store=str(bundle))
        assert [finding["code"] for finding in found["findings"]] == ["untrusted"]
        assert time.monotonic() - begun < 15  # the search ends, on a busy machine too

    def test_certificate_that_is_gone_from_the_store(self) -> None:
        (found,) = self.certificates(edge(store={}))
        assert [finding["code"] for finding in found["findings"]] == ["not_in_store"]
        assert set(found) == {*FACTS, "usages", "managed", "findings", "later", "renewal", "renewal_info_id"}

    def test_nothing_assigned(self) -> None:
        assert self.certificates(edge(assigned={})) == []
