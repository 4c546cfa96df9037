# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan file has the documented form."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import jsonschema
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.notes import NOTES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.plan_file import FORM

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run, user

TOP = Path(__file__).resolve().parents[3]
SCHEMA: dict[str, t.Any] = json.loads((TOP / "docs" / "schema" / "plan.json").read_text("utf-8"))
FULL = {"enable_federation_access": True, "enable_xmpp_access": True}


def plan(directory: Path, **partner: t.Any) -> dict[str, t.Any]:
    shell = MemoryShell()
    shell.put("CsXmppAllowedPartner", "old.test", {})
    shell.put("CsXmppGatewayConfiguration", "Global", {"DialbackPassphrase": "old"})
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True, "AllowOutsideUsers": True})
    shell.put("CsExternalAccessPolicy", "Global", {"EnableFederationAccess": True, "EnableXmppAccess": True})
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "EdgeServer:edge.contoso.com"})
    shell.users = [{**user("ann"), "RegistrarPool": "fe01.contoso.com", "Enabled": True}]
    path = directory / "plan.json"
    run(
        TASK, shell, check=True, plan_file=str(path), force=True, partners_purge=True,
        partners=[{"domain": "a.test", "partner_type": "federated", **partner}],
        policies=[{"identity": "New", **FULL}], gateway={"dialback_passphrase": "new"},
    )  # fmt: skip
    return t.cast("dict[str, t.Any]", json.loads(path.read_text("utf-8")))


def test_a_plan_file_has_the_documented_form(tmp_path: Path) -> None:
    assert SCHEMA["properties"]["form"]["const"] == FORM
    found = plan(tmp_path, tls_negotiation="required", sasl_negotiation="optional", support_dialback_negotiation=True)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [error.message for error in validator.iter_errors(found)] == []
    assert set(found) == set(SCHEMA["properties"]), "every key is documented"
    assert [one["names"] for one in found["impact"]["groups"]] == [["sip:ann@contoso.test"]] * 2
    assert list(validator.iter_errors({**found, "form": FORM + 1}))
    options = {field.option for field in PARTNER.fields}
    partners = SCHEMA["properties"]["partners"]["items"]
    assert set(partners["properties"]) == {"domain", *options, "declared", "notes"} == set(partners["required"])
    assert set(partners["properties"]["notes"]["properties"]) == set(NOTES)
