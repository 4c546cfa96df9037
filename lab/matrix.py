# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The negotiation matrix as real handshakes: each of the 18 rows with each kind of partner, in both directions.

``python -m lab matrix`` starts a lab and its partners, gives every row a domain of its own on each partner's server,
sends a message each way, and prints by which method the stream was authenticated. The rows that the product's page
calls invalid are written straight into the store, as another tool might.
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
from .partners.servers import Partner
from .talk import METHODS, Outcome, talk
from .testing import running_lab

Kind = t.Literal["prosody", "ejabberd"]
KINDS: tuple[Kind, ...] = ("prosody", "ejabberd")

# What a partner is like, and by which methods it can be had, the one that it prefers first: strict knows certificates
# only; lenient encrypts where it can and falls back to dialback; plain has no TLS.
MANNERS: dict[str, tuple[dict[str, t.Any], str]] = {
    "strict": ({"tls": "required", "dialback": False}, "S"),
    "lenient": ({"tls": "optional", "dialback": True}, "STC"),
    "plain": ({"tls": "none", "dialback": True}, "C"),
}


@dataclass(frozen=True)
class Row:
    """A partner's negotiation settings, in the words of the product's page, and the methods that it lists for them."""

    number: int
    sasl: str
    tls: str
    dialback: bool
    methods: str

    def expected(self, manner: str) -> str:
        """The method by which a stream has to come about with such a partner, as a letter; - for none."""
        return next((letter for letter in MANNERS[manner][1] if letter in self.methods), "-")


_LETTERS = {method: letter for letter, method in METHODS.items()}
ROWS = tuple(
    Row(number, row.sasl, row.tls, row.dialback, "".join(_LETTERS[method] for method in methods))
    for number, (row, methods) in enumerate(TABLE.items(), 1)
)


@dataclass(frozen=True)
class Seen:
    """What became of one message of one combination."""

    row: Row
    kind: str
    manner: str
    outcome: Outcome

    @property
    def expected(self) -> str:
        return self.row.expected(self.manner)

    @property
    def right(self) -> bool:
        return self.outcome.is_as(self.expected) and self.outcome.method == self.expected


def run(directory: Path, kind: Kind) -> list[Seen]:
    """Every row with one kind of server, in a lab of its own below ``directory``.

    Raises LabError where the packages are missing.
    """
    found: list[Seen] = []
    servers = {
        manner: Partner(manner, kind, "127.0.0.%d" % address, {_domain(row, manner): "good" for row in ROWS})
        for address, manner in enumerate(MANNERS, 41)
    }
    changes = {manner: settings for manner, (settings, _methods) in MANNERS.items()}
    with running_lab(directory) as lab:
        store = lab.store()
        make_ready(store)
        for row, manner in itertools.product(ROWS, MANNERS):
            store.put("partner", _domain(row, manner), _settings(row))
        partners = start(lab.directory, lab.xmpp_port, servers, changes, servers)
        try:
            with concurrent.futures.ThreadPoolExecutor(len(ROWS) * len(MANNERS)) as pool:
                tried = {
                    (row, manner): pool.submit(talk, store, partners, USER, "romeo@" + _domain(row, manner))
                    for row, manner in itertools.product(ROWS, MANNERS)
                }
                for (row, manner), future in tried.items():
                    found += [Seen(row, kind, manner, outcome) for outcome in future.result()]
        finally:
            stop(lab.directory)
    return found


def _domain(row: Row, manner: str) -> str:
    return "row%02d.%s.example" % (row.number, manner)


def _settings(row: Row) -> dict[str, t.Any]:
    return {
        **DEFAULTS,
        "PartnerType": "Federated",
        "TlsNegotiation": row.tls,
        "SaslNegotiation": row.sasl,
        "SupportDialbackNegotiation": row.dialback,
    }


def page(found: t.Sequence[Seen]) -> str:
    """The results as a page of the documentation, a line for each row of the matrix.

    What is not as expected shows what was expected instead.
    """
    cells = {(one.row, one.kind, one.manner, one.outcome.direction): one for one in found}
    columns = list(dict.fromkeys((one.kind, one.manner, one.outcome.direction) for one in found))
    lines = [["Row", "TLS", "SASL", "Dialback", *("%s, %s, %s" % column for column in columns)]]
    for row in ROWS:
        seen = [_cell(cells[(row, kind, manner, direction)]) for kind, manner, direction in columns]
        lines.append([str(row.number), row.tls, row.sasl, "on" if row.dialback else "off", *seen])
    total = "%d messages, %d not as expected." % (len(found), sum(not one.right for one in found))
    return _PAGE % (total, "\n".join("   " + ", ".join('"%s"' % cell for cell in line) for line in lines))


_PAGE = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.lab_matrix:

Negotiation matrix
==================

Which settings of a partner lead to which way of authentication, as seen between the lab's gateway and real servers.
Made by ``make matrix``: every row of Microsoft's table of negotiation settings has a domain of its own on each server,
and a message is sent each way.

The gateway is the lab's: it follows Microsoft's table. So the page shows that real servers agree with the table, and
what each of them makes of a row; it does not show what a real Lync Server or Skype for Business Server does.

* ``S``: SASL EXTERNAL, by certificates, over TLS
* ``T``: dialback over TLS
* ``C``: dialback over clear TCP
* ``-``: no stream, and no message

*Strict* partners take valid certificates over TLS and nothing else. *Lenient* ones encrypt where they can and accept
dialback. *Plain* ones have no TLS. *In* is a message from the partner's user to a local one, *out* the other way. Rows
6, 12, 14, 16 and 18 are those that the collection refuses to write; they were written into the lab's store by hand.

A cell shows the method that was seen. It is the one that the table and the kind of partner let expect, unless the cell
names another.

%s

.. csv-table::
   :header-rows: 1
   :widths: auto

%s
"""


def _cell(one: Seen) -> str:
    if one.right:
        return one.outcome.method
    lost = "" if one.outcome.arrived or one.outcome.method == "-" else ", lost"
    return "%s%s (expected %s)" % (one.outcome.method, lost, one.expected)
