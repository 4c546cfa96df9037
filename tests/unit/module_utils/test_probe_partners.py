# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partners as a server has them are probed: the rules for an inventory do not hold for what somebody else set."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import _jobs

GOOD: dict[str, t.Any] = {"domain": "good.example", "additional_domains": ["more.example"]}


def domains(*partners: dict[str, t.Any]) -> list[str]:
    return [job.domain for job in _jobs({"partners": list(partners), "domains": [], "own_domains": []})]


@pytest.mark.parametrize("description", ["call\u200e us", "\ufffdU+FFFE\ufffd", "x" * 100_000, "a\x07b"])
def test_a_description_that_may_not_be_declared_stops_no_probe(description: str) -> None:
    odd = {"domain": "odd.example", "description": description}
    assert domains(odd, GOOD) == ["odd.example", "good.example", "more.example"]


def test_a_number_that_may_not_be_declared_stops_no_probe() -> None:
    assert domains({"domain": "odd.example", "connection_limit": -1}, GOOD)[0] == "odd.example"


def test_a_domain_of_two_partners_is_probed_once() -> None:
    assert domains(GOOD, {"domain": "more.example"}, GOOD) == ["good.example", "more.example"]


def test_all_mistakes_in_what_the_probe_needs_are_named() -> None:
    with pytest.raises(Refused) as caught:
        domains(GOOD, {"domain": "no domain"}, {"domain": "x.example", "tls_negotiation": "perhaps"})
    places = [reason.partition(":")[0] for reason in caught.value.reasons]
    assert places == ["partners[1]", "partners[2] (x.example)"]
