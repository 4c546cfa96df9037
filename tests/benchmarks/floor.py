# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: what a bare pypsrp script takes for the same. ``python -m tests.benchmarks.floor SETTINGS.json``.

It reads once, compares plainly, writes in batches, reads again if it wrote, and checks nothing. Prints the seconds of
its work on the open session.
"""

from __future__ import annotations

import json
import sys
import time
import typing as t
from pathlib import Path

from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

BATCH = 200


def main(settings: dict[str, t.Any]) -> None:
    """settings: ``wsman`` (its arguments), ``partners`` (property -> value each; null: only open and close).

    also: other cmdlets, whose answers are read in the same pipeline and thrown away.
    """
    with RunspacePool(WSMan(**settings["wsman"])) as pool:
        begun = time.monotonic()
        if settings["partners"] is None:
            return
        there = read(pool, settings.get("also", ()))
        changes = []
        for wanted in settings["partners"]:
            had = there.get(wanted["Identity"])
            wrong = {name: value for name, value in wanted.items() if had is None or value != had.get(name)}
            if wrong:
                changes.append(("New" if had is None else "Set", {"Identity": wanted["Identity"], **wrong}))
        for first in range(0, len(changes), BATCH):
            write(pool, changes[first : first + BATCH])
        if changes:
            read(pool)
        print("work %.6f changes %d" % (time.monotonic() - begun, len(changes)))


def read(pool: RunspacePool, also: t.Iterable[str] = ()) -> dict[str, dict[str, t.Any]]:
    """All partners, their properties as plain values."""
    shell = PowerShell(pool).add_cmdlet("Get-CsXmppAllowedPartner")
    for cmdlet in also:
        shell.add_statement().add_cmdlet(cmdlet)
    found = {}
    for item in shell.invoke():
        plain = {name: getattr(value, "to_string", None) or value for name, value in item.adapted_properties.items()}
        plain.update({n: getattr(v, "to_string", None) or v for n, v in item.extended_properties.items()})
        if "PartnerType" in plain:
            found[plain["Identity"]] = plain
    return found


def write(pool: RunspacePool, changes: list[tuple[str, dict[str, t.Any]]]) -> None:
    shell = PowerShell(pool)
    for number, (verb, parameters) in enumerate(changes):
        if number:
            shell.add_statement()
        shell.add_cmdlet(verb + "-CsXmppAllowedPartner")
        for name, value in parameters.items():
            number_type = isinstance(value, int) and not isinstance(value, bool)
            shell.add_parameter(name, pool.serialize(value, ObjectMeta("U32")) if number_type else value)
    shell.invoke()
    if shell.streams.error:
        raise SystemExit(str(shell.streams.error[0]))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
