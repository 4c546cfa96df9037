# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What explain says against what the gateway does with a message in each direction: every link broken, and every two.

The partner behaves as a real server does: it judges the gateway's certificate, and finds the gateway by DNS.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import TASK
from cryptography import x509

from lab.deployment.breaks import BREAKS, break_link, mend
from lab.deployment.public_ca import ROOT_FILE
from lab.deployment.ready import EDGES, USER
from lab.gateway.dial import DialFailed
from tests.integration.gateway_federation import Federation, listens, until
from tests.integration.gateway_peer import certificate
from tests.integration.links import SAME, Hosts
from tests.integration.management import NAMESERVER, renewed

PARTNER = "fabrikam.test"
# Which are no breaks of the lab: the partner's server does not answer, its certificate has expired.
AWAY, EXPIRED = "partner away", "partner expired"
# What breaks a link, in the order of explain -> the link, and whether it ends the way out and the way in.
LINKS: dict[str, tuple[str, bool, bool]] = {
    "users-disabled": ("user", True, True),
    "no-legacy-pool": ("home", True, True),
    "users-on-2019": ("home", True, True),
    "users-online": ("home", True, True),
    "policy-without-federation": ("policy", True, True),
    "partner-allowed": ("partner", True, True),
    "partner-blocked": ("partner", True, True),
    "federated-users-off": ("access_edge", True, True),
    "edge-without-xmpp": ("route", True, True),
    "no-route": ("route", True, True),
    "route-to-2019": ("route", True, True),
    "gateway-not-installed": ("services", True, True),
    "gateway-stopped": ("services", True, True),
    "proxy-not-installed": ("services", True, True),
    "proxy-stopped": ("services", True, True),
    "certificate-missing": ("certificate", True, True),
    "certificate-expired": ("certificate", True, True),
    "internal-certificate-expired": ("internal", True, True),
    "default-certificate-expired": ("internal", True, True),
    AWAY: ("partner_server", True, False),
    "srv-missing": ("published", False, True),
    "srv-elsewhere": ("published", False, True),
}
NOTHING = (
    "coexistence", "policy-without-outside", "clock-ahead", "set-site-missing", "only-reading",
    "late-replica",
)  # fmt: skip
# A server that works from an older configuration; what it does with what was written since is not known.
STALE = ("stale-front-end", "stale-replica")
# What shows from outside.
SEEN = {name for name in LINKS if name.startswith(("proxy", "certificate", "srv")) or name == AWAY}
ORDER = list(dict.fromkeys(link for link, _out, _in in LINKS.values()))
ROWS = {
    "certificates alone": ("Required", "Required", False),
    "dialback as the second": ("Required", "Optional", True),
    "dialback in TLS": ("Required", "NotSupported", True),
    "all three": ("Optional", "Required", True),
    "in the clear": ("NotSupported", "NotSupported", True),
}


class Between:
    """A user and a partner in a lab where nothing stands between them."""

    def __init__(self, lab: Federation, hosts: Hosts) -> None:
        self.lab, self.hosts = lab, hosts
        lab.names.upstream = (NAMESERVER, lab.lab.xmpp_port)
        peer = lab.peer
        peer.manner = replace(peer.manner, looks=True)
        peer.names = lab.names.where
        peer.anchors = x509.load_pem_x509_certificates((lab.lab.directory / ROOT_FILE).read_bytes())
        self._server = lab.names.servers[PARTNER]
        self._identities = {kind: certificate(lab.lab.directory, PARTNER, kind) for kind in ("good", "expired")}
        self.row("certificates alone")

    def row(self, name: str) -> None:
        self.lab.allow(ROWS[name])

    def broken(self, *names: str) -> None:
        """These and no others, the last first; every stream is a new one."""
        store = self.lab.store
        mend(store)
        until(lambda: all(map(listens, self.lab.gateway)))
        self.lab.names.servers[PARTNER] = ("127.0.0.19", 1) if AWAY in names else self._server
        self.lab.peer.identity = self._identities["expired" if EXPIRED in names else "good"]
        for name in reversed(names):
            if name in BREAKS:
                break_link(store, name)
        for host in EDGES:
            store.present(host, "XmppServer", store.presented(host).get("XmppServer"))

    def probe(self) -> dict[str, t.Any]:
        """How the probe looks, from where the partner looks."""
        return {
            "nameservers": [self.lab.names.where],
            "trust_store": str(self.lab.lab.directory / ROOT_FILE),
            "gateway_port": self.lab.lab.xmpp_port,
        }

    def explained(self, probed: bool = True) -> dict[str, t.Any]:
        result = self.hosts.management.run(
            TASK,
            user=USER,
            partner=PARTNER,
            **self.hosts.read(),
            probe=self.probe() if probed else None,
        )
        assert not result.changed
        return result.values

    def seen(self) -> tuple[bool, bool]:
        """Whether a message gets out, and one in."""
        number = self.lab.store.send_message(USER, "romeo@" + PARTNER, "Hello")
        came = self.arrives()
        return self.lab.settled(number).status == "sent", came

    def arrives(self) -> bool:
        try:
            dialog = self.lab.peer.authenticate()
            return dialog is not None and self.lab.says(dialog).status == "delivered"
        except DialFailed:
            return False

    def agrees(self, what: object, probed: bool = True) -> dict[str, t.Any]:
        found = self.explained(probed)
        told = (found["out"] is None, found["in"] is None)
        assert told == self.seen(), (what, found["report"])
        return found


@pytest.fixture(scope="module", params=["sfb2015", "lync2013"])
def between(request: pytest.FixtureRequest) -> t.Iterator[Between]:
    lab = renewed(request.getfixturevalue("lab" if request.param == "sfb2015" else "lync"))
    hosts = Hosts(lab)
    try:
        with Federation.of(lab) as made:
            yield Between(made, hosts)
            mend(made.store)
    finally:
        hosts.close()


def expected(*names: str) -> tuple[str | None, str | None]:
    """The first broken link on the way out and on the way in."""
    found: list[str | None] = []
    for direction in (1, 2):
        links = {LINKS[name][0] for name in names if LINKS[name][direction]}
        found.append(min(links, key=ORDER.index, default=None))
    return found[0], found[1]


def test_every_break_of_the_lab_is_spoken_of() -> None:
    assert {*LINKS, *NOTHING, *STALE} - {AWAY} == set(BREAKS)


def test_what_is_no_broken_link_is_in_nobodys_way(between: Between) -> None:
    for name in ("", *NOTHING):
        between.broken(*filter(None, [name]))
        found = between.agrees(name)
        assert found["first_broken"] is None, name
        assert not name or not BREAKS[name].blocks
        # Without a certificate of the gateway the probe does not know what the partner takes.
        unknown = {link["name"] for link in found["links"] if link["severity"] == "unknown"}
        assert unknown <= {"partner_server"}, found["report"]


@pytest.mark.parametrize("earlier", LINKS)
def test_every_link_alone_and_every_two(between: Between, earlier: str) -> None:
    """Two in one of the releases: the gateway is the same in both. Of two the probe is asked where it sees any."""
    rest = list(LINKS)[list(LINKS).index(earlier) + 1 :] if between.lab.lab.profile == "sfb2015" else []
    for names in ((earlier,), *((earlier, later) for later in rest if {earlier, later} not in SAME)):
        between.broken(*names)
        found = between.agrees(names, len(names) == 1 or bool(SEEN.intersection(names)))
        assert (found["out"], found["in"]) == expected(*names), (names, found["report"])
    # Without a certificate dialback remains, in a row that has it.
    one = BREAKS.get(earlier)
    assert one is None or one.blocks == (None not in expected(earlier) and not earlier.startswith("certificate"))
    between.broken()
    assert between.seen() == (True, True), "mended"


@pytest.mark.parametrize("stale", STALE)
def test_what_a_stale_server_knows_is_not_claimed(between: Between, stale: str) -> None:
    """Broken before it went stale, a link is broken there too. Afterwards the server goes on as it did."""
    for name in ("partner-blocked", "federated-users-off", "no-route"):
        between.broken(stale, name)  # the last first
        found = between.agrees(name)
        assert found["out"] == LINKS[name][0]
        between.broken(name, stale)
        found = between.explained()
        assert found["out"] == LINKS[name][0]
        assert "is not up to date, so the last changes are possibly not in effect on that server" in found["sentence"]
        assert between.seen() == (True, True)
    between.broken(stale)
    between.lab.store.delete("partner", PARTNER)
    between.row("certificates alone")
    found = between.agrees(stale)
    unknown = {link["name"] for link in found["links"] if link["severity"] == "unknown"}
    # Without a certificate of the gateway the probe does not know what the partner takes.
    assert unknown <= {"partner_server"}
    late = [link for link in found["links"] if link["name"] == "replicas"]
    assert [(link["code"], link["severity"]) for link in late] == [("replica_behind", "warning")]
    assert "is not up to date" in found["sentence"] or unknown


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("between", ["sfb2015"], indirect=True)
def test_what_a_partner_needs_depends_on_its_row(between: Between, row: str) -> None:
    """With dialback the certificates matter less, and what is published more."""
    between.row(row)
    own = itertools.product(("", "certificate-missing", "certificate-expired"), ("", "srv-missing", AWAY))
    try:
        for names in (*own, (EXPIRED,), (EXPIRED, "srv-missing"), (EXPIRED, "certificate-expired")):
            between.broken(*filter(None, names))
            between.agrees((row, names))
    finally:
        between.row("certificates alone")
