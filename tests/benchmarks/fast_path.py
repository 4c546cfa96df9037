# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 20 tasks on an open session take, beside 20 trivial local ones: ``python -m tests.benchmarks.fast_path``.

The collection's tasks run in Ansible's own process, and as ordinary modules where that is turned off. What a play takes
with its first task alone, the session's opening included, is subtracted. Medians of five, in turn.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from lab.testing import running_lab
from tests.integration.plays import Plays
from tests.integration.test_fast_path import AS_MODULES, READ
from tests.integration.test_modules_in_plays import task

TASKS, RUNS = 20, 5
LOCAL = {"connection": "local", "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}
WAYS: tuple[tuple[str, bool, dict[str, str]], ...] = (
    ("trivial local tasks", False, {}),
    ("on the session, directly", True, {}),
    ("on the session, as modules", True, AS_MODULES),
)


def seconds(plays: Plays, session: bool, environment: dict[str, str], number: int) -> float:
    """What a play of so many tasks takes. Raises SystemExit if it fails."""
    if session:
        playbook = plays.tasks([task(*READ, "read %d" % one) for one in range(number)])
    else:
        playbook = [{"hosts": "fe01", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}] * number, **LOCAL}]
    begun = time.monotonic()
    run = plays.run(playbook, environment=environment)
    if run.code:
        raise SystemExit(run.output)
    return time.monotonic() - begun


def main() -> None:
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="sfb.", dir="/tmp") as directory, running_lab(Path(directory)) as lab:
        plays = Plays(lab)
        try:
            for _run in range(RUNS):
                for name, session, environment in WAYS:
                    one, all_of_them = (seconds(plays, session, environment, number) for number in (1, 1 + TASKS))
                    taken.setdefault(name, []).append(all_of_them - one)
        finally:
            plays.close()
    medians = {name: statistics.median(values) for name, values in taken.items()}
    floor = medians[WAYS[0][0]]
    for name, median in medians.items():
        print("%d %-28s %6.2f s, %.2f times the trivial ones" % (TASKS, name, median, median / floor))


if __name__ == "__main__":
    main()
