# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer public DNS queries about the deployment: SRV records of the SIP domains, and addresses of the names.

The server answers on the Front End's address, over UDP. The port has the same number as the gateway's TCP port. Records
of partners are in the zone of the lab's partners (partners/zone.py).
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
import typing as t
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from ..errors import LabError
from .endpoints import ADDRESSES
from .shape import SHAPE
from .store import Store

ADDRESS = ADDRESSES["fe01"]
PREFIX = "_xmpp-server._tcp."
# These are values of the setting own_records. The value can also be the FQDN of an Edge pool, after failover.
PUBLISHED, MISSING, ELSEWHERE = "published", "missing", "elsewhere"
ELSE = "old-edge.contoso.test"
# No program listens at this address, so that connections fail at once.
_HOSTS = {**SHAPE.own_records, ELSE: ("127.0.0.19",)}
_POOLS = {pool.fqdn: pool.access_edge for pool in SHAPE.pools}


class Nameserver:
    """Serve until stop() is called."""

    def __init__(self, directory: Path, port: int) -> None:
        """Start the server. Raises LabError.

        port: the gateway's port.
        """
        self._store, self._port = Store(directory), port
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sender = self.request
                with contextlib.suppress(dns.exception.DNSException, OSError):
                    sender.sendto(server._answer(data), self.client_address)

        try:
            self._server = socketserver.UDPServer((ADDRESS, port), Handler)
        except OSError as e:
            self._store.close()
            raise LabError("UDP port %d on %s is in use. Choose another with --xmpp-port" % (port, ADDRESS)) from e
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._store.close()

    def _answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        records = self._records(name)
        texts = records.get(question.rdtype.name, [])
        if texts:
            answer.answer.append(dns.rrset.from_text_list(question.name, 0, "IN", question.rdtype, texts))
            self._add_addresses(answer)
        elif not records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def _add_addresses(self, answer: dns.message.Message) -> None:
        """Send the addresses of a service's servers with the answer (RFC 2782), as most DNS servers do."""
        for record in answer.answer[0]:
            if record.rdtype == dns.rdatatype.SRV:
                addresses = self._records(record.target.to_text(omit_final_dot=True).lower()).get("A", [])
                if addresses:
                    answer.additional.append(dns.rrset.from_text_list(record.target, 0, "IN", "A", addresses))

    def _records(self, name: str) -> t.Mapping[str, list[str]]:
        """Return the records of a name by type; empty if the name does not exist."""
        if name in _HOSTS:
            return {"A": list(_HOSTS[name])}
        state = self._store.setting("own_records")
        domain = name.removeprefix(PREFIX)
        if domain == name or state == MISSING or self._store.get("sip_domain", domain) is None:
            return {}
        target = ELSE if state == ELSEWHERE else _POOLS.get(state, SHAPE.access_edge)
        return {"SRV": ["0 0 %d %s." % (self._port, target)]}
