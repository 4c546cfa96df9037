# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partners as a server has them are probed: the rules for an inventory do not hold for what somebody else set."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.options import ARGUMENT_SPEC
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import READ, TASK, _jobs

from tests.unit.module_utils.memory_shell import MemoryShell

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


# What a server may have as a domain, though nobody may declare it.
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
ODD = [
    "a_b.example",
    "single",
    "10.0.0.1",
    "x.example\u200e",
    "b\u202ead.example",
    "\x1b[2J.example",
    "y" * 64 + ".example",
]


# What is found where no name server answers.
UNANSWERED = {"srv_unknown", "time_up"}


def probed(task: t.Any = READ, **given: t.Any) -> dict[str, t.Any]:
    """A probe that reaches nothing: no name server answers."""
    options = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    options.update(from_domain="own.example", nameservers=["127.0.0.1:9"], timeout=0.03, allow_local=False, **given)
    values: dict[str, t.Any] = task.work(options, MemoryShell(), False).values
    return values


def codes(entry: dict[str, t.Any]) -> list[str]:
    return [one["code"] for one in entry["findings"]]


@pytest.mark.parametrize("odd", ODD)
def test_a_domain_that_may_not_be_declared_is_not_observable_and_stops_no_other_probe(odd: str) -> None:
    partners = [{"domain": odd, "additional_domains": ["beside.example"], **ROW}, {**GOOD, **ROW}]
    found = probed(partners=partners, read=["partners"])["domains"]
    assert [one["domain"] for one in found] == [odd, "beside.example", "good.example", "more.example"]
    assert (found[0]["verdict"], codes(found[0])) == ("not_observable", ["name_unusable"])
    assert found[0]["findings"][0]["message"].isprintable()
    assert all(UNANSWERED.issuperset(codes(one)) and codes(one) for one in found[1:])


def test_names_that_were_read_are_asked_about_in_their_canonical_form() -> None:
    partner = {"domain": "GOOD.example.", "additional_domains": ["m\u00fcller.example"], **ROW}
    values = probed(partners=[partner], own_domains=["OWN.example"], read=["partners", "own_domains"])
    names = [(one["domain"], one["partner"]) for one in values["domains"]]
    assert names == [("good.example", "good.example"), ("xn--mller-kva.example", "good.example")]
    assert [one["domain"] for one in values["own"]] == ["own.example"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("option", ["additional_domains", "proxy_fqdn"])
def test_no_other_name_of_a_partner_stops_a_probe(option: str, odd: str) -> None:
    value = [odd] if option == "additional_domains" else odd
    partners = [{"domain": "a.example", option: value, **ROW}, {**GOOD, **ROW}]
    found = probed(partners=partners, read=["partners"])["domains"]
    assert [one["domain"] for one in found if codes(one) == ["name_unusable"]] == [
        odd if option == "additional_domains" else "a.example"
    ]
    assert found[-1]["domain"] == "more.example"


@pytest.mark.parametrize("odd", ODD)
def test_an_own_domain_that_may_not_be_declared_stops_no_other_probe(odd: str) -> None:
    values = probed(own_domains=[odd, "own.example"], partners=[GOOD], read=["own_domains"])
    assert [(one["domain"], codes(one) == ["name_unusable"]) for one in values["own"]] == [
        (odd, True),
        ("own.example", False),
    ]


@pytest.mark.parametrize("odd", ODD)
def test_what_users_declare_is_still_refused(odd: str) -> None:
    for given in ({"partners": [{"domain": odd}]}, {"domains": [odd]}, {"own_domains": [odd]}):
        with pytest.raises(Refused):
            probed(TASK, **given)
    assert "read" not in TASK.argument_spec
