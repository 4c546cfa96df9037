# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare the lab for the playbook: an authority, old certificates, answers, clocks. The collection is not used.

``edges.py authority | show | age DAYS | answer NAME | clock DAYS | drain SECONDS``
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP))  # a script finds the lab only after this line

from lab.deployment.authority import BOTH_WAYS, Authority, common_name  # noqa: E402
from lab.deployment.public_ca import public_authority  # noqa: E402
from lab.deployment.ready import make_ready  # noqa: E402
from lab.deployment.seed import thumbprint  # noqa: E402
from lab.deployment.store import CertificateRow, Store, service_status  # noqa: E402

DIRECTORY = Path(os.environ["SFB_LAB_DIRECTORY"])
EDGES = ("edge01", "edge02")
NAMES = ("sip.contoso.test", "contoso.test", "contoso-emea.test")
PARTNER: dict[str, object] = {
    "AdditionalDomains": [], "ConnectionLimit": None, "Description": None, "EnableKeepAlive": False,
    "PartnerType": "Federated", "ProxyFqdn": None, "SaslNegotiation": "Required", "SupportDialbackNegotiation": False,
    "TlsNegotiation": "Required",
}  # fmt: skip
DAY = datetime.timedelta(days=1)


def authority() -> None:
    """Use the lab's public authority, which partners trust, as the own authority. Allow one partner.

    The files are own-ca.pem and own-ca.key (encrypted). Remove the gateway's certificate.
    """
    issuer, chain = public_authority(DIRECTORY)
    secret = serialization.BestAvailableEncryption(b"Lab-ca-1")
    pem = serialization.Encoding.PEM
    certificates = b"".join(one.public_bytes(pem) for one in chain)
    (DIRECTORY / "own-ca.pem").write_bytes(certificates)
    (DIRECTORY / "own-ca.key").write_bytes(issuer._key.private_bytes(pem, serialization.PrivateFormat.PKCS8, secret))
    store = Store(DIRECTORY)
    make_ready(store)
    for host in EDGES:
        name = store.assignments(host)["XmppServer"]
        store.sql("DELETE FROM assignment WHERE host=? AND usage='XmppServer'", host)
        store.present(host, "XmppServer", None)
        store.delete_certificate(host, "My", name)
    store.put("partner", "fabrikam.example", PARTNER)


def existing() -> Authority:
    return public_authority(DIRECTORY)[0]


def age(days: int) -> None:
    """Give both Edges and the file a certificate of ninety days that is ``days`` old."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(name) for name in NAMES]
    leaf = existing().issue(common_name(NAMES[0]), key, names, 90 * DAY, BOTH_WAYS, age=days * DAY)
    secret = serialization.BestAvailableEncryption(b"Lab-own-1")
    (DIRECTORY / "own.pfx").write_bytes(pkcs12.serialize_key_and_certificates(b"", key, leaf, [], secret))
    store, name = Store(DIRECTORY), thumbprint(leaf)
    der = leaf.public_bytes(serialization.Encoding.DER)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    for host in EDGES:
        store.put_certificate(CertificateRow(host, "My", name, der, private, True, ""))
        store.assign(host, "XmppServer", name)
        store.present(host, "XmppServer", name)


def answer(name: str) -> None:
    """Issue NAME.crt for the request NAME.csr."""
    csr = x509.load_pem_x509_csr((DIRECTORY / (name + ".csr")).read_bytes())
    own = existing()
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(own.name)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + 90 * DAY)
        .add_extension(x509.ExtendedKeyUsage(BOTH_WAYS), critical=False)
        .add_extension(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value, critical=False)
    )
    leaf = builder.sign(own._key, hashes.SHA256())
    (DIRECTORY / (name + ".crt")).write_bytes(leaf.public_bytes(serialization.Encoding.PEM))


def clock(days: int) -> None:
    """Set the servers' clocks ahead by ``days``."""
    Store(DIRECTORY).set_setting("clock_ahead", days * DAY.total_seconds())


def drain(seconds: int) -> None:
    """Set the length of sessions after a graceful stop, including current sessions."""
    store = Store(DIRECTORY)
    store.set_setting("drain_seconds", seconds)
    for key, service in store.all("service").items():
        if service["Status"] == "Paused":
            store.put("service", key, {**service, "Until": time.time() + seconds})


def show() -> None:
    """Print the certificates of each Edge, its stopped and paused services, and the collection's files."""
    store = Store(DIRECTORY)
    found = {
        "presented": [store.presented(host).get("XmppServer") for host in EDGES],
        "assigned": [store.assignments(host).get("XmppServer") for host in EDGES],
        "stopped": services(store, "Stopped"),
        "paused": services(store, "Paused"),
        "files": [path for host in EDGES for path in store.files(host)],
    }
    print(json.dumps(found))


def services(store: Store, status: str) -> list[str]:
    """Return the services in this status by display name, because the names of XMPP services differ in each lab."""
    found = {key: service for key, service in store.all("service").items() if key.split("/")[0] in EDGES}
    return [str(one["DisplayName"]) for one in found.values() if service_status(one) == status]


def main(arguments: list[str]) -> None:
    verb, *rest = arguments
    if verb in ("age", "clock", "drain"):
        {"age": age, "clock": clock, "drain": drain}[verb](int(rest[0]))
    elif verb == "answer":
        answer(rest[0])
    else:
        {"authority": authority, "show": show}[verb]()


if __name__ == "__main__":
    main(sys.argv[1:])
