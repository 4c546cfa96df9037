# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says how many passed tests rest on which assumptions of the lab, and frees Hypothesis of the clock.

Tests that are marked with ``nightly`` run in `make nightly` only.
"""

from __future__ import annotations

import os
import tempfile
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lab.assumptions import VARIABLE, forget

_KEPT = "assumptions"
_begin = pytest.StashKey[int]()
_COLUMNS = 3

# No test depends on how busy the machine is.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change is judged by the same examples everywhere; `make nightly` looks for new ones.
settings.register_profile("the same", settings.get_profile("any speed"), derandomize=True)
settings.load_profile("the same")
# For `make quick`; a test that says its number of examples itself keeps it.
settings.register_profile("few", settings.get_profile("the same"), max_examples=15)
# For `make nightly`, likewise.
settings.register_profile("many", settings.get_profile("any speed"), max_examples=1500)


# Set by `make nightly`.
NIGHTLY = "SFB_NIGHTLY"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get(NIGHTLY):
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=left_out)


TOP = Path(__file__).resolve().parents[1]
# As ansible-test wants it: there it is that one's pytest, which knows neither the markers of pyproject.toml nor that
# processes of tests import the collection.
IN_PLACE = TOP.parts[-3:] == ("ansible_collections", "sfb", "xmpp")


def pytest_configure(config: pytest.Config) -> None:
    """Every process of the run has a file, to which the labs write that it starts."""
    if IN_PLACE:
        for marker in ("nightly", "quick", "slow"):
            config.addinivalue_line("markers", marker)
        path = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(TOP.parents[2]), *([path] if path else [])])
    handle, path = tempfile.mkstemp(prefix="sfb-assumed-")
    os.close(handle)
    os.environ[VARIABLE] = path


def pytest_unconfigure(config: pytest.Config) -> None:
    Path(os.environ.pop(VARIABLE)).unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> t.Generator[None, object, object]:
    forget()
    item.stash[_begin] = os.path.getsize(os.environ[VARIABLE])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        with open(os.environ[VARIABLE], encoding="utf-8") as f:
            f.seek(item.stash[_begin])
            report.user_properties.append((_KEPT, sorted(set(f.read().split()))))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    resting = [keys for report in passed if (keys := dict(report.user_properties).get(_KEPT))]
    if not resting:
        return
    counts = Counter(key for keys in resting for key in keys)
    write = terminalreporter.write_line
    write("%d of %d passed tests rest on assumptions of the lab:" % (len(resting), len(passed)))
    cells = ["%5d %-31s" % (count, key) for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    for start in range(0, len(cells), _COLUMNS):
        write(" ".join(cells[start : start + _COLUMNS]).rstrip())
