# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An object of a server is read right, or it is unreadable: never another value."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import DEPTH, Circular, UnreadableXml, text
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import read as read_clixml
from hypothesis import example, given
from hypothesis import strategies as st
from pypsrp.serializer import Serializer

ENUM = """<Obj RefId="0"><TN RefId="0"><T>Microsoft.Rtc.Management.Tls</T><T>System.Enum</T><T>System.ValueType</T>
<T>System.Object</T></TN><ToString>NotSupported</ToString><I32>2</I32></Obj>"""
POLICY = """<Obj RefId="0"><TN RefId="0"><T>Microsoft.Rtc.Policy</T><T>System.Object</T></TN>
<ToString>ignored</ToString>
<Props><S N="Identity">Tag:A</S><B N="EnableXmppAccess">true</B><U32 N="Limit">7</U32><Nil N="Description" />
<DT N="Since">2026-10-01T12:00:00Z</DT><TS N="Every">PT5M</TS><G N="Id">00000000-0000-0000-0000-000000000001</G>
<Version N="V">6.0.9319.0</Version><BA N="Raw">AAEC</BA>
<Obj N="Inner" RefId="1"><TNRef RefId="0" /><Props><S N="Name">inner</S></Props></Obj>
<Obj N="Enum" RefId="2"><TN RefId="1"><T>E</T><T>System.Enum</T><T>System.Object</T></TN><ToString>On</ToString>
<I32>1</I32></Obj>
<Obj N="Names" RefId="3"><TN RefId="2"><T>System.String[]</T><T>System.Array</T><T>System.Object</T></TN>
<LST><S>a</S><S>b</S></LST></Obj>
<Obj N="Odd" RefId="4"><TN RefId="3"><T>Microsoft.Rtc.NameList</T><T>System.Object</T></TN>
<LST><S>c</S><I32>4</I32></LST></Obj>
<Obj N="Table" RefId="5"><TN RefId="4"><T>System.Collections.Hashtable</T><T>System.Object</T></TN><DCT>
<En><S N="Key">k</S><S N="Value">v</S></En></DCT></Obj></Props>
<MS><S N="PSComputerName">fe01</S></MS></Obj>"""


def read(xml: str) -> t.Any:
    return read_clixml(xml.replace("\n", ""))


def prop(content: str, name: str = "X") -> str:
    """An object with one property. ``content`` has ``N`` where the name belongs."""
    return '<Obj RefId="0"><Props>%s</Props></Obj>' % content.replace("N ", 'N="%s" ' % name, 1)


def test_of_an_object_only_what_is_wanted_is_kept() -> None:
    found = read_clixml(POLICY.replace("\n", ""), frozenset(("identity", "inner", "names")))
    assert found == {"Identity": "Tag:A", "Inner": {"Name": "inner"}, "Names": ["a", "b"]}


def test_what_is_wanted_may_refer_to_what_is_not() -> None:
    xml = (
        '<Obj RefId="0"><Props><Obj N="A" RefId="1"><TN RefId="7"><T>System.String[]</T><T>System.Array</T></TN>'
        '<LST><S>x</S></LST></Obj><Ref N="B" RefId="1" /><Obj N="C" RefId="2">'
        '<TNRef RefId="7" /><LST /></Obj></Props></Obj>'
    )
    assert read_clixml(xml, frozenset("bc")) == {"B": ["x"], "C": []}


@pytest.mark.parametrize("odd", ["<I32 N >five</I32>", "<Obj N ><LST><XX>1</XX></LST></Obj>", "<Ref N />"])
def test_what_is_not_wanted_need_not_be_readable(odd: str) -> None:
    xml = prop(odd).replace("</Props>", '<S N="Y">fine</S></Props>')
    assert read_clixml(xml, frozenset("y")) == {"Y": "fine"}
    with pytest.raises(UnreadableXml):
        read_clixml(xml, frozenset("xy"))


def test_an_enumeration_is_its_name() -> None:
    assert read(ENUM) == "NotSupported"


def test_an_object_is_the_dict_of_its_properties() -> None:
    assert read(POLICY) == {
        "Identity": "Tag:A",
        "EnableXmppAccess": True,
        "Limit": 7,
        "Description": None,
        "Since": "2026-10-01T12:00:00Z",
        "Every": "PT5M",
        "Id": "00000000-0000-0000-0000-000000000001",
        "V": "6.0.9319.0",
        "Raw": b"\x00\x01\x02",
        "Inner": {"Name": "inner"},
        "Enum": "On",
        "Names": ["a", "b"],
        "Odd": ["c", 4],
        "Table": {"k": "v"},
        "PSComputerName": "fe01",
    }


def test_a_text_with_notes_is_the_text() -> None:
    # As Get-Content sends lines. A text that looks like a list stays a text.
    assert read('<Obj RefId="0"><S>line</S><MS><S N="PSPath">C:\\a</S></MS></Obj>') == "line"
    assert read('<Obj RefId="0"><S>&lt;LST&gt;</S><MS><S N="PSPath">C:\\a</S></MS></Obj>') == "<LST>"


def test_an_object_without_properties_is_its_text() -> None:
    assert read('<Obj RefId="0"><TN RefId="0"><T>X</T><T>System.Object</T></TN><ToString>x y</ToString></Obj>') == "x y"


def test_a_secure_string_is_not_shown() -> None:
    assert read('<Obj RefId="0"><MS><SS N="Password">AAAA</SS></MS></Obj>') == {"Password": b""}


def test_objects_may_refer_to_one_another_and_to_themselves() -> None:
    again = '<Obj RefId="0"><Props><Obj N="A" RefId="1"><Props><S N="B">b</S></Props></Obj><Ref N="C" RefId="1" />'
    assert read(again + "</Props></Obj>") == {"A": {"B": "b"}, "C": {"B": "b"}}
    itself = read('<Obj RefId="0"><Props><S N="A">a</S><Ref N="Self" RefId="0" /></Props></Obj>')
    assert itself["A"] == "a"
    assert isinstance(itself["Self"], Circular)


NUMBERS = [
    ("I32", "-2147483648", -(2**31)),
    ("U32", "4294967295", 2**32 - 1),
    ("I64", "9223372036854775807", 2**63 - 1),
    ("By", "255", 255),
    ("SB", "-128", -128),
    ("U16", "7", 7),
    ("I16", "-7", -7),
    ("U64", "0", 0),
    ("Db", "1.5E-3", 0.0015),
    ("Sg", "-INF", float("-inf")),
    ("C", "97", "a"),
    ("B", "true", True),
    ("B", "false", False),
]


@pytest.mark.parametrize(("tag", "content", "value"), NUMBERS)
def test_simple_values(tag: str, content: str, value: object) -> None:
    found = read("<%s>%s</%s>" % (tag, content, tag))
    assert (found, type(found)) == (value, type(value))


UNREADABLE = [
    # no XML, no CLIXML
    ("", "well-formed"),
    ("<S>a", "well-formed"),
    ("<S>a</S><S>b</S>", "well-formed"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><S>&a;</S>', "document type"),
    ("<Objs><S>a</S></Objs>", "<Objs> contains <S>"),
    ("<Whatever>5</Whatever>", "<Whatever> is not a known type"),
    ("<S>a<B>true</B></S>", "<S> contains <B>"),
    # numbers, booleans, bytes, texts
    ("<I32>5x</I32>", "'5x' must be a whole number"),
    ("<I32></I32>", "'' must be a whole number"),
    ("<I32>1_000</I32>", "must be a whole number"),
    ("<I32>\u0665</I32>", "must be a whole number"),
    ("<I32> 5</I32>", "must be a whole number"),
    ("<I32>5.0</I32>", "must be a whole number"),
    ("<I32>2147483648</I32>", "must be from"),
    ("<U32>-1</U32>", "must be from"),
    ("<I32>%s</I32>" % ("9" * 5000), "must be a whole number"),
    ("<Db>much</Db>", "'much' cannot be read as <Db>"),
    ("<C>99999999</C>", "must be from"),
    ("<B>maybe</B>", "must be true or false"),
    ("<B></B>", "must be true or false"),
    ("<BA>AA*A</BA>", "cannot be read as <BA>"),
    ("<G>0000</G>", "cannot be read as <G>"),
    # objects
    (prop("<I32 N >many</I32>", "ConnectionLimit"), "ConnectionLimit: 'many' must be a whole number"),
    (prop("<Foo N />"), "X: <Foo> is not a known type"),
    (prop("<S>a</S>"), "a property has no name"),
    (prop("<S N >a</S>")[:-14] + '<S N="x">b</S></Props></Obj>', "the object has the property x twice"),
    (prop('<Ref N RefId="9" />'), "refers to the object '9'"),
    ('<Obj RefId="0"><TNRef RefId="9" /><Props /></Obj>', "refers to the type '9'"),
    ('<Obj RefId="0"><I32>1</I32><I32>2</I32></Obj>', "2 values instead of one"),
    ('<Obj RefId="0"><Props /><Props /></Obj>', "the object has <Props> twice"),
    ('<Obj RefId="0"><TN RefId="0"><T>System.String[]</T><T>System.Array</T></TN></Obj>', "a list without items"),
    ('<Obj RefId="0"><DCT><En><S N="Key">a</S></En></DCT></Obj>', "not a key and a value"),
    (
        '<Obj RefId="0"><DCT>%s</DCT></Obj>' % ('<En><S N="Key">a</S><S N="Value">b</S></En>' * 2),
        "a table has the key a twice",
    ),
    ("<Obj>" * 5000 + "<S>a</S>" + "</Obj>" * 5000, "nested more than"),
    ("<LST>" * 5000 + "<S>a</S>" + "</LST>" * 5000, "nested more than"),
]


@pytest.mark.parametrize(("xml", "words"), UNREADABLE)
def test_what_is_wrong_is_unreadable_and_named(xml: str, words: str) -> None:
    with pytest.raises(UnreadableXml) as caught:
        read(xml)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_nesting_that_is_allowed() -> None:
    assert read("<Obj>" * (DEPTH - 1) + "<S>a</S>" + "</Obj>" * (DEPTH - 1)) == "a"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))  # those are not XML
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=9), inner, max_size=4),
    max_leaves=12,
)


def sent(value: t.Any) -> str:
    element = Serializer().serialize(value)
    assert element is not None
    return ET.tostring(element, encoding="unicode")


@given(VALUES)
@example("_x0041_ _X0041_ \U0001f600 \x00\x1f")
def test_what_pypsrp_writes_is_read_back(value: t.Any) -> None:
    assert repr(read_clixml(sent(value))) == repr(value)


@given(st.data())
def test_a_damaged_object_is_read_or_unreadable_and_nothing_else(data: st.DataObject) -> None:
    xml = POLICY.replace("\n", "")
    start = data.draw(st.integers(0, len(xml) - 1))
    length = data.draw(st.integers(0, 30))
    damaged = xml[:start] + data.draw(st.text(max_size=5)) + xml[start + length :]
    try:
        found = read_clixml(damaged)
    except UnreadableXml:
        return
    assert isinstance(found, (dict, str, list))


def test_escapes_are_those_of_utf_16() -> None:
    assert text("a_x000A_b_xD83D__xDE00_c_x005F_x0041_") == "a\nb\U0001f600c_x0041_"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("x_xD83D_y", "x\ufffdU+D83D\ufffdy"),
        ("_xDE00__xD83D_", "\ufffdU+DE00\ufffd\ufffdU+D83D\ufffd"),
        ("_xD83D__xD83D__xDE00_", "\ufffdU+D83D\ufffd\U0001f600"),
        ("&#xFFFE;&#xffff;", "\ufffdU+FFFE\ufffd\ufffdU+FFFF\ufffd"),
        ("_xFFFE_", "\ufffdU+FFFE\ufffd"),
    ],
)
def test_what_is_no_character_is_shown_and_hides_nothing_else(content: str, shown: str) -> None:
    found = read(prop("<S N >%s</S>" % content, "Description").replace("<Props>", '<Props><S N="Identity">A</S>'))
    assert found == {"Identity": "A", "Description": shown}
    found["Description"].encode("utf-8")  # a surrogate would raise
