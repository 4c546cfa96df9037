# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes over the wire for a value, and what plain value is made of what comes over the wire."""

from __future__ import annotations

import base64
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    ListChange,
    Secret,
    Statement,
    UInt32,
    Value,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils import _psrp_session
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp_options import Target
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp_values import (
    from_wire,
    quicken,
    server_error,
    to_wire,
    wire_size,
)
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.messages import ErrorRecordMessage
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
    """What is made of it; the same by pypsrp's own reading and by the quicker one."""
    one = xml.replace("\n", "")
    quick = Serializer()
    quicken(quick)
    found = from_wire(Serializer().deserialize(one))
    again = from_wire(quick.deserialize(one))
    assert repr(again) == repr(found)  # types too
    return found


def sent(value: Value) -> ET.Element:
    element = Serializer().serialize(to_wire(value))
    assert element is not None
    return element


@pytest.mark.parametrize(
    ("value", "tag", "text"),
    [
        (None, "Nil", None),
        (True, "B", "true"),
        (5, "I32", "5"),
        (2**31, "I64", "2147483648"),
        (UInt32(5), "U32", "5"),
        (UInt32(0), "U32", "0"),
        ("a", "S", "a"),
        ("", "S", ""),
        (Secret("s"), "S", "s"),
        (b"\x00\xff", "BA", base64.b64encode(b"\x00\xff").decode()),
    ],
)
def test_simple_values_travel_with_their_type(value: Value, tag: str, text: str | None) -> None:
    element = sent(value)
    assert (element.tag, element.text) == (tag, text)


def test_a_tuple_travels_as_a_list() -> None:
    element = sent(("a", UInt32(1), None))
    assert [item.tag for item in element.findall("LST/*")] == ["S", "U32", "Nil"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ListChange(add=("a", "b")), {"Add": ["a", "b"]}),
        (ListChange(remove=("a",)), {"Remove": ["a"]}),
        (ListChange(("a",), ("b",)), {"Add": ["a"], "Remove": ["b"]}),
    ],
)
def test_a_list_change_travels_as_a_hashtable(change: ListChange, expected: dict[str, list[str]]) -> None:
    element = sent(change)
    assert next(e.text for e in element.findall("TN/T")) == "System.Collections.Hashtable"
    table = {
        key.text: [s.text for s in entry.findall("Obj/LST/S")]
        for entry in element.findall("DCT/En")
        if (key := entry.find("S")) is not None
    }
    assert table == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_arrives_verbatim(text: str) -> None:
    assert from_wire(Serializer().deserialize(ET.tostring(sent(text), encoding="unicode"))) == text


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
    assert read('<Obj RefId="0"><MS><SS N="Password">AAAA</SS></MS></Obj>') == {"Password": None}


def test_objects_that_contain_themselves_end_somewhere() -> None:
    loop: dict[str, t.Any] = {}
    loop["self"] = loop
    assert "..." in repr(from_wire(loop))


RECORD = """<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>
<ToString>said by ToString</ToString><MS>
<Obj N="Exception" RefId="1"><TN RefId="1"><T>System.Exception</T><T>System.Object</T></TN><ToString>long</ToString>
<Props><S N="Message">said by the exception</S></Props></Obj>
<S N="TargetObject">x.example</S><S N="FullyQualifiedErrorId">InvalidInput,Microsoft.Rtc.SetPartnerCmdlet</S>
<I32 N="ErrorCategory_Category">5</I32>%s<B N="SerializeExtendedInfo">false</B></MS></Obj>"""


def record(extra: str = "") -> t.Any:
    return Serializer().deserialize((RECORD % extra).replace("\n", ""))


def test_an_error_record_in_plain_words() -> None:
    error = server_error(record('<S N="ErrorCategory_Activity">Set-CsXmppAllowedPartner</S>'))
    assert error.as_dict() == {
        "cmdlet": "Set-CsXmppAllowedPartner",
        "error_id": "InvalidInput,Microsoft.Rtc.SetPartnerCmdlet",
        "category": "InvalidArgument",
        "message": "said by the exception",
        "target": "x.example",
    }


def test_details_go_before_the_exceptions_own_message() -> None:
    assert server_error(record('<S N="ErrorDetails_Message">details</S>')).message == "details"


def test_the_cmdlet_comes_from_the_id_where_nothing_else_names_it() -> None:
    assert server_error(record()).cmdlet == "Microsoft.Rtc.SetPartnerCmdlet"
    assert server_error(record('<S N="CommandInfo_Name">Set-X</S>')).cmdlet == "Set-X"


def test_an_empty_error_record_is_still_an_error() -> None:
    error = server_error(ErrorRecordMessage(fq_error=None, category=999))
    assert (error.error_id, error.category) == ("", "")


VALUES: list[dict[str, Value]] = [
    {},
    {"Identity": "tag:some-policy", "EnableXmppAccess": True, "Description": "d" * 300, "Confirm": False},
    {"Identity": "x.example", "AdditionalDomains": ListChange(("a.example",) * 20, ("b.example",)), "Limit": UInt32(7)},
    {"Path": "C:\\file", "Value": bytes(range(256)) * 40, "Passphrase": Secret("p" * 40), "None": None},
    {"Names": tuple("name%d.example" % n for n in range(50)), "Text": "ü€😀<&>\x01" * 30},
]


@pytest.mark.parametrize("parameters", VALUES)
def test_the_estimated_size_is_not_too_small_and_not_far_off(parameters: dict[str, Value]) -> None:
    from pypsrp.complex_objects import Command, CommandParameter

    statement = Statement("Set-CsXmppAllowedPartner", parameters)
    command = Command(statement.cmdlet, protocol_version="2.3", is_script=False)
    command.args = [CommandParameter(name=name, value=to_wire(value)) for name, value in parameters.items()]
    element = Serializer().serialize(command)
    assert element is not None
    real = len(ET.tostring(element, encoding="utf-8"))
    assert 0.6 * real <= wire_size(statement) <= 1.9 * real


@given(st.lists(st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text(), max_size=8))
def test_simple_values_are_read_quickly_as_pypsrp_reads_them(values: list[Value]) -> None:
    xml = ET.tostring(sent(tuple(values)), encoding="unicode")
    assert read(xml) == values


def test_the_sessions_serializer_is_the_one_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """pypsrp has it in two places, under a name of its own; without it the session would only be slower."""
    seen: list[t.Any] = []
    monkeypatch.setattr(_psrp_session, "quicken", seen.append)
    wsman = {"server": "fe01", "username": "u", "password": "p", "auth": "basic"}
    pool: t.Any = _psrp_session._new_pool(Target("fe01", "https://fe01", "u", "basic", wsman, "X"))
    assert seen == [pool._serializer]
    assert pool._fragmenter.serializer is pool._serializer
