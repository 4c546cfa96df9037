# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write ``gateway.pfx`` in the lab's directory, with a public authority's certificate for the lab's gateway.

The file is encrypted with AES, as today's tools do. The lab's Edges cannot open the file, like Windows Server 2016.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from .authority import Authority, common_name, rsa_key
from .public_ca import public_authority
from .seed import ACCESS_EDGE, SIP_DOMAINS
from .shape import SHAPE
from .tls import write_private

PASSPHRASE = "Lab-pfx-1"  # noqa: S105 - public by design, like every secret of the lab
LIFETIME = datetime.timedelta(days=200)  # the maximum of public authorities in 2026
RENEW_BEFORE = datetime.timedelta(days=70)
NAMES = (ACCESS_EDGE, *SIP_DOMAINS, *("sip." + domain for domain in SIP_DOMAINS[1:]), "webcon." + SIP_DOMAINS[0])
OTHERS = tuple(pool.access_edge for pool in SHAPE.pools if pool.access_edge != ACCESS_EDGE)
FILE = "gateway.pfx"


def ensure_gateway_pfx(directory: Path) -> None:
    """Create the file and the authority, unless the file has a certificate that does not end soon."""
    issuer, chain = public_authority(directory)
    if not _usable(directory, issuer):
        _create(directory, issuer, chain)


def _usable(directory: Path, issuer: Authority) -> bool:
    try:
        content = pkcs12.load_pkcs12((directory / FILE).read_bytes(), PASSPHRASE.encode())
        if content.cert is None:
            return False
        content.cert.certificate.verify_directly_issued_by(issuer.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    left = content.cert.certificate.not_valid_after_utc - datetime.datetime.now(datetime.timezone.utc)
    return left > RENEW_BEFORE


def _create(directory: Path, issuer: Authority, chain: tuple[x509.Certificate, ...]) -> None:
    key = rsa_key()
    names = [x509.DNSName(name) for name in (*NAMES, *OTHERS)]
    leaf = issuer.issue(common_name(ACCESS_EDGE), key, names, LIFETIME, more=[_revocation_list()])
    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    content = pkcs12.serialize_key_and_certificates(b"gateway", key, leaf, list(chain), encryption)
    write_private(directory / FILE, content)


def _revocation_list() -> x509.CRLDistributionPoints:
    place = x509.UniformResourceIdentifier("http://crl.contoso.test/issuing.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
