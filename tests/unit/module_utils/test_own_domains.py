# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the own domains partners may address."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.own_domains import own_domains

EDGE = "access.contoso.com"


@pytest.mark.parametrize(
    ("sip_domains", "names", "found"),
    [
        # Those that the certificate has,
        (["contoso.com", "contoso.example"], [EDGE, "sip.contoso.com", "Contoso.com."], ["contoso.com"]),
        (["xn--bcher-kva.example", "a.com"], [EDGE, "bücher.example"], ["xn--bcher-kva.example"]),
        (["sip.contoso.com", "contoso.com"], [EDGE, "sip.contoso.com"], ["sip.contoso.com"]),
        # all where it has none or is not declared,
        (["contoso.com", "contoso.example"], [EDGE, "*.contoso.com"], ["contoso.com", "contoso.example"]),
        (["contoso.com", "contoso.example"], [], ["contoso.com", "contoso.example"]),
        # and what looks like one where nothing was read.
        ([], [EDGE, "sip.contoso.com", "webcon.contoso.com", "contoso.com", "*.contoso.com"], ["contoso.com"]),
        ([], ["*.contoso.com", "contoso.com", "emea.contoso.com", "contoso.COM"], ["contoso.com", "emea.contoso.com"]),
        ([], ["sip.contoso.com"], []),
        ([], [], []),
    ],
)
def test_which_domains_partners_may_address(sip_domains: list[str], names: list[str], found: list[str]) -> None:
    assert own_domains(sip_domains, names) == found
