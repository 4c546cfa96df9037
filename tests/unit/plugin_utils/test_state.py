# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where runs keep their files, and when that place ends with its container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions import state
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.journal_line import applied, carried_out, make_line


@pytest.mark.parametrize(
    ("directory", "mounts", "lost"),
    [
        ("/home/runner/.ansible/sfb.xmpp", {"/"}, True),
        ("/runner/project/kept", {"/", "/runner"}, True),  # what AWX mounts and removes with the job
        ("/runner/kept/snapshots", {"/", "/runner", "/runner/kept"}, False),
        ("/srv/sfb-xmpp/snapshots", {"/", "/srv/sfb-xmpp"}, False),
    ],
)
def test_a_container_keeps_only_what_is_on_a_volume(
    monkeypatch: pytest.MonkeyPatch, directory: str, mounts: set[str], lost: bool
) -> None:
    monkeypatch.setattr(os.path, "ismount", mounts.__contains__)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert [directory in text for text in state.passing(directory)] == [True] * lost
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    monkeypatch.setattr(state, "_CONTAINER", ("/none",))
    assert state.passing(directory) == []


def test_a_plan_that_was_carried_out_is_found_by_its_digest(tmp_path: Path) -> None:
    line = '{"digest": "d1", "time": "2026-07-01T16:20:00Z", "ticket": "CHG-1", "changed": true}'
    other = '{"digest": "d1", "time": "2026-07-02T16:20:00Z", "changed": false}'
    torn = '{"digest": "d1"'
    found = applied("%s\n%s\n%s\n" % (line, other, torn), "d1")
    assert found is not None
    assert carried_out("plan.json", found).startswith(
        "the plan in plan.json was applied at 2026-07-01 16:20:00 UTC, CHG-1."
    )
    assert applied(line, "d2") is None


def test_a_task_in_the_background_is_started() -> None:
    line = make_line(
        {"ansible_job_id": "j1", "changed": True},
        playbook="", task="xmpp_gateway_cert", deployment="default", host="edge01", account="", inventory=[],
    )  # fmt: skip
    assert (line["outcome"], line["task"], line["playbook"]) == ("started", "xmpp_gateway_cert", None)
