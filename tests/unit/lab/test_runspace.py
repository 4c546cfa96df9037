# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions and statements: who may do what, WhatIf, confirmation, faults, the event log."""

from __future__ import annotations

import threading
import time
import typing as t
from pathlib import Path

import pytest
from psrpcore.types import PSByteArray, PSDict, PSList, PSSecureString, PSUInt

from lab.cmdlets.runspace import Call, Deployment
from lab.deployment.faults import SESSION
from lab.errors import Cut, LabError

from .conftest import Bench, Recorder

NEW = "New-CsXmppAllowedPartner"
GET = "Get-CsXmppAllowedPartner"
REMOVE = "Remove-CsXmppAllowedPartner"
VIEWER = "CONTOSO\\viewer"


class Impatient(Recorder):
    """A client that stops its pipeline when ``gone`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = threading.Event()

    @property
    def stopped(self) -> bool:
        return self.gone.is_set()


class TestSessions:
    @pytest.mark.parametrize(
        ("host", "user", "role"),
        [
            ("fe01", "CONTOSO\\admin", "CsAdministrator"),
            ("fe01", "contoso\\Admin", "CsAdministrator"),
            ("fe01", "viewer@contoso.test", "CsViewOnlyAdministrator"),
            ("edge01", "Administrator", "Administrator"),
            ("edge02", "EDGE02\\administrator", "Administrator"),
            ("edge01", ".\\Administrator", "Administrator"),
            ("fe01", "admin", None),
            ("fe01", "OTHER\\admin", None),
            ("fe01", "CONTOSO\\nobody", None),
            ("edge01", "CONTOSO\\admin", None),
            ("edge01", "edge02\\Administrator", None),
        ],
    )
    def test_accounts(self, bench: Bench, host: str, user: str, role: str | None) -> None:
        account = bench.deployment.login(host, user)
        assert (account.roles if account else None) == ((role,) if role else None)

    def test_nobody_gets_in_without_an_account(self, bench: Bench) -> None:
        with pytest.raises(LabError):
            bench.deployment.open_runspace("fe01", "CONTOSO\\nobody", "x")
        with pytest.raises(LabError):
            bench.deployment.login("fe99", "CONTOSO\\admin")

    def test_opening_and_closing_are_events(self, bench: Bench) -> None:
        bench.faults.add(SESSION, host="fe01", action="delay", seconds=0.05)
        runspace = bench.deployment.open_runspace("fe01", "admin@contoso.test", "s1")
        runspace.close()
        runspace.close()
        opened, closed = bench.store.events()
        assert (opened.kind, opened.host, opened.session, opened.user) == (
            "session-open",
            "fe01",
            "s1",
            "CONTOSO\\admin",
        )
        assert opened.seconds >= 0.05
        assert (closed.kind, closed.session) == ("session-close", "s1")

    def test_a_session_can_be_cut_while_it_opens(self, bench: Bench) -> None:
        bench.faults.add(SESSION, action="cut")
        with pytest.raises(Cut):
            bench.deployment.open_runspace("fe01", "CONTOSO\\admin", "s1")
        bench.deployment.open_runspace("fe01", "CONTOSO\\admin", "s1")

    def test_state_survives_and_the_profile_is_kept(self, bench: Bench, tmp_path: Path) -> None:
        bench.ok(NEW, Identity="a.test")
        with pytest.raises(LabError, match="sfb2015"):
            Deployment(tmp_path, "lync2013")
        again = Deployment(tmp_path)
        assert list(again.store.partners()) == ["a.test"]
        assert [e.cmdlet for e in again.store.events() if e.kind == "statement"] == [NEW]
        again.store.close()

    def test_the_state_is_for_its_owner_only(self, bench: Bench, tmp_path: Path) -> None:
        assert (tmp_path / "state.sqlite").stat().st_mode & 0o077 == 0


class TestWhoMayDoWhat:
    def test_a_viewer_has_get_cmdlets_only(self, bench: Bench) -> None:
        assert bench.call(GET, user=VIEWER).errors == []
        for name in (NEW, REMOVE, "Set-CsExternalAccessPolicy", "Invoke-CsManagementStoreReplication"):
            sink = bench.call(name, user=VIEWER, Identity="a.test")
            assert sink.ids == ["CommandNotFoundException"]
            assert sink.errors[0].category == "ObjectNotFound"
        assert bench.store.partners() == {}

    def test_an_edge_needs_the_module(self, bench: Bench) -> None:
        fresh = bench.deployment.open_runspace("edge01", "Administrator", "s2")

        def run(name: str, **parameters: t.Any) -> Recorder:
            sink = Recorder()
            fresh.run([[Call(name, tuple(parameters.items()))]], sink)
            return sink

        assert run("Get-CsCertificate").ids == ["CommandNotFoundException"]
        assert run("Import-Module", Name="Lync").ids == ["Modules_ModuleNotFound"]
        assert run("Get-CsCertificate").ids == ["CommandNotFoundException"]
        assert run("Import-Module", Name="skypeforbusiness", PassThru=True).rows[0]["Name"] == "SkypeForBusiness"
        assert run("Get-CsCertificate").errors == []

    def test_lync2013_has_another_module(self, bench2013: Bench) -> None:
        assert bench2013.fails("Import-Module", host="edge01", Name="SkypeForBusiness") == "Modules_ModuleNotFound"
        assert len(bench2013.ok("Get-CsCertificate", host="edge01")) == 4

    def test_an_edge_reads_its_local_replica_only(self, bench: Bench) -> None:
        bench.ok(NEW, Identity="a.test")
        assert bench.fails(GET, host="edge01") == "CannotOpenDatabase"
        assert len(bench.ok(GET, host="edge01", LocalStore=True)) == 1
        assert bench.fails(NEW, host="edge01", Identity="b.test") == "CommandNotFoundException"

    @pytest.mark.parametrize("host", ["fe01", "edge01"])
    def test_scripts_are_refused_and_logged(self, bench: Bench, host: str) -> None:
        sink = Recorder()
        bench.runspace(host).run([[Call("Get-Date", (), is_script=True)]], sink)
        assert sink.ids == ["ScriptsNotAllowed"]
        assert (bench.last().cmdlet, bench.last().outcome) == ("Get-Date", "error")

    def test_get_command_shows_what_the_session_has(self, bench: Bench) -> None:
        viewer = {r["Name"] for r in bench.call("Get-Command", user=VIEWER, Name="*-CsXmpp*").rows}
        assert viewer == {GET, "Get-CsXmppGatewayConfiguration"}
        assert bench.ok("Get-Command", Name=PSList([NEW]))[0]["ModuleName"] == "SkypeForBusiness"
        assert bench.fails("Get-Command", Name="Get-CsNothing") == "CommandNotFoundException"

    def test_what_a_restricted_session_has_beside(self, bench: Bench) -> None:
        for number in range(3):
            bench.ok(NEW, Identity="d%d.test" % number, **({"Description": "x"} if number else {}))
        counts = [
            bench.run(((GET, {}), ("Measure-Object", given))).rows[0]["Count"]
            for given in ({}, {"Property": "description"}, {"Property": "Nothing"})
        ]
        assert counts == [3, 2, 0]
        assert [row["Name"] for row in bench.ok("Get-Help", Name=GET)] == [GET]
        assert bench.fails("Get-Help", Name="Get-CsNothing") == "HelpNotFound"
        assert bench.ok("Get-FormatData", TypeName="x") == []
        assert bench.run(((GET, {}), ("Out-Default", {}))).values == []

    def test_a_command_may_name_its_module(self, bench: Bench) -> None:
        bench.ok(NEW, Identity="a.test")
        assert len(bench.ok("skypeforbusiness\\" + GET)) == 1
        assert bench.last().cmdlet == GET
        assert bench.fails("Lync\\" + GET) == "CommandNotFoundException"

    def test_select_object(self, bench: Bench) -> None:
        bench.store.set_setting("restricted_select", [])
        for number in range(3):
            bench.ok(NEW, Identity="d%d.test" % number)
        sink = bench.run(((GET, {}), ("Select-Object", {"Property": PSList(["identity", "Nothing"]), "Last": 2})))
        assert sink.rows == [{"Identity": "d1.test", "Nothing": None}, {"Identity": "d2.test", "Nothing": None}]
        sink = bench.run(((GET, {}), ("Select-Object", {"ExpandProperty": "Domain", "First": 1})))
        assert sink.values == ["d0.test"]
        for wrong in (PSList([{"Name": "x"}]), PSList(["Id*"]), PSList([""])):
            sink = bench.run(((GET, {}), ("Select-Object", {"Property": wrong})))
            assert (len(sink.errors), sink.values) == (1, [])

    def test_a_restricted_select_object(self, bench: Bench) -> None:
        """What PowerShell 7.6 answers in a session of the type RestrictedRemoteServer, id by id."""
        bench.ok(NEW, Identity="a.test")
        (row,) = bench.ok("Get-Command", Name="Select-Object")
        assert row["CommandType"].name == "Function"
        wanted = ("Select-Object", {"Property": PSList(["Name", "commandtype"])})
        (row,) = bench.run((("Get-Command", {"Name": NEW}), wanted)).rows
        assert (row["Name"], row["CommandType"].name) == (NEW, "Cmdlet")
        assert bench.ok("Get-Command", CommandType="Function", Name="*")[0]["Name"] == "Select-Object"
        for given, error, category in (
            ({"Property": PSList(["Name", "Identity"])}, "ParameterArgumentValidationError", "InvalidData"),
            ({"First": 1}, "NamedParameterNotFound", "InvalidArgument"),
            ({None: "Name"}, "PositionalParameterNotFound", "InvalidArgument"),
        ):
            before = len(bench.store.events())
            sink = bench.run(((GET, {}), ("Select-Object", given)), (GET, {}))
            assert [(e.error_id, e.category) for e in sink.errors] == [(error + ",Select-Object", category)]
            assert len(sink.rows) == 1, "the next statement runs"
            assert [e.cmdlet for e in bench.store.events()[before:]] == ["Select-Object", GET], "nothing ran before"


class TestStatements:
    def test_a_failing_statement_does_not_stop_the_next(self, bench: Bench) -> None:
        sink = bench.run((NEW, {"Identity": "a.test"}), (NEW, {"Identity": "a.test"}), (NEW, {"Identity": "b.test"}))
        assert sink.ids == ["ItemExists"]
        assert sink.errors[0].error_id == "ItemExists,Microsoft.Rtc.Management.Xds.NewOcsXmppAllowedPartnerCmdlet"
        assert list(bench.store.partners()) == ["a.test", "b.test"]
        assert [e.outcome for e in bench.store.events() if e.kind == "statement"] == ["ok", "error", "ok"]

    def test_what_if_writes_nothing_but_fails_like_the_real_thing(self, bench: Bench) -> None:
        assert bench.call(NEW, Identity="a.test", WhatIf=True).values == []
        assert bench.last().outcome == "whatif"
        assert bench.store.partners() == {}
        bench.ok(NEW, Identity="a.test")
        assert bench.fails(NEW, Identity="a.test", WhatIf=True) == "ItemExists"
        bench.ok(REMOVE, Identity="a.test", WhatIf=True)
        assert list(bench.store.partners()) == ["a.test"]

    @pytest.mark.parametrize(
        ("host", "name", "parameters"),
        [
            ("fe01", REMOVE, {"Identity": "a.test"}),
            ("fe01", "Remove-CsExternalAccessPolicy", {"Identity": "Global"}),
            ("edge01", "Set-CsCertificate", {"Thumbprint": "00", "Type": "XmppServer"}),
            ("edge01", "Import-CsCertificate", {"Path": "C:\\x"}),
            ("edge01", "Remove-CsCertificate", {"Type": "DataEdgeExternal"}),
            ("edge01", "Stop-CsWindowsService", {"Name": "REPLICA"}),
        ],
    )
    def test_who_asks_for_confirmation_fails(
        self, bench: Bench, host: str, name: str, parameters: dict[str, t.Any]
    ) -> None:
        assert bench.fails(name, host=host, **parameters) == "HostFunctionNotImplemented"
        answers: tuple[dict[str, t.Any], ...] = ({"Confirm": False}, {"Force": True})
        for answer in answers:
            sink = bench.call(name, host=host, **parameters, **answer)
            assert "HostFunctionNotImplemented" not in sink.ids

    def test_confirm_makes_any_write_ask(self, bench: Bench) -> None:
        assert bench.fails(NEW, Identity="a.test", Confirm=True) == "HostFunctionNotImplemented"
        assert bench.store.partners() == {}

    def test_errors_can_be_silenced_but_not_those_of_binding(self, bench: Bench) -> None:
        assert bench.call(GET, Identity="a.test", ErrorAction="SilentlyContinue").errors == []
        assert bench.last().outcome == "error"
        assert bench.call(REMOVE, Identity="a.test", ea="ignore", Confirm=False).errors == []
        assert bench.call(GET, Nothing="a", ErrorAction="Ignore").ids == ["NamedParameterNotFound"]

    def test_where_an_error_ends_the_pipeline(self, bench: Bench) -> None:
        bench.faults.add(NEW, times=None)
        fails, reads = (NEW, {"Identity": "a.test"}), (GET, {"Identity": "none.test"})
        for sent, is_failed, ids in (
            ([fails], True, ["LabFault"]),
            ([reads], False, ["ItemNotFound"]),
            ([fails, reads, fails], False, ["LabFault", "ItemNotFound", "LabFault"]),
            ([(GET, {"Identity": "none.test", "ErrorAction": "Stop"}), fails], True, ["ItemNotFound"]),
            ([(NEW, {"Identity": "a.test", "ErrorAction": "SilentlyContinue"})], True, ["LabFault"]),
        ):
            sink = bench.run(*sent)
            assert (sink.is_failed, sink.ids) == (is_failed, ids)

    def test_a_stopped_pipeline_sends_no_more_and_runs_no_more(self, bench: Bench) -> None:
        bench.ok(NEW, Identity="a.test")
        bench.ok(NEW, Identity="b.test")
        sink = Recorder(stop_after=1)
        statements = [[Call(GET)], [Call(NEW, (("Identity", "c.test"),))]]
        bench.runspace("fe01").run(statements, sink)
        assert len(sink.values) == 1
        assert list(bench.store.partners()) == ["a.test", "b.test"]
        assert bench.last().error == "stopped by the client"

    def test_a_failed_pipeline_goes_no_further(self, bench: Bench) -> None:
        sink = bench.run(((GET, {"Nothing": 1}), (REMOVE, {"Confirm": False})))
        assert sink.ids == ["NamedParameterNotFound"]
        assert bench.store.events()[-1].cmdlet == GET

    def test_sessions_run_side_by_side(self, bench: Bench) -> None:
        sinks = [Recorder() for _turn in range(4)]

        def work(number: int) -> None:
            space = bench.deployment.open_runspace("fe01", "CONTOSO\\admin", "t%d" % number)
            space.run([[Call(NEW, (("Identity", "d%d-%d.test" % (number, i)),))] for i in range(25)], sinks[number])

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [s.errors for s in sinks] == [[]] * 4
        assert len(bench.store.partners()) == 100
        assert len({e.id for e in bench.store.events()}) == 104


class TestEvents:
    def test_parameters_are_logged_with_their_types(self, bench: Bench) -> None:
        bench.ok(NEW, Ident="a.test", ConnectionLimit=PSUInt(5), EnableKeepAlive=False, AdditionalDomains=PSList(["b"]))
        event = bench.last()
        assert event.parameters == {
            "Identity": "a.test",
            "ConnectionLimit": {"uint32": 5},
            "EnableKeepAlive": False,
            "AdditionalDomains": ["b"],
        }
        assert (event.cmdlet, event.host, event.user, event.session) == (NEW, "fe01", "CONTOSO\\admin", "fe01-1")
        assert event.seconds > 0
        assert event.time.endswith("+00:00")
        bench.ok("Set-CsXmppAllowedPartner", Identity="a.test", AdditionalDomains=PSDict({"Add": PSList(["c"])}))
        assert bench.last().parameters["AdditionalDomains"] == {"hashtable": {"Add": ["c"]}}
        assert [e.id for e in bench.store.events(since=event.id)] == [event.id + 1]

    def test_secrets_are_nowhere(self, bench: Bench, tmp_path: Path) -> None:
        secret = "hunter2-hunter2"
        gateway = "Set-CsXmppGatewayConfiguration"
        sink = bench.run(
            (gateway, {"Dialback": secret, "WhatIf": True}),
            (gateway, {"DialbackPassphrase": PSList([secret])}),
            (gateway, {"Passphrase": secret}),
        )
        edge = bench.run(
            ("Import-CsCertificate", {"Path": "C:\\x", "Password": secret, "Confirm": False}),
            ("Import-CsCertificate", {"Path": "C:\\x", "Password": PSSecureString(secret)}),
            ("Import-CsCertificate", {"Path": "C:\\x", "Pass": secret}),
            host="edge01",
        )
        assert len(sink.errors) == 2
        assert len(edge.errors) == 3
        assert secret not in repr((sink.errors, edge.errors, bench.store.events()))
        assert [e.parameters for e in bench.store.events()][-1]["Password"] == {"secret": True}

    def test_bytes_are_counted(self, bench: Bench) -> None:
        bench.call("Set-Content", host="edge01", Path="C:\\Temp\\x", Value=PSByteArray(b"123"), Encoding="Byte")
        assert bench.last().parameters["Value"] == {"bytes": 3}


class TestFaults:
    def test_an_error_before_the_effect(self, bench: Bench) -> None:
        bench.faults.add(NEW, identity="b.*", message="no such luck")
        sink = bench.run(*((NEW, {"Identity": d}) for d in ("a.test", "b.test", "c.test")))
        assert [e.message for e in sink.errors] == ["no such luck"]
        assert list(bench.store.partners()) == ["a.test", "c.test"]
        bench.ok(NEW, Identity="b.test")

    def test_an_error_after_the_effect(self, bench: Bench) -> None:
        bench.faults.add(NEW, when="after")
        assert bench.call(NEW, Identity="a.test").ids == ["LabFault"]
        assert list(bench.store.partners()) == ["a.test"]

    @pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["a.test"])])
    def test_a_cut(self, bench: Bench, when: str, left: list[str]) -> None:
        bench.faults.add(NEW, action="cut", when=when)  # type: ignore[arg-type]
        with pytest.raises(Cut):
            bench.run((NEW, {"Identity": "a.test"}), (NEW, {"Identity": "b.test"}))
        assert list(bench.store.partners()) == left
        assert when in bench.last().error
        assert bench.last().outcome == ("ok" if left else "error")

    def test_a_delay_ends_when_the_client_stops(self, bench: Bench) -> None:
        bench.faults.add(NEW, action="delay", seconds=0.1)
        bench.ok(NEW, Identity="a.test")
        assert bench.last().seconds >= 0.1
        bench.faults.add(NEW, action="delay", seconds=60)
        started = time.monotonic()
        sink = Impatient()
        threading.Timer(0.1, sink.gone.set).start()
        bench.runspace("fe01").run([[Call(NEW, (("Identity", "b.test"),))]], sink)
        assert time.monotonic() - started < 40
        assert list(bench.store.partners()) == ["a.test"]

    def test_counting(self, bench: Bench) -> None:
        bench.faults.add("*-CsXmppAllowedPartner", times=2, skip=1)
        outcomes = [bool(bench.call(GET).errors) for _turn in range(4)]
        assert outcomes == [False, True, True, False]
        assert bench.faults.armed() == []
        number = bench.faults.add(GET, times=None)
        assert [bool(bench.call(GET).errors) for _turn in range(3)] == [True] * 3
        bench.faults.clear(number)
        assert bench.call(GET).errors == []

    def test_a_fault_of_one_host_spares_the_other(self, bench: Bench) -> None:
        bench.faults.add("Get-CsWindowsService", host="edge01", times=None)
        assert bench.call("Get-CsWindowsService", host="edge01").ids == ["LabFault"]
        assert bench.call("Get-CsWindowsService", host="edge02").errors == []

    def test_a_statement_is_not_the_opening_of_a_session(self, bench: Bench) -> None:
        bench.faults.add("*", times=None)
        space = bench.deployment.open_runspace("fe01", "CONTOSO\\admin", "s1")
        bench.faults.clear()
        bench.faults.add(SESSION, times=None)
        sink = Recorder()
        space.run([[Call(GET)]], sink)
        assert sink.errors == []
