# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Act as a user of a partner's domain: log in to the partner's server, send, and collect received stanzas.

slixmpp runs in a separate thread, so that tests can use simple functions. A server of wokkel has no users. For wokkel,
the client is the component that serves the domain, and sends in the user's name.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import types
import typing as t
from dataclasses import dataclass

from slixmpp import JID, ClientXMPP, ComponentXMPP, Presence
from slixmpp import Message as Stanza

from ..errors import LabError
from .control import Partners
from .launch import PASSWORD

T = t.TypeVar("T")
Client = ClientXMPP | ComponentXMPP


@dataclass(frozen=True)
class Message:
    """Hold a received stanza.

    from_: the sender's address without a resource.
    type: the type as in RFC 6121 (``chat``, ``error``, ``subscribed``, ...).
    error: the condition of RFC 6120, section 8.3.3, with the error's text after a colon; '' if the answer is not an
    error.
    """

    from_: str
    to: str
    body: str
    type: str
    error: str = ""


class User:
    """Log in as USER@DOMAIN while a ``with`` block runs.

    timeout: seconds for the login. Raises LabError if the login fails. A domain of wokkel has one session at a time.
    """

    def __init__(self, partners: Partners, domain: str, name: str, timeout: float = 30.0) -> None:
        self.address = "%s@%s" % (name, domain)
        self._partners = partners
        self._partner = partners.partner(domain)
        # A client that verifies certificates cannot log in if the certificate is wrong on purpose. The connection is
        # local, and SCRAM does not send the password in clear text. jabberd2 has neither SCRAM nor TLS for clients.
        self._clear = self._partner.kind == "jabberd2"
        good = self._partner.tls != "none" and self._partner.domains[domain] in ("good", "serveronly")
        self._secure = good and not self._clear
        self._timeout = timeout
        self._messages: queue.Queue[Message] = queue.Queue()
        self._presences: queue.Queue[Message] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=self.address, daemon=True)
        self._client: Client | None = None

    def __enter__(self) -> User:
        self._thread.start()
        try:
            self._client = self._call(self._login(), self._timeout + 5)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._end()

    def send(self, to: str, body: str) -> None:
        """Send a message. The user receives the answers, including errors."""
        self._do(lambda client: client.send_message(mto=JID(to), mbody=body, mtype="chat", mfrom=self._sender))

    def subscribe(self, to: str) -> None:
        """Request a user's presence. The answer is a presence. This side accepts all requests."""
        self._do(lambda client: client.send_presence_subscription(pto=JID(to), ptype="subscribe", pfrom=self._sender))

    def receive(self, timeout: float = 10.0) -> Message | None:
        """Return the next message or error; None if none arrives within ``timeout`` seconds."""
        return _next(self._messages, timeout)

    def presence(self, timeout: float = 10.0) -> Message | None:
        """Return the next presence of another user; None if none arrives within ``timeout`` seconds."""
        return _next(self._presences, timeout)

    @property
    def _sender(self) -> JID | None:
        """Return the sender; None if the server sets the sender."""
        return JID(self.address) if self._partner.kind == "wokkel" else None

    def _do(self, action: t.Callable[[Client], object]) -> None:
        client = self._client
        if client is None:
            raise LabError("%s is not logged in" % self.address)

        async def act() -> None:
            action(client)

        self._call(act(), 10)

    def _call(self, work: t.Coroutine[t.Any, t.Any, T], timeout: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _made(self) -> Client:
        if self._partner.kind == "wokkel":
            return ComponentXMPP(self.address.partition("@")[2], PASSWORD)  # type: ignore[no-untyped-call]
        mechanisms = {"unencrypted_scram": not self._secure, "unencrypted_plain": self._clear}
        return ClientXMPP(self.address, PASSWORD, plugin_config={"feature_mechanisms": mechanisms})

    async def _login(self) -> Client:
        client = self._made()
        client.enable_direct_tls = False
        client.enable_starttls = self._secure
        client.enable_plaintext = not self._secure
        client.ca_certs = self._partners.root
        outcome: asyncio.Future[str] = self._loop.create_future()

        def settle(text: str) -> None:
            if not outcome.done():
                outcome.set_result(text)

        client.add_event_handler("session_start", lambda _event: settle(""))
        client.add_event_handler("failed_all_auth", lambda _event: settle("the server refuses the password"))
        client.add_event_handler("connection_failed", lambda event: settle("no connection: %s" % event))
        client.add_event_handler("disconnected", lambda event: settle("disconnected: %s" % event))
        client.add_event_handler("message", self._on_message)
        client.add_event_handler("message_error", self._on_error)
        client.add_event_handler("presence", self._on_presence)
        # slixmpp tries to connect without limit. The code below waits for the outcome.
        _attempt = client.connect(self._partner.address, self._partner.client_port)
        try:
            problem = await asyncio.wait_for(outcome, self._timeout)
        except asyncio.TimeoutError:
            problem = "no answer"
        if not problem and self._secure and isinstance(client, ClientXMPP) and "starttls" not in client.features:
            problem = "the server offers no TLS"
        if problem:
            client.abort()
            raise LabError("%s cannot log in: %s" % (self.address, problem))
        if isinstance(client, ClientXMPP):
            client.send_presence()
            await client.get_roster()
        return client

    def _on_error(self, stanza: Stanza) -> None:
        self._messages.put(_plain(stanza, str(stanza["body"])))

    def _on_message(self, stanza: Stanza) -> None:
        # An error that contains the message's text arrives a second time as a message.
        if stanza["type"] != "error":
            self._on_error(stanza)

    def _on_presence(self, stanza: Presence) -> None:
        if stanza["from"].bare != self.address:
            self._presences.put(_plain(stanza, str(stanza["status"])))

    def _end(self) -> None:
        async def leave() -> None:
            if self._client is not None:
                await self._client.disconnect(wait=2.0)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)

        try:
            self._call(leave(), 10)
        finally:
            self._client = None
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()


def exchange(
    partners: Partners, sender: str, to: str, body: str, timeout: float = 10.0, answer: str = ""
) -> Message | None:
    """Log in as ``sender`` (USER@DOMAIN), send one message, and return the first answer from ``to``.

    answer: wait for a message with this text. An error is also an answer.
    Returns None after ``timeout`` seconds.
    """
    name, _at, domain = sender.partition("@")
    end = time.monotonic() + timeout
    with User(partners, domain, name) as user:
        user.send(to, body)
        while True:
            message = user.receive(max(0.0, end - time.monotonic()))
            if message is None or message.error or (message.from_ == to and answer in ("", message.body)):
                return message


def _plain(stanza: Stanza | Presence, text: str) -> Message:
    error = ""
    if stanza["type"] == "error":
        error = ": ".join(filter(None, (stanza["error"]["condition"], stanza["error"]["text"])))
    return Message(stanza["from"].bare, stanza["to"].bare, text, str(stanza["type"]), error)


def _next(source: queue.Queue[Message], timeout: float) -> Message | None:
    try:
        return source.get(timeout=max(0.0, timeout))
    except queue.Empty:
        return None
