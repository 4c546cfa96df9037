# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forecast from published dates: lifetimes and purposes of public certificates, and the support of the product.

All functions are pure. No date in this file was read from a server. Each date has a comment with the source.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ...module_utils._federation.negotiation import SASL_OVER_TLS, Row
from ...module_utils._x509.renewal import DAY, RenewalRule, due_at
from .audit import moment
from .audit_compare import certificate_name

Result = t.Mapping[str, t.Any]

# The longest lifetime of a public certificate in days, and the day from which it applies. CA/Browser Forum, ballot
# SC-081v3 (April 2025), which became section 6.3.2 of the TLS Baseline Requirements.
LIFETIMES = (
    (datetime.date(2026, 3, 15), 200),
    (datetime.date(2027, 3, 15), 100),
    (datetime.date(2029, 3, 15), 47),
)
# From this day on, new public certificates are for servers only: Chrome Root Program Policy 1.8 (February 2026). Many
# CAs stopped client authentication earlier. Let's Encrypt stopped on 2026-07-08 (announcement of May 2025, dates
# changed
# later).
SERVERS_ONLY = datetime.date(2027, 3, 15)
# The last day of support, and the last day of paid security updates. Paid updates are the second and last period of
# the Extended Security Updates, which Microsoft announced in April 2026. The source is Microsoft's lifecycle pages of
# Lync Server 2013, Skype for Business Server 2015 and 2019.
SUPPORT: dict[str, tuple[str, datetime.date, datetime.date | None]] = {
    "2013": ("Lync Server 2013", datetime.date(2023, 4, 11), None),
    "2015": ("Skype for Business Server 2015", datetime.date(2025, 10, 14), datetime.date(2026, 10, 31)),
    "2019": ("Skype for Business Server 2019", datetime.date(2025, 10, 14), datetime.date(2026, 10, 31)),
}


@dataclass(frozen=True)
class Announced:
    """Hold a forecast from a published date.

    at: the moment (UTC).
    severity, area, code, object, message, remedy: the keys of a finding.
    partners: the partners with which messages no longer pass.
    """

    at: datetime.datetime
    severity: str
    area: str
    code: str
    object: str
    message: str
    remedy: str
    partners: tuple[str, ...] = ()


def support_ended(
    deployment: str, releases: t.Iterable[str], today: datetime.date
) -> t.Iterator[tuple[str, str, str, str]]:
    """Return code, object, message and remedy for each release of a server whose support has ended."""
    for release in sorted(set(releases) & set(SUPPORT)):
        name, last, paid = SUPPORT[release]
        remedy = "plan the move to a supported product. Run sfb.xmpp.migration for a list of lost functions"
        if paid is not None and today > paid:
            text = "the support of %s ended on %s, and the paid security updates on %s"
            yield "updates_ended", deployment, text % (name, last, paid), remedy
        elif today > last:
            yield "support_ended", deployment, "the support of %s ended on %s" % (name, last), remedy


def support_days(releases: t.Iterable[str]) -> set[datetime.date]:
    """Return the days on which the result of support_ended() can change."""
    found = {day for release in set(releases) & set(SUPPORT) for day in SUPPORT[release][1:] if day is not None}
    return {day + datetime.timedelta(days=1) for day in found}


def lifetime_steps(
    servers: t.Mapping[str, Result], rule: RenewalRule, now: datetime.datetime, end: datetime.datetime
) -> t.Iterator[Announced]:
    """Return the next shorter lifetime of each public certificate of our servers, with the effect on the renewal.

    servers: results of xmpp_gateway_cert_info, by host.
    rule: the renewal rule of the settings.
    now, end: the horizon (UTC).
    """
    for host, one in _public(servers):
        lived = moment(one["not_after"]) - moment(one["not_before"])
        for day, most in LIFETIMES:
            at = midnight(day)
            if now < at <= end and lived > most * DAY:
                every = (due_at(at, at + most * DAY, rule) - at).days
                text = "from %s on, a public certificate is valid for %d days at most. This one is valid for %d days."
                text = "%s Its successors are due every %d days" % (text % (day, most, lived.days), every)
                if rule.days is not None and 2 * rule.days > most:
                    text += ". renew.days (%d) is more than half of the lifetime, so lifetime_share decides" % rule.days
                remedy = "run sfb.xmpp.certificate by a schedule. Renew it before %s to get a long lifetime again" % day
                yield Announced(at, "info", "certificate", "lifetime_step", _name(host, one), text, remedy)


def client_auth_ends(
    servers: t.Mapping[str, Result],
    entries: t.Iterable[Result],
    rows: t.Mapping[str, Row],
    now: datetime.datetime,
    end: datetime.datetime,
) -> t.Iterator[Announced]:
    """Return the public certificates for both purposes that expire soon. The successors will be for servers only.

    servers: results of xmpp_gateway_cert_info, by host.
    entries: the entries of xmpp_partner_probe_info.
    rows: the settings of the partners, by the domain in the entries.
    now, end: the horizon (UTC).
    """
    alone = tuple(sorted(domain for domain, row in rows.items() if row.methods == (SASL_OVER_TLS,)))
    text = "it is a public certificate that also allows client authentication. Its successor will be for servers only."
    text = (text + " From %s on, no CA issues certificates for both, and many have stopped already") % SERVERS_ONLY
    for host, one in _public(servers):
        at = moment(one["not_after"])
        if one["client_auth"] and "XmppServer" in one["usages"] and now < at <= end:
            remedy = "use a private CA that the partners trust. Or set sasl_negotiation to optional and"
            remedy += " support_dialback_negotiation to true for partners that require certificates"
            yield Announced(at, "warning", "certificate", "client_auth_ends", _name(host, one), text, remedy, alone)
    for entry in entries:
        found, row = entry.get("certificate") or {}, rows.get(entry["partner"] or "")
        if row is None or row.sasl == "not_supported" or not (found.get("public") and found.get("client_auth")):
            continue
        at = moment(found["not_after"])
        if now < at <= end:
            remedy = "ask the partner about the next certificate. Or set sasl_negotiation to optional and"
            remedy += " support_dialback_negotiation to true"
            hit = (entry["partner"],) if row.methods == (SASL_OVER_TLS,) else ()
            about = "" if entry["domain"] == entry["partner"] else entry["domain"] + ": "
            yield Announced(
                at, "warning", "partner", "client_auth_ends", entry["partner"], about + "its certificate: " + text,
                remedy, hit,
            )  # fmt: skip


def _public(servers: t.Mapping[str, Result]) -> t.Iterator[tuple[str, Result]]:
    for host, read in sorted(servers.items()):
        for one in read.get("certificates") or ():
            if one.get("public"):
                yield host, one


def _name(host: str, certificate: Result) -> str:
    usages = certificate["usages"]
    return certificate_name({"host": host, "usage": "XmppServer" if "XmppServer" in usages else usages[0]})


def midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
