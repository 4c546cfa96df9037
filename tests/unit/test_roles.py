# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles' argument specs, defaults, tasks and READMEs agree with each other and with the modules' options."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import tasks as _certificate_tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import grant as _grant
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import configuration, plural
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import im_test as _im_test
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import tasks as _probe_task
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.findings import VERDICTS

TOP = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (TOP / "roles").iterdir())
GRANTED_TO = {"granted_to": {"type": "list", "elements": "str"}}

Spec = t.Mapping[str, t.Any]

# Role parameter -> the module option that it is passed to. `stage` and `plan_digest` are the roles' own affair.
POLICIES = plural(POLICY).argument_spec
PARTNERS = plural(PARTNER).argument_spec
GRANT = _grant.ARGUMENT_SPEC
PROBE = _probe_task.ARGUMENT_SPEC
CERTIFICATE = _certificate_tasks.TASK.argument_spec
# What concerns the run and not the certificate has parameters of its own.
OF_THE_INVENTORY = {name: spec for name, spec in CERTIFICATE.items() if name not in ("phase", "pool_size")}


def settings(resource: Resource) -> Spec:
    return {name: spec for name, spec in configuration(resource).argument_spec.items() if name != "plan_digest"}


PARAMETERS: dict[str, dict[str, Spec]] = {
    "access_policies": {
        "access_policies_policies": {**POLICIES["policies"], "options": {**POLICY.spec(), **GRANTED_TO}},
        "access_policies_purge": POLICIES["purge"],
        "access_policies_protect": POLICIES["protect"],
        "access_policies_removal_limit": POLICIES["removal_limit"],
        "access_policies_update_limit": POLICIES["update_limit"],
        "access_policies_purge_also": POLICIES["purge_also"],
        "access_policies_exclusive": GRANT["exclusive"],
        "access_policies_allow_loss": POLICIES["allow_loss"],
        "access_policies_force": POLICIES["force"],
        "access_policies_protected_accounts": GRANT["protected_accounts"],
        "access_policies_domain_controller": GRANT["domain_controller"],
    },
    "federated_partners": {
        "federated_partners_" + name: spec for name, spec in PARTNERS.items() if name not in ("stage", "plan_digest")
    },
    "gateway_settings": {
        "gateway_settings_gateway": {"type": "dict", "options": settings(GATEWAY)},
        "gateway_settings_access_edge": {"type": "dict", "options": settings(ACCESS_EDGE)},
    },
    "gateway_certificate": {
        "gateway_certificate_certificate": {"type": "dict", "options": OF_THE_INVENTORY},
        "gateway_certificate_phase": CERTIFICATE["phase"],
        "gateway_certificate_switch": {"type": "str", "choices": ["window", "converge"], "default": "converge"},
        "gateway_certificate_pool_size": {"type": "int", "default": 0},
        **{"gateway_certificate_" + name: {"type": "path", "default": ""} for name in ("hook", "drain", "restore")},
    },
    "verification": {
        **{"verification_" + name: spec for name, spec in PROBE.items() if name not in ("domains", "certificate")},
        # Ansible would require the path of the empty default as well.
        "verification_certificate": {
            **PROBE["certificate"],
            "options": {**PROBE["certificate"]["options"], "path": {"type": "path"}},
        },
        "verification_certificate_names": {"type": "list", "elements": "str"},
        "verification_fail_on": {
            "type": "list",
            "elements": "str",
            "choices": list(VERDICTS),
            "default": ["failed"],
        },
        "verification_messages": {"type": "list", "elements": "dict", "options": _im_test.ARGUMENT_SPEC},
    },
}
# What converge has no part in.
APART = {"verification"}
# What a module requires or leaves open, and a role has a value for: nothing to do.
NOTHING: dict[str, t.Any] = {"list": [], "dict": {}, "str": "", "path": ""}

# Each task's module -> the options that it has to pass, or deliberately does not.
MODULES: dict[str, Spec] = {
    "external_access_policies": POLICIES,
    "external_access_policy_grant": GRANT,
    "xmpp_federated_partners": PARTNERS,
    "xmpp_gateway_configuration": configuration(GATEWAY).argument_spec,
    "access_edge_configuration": configuration(ACCESS_EDGE).argument_spec,
    "xmpp_gateway_cert": CERTIFICATE,
    "xmpp_partner_probe": PROBE,
    "xmpp_im_test": _im_test.ARGUMENT_SPEC,
    "xmpp_topology_info": {},
}
NOT_PASSED = {
    "external_access_policies": {"stage"},
    "xmpp_federated_partners": {"stage"},
    "external_access_policy_grant": {"state"},
}


def load(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text("utf-8"))


def entry_points(role: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = load(TOP / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    return found


def tasks(role: str) -> list[tuple[Path, dict[str, t.Any]]]:
    return [(path, task) for path in sorted((TOP / "roles" / role / "tasks").glob("*.yml")) for task in load(path)]


def without_words(spec: Spec) -> dict[str, t.Any]:
    """A spec in the form in which it can be compared: no descriptions, nothing that only repeats a default."""
    dull = {"required": False, "no_log": False}
    found = {
        name: value
        for name, value in spec.items()
        if name not in ("description", "options") and (name not in dull or dull[name] != value) and value is not None
    }
    if "options" in spec:
        found["options"] = {name: without_words(option) for name, option in spec["options"].items()}
    return found


def as_role_parameter(option: Spec) -> dict[str, t.Any]:
    """A module's option as a role has it: never required, always with a default."""
    spec = without_words(option)
    spec.pop("required", None)
    return {"default": NOTHING.get(spec["type"]), **spec}


def test_every_role_is_known() -> None:
    assert set(ROLES) == set(PARAMETERS)


# Options that say where in the play a task stands.
OF_SOME_TASKS = {"stage", "planned_grants", "plan_digest", "exclusive"}


@pytest.mark.parametrize("role", PARAMETERS)
def test_argument_specs_are_those_of_the_modules(role: str) -> None:
    for name, entry in entry_points(role).items():
        found = {parameter: without_words(spec) for parameter, spec in entry["options"].items()}
        assert found == {parameter: as_role_parameter(spec) for parameter, spec in PARAMETERS[role].items()}, name


@pytest.mark.parametrize("role", PARAMETERS)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    defaults = load(TOP / "roles" / role / "defaults" / "main.yml")
    assert defaults == {name: spec["default"] for name, spec in entry_points(role)["main"]["options"].items()}


@pytest.mark.parametrize("role", PARAMETERS)
def test_entry_points_have_their_files(role: str) -> None:
    files = {path.stem for path, _task in tasks(role)}
    assert set(entry_points(role)) <= files
    assert ("validate" in files) == ("validate" in entry_points(role))


@pytest.mark.parametrize("role", PARAMETERS)
def test_tasks_pass_every_option(role: str) -> None:
    seen = 0
    for path, task in tasks(role):
        for name in task:
            module = name.rpartition("sfb.xmpp.")[2]
            if module in MODULES:
                seen += 1
                expected = set(MODULES[module]) - NOT_PASSED.get(module, set())
                given = set(task[name] or ())
                assert given - OF_SOME_TASKS == expected - OF_SOME_TASKS, "%s: %s" % (path, task["name"])
    assert seen


@pytest.mark.parametrize("role", PARAMETERS)
def test_judging_never_writes(role: str) -> None:
    judging = [task for path, task in tasks(role) if path.stem == "validate"]
    assert all(task["check_mode"] is True and task["changed_when"] is False for task in judging)
    assert all(task["diff"] is False for task in judging)


@pytest.mark.parametrize("role", PARAMETERS)
def test_readme_names_every_parameter(role: str) -> None:
    text = (TOP / "roles" / role / "README.md").read_text("utf-8")
    assert [name for name in PARAMETERS[role] if "`%s`" % name not in text] == []


# What converge says where it imports the playbook of the certificate, which by itself always switches.
OF_THE_IMPORT = {"gateway_certificate_switch"}
# What takes a deployment back to a former state. Grants of an inventory are additive.
OF_RESTORE = {"access_policies_purge_also", "access_policies_exclusive"}


def plays(name: str) -> list[dict[str, t.Any]]:
    """The plays of a playbook, and of those that it imports."""
    found: list[dict[str, t.Any]] = []
    for play in load(TOP / "playbooks" / (name + ".yml")):
        imported = play.get("ansible.builtin.import_playbook")
        found += plays(imported.removesuffix(".yml")) if imported else [play]
    return found


def test_converge_sets_every_parameter_from_the_inventory() -> None:
    management, edges = plays("converge")
    given = {**management["vars"], **edges["vars"]}
    wanted = {name for role, parameters in PARAMETERS.items() if role not in APART for name in parameters}
    wanted -= OF_RESTORE | OF_THE_IMPORT
    assert {name for name in given if not name.startswith("ansible_")} == wanted
    assert [name for name in wanted if "sfb_xmpp_" not in given[name]] == []


def test_verify_sets_every_parameter_from_the_inventory() -> None:
    (play,) = load(TOP / "playbooks" / "verify.yml")
    assert {name for name in play["vars"] if name.startswith("verification_")} == set(PARAMETERS["verification"])
    sources = {name: value for name, value in play["vars"].items() if name.startswith("verify_")}
    assert [name for name, value in sources.items() if "sfb_xmpp_" not in value and "verify_" not in value] == []


def test_restore_sets_the_same_and_takes_limits_from_the_inventory() -> None:
    (management,) = plays("restore")
    converge, _edges = plays("converge")
    given = management["vars"]
    assert set(given) == set(converge["vars"]) | OF_RESTORE
    same = {name for name in converge["vars"] if given[name] == converge["vars"][name]}
    limits = ("protect", "removal_limit", "update_limit", "force", "allow_loss", "protected_accounts")
    assert {name for name in converge["vars"] if name.endswith(limits)} <= same


def test_an_undeclared_list_is_never_purged() -> None:
    """The purge switch alone, without the list that it refers to, would mean: remove everything."""
    management, _edges = plays("converge")
    for role, variable in (("access_policies", "sfb_xmpp_policies"), ("federated_partners", "sfb_xmpp_partners")):
        assert "%s | default(none) is not none and " % variable in management["vars"][role + "_purge"]


def test_roles_that_are_started_by_stage_can_be_judged_first() -> None:
    """Playbooks judge with every role that writes to the store, then look at plan file and snapshot, then write."""
    sequence = load(TOP / "playbooks" / "tasks" / "manage.yml")
    imports = [task.get("ansible.builtin.import_role") for task in sequence]
    kept = next(i for i, task in enumerate(sequence) if "Keep to the reviewed plan" in task["name"])
    assert all(role is None or role["tasks_from"] == "validate" for role in imports[:kept])
    assert all(role is None or role["tasks_from"] != "validate" for role in imports[kept:])
    assert {role["name"] for role in imports[:kept] if role} == {role["name"] for role in imports[kept:] if role}
    for play in (plays("converge")[0], plays("restore")[0]):
        assert play["tasks"][-1]["ansible.builtin.import_tasks"] == "tasks/manage.yml"
