# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test partners from an Edge, over the Edge's own session, within a time limit.

In Windows, a test of a server that does not answer takes 20 seconds or more. So a pipeline has only as many tests as
fit into the remaining time. The tests that do not fit are not sent, and their results are unknown.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, replace

from .._base.names import Invalid, canonical_domain
from .._base.result import Params, Result
from .._base.task import Task
from .._base.texts import foreign
from .._shell.rights import missing
from .._shell.statement import Answer, Shell, Statement, place_of
from . import edge_answers as answers
from .edge_answers import CMDLETS, CONNECTIONS, EVENTS, RESOLVE, SRV, TEST
from .edge_view import EdgeTarget, EdgeView, Named, Sight
from .facts import ServiceRecord, is_local
from .options import DEFAULT_PORT

# The longest time in seconds without an answer: for a test (21 s for TCP, then a ping), and for a DNS query.
TEST_TAKES, QUESTION_TAKES = 25.0, 15.0
# The most statements in one pipeline. Ansible's default limit for one call is 600 s.
_MOST = 20
# The most servers to test for one domain.
MOST_TARGETS = 4
_TIME_UP = "the time limit for the Edge (edge_timeout) was reached"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "domains": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"domain": {"type": "str", "required": True}, "proxy": {"type": "str", "default": ""}},
    },
    "left": {"type": "int", "default": 0},
    "seconds": {"type": "float", "required": True},
    "hours": {"type": "int", "required": True},
    "gateway_port": {"type": "int", "default": DEFAULT_PORT},
    "allow_local": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class AskedDomain:
    """Describe a domain to test.

    domain: in A-labels.
    proxy: the server in the partner's settings that is used instead of DNS; '' for no such server.
    """

    domain: str
    proxy: str = ""


class Pace:
    """Send statements while enough time is left, even if no server answers.

    clock: seconds, monotonic.
    """

    def __init__(self, shell: Shell, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._shell, self._clock = shell, clock
        self._end = clock() + seconds

    def send(
        self, statements: t.Sequence[Statement], takes: float
    ) -> t.Iterator[tuple[t.Sequence[Statement], Answer | None]]:
        """Yield the statements of each pipeline with its answer. Statements that were not sent have None.

        takes: the longest time of one statement in seconds.

        Raises ShellError.
        """
        rest = list(statements)
        while rest:
            number = min(_MOST, int((self._end - self._clock()) / takes))
            if number < 1:
                yield rest, None
                return
            some, rest = rest[:number], rest[number:]
            answer = self._shell.invoke(some)
            yield some, answer
            if answer.lost:
                if rest:
                    yield rest, None
                return


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Run xmpp_edge_view. The result lists values that could not be read. Raises ShellError without a session."""
    wanted = [AskedDomain(one["domain"], one["proxy"]) for one in params["domains"]]
    pace = Pace(shell, params["seconds"])
    look = Look(shell, pace, params["gateway_port"], params["allow_local"])
    view = look.at(wanted, params["hours"])
    return Result(replace(view, left=params["left"]).as_dict())


class Look:
    """Run the tests of one Edge."""

    def __init__(self, shell: Shell, pace: Pace, gateway_port: int = DEFAULT_PORT, allow_local: bool = False) -> None:
        self._shell, self._pace = shell, pace
        self._port, self._allow_local = gateway_port, allow_local
        self._names = answers.Names()
        self._unasked: set[str] = set()  # names that were not looked up in time
        self._results: dict[tuple[str, int], tuple[bool | None, str]] = {}

    def at(self, wanted: t.Sequence[AskedDomain], hours: int) -> EdgeView:
        lacking = missing(self._shell, CMDLETS) or set()
        reasons = []
        if lacking:
            names = ", ".join(name for name in CMDLETS if name in lacking)
            reasons.append("%s is not offered on this Edge (Windows Server 2008 R2 has only Get-WinEvent)" % names)
        view = EdgeView(place_of(self._shell).host, hours=hours)
        if EVENTS not in lacking:
            answer = self._shell.invoke([answers.logged(hours)])
            events, why = answers.counted(answer)
            reasons += ["the log '%s': %s" % (answers.LOG, why)] * bool(why)
            view = replace(view, events=events, more=len(answer.output) >= answers.MOST_EVENTS)
        sights: list[Sight] = []
        if RESOLVE not in lacking:
            sights = self._named(wanted)
            sights, why = self._streams(sights, CONNECTIONS not in lacking)
            reasons += ["open connections: %s" % why] * bool(why)
            if TEST not in lacking:
                self._test(sights)
            sights = [self._settled(sight, TEST in lacking) for sight in sights]
        return replace(view, sights=tuple(sights), unobserved=tuple(reasons))

    # DNS

    def _named(self, wanted: t.Sequence[AskedDomain]) -> list[Sight]:
        direct = {one.domain for one in wanted if one.proxy}
        self._ask([answers.question(SRV + one.domain, "SRV") for one in wanted if one.domain not in direct])
        first = [self._servers(one) for one in wanted]
        hosts = dict.fromkeys(record.host for _named, records, _text in first for record in records if _is_name(record))
        self._ask([answers.question(host, "A_AAAA") for host in hosts])
        return [
            self._sight(one, named, records, text) for one, (named, records, text) in zip(wanted, first, strict=True)
        ]

    def _ask(self, questions: t.Sequence[Statement]) -> None:
        for asked, answer in self._pace.send(questions, QUESTION_TAKES):
            if answer is None:
                self._unasked.update(str(one.parameters["Name"]) for one in asked)
            else:
                self._names.learn(asked, answer)

    def _servers(self, wanted: AskedDomain) -> tuple[Named, list[ServiceRecord], str]:
        """Return the state of a domain's records, the servers to test, and why the state is unknown."""
        if wanted.proxy:
            return "found", [ServiceRecord(wanted.proxy, DEFAULT_PORT)], ""
        if SRV + wanted.domain in self._unasked:
            return "unknown", [], _TIME_UP
        services = self._names.services(wanted.domain)
        if services.state == "none":  # RFC 6120 section 3.2.2
            return "none", [ServiceRecord(wanted.domain, DEFAULT_PORT)], ""
        return t.cast(Named, services.state), list(services.records), services.text

    def _sight(self, wanted: AskedDomain, named: Named, records: t.Sequence[ServiceRecord], text: str) -> Sight:
        targets: list[EdgeTarget] = []
        for record in records:
            targets += self._targets(record)
        published = tuple(records) if named == "found" and not wanted.proxy else ()
        found = any(target.address for target in targets)
        unseen = [target.text for target in targets if target.reached is None and target.text]
        if named == "none":  # the domain itself can have an address
            named = "found" if found else "unknown" if unseen else "none"
        return Sight(wanted.domain, named, published, tuple(targets), None, text or next(iter(unseen), ""))

    def _targets(self, record: ServiceRecord) -> list[EdgeTarget]:
        if not _is_name(record):
            return [EdgeTarget(record.host, "", record.port, False, "it is not a host name")]
        if record.host in self._unasked:
            return [EdgeTarget(record.host, "", record.port, None, _TIME_UP)]
        found = self._names.addresses(record.host)
        if found.state == "unknown":
            return [EdgeTarget(record.host, "", record.port, None, found.text)]
        if found.state == "none":
            text = "the DNS of the Edge has no address of %s" % record.host
            return [EdgeTarget(record.host, "", record.port, False, text)]
        return [EdgeTarget(record.host, address, record.port) for address in found.addresses]

    # TCP

    def _streams(self, sights: t.Sequence[Sight], offered: bool) -> tuple[list[Sight], str]:
        """Add the number of open connections. If the number is unknown, also return the reason."""
        if not offered:
            return list(sights), ""
        ports = sorted({DEFAULT_PORT, *(target.port for sight in sights for target in sight.targets)})
        ways = (answers.open_connections("RemotePort", ports), answers.open_connections("LocalPort", (self._port,)))
        found: list[tuple[str, int, int]] = []
        for one in ways:
            connections, why = answers.connected(self._shell.invoke([one]))
            if why:
                return list(sights), why
            found += connections
        found = list(dict.fromkeys(found))
        for address, port, _local in found:
            self._results[address, port] = (True, "a connection is open")
        counted = []
        for sight in sights:
            servers = {(target.address, target.port) for target in sight.targets}
            hosts = {target.address for target in sight.targets}
            number = sum(
                (address, port) in servers or (address in hosts and local == self._port)
                for address, port, local in found
            )
            counted.append(replace(sight, streams=number))
        return counted, ""

    def _test(self, sights: t.Sequence[Sight]) -> None:
        """Test the first server of each domain.

        If the Edge does not reach this server, test the second server, and so on.
        """
        for number in range(MOST_TARGETS):
            places: list[tuple[str, int]] = []
            for sight in sights:
                tried = [(one.address, one.port) for one in sight.targets if self._may_test(one)]
                if number < len(tried) and not any(self._results.get(one, (None,))[0] for one in tried):
                    places.append(tried[number])
            due = [place for place in dict.fromkeys(places) if place not in self._results]
            for asked, answer in self._pace.send([answers.connection_test(*place) for place in due], TEST_TAKES):
                self._learn(asked, answer)

    def _may_test(self, target: EdgeTarget) -> bool:
        return bool(target.address) and (self._allow_local or not is_local(target.address))

    def _learn(self, asked: t.Sequence[Statement], answer: Answer | None) -> None:
        seen = {} if answer is None else answers.tested(answer)
        why = _TIME_UP
        if answer is not None:
            told = [answer.lost, *(error.message for error in answer.errors)]
            why = foreign(next(filter(None, told), "the test has no result"))
        for one in asked:
            place = (str(one.parameters["ComputerName"]), t.cast(int, one.parameters["Port"]))
            if place not in self._results:
                self._results[place] = seen.get(place, (None, why))

    def _settled(self, sight: Sight, untested: bool) -> Sight:
        """Add the test results to the servers of a domain. A server that was not tested has the reason."""
        settled = []
        for target in sight.targets:
            if target.address:
                otherwise = "Test-NetConnection is not offered" if untested else "it was not tested"
                if not self._allow_local and is_local(target.address):
                    otherwise = "it is an address of the Edge itself or of its own network link"
                reached, text = self._results.get((target.address, target.port), (None, otherwise))
                target = replace(target, reached=reached, text=text)
            settled.append(target)
        return replace(sight, targets=tuple(settled))


def _is_name(record: ServiceRecord) -> bool:
    """Return whether the target is a host name, so that the Edge can look up an address (RFC 2782)."""
    try:
        return not record.is_address and canonical_domain(record.host) == record.host
    except Invalid:
        return False


TASK = Task(ARGUMENT_SPEC, work)
