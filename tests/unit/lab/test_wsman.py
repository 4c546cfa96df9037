# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Management messages, logins and certificates of the lab, without a server."""

from __future__ import annotations

import os
import stat
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pypsrp.wsman import NAMESPACES, WSMan

from lab.deployment import tls
from lab.remoting import auth, wsman
from lab.remoting.wsman import Action, Fault, Request

ENVELOPE = (
    '<s:Envelope xmlns:s="{s}" xmlns:a="{a}" xmlns:w="{w}" xmlns:rsp="{rsp}"><s:Header>%s</s:Header>'
    "<s:Body>%s</s:Body></s:Envelope>"
).format(**wsman.NAMES)


def request(header: str = "", body: str = "", action: Action = Action.GET) -> Request:
    return wsman.parse((ENVELOPE % ("<a:Action>%s</a:Action>%s" % (action.value, header), body)).encode())


def test_headers_are_read() -> None:
    parsed = request(
        "<a:MessageID>uuid:1</a:MessageID><w:ResourceURI> http://r </w:ResourceURI>"
        "<w:OperationTimeout>PT20S</w:OperationTimeout><w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>"
        '<w:SelectorSet><w:Selector Name="Other">x</w:Selector>'
        '<w:Selector Name="ShellId">ab-c</w:Selector></w:SelectorSet>'
    )
    assert (parsed.message_id, parsed.resource, parsed.shell_id) == ("uuid:1", "http://r", "AB-C")
    assert (parsed.timeout, parsed.max_envelope) == (20.0, 153600)


@pytest.mark.parametrize(("text", "size"), [("", 153600), ("x", 153600), ("1", 8192), ("99999999", 512000)])
def test_envelope_size_stays_within_bounds(text: str, size: int) -> None:
    assert request("<w:MaxEnvelopeSize>%s</w:MaxEnvelopeSize>" % text).max_envelope == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT20S", 20), ("PT1M30.5S", 90.5), ("PT2H", 7200), ("PT0S", 0), ("", 7), ("PT", 7), ("P1D", 7), ("20", 7)],
)
def test_duration(text: str, seconds: float) -> None:
    assert wsman.duration(text, 7) == seconds


@pytest.mark.parametrize(
    ("data", "code", "message_id"),
    [
        (b"", wsman.INVALID_XML, ""),
        (b"<a>", wsman.INVALID_XML, ""),
        (b"<a/>", wsman.INVALID_XML, ""),
        (b"<!DOCTYPE a><a/>", wsman.INVALID_XML, ""),
        (
            (ENVELOPE % ("<a:Action>urn:x</a:Action><a:MessageID>m</a:MessageID>", "")).encode(),
            wsman.INVALID_ACTION,
            "m",
        ),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, code: int, message_id: str) -> None:
    with pytest.raises(wsman.Unreadable) as caught:
        wsman.parse(data)
    assert (caught.value.code, caught.value.message_id) == (code, message_id)
    assert caught.value.sender


def test_identify_needs_no_action() -> None:
    parsed = wsman.parse((ENVELOPE % ("", '<i:Identify xmlns:i="%s"/>' % wsman.IDENTIFY)).encode())
    assert parsed.action is Action.IDENTIFY
    answer = ET.fromstring(wsman.response(parsed, "<x/>"))
    assert answer.find("s:Body/x", NAMESPACES) is not None


def test_answers_relate_to_their_request() -> None:
    parsed = request("<a:MessageID>uuid:&lt;1&gt;</a:MessageID>", action=Action.SIGNAL)
    answer = ET.fromstring(wsman.response(parsed, "<rsp:SignalResponse/>"))
    assert answer.findtext("s:Header/wsa:RelatesTo", "", NAMESPACES) == "uuid:<1>"
    assert answer.findtext("s:Header/wsa:Action", "", NAMESPACES) == Action.SIGNAL.value + "Response"
    assert answer.find("s:Body/rsp:SignalResponse", NAMESPACES) is not None


@pytest.mark.parametrize(
    ("fault", "code", "blamed"),
    [
        (Fault(wsman.SHELL_NOT_FOUND, "no <shell> & no \u00e9", "w:InvalidSelectors"), 2150858843, "s:Sender"),
        (Fault(wsman.OPERATION_TIMED_OUT, "late", "w:TimedOut"), 2150858793, "s:Receiver"),
    ],
)
def test_pypsrp_understands_faults(fault: Fault, code: int, blamed: str) -> None:
    xml = wsman.fault(fault, "uuid:1", 'host"1').decode()
    error = WSMan._parse_wsman_fault(xml)
    assert (error.code, error.reason, error.machine) == (code, fault.reason, 'host"1')
    assert ET.fromstring(xml).findtext("s:Body/s:Fault/s:Code/s:Value", "", NAMESPACES) == blamed


def test_payload_and_headers_fit_the_envelope() -> None:
    for envelope in (8192, 153600, 512000):
        assert wsman.payload_size(envelope) * 4 / 3 + 2048 <= envelope


def authenticate(domain: str, user: str, unicode: bool = True) -> bytes:
    """The head of an NTLM AUTHENTICATE message."""
    encoded = [text.encode("utf-16-le" if unicode else "cp437") for text in (domain, user)]
    head = b"NTLMSSP\x00" + struct.pack("<I", 3) + b"\x00" * 16
    offset = 64
    for data in encoded:
        head += struct.pack("<HHI", len(data), len(data), offset)
        offset += len(data)
    return head.ljust(60, b"\x00") + struct.pack("<I", 1 if unicode else 2) + b"".join(encoded)


@pytest.mark.parametrize("unicode", [True, False])
def test_claimed_name(unicode: bool) -> None:
    token = authenticate("CONTOSO", "admin", unicode)
    assert auth.claimed(token) == ("CONTOSO", "admin")
    assert auth.claimed(b"\xa1\x82spnego" + token) == ("CONTOSO", "admin")
    assert auth.claimed(b"NTLMSSP\x00\x01\x00\x00\x00" + b"\x00" * 60) == ("", "")
    with pytest.raises(struct.error):
        auth.claimed(token[:30])


def test_identity_is_kept_and_its_key_is_private(tmp_path: Path) -> None:
    first = tls.ensure_identity(tmp_path)
    assert stat.S_IMODE(os.stat(first.key).st_mode) == 0o600
    before = first.certificate.read_bytes()
    assert tls.ensure_identity(tmp_path).certificate.read_bytes() == before
    assert not list(tmp_path.glob("*ca*key*")), "the authority's key is not kept"


@pytest.mark.parametrize("damage", ["ca.pem", "server.pem", "server-key.pem"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_damaged_identity_is_made_anew(tmp_path: Path, damage: str, content: bytes | None) -> None:
    tls.ensure_identity(tmp_path)
    (tmp_path / damage).unlink()
    if content is not None:
        (tmp_path / damage).write_bytes(content)
    identity = tls.ensure_identity(tmp_path)
    identity.context()
    assert identity.channel_binding().startswith(b"tls-server-end-point:")
    assert tls.ensure_identity(tmp_path) == identity


def test_identities_of_two_labs_are_not_exchangeable(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        tls.ensure_identity(tmp_path / name)
    (tmp_path / "a/ca.pem").write_bytes((tmp_path / "b/ca.pem").read_bytes())
    kept = (tmp_path / "a/server.pem").read_bytes()
    tls.ensure_identity(tmp_path / "a")
    assert (tmp_path / "a/server.pem").read_bytes() != kept
