# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the playbooks, against their descriptions, and these against the playbooks."""

from __future__ import annotations

import datetime
import os
import platform
import re
import socket

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.outcome import REPORTING
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import DEFAULTS, INTO, NEEDED, read_by

from tools import playbook_pages, playbook_samples

NAMES = sorted(path.stem for path in (playbook_pages.TOP / "playbooks").glob("*.yml"))
DESCRIBED = playbook_pages.descriptions()


def test_every_playbook_is_described() -> None:
    assert sorted(DESCRIBED) == NAMES


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_the_page_is_what_the_description_gives(name: str) -> None:
    text = (playbook_pages.PAGES / ("playbook_%s.rst" % name)).read_text(encoding="utf-8")
    assert text == playbook_pages.page(name, DESCRIBED[name]), "run: python -m tools.playbook_pages"


@pytest.mark.parametrize("name", DESCRIBED)
def test_variables_are_those_that_the_playbook_reads(name: str) -> None:
    read = playbook_pages.variables(name)
    assert set(DESCRIBED[name]["variables"]) == read


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_tags_are_those_of_the_playbook(name: str) -> None:
    assert set(DESCRIBED[name]["tags"]) == playbook_pages.tags(name)


def test_the_pages_are_in_the_menu() -> None:
    menu = yaml.safe_load((playbook_pages.TOP / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    (pages,) = [section["toctree"] for section in menu["sections"] if section["title"] == "Playbooks"]
    assert pages == ["playbook_%s" % name for name in DESCRIBED]


def test_every_playbook_has_a_sample() -> None:
    assert sorted(path.stem for path in playbook_pages.SAMPLES_IN.iterdir()) == NAMES
    assert sorted(playbook_samples.SAMPLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_shows_nothing_of_the_machine_and_no_secret(name: str) -> None:
    text = (playbook_pages.SAMPLES_IN / ("%s.txt" % name)).read_text(encoding="utf-8")
    machine = {str(playbook_pages.TOP), os.path.expanduser("~") + "/", "/tmp/", socket.gethostname(), platform.node()}
    secrets = ("Lab-admin-1", "Lab-edge-1", "Lab-dialback-1", "Lab-pfx-1", "Lab-user-1", "PRIVATE KEY")
    assert [one for one in (*machine, *secrets) if one in text] == []
    # Ports of the lab, and times of the recording.
    assert set(re.findall(r":(\d{5})\b", text)) == set()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)", text)) <= {"09:00:00"}
    assert len(text.splitlines()) <= playbook_samples.MOST + 2


@pytest.mark.parametrize("name", NAMES)
def test_the_stats_and_the_exit_status_of_a_sample_fit_the_playbook(name: str) -> None:
    sample = playbook_pages.sample_of(name)
    assert bool(sample.stats) == (name in REPORTING)
    failed = any(line.startswith("fatal: ") for line in sample.lines)
    assert sample.status == (2 if failed else 0)
    assert any(re.search(r"failed=[1-9]", line) for line in sample.lines) == failed


def test_defaults_are_those_of_the_code() -> None:
    """The table has the defaults for the pages only, so they are compared with the code that uses them."""
    actions = "".join(path.read_text("utf-8") for path in (playbook_pages.TOP / "plugins" / "action").glob("*.py"))
    assert [path for path in INTO.values() if '"%s"' % path.removeprefix("./") not in actions] == []
    roles = "".join(path.read_text(encoding="utf-8") for path in playbook_pages.TOP.glob("roles/*/defaults/main.yml"))
    settings = {one.option: one for name in NAMES for one in read_by(name)}
    for option, setting in settings.items():
        for given in re.findall(r"%s \| default\((.+?)(?:, true)?\)" % setting.name, roles):
            value = yaml.safe_load(given)
            if value not in ("none", "", {}, []):
                assert setting.default("converge") == value, option
    of_keys = re.findall(r"\(sfb_xmpp_(\w+) \| default\({}, true\)\)\.(\w+) \| default\((.+?)(?:, true)?\) }}", roles)
    assert len(of_keys) > 10
    for option, key, given in of_keys:
        assert (settings[option].key_specs()[key].get("default") or []) == (yaml.safe_load(given) or []), key
    for name in DEFAULTS:
        option, _dot, key = name.partition(".")
        assert option in settings
        assert not key or key in settings[option].key_specs(), name
    assert all(playbook in settings[option].playbooks for option, playbooks in NEEDED.items() for playbook in playbooks)


def test_how_a_variable_is_shown() -> None:
    by_name = {one.option: one for name in NAMES for one in read_by(name)}
    assert (
        playbook_pages.variable(by_name["snapshot_keep"], "converge")[0]
        == "``sfb_xmpp_snapshot_keep`` : int, default ``20``"
    )
    required = "``sfb_xmpp_for_partner`` : str, required, *only with -e*"
    assert playbook_pages.variable(by_name["for_partner"], "onboard")[0] == required
    assert playbook_pages.variable(by_name["for_partner"], "verify")[0] == required.replace("required", "no default")
    keys = "\n".join(playbook_pages.variable(by_name["journal"], "converge"))
    assert "- ``keep_days``: int, default ``730``" in keys


def test_what_varies_is_cleaned() -> None:
    text = "until 2026-12-10, 2026-11-30T12:13:14.123456Z 20261130T121314.5Z in 1.2 s: " + "0123456789abcdef" * 4
    days = playbook_samples.TODAY.replace(day=25)
    cleaned = playbook_samples.cleaned(text, datetime.date(2026, 11, 30))
    assert cleaned.startswith("until %s, 2027-01-15T09:00:00Z 20270115T090000.000000Z in 9.9 s: " % days)
    assert "0123456789abcdef" not in cleaned
    error = "[ERROR]: why\nOrigin: a.yml:1:2\n\n1 a\n2 b\n  ^ column 3\n\nfatal: [x]: 1\n3 changes\n"
    assert playbook_samples.essential("TASK [b] ***\n" + error) == [
        "TASK [b] ***", "[ERROR]: why", "", "fatal: [x]: 1", "3 changes"
    ]  # fmt: skip
    output = (
        "PLAY [a] ***\n\nTASK [b] ***\nok: [x]\n\nTASK [c] ***\nshown\nok: [z]\nok: [y]\n\nPLAY RECAP ***\nx : ok=1  \n"
    )
    lines = ["TASK [c] ***", "shown", "ok: [y]", "ok: [z]", "", "PLAY RECAP ***", "x : ok=1"]
    assert playbook_samples.essential(output) == lines
