# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection on every supported ansible-core that a Python of this machine can run.

``python -m tools.matrix [CORE]...`` writes build/matrix/table.md with one row per core: sanity, units and integration
of ansible-test, the default Molecule scenario, and a converge from the installed tarball. The table lists skipped
checks with the reason. A run of all cores also writes its table into the README. The last line has the counts, as in
tools.checks.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.checks import LOGS, TOP, VENV, Outcome, Runner, Step, end_what_is_left

TABLE = TOP / "build" / "matrix" / "table.md"
README = TOP / "README.md"
BEGIN, END = "<!-- begin of the table that make test-matrix writes -->\n", "<!-- end of it -->\n"
COLUMNS = {
    "sanity": "tools/ansible_test.sh sanity",
    "units": "tools/ansible_test.sh units",
    "integration": "tools/ansible_test.sh integration smoke",
    "molecule": "tools/molecule.sh default",
    "installed": "tools/installed.sh %s",
}


def core_in(environment: Path) -> str:
    """Return the minor version of ansible-core in an environment, such as 2.19; empty if there is none."""
    found = sorted(environment.glob("lib/python*/site-packages/ansible_core-*.dist-info"))
    return ".".join(found[-1].name.split("-")[1].split(".")[:2]) if found else ""


@dataclass(frozen=True)
class Core:
    """Describe an ansible-core: its requirement file's name, and the Pythons that can run it, the oldest first.

    The oldest is used. Source: the support matrix of ansible-core's documentation; python_requires for the next.
    """

    name: str
    pythons: tuple[str, ...]

    @property
    def environment(self) -> Path:
        """Return the directory of its environment. The checkout's own environment exists already."""
        return VENV if self.name == core_in(VENV) else VENV.with_name("%s-%s" % (VENV.name, self.name))


CORES = (
    Core("2.16", ("3.10", "3.11", "3.12")),
    Core("2.17", ("3.10", "3.11", "3.12")),
    Core("2.18", ("3.11", "3.12", "3.13")),
    Core("2.19", ("3.11",)),
    Core("2.20", ("3.12", "3.13", "3.14")),
    Core("2.21", ("3.12", "3.13", "3.14")),
    Core("next", ("3.13", "3.14")),
)


def find_python(version: str) -> str | None:
    """Return an interpreter of this version that can create environments: on the PATH, or from pyenv or uv."""
    homes = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    places = [path for home in homes for path in sorted(home.glob("*/bin/python" + version))]
    for candidate in (shutil.which("python" + version), *places):
        # pyenv has shims for versions that are not selected. They fail.
        command = [str(candidate), "-c", "import venv"]
        if candidate and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return str(candidate)
    return None


def python_of(core: Core) -> str | None:
    """Return the oldest interpreter here that can run a core. If an older one is missing, write this to stderr."""
    found = next(((version, path) for version in core.pythons if (path := find_python(version))), None)
    if found is None:
        return None
    version, path = found
    if version != core.pythons[0]:
        text = "Python %s is not installed: ansible-core %s is tested on Python %s"
        print(text % (core.pythons[0], core.name, version), file=sys.stderr)
    return path


def prepare(core: Core) -> str | None:
    """Create the environment of a core. Return the reason if this fails, or None."""
    if core.environment == VENV:
        return None
    python = python_of(core)
    if python is None:
        return "no Python %s here" % " or ".join(sorted(core.pythons))
    done = subprocess.run(
        [str(TOP / "tools" / "environment.sh"), "core", core.name, python],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stderr)
    return "cannot be installed: %s" % done.stderr.strip().splitlines()[-1] if done.returncode else None


def versions(core: Core) -> tuple[str, str]:
    """Return the versions of ansible-core and of Python in an environment."""
    program = "import platform; from ansible.release import __version__ as core; print(core, platform.python_version())"
    command = [str(core.environment / "bin" / "python"), "-c", program]
    core_version, python = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return core_version, python


def steps(core: Core) -> list[Step]:
    """Return the checks of one core, the columns of the table."""
    found = []
    for column, command in COLUMNS.items():
        # With an argument, the tarball is not kept in build/.
        text = command % core.environment if "%s" in command else command
        found.append(Step("%s-%s" % (column, core.name), text, environment=core.environment, tests=column == "units"))
    return found


def cell(outcome: Outcome) -> str:
    """Return the table's text for a check."""
    if outcome.failed:
        return "**%d failed**" % outcome.failed if outcome.step.tests else "**failed**"
    if outcome.skipped and not outcome.passed:
        return "skipped"
    if outcome.step.tests:
        return "%d passed" % outcome.passed
    log = (LOGS / (outcome.step.name + ".log")).read_text(encoding="utf-8")
    return ", without ".join(["passed", *re.findall("^LEFT OUT ([a-z-]+)", log, re.MULTILINE)])


def run_cores(cores: list[Core], runner: Runner) -> tuple[list[str], list[Outcome]]:
    """Return the rows of the table, and the results of all checks. Two checks run at a time."""
    rows: list[str] = []
    outcomes: list[Outcome] = []
    for core in cores:
        reason = prepare(core)
        if reason:
            print("LEFT OUT ansible-core %s: %s" % (core.name, reason), flush=True)
            rows.append("| %s | | left out: %s | | | |" % (core.name, reason))
            continue
        print("=== ansible-core %s on Python %s" % versions(core), flush=True)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as lanes:
            done = list(lanes.map(runner.run, steps(core)))
        outcomes += done
        rows.append("| %s |" % " | ".join([*versions(core), *map(cell, done)]))
    return rows, outcomes


def write_into(page: str, table: str, day: datetime.date) -> str:
    """Return the page with this table between its marks. Raises ValueError if the page does not have the marks."""
    before, begin, rest = page.partition(BEGIN)
    _former, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("%s lacks the marks of the table" % README.name)
    return "%s%s\nRun on %s:\n\n%s\n%s%s" % (before, BEGIN, day.isoformat(), table, END, after)


def main(names: list[str]) -> int:
    """Run the named cores, or all, and write the table."""
    unknown = set(names) - {core.name for core in CORES}
    if unknown:
        sys.exit("there is no core %s. Use one of: %s" % (", ".join(sorted(unknown)), ", ".join(c.name for c in CORES)))
    LOGS.mkdir(parents=True, exist_ok=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix="sfb.", dir="/tmp"))
    runner = Runner(private, shown=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows, outcomes = run_cores([core for core in CORES if not names or core.name in names], runner)
    except KeyboardInterrupt:
        runner.stop()
        return 130
    finally:
        end_what_is_left(private)
        shutil.rmtree(private, ignore_errors=True)
    heads = ["ansible-core", "Python", *COLUMNS]
    table = ["| %s |" % " | ".join(heads), "|%s" % ("---|" * len(heads)), *rows]
    TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")
    if not names:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        page = write_into(README.read_text(encoding="utf-8"), TABLE.read_text(encoding="utf-8"), today)
        README.write_text(page, encoding="utf-8")
    print("\n%s\n\n%s" % (os.path.relpath(TABLE, TOP), TABLE.read_text(encoding="utf-8")))
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    left_out = len(rows) - len(outcomes) // len(COLUMNS)
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % left_out if left_out else ""), flush=True)
    return int(failed > 0 or not passed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
