# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers in each form that a real server may give, over the wire: what they mean is read, whatever they look like."""

from __future__ import annotations

import contextlib
import datetime
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._server.tasks import TASK as SERVER_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import TASK as REPLICATION
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.tasks import INFO as TOPOLOGY

from lab.cmdlets.odd_forms import DATES
from lab.deployment.breaks import break_link
from tests.integration.management import Management
from tests.integration.strict_table import DOOR, ROW
from tests.integration.test_gateway_cert import edge_of
from tests.integration.test_strict import connected


def moments(management: Management) -> set[datetime.datetime]:
    """When the updates that the replicas have were made, to the second, as the module says."""
    rows = management.run(REPLICATION, timeout=0).values["replicas"]
    return {datetime.datetime.fromisoformat(row["last_update_creation"]).replace(microsecond=0) for row in rows}


@pytest.mark.parametrize("form", DATES)
def test_an_offset_from_utc_is_counted_in_its_direction(management: Management, form: str) -> None:
    """Of the replicas' status, and of the clock of an Edge, which decides about its certificates."""
    expected = moments(management)
    management.store.set_setting("odd_forms", [form])
    assert moments(management) == expected
    with contextlib.closing((edge := edge_of(management.lab)).session):
        ahead = edge.run(SERVER_INFO, gather=["clock"]).values["clock_ahead"]
    assert abs(ahead) < 60


def test_a_time_without_an_offset_is_the_servers_local_one(management: Management) -> None:
    """Its clock tells the offset, where the session offers one. Else the times are compared with each other alone."""
    store = management.store
    expected = moments(management)
    store.set_setting("odd_forms", ["bare-dates", "west-dates"])
    local = {moment.replace(tzinfo=None) - datetime.timedelta(hours=3, minutes=30) for moment in expected}
    assert moments(management) == local
    store.set_setting("replication_seconds", 2.0)
    done = management.run(FEDERATION, partners=[{"domain": "new.example", **ROW}], replication="wait")
    assert (done.changed, done.failures) == (True, [])
    store.set_setting("clock_at_doors", True)
    with contextlib.closing((asked := connected(management.lab, DOOR, "CsAdministrator")).session):
        store.set_setting("odd_forms", [])
        expected = moments(asked)
        store.set_setting("odd_forms", ["bare-dates", "west-dates"])
        assert moments(asked) == expected


def test_the_policy_in_effect_may_be_named_without_its_scope(management: Management) -> None:
    """A site's as well, of which no page shows the form: what a grant would take from its users is known."""
    rights: dict[str, t.Any] = {"enable_federation_access": True, "enable_xmpp_access": True}
    management.run(FEDERATION, policies=[{"identity": "site:Dublin", **rights, "enable_public_cloud_access": True}])
    management.store.set_setting("odd_forms", ["bare-effective"])
    mark = management.mark()
    granted = {"identity": "XMPP", **rights, "granted_to": ["sip:akelly@contoso-emea.test"]}
    with pytest.raises(Refused, match="granting XMPP would take public_cloud_access from"):
        management.run(FEDERATION, policies=[granted])
    asked = [event.cmdlet for event in management.store.events(mark) if event.kind == "statement"]
    assert "Get-CsEffectivePolicy" in asked
    assert management.writes(mark) == []


def test_a_port_that_is_not_set_may_be_an_empty_text(management: Management) -> None:
    break_link(management.store, "route-to-2019")  # brings an Edge pool without XMPP
    expected = management.run(TOPOLOGY).values
    management.store.set_setting("odd_forms", ["empty-ports"])
    found = management.run(TOPOLOGY).values
    assert (found, found["unobserved"]) == (expected, [])
    assert None in {edge["xmpp_listening_port"] for edge in found["edge_pools"]}
