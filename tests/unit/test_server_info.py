# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server as it was reached: what was asked for, what is not known and why, and the typed value of the result."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._server.server import PARTS, Server, Unobserved, server_of
from ansible_collections.sfb.xmpp.plugins.module_utils._server.tasks import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import KNOWN, LIST
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, ServerError, Statement

from tests.unit import certificates


class Host(certificates.EdgeShell):
    """An Edge that says which cmdlets it offers. requests: the cmdlets of each."""

    place = Place(host="edge01", deployment="contoso")

    def __init__(self, *hidden: str, **fields: t.Any) -> None:
        super().__init__(**fields)
        self.hidden = set(hidden)
        self.requests: list[list[str]] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        cmdlets = [statement.cmdlet for statement in statements]
        if cmdlets != [LIST] or cmdlets not in self.requests:  # a session keeps the answer
            self.requests.append(cmdlets)
        if self.dead or cmdlets != [LIST]:
            return super().invoke(statements)
        names = t.cast("tuple[str, ...]", statements[0].parameters["Name"])
        hidden = [name for name in names if name in self.hidden]
        unknown = [ServerError(LIST, "CommandNotFoundException", "", "no", name) for name in hidden]
        return Answer(tuple({"Name": name} for name in names if name not in hidden), tuple(unknown))


def read(host: Host, *gather: str) -> Server:
    """The typed value, by way of JSON, as from another program."""
    result = TASK.work({"gather": list(gather)}, host, False)
    assert (result.changed, result.steps) == (False, None)
    return server_of(json.loads(json.dumps(result.values)))


def edge(*hidden: str, **fields: t.Any) -> tuple[Host, certificates.Issued]:
    one = certificates.issue()
    assigned = {"XmppServer": one.thumbprint, "AccessEdgeExternal": one.thumbprint, "DataEdgeExternal": "A" * 40}
    return Host(*hidden, store={one.thumbprint: (one.der, True)}, assigned=assigned, **fields), one


def test_everything_that_is_asked_for_is_read_once() -> None:
    host, one = edge(clock_ahead=datetime.timedelta(minutes=7))
    found = read(host, *PARTS)
    assert (found.host, found.deployment, found.reached, found.reason) == ("edge01", "contoso", True, "")
    assert found.cmdlets == tuple(sorted(KNOWN))
    assert found.product is not None
    assert (found.product.version, found.product.release) == ("6.0.9319.0", "2015")
    assert found.clock_ahead == pytest.approx(420, abs=5)
    assert {(service.name, service.status) for service in found.services or () if service.xmpp} == {
        (name, "running") for name, text in certificates.SERVICES.items() if "XMPP" in text.upper()
    }
    first, second = sorted(found.certificates or (), key=lambda other: other.thumbprint != one.thumbprint)
    assert (first.thumbprint, first.usages) == (one.thumbprint, ("AccessEdgeExternal", "XmppServer"))
    assert (first.names[0], first.has_key) == (certificates.NAMES[0], True)
    assert (second.usages, second.subject, second.names) == (("DataEdgeExternal",), None, ())
    assert found.unobserved == ()
    assert host.requests == [
        [LIST], ["Get-Date"], ["Get-CsServerVersion", "Get-CsWindowsService", "Get-CsCertificate", "Get-ChildItem"],
    ]  # fmt: skip


def test_what_is_not_asked_for_is_not_sent_and_is_null() -> None:
    host, _one = edge()
    assert read(host) == Server("edge01", "contoso", True)
    assert host.requests == [[LIST]]
    host, _one = edge()
    found = read(host, "services")
    assert found.services
    assert (found.product, found.certificates, found.clock_ahead, found.cmdlets) == (None, None, None, None)
    assert host.requests[1:] == [["Get-CsWindowsService"]]


def test_what_the_session_does_not_offer_is_null_with_its_reason_and_not_sent() -> None:
    """As a Front End's remote shell, which has no cmdlet of the computer."""
    host, _one = edge("Get-CsServerVersion", "Get-CsCertificate", "Get-ChildItem")
    found = read(host, "product", "services", "certificates", "cmdlets")
    assert found.services is not None
    assert (found.product, found.certificates) == (None, None)
    assert {one.part: one.reason for one in found.unobserved} == dict.fromkeys(
        ("product", "certificates"), "the session does not offer the cmdlet"
    )
    assert "Get-CsCertificate" not in (found.cmdlets or ())
    assert host.requests[1:] == [["Get-CsWindowsService"]]


def test_a_session_that_does_not_offer_the_time_is_not_asked_for_it() -> None:
    host, _one = edge("Get-Date")
    found = read(host, "clock")
    assert (found.clock_ahead, [one.part for one in found.unobserved]) == (None, ["clock"])
    assert host.requests == [[LIST]]


def test_an_error_of_one_part_leaves_the_others() -> None:
    class Denied(Host):
        def _get_cscertificate(self) -> list[t.Any]:
            raise LookupError("access denied")

    found = read(Denied(), "certificates", "product")
    assert found.unobserved == (Unobserved("certificates", "access denied"),)
    assert found.product is not None


def test_a_server_that_cannot_be_reached_is_a_result() -> None:
    host, _one = edge(dead=True)
    found = read(host, *PARTS)
    assert (found.reached, found.reason) == (False, "the Edge cannot be reached")
    assert found == Server("edge01", "contoso", False, "the Edge cannot be reached")


def test_an_object_of_another_form_is_an_error() -> None:
    class Odd(Host):
        def _get_cswindowsservice(self) -> list[t.Any]:
            return [{"Nothing": "known"}]

    with pytest.raises(ServerRefused, match="an object that belongs to no cmdlet"):
        read(Odd(), "services")


@pytest.mark.parametrize(
    ("text", "version", "release"),
    [
        ("Microsoft Lync Server 2013 (5.0.8308.0): Volume license key installed.", "5.0.8308.0", "2013"),
        ("Skype for Business Server 2019 (7.0.2046.0)", "7.0.2046.0", "2019"),
        ("Skype for Business Server", None, None),
    ],
)
def test_product_and_release(text: str, version: str | None, release: str | None) -> None:
    product = read(Host(version=text), "product").product
    assert product is not None
    assert (product.text, product.version, product.release) == (text, version, release)


RIGHT = Server("edge01", "contoso", True).as_dict()


@pytest.mark.parametrize(
    "changed",
    [
        {"form": 2}, {"form": None}, {"reached": "yes"}, {"host": None}, {"services": [{"name": "x"}]},
        {"clock_ahead": "soon"}, {"certificates": 5},
    ],
)  # fmt: skip
def test_a_result_of_another_form_is_refused(changed: dict[str, t.Any]) -> None:
    with pytest.raises(Refused, match="form"):
        server_of({**RIGHT, **changed})
    without = {name: value for name, value in RIGHT.items() if name not in changed}
    with pytest.raises(Refused):
        server_of(without)
