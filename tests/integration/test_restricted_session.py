# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints whose Select-Object takes all properties, eleven names, or is not there: the same work, over the wire."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import HOLDERS, USER_PROPERTIES, USERS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import (
    FEDERATION,
    FEDERATION_INFO,
    grant,
    singular,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import KNOWN
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement
from pypsrp.serializer import Serializer

from lab.deployment.store import Event
from lab.testing import Lab
from tests.integration.management import Management, calls, target
from tests.integration.test_gateway_cert import edge_of

GRANT = grant()
XMPP: dict[str, t.Any] = {"enable_federation_access": True, "enable_xmpp_access": True}
ROW: dict[str, t.Any] = {
    "tls_negotiation": "required",
    "sasl_negotiation": "optional",
    "support_dialback_negotiation": True,
}
ANN, BELL = "sip:ialmeida@contoso.test", "sip:mbell@contoso.test"
# The lab's settings for each kind of endpoint.
KINDS: dict[str, dict[str, t.Any]] = {
    "whole": {"restricted_select": []},
    "restricted": {"restricted_select": ["management", "edge"]},
    "none": {"select_object": False},
}


def become(management: Management, kind: str) -> None:
    for name, value in KINDS[kind].items():
        management.store.set_setting(name, value)


def statements(management: Management, since: int) -> list[Event]:
    return [event for event in management.store.events(since) if event.kind == "statement"]


@pytest.mark.parametrize("kind", KINDS)
def test_federation_is_converged_and_read(management: Management, kind: str) -> None:
    become(management, kind)
    wanted: dict[str, t.Any] = {
        "policies": [{"identity": "XMPP users", **XMPP, "granted_to": [ANN, BELL]}],
        "policies_purge": True,
        "exclusive_grants": True,
        "partners": [{"domain": "a.example", **ROW}],
    }
    planned = management.run(FEDERATION, check=True, **wanted)
    assert planned.changed
    assert management.writes() == []
    result = management.run(FEDERATION, **wanted)
    assert (result.changed, result.failures) == (True, [])
    assert calls(result.steps or []) == calls(planned.steps or [])
    mark = management.mark()
    again = management.run(FEDERATION, **wanted)
    assert (again.changed, management.writes(mark)) == (False, [])
    assert [step["cmdlet"] for step in result.steps or []].count("Grant-CsExternalAccessPolicy") == 2
    assert sorted(management.store.grants().values()) == ["Tag:XMPP users"] * 2
    assert list(management.store.partners()) == ["a.example"]
    found = management.run(FEDERATION_INFO)
    (policy,) = (one for one in found.values["policies"] if one["identity"] == "XMPP users")
    assert sorted(policy["granted_to"]) == [ANN, BELL]

    # Errors are those of a cmdlet that is not there; a restricted one is never given what it does not take.
    events = statements(management, 0)
    assert "Get-CsUser" in [event.cmdlet for event in events]
    wrong = {event.cmdlet for event in events if event.outcome == "error"}
    # The answer to the question what is offered has an error for each cmdlet that is not.
    assert wrong == {"Get-Command", *(["Select-Object"] if kind == "none" else [])}
    selected = [event.parameters["Property"] for event in events if event.cmdlet == "Select-Object"]
    assert any("ExternalAccessPolicy" in properties for properties in selected) == (kind == "whole")


def test_what_it_is_is_asked_once_a_session(management: Management) -> None:
    """For all cmdlets at once, so that the account's rights and the selection of properties are one question."""

    def asked(since: int) -> list[t.Any]:
        sent = [event for event in statements(management, since) if event.cmdlet == "Get-Command"]
        return [event.parameters["Name"] for event in sent]

    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    assert asked(0) == [[*sorted(KNOWN), "Select-Object"]]
    mark = management.mark()
    for _round in range(2):
        management.run(FEDERATION_INFO)
    assert asked(mark) == []
    management.session.close()
    other = Management(management.lab, target(management.lab, "fe01", "CONTOSO\\viewer", "Lab-viewer-1"))
    for _round in range(2):
        other.run(FEDERATION_INFO)
    assert asked(mark) == [[*sorted(KNOWN), "Select-Object"]]
    other.session.close()


@pytest.mark.parametrize("kind", ["restricted", "none"])
def test_after_a_selection_is_refused_whole_users_are_read(management: Management, kind: str) -> None:
    """It was the whole cmdlet when the session asked; nothing of a refused pipeline has run."""
    become(management, "whole")
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    assert not management.run(GRANT, policy="XMPP users", users=[ANN], exclusive=True).failures
    become(management, kind)
    mark = management.mark()
    result = management.run(GRANT, policy="XMPP users", users=[ANN, BELL], exclusive=True)
    assert not result.failures
    events = statements(management, mark)
    assert sum(e.cmdlet == "Get-CsUser" and "Filter" in e.parameters for e in events) == 1
    assert [event.outcome for event in events if event.cmdlet == "Select-Object"] == ["error"], "the only try"
    assert [step["cmdlet"] for step in result.steps or []] == ["Grant-CsExternalAccessPolicy"]
    assert len(management.store.grants()) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("filters", [True, False])
def test_of_users_of_real_size_what_is_wanted_is_kept(
    management: Management, monkeypatch: pytest.MonkeyPatch, kind: str, filters: bool
) -> None:
    """Whole objects travel where the server does not cut them; nobody else keeps them. Who has a policy is chosen by
    the server, where it takes the filter."""
    become(management, kind)
    management.store.set_setting("real_size_users", True)
    management.store.set_setting("user_filters", filters)
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    mark = management.mark()
    management.run(GRANT, policy="XMPP users", users=[ANN])
    named = [event.parameters for event in statements(management, mark) if event.cmdlet == "Get-CsUser"]
    assert {read.get("Identity") for read in named} == {ANN}, "who is named is read by name"
    mark = management.mark()
    decoded: list[str] = []
    deserialize = Serializer.deserialize

    def noted(self: t.Any, element: t.Any, *more: t.Any, **others: t.Any) -> t.Any:
        decoded.append(str(element))
        return deserialize(self, element, *more, **others)

    monkeypatch.setattr(Serializer, "deserialize", noted)
    found = management.run(FEDERATION_INFO)
    assert not [one for one in decoded if "SipAddress" in one], "pypsrp decodes what our own reader has read"
    (policy,) = (one for one in found.values["policies"] if one["identity"] == "XMPP users")
    assert policy["granted_to"] == [ANN]
    read = [event.parameters for event in statements(management, mark) if event.cmdlet == "Get-CsUser"]
    assert read == [{"Filter": HOLDERS}, *([] if filters else [{}])]
    answer = management.session.invoke([Statement(USERS, select=USER_PROPERTIES)])
    assert answer.errors == ()
    assert all(set(item) <= set(USER_PROPERTIES) for item in answer.output)


def test_certificates_are_read_whole(fresh_lab: Lab) -> None:
    """Whole, a certificate crosses the wire as its RawData alone, which tells everything but whether it has its key."""
    told = []
    for kind in ("whole", "restricted"):
        edge = edge_of(fresh_lab)
        become(edge, kind)
        mark = edge.mark()
        told.append(edge.run(INFO_TASK).values)
        edge.session.close()
        assert {event.cmdlet for event in statements(edge, mark) if event.outcome == "error"} == {"Get-Command"}
    assert told[0] == told[1]
    assert told[0]["certificates"]
