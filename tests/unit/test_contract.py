# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's list of fields against the lab's transcription of the cmdlet pages.

The two are written independently, so a name that is wrong in one of them shows here.
"""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource

from lab.cmdlets import contract

TYPES = {
    "Text": "String",
    "SecretText": "String",
    "Domain": "String",
    "EdgePoolName": "String",
    "Switch": "Boolean",
    "Number": "UInt32",
    "Domains": "PSListModifier",
}


def verbs(resource: Resource) -> list[str]:
    return ["Set"] if resource.single or resource.fixed else ["New", "Set"]


@pytest.mark.parametrize("profile", contract.PROFILES)
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.noun)
def test_every_field_is_a_documented_parameter_of_its_type(resource: Resource, profile: str) -> None:
    cmdlets = contract.load(profile)
    for verb in verbs(resource):
        cmdlet = cmdlets["%s-%s" % (verb.lower(), resource.noun.lower())]
        for field in resource.fields:
            assert field.prop in cmdlet.parameters, (cmdlet.name, field.prop)
            parameter = cmdlet.parameters[field.prop]
            words = getattr(field.kind, "words", None)
            if words is None:
                assert parameter.type == TYPES[type(field.kind).__name__], field.prop
            else:
                assert tuple(words.values()) == parameter.choices, field.prop
            assert parameter.is_in("Identity"), field.prop
        assert "Identity" in cmdlet.parameters
        assert "Confirm" in cmdlet.parameters


@pytest.mark.parametrize("profile", contract.PROFILES)
@pytest.mark.parametrize(
    "resource", [r for r in RESOURCES if not r.single and not r.fixed], ids=lambda resource: resource.noun
)
def test_every_managed_property_of_new_is_in_the_catalogue(resource: Resource, profile: str) -> None:
    cmdlet = contract.load(profile)["new-" + resource.noun.lower()]
    common = set(contract.load(profile)["get-date"].parameters) | {"WhatIf", "Confirm"}
    # Identity and Domain are the key; the rest steers the call and is no property of the object.
    steering = {"Identity", "Domain", "Force", "InMemory", "Tenant"}
    assert set(cmdlet.parameters) - common - steering == {field.prop for field in resource.fields}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.single], ids=lambda resource: resource.noun)
def test_switches_of_the_identity_set_are_in_the_catalogue(resource: Resource) -> None:
    cmdlet = contract.load("sfb2015")["set-" + resource.noun.lower()]
    switches = {p.name for p in cmdlet.parameters.values() if p.type == "Boolean" and p.is_in("Identity")}
    assert switches == {field.prop for field in resource.fields if type(field.kind).__name__ == "Switch"}


@pytest.mark.parametrize("profile", contract.PROFILES)
def test_every_cmdlet_that_is_called_exists(profile: str) -> None:
    cmdlets = contract.load(profile)
    called = [
        "%s-%s" % (v, r.noun)
        for r in RESOURCES
        for v in ("Get", *verbs(r), *(() if r.single or r.fixed else ("Remove",)))
    ]
    for name in [*called, "Get-CsUser", "Get-CsEffectivePolicy", "Grant-CsExternalAccessPolicy"]:
        assert name.lower() in cmdlets, name
