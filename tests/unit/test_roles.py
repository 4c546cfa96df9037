# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles' argument specs, defaults, tasks and READMEs agree with each other and with the modules' options."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import tasks as _certificate_tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION_SPEC, plural, variable
from ansible_collections.sfb.xmpp.plugins.module_utils._preflight import tasks as _preflight
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import im_test as _im_test
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import tasks as _probe_task
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.findings import VERDICTS
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.federate import SPEC as FEDERATION
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME

TOP = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (TOP / "roles").iterdir())

Spec = t.Mapping[str, t.Any]

# Role parameter -> the module option that it is passed to.
POLICIES = plural(POLICY).argument_spec
PARTNERS = plural(PARTNER).argument_spec
PROBE = _probe_task.ARGUMENT_SPEC
CERTIFICATE = _certificate_tasks.TASK.argument_spec
# What concerns the run and not the certificate has parameters of its own.
OF_THE_INVENTORY = {name: spec for name, spec in CERTIFICATE.items() if name not in ("phase", "pool_size")}


def of_the_module(spec: Spec) -> Spec:
    """Without the fields of an object: the module checks them and names every mistake, so the role does not."""
    return {name: value for name, value in spec.items() if name != "options"}


PARAMETERS: dict[str, dict[str, Spec]] = {
    "access_policies": {
        "access_policies_policies": of_the_module(POLICIES["policies"]),
        "access_policies_purge": POLICIES["purge"],
        "access_policies_exclusive": POLICIES["exclusive_grants"],
        "access_policies_protect": POLICIES["protect"],
        "access_policies_removal_limit": POLICIES["removal_limit"],
        "access_policies_update_limit": POLICIES["update_limit"],
        "access_policies_allow_loss": POLICIES["allow_loss"],
        "access_policies_force": POLICIES["force"],
    },
    "federated_partners": {
        "federated_partners_" + name: of_the_module(spec) for name, spec in PARTNERS.items() if name != "plan_digest"
    },
    "gateway_settings": {
        "gateway_settings_" + name: of_the_module(FEDERATION_SPEC[name]) for name in ("gateway", "access_edge", "force")
    },
    "preflight": {"preflight_" + name: of_the_module(spec) for name, spec in _preflight.ARGUMENT_SPEC.items()},
    "gateway_certificate": {
        "gateway_certificate_certificate": {"type": "dict", "options": OF_THE_INVENTORY},
        "gateway_certificate_phase": CERTIFICATE["phase"],
        "gateway_certificate_switch": {"type": "str", "choices": ["separate", "converge"], "default": "separate"},
        **{"gateway_certificate_" + name: {"type": "path", "default": ""} for name in ("hook", "drain", "restore")},
    },
    "verification": {
        **{"verification_" + name: spec for name, spec in PROBE.items() if name not in ("domains", "certificate")},
        "verification_partners": of_the_module(PROBE["partners"]),
        "verification_for_partner": {"type": "str"},
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
# What a module requires or leaves open, and a role has a value for: nothing to do.
NOTHING: dict[str, t.Any] = {"list": [], "dict": {}, "str": "", "path": ""}

# Each task's module -> the options that it has to pass, by role where the role is for a part of them.
MODULES: dict[str, Spec] = {
    "external_access_policies": POLICIES,
    "xmpp_federated_partners": PARTNERS,
    "xmpp_federation": {name: FEDERATION_SPEC[name] for name in ("gateway", "access_edge", "force")},
    "xmpp_verification": {},
    "xmpp_verification_report": {},
    "xmpp_im_test": _im_test.ARGUMENT_SPEC,
    "xmpp_topology_info": {},
    "xmpp_show": {"lines": {}},
    "xmpp_preflight_info": _preflight.ARGUMENT_SPEC,
}
# A plan that was reviewed is held to by playbooks, not by roles; and who wants policies replaced asks for it there.
NOT_PASSED = {"plan_digest", "allow_replaced_policies"}


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


@pytest.mark.parametrize("role", PARAMETERS)
def test_argument_specs_are_those_of_the_modules(role: str) -> None:
    for name, entry in entry_points(role).items():
        found = {parameter: without_words(spec) for parameter, spec in entry["options"].items()}
        assert found == {parameter: as_role_parameter(spec) for parameter, spec in PARAMETERS[role].items()}, name


@pytest.mark.parametrize("role", PARAMETERS)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    defaults = load(TOP / "roles" / role / "defaults" / "main.yml")
    # An option of the connection, which has no argument spec.
    defaults.pop("ansible_management_shell_modules", None)
    wanted = {name: spec["default"] for name, spec in entry_points(role)["main"]["options"].items()}
    assert {name: from_variable(role, name, value) for name, value in defaults.items()} == wanted


def from_variable(role: str, parameter: str, default: t.Any) -> t.Any:
    """What a default is where the variable of the inventory that it takes is not set."""
    pattern = r"\{\{ (sfb_xmpp_\w+) \| default\((.+), true\) \}\}"
    match = re.fullmatch(pattern, default) if isinstance(default, str) else None
    if match is None:
        return default
    name = parameter.removeprefix("gateway_") if role == "gateway_certificate" else parameter
    assert match[1] == "sfb_xmpp_" + name.replace("certificate_certificate", "certificate")
    assert match[1] in BY_NAME
    return yaml.safe_load(match[2])


@pytest.mark.parametrize("role", PARAMETERS)
def test_entry_points_have_their_files(role: str) -> None:
    files = {path.stem for path, _task in tasks(role)}
    assert set(entry_points(role)) <= files


@pytest.mark.parametrize("role", PARAMETERS)
def test_tasks_pass_every_option(role: str) -> None:
    seen = 0
    for path, task in tasks(role):
        seen += "sfb.xmpp.xmpp_edge_certificate" in task  # which takes the parameters of the role
        for name in task:
            module = name.rpartition("sfb.xmpp.")[2]
            if module in MODULES:
                seen += 1
                assert set(task[name] or ()) == set(MODULES[module]) - NOT_PASSED, "%s: %s" % (path, task["name"])
    assert seen


@pytest.mark.parametrize("role", PARAMETERS)
def test_readme_names_every_parameter(role: str) -> None:
    text = (TOP / "roles" / role / "README.md").read_text("utf-8")
    assert [name for name in PARAMETERS[role] if "`%s`" % name not in text] == []


def plays(name: str) -> list[dict[str, t.Any]]:
    """The plays of a playbook, and of those that it imports."""
    found: list[dict[str, t.Any]] = []
    for play in load(TOP / "playbooks" / (name + ".yml")):
        imported = play.get("ansible.builtin.import_playbook")
        if imported == "internal/settings.yml":
            continue
        given = play.get("vars", {})
        more = plays(imported.removesuffix(".yml")) if imported else [play]
        found += [{**one, "vars": {**given, **one.get("vars", {})}} for one in more]
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in (TOP / "playbooks").glob("*.yml")))
def test_every_playbook_begins_with_the_check_of_its_settings(name: str) -> None:
    assert load(TOP / "playbooks" / (name + ".yml"))[0] == {
        "name": "Check the settings",
        "ansible.builtin.import_playbook": "internal/settings.yml",
        "vars": {"xmpp_federation_playbook": name},
    }
    (check,) = load(TOP / "playbooks" / "internal" / "settings.yml")
    assert (check["any_errors_fatal"], check["tags"], len(check["tasks"])) == (True, ["always"], 1)


def federation_options(playbook: str) -> dict[str, t.Any]:
    """What a playbook gives to xmpp_federation."""
    (found,) = {
        json.dumps(task["sfb.xmpp.xmpp_federation"], sort_keys=True): task["sfb.xmpp.xmpp_federation"]
        for task in plays(playbook)[0]["tasks"]
        if "sfb.xmpp.xmpp_federation" in task
    }.values()
    return t.cast(dict[str, t.Any], found)


# Of the tags, and of the other playbook.
OF_THE_ACTION = {"parts"}
DECLARED = {"policies", "partners", "gateway", "access_edge", "federation_routes"}


def test_converge_gives_every_option_from_its_variable() -> None:
    given = federation_options("converge")
    assert set(given) == set(FEDERATION) - OF_THE_ACTION - {"restore_from", "plan_digest"}
    assert given.pop("preflight") is True
    assert given.pop("replication") == "{{ sfb_xmpp_replication | default('wait', true) }}"
    for option, template in given.items():
        empty = "none" if option in DECLARED else "omit"
        assert re.fullmatch(r"\{\{ %s \| default\(%s(, true)?\) \}\}" % (variable(option), empty), template), option


def test_the_variables_of_converge_are_known() -> None:
    assert {variable(option) for option in federation_options("converge") if option != "preflight"} <= set(BY_NAME)


def test_restore_takes_its_bounds_from_the_same_variables() -> None:
    converge, restore = federation_options("converge"), federation_options("restore")
    declaring = {*DECLARED, "policies_purge", "partners_purge", "exclusive_grants"}
    declaring |= {"allow_replaced_policies", "preflight", "preflight_ignore"}
    assert set(restore) == set(converge) - declaring | {"restore_from"}
    assert {option: restore[option] for option in set(restore) - {"restore_from"}} == {
        option: converge[option] for option in set(restore) - {"restore_from"}
    }


def test_playbooks_pass_nothing_to_the_role_of_the_certificate() -> None:
    """Its defaults take the variables of the inventory, so that the role does the same in a play of the user."""
    found = [play for name in ("converge", "certificate") for play in plays(name) if "import_role" in str(play)]
    assert [play["vars"]["xmpp_federation_playbook"] for play in found] == ["converge", "certificate"]
    assert not [name for play in found for name in play["vars"] if name.startswith("gateway_certificate_")]


@pytest.mark.parametrize("folder", ["roles/gateway_certificate", "playbooks/internal"])
def test_yaml_decides_nothing(folder: str) -> None:
    """What may follow ``when`` is one value that an action has decided, or whether a text is given."""
    files = sorted((TOP / folder).rglob("*.yml"))
    text = "".join(path.read_text("utf-8") for path in files)
    assert [word for word in ("set_fact", "hostvars", "{%") if word in text] == []


def test_verify_sets_every_parameter_from_the_inventory() -> None:
    _check, play = load(TOP / "playbooks" / "verify.yml")
    assert {name for name in play["vars"] if name.startswith("verification_")} == set(PARAMETERS["verification"])
    sources = {name: value for name, value in play["vars"].items() if name.startswith("verify_")}
    assert [name for name, value in sources.items() if "sfb_xmpp_" not in value] == []
