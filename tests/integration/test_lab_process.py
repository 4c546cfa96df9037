# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as a process of its own, with its real deployment: started, found, stopped, killed, restarted."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from lab.deployment.faults import Faults
from lab.errors import LabError
from lab.testing import Lab, running_lab

SHELL_NOT_FOUND = 2150858843
CHECKOUT = Path(__file__).resolve().parents[2]


def connect(lab: Lab, auth: str = "basic", ca: Path | None = None) -> WSMan:
    return WSMan(
        lab.addresses["fe01"],
        port=lab.port,
        path="OcsPowershell",
        username="CONTOSO\\admin",
        password="Lab-admin-1",
        auth=auth,
        cert_validation=t.cast(bool, str(ca or lab.ca)),  # its hint knows no paths
        no_proxy=True,
    )


def call(pool: RunspacePool, cmdlet: str, **parameters: t.Any) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(cmdlet).add_parameters(parameters)
    shell.invoke()
    return shell


def command(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "SFB_LAB_DIRECTORY": str(directory), "SFB_LAB_XMPP_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def gone(pid: int) -> bool:
    try:
        # Behind the name in parentheses: a process that has ended but that nobody has waited for is a zombie (Z).
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.10", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def lab(served: Lab) -> Lab:
    """A lab that is up and new."""
    if command(served.directory, "status").returncode:
        served.start()
    assert command(served.directory, "reset").returncode == 0
    return served


def test_a_restart_makes_old_sessions_unknown_and_keeps_the_state(lab: Lab) -> None:
    pools = []
    for auth in ("basic", "ntlm", "negotiate"):
        pools.append(RunspacePool(connect(lab, auth)))
        pools[-1].open()
        assert not call(pools[-1], "New-CsExternalAccessPolicy", Identity=auth).streams.error
    port = lab.port
    lab.stop()
    lab.start()
    assert lab.port == port
    for pool in pools:
        with pytest.raises(WSManFaultError) as caught:
            call(pool, "Get-CsExternalAccessPolicy")
        assert caught.value.code == SHELL_NOT_FOUND
        pool.connection.close()
    with connect(lab) as connection, RunspacePool(connection) as pool:
        assert len(call(pool, "Get-CsExternalAccessPolicy").output) == 4
    assert list(lab.store().policies()) == ["Global", "Tag:basic", "Tag:ntlm", "Tag:negotiate"]


def test_a_kill_in_the_middle_leaves_nothing_behind(lab: Lab) -> None:
    Faults(lab.store()).add("Get-CsExternalAccessPolicy", action="delay", seconds=60.0)
    problems: list[requests.exceptions.RequestException] = []

    def work() -> None:
        try:
            with connect(lab) as connection:
                pool = RunspacePool(connection)
                pool.open()
                call(pool, "Get-CsExternalAccessPolicy")
        except requests.exceptions.RequestException as e:
            problems.append(e)

    client = threading.Thread(target=work)
    client.start()
    time.sleep(0.5)
    lab.kill()
    client.join(10)
    assert [type(e) for e in problems] == [requests.exceptions.ConnectionError]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((lab.addresses["fe01"], lab.port), timeout=2)
    assert command(lab.directory, "status").returncode == 1
    lab.start()
    with connect(lab) as connection, RunspacePool(connection) as pool:
        assert call(pool, "Get-Command", Name="Get-CsExternalAccessPolicy").output


def test_an_orderly_stop_does_not_wait_for_slow_cmdlets(lab: Lab) -> None:
    Faults(lab.store()).add("Get-CsExternalAccessPolicy", action="delay", seconds=60.0)
    with connect(lab) as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-CsExternalAccessPolicy")
        shell.begin_invoke()
        time.sleep(0.2)
        start = time.monotonic()
        lab.stop()
        assert time.monotonic() - start < 40
    assert [e.kind for e in lab.store().events()] == ["session-open", "statement", "session-close"]


def test_two_labs_know_nothing_of_each_other(lab: Lab, tmp_path: Path) -> None:
    with running_lab(tmp_path, profile="lync2013") as other:
        assert lab.port != other.port
        with connect(lab) as connection, RunspacePool(connection) as pool:
            assert not call(pool, "New-CsExternalAccessPolicy", Identity="Partners").streams.error
        with connect(other) as connection, RunspacePool(connection) as pool:
            assert len(call(pool, "Get-CsExternalAccessPolicy").output) == 1
        assert list(lab.store().policies()) == ["Global", "Tag:Partners"]
        assert list(other.store().policies()) == ["Global"]
        with connect(lab, ca=other.ca) as connection, pytest.raises(requests.exceptions.SSLError):
            RunspacePool(connection).open()


def test_faults_of_the_connection_reach_the_client(lab: Lab) -> None:
    faults = Faults(lab.store())
    faults.add("New-CsExternalAccessPolicy", action="cut", when="after")
    with connect(lab) as connection:
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(requests.exceptions.ConnectionError):
            call(pool, "New-CsExternalAccessPolicy", Identity="Partners")
    assert list(lab.store().policies()) == ["Global", "Tag:Partners"]
    faults.add("(session)", action="cut")
    with connect(lab) as connection, pytest.raises(requests.exceptions.ConnectionError):
        RunspacePool(connection).open()
    faults.add("(session)", action="delay", seconds=0.5)
    start = time.monotonic()
    with connect(lab) as connection, RunspacePool(connection):
        assert time.monotonic() - start >= 0.5
    faults.add("(session)", action="error", message="The quota is used up.")
    with connect(lab) as connection, pytest.raises(WSManFaultError, match="The quota is used up"):
        RunspacePool(connection).open()


def test_silent_sessions_end_when_told_so(tmp_path: Path) -> None:
    with running_lab(tmp_path, idle=0.5) as lab, connect(lab) as connection:
        pool = RunspacePool(connection)
        pool.open()
        time.sleep(1.5)
        with pytest.raises(WSManFaultError) as caught:
            call(pool, "Get-CsExternalAccessPolicy")
        assert caught.value.code == SHELL_NOT_FOUND
        assert [e.kind for e in lab.store().events()] == ["session-open", "session-close"]


def test_commands(tmp_path: Path, free_port: int) -> None:
    directory = tmp_path / "lab"
    status = command(directory, "status")
    assert (status.returncode, "is down" in status.stdout) == (1, True)
    assert command(directory, "events").returncode == 1
    up = command(directory, "up", SFB_LAB_PORT=str(free_port))
    try:
        assert (up.returncode, up.stderr) == (0, "")
        assert "https://127.0.0.22:%d/wsman" % free_port in up.stdout
        pid = json.loads((directory / "lab.pid").read_text())["pid"]
        status = command(directory, "status")
        assert (status.returncode, status.stdout) == (0, up.stdout)
        assert "profile sfb2015" in status.stdout
        assert "CONTOSO\\admin (CsAdministrator)" in status.stdout
        assert "Lab-admin-1" not in status.stdout

        again = command(directory, "up", "--port", "0")
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr == "lab: a lab is already up in %s: port %d, profile sfb2015\n" % (directory, free_port)
        other = command(tmp_path / "other", "up", "--port", str(free_port))
        assert (other.returncode, other.stdout) == (1, "")
        assert "port %d on 127.0.0.10 is in use" % free_port in other.stderr
        assert command(tmp_path / "other", "status").returncode == 1

        armed = command(directory, "fault", "add", "error", "Get-CsExternalAccessPolicy", "--message", "No.")
        assert armed.returncode == 0
        assert json.loads(command(directory, "fault", "list").stdout)["message"] == "No."
        lab = Lab(directory, "sfb2015", 60.0)
        lab.port = free_port
        with connect(lab) as connection, RunspacePool(connection) as pool:
            assert str(call(pool, "Get-CsExternalAccessPolicy", Identity="a b").streams.error[0]) == "No."
            assert not call(pool, "New-CsExternalAccessPolicy", Identity="Partners").streams.error
        log = command(directory, "events").stdout.splitlines()
        assert len(log) == 4
        assert 'Get-CsExternalAccessPolicy -Identity "a b" -> error No.' in log[1]
        events = [
            json.loads(line) for line in command(directory, "events", "--json", "--since", "2").stdout.splitlines()
        ]
        assert [e["cmdlet"] or e["kind"] for e in events] == ["New-CsExternalAccessPolicy", "session-close"]

        assert command(directory, "reset", "--profile", "lync2013").returncode == 1
        assert command(directory, "reset").returncode == 0
        assert command(directory, "events").stdout == ""
        assert list(lab.store().policies()) == ["Global"]
        lab.store().close()
        assert stat.S_IMODE((directory / "server-key.pem").stat().st_mode) == 0o600
        assert stat.S_IMODE((directory / "state.sqlite").stat().st_mode) == 0o600
        assert "Lab-" not in (directory / "lab.log").read_text()
        assert (directory / "ntlm-users").read_bytes() == b""
    finally:
        down = command(directory, "down")
    assert (down.returncode, down.stdout) == (0, "the lab is down\n")
    assert gone(pid)
    assert command(directory, "down").stdout == "the lab was not up\n"
    assert command(directory, "status").returncode == 1


def test_profile_of_the_state_is_remembered(tmp_path: Path, free_port: int) -> None:
    assert command(tmp_path, "reset", "--profile", "lync2013").returncode == 0
    refused = command(tmp_path, "up", "--port", str(free_port), "--profile", "sfb2015")
    assert (refused.returncode, "lync2013" in refused.stderr) == (1, True)
    try:
        assert "profile lync2013" in command(tmp_path, "up", "--port", str(free_port)).stdout
    finally:
        assert command(tmp_path, "down").returncode == 0


def test_pid_file_of_a_crashed_lab_misleads_nobody(tmp_path: Path) -> None:
    (tmp_path / "lab.pid").write_text(json.dumps({"pid": os.getpid(), "port": 1, "profile": "sfb2015"}))
    assert command(tmp_path, "status").returncode == 1
    assert command(tmp_path, "down").stdout == "the lab was not up\n"
    with running_lab(tmp_path) as lab:
        assert lab.port > 1


def test_missing_packages_are_named() -> None:
    hidden = "import runpy, sys; sys.modules['psrpcore'] = None; sys.argv[1:] = ['up']; "
    script = hidden + "runpy.run_module('lab', run_name='__main__')"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "the Python package psrpcore is missing" in result.stderr
    assert str(CHECKOUT / "lab/requirements.txt") in result.stderr


@pytest.mark.parametrize("port", ["x", "70000"])
def test_wrong_port_in_the_environment_is_named(tmp_path: Path, port: str) -> None:
    result = command(tmp_path, "up", SFB_LAB_PORT=port)
    assert (result.returncode, result.stderr) == (1, "lab: SFB_LAB_PORT is '%s', but it must be a port number\n" % port)


def test_running_lab_ends_with_its_block(tmp_path: Path) -> None:
    with running_lab(tmp_path) as lab:
        pid = json.loads((tmp_path / "lab.pid").read_text())["pid"]
        with pytest.raises(LabError, match="already"):
            Lab(tmp_path, lab.profile, 60.0).start()
    assert gone(pid)
    with pytest.raises(ZeroDivisionError):
        _fail_inside(tmp_path)
    assert command(tmp_path, "status").returncode == 1


def _fail_inside(directory: Path) -> t.NoReturn:
    with running_lab(directory):
        raise ZeroDivisionError
    raise AssertionError("the exception was swallowed")
