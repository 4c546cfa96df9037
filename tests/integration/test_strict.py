# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment with everything at once that real ones may have: every command that reads, and the ones that write.

For both roles, in check mode and for real. Who may only look is refused before anything is written. A sample of the
table is part of every run, all of it of ``make nightly`` (SFB_NIGHTLY).
"""

from __future__ import annotations

import itertools
import json
import os
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK as PREFLIGHT_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.migration import TASK as MIGRATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import TASK as SERVICE
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.tasks import INFO as TOPOLOGY_INFO

from lab.deployment.strict import make_strict
from lab.testing import Lab
from tests.integration.management import Management, renewed, target
from tests.integration.plays import Plays

ANN = "sip:ialmeida@contoso.test"
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
POLICIES = [{"identity": "XMPP", "enable_federation_access": True, "enable_xmpp_access": True, "granted_to": [ANN]}]
ACCOUNTS = {"CsAdministrator": ("admin", "Lab-admin-1"), "CsViewOnlyAdministrator": ("viewer", "Lab-viewer-1")}
ACCEPTED = {"sfb_xmpp_preflight_ignore": ["certificate_missing"]}
VERIFICATION = {"sfb_xmpp_verification": {"nameservers": ["127.0.0.1:9"], "timeout": 1}}
READS: dict[str, tuple[Task, dict[str, t.Any]]] = {
    "federation_info": (tasks.FEDERATION_INFO, {}),
    "partner_info": (tasks.info(PARTNER), {}),
    "policy_info": (tasks.info(POLICY), {"grants": True}),
    "gateway_info": (tasks.info(GATEWAY), {}),
    "access_edge_info": (tasks.info(ACCESS_EDGE), {}),
    "topology_info": (TOPOLOGY_INFO, {}),
    "preflight_info": (PREFLIGHT_INFO, {"records": False}),
    "migration_info": (MIGRATION_INFO, {"pools": ["fe01.contoso.test"]}),
}
WRITES: dict[str, tuple[Task, dict[str, t.Any]]] = {
    "partner": (tasks.singular(PARTNER), {"domain": "new.example", **ROW}),
    "policy": (tasks.singular(POLICY), {"identity": "XMPP", "description": "new"}),
    "grants": (FEDERATION, {"policies": POLICIES, "exclusive_grants": True}),
    "federation": (FEDERATION, {"partners": [{"domain": "new.example", **ROW}], "policies": POLICIES}),
    "over odd texts": (FEDERATION, {"partners": [{"domain": "odd.example", "description": "plain"}]}),
    "services": (SERVICE, {"state": "stopped"}),
    "routes": (FEDERATION, {"federation_routes": [{"site": "Redmond", "edge_pool": ""}], "allow": ["clear_route"]}),
}
TABLE = [
    *((name, role, True) for name, role in itertools.product(READS, ACCOUNTS)),
    *itertools.product(WRITES, ACCOUNTS, (True, False)),
]
SAMPLE = (
    ("federation_info", "CsAdministrator", True),
    ("preflight_info", "CsViewOnlyAdministrator", True),
    ("federation", "CsAdministrator", False),
    ("federation", "CsViewOnlyAdministrator", False),
)
CHOSEN = TABLE if os.environ.get("SFB_NIGHTLY") else SAMPLE


@pytest.fixture
def strict(fresh_lab: Lab) -> Lab:
    renewed(fresh_lab)
    make_strict(fresh_lab.store())
    return fresh_lab


@pytest.mark.parametrize(("name", "role", "check"), CHOSEN)
def test_a_strict_deployment(strict: Lab, name: str, role: str, check: bool) -> None:
    user, password = ACCOUNTS[role]
    management = Management(strict, target(strict, "fe01", "CONTOSO\\" + user, password))
    task, arguments = {**READS, **WRITES}[name]
    mark = management.mark()
    writes = name in WRITES and not check
    try:
        if writes and role == "CsViewOnlyAdministrator":
            before = (strict.store().partners(), strict.store().policies(), strict.store().grants())
            try:
                # A service has no plan: its cmdlet is asked for, and is not there.
                assert management.run(task, **arguments).failures
                assert name == "services"
            except (Refused, ServerRefused):
                assert name != "services"
            assert [event for event in management.writes(mark) if event.outcome == "ok" or name != "services"] == []
            assert (strict.store().partners(), strict.store().policies(), strict.store().grants()) == before
            return
        result = management.run(task, check=check, **arguments)
    finally:
        management.session.close()
    assert [str(failure) for failure in result.failures] == []
    written = [event for event in management.writes(mark) if event.cmdlet != "Get-Command"]
    assert bool(written) == writes
    assert [event.cmdlet for event in written if event.outcome != "ok"] == []


def test_odd_texts_are_named_and_never_written_back(strict: Lab) -> None:
    """Of which property and object they are, as visible escapes; a run that declares something else leaves them."""
    management = Management(strict, target(strict, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    before = strict.store().partners()["odd.example"]
    found = management.run(tasks.FEDERATION_INFO).values
    told = {one["identity"]: one["message"] for one in found["findings"] if one["code"] == "no_character"}
    assert "description" in told["odd.example"]
    assert "U+FFFE" in told["odd.example"]
    assert "U+D83D" in told["1.odd.example"]
    result = management.run(FEDERATION, partners=[{"domain": "odd.example", "connection_limit": 7}])
    management.session.close()
    assert [step["parameters"] for step in result.steps or []] == [
        {"Identity": "odd.example", "ConnectionLimit": 7, "Confirm": False}
    ]
    assert strict.store().partners()["odd.example"] == {**before, "ConnectionLimit": 7}


def test_a_route_that_is_not_shown_is_set_with_force_only(strict: Lab) -> None:
    management = Management(strict, target(strict, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    mark = management.mark()
    wanted: dict[str, t.Any] = {"federation_routes": [{"site": "Dublin", "edge_pool": "edge.contoso.test"}]}
    with pytest.raises(Refused, match="XmppFederationRoute"):
        management.run(FEDERATION, **wanted)
    assert management.writes(mark) == []
    assert not management.run(FEDERATION, force=True, **wanted).failures
    clear: dict[str, t.Any] = {"federation_routes": [{"site": "Dublin", "edge_pool": ""}], "allow": ["clear_route"]}
    assert [management.run(FEDERATION, **clear).changed for _time in range(2)] == [True, False]
    assert not management.run(FEDERATION, force=True, **wanted).failures
    assert strict.store().get("site", "Dublin")["XmppFederationRoute"] == "EdgeServer:edge.contoso.test"  # type: ignore[index]
    management.session.close()


# A playbook: what it is told, and its exit status for each role in check mode and for real. What only reads ends with 0
# or, for what it found, with 2 on a deployment without a certificate; it never ends early.
READING: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = dict.fromkeys(ACCOUNTS, ((0, 2), (0, 2)))
PLAYBOOKS: dict[str, tuple[dict[str, t.Any], dict[str, tuple[tuple[int, ...], tuple[int, ...]]]]] = {
    "preflight": ({}, READING),
    "export": ({}, READING),
    "audit": ({}, READING),
    "explain": ({"sfb_xmpp_for_user": ANN[4:], "sfb_xmpp_for_partner": "odd.example"}, READING),
    "capture": ({}, READING),
    "history": ({}, READING),
    "migration": ({"sfb_xmpp_for_pools": ["fe01.contoso.test"]}, READING),
    "converge": (
        {"sfb_xmpp_policies": POLICIES, "sfb_xmpp_partners": [{"domain": "new.example", **ROW}], **ACCEPTED},
        {"CsAdministrator": ((0,), (0,)), "CsViewOnlyAdministrator": ((0,), (2,))},
    ),
}
RUNS = list(itertools.product(PLAYBOOKS, ACCOUNTS, (True, False)))
RUNS_SAMPLE = [("audit", "CsViewOnlyAdministrator", False), ("converge", "CsViewOnlyAdministrator", False)]


@pytest.mark.parametrize(("name", "role", "check"), RUNS if os.environ.get("SFB_NIGHTLY") else RUNS_SAMPLE)
def test_playbooks_on_a_strict_deployment(strict: Lab, name: str, role: str, check: bool) -> None:
    settings, status = PLAYBOOKS[name]
    plays = Plays(strict)
    try:
        hosts = plays.hosts()
        user, password = ACCOUNTS[role]
        hosts["sfb_management"]["vars"].update(ansible_user="CONTOSO\\" + user, ansible_password=password)
        into = {"sfb_xmpp_into": str(plays.directory / ("out.zip" if name == "capture" else "out"))}
        once = {key: settings[key] for key in settings if key.startswith("sfb_xmpp_for_")}
        hosts["sfb_management"]["vars"].update({k: v for k, v in settings.items() if k not in once}, **VERIFICATION)
        if name in ("export", "audit", "capture", "migration"):
            once.update(into)
        inventory = plays.write("strict.yml", hosts)
        mark = max((event.id for event in strict.store().events()), default=0)
        mode = ["--check"] if check else []
        run = plays.run("sfb.xmpp." + name, "-e", json.dumps(once), *mode, inventory=inventory)
        written = [
            event.cmdlet
            for event in strict.store().events(mark)
            if event.kind == "statement" and event.cmdlet.startswith(("New-", "Set-", "Remove-", "Grant-"))
        ]
    finally:
        plays.close()
    assert run.code in status[role][not check], run.output
    assert bool(written) == (name == "converge" and role == "CsAdministrator" and not check), written
    assert "Traceback" not in run.output
