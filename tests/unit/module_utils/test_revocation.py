# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revocation where partners cannot be read: it goes as far as what it knows."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import work

from tests.unit.module_utils.memory_shell import MemoryShell


@pytest.fixture
def shell() -> MemoryShell:
    """Of two partners, one has a form that nobody knows."""
    made = MemoryShell()
    made.put("CsXmppAllowedPartner", "good.test", {"AdditionalDomains": ("a.good.test",)})
    made.put("CsXmppAllowedPartner", "odd.test", {"TlsNegotiation": "Perhaps"})
    return made


def revoke(shell: MemoryShell, domain: str) -> Result:
    return work({"domain": domain, "protect": []}, shell, False)


@pytest.mark.parametrize(
    ("domain", "cmdlet"), [("good.test", "Remove"), ("a.good.test", "Set"), ("odd.test", "Remove")]
)
def test_one_that_cannot_be_read_hides_no_other(shell: MemoryShell, domain: str, cmdlet: str) -> None:
    result = revoke(shell, domain)
    assert result.changed
    assert result.failures == []
    assert next(s.cmdlet for s in shell.writes()) == cmdlet + "-CsXmppAllowedPartner"
    assert any("odd.test" in text for text in result.warnings) == (domain == "odd.test")


def test_what_it_may_have_is_not_said_to_be_gone(shell: MemoryShell) -> None:
    with pytest.raises(Refused, match=r"whether a partner has b\.odd\.test .* cannot be known: .*odd\.test"):
        revoke(shell, "b.odd.test")
    assert not shell.writes()
