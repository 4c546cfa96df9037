# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new policy of a site that does not exist is refused, in check mode too."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural

from tests.unit.module_utils.memory_shell import MemoryShell


def server() -> MemoryShell:
    shell = MemoryShell()
    for site in ("Redmond", "Dublin"):
        shell.put("CsSite", "Site:" + site, {})
    return shell


def work(shell: MemoryShell, *policies: str, check: bool = False) -> Result:
    options = {"purge": False, "protect": [], "removal_limit": 30, "force": False}
    rows = [{"identity": name, "enable_federation_access": True, "enable_xmpp_access": True} for name in policies]
    return plural(POLICY).work({**options, "policies": rows}, shell, check)


@pytest.mark.parametrize("check", [True, False])
def test_a_site_that_does_not_exist_is_named_with_what_is_near(check: bool) -> None:
    shell = server()
    with pytest.raises(Refused) as caught:
        work(shell, "Desk", "site:Redmnod", "site:dublin", check=check)
    (reason,) = caught.value.reasons
    assert "there is no site 'Redmnod'" in reason
    assert "Redmond" in reason
    assert shell.writes() == []


def test_where_sites_cannot_be_read_the_plan_warns() -> None:
    shell = server()
    shell.hidden = {"Get-CsSite"}
    shell.store["CsSite"].clear()
    done = work(shell, "site:Nowhere")
    assert done.changed
    assert any("the sites of new policies were not checked" in text for text in done.warnings)


def test_only_a_new_policy_of_a_site_is_a_reason_to_ask() -> None:
    shell = server()
    work(shell, "site:Dublin")
    asked = len([one for one in shell.sent if one.cmdlet == "Get-CsSite"])
    work(shell, "Desk", "site:Dublin")
    assert len([one for one in shell.sent if one.cmdlet == "Get-CsSite"]) == asked == 1
