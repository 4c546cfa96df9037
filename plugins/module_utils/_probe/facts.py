# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the test results of one domain in plain values. findings.py makes the findings from the results.

dns.py, conversation.py and certificate.py fill in the results. A value that was not tested is None or empty.
"""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from dataclasses import dataclass, field

from .._xmpp.client import VERSIONS
from .._xmpp.wire import has_features

CLIENT_PORT = 5222  # RFC 6120 section 14.7

# Addresses that can belong to different hosts in different networks: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
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

# The most addresses to test for one domain. The limit protects the controller from very long DNS answers.
MOST_SERVERS = 10

# The TLS versions of the gateway (the product's page on encryption; no update added TLS 1.3).
GATEWAY_VERSIONS = VERSIONS[:3]

# Stream errors of a server that refuses a certificate, or that requires a certificate.
CERTIFICATE_ERRORS = ("not-authorized", "policy-violation", "invalid-from")


def is_local(text: str) -> bool:
    """Return whether an address belongs to the controller or to its link.

    DNS records must not lead to such an address.
    """
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast


External = t.Literal["succeeded", "refused", "offered", "not offered", "unknown"]
Dialback = t.Literal["offered", "not offered", "refused", "unknown"]


@dataclass(frozen=True)
class ServiceRecord:
    """Describe one SRV record (RFC 2782)."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0

    @property
    def is_address(self) -> bool:
        """Return whether the host is an IP address, which RFC 2782 forbids."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    def as_dict(self) -> dict[str, t.Any]:
        return {"host": self.host, "port": self.port, "priority": self.priority, "weight": self.weight}


@dataclass(frozen=True)
class Services:
    """Describe the SRV records of a domain.

    state: found, none, not_offered (the target is the root, ".", see RFC 2782) or unknown (``text`` gives the reason).
    """

    state: str
    records: tuple[ServiceRecord, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Addresses:
    """Describe the addresses of a host.

    state: found, none or unknown (``text`` gives the reason).
    """

    state: str
    addresses: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Attempt:
    """Describe the test of one address.

    result: answered, refused, timeout, unreachable, silent (TCP, but no stream), local (not tested, because the
        address belongs to the controller) or not_tried (the first address above MOST_SERVERS).
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
    """Describe the peer's answer to the stream header.

    dialback: whether the peer declared the dialback namespace.
    """

    from_: str
    version: str
    dialback: bool

    @property
    def features(self) -> bool:
        """Return whether the peer uses XMPP 1.0, so that the peer announces its features."""
        return has_features(self.version)

    def as_dict(self) -> dict[str, t.Any]:
        return {"from": self.from_, "version": self.version, "dialback": self.dialback}


@dataclass(frozen=True)
class PeerOffer:
    """Describe the stream features of the peer.

    starttls: '', offered or required.
    """

    starttls: str = ""
    mechanisms: tuple[str, ...] = ()
    dialback: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        return {"starttls": self.starttls, "mechanisms": list(self.mechanisms), "dialback": self.dialback}


@dataclass(frozen=True)
class Ended:
    """Describe the early end of a conversation.

    stage: stream, starttls, tls, secure_stream or sasl.
    how: timeout, closed, broken, stream_error, tls_refused, tls_failed, time_up, direct_tls (the peer expects TLS
        first), http or half_failure (an incomplete refusal).
    condition, text: from the peer or from the library.
    """

    stage: str
    how: str
    condition: str = ""
    text: str = ""


@dataclass(frozen=True)
class KeyAnswer:
    """Describe the peer's answer to a dialback key.

    result: taken (the peer checked the key), refused or unknown.
    text: the peer's reason.
    """

    result: t.Literal["taken", "refused", "unknown"]
    text: str = ""


@dataclass
class Facts:
    """Describe all test results of a domain."""

    domain: str
    services: Services | None = None
    addresses: dict[str, Addresses] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    header: PeerHeader | None = None
    before: PeerOffer | None = None
    after: PeerOffer | None = None
    tls: str = ""
    cipher: str = ""
    versions: dict[str, str] = field(default_factory=dict)  # by version: accepted, refused, unknown, not tried
    certificate: dict[str, t.Any] | None = None
    faults: dict[str, str] = field(default_factory=dict)  # of the certificate, by code (certificate.py)
    # The later faults of the certificate if only the time changes, each set with its first moment (UTC).
    later: list[tuple[datetime.datetime, dict[str, str]]] = field(default_factory=list)
    own_certificate: bool = False  # whether the probe had a certificate to present
    external: External = "unknown"
    certificate_asked: bool = False  # whether the peer requested a certificate in TLS
    key_answers: dict[bool, KeyAnswer] = field(default_factory=dict)  # by whether TLS was used
    bare_key: KeyAnswer | None = None  # the answer to a key in TLS without a certificate
    ended: Ended | None = None
    direct_services: Services | None = None  # _xmpps-server (XEP-0368); read only if no server answers
    legacy_renegotiation: bool = False  # whether the peer does not support RFC 5746
    unusable: str = ""  # why the name cannot be tested; the other values are then empty
    mistake: str = ""  # an unexpected exception in the collection, and its place

    @property
    def tls_usable(self) -> bool | None:
        """Return whether the gateway can encrypt the stream; None if unknown."""
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
        """Return whether the peer offers dialback at the end: after TLS if TLS works, otherwise without TLS."""
        return self._dialback(self.after if self.tls else self.before, bool(self.tls))

    @property
    def clear_dialback(self) -> Dialback:
        """Return whether the peer offers dialback before TLS.

        A server that also offers TLS can announce dialback and still ignore an unencrypted key, as jabberd2 does if TLS
        is required. So the announcement is not enough: the server must accept a key.
        """
        found = self._dialback(self.before, False)
        if found == "offered" and self.before is not None and self.before.starttls:
            return self._by_key(False)
        return found

    @property
    def wants_certificate(self) -> bool:
        """Return whether the peer probably ended the stream because the probe presented no certificate.

        In TLS 1.2 the handshake fails. In TLS 1.3 an alert follows the handshake. In XMPP a stream error follows the
        handshake.
        """
        ended = self.ended
        if self.own_certificate or ended is None or ended.stage not in ("tls", "secure_stream"):
            return False
        if ended.how == "stream_error":
            return ended.condition in CERTIFICATE_ERRORS
        return self.certificate_asked and ended.how in ("tls_failed", "closed")

    @property
    def own_refused(self) -> bool:
        """Return whether the peer ended the encrypted stream because the peer refused the own certificate.

        In TLS 1.3 the refusal can be an alert after the handshake.
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
            # Before stream features existed, the namespace was the announcement (XEP-0220 section 2.1.1). Servers with
            # disabled dialback still declare the namespace.
            if not self.header.features:
                return "offered"
            return self._by_key(secure)
        return "not offered"

    def _by_key(self, secure: bool) -> Dialback:
        """Return the result of the answer to a key."""
        answer = self.key_answers.get(secure)
        if answer is None or answer.result == "unknown":
            return "unknown"
        return "offered" if answer.result == "taken" else "refused"
