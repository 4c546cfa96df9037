# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a partner's administrator has to know of the own side, and the DNS records that this side publishes. Pure."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._federation.negotiation import SASL_OVER_TLS, TCP_DIALBACK, TLS_DIALBACK, Row
from .short_document import Code, Form, Heading, Paragraph, Part, Points, Table, render

PORT = 5269
TTL = 3600

_METHODS = {
    SASL_OVER_TLS: "certificates: SASL EXTERNAL inside TLS (RFC 6120 section 6, XEP-0178)",
    TLS_DIALBACK: "server dialback inside TLS (XEP-0220)",
    TCP_DIALBACK: "server dialback without encryption (XEP-0220)",
}
_TLS = {
    "required": "TLS is required, so that nobody between us reads what our users write. Our gateway speaks TLS 1.2 and"
    " below, and no TLS 1.3: your server has to allow TLS 1.2.",
    "optional": "TLS is used where your server offers it (TLS 1.2; our gateway has no TLS 1.3). Please offer it: what"
    " travels without it can be read on the way.",
    "not_supported": "Our side does not use TLS with your server, so what our users write can be read on the way. Tell"
    " us when your server offers TLS.",
}
_SASL = {
    "required": "Your server has to prove its domain with its certificate (SASL EXTERNAL), because that is what tells"
    " us that it is yours.",
    "optional": "Your server may prove its domain with its certificate (SASL EXTERNAL), which is the strongest proof"
    " that it is yours.",
    "not_supported": "Our side does not use certificates to authenticate your server (SASL EXTERNAL).",
}


@dataclass(frozen=True)
class Own:
    """The own side.

    domains: the SIP domains that partners may address. access_edge: FQDN. addresses: of the Access Edge, as the world
    sees it. certificate: what the gateway presents, and ``chain`` its issuers from the nearest on, each as describe()
    of _x509 gives it. contact: whom to ask.
    """

    domains: tuple[str, ...]
    access_edge: str
    addresses: tuple[str, ...] = ()
    port: int = PORT
    certificate: t.Mapping[str, t.Any] | None = None
    chain: tuple[t.Mapping[str, t.Any], ...] = ()
    contact: str = ""

    @classmethod
    def of(cls, given: t.Mapping[str, t.Any]) -> Own:
        """Of plain values. Raises Invalid, with the name of the value that is missing or wrong."""
        unknown = sorted(set(given) - set(cls.__dataclass_fields__))
        if unknown:
            raise Invalid("%s: is unknown; there are %s" % (unknown[0], ", ".join(cls.__dataclass_fields__)))
        for name in ("domains", "access_edge"):
            if not given.get(name):
                raise Invalid("%s: is missing" % name)
        port = given.get("port") or PORT
        if not 0 < int(port) < 65536:
            raise Invalid("port: %s is not a port" % port)
        return cls(
            tuple(_domain("domains", text) for text in given["domains"]),
            _domain("access_edge", given["access_edge"]),
            tuple(_address(text) for text in given.get("addresses") or ()),
            int(port),
            given.get("certificate"),
            tuple(given.get("chain") or ()),
            str(given.get("contact") or ""),
        )


def partner_sheet(partner: t.Mapping[str, t.Any], own: t.Mapping[str, t.Any], form: Form = "markdown") -> str:
    """For the administrator of a partner. partner: in the options of xmpp_federated_partner. Raises Invalid."""
    ours = Own.of(own)
    if not partner.get("domain"):
        raise Invalid("domain: is missing; it is the partner's")
    theirs = [_domain("domain", partner["domain"])]
    theirs += [_domain("additional_domains", text) for text in partner.get("additional_domains") or ()]
    row = _row(partner)
    if not row.methods:
        raise Invalid("%s: a stream cannot be authenticated with %s: %s" % (theirs[0], row, row.remark))
    parts = [
        *_title(ours, theirs),
        *_reach(ours),
        *_certificate(ours),
        *_demands(row),
        *_needs(ours, theirs, row),
        *_test(ours),
    ]
    return render(parts, form)


def dns_sheet(own: t.Mapping[str, t.Any], form: Form = "markdown") -> str:
    """The records that the own side has to publish. Raises Invalid."""
    ours = Own.of(own)
    return render(
        [
            Heading("DNS records for XMPP federation", 1),
            Paragraph(
                "Partners find our gateway by one SRV record for each SIP domain that they may address (RFC 6120"
                " section 3.2.1). They have to be in the DNS that the world sees."
            ),
            Code(tuple(_records(ours))),
            *(() if ours.addresses else (Paragraph("The Access Edge's own address has to be published as well."),)),
            Paragraph(
                "TCP port %d has to be open in both directions between the Access Edge and the world." % ours.port
            ),
            Heading("How to see that they are there"),
            Code(tuple(_queries(ours))),
        ],
        form,
    )


def _title(ours: Own, theirs: t.Sequence[str]) -> t.Iterator[Part]:
    yield Heading("XMPP federation between %s and %s" % (_shown(ours.domains[0]), _shown(theirs[0])), 1)
    contact = " Questions go to %s." % ours.contact if ours.contact else ""
    yield Paragraph("This is what your XMPP server has to know of ours, and what ours expects of yours.%s" % contact)
    yield Heading("Domains")
    rows = [("ours", ", ".join(map(_shown, ours.domains))), ("yours", ", ".join(map(_shown, theirs)))]
    yield Table(("Whose", "Domains"), tuple(rows))


def _reach(ours: Own) -> t.Iterator[Part]:
    yield Heading("How to reach us")
    yield Code(tuple(_records(ours)))
    yield Paragraph("Your server connects there, and ours connects to you: TCP port %d in both directions." % ours.port)


def _certificate(ours: Own) -> t.Iterator[Part]:
    yield Heading("Our certificate")
    found = ours.certificate
    if not found:
        yield Paragraph("It is presented in the TLS handshake; the last section shows how to look at it.")
        return
    yield Table(
        ("What", "Value"),
        (
            ("Subject", str(found["subject"])),
            ("Names", ", ".join(found["names"])),
            ("Issuer", str(found["issuer"])),
            ("SHA-1 thumbprint", str(found["thumbprint"])),
            ("Valid until", _day(found)),
        ),
    )
    if found.get("client_auth") is False:
        yield Paragraph(
            "It is issued for server authentication only, as public authorities issue certificates today. Our gateway"
            " presents it as a client, too: a server that insists on client authentication refuses it, and has to be"
            " told not to, or has to use dialback."
        )
    if ours.chain:
        yield Paragraph("Your server has to trust the last of its issuers:")
        rows = ((str(one["subject"]), str(one["thumbprint"]), _day(one)) for one in ours.chain)
        yield Table(("Issuer", "SHA-1 thumbprint", "Valid until"), tuple(rows))
    yield Paragraph("A new one comes before it ends. What does not change is the names, and as a rule the issuer.")


def _demands(row: Row) -> t.Iterator[Part]:
    yield Heading("What we require")
    yield Points((_TLS[row.tls], _SASL[row.sasl], _dialback(row)))
    many = len(row.methods) > 1
    yield Paragraph("Your server is authenticated by %s:" % ("the first of these that works" if many else "this alone"))
    yield Points(tuple(_METHODS[method] for method in row.methods))


def _dialback(row: Row) -> str:
    if not row.dialback:
        return "Server dialback is not accepted, because it trusts DNS alone."
    if row.methods == (SASL_OVER_TLS,):
        return "Server dialback has no effect, since certificates are required."
    return "Server dialback is accepted: your server has to be reachable by its SRV record, to confirm its key."


def _needs(ours: Own, theirs: t.Sequence[str], row: Row) -> t.Iterator[Part]:
    yield Heading("What is needed on your side")
    points = ["the SRV record _xmpp-server._tcp.%s in the public DNS" % name for name in theirs]
    if row.tls != "not_supported":
        points.append("TLS 1.2 for connections from other servers")
    if SASL_OVER_TLS in row.methods:
        points.append(
            "a certificate that has %s among its DNS names, from an authority that we trust, sent together with its"
            " intermediates, and issued for server and client authentication: our gateway sees it in both directions"
            % ", ".join(theirs)
        )
    if row.dialback and row.methods != (SASL_OVER_TLS,):
        points.append("server dialback switched on, in both directions")
    points.append("our domains allowed, if your server admits only known ones: %s" % ", ".join(ours.domains))
    yield Points(tuple(points))


def _test(ours: Own) -> t.Iterator[Part]:
    yield Heading("How to test")
    yield Paragraph("That our records are seen where your server stands:")
    yield Code(tuple(_queries(ours)))
    yield Paragraph("That our gateway is reached, and what it presents:")
    yield Code(
        tuple(
            "openssl s_client -starttls xmpp-server -xmpphost %s -tls1_2 -showcerts -connect %s:%d </dev/null"
            % (domain, ours.access_edge, ours.port)
            for domain in ours.domains
        )
    )
    yield Paragraph(
        "openssl names no domain of its own when it opens the stream. Should our gateway close the connection for that"
        " reason, the log of your XMPP server says more than openssl can. If the connection is refused or times out, a"
        " firewall is in between."
    )


def _records(ours: Own) -> t.Iterator[str]:
    """As a zone file has them."""
    for domain in ours.domains:
        yield "_xmpp-server._tcp.%s. %d IN SRV 0 0 %d %s." % (domain, TTL, ours.port, ours.access_edge)
    for address in ours.addresses:
        yield "%s. %d IN %s %s" % (ours.access_edge, TTL, "AAAA" if ":" in address else "A", address)


def _queries(ours: Own) -> t.Iterator[str]:
    for domain in ours.domains:
        yield "dig +short SRV _xmpp-server._tcp.%s" % domain


def _row(partner: t.Mapping[str, t.Any]) -> Row:
    """What is not declared is as the product makes a new partner (the page of New-CsXmppAllowedPartner).

    Raises Invalid.
    """
    dialback = partner.get("support_dialback_negotiation")
    row = Row(
        partner.get("tls_negotiation") or "required",
        partner.get("sasl_negotiation") or "required",
        True if dialback is None else dialback,
    )
    for name, value in (("tls_negotiation", row.tls), ("sasl_negotiation", row.sasl)):
        if value not in _TLS:
            raise Invalid("%s: '%s' is none of %s" % (name, value, ", ".join(_TLS)))
    if not isinstance(row.dialback, bool):
        raise Invalid("support_dialback_negotiation: '%s' is neither true nor false" % row.dialback)
    return row


def _day(certificate: t.Mapping[str, t.Any]) -> str:
    return str(certificate["not_after"])[:10]


def _domain(name: str, text: t.Any) -> str:
    """As A-labels. Raises Invalid."""
    try:
        return canonical_domain(str(text))
    except Invalid as exc:
        raise Invalid("%s: %s" % (name, exc)) from None


def _address(text: t.Any) -> str:
    """Raises Invalid."""
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise Invalid("addresses: '%s' is not an IP address" % text) from None


def _shown(domain: str) -> str:
    """With the form that people write, where that is another one."""
    if "xn--" not in domain:
        return domain
    import idna

    return "%s (%s)" % (domain, idna.decode(domain))
