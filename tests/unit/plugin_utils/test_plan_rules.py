# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for plans of docs/automation, as they stand, on real plan files."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import task_with
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.notes import without_notes
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import federation_of
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ServerError

from tests.unit.module_utils.memory_shell import TOPOLOGY, MemoryShell
from tests.unit.module_utils.states import run, user

DOCS = Path(__file__).resolve().parents[3] / "docs"
RULES = DOCS / "automation" / "plan-rules.json"
GUIDE = (DOCS / "docsite" / "rst" / "guide_automation.rst").read_text("utf-8")
STRICT = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
OPTIONAL = {**STRICT, "tls_negotiation": "optional"}
POLICY = {"identity": "Xmpp", "enable_federation_access": True, "enable_xmpp_access": True}


@pytest.fixture(autouse=True)
def second_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool in another site than that of the lab's."""
    there = "fe11.contoso.com"
    more: dict[str, list[t.Any]] = {
        "CsPool": [{"Fqdn": there, "Site": "Site:Dublin", "Computers": [there]}],
        "CsService": [{"PoolFqdn": there, "Role": role, "Version": 7} for role in ("Registrar", "UserServer")],
    }
    for noun, items in more.items():
        monkeypatch.setitem(TOPOLOGY, noun, [*TOPOLOGY[noun], *items])


def server() -> MemoryShell:
    shell = MemoryShell()
    shell.put("CsExternalAccessPolicy", "Tag:Former", {"EnableFederationAccess": True})
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True, "AllowOutsideUsers": True})
    homes = {"ann": "fe01.contoso.com", "bob": "fe11.contoso.com", "cid": "fe11.contoso.com"}
    shell.users = [{**user(name, "Former" if name == "cid" else None), "RegistrarPool": homes[name]} for name in homes]
    return shell


def plan(path: Path, shell: MemoryShell, partners: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """As the action does it, which declares before the notes are left out."""
    policies = [{**POLICY, "granted_to": more.pop("granted_to", ["sip:ann@contoso.test"])}]
    given = {"partners": partners, "policies": policies, **more}
    task = task_with(federation_of(given))
    without = [without_notes(one) for one in partners] if partners else None
    run(task, shell, check=True, plan_file=str(path), allow_replaced_policies=True, **{**given, "partners": without})
    return t.cast("dict[str, t.Any]", json.loads(path.read_text("utf-8")))


def broken(found: dict[str, t.Any]) -> list[str]:
    """The rules that a plan breaks."""
    rules = json.loads(RULES.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(rules)
    errors = jsonschema.Draft202012Validator(rules).iter_errors(found)
    return ["%s: %s" % (error.json_path, error.message) for error in errors]


def partner(**more: t.Any) -> dict[str, t.Any]:
    return {"domain": "a.test", "partner_type": "federated", **STRICT, **more}


UNVERIFIED = partner(partner_type="public_unverified", ticket="")


def test_a_good_plan(tmp_path: Path) -> None:
    noted = partner(domain="b.test", partner_type="public_unverified", ticket=4711, contact="ines", x_note="of our own")
    found = plan(tmp_path / "plan.json", server(), [partner(), noted])
    assert broken(found) == []
    assert [(one["domain"], one["declared"], one["notes"]) for one in found["partners"]] == [
        ("a.test", True, {}),
        ("b.test", True, {"ticket": "4711", "contact": "ines"}),
    ]
    grant = {"policy": "Xmpp", "former": None, "pool": "fe01.contoso.com", "site": "Redmond"}
    assert found["grants"] == [{"user": "sip:ann@contoso.test", **grant}]


@pytest.mark.parametrize(
    ("partners", "users", "rule"),
    [
        ([partner(**OPTIONAL)], ["ann"], "$.partners[0].tls_negotiation: 'required' was expected"),
        ([partner(partner_type="public_unverified")], ["ann"], "$.partners[0].notes: 'ticket' is a required property"),
        ([UNVERIFIED], ["ann"], "$.partners[0].notes: 'ticket' is a required property"),
        ([partner()], ["ann", "bob"], "$.grants[1].site: 'Redmond' was expected"),
    ],
)
def test_a_plan_that_breaks_a_rule(tmp_path: Path, partners: t.Any, users: list[str], rule: str) -> None:
    given = ["sip:%s@contoso.test" % name for name in users]
    assert broken(plan(tmp_path / "plan.json", server(), partners, granted_to=given)) == [rule]


def test_what_the_plan_leaves_as_it_is(tmp_path: Path) -> None:
    """A partner that nobody declared, and a declared one that needs no step."""
    shell = server()
    for domain in ("grown.test", "kept.test"):
        negotiation = {"TlsNegotiation": "Optional", "SaslNegotiation": "Optional"}
        shell.put("CsXmppAllowedPartner", domain, {**negotiation, "PartnerType": "Federated"})
    found = plan(tmp_path / "plan.json", shell, [{"domain": "kept.test"}])
    assert [(one["domain"], one["declared"]) for one in found["partners"]] == [
        ("grown.test", False),
        ("kept.test", True),
    ]
    assert {step["identity"] for step in found["steps"]} == {"Xmpp", "sip:ann@contoso.test"}
    assert [rule.partition(": ")[0] for rule in broken(found)] == [
        "$.partners[0].tls_negotiation",
        "$.partners[1].tls_negotiation",
    ]


def test_who_only_loses_a_policy_may_be_anywhere(tmp_path: Path) -> None:
    withdrawn: dict[str, t.Any] = {"policies": [{"identity": "Former", "granted_to": []}], "exclusive_grants": True}
    found = plan(tmp_path / "plan.json", server(), [partner()], **withdrawn, allow_loss=["federation_access"])
    assert [(one["policy"], one["former"], one["site"]) for one in found["grants"]] == [(None, "Former", "Dublin")]
    assert broken(found) == []


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    shell, path = server(), tmp_path / "plan.json"
    error = ServerError("Get-CsPool", "CommandNotFoundException", "ObjectNotFound", "is not recognized")
    shell.fault = lambda statement: error if statement.cmdlet == "Get-CsPool" else None
    found = plan(path, shell, [partner()])
    assert [(one["pool"], one["site"]) for one in found["grants"]] == [("fe01.contoso.com", None)]
    assert broken(found) == ["$.grants[0].site: 'Redmond' was expected"]
    found = plan(path, server(), None)
    assert found["partners"] is None
    assert broken(found) == ["$.partners: None is not of type 'array'"]


@pytest.mark.skipif(not (Path(sys.executable).parent / "check-jsonschema").exists(), reason="no check-jsonschema")
def test_the_command_of_the_guide(tmp_path: Path) -> None:
    """It prints what the guide shows."""
    partners = [partner(), partner(domain="b.test", **OPTIONAL), {**UNVERIFIED, "domain": "c.test"}]
    plan(tmp_path / "plan.json", server(), partners, granted_to=["sip:bob@contoso.test"])
    plan(tmp_path / "good.json", server(), [partner()])
    shutil.copy(RULES, tmp_path)
    (line,) = re.findall(r"\$ (check-jsonschema .*)", GUIDE)
    program = Path(sys.executable).parent
    shown = textwrap.dedent(re.findall(r"\.\. code-block:: text\n\n((?:   .*\n)+)", GUIDE)[-1])
    for name, code, text in (("plan.json", 1, shown), ("good.json", 0, "ok -- validation done\n")):
        command = [str(program / word) if word == "check-jsonschema" else word for word in shlex.split(line)]
        command[-1] = name
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (code, text)
