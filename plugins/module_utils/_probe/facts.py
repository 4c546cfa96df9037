# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe sees of one domain: plain values, from which findings.py makes its findings.

Filled by dns.py, conversation.py and certificate.py as far as the probe comes; what it did not see is None or empty.
"""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from dataclasses import dataclass, field

from .._xmpp.client import VERSIONS
from .._xmpp.wire import has_features

CLIENT_PORT = 5222  # RFC 6120 section 14.7

# What two vantage points may see differently: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)

# More addresses of one domain than this are not tried: its DNS is not to keep the controller busy.
MOST_SERVERS = 10

# What the gateway speaks (the product's page on encryption; no update brought TLS 1.3).
GATEWAY_VERSIONS = VERSIONS[:3]

# Stream errors with which a server turns away a certificate, or its absence.
CERTIFICATE_ERRORS = ("not-authorized", "policy-violation", "invalid-from")


def is_local(text: str) -> bool:
    """Whether an address is one of the controller's own or of its link. DNS of others must not lead there."""
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast


External = t.Literal["succeeded", "refused", "offered", "not offered", "unknown"]
Dialback = t.Literal["offered", "not offered", "refused", "unknown"]


@dataclass(frozen=True)
class ServiceRecord:
    """One SRV record (RFC 2782)."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, which RFC 2782 forbids."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    def as_dict(self) -> dict[str, t.Any]:
        return {"host": self.host, "port": self.port, "priority": self.priority, "weight": self.weight}


@dataclass(frozen=True)
class Services:
    """state: found, none, not_offered (the target is the root, "." as RFC 2782 has it), unknown (``text`` says why)."""

    state: str
    records: tuple[ServiceRecord, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Addresses:
    """state: found, none, unknown (``text`` says why)."""

    state: str
    addresses: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Attempt:
    """One address. result: answered, refused, timeout, unreachable, silent (TCP, but no stream), local (not tried,
    since it is the controller's own), or not_tried (the first after MOST_SERVERS others).
    """

    host: str
    address: str
    port: int
    result: str
    text: str = ""

    @property
    def where(self) -> str:
        address = "[%s]" % self.address if ":" in self.address else self.address
        return "%s (%s:%d)" % (self.host, address, self.port)

    @property
    def private(self) -> bool:
        address = ipaddress.ip_address(self.address)
        return any(address.version == network.version and address in network for network in _PRIVATE)

    @property
    def local(self) -> bool:
        return is_local(self.address)

    def as_dict(self) -> dict[str, t.Any]:
        return {"host": self.host, "address": self.address, "port": self.port, "result": self.result}


@dataclass(frozen=True)
class PeerHeader:
    """The peer's answer to the stream header. dialback: it declared the namespace."""

    from_: str
    version: str
    dialback: bool

    @property
    def features(self) -> bool:
        """Whether the peer speaks XMPP 1.0, so that it announces what it can."""
        return has_features(self.version)

    def as_dict(self) -> dict[str, t.Any]:
        return {"from": self.from_, "version": self.version, "dialback": self.dialback}


@dataclass(frozen=True)
class PeerOffer:
    """Stream features. starttls: '', offered or required."""

    starttls: str = ""
    mechanisms: tuple[str, ...] = ()
    dialback: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        return {"starttls": self.starttls, "mechanisms": list(self.mechanisms), "dialback": self.dialback}


@dataclass(frozen=True)
class Ended:
    """Where and how the conversation ended before its time.

    stage: stream, starttls, tls, secure_stream, sasl. how: timeout, closed, broken, stream_error, tls_refused,
    tls_failed, time_up, direct_tls (it speaks TLS at once), http, half_failure (a refusal that does not end).
    condition and text come from the peer or the library.
    """

    stage: str
    how: str
    condition: str = ""
    text: str = ""


@dataclass(frozen=True)
class KeyAnswer:
    """What the peer made of a dialback key.

    result: taken (it asked about the key), refused, or unknown. text: the peer's reason.
    """

    result: t.Literal["taken", "refused", "unknown"]
    text: str = ""


@dataclass
class Facts:
    """Everything that was seen of a domain."""

    domain: str
    services: Services | None = None
    addresses: dict[str, Addresses] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    header: PeerHeader | None = None
    before: PeerOffer | None = None
    after: PeerOffer | None = None
    tls: str = ""
    cipher: str = ""
    versions: dict[str, str] = field(default_factory=dict)  # accepted, refused, unknown, not tried
    certificate: dict[str, t.Any] | None = None
    faults: dict[str, str] = field(default_factory=dict)  # of the certificate: code -> text, see certificate.py
    # The faults that it will have if nothing changes but the time, and from when on (UTC).
    later: list[tuple[datetime.datetime, dict[str, str]]] = field(default_factory=list)
    own_certificate: bool = False  # whether one was at hand to present
    external: External = "unknown"
    certificate_asked: bool = False  # by the peer, in the TLS handshake
    key_answers: dict[bool, KeyAnswer] = field(default_factory=dict)  # where a key was sent: in TLS or not -> answer
    ended: Ended | None = None
    direct_services: Services | None = None  # _xmpps-server (XEP-0368); asked for if nothing else answers
    legacy_renegotiation: bool = False  # it does not know RFC 5746
    unusable: str = ""  # why the name cannot be asked about; nothing else was seen then
    mistake: str = ""  # of the collection: an exception that nobody foresaw, and its place

    @property
    def tls_usable(self) -> bool | None:
        """Whether the gateway could encrypt the stream; None if that was not seen."""
        if self.tls:
            return self.tls in GATEWAY_VERSIONS
        if self.wants_certificate:
            return None
        if self.ended is not None and self.ended.stage in ("starttls", "tls"):
            return False if self.ended.how in ("tls_refused", "tls_failed", "half_failure") else None
        if self.before is not None and not self.before.starttls:
            return False
        return False if self.header is not None and not self.header.features else None

    @property
    def dialback(self) -> Dialback:
        """Whether the peer offers dialback on the stream as it is in the end."""
        return self._dialback(self.after if self.tls else self.before, bool(self.tls))

    @property
    def clear_dialback(self) -> Dialback:
        """Whether it offers dialback before TLS.

        A server that offers TLS besides may announce dialback and ignore a key that comes in clear, as jabberd2 does
        that requires TLS. So an announcement alone proves nothing there: a key has to be taken.
        """
        found = self._dialback(self.before, False)
        if found == "offered" and self.before is not None and self.before.starttls:
            return self._by_key(False)
        return found

    @property
    def wants_certificate(self) -> bool:
        """Whether the peer ended the stream because no certificate was presented to it, as far as can be seen.

        In TLS 1.2 that is a failed handshake, in TLS 1.3 an alert after it, in XMPP a stream error after it.
        """
        ended = self.ended
        if self.own_certificate or ended is None or ended.stage not in ("tls", "secure_stream"):
            return False
        if ended.how == "stream_error":
            return ended.condition in CERTIFICATE_ERRORS
        return self.certificate_asked and ended.how in ("tls_failed", "closed")

    @property
    def own_refused(self) -> bool:
        """Whether the peer ended the encrypted stream over the certificate that was presented to it.

        In TLS 1.3 that may be an alert after the handshake.
        """
        ended = self.ended
        if not self.own_certificate or ended is None or ended.stage != "secure_stream":
            return False
        return ended.how == "tls_failed" or (ended.how == "stream_error" and ended.condition in CERTIFICATE_ERRORS)

    def _dialback(self, offer: PeerOffer | None, secure: bool) -> Dialback:
        if offer is not None and offer.dialback:
            return "offered"
        if self.header is None or (offer is None and self.header.features):
            return "unknown"
        if self.header.dialback:
            # The namespace alone was the announcement before stream features (XEP-0220 section 2.1.1), and is still
            # declared by servers that have dialback switched off.
            if not self.header.features:
                return "offered"
            return self._by_key(secure)
        return "not offered"

    def _by_key(self, secure: bool) -> Dialback:
        """What the answer to a key says."""
        answer = self.key_answers.get(secure)
        if answer is None or answer.result == "unknown":
            return "unknown"
        return "offered" if answer.result == "taken" else "refused"
