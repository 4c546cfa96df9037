# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session does when pipelines break: what is sent again, what is reported as lost, what is never sent twice."""

from __future__ import annotations

import time
import typing as t
from types import SimpleNamespace

import pytest
import requests.exceptions
from ansible_collections.sfb.xmpp.plugins.module_utils._shell import rights
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Secret, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import session as _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import UnreadableXml
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import Target, target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.transport import Messages
from pypsrp import wsman
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from urllib3.exceptions import NewConnectionError

from .test_psrp_options import OPTIONS

TARGET = Target(
    "fe01",
    "https://fe01:443/OcsPowershell",
    "admin",
    "basic",
    {"password": "not-to-be-seen", "connection_timeout": 30, "read_timeout": 30},
    "Microsoft.PowerShell",
)
READ = Statement("Get-CsXmppAllowedPartner")
WRITE = Statement("Set-CsXmppAllowedPartner", {"Identity": "x.example"})

UNKNOWN_SHELL = WSManFaultError(2150858843, "fe01", "unknown shell", None, None, None)
OTHER_FAULT = WSManFaultError(2150859174, "fe01", "busy", None, None, None)
CUT = requests.exceptions.ConnectionError("Connection aborted.")
SLOW = requests.exceptions.ReadTimeout("read timed out")
REFUSED = requests.exceptions.ConnectionError(NewConnectionError(t.cast(t.Any, None), "refused"))
ALARM = Exception("command timeout triggered, timeout value is 600 secs.")


def happen(failure: Exception | None) -> None:
    if failure is not None:
        raise failure


class Server:
    """Stands in for pypsrp's pool and pipelines. ``script``: what befalls the next pipelines, None for success."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.script: list[tuple[str, Exception] | None] = []
        self.opening: list[Exception | None] = []
        self.errors: list[t.Any] = []
        self.warnings: list[t.Any] = []
        self.state = PSInvocationState.COMPLETED
        self.one_statement = False
        # What Get-Command says of Select-Object, None: there is none; what Select-Object says of any property.
        self.select: str | None = "Cmdlet"
        self.refusal: dict[str, t.Any] | None = None
        self.has_get_command = True
        self.unreadable: UnreadableXml | None = None
        self.delay = 0.0
        self.imported = False
        self.release: Exception | None = None
        self.payload = 380_000

    def new_pool(self, target: Target, pin: object, connected: t.Callable[[], None]) -> t.Any:
        failure = self.opening.pop(0) if self.opening else None

        def opened() -> None:
            connected()
            self.log.append("open")
            happen(failure)

        def signal(code: str, id: str) -> None:
            happen(self.release)

        transport = SimpleNamespace(session=None, encryption="old", connection_timeout=30, read_timeout=30)
        connection = SimpleNamespace(transport=transport, max_payload_size=self.payload, close=lambda: None)
        return SimpleNamespace(
            open=opened,
            close=lambda: self.log.append("close"),
            connection=connection,
            shell=SimpleNamespace(signal=signal),
            pipelines={},
            server=self,
            _fragmenter=SimpleNamespace(defragment=Messages(None)),
        )


class Pipeline:
    def __init__(self, pool: t.Any) -> None:
        self.server: Server = pool.server
        self.cmdlets: list[str] = []
        self.names: list[str] = []
        self.properties: set[str] = set()
        self.id = "1"
        self.output: list[t.Any] = []
        self.state = self.server.state
        self.streams = SimpleNamespace(error=list(self.server.errors), warning=self.server.warnings)
        self.fate = self.server.script.pop(0) if self.server.script else None

    def add_statement(self) -> None:
        self.cmdlets.append(";")

    def add_cmdlet(self, name: str) -> None:
        self.cmdlets.append(name)

    def add_parameter(self, name: str, value: t.Any) -> None:
        self.cmdlets.append("-%s" % name)
        if name == "Property":
            self.properties.update(value)
        elif name == "Name":
            self.names.extend(value)

    def begin_invoke(self) -> None:
        self.server.log.append(" ".join(self.cmdlets))
        if self.fate and self.fate[0] == "sending":
            raise self.fate[1]

    def end_invoke(self) -> None:
        time.sleep(self.server.delay)
        if self.server.unreadable:
            self.output.append(self.server.unreadable)
        if self.fate:
            raise self.fate[1]
        failure = self.refused()
        if failure:
            self.streams.error.append(failure)
            self.state = PSInvocationState.COMPLETED if ";" in self.cmdlets else PSInvocationState.FAILED
            self.output.extend(one[0] for one in self.statements() if "Select-Object" not in one)
            return
        if self.cmdlets[:2] == ["Get-Command", "-Name"]:
            self.offer()
            return
        if self.cmdlets[0] == "Get-Command" and not self.server.imported:
            return
        if self.server.one_statement and ";" in self.cmdlets:
            self.state = PSInvocationState.FAILED
            return
        self.output.extend(name for name in self.cmdlets if name not in (";",) and not name.startswith("-"))

    def statements(self) -> list[list[str]]:
        return [one.split() for one in " ".join(self.cmdlets).split(" ; ")]

    def refused(self) -> dict[str, t.Any] | None:
        """What a pipeline fails with before anything of it runs."""
        if "Get-Command" in self.cmdlets and not self.server.has_get_command:
            return missing("Get-Command")
        if "Select-Object" not in self.cmdlets:
            return None
        if self.server.select is None:
            return missing("Select-Object")
        return None if self.properties <= {"Name", "CommandType"} else self.server.refusal

    def offer(self) -> None:
        known = {"Set-X": "Cmdlet", "Select-Object": self.server.select}
        for name in self.names:
            if known.get(name) is None:
                self.streams.error.append(missing(name, "Get-Command"))
            else:
                self.output.append({"Name": name, "CommandType": known[name]})


def missing(name: str, by: str = "") -> dict[str, t.Any]:
    said = {"FullyQualifiedErrorId": "CommandNotFoundException", "TargetObject": name}
    return {**said, "FullyQualifiedErrorId": "CommandNotFoundException,X", "ErrorCategory_Activity": by} if by else said


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(_psrp_session, "new_pool", server.new_pool)
    monkeypatch.setattr("pypsrp.powershell.PowerShell", Pipeline)
    return server


@pytest.fixture
def session(server: Server) -> PsrpSession:
    return PsrpSession(TARGET)


def pipelines(server: Server) -> list[str]:
    return [line for line in server.log if line not in ("open", "close")]


def test_one_session_serves_many_calls_and_ends_once(server: Server, session: PsrpSession) -> None:
    assert not session.is_open
    for _round in range(3):
        session.invoke([READ, WRITE])
    session.close()
    session.close()
    assert server.log == ["open"] + 3 * ["Get-CsXmppAllowedPartner ; Set-CsXmppAllowedPartner -Identity"] + ["close"]


def test_nothing_to_do_opens_nothing(server: Server, session: PsrpSession) -> None:
    assert session.invoke([]) == Answer()
    assert server.log == []


@pytest.mark.parametrize("failure", [UNKNOWN_SHELL, AuthenticationError("401"), REFUSED])
def test_what_was_certainly_not_executed_is_sent_again(
    server: Server, session: PsrpSession, failure: Exception
) -> None:
    server.script = [("sending", failure)]
    answer = session.invoke([WRITE])
    assert not answer.lost
    assert len(answer.output) == 1
    assert len(pipelines(server)) == 2


def test_it_is_sent_again_once_only(server: Server, session: PsrpSession) -> None:
    server.script = [("sending", UNKNOWN_SHELL), ("sending", UNKNOWN_SHELL)]
    with pytest.raises(SessionError, match="unknown shell"):
        session.invoke([WRITE])
    assert len(pipelines(server)) == 2


@pytest.mark.parametrize(
    ("moment", "failure"),
    [
        ("sending", CUT),
        ("sending", SLOW),
        ("sending", OTHER_FAULT),
        ("receiving", CUT),
        ("receiving", SLOW),
        ("receiving", UNKNOWN_SHELL),
        ("receiving", REFUSED),
    ],
)
def test_reads_are_sent_again_and_writes_are_lost(
    server: Server, session: PsrpSession, moment: str, failure: Exception
) -> None:
    server.script = [(moment, failure)]
    assert not session.invoke([READ, READ]).lost
    assert len(pipelines(server)) == 2

    server.log.clear()
    server.script = [(moment, failure)]
    answer = session.invoke([READ, WRITE])
    assert answer.lost.startswith("the session on https://fe01:443/OcsPowershell was lost: ")
    assert len(pipelines(server)) == 1
    assert not session.is_open

    assert not session.invoke([READ]).lost  # and the next call has a new session
    assert server.log[-2:] == ["open", "Get-CsXmppAllowedPartner"]


def test_reads_that_break_twice_are_lost(server: Server, session: PsrpSession) -> None:
    server.script = [("receiving", CUT), ("receiving", CUT)]
    assert session.invoke([READ]).lost
    assert len(pipelines(server)) == 2


def test_a_time_limit_ends_reads_too(server: Server, session: PsrpSession) -> None:
    server.script = [("receiving", ALARM)]
    assert "not finished within 600 s (ansible_command_timeout)" in session.invoke([READ]).lost
    assert len(pipelines(server)) == 1
    assert not session.is_open


def test_a_mistake_of_our_own_is_not_taken_for_a_loss(server: Server, session: PsrpSession) -> None:
    server.script = [("receiving", TypeError("ours"))]
    with pytest.raises(TypeError):
        session.invoke([READ])
    assert not session.is_open


def test_many_statements_go_in_several_pipelines_in_order(server: Server, session: PsrpSession) -> None:
    statements = [Statement("Set-X%d" % number) for number in range(450)]
    answer = session.invoke(statements)
    assert list(answer.output) == [statement.cmdlet for statement in statements]
    assert [line.count("Set-X") for line in pipelines(server)] == [200, 200, 50]


def test_large_statements_are_split_by_size(server: Server, session: PsrpSession) -> None:
    server.payload = 10_000
    statements = [Statement("Set-X", {"Description": "d" * size}) for size in (4000, 4000, 30_000, 10, 10)]
    session.invoke(statements)
    assert [line.count("Set-X") for line in pipelines(server)] == [1, 1, 1, 2]


def test_after_a_lost_chunk_nothing_more_is_sent(server: Server, session: PsrpSession) -> None:
    server.script = [None, ("receiving", CUT)]
    answer = session.invoke([WRITE] * 450)
    assert answer.lost
    assert len(answer.output) == 200
    assert len(pipelines(server)) == 2


def test_a_session_that_cannot_be_opened_again_half_way_is_a_loss(server: Server, session: PsrpSession) -> None:
    server.script = [None, ("sending", UNKNOWN_SHELL)]
    server.opening = [None, REFUSED]
    answer = session.invoke([WRITE] * 300)
    assert "no session on" in answer.lost
    assert len(answer.output) == 200


def test_a_failed_farewell_of_a_pipeline_costs_the_session_but_not_the_result(
    server: Server, session: PsrpSession
) -> None:
    server.release = CUT
    answer = session.invoke([WRITE])
    assert not answer.lost
    assert len(answer.output) == 1
    assert not session.is_open


def test_an_idle_session_gets_a_new_http_connection(
    server: Server, session: PsrpSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.invoke([READ])
    transport: t.Any = session.open().connection.transport
    session.invoke([READ])
    assert transport.encryption == "old"
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    session.invoke([READ])
    assert transport.encryption is None
    assert server.log.count("open") == 1


def test_opening_failures_say_what_to_check_and_hold_no_password(server: Server, session: PsrpSession) -> None:
    server.opening = [AuthenticationError("Failed to authenticate the user admin with not-to-be-seen")]
    with pytest.raises(SessionError) as caught:
        session.invoke([WRITE])
    assert "Check ansible_user" in str(caught.value)
    assert "not-to-be-seen" not in str(caught.value)
    assert pipelines(server) == []


def test_modules_are_imported_at_every_opening(server: Server) -> None:
    session = PsrpSession(Target(**{**vars(TARGET), "modules": ("Lync",)}))
    server.script = [None, ("sending", UNKNOWN_SHELL)]
    session.invoke([WRITE])
    assert pipelines(server) == ["Import-Module -Name", "Set-CsXmppAllowedPartner -Identity"] * 2


def test_a_module_that_is_not_there_is_named(server: Server) -> None:
    session = PsrpSession(Target(**{**vars(TARGET), "modules": ("Lync",)}))
    server.errors = [{"FullyQualifiedErrorId": "Modules_ModuleNotFound", "ErrorDetails_Message": "no such module"}]
    with pytest.raises(SessionError, match=r"cannot import Lync: no such module .*ansible_management_shell_modules"):
        session.invoke([WRITE])
    assert not session.is_open
    assert pipelines(server) == ["Import-Module -Name", "Get-Command -Module -ListImported -TotalCount"]


def test_a_module_that_complains_but_whose_commands_are_there_is_imported(server: Server) -> None:
    notes: list[str] = []
    session = PsrpSession(Target(**{**vars(TARGET), "modules": ("Lync",)}), notes.append)
    server.errors = [{"ErrorDetails_Message": "The type data could not be loaded."}]
    server.imported = True
    session.open()
    assert session.is_open
    assert "a module reported an error, but its commands are available: The type data could not be loaded." in notes


SELECTING = Statement("Get-CsUser", {"Identity": "x"}, select=("Identity", "SipAddress"))


ASKED = "Get-Command -Name Select-Object -Property"
CUT_READ = "Get-CsUser -Identity Select-Object -Property"
WHOLE_READ = "Get-CsUser -Identity"
# What the restricted proxy of PowerShell 7.6 says of a property, and of -First; and what the whole cmdlet could say.
REFUSALS: list[dict[str, t.Any]] = [
    {
        "FullyQualifiedErrorId": "ParameterArgumentValidationError,Select-Object",
        "ErrorCategory_Activity": "Select-Object",
        "ErrorCategory_Category": 6,
    },
    {
        "FullyQualifiedErrorId": "NamedParameterNotFound,Select-Object",
        "ErrorCategory_Activity": "Select-Object",
        "ErrorCategory_Category": 5,
    },
    {"FullyQualifiedErrorId": "AmbiguousParameterSet,Microsoft.PowerShell.Commands.SelectObjectCommand"},
    missing("Select-Object"),
]


@pytest.mark.parametrize("kind", ["Cmdlet", "Alias"])
def test_the_server_cuts_objects_to_what_is_wanted(server: Server, session: PsrpSession, kind: str) -> None:
    server.select = kind
    assert session.invoke([SELECTING]).output
    session.invoke([SELECTING])
    assert pipelines(server) == [ASKED, CUT_READ, CUT_READ], "what it takes is asked once"
    assert session.cuts(SELECTING)


def test_of_the_proxy_of_a_restricted_session_whole_objects_are_read(server: Server, session: PsrpSession) -> None:
    server.select, server.refusal = "Function", REFUSALS[0]
    for _round in range(2):
        answer = session.invoke([SELECTING, READ])
        assert (answer.errors, len(answer.output)) == ((), 2)
    session.invoke([WRITE, SELECTING])
    both = "%s ; Get-CsXmppAllowedPartner" % WHOLE_READ
    assert pipelines(server) == [ASKED, both, both, "Set-CsXmppAllowedPartner -Identity ; %s" % WHOLE_READ]
    assert not session.cuts(SELECTING)
    # What the proxy does take is still cut.
    commands = Statement("Get-Command", select=("Name",))
    assert session.cuts(commands)
    session.invoke([commands])
    assert pipelines(server)[-1] == "Get-Command Select-Object -Property"


@pytest.mark.parametrize("has_get_command", [True, False])
def test_where_one_of_both_is_not_offered_whole_objects_are_read(
    server: Server, session: PsrpSession, has_get_command: bool
) -> None:
    server.has_get_command = has_get_command
    server.select = "Cmdlet" if not has_get_command else None
    for _round in range(2):
        assert session.invoke([SELECTING]).errors == ()
    assert pipelines(server) == [ASKED, WHOLE_READ, WHOLE_READ]
    assert not session.cuts(SELECTING)


def test_who_asks_what_the_account_may_do_has_asked_for_the_session(server: Server, session: PsrpSession) -> None:
    server.select, server.refusal = "Function", REFUSALS[0]
    for _task in range(2):
        assert rights.missing(t.cast(t.Any, session), ["Set-X", "Set-Y"]) == {"Set-Y"}
    session.invoke([SELECTING])
    assert pipelines(server) == [ASKED, WHOLE_READ], "the answer is kept"


def test_what_the_account_may_do_is_known_without_select_object(server: Server, session: PsrpSession) -> None:
    server.select = None
    for _task in range(2):
        assert rights.missing(t.cast(t.Any, session), ["Set-X", "Set-Y"]) == {"Set-Y"}
    assert pipelines(server) == [ASKED, "Get-Command -Name"]


def test_what_is_offered_is_asked_again_if_the_answer_was_lost(server: Server, session: PsrpSession) -> None:
    server.script = [("receiving", CUT), ("receiving", CUT)]
    assert rights.missing(t.cast(t.Any, session), ["Set-X", "Set-Y"]) is None
    assert rights.missing(t.cast(t.Any, session), ["Set-X", "Set-Y"]) == {"Set-Y"}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_any_refusal_reads_are_repeated_whole(
    server: Server, session: PsrpSession, refusal: dict[str, t.Any], several: bool
) -> None:
    server.refusal = refusal  # though Get-Command says that it is the whole cmdlet
    statements = [SELECTING, READ] if several else [SELECTING]
    for _round in range(2):
        answer = session.invoke(statements)
        assert answer.errors == ()
        assert not answer.refused
        assert len(answer.output) == len(statements)
    assert [("Select-Object" in line) for line in pipelines(server)] == [True, True, False, False]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_a_refusal_writes_are_not_sent_again(
    server: Server, session: PsrpSession, refusal: dict[str, t.Any]
) -> None:
    server.refusal = refusal
    answer = session.invoke([WRITE, SELECTING])
    assert answer.errors
    assert sum("Set-" in line for line in pipelines(server)) == 1
    assert session.invoke([SELECTING]).errors == ()
    assert pipelines(server)[-1] == WHOLE_READ


@pytest.mark.parametrize("error", ["ParameterArgumentValidationError,Get-CsUser", "ItemNotFound,Get-CsUser"])
def test_an_error_of_the_cmdlet_that_is_read_is_no_refusal(server: Server, session: PsrpSession, error: str) -> None:
    server.errors = [{"FullyQualifiedErrorId": error, "ErrorCategory_Activity": "Get-CsUser"}]
    assert [one.error_id for one in session.invoke([SELECTING]).errors] == [error]
    assert pipelines(server) == [ASKED, CUT_READ]
    assert session.cuts(SELECTING)


@pytest.mark.parametrize("moment", ["sending", "receiving"])
def test_a_session_that_is_lost_over_the_question_is_opened_again(
    server: Server, session: PsrpSession, moment: str
) -> None:
    server.script = [(moment, CUT)]
    assert session.invoke([WRITE, SELECTING]).lost == ""
    assert pipelines(server) == [ASKED, ASKED, "Set-CsXmppAllowedPartner -Identity ; %s" % CUT_READ]


def test_secrets_that_the_server_repeats_are_masked(server: Server, session: PsrpSession) -> None:
    server.errors = [{"ErrorDetails_Message": "cannot convert 'hush'", "TargetObject": "hush"}]
    server.warnings = [{"InformationalRecord_Message": "hush is weak"}]
    answer = session.invoke([Statement("Set-X", {"Passphrase": Secret("hush"), "List": (Secret(""),)})])
    assert (answer.errors[0].message, answer.errors[0].target) == ("cannot convert '********'", "********")
    assert answer.warnings == ("******** is weak",)


def test_secrets_of_earlier_calls_and_of_the_account_are_masked_too(server: Server) -> None:
    notes: list[str] = []
    session = PsrpSession(TARGET, notes.append)
    session.invoke([Statement("Set-X", {"Passphrase": Secret("hush & hush")})])
    server.errors = [{"ErrorDetails_Message": "HUSH &amp; HUSH", "FullyQualifiedErrorId": "not-to-be-seen"}]
    server.warnings = [{"InformationalRecord_Message": "hush & hush; bm90LXRvLWJlLXNlZW4="}]
    answer = session.invoke([READ])
    assert (answer.errors[0].message, answer.errors[0].error_id) == ("********", "********")
    assert answer.warnings == ("********; ********=",)
    server.script = [("receiving", ConnectionResetError("hush & hush"))] * 2
    assert "hush" not in session.invoke([READ]).lost
    assert notes
    assert not any("hush" in note for note in notes)


@pytest.mark.parametrize("state", [0, 6, 99])
def test_a_pipeline_that_does_not_end_is_lost(server: Server, session: PsrpSession, state: int) -> None:
    server.state = state
    assert "unfinished, in the state %d" % state in session.invoke([WRITE]).lost


def test_an_object_that_cannot_be_read_is_an_error(server: Server, session: PsrpSession) -> None:
    server.unreadable = UnreadableXml("Limit: 'many' is not a whole number")
    answer = session.invoke([READ, READ])
    assert len(answer.output) == 2
    (error,) = answer.errors
    assert (error.cmdlet, error.category) == ("Get-CsXmppAllowedPartner", "InvalidData")
    assert error.message == "the server sent an object that cannot be read: Limit: 'many' is not a whole number"


def test_the_time_limit_is_for_a_call_as_a_whole(server: Server, session: PsrpSession) -> None:
    session.limit = 0.5
    server.delay = 0.2
    begun = time.monotonic()
    answer = session.invoke([WRITE] * 1000)
    assert time.monotonic() - begun < 30  # a thousand calls take 200 s
    assert "not finished within 0.5 s (ansible_command_timeout)" in answer.lost
    assert 200 <= len(answer.output) <= 600


def test_a_failed_pipeline_without_a_reason_is_an_error(server: Server, session: PsrpSession) -> None:
    server.state = PSInvocationState.FAILED
    assert session.invoke([WRITE]).errors[0].cmdlet == "Set-CsXmppAllowedPartner"


def test_a_pipeline_that_the_server_stopped_is_lost(server: Server, session: PsrpSession) -> None:
    server.state = PSInvocationState.STOPPED
    assert session.invoke([WRITE]).lost == "the server stopped the pipeline"


def test_where_one_statement_is_taken_writes_are_reported_and_later_ones_go_one_by_one(
    server: Server, session: PsrpSession
) -> None:
    server.one_statement = True
    answer = session.invoke([WRITE] * 300)
    assert answer.refused
    assert not answer.lost
    assert [line.count("Set-") for line in pipelines(server)] == [200]  # some of it may have been carried out
    answer = session.invoke([WRITE] * 3)
    assert not answer.refused
    assert len(answer.output) == 3
    assert [line.count("Set-") for line in pipelines(server)] == [200, 1, 1, 1]
    assert session.is_open


def test_where_one_statement_is_taken_reads_are_repeated_one_by_one(server: Server, session: PsrpSession) -> None:
    server.one_statement = True
    answer = session.invoke([READ] * 3)
    assert not answer.refused
    assert answer.errors == ()
    assert len(answer.output) == 3
    assert [line.count("Get-") for line in pipelines(server)] == [3, 1, 1, 1]


def test_a_pipeline_that_fails_later_is_not_taken_for_a_refusal(server: Server, session: PsrpSession) -> None:
    assert not session.invoke([WRITE, WRITE]).refused
    server.state = PSInvocationState.FAILED
    answer = session.invoke([WRITE, WRITE])
    assert answer.errors
    assert not answer.refused
    assert pipelines(server)[-1].count("Set-") == 2


@pytest.mark.parametrize(("option", "value"), [("no_profile", True), ("certificate_key_password", "x")])
def test_an_option_that_needs_a_later_pypsrp_says_so(
    option: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OldPool:
        def __init__(self, connection: object, configuration_name: str = "") -> None:
            """As that of pypsrp 0.8, which has no option no_profile."""

    monkeypatch.setattr("pypsrp.powershell.RunspacePool", OldPool)
    monkeypatch.setitem(wsman.AUTH_KWARGS, "certificate", ["certificate_key_pem", "certificate_pem"])
    session = PsrpSession(target({**OPTIONS, option: value}))
    with pytest.raises(SessionError, match=r"ansible_psrp_%s needs pypsrp 0\.9\.0 or later" % option):
        session.open()


@pytest.mark.parametrize("name", ["_build_session", "send"])
def test_a_pypsrp_with_other_internals_opens_no_session(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It would read answers in its own way, and follow redirects."""
    monkeypatch.delattr(wsman._TransportHTTP, name)
    session = PsrpSession(target(OPTIONS))
    with pytest.raises(SessionError, match=r"0\.8\.1 to 0\.9"):
        session.open()


def test_a_pypsrp_that_receives_in_another_way_opens_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(self: object, everything: object) -> None:
        """With other parameters."""

    monkeypatch.setattr("pypsrp.powershell.RunspacePool._receive", receive)
    with pytest.raises(SessionError, match=r"0\.8\.1 to 0\.9"):
        PsrpSession(target(OPTIONS)).open()
