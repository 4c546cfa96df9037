# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kerberos for real: a KDC on the loopback interface, GSSAPI at both ends, bound to the TLS channel.

Skipped where Debian's krb5-kdc, krb5-admin-server and krb5-user, or the Python library gssapi, are missing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import session as _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from lab.remoting.auth import KEYTAB
from lab.remoting.kdc import REALM, Kdc, missing_programs
from lab.testing import Lab
from tests.integration.plays import CHECKOUT
from tests.integration.test_connection import Opener

MISSING = [*missing_programs(), *(name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None)]

pytestmark = pytest.mark.skipif(bool(MISSING), reason="Kerberos is NOT tested: missing are %s" % ", ".join(MISSING))

READ = Statement("Get-CsXmppGatewayConfiguration")
ADMIN = "admin@%s" % REALM
PASSWORD = "Lab-admin-1"
# Names under which a Windows server may be asked for.
SERVICES = ("HTTP", "WSMAN", "host")


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Kdc]:
    one = Kdc(tmp_path_factory.mktemp("kdc"))
    one.start()
    one.user("admin", PASSWORD)
    one.user("viewer", "Lab-viewer-1")
    yield one
    one.stop()


class Realm:
    """The lab's Front End in the realm, and sessions on it."""

    def __init__(self, kdc: Kdc, opener: Opener) -> None:
        self.kdc = kdc
        self.opener = opener

    def session(self, **options: t.Any) -> PsrpSession:
        common = {
            "auth": "kerberos",
            "negotiate_service": "HTTP",
            "negotiate_hostname_override": "fe01.contoso.test",
            "remote_user": ADMIN,
            "remote_password": PASSWORD,
        }
        return self.opener(**{**common, **options})

    def refused(self, **options: t.Any) -> str:
        with pytest.raises(SessionError) as caught:
            self.session(**options).invoke([READ])
        text = str(caught.value)
        assert "\n" not in text
        assert PASSWORD not in text
        assert "wrong-one" not in text
        return text


@pytest.fixture
def realm(kdc: Kdc, fresh_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Realm]:
    for name, value in {**kdc.environment, "KRB5CCNAME": str(tmp_path / "no-cache")}.items():
        monkeypatch.setenv(name, value)
    keytab = fresh_lab.directory / KEYTAB
    if not (kdc.directory / KEYTAB).exists():
        for service in SERVICES:
            kdc.service("%s/fe01.contoso.test" % service, kdc.directory / KEYTAB)
    keytab.write_bytes((kdc.directory / KEYTAB).read_bytes())
    opener = Opener(fresh_lab)
    yield Realm(kdc, opener)
    for session in opener.sessions:
        session.close()
    keytab.unlink()


@pytest.mark.parametrize("encryption", ["auto", "always"])
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
@pytest.mark.parametrize("service", SERVICES)
def test_with_a_password(
    realm: Realm, auth: str, service: str, encryption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_psrp_session, "STALE", 0)  # a new connection and a new login each time
    session = realm.session(auth=auth, negotiate_service=service, message_encryption=encryption)
    write = Statement("Set-CsXmppGatewayConfiguration", {"Identity": "Global", "DialbackPassphrase": Secret("hush")})
    for _round in range(3):
        answer = session.invoke([write, READ])
        assert (answer.lost, answer.errors) == ("", ())
    assert [event.user for event in realm.opener.events("session-open")] == ["CONTOSO\\admin"]


def test_with_a_ticket(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    realm.kdc.ticket("viewer", "Lab-viewer-1", cache)
    monkeypatch.setenv("KRB5CCNAME", str(cache))
    for user in (None, "viewer@%s" % REALM):
        assert realm.session(remote_user=user, remote_password=None).invoke([READ]).errors == ()
    assert {event.user for event in realm.opener.events("session-open")} == {"CONTOSO\\viewer"}


def test_with_a_ticket_that_is_passed_on(realm: Realm) -> None:
    """ansible_psrp_negotiate_delegate: the server may go on in the account's name."""
    assert realm.session(negotiate_delegate=True).invoke([READ]).errors == ()


def test_with_a_keytab(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As GSSAPI takes it by itself (KRB5_CLIENT_KTNAME); nobody has to run kinit."""
    keytab = tmp_path / "client.keytab"
    realm.kdc.export("admin", keytab)
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(keytab))
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "cache"))
    assert realm.session(remote_user=ADMIN, remote_password=None).invoke([READ]).errors == ()


def test_a_wrong_password(realm: Realm) -> None:
    assert "Check ansible_password" in realm.refused(remote_password="wrong-one")


def test_an_account_that_is_not_there(realm: Realm) -> None:
    assert "Check ansible_user" in realm.refused(remote_user="nobody@%s" % REALM)


@pytest.mark.parametrize("name", ["admin@contoso.test", "admin@FABRIKAM.TEST"])
def test_another_realm_or_one_in_small_letters(realm: Realm, name: str) -> None:
    assert "Write the realm in capitals in ansible_user" in realm.refused(remote_user=name)


@pytest.mark.parametrize(
    "options", [{"negotiate_service": "cifs"}, {"negotiate_hostname_override": "fe02.contoso.test"}]
)
def test_a_service_that_the_realm_does_not_know(realm: Realm, options: dict[str, str]) -> None:
    assert "Check ansible_psrp_negotiate_service: HTTP on a Front End" in realm.refused(**options)


def test_no_ticket_and_no_password(realm: Realm) -> None:
    assert "Set ansible_password, or get a ticket with kinit" in realm.refused(remote_password=None)


def test_a_ticket_that_has_expired(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    realm.kdc.ticket("admin", PASSWORD, cache, lifetime="1s")
    monkeypatch.setenv("KRB5CCNAME", str(cache))
    time.sleep(2)
    assert "Get a new ticket with kinit, or set ansible_password" in realm.refused(remote_password=None)


LOGIN = """
import json, sys
from tests.faults.run import Job, Session
session = Session(Job("fe01", "", {}, json.load(sys.stdin), ""))
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ShellError, Statement
try:
    print("read", len(session.invoke([Statement("Get-CsXmppGatewayConfiguration")]).output))
except ShellError as exc:
    print(exc)
finally:
    session.session.close()
"""


@pytest.mark.skipif(shutil.which("faketime") is None, reason="a clock that is off is NOT tested: faketime is missing")
@pytest.mark.parametrize(
    ("corrected", "said"),
    [(1, "read 1"), (0, "Correct the clock of the controller. Kerberos allows a difference of five minutes")],
)
def test_a_clock_that_is_ten_minutes_off(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corrected: int, said: str
) -> None:
    """By default the client takes the KDC's time for its own in what it sends (krb5.conf, kdc_timesync)."""
    conf = Path(os.environ["KRB5_CONFIG"]).read_text(encoding="utf-8")
    text = conf.replace("[libdefaults]\n", "[libdefaults]\n kdc_timesync = %d\n" % corrected)
    (tmp_path / "krb5.conf").write_text(text, encoding="utf-8")
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    lab = realm.opener.lab
    where = {
        "remote_addr": lab.addresses["fe01"],
        "port": lab.port,
        "path": "OcsPowershell",
        "ca_cert": str(lab.ca),
        "auth": "kerberos",
        "negotiate_service": "HTTP",
        "negotiate_hostname_override": "fe01.contoso.test",
        "remote_user": ADMIN,
        "remote_password": PASSWORD,
    }
    command = ["faketime", "-f", "-10m", sys.executable, "-c", LOGIN]
    # Other tests look for the password in the command lines of all processes.
    done = subprocess.run(
        command, cwd=CHECKOUT, input=json.dumps(where), stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    assert said in done.stdout


def test_nobody_answers_for_the_realm(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = Path(os.environ["KRB5_CONFIG"]).read_text(encoding="utf-8")
    (tmp_path / "krb5.conf").write_text(conf.replace(":%d" % realm.kdc.port, ":1"), encoding="utf-8")
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    assert "the network to a domain controller" in realm.refused()


def test_a_login_that_is_bound_to_another_channel_is_not_accepted(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pypsrp.negotiate import HTTPNegotiateAuth

    monkeypatch.setattr(
        HTTPNegotiateAuth, "_get_cbt_data", staticmethod(lambda response: b"tls-server-end-point:other")
    )
    assert "did not accept the account" in realm.refused()
