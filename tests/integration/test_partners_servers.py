# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real XMPP servers talk to each other: over DNS, TLS, SASL EXTERNAL and dialback, as their settings say."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from lab.deployment.store import Store
from lab.errors import LabError
from lab.partners import processes, programs, stream
from lab.partners.certificates import read_certificate
from lab.partners.control import Partners, find, start, stop
from lab.partners.launch import PASSWORD
from lab.partners.programs import missing
from lab.partners.zone import Service

CHECKOUT = Path(__file__).resolve().parents[2]
GATEWAY_PORT = 15269  # nothing listens there; it is only published

if missing():
    reason = "real XMPP servers are not installed: as root, %s" % programs.COMMAND
    pytest.skip(reason, allow_module_level=True)

from lab.partners.client import Message, User, exchange  # noqa: E402


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Partners]:
    """Prosody, which is strict, and ejabberd, which is not."""
    running = start(tmp_path_factory.mktemp("partners"), GATEWAY_PORT)
    yield running
    running.stop()


def delivered(partners: Partners, sender: str, receiver: str, text: str) -> Message | None:
    """What the receiver gets of a message, or the error that the sender gets."""
    (name, _at, domain), (other, _at, other_domain) = sender.partition("@"), receiver.partition("@")
    with User(partners, other_domain, other) as there, User(partners, domain, name) as here:
        here.send(receiver, text)
        for _turn in range(40):
            for user in (there, here):
                message = user.receive(0.5)
                if message is not None:
                    return message
    return None


def log(partners: Partners, name: str) -> str:
    kind = partners.servers[name].kind
    return (partners.folder / name / (kind + ".log")).read_text("utf-8", "replace")


def logged(partners: Partners, name: str, *words: str) -> bool:
    """Whether one line has all the words; ejabberd writes its log a moment later."""
    end = time.monotonic() + 30
    while not any(all(word in line for word in words) for line in log(partners, name).splitlines()):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class TestMessages:
    def test_both_ways_over_certificates(self, partners: Partners) -> None:
        for sender, receiver in (
            ("romeo@fabrikam.example", "juliet@jabber.example"),
            ("juliet@jabber.example", "romeo@fabrikam.example"),
        ):
            message = delivered(partners, sender, receiver, "for %s" % receiver)
            assert message == Message(sender, receiver, "for %s" % receiver, "chat")
        accepted = "Accepted %s s2s EXTERNAL authentication %s -> %s"
        assert logged(partners, "ejabberd", accepted % ("inbound", "fabrikam.example", "jabber.example"))
        assert logged(partners, "ejabberd", accepted % ("outbound", "jabber.example", "fabrikam.example"))

    def test_an_error_comes_back(self, partners: Partners) -> None:
        answer = exchange(partners, "romeo@fabrikam.example", "nobody@jabber.example", "anybody?", timeout=30)
        assert answer is not None
        assert (answer.from_, answer.type) == ("nobody@jabber.example", "error")
        assert answer.error.startswith("service-unavailable")

    def test_a_subscription_is_granted(self, partners: Partners) -> None:
        with User(partners, "jabber.example", "juliet"), User(partners, "fabrikam.example", "romeo") as romeo:
            romeo.subscribe("juliet@jabber.example")
            seen = {presence.type for presence in (romeo.presence(30), romeo.presence(30)) if presence}
        assert seen == {"subscribed", "available"}

    def test_no_login_with_an_address_that_is_not_there(self, partners: Partners) -> None:
        with (
            pytest.raises(LabError, match=r"tybalt@fabrikam\.example cannot log in"),
            User(partners, "fabrikam.example", "tybalt"),
        ):
            pass
        with pytest.raises(LabError, match="no partner that is up serves graphicdesign"):
            partners.partner("graphicdesign.example")


class TestWrongCertificates:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            ("expired", "certificate has expired"),
            ("wrongname", "Certificate host name mismatch"),
            ("unknownca", "self signed certificate in certificate chain"),
            ("serveronly", "unsupported certificate purpose"),
        ],
    )
    def test_each_is_refused_for_its_own_reason(self, partners: Partners, kind: str, reason: str) -> None:
        domain = kind + ".fabrikam.example"
        answer = exchange(partners, "romeo@" + domain, "juliet@jabber.example", "let me in", timeout=60)
        assert answer is not None
        assert answer.error.startswith("remote-server-timeout")
        failed = "Failed inbound s2s EXTERNAL authentication %s -> jabber.example" % domain
        assert logged(partners, "ejabberd", failed, reason)

    def test_one_is_replaced(self, partners: Partners) -> None:
        for kind in ("expired", "good"):
            partners.replace_certificate("fabrikam.example", kind)
            wanted = read_certificate(partners.certificate("fabrikam.example"))
            assert stream.presented(partners.partner("fabrikam.example"), "fabrikam.example") == wanted
            assert partners.servers["prosody"].domains["fabrikam.example"] == kind


class TestNames:
    def test_a_domain_is_led_astray_and_back(self, partners: Partners) -> None:
        before = partners.records["jabber.example"]
        with socket.socket() as unused:
            unused.bind(("127.0.0.35", 0))  # taken, but it does not listen
            port = unused.getsockname()[1]
            try:
                partners.set_records("jabber.example", Service("gone.jabber.example", port, ("127.0.0.35",)))
                partners.restart("prosody")
                answer = exchange(partners, "romeo@fabrikam.example", "juliet@jabber.example", "hello?", timeout=60)
                assert answer is not None
                assert answer.error.startswith("remote-server-not-found")
                found = find(partners.directory)
                assert found is not None
                assert found.records == partners.records
            finally:
                partners.set_records("jabber.example", *before)
        message = delivered(partners, "romeo@fabrikam.example", "juliet@jabber.example", "there you are")
        assert message is not None
        assert message.body == "there you are"


class TestLife:
    def test_two_labs_at_once_and_no_leftovers(self, partners: Partners, tmp_path: Path) -> None:
        """The second has no TLS, hence dialback alone; it is ended by another process."""
        plain = {"tls": "none", "dialback": True}
        changes = {"prosody-lenient": plain, "ejabberd": plain}
        second = start(tmp_path / "lab", GATEWAY_PORT, ("prosody-lenient", "ejabberd"), changes)
        try:
            with pytest.raises(LabError, match="already up in"):
                start(tmp_path / "lab", GATEWAY_PORT)
            for sender, receiver in (
                ("romeo@litware.example", "juliet@jabber.example"),
                ("juliet@jabber.example", "romeo@litware.example"),
            ):
                message = delivered(second, sender, receiver, "in clear")
                assert message is not None
                assert (message.from_, message.body) == (sender, "in clear")
            accepted = "Accepted %s s2s dialback authentication %s -> %s"
            assert logged(second, "ejabberd", accepted % ("outbound", "jabber.example", "litware.example"))
            assert logged(second, "ejabberd", accepted % ("inbound", "litware.example", "jabber.example"))
            store = Store(tmp_path / "lab")
            assert store.setting("xmpp_nameserver") == second.nameserver != partners.nameserver
            pids = processes.running(second.folder)
            assert len(pids) >= 3
            assert not list(written_outside(pids, tmp_path / "lab"))
            assert not [pid for pid in pids if PASSWORD in Path("/proc/%d/cmdline" % pid).read_text()]
            ending = "from pathlib import Path; from lab.partners.control import stop; assert stop(Path(%r))"
            code = ending % str(tmp_path / "lab")
            subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True, timeout=120)
            assert processes.running(second.folder) == []
            assert store.setting("xmpp_nameserver") is None
            store.close()
            assert find(tmp_path / "lab") is None
            assert [entry.name for entry in tmp_path.iterdir()] == ["lab"]
        finally:
            stop(tmp_path / "lab")
        assert find(partners.directory) is not None

    def test_what_a_crash_left_is_cleared_away(self, tmp_path: Path) -> None:
        first = start(tmp_path, GATEWAY_PORT, ["prosody"])
        (first.folder / "partners.json").unlink()
        left = processes.running(first.folder)
        again = start(tmp_path, GATEWAY_PORT, ["prosody"])
        try:
            assert not set(left) & set(processes.running(again.folder))
            assert stream.serves(again.partner("fabrikam.example"), "fabrikam.example")
        finally:
            again.stop()


def written_outside(pids: t.Iterable[int], directory: Path) -> t.Iterator[str]:
    """The regular files that processes have open for writing and that are not below the directory."""
    for pid in pids:
        for entry in os.listdir("/proc/%d/fd" % pid):
            try:
                path = os.readlink("/proc/%d/fd/%s" % (pid, entry))
                flags = Path("/proc/%d/fdinfo/%s" % (pid, entry)).read_text().split()[3]
            except FileNotFoundError:  # closed meanwhile
                continue
            if int(flags, 8) & (os.O_WRONLY | os.O_RDWR) and os.path.isfile(path):
                if not path.startswith(str(directory) + "/"):
                    yield path
