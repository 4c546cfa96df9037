# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first login of a run goes alone, between processes and threads that know of each other by a file only."""

from __future__ import annotations

import os
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.errors import LoginRefused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.limits import Limits, TooLate, within
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.login import Login
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import Target

ADMIN = "CONTOSO\\admin"


def login(directory: Path, host: str = "fe01", user: str = ADMIN, password: str = "w", path: str = "wsman") -> Login:
    wsman = {"password": password, "path": path}
    return Login(Target(host, "https://" + host, user, "ntlm", wsman, "Microsoft.PowerShell"), str(directory))


def goes_on(one: Login) -> bool:
    """Whether it need not wait."""
    try:
        within(Limits(0.3), one.enter)
    except TooLate:
        return False
    return True


def test_others_wait_for_the_first_and_follow_when_it_is_accepted(tmp_path: Path) -> None:
    first, others = login(tmp_path), [login(tmp_path, host) for host in ("fe02", "fe03")]
    first.enter()
    assert not any(map(goes_on, others))
    first.leave(accepted=True)
    assert all(map(goes_on, others)), "all at once"


def test_a_refused_login_is_not_tried_on_another_host(tmp_path: Path) -> None:
    first = login(tmp_path)
    first.enter()
    refused: list[str] = []

    def follow() -> None:
        try:
            login(tmp_path, "fe02").enter()
        except LoginRefused as error:
            refused.append(str(error))

    waiting = threading.Thread(target=follow)
    waiting.start()
    first.leave(accepted=False, refused=True)
    waiting.join(5)
    (text,) = refused
    assert text.startswith("fe01 refused the account 'CONTOSO\\admin' before in this run")
    assert "not tried on fe02" in text
    with pytest.raises(LoginRefused, match="fe01 refused"):
        login(tmp_path, user="contoso\\ADMIN").enter()
    # Another password is another login.
    assert goes_on(login(tmp_path, password="right"))


def test_a_host_that_does_not_answer_says_nothing_of_the_password(tmp_path: Path) -> None:
    first, second, third = (login(tmp_path, host) for host in ("fe01", "fe02", "fe03"))
    first.enter()
    first.leave(accepted=False)
    assert goes_on(second)
    assert not goes_on(third), "now the second is the first"
    second.leave(accepted=True)


def test_nobody_waits_for_a_process_that_died(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        login(tmp_path).enter()
        os._exit(0)  # without leaving
    os.waitpid(child, 0)
    assert goes_on(login(tmp_path, "fe02"))


def test_a_password_that_is_refused_later_is_refused_for_the_rest(tmp_path: Path) -> None:
    first, second = login(tmp_path), login(tmp_path, "fe02")
    first.enter()
    first.leave(accepted=True)
    second.enter()
    second.leave(accepted=False, refused=True)
    with pytest.raises(LoginRefused, match="fe02 refused"):
        login(tmp_path, "fe03").enter()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"host": "edge01"}, True),
        ({"user": "admin@CONTOSO.TEST"}, {"host": "edge01", "user": "admin@contoso.test"}, True),
        ({}, {"user": "FABRIKAM\\admin"}, False),
        # A local account is another one on each server; a Front End belongs to a domain.
        ({"user": "Administrator"}, {"host": "edge01", "user": "Administrator"}, False),
        ({"user": ".\\Administrator"}, {"host": "edge01", "user": ".\\Administrator"}, False),
        ({"user": "admin", "path": "OcsPowershell"}, {"host": "fe02", "user": "admin", "path": "/ocspowershell"}, True),
        # WinRM refuses who is no local administrator; the remote shell may let them in.
        ({}, {"path": "OcsPowershell"}, False),
    ],
)
def test_which_accounts_are_one(tmp_path: Path, one: t.Any, other: t.Any, same: bool) -> None:
    first = login(tmp_path, **one)
    first.enter()
    assert goes_on(login(tmp_path, **other)) is not same


def test_no_file_tells_the_password(tmp_path: Path) -> None:
    first = login(tmp_path, password="Secret-of-the-farm")
    first.enter()
    first.leave(accepted=False, refused=True)
    (file,) = tmp_path.iterdir()
    assert "Secret-of-the-farm" not in file.name + file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_password_or_a_run_nothing_is_kept(tmp_path: Path) -> None:
    for one in (login(tmp_path, password=""), Login(login(tmp_path)._target, "")):
        one.enter()
        one.leave(accepted=False, refused=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_over_keeps_nobody_back(tmp_path: Path) -> None:
    one = login(tmp_path / "gone")
    one.enter()
    one.leave(accepted=False, refused=True)
    assert list(tmp_path.iterdir()) == []
