# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the collection's forecast of events with messages after the events: ``python -m tools.what_if``.

Every event happens to every valid row of settings, with each kind of server. A run takes about twenty minutes, and
writes the page of the documentation. If a message contradicts a claim, the exit code is 1.
"""

from __future__ import annotations

import collections
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._probe.events import EVENTS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.options import ARGUMENT_SPEC
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.tasks import READ
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.what_if import OUTCOMES

from lab.deployment.gateway_pfx import FILE, PASSPHRASE
from lab.matrix import Row
from lab.partners.control import Partners
from lab.partners.servers import Kind
from lab.testing import Lab
from lab.what_if import BEFORE, CHANGES, VALID, Played, domain, play

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs" / "docsite" / "rst" / "lab_what_if.rst"
KINDS: tuple[Kind, ...] = ("prosody", "ejabberd")
TITLES = {"prosody": "Prosody", "ejabberd": "ejabberd"}
_WORDS = {"Required": "required", "Optional": "optional", "NotSupported": "not_supported"}
_CHOICE = "the partner chooses"


@dataclass(frozen=True)
class Cell:
    """Describe a message after an event, with the claim before the event."""

    played: Played
    claim: str
    text: str

    @property
    def right(self) -> bool:
        """Return whether the message agrees with the claim. ``unknown`` agrees with every message."""
        before, after = self.played.before, self.played.method
        usual = next((letter for letter in BEFORE[before].methods if letter in self.played.row.methods), "-")
        if self.claim == "unknown":
            return True
        if self.claim == "fails" or after == "-":
            return self.claim == "fails" and after == "-"
        if _CHOICE in self.text:
            return True
        return (after == usual) == (self.claim == "works")


def compare(
    directory: Path,
    kind: Kind,
    events: t.Sequence[str] = tuple(CHANGES),
    rows: t.Sequence[Row] = VALID,
    before: t.Sequence[str] = tuple(BEFORE),
) -> list[Cell]:
    """Probe, claim, let the event happen, and send messages. Raises LabError if packages are missing."""

    def look(lab: Lab, partners: Partners) -> dict[str, dict[str, t.Any]]:
        names = {domain(row, one): row for one in before if kind in BEFORE[one].kinds for row in rows}
        return _claims(lab, partners, names)

    claims, found = play(directory, kind, look, events, rows, before)
    return [_cell(one, claims[domain(one.row, one.before)][one.event]) for one in found]


def _cell(played: Played, claim: dict[str, t.Any]) -> Cell:
    """Return the result. If the directions differ, the claim has one sentence for each."""
    out, _both, in_ = claim["text"].partition("; messages from the partner: ")
    direction = played.outcome.direction
    return Cell(played, claim[direction], in_ if in_ and direction == "in" else out)


def _claims(lab: Lab, partners: Partners, rows: t.Mapping[str, Row]) -> dict[str, dict[str, t.Any]]:
    """Return the claims by domain and event, as the probe of an audit makes them."""
    given: dict[str, t.Any] = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    given |= {
        "from_domain": "contoso.test",
        "nameservers": [partners.nameserver],
        "trust_store": str(partners.root),
        "gateway_port": lab.xmpp_port,
        "certificate": {"path": str(lab.directory / FILE), "passphrase": PASSPHRASE},
        "workers": 8,
        "timeout": 20.0,
        "read": ["partners"],
        "what_if": True,
    }
    given["partners"] = [
        {
            "domain": name,
            "tls_negotiation": _WORDS[row.tls],
            "sasl_negotiation": _WORDS[row.sasl],
            "support_dialback_negotiation": row.dialback,
        }
        for name, row in rows.items()
    ]
    entries = READ.work(given, t.cast(t.Any, None), False).values["domains"]
    return {entry["domain"]: {one["event"]: one for one in entry["what_if"]} for entry in entries}


def page(cells: t.Sequence[Cell]) -> str:
    """Return a table for each kind of server: the claims about each event, and the number of contradictions."""
    tables = []
    for kind in dict.fromkeys(cell.played.kind for cell in cells):
        lines = []
        for event in EVENTS:
            own = [cell for cell in cells if (cell.played.kind, cell.played.event) == (kind, event)]
            if own:
                lines.append(_line(EVENTS[event].title, own))
        lines.append(_line("All", [cell for cell in cells if cell.played.kind == kind]))
        tables.append(_TABLE % (TITLES[kind], "-" * len(TITLES[kind]), "\n".join(lines)))
    unknown = sum(cell.claim == "unknown" for cell in cells)
    wrong = sum(not cell.right for cell in cells)
    return _PAGE % (len(cells), wrong, unknown, 100 * unknown / len(cells), "".join(tables))


def _line(title: str, cells: t.Sequence[Cell]) -> str:
    counted = collections.Counter(cell.claim for cell in cells)
    numbers = [*(counted[word] for word in OUTCOMES), sum(not cell.right for cell in cells)]
    return '   "%s", %s' % (title, ", ".join(map(str, numbers)))


_PAGE = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.lab_what_if:

What-if claims
==============

This page shows how often the what-if table of ``sfb.xmpp.audit`` and ``sfb.xmpp.explain`` is right. ``make what-if``
makes this page. First the partners are probed. The table then gives an outcome for each partner and event. Then the
event happens: the partner's server restarts with other settings, another certificate or another SRV record, or the
gateway presents another certificate. A message is sent in each direction.


%d messages were compared. %d messages contradict the outcome. For %d messages, the outcome is *unknown* (%.0f %%).

The servers are Prosody and ejabberd. The gateway belongs to the lab, and follows Microsoft's table of negotiation
settings. The page does not show how a Lync Server or Skype for Business Server behaves. Each of the 13 rows with a
method has its own domain on each server. ejabberd has no option to switch SASL EXTERNAL off. Before an event, a
server has one of these kinds:

* *lenient*: accepts all methods
* *strict*: accepts only certificates
* *plain*: no TLS
* *insisting*: accepts dialback only from a server with a valid certificate (Prosody only)

Each number counts messages, in both directions. *Wrong* counts messages that contradict the outcome.

%s"""

_TABLE = """
%s
%s

.. csv-table::
   :header: "Event", "Works", "Otherwise", "Unknown", "Fails", "Wrong"
   :widths: auto

%s
"""


def main() -> int:
    cells: list[Cell] = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="sfb.") as directory:
            cells += compare(Path(directory), kind)
    for cell in cells:
        if not cell.right:
            one = cell.played
            told = (one.kind, one.before, one.row.number, one.event, one.outcome.direction, cell.claim, one.method)
            print("wrong: %s, %s, row %d, %s, %s: claimed %s, seen %s" % told)
    text = page(cells)
    PAGE.write_text(text, encoding="utf-8")
    print(text, end="")
    return int(not all(cell.right for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
