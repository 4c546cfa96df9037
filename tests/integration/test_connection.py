# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection's session against the lab over the wire: authentication, types, losses, time limits, refusals."""

from __future__ import annotations

import signal
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import missing
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ListChange, Secret, Statement, UInt32
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp import session as _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.session import PsrpSession, SessionError

from lab.deployment.faults import SESSION, Faults
from lab.deployment.store import Event
from lab.testing import Lab
from tests.unit.plugin_utils.test_psrp_options import OPTIONS

READ = Statement("Get-CsXmppAllowedPartner")


def partner(domain: str, **parameters: t.Any) -> Statement:
    return Statement("New-CsXmppAllowedPartner", {"Identity": domain, **parameters})


class Opener:
    """Makes sessions on the lab's hosts with any options; closes them at the end."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.sessions: list[PsrpSession] = []

    def __call__(self, host: str = "fe01", **options: t.Any) -> PsrpSession:
        account = {"remote_user": "CONTOSO\\admin", "remote_password": "Lab-admin-1", "path": "OcsPowershell"}
        if host != "fe01":
            account = {"remote_user": "Administrator", "remote_password": "Lab-edge-1", "path": "wsman"}
            options = {"modules": ["SkypeForBusiness"], **options}
        where = {"remote_addr": self.lab.addresses[host], "port": self.lab.port, "ca_cert": str(self.lab.ca)}
        common = {"auth": "basic", "ignore_proxy": True}
        self.sessions.append(PsrpSession(target({**OPTIONS, **common, **account, **where, **options})))
        return self.sessions[-1]

    def faults(self) -> Faults:
        return Faults(self.lab.store())

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.lab.store().events() if event.kind == kind]

    def statements(self) -> list[str]:
        return [event.cmdlet for event in self.events("statement")]


@pytest.fixture
def opened(fresh_lab: Lab) -> t.Iterator[Opener]:
    opener = Opener(fresh_lab)
    yield opener
    for session in opener.sessions:
        session.close()


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "basic"},
        {"auth": "ntlm"},
        {"auth": "negotiate"},
        {"auth": "ntlm", "message_encryption": "always"},
        {"auth": "negotiate", "message_encryption": "always"},
        {"cert_validation": "ignore", "ca_cert": None},
        {"cert_validation": "ignore", "ca_cert": None, "auth": "ntlm"},
    ],
)
def test_ways_to_authenticate(opened: Opener, options: dict[str, t.Any]) -> None:
    session = opened(**options)
    for _round in range(3):
        assert session.invoke([Statement("Get-CsXmppGatewayConfiguration")]).output[0]["Identity"] == "Global"
    session.close()
    assert [event.user for event in opened.events("session-open")] == ["CONTOSO\\admin"]
    assert len(opened.events("session-close")) == 1


def test_an_edge_imports_its_module_once(opened: Opener) -> None:
    session = opened("edge01", auth="ntlm")
    for _round in range(2):
        answer = session.invoke([Statement("Get-CsCertificate")])
        assert not answer.errors
    assert opened.statements() == ["Import-Module", "Get-CsCertificate", "Get-CsCertificate"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_module_that_complains_counts_by_its_commands(opened: Opener, moment: t.Literal["before", "after"]) -> None:
    opened.faults().add("Import-Module", when=moment, message="The type data file could not be loaded.")
    session = opened("edge01")
    if moment == "after":
        assert not session.invoke([Statement("Get-CsCertificate")]).errors
    else:
        with pytest.raises(SessionError, match=r"cannot import SkypeForBusiness: The type data file .*_modules"):
            session.invoke([Statement("Get-CsCertificate")])


WRITES = ("New-CsXmppAllowedPartner", "Set-CsXmppAllowedPartner", "Remove-CsXmppAllowedPartner")


def test_what_an_account_may_do_is_known_before_it_is_tried(opened: Opener) -> None:
    asked = ("Get-CsXmppAllowedPartner", *WRITES, "Grant-CsExternalAccessPolicy", "Get-CsNothing")
    assert missing(opened(), asked) == {"Get-CsNothing"}
    viewer = opened(remote_user="CONTOSO\\viewer", remote_password="Lab-viewer-1")
    assert missing(viewer, asked) == {*WRITES, "Grant-CsExternalAccessPolicy", "Get-CsNothing"}
    assert missing(viewer, ["Get-CsXmppAllowedPartner"]) == set()
    edge = opened("edge01")
    assert missing(edge, ["Get-CsCertificate", *WRITES]) == set(WRITES)
    assert set(opened.statements()) == {"Import-Module", "Get-Command", "Select-Object"}


def test_types_arrive_as_intended_and_text_verbatim(opened: Opener) -> None:
    text = 'it\'s "quoted"; $(Remove-Item *) `n\n\ttab, ü, 😀, _x0041_, <b>&amp;</b>'
    session = opened()
    answer = session.invoke(
        [
            partner("a.example", Description=text, ConnectionLimit=UInt32(5), EnableKeepAlive=False),
            Statement(
                "Set-CsXmppAllowedPartner",
                {"Identity": "a.example", "AdditionalDomains": ListChange(add=("b.a.example", "c.a.example"))},
            ),
            Statement(
                "Set-CsXmppAllowedPartner",
                {"Identity": "a.example", "AdditionalDomains": ListChange(remove=("b.a.example",))},
            ),
            Statement(
                "Set-CsXmppGatewayConfiguration", {"Identity": "Global", "DialbackPassphrase": Secret("hush-hush")}
            ),
            Statement("Get-CsXmppAllowedPartner", {"Identity": "a.example"}),
        ]
    )
    assert answer.errors == ()
    shown = answer.output[-1]
    assert (shown["Description"], shown["ConnectionLimit"], shown["EnableKeepAlive"]) == (text, 5, False)
    assert shown["AdditionalDomains"] in ("c.a.example", ["c.a.example"])
    assert shown["TlsNegotiation"] == "Required"
    sent = [event.parameters for event in opened.events("statement")]
    assert sent[0]["ConnectionLimit"] == {"uint32": 5}
    assert sent[1]["AdditionalDomains"] == {"hashtable": {"Add": ["b.a.example", "c.a.example"]}}
    assert sent[3]["DialbackPassphrase"] == {"secret": True}


def test_bytes_larger_than_a_message_arrive_whole(opened: Opener) -> None:
    content = bytes(range(256)) * 3000  # 750 kB: two messages even after the server allowed 500 KiB
    session = opened("edge01")
    path = "C:\\Windows\\Temp\\large.bin"
    answer = session.invoke([Statement("Set-Content", {"Path": path, "Value": content, "Encoding": "Byte"})])
    assert answer.errors == ()
    assert opened.lab.store().files("edge01")[path] == content


@pytest.mark.quick
def test_one_failure_does_not_stop_the_others_and_is_told_in_the_servers_words(opened: Opener) -> None:
    opened.faults().add("New-CsXmppAllowedPartner", identity="b.example", message="The directory is not available.")
    answer = opened().invoke([partner("a.example"), partner("b.example"), partner("c.example"), READ])
    assert [error.message for error in answer.errors] == ["The directory is not available."]
    error = answer.errors[0]
    assert error.cmdlet == "New-CsXmppAllowedPartner"
    assert error.error_id
    assert error.category
    assert error.target == "b.example"
    assert sorted(opened.lab.store().partners()) == ["a.example", "c.example"]
    assert len(answer.output) == 4  # two from New-, two from Get-


def test_a_statement_alone_that_fails_is_told_in_the_same_way(opened: Opener) -> None:
    """Its pipeline is Failed and has the error in its last message, not as an error record."""
    opened.faults().add("New-CsXmppAllowedPartner", identity="b.example", message="The directory is not available.")
    session = opened()
    wrong = Statement("Get-CsXmppAllowedPartner", {"Bogus": 1})
    for statement, command, error_id, category in (
        (wrong, wrong.cmdlet, "NamedParameterNotFound", "InvalidArgument"),
        (Statement("Get-CsNothing"), "Get-CsNothing", "CommandNotFoundException", "ObjectNotFound"),
        (partner("b.example"), "New-CsXmppAllowedPartner", "LabFault", "InvalidOperation"),
    ):
        answer = session.invoke([statement])
        (error,) = answer.errors
        assert (error.cmdlet, error.error_id.partition(",")[0], error.category) == (command, error_id, category)
        assert (answer.output, answer.lost, answer.refused) == ((), "", False)
    assert error.message == "The directory is not available."
    assert opened.lab.store().partners() == {}
    assert session.invoke([partner("b.example"), READ]).errors == ()
    assert len([e for e in opened.lab.store().events() if e.kind == "session-open"]) == 1


def test_a_viewer_cannot_write(opened: Opener) -> None:
    session = opened(remote_user="CONTOSO\\viewer", remote_password="Lab-viewer-1")
    answer = session.invoke([Statement("Get-CsXmppGatewayConfiguration"), partner("a.example")])
    assert len(answer.output) == 1
    assert "CommandNotFoundException" in answer.errors[0].error_id
    assert opened.lab.store().partners() == {}


def test_many_statements_arrive_in_order(opened: Opener) -> None:
    domains = ["p%03d.example" % number for number in range(150)]
    answer = opened().invoke([partner(domain, Description="d" * 500) for domain in domains])
    assert answer.errors == ()
    assert [event.parameters["Identity"] for event in opened.events("statement")] == domains
    assert len(opened.events("session-open")) == 1


@pytest.mark.parametrize(("moment", "took_effect"), [("before", False), ("after", True)])
def test_a_write_that_is_cut_off_is_lost_and_not_repeated(
    opened: Opener, moment: t.Literal["before", "after"], took_effect: bool
) -> None:
    session = opened()
    opened.faults().add("New-CsXmppAllowedPartner", action="cut", when=moment)
    answer = session.invoke([partner("a.example")])
    assert answer.lost
    assert ("a.example" in opened.lab.store().partners()) is took_effect
    assert opened.statements().count("New-CsXmppAllowedPartner") <= 1

    again = session.invoke([READ])
    assert not again.lost
    assert len(again.output) == took_effect
    assert len(opened.events("session-open")) == 2


def test_a_read_that_is_cut_off_is_repeated_once(opened: Opener) -> None:
    session = opened()
    opened.faults().add("Get-CsXmppAllowedPartner", action="cut")
    assert not session.invoke([READ]).lost
    opened.faults().add("Get-CsXmppAllowedPartner", action="cut", times=2)
    assert session.invoke([READ]).lost


@pytest.mark.parametrize("abruptly", [False, True])
def test_after_a_restart_of_the_server_a_write_goes_through_a_new_session_once(opened: Opener, abruptly: bool) -> None:
    session = opened(auth="ntlm")
    assert not session.invoke([partner("a.example")]).errors
    if abruptly:
        opened.lab.kill()
    else:
        opened.lab.stop()
    opened.lab.start()
    answer = session.invoke([partner("b.example")])
    assert (answer.lost, answer.errors) == ("", ())
    assert sorted(opened.lab.store().partners()) == ["a.example", "b.example"]


def test_a_server_that_is_gone(opened: Opener) -> None:
    session = opened()
    session.invoke([READ])
    opened.lab.stop()
    try:
        with pytest.raises(SessionError, match="Connection refused"):
            session.invoke([partner("a.example")])
    finally:
        opened.lab.start()
    assert not session.invoke([partner("a.example")]).errors


def test_what_takes_longer_than_one_operation_is_waited_for(opened: Opener) -> None:
    opened.faults().add(SESSION, action="delay", seconds=2.5)
    opened.faults().add("Get-CsXmppAllowedPartner", action="delay", seconds=2.5)
    session = opened(operation_timeout=1, read_timeout=3)
    assert not session.invoke([READ]).lost
    assert opened.statements() == ["Get-CsXmppAllowedPartner"]
    assert len(opened.events("session-open")) == 1


def test_a_time_limit_gives_the_session_up(opened: Opener) -> None:
    """The daemon's alarm raises in the middle of whatever is going on; here a shorter one does."""

    def alarm(number: int, frame: object) -> None:
        raise Exception("command timeout triggered, timeout value is 1 secs.")

    session = opened()
    session.open()
    opened.faults().add("New-CsXmppAllowedPartner", action="delay", seconds=4)
    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        answer = session.invoke([partner("a.example"), READ])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert "not finished within 600 s (ansible_command_timeout)" in answer.lost
    assert not session.is_open
    assert not session.invoke([READ]).lost
    assert len(opened.events("session-open")) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"auth": "basic"},
        {"auth": "ntlm"},
        {"auth": "ntlm", "message_encryption": "always"},
        {"auth": "basic", "cert_validation": "ignore"},
        {"auth": "ntlm", "cert_validation": "ignore"},
    ],
)
def test_after_a_pause_the_session_goes_on_over_a_new_connection(
    opened: Opener, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_psrp_session, "STALE", 0)
    session = opened(**options)
    for _round in range(3):
        assert not session.invoke([READ]).lost
    assert len(opened.events("session-open")) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"remote_password": "not-to-be-seen"}, "ansible_password"),
        ({"remote_password": "not-to-be-seen", "auth": "ntlm"}, "ansible_password"),
        ({"remote_password": "not-to-be-seen", "auth": "negotiate"}, "ansible_password"),
        ({"remote_user": "CONTOSO\\nobody", "remote_password": "not-to-be-seen"}, "'CONTOSO\\nobody'"),
        ({"path": "Powershell"}, "ansible_psrp_path"),
        ({"ca_cert": None}, "ansible_psrp_ca_cert"),
        ({"protocol": "http", "auth": "ntlm"}, "ansible_psrp_protocol"),
        ({"auth": "ntlm", "negotiate_send_cbt": False}, "with ntlm authentication"),  # the lab demands channel binding
        ({"remote_addr": "nowhere.invalid"}, "name resolution"),
        ({"configuration_name": "Nowhere"}, "ansible_psrp_configuration_name"),
        ({"modules": ["Nowhere"]}, "ansible_management_shell_modules"),
    ],
)
def test_refusals_say_what_to_check_and_hold_no_password(opened: Opener, options: dict[str, t.Any], words: str) -> None:
    session = opened(**options)
    with pytest.raises(SessionError) as caught:
        session.invoke([partner("a.example")])
    text = str(caught.value)
    assert text.startswith("no session on http")
    assert words in text
    assert "not-to-be-seen" not in text
    assert "object at 0x" not in text
    assert "\n" not in text
    assert opened.lab.store().partners() == {}
