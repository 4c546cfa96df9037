# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the parameters of Request-CsCertificate. The Edge server makes the key, and the key never leaves the server."""

from __future__ import annotations

import typing as t

from .._shell.statement import Value
from .edge import REQUEST, path_of
from .wanted import WantedCertificate

_ALGORITHMS: dict[str, dict[str, Value]] = {
    "rsa2048": {"KeyAlg": "RSA", "KeySize": 2048},
    "rsa4096": {"KeyAlg": "RSA", "KeySize": 4096},
    "ecdsa_p256": {"KeyAlg": "ECDH_P256"},
    "ecdsa_p384": {"KeyAlg": "ECDH_P384"},
}


def into_file(wanted: WantedCertificate) -> dict[str, Value]:
    """Return the parameters of a request in a file, which users send to an authority."""
    return {**_new(wanted), "Output": path_of(REQUEST), "Confirm": False}


def at_authority(wanted: WantedCertificate) -> dict[str, Value]:
    """Return the parameters of a request to a certification authority of the company."""
    options = wanted.source
    found: dict[str, Value] = {**_new(wanted), "CA": options.ca}
    if options.template:
        found["Template"] = options.template
    if options.ca_account:
        found.update(CaAccount=options.ca_account, CaPassword=options.ca_password)
    return {**found, "Confirm": False}


def _new(wanted: WantedCertificate) -> dict[str, Value]:
    return {
        "New": True,
        "Type": tuple(wanted.usages),
        # The cmdlet's page shows one text with commas. Canonical domains have no commas.
        "DomainName": ",".join(wanted.names),
        # Administrators see this name in the store. The collection does not use the name.
        "FriendlyName": "sfb.xmpp",
        **_ALGORITHMS[wanted.source.key],
        "PrivateKeyExportable": False,
    }


def missing_names(names: t.Sequence[str], wanted: WantedCertificate) -> str:
    """Return the wanted names that a request lacks, for a message; empty if no name is missing."""
    return ", ".join(sorted(set(wanted.names) - set(names)))
