# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for an Edge is one value: what is sent, what is expected, and the way back are read from it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.apply import apply
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.delivery import of_bundle
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.edge import EdgeReader
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.listener import Listener
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.offer import Offer
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.plan import CertificatePlan, make_plan
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.wanted import SourceOptions, WantedCertificate
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.certificate import Bundle
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.renewal import RenewalRule

from tests.unit.certificates import NAMES, NOW, XMPP, EdgeShell, elliptic_key, intermediate, issue
from tests.unit.test_certificate_sequence import FORMER, QUICK, edge

OTHER = issue(issuer=intermediate(), key=elliptic_key(), days=150)
USAGES = ("AccessEdgeExternal", "XmppServer")


def plan_for(shell: EdgeShell, **more: t.Any) -> CertificatePlan:
    wanted = WantedCertificate(USAGES, NAMES, None, RenewalRule(), NOW, NOW, NOW, SourceOptions("pkcs12"), **more)
    reader = EdgeReader(shell)
    before = reader.read()
    return make_plan(wanted, Offer(of_bundle(Bundle(QUICK.certificate, QUICK.key), before, NOW)), reader, before)


def two_certificates() -> EdgeShell:
    """Each of the two usages has one of its own."""
    shell = edge()
    shell.store[OTHER.thumbprint] = (OTHER.der, True)
    shell.assigned["XmppServer"] = shell.presented = OTHER.thumbprint
    return shell


def test_it_is_a_value() -> None:
    shell = two_certificates()
    plan = plan_for(shell)
    assert shell.writes == []
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.switch.thumbprint = "x"  # type: ignore[misc]
    assert plan.steps == (*plan.sweep, *plan.delivery.steps, *plan.switch.steps, *plan.finish)


def test_what_is_expected_is_what_a_run_makes() -> None:
    shell = two_certificates()
    shell.files["C:\\Windows\\Temp\\sfb-xmpp-0123456789abcdef.pfx"] = b""
    plan = plan_for(shell, keep_former=3)
    outcome = apply(plan, EdgeReader(shell))
    assert outcome.log.failures == []
    assert [s.cmdlet for s in shell.writes] == [step.cmdlet for step in plan.steps]
    after = outcome.after
    assert after is not None
    assert after.shown(USAGES) == plan.expected.shown(USAGES)
    assert after.store.keys() == plan.expected.store.keys()


def test_the_way_back_is_in_it() -> None:
    """Each usage goes back to its own; the services are restarted once more."""
    plan = plan_for(two_certificates())
    back = {step.identity: step.parameters["Type"] for step in plan.switch.back.assign}
    assert back == {FORMER.thumbprint: ("AccessEdgeExternal",), OTHER.thumbprint: ("XmppServer",)}
    assert [restart.service.name for restart in plan.switch.back.restarts] == ["RTCSRV", XMPP]
    assert (plan.switch.back.complete, plan.switch.back.presents) == (True, OTHER.thumbprint)


def test_the_way_back_that_is_taken_is_the_planned_one() -> None:
    shell = two_certificates()

    def stubborn(*_where: t.Any) -> list[t.Any]:
        return [OTHER.certificate]  # whatever is assigned

    options = {"address": "192.0.2.1", "port": 5269, "domain": "contoso.test", "timeout": 0}
    plan = plan_for(shell, listener=Listener(options, stubborn))
    outcome = apply(plan, EdgeReader(shell))
    assert outcome.switched.went_back
    assert shell.assigned["XmppServer"] == OTHER.thumbprint
    assert shell.assigned["AccessEdgeExternal"] == FORMER.thumbprint
    back = plan.switch.back
    planned = [*back.assign, *(step for one in back.restarts for step in one.steps)]
    sent = [(s.cmdlet, s.parameters) for s in shell.writes][len(plan.steps) - 1 :]  # but for the mark's removal
    assert sent[: len(planned)] == [(step.cmdlet, step.parameters) for step in planned]


def test_a_usage_without_a_certificate_has_no_way_back() -> None:
    shell = edge()
    del shell.assigned["XmppServer"]
    back = plan_for(shell).switch.back
    assert ([step.identity for step in back.assign], back.complete) == ([FORMER.thumbprint], False)
