# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encrypted messages: what pypsrp seals the lab unseals, and the other way round; nothing else passes."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import spnego
from pypsrp.encryption import WinRMEncryption
from spnego.exceptions import NegotiateOptions

from lab.remoting.encryption import NotSealed, seal, unseal

Contexts = tuple[t.Any, t.Any]
MESSAGE = "<S>ünsealed</S>".encode() * 500


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contexts:
    """A client's and a server's, who have agreed on keys."""
    accounts = tmp_path / "accounts"
    accounts.write_text("D:user:password\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))
    ntlm = NegotiateOptions.use_ntlm
    client = spnego.client("D\\user", "password", protocol="ntlm", options=ntlm)
    server = spnego.server(protocol="ntlm", options=ntlm)
    token = client.step()
    while token:
        answer = server.step(token)
        token = client.step(answer) if answer else None
    return client, server


def test_both_directions(contexts: Contexts) -> None:
    client, server = contexts
    for protocol in (WinRMEncryption.SPNEGO, WinRMEncryption.KERBEROS):
        sealing = WinRMEncryption(client, protocol)
        kind, body = sealing.wrap_message(MESSAGE)
        assert b"nsealed" not in body
        assert unseal(body, server) == MESSAGE
        answered, sealed = seal(MESSAGE, server, '%s;protocol="%s";boundary="Encrypted Boundary"' % (kind, protocol))
        assert b"nsealed" not in sealed
        assert protocol in answered
        assert sealing.unwrap_message(sealed, "Encrypted Boundary") == MESSAGE


def test_what_was_changed_does_not_pass(contexts: Contexts) -> None:
    client, server = contexts
    _kind, body = WinRMEncryption(client, WinRMEncryption.SPNEGO).wrap_message(MESSAGE)
    start = body.index(b"octet-stream")
    changed = [
        MESSAGE,
        b"",
        body[:-3],
        body[: start + 900] + bytes([body[start + 900] ^ 1]) + body[start + 901 :],
        re.sub(rb"Length=\d+", b"Length=5", body),
    ]
    for wrong in changed:
        with pytest.raises(NotSealed):
            unseal(wrong, server)
