# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a server of wokkel, a library with dialback: ``python -m lab.partners.wokkel_server FILE``.

The server has no TLS, no SASL and no users. A domain's users are a component (XEP-0114), and the lab's client is this
component. The file is JSON: address, client_port and server_port (TCP), domains, secret (of components), nameserver
(ADDRESS:PORT).
"""

from __future__ import annotations

import json
import secrets
import sys
import typing as t
from pathlib import Path

from twisted.internet import endpoints, reactor
from twisted.names import client
from twisted.python import log
from twisted.words.protocols.jabber.error import StanzaError
from twisted.words.protocols.jabber.jid import internJID
from wokkel.component import Router, XMPPComponentServerFactory
from wokkel.generic import stripNamespace
from wokkel.server import ServerService, XMPPS2SServerFactory


class Service(ServerService):
    """Return unsent stanzas to the sender. wokkel's own service keeps unsent stanzas without limit."""

    def initiateOutgoingStream(self, thisHost: str, otherHost: str) -> None:
        pending = super().initiateOutgoingStream(thisHost, otherHost)
        if pending is not None:
            # wokkel removes the failure. After a success, wokkel empties the queue, but only a moment later.
            pending.addCallback(lambda _nothing: reactor.callLater(0, self._return, thisHost, otherHost))

    def _return(self, ours: str, theirs: str) -> None:
        for stanza in self._outgoingQueues.pop((ours, theirs), ()):
            if stanza.getAttribute("type") not in ("error", "result"):
                self.router.route(StanzaError("remote-server-not-found").toResponse(stanza))


class LocalRouter(Router):
    """Drop stanzas to an own domain whose component is not connected.

    wokkel would forward these stanzas, although streams of servers and of components have different namespaces.
    """

    def __init__(self, domains: t.Collection[str]) -> None:
        super().__init__()
        self._domains = frozenset(domains)

    def route(self, stanza: t.Any) -> None:
        stripNamespace(stanza)
        host = internJID(stanza["to"]).host
        if host in self.routes or host not in self._domains:
            super().route(stanza)


def main(path: Path) -> None:
    settings = json.loads(path.read_text("utf-8"))
    log.startLogging(sys.stdout, setStdout=False)
    address, _colon, port = settings["nameserver"].rpartition(":")
    resolver = client.Resolver(servers=[(address, int(port))])
    client.theResolver = resolver  # for SRV records
    reactor.installResolver(resolver)  # for addresses
    router = LocalRouter(settings["domains"])
    service = Service(router, secret=secrets.token_hex(16))
    service.domains.update(settings["domains"])
    for number, factory in (
        (settings["client_port"], XMPPComponentServerFactory(router, settings["secret"])),
        (settings["server_port"], XMPPS2SServerFactory(service)),
    ):
        endpoints.TCP4ServerEndpoint(reactor, number, interface=settings["address"]).listen(factory)
    reactor.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
