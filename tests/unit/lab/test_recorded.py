# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab answers as PowerShell does: statements recorded from PowerShell 7.6.9, RestrictedRemoteServer, NoLanguage.

recorded_session.json has what was sent, in its order, and how each pipeline ended: the state, and of each error the
message that it stood in, its id, category (a number), exception, command and target. The cmdlets behind were stand-ins
with the documented parameters: their objects, warnings and own errors are not PowerShell's. The parameter binder, the
places of errors and their own ids are.
"""

from __future__ import annotations

import json
import re
import struct
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import psrpcore
import pytest
from psrpcore.types import PSDict, PSList, PSUInt

from lab.cmdlets.clixml import serialize
from lab.remoting.shell import Session

from .conftest import USERS, Bench

RECORDED: dict[str, t.Any] = json.loads(
    Path(__file__).with_name("recorded_session.json").read_text(encoding="utf-8")
)  # fmt: skip
VALUES: dict[str, str] = json.loads(
    (Path(__file__).parents[1] / "plugin_utils" / "recorded" / "values.json").read_text(encoding="utf-8")
)
FRAGMENT = 200_000
TYPES = {0x41004: "PIPELINE_OUTPUT", 0x41005: "ERROR_RECORD", 0x41006: "PIPELINE_STATE", 0x41009: "WARNING_RECORD"}
STATES = {"4": "Completed", "5": "Failed"}

OWN = "The ids, categories and exceptions of the product's own errors are the lab's (error-texts)."
REPLACE = "Only Add, Remove and $null are documented; the lab refuses the rest (list-modifier-replace)."
# Statement -> why the lab answers otherwise. Where the error is the product's own, it stands where it was recorded.
DIFFERENCES = {
    **dict.fromkeys(("error_not_found", "error_exists", "error_stop", "error_terminating"), OWN),
    **dict.fromkeys(("batch_terminating_goes_on", "batch_stop_stops", "batch_error_middle"), OWN),
    **dict.fromkeys(("modifier_replace", "modifier_replace_empty"), REPLACE),
}

Message = tuple[str, str]


class Client:
    """A session in this process: statements in, the messages of the pipeline out."""

    def __init__(self, bench: Bench) -> None:
        self._session = Session(bench.deployment, "S-1", "fe01", USERS["fe01"], "2.3", idle=60)
        self._pool = psrpcore.ClientRunspacePool()
        self._pool.open()
        self._session.open(self._payload(), FRAGMENT)
        while self._pool.state.name != "Opened":
            answer = self._session.receive("", FRAGMENT, 60)
            assert answer
            self._pool.receive_data(psrpcore.PSRPPayload(answer[0], psrpcore.StreamType.default, None))
            while self._pool.next_event():
                pass

    def send(self, sent: t.Any) -> list[Message]:
        pipeline = psrpcore.ClientPowerShell(self._pool)
        for number, statement in enumerate(sent if isinstance(sent, list) else []):
            if number:
                pipeline.add_statement()
            for name, parameters in statement:
                pipeline.add_command(name)
                for key, value in parameters.items():
                    if key:
                        pipeline.add_parameter(key, plain(value))
                    else:
                        pipeline.add_argument(plain(value))
        if isinstance(sent, str):
            pipeline.add_script(sent)
        pipeline.start()
        command = self._session.command("", self._payload(), FRAGMENT)
        data, done = b"", False
        while not done:
            found = self._session.receive(command, FRAGMENT, 60)
            assert found
            data, done = data + found[0], found[1]
        return messages(data)

    def _payload(self) -> bytes:
        return t.cast(psrpcore.PSRPPayload, self._pool.data_to_send()).data

    def close(self) -> None:
        self._session.close()


def plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return PSUInt(value["U32"]) if "U32" in value else PSDict({k: plain(v) for k, v in value["table"].items()})
    return PSList([plain(item) for item in value]) if isinstance(value, list) else value


def messages(data: bytes) -> list[Message]:
    """The messages in fragments (MS-PSRP 2.2.4, 2.2.1)."""
    found: list[Message] = []
    whole = b""
    while data:
        _object, _number, flags, size = struct.unpack_from(">QQBI", data)
        whole += data[21 : 21 + size]
        data = data[21 + size :]
        if flags & 2:
            kind = struct.unpack_from("<I", whole, 4)[0]
            found.append((TYPES[kind], whole[40:].decode("utf-8-sig")))
            whole = b""
    return found


def outcome(told: t.Sequence[Message]) -> dict[str, t.Any]:
    """What recorded_session.json says of a pipeline."""

    def errors() -> t.Iterator[list[t.Any]]:
        for kind, xml in told:
            if kind != "PIPELINE_OUTPUT" and 'N="FullyQualifiedErrorId"' in xml:
                category = int(member(xml, "ErrorCategory_Category"))
                names = ("ErrorCategory_Reason", "ErrorCategory_Activity", "ErrorCategory_TargetName")
                yield [kind, member(xml, "FullyQualifiedErrorId"), category, *(member(xml, name) for name in names)]

    state = STATES[member(told[-1][1], "PipelineState")]
    return {"state": state, "errors": list(errors())}


def member(xml: str, name: str) -> str:
    found = re.search(r'N="%s"(?: />|>([^<]*)<)' % name, xml)
    assert found, name
    return found[1] or ""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, list[Message]]]:
    bench = Bench(tmp_path_factory.mktemp("recorded"))
    client = Client(bench)
    yield {name: client.send(entry["sent"]) for name, entry in RECORDED.items()}
    client.close()
    bench.store.close()


@pytest.mark.parametrize("name", RECORDED)
def test_a_pipeline_ends_as_recorded(answers: dict[str, list[Message]], name: str) -> None:
    ours = outcome(answers[name])
    theirs = {key: RECORDED[name][key] for key in ours}
    if name not in DIFFERENCES:
        assert ours == theirs
        return
    assert ours != theirs, "it is not different any more"
    if DIFFERENCES[name] == OWN:
        assert ours["state"] == theirs["state"]
        assert [error[0] for error in ours["errors"]] == [error[0] for error in theirs["errors"]]


def test_objects_have_the_forms_of_the_serializer(answers: dict[str, list[Message]]) -> None:
    """Type names, text, value, adapted and extended properties, in this order; no objects in adapted properties."""
    order = ("TN", "TNRef", "ToString", "I32", "LST", "DCT", "Props", "MS")
    seen = 0
    for xml in (xml for told in answers.values() for kind, xml in told if xml.startswith("<Obj")):
        root = ET.fromstring(xml)
        for element in root.iter("Obj"):
            tags = [part.tag for part in element if part.tag in order]
            assert tags == sorted(tags, key=order.index), xml
        for each in root.findall("Props/*"):
            assert each.tag != "Obj" or each.find("LST") is not None or each.find("DCT") is not None, xml
            seen += each.find("LST") is not None
    assert seen > 20


# Of a text the lab writes just what PowerShell wrote.
@pytest.mark.parametrize(
    "name", [name for name, xml in VALUES.items() if name.startswith("string_") and "<MS>" not in xml]
)
def test_texts_are_written_as_recorded(name: str) -> None:
    content = VALUES[name].removeprefix("<S>").removesuffix("</S>")
    for character, written in (
        ("\ufffe", "&#xFFFE;"),
        ("\uffff", "&#xFFFF;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("&", "&amp;"),
    ):
        content = content.replace(written, character)
    text = re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), content)
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert serialize(whole) == VALUES[name]
