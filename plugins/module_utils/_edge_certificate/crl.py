# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load the CRL that a certificate names. The controller loads the CRL, never the Edge server."""

from __future__ import annotations

import datetime
import time
import typing as t
from http.client import HTTPException

from ansible.module_utils.urls import open_url

from .._base.texts import foreign
from .._x509 import crl
from .._x509.crl import Revocation

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

SECONDS = 10.0  # Seconds to load one CRL.
LARGEST = 20 * 1024 * 1024  # bytes; the CRLs of large public CAs have some MB
_CHUNK = 64 * 1024


def revocation(
    certificate: Certificate, issuers: t.Callable[[], t.Iterable[Certificate]], now: datetime.datetime
) -> Revocation:
    """Return the result of the first CRL that can be used.

    issuers: returns CA certificates that can be the issuer.
    """
    places = crl.places(certificate)
    if not places:
        return Revocation(unknown="the certificate has no CRL address for HTTP")
    known = list(issuers())
    why = []
    for place in places:
        try:
            found = crl.judge(_load(place), certificate, known, now)
        except (OSError, HTTPException, ValueError) as exc:
            found = Revocation(unknown=foreign(str(exc) or type(exc).__name__))
        if not found.unknown:
            return found
        why.append("%s: %s" % (foreign(place), found.unknown))
    return Revocation(unknown="; ".join(why))


def _load(place: str) -> bytes:
    """Load a CRL. Raises OSError, HTTPException, ValueError."""
    end = time.monotonic() + SECONDS
    found = bytearray()
    # The answer is not decompressed, because a small answer can become very large.
    with open_url(place, timeout=SECONDS, follow_redirects="no", decompress=False, use_netrc=False) as answer:
        # The time is checked after each read, so that a slow server cannot block the run.
        while chunk := answer.read1(_CHUNK):
            found += chunk
            if len(found) > LARGEST:
                raise ValueError("the answer has more than %d MB" % (LARGEST // 1024 // 1024))
            if time.monotonic() > end:
                raise ValueError("the answer took more than %.0f s" % SECONDS)
    return bytes(found)
