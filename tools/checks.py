# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the checks of this checkout, all or some: ``python -m tools.checks [STEP or GROUP]...``.

The groups ``quick`` and ``nightly`` run only if they are named. ``quick`` takes two minutes. ``nightly`` runs every
combination. Two steps run at a time. The output of each goes to build/logs/STEP.log. If only one step runs, its output
is also shown. The last line counts every test of pytest, and any other step as one: ``312 passed, 0 failed``.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LOGS = TOP / "build" / "logs"
VENV = Path(os.environ.get("VENV", TOP / ".venv"))
OLDEST = VENV.with_name(VENV.name + "-2.16")
SHOWN_OF_A_FAILURE = 60
# This is the exit code of a step that cannot run here. automake uses the same code.
SKIPPED = 77
# Every process of a run has this variable in its environment, including daemons.
MARK = "SFB_CHECKS"


@dataclass(frozen=True)
class Step:
    """Describe one check: a command of bash, and whether its output ends with the counts of pytest."""

    name: str
    command: str
    group: str = ""
    environment: Path = VENV
    tests: bool = False
    # The step runs only if its group is named.
    alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """Describe the result of a step. The counts are those of pytest, or 1 for any other step."""

    step: Step
    seconds: float
    passed: int
    failed: int
    skipped: int = 0


PYTEST = "python -m pytest --color=no -q"
# This runs fewer examples of Hypothesis (tests/conftest.py), and skips tests that take seconds.
FEW = " --hypothesis-profile=few -m 'not slow'"
# This generates many states, for `make nightly`.
MANY = " --hypothesis-profile=many"
# The default scenario runs in "installed", from the tarball.
SCENARIOS = sorted({path.parent.name for path in (TOP / "extensions/molecule").glob("*/molecule.yml")} - {"default"})

# Integration tests cover every step of these scenarios. Only `make molecule` and `make nightly` run them.
SHOWN_ELSEWHERE = ("audit", "certificate", "decommission", "rehearse")

# The longest steps are first, so that the two lanes end at the same time.
STEPS = (
    # These tests mostly wait (idle sessions, slow cmdlets), so they can have two workers beside the other lane.
    Step("integration", PYTEST + " -n 2 --dist worksteal --durations=60 tests/integration", tests=True),
    Step("sanity", "tools/ansible_test.sh sanity"),
    Step("browser", "tools/browser.sh"),
    # The fast path depends on internals of ansible-core, so both paths are also compared on the oldest version.
    Step(
        "fast-path-2.16",
        PYTEST + " -k both_ways tests/integration/test_fast_path.py",
        "integration",
        OLDEST,
        tests=True,
    ),
    *(
        Step("molecule-" + name, "tools/molecule.sh " + name, "molecule", alone=name in SHOWN_ELSEWHERE)
        for name in SCENARIOS
    ),
    Step("installed", "tools/installed.sh"),
    Step("smoke", "tools/ansible_test.sh integration smoke"),
    Step("installed-2.16", "tools/installed.sh " + str(OLDEST), environment=OLDEST),
    Step("importer", "tools/importer.sh"),
    Step("execution-environment", "tools/execution_environment.sh"),
    Step("ruff", "ruff check . && ruff format --check .", "lint"),
    Step("mypy", "tools/typing.sh", "lint"),
    Step("yamllint", "yamllint --strict .", "lint"),
    Step("shellcheck", "shellcheck --external-sources .ci/run tools/*.sh", "lint"),
    Step("changelog", "antsibull-changelog lint", "lint"),
    Step("licences", "reuse lint --quiet || reuse lint", "lint"),
    Step("hosting", "tools/hosting.sh", "lint"),
    Step("ansible-lint", "ansible-lint --offline --strict --profile production", "lint"),
    Step(
        "docs-lint",
        "antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs all .",
    ),
    Step("docs", "tools/docs.sh"),
    Step("unit", PYTEST + " tests/unit", tests=True),
    # The code is the same. Only ansible-core and the libraries differ.
    Step("unit-2.16", PYTEST + FEW + " tests/unit", environment=OLDEST, tests=True),
    Step("quick-unit", PYTEST + FEW + " tests/unit", "quick", tests=True, alone=True),
    Step("quick-integration", PYTEST + " -m quick tests/integration", "quick", tests=True, alone=True),
    Step("quick-lint", "tools/quick_lint.sh", "quick", alone=True),
    # Other steps run only samples of these tests.
    Step(
        "nightly-tests",
        "SFB_NIGHTLY=1 " + PYTEST + " -m nightly -n 2 tests",
        "nightly",
        tests=True,
        alone=True,
    ),
    Step("nightly-states", PYTEST + MANY + " tests/unit", "nightly", tests=True, alone=True),
    Step("nightly-matrix", "python -m lab matrix", "nightly", alone=True),
    Step("nightly-faults", "python -m tests.faults", "nightly", alone=True),
    Step("nightly-explore", "python -m tests.explore", "nightly", alone=True),
)


class Runner:
    """Run steps in a private directory, with readable output in the terminal."""

    def __init__(self, private: Path, shown: bool) -> None:
        self.private = private
        self.shown = shown
        self._terminal = threading.Lock()
        self._running: set[int] = set()

    def stop(self) -> None:
        """Interrupt the running steps, so that tests and scenarios stop their labs."""
        for group in list(self._running):
            os.killpg(group, signal.SIGINT)

    def run(self, step: Step) -> Outcome:
        if self.shown:
            self._say("=== %s: %s" % (step.name, step.command))
        log = LOGS / (step.name + ".log")
        started = time.monotonic()
        with log.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", step.command],
                cwd=TOP,
                env=self._environment(step),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.shown else file,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process.pid)
            for line in process.stdout or ():
                file.write(line)
                sys.stdout.write(line)
            code = process.wait()
            self._running.discard(process.pid)
        outcome = outcome_of(step, code, log.read_text(encoding="utf-8"), time.monotonic() - started)
        self._report(outcome, log)
        return outcome

    def _environment(self, step: Step) -> dict[str, str]:
        """Return the variables of a step: its environment's tools first, its own home, no settings of the user.

        The home has a short path, because it contains sockets (their paths have at most 108 bytes).
        """
        home = self.private / step.name
        home.mkdir(parents=True, exist_ok=True)
        (home / "ansible.cfg").touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {
            **kept,
            MARK: str(self.private),
            "PATH": "%s:%s" % (step.environment / "bin", os.environ.get("PATH", os.defpath)),
            "HOME": str(home),
            "USER_HOME": os.environ.get("HOME", ""),
            "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_NOCOLOR": "1",
            "NO_COLOR": "1",
        }

    def _report(self, outcome: Outcome, log: Path) -> None:
        if not outcome.failed:
            # Skipped tests are listed again at the end. Here, the log file with the reasons is printed.
            state = "SKIPPED" if outcome.skipped and not outcome.passed else "ok"
            skipped = "  %d skipped: see %s" % (outcome.skipped, log.relative_to(TOP)) if outcome.skipped else ""
            self._say("%-7s %-21s %6.1f s%s" % (state, outcome.step.name, outcome.seconds, skipped))
            return
        text = "FAILED  %-21s %6.1f s  %s" % (outcome.step.name, outcome.seconds, log.relative_to(TOP))
        if not self.shown:
            tail = log.read_text(encoding="utf-8").splitlines()[-SHOWN_OF_A_FAILURE:]
            text = "\n".join([text, *("        | " + line for line in tail)])
        self._say(text)

    def _say(self, text: str) -> None:
        with self._terminal:
            print(text, flush=True)


def outcome_of(step: Step, code: int, output: str, seconds: float) -> Outcome:
    """Count a step. A test run that fails without a failing test (or runs none) still counts as a failure."""
    if not step.tests:
        skipped = code == SKIPPED
        return Outcome(step, seconds, int(code == 0), int(code != 0 and not skipped), int(skipped))
    counts = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    closing = [line for line in output.splitlines() if re.search(r"\bin \d+\.\d+s\b", line)]
    for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", closing[-1] if closing else ""):
        counts[word] = int(number)
    failed = counts["failed"] + counts["error"]
    if code != 0 or not counts["passed"]:
        failed = max(failed, 1)
    return Outcome(step, seconds, counts["passed"], failed, counts["skipped"])


# tests/conftest.py prints this table.
_RESTING = r"^(\d+) of (\d+) passed tests rest on assumptions of the lab:\n((?: +\d+ .*\n)+)"


def assumed(outputs: list[str]) -> list[str]:
    """Return how many passed tests depend on which assumptions of the lab: the sum of all tables of pytest."""
    resting = passed = 0
    counts: dict[str, int] = {}
    for output in outputs:
        header = re.search(_RESTING, output, re.M)
        if header is not None:
            resting, passed = resting + int(header[1]), passed + int(header[2])
            for number, key in re.findall(r"(\d+) ([a-z][a-z0-9-]+)", header[3]):
                counts[key] = counts.get(key, 0) + int(number)
    if not passed:
        return []
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join("%s %d" % item for item in most)
    return ["%d of %d passed tests rest on %d assumptions of the lab:" % (resting, passed, len(counts)), said]


def failures(output: str) -> list[str]:
    """Return the first failed tests of pytest's summary, with the first line of each error."""
    return re.findall(r"^(?:FAILED|ERROR) .+", output, re.M)[:20]


def end_what_is_left(private: Path) -> None:
    """End the labs and sessions of interrupted tests."""
    mark = ("%s=%s" % (MARK, private)).encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGTERM)


def choose(names: list[str]) -> list[Step]:
    """Return the steps by name or group. Without names, return all steps except those that run alone."""
    known = {name for step in STEPS for name in (step.name, step.group) if name}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("there is no step %s. Use one of: %s" % (", ".join(unknown), ", ".join(sorted(known))))
    return [step for step in STEPS if (not names and not step.alone) or step.name in names or step.group in names]


def main(names: list[str]) -> int:
    steps = choose(names)
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    private = Path(tempfile.mkdtemp(prefix="sfb.", dir="/tmp"))
    runner = Runner(private, shown=len(steps) == 1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as lanes:
            try:
                outcomes = list(lanes.map(runner.run, steps))
            except KeyboardInterrupt:
                runner.stop()
                raise
    except KeyboardInterrupt:
        return 130
    finally:
        end_what_is_left(private)
        shutil.rmtree(private, ignore_errors=True)
    if len(steps) > 1:
        print("\n%-22s%9s%9s%9s" % ("step", "passed", "failed", "seconds"))
        for outcome in outcomes:
            print("%-22s%9d%9d%9.1f" % (outcome.step.name, outcome.passed, outcome.failed, outcome.seconds))
        print("%-40s%9.1f\n" % ("all", time.monotonic() - started))
        own = [o.step for o in outcomes if o.step.tests and o.step.environment == VENV]
        for text in assumed([(LOGS / (step.name + ".log")).read_text(encoding="utf-8") for step in own]):
            print(textwrap.fill(text, 120))
        # A long output may be shown without its middle, so the failures are near the end too.
        for failed_step in (o.step.name for o in outcomes if o.failed):
            found = failures((LOGS / (failed_step + ".log")).read_text(encoding="utf-8"))
            print("\n".join(["", "failed: " + failed_step, *found]))
    passed, failed, skipped = (sum(getattr(o, word) for o in outcomes) for word in ("passed", "failed", "skipped"))
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
