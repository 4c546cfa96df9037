# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the events of a server-to-server stream, which ``stream.Stream.receive`` returns.

Domains are in lower case. All other texts have the peer's spelling. A missing attribute is ''.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .xml_stream import Element


@dataclass(frozen=True)
class StreamOpened:
    """The peer sent the header.

    dialback: whether the header declares the namespace of dialback. Peers without features declare the namespace.
    """

    from_: str
    to: str
    id: str
    version: str
    dialback: bool


@dataclass(frozen=True)
class Features:
    """The receiving side sent the features. Only the initiating side gets this event.

    starttls: '', 'offered' or 'required'.
    """

    starttls: str
    mechanisms: tuple[str, ...]
    dialback: bool


@dataclass(frozen=True)
class TlsRequested:
    """The peer requests TLS. Answer with proceed_tls() or refuse_tls()."""


@dataclass(frozen=True)
class TlsProceed:
    """The peer is ready for TLS. Make the handshake, then call tls_established()."""


@dataclass(frozen=True)
class TlsRefused:
    """The peer refuses TLS and closes the stream (RFC 6120 section 5.4.2.2)."""


@dataclass(frozen=True)
class AuthRequested:
    """The peer begins SASL.

    identity: the authorization identity; None if the certificate has the identity.
    """

    mechanism: str
    identity: str | None


@dataclass(frozen=True)
class AuthSucceeded:
    """SASL succeeded, and the new header is already queued."""


@dataclass(frozen=True)
class AuthFailed:
    """SASL failed with a condition of RFC 6120 section 6.5. The stream continues."""

    condition: str
    text: str


@dataclass(frozen=True)
class DialbackKey:
    """The peer claims to be ``from_``. Verify the key, then call answer_key(to, from_, …)."""

    from_: str
    to: str
    key: str


@dataclass(frozen=True)
class DialbackAnswer:
    """The peer answered the own key.

    type: 'valid', 'invalid' or 'error'.
    condition: the condition of an error.
    """

    from_: str
    to: str
    type: str
    condition: str


@dataclass(frozen=True)
class VerifyRequested:
    """The peer asks whether this side made the key for the stream ``id``. Call answer_verify(to, from_, id, …)."""

    from_: str
    to: str
    id: str
    key: str


@dataclass(frozen=True)
class VerifyAnswer:
    """The authoritative side answered whether a key is genuine.

    type, condition: as in DialbackAnswer.
    """

    from_: str
    to: str
    id: str
    type: str
    condition: str


@dataclass(frozen=True)
class Stanza:
    """The peer sent a message, presence or iq on a stream that SASL or dialback has authenticated."""

    element: Element


@dataclass(frozen=True)
class PeerError:
    """The peer ended the stream with an error (RFC 6120 section 4.9.3)."""

    condition: str
    text: str


@dataclass(frozen=True)
class Closed:
    """The peer closed the stream."""


@dataclass(frozen=True)
class Broken:
    """The peer broke a rule or a limit. The stream error is queued, and nothing more is read."""

    condition: str
    text: str


Event: t.TypeAlias = (
    "StreamOpened | Features | TlsRequested | TlsProceed | TlsRefused | AuthRequested | AuthSucceeded | "
    "AuthFailed | DialbackKey | DialbackAnswer | VerifyRequested | VerifyAnswer | Stanza | PeerError | "
    "Closed | Broken"
)
