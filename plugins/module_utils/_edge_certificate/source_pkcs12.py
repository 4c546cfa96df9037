# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the source ``pkcs12``: a file on the controller that users renew themselves."""

from __future__ import annotations

import dataclasses

from .._base.result import Refused
from .._x509 import certificate as x509
from .offer import Offer
from .source import CertificateSource


class Pkcs12(CertificateSource):
    needs = ("path",)
    makes = False

    def _choose(self) -> Offer:
        bundle = self._bundle = self._load()
        thumbprint = x509.thumbprint(bundle.certificate)
        if self.outdated.why is not None and self.outdated.urgent and thumbprint in self.outdated.thumbprints:
            text = "%s still has the certificate to replace (%s): %s. Put the new certificate into this file"
            raise Refused([text % (self.options.path, thumbprint, self.outdated.why.reason)])
        findings = self._accept(bundle.certificate, bundle.others, self.options.path)
        offer = self._offer_bundle(bundle, findings)
        offered = self._renewal(bundle.certificate)
        if not offered.due:
            return offer
        text = "%s: renewal is due (%s). Replace the file" % (self.options.path, offered.reason)
        return dataclasses.replace(offer, warnings=(text,))

    def _issuer(self) -> str:
        return x509.common_name(self._bundle.certificate.issuer)
