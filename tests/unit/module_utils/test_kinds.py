# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of value against whatever a server may send and a user may write: right or an error, never another."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.names import Invalid, domain_from_server
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.kinds import (
    Choice,
    Domain,
    Domains,
    EdgePoolName,
    Kind,
    Number,
    SecretText,
    Switch,
    Text,
    UnreadableValue,
    did_you_mean,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ListChange, Secret, UInt32
from hypothesis import given, settings
from hypothesis import strategies as st

TLS = Choice(required="Required", optional="Optional", not_supported="NotSupported")
KINDS: dict[str, Kind] = {
    "text": Text(),
    "secret": SecretText(),
    "switch": Switch(),
    "number": Number(),
    "choice": TLS,
    "domain": Domain(),
    "domains": Domains(),
    "edge pool": EdgePoolName(),
}

# What stands where an object should have been taken apart (ToString of a .NET object).
TYPE_NAMES = (
    "System.String[]",
    "System.Object[]",
    "System.Collections.Hashtable",
    "System.Collections.Generic.List`1[System.String]",
    "System.Management.Automation.PSCustomObject",
    "Deserialized.Microsoft.Rtc.Management.Xds.XdsGlobalRelativeIdentity",
    "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner",
)
NAMES = ("a.test", "B.Test", "Bücher.test", "xn--bcher-kva.test", "Microsoft.com", "microsoft.com", "a_b.test")
WORDS = (*TYPE_NAMES, *NAMES, "", " ", "True", "FALSE", "0", "1", "5", "-1", "1.5", "1e3", "4294967296", "Required",
         "NOTSUPPORTED", "not_supported", "a.test,b.test", "a.test, b.test", "a.test b.test", "{a.test, b.test}",
         "EdgeServer:edge.a.test", "EdgeServer:", "Registrar:pool.a.test", "@{Add=a.test}", "null", "None")  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**33), 2**33)
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=12)
    | st.binary(max_size=4)
)
# Everything that a session can make of CLIXML.
SHAPES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


def is_number(value: t.Any) -> bool:
    if isinstance(value, str):
        value = int(value) if value.strip().lstrip("+-").isdecimal() and value.isascii() else None
    return (
        not isinstance(value, bool) and isinstance(value, (int, float)) and value == value // 1 and 0 <= value < 2**32
    )


def is_stored_domain(value: t.Any) -> bool:
    """One word of what a domain can be, and no type's name."""
    return isinstance(value, str) and value not in TYPE_NAMES and not set(value) & set(" ,;:@`[]{}()<>=/\\\"'")


# What each kind has to make of a value that is right; whatever is not in here has to be an error.
RIGHT: dict[str, t.Callable[[t.Any], bool]] = {
    "text": lambda v: v is None or isinstance(v, str),
    "secret": lambda v: v is None or v == b"" or isinstance(v, str),
    "switch": lambda v: isinstance(v, bool) or (isinstance(v, str) and v.lower() in ("true", "false")),
    "number": lambda v: v is None or is_number(v),
    "choice": lambda v: isinstance(v, str) and v.lower() in ("required", "optional", "notsupported"),
    "domain": lambda v: v is None or is_stored_domain(v),
    "domains": lambda v: v is None or is_stored_domain(v) or (isinstance(v, list) and all(map(is_stored_domain, v))),
    "edge pool": lambda v: v is None or (isinstance(v, str) and is_stored_domain(v.partition(":")[2] or v)),
}


@pytest.mark.parametrize("name", KINDS)
@settings(deadline=None, max_examples=120)
@given(value=SHAPES)
def test_what_a_server_sends_is_right_or_unreadable(name: str, value: t.Any) -> None:
    kind = KINDS[name]
    try:
        found = kind.from_server(value)
    except UnreadableValue as unreadable:
        text = str(unreadable)
        assert text.startswith("is "), "the message begins with the property's name"
        assert len(text) < 250
        return
    assert RIGHT[name](value), value
    if name == "text":
        assert found == (value or "")
    elif name == "secret":
        assert found == Secret(value or "")
    elif name == "switch":
        assert found is (value if isinstance(value, bool) else value.lower() == "true")
    elif name == "number":
        assert found == (value if value is None else int(value))
    elif name == "choice":
        assert TLS.words[found].lower() == value.lower()
    elif name == "domain":
        assert found == domain_from_server(value)
    elif name == "domains":
        items = value if isinstance(value, list) else [value] if value else []
        assert found == sorted({domain_from_server(item) for item in items})
    else:
        assert "edgeserver:" + found == (value or "").lower() or found == domain_from_server(value)


@pytest.mark.parametrize("text", TYPE_NAMES)
@pytest.mark.parametrize("name", ["text", "switch", "number", "choice", "domain", "domains", "edge pool"])
def test_the_name_of_a_type_is_no_value(name: str, text: str) -> None:
    with pytest.raises(UnreadableValue, match="was expected"):
        KINDS[name].from_server(text)


@pytest.mark.parametrize(
    "text", ["Microsoft.com", "System.test", "Microsoft.Rtc and more", "System. Admins", "system.x"]
)
def test_what_only_begins_like_a_type_is_a_text(text: str) -> None:
    assert Text().from_server(text) == text


def test_a_domain_that_looks_like_a_type_is_a_domain() -> None:
    assert Domain().from_server("Microsoft.com") == "microsoft.com"
    assert Domains().from_server(["Microsoft.com", "a.test"]) == ["a.test", "microsoft.com"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("text", 5, "is 5 (int); a string was expected"),
        ("text", ["a"], "is ['a'] (list); a string was expected"),
        ("switch", None, "is None (NoneType); True or False was expected"),
        ("switch", 1, "is 1 (int); True or False was expected"),
        ("number", True, "is True (bool); a whole number from 0 to 4294967295 was expected"),
        ("number", -1, "is -1 (int); a whole number from 0 to 4294967295 was expected"),
        ("choice", "Sometimes", "is 'Sometimes'; one of Required, Optional, NotSupported was expected"),
        ("choice", 2, "is 2 (int); one of Required, Optional, NotSupported was expected"),
        ("domain", "a.test,b.test", "is 'a.test,b.test'; a domain name was expected"),
        ("domains", {"a": 1}, "is {'a': 1} (dict); a list of domain names was expected"),
        ("domains", ["a.test", None], "is None (NoneType); a list of domain names was expected"),
        ("edge pool", "EdgeServer:", "is 'EdgeServer:'; an Edge pool as EdgeServer:FQDN was expected"),
        ("edge pool", "Registrar:a.test", "is 'Registrar:a.test'; an Edge pool as EdgeServer:FQDN was expected"),
        ("secret", ["s3cret"], "is a list; a string was expected"),
    ],
)
def test_what_is_unreadable_is_named_with_what_was_expected(name: str, value: t.Any, text: str) -> None:
    with pytest.raises(UnreadableValue) as caught:
        KINDS[name].from_server(value)
    assert str(caught.value) == text


# What a user may write, and its canonical form.
ACCEPTED: tuple[tuple[str, t.Any, t.Any], ...] = (
    *(("switch", word, True) for word in (True, "true", "True", "YES", "on", "1", 1, "y", "t", " true ")),
    *(("switch", word, False) for word in (False, "false", "False", "NO", "off", "0", 0, "n", "f")),
    ("number", 5, 5),
    ("number", "5", 5),
    ("number", " 5 ", 5),
    ("number", 5.0, 5),
    ("number", 0, 0),
    ("number", 4294967295, 4294967295),
    ("choice", "not_supported", "not_supported"),
    ("text", "", ""),
    ("text", "two\nlines\tand a tab", "two\nlines\tand a tab"),
    ("text", "x" * 1024, "x" * 1024),
    ("secret", "s3cret", Secret("s3cret")),
    ("secret", 5, Secret("5")),
    ("domain", "", ""),
    ("domain", "A.Test.", "a.test"),
    ("domains", [], []),
    ("domains", "", []),
    ("domains", "b.test,A.test", ["a.test", "b.test"]),
    ("domains", ["b.test", "A.test.", "a.test"], ["a.test", "b.test"]),
    ("domains", ("Bücher.test",), ["xn--bcher-kva.test"]),
    ("edge pool", "", ""),
    ("edge pool", "EdgeServer:Edge.a.test", "edge.a.test"),
)


@pytest.mark.parametrize(("name", "value", "canonical"), ACCEPTED)
def test_every_spelling_has_one_form(name: str, value: t.Any, canonical: t.Any) -> None:
    found = KINDS[name].from_user(value)
    assert (found, type(found)) == (canonical, type(canonical))
    if name != "secret":
        assert KINDS[name].from_user(found) == found


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("switch", "maybe", "must be true or false, not 'maybe'"),
        ("switch", "", "must be true or false, not ''"),
        ("switch", 2, "must be true or false, not 2"),
        ("switch", 1.0, "must be true or false, not 1.0"),
        ("switch", [True], "must be true or false, not a list"),
        ("number", "5.0", "must be a whole number, not '5.0'"),
        ("number", "", "must be a whole number, not ''"),
        ("number", True, "must be a whole number, not true"),
        ("number", float("nan"), "must be a whole number, not nan"),
        ("number", float("inf"), "must be a whole number, not inf"),
        ("number", "５", "must be a whole number, not '５'"),
        ("number", -1, "must be from 0 to 4294967295, not -1"),
        ("number", 2**32, "must be from 0 to 4294967295, not 4294967296"),
        ("choice", "requird", "must be required, optional or not_supported, not 'requird' (did you mean required?)"),
        ("choice", "NotSupported", "must be required, optional or not_supported, not 'NotSupported'"
         " (did you mean not_supported?)"),
        ("choice", "x", "must be required, optional or not_supported, not 'x'"),
        ("choice", False, "must be required, optional or not_supported, not false"),
        ("text", {"a": 1}, "must be a string, not a dictionary"),
        ("text", yaml.safe_load("12:30:45"), "YAML reads the value as a number, 45045. Put the text in quotes"),
        ("text", yaml.safe_load("010"), "YAML reads the value as a number, 8. Put the text in quotes"),
        ("text", yaml.safe_load("1.10"), "YAML reads the value as a number, 1.1. Put the text in quotes"),
        ("text", yaml.safe_load("no"), "YAML reads the value as a switch, false. Put the text in quotes"),
        ("text", "a\x1b[31m", "'a\\x1b[31m' has the control character U+001B. Remove it"),
        ("text", "a\x85", "'a\\x85' has the control character U+0085. Remove it"),
        ("text", "a\u2066b", "'a\\u2066b' has the bidirectional character U+2066. Remove it"),
        ("text", "x" * 1025, "has 1025 characters. At most 1024 are allowed"),
        ("secret", ["s3cret"], "must be a string"),
        ("domain", False, "must be a domain name, not false"),
        ("domain", ["a.test"], "must be a domain name, not a list"),
        ("domain", "proxy", "'proxy' has a single label. Write the whole domain, as in 'fabrikam.com'"),
        ("domains", 5, "must be a list of domains, not 5"),
        ("domains", [False], "entry 0: must be a domain name, not false"),
        ("domains", ["a.test", ""], "entry 1 is empty. Write a domain such as 'fabrikam.com'"),
        (
            "edge pool",
            "Registrar:a.test",
            "'Registrar:a.test' contains a port. Write only the domain, as in 'fabrikam.com'",
        ),
    ],
)  # fmt: skip
def test_every_refusal_has_its_text(name: str, value: t.Any, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        KINDS[name].from_user(value)
    assert str(caught.value) == text


@pytest.mark.parametrize("name", KINDS)
@settings(deadline=None, max_examples=60)
@given(value=SHAPES)
def test_what_a_user_writes_is_canonical_or_invalid(name: str, value: t.Any) -> None:
    kind = KINDS[name]
    try:
        found = kind.from_user(value)
    except Invalid:
        return
    if name == "secret":
        assert found.reveal() == str(value)
        return
    assert kind.from_user(found) == found
    assert not isinstance(value, (dict, list)) or name == "domains"


@pytest.mark.parametrize("name", KINDS)
@settings(deadline=None, max_examples=40)
@given(value=SHAPES)
def test_what_was_written_is_read_back_equal(name: str, value: t.Any) -> None:
    kind = KINDS[name]
    try:
        once = kind.from_user(value)
    except Invalid:
        return
    wire = kind.to_wire(once, None, True)
    sent: t.Any = wire.reveal() if isinstance(wire, Secret) else list(wire) if isinstance(wire, tuple) else wire
    try:
        assert kind.from_server(sent) == once
    except UnreadableValue:
        assert sent in TYPE_NAMES, "a text that nobody can tell from a type's name"


def test_the_wire() -> None:
    assert isinstance(Number().to_wire(5, None, False), UInt32)
    assert TLS.to_wire("not_supported", None, True) == "NotSupported"
    assert EdgePoolName().to_wire("edge.a.test", "", False) == "EdgeServer:edge.a.test"
    assert EdgePoolName().to_wire("", "edge.a.test", False) is None
    assert Domains().to_wire(["a.test"], None, True) == ("a.test",)
    had = Domains().from_server(["Käse.test", "b.test", "A.test"])
    # Only the server's own spelling can be removed there, but for its case.
    assert Domains().to_wire(["b.test", "n.test"], had, False) == ListChange(("n.test",), ("a.test", "Käse.test"))


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("requird", "required"),
        ("tls", "tls_negotiation"),
        ("TLS_Negotiation", "tls_negotiation"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_the_nearest_word(word: str, near: str) -> None:
    known = ["required", "tls_negotiation", "sasl_negotiation"]
    assert did_you_mean(word, known) == (" (did you mean %s?)" % near if near else "")
