# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gateway decides: the printed matrix against its rules, and its rules against each other."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import negotiation as _negotiation

from lab.gateway.negotiation import SASL, TCP_DIALBACK, TLS_DIALBACK, Row
from lab.gateway.rules import (
    ERROR_TYPES,
    User,
    Verdict,
    contact,
    dialback,
    external,
    in_clear,
    opening,
    presence,
    starttls,
    user,
    wants_tls,
)

# The document's 18 rows in its order: TLS, SASL (R required, O optional, N not supported), dialback (+ on, - off), and
# the methods that it prints (S: SASL over TLS, T: dialback over TLS, C: dialback over clear TCP; none: invalid).
PRINTED = """
RR+ S    RR- S    OR+ STC  OR- S    NR+ C    NR-
RO+ ST   RO- S    OO+ STC  OO- S    NO+ C    NO-
RN+ T    RN-      ON+ TC   ON-      NN+ C    NN-
"""
LEVELS = {"R": "Required", "O": "Optional", "N": "NotSupported"}
METHODS = {"S": SASL, "T": TLS_DIALBACK, "C": TCP_DIALBACK}


def printed() -> t.Iterator[tuple[Row, tuple[str, ...]]]:
    words = PRINTED.split()
    for number, word in enumerate(words):
        if word[-1] in "+-":
            following = words[number + 1] if number + 1 < len(words) else ""
            methods = "" if following[-1:] in ("+", "-", "") else following
            yield Row(LEVELS[word[0]], LEVELS[word[1]], word[2] == "+"), tuple(METHODS[m] for m in methods)


ROWS = dict(printed())
every_row = pytest.mark.parametrize("row", ROWS, ids=str)


def test_the_table_has_every_combination() -> None:
    assert {(r.tls, r.sasl, r.dialback) for r in ROWS} == set(
        itertools.product(LEVELS.values(), LEVELS.values(), (True, False))
    )
    assert sum(not methods for methods in ROWS.values()) == 5


@every_row
def test_methods_are_those_of_the_document(row: Row) -> None:
    assert row.methods == ROWS[row]


@every_row
def test_the_collection_says_the_same(row: Row) -> None:
    words = {"Required": "required", "Optional": "optional", "NotSupported": "not_supported"}
    names = {SASL: _negotiation.SASL_OVER_TLS, TLS_DIALBACK: _negotiation.TLS_DIALBACK}
    theirs = _negotiation.Row(words[row.tls], words[row.sasl], row.dialback).methods
    assert tuple(names.get(method, _negotiation.TCP_DIALBACK) for method in row.methods) == theirs


@every_row
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("problem", ["", "it has expired"])
def test_evidence_and_row_decide_together(row: Row, secure: bool, problem: str) -> None:
    assert external(row, secure, problem).allowed == (SASL in ROWS[row] and secure and not problem)
    assert dialback(row, secure).allowed == ((TLS_DIALBACK if secure else TCP_DIALBACK) in ROWS[row])


@every_row
def test_tls_is_offered_as_the_row_says(row: Row) -> None:
    expected = {"Required": "required", "Optional": "offered", "NotSupported": ""}[row.tls]
    assert starttls(row, has_certificate=True) == expected
    assert starttls(row, has_certificate=False) == ""
    assert starttls(None, has_certificate=True) == "offered"


@every_row
def test_a_row_without_methods_or_means_is_refused_at_once(row: Row) -> None:
    assert opening(row, has_certificate=True).allowed == bool(ROWS[row])
    assert opening(row, has_certificate=False).allowed == (bool(ROWS[row]) and row.tls != "Required")


@every_row
@pytest.mark.parametrize("offered", ["", "offered", "required"])
def test_outgoing_streams_follow_what_the_partner_offers(row: Row, offered: str) -> None:
    assert wants_tls(row, offered) == (offered != "" and row.tls != "NotSupported")
    assert in_clear(row, offered).allowed == (offered != "required" and TCP_DIALBACK in ROWS[row])


@pytest.mark.parametrize(
    ("person", "federated_users", "reason"),
    [
        (User("a@b", "Global", True, True), True, ""),
        (None, True, "there is no user a@b"),
        (User("a@b", "Global", True, True), False, "AllowFederatedUsers of the Access Edge is off"),
        (User("a@b", "Tag:P", False, True), True, "EnableXmppAccess is off in a@b's policy, Tag:P"),
        (User("a@b", "Site:S", True, False), True, "EnableFederationAccess is off in a@b's policy, Site:S"),
    ],
)
def test_users(person: User | None, federated_users: bool, reason: str) -> None:
    verdict = user(person, "a@b", federated_users)
    assert verdict.reason == reason
    assert verdict.allowed == (verdict.condition not in ERROR_TYPES)


@pytest.mark.parametrize("kind", ["Federated", "PublicVerified", "PublicUnverified"])
@pytest.mark.parametrize("is_contact", [True, False])
def test_only_contacts_of_unverified_partners_get_through(kind: str, is_contact: bool) -> None:
    verdict = contact(kind, is_contact, "romeo@fabrikam.test")
    assert verdict.allowed == (kind != "PublicUnverified" or is_contact)
    assert verdict.condition in ("", "subscription-required")


@pytest.mark.parametrize(
    ("kind", "allowed", "answers"),
    [
        ("subscribe", True, ("subscribed", "")),
        ("subscribe", False, ("unsubscribed",)),
        ("probe", True, ("",)),
        ("probe", False, ("unsubscribed",)),
        ("unsubscribe", True, ("unsubscribed",)),
        ("", True, ()),
        ("unavailable", False, ()),
    ],
)
def test_presence(kind: str, allowed: bool, answers: tuple[str, ...]) -> None:
    assert presence(kind, allowed) == answers


def test_a_verdict_without_a_reason_allows() -> None:
    assert Verdict().allowed
    assert not Verdict("no").allowed
