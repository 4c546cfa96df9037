# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan does to users, in a large deployment: ``python -m tests.benchmarks.impact [--users N] [--partners N]``.

Prints the seconds from two readings to the text of the plan's file, and the peak memory of the process, with the
readings themselves. The plan changes half of the policies, a tenth of the grants, and a fifth of the partners.
"""

from __future__ import annotations

import argparse
import resource
import time
import typing as t
from dataclasses import replace

from ansible_collections.sfb.xmpp.plugins.module_utils._base.step import Record
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import json_text
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.impact import impact, lines
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import Known
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.reach import who_may_talk
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, User
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.pools import Pool
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Site, Topology

POOLS, SITES, POLICIES = 40, 10, 50
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
TYPES = ("federated", "public_verified", "public_unverified")


def topology() -> Topology:
    """Every fourth pool is of a later release."""
    pools = tuple(
        Pool("pool%02d.test" % n, "Site%d" % (n % SITES), (), "2019" if n % 4 == 0 else "2015", True, True)
        for n in range(POOLS)
    )
    edges = (EdgePool("edge.test", "sip.test", 5269, 23456, "2015"),)
    sites = tuple(Site("Site%d" % n, "", "edge.test") for n in range(SITES))
    return Topology("2015", pools, edges, sites, ("test",), ("sip.example",), ("spam.example",))


def deployment(users: int, partners: int) -> Deployment:
    return Deployment(
        "",
        {
            "policies": {
                name: _policy(name, on=number % 2 == 0)
                for number, name in enumerate(["global", "site:site1", *("policy%02d" % n for n in range(POLICIES))])
            },
            "partners": {"partner%04d.test" % n: _partner(n) for n in range(partners)},
            "access_edge": {"global": Record("Global", {"allow_federated_users": True})},
        },
        dict(map(_user, range(users))),
        all_users=True,
    )


def _policy(name: str, *, on: bool) -> Record:
    return Record(name, {"enable_xmpp_access": on, "enable_federation_access": on, "enable_outside_access": True})


def _partner(n: int) -> Record:
    domain = "partner%04d.test" % n
    more = ["x." + domain, "y." + domain]
    return Record(domain, {**ROW, "partner_type": TYPES[n % 3], "additional_domains": more})


def _user(n: int) -> tuple[str, User]:
    name = "CN=User %05d,OU=Staff,DC=contoso,DC=test" % n
    policy = "Policy%02d" % (n % POLICIES) if n % 3 else ""
    return name.casefold(), User(
        name, "sip:user%05d@contoso.test" % n, policy, "pool%02d.test" % (n % POOLS), enabled=n % 17 != 0
    )


def planned(before: Deployment, partners: int) -> Deployment:
    policies = {
        key: _policy(key, on=number % 4 < 2) for number, key in enumerate(before.of("policies"))
    }  # half of them become the other
    fifth = partners // 5
    after = dict(list(before.of("partners").items())[fifth:])
    after.update({"partner%04d.test" % n: _partner(n) for n in range(partners, partners + fifth)})
    users = {
        key: replace(user, policy="Policy00") if number % 10 == 0 else user
        for number, (key, user) in enumerate(before.users.items())
    }
    return replace(before, records={**before.records, "policies": policies, "partners": after}, users=users)


def measured(users: int, partners: int) -> dict[str, t.Any]:
    place, before = topology(), deployment(users, partners)
    after = planned(before, partners)
    held, begun = _peak(), time.perf_counter()
    names = {key: user.name for key, user in before.users.items()}
    found = impact(who_may_talk(Known(place, before)), who_may_talk(Known(place, after)), names)
    computed = time.perf_counter()
    text = json_text(found.as_dict(), indent=2)
    ended = time.perf_counter()
    shown = lines(found)
    return {
        "computed": computed - begun, "written": ended - computed, "text MB": len(text) / 1e6,
        "readings MB": held, "peak MB": _peak(), "shown": shown,
    }  # fmt: skip


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--partners", type=int, default=1_000)
    options = parser.parse_args()
    found = measured(options.users, options.partners)
    print("\n".join(found.pop("shown")))
    print("  ".join("%s %.2f" % item for item in found.items()))


if __name__ == "__main__":
    main()
