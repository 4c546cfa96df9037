# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan and a snapshot belong to the deployment whose pool they name, whatever its label is."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import ACCESS_EDGE, PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place, ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

WANTED: dict[str, t.Any] = {"partners": [{"domain": "a.test", "description": "x"}]}


def server(pool: str = "fe01.contoso.com", label: str = "default") -> MemoryShell:
    return prepared(MemoryShell(), pool, label)


def prepared(shell: MemoryShell, pool: str, label: str = "default") -> MemoryShell:
    shell.central = pool
    shell.put(ACCESS_EDGE.noun, "Global", {"AllowOutsideUsers": False, "AllowFederatedUsers": True})
    shell.place = Place(host="fe01", deployment=label, home=shell.place.home)
    shell.put(PARTNER.noun, "a.test", {"SaslNegotiation": "Optional"})
    return shell


def denied(shell: MemoryShell) -> MemoryShell:
    """Get-CsService is not offered."""
    error = ServerError("Get-CsService", "CommandNotFoundException", "ObjectNotFound", "is not recognized")
    shell.fault = lambda statement: error if statement.cmdlet == "Get-CsService" else None
    return shell


@pytest.fixture(params=["plan", "snapshot"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, t.Any]:
    """What a run is given: a plan or a snapshot of fe01.contoso.com."""
    if request.param == "plan":
        plan = str(tmp_path / "plan.json")
        run(FEDERATION, server(), check=True, plan_file=plan, **WANTED)
        return {"plan_file": plan, **WANTED}
    done = run(FEDERATION, server(), snapshot_directory=str(tmp_path / "kept"), **WANTED)
    return {"restore_from": done.values["snapshot"]}


def refused(shell: MemoryShell, **arguments: t.Any) -> str:
    with pytest.raises(Refused) as caught:
        run(FEDERATION, shell, **arguments)
    assert shell.writes() == []
    return str(caught.value)


def test_another_pool_with_the_same_label_is_refused(file: dict[str, t.Any]) -> None:
    text = refused(server("pool2.contoso.com"), **file)
    assert "on the pool fe01.contoso.com, but the store of this deployment is on pool2.contoso.com" in text


def test_the_same_pool_with_another_label_is_refused(file: dict[str, t.Any]) -> None:
    assert "contoso" in refused(server(label="contoso"), **file)


def test_other_sip_domains_are_a_warning(file: dict[str, t.Any]) -> None:
    shell = server()
    shell.more_domains = ("new.contoso.com",)
    done: Result = run(FEDERATION, shell, **file)
    (warning,) = [text for text in done.warnings if "SIP domains" in text]
    assert "(added: new.contoso.com)" in warning


def test_the_same_deployment_is_no_matter(file: dict[str, t.Any]) -> None:
    assert [
        text for text in run(FEDERATION, server("FE01.Contoso.Com."), **file).warnings if "deployment" in text
    ] == []


def test_where_the_pool_cannot_be_read_labels_are_compared(file: dict[str, t.Any]) -> None:
    done = run(FEDERATION, denied(server()), **file)
    assert [text for text in done.warnings if "only the label default was compared" in text], done.warnings
    assert done.identity == {"label": "default", "pools": [], "sip_domains": ["a.com", "contoso.com"]}
    refused(denied(server(label="contoso")), **file)


def test_one_pool_of_a_pair_is_enough(tmp_path: Path) -> None:
    """A pair of pools has the store in both, and after a failover another one may be told alone."""

    class Pair(MemoryShell):
        def _run(self, statement: Statement) -> list[t.Any]:
            found = super()._run(statement)
            if "CentralManagement" in statement.parameters:
                found.append({**found[0], "PoolFqdn": "backup.contoso.com"})
            return found

    shell = prepared(Pair(), "fe01.contoso.com")
    done = run(FEDERATION, shell, snapshot_directory=str(tmp_path / "kept"), partners=[{"domain": "n.test"}])
    assert done.identity is not None
    assert done.identity["pools"] == ["backup.contoso.com", "fe01.contoso.com"]
    run(FEDERATION, server("backup.contoso.com"), restore_from=done.values["snapshot"])


@pytest.mark.parametrize("preflight", [True, False])
def test_it_is_read_in_the_pipeline_of_the_rest(preflight: bool) -> None:
    shell = server()
    done = run(TASK, shell, check=True, preflight=preflight, preflight_ignore=["federation-off"], **WANTED)
    assert done.identity == {
        "label": "default",
        "pools": ["fe01.contoso.com"],
        "sip_domains": ["a.com", "contoso.com"],
    }
    reads = [statement for statement in shell.sent if "CentralManagement" in statement.parameters]
    assert len(reads) == 1
    assert shell.requests == 2, "and what the session may send"
