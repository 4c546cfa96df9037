# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the own deployment as partners see it: the published SRV records, and the gateway's certificate."""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding, in_order
from .._x509.certificate import NOT_CHECKED
from .._x509.chain import CHAIN
from .certificate import FATAL
from .facts import Addresses, Facts
from .findings import check_mistake, check_reach, not_observable
from .own_records import FINDINGS, leads


def check_own(
    facts: Facts, access_edge: str, edge: Addresses | None, thumbprint: str, port: int, tls: bool = True
) -> list[Finding]:
    """Return findings about an own SIP domain, errors first. Pure.

    access_edge, edge: FQDN and addresses of the Access Edge; '' and None: not compared.
    thumbprint: the certificate that the gateway must present; '': any certificate.
    port: the port of the gateway.
    tls: whether the gateway must offer TLS to the domain that asks.
    """
    found = [
        *_check_records(facts, access_edge, edge, port),
        *check_reach(facts),
        *check_mistake(facts),
        *_check_listener(facts, tls),
        *_check_certificate(facts, thumbprint),
    ]
    return in_order(found)


def _check_records(facts: Facts, access_edge: str, edge: Addresses | None, port: int) -> t.Iterator[Finding]:
    """Return findings about the records. The codes are the same as in the chain, which finds these faults too."""
    name, services = "_xmpp-server._tcp." + facts.domain, facts.services
    if services is None:
        return
    state, told = leads(facts.domain, services, facts.addresses, {access_edge: edge} if edge is not None else {})
    if state == "missing":
        text = "there is no record %s, so partners do not find the gateway" % name
        if services.state == "not_offered":
            text = "the record %s has the target '.', which means: no XMPP service" % name
        yield Finding(*FINDINGS[state], text, "publish the record, with the Access Edge as target and port %d" % port)
    elif state == "elsewhere":
        text = "the SRV record of %s, which is not the Access Edge %s (%s)"
        where = ", ".join(edge.addresses) if edge is not None else ""
        remedy = "correct the target of the record, or the address of the target"
        yield Finding(*FINDINGS[state], text % (told, access_edge, where), remedy)
    elif state == "unknown" and (edge is not None or services.state == "unknown"):
        yield not_observable(FINDINGS[state][0], told)
    for service in services.records:
        if service.port != port:
            text = "the record %s has port %d, but the gateway listens on port %d" % (name, service.port, port)
            yield Finding("own_port", ERROR, text, "correct the port in the record")


def _check_listener(facts: Facts, tls: bool) -> t.Iterator[Finding]:
    ended = facts.ended
    if ended is None:
        if tls and facts.header is not None and not facts.tls:
            text = "the gateway does not offer TLS"
            yield Finding(
                "own_no_tls", ERROR, text, "assign a certificate to XmppServer, and restart the XMPP services"
            )
        return
    if (ended.stage == "connect" and ended.how != "time_up") or facts.tls:
        return  # check_reach reports the connection; the steps after TLS are not tested
    if ended.how == "time_up":
        yield not_observable("time_up", "the time limit for the domain was reached before the gateway answered")
        return
    told = ", ".join(part for part in (ended.condition, ended.text) if part)
    yield Finding(
        "own_listener",
        ERROR,
        "the program on the gateway's port did not start TLS (%s: %s)"
        % (ended.how.replace("_", " "), told or "no reason given"),
        "check the service and the log of the XMPP gateway proxy on the Edge, and look for another program on the port",
    )


def _check_certificate(facts: Facts, thumbprint: str) -> t.Iterator[Finding]:
    for code, text in facts.faults.items():
        severity = ERROR if code in FATAL else UNKNOWN if code == NOT_CHECKED else WARNING
        remedy = "replace the certificate with sfb.xmpp.xmpp_gateway_cert"
        if code == NOT_CHECKED:
            remedy = "remove from the Edge's store the CA certificates that do not belong to the certificate's chain"
        elif code == "client_auth":
            remedy = "for partners that require client authentication, set SASL to optional and support dialback"
        elif code in ("incomplete_chain", "chain_expired", "chain_not_yet_valid"):
            remedy = "import the current intermediate of its CA into the Edge's store of intermediates"
        elif code == "root_not_valid":
            remedy = CHAIN[code]
        yield Finding("own_certificate_" + code, severity, "the gateway's certificate: " + text, remedy)
    shown = str((facts.certificate or {}).get("thumbprint") or "")
    if thumbprint and shown and shown != thumbprint:
        yield Finding(
            "own_certificate_differs",
            ERROR,
            "the gateway presents the certificate %s, not the expected certificate (%s)" % (shown, thumbprint),
            "restart the XMPP services on the Edge, or stop another program that uses the port",
        )
