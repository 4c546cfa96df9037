# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens around the playbook in the lab: an authority, certificates that have grown old, answers, clocks.

``edges.py authority | show | age DAYS | answer NAME | clock DAYS | drain SECONDS``; nothing of the collection is used.
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
sys.path.insert(0, str(TOP))  # run as a script, so the lab is found only from here on

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
    """Give us the key of the lab's public authority as our own, which partners trust; allow one of them.

    own-ca.pem, own-ca.key (encrypted). The gateway has no certificate yet.
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
    """Both Edges have used a certificate of ninety days for so long; it is what the file holds."""
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
    """The authority answers NAME.csr with NAME.crt."""
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
    """The servers' clocks are so far ahead."""
    Store(DIRECTORY).set_setting("clock_ahead", days * DAY.total_seconds())


def drain(seconds: int) -> None:
    """Sessions last so long after a graceful stop, also those that last now."""
    store = Store(DIRECTORY)
    store.set_setting("drain_seconds", seconds)
    for key, service in store.all("service").items():
        if service["Status"] == "Paused":
            store.put("service", key, {**service, "Until": time.time() + seconds})


def show() -> None:
    """What each Edge presents and has, which services are stopped, and our files."""
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
    """By their display names: each lab gives the services of XMPP other names."""
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
