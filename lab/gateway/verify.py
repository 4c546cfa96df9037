# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify dialback keys (XEP-0220): ask the authoritative server about a key, and answer for own keys."""

from __future__ import annotations

import hmac
import time

from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.stream import VerifyAnswer, dialback_key

from .dial import DialFailed, Dialog, connect
from .parts import Parts
from .rules import in_clear, wants_tls
from .surroundings import Partner, Surroundings
from .wire import Wire

# This time is shorter than the time-out of a stream, because the stream is blocked during the wait.
_PATIENCE = 15.0


def ask(parts: Parts, host: str, own: str, partner: Partner, domain: str, stream_id: str, key: str) -> bool:
    """Return whether a domain's server knows a key. Raises DialFailed if the server does not answer."""
    deadline = time.monotonic() + min(_PATIENCE, parts.around.settings().establishment_timeout)
    dialog = Dialog(Wire(connect(parts.around, host, partner, domain, deadline)), own, domain, deadline, parts.stopping)
    try:
        dialog.open()
        if wants_tls(partner.row, dialog.features.starttls):
            dialog.start_tls(parts.around, host)
        else:
            verdict = in_clear(partner.row, dialog.features.starttls)
            if not verdict.allowed:
                raise DialFailed(verdict.reason)
        dialog.stream.send_verify(own, domain, stream_id, key)
        while True:
            answer = dialog.wait(VerifyAnswer)
            if (answer.from_, answer.to, answer.id) == (domain, own, stream_id):
                break
        if answer.type == "error":
            raise DialFailed("the authoritative server says %s" % (answer.condition or "error"))
        return answer.type == "valid"
    finally:
        dialog.close()


def expected(around: Surroundings, receiving: str, originating: str, stream_id: str) -> str:
    """Return the key that the gateway shows for an own domain."""
    return dialback_key(around.dialback_secret(), receiving, originating, stream_id)


def ours(around: Surroundings, receiving: str, originating: str, stream_id: str, key: str) -> bool:
    wanted = expected(around, receiving, originating, stream_id)
    return hmac.compare_digest(wanted.encode(), key.strip().encode())
