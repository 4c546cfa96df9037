# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the source ``request`` with the key on the controller. The key file is next to the PKCS#12 file.

The key file shows that a request waits. While the key file exists, no run makes another key. So a request is never made
twice. The key file is removed when the PKCS#12 file is written.
"""

from __future__ import annotations

import os
import typing as t

from .._base import private_file
from .._base.result import Refused
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Bundle, Unusable
from . import signed_certificate as answer
from .offer import Offer, Waiting
from .source import CertificateSource


class Request(CertificateSource):
    needs = ("path", "request", "answer")

    def _choose(self) -> Offer | Waiting:
        # The Edges of a pool run in parallel, and only one Edge's process makes the request.
        with private_file.alone(self.options.path, "source.path"):
            offered = self._offer_file()
            if offered is not None:
                return offered
            waits = os.path.exists(self._key_path)
            if not waits and (self._still_good() or not self.wanted.may_make):
                return self._keep()
            if not waits and self._dry:
                return self._waiting(True, ())
            return self._proceed(waits)

    @property
    def _key_path(self) -> str:
        """Return the path of the key file."""
        return os.path.expanduser(self.options.path) + ".key"

    @property
    def _dry(self) -> bool:
        """Return whether the run writes nothing on the controller."""
        return self.wanted.check or not self.wanted.may_make

    def _proceed(self, waits: bool) -> Offer | Waiting:
        """Make a missing key and a missing request. Continue if the answer exists."""
        options, names = self.options, self.wanted.names
        key = self._load_key() if waits else issue.make_key(options.key)
        if not waits:
            private_file.write(self._key_path, issue.key_file(key, options.passphrase), "source.path")
        public = x509.public_bytes(key.public_key())
        saved = private_file.read_if_there(options.request, "source.request")
        stale = saved is None or _content(saved) != (public, sorted(names))
        if stale and not self._dry:
            # The key stays the same, so that an existing answer of an authority stays usable.
            private_file.write(options.request, issue.request(key, names), "source.request", secret=False)
        found = answer.read(options.answer, public)
        if found.certificate is None:
            return self._waiting(not waits or stale, found.remarks)
        bundle = Bundle(found.certificate, key, found.others)
        findings = self._accept(bundle.certificate, bundle.others, options.answer)
        if not self.wanted.check:
            private_file.write(options.path, issue.pkcs12_file(bundle, options.passphrase), "source.path")
            private_file.remove(self._key_path)
            private_file.remove(options.request)
        return self._offer_bundle(bundle, findings)

    def _load_key(self) -> t.Any:
        data = private_file.read(self._key_path, "source.path")
        try:
            return issue.load_key(data, self.options.passphrase, self._key_path)
        except Unusable as exc:
            raise Refused([str(finding) for finding in exc.findings]) from None


def _content(saved: bytes) -> tuple[bytes, list[str]] | None:
    """Return the public key and the names of a request; None if the data is not a request."""
    try:
        public, names = issue.load_request(saved)
    except Unusable:
        return None
    return public, sorted(names)
