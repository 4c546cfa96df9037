# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the gateway's decisions to the event log. The events have the kind ``xmpp`` and one of a few actions.

session: id of the stream.
user: the partner's domain.
parameters: always with ``action`` and ``direction``.
"""

from __future__ import annotations

import json
import typing as t

from ..deployment.store import Event, Store

KIND = "xmpp"

ACTIONS: t.Mapping[str, str] = {
    "accepted": "a stream is authenticated (incoming: theirs, outgoing: ours), with its method",
    "refused": "a stream, or a method of authentication, is refused, with the reason",
    "failed": "an attempt failed: no address, no connection, no TLS, no answer; with the reason",
    "tls": "TLS is up, with its version, and with the problem of the other side's certificate, if any",
    "verified": "the partner asked whether a dialback key is ours, with the answer",
    "delivered": "a partner's message reached a local user",
    "bounced": "a partner's message, presence or query was answered with an error, with the reason",
    "presence": "a partner's presence stanza, and how it was answered",
    "sent": "a local user's message was sent to the partner",
    "undeliverable": "a local user's message could not be sent, or was returned, with the reason",
    "closed": "a stream has ended, with the reason",
    "full": "a host has the maximum of unauthenticated streams; more are dropped until some have ended",
}

# A hostile peer must not fill the disk. Events of statements are always kept.
KEPT = 50_000
_PRUNE_EVERY = 1000


class Journal:
    """Write events, thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written = 0

    def write(
        self,
        action: str,
        direction: str,
        host: str = "",
        stream: str = "",
        partner: str = "",
        outcome: str = "ok",
        reason: str = "",
        **more: t.Any,
    ) -> None:
        """Write an event.

        outcome: ok, refused or failed.
        more: further parameters, such as own and method.
        """
        assert action in ACTIONS
        shown = {"action": action, "direction": direction, **{k: v for k, v in more.items() if v is not None}}
        self._store.log(KIND, host, stream, partner, "", shown, outcome, reason)
        self._written += 1
        if self._written % _PRUNE_EVERY == 0:
            self._store.forget_old(KIND, KEPT)


def line(event: Event) -> str:
    """Return the readable text of an event, without number, time and host."""
    parameters = dict(event.parameters)
    action, direction = parameters.pop("action", "?"), parameters.pop("direction", "?")
    shown = [
        "%s=%s" % (k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in parameters.items()
    ]
    return " ".join(["xmpp", str(direction), str(action), *shown])
