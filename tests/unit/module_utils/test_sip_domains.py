# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An own SIP domain as a partner's is refused; where the SIP domains cannot be read, the plan warns."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError, Statement

from tests.unit.module_utils.memory_shell import MemoryShell


def work(shell: MemoryShell, *partners: dict[str, t.Any], check: bool = False) -> Result:
    options = {"purge": False, "protect": [], "removal_limit": 30, "force": False}
    return plural(PARTNER).work({**options, "partners": list(partners)}, shell, check)


@pytest.mark.parametrize("check", [True, False])
def test_every_own_domain_is_refused_before_anything_is_written(check: bool) -> None:
    shell = MemoryShell()
    own = (
        {"domain": "Contoso.com"},
        {"domain": "b.test", "additional_domains": ["a.com", "c.test"]},
        {"domain": "d.test"},
    )
    with pytest.raises(Refused) as caught:
        work(shell, *own, check=check)
    assert [reason.partition(", so")[0] for reason in caught.value.reasons] == [
        "contoso.com: 'contoso.com' is a SIP domain of this deployment",
        "b.test: 'a.com' is a SIP domain of this deployment",
    ]
    assert shell.writes() == []


def test_a_domain_below_an_own_one_is_another() -> None:
    assert work(MemoryShell(), {"domain": "students.contoso.com"}).changed


def test_only_what_a_run_adds_is_compared() -> None:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "contoso.com", {"AdditionalDomains": ("a.com",)})
    row = {"domain": "contoso.com", "additional_domains": ["a.com"]}
    assert not work(shell, row).changed
    assert work(shell, {**row, "description": "old"}).changed
    shell.put("CsXmppAllowedPartner", "b.test", {})
    with pytest.raises(Refused, match=r"b\.test: .*'a\.com' .* from additional_domains"):
        work(shell, {"domain": "b.test", "additional_domains": ["a.com"]})


def test_domains_that_cannot_be_read_are_a_warning() -> None:
    def fault(statement: Statement) -> ServerError | None:
        return ServerError(statement.cmdlet, message="no") if statement.cmdlet == "Get-CsSipDomain" else None

    shell = MemoryShell()
    shell.fault = fault
    result = work(shell, {"domain": "contoso.com"})
    assert result.changed
    assert [warning for warning in result.warnings if "not compared with the SIP domains" in warning]
