# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the test results of a partner with the declared settings: findings and a verdict. Pure."""

from __future__ import annotations

import typing as t

from .._base.findings import ERROR, UNKNOWN, WARNING, Finding, in_order
from .._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from .._x509.certificate import NOT_CHECKED
from .advice import advise
from .certificate import FATAL
from .explanations import FAULTS, STAGES, STREAM_ERRORS
from .facts import CLIENT_PORT, GATEWAY_VERSIONS, MOST_SERVERS, Attempt, Ended, Facts
from .options import DEFAULT_PORT
from .rows import (
    METHODS,
    accepts,
    falls_to_clear,
    may_fall_to_clear,
    options,
    possible,
    relies_on_certificate,
    seen_to_work,
    suggest,
)


def verdict(findings: t.Iterable[Finding]) -> str:
    """Return the verdict.

    failed: at least one finding is an error.
    not_observable: no error was found, but values are unknown.
    """
    severities = {finding.severity for finding in findings}
    if ERROR in severities:
        return "failed"
    if UNKNOWN in severities:
        return "not_observable"
    return "warning" if severities else "ok"


def check_partner(facts: Facts, row: Row | None) -> list[Finding]:
    """Return findings about a partner's domain, errors first.

    row: the declared settings; None: not declared.
    """
    relies = relies_on_certificate(facts, row)
    works = facts.header is not None and seen_to_work(facts, row)
    if facts.header is None:
        nothing_works = row is not None and not row.methods
    elif row is None:
        nothing_works = suggest(facts) is None
    else:
        nothing_works = not possible(facts, row) and not falls_to_clear(facts, row)
    found = [
        *_check_row(row),
        *check_name(facts),
        *_check_services(facts),
        *check_reach(facts),
        *check_mistake(facts),
        *_check_end(facts, row, works, nothing_works),
        *_check_tls(facts, row, nothing_works),
        *_check_certificate(facts, relies, row is None or row.sasl != "not_supported"),
        *_check_authentication(facts, row, relies, nothing_works),
        *_check_declared(facts, row, nothing_works),
    ]
    if facts.header is not None and not works and not any(one.severity in (ERROR, UNKNOWN) for one in found):
        found.append(_unknown(facts, row))
    return in_order(found)


def describe_row(row: Row) -> str:
    """Return the settings as options, to copy into the declaration."""
    return ", ".join("%s: %s" % (name, str(value).lower()) for name, value in options(row).items())


def _check_row(row: Row | None) -> t.Iterator[Finding]:
    if row is not None and row.level != "valid":
        code, severity = ("row_invalid", ERROR) if row.level == "invalid" else ("row_risky", WARNING)
        yield Finding(code, severity, "the declared settings (%s) are %s: %s" % (row, row.level, row.why), row.remedy)


def check_name(facts: Facts) -> t.Iterator[Finding]:
    """Find a name from a server that neither DNS nor a certificate can contain."""
    if facts.unusable:
        text = "the domain is not probed: %s" % facts.unusable
        yield Finding("name_unusable", UNKNOWN, text, "correct or remove the name in the deployment")


# From DNS to the server


def _check_services(facts: Facts) -> t.Iterator[Finding]:
    services = facts.services
    if services is not None:
        yield from _check_direct(facts)
        for service in services.records:
            if service.is_address:
                others = [one for one in services.records if not one.is_address]
                yield Finding(
                    "srv_target_is_address",
                    WARNING if others else ERROR,
                    "the target of the record _xmpp-server._tcp.%s is the IP address %s, but must be a host name"
                    " (RFC 2782)" % (facts.domain, service.host),
                    "ask the partner to publish a host name, with an address record for this name",
                )
        if services.state == "unknown":
            yield not_observable("srv_unknown", services.text)
        elif services.state == "not_offered":
            yield Finding(
                "not_offered",
                ERROR,
                "the SRV record of %s has the target '.', which means: no XMPP service for other servers"
                " (RFC 6120 section 3.2.1)" % facts.domain,
                "ask the partner for the right domain",
            )
        elif services.state == "none":
            yield Finding(
                "no_srv",
                WARNING,
                "there is no record _xmpp-server._tcp.%s; the probe used the domain's own address and port %d"
                " (RFC 6120 section 3.2.2)" % (facts.domain, DEFAULT_PORT),
                "ask the partner to publish the SRV record, or set proxy_fqdn",
            )


def _check_direct(facts: Facts) -> t.Iterator[Finding]:
    """Find records for direct TLS (XEP-0368). The gateway only uses STARTTLS."""
    direct = facts.direct_services
    if direct is None or direct.state != "found" or facts.header is not None:
        return
    first = direct.records[0]
    yield Finding(
        "direct_tls_record",
        WARNING,
        "the partner publishes _xmpps-server._tcp.%s (%s, port %d) for direct TLS; the gateway does not use this"
        " record, only STARTTLS" % (facts.domain, first.host, first.port),
        "ask the partner to publish _xmpp-server._tcp.%s with the host and port where its server offers STARTTLS"
        " (usually port %d)" % (facts.domain, DEFAULT_PORT),
    )


def check_reach(facts: Facts) -> t.Iterator[Finding]:
    """Return findings about addresses and TCP connections."""
    yield from _check_addresses(facts)
    yield from _check_attempts(facts)


def _check_addresses(facts: Facts) -> t.Iterator[Finding]:
    somewhere = any(found.state == "found" for found in facts.addresses.values())
    unseen = any(found.state == "unknown" for found in facts.addresses.values())
    for host, found in facts.addresses.items():
        if found.state == "unknown":
            yield not_observable("address_unknown", found.text, WARNING if somewhere else UNKNOWN)
        elif found.state == "none":
            yield Finding(
                "no_address",
                WARNING if somewhere or unseen else ERROR,
                "%s has no address" % host,
                "correct the DNS records; if the Edge uses other DNS servers, set nameservers",
            )
    known = [one for found in facts.addresses.values() for one in found.addresses]
    if known and not unseen and all(":" in one for one in known):
        text = "the domain has only IPv6 addresses; an Edge uses IPv6 only if the topology enables it (default: IPv4)"
        yield Finding("ipv6_only", UNKNOWN, text, "ask the partner for an IPv4 address, or enable IPv6 in the topology")


def _check_attempts(facts: Facts) -> t.Iterator[Finding]:
    tried = facts.attempts
    reached = [one for one in tried if one.result in ("answered", "silent")]
    unseen = [one for one in tried if _unseen(one)]
    for one in tried:
        if one.result == "local":
            yield Finding(
                "local_address",
                WARNING if reached else UNKNOWN,
                "%s was not tested, because this address belongs to the controller itself or to its network link"
                % one.where,
                "ask the partner to correct its DNS records; to test this address anyway, set allow_local",
            )
        elif one.result == "not_tried":
            text = "%s and the addresses after it were not tested: the probe tests at most %d addresses of a domain"
            remedy = "ask the partner whether all its servers run; to use one server, set proxy_fqdn"
            yield Finding("not_tried", WARNING if reached else UNKNOWN, text % (one.where, MOST_SERVERS), remedy)
        elif one.result == "refused" and one in unseen:
            yield not_observable("private_address", "%s, a private address, refuses the connection" % one.where)
        elif one.result == "refused":
            yield Finding(
                "connection_refused",
                WARNING if reached or unseen else ERROR,
                "%s refuses the connection: no program listens on this port, or a firewall refuses it" % one.where,
                "start the server on this host, or remove the host from the SRV records",
            )
        elif one in unseen:
            text = "%s cannot be reached (%s)" % (one.where, one.text or one.result)
            yield not_observable("not_reachable", text, WARNING if reached else UNKNOWN)
        elif one.result == "silent" and facts.header is not None:
            yield Finding(
                "target_silent",
                WARNING,
                "%s accepts connections, but does not answer as an XMPP server" % one.where,
                "repair the server on this host, or remove the host from the SRV records",
            )


def _unseen(attempt: Attempt) -> bool:
    if attempt.result == "refused":
        return attempt.private  # in the Edge's network, another host can have this address
    return attempt.result not in ("answered", "silent")


def not_observable(code: str, text: str, severity: str = UNKNOWN) -> Finding:
    """Return a finding for a value that the controller cannot test."""
    return Finding(
        code,
        severity,
        "the controller cannot check this: %s" % text,
        "run the probe from a host with the same network access as the Edge",
    )


# The conversation


def check_mistake(facts: Facts) -> t.Iterator[Finding]:
    if facts.mistake:
        text = "the probe ended because of an error in the collection (%s)" % facts.mistake
        yield Finding("mistake", UNKNOWN, text, "report this error to the authors of the collection")


def _check_end(facts: Facts, row: Row | None, works: bool, nothing_works: bool) -> t.Iterator[Finding]:
    """Return findings about the early end of the conversation.

    works: whether a method works anyway, for example dialback without TLS after a failed TLS handshake.
    """
    ended = facts.ended
    severity = WARNING if works else ERROR
    if (
        not works
        and row is not None
        and may_fall_to_clear(facts, row)
        and ended is not None
        and ended.stage != "stream"
    ):
        severity = UNKNOWN
    if row is not None and row.tls == "not_supported" and ended is not None and ended.stage != "stream":
        severity = WARNING  # a TLS failure has no effect on settings without TLS
    if ended is None or ended.stage == "connect":
        if ended is not None and ended.how == "time_up":
            yield not_observable("time_up", "the time limit for the domain was reached before a server answered")
        return
    where = STAGES[ended.stage]
    told = ": '%s'" % ended.text if ended.text else ""
    if ended.how == "time_up":
        yield not_observable("time_up", "the time limit for the domain was reached %s" % where)
    elif facts.wants_certificate:
        if row is not None and row.tls == "not_supported":
            return  # these settings do not use TLS
        yield Finding(
            "wants_certificate",
            WARNING if works else UNKNOWN,
            "%s, the server required a client certificate, but the probe has none%s" % (where, told),
            "set certificate (the gateway's certificate with its key), and probe again",
        )
    elif facts.own_refused:
        yield _own_refused(ended, severity)
    elif ended.how == "sasl_refused":
        return  # checked with the authentication
    elif ended.how == "stream_error":
        meaning, remedy = STREAM_ERRORS.get(
            ended.condition, ("the server ended the stream", "ask the partner for the log of its server")
        )
        text = "%s, the server answered %s%s, which means: %s" % (
            where,
            ended.condition or "a stream error",
            told,
            meaning,
        )
        yield Finding("stream_error", severity, text, remedy)
    elif ended.how == "timeout":
        text = "%s, the server did not answer (%s)" % (where, ended.text)
        yield Finding(
            "no_answer",
            severity,
            text,
            "ask the partner for the log of its server, and check firewalls that inspect XMPP",
        )
    elif ended.how == "closed":
        text = "%s, the server closed the connection without an answer" % where
        yield Finding(
            "closed", severity, text, "ask the partner whether its server allows only certain addresses or domains"
        )
    elif ended.how == "direct_tls":
        text = "the server expects direct TLS (XEP-0368); the gateway uses STARTTLS on an unencrypted stream"
        remedy = "ask the partner to publish the port with STARTTLS in _xmpp-server._tcp.%s"
        yield Finding("direct_tls", severity, text, remedy % facts.domain)
    elif ended.how == "http":
        text = "an HTTP server answers on the port (%s), not an XMPP server" % (ended.text or "HTTP")
        yield Finding("not_xmpp", severity, text, "ask the partner to correct the SRV record or the port")
    elif ended.how == "half_failure":
        text = "%s, the server sent the start of a failure, but not its end" % where
        yield Finding("half_failure", severity, text, "ask the partner for the log and the version of its server")
    elif _of_clients(facts, ended):
        text = "%s, the server answered with jabber:client: this is the port for clients" % where
        remedy = "ask the partner to publish its port for servers (usually %d) in the SRV record" % DEFAULT_PORT
        yield Finding("client_port", severity, text, remedy)
    elif ended.how == "broken":
        text = "%s, the answer was not the XMPP protocol (%s%s)" % (where, ended.condition, told)
        yield Finding(
            "not_xmpp", severity, text, "check that the SRV record has an XMPP server and its port for servers"
        )
    elif (
        ended.how == "tls_failed"
        and facts.own_certificate
        and ("certificate" in ended.text or "unknown ca" in ended.text)
    ):
        yield _own_refused(ended, ERROR if nothing_works else WARNING)
    elif ended.how in ("tls_failed", "tls_refused"):
        text = "TLS failed %s%s" % (where, told)
        yield Finding(
            "tls_failed", ERROR if nothing_works else WARNING, text, "ask the partner to repair TLS on its server"
        )


def _of_clients(facts: Facts, ended: Ended) -> bool:
    """Return whether the port is a port for clients, with another content namespace (RFC 6120 section 4.8.2)."""
    if ended.condition == "invalid-namespace":
        return True
    return ended.stage == "stream" and any(one.port == CLIENT_PORT for one in facts.attempts if one.result == "silent")


def _own_refused(ended: Ended, severity: str) -> Finding:
    text = "the server refused the gateway's certificate: %s" % (ended.text or ended.condition or "no reason given")
    return Finding(
        "own_certificate_refused", severity, text, "use a certificate that the partner trusts, for servers and clients"
    )


def _check_tls(facts: Facts, row: Row | None, nothing_works: bool) -> t.Iterator[Finding]:
    severity = ERROR if nothing_works else WARNING
    if facts.tls and facts.tls not in GATEWAY_VERSIONS:
        text = "the server accepts only %s, but the gateway supports at most TLS 1.2" % facts.tls
        yield Finding("tls13_only", severity, text, "ask the partner to allow TLS 1.2 too")
    elif facts.tls and facts.tls != "TLSv1.2":
        text = "of the gateway's TLS versions, the server accepts only %s, which RFC 8996 forbids" % facts.tls
        yield Finding("old_tls", WARNING, text, "ask the partner to allow TLS 1.2")
    if facts.legacy_renegotiation:
        text = "the server does not support RFC 5746 (secure renegotiation); Windows accepts this, OpenSSL 3 does not"
        yield Finding("legacy_renegotiation", WARNING, text, "ask the partner to update its server")
    starttls = _starttls(facts)
    if starttls is None:
        return
    if not starttls and (row is None or row.tls != "not_supported"):
        text = "the server does not offer TLS"
        if row is not None and row.tls == "required":
            text += ", but the declared settings require TLS"
        elif not nothing_works:
            text += ", so messages are not encrypted"
        yield Finding("tls_not_offered", severity, text, "ask the partner to offer TLS")
    elif starttls and row is not None and row.tls == "not_supported":
        what = "requires" if starttls == "required" else "offers"
        text = "the server %s TLS, but tls_negotiation is declared as not_supported" % what
        yield Finding("tls_" + starttls, severity, text, "set tls_negotiation to required")


def _starttls(facts: Facts) -> str | None:
    """Return whether the peer offers or requires TLS; '' if not, None if unknown."""
    if facts.before is not None:
        return facts.before.starttls
    return "" if facts.header is not None and not facts.header.features else None


def _check_certificate(facts: Facts, relies: bool, used: bool) -> t.Iterator[Finding]:
    """Return findings about the partner's certificate.

    relies: whether the federation needs a valid certificate.
    used: whether the certificate is also used as a client certificate.
    """
    for code, text in facts.faults.items():
        if code == "client_auth" and not used:
            continue
        severity = WARNING
        if relies and (code in FATAL or code == NOT_CHECKED):
            severity = UNKNOWN if code == NOT_CHECKED else ERROR
        yield Finding("certificate_" + code, severity, "the partner's certificate: " + text, FAULTS[code])


def _check_authentication(facts: Facts, row: Row | None, relies: bool, nothing_works: bool) -> t.Iterator[Finding]:
    severity = ERROR if relies or nothing_works else WARNING
    if row is None or row.sasl != "not_supported":
        ended = facts.ended
        if ended is not None and ended.how == "sasl_refused":
            yield _own_refused(ended, severity)
        elif facts.external == "not offered" and (row is None or SASL_OVER_TLS in row.methods):
            text = (
                "the server does not offer SASL EXTERNAL: it does not support SASL EXTERNAL, or does not trust the own"
                " certificate"
            )
            yield Finding(
                "external_not_offered", severity, text, "use a certificate that the partner trusts, or dialback"
            )
    if row is not None and facts.header is not None:
        yield from _check_dialback(facts, row, nothing_works)


def _check_dialback(facts: Facts, row: Row, nothing_works: bool) -> t.Iterator[Finding]:
    fallback = {TLS_DIALBACK, TCP_DIALBACK}.intersection(row.methods)
    if not fallback or fallback.intersection(possible(facts, row)):
        return
    states = {facts.dialback if method == TLS_DIALBACK else facts.clear_dialback for method in fallback}
    remedy = "set support_dialback_negotiation to false, so that only SASL is used"
    if SASL_OVER_TLS not in row.methods:
        remedy = "ask the partner to enable dialback, or allow TLS with SASL"
    if "refused" in states:
        told = next((answer.text for answer in facts.key_answers.values() if answer.result == "refused"), "")
        text = "the server declares dialback, but refuses it%s" % (": '%s'" % told if told else "")
        yield Finding("dialback_refused", ERROR if nothing_works else WARNING, text, remedy)
    elif "not offered" in states:
        text = "the server does not offer dialback, but the declared settings need dialback"
        if not nothing_works:
            text = "the server does not offer dialback, so the declared fallback does not work"
        yield Finding("dialback_not_offered", ERROR if nothing_works else WARNING, text, remedy)


def _unknown(facts: Facts, row: Row | None) -> Finding:
    """Return why the result of a method is unknown, and how to find the result."""
    message = "send a test message to find out (sfb.xmpp.xmpp_im_test)"
    if row is not None and falls_to_clear(facts, row):
        text = "the server offers TLS, but no method works over TLS; it is unknown whether the gateway then drops TLS"
        return Finding("clear_unknown", UNKNOWN, text, message)
    methods = METHODS if row is None else possible(facts, row)
    if SASL_OVER_TLS in methods and not facts.own_certificate:
        text = "SASL EXTERNAL was not tested, because the probe has no certificate"
        remedy = "set certificate (the gateway's certificate with its key), and probe again"
        return Finding("external_not_tried", UNKNOWN, text, remedy)
    told = next((answer.text for answer in facts.key_answers.values() if answer.text), "")
    text = "it is unknown whether the server accepts %s" % " or ".join(
        method for method in methods if _open(facts, method)
    )
    return Finding("method_unknown", UNKNOWN, text + (": '%s'" % told if told else ""), message)


def _open(facts: Facts, method: str) -> bool:
    return accepts(facts)[method] == "unknown"


def _weaker(other: Row, declared: Row) -> bool:
    """Return whether the weakest method of the other settings is weaker than the weakest declared method."""
    return METHODS.index(other.methods[-1]) > METHODS.index(declared.methods[-1])


def _check_declared(facts: Facts, row: Row | None, nothing_works: bool) -> t.Iterator[Finding]:
    """Return a finding if no method of the declared settings works."""
    if row is None or facts.header is None or not row.methods or not nothing_works:
        return
    better = advise(facts, row).row
    text = "no method of the declared settings works (%s)" % ", ".join(row.methods)
    remedy = "repair the faults of the other findings"
    if better is not None:
        remedy = "declare " + describe_row(better)
    elif (weaker := suggest(facts)) is not None:
        how = "weaker than the declared settings" if _weaker(weaker, row) else "other than the declared settings"
        remedy += "; from this controller, other settings possibly work: %s (%s)" % (how, weaker)
    yield Finding("row_does_not_work", ERROR, text, remedy)
