# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read on the servers, as the options of preflight and explain."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.action.xmpp_explain_info import in_words_of_playbook
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.servers import SERVER_OPTIONS
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import TASK
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import server_reads as _server_reads
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import Deployment

DEPLOYMENT = Deployment("a", ("fe01",), ("fe01", "fe02", "fe03"), ("edge01", "edge02"))
SILENT: dict[str, t.Any] = {"unreachable": True, "msg": "no route"}


def test_a_service_runs_is_stopped_is_missing_or_unknown() -> None:
    service = {"name": "RTCXMPPTGW", "status": "running"}
    reads: dict[str, dict[str, t.Any]] = {
        "fe01": {"services": [service], "steps": []},
        "fe02": {"services": [service], "steps": [{"cmdlet": "Start-CsWindowsService"}]},
        "fe03": {"failed": False, "services": [], "reasons": ["in other words"]},
        "edge01": SILENT,
        "of-another-deployment": {"services": [service]},
    }
    assert TASK.argument_spec["state"]["default"] == "started", "so check mode has the steps that start one"
    assert _server_reads.services(DEPLOYMENT, reads) == [
        {"host": "fe01", "kind": "gateway", "status": "Running"},
        {"host": "fe02", "kind": "gateway", "status": "Stopped"},
        {"host": "fe03", "kind": "gateway", "status": ""},
        {"host": "edge01", "kind": "proxy"},
        {"host": "edge02", "kind": "proxy"},
    ]


def test_of_an_edge_that_does_not_answer_nothing_is_known() -> None:
    certificate = {"findings": [{"severity": "error", "message": "expired"}, {"severity": "warning", "message": "old"}]}
    reads = {"edge01": {"certificates": [certificate], "clock_ahead": 1.5}, "edge02": SILENT, "fe01": SILENT}
    assert _server_reads.edges(DEPLOYMENT, reads, {"edge02"}) == [
        {"host": "edge01", "declared": False, "certificates": [certificate], "clock_ahead": 1.5},
        {"host": "edge02", "declared": True},
    ]
    assert _server_reads.front_ends(DEPLOYMENT, reads) == []
    assert _server_reads.front_ends(DEPLOYMENT, {"fe02": {"certificates": []}}) == [
        {"host": "fe02", "certificates": [], "clock_ahead": None}
    ]


def test_all_options_at_once_are_what_the_modules_take() -> None:
    kept: dict[tuple[str, str], t.Any] = {("fe01", _server_reads.SERVICES): {"services": [], "steps": []}}
    given = _server_reads.servers(DEPLOYMENT, lambda host, name: kept.get((host, name)))
    assert set(given) == set(SERVER_OPTIONS)
    assert given["services"][0] == {"host": "fe01", "kind": "gateway", "status": ""}
    validated = ArgumentSpecValidator(dict(SERVER_OPTIONS)).validate(given)
    assert validated.error_messages == []


def test_a_refusal_names_the_variables_of_the_playbook() -> None:
    result = {"failed": True, "msg": "x", "reasons": ["user: is missing", "partner: 'a' is none", "probe: user: x"]}
    found = in_words_of_playbook(result)
    reasons = ["sfb_xmpp_for_user: is missing", "sfb_xmpp_for_partner: 'a' is none", "probe: user: x"]
    assert found["reasons"] == reasons
    assert all(reason in found["msg"] for reason in reasons)
    assert in_words_of_playbook({"sentence": "all holds"}) == {"sentence": "all holds"}
