# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearse with ``python -m lab.rehearsal``: XMPP servers act as the lab's allowed partners, and exchange messages.

One Prosody has the domains of all partners, with valid certificates, TLS and dialback. Another Prosody serves partners
with settings without TLS. A local user with XMPP writes to each partner and gets an answer. The output is one JSON
object.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import importlib.util
import json
import ssl
import sys
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from . import process
from .deployment.public_ca import ROOT_FILE
from .deployment.store import Store
from .errors import LabError
from .gateway import rules
from .gateway.surroundings import EDGES, Identity, Surroundings
from .partners import control, programs
from .partners.servers import Partner

MOST = 12  # A rehearsal must end within about one minute.
_MANNERS = {"prosody": ("127.0.0.51", {"tls": "optional"}), "prosody-clear": ("127.0.0.52", {"tls": "none"})}


def main(argv: t.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.rehearsal", description="Partners that talk with the lab.")
    parser.add_argument("--directory", type=Path, required=True, help="of a lab that is up")
    parser.add_argument("--trust", type=Path, help="a file with roots that the partners are to trust (PEM)")
    arguments = parser.parse_args(argv)
    try:
        with contextlib.closing(Store(arguments.directory)) as store:
            print(json.dumps(_rehearse(arguments.directory, store, arguments.trust)))
    except LabError as e:
        print("lab: %s" % e, file=sys.stderr)
        return 1
    return 0


def _rehearse(directory: Path, store: Store, trust: Path | None) -> dict[str, t.Any]:
    """Return ``talks`` (a list of ``domain``, ``user`` and two outcomes) and ``skipped`` (with reasons)."""
    running = process.find(directory)
    if running is None:
        raise LabError("no lab is up in %s" % directory)
    around = Surroundings(store)
    reason, user = _obstacle(store, around)
    domains = sorted(store.partners())
    if reason:
        return {"talks": [], "skipped": [{"name": "partners", "reason": reason}] if domains else []}
    proxied = [d for d in domains if store.partners()[d]["ProxyFqdn"]]
    skipped = [{"name": d, "reason": "the partner has its own proxy"} for d in proxied]
    tried = [d for d in domains if d not in proxied]
    skipped += [{"name": d, "reason": "a rehearsal tries at most %d partners" % MOST} for d in tried[MOST:]]
    talks = _talk(directory, store, running.xmpp_port, user, tried[:MOST], trust)
    return {"talks": talks, "skipped": skipped}


def _obstacle(store: Store, around: Surroundings) -> tuple[str, str]:
    """Return the reason why no message can be exchanged, and the user who can exchange messages otherwise."""
    gone = programs.missing(("prosody",))
    if gone:
        return "these packages are not installed: %s" % ", ".join(gone), ""
    if importlib.util.find_spec("slixmpp") is None:
        return "the Python package slixmpp is not installed", ""
    if not any(around.identity(host) for host in EDGES):
        return "no Edge presents a certificate for XMPP", ""
    addresses = [str(one["SipAddress"]).removeprefix("sip:") for one in store.all("user").values()]
    for address in sorted(addresses):
        if address.isascii() and rules.user(around.user(address), address, around.federated_users()).allowed:
            return "", address
    return "no user can talk with partners. Check the policies and the Access Edge", ""


def _talk(
    directory: Path, store: Store, gateway_port: int, user: str, domains: t.Sequence[str], trust: Path | None
) -> list[dict[str, t.Any]]:
    from .talk import talk  # The library slixmpp can be missing.

    servers = {}
    for name, (address, settings) in _MANNERS.items():
        clear = name == "prosody-clear"
        own = {d: "good" for d in domains if (store.partners()[d]["TlsNegotiation"] == "NotSupported") == clear}
        if own:
            servers[name] = Partner(name, "prosody", address, own, dialback=True).changed(settings)
    if not servers:
        return []
    _trust(directory, Surroundings(store), trust)
    partners = control.start(directory, gateway_port, servers, None, servers)
    try:
        with concurrent.futures.ThreadPoolExecutor(len(domains)) as pool:
            running = {d: pool.submit(talk, store, partners, user, "romeo@" + d) for d in domains}
            return [
                {"domain": d, "user": user, "outcomes": [dataclasses.asdict(one) for one in future.result()]}
                for d, future in running.items()
            ]
    finally:
        partners.stop()


def _trust(directory: Path, around: Surroundings, file: Path | None) -> None:
    """Make the partners trust the issuer of the gateway's certificate, as partners of a real gateway do."""
    issuers: set[x509.Name] = set()
    found: list[x509.Certificate] = []
    for identity in filter(None, map(around.identity, EDGES)):
        issuers |= {one.issuer for one in (identity.certificate, *identity.chain)}
        found += _itself(identity)
    for candidate in _certificates(file or Path(ssl.get_default_verify_paths().cafile or "/nowhere")):
        if candidate.subject in issuers and candidate.subject == candidate.issuer:
            found.append(candidate)
    with open(directory / ROOT_FILE, "ab") as f:
        for pem in dict.fromkeys(one.public_bytes(Encoding.PEM) for one in found):
            f.write(pem)


def _itself(identity: Identity) -> list[x509.Certificate]:
    """Return the certificate itself if the certificate is self-signed."""
    one = identity.certificate
    return [one] if one.issuer == one.subject else []


def _certificates(path: Path) -> t.Iterator[x509.Certificate]:
    end = b"-----END CERTIFICATE-----"
    try:
        blocks = path.read_bytes().split(end)[:-1]
    except OSError:
        return
    for block in blocks:
        with contextlib.suppress(ValueError):
            yield x509.load_pem_x509_certificate(block[block.find(b"-----BEGIN") :] + end)


if __name__ == "__main__":
    sys.exit(main())
