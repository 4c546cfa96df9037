# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of all pairs, as lines of a terminal and as a page of the documentation."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tests.explore.trial import Tally


@dataclass(frozen=True)
class Row:
    """One pair and one kind of scenario. scenarios: how many; with faults, one for each fault at each request.

    most: switches between the runs that were tried; None: any number.
    """

    names: tuple[str, str]
    shared: bool
    kind: str
    scenarios: int
    tally: Tally
    most: int | None

    def cells(self) -> list[str]:
        tally = self.tally
        covered = "all" if tally.complete else "at most %d switch%s" % (self.most or 0, "" if self.most == 1 else "es")
        return [
            " and ".join(self.names),
            "one" if self.shared else "two",
            self.kind if self.scenarios == 1 else "%s (%d)" % (self.kind, self.scenarios),
            "{:,}".format(tally.orders),
            "{:,}".format(tally.all_orders),
            covered,
            "{:,}".format(tally.carried_out),
            "{:,}".format(tally.wrong),
            "{:,}".format(tally.left),
        ]

    def __str__(self) -> str:
        pair, controllers, kind, orders, there_are, covered, carried_out, wrong, left = self.cells()
        text = "%s, %s controller%s, %s: %s of %s schedules (%s; %s carried out), %s wrong, %s left by a kill"
        plural = "" if self.shared else "s"
        return text % (pair, controllers, plural, kind, orders, there_are, covered, carried_out, wrong, left)


_HEAD = (
    "Two runs",
    "Controllers",
    "Scenario",
    "Covered",
    "Schedules",
    "Which",
    "Carried out",
    "Wrong",
    "Left by a kill",
)


def page(rows: t.Sequence[Row]) -> str:
    """The page."""
    whole = [row for row in rows if row.kind != STATEMENTS]
    inside = [row for row in rows if row.kind == STATEMENTS]
    numbers = (
        sum(row.tally.orders for row in whole),
        sum(row.tally.carried_out for row in whole),
        sum(row.tally.wrong for row in whole),
    )
    total = "%s schedules are covered. %s schedules were carried out. %s schedules are wrong." % tuple(
        map("{:,}".format, numbers)
    )
    bounded = [row for row in whole if not row.tally.complete]
    if bounded:
        pairs = dict.fromkeys(" and ".join(row.names) for row in bounded)
        total += " For these pairs, not all schedules are covered: %s." % ", ".join(pairs)
    remains = "%s of %s" % tuple(
        "{:,}".format(sum(n)) for n in zip(*((r.tally.wrong, r.tally.all_orders) for r in inside), strict=True)
    )
    return _PAGE % {
        "total": total,
        "rows": _csv([_HEAD, *(row.cells() for row in whole)]),
        "inside": _csv([_HEAD[:-1], *(row.cells()[:-1] for row in inside)]),
        "remains": remains,
    }


def _csv(rows: t.Sequence[t.Sequence[str]]) -> str:
    return "\n".join("   " + ", ".join('"%s"' % cell for cell in row) for row in rows)


STATEMENTS = "stops at statements"
_PAGE = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.schedules:

Two runs at the same time
=========================

Two administrators start runs at the same time. A schedule is one order in which the requests of both runs reach the
server. ``make explore`` runs each pair below in every schedule, against a deployment in memory, and writes this page.

%(total)s

The runs are a converge, a restore, a revocation, and the switch of the certificate on one Edge. One converge takes a
right from a policy without users, while the other run grants this policy. Both runs change the same partner.

At the end of each schedule:

* If a user has lost a right that no run was allowed to take, a run names this user in a failure or a warning.
* No run has overwritten a change of the other run without a message.
* If both runs end without a message, the result is the same as after the two runs, one after the other.
* Steps with the result ``done`` were carried out. Steps with the result ``not_sent`` were not carried out.
* In every tenth schedule, the first run is repeated twice. The first repetition finishes the run. The second
  repetition changes nothing.

Number of schedules
-------------------

On one controller, the runs share a lock. The second run waits for the lock. A revocation does not wait. Two
controllers share no lock. The switch of a certificate takes no lock, so the table shows the switch for two
controllers only.

If schedules differ only in the order of independent requests, they have the same result. One of these schedules is
carried out. The other schedules count as covered. If a scenario has too many schedules, only schedules with few
switches between the two runs are carried out.

In scenarios with one fault, the answer to one request is lost, the session is lost before a request, or the run is
killed before a request. The number in brackets counts these faults.

.. csv-table::
   :header-rows: 1
   :widths: auto

%(rows)s

A killed run reports nothing. *Left by a kill* counts schedules in which a user lost a right, and no run names the
user. After a kill, run the playbook again, and check the users of the policies that the run changes.

How a run detects the other run
-------------------------------

Before a batch of writes changes objects, the same request reads these objects. After the writes, the run
reads the objects again. Policies that lose a right are read together with their users. Grants are read together with
the policies.

.. list-table::
   :header-rows: 1
   :widths: auto

   * - What happened
     - What the run reports
   * - Another run changed an object after the plan was made, and before the write.
     - Refused: ``another run or administrator changed objects after the plan was made``. Nothing is written.
   * - Another run changed a property right before the write.
     - A warning with ``overwrote another change``: the object, the property, and the values.
   * - Another run changed a property that this run did not write.
     - A warning with ``another run or administrator changed``: the property and both values.
   * - Another run changed the property right after the write.
     - A failure of the category ``Overwritten``. The step is not sent again.
   * - A policy lost a right, and another run granted this policy in between.
     - A failure of the category ``RightLost``. The former values of the policy are restored.
   * - A user got a policy that another run had changed in between.
     - A failure of the category ``RightLost``. The user has the former policy again.
   * - As in the last two cases, but the order of the two writes is unknown.
     - A failure of the category ``RightMayBeLost``, which names the users. Nothing is restored.

Limits of the detection
-----------------------

Within one request a server carries out one statement after the other. Another run can write between the reading and
the write of one request. So the runs were also carried out with a stop before each statement.

%(remains)s schedules are wrong.

In each wrong schedule, one run writes and reads again between two statements of the other run's request. The other run
then overwrites the change without a message.

.. csv-table::
   :header-rows: 1
   :widths: auto

%(inside)s

These numbers are from a deployment in memory. On a real server, domain controllers get a grant later. No real server
was available. Use one controller for changes, or a pipeline that starts one run at a time.
"""
