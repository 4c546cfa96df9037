# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare a lab for federation, except for the partners. Tests of partners start from this state.

The changes are written into the store directly, without the collection.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from .gateway_pfx import FILE, PASSPHRASE
from .seed import thumbprint
from .shape import SHAPE, shape_in
from .store import CertificateRow, Store

USER = "ialmeida@contoso.test"  # This user can then exchange messages with partners.
POLICY = "Tag:Partners"
EDGES = SHAPE.edges()


def make_ready(store: Store, talker: str = USER) -> None:
    """Set the Access Edge, allow XMPP for one user, and present the certificate of ``gateway.pfx``."""
    with store.transaction():
        store.put("access_edge", "Global", {**(store.get("access_edge", "Global") or {}), "AllowFederatedUsers": True})
        rights = {"EnableFederationAccess": True, "EnableXmppAccess": True}
        store.put("policy", POLICY, {**(store.get("policy", "Global") or {}), **rights})
        (name,) = (dn for dn, user in store.all("user").items() if user["SipAddress"] == "sip:" + talker)
        store.grant(name, POLICY, shape_in(store).domain_controllers[0], 0.0)
        present(store, *gateway_certificate(store.directory))


def gateway_certificate(directory: Path) -> tuple[x509.Certificate, bytes, list[x509.Certificate]]:
    """Return the content of ``gateway.pfx``: the certificate, the key (PKCS#8, DER), and the issuers' certificates."""
    content = pkcs12.load_pkcs12((directory / FILE).read_bytes(), PASSPHRASE.encode())
    assert content.cert is not None
    assert content.key is not None
    key = content.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    return content.cert.certificate, key, [above.certificate for above in content.additional_certs]


def present(store: Store, certificate: x509.Certificate, key: bytes, chain: t.Sequence[x509.Certificate]) -> None:
    """Make the Edges present a certificate, as after an assignment and a service restart.

    key: the key of the certificate, PKCS#8, DER.
    """
    rows = [("My", certificate, key), *(("CA", above, None) for above in chain)]
    for host in shape_in(store).edges():
        for name, each, secret in rows:
            der = each.public_bytes(serialization.Encoding.DER)
            readable = secret is not None
            store.put_certificate(CertificateRow(host, name, thumbprint(each), der, secret, readable, ""))
        store.assign(host, "XmppServer", thumbprint(certificate))
        store.present(host, "XmppServer", thumbprint(certificate))
