# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Binding: what PowerShell's parameter binder accepts, and the ids of what it refuses."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import (
    PSBool,
    PSByteArray,
    PSDict,
    PSInt,
    PSInt64,
    PSList,
    PSSecureString,
    PSString,
    PSUInt,
)

from lab.cmdlets.binding import ListModifier, bind
from lab.cmdlets.contract import PROFILES, load
from lab.cmdlets.objects import TlsNegotiation
from lab.cmdlets.table import HANDLERS
from lab.errors import BindingError

CMDLETS = load("sfb2015")


def bound(cmdlet: str, *positional: object, **named: object) -> dict[str, t.Any]:
    pairs = [(None, value) for value in positional] + list(named.items())
    return bind(CMDLETS[cmdlet.lower()], pairs).values


def refused(cmdlet: str, *positional: object, **named: object) -> str:
    with pytest.raises(BindingError) as caught:
        bound(cmdlet, *positional, **named)
    assert caught.value.exception.rpartition(".")[2] == (
        "ParameterBindingValidationException" if caught.value.category == "InvalidData" else "ParameterBindingException"
    )
    return caught.value.error_id


@pytest.mark.parametrize("profile", PROFILES)
def test_contract_and_handlers_name_the_same_cmdlets(profile: str) -> None:
    assert {c.name for c in load(profile).values()} == set(HANDLERS)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_set_is_reachable_and_every_choice_known(profile: str) -> None:
    plain = {
        "String", "Fqdn", "XdsIdentity", "XdsGlobalRelativeIdentity", "UserIdParameter", "OUIdParameter", "Guid",
        "Boolean", "SwitchParameter", "Int32", "Int64", "UInt16", "UInt32", "Unlimited<UInt32>", "PSListModifier",
        "DateTime", "PSObject", "NTService", "CertificateReference", "PSCredential", "Object",
    }  # fmt: skip
    for cmdlet in load(profile).values():
        for parameter in cmdlet.parameters.values():
            assert parameter.choices or parameter.type.removesuffix("[]") in plain, (cmdlet.name, parameter.name)
            assert set(parameter.sets) <= set(cmdlet.sets)


def test_names_compare_without_case_and_may_be_abbreviated() -> None:
    assert bound("Set-CsXmppAllowedPartner", identity="a", TLSNEG="optional") == {
        "Identity": "a",
        "TlsNegotiation": "Optional",
    }
    assert bound("Remove-CsXmppAllowedPartner", Identity="a", cf=False, wi=True) == {
        "Identity": "a",
        "Confirm": False,
        "WhatIf": True,
    }


def test_names_may_carry_the_dash_and_the_colon() -> None:
    assert bind(CMDLETS["remove-csxmppallowedpartner"], [("-Identity", "a"), ("-Confirm:", False)]).values == {
        "Identity": "a",
        "Confirm": False,
    }


@pytest.mark.parametrize(
    ("expected", "cmdlet", "named"),
    [
        ("NamedParameterNotFound", "Get-CsXmppAllowedPartner", {"Domain": "a"}),
        ("NamedParameterNotFound", "Set-CsExternalAccessPolicy", {"EnableTeamsConsumerAccess": True}),
        ("NamedParameterNotFound", "Set-CsExternalAccessPolicy", {"EnableAcsFederationAccess": True}),
        ("NamedParameterNotFound", "Grant-CsExternalAccessPolicy", {"Identity": "a", "Group": "g"}),
        ("AmbiguousParameter", "Set-CsExternalAccessPolicy", {"Enable": True}),
        ("MissingMandatoryParameter", "New-CsXmppAllowedPartner", {"Description": "x"}),
        ("MissingMandatoryParameter", "Remove-CsExternalAccessPolicy", {}),
        ("MissingMandatoryParameter", "Set-CsAccessEdgeConfiguration", {"UseDnsSrvRouting": True}),
        ("AmbiguousParameterSet", "New-CsXmppAllowedPartner", {"Identity": "a", "Domain": "a"}),
        ("AmbiguousParameterSet", "Get-CsXmppAllowedPartner", {"Identity": "a", "Filter": "*"}),
        ("AmbiguousParameterSet", "Set-CsAccessEdgeConfiguration", {"Identity": "global", "UseDnsSrvRouting": True}),
        ("AmbiguousParameterSet", "Get-CsService", {"EdgeServer": True, "Registrar": True}),
        ("ParameterAlreadyBound", "Set-CsExternalAccessPolicy", {"Description": "a", "Desc": "b"}),
        ("CannotConvertArgument", "Set-CsExternalAccessPolicy", {"EnableXmppAccess": PSString("True")}),
        ("CannotConvertArgument", "Set-CsXmppAllowedPartner", {"Force": "true"}),
        ("CannotConvertArgumentNoMessage", "Set-CsXmppAllowedPartner", {"TlsNegotiation": "Maybe"}),
        ("CannotConvertArgumentNoMessage", "Set-CsXmppAllowedPartner", {"TlsNegotiation": PSInt(9)}),
        ("CannotConvertArgumentNoMessage", "Get-Command", {"CommandType": PSInt(1)}),
        ("CannotConvertArgumentNoMessage", "Set-CsExternalAccessPolicy", {"ErrorAction": "S"}),
        ("CannotConvertArgument", "Set-CsXmppAllowedPartner", {"Description": PSList(["a"])}),
        ("CannotConvertArgumentNoMessage", "Set-CsXmppAllowedPartner", {"Description": PSDict({"a": 1})}),
        ("CannotConvertArgumentNoMessage", "Set-CsXmppAllowedPartner", {"AdditionalDomains": PSDict({"Plus": "a"})}),
        ("CannotConvertArgumentNoMessage", "Set-CsXmppAllowedPartner", {"AdditionalDomains": PSInt(1)}),
        ("CannotConvertArgumentNoMessage", "Import-CsCertificate", {"Path": "C:\\x", "Password": PSSecureString("a")}),
        ("CannotConvertArgumentNoMessage", "Set-CsCertificate", {"Thumbprint": "a", "Type": "Sip"}),
        ("CannotConvertArgumentNoMessage", "Get-CsUser", {"DomainController": "not a name"}),
        ("CannotConvertArgumentNoMessage", "New-CsExternalAccessPolicy", {"Identity": "a", "Tenant": "x"}),
        ("ParameterArgumentValidationErrorNullNotAllowed", "Remove-CsXmppAllowedPartner", {"Identity": None}),
        ("ParameterArgumentValidationErrorNullNotAllowed", "Set-CsExternalAccessPolicy", {"EnableXmppAccess": None}),
        ("ParameterArgumentValidationErrorNullNotAllowed", "Set-CsXmppAllowedPartner", {"ConnectionLimit": None}),
        ("CannotConvertArgumentNoMessage", "Remove-CsXmppAllowedPartner", {"Identity": ""}),
        ("ParameterArgumentValidationErrorEmptyStringNotAllowed", "Get-Item", {"Path": ""}),
        ("ParameterArgumentValidationErrorEmptyArrayNotAllowed", "Get-Item", {"Path": PSList()}),
        (
            "ParameterArgumentValidationError",
            "Set-CsAccessEdgeConfiguration",
            {"OutgoingTlsCountForFederatedPartners": PSUInt(5)},
        ),
        ("LabNotSimulated", "Get-CsUser", {"OU": "OU=Staff,DC=contoso,DC=test"}),
    ],
)
def test_refusals(expected: str, cmdlet: str, named: dict[str, object]) -> None:
    assert refused(cmdlet, **named) == expected


def test_positional_arguments() -> None:
    assert bound("Grant-CsExternalAccessPolicy", "sip:a@b", "Policy") == {
        "Identity": "sip:a@b",
        "PolicyName": "Policy",
    }
    assert bound("Grant-CsExternalAccessPolicy", "Policy", Identity="u")["PolicyName"] == "Policy"
    assert refused("Get-CsXmppAllowedPartner", "a", "b") == "PositionalParameterNotFound"
    assert refused("New-CsXmppAllowedPartner", "b", Domain="a") == "PositionalParameterNotFound"


def test_a_switch_without_a_value_travels_as_null() -> None:
    assert bound("Get-CsXmppAllowedPartner", LocalStore=None) == {"LocalStore": True}


def test_booleans_take_numbers_but_no_texts() -> None:
    assert bound("Set-CsExternalAccessPolicy", EnableXmppAccess=PSInt(0)) == {"EnableXmppAccess": False}
    assert bound("Set-CsExternalAccessPolicy", EnableXmppAccess=PSBool(True)) == {"EnableXmppAccess": True}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (PSInt(5), 5), (PSInt64(5), 5), (PSString("5"), 5), ("0x10", 16), (" 7 ", 7), ("", 0), (True, 1), (2.5, 2),
        ("1e3", 1000), (PSUInt(2**32 - 1), 2**32 - 1),
    ],
)  # fmt: skip
def test_numbers_convert(value: object, number: int) -> None:
    assert bound("Set-CsXmppAllowedPartner", ConnectionLimit=value) == {"ConnectionLimit": number}


@pytest.mark.parametrize("value", ["many", "-1", PSInt(-1), "0x1FFFFFFFF", 2**32, PSList([1]), "NaN"])
def test_what_is_no_number_of_the_type_is_refused(value: object) -> None:
    assert refused("Set-CsXmppAllowedPartner", ConnectionLimit=value) == "CannotConvertArgumentNoMessage"


@pytest.mark.parametrize("value", ["Opt", "optional", PSInt(1), "1", TlsNegotiation.Optional])
def test_an_enumeration_takes_prefixes_and_numbers(value: object) -> None:
    assert bound("Set-CsXmppAllowedPartner", TlsNegotiation=value) == {"TlsNegotiation": "Optional"}


def test_what_the_pipeline_may_bring_is_not_missing_yet() -> None:
    remove = CMDLETS["remove-csxmppallowedpartner"]
    assert bind(remove, [("Confirm", False)], piped=True).values == {"Confirm": False}
    with pytest.raises(BindingError, match="Identity"):
        bind(remove, [("Confirm", False)])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ListModifier()),
        ("a", ListModifier(replace=("a",))),
        (PSList(["a", "b"]), ListModifier(replace=("a", "b"))),
        (PSDict({"Add": "a"}), ListModifier(add=("a",))),
        (PSDict({"add": PSList(["a", "b"]), "REMOVE": ["c"]}), ListModifier(add=("a", "b"), remove=("c",))),
        (PSDict({"Replace": []}), ListModifier(replace=())),
        (PSDict(), ListModifier(untouched=True)),
        (PSDict({"Add": "a", "Replace": "b"}), ListModifier(add=("a",), replace=("b",))),
    ],
)
def test_list_modifiers(value: object, expected: ListModifier) -> None:
    assert bound("New-CsXmppAllowedPartner", Identity="x", AdditionalDomains=value)["AdditionalDomains"] == expected


def test_parameters_depend_on_the_profile() -> None:
    limit = [("DnsSrvCacheRecordCount", PSUInt(1))]
    assert bind(load("sfb2015")["set-csaccessedgeconfiguration"], limit).values == {"DnsSrvCacheRecordCount": 1}
    with pytest.raises(BindingError, match="DnsSrvCacheRecordCount"):
        bind(load("lync2013")["set-csaccessedgeconfiguration"], limit)
    grant = [("Identity", "u")]
    assert bind(load("sfb2015")["grant-csexternalaccesspolicy"], grant).values == {"Identity": "u"}
    with pytest.raises(BindingError, match="PolicyName"):
        bind(load("lync2013")["grant-csexternalaccesspolicy"], grant)
    assert bind(load("lync2013")["grant-csexternalaccesspolicy"], [*grant, ("PolicyName", None)]).values == {
        "Identity": "u",
        "PolicyName": None,
    }


def test_bytes_stay_bytes_and_a_single_text_becomes_an_array() -> None:
    value = bound("Set-Content", Path="C:\\x", Value=PSByteArray(b"\x00\xff"), Encoding="byte")
    assert value == {"Path": ("C:\\x",), "Value": b"\x00\xff", "Encoding": "Byte"}


def test_no_message_of_a_conversion_shows_the_value() -> None:
    with pytest.raises(BindingError) as caught:
        bound("Set-CsXmppGatewayConfiguration", DialbackPassphrase=PSList(["hunter2"]))
    assert "hunter2" not in caught.value.message
    with pytest.raises(BindingError) as caught:
        bound("Get-CsXmppGatewayConfiguration", "global", "hunter2")
    assert "hunter2" not in caught.value.message


@given(st.text(max_size=50))
def test_texts_are_taken_verbatim(text: str) -> None:
    assert bound("Set-CsXmppAllowedPartner", Identity="a", Description=PSString(text))["Description"] == text
