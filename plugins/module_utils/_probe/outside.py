# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The links of explain that the probe sees from outside: the partner's servers, and what is published. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding, in_order
from .._federation.negotiation import SASL_OVER_TLS, Row
from .between import BOTH, Deployment, Direction, Link, Partner, Probed, User
from .certificate import FATAL

# What the probe finds against a certificate: the gateway's, and the partner's, which is shown in both directions.
_OWN_CERTIFICATE = ("own_certificate_", "own_no_tls")
_THEIR_CERTIFICATE = tuple("certificate_" + code for code in FATAL - {"server_auth"})
_NO_EXTERNAL = ("own_certificate_refused", "external_not_offered")
# What a server is as well when it is the one that connects: it has TLS, and which, or it has none.
_THEIR_TLS = ("tls_not_offered", "tls_required", "tls13_only")


def needs_certificate(row: Row | None, probed: Probed, *, missing: bool) -> bool:
    """Whether the row ends with the gateway's certificate. One that is there and not good encrypts the stream all the
    same, and dialback decides where the row has it and the partner takes it.
    """
    if row is None or row.methods == (SASL_OVER_TLS,):
        return True
    if missing and (row.tls == "required" or probed.requires_tls):
        return True
    return SASL_OVER_TLS in row.methods and probed.no_dialback


def _by_dialback(deployment: Deployment, row: Row | None, probed: Probed) -> bool:
    """Whether dialback is what is left: each side then has to find the other by DNS, whoever sends the message."""
    if row is None or not set(row.methods) - {SASL_OVER_TLS}:
        return False
    certificates = deployment.certificates
    return (
        SASL_OVER_TLS not in row.methods
        or bool(certificates and all(one.assigned is False or one.faults for one in certificates))
        or any(one.severity == ERROR and one.code.startswith(_OWN_CERTIFICATE) for one in probed.own or ())
        or any(one.code in _THEIR_CERTIFICATE or one.code in _NO_EXTERNAL for one in probed.partner or ())
    )


def seen(probed: Probed, partner: Partner, deployment: Deployment) -> Link:
    """The probe goes the way that a message of the user goes. What the other way needs of it as well: an answer about
    the partner's key, and a certificate and TLS, which are the same in both directions.
    """
    both = _by_dialback(deployment, partner.row, probed)
    codes = (*_THEIR_CERTIFICATE, *_THEIR_TLS)
    both = both or any(one.severity == ERROR and one.code in codes for one in probed.partner or ())
    what = "the servers of %s" % partner.domain
    return _worst("partner_server", probed.partner, what, BOTH if both else ("out",))


def published(probed: Probed, user: User, partner: Partner, deployment: Deployment) -> Link:
    """Partners find the gateway by what is published, to send a message or to ask about a key of dialback."""
    findings, both = probed.own, _by_dialback(deployment, partner.row, probed)
    if findings is not None:
        findings = tuple(_by_row(one, partner.row, probed) for one in findings)
        both = both or any(one.severity == ERROR and one.code.startswith(_OWN_CERTIFICATE) for one in findings)
    what = "the records and the gateway of %s" % user.address.rpartition("@")[2]
    return _worst("published", findings, what, BOTH if both else ("in",))


def _by_row(finding: Finding, row: Row | None, probed: Probed) -> Finding:
    """What is found against the gateway's certificate ends only a row that needs it."""
    if finding.severity != ERROR or not finding.code.startswith(_OWN_CERTIFICATE):
        return finding
    needed = needs_certificate(row, probed, missing=finding.code == "own_no_tls")
    return finding if needed else replace(finding, severity=WARNING)


def _worst(name: str, findings: t.Sequence[Finding] | None, what: str, blocks: tuple[Direction, ...]) -> Link:
    if findings is None:
        return Link(name, UNKNOWN, "%s were not probed" % what)
    if not findings:
        return Link(name, "", "the probe found nothing against %s" % what)
    worst = in_order(findings)[0]
    return Link(name, worst.severity, worst.message, worst.remedy, blocks)
