# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Try the negotiation matrix with real handshakes: each of the 18 rows with each kind of partner, in both directions.

``python -m lab matrix`` starts a lab and its partners. Every row has a separate domain on each partner's server. A
message is sent in each direction, and the output shows the method of authentication. The collection's verdicts on the
same partners are compared with the messages. The collection refuses the rows that the product's page calls invalid. So
these rows are written directly into the store, and have no verdict.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .cmdlets.partners import DEFAULTS
from .deployment.ready import USER, make_ready
from .gateway.negotiation import TABLE
from .partners.control import start, stop
from .partners.servers import Kind, Partner
from .talk import METHODS, Outcome, talk
from .testing import running_lab
from .verdicts import Verdict, ask

KINDS: tuple[Kind, ...] = ("prosody", "ejabberd", "jabberd2", "wokkel")
# These two servers support all methods: TLS or none, SASL or none, dialback or none.
USUAL: tuple[Kind, ...] = ("prosody", "ejabberd")


@dataclass(frozen=True)
class Manner:
    """Hold the behavior of a partner.

    settings: the settings of the partner's server.
    methods: letters of the methods that can authenticate a stream, the preferred method first.
    certificate: the kind of the partner's certificates.
    kinds: the servers that support this behavior.
    ignores: methods that the server does not answer, so that a probe cannot know the result.
    """

    settings: t.Mapping[str, t.Any]
    methods: str
    certificate: str = "good"
    kinds: tuple[Kind, ...] = USUAL
    ignores: str = ""


MANNERS: dict[str, Manner] = {
    "strict": Manner({"tls": "required", "dialback": False}, "S"),
    "lenient": Manner({"tls": "optional", "dialback": True}, "STC"),
    "expired": Manner({"tls": "optional", "dialback": True}, "TC", certificate="expired"),
    "plain": Manner({"tls": "none", "dialback": True}, "C", kinds=KINDS),
    "demanding": Manner({"tls": "optional", "dialback": True, "demands": True}, "STC", kinds=("prosody",)),
    "old": Manner({"tls": "optional", "dialback": True, "old_tls": True}, "TC", kinds=("jabberd2",)),
    "mutual": Manner({"tls": "required", "dialback": True, "demands": True}, "T", kinds=("jabberd2",), ignores="C"),
}


def manners(kind: Kind) -> tuple[str, ...]:
    return tuple(name for name, manner in MANNERS.items() if kind in manner.kinds)


@dataclass(frozen=True)
class Row:
    """Hold a partner's negotiation settings, with the names and methods of the product's page."""

    number: int
    sasl: str
    tls: str
    dialback: bool
    methods: str

    def expected(self, manner: str) -> str:
        """Return the letter of the expected method of authentication with this partner; - for no method."""
        return next((letter for letter in MANNERS[manner].methods if letter in self.methods), "-")


_LETTERS = {method: letter for letter, method in METHODS.items()}
ROWS = tuple(
    Row(number, row.sasl, row.tls, row.dialback, "".join(_LETTERS[method] for method in methods))
    for number, (row, methods) in enumerate(TABLE.items(), 1)
)


@dataclass(frozen=True)
class Seen:
    """Hold the result of one message of one combination.

    verdict: the verdict of the collection; None if the collection was not asked.
    """

    row: Row
    kind: str
    manner: str
    outcome: Outcome
    verdict: Verdict | None = None

    @property
    def expected(self) -> str:
        return self.row.expected(self.manner)

    @property
    def as_expected(self) -> bool:
        return self.outcome.is_as(self.expected) and self.outcome.method == self.expected

    @property
    def knowable(self) -> bool:
        """Return whether the probe with the certificate can know the answer."""
        return not set(self.row.methods) <= set(MANNERS[self.manner].ignores)

    @property
    def contradictions(self) -> list[str]:
        """Return the verdicts that the message contradicts. Include unknown if the result can be known."""
        if self.verdict is None:
            return []
        found = self.verdict.contradictions(self.outcome.direction, self.outcome.arrived)
        return ["verify: unknown", *found] if self.verdict.probe == "unknown" and self.knowable else found

    @property
    def right(self) -> bool:
        return self.as_expected and not self.contradictions


def run(directory: Path, kind: Kind, judged: t.Collection[Row] = (), tried_rows: t.Sequence[Row] = ROWS) -> list[Seen]:
    """Send messages for rows with one kind of server, in a new lab below ``directory``.

    ``judged``: rows with verdicts of the collection. Invalid rows are skipped.
    ``tried_rows``: rows with messages. ``tried_rows`` include ``judged``.
    Raises LabError if packages are missing.
    """
    found: list[Seen] = []
    rows = {_domain(row, manner): row for row in judged if row.methods for manner in manners(kind)}
    combinations = list(itertools.product(tried_rows, manners(kind)))
    servers = {one.name: one for one in _servers(kind, tried_rows)}
    changes = {name: MANNERS[name.partition("-")[0]].settings for name in servers}
    with running_lab(directory) as lab:
        store = lab.store()
        make_ready(store)
        for row, manner in combinations:
            store.put("partner", _domain(row, manner), settings_of(row))
        partners = start(lab.directory, lab.xmpp_port, servers, changes, servers)
        try:
            verdicts = ask(lab, partners, rows) if rows else {}
            with concurrent.futures.ThreadPoolExecutor(len(combinations)) as pool:
                tried = {
                    (row, manner): pool.submit(talk, store, partners, USER, "romeo@" + _domain(row, manner))
                    for row, manner in combinations
                }
                for (row, manner), future in tried.items():
                    verdict = verdicts.get(_domain(row, manner))
                    found += [Seen(row, kind, manner, outcome, verdict) for outcome in future.result()]
        finally:
            stop(lab.directory)
    return found


def _servers(kind: Kind, rows: t.Sequence[Row]) -> t.Iterator[Partner]:
    """Return one server for each behavior. All domains of jabberd2 share a stream, so each row has one jabberd2."""
    shares = [[row] for row in rows] if kind == "jabberd2" else [rows]
    for number, (manner, share) in enumerate(itertools.product(manners(kind), shares)):
        name = "%s-%d" % (manner, share[0].number)
        domains = {_domain(row, manner): MANNERS[manner].certificate for row in share}
        yield Partner(name, kind, "127.0.0.%d" % (100 + number), domains)


def _domain(row: Row, manner: str) -> str:
    return "row%02d.%s.example" % (row.number, manner)


def settings_of(row: Row) -> dict[str, t.Any]:
    """Return the settings that the store has for a partner with this row."""
    return {
        **DEFAULTS,
        "PartnerType": "Federated",
        "TlsNegotiation": row.tls,
        "SaslNegotiation": row.sasl,
        "SupportDialbackNegotiation": row.dialback,
    }


def page(found: t.Sequence[Seen]) -> str:
    """Return the results as a page of the documentation: one table per kind of server, one line per row of the matrix.

    An unexpected result also shows the expected result.
    """
    judged = [one for one in found if one.verdict is not None]
    total = "%d messages, %d not as expected. For %d messages the verdicts were compared, %d do not agree." % (
        len(found),
        sum(not one.as_expected for one in found),
        len(judged),
        sum(bool(one.contradictions) for one in judged),
    )
    kinds = dict.fromkeys(one.kind for one in found)
    return _PAGE % (total, "".join(_table(kind, [one for one in found if one.kind == kind]) for kind in kinds))


def _table(kind: str, found: t.Sequence[Seen]) -> str:
    cells = {(one.row, one.manner, one.outcome.direction): one for one in found}
    ways = dict.fromkeys(one.outcome.direction for one in found)
    names = dict.fromkeys(one.manner for one in found)
    heads = ["%s, %s" % (name, what) for name in names for what in (*ways, "verify")]
    lines = [["Row", "TLS", "SASL", "Dialback", *heads]]
    for row in ROWS:
        line = [str(row.number), row.tls, row.sasl, "on" if row.dialback else "off"]
        for name in names:
            seen = [cells[(row, name, way)] for way in ways]
            line += [*map(_cell, seen), _told(seen)]
        lines.append(line)
    title = {"prosody": "Prosody"}.get(kind, kind)
    return _TABLE % (
        title,
        "-" * len(title),
        "\n".join("   " + ", ".join('"%s"' % cell for cell in line) for line in lines),
    )


def _told(seen: t.Sequence[Seen]) -> str:
    """Return the verdict with the certificate, and all verdicts that the messages contradict."""
    verdict = seen[0].verdict
    against = dict.fromkeys(text for one in seen for text in one.contradictions)
    return "" if verdict is None else "; ".join([verdict.probe, *against])


_PAGE = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.lab_matrix:

Negotiation matrix
==================

This page shows which settings of a partner lead to which method of authentication. ``make matrix`` makes this page.
Every row of Microsoft's table of negotiation settings has its own domain on each server. A message is sent in each
direction. The verdicts of ``sfb.xmpp.verify`` and ``sfb.xmpp.explain`` are compared with the messages.

The gateway belongs to the lab, and follows Microsoft's table. The servers are real software. The page shows how these
servers behave with each row of the table. The page does not show how a Lync Server or Skype for Business Server
behaves.

The letters in the tables are the methods:

* ``S``: SASL EXTERNAL, by certificates, over TLS
* ``T``: dialback over TLS
* ``C``: dialback over clear TCP
* ``-``: no stream, and no message

These are the kinds of partners:

* *strict*: accepts only valid certificates over TLS
* *lenient*: encrypts if possible, and accepts dialback
* *expired*: lenient, with an expired certificate
* *plain*: no TLS
* *demanding*: lenient, but ends a TLS handshake without a client certificate (not possible with ejabberd)
* *old*: TLS 1.0 only
* *mutual*: requires TLS, ends a TLS handshake without a client certificate, and then relies on dialback

jabberd2 has no SASL between servers. Without TLS, it uses the stream header of RFC 3920, without version and domains.
wokkel is a library with its own dialback. wokkel has neither TLS nor SASL between servers.

*In* is a message from the partner's user to a local user. *Out* is a message in the other direction. The collection
refuses to write rows 6, 12, 14, 16 and 18. The test writes these rows into the lab's store directly. These rows have
no verdict.

A cell shows the method that was seen. If the table and the kind of partner lead to another method, the cell also
shows the expected method. *Verify* is the verdict of a probe with the gateway's certificate. Warnings count as
``ok``. The test also compares a probe without the certificate, and explain. If a message contradicts one of these
three verdicts, the cell shows the contradiction. *Mutual* partners announce dialback without TLS, but do not answer
dialback. So a probe cannot know whether rows 5, 11 and 17 work.


%s
%s"""

_TABLE = """
%s
%s

.. csv-table::
   :header-rows: 1
   :widths: auto

%s
"""


def _cell(one: Seen) -> str:
    if one.as_expected:
        return one.outcome.method
    lost = "" if one.outcome.arrived or one.outcome.method == "-" else ", lost"
    return "%s%s (expected %s)" % (one.outcome.method, lost, one.expected)
