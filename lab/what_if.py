# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate events of a federation: change a partner's server or the gateway, and send a message each way.

Every valid row of the negotiation matrix has a separate domain on each server. Tests compare the forecast of an event
with the messages after the event.
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

# The servers before an event are of five kinds: all methods, only certificates, no TLS, TLS 1.0 only, and dialback only
# with a valid certificate.
BEFORE: dict[str, Manner] = {
    **{name: MANNERS[name] for name in ("lenient", "strict", "plain", "old")},
    "insisting": Manner({"tls": "required", "dialback": True, "insists": True}, "ST", kinds=("prosody",)),
}
_LIFETIME = datetime.timedelta(days=90)
T = t.TypeVar("T")


@dataclass(frozen=True)
class Change:
    """Hold the changes of an event.

    settings: the settings of the partner's server.
    certificate: the kind of the partner's new certificate.
    records: the change to the partner's SRV record.
    down: whether the partner's server ends.
    own: the kind of the gateway's new certificate.
    only_tls12: whether the Edges have only TLS 1.2.
    kinds: the servers that support the event.
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
    """Hold one message after an event.

    event: '' before all events.
    method: a letter of talk.METHODS, or - for no method.
    """

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
    """Return the observation before all events, and the messages after each event.

    look: a function for the observation, called once before all events.
    kind: the kind of server. All domains of jabberd2 share one stream, so jabberd2 gets one row at a time.
    Raises LabError if packages are missing.
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
    """Restore the normal state, with one change. Servers restart, so that no old stream remains."""
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
    """Return the settings that the server supports. A server without TLS has no TLS version."""
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
    if CHANGES[event].down:  # Users of a server that is down cannot log in, so these users send nothing.
        return unanswered(store, USER, "romeo@" + name), Outcome("in", "", "-", False, "the server is down")
    return talk(store, partners, USER, "romeo@" + name)
