# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""renew.now: what is in use is replaced once for each reason; what a key that others have changes."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.renew_now import RenewNow
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import file_is_good, info, work

from tests.unit.certificates import NAMES, PASSPHRASE, EdgeShell, Fault, elliptic_key, intermediate, issue
from tests.unit.test_certificate_sources import answered, folder, options, own_ca, requested, self_signed, used

__all__ = ["folder"]  # a fixture

ROOT_GOES = {"now": {"reason": "The old root goes"}}
STOLEN = {"now": {"reason": "The key was in a backup", "compromised": True}}
NOTE = "C:\\Windows\\Temp\\%s" % RenewNow("The old root goes").file


def cmdlets(shell: EdgeShell) -> list[str]:
    return [statement.cmdlet for statement in shell.writes]


def words(result: Result) -> str:
    return " ".join(result.warnings)


def test_once_for_each_reason(folder: Path) -> None:
    shell, former = used(folder, 10)
    assert not work(own_ca(folder), shell, False).changed
    planned = work(own_ca(folder, renew=ROOT_GOES), shell, True)
    assert (planned.changed, shell.writes) == (True, [])
    assert planned.values["renewal"]["reason"] == "it is replaced now: The old root goes"
    done = work(own_ca(folder, renew=ROOT_GOES), shell, False)
    assert done.failures == []
    assert [step["cmdlet"] for step in planned.steps or []] == [step["cmdlet"] for step in done.steps or []]
    assert shell.presented not in ("", former.thumbprint)
    # It is remembered before anything is asked for.
    assert (cmdlets(shell)[0], shell.files) == ("Set-Content", {NOTE: former.thumbprint.encode()})
    assert former.thumbprint in shell.store, "it is the way back"
    second = shell.presented
    shell.writes.clear()
    for reason in ("The old root goes", " the OLD root goes "):
        again = work(own_ca(folder, renew={"now": {"reason": reason}}), shell, False)
        assert (again.changed, shell.writes) == (False, [])
    assert work(own_ca(folder, renew={"now": {"reason": "Another CA"}}), shell, False).changed
    assert shell.presented != second


def test_a_certificate_that_waits_for_its_switch_is_not_made_again(folder: Path) -> None:
    shell, former = used(folder, 10)
    for number in range(3):
        staged = work(own_ca(folder, renew=ROOT_GOES, phase="stage"), shell, False)
        assert (staged.failures, staged.changed) == ([], number == 0)
    assert (len(shell.store), shell.presented) == (2, former.thumbprint)
    assert work(own_ca(folder, renew=ROOT_GOES, phase="switch"), shell, False).failures == []
    assert shell.presented != former.thumbprint
    assert not work(own_ca(folder, renew=ROOT_GOES), shell, False).changed


def test_all_edges_of_a_pool_get_the_same(folder: Path) -> None:
    first, former = used(folder, 10)
    second = EdgeShell(
        store=dict(first.store), intermediates=list(first.intermediates), assigned=dict(first.assigned),
        presented=first.presented,
    )  # fmt: skip
    for shell in (first, second):
        assert work(own_ca(folder, renew=ROOT_GOES), shell, False).failures == []
    assert first.presented == second.presented != former.thumbprint


def test_an_authority_is_asked_once(folder: Path) -> None:
    shell, former = used(folder, 10)
    (folder / "gateway.pfx").unlink()
    given = requested(folder, renew=ROOT_GOES)
    request = [work(given, shell, False).values["request"], (folder / "gateway.csr").read_bytes()]
    assert [work(given, shell, False).values["request"], (folder / "gateway.csr").read_bytes()] == request
    one = answered(folder)
    assert work(given, shell, False).failures == []
    assert shell.presented == one.thumbprint != former.thumbprint
    assert not work(given, shell, False).changed
    assert not (folder / "gateway.csr").exists()


def test_where_the_reason_cannot_be_remembered_nothing_is_replaced(folder: Path) -> None:
    shell, former = used(folder, 10)
    shell.fault = Fault(0, "error")
    result = work(own_ca(folder, renew=ROOT_GOES), shell, False)
    assert [failure.identity for failure in result.failures] == [RenewNow("The old root goes").file]
    assert (cmdlets(shell), shell.presented) == (["Set-Content"], former.thumbprint)


class TestCompromised:
    def test_the_key_goes_and_the_rest_is_told(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        result = work(own_ca(folder, renew=STOLEN, remove_former_after=30), shell, False)
        assert result.failures == []
        assert list(shell.store) == [shell.presented]
        assert cmdlets(shell)[-1] == "Remove-Item"
        assert "manual step: revoke the certificate %X" % former.certificate.serial_number in words(result)
        assert [path for path in shell.files if "former" in path] == []
        shell.writes.clear()
        again = work(own_ca(folder, renew=STOLEN), shell, False)
        assert (again.changed, again.warnings, shell.writes) == (False, [], [])

    @pytest.mark.parametrize(("renew", "back"), [(ROOT_GOES, True), (STOLEN, False)])
    def test_there_is_no_way_back(self, folder: Path, renew: t.Any, back: bool) -> None:
        shell, former = used(folder, 10)

        def broken(**_parameters: t.Any) -> None:
            raise LookupError("it does not start")

        shell._start_cswindowsservice = broken  # type: ignore[assignment,method-assign]
        result = work(own_ca(folder, renew=renew), shell, False)
        assert result.failures
        assert (shell.assigned["XmppServer"] == former.thumbprint) == back
        assert former.thumbprint in shell.store, "it is deleted once the new one is in use"

    def test_what_another_usage_has_stays_and_is_told(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        shell.assigned["AccessEdgeExternal"] = former.thumbprint
        result = work(own_ca(folder, renew=STOLEN), shell, False)
        assert result.failures == []
        assert former.thumbprint in shell.store
        assert "is also in use for AccessEdgeExternal" in words(result)
        both = work(own_ca(folder, renew=STOLEN, usages=["AccessEdgeExternal", "XmppServer"]), shell, False)
        assert (both.failures, former.thumbprint in shell.store) == ([], False)


def pkcs12(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    source = {"type": "pkcs12", "path": str(folder / "gateway.pfx"), "passphrase": PASSPHRASE}
    return options(names=list(NAMES), source=source, **more)


def test_a_file_that_holds_what_is_to_be_replaced(folder: Path) -> None:
    shell, former = used(folder, 10)
    with pytest.raises(Refused, match="still has the certificate to replace"):
        work(pkcs12(folder, renew=ROOT_GOES), shell, False)
    assert shell.writes == []
    # Tasks of the user have to make another one.
    assert file_is_good(pkcs12(folder))
    assert not file_is_good(pkcs12(folder), [former.thumbprint])
    new = issue(issuer=intermediate(), key=elliptic_key(), days=60)
    (folder / "gateway.pfx").write_bytes(new.pkcs12(intermediate()))
    result = work(pkcs12(folder, renew=ROOT_GOES), shell, False)
    assert (result.failures, shell.presented) == ([], new.thumbprint)
    assert "the new certificate ends earlier" in words(result)
    assert "the certificate in use was issued by Own Issuing, but the declared source (pkcs12) uses" in words(result)


def test_another_source_than_the_one_in_use_is_told(folder: Path) -> None:
    shell, _former = used(folder, 10)
    assert work(own_ca(folder), shell, False).warnings == []
    (folder / "gateway.pfx").unlink()
    result = work(self_signed(folder), shell, False)
    assert not result.changed
    assert "the certificate in use was issued by Own Issuing, but the declared source (self_signed) uses" in words(
        result
    )


def test_a_blank_reason_is_a_mistake(folder: Path) -> None:
    with pytest.raises(Refused, match=r"renew\.now\.reason: is empty"):
        work(own_ca(folder, renew={"now": {"reason": " "}}), EdgeShell(), False)


def test_info_tells_it(folder: Path) -> None:
    shell, former = used(folder, 10)
    given = {"usages": ["XmppServer"], "names": list(NAMES), "renew": ROOT_GOES}
    (one,) = info(given, shell, False).values["certificates"]
    assert (one["thumbprint"], one["renewal"]["due"]) == (former.thumbprint, True)
    assert work(own_ca(folder, renew=ROOT_GOES), shell, False).failures == []
    (one,) = info(given, shell, False).values["certificates"]
    assert one["renewal"]["due"] is False
