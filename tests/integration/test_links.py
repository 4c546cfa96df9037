# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight over the wire, in both releases: every link broken alone, and every two at once."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import NOTHING as NOBODY
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION

from lab.deployment.breaks import BREAKS, break_link, mend
from lab.deployment.ready import gateway_certificate, present
from tests.integration.links import SAME, Hosts
from tests.integration.management import NAMESERVER, renewed
from tests.integration.test_preflight import HEALTHY, MORE, converge

# Break -> what is found, link by link in the order of the documentation.
FOUND: dict[str, list[str]] = {
    "no-legacy-pool": ["no_legacy_pool", "server_later", "edge_without_xmpp", "users_elsewhere"],
    "edge-without-xmpp": ["edge_without_xmpp"],
    "gateway-not-installed": ["gateway_not_installed"],
    "proxy-not-installed": ["proxy_not_installed"],
    "gateway-stopped": ["gateway_stopped"],
    "proxy-stopped": ["proxy_stopped"],
    "no-route": ["no_route"],
    "route-to-2019": ["route_elsewhere"],
    "federated-users-off": ["federation_off"],
    "partner-allowed": ["partner_allowed"],
    "partner-blocked": ["partner_blocked"],
    "users-on-2019": ["users_elsewhere"],
    "policy-without-federation": ["policy_without_federation"],
    "policy-without-outside": ["policy_without_outside"],
    "stale-front-end": ["replica_behind"],
    "stale-replica": ["replica_behind"],
    "srv-missing": ["srv_missing"],
    "srv-elsewhere": ["srv_elsewhere"],
    "only-reading": ["rights"],
    "certificate-missing": ["certificate_missing"],
    "certificate-expired": ["certificate_expired"],
    "internal-certificate-expired": ["internal_certificate_expired"],
    "default-certificate-expired": ["default_certificate_expired"],
    "clock-ahead": ["clock_apart"],
}
CODES = list(dict.fromkeys(itertools.chain.from_iterable(FOUND.values())))
# A door of a later release is found only where no legacy pool is left.
CODES.sort(key=["no_legacy_pool", "server_later", *(codes[0] for codes in FOUND.values())].index)
# What is no broken link: it is found by nobody, and keeps no message from passing or concerns one user alone.
NOTHING = ("coexistence", "users-online", "users-disabled", "set-site-missing")
PASSES = ("late-replica",)  # by itself, after seconds
# There is no pool left to which a route could lead.
HIDDEN = {("no-legacy-pool", "route-to-2019"): {"route_elsewhere"}}
BLOCKING = {"edge_without_xmpp", "no_route", "route_elsewhere"}
# Converge looks at the store alone, and at users where the plan is about them.
OF_CONVERGE = {"rights", *CODES[: CODES.index("srv_missing")]} - {
    "gateway_not_installed", "gateway_stopped", "proxy_not_installed", "proxy_stopped", "users_elsewhere",
}  # fmt: skip


@pytest.fixture(scope="module", params=["sfb2015", "lync2013"])
def hosts(request: pytest.FixtureRequest) -> t.Iterator[Hosts]:
    """A lab in which everything is as it should be, and is again after every test."""
    lab = renewed(request.getfixturevalue("lab" if request.param == "sfb2015" else "lync"))
    present(lab.store(), *gateway_certificate(lab.directory))
    made = Hosts(lab)
    try:
        assert not made.management.run(FEDERATION, **HEALTHY).failures
        yield made
    finally:
        made.close()


def expected(*names: str) -> list[str]:
    codes = set().union(*(FOUND[name] for name in names)) - HIDDEN.get(t.cast("tuple[str, str]", names), set())
    return sorted(codes, key=CODES.index)


def _ask_again(hosts: Hosts, names: t.Collection[str]) -> None:
    """A session keeps what it offers, so a new one is opened where a break hides cmdlets, and once more afterwards."""
    if "only-reading" in names or hosts.management in _RESTRICTED:
        hosts.management.session.close()
    _RESTRICTED.discard(hosts.management)
    if "only-reading" in names:
        _RESTRICTED.add(hosts.management)


_RESTRICTED: set[object] = set()


def found(hosts: Hosts, *names: str) -> list[str]:
    """What preflight finds with these links broken; with rights among them, of a run that would write something."""
    for name in reversed(names):
        break_link(hosts.lab.store(), name)
    _ask_again(hosts, names)
    result = hosts.management.run(
        TASK,
        **hosts.read(),
        records=True,
        nameservers=["%s:%d" % (NAMESERVER, hosts.lab.xmpp_port)],
        **(MORE if "only-reading" in names else {}),
    )
    codes = [one["code"] for one in result.values["findings"]]
    assert {one["code"] for one in result.values["findings"] if one["blocks"]} == BLOCKING.intersection(codes)
    nobody = [one["code"] for one in result.values["findings"] if (one["severity"], one["effect"]) == ("error", NOBODY)]
    assert result.values["blocking"] == nobody
    return codes


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> t.Iterator[None]:
    yield
    if "hosts" in request.fixturenames:
        mend(request.getfixturevalue("hosts").lab.store())


def test_every_break_of_the_lab_is_spoken_of() -> None:
    assert {*FOUND, *NOTHING, *PASSES} == set(BREAKS)


def test_a_healthy_lab_has_no_finding(hosts: Hosts) -> None:
    assert found(hosts) == []
    for name in NOTHING:
        assert found(hosts, name) == [], name
        mend(hosts.lab.store())


@pytest.mark.parametrize("earlier", FOUND)
def test_the_first_broken_link_is_named_first_alone_and_of_two(hosts: Hosts, earlier: str) -> None:
    mark = hosts.management.mark()
    rest = list(FOUND)[list(FOUND).index(earlier) + 1 :]
    for names in ((earlier,), *((earlier, later) for later in rest if {earlier, later} not in SAME)):
        assert found(hosts, *names) == expected(*names), names
        mend(hosts.lab.store())
    assert hosts.management.writes(mark) == []


@pytest.mark.parametrize("name", FOUND)
def test_converge_names_the_link_and_writes_only_where_a_message_could_pass(hosts: Hosts, name: str) -> None:
    store, mark = hosts.lab.store(), hosts.management.mark()
    break_link(store, name)
    _ask_again(hosts, (name,))
    planned = converge(hosts.management, check=True, **MORE)
    codes = [code for code in FOUND[name] if code in OF_CONVERGE]
    assert [one["code"] for one in planned.values["preflight"]["findings"]] == codes
    assert len(planned.steps or ()) == 1
    assert hosts.management.writes(mark) == []
    blocking = [code for code in codes if code in BLOCKING]
    assert planned.values["preflight"]["blocking"] == blocking
    if blocking:
        assert planned.values["report"][-1] == "A real run would be refused before its first write: %s." % blocking[0]
    if blocking or name == "only-reading":
        with pytest.raises(Refused, match="no message could pass" if blocking else "can read but not write"):
            converge(hosts.management, **MORE)
        assert hosts.management.writes(mark) == []
    else:
        assert converge(hosts.management, **MORE).failures == []
        assert [event.cmdlet for event in hosts.management.writes(mark)] == ["New-CsXmppAllowedPartner"]
        store.delete("partner", MORE["partners"][-1]["domain"])
