# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An explanation probes a partner as the server has it, not as an inventory may have it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import PROBE_OPTIONS, _probed
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.known import Known, Pair, Probed
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.events import EVENTS

from tests.unit.module_utils.memory_shell import MemoryShell

ROW = {"TlsNegotiation": "Required", "SaslNegotiation": "Optional", "SupportDialbackNegotiation": True}
PROBE = {**dict.fromkeys(PROBE_OPTIONS), "nameservers": ["127.0.0.1:9"], "timeout": 0.1, "allow_local": False}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"Description": "call\u200e us"}, "srv_unknown"),
        ({"Description": "x" * 100_000}, "srv_unknown"),
        ({"AdditionalDomains": ["a_b.example"]}, "srv_unknown"),
        ({"ProxyFqdn": "a_b.example"}, "name_unusable"),
        ({"Identity": "a_b.example", "AdditionalDomains": ["fabrikam.com"]}, "srv_unknown"),
    ],
)
def test_what_somebody_else_set_refuses_no_explanation(properties: dict[str, t.Any], code: str) -> None:
    item = {
        **{field.prop: None for field in PARTNER.fields},
        **ROW,
        "PartnerType": "Federated",
        "EnableKeepAlive": True,
    }
    record = PARTNER.record({**item, "Identity": "fabrikam.com", **properties})
    pair = Pair("ann@contoso.com", "fabrikam.com")
    known = Known(deployment=Deployment("", {"partners": {record.key: record}}), pair=pair)
    found = _probed({"probe": PROBE}, MemoryShell(), known, pair)
    assert [one.code for one in found.partner or ()] == [code]
    # No server answered, so nothing is claimed but what ends everything.
    assert [one["event"] for one in found.what_if] == list(EVENTS)
    assert not any(one["cuts"] or one["outcome"].startswith("works") for one in found.what_if)


def test_a_user_of_a_domain_that_is_none_is_explained_without_a_probe() -> None:
    pair = Pair("ann@single", "fabrikam.com")
    assert _probed({"probe": PROBE}, MemoryShell(), Known(pair=pair), pair) == Probed()
