# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes over the wire for a value, and what is made of the errors that come over it."""

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
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import read
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.values import server_error, to_wire, wire_size
from pypsrp.serializer import Serializer


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


RECORD = """<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>
<ToString>said by ToString</ToString><MS>
<Obj N="Exception" RefId="1"><TN RefId="1"><T>System.Exception</T><T>System.Object</T></TN><ToString>long</ToString>
<Props><S N="Message">said by the exception</S></Props></Obj>
<S N="TargetObject">x.example</S><S N="FullyQualifiedErrorId">InvalidInput,Microsoft.Rtc.SetPartnerCmdlet</S>
<I32 N="ErrorCategory_Category">5</I32>%s<B N="SerializeExtendedInfo">false</B></MS></Obj>"""


def record(extra: str = "") -> t.Any:
    return read((RECORD % extra).replace("\n", ""))


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


@pytest.mark.parametrize("category", [999, -1, "5", None, {}])
def test_an_empty_error_record_is_still_an_error(category: object) -> None:
    error = server_error({"FullyQualifiedErrorId": None, "ErrorCategory_Category": category})
    assert (error.error_id, error.category, error.message) == ("", "", "the server reported an error without a text")


@pytest.mark.parametrize("record", ["words", 5, [], None])
def test_a_record_that_is_no_object_is_still_an_error(record: object) -> None:
    assert server_error(record).message == str(record)


def test_a_text_without_end_is_cut() -> None:
    error = server_error({"ErrorDetails_Message": "m" * 10**7, "TargetObject": "t" * 10**7})
    assert len(error.message) < 5000
    assert len(error.target) < 5000


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
