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
from ansible_collections.sfb.xmpp.plugins.module_utils._server.server import SeenService, Server
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import server_reads as _server_reads
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.connected import Connected
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts

DEPLOYMENT = DeploymentHosts("a", ("fe01",), ("fe01", "fe02", "fe03"), ("edge01", "edge02"))
SILENT = Connected("edge02", False, "no route")


def seen(host: str, *statuses: str, xmpp: bool = True, **more: t.Any) -> Connected:
    services = tuple(SeenService("S", "S", status, xmpp) for status in statuses)
    return Connected(host, True, server=Server(host, "a", True, services=services), **more)


def test_a_service_runs_is_stopped_is_missing_or_unknown() -> None:
    results: dict[str, Connected | None] = {
        "fe01": seen("fe01", "running"),
        "fe02": seen("fe02", "running", "stopped"),
        "fe03": seen("fe03", "running", xmpp=False),
        "edge01": SILENT,
        "of-another-deployment": seen("of-another-deployment", "running"),
    }
    assert _server_reads.services(DEPLOYMENT, results) == [
        {"host": "fe01", "kind": "gateway", "status": "Running"},
        {"host": "fe02", "kind": "gateway", "status": "Stopped"},
        {"host": "fe03", "kind": "gateway", "status": ""},
        {"host": "edge01", "kind": "proxy"},
        {"host": "edge02", "kind": "proxy"},
    ]


def test_of_an_edge_that_does_not_answer_nothing_is_known() -> None:
    certificate = {"findings": [{"severity": "error", "message": "expired"}, {"severity": "warning", "message": "old"}]}
    read = {"certificates": [certificate], "clock_ahead": 1.5}
    results = {"edge01": seen("edge01", certificates=read), "edge02": SILENT}
    assert _server_reads.edges(DEPLOYMENT, results, {"edge02"}) == [
        {"host": "edge01", "declared": False, "certificates": [certificate], "clock_ahead": 1.5},
        {"host": "edge02", "declared": True},
    ]
    assert _server_reads.certificates(SILENT) == {"msg": "no route"}
    assert _server_reads.certificates(None) == {"msg": "they were not read in this run"}


def test_all_options_at_once_are_what_the_modules_take() -> None:
    given = _server_reads.servers(DEPLOYMENT, {"fe01": seen("fe01")})
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
