# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates whose key is made on an Edge, what the listener presents, and the way back, over the wire."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_TASK, TASK

from lab.cmdlets.requests import AUTHORITY
from lab.deployment.faults import Faults
from lab.testing import Lab
from tests.integration.management import Management
from tests.integration.test_gateway_cert import edge_of, left, presented
from tests.unit.certificates import PASSPHRASE, Issued, answer_to, elliptic_key, intermediate, issue, root

ACCESS_EDGE = "sip.contoso.test"
NAMES = (ACCESS_EDGE, "contoso.test")
ANSWERED = {"names": NAMES, "subject": ACCESS_EDGE}
PARTNER: dict[str, object] = {
    "AdditionalDomains": [], "ConnectionLimit": None, "Description": None, "EnableKeepAlive": False,
    "PartnerType": "Federated", "ProxyFqdn": None, "SaslNegotiation": "Required", "SupportDialbackNegotiation": False,
    "TlsNegotiation": "Required",
}  # fmt: skip


@pytest.fixture
def edge(fresh_lab: Lab) -> t.Iterator[Management]:
    shell = edge_of(fresh_lab)
    yield shell
    shell.session.close()


def listener(lab: Lab, host: str = "edge01", **more: t.Any) -> dict[str, t.Any]:
    """Of a gateway that listens to the partner litware.example."""
    lab.store().put("partner", "litware.example", PARTNER)
    found = {"address": lab.addresses[host], "port": lab.xmpp_port, "domain": "contoso.test", "timeout": 20}
    return {**found, "partner": "litware.example", **more}


def on_edge(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    source = {
        "type": "request",
        "key_on": "edge",
        "key": "ecdsa_p256",
        "request": str(folder / "edge01.csr"),
        "answer": str(folder / "edge01.crt"),
    }
    return {"names": list(NAMES), "source": source, **more}


def enterprise(**more: t.Any) -> dict[str, t.Any]:
    source = {
        "type": "enterprise_ca",
        "ca": AUTHORITY,
        "ca_account": "CONTOSO\\admin",
        "ca_password": "Lab-admin-1",
        "key": "ecdsa_p256",
        **more.pop("source", {}),
    }
    return {"names": list(NAMES), "source": source, **more}


def from_file(folder: Path, one: Issued, **more: t.Any) -> dict[str, t.Any]:
    (folder / "gateway.pfx").write_bytes(one.pkcs12(intermediate()))
    source = {"type": "pkcs12", "path": str(folder / "gateway.pfx"), "passphrase": PASSPHRASE}
    return {"names": list(NAMES), "source": source, **more}


def issued(days: float = 200, **more: t.Any) -> Issued:
    return issue(ACCESS_EDGE, intermediate(), key=elliptic_key(), names=NAMES, days=days, **more)


def requests(edge: Management) -> int:
    """How often the Edge was told to make a key."""
    return sum(event.cmdlet == "Request-CsCertificate" and "New" in event.parameters for event in edge.store.events())


def nothing_secret(edge: Management, result: Result) -> None:
    """No key, passphrase or file for the journey is on the Edge, in the event log or in what is returned."""
    for name, content in edge.store.files("edge01").items():
        assert not name.endswith((".pfx", ".cer")), name
        assert b"PRIVATE" not in content
    said = repr(result.as_dict()) + repr(result.warnings) + repr(edge.store.events())
    for secret in ("Lab-admin-1", PASSPHRASE, "PRIVATE KEY"):
        assert secret not in said


class TestKeyOnTheEdge:
    def test_request_answer_and_use(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        planned = edge.run(TASK, check=True, **on_edge(tmp_path))
        assert [step["cmdlet"] for step in planned.steps or ()] == ["Request-CsCertificate"]
        assert list(tmp_path.iterdir()) == []
        first = edge.run(TASK, **on_edge(tmp_path))
        assert (first.changed, first.failures, first.values["pending"]) == (True, [], True)
        assert [step["parameters"] for step in first.steps or ()] == [
            step["parameters"] for step in planned.steps or ()
        ]
        csr = (tmp_path / "edge01.csr").read_bytes()
        assert not edge.run(TASK, **on_edge(tmp_path)).changed
        (tmp_path / "edge01.csr").unlink()
        again = edge.run(TASK, **on_edge(tmp_path))
        assert (again.changed, (tmp_path / "edge01.csr").read_bytes()) == (True, csr)
        assert requests(edge) == 1
        one = answer_to(csr, **ANSWERED)
        (tmp_path / "edge01.crt").write_bytes(one.pem + intermediate().pem)
        done = edge.run(TASK, **on_edge(tmp_path, listener=listener(fresh_lab)))
        assert [str(failure) for failure in done.failures] == []
        assert presented(edge) == one.thumbprint == done.values["presented"]
        assert done.values["in_force"] == "proven"
        assert left(edge) == []
        assert not edge.run(TASK, **on_edge(tmp_path)).changed
        assert requests(edge) == 1
        nothing_secret(edge, done)
        row = edge.store.certificate("edge01", "My", one.thumbprint)
        assert row is not None
        assert row.key is not None

    def test_staged_and_switched_later(self, edge: Management, tmp_path: Path) -> None:
        edge.run(TASK, **on_edge(tmp_path, phase="stage"))
        one = answer_to((tmp_path / "edge01.csr").read_bytes(), **ANSWERED)
        (tmp_path / "edge01.crt").write_bytes(one.der)
        assert edge.run(TASK, **on_edge(tmp_path, phase="stage")).values["staged"]
        assert presented(edge) != one.thumbprint
        assert not edge.run(TASK, **on_edge(tmp_path, phase="stage")).changed
        assert not edge.run(TASK, **on_edge(tmp_path, phase="switch")).failures
        assert presented(edge) == one.thumbprint
        assert requests(edge) == 1

    def test_renewal_makes_another_key(self, edge: Management, tmp_path: Path) -> None:
        edge.run(TASK, **on_edge(tmp_path))
        old = answer_to((tmp_path / "edge01.csr").read_bytes(), start=-50, days=60, **ANSWERED)
        (tmp_path / "edge01.crt").write_bytes(old.der)
        share = {"lifetime_share": 0.9}
        assert not edge.run(TASK, **on_edge(tmp_path, renew=share)).failures
        renewed = edge.run(TASK, **on_edge(tmp_path))
        assert (renewed.values["pending"], renewed.values["renewal"]["due"]) == (True, True)
        assert presented(edge) == old.thumbprint
        assert requests(edge) == 2
        new = answer_to((tmp_path / "edge01.csr").read_bytes(), **ANSWERED)
        assert edge.run(TASK, **on_edge(tmp_path)).values["pending"], "the old answer is not one to the new request"
        (tmp_path / "edge01.crt").write_bytes(new.der)
        assert not edge.run(TASK, **on_edge(tmp_path)).failures
        assert presented(edge) == new.thumbprint

    def test_another_edges_file(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        edge.run(TASK, **on_edge(tmp_path))
        other = edge_of(fresh_lab, "edge02")
        try:
            with pytest.raises(Refused, match="one file for each Edge server"):
                other.run(TASK, **on_edge(tmp_path))
            assert other.writes() == edge.writes()
        finally:
            other.session.close()

    def test_an_answer_that_lacks_a_domain(self, edge: Management, tmp_path: Path) -> None:
        edge.run(TASK, **on_edge(tmp_path))
        one = answer_to((tmp_path / "edge01.csr").read_bytes(), (ACCESS_EDGE,))
        (tmp_path / "edge01.crt").write_bytes(one.pem)
        mark = edge.mark()
        with pytest.raises(Refused, match=r"do not cover contoso\.test"):
            edge.run(TASK, **on_edge(tmp_path))
        assert edge.writes(mark) == []

    @pytest.mark.parametrize(("action", "when"), [("error", "before"), ("cut", "before"), ("cut", "after")])
    def test_the_request_fails_once(self, edge: Management, tmp_path: Path, action: t.Any, when: t.Any) -> None:
        Faults(edge.store).add("Request-CsCertificate", action=action, when=when)
        edge.run(TASK, **on_edge(tmp_path))
        assert Faults(edge.store).armed() == []
        again = edge.run(TASK, **on_edge(tmp_path))
        assert (again.failures, again.values["pending"]) == ([], True)
        assert requests(edge) == (1 if when == "after" else 2)

    @pytest.mark.parametrize("cmdlet", ["Set-Content", "Import-CsCertificate", "Remove-Item", "Set-CsCertificate"])
    @pytest.mark.parametrize(("action", "when"), [("error", "before"), ("cut", "after")])
    def test_every_step_of_the_answer_fails_once(
        self, edge: Management, tmp_path: Path, cmdlet: str, action: t.Any, when: t.Any
    ) -> None:
        edge.run(TASK, **on_edge(tmp_path))
        one = answer_to((tmp_path / "edge01.csr").read_bytes(), **ANSWERED)
        (tmp_path / "edge01.crt").write_bytes(one.der)
        Faults(edge.store).add(cmdlet, action=action, when=when)
        nothing_secret(edge, edge.run(TASK, **on_edge(tmp_path)))
        assert not edge.run(TASK, **on_edge(tmp_path)).failures
        assert presented(edge) == one.thumbprint
        assert left(edge) == []
        assert requests(edge) == 1


class TestEnterpriseAuthority:
    def test_issue_and_nothing_to_do(self, edge: Management, fresh_lab: Lab) -> None:
        planned = edge.run(TASK, check=True, **enterprise())
        done = edge.run(TASK, **enterprise(listener=listener(fresh_lab)))
        assert [str(failure) for failure in done.failures] == []
        assert [step["cmdlet"] for step in planned.steps or ()] == [step["cmdlet"] for step in done.steps or ()]
        assert done.values["in_force"] == "proven"
        assert presented(edge) == done.values["certificate"]["thumbprint"]
        assert left(edge) == []
        nothing_secret(edge, done)
        assert not edge.run(TASK, **enterprise()).changed
        assert requests(edge) == 1

    def test_staged_and_switched_later(self, edge: Management) -> None:
        staged = edge.run(TASK, **enterprise(phase="stage"))
        assert (staged.failures, staged.values["staged"]) == ([], True)
        # Nothing but our own file says which one it is: names are neither unique nor sent with whole objects.
        edge.store.sql("UPDATE certificate SET friendly_name=''")
        assert not edge.run(TASK, **enterprise(phase="stage")).changed
        switched = edge.run(TASK, **enterprise(phase="switch"))
        assert [str(failure) for failure in switched.failures] == []
        assert presented(edge) == staged.values["certificate"]["thumbprint"]
        assert left(edge) == []
        assert not edge.run(TASK, **enterprise()).changed
        assert requests(edge) == 1

    @pytest.mark.parametrize(("setting", "value"), [("select_object", False), ("restricted_select", ["edge"])])
    def test_an_endpoint_without_a_whole_select_object(self, edge: Management, setting: str, value: bool) -> None:
        """Whole certificates bring their RawData only; that is enough."""
        edge.store.set_setting(setting, value)
        assert not edge.run(TASK, **enterprise(phase="stage")).failures
        assert not edge.run(TASK, **enterprise()).failures
        assert not edge.run(TASK, **enterprise()).changed
        assert requests(edge) == 1

    def test_issued_while_nobody_looked(self, edge: Management) -> None:
        """The authority answers between two runs, and Windows fetches it: there is nothing to retrieve any more."""
        from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement

        edge.store.set_setting("enterprise_ca_delay", True)
        assert edge.run(TASK, **enterprise()).values["pending"]
        edge.store.set_setting("enterprise_ca_delay", False)
        assert edge.invoke([Statement("Request-CsCertificate", {"Retrieve": True, "Confirm": False})]).errors == ()
        assert not edge.run(TASK, **enterprise()).failures
        assert presented(edge)
        assert left(edge) == []
        assert requests(edge) == 1

    def test_renewed_now_once_although_approval_takes_time(self, edge: Management) -> None:
        assert not edge.run(TASK, **enterprise()).failures
        former = presented(edge) or ""
        edge.store.set_setting("enterprise_ca_delay", True)
        given = enterprise(renew={"now": {"reason": "The key was in a backup", "compromised": True}})
        mark = edge.mark()
        assert edge.run(TASK, check=True, **given).changed
        assert edge.writes(mark) == []
        for _night in range(2):
            assert edge.run(TASK, **given).values["pending"]
        assert (requests(edge), presented(edge)) == (2, former)
        edge.store.set_setting("enterprise_ca_delay", False)
        done = edge.run(TASK, **given)
        assert [str(failure) for failure in done.failures] == []
        assert presented(edge) != former
        assert edge.store.certificate("edge01", "My", former) is None
        (gone,) = (e for e in edge.store.events() if e.cmdlet == "Remove-Item" and former in str(e.parameters))
        assert gone.parameters["DeleteKey"] is True
        assert "manual step: revoke the certificate" in " ".join(done.warnings)
        again = edge.run(TASK, **given)
        assert (again.changed, again.warnings, requests(edge)) == (False, [], 2)

    def test_approval_takes_time(self, edge: Management) -> None:
        edge.store.set_setting("enterprise_ca_delay", True)
        for _attempt in range(2):
            result = edge.run(TASK, **enterprise())
            assert (result.failures, result.values["pending"]) == ([], True)
        edge.store.set_setting("enterprise_ca_delay", False)
        assert not edge.run(TASK, **enterprise()).failures
        assert presented(edge)
        assert requests(edge) == 1
        assert left(edge) == []

    def test_an_edge_in_a_workgroup_needs_an_account(self, edge: Management) -> None:
        result = edge.run(TASK, **enterprise(source={"ca_account": None, "ca_password": None}))
        assert result.failures[0].error.category == "PermissionDenied"
        assert left(edge) == []
        assert not edge.run(TASK, **enterprise()).failures

    @pytest.mark.parametrize(("action", "when"), [("error", "before"), ("cut", "before"), ("cut", "after")])
    def test_the_request_fails_once(self, edge: Management, action: t.Any, when: t.Any) -> None:
        Faults(edge.store).add("Request-CsCertificate", action=action, when=when)
        nothing_secret(edge, edge.run(TASK, **enterprise()))
        for _attempt in range(2):  # the first may find out that nothing was requested
            result = edge.run(TASK, **enterprise())
        assert result.failures == []
        assert presented(edge) == result.values["certificate"]["thumbprint"]
        assert left(edge) == []
        assert len([row for row in edge.store.certificates("edge01", "My") if row.friendly_name == "sfb.xmpp"]) == 1


class TestListener:
    def test_what_is_presented(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        one, place = issued(), listener(fresh_lab)
        found = edge.run(INFO_TASK, listener=place).values["presented"]
        assert (found["thumbprint"], found["reached"]) == (None, True)
        result = edge.run(TASK, **from_file(tmp_path, one, listener=place))
        assert (result.failures, result.values["in_force"]) == ([], "proven")
        (tmp_path / "root.pem").write_bytes(root().pem)
        found = edge.run(INFO_TASK, listener=place, names=list(NAMES), trust_store=str(tmp_path / "root.pem")).values
        assert found["presented"]["thumbprint"] == one.thumbprint
        assert [finding["code"] for finding in found["presented"]["findings"]] == []

    def test_assigned_by_hand_and_never_restarted(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        """Only a handshake shows it: the store says that all is well."""
        old, new, place = issued(), issued(), listener(fresh_lab)
        for one in (old, new):
            assert not edge.run(TASK, **from_file(tmp_path, one)).failures
        edge.store.present("edge01", "XmppServer", old.thumbprint)
        assert not edge.run(TASK, check=True, **from_file(tmp_path, new)).changed
        result = edge.run(TASK, **from_file(tmp_path, new, listener=place))
        assert (result.changed, result.values["in_force"]) == (True, "proven")
        assert presented(edge) == new.thumbprint

    def test_nobody_there(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        place = listener(fresh_lab, address="127.0.0.99", timeout=1)
        result = edge.run(TASK, **from_file(tmp_path, issued(), listener=place))
        assert (result.failures, result.values["in_force"]) == ([], "assigned")
        assert "could not check which certificate is presented" in " ".join(result.warnings)

    def test_the_way_back(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        """The services cannot read the new key, so nothing is presented; the former comes back and is seen."""
        old, new, place = issued(), issued(), listener(fresh_lab, timeout=6)
        edge.run(TASK, **from_file(tmp_path, old, listener=place))
        edge.run(TASK, **from_file(tmp_path, new, phase="stage"))
        edge.store.sql("UPDATE certificate SET key_readable=0 WHERE thumbprint=?", new.thumbprint)
        result = edge.run(TASK, **from_file(tmp_path, new, phase="switch", listener=place))
        assert [(f.cmdlet, f.error.category) for f in result.failures] == [("(handshake)", "NotInForce")]
        assert result.values["went_back"]
        assert presented(edge) == old.thumbprint == result.values["presented"]
        assert edge.store.assignments("edge01")["XmppServer"] == old.thumbprint
        assert set(edge.store.services("edge01").values()) == {"Running"}
        assert left(edge) == []

    def test_the_way_back_to_different_certificates(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        """Each usage gets its own again, and what is looked for at the gateway is that of XmppServer."""
        others, old, new, place = issued(), issued(), issued(), listener(fresh_lab, timeout=6)
        usages = ["AccessEdgeExternal", "XmppServer"]
        edge.run(TASK, **from_file(tmp_path, others, usages=usages[:1]))
        edge.run(TASK, **from_file(tmp_path, old, listener=place))
        edge.run(TASK, **from_file(tmp_path, new, usages=usages, phase="stage"))
        edge.store.sql("UPDATE certificate SET key_readable=0 WHERE thumbprint=?", new.thumbprint)
        result = edge.run(TASK, **from_file(tmp_path, new, usages=usages, listener=place))
        assert len(result.failures) == 1
        assert result.values["went_back"]
        assert presented(edge) == old.thumbprint == result.values["presented"]
        assigned = edge.store.assignments("edge01")
        assert [assigned[usage] for usage in usages] == [others.thumbprint, old.thumbprint]
        assert left(edge) == []

    def test_the_first_one_has_no_way_back(self, edge: Management, fresh_lab: Lab, tmp_path: Path) -> None:
        new, place = issued(), listener(fresh_lab, timeout=5)
        edge.run(TASK, **from_file(tmp_path, new, phase="stage"))
        edge.store.sql("UPDATE certificate SET key_readable=0 WHERE thumbprint=?", new.thumbprint)
        result = edge.run(TASK, **from_file(tmp_path, new, listener=place))
        assert (result.values["went_back"], result.values["in_force"]) == (False, "unknown")
        edge.store.sql("UPDATE certificate SET key_readable=1 WHERE thumbprint=?", new.thumbprint)
        assert edge.run(TASK, **from_file(tmp_path, new, listener=place)).values["in_force"] == "proven"

    @pytest.mark.parametrize("cmdlet", ["Stop-CsWindowsService", "Start-CsWindowsService", "Set-CsCertificate"])
    def test_each_step_of_the_way_back_fails_once(
        self, edge: Management, fresh_lab: Lab, tmp_path: Path, cmdlet: str
    ) -> None:
        old, new, place = issued(), issued(), listener(fresh_lab, timeout=5)
        edge.run(TASK, **from_file(tmp_path, old))
        edge.run(TASK, **from_file(tmp_path, new, phase="stage"))
        edge.store.sql("UPDATE certificate SET key_readable=0 WHERE thumbprint=?", new.thumbprint)
        Faults(edge.store).add(cmdlet, skip=1)  # the first is the way forth
        result = edge.run(TASK, **from_file(tmp_path, new, listener=place))
        assert Faults(edge.store).armed() == []
        assert result.failures
        assert set(edge.store.services("edge01").values()) == {"Running"}
        # Whoever puts the old file back gets the old certificate, whatever was left.
        assert not edge.run(TASK, **from_file(tmp_path, old, listener=place)).failures
        assert presented(edge) == old.thumbprint
        assert left(edge) == []


def test_a_clock_far_ahead(edge: Management, tmp_path: Path) -> None:
    edge.store.set_setting("clock_ahead", 500 * 86400.0)
    mark = edge.mark()
    for arguments in (from_file(tmp_path, issued()), on_edge(tmp_path), enterprise()):
        with pytest.raises(Refused, match="differ by more than a day"):
            edge.run(TASK, **arguments)
    assert edge.writes(mark) == []


def test_deleted_after_some_days(edge: Management, tmp_path: Path) -> None:
    old, new = issued(), issued()
    for one in (old, new):
        edge.run(TASK, **from_file(tmp_path, one, remove_former_after=7))
    (note,) = left(edge)
    assert old.thumbprint in note
    assert not edge.run(TASK, **from_file(tmp_path, new, remove_former_after=7)).changed
    today = datetime.datetime.now(datetime.timezone.utc)
    path = "C:\\Windows\\Temp\\" + note
    edge.store.delete_file("edge01", path)
    edge.store.put_file("edge01", path.replace(today.strftime("%Y%m%d"), "20200101"), b"former")
    result = edge.run(TASK, **from_file(tmp_path, new, remove_former_after=7))
    assert [str(failure) for failure in result.failures] == []
    assert edge.store.certificate("edge01", "My", old.thumbprint) is None
    assert edge.store.certificate("edge01", "My", new.thumbprint)
    assert left(edge) == []
