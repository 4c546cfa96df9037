# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the source ``enterprise_ca``: the Edge server requests the certificate from the company's own CA.

A file on the Edge records the request until the certificate is in use. The file has the thumbprints of the earlier
certificates. A newer certificate that fits is the answer.
"""

from __future__ import annotations

from .._x509 import certificate as x509
from .delivery import of_authority, of_issued
from .edge import ASKED
from .offer import Offer
from .request_parameters import at_authority
from .source import CertificateSource, check_clock


class EnterpriseCa(CertificateSource):
    needs = ("ca",)
    on_edge = True

    def _choose(self) -> Offer:
        asked = ASKED in self.before.files
        earlier = self.reader.text(ASKED).split() if asked else []
        for one in self._with_keys() if asked else ():
            if x509.thumbprint(one) not in earlier and self._good(one):
                return self._offer(of_issued(one), self._check(one, self._known_issuers()))
        if not asked and (self._still_good() or not self.wanted.may_make):
            return self._keep()
        check_clock(self.reader, self.wanted.now)
        delivery = of_authority(at_authority(self.wanted), self.before, asked, lambda one: not self._errors(one))
        return self._offer(delivery, made=True)

    def _issuer(self) -> str:
        # The name of an authority is SERVER\NAME. NAME is the common name of the authority's certificate.
        return self.options.ca.rpartition("\\")[2]
