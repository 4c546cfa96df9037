# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the sources ``own_ca`` and ``self_signed``: the controller makes the certificate.

A PKCS#12 file keeps the certificate for all Edges of a pool.
"""

from __future__ import annotations

import abc
import typing as t

from .._base import private_file
from .._base.result import Refused
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Bundle, Unusable
from .offer import Offer
from .source import CertificateSource, check_clock


class Made(CertificateSource):
    """Keep a suitable certificate of the file or in use. Without a suitable certificate, make a new certificate."""

    needs: t.ClassVar[tuple[str, ...]] = ("path",)

    def _choose(self) -> Offer:
        # The Edges of a pool run in parallel, and only one Edge's process makes the certificate.
        with private_file.alone(self.options.path, "source.path"):
            offered = self._offer_file()
            if offered is not None:
                return offered
            if self._still_good() or not self.wanted.may_make:
                return self._keep()
            check_clock(self.reader, self.wanted.now)
            return self._make()

    def _make(self) -> Offer:
        try:
            bundle = self._issue(issue.make_key(self.options.key))
        except Unusable as exc:
            raise Refused(["source: %s" % finding for finding in exc.findings]) from None
        findings = self._accept(bundle.certificate, bundle.others, "source")
        if not self.wanted.check:
            data = issue.pkcs12_file(bundle, self.options.passphrase)
            private_file.write(self.options.path, data, "source.path")
        return self._offer_bundle(bundle, findings, made=True)

    @abc.abstractmethod
    def _issue(self, key: t.Any) -> Bundle:
        """Make a certificate for the key. Raises Refused, Unusable."""


class OwnCa(Made):
    needs = ("path", "ca_certificate", "ca_key")

    def _issue(self, key: t.Any) -> Bundle:
        options, wanted = self.options, self.wanted
        chain = x509.load_chain(private_file.read(options.ca_certificate, "source.ca_certificate"))
        data = private_file.read(options.ca_key, "source.ca_key")
        authority = issue.Authority(chain, issue.load_key(data, options.ca_passphrase, "source.ca_key"))
        return authority.issue(key, wanted.names, options.days, wanted.valid_at, options.crl or None)

    def _issuer(self) -> str:
        data = private_file.read_if_there(self.options.ca_certificate, "source.ca_certificate")
        try:
            return x509.common_name(x509.load_chain(data)[0].subject) if data is not None else ""
        except Unusable:  # reported when the file is used
            return ""


class SelfSigned(Made):
    def _issue(self, key: t.Any) -> Bundle:
        return issue.self_signed(key, self.wanted.names, self.options.days, self.wanted.valid_at)

    def _issuer(self) -> str:
        return self.wanted.names[0]
