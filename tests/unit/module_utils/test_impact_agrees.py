# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may talk to whom, computed by groups, is what explain says of each user, each domain and each direction alone.

1,000 generated deployments, in series of which each is the former with something changed: so each is also the result
of a plan, whose impact is counted user by user.
"""

from __future__ import annotations

import random
import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import UNKNOWN
from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.impact import CHANGES, Impact, impact
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import Known, Pair, Probed, Scope
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.pair import Explanation, explain
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.reach import May, Reach, who_may_talk
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Site, Topology

SERIES, LONG = 50, 20
# What is not read for it, and does not decide who may.
NOT_ASKED = ("services", "certificate", "internal", "replicas", "partner_server", "published")
# Name, site, release, Front End. The last is not among the pools that are read.
POOLS = (
    ("fe01.test", "Redmond", "2015", True), ("fe02.test", "Dublin", "2013", True),
    ("fe19.test", "Redmond", "2019", True), ("sba.test", "Dublin", "2015", False), ("odd.test", "Oslo", None, True),
    ("gone.test", "Oslo", "2015", True),
)  # fmt: skip
GOOD = ("fe01.test", "FE01.test", "fe02.test")
POLICIES = ("global", "site:redmond", "site:dublin", "full", "xmpp", "none")
DOMAINS = ("a.test", "b.test", "x.a.test", "y.a.test", "c.test")


@dataclass
class World:
    """A deployment as the generator has it. policies: XMPP and federation access. partners: values."""

    random: random.Random
    policies: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    partners: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    federated: bool | None = True
    routes: dict[str, str] | None = field(default_factory=lambda: {"Redmond": "edge.test"})
    edges: tuple[EdgePool, ...] | None = ()
    allowed: tuple[str, ...] | None = ()
    blocked: tuple[str, ...] | None = ()
    pools: tuple[Pool, ...] | None = ()
    lost: tuple[str, ...] = ()  # kinds that could not be read

    def made(self) -> World:
        """What a plan does not change, and a beginning of the rest."""
        some = self.random
        pools = tuple(Pool(name, site, (name,), release, True, front) for name, site, release, front in POOLS[:-1])
        self.pools = pools if some.random() < 0.95 else None
        self.edges = None if some.random() < 0.05 else tuple(
            EdgePool(name, "sip." + name, 5269 if some.random() < 0.97 else None, 23456, release)
            for name, release in (("edge.test", "2015"), ("edge19.test", "2019"))
        )  # fmt: skip
        self.allowed, self.blocked = (
            None if some.random() < 0.05 else tuple(one for one in DOMAINS if some.random() < 0.05) for _side in "ab"
        )
        for name in ("ann", "bob", "cid", "dan"):
            self.users["cn=" + name] = self.user(name)
        self.lost = ("partners",) if some.random() < 0.03 else ()
        for _number in range(12):
            self.change()
        return self

    def user(self, name: str) -> User:
        some = self.random
        online = some.random() < 0.1
        unread = "" if online or some.random() < 0.9 else "RegistrarPool is odd"
        return User(
            "CN=" + name, "sip:%s@test" % name,
            policy=some.choice(["", "", "Full", "XMPP", "None", "Missing"]),
            pool="" if online or unread else some.choice([*(one[0] for one in POOLS), *GOOD, *GOOD, ""]),
            provider="online" if online else "", enabled=some.choice([*[True] * 8, False, None]), unread=unread,
        )  # fmt: skip

    def change(self) -> None:
        """What a plan may change."""
        some = self.random
        what = some.choice(["policy"] * 5 + ["partner"] * 6 + ["grant"] * 4 + ["edge", "route"])
        if what == "policy":
            name = some.choice(POLICIES)
            self.policies[name] = (some.random() < 0.9, some.random() < 0.9)
            if name != "global" and some.random() < 0.3:
                del self.policies[name]
        elif what == "partner":
            name = some.choice(["a.test", "b.test"])
            self.partners[name] = {
                "partner_type": some.choice(["federated", "public_verified", "public_unverified"]),
                "tls_negotiation": "required",
                "sasl_negotiation": some.choice(["required", "optional", "not_supported"]),
                "support_dialback_negotiation": some.random() < 0.8,
                "additional_domains": [one for one in DOMAINS if some.random() < 0.4],
            }
            if some.random() < 0.2:
                del self.partners[name]
        elif what == "grant":
            key = some.choice(list(self.users))
            self.users[key] = replace(self.users[key], policy=some.choice(["", "Full", "xmpp"]))
        elif what == "edge":
            self.federated = some.choice([*[True] * 8, False, None])
        else:
            routes = {"Redmond": some.choice([*["edge.test"] * 6, "edge19.test", "", "other.test"]), "Dublin": ""}
            self.routes = routes if some.random() < 0.95 else None

    def known(self) -> Known:
        sites = None if self.routes is None else tuple(Site(name, "", edge) for name, edge in self.routes.items())
        kinds = {
            "policies": {
                key: Record(key, {"enable_xmpp_access": xmpp, "enable_federation_access": federation})
                for key, (xmpp, federation) in {"global": (False, False), **self.policies}.items()
            },
            "partners": {key: Record(key, dict(values)) for key, values in self.partners.items()},
            "access_edge": {}
            if self.federated is None
            else {"global": Record("Global", {"allow_federated_users": self.federated})},
        }
        kinds = {part: own for part, own in kinds.items() if part not in self.lost}
        topology = Topology("2015", self.pools, self.edges, sites, ("test",), self.allowed, self.blocked)
        return Known(topology, Deployment("", kinds, dict(self.users), all_users=True))

    def effective(self, user: User) -> tuple[Scope | None, tuple[bool, bool] | None]:
        """The policy in effect, by this file's own account."""
        policies = {"global": (False, False), **self.policies}
        if user.policy:
            return "user", policies.get(user.policy.lower())
        if not any(key.startswith("site:") for key in policies):
            return "global", policies["global"]
        if user.provider or (not user.pool and not user.unread):  # homed nowhere here
            return "global", policies["global"]
        sites = {name: "site:" + site.lower() for name, site, *_rest in POOLS[:-1]} if self.pools is not None else {}
        site = sites.get(user.pool.lower())
        if site is None:
            return None, None
        return ("site", policies[site]) if site in policies else ("global", policies["global"])

    def standing(self, user: User) -> t.Any:
        """What the user's way depends on where their policy is not known."""
        if self.effective(user)[1] is not None or user.policy:
            return None
        everyone = {"global": (False, False), **self.policies}
        return {key: own for key, own in everyone.items() if key == "global" or key.startswith("site:")}

    def between(self, user: User, domain: str) -> tuple[May, May]:
        """What explain says of the two, in both directions."""
        scope, rights = self.effective(user)
        policy = None
        if rights is not None:
            policy = Record("p", dict(zip(("enable_xmpp_access", "enable_federation_access"), rights, strict=True)))
        pair = Pair(user.name.removeprefix("sip:"), domain, user, policy=policy, scope=scope)
        said = explain(replace(self.known(), pair=pair), Probed())
        return said_of(said, "out"), said_of(said, "in")


def said_of(explanation: Explanation, direction: t.Literal["out", "in"]) -> May:
    if explanation.broken(direction) is not None:
        return May.NO
    asked = [entry for entry in explanation.entries if entry.name not in NOT_ASKED]
    if any(entry.severity == UNKNOWN for entry in asked):
        return May.UNKNOWN
    contact = direction == "in" and any(entry.code == "partner_unverified" for entry in asked)
    return May.CONTACT if contact else May.YES


Said = dict[tuple[str, str], tuple[May, May]]


def changed(before: May, after: May, same: bool) -> str | None:
    table = {
        (May.NO, May.YES): "gain", (May.NO, May.CONTACT): "gain",
        (May.YES, May.NO): "lose", (May.CONTACT, May.NO): "lose",
        (May.YES, May.CONTACT): "narrowed", (May.CONTACT, May.YES): "widened",
    }  # fmt: skip
    if before == after == May.UNKNOWN:
        return None if same else "unknown"
    return "unknown" if May.UNKNOWN in (before, after) else table.get((before, after))


def counted(found: Impact) -> t.Any:
    """Users by domain, direction and change, and who is named with what."""
    numbers = {
        (one.domain, number, change): own[change]
        for one in found.domains
        for number, own in enumerate((one.out, one.back))
        for change in own
    }
    named = {
        (domain, number, name): change
        for one in found.affected
        for number, change in enumerate((one.out, one.back))
        for domain in one.domains
        for name in one.users
        if change
    }
    return numbers, named


def test_groups_say_what_explain_says_of_each_pair() -> None:
    deployments, seen, met = 0, Counter[May](), Counter[str]()
    for seed in range(SERIES):
        world = World(random.Random(seed)).made()
        former: tuple[Known, Said, dict[str, t.Any]] | None = None
        for _number in range(LONG):
            known = world.known()
            reach = who_may_talk(known)
            said = {(key, name): world.between(user, name) for key, user in world.users.items() for name in DOMAINS}
            if not world.lost:
                for (key, name), expected in said.items():
                    side = reach.domains.get(name)
                    way = None if side is None else reach.users[key].and_(side)
                    assert (way and (way.out, way.back)) in (expected, None), (seed, key, name)
                    assert way is not None or expected == (May.NO, May.NO)
            if not world.lost:
                check_numbers(reach, said)
            standing = {key: world.standing(user) for key, user in world.users.items()}
            if former is not None:
                met.update(compare(former, (known, said, standing)))
            former = known, said, standing
            deployments += 1
            seen.update(may for way in said.values() for may in way)
            world.users = dict(world.users)
            for _change in range(2):
                world.change()
    assert deployments == 1000
    # Otherwise this would say nothing.
    assert min(seen[may] for may in May) > 300, seen
    assert min(met[change] for change in CHANGES) > 15, met


def check_numbers(reach: Reach, said: Said) -> None:
    for name in DOMAINS:
        ways = [way for (_key, domain), way in said.items() if domain == name]
        counts = reach.of(name)
        assert [counts.out, counts.back] == [sum(way[n] > May.UNKNOWN for way in ways) for n in (0, 1)]
        assert name not in reach.domains or counts.unknown == sum(May.UNKNOWN in way for way in ways)
    for names in (DOMAINS, DOMAINS[:1], DOMAINS[1:3]):
        able = {key for (key, domain), way in said.items() if domain in names and max(way) > May.UNKNOWN}
        assert reach.hit(names) == len(able)
    assert reach.hit() == reach.hit(DOMAINS)
    assert reach.seen == len({key for key, _domain in said})


def compare(before: tuple[Known, Said, t.Any], after: tuple[Known, Said, t.Any]) -> list[str]:
    """Whether the impact of a plan is what each pair's two explanations come to. Returns what changed."""
    (known, said, standing), (then, said_then, standing_then) = before, after
    assert known.deployment is not None
    names = {key: user.name for key, user in known.deployment.users.items()}
    found = impact(who_may_talk(known), who_may_talk(then), names)
    if "partners" not in known.deployment.records:
        assert found.unread
        assert found.domains == ()
        return []
    changes = {
        (name, number, key): change
        for (key, name), ways in said.items()
        for number in (0, 1)
        if (change := changed(ways[number], said_then[key, name][number], standing[key] == standing_then[key]))
    }
    numbers, named = counted(found)
    assert named == {(name, number, names[key]): change for (name, number, key), change in changes.items()}
    assert numbers == Counter((name, number, change) for (name, number, _key), change in changes.items())
    for change in CHANGES:
        assert found.number(change) == len({key for (_n, _d, key), own in changes.items() if own == change})
    return list(changes.values())
