# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate for the lab's gateway, as a public authority would sell it: ``gateway.pfx`` in the lab's directory.

``public-ca.pem`` beside it is the authority's root, for a trust store. The file is encrypted as today's tools do it
(AES), which the lab's Edges, like Windows Server 2016, cannot open.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from .authority import Authority, common_name, rsa_key
from .seed import ACCESS_EDGE, SIP_DOMAINS
from .tls import write_private

PASSPHRASE = "Lab-pfx-1"  # noqa: S105 - public by design, like every secret of the lab
LIFETIME = datetime.timedelta(days=200)  # what public authorities issue in 2026
AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
RENEW_BEFORE = datetime.timedelta(days=70)
NAMES = (ACCESS_EDGE, *SIP_DOMAINS, *("sip." + domain for domain in SIP_DOMAINS[1:]), "webcon." + SIP_DOMAINS[0])
FILE = "gateway.pfx"
ROOT_FILE = "public-ca.pem"


def ensure_gateway_pfx(directory: Path) -> None:
    """Make the two files unless there is a pair that is good for a while yet."""
    if not _usable(directory):
        _create(directory)


def _usable(directory: Path) -> bool:
    try:
        content = pkcs12.load_pkcs12((directory / FILE).read_bytes(), PASSPHRASE.encode())
        x509.load_pem_x509_certificate((directory / ROOT_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    left = content.cert.certificate.not_valid_after_utc - _now() if content.cert else RENEW_BEFORE
    return left > RENEW_BEFORE


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _create(directory: Path) -> None:
    root = Authority(common_name("Contoso Lab Public Root"), rsa_key(), AUTHORITY_LIFETIME)
    issuer = Authority(common_name("Contoso Lab Public Issuing CA"), rsa_key(), AUTHORITY_LIFETIME, above=root)
    key = rsa_key()
    names = [x509.DNSName(name) for name in NAMES]
    leaf = issuer.issue(common_name(ACCESS_EDGE), key, names, LIFETIME, more=[_revocation_list()])
    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    content = pkcs12.serialize_key_and_certificates(b"gateway", key, leaf, [issuer.certificate], encryption)
    write_private(directory / FILE, content)
    (directory / ROOT_FILE).write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))


def _revocation_list() -> x509.CRLDistributionPoints:
    place = x509.UniformResourceIdentifier("http://crl.contoso.test/issuing.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
