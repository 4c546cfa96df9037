# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events of a federation, made to happen: a real server or the gateway changes, and a message is sent each way.

Every row of the negotiation matrix that leads anywhere has a domain of its own on each server. What is claimed about
an event before it happens can be compared with what the messages do afterwards.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from .deployment.authority import BOTH_WAYS, Authority, common_name, rsa_key
from .deployment.gateway_pfx import NAMES
from .deployment.public_ca import public_authority
from .deployment.ready import USER, gateway_certificate, make_ready, present
from .deployment.seed import ACCESS_EDGE
from .deployment.store import Store
from .matrix import MANNERS, ROWS, Manner, Row, settings_of
from .partners import processes
from .partners.control import Partners, start, stop
from .partners.servers import Kind, Partner
from .partners.zone import Service
from .talk import Outcome, talk, unanswered
from .testing import Lab, running_lab

# What the servers are like before an event: with all methods, with certificates alone, without TLS, with TLS 1.0 alone,
# and with dialback that they accept from no server without a valid certificate.
BEFORE: dict[str, Manner] = {
    **{name: MANNERS[name] for name in ("lenient", "strict", "plain", "old")},
    "insisting": Manner({"tls": "required", "dialback": True, "insists": True}, "ST", kinds=("prosody",)),
}
_LIFETIME = datetime.timedelta(days=90)
T = t.TypeVar("T")


@dataclass(frozen=True)
class Change:
    """What happens.

    settings: of the partner's server. certificate: the kind of the partner's new one. records: what becomes of its SRV
    record. down: whether its server ends. own: the kind of the gateway's new certificate. only_tls12: on the Edges.
    kinds: the servers that can be so.
    """

    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    certificate: str = "good"
    records: t.Literal["stay", "moved", "removed"] = "stay"
    down: bool = False
    own: t.Literal["good", "serveronly", "unknownca", "expired"] = "good"
    only_tls12: bool = False
    kinds: tuple[Kind, ...] = ("prosody", "ejabberd")


CHANGES: dict[str, Change] = {
    "partner_server_only": Change(certificate="serveronly"),
    "partner_expired": Change(certificate="expired"),
    "partner_name_missing": Change(certificate="wrongname"),
    "partner_own_ca": Change(certificate="unknownca"),
    "partner_tls13_only": Change({"new_tls": True}),
    "partner_no_tls": Change({"tls": "none"}),
    "partner_no_dialback": Change({"dialback": False}),
    "partner_no_external": Change({"external": False}, kinds=("prosody",)),
    "partner_srv_moved": Change(records="moved", kinds=("prosody", "ejabberd", "jabberd2")),
    "partner_srv_removed": Change(records="removed"),
    "partner_down": Change(down=True),
    "own_server_only": Change(own="serveronly"),
    "own_untrusted": Change(own="unknownca"),
    "own_expired": Change(own="expired"),
    "own_tls12_only": Change(only_tls12=True, kinds=("prosody", "ejabberd", "jabberd2")),
}
VALID = tuple(row for row in ROWS if row.methods)


@dataclass(frozen=True)
class Played:
    """What became of one message after an event. event: '' before any. method: a letter of talk.METHODS, - for none."""

    event: str
    kind: Kind
    before: str
    row: Row
    outcome: Outcome

    @property
    def method(self) -> str:
        return self.outcome.method if self.outcome.arrived else "-"


def domain(row: Row, before: str) -> str:
    return "row%02d.%s.example" % (row.number, before)


def play(
    directory: Path,
    kind: Kind,
    look: t.Callable[[Lab, Partners], T],
    events: t.Sequence[str] = tuple(CHANGES),
    rows: t.Sequence[Row] = VALID,
    before: t.Sequence[str] = tuple(BEFORE),
) -> tuple[T, list[Played]]:
    """What was seen before anything happened, and every message after each event.

    look: called once, while everything is as usual. kind: of jabberd2 one row at a time, since all of its domains share
    one stream. Raises LabError where the packages are missing.
    """
    found: list[Played] = []
    before = [one for one in before if kind in BEFORE[one].kinds]
    servers = {
        one: Partner(one, kind, "127.0.0.%d" % (100 + number), {domain(row, one): "good" for row in rows})
        for number, one in enumerate(before)
    }
    with running_lab(directory) as lab:
        store = lab.store()
        make_ready(store)
        for one in before:
            for row in rows:
                store.put("partner", domain(row, one), settings_of(row))
        usual = {one: BEFORE[one].settings for one in before}
        partners = start(lab.directory, lab.xmpp_port, servers, usual, servers)
        try:
            records = dict(partners.records)
            seen = look(lab, partners)
            for event in events:
                change = CHANGES[event]
                if kind not in change.kinds:
                    continue
                _happen(store, partners, change, usual, records)
                found += _messages(store, partners, event, kind, before, rows)
        finally:
            stop(lab.directory)
    return seen, found


def _happen(
    store: Store,
    partners: Partners,
    change: Change,
    usual: t.Mapping[str, t.Mapping[str, t.Any]],
    records: t.Mapping[str, tuple[Service, ...]],
) -> None:
    """Everything is as usual, but for the change. Servers start again, so that no stream from before is left."""
    present(store, *_own_certificate(store.directory, change.own))
    store.set_setting("only_tls12", change.only_tls12)
    names = [name for server in partners.servers.values() for name in server.domains]
    published = {name: records[name] for name in names}
    if change.records == "removed":
        published = dict.fromkeys(names, ())
    elif change.records == "moved":
        published = {
            name: tuple(Service("moved." + one.target, one.port, one.addresses) for one in services)
            for name, services in published.items()
        }
    if published != {name: partners.records[name] for name in names}:
        partners.publish(published)
    for name, settings in usual.items():
        plain = {"new_tls": False, "external": True, **settings}
        partners.restart(name, certificates=change.certificate, **{**plain, **_possible(plain, change.settings)})
        if change.down:
            processes.end(partners.folder / name)


def _possible(plain: t.Mapping[str, t.Any], settings: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """A server without TLS has no version of it either."""
    return {} if plain["tls"] == "none" and "new_tls" in settings else settings


def _own_certificate(directory: Path, kind: str) -> tuple[x509.Certificate, bytes, list[x509.Certificate]]:
    if kind == "good":
        return gateway_certificate(directory)
    issuer, chain = public_authority(directory)
    if kind == "unknownca":
        issuer = Authority(common_name("Internal CA of Contoso"), rsa_key(), _LIFETIME)
        chain = (issuer.certificate,)
    key = rsa_key()
    certificate = issuer.issue(
        common_name(ACCESS_EDGE),
        key,
        [x509.DNSName(name) for name in NAMES],
        _LIFETIME,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH] if kind == "serveronly" else BOTH_WAYS,
        age=_LIFETIME + datetime.timedelta(days=10) if kind == "expired" else datetime.timedelta(0),
    )
    der = serialization.Encoding.DER
    secret = key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate, secret, list(chain)


def _messages(
    store: Store, partners: Partners, event: str, kind: Kind, before: t.Sequence[str], rows: t.Sequence[Row]
) -> list[Played]:
    cells = [(one, row) for one in before for row in rows]
    with concurrent.futures.ThreadPoolExecutor(len(cells)) as pool:
        futures = [pool.submit(_both_ways, store, partners, domain(row, one), event) for one, row in cells]
        return [
            Played(event, kind, one, row, outcome)
            for (one, row), future in zip(cells, futures, strict=True)
            for outcome in future.result()
        ]


def _both_ways(store: Store, partners: Partners, name: str, event: str) -> tuple[Outcome, ...]:
    if CHANGES[event].down:  # nobody there can log in, and so nobody writes either
        return unanswered(store, USER, "romeo@" + name), Outcome("in", "", "-", False, "the server is down")
    return talk(store, partners, USER, "romeo@" + name)
