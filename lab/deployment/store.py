# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Store the lab's complete state in one SQLite file, with readable functions for tests.

Managed objects are JSON documents. A document has a kind and a key. Keys are compared without case. Certificates,
files, assignments, grants, messages, events and faults have separate tables. Nothing is cached. So a test in another
process can read and change the state of a running lab.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import secrets
import sqlite3
import threading
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import LabError

FILE = "state.sqlite"

# Increase this number with every change to the tables or to the form of the tables' content.
_VERSION = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, folded TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, folded));
CREATE TABLE IF NOT EXISTS granted (
    id INTEGER PRIMARY KEY, user TEXT NOT NULL, policy TEXT, controller TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS granted_user ON granted (user);
CREATE TABLE IF NOT EXISTS certificate (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, store TEXT NOT NULL, thumbprint TEXT NOT NULL, der BLOB NOT NULL,
    key BLOB, key_readable INTEGER NOT NULL, friendly_name TEXT NOT NULL, UNIQUE (host, store, thumbprint));
CREATE TABLE IF NOT EXISTS assignment (
    host TEXT NOT NULL, usage TEXT NOT NULL, thumbprint TEXT NOT NULL, previous TEXT, at REAL NOT NULL,
    PRIMARY KEY (host, usage));
CREATE TABLE IF NOT EXISTS presented (
    host TEXT NOT NULL, usage TEXT NOT NULL, thumbprint TEXT NOT NULL, PRIMARY KEY (host, usage));
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, folded TEXT NOT NULL, path TEXT NOT NULL, content BLOB,
    at REAL NOT NULL, UNIQUE (host, folded));
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY, cmdlet TEXT NOT NULL, identity TEXT NOT NULL, host TEXT NOT NULL, action TEXT NOT NULL,
    moment TEXT NOT NULL, skip INTEGER NOT NULL, remaining INTEGER, seconds REAL NOT NULL, message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, kind TEXT NOT NULL, host TEXT NOT NULL,
    session TEXT NOT NULL, user TEXT NOT NULL, cmdlet TEXT NOT NULL, parameters TEXT NOT NULL, outcome TEXT NOT NULL,
    error TEXT NOT NULL, seconds REAL NOT NULL, assumptions TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turn (host TEXT NOT NULL, usage TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (host, usage));
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, direction TEXT NOT NULL, edge TEXT NOT NULL,
    sender TEXT NOT NULL, recipient TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS message_status ON message (status);
"""

# Tests change these settings with set_setting(). Numbers are seconds unless the comment has another unit.
DEFAULT_SETTINGS: dict[str, t.Any] = {
    "reported_forms": False,  # lists of one as a text, enumerations in properties as objects: see list-shapes
    "directory_lag": 5.0,  # until a change on one domain controller appears on the other
    "read_controller": "dc01.contoso.test",  # the domain controller that answers without -DomainController
    "replication_seconds": 2.0,  # until a change of the Central Management Store is on the replicas
    "replication_notice": 0.2,  # until the status shows that a replica is behind
    "status_empty_seconds": 1.0,  # after a push: half this time without a status, half with an empty status
    "only_tls12": False,  # the Edges have no TLS below 1.2
    "replicas_stuck": [],  # FQDNs that never become up to date
    "replicas_late": {},  # FQDN -> seconds instead of replication_seconds
    "stale_configuration": {},  # FQDN -> the replica's old configuration: replication.freeze()
    "server_version": None,  # version that the servers report, as in Get-CsService; None: of the profile
    "cmdlets_hidden": [],  # names or wildcards that the remote shells do not offer; HOST:NAME on one host only
    "enterprise_ca_delay": False,  # Request-CsCertificate -CA waits for approval until this is false again
    "clock_ahead": 0.0,  # Get-Date of the servers is ahead by this time
    "hide_dialback_passphrase": False,  # if false, Get-CsXmppGatewayConfiguration shows the secret in clear text
    "revoked_streams_stay": False,  # open streams of a removed partner continue until the proxy restarts
    "own_records": "published",  # SRV of the SIP domains: published, missing, elsewhere, or an Edge pool's FQDN
    "xmpp_nameserver": None,  # "ADDRESS:PORT" of the DNS server that the XMPP gateway asks; required for DNS
    "edge_network": {},  # of the Edges: a partner's address -> false, or its real ADDRESS:PORT: network.py
    "unreachable_seconds": 0.0,  # time of Test-NetConnection for an unreachable address; Windows takes 20 or more
    "one_statement": False,  # pipelines of several statements are refused as a whole
    "service_suffix": "",  # end of the names of the XMPP services; empty before the seed: a random suffix
    "services_at_doors": False,  # remote shells offer Start- and Stop-CsWindowsService too
    "clock_at_doors": False,  # remote shells offer Get-Date too
    "version_at_doors": True,  # remote shells offer Get-CsServerVersion, which its page calls local
    "real_size_users": False,  # users have the hundred properties, some 10 kB, that real users have
    "odd_forms": [],  # forms of objects: names of cmdlets/odd_forms.py
    "user_filters": True,  # Get-CsUser accepts -Filter
    "select_object": True,  # the endpoints offer Select-Object
    "restricted_select": ["management"],  # server roles that have the proxy of a restricted session
    "drain_seconds": 0.0,  # length of sessions: a service that is stopped gracefully is Paused for this time
    "drain_blocks": False,  # Stop-CsWindowsService -Graceful returns after the end of the sessions, also with -NoWait
    "request_seconds": 0.0,  # additional time of every HTTP request: the round trip of a distant server
    "open_seconds": 0.0,  # additional time to open a session
    "import_seconds": 0.0,  # additional time to import the product's module (WinRM)
    "hosts_down": {},  # host -> off, unavailable (its management shell answers 503), hangs (never answers)
    "lock_after": 0,  # number of refused logins in a row after which an account is locked; 0: never
    "route_at_restart": False,  # gateways use a changed XMPP route of a site after the restart of the gateway service
    "cmdlet_seconds": 0.0,  # additional time of every cmdlet
}

Document = dict[str, t.Any]


def service_status(service: Document) -> str:
    """Return the status of a document of the kind ``service``.

    A service that drains is Paused until the last session has ended, at the time ``Until``, or without limit.
    """
    drained = service["Status"] == "Paused" and service.get("Until", math.inf) <= time.time()
    return "Stopped" if drained else str(service["Status"])


@dataclass(frozen=True)
class Event:
    """Hold one event of the event log.

    time: ISO 8601 in UTC.
    kind: statement, session-open, session-close, login-refused, account-locked, xmpp (see gateway/events.py).
    parameters: without secrets: a secret is ``{"secret": true}``. Some values have a type: ``{"uint32": 5}``,
        ``{"bytes": LENGTH}``, ``{"hashtable": {...}}``.
    outcome: ok, error or whatif; for the XMPP gateway ok, refused or failed.
    seconds: the duration.
    assumptions: the assumptions behind the lab's answer (see assumptions.py).
    """

    id: int
    time: str
    kind: str
    host: str
    session: str
    user: str
    cmdlet: str
    parameters: dict[str, t.Any]
    outcome: str
    error: str
    seconds: float
    assumptions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Message:
    """Hold one instant message.

    time: ISO 8601 in UTC.
    direction: in or out.
    edge: the host that carried the message; empty before the delivery.
    status: delivered or refused (in); queued, sent or refused (out).
    reason: why the message was refused.
    """

    id: int
    time: str
    direction: str
    edge: str
    sender: str
    recipient: str
    body: str
    status: str
    reason: str


@dataclass(frozen=True)
class CertificateRow:
    """Hold a certificate in a Windows store (My, CA, Root) of a host.

    key: PKCS#8 in DER, or None.
    """

    host: str
    store: str
    thumbprint: str
    der: bytes
    key: bytes | None
    key_readable: bool
    friendly_name: str


def fold(text: str) -> str:
    """Return the form in which identities are compared."""
    return text.casefold()


def _stamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat(timespec="milliseconds")


class Store:
    """Store the state of one lab, thread-safe. Several processes can open the same directory at the same time."""

    def __init__(self, directory: Path) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / FILE
        # The file contains private keys, so only the owner can read the file. An existing file is not opened, because
        # a close releases the locks of every connection of this process to the file (POSIX), including SQLite's locks.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A crash of the process loses no data. A power failure can lose the state of the lab, which is acceptable.
        self._db.execute("PRAGMA synchronous=OFF")
        with self.transaction():
            self._take(path)
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)

    def _take(self, path: Path) -> None:
        """Mark a new file with this version. Raises LabError for a file of another version."""
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and version != _VERSION:
            raise LabError("%s is a file of another version of the lab. Remove the file" % path)
        self._db.execute("PRAGMA user_version=%d" % _VERSION)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def sql(self, statement: str, *arguments: t.Any) -> list[tuple[t.Any, ...]]:
        """Run one SQL statement and return the rows."""
        with self._lock:
            return self._db.execute(statement, arguments).fetchall()

    @contextlib.contextmanager
    def transaction(self, keep: bool = True) -> t.Iterator[None]:
        """Run a transaction, possibly nested. The changes are undone if the block raises, or if ``keep`` is false."""
        with self._lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT" if keep else "ROLLBACK")
            finally:
                self._depth = 0

    def clear(self) -> None:
        """Delete all data, including the event log. The numbers of events continue."""
        with self.transaction():
            for (name,) in self.sql("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"):
                self._db.execute("DELETE FROM %s" % name)

    # -- settings

    def setting(self, name: str) -> t.Any:
        rows = self.sql("SELECT value FROM setting WHERE name=?", name)
        return json.loads(rows[0][0]) if rows else DEFAULT_SETTINGS.get(name)

    def set_setting(self, name: str, value: t.Any) -> None:
        self.sql("INSERT OR REPLACE INTO setting VALUES (?,?)", name, json.dumps(value))

    # -- documents

    def get(self, kind: str, key: str) -> Document | None:
        rows = self.sql("SELECT body FROM document WHERE kind=? AND folded=?", kind, fold(key))
        return json.loads(rows[0][0]) if rows else None

    def all(self, kind: str) -> dict[str, Document]:
        """Return every document of a kind by key, in the order of creation."""
        rows = self.sql("SELECT key, body FROM document WHERE kind=? ORDER BY id", kind)
        return {key: json.loads(body) for key, body in rows}

    def put(self, kind: str, key: str, body: Document) -> None:
        """Create or replace a document. The key keeps the first spelling."""
        self.sql(
            "INSERT INTO document (kind, folded, key, body) VALUES (?,?,?,?) "
            "ON CONFLICT (kind, folded) DO UPDATE SET body=excluded.body",
            kind, fold(key), key, json.dumps(body),
        )  # fmt: skip

    def delete(self, kind: str, key: str) -> None:
        self.sql("DELETE FROM document WHERE kind=? AND folded=?", kind, fold(key))

    def spelling(self, kind: str, key: str) -> str | None:
        """Return the key in the first spelling, or None if the document does not exist."""
        rows = self.sql("SELECT key FROM document WHERE kind=? AND folded=?", kind, fold(key))
        return rows[0][0] if rows else None

    # -- grants: what each domain controller knows about a user's policy

    def grant(self, user: str, policy: str | None, controller: str, at: float | None = None) -> None:
        self.sql(
            "INSERT INTO granted (user, policy, controller, at) VALUES (?,?,?,?)",
            user, policy, fold(controller), time.time() if at is None else at,
        )  # fmt: skip

    def grants(self, controller: str | None = None) -> dict[str, str]:
        """Return the per-user policies by user DN, as a domain controller sees them (None: with all grants)."""
        horizon = time.time() - float(self.setting("directory_lag"))
        rows = self.sql("SELECT user, policy, controller, at FROM granted ORDER BY id")
        known: dict[str, str | None] = {}
        for user, policy, written_on, at in rows:
            if controller is None or written_on == fold(controller) or at <= horizon:
                known[user] = policy
        return {user: policy for user, policy in known.items() if policy is not None}

    # -- certificates and files of a host

    def certificates(self, host: str, store: str | None = None) -> list[CertificateRow]:
        rows = self.sql(
            "SELECT host, store, thumbprint, der, key, key_readable, friendly_name FROM certificate "
            "WHERE host=? AND (? IS NULL OR store=?) ORDER BY id",
            host, store, store,
        )  # fmt: skip
        return [CertificateRow(h, s, tp, der, key, bool(readable), name) for h, s, tp, der, key, readable, name in rows]

    def certificate(self, host: str, store: str, thumbprint: str) -> CertificateRow | None:
        return next((c for c in self.certificates(host, store) if fold(c.thumbprint) == fold(thumbprint)), None)

    def put_certificate(self, row: CertificateRow) -> None:
        """Add a certificate. An existing certificate keeps the private key if the new certificate has no key."""
        self.sql(
            "INSERT INTO certificate (host, store, thumbprint, der, key, key_readable, friendly_name) "
            "VALUES (?,?,?,?,?,?,?) ON CONFLICT (host, store, thumbprint) DO UPDATE SET "
            "key=COALESCE(excluded.key, key), friendly_name=excluded.friendly_name, "
            "key_readable=CASE WHEN excluded.key IS NULL THEN key_readable ELSE excluded.key_readable END",
            row.host, row.store, row.thumbprint, row.der, row.key, row.key_readable, row.friendly_name,
        )  # fmt: skip

    def delete_certificate(self, host: str, store: str, thumbprint: str) -> None:
        self.sql("DELETE FROM certificate WHERE host=? AND store=? AND thumbprint=?", host, store, thumbprint)

    def assign(self, host: str, usage: str, thumbprint: str) -> None:
        self.sql(
            "INSERT INTO assignment (host, usage, thumbprint, at) VALUES (?,?,?,?) ON CONFLICT (host, usage) "
            "DO UPDATE SET previous=thumbprint, thumbprint=excluded.thumbprint, at=excluded.at",
            host, usage, thumbprint, time.time(),
        )  # fmt: skip

    def unassign(self, host: str, usage: str) -> None:
        self.sql("DELETE FROM assignment WHERE host=? AND usage=?", host, usage)

    def assignments(self, host: str) -> dict[str, str]:
        """Return the thumbprints of the assigned certificates by usage."""
        return dict(self.sql("SELECT usage, thumbprint FROM assignment WHERE host=? ORDER BY rowid", host))

    def present(self, host: str, usage: str, thumbprint: str | None) -> None:
        self.sql("DELETE FROM presented WHERE host=? AND usage=?", host, usage)
        self.sql("INSERT OR REPLACE INTO turn VALUES (?,?,?)", host, usage, secrets.token_hex(8))
        if thumbprint is not None:
            self.sql("INSERT INTO presented VALUES (?,?,?)", host, usage, thumbprint)

    def turn(self, host: str, usage: str) -> str:
        """Return a value that changes at each start or stop of the service that presents this certificate."""
        rows = self.sql("SELECT at FROM turn WHERE host=? AND usage=?", host, usage)
        return str(rows[0][0]) if rows else ""

    def presented(self, host: str) -> dict[str, str]:
        """Return the thumbprints by usage that the running service presents: the assignments at its start."""
        return dict(self.sql("SELECT usage, thumbprint FROM presented WHERE host=? ORDER BY rowid", host))

    def put_file(self, host: str, path: str, content: bytes | None) -> None:
        """Write a file. With ``content=None``, create a directory."""
        self.sql(
            "INSERT INTO file (host, folded, path, content, at) VALUES (?,?,?,?,?) "
            "ON CONFLICT (host, folded) DO UPDATE SET content=excluded.content, at=excluded.at",
            host, fold(path), path, content, time.time(),
        )  # fmt: skip

    def delete_file(self, host: str, path: str) -> None:
        self.sql("DELETE FROM file WHERE host=? AND folded=?", host, fold(path))

    def tree(self, host: str) -> dict[str, bytes | None]:
        """Return every path of a host's file system with the content; None for directories."""
        return dict(self.sql("SELECT path, content FROM file WHERE host=? ORDER BY folded", host))

    # -- instant messages and contacts

    def send_message(self, sender: str, recipient: str, body: str) -> int:
        """Queue a message from a local user to a partner's user, for a running lab. Return the message's number."""
        return self.add_message("out", "", sender, recipient, body, "queued")

    def add_message(
        self, direction: str, edge: str, sender: str, recipient: str, body: str, status: str, reason: str = ""
    ) -> int:
        with self._lock:
            self.sql(
                "INSERT INTO message (time, direction, edge, sender, recipient, body, status, reason) "
                "VALUES (?,?,?,?,?,?,?,?)",
                _stamp(time.time()), direction, edge, sender, recipient, body, status, reason,
            )  # fmt: skip
            return int(self.sql("SELECT last_insert_rowid()")[0][0])

    def settle_message(self, id: int, edge: str, status: str, reason: str = "") -> None:
        """Store the outcome of a message."""
        self.sql("UPDATE message SET edge=?, status=?, reason=? WHERE id=?", edge, status, reason, id)

    def messages(self, since: int = 0, status: str | None = None) -> list[Message]:
        """Return the messages with a number above ``since`` (of one status), oldest first."""
        rows = self.sql(
            "SELECT id, time, direction, edge, sender, recipient, body, status, reason FROM message "
            "WHERE id>? AND (? IS NULL OR status=?) ORDER BY id",
            since, status, status,
        )  # fmt: skip
        return [Message(*row) for row in rows]

    def message(self, id: int) -> Message | None:
        found = self.messages(id - 1)
        return found[0] if found and found[0].id == id else None

    def add_contact(self, user: str, contact: str) -> None:
        """Add an address (without ``sip:``) to a local user's list of contacts."""
        self.put("contact", "%s %s" % (user, contact), {})

    def has_contact(self, user: str, contact: str) -> bool:
        return self.get("contact", "%s %s" % (user, contact)) is not None

    # -- for tests

    def partners(self) -> dict[str, Document]:
        """Return the properties of the allowed partners by domain."""
        return self.all("partner")

    def policies(self) -> dict[str, Document]:
        """Return the external access policies by identity (``Global``, ``Site:NAME``, ``Tag:NAME``)."""
        return self.all("policy")

    def users(self) -> dict[str, Document]:
        """Return the users by SIP address without ``sip:``. ExternalAccessPolicy is the granted policy, or None."""
        granted = self.grants()
        return {
            str(user["SipAddress"])[4:]: {**user, "ExternalAccessPolicy": granted.get(dn)}
            for dn, user in self.all("user").items()
        }

    def files(self, host: str) -> dict[str, bytes]:
        """Return the files on a host by path, without directories."""
        return {path: content for path, content in self.tree(host).items() if content is not None}

    def services(self, host: str) -> dict[str, str]:
        """Return the Windows services by name on the wire: ``Running``, ``Paused`` or ``Stopped``."""
        prefix = host + "/"
        return {v["Name"]: service_status(v) for k, v in self.all("service").items() if k.startswith(prefix)}

    def service_name(self, host: str, key: str) -> str:
        """Return the name on the wire of a service.

        key: the key of the service in the store.
        """
        return str((self.get("service", "%s/%s" % (host, key)) or {})["Name"])

    # -- events

    def log(
        self,
        kind: str,
        host: str,
        session: str,
        user: str,
        cmdlet: str = "",
        parameters: t.Mapping[str, t.Any] | None = None,
        outcome: str = "ok",
        error: str = "",
        started: float | None = None,
        assumptions: t.Sequence[str] = (),
    ) -> None:
        now = time.time()
        begin = now if started is None else started
        self.sql(
            "INSERT INTO event (time, kind, host, session, user, cmdlet, parameters, outcome, error, seconds, "
            "assumptions) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            _stamp(begin), kind, host, session, user, cmdlet, json.dumps(parameters or {}, ensure_ascii=False), outcome,
            error, round(now - begin, 6), json.dumps(assumptions),
        )  # fmt: skip

    def events(self, since: int = 0) -> list[Event]:
        """Return the events with a number above ``since``, oldest first."""
        columns = "id, time, kind, host, session, user, cmdlet, parameters, outcome, error, seconds, assumptions"
        rows = self.sql("SELECT %s FROM event WHERE id>? ORDER BY id" % columns, since)
        names = columns.split(", ")
        found = []
        for row in rows:
            read = {"parameters": json.loads(row[7]), "assumptions": json.loads(row[11])}
            found.append(Event(**{**dict(zip(names, row, strict=True)), **read}))
        return found

    def forget_old(self, kind: str, keep: int) -> None:
        """Delete all events of a kind, except for the last ``keep`` events."""
        self.sql(
            "DELETE FROM event WHERE kind=? AND id <= (SELECT id FROM event WHERE kind=? ORDER BY id DESC "
            "LIMIT 1 OFFSET ?)",
            kind, kind, keep,
        )  # fmt: skip
