# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the kind of source for each value of the option ``source.type``."""

from __future__ import annotations

import typing as t

from .edge import EdgeReader, EdgeState
from .source import CertificateSource
from .source_enterprise_ca import EnterpriseCa
from .source_own_ca import OwnCa, SelfSigned
from .source_pkcs12 import Pkcs12
from .source_request import Request
from .source_request_on_edge import RequestOnEdge
from .wanted import WantedCertificate

SOURCES: t.Mapping[str, type[CertificateSource]] = {
    "pkcs12": Pkcs12,
    "own_ca": OwnCa,
    "self_signed": SelfSigned,
    "request": Request,
    "enterprise_ca": EnterpriseCa,
}


def source_of(wanted: WantedCertificate, reader: EdgeReader, before: EdgeState) -> CertificateSource:
    """Return the source of a run's options."""
    on_edge = wanted.source.type == "request" and wanted.source.key_on == "edge"
    kind = RequestOnEdge if on_edge else SOURCES[wanted.source.type]
    return kind(wanted, reader, before)
