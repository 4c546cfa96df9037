# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Edge is asked, the forms of its answers, and how long it may take."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import LONGEST
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import edge_answers as answers
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_judge import gaps
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_look import TASK, AskedDomain, Look, Pace
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_view import EdgeView, Sight, view_of
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, ShellError
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.edge_questions import DEFAULTS, questions

from tests.unit.module_utils.edge_shell import SRV, EdgeNetwork, address, dns_error, event, service

DOMAIN, HOST, ADDRESS = "fabrikam.com", "xmpp.fabrikam.com", "192.0.2.20"
HOSTILE = "bad\x1b[2J\u202e\r\nok: [fe01]"


def look(
    edge: EdgeNetwork, *domains: str, seconds: float = 300.0, proxy: str = "", allow_local: bool = False
) -> EdgeView:
    pace = Pace(edge, seconds, edge.clock)
    wanted = [AskedDomain(domain, proxy) for domain in domains or (DOMAIN,)]
    return Look(edge, pace, allow_local=allow_local).at(wanted, 24)


def seen(edge: EdgeNetwork, **more: t.Any) -> Sight:
    (sight,) = look(edge, **more).sights
    return sight


def alias(name: str, other: str) -> dict[str, t.Any]:
    return {"Name": name, "Type": "CNAME", "NameHost": other}


SOA = {"Name": "fabrikam.com", "Type": "SOA", "NameHost": None}


@pytest.mark.parametrize(
    ("output", "errors", "state", "hosts"),
    [
        ([service(DOMAIN, HOST)], [], "found", [HOST]),
        ([service(DOMAIN, HOST.upper() + ".")], [], "found", [HOST]),
        ([service(DOMAIN, "b.x", priority=20), service(DOMAIN, "a.x", priority=10)], [], "found", ["a.x", "b.x"]),
        ([service(DOMAIN, "b.x", weight=1), service(DOMAIN, "a.x", weight=9)], [], "found", ["a.x", "b.x"]),
        ([alias(SRV + DOMAIN, SRV + "b.com"), service("b.com", HOST)], [], "found", [HOST]),
        ([alias(SRV + DOMAIN, SRV + DOMAIN)], [], "none", []),
        ([service(DOMAIN, ".")], [], "not_offered", []),
        ([SOA], [], "none", []),
        ([], [], "none", []),
        ([], [dns_error(SRV + DOMAIN)], "none", []),
        ([], [dns_error(SRV + DOMAIN.upper(), "DNS_INFO_NO_RECORDS")], "none", []),
        ([], [dns_error(SRV + DOMAIN, "DNS_ERROR_RCODE_SERVER_FAILURE")], "unknown", []),
        ([], [dns_error(SRV + DOMAIN, "ERROR_TIMEOUT")], "unknown", []),
        ([], [ServerError("Resolve-DnsName", "Odd", "NotSpecified", "whatever")], "unknown", []),
        ([{**service(DOMAIN, HOST), "Port": "5269"}], [], "unknown", []),
        ([{**service(DOMAIN, HOST), "Port": 70000}], [], "unknown", []),
        ([{**service(DOMAIN, HOST), "NameTarget": 7}], [], "unknown", []),
        (["text", 5], [], "none", []),
    ],
)
def test_forms_of_srv_records(output: list[t.Any], errors: list[ServerError], state: str, hosts: list[str]) -> None:
    names = answers.Names()
    names.learn([answers.question(SRV + DOMAIN, "SRV")], Answer(tuple(output), tuple(errors)))
    found = names.services(DOMAIN)
    assert (found.state, [record.host for record in found.records]) == (state, hosts)
    assert bool(found.text) is (state == "unknown")


@pytest.mark.parametrize(
    ("output", "state", "found"),
    [
        ([address(HOST, "2001:db8::1"), address(HOST, ADDRESS)], "found", (ADDRESS, "2001:db8::1")),
        ([address(HOST, ADDRESS), address(HOST, ADDRESS)], "found", (ADDRESS,)),
        ([alias(HOST, "b.com"), address("b.com", ADDRESS)], "found", (ADDRESS,)),
        ([address("other.com", ADDRESS)], "none", ()),
        ([{**address(HOST, ADDRESS), "IPAddress": None}], "unknown", ()),
        ([address(HOST, "300.1.1.1")], "unknown", ()),
        ([SOA], "none", ()),
    ],
)
def test_forms_of_addresses(output: list[t.Any], state: str, found: tuple[str, ...]) -> None:
    names = answers.Names()
    names.learn([answers.question(HOST, "A_AAAA")], Answer(tuple(output)))
    assert (names.addresses(HOST).state, names.addresses(HOST).addresses) == (state, found)


def test_addresses_that_come_with_an_srv_record_are_read() -> None:
    asked = answers.question(SRV + DOMAIN, "SRV")
    whole = address(HOST, ADDRESS)
    names = answers.Names()
    output = [service(DOMAIN, HOST), {name: whole.get(name) for name in asked.select}]
    names.learn([asked, answers.question(HOST, "A_AAAA")], Answer((*output, whole)))
    assert names.services(DOMAIN).state == "found"
    assert names.addresses(HOST).addresses == (ADDRESS,)


def test_questions_of_a_pipeline_that_was_lost_are_unknown() -> None:
    names = answers.Names()
    names.learn([answers.question(SRV + DOMAIN, "SRV")], Answer(lost="the session was lost\x07"))
    assert names.services(DOMAIN).state == "unknown"
    assert names.services(DOMAIN).text == "the session was lost\\x07"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"ComputerName": ADDRESS, "RemotePort": 5269, "TcpTestSucceeded": True}, {(ADDRESS, 5269): (True, "")}),
        ({"ComputerName": ADDRESS, "RemotePort": 5269, "TcpTestSucceeded": "True"}, {}),
        ({"ComputerName": HOST, "RemotePort": 5269, "TcpTestSucceeded": True}, {}),
        ({"ComputerName": ADDRESS, "RemotePort": None, "TcpTestSucceeded": False}, {}),
        (True, {}),
    ],
)
def test_forms_of_a_connection_test(item: t.Any, expected: dict[t.Any, t.Any]) -> None:
    assert answers.tested(Answer((item,))) == expected


def test_a_failed_test_says_whether_the_host_answers_a_ping() -> None:
    item = {"ComputerName": ADDRESS, "RemotePort": 1, "TcpTestSucceeded": False, "PingSucceeded": True}
    assert answers.tested(Answer((item,)))[ADDRESS, 1] == (False, "the host answers a ping")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(errors=(ServerError("Get-NetTCPConnection", "HRESULT 0x80041003", "PermissionDenied", HOSTILE),)),
        Answer(({"RemoteAddress": "x", "RemotePort": 1, "LocalPort": 1},)),
        Answer(({"RemoteAddress": ADDRESS, "RemotePort": "1", "LocalPort": 1},)),
        Answer(("text",)),
        Answer(lost=HOSTILE),
    ],
)
def test_connections_that_are_not_known(answer: Answer) -> None:
    found, why = answers.connected(answer)
    assert found == []
    assert why
    assert why.isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(errors=(ServerError("Get-WinEvent", "NoMatchingLogsFound,x", "ObjectNotFound", HOSTILE),)),
        Answer(errors=(ServerError("Get-WinEvent", "System.UnauthorizedAccessException", "", "denied"),)),
        Answer(({**event(1), "Id": "1"},)),
        Answer(({**event(1), "Level": 0},)),
        Answer((7,)),
        Answer(lost="gone"),
    ],
)
def test_events_that_are_not_known(answer: Answer) -> None:
    found, why = answers.counted(answer)
    assert found is None
    assert why
    assert why.isprintable()


def test_events_are_counted_by_number_and_provider() -> None:
    edge = EdgeNetwork(events=[event(7, "new"), event(9, "x", 3), event(7, "old", 3), event(7, "other", provider="B")])
    view = look(edge)
    assert [(one.id, one.provider, one.count, one.level, one.text) for one in view.events or ()] == [
        (7, "LS XMPP Proxy", 2, 2, "new"),
        (7, "B", 1, 2, "other"),
        (9, "LS XMPP Proxy", 1, 3, "x"),
    ]
    assert not view.more
    assert look(EdgeNetwork()).events == ()
    assert look(EdgeNetwork(events=[event(1)] * 2000)).more


def test_texts_of_others_can_be_printed() -> None:
    """An event, an error, a target: what a partner or a server chose stays on its line, and is short."""
    edge = EdgeNetwork(events=[event(1, HOSTILE + "y" * 5000, provider=HOSTILE)], reached={ADDRESS})
    edge.records[SRV + DOMAIN, "SRV"] = [service(DOMAIN, HOSTILE), service(DOMAIN, "-bad-")]
    edge.errors[SRV + "b.com"] = dns_error(SRV + "b.com", "ERROR_TIMEOUT", HOSTILE)
    view = look(edge, DOMAIN, "b.com")
    texts = json.dumps(view.as_dict(), ensure_ascii=False)
    assert texts.isprintable()
    assert max(len(one.text) for one in view.events or ()) == LONGEST
    assert [sight.reached for sight in view.sights] == [False, None]
    # Nobody is asked about a name that is none.
    assert [one.parameters["Name"] for one in edge.asked("Resolve-DnsName")] == [SRV + DOMAIN, SRV + "b.com"]


# What is asked


def test_a_partner_is_asked_about_once() -> None:
    edge = EdgeNetwork(reached={ADDRESS})
    edge.partner(DOMAIN, ADDRESS, port=5270)
    sight = seen(edge)
    assert (sight.named, sight.reached, sight.streams) == ("found", True, 0)
    assert [(one.host, one.address, one.port) for one in sight.targets] == [(HOST, ADDRESS, 5270)]
    assert [dict(one.parameters) for one in edge.asked("Test-NetConnection")] == [
        {"ComputerName": ADDRESS, "Port": 5270}
    ]
    assert len(edge.asked("Resolve-DnsName")) == 2
    # A session that is lost sends them again: they only read.
    assert all(statement.is_read for pipeline in edge.sent for statement in pipeline)


def test_two_partners_on_one_server_are_tested_once() -> None:
    edge = EdgeNetwork(reached={ADDRESS})
    for domain in ("a.com", "b.com"):
        edge.records[SRV + domain, "SRV"] = [service(domain, HOST)]
    edge.records[HOST, "A_AAAA"] = [address(HOST, ADDRESS)]
    assert [sight.reached for sight in look(edge, "a.com", "b.com").sights] == [True, True]
    assert len(edge.asked("Test-NetConnection")) == 1


def test_the_server_that_the_settings_name_is_asked_about_instead_of_dns() -> None:
    edge = EdgeNetwork(reached={ADDRESS})
    edge.records["gw.fabrikam.com", "A_AAAA"] = [address("gw.fabrikam.com", ADDRESS)]
    sight = seen(edge, proxy="gw.fabrikam.com")
    assert (sight.reached, sight.records) == (True, ())
    assert [one.parameters["Name"] for one in edge.asked("Resolve-DnsName")] == ["gw.fabrikam.com"]


def test_without_an_srv_record_the_domain_itself_counts() -> None:
    edge = EdgeNetwork(reached={ADDRESS})
    edge.records[DOMAIN, "A_AAAA"] = [address(DOMAIN, ADDRESS)]
    assert (seen(edge).named, seen(edge).reached, seen(edge).records) == ("found", True, ())
    assert (seen(EdgeNetwork()).named, seen(EdgeNetwork()).reached) == ("none", False)


def test_an_open_connection_spares_the_test() -> None:
    edge = EdgeNetwork(open=[(ADDRESS, 5269, 50000), (ADDRESS, 40000, 5269), ("192.0.2.99", 5269, 50001)])
    edge.partner(DOMAIN, ADDRESS)
    sight = seen(edge)
    assert (sight.reached, sight.streams) == (True, 2)
    assert not edge.asked("Test-NetConnection")


def test_the_next_server_is_tested_where_the_first_does_not_answer() -> None:
    edge = EdgeNetwork(reached={"192.0.2.22"})
    edge.partner(DOMAIN, "192.0.2.21", "192.0.2.22", "192.0.2.23")
    sight = seen(edge)
    assert sight.reached is True
    assert [one.reached for one in sight.targets] == [False, True, None]
    edge = EdgeNetwork()
    edge.partner(DOMAIN, "192.0.2.21", "192.0.2.22")
    assert seen(edge).reached is False


def test_more_servers_than_are_tested_leave_it_unknown() -> None:
    edge = EdgeNetwork(dead=1.0)
    edge.partner(DOMAIN, *("192.0.2.%d" % number for number in range(1, 9)))
    sight = seen(edge)
    assert (len(edge.asked("Test-NetConnection")), sight.reached) == (4, None)


@pytest.mark.parametrize("local", ["127.0.0.1", "169.254.169.254", "::1", "0.0.0.0", "fe80::1"])
def test_a_partner_that_leads_to_the_edge_itself_is_not_tested(local: str) -> None:
    edge = EdgeNetwork(reached={local})
    edge.partner(DOMAIN, local)
    assert seen(edge).reached is None
    assert not edge.asked("Test-NetConnection")
    assert seen(edge, allow_local=True).reached is True


@pytest.mark.parametrize(
    ("lacking", "reached", "streams", "named"),
    [
        (("Test-NetConnection",), None, 0, "found"),
        (("Get-NetTCPConnection",), True, None, "found"),
        (("Get-WinEvent",), True, 0, "found"),
        (("Get-NetTCPConnection", "Test-NetConnection"), None, None, "found"),
    ],
)
def test_a_cmdlet_that_is_missing_is_unknown(
    lacking: tuple[str, ...], reached: bool | None, streams: int | None, named: str
) -> None:
    edge = EdgeNetwork(reached={ADDRESS}, lacking=lacking)
    edge.partner(DOMAIN, ADDRESS)
    view = look(edge)
    (sight,) = view.sights
    assert (sight.named, sight.reached, sight.streams) == (named, reached, streams)
    assert all(name in view.unobserved[0] for name in lacking)
    assert (view.events is None) is ("Get-WinEvent" in lacking)


def test_windows_server_2008_r2() -> None:
    edge = EdgeNetwork(lacking=("Resolve-DnsName", "Test-NetConnection", "Get-NetTCPConnection"), events=[event(1)])
    view = look(edge)
    assert (view.sights, len(view.events or ()), len(view.unobserved)) == ((), 1, 1)


# How long it takes


def crowd(edge: EdgeNetwork, count: int, dead: int) -> list[str]:
    """Partners, of which the first do not answer."""
    domains = ["p%d.example" % number for number in range(count)]
    for number, domain in enumerate(domains):
        edge.partner(domain, "192.0.2.%d" % number)
        if number >= dead:
            edge.reached.add("192.0.2.%d" % number)
    return domains


def test_a_hundred_dead_partners_end_in_time() -> None:
    """Each takes Windows 22 s: without a bound they would take 37 minutes."""
    edge = EdgeNetwork()
    view = look(edge, *crowd(edge, 100, 100))
    assert edge.now <= 300
    tested = [sight.reached for sight in view.sights]
    assert (tested.count(False), tested.count(None)) == (
        len(edge.asked("Test-NetConnection")),
        100 - tested.count(False),
    )
    assert tested.count(False) >= 8
    assert any("edge_timeout" in text for text in gaps(view))


@pytest.mark.parametrize("seconds", [0.0, 10.0, 30.0, 60.0, 120.0, 299.0])
@pytest.mark.parametrize("dead", [21.0, 24.9])
def test_any_number_of_seconds_is_a_bound(seconds: float, dead: float) -> None:
    edge = EdgeNetwork(dead=dead)
    look(edge, *crowd(edge, 30, 30), seconds=seconds)
    assert edge.now <= seconds + 1.0  # a look into the log, and one at the connections


def test_a_few_dead_partners_leave_time_for_the_others() -> None:
    edge = EdgeNetwork()
    view = look(edge, *crowd(edge, 100, 5))
    assert [sight.reached for sight in view.sights] == [False] * 5 + [True] * 95
    assert len(edge.sent) < 30, "pipelines, not a request for each partner"


def test_dns_that_does_not_answer_is_bounded_as_well() -> None:
    class Slow(EdgeNetwork):
        def _dnsname(self, given: t.Mapping[str, t.Any]) -> Answer:
            self.now += 12.0
            return Answer(errors=(dns_error(str(given["Name"]), "ERROR_TIMEOUT", "timeout"),))

    edge = Slow()
    view = look(edge, *crowd(edge, 100, 0))
    assert edge.now <= 301
    assert {sight.reached for sight in view.sights} == {None}


def test_a_session_that_is_lost_ends_the_questions() -> None:
    class Lost(EdgeNetwork):
        def _netconnection(self, given: t.Mapping[str, t.Any]) -> Answer:
            return Answer(lost="gone")

    edge = Lost()
    view = look(edge, *crowd(edge, 60, 0))
    assert {sight.reached for sight in view.sights} == {None}
    assert len(edge.asked("Test-NetConnection")) <= 4 * 12


# The result, and what is asked for whom


def test_the_result_comes_back() -> None:
    edge = EdgeNetwork(events=[event(1)], reached={ADDRESS})
    edge.partner(DOMAIN, ADDRESS)
    given = {"domains": [{"domain": DOMAIN, "proxy": ""}], "left": 3, "seconds": 300.0, "hours": 24}
    result = TASK.work({**given, "gateway_port": 5269, "allow_local": False}, edge, False).values
    view = view_of(json.loads(json.dumps(result)))
    assert (view.host, view.left, view.as_dict()) == ("edge01", 3, result)
    with pytest.raises(Refused):
        view_of({**result, "form": 2})


def test_without_a_session_there_is_no_result() -> None:
    class Dead(EdgeNetwork):
        def invoke(self, statements: t.Any) -> Answer:
            raise ShellError("no route")

    with pytest.raises(ShellError):
        look(Dead())


PARTNERS: list[dict[str, t.Any]] = [
    {"domain": "Fabrikam.com.", "additional_domains": ["b.fabrikam.com"], "proxy_fqdn": "gw.fabrikam.com"},
    {"domain": "m\u00fcnchen.example"},
    {"domain": "*"},
]


@pytest.mark.parametrize(
    ("playbook", "settings", "wanted", "asked"),
    [
        ("verify", {}, "", ["fabrikam.com", "b.fabrikam.com", "xn--mnchen-3ya.example"]),
        ("preflight", {}, "", ["fabrikam.com", "b.fabrikam.com", "xn--mnchen-3ya.example"]),
        ("audit", {}, "", ["fabrikam.com", "b.fabrikam.com", "xn--mnchen-3ya.example"]),
        ("audit", {}, "b.fabrikam.com", ["b.fabrikam.com"]),
        ("explain", {}, "joe@FABRIKAM.com", ["fabrikam.com"]),
        ("explain", {}, "other.example", ["other.example"]),
        ("explain", {}, "", None),
        ("verify", {"edge_limit": 2}, "", ["fabrikam.com", "b.fabrikam.com"]),
        ("verify", {"edge_limit": 0}, "", None),
        ("converge", {}, "", None),
        ("onboard", {}, "", None),
        ("restore", {}, "", None),
    ],
)
def test_who_asks_about_which_domains(
    playbook: str, settings: dict[str, t.Any], wanted: str, asked: list[str] | None
) -> None:
    found = questions(playbook, settings, PARTNERS, wanted)
    assert (found and [one["domain"] for one in found["domains"]]) == asked
    if found and "edge_limit" in settings:
        assert found["left"] == 1


def test_settings_of_the_questions() -> None:
    found = questions("verify", {"edge_timeout": 60, "edge_hours": 4, "allow_local": True}, PARTNERS, "")
    assert found is not None
    assert (found["seconds"], found["hours"], found["allow_local"], found["left"]) == (60.0, 4, True, 0)
    assert found["domains"][0] == {"domain": "fabrikam.com", "proxy": "gw.fabrikam.com"}
    assert (DEFAULTS["edge_limit"], DEFAULTS["edge_timeout"]) == (100, 300.0)
    assert questions("audit", {}, PARTNERS, "", probes=False) is None
    assert questions("verify", {}, [], "") is None
