# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doors that are broken, hosts that are off, accounts that get locked, and sessions that take their time."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ShellError, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from lab.deployment.shape import read_shape
from lab.inventory import Place, inventory
from lab.testing import Lab, running_lab
from tests.integration.management import Management, renewed, target
from tests.integration.plays import CHECKOUT

ADMIN = ("CONTOSO\\admin", "Lab-admin-1")
EDGE = ("Administrator", "Lab-edge-1")
PATIENCE = 10.0  # seconds for a host to go and to come back; both take a tenth of one


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab"), shape=read_shape("two-sites")) as found:
        yield found


@pytest.fixture
def lab(running: Lab) -> t.Iterator[Lab]:
    yield renewed(running)
    running.store().set_setting("hosts_down", {})
    for host in running.addresses:
        reachable(running, host, True)


def connects(lab: Lab, host: str, port: int = 0) -> bool:
    try:
        socket.create_connection((lab.addresses[host], port or lab.port), 5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def reachable(lab: Lab, host: str, expected: bool, port: int = 0) -> None:
    end = time.monotonic() + PATIENCE
    while connects(lab, host, port) != expected:
        assert time.monotonic() < end, "%s is still %s" % (host, "off" if expected else "there")
        time.sleep(0.05)


def status(lab: Lab, host: str, path: str, timeout: float = 5.0) -> int:
    context = ssl.create_default_context(cafile=str(lab.ca))
    connection = http.client.HTTPSConnection(lab.addresses[host], lab.port, timeout=timeout, context=context)
    with contextlib.closing(connection):
        connection.request("POST", path, b"")
        return connection.getresponse().status


def opened(
    lab: Lab, host: str, account: tuple[str, str], modules: tuple[str, ...] = (), winrm: bool = False
) -> Management:
    where = target(lab, host, *account, modules)
    return Management(lab, dataclasses.replace(where, wsman={**where.wsman, "path": "wsman"}) if winrm else where)


def ask(lab: Lab, host: str, account: tuple[str, str], cmdlet: str, **more: t.Any) -> list[t.Any]:
    shell = opened(lab, host, account, **more)
    try:
        return list(shell.invoke([Statement(cmdlet)]).output)
    finally:
        shell.session.close()


def logins(lab: Lab) -> list[tuple[str, str, str, str]]:
    kinds = ("session-open", "login-refused", "account-locked")
    return [(e.kind, e.host, e.user, e.error) for e in lab.store().events() if e.kind in kinds]


def test_a_front_end_has_two_shells(lab: Lab) -> None:
    services = ask(lab, "fe11", ADMIN, "Get-CsWindowsService", modules=("SkypeForBusiness",), winrm=True)
    assert lab.store().service_name("fe11", "RTCXMPPTGW") in [service["Name"] for service in services]
    assert status(lab, "fe11", "/elsewhere") == 404
    # A local administrator's shell; whoever may only read the deployment is none.
    with pytest.raises(ShellError):
        ask(lab, "fe11", ("CONTOSO\\viewer", "Lab-viewer-1"), "Get-Date", winrm=True)
    assert ask(lab, "fe11", ("CONTOSO\\viewer", "Lab-viewer-1"), "Get-CsSite")


def command(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m lab``, which finds the lab's shape by its directory."""
    line = [sys.executable, "-m", "lab", arguments[0], "--directory", str(lab.directory), *arguments[1:]]
    return subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_the_commands_know_the_shape(lab: Lab) -> None:
    place = Place(lab.directory.resolve(), lab.port, lab.profile, lab.shape)
    assert json.loads(command(lab, "inventory", "--deployment", "d").stdout) == inventory({"d": place})
    assert "fe11.contoso.test" in command(lab, "status").stdout
    assert command(lab, "set", "lock_after", "2").returncode == 0
    assert lab.store().setting("lock_after") == 2
    assert "lock_after                 2\n" in command(lab, "set").stdout
    assert command(lab, "set", "lock_after").returncode == 0
    assert lab.store().setting("lock_after") == 0
    assert "has no setting 'lock'" in command(lab, "set", "lock", "1").stderr
    assert "must be JSON" in command(lab, "set", "lock_after", "two").stderr


def test_a_host_that_is_off_refuses_every_connection(lab: Lab) -> None:
    lab.store().set_setting("hosts_down", {"fe01": "off", "edge01": "off"})
    for host in ("fe01", "edge01"):
        reachable(lab, host, False)
    reachable(lab, "edge01", False, lab.xmpp_port)
    assert connects(lab, "edge02", lab.xmpp_port)
    assert ask(lab, "fe11", ADMIN, "Get-CsSite"), "the other door is open"
    lab.store().set_setting("hosts_down", {})
    reachable(lab, "fe01", True)
    reachable(lab, "edge01", True, lab.xmpp_port)
    assert ask(lab, "fe01", ADMIN, "Get-CsSite")


def test_a_door_may_be_broken_while_winrm_goes_on(lab: Lab) -> None:
    lab.store().set_setting("hosts_down", {"fe01": "unavailable", "fe11": "hangs"})
    assert status(lab, "fe01", "/OcsPowershell") == 503
    with pytest.raises(TimeoutError):
        status(lab, "fe11", "/OcsPowershell", timeout=1.0)
    assert [status(lab, host, "/wsman") for host in ("fe01", "fe11")] == [401, 401]
    lab.store().set_setting("hosts_down", {})
    assert [status(lab, host, "/OcsPowershell") for host in ("fe01", "fe11")] == [401, 401]


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_an_account_is_locked_after_three_refused_logins(lab: Lab, auth: str) -> None:
    lab.store().set_setting("lock_after", 3)

    def login(host: str, account: tuple[str, str]) -> bool:
        where = target(lab, host, *account)
        shell = Management(lab, dataclasses.replace(where, wsman={**where.wsman, "auth": auth}))
        try:
            shell.invoke([Statement("Get-CsSite")])
        except ShellError:
            return False
        else:
            return True
        finally:
            shell.session.close()

    wrong = (ADMIN[0], "not it")
    assert [login("fe01", wrong), login("fe01", wrong), login("fe01", ADMIN)] == [False, False, True]
    assert not any([login("fe01", wrong), login("fe11", wrong), login("fe01", wrong)])
    assert not login("fe11", ADMIN), "the right password, at another door"
    name = "CONTOSO\\admin"
    refused = ("login-refused", "fe01", name, "the password is wrong")
    assert logins(lab) == [
        refused, refused, ("session-open", "fe01", name, ""),
        refused, ("login-refused", "fe11", name, "the password is wrong"), refused,
        ("account-locked", "fe01", name, "3 logins in a row were refused"),
        ("login-refused", "fe11", name, "the account is locked"),
    ]  # fmt: skip
    # Other accounts are not, and neither is a local one of an Edge.
    assert login("fe01", ("CONTOSO\\viewer", "Lab-viewer-1"))
    assert not login("edge01", ("nobody", "x"))
    assert logins(lab)[-1] == ("login-refused", "edge01", "nobody", "there is no such account")


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_eight_hosts_with_a_wrong_password_do_not_lock_the_account(lab: Lab, tmp_path: Path, auth: str) -> None:
    lab.store().set_setting("lock_after", 3)
    said: list[str] = []

    def login(host: str) -> None:
        where = target(lab, host, ADMIN[0], "not it")
        where = dataclasses.replace(where, wsman={**where.wsman, "auth": auth})
        try:
            PsrpSession(where, logins=str(tmp_path)).open()
        except SessionError as error:
            said.append(str(error))

    hosts = [threading.Thread(target=login, args=("fe01" if number % 2 else "fe11",)) for number in range(8)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert [kind for kind, *_rest in logins(lab)] == ["login-refused"]
    assert len(said) == 8
    assert sum("refused the account 'CONTOSO\\admin' before in this run" in text for text in said) == 7
    assert ask(lab, "fe01", ADMIN, "Get-CsSite")


def test_sessions_and_modules_take_their_time(lab: Lab) -> None:
    began = time.monotonic()
    ask(lab, "edge01", EDGE, "Get-Date", modules=("SkypeForBusiness",))
    fast = time.monotonic() - began
    lab.store().set_setting("open_seconds", 0.7)
    lab.store().set_setting("import_seconds", 1.1)
    began = time.monotonic()
    ask(lab, "edge01", EDGE, "Get-Date", modules=("SkypeForBusiness",))
    assert time.monotonic() - began > 1.8
    assert fast < 1.8
    seconds = {event.cmdlet or event.kind: event.seconds for event in lab.store().events()}
    assert seconds["session-open"] >= 0.7
    assert seconds["Import-Module"] >= 1.1
