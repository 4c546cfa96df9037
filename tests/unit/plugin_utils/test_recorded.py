# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client reads what PowerShell sends: messages recorded from PowerShell 7.6.9, RestrictedRemoteServer, NoLanguage.

recorded/values.json has an object each, which a session without these restrictions wrote. recorded/pipelines.json has
all messages of a pipeline. Stack traces, invocations and the versions of assemblies are cut out of both.
"""

from __future__ import annotations

import json
import struct
import typing as t
from math import inf
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import UnreadableXml, read
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.transport import Messages
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.values import server_error

RECORDED = Path(__file__).parent / "recorded"
VALUES: dict[str, str] = json.loads((RECORDED / "values.json").read_text(encoding="utf-8"))
PIPELINES: dict[str, list[tuple[str, str]]] = json.loads((RECORDED / "pipelines.json").read_text(encoding="utf-8"))

# MS-PSRP 2.2.1.
TYPES = {
    "PIPELINE_OUTPUT": 0x41004, "ERROR_RECORD": 0x41005, "PIPELINE_STATE": 0x41006, "DEBUG_RECORD": 0x41007,
    "VERBOSE_RECORD": 0x41008, "WARNING_RECORD": 0x41009, "PROGRESS_RECORD": 0x41010, "INFORMATION_RECORD": 0x41011,
}  # fmt: skip
COMPLETED, STOPPED, FAILED = 4, 3, 5

SAMPLE: dict[str, t.Any] = {
    "Identity": "fabrikam.example", "Domains": [], "Named": [], "Array": [], "Set": None, "Level": "Required",
    "Enabled": True, "Limit": 4294967295, "Maybe": None, "Interval": "PT1M30.5S", "When": "2026-01-02T03:04:05.678Z",
    "Id": "00112233-4455-6677-8899-aabbccddeeff", "Inner": "Inner one", "Anything": None, "FromBase": "base",
}  # fmt: skip


def sample(*domains: str, **others: t.Any) -> dict[str, t.Any]:
    return {**SAMPLE, **{name: list(domains) for name in ("Domains", "Named", "Array")}, **others}


# What each is; of what has no place in a property of ours, why it is unreadable.
READ: dict[str, t.Any] = {
    "object_list_0": sample(),
    "object_list_1": sample("a.example"),
    "object_list_3": sample("a.example", "b.example", "c.example"),
    "object_nulls": {
        **dict.fromkeys(SAMPLE), "Level": "NotSupported", "Enabled": False, "Limit": 0, "Interval": "PT0S",
        "When": "0001-01-01T00:00:00", "Id": "00000000-0000-0000-0000-000000000000",
    },
    "object_selected": {"Identity": "fabrikam.example", "Domains": ["a.example"], "Level": "Required", "Missing": None},
    "object_set": sample(Set=["x", "y"]),
    "object_with_note": sample("a.example", More="x", Extra=1),
    "deserialized_again": sample("a.example", Inner={"Name": "one", "Number": 1, "Next": "Inner two"}),
    "array_multidim": [0, 5, 0, 0],
    "bytes": b"\x00\x01\x7f\x80\xff",
    "bytes_0": b"",
    "list_array_0": [],
    "list_array_1": ["one"],
    "list_array_mixed": [1, "two", None, True, 3.5, 7],
    "list_arraylist": ["a", "b"],
    "list_collection": ["x"],
    "list_generic_0": [],
    "list_generic_1": ["one"],
    "list_generic_many": ["item 1", "item 2", "item 3", "item 4", "item 5"],
    "list_hashset": ["a", "b"],
    "list_named": ["one"],
    "list_nested": [["a", "b"], [], ["c"]],
    "list_queue": [1, 2],
    "list_readonly": ["x", "y"],
    "list_stack": [2, 1],
    "string_blank": "   ",
    "string_bom": "\ufeffx",
    "string_combining": "e\u0301 \xe9",
    "string_controls": "".join(map(chr, (*range(32), *range(127, 160)))),
    "string_crlf": "a\r\nb\rc\nd",
    "string_emoji": "party \U0001f389 done",
    "string_empty": "",
    "string_escape_like": "_x000A_ and _x005F_ and _X000a_ and _x00 and _",
    "string_idn": "b\xfccher.example \ufdfa \u4f8b\u3048.\u30c6\u30b9\u30c8",
    "string_linesep": "a\u2028\u2029\x85b",
    "string_nonchar": "x\ufffdU+FFFE\ufffd\ufffdU+FFFF\ufffdy",
    "string_nul": "a\x00b",
    "string_plain": "plain",
    "string_property_name": {"a b": 1, "c<d>": 2, "e\nf": 3, "_x0041_": 4},
    "string_rtl": "\u202eabc",
    "string_space": " lead and trail \t",
    "string_surrogate_high": "x\ufffdU+D83D\ufffdy",
    "string_surrogate_low": "x\ufffdU+DE00\ufffdy",
    "string_xml": "<a href=\"b\">'&amp;' ]]></a>",
    "bool_false": False,
    "bool_true": True,
    "byte": 200,
    "char": "A",
    "char_control": "\n",
    "char_surrogate": UnreadableXml("'55357' cannot be read as <C>"),
    "credential": {"UserName": "CONTOSO\\user", "Password": b""},
    "custom_nested": {"n": 1, "in": {"n": 2, "in": {"n": 3, "in": {"n": 4}}}},
    "cyclic_class": {"Name": "self", "Number": 1, "Next": "Inner self"},
    "cyclic_custom": {"Name": "a", "Other": {"Name": "b", "Other": {}}},
    "cyclic_hashtable": {"self": {"self": {}, "name": "h"}, "name": "h"},
    "datetime_local": "2026-07-02T03:04:05+00:00",
    "datetime_min": "0001-01-01T00:00:00",
    "datetime_ticks": "2026-01-02T02:24:05.1234567Z",
    "datetime_unspecified": "2026-01-02T03:04:05",
    "datetime_utc": "2026-01-02T03:04:05.678Z",
    "decimal": "79228162514264337593543950335",
    "dictionary": {"a": 1},
    "double": 3.14159265358979,
    "double_infinity": -inf,
    "double_nan": pytest.approx(float("nan"), nan_ok=True),
    "enum": "Optional",
    "enum_byte": "Top",
    "enum_flags": "A, C",
    "guid": "00112233-4455-6677-8899-aabbccddeeff",
    "hashtable": {"one": 1},
    "hashtable_0": {},
    "hashtable_keys": {"00112233-4455-6677-8899-aabbccddeeff": "guid key", "1": "int key"},
    "hashtable_nested": {"a": {"b": {"c": {"d": 1}}}},
    "int16": -300,
    "int32": -(2**31),
    "int64": 2**63 - 1,
    "ordered": {"z": 1, "a": "two", "list": ["x"], "none": None},
    "same_object_twice": [{"a": 1}, {"a": 1}],
    "same_string_list_twice": {"A": ["x"], "B": ["x"]},
    "sbyte": -5,
    "securestring": b"",
    "single": 1.5,
    "switch": {"IsPresent": True},
    "timespan": "P1DT2H3M4.005S",
    "timespan_negative": "-PT1.5S",
    "uint16": 2**16 - 1,
    "uint32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "uri": "https://example.com/a b?c=d#e",
    "uri_relative": "a/b",
    "version": "7.0.2046.385",
    "xml": '<a b="c&amp;d"><e>text</e><!-- note --></a>',
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_read_right(name: str) -> None:
    if name.startswith("x509"):
        found = read(VALUES[name])
        assert found["RawData"].startswith(b"0\x82\x01r0")
        assert ("HasPrivateKey" in found) == (name == "x509_selected"), "a whole certificate is its RawData alone"
    elif isinstance(READ[name], UnreadableXml):
        with pytest.raises(UnreadableXml) as caught:
            read(VALUES[name])
        assert str(caught.value) == str(READ[name])
    else:
        assert read(VALUES[name]) == READ[name]


def test_every_value_of_the_table_is_recorded() -> None:
    assert set(READ) | {"x509", "x509_selected"} == set(VALUES)


class Outcome(t.NamedTuple):
    """What the client makes of a pipeline. errors: command, id without the class, category, target; in their order."""

    state: int
    errors: tuple[tuple[str, str, str, str], ...] = ()
    warnings: int = 0
    outputs: int = 0


NEW, GET = "New-CsXmppAllowedPartner", "Get-CsXmppAllowedPartner"
NOT_FOUND = (GET, "ItemNotFound", "ObjectNotFound", "none.example")
NO_COMMAND = ("Get-CsNothing", "CommandNotFoundException", "ObjectNotFound", "Get-CsNothing")
POLICY = ("Grant-CsExternalAccessPolicy", "InvalidPolicy", "InvalidArgument", "Nope")
BOGUS = (NEW, "NamedParameterNotFound", "InvalidArgument", "")
OUTCOMES = {
    "null_in_pipeline": Outcome(COMPLETED),
    "bind_unknown": Outcome(FAILED, (BOGUS,)),
    "bind_enum": Outcome(FAILED, ((NEW, "CannotConvertArgumentNoMessage", "InvalidArgument", ""),)),
    "bind_identity_null": Outcome(
        FAILED, ((NEW, "ParameterArgumentValidationErrorNullNotAllowed", "InvalidData", ""),)
    ),
    "error_not_found": Outcome(COMPLETED, (NOT_FOUND,)),
    "error_exists": Outcome(COMPLETED, ((NEW, "ItemAlreadyExists", "ResourceExists", "fabrikam.example"),)),
    "error_stop": Outcome(FAILED, (NOT_FOUND,)),
    "error_terminating": Outcome(FAILED, (POLICY,)),
    "confirm_high": Outcome(
        FAILED, (("Remove-CsXmppAllowedPartner", "HostFunctionNotImplemented", "NotImplemented", ""),)
    ),
    "unknown_command": Outcome(FAILED, (NO_COMMAND,)),
    "script": Outcome(FAILED, (("", "ScriptsNotAllowed", "ParserError", "1+1"),)),
    "select_refused": Outcome(FAILED, (("Select-Object", "ParameterArgumentValidationError", "InvalidData", ""),)),
    "stopped": Outcome(STOPPED, (("", "PipelineStopped", "OperationStopped", ""),)),
    "batch_bind_error_goes_on": Outcome(COMPLETED, (BOGUS,), outputs=2),
    "batch_unknown_goes_on": Outcome(COMPLETED, (NO_COMMAND,), outputs=2),
    "batch_terminating_goes_on": Outcome(COMPLETED, (POLICY,), outputs=2),
    "batch_stop_stops": Outcome(FAILED, (NOT_FOUND,)),
    "batch_error_middle": Outcome(COMPLETED, (NOT_FOUND,), outputs=4),
    "ok_user": Outcome(COMPLETED, warnings=1, outputs=2),
    "warning_and_verbose": Outcome(COMPLETED, warnings=1),
    "stream_all": Outcome(
        COMPLETED, (("Write-Error", "Microsoft.PowerShell.Commands.WriteErrorException", "NotSpecified", ""),), 1, 2
    ),
    "stream_error_full": Outcome(COMPLETED, (("Act", "Some.Id", "ObjectNotFound", "Nam"),)),
    "stream_throw": Outcome(FAILED, (("", "thrown", "OperationStopped", "thrown"),)),
    "stream_parse_error": Outcome(FAILED, (("", "IfStatementMissingCondition", "ParserError", ""),)),
    "stream_progress": Outcome(COMPLETED),
    "stream_host": Outcome(COMPLETED),
    "stream_information": Outcome(COMPLETED),
    "stream_debug": Outcome(COMPLETED),
}


def fragments(messages: t.Iterable[tuple[str, str]]) -> bytes:
    """The messages as they travel: each in one fragment (MS-PSRP 2.2.4), with a header (2.2.1)."""
    whole = b""
    for number, (kind, xml) in enumerate(messages):
        data = struct.pack("<II", 1, TYPES[kind]) + bytes(32) + (b"\xef\xbb\xbf" + xml.encode() if xml else b"")
        whole += struct.pack(">QQBI", number, 0, 3, len(data)) + data
    return whole


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_read_right(name: str) -> None:
    found = Messages(None)(fragments(PIPELINES[name]))
    state = found[-1].data
    records = [one.data for one in found if one.message_type == TYPES["ERROR_RECORD"]]
    errors = [server_error(one) for one in (*records, *([state.error_record] if state.error_record else ()))]
    assert all(error.message for error in errors)
    assert OUTCOMES[name] == Outcome(
        state.state,
        tuple((e.cmdlet, e.error_id.partition(",")[0], e.category, e.target) for e in errors),
        sum(one.message_type == TYPES["WARNING_RECORD"] for one in found),
        sum(one.message_type == TYPES["PIPELINE_OUTPUT"] for one in found),
    )


def test_every_outcome_of_the_table_is_recorded() -> None:
    assert set(OUTCOMES) == set(PIPELINES)


@pytest.mark.parametrize("xml", ["", "<Nil/>"])
def test_null_in_the_output_is_no_object(xml: str) -> None:
    found = Messages(None)(fragments([("PIPELINE_OUTPUT", xml), ("PIPELINE_OUTPUT", "<S>a</S>")]))
    assert [one.data.data for one in found] == ["a"]
