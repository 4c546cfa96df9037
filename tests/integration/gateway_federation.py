# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab in which federation with one partner is set up, and that partner: for tests of what passes between both."""

from __future__ import annotations

import contextlib
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp import stream as xmpp

from lab.deployment.ready import USER, make_ready
from lab.deployment.store import Event, Message, Store
from lab.gateway.dial import DialFailed, Dialog
from lab.gateway.stanzas import message
from lab.testing import Lab
from tests.integration.gateway_peer import PATIENCE, Names, Peer, certificate

ROMEO = "romeo@fabrikam.test"
PARTNER: dict[str, t.Any] = {
    "AdditionalDomains": [], "ConnectionLimit": None, "Description": None, "EnableKeepAlive": True,
    "PartnerType": "Federated", "ProxyFqdn": None, "SaslNegotiation": "Required",
    "SupportDialbackNegotiation": False, "TlsNegotiation": "Required",
}  # fmt: skip
T = t.TypeVar("T")


def until(read: t.Callable[[], T]) -> T:
    """What ``read`` gives as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while not (found := read()):
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)
    return found


def listens(place: tuple[str, int]) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(place, PATIENCE):
        return True
    return False


class Federation:
    """A lab in which everything is set up for one partner, and that partner."""

    def __init__(self, lab: Lab, ready: bool = True) -> None:
        self.lab = lab
        self.store: Store = lab.store()
        self.names = Names()
        self.gateway = [(lab.addresses[host], lab.xmpp_port) for host in ("edge01", "edge02")]
        identity = certificate(lab.directory, "fabrikam.test")
        self.peer = Peer("fabrikam.test", identity, self.gateway)
        self.names.servers["fabrikam.test"] = self.peer.where
        self.store.set_setting("xmpp_nameserver", self.names.where)
        if ready:
            make_ready(self.store)

    @classmethod
    @contextlib.contextmanager
    def of(cls, lab: Lab, ready: bool = True) -> t.Iterator[Federation]:
        """For as long as a ``with`` block lasts; begins when the gateway listens and nobody has a stream to it.

        ready: whether everything but the partner is to be set up as well.
        """
        made = cls(lab, ready)
        try:
            until(lambda: made.streams() == 0 and all(map(listens, made.gateway)))
            yield made
        finally:
            made.peer.close()
            made.names.close()
            # What the gateway writes when it sees that must not be in the next test. A lab may have been killed.
            with contextlib.suppress(AssertionError):
                until(
                    lambda: len(made.events("accepted", direction="out")) <= len(made.events("closed", direction="out"))
                )

    def open_streams(self) -> int:
        """How many streams to the partner there are, by the event log."""
        accepted, closed = (len(self.events(action, direction="out")) for action in ("accepted", "closed"))
        return accepted - closed

    def streams(self) -> int:
        """How many streams to the gateway are open, by the kernel's table."""
        port = "%04X" % self.lab.xmpp_port
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(":" + port) and row[3] == "01" for row in rows)

    def configure(self, kind: str, key: str, **changes: t.Any) -> None:
        self.store.put(kind, key, {**(self.store.get(kind, key) or {}), **changes})

    def allow(self, row: tuple[str, str, bool], **more: t.Any) -> None:
        names = ("TlsNegotiation", "SaslNegotiation", "SupportDialbackNegotiation")
        self.store.put("partner", "fabrikam.test", {**PARTNER, **dict(zip(names, row, strict=True)), **more})

    def events(self, action: str, **wanted: t.Any) -> list[Event]:
        return [
            e
            for e in self.store.events()
            if e.kind == "xmpp" and e.parameters["action"] == action
            and all(e.parameters.get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    def event(self, action: str, **wanted: t.Any) -> Event:
        return until(lambda: self.events(action, **wanted))[-1]

    def send(self, text: str = "Hello", sender: str = USER, recipient: str = ROMEO) -> Message:
        """Send as a local user; what became of it."""
        return self.settled(self.store.send_message(sender, recipient, text))

    def settled(self, number: int) -> Message:
        """A message that was queued, once it is known what became of it."""

        def found() -> Message | None:
            message = self.store.message(number)
            return message if message and message.status != "queued" else None

        return t.cast(Message, until(found))

    def received(self) -> list[Message]:
        return [m for m in self.store.messages() if m.direction == "in"]

    def says(self, dialog: Dialog, text: str = "Hello", sender: str = ROMEO + "/phone", to: str = USER) -> Message:
        """A message of the partner over a stream; what became of it."""
        before = len(self.received())
        dialog.stream.send(message(sender, to, "m1", text))
        dialog.flush()
        return until(lambda: self.received()[before:])[0]

    def ended(self, dialog: Dialog) -> str:
        """Why the gateway ends a stream, as the partner sees it."""
        with pytest.raises(DialFailed) as caught:
            dialog.wait(xmpp.VerifyAnswer)
        return str(caught.value)
