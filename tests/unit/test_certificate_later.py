# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What will be found of a certificate later: the same as the check at that time finds, between any two moments."""

from __future__ import annotations

import datetime
import random
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import utc
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_ARGUMENT_SPEC, info
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.certificate import examine, examine_later
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import NOT_CHECKED, is_public
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.later import HORIZON
from cryptography import x509

from tests.unit.certificates import NAMES, NOW, EdgeShell, Issued, elliptic_key, issue

DAY = datetime.timedelta(days=1)
KEY = elliptic_key()
WITHIN = 30


def generated(seed: int) -> tuple[list[Issued], list[Issued]]:
    """A chain as a server sends it, whose certificates begin and end at random days, and the roots that are trusted."""
    chance = random.Random(seed)

    def lived(days: float) -> dict[str, t.Any]:
        start = -chance.random() * days * 0.8
        return {"key": KEY, "start": round(start + chance.choice((0, 0, 0, 40)), 4), "days": round(days, 4)}

    root = issue("Root", ca=True, **lived(chance.uniform(100, 900)))
    again = issue("Root", ca=True, **lived(chance.uniform(100, 900)))
    above = issue("Issuing", root, ca=True, **lived(chance.uniform(50, 700)))
    cross = issue("Issuing", root, ca=True, **lived(chance.uniform(50, 700)))
    leaf = issue(NAMES[0], above, **lived(chance.choice((6, 47, 90, 100, 200, 398))))
    sent = [leaf, above, *([cross] if chance.random() < 0.5 else [])]
    return sent, [root, *([again] if chance.random() < 0.5 else [])]


@pytest.mark.parametrize("seed", range(25))
def test_between_two_moments_the_faults_are_those_of_the_check(seed: int) -> None:
    sent, roots = generated(seed)
    chain, anchors = [one.certificate for one in sent], [one.certificate for one in roots]

    def faults(at: datetime.datetime) -> set[str]:
        return set(examine(chain, NAMES[0], anchors, at, WITHIN)[1])

    first = examine(chain, NAMES[0], anchors, NOW, WITHIN)[1]
    states = [(NOW, first), *examine_later(chain, NAMES[0], anchors, NOW, WITHIN, first)]
    assert [at for at, _faults in states] == sorted({at for at, _faults in states})
    chance = random.Random(seed)
    moments = [NOW + HORIZON * chance.random() for _number in range(12)]
    moments += [
        at + step for at, _faults in states[1:] for step in (datetime.timedelta(0), datetime.timedelta(seconds=-2))
    ]
    for at in moments:
        expected = [found for since, found in states if since <= at][-1]
        assert faults(at) == set(expected), (utc(at), [(utc(since), sorted(found)) for since, found in states])


def test_a_chain_that_took_too_long_still_shows_the_end_of_the_certificate() -> None:
    sent, roots = generated(1)
    chain, anchors = [one.certificate for one in sent], [one.certificate for one in roots]
    first = examine(chain, NAMES[0], anchors, NOW, WITHIN, seconds=-1.0)[1]
    assert NOT_CHECKED in first
    (*_others, (_at, last)) = examine_later(chain, NAMES[0], anchors, NOW, WITHIN, first)
    assert {NOT_CHECKED, "expired"} <= set(last)


def test_time_that_runs_out_is_a_finding_and_not_a_good_forecast() -> None:
    sent, roots = generated(1)
    chain, anchors = [one.certificate for one in sent], [one.certificate for one in roots]
    first = examine(chain, NAMES[0], anchors, NOW, WITHIN)[1]
    assert NOT_CHECKED not in first
    (*_others, (_at, last)) = examine_later(chain, NAMES[0], anchors, NOW, WITHIN, first, seconds=1e-9)
    assert {NOT_CHECKED, "expired"} <= set(last)


def test_of_an_edge_the_intermediate_that_ends_first_is_foreseen() -> None:
    root = issue("Root", key=KEY, ca=True, days=900)
    above = issue("Issuing", root, key=KEY, ca=True, days=60)
    leaf = issue(issuer=above, key=KEY, days=200)
    edge = EdgeShell(intermediates=[above.der], roots=[root.der])
    edge.store[leaf.thumbprint] = (leaf.der, True)
    edge.assigned["XmppServer"] = leaf.thumbprint
    options = {name: spec.get("default") for name, spec in INFO_ARGUMENT_SPEC.items()}
    (found,) = info({**options, "names": list(NAMES)}, edge, True).values["certificates"]
    chain = next(one for one in found["later"] if "chain_expired" in {two["code"] for two in one["findings"]})
    assert chain["from"] == utc(above.certificate.not_valid_after_utc + datetime.timedelta(seconds=1))
    assert {one["code"] for one in found["later"][-1]["findings"]} >= {"expired", "chain_expired"}
    assert found["later"][-1]["from"] == utc(leaf.certificate.not_valid_after_utc)


@pytest.mark.parametrize(("policy", "public"), [("2.23.140.1.2.1", True), ("1.3.6.1.4.1.311.21.8.1", False)])
def test_a_public_certificate_names_a_policy_of_the_baseline_requirements(policy: str, public: bool) -> None:
    told = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
    assert is_public(issue(key=KEY, more=[told]).certificate) is public
    assert not is_public(issue(key=KEY).certificate)
