# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's remote shell as an unmodified pypsrp sees it.

Most of it runs against a deployment of a few made-up commands, so that it is about the protocol alone.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import requests
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import SignalCode
from pypsrp.wsman import NAMESPACES, WSMan

from lab.cmdlets.runspace import Call, Sink
from lab.deployment import hosts
from lab.deployment.endpoints import ADDRESSES
from lab.deployment.hosts import HOSTS, SHELLS, Account
from lab.deployment.store import Store
from lab.errors import Cut, ErrorDetails, LabError
from lab.remoting.server import LabServer

TIMED_OUT = 2150858793
SHELL_NOT_FOUND = 2150858843

ADMIN = ("CONTOSO\\admin", "Lab-admin-1")


class Echo:
    """A runspace with a handful of commands that exercise the protocol."""

    def __init__(self, deployment: Echoes, host: str, user: str) -> None:
        self.deployment = deployment
        self.host = host
        self.user = user
        self.running = 0

    def run(self, statements: t.Sequence[t.Sequence[Call]], sink: Sink) -> None:
        self.running += 1
        assert self.running == 1, "two pipelines of a session run at the same time"
        try:
            for statement in statements:
                assert len(statement) >= 1
                self._one(statement[0], len(statement), sink)
        finally:
            self.running -= 1

    def _one(self, call: Call, length: int, sink: Sink) -> None:
        values = dict(call.parameters)
        self.deployment.calls.append(call)
        if call.is_script:
            sink.error(ErrorDetails("no script here", "ScriptsNotAllowed", "ParserError"))
        elif call.name == "Say":
            sink.output(values["Text"])
        elif call.name == "Length":
            sink.output(length)
        elif call.name == "Fail":
            sink.error(
                ErrorDetails("It failed: é", "Broken,Fail", "InvalidData", "thing", "Fail", "Contoso.OddException")
            )
        elif call.name == "Warn":
            sink.warning(str(values["Text"]))
        elif call.name == "Reveal":
            sink.output(str(t.cast(t.Any, values["Secret"]).decrypt()))
        elif call.name == "Crash":
            raise RuntimeError("the cmdlet has a fault of its own")
        elif call.name == "Cut":
            raise Cut
        elif call.name == "Wait":
            self.deployment.waiting.set()
            while not sink.stopped:
                time.sleep(0.01)
            self.deployment.stopped.set()
        elif call.name == "Sleep":
            time.sleep(float(str(values["Seconds"])))
        elif call.name == "Who":
            sink.output("%s on %s" % (self.user, self.host))

    def close(self) -> None:
        self.deployment.closed.append(self.user)


class Echoes:
    """In place of lab.cmdlets.runspace.Deployment."""

    def __init__(self, directory: Path) -> None:
        self.calls: list[Call] = []
        self.closed: list[str] = []
        self.opened = 0
        self.waiting = threading.Event()
        self.stopped = threading.Event()
        self.delay = 0.0
        self.store = Store(directory)

    def login(self, host: str, user: str) -> Account | None:
        return hosts.login(SHELLS[host], user)

    def open_runspace(self, host: str, user: str, session_id: str) -> Echo:
        time.sleep(self.delay)
        self.opened += 1
        return Echo(self, host, user)


class Site:
    """A server in this process, over Echoes."""

    def __init__(self, directory: Path, idle: float = 60.0) -> None:
        self.deployment = Echoes(directory)
        self.server = LabServer(t.cast(t.Any, self.deployment), directory, 0, idle)
        self.port = self.server.port
        self.ca = directory / "ca.pem"

    def connection(
        self, account: tuple[str, str] = ADMIN, auth: str = "basic", host: str = "fe01", **more: t.Any
    ) -> WSMan:
        path = "OcsPowershell" if host == "fe01" else "wsman"
        options = {"cert_validation": str(self.ca), "no_proxy": True, "path": path, **more}
        return WSMan(ADDRESSES[host], port=self.port, username=account[0], password=account[1], auth=auth, **options)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.server.stop()


@pytest.fixture
def pool(site: Site) -> t.Iterator[RunspacePool]:
    with site.connection() as connection, RunspacePool(connection) as pool:
        yield pool


def run(pool: RunspacePool, *statements: tuple[str, dict[str, t.Any]]) -> PowerShell:
    shell = PowerShell(pool)
    for name, parameters in statements:
        shell.add_cmdlet(name).add_parameters(parameters).add_statement()
    shell.invoke()
    return shell


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
@pytest.mark.parametrize(
    ("host", "account", "known_as"),
    [
        ("fe01", ADMIN, "CONTOSO\\admin"),
        ("fe01", ("admin@contoso.test", "Lab-admin-1"), "CONTOSO\\admin"),
        ("fe01", ("contoso\\VIEWER", "Lab-viewer-1"), "CONTOSO\\viewer"),
        ("edge01", ("Administrator", "Lab-edge-1"), "Administrator"),
        ("edge02", ("EDGE02\\administrator", "Lab-edge-1"), "Administrator"),
    ],
)
def test_every_way_to_log_in(site: Site, auth: str, host: str, account: tuple[str, str], known_as: str) -> None:
    with site.connection(account, auth, host) as connection, RunspacePool(connection) as pool:
        assert run(pool, ("Who", {})).output == ["%s on %s" % (known_as, host)]


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
@pytest.mark.parametrize(
    ("host", "account"),
    [
        ("fe01", ("CONTOSO\\admin", "Lab-viewer-1")),
        ("fe01", ("CONTOSO\\nobody", "Lab-admin-1")),
        ("fe01", ("Administrator", "Lab-edge-1")),
        ("edge01", ADMIN),
        ("edge01", ("EDGE02\\Administrator", "Lab-edge-1")),
        ("edge01", ("Admin:istrator", "Lab-edge-1")),
    ],
)
def test_wrong_credentials_are_refused(site: Site, auth: str, host: str, account: tuple[str, str]) -> None:
    before = site.deployment.opened
    with site.connection(account, auth, host) as connection, pytest.raises(AuthenticationError):
        RunspacePool(connection).open()
    assert site.deployment.opened == before


def test_ntlm_needs_the_binding_to_this_tls_channel(site: Site) -> None:
    with (
        site.connection(auth="ntlm", negotiate_send_cbt=False) as connection,
        pytest.raises(AuthenticationError),
    ):
        RunspacePool(connection).open()


def test_certificate_is_checked_against_the_labs_own_authority(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path)
    try:
        with site.connection(cert_validation=str(other.ca)) as connection, pytest.raises(requests.exceptions.SSLError):
            RunspacePool(connection).open()
    finally:
        other.server.stop()


def test_certificate_names_every_host(site: Site) -> None:
    context = ssl.create_default_context(cafile=str(site.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for host, address in ADDRESSES.items():
        for name in (address, HOSTS[host].fqdn):
            with (
                socket.create_connection((address, site.port), timeout=5) as raw,
                context.wrap_socket(raw, server_hostname=name) as wrapped,
            ):
                assert wrapped.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_the_session_of_ansibles_own_connection(site: Site, auth: str) -> None:
    connection = connection_loader.get("psrp", PlayContext())
    connection.set_options(
        direct={
            "remote_addr": ADDRESSES["fe01"],
            "remote_user": ADMIN[0],
            "remote_password": ADMIN[1],
            "port": site.port,
            "path": "OcsPowershell",
            "auth": auth,
            "ca_cert": str(site.ca),
            "ignore_proxy": True,
        }
    )
    connection._connect()
    try:
        assert run(connection.runspace, ("Who", {})).output == ["CONTOSO\\admin on fe01"]
        assert b"no script here" in connection.exec_command("hostname")[2]
        assert site.deployment.calls[-1].is_script
        assert run(connection.runspace, ("Say", {"Text": 1})).output == [1]
    finally:
        connection.close()


def test_statements_of_one_pipeline_run_in_order_and_one_failure_stops_none(pool: RunspacePool) -> None:
    shell = run(pool, ("Say", {"Text": "one"}), ("Fail", {}), ("Warn", {"Text": "careful"}), ("Say", {"Text": "two"}))
    assert shell.output == ["one", "two"]
    assert [w.message for w in shell.streams.warning] == ["careful"]
    assert shell.state == PSInvocationState.COMPLETED
    assert not shell.had_errors
    (error,) = shell.streams.error
    assert str(error) == "It failed: é"
    assert str(error.exception) == "Contoso.OddException: It failed: é"
    assert error.exception is not None
    assert error.exception.types[0] == "Contoso.OddException"
    assert (error.fq_error, error.activity, error.reason) == ("Broken,Fail", "Fail", "OddException")
    assert (error.target_name, error.category) == ("thing", 6)


def test_pipes_and_statements_are_told_apart(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Length").add_cmdlet("Out").add_cmdlet("Out").add_statement().add_cmdlet("Length")
    assert shell.invoke() == [3, 1]


def test_script_text_is_marked_as_such(site: Site, pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_script("Get-Date; $(whoami)")
    shell.invoke()
    assert [e.fq_error for e in shell.streams.error] == ["ScriptsNotAllowed"]
    assert site.deployment.calls[-1] == Call("Get-Date; $(whoami)", (), True)


def test_types_of_parameters_arrive(site: Site, pool: RunspacePool) -> None:
    values = {
        "Int": 5,
        "Unsigned": pool.serialize(5, ObjectMeta("U32")),
        "Truth": True,
        "Nothing": None,
        "Bytes": b"\x00\xff",
        "List": ["a", "b"],
        "Table": {"Add": ["x"]},
        "Text": "\"quoted\" 'text'\n; $(calc) \U0001f600 _x0041_ \u0001",
    }
    run(pool, ("Take", values))
    arrived = dict(site.deployment.calls[-1].parameters)
    assert arrived == {**values, "Unsigned": 5}
    kinds = {str(name): type(value).__name__ for name, value in arrived.items()}
    assert kinds["Unsigned"] == "PSUInt"
    assert kinds["Int"] == "PSInt"
    assert kinds["Bytes"] == "PSByteArray"


def test_secure_string(pool: RunspacePool) -> None:
    pool.exchange_keys()
    secret = pool.serialize("pass phräse", ObjectMeta("SS"))
    assert run(pool, ("Reveal", {"Secret": secret})).output == ["pass phräse"]


def test_five_megabytes_out(pool: RunspacePool) -> None:
    text = "".join(chr(0x20 + n % 0x5F) for n in range(1000)) * 5000
    pieces = [text[n : n + 50000] for n in range(0, len(text), 50000)]
    assert run(pool, ("Say", {"Text": "start"})).output == ["start"]
    for_each = run(pool, *(("Say", {"Text": piece}) for piece in pieces))
    assert "".join(for_each.output) == text


def test_one_object_larger_than_an_envelope(pool: RunspacePool) -> None:
    text = "x" * 1_500_000
    assert run(pool, ("Say", {"Text": text})).output == [text]


def test_sixty_statements_in_one_request(site: Site, pool: RunspacePool) -> None:
    partner = {"Identity": "partner.example", "Text": 7, "A": "a", "B": "b", "C": True, "D": "d" * 40, "E": None}
    before = len(site.deployment.calls)
    shell = run(pool, *(("Say", partner) for _turn in range(60)))
    assert shell.output == [7] * 60
    assert len(site.deployment.calls) - before == 60


def test_pipelines_of_a_session_take_turns(pool: RunspacePool) -> None:
    slow, quick = PowerShell(pool), PowerShell(pool)
    slow.add_cmdlet("Sleep").add_parameter("Seconds", 0.2).add_statement().add_cmdlet("Say").add_parameter("Text", 1)
    quick.add_cmdlet("Say").add_parameter("Text", 2)
    slow.begin_invoke()
    quick.begin_invoke()
    assert (quick.end_invoke(), slow.end_invoke()) == ([2], [1])


def test_many_sessions_at_once(site: Site) -> None:
    results: list[t.Any] = []

    def work(number: int) -> None:
        auth = ("basic", "ntlm", "negotiate")[number % 3]
        with site.connection(auth=auth) as connection, RunspacePool(connection) as pool:
            results.extend(run(pool, ("Say", {"Text": number})).output)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == list(range(12))


def test_stop_reaches_the_running_command_and_frees_the_session(site: Site, pool: RunspacePool) -> None:
    site.deployment.waiting.clear()
    site.deployment.stopped.clear()
    shell = PowerShell(pool)
    shell.add_cmdlet("Wait")
    shell.begin_invoke()
    assert site.deployment.waiting.wait(30)
    shell.stop()
    assert site.deployment.stopped.wait(30)
    assert run(pool, ("Say", {"Text": "next"})).output == ["next"]


def test_terminating_a_running_pipeline_stops_and_forgets_it(site: Site, pool: RunspacePool) -> None:
    site.deployment.waiting.clear()
    site.deployment.stopped.clear()
    shell = PowerShell(pool)
    shell.add_cmdlet("Wait")
    shell.begin_invoke()
    assert site.deployment.waiting.wait(30)
    pool.shell.signal(SignalCode.TERMINATE, shell.id)
    assert site.deployment.stopped.wait(30)
    with pytest.raises(WSManFaultError, match="no command %s" % shell.id):
        shell.poll_invoke()
    assert run(pool, ("Say", {"Text": "next"})).output == ["next"]


def test_idle_receive_is_answered_with_the_time_out_fault_and_can_be_repeated(site: Site, pool: RunspacePool) -> None:
    site.deployment.waiting.clear()
    shell = PowerShell(pool)
    shell.add_cmdlet("Wait")
    shell.begin_invoke()
    with pytest.raises(WSManFaultError) as caught:
        pool._receive(shell.id, timeout=1)
    assert caught.value.code == TIMED_OUT
    shell.poll_invoke(timeout=1)
    assert shell.state == PSInvocationState.RUNNING
    shell.stop()


def test_slow_opening_keeps_the_client_waiting(site: Site) -> None:
    site.deployment.delay = 1.5
    try:
        with site.connection(operation_timeout=1) as connection:
            pool = RunspacePool(connection)
            with pytest.raises(WSManFaultError) as caught:
                pool.open()
            assert caught.value.code == TIMED_OUT
        start = time.monotonic()
        with site.connection() as connection, RunspacePool(connection) as pool:
            assert time.monotonic() - start >= 1.5
            assert run(pool, ("Say", {"Text": 1})).output == [1]
    finally:
        site.deployment.delay = 0.0


def test_closing_ends_the_session_and_its_command(site: Site) -> None:
    site.deployment.waiting.clear()
    site.deployment.stopped.clear()
    closed = len(site.deployment.closed)
    with site.connection() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Wait")
        shell.begin_invoke()
        assert site.deployment.waiting.wait(30)
        selectors = pool.shell._selector_set
        pool.close()
        assert site.deployment.stopped.wait(30)
        assert len(site.deployment.closed) == closed + 1
        with pytest.raises(WSManFaultError) as caught:
            connection.delete(pool.shell.resource_uri, selector_set=selectors)
        assert caught.value.code == SHELL_NOT_FOUND


def test_nobody_gets_at_another_users_session(site: Site, pool: RunspacePool) -> None:
    with site.connection(("CONTOSO\\viewer", "Lab-viewer-1")) as connection, pytest.raises(WSManFaultError) as caught:
        connection.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)
    assert caught.value.code == SHELL_NOT_FOUND
    assert run(pool, ("Say", {"Text": 1})).output == [1]


def test_a_cut_drops_the_connection_and_then_the_session_is_unknown(site: Site) -> None:
    with site.connection() as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(requests.exceptions.ConnectionError):
            run(pool, ("Cut", {}))
        with pytest.raises(WSManFaultError) as caught:
            run(pool, ("Say", {"Text": 1}))
        assert caught.value.code == SHELL_NOT_FOUND


def test_a_cut_between_two_requests_is_noticed_by_the_second(site: Site) -> None:
    with site.connection() as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Cut")
        shell.begin_invoke()
        time.sleep(0.2)
        with pytest.raises(requests.exceptions.ConnectionError):
            shell.end_invoke()
        with pytest.raises(WSManFaultError) as caught:
            run(pool, ("Say", {"Text": 1}))
        assert caught.value.code == SHELL_NOT_FOUND


def test_a_broken_cmdlet_fails_its_pipeline_and_nothing_else(pool: RunspacePool) -> None:
    shell = run(pool, ("Crash", {}), ("Say", {"Text": 1}))
    assert shell.state == PSInvocationState.FAILED
    assert "a fault of its own" in str(shell.streams.error[0])
    assert run(pool, ("Say", {"Text": 2})).output == [2]


def test_pipeline_input_is_refused(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Say").add_parameter("Text", 1)
    shell.invoke(input=(text for text in ["something"]))
    assert shell.state == PSInvocationState.FAILED
    assert [e.fq_error for e in shell.streams.error] == ["InputNotSupported"]


def test_metadata_and_pool_queries_are_answered(pool: RunspacePool) -> None:
    assert pool.get_command_metadata("*") == []
    assert pool.get_available_runspaces() == 1
    assert pool.is_alive()
    assert pool.protocol_version == "2.2"


def test_server_configuration(site: Site) -> None:
    with site.connection() as connection:
        size = connection.get_server_config().find("cfg:Config/cfg:MaxEnvelopeSizekb", NAMESPACES)
        assert size is not None
        assert size.text == "500"


def test_identify(site: Site) -> None:
    url = "https://%s:%d/wsman" % (ADDRESSES["edge01"], site.port)
    body = '<s:Envelope xmlns:s="%s"><s:Body><i:Identify xmlns:i="%s"/></s:Body></s:Envelope>'
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url,
            data=body % (NAMESPACES["s"], NAMESPACES["wsmid"]),
            auth=("Administrator", "Lab-edge-1"),
            verify=str(site.ca),
            timeout=10,
        )
    path = "s:Body/wsmid:IdentifyResponse/wsmid:ProtocolVersion"
    assert ET.fromstring(answer.content).findtext(path, "", NAMESPACES) == NAMESPACES["wsman"]


def test_other_endpoints_and_paths_are_not_there(site: Site) -> None:
    with site.connection() as connection, pytest.raises(WSManFaultError) as caught:
        RunspacePool(connection, configuration_name="Microsoft.Exchange").open()
    assert caught.value.code == 2150858752
    with site.connection(path="elsewhere") as connection, pytest.raises(WinRMTransportError) as wrong:
        RunspacePool(connection).open()
    assert wrong.value.code == 404


def test_rubbish_is_answered_with_a_fault(site: Site) -> None:
    url = "https://%s:%d/OcsPowershell" % (ADDRESSES["fe01"], site.port)
    bodies = [
        b"rubbish",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<s:Envelope xmlns:s="%s"><s:Body/></s:Envelope>' % NAMESPACES["s"].encode(),
        b" " * 600_000,
    ]
    with requests.Session() as session:
        session.trust_env = False
        for body in bodies:
            answer = session.post(url, data=body, auth=ADMIN, verify=str(site.ca), timeout=10)
            assert answer.status_code == 500
            assert ET.fromstring(answer.content).find("s:Body/s:Fault/s:Reason/s:Text", NAMESPACES) is not None


@pytest.mark.parametrize(("header", "status"), [("Content-Length: 99999999", 413), ("Transfer-Encoding: chunked", 411)])
def test_bodies_without_bounds_are_not_read(site: Site, header: str, status: int) -> None:
    context = ssl.create_default_context(cafile=str(site.ca))
    with (
        socket.create_connection((ADDRESSES["fe01"], site.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=ADDRESSES["fe01"]) as connection,
    ):
        connection.sendall(b"POST /OcsPowershell HTTP/1.1\r\n%s\r\n\r\n" % header.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 %d " % status)


def test_a_client_that_says_nothing_holds_nobody_up(site: Site, pool: RunspacePool) -> None:
    with socket.create_connection((ADDRESSES["fe01"], site.port)):
        assert run(pool, ("Say", {"Text": 1})).output == [1]
        with site.connection() as connection, RunspacePool(connection) as second:
            assert run(second, ("Say", {"Text": 2})).output == [2]


def test_silent_sessions_end(tmp_path: Path) -> None:
    site = Site(tmp_path, idle=0.5)
    try:
        with site.connection() as connection:
            pool = RunspacePool(connection)
            pool.open()
            assert run(pool, ("Say", {"Text": 1})).output == [1]
            time.sleep(1.5)
            assert site.deployment.closed == ["CONTOSO\\admin"]
            with pytest.raises(WSManFaultError) as caught:
                run(pool, ("Say", {"Text": 1}))
            assert caught.value.code == SHELL_NOT_FOUND
    finally:
        site.server.stop()


def test_a_taken_port_is_named(site: Site, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="port %d on 127.0.0.10 is in use" % site.port):
        LabServer(t.cast(t.Any, Echoes(tmp_path)), tmp_path, site.port, 60.0)
