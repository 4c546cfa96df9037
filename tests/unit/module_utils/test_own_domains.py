# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The own domains: how they are read, and which of them partners may address."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.own_domains import own_domains, read_sip_domains
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Statement

EDGE = "access.contoso.com"


class Server:
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        assert [(one.cmdlet, dict(one.parameters)) for one in statements] == [("Get-CsSipDomain", {})]
        return self.answer


def test_the_default_domain_comes_first() -> None:
    objects = [
        {"Identity": "a.com", "Name": "A.com", "IsDefault": False},
        {"Identity": "b.com", "Name": "bücher.example", "IsDefault": True},
    ]
    assert read_sip_domains(Server(Answer(tuple(objects)))) == ["xn--bcher-kva.example", "a.com"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(), "no object came back"),
        (Answer(lost="reset"), "reset"),
        (Answer(errors=(ServerError("Get-CsSipDomain", "X", "ObjectNotFound", "is not recognized"),)), "recognized"),
        (Answer(({"Identity": "a.com", "IsDefault": True},)), "no Name"),
        (Answer(({"Name": ["a.com"]},)), "no Name"),
        (Answer(("a.com",)), "no Name"),
    ],
)
def test_what_is_no_list_of_domains_is_an_error(answer: Answer, told: str) -> None:
    with pytest.raises(ServerRefused, match=told):
        read_sip_domains(Server(answer))


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
