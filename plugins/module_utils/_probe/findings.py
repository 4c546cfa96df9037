# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks for and against a federation, from what was seen and what is declared: findings and a verdict. Pure."""

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
    """failed: something is wrong. not_observable: nothing is, as far as can be seen, which is not far enough."""
    severities = {finding.severity for finding in findings}
    if ERROR in severities:
        return "failed"
    if UNKNOWN in severities:
        return "not_observable"
    return "warning" if severities else "ok"


def check_partner(facts: Facts, row: Row | None) -> list[Finding]:
    """Findings about a partner's domain, errors first. row: the declared one; None: not a declared partner."""
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
    """As options, to be pasted into the declaration."""
    return ", ".join("%s: %s" % (name, str(value).lower()) for name, value in options(row).items())


def _check_row(row: Row | None) -> t.Iterator[Finding]:
    if row is not None and row.level != "valid":
        code, severity = ("row_invalid", ERROR) if row.level == "invalid" else ("row_risky", WARNING)
        yield Finding(code, severity, "the declared row (%s) is %s: %s" % (row, row.level, row.why), row.remedy)


def check_name(facts: Facts) -> t.Iterator[Finding]:
    """Of a name that was read from a server, and is none that DNS or a certificate could have."""
    if facts.unusable:
        text = "it is not probed: %s" % facts.unusable
        yield Finding("name_unusable", UNKNOWN, text, "correct the name on the server, or remove it there")


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
                    "the target of the record _xmpp-server._tcp.%s is the IP address %s; it must be a host name"
                    " (RFC 2782)" % (facts.domain, service.host),
                    "ask the partner to publish the name of the host, with an address record of its own",
                )
        if services.state == "unknown":
            yield not_observable("srv_unknown", services.text)
        elif services.state == "not_offered":
            yield Finding(
                "not_offered",
                ERROR,
                "the SRV record of %s has the target '.', which says that it has no XMPP service for other servers"
                " (RFC 6120 section 3.2.1)" % facts.domain,
                "ask the partner for the right domain",
            )
        elif services.state == "none":
            yield Finding(
                "no_srv",
                WARNING,
                "there is no record _xmpp-server._tcp.%s; the domain's own address and port %d were tried instead"
                " (RFC 6120 section 3.2.2)" % (facts.domain, DEFAULT_PORT),
                "ask the partner to publish the SRV record, or set proxy_fqdn",
            )


def _check_direct(facts: Facts) -> t.Iterator[Finding]:
    """Records for direct TLS (XEP-0368): the gateway negotiates TLS on a stream in clear (STARTTLS) only."""
    direct = facts.direct_services
    if direct is None or direct.state != "found" or facts.header is not None:
        return
    first = direct.records[0]
    yield Finding(
        "direct_tls_record",
        WARNING,
        "the partner publishes _xmpps-server._tcp.%s (%s, port %d) for direct TLS; the gateway does not know this"
        " record, and uses STARTTLS only" % (facts.domain, first.host, first.port),
        "ask the partner to publish _xmpp-server._tcp.%s with the host and port where its server offers STARTTLS"
        " (usually port %d)" % (facts.domain, DEFAULT_PORT),
    )


def check_reach(facts: Facts) -> t.Iterator[Finding]:
    """Addresses and TCP."""
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
                "correct the DNS records; where another view of DNS counts, give its nameservers",
            )
    known = [one for found in facts.addresses.values() for one in found.addresses]
    if known and not unseen and all(":" in one for one in known):
        text = "it has IPv6 addresses only; an Edge uses IPv6 only where the topology enables it (the default is IPv4)"
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
                "%s is an address of the controller itself or of its own network link, so it was not tried" % one.where,
                "ask the partner to correct its DNS records; to connect all the same, set allow_local",
            )
        elif one.result == "not_tried":
            text = "%s and whatever follows it was not tried: the probe tries at most %d addresses of a domain"
            remedy = "ask the partner whether all of its servers run; set proxy_fqdn to use a certain one"
            yield Finding("not_tried", WARNING if reached else UNKNOWN, text % (one.where, MOST_SERVERS), remedy)
        elif one.result == "refused" and one in unseen:
            yield not_observable(
                "private_address", "%s refuses connections from here, and is a private address" % one.where
            )
        elif one.result == "refused":
            yield Finding(
                "connection_refused",
                WARNING if reached or unseen else ERROR,
                "%s refuses the connection: nothing listens there, or a firewall says so" % one.where,
                "start the server there, or take the host out of the SRV records",
            )
        elif one in unseen:
            text = "%s cannot be reached from here (%s)" % (one.where, one.text or one.result)
            yield not_observable("not_reachable", text, WARNING if reached else UNKNOWN)
        elif one.result == "silent" and facts.header is not None:
            yield Finding(
                "target_silent",
                WARNING,
                "%s accepts connections and does not answer as an XMPP server" % one.where,
                "repair the server there, or take the host out of the SRV records",
            )


def _unseen(attempt: Attempt) -> bool:
    if attempt.result == "refused":
        return attempt.private  # where the Edge is, another host may have this address
    return attempt.result not in ("answered", "silent")


def not_observable(code: str, text: str, severity: str = UNKNOWN) -> Finding:
    """What cannot be seen from where the probe runs."""
    return Finding(
        code,
        severity,
        "not observable from here: %s" % text,
        "run the probe where the Edge's view of the network is shared",
    )


# The conversation


def check_mistake(facts: Facts) -> t.Iterator[Finding]:
    if facts.mistake:
        text = "the probe ended with a mistake in the collection (%s)" % facts.mistake
        yield Finding("mistake", UNKNOWN, text, "please report it")


def _check_end(facts: Facts, row: Row | None, works: bool, nothing_works: bool) -> t.Iterator[Finding]:
    """works: whether a method was seen to work all the same, such as one in clear where TLS ended the conversation."""
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
        severity = WARNING  # how it fares with TLS says nothing about a row without
    if ended is None or ended.stage == "connect":
        if ended is not None and ended.how == "time_up":
            yield not_observable("time_up", "the time for the domain was spent before a server answered")
        return
    where = STAGES[ended.stage]
    told = ": '%s'" % ended.text if ended.text else ""
    if ended.how == "time_up":
        yield not_observable("time_up", "the time for the domain was spent %s" % where)
    elif facts.wants_certificate:
        if row is not None and row.tls == "not_supported":
            return  # it works, or does not, without TLS
        yield Finding(
            "wants_certificate",
            WARNING if works else UNKNOWN,
            "%s it demanded a client certificate, and none was given to the probe%s" % (where, told),
            "give certificate (the gateway's certificate with its key), and probe again",
        )
    elif facts.own_refused:
        yield _own_refused(ended, severity)
    elif ended.how == "sasl_refused":
        return  # checked with the authentication
    elif ended.how == "stream_error":
        meaning, remedy = STREAM_ERRORS.get(
            ended.condition, ("it ended the stream", "ask the partner what its server logged")
        )
        text = "%s it answered %s%s, which means: %s" % (where, ended.condition or "a stream error", told, meaning)
        yield Finding("stream_error", severity, text, remedy)
    elif ended.how == "timeout":
        text = "%s it did not answer (%s)" % (where, ended.text)
        yield Finding(
            "no_answer", severity, text, "ask the partner; a firewall that inspects XMPP looks like this as well"
        )
    elif ended.how == "closed":
        text = "%s it closed the connection without an answer" % where
        yield Finding("closed", severity, text, "ask the partner whether it admits only certain addresses or domains")
    elif ended.how == "direct_tls":
        text = "it speaks TLS at once (direct TLS, XEP-0368); the gateway opens a stream in clear and uses STARTTLS"
        remedy = "ask the partner to name the port of its server that offers STARTTLS in _xmpp-server._tcp.%s"
        yield Finding("direct_tls", severity, text, remedy % facts.domain)
    elif ended.how == "http":
        text = "an HTTP server answers on the port (%s), and no XMPP server" % (ended.text or "HTTP")
        yield Finding("not_xmpp", severity, text, "ask the partner to correct the SRV record, or the port behind it")
    elif ended.how == "half_failure":
        text = "%s it began to answer with a failure, and did not end it" % where
        yield Finding("half_failure", severity, text, "ask the partner what its server logged, and for its version")
    elif _of_clients(facts, ended):
        text = "%s it answered as to a client (jabber:client): the port is that for clients" % where
        remedy = "ask the partner to name its port for servers (usually %d) in the SRV record" % DEFAULT_PORT
        yield Finding("client_port", severity, text, remedy)
    elif ended.how == "broken":
        text = "%s its answer was not the XMPP protocol (%s%s)" % (where, ended.condition, told)
        yield Finding(
            "not_xmpp", severity, text, "check that the SRV record names an XMPP server and its port for servers"
        )
    elif (
        ended.how == "tls_failed"
        and facts.own_certificate
        and ("certificate" in ended.text or "unknown ca" in ended.text)
    ):
        yield _own_refused(ended, ERROR if nothing_works else WARNING)
    elif ended.how in ("tls_failed", "tls_refused"):
        text = "TLS does not work %s%s" % (where, told)
        yield Finding(
            "tls_failed", ERROR if nothing_works else WARNING, text, "ask the partner to repair TLS on its server"
        )


def _of_clients(facts: Facts, ended: Ended) -> bool:
    """Whether what answered is a server's port for clients (RFC 6120 section 4.8.2: the content namespace differs)."""
    if ended.condition == "invalid-namespace":
        return True
    return ended.stage == "stream" and any(one.port == CLIENT_PORT for one in facts.attempts if one.result == "silent")


def _own_refused(ended: Ended, severity: str) -> Finding:
    text = "it refused the own certificate: %s" % (ended.text or ended.condition or "without a reason")
    return Finding("own_certificate_refused", severity, text, "use one that the partner trusts, for both purposes")


def _check_tls(facts: Facts, row: Row | None, nothing_works: bool) -> t.Iterator[Finding]:
    severity = ERROR if nothing_works else WARNING
    if facts.tls and facts.tls not in GATEWAY_VERSIONS:
        text = "it accepts %s only, and the gateway has none above TLS 1.2" % facts.tls
        yield Finding("tls13_only", severity, text, "the partner has to allow TLS 1.2")
    elif facts.tls and facts.tls != "TLSv1.2":
        text = "of what the gateway speaks it accepts only %s, which RFC 8996 forbids" % facts.tls
        yield Finding("old_tls", WARNING, text, "ask the partner to allow TLS 1.2")
    if facts.legacy_renegotiation:
        text = "its TLS is from before RFC 5746 (secure renegotiation); Windows connects to it, OpenSSL 3 refuses it"
        yield Finding("legacy_renegotiation", WARNING, text, "ask the partner to update its server")
    starttls = _starttls(facts)
    if starttls is None:
        return
    if not starttls and (row is None or row.tls != "not_supported"):
        text = "it does not offer TLS"
        if row is not None and row.tls == "required":
            text += ", and the declared settings require it"
        elif not nothing_works:
            text += ", so messages travel in clear"
        yield Finding("tls_not_offered", severity, text, "ask the partner to offer TLS")
    elif starttls and row is not None and row.tls == "not_supported":
        what = "requires" if starttls == "required" else "offers"
        text = "it %s TLS, and the declared row says not_supported" % what
        yield Finding("tls_" + starttls, severity, text, "set tls_negotiation to required")


def _starttls(facts: Facts) -> str | None:
    """What the peer offers, '' for nothing; None if that was not seen."""
    if facts.before is not None:
        return facts.before.starttls
    return "" if facts.header is not None and not facts.header.features else None


def _check_certificate(facts: Facts, relies: bool, used: bool) -> t.Iterator[Finding]:
    """relies: the federation stands and falls with it. used: it serves as client certificate as well."""
    for code, text in facts.faults.items():
        if code == "client_auth" and not used:
            continue
        severity = WARNING
        if relies and (code in FATAL or code == NOT_CHECKED):
            severity = UNKNOWN if code == NOT_CHECKED else ERROR
        yield Finding("certificate_" + code, severity, "its certificate: " + text, FAULTS[code])


def _check_authentication(facts: Facts, row: Row | None, relies: bool, nothing_works: bool) -> t.Iterator[Finding]:
    severity = ERROR if relies or nothing_works else WARNING
    if row is None or row.sasl != "not_supported":
        ended = facts.ended
        if ended is not None and ended.how == "sasl_refused":
            yield _own_refused(ended, severity)
        elif facts.external == "not offered" and (row is None or SASL_OVER_TLS in row.methods):
            text = "it does not offer SASL EXTERNAL to the own certificate, so it does not trust it or does not use it"
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
    remedy = "set support_dialback_negotiation to false, and rely on SASL"
    if SASL_OVER_TLS not in row.methods:
        remedy = "ask the partner to switch dialback on, or allow TLS with SASL"
    if "refused" in states:
        told = next((answer.text for answer in facts.key_answers.values() if answer.result == "refused"), "")
        text = "it declares dialback, and refuses it%s" % (": '%s'" % told if told else "")
        yield Finding("dialback_refused", ERROR if nothing_works else WARNING, text, remedy)
    elif "not offered" in states:
        text = "it does not offer dialback, and the declared settings rely on it"
        if not nothing_works:
            text = "it does not offer dialback, so the declared fallback does not exist"
        yield Finding("dialback_not_offered", ERROR if nothing_works else WARNING, text, remedy)


def _unknown(facts: Facts, row: Row | None) -> Finding:
    """Why it is not known whether any method works, and what would tell."""
    message = "send a message to find out (sfb.xmpp.xmpp_im_test)"
    if row is not None and falls_to_clear(facts, row):
        text = "it offers TLS, and nothing works in TLS; it is not documented whether the gateway then goes on in clear"
        return Finding("clear_unknown", UNKNOWN, text, message)
    methods = METHODS if row is None else possible(facts, row)
    if SASL_OVER_TLS in methods and not facts.own_certificate:
        text = "SASL EXTERNAL was not tried, because no certificate was given to the probe"
        remedy = "give certificate (the gateway's certificate with its key), and probe again"
        return Finding("external_not_tried", UNKNOWN, text, remedy)
    told = next((answer.text for answer in facts.key_answers.values() if answer.text), "")
    text = "whether it accepts %s is not known" % " or ".join(method for method in methods if _open(facts, method))
    return Finding("method_unknown", UNKNOWN, text + (": '%s'" % told if told else ""), message)


def _open(facts: Facts, method: str) -> bool:
    return accepts(facts)[method] == "unknown"


def _weaker(other: Row, declared: Row) -> bool:
    """Whether the weakest way that the other settings take is weaker than the weakest of the declared ones."""
    return METHODS.index(other.methods[-1]) > METHODS.index(declared.methods[-1])


def _check_declared(facts: Facts, row: Row | None, nothing_works: bool) -> t.Iterator[Finding]:
    """The declared row as a whole."""
    if row is None or facts.header is None or not row.methods or not nothing_works:
        return
    better = advise(facts, row).row
    text = "no method of the declared row works (%s)" % ", ".join(row.methods)
    remedy = "remove the causes that the other findings name"
    if better is not None:
        remedy = "declare " + describe_row(better)
    elif (weaker := suggest(facts)) is not None:
        how = "weaker than what is declared" if _weaker(weaker, row) else "another way than the declared ones"
        remedy += "; what may work as seen from here is %s (%s)" % (how, weaker)
    yield Finding("row_does_not_work", ERROR, text, remedy)
