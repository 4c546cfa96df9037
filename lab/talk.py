# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchange messages between a local user and a partner's user, and return the method of authentication.

The partner's user is logged in to the partner's server. The event log shows the gateway's part.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .deployment.store import Event, Store
from .gateway.negotiation import SASL, TCP_DIALBACK, TLS_DIALBACK
from .partners.client import User
from .partners.control import Partners

# This is the time in seconds for a message or a refusal. Both usually take less than one second.
# A partner's second attempt takes longer.
PATIENCE = 30.0

METHODS = {"S": SASL, "T": TLS_DIALBACK, "C": TCP_DIALBACK}
WORDS = {
    "S": "SASL EXTERNAL over TLS",
    "T": "dialback over TLS",
    "C": "dialback over clear TCP",
    "-": "no stream",
}

Direction = t.Literal["out", "in"]


@dataclass(frozen=True)
class Outcome:
    """Hold a message's result.

    method: a letter of METHODS, or -.
    why: the reason for a refusal or failure.
    """

    direction: Direction
    body: str
    method: str
    arrived: bool
    why: str

    def is_as(self, expected: str) -> bool:
        """Return whether the message arrived with this method. For -, return whether the message did not arrive."""
        return self.arrived == (expected != "-") and (self.method == expected or not self.arrived)


def talk(
    store: Store, partners: Partners, first: str, second: str, ask: str = "", answer: str = ""
) -> tuple[Outcome, Outcome]:
    """Send a message from ``first`` (USER@DOMAIN) to ``second``, and another message back.

    ``first`` or ``second`` is a partner's user. The second message is sent even if the first message did not arrive. A
    local
    user who writes has the other user as a
    contact, so that the answer of an unverified public partner is accepted. Raises LabError if the partner's user
    cannot log in.
    """
    ask, answer = ask or "Are you there?", answer or "Here."
    coming = first.partition("@")[2] in partners.addresses
    name, _at, domain = (first if coming else second).partition("@")
    ours = second if coming else first
    last = max((event.id for event in store.events()), default=0)
    with User(partners, domain, name) as user:
        if coming:
            return _in(store, user, ours, ask, last), _out(store, user, ours, answer, last)
        return _out(store, user, ours, ask, last), _in(store, user, ours, answer, last)


def _out(store: Store, user: User, ours: str, body: str, last: int) -> Outcome:
    number = store.send_message(ours, user.address, body)
    _wait(lambda: _status(store, number) != "queued")
    came = _status(store, number) == "sent" and _received(user, body)
    return _outcome(store, user.address, "out", body, came, last)


def unanswered(store: Store, ours: str, theirs: str) -> Outcome:
    """Return the result of a message to a user whose server is down, so that no client can check the arrival."""
    body, last = "Are you there?", max((event.id for event in store.events()), default=0)
    number = store.send_message(ours, theirs, body)
    _wait(lambda: _status(store, number) != "queued")
    return _outcome(store, theirs, "out", body, _status(store, number) == "sent", last)


def _in(store: Store, user: User, ours: str, body: str, last: int) -> Outcome:
    earlier = max((message.id for message in store.messages()), default=0)
    user.send(ours, body)
    # The message is delivered or refused, or the partner's server reports the failure to the user.
    _wait(lambda: _arrived(store, user, earlier) is not None or user.receive(0) is not None)
    return _outcome(store, user.address, "in", body, _arrived(store, user, earlier) == "delivered", last)


def _wait(done: t.Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < end:
        time.sleep(0.1)


def _received(user: User, body: str) -> bool:
    message = user.receive(PATIENCE)
    while message is not None and message.body != body:
        message = user.receive(PATIENCE)
    return message is not None and message.type != "error"


def _arrived(store: Store, user: User, since: int) -> str | None:
    """Return the status of the user's message in the store; None if the message is missing.

    since: the number before the message's number.
    """
    return next((m.status for m in store.messages(since) if m.direction == "in" and _is_of(m.sender, user)), None)


def _is_of(sender: str, user: User) -> bool:
    return sender.partition("/")[0] == user.address


def _status(store: Store, number: int) -> str:
    message = store.message(number)
    return message.status if message is not None else ""


def _outcome(store: Store, theirs: str, direction: Direction, body: str, arrived: bool, last: int) -> Outcome:
    """Return the result.

    last: the last event before the message. Earlier events are not relevant.
    """
    domain = theirs.partition("@")[2]
    events = [
        e for e in store.events() if e.kind == "xmpp" and e.user == domain and e.parameters["direction"] == direction
    ]
    why = [e.error for e in events if e.id > last and e.outcome != "ok" and e.error]
    return Outcome(direction, body, _in_use(events), arrived, "; ".join(dict.fromkeys(why)))


def _in_use(events: t.Sequence[Event]) -> str:
    """Return the method of the last authenticated stream. The stream can be older than the message."""
    letters = {method: letter for letter, method in METHODS.items()}
    used = [event.parameters["method"] for event in events if event.parameters["action"] == "accepted"]
    return letters[used[-1]] if used else "-"
