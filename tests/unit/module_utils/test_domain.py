# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains and policy identities: what is taken, what is refused and in which words."""

from __future__ import annotations

import re

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import (
    Invalid,
    canonical_domain,
    canonical_policy_identity,
    check_text,
    domain_from_server,
    key,
    mixed_scripts,
    policy_from_server,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.sites import canonical_site, site_from_server
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("fabrikam.com", "fabrikam.com"),
        ("Fabrikam.COM.", "fabrikam.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("a-b.c1.example", "a-b.c1.example"),
    ],
)
def test_one_form_for_every_spelling(written: str, canonical: str) -> None:
    assert canonical_domain(written) == canonical


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("", "is empty"),
        (".", "is empty"),
        ("  ", "is empty"),
        ("a b.example", "spaces"),
        (" a.example", "spaces"),
        ("*.example.com", "wildcard"),
        ("192.0.2.7", "IP address"),
        ("[2001:db8::1]", "IP address"),
        ("a.example:5269", "port"),
        ("sip:bob@a.example", "address"),
        ("bob@a.example", "address"),
        ("https://a.example/", "address"),
        ("a..example", "empty label"),
        (".a.example", "empty label"),
        ("-a.example", "hyphens"),
        ("a_b.example", "hyphens"),
        ("example", "single label"),
        ("x" * 64 + ".example", "A label has at most 63"),
        (".".join(["x" * 60] * 5), "A domain has at most 253"),
        ("example.123", "ends in a number"),
        ("xn--\u00fc.example", "internationalised"),
        ("xn--a.example", "internationalised"),
    ],
)
def test_what_is_no_domain_is_refused_in_words(written: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        canonical_domain(written)


@given(st.text(max_size=40))
def test_a_canonical_domain_is_its_own_canonical_form(text: str) -> None:
    try:
        once = canonical_domain(text)
    except Invalid:
        return
    assert canonical_domain(once) == once == domain_from_server(text)


@given(st.one_of(st.none(), st.text(max_size=40)))
def test_nothing_that_a_server_stores_is_an_error(value: str | None) -> None:
    assert isinstance(domain_from_server(value), str)


@pytest.mark.parametrize(
    ("written", "identity"),
    [
        ("Global", "global"),
        ("GLOBAL", "global"),
        ("Site:Redmond", "site:Redmond"),
        ("site:Redmond", "site:Redmond"),
        ("tag:XMPP users", "XMPP users"),
        ("XMPP users", "XMPP users"),
    ],
)
def test_policy_identities(written: str, identity: str) -> None:
    assert canonical_policy_identity(written) == identity
    assert policy_from_server(written) == identity


@pytest.mark.parametrize("written", ["", " a", "a*", "service:x", "site:", "tag:global", "a[b]", "a\nb", "a/b"])
def test_what_is_no_policy_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        canonical_policy_identity(written)


# Characters that nobody sees or that change what is seen, and how they are called.
HIDDEN = [
    ("\x00", "control character U+0000"),
    ("\x1b", "control character U+001B"),
    ("\x7f", "control character U+007F"),
    ("\x9b", "control character U+009B"),
    ("\u200e", "bidirectional character U+200E"),
    ("\u202e", "bidirectional character U+202E"),
    ("\u2067", "bidirectional character U+2067"),
]
INVISIBLE = [
    ("\u00ad", "invisible character U+00AD"),
    ("\u200b", "invisible character U+200B"),
    ("\u2060", "invisible character U+2060"),
    ("\ufeff", "invisible character U+FEFF"),
]


@pytest.mark.parametrize(("character", "called"), HIDDEN)
def test_no_text_and_no_name_holds_what_changes_how_it_is_shown(character: str, called: str) -> None:
    for check in (check_text, canonical_policy_identity, canonical_site):
        with pytest.raises(Invalid, match="has the %s. Remove it" % re.escape(called)):
            check("a%sb" % character)


@pytest.mark.parametrize(("character", "called"), INVISIBLE)
def test_what_nobody_sees_is_in_no_name(character: str, called: str) -> None:
    """In a description it is harmless: emoji are joined by it."""
    assert check_text("a%sb" % character) == "a%sb" % character
    for check in (canonical_policy_identity, canonical_site):
        with pytest.raises(Invalid, match="has the %s. Remove it" % re.escape(called)):
            check("a%sb" % character)


def test_a_text_has_1024_characters_at_most() -> None:
    assert check_text("\u00e4" * 1024)
    for check in (check_text, canonical_policy_identity, canonical_site):
        with pytest.raises(Invalid, match=r"has 1025 characters\. At most 1024 are allowed"):
            check("x" * 1025)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("XMPP Users", []),
        ("Пользователи XMPP", []),
        ("\u0425MPP", ["CYRILLIC", "LATIN"]),
        ("Αlpha", ["GREEK", "LATIN"]),
        ("日本 XMPP日本", []),
        ("", []),
    ],
)
def test_letters_of_several_scripts_in_one_word(text: str, found: list[str]) -> None:
    assert mixed_scripts(text) == found


@pytest.mark.parametrize(
    ("written", "name"), [("Redmond", "Redmond"), ("Site:Redmond", "Redmond"), ("SITE:a b", "a b")]
)
def test_sites(written: str, name: str) -> None:
    assert canonical_site(written) == site_from_server(written) == name


@pytest.mark.parametrize("written", ["", " ", " a", "a ", "site:", "a:b", "Service:x"])
def test_what_is_no_site_is_refused(written: str) -> None:
    with pytest.raises(Invalid, match="is not the name of a site"):
        canonical_site(written)


def test_the_key_ignores_case() -> None:
    assert key("site:REDMOND") == key("Site:Redmond".replace("Site", "site"))
