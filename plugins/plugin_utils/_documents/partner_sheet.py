# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the sheet for a partner's administrators, and the DNS records of your own domains. This code is pure."""

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
    "required": "TLS is required, so that the messages of our users cannot be read on the network. Our gateway supports"
    " TLS 1.2 and older versions, but not TLS 1.3. Allow TLS 1.2 on your server.",
    "optional": "Our gateway uses TLS if your server offers TLS 1.2. It does not support TLS 1.3. Please offer TLS,"
    " because messages without TLS can be read on the network.",
    "not_supported": "Our gateway does not use TLS with your server, so messages can be read on the network. Tell us"
    " when your server offers TLS.",
}
_SASL = {
    "required": "Your server must prove its domain with its certificate (SASL EXTERNAL). We accept no other proof.",
    "optional": "Your server can prove its domain with its certificate (SASL EXTERNAL). This is the strongest proof.",
    "not_supported": "Our gateway does not use certificates to authenticate your server (SASL EXTERNAL).",
}


@dataclass(frozen=True)
class Own:
    """Hold the data of your own side.

    domains: the SIP domains that partners may address.
    access_edge: the FQDN of the Access Edge.
    addresses: the public IP addresses of the Access Edge.
    certificate: the certificate that the gateway presents, in the form of describe() of _x509.
    chain: the certificates of the issuers in the form of describe(), the nearest issuer first.
    contact: the address for questions.
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
        """Read plain values. Raises Invalid with the name of the missing or wrong value."""
        unknown = sorted(set(given) - set(cls.__dataclass_fields__))
        if unknown:
            raise Invalid("%s: is unknown. Use only %s" % (unknown[0], ", ".join(cls.__dataclass_fields__)))
        for name in ("domains", "access_edge"):
            if not given.get(name):
                raise Invalid("%s: is missing. Set it" % name)
        port = given.get("port") or PORT
        if not 0 < int(port) < 65536:
            raise Invalid("port: %s must be a number from 1 to 65535" % port)
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
    """Return the sheet for the administrators of a partner. Raises Invalid.

    partner: the partner's settings, with the names of the options of xmpp_federated_partner.
    """
    ours = Own.of(own)
    if not partner.get("domain"):
        raise Invalid("domain: is missing. Set it to the partner's domain")
    theirs = [_domain("domain", partner["domain"])]
    theirs += [_domain("additional_domains", text) for text in partner.get("additional_domains") or ()]
    row = _row(partner)
    if not row.methods:
        raise Invalid("%s: a stream cannot be authenticated with %s. %s" % (theirs[0], row, row.remark))
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
    """Return the sheet with the DNS records that your own side must publish. Raises Invalid."""
    ours = Own.of(own)
    return render(
        [
            Heading("DNS records for XMPP federation", 1),
            Paragraph(
                "Each SIP domain that partners may address needs one SRV record (RFC 6120 section 3.2.1). Partners find"
                " our gateway with these records. Publish the records in the public DNS."
            ),
            Code(tuple(_records(ours))),
            *(() if ours.addresses else (Paragraph("Also publish the address of the Access Edge."),)),
            Paragraph("Open TCP port %d in both directions between the Access Edge and the internet." % ours.port),
            Heading("Check the records"),
            Code(tuple(_queries(ours))),
        ],
        form,
    )


def _title(ours: Own, theirs: t.Sequence[str]) -> t.Iterator[Part]:
    yield Heading("XMPP federation between %s and %s" % (_shown(ours.domains[0]), _shown(theirs[0])), 1)
    contact = " If you have questions, ask %s." % ours.contact if ours.contact else ""
    yield Paragraph("Set up your XMPP server for the federation with our gateway as this page describes.%s" % contact)
    yield Heading("Domains")
    rows = [("ours", ", ".join(map(_shown, ours.domains))), ("yours", ", ".join(map(_shown, theirs)))]
    yield Table(("Whose", "Domains"), tuple(rows))


def _reach(ours: Own) -> t.Iterator[Part]:
    yield Heading("How to reach us")
    yield Code(tuple(_records(ours)))
    yield Paragraph(
        "Your server connects to our gateway, and our gateway connects to your server. Open TCP port %d in both"
        " directions." % ours.port
    )


def _certificate(ours: Own) -> t.Iterator[Part]:
    yield Heading("Our certificate")
    found = ours.certificate
    if not found:
        yield Paragraph("Our gateway presents it in the TLS handshake. The last section shows how to read it.")
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
            "It is for servers only (no client authentication), because public CAs no longer issue other certificates."
            " Our gateway also presents it as a client. If your server requires client authentication, it refuses this"
            " certificate. Disable this check on your server, or use dialback."
        )
    if ours.chain:
        yield Paragraph("Your server must trust the last issuer of this list:")
        rows = ((str(one["subject"]), str(one["thumbprint"]), _day(one)) for one in ours.chain)
        yield Table(("Issuer", "SHA-1 thumbprint", "Valid until"), tuple(rows))
    yield Paragraph("We replace the certificate before it expires. The names stay the same, and usually the issuer.")


def _demands(row: Row) -> t.Iterator[Part]:
    yield Heading("What we require")
    yield Points((_TLS[row.tls], _SASL[row.sasl], _dialback(row)))
    many = len(row.methods) > 1
    how = "with the first method of this list that works" if many else "only with this method"
    yield Paragraph("Our gateway authenticates your server %s:" % how)
    yield Points(tuple(_METHODS[method] for method in row.methods))


def _dialback(row: Row) -> str:
    if not row.dialback:
        return "Server dialback is not accepted, because its only proof is DNS."
    if row.methods == (SASL_OVER_TLS,):
        return "Server dialback has no effect, because certificates are required."
    return "Server dialback is accepted. Our gateway must reach your server at its SRV record, to check the key."


def _needs(ours: Own, theirs: t.Sequence[str], row: Row) -> t.Iterator[Part]:
    yield Heading("What is needed on your side")
    points = ["Publish the SRV record _xmpp-server._tcp.%s in the public DNS." % name for name in theirs]
    if row.tls != "not_supported":
        points.append("Allow TLS 1.2 for connections with other servers.")
    if SASL_OVER_TLS in row.methods:
        points.append(
            "Use a certificate with the DNS names %s from a CA that we trust. It must be for server and client"
            " authentication, because our gateway reads it in both directions. Send it with its intermediates."
            % ", ".join(theirs)
        )
    if row.dialback and row.methods != (SASL_OVER_TLS,):
        points.append("Enable server dialback in both directions.")
    points.append("If your server allows only known domains, allow our domains: %s" % ", ".join(ours.domains))
    yield Points(tuple(points))


def _test(ours: Own) -> t.Iterator[Part]:
    yield Heading("How to test")
    yield Paragraph("On your server, check that it can resolve our records:")
    yield Code(tuple(_queries(ours)))
    yield Paragraph("On your server, check that it can reach our gateway, and read the certificate:")
    yield Code(
        tuple(
            "openssl s_client -starttls xmpp-server -xmpphost %s -tls1_2 -showcerts -connect %s:%d </dev/null"
            % (domain, ours.access_edge, ours.port)
            for domain in ours.domains
        )
    )
    yield Paragraph(
        "openssl does not send your domain when it opens the stream. If our gateway therefore closes the connection,"
        " read the log of your XMPP server instead. If the connection is refused or times out, check the firewalls."
    )


def _records(ours: Own) -> t.Iterator[str]:
    """Yield the records as lines of a zone file."""
    for domain in ours.domains:
        yield "_xmpp-server._tcp.%s. %d IN SRV 0 0 %d %s." % (domain, TTL, ours.port, ours.access_edge)
    for address in ours.addresses:
        yield "%s. %d IN %s %s" % (ours.access_edge, TTL, "AAAA" if ":" in address else "A", address)


def _queries(ours: Own) -> t.Iterator[str]:
    for domain in ours.domains:
        yield "dig +short SRV _xmpp-server._tcp.%s" % domain


def _row(partner: t.Mapping[str, t.Any]) -> Row:
    """Read the partner's settings for the negotiation. Raises Invalid.

    A missing setting has the product's default for a new partner (source: the page of New-CsXmppAllowedPartner).
    """
    dialback = partner.get("support_dialback_negotiation")
    row = Row(
        partner.get("tls_negotiation") or "required",
        partner.get("sasl_negotiation") or "required",
        True if dialback is None else dialback,
    )
    for name, value in (("tls_negotiation", row.tls), ("sasl_negotiation", row.sasl)):
        if value not in _TLS:
            raise Invalid("%s: '%s' must be one of %s" % (name, value, ", ".join(_TLS)))
    if not isinstance(row.dialback, bool):
        raise Invalid("support_dialback_negotiation: '%s' must be true or false" % row.dialback)
    return row


def _day(certificate: t.Mapping[str, t.Any]) -> str:
    return str(certificate["not_after"])[:10]


def _domain(name: str, text: t.Any) -> str:
    """Return the domain as A-labels. Raises Invalid with the name of the value."""
    try:
        return canonical_domain(str(text))
    except Invalid as exc:
        raise Invalid("%s: %s" % (name, exc)) from None


def _address(text: t.Any) -> str:
    """Return the canonical form of an IP address. Raises Invalid."""
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise Invalid("addresses: '%s' must be an IP address" % text) from None


def _shown(domain: str) -> str:
    """Return the domain for output, with the Unicode form if the Unicode form is different."""
    if "xn--" not in domain:
        return domain
    import idna

    return "%s (%s)" % (domain, idna.decode(domain))
