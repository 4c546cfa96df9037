# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles' argument specs, defaults, tasks and READMEs agree with each other and with the modules' options."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import preflight as _preflight
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import tasks as _certificate_tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import ROLES as GENERATED
from ansible_collections.sfb.xmpp.plugins.module_utils._probe import options as _probe_options
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.options import MESSAGE, VERDICTS
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.verification import PARAMETERS as VERIFICATION
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import read_by

from tools import role_files

TOP = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (TOP / "roles").iterdir())

Spec = t.Mapping[str, t.Any]

# Role parameter -> the module option that it is passed to.
PROBE = _probe_options.ARGUMENT_SPEC
CERTIFICATE = _certificate_tasks.TASK.argument_spec


def of_the_module(spec: Spec) -> Spec:
    """Without the fields of an object: the module checks them and names every mistake, so the role does not."""
    return {name: value for name, value in spec.items() if name != "options"}


PARAMETERS: dict[str, dict[str, Spec]] = {
    "preflight": {"preflight_" + name: of_the_module(spec) for name, spec in _preflight.ARGUMENT_SPEC.items()},
    "gateway_certificate": {
        "gateway_certificate_certificate": {"type": "dict", "options": _certificate_tasks.IN_INVENTORY},
        "gateway_certificate_phase": CERTIFICATE["phase"],
        "gateway_certificate_switch": {"type": "str", "choices": ["separate", "converge"], "default": "separate"},
        **{
            "gateway_certificate_" + name: {"type": "path", "default": ""}
            for name in ("hook", "ask", "drain", "restore")
        },
    },
    "verification": {
        **{"verification_" + name: spec for name, spec in PROBE.items() if name not in ("domains", "certificate")},
        "verification_partners": of_the_module(PROBE["partners"]),
        "verification_for_partner": {"type": "str"},
        # A task of one's own names its domains; here DNS of partners does.
        "verification_allow_local": {"type": "bool", "default": False},
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
        "verification_messages": {"type": "list", "elements": "dict", "options": MESSAGE},
    },
}
# What a module requires or leaves open, and a role has a value for: nothing to do.
NOTHING: dict[str, t.Any] = {"list": [], "dict": {}, "str": "", "path": ""}

# Each task's module -> the options that it has to pass. Other actions take the parameters of the role themselves.
MODULES: dict[str, Spec] = {
    "xmpp_show": {"lines": {}},
    "xmpp_preflight_info": _preflight.ARGUMENT_SPEC,
}
# A plan that was reviewed is held to by playbooks, not by roles.
NOT_PASSED = {"plan_digest"}


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
    assert set(ROLES) == {*PARAMETERS, *GENERATED}


@pytest.mark.parametrize("role", PARAMETERS)
def test_argument_specs_are_those_of_the_modules(role: str) -> None:
    for name, entry in entry_points(role).items():
        found = {parameter: without_words(spec) for parameter, spec in entry["options"].items()}
        assert found == {parameter: as_role_parameter(spec) for parameter, spec in PARAMETERS[role].items()}, name


def default_of(role: str, parameter: str, written: t.Any) -> t.Any:
    """The value of a parameter where no variable is set."""
    if not isinstance(written, str) or "{{" not in written:
        return written
    found = re.fullmatch(r"\{\{ (.+) \| default\((.+?)(?:, true)?\) \}\}", written)
    assert found, written
    source, default = found.groups()
    name = parameter.removeprefix(role + "_")
    variables = {"sfb_xmpp_" + name, "(sfb_xmpp_%s | default({}, true)).%s" % (role, name)}
    if role == "gateway_certificate":
        variables = {"sfb_xmpp_" + parameter.removeprefix("gateway_").replace("certificate_certificate", "certificate")}
    assert source in variables, parameter
    return yaml.safe_load(default)


@pytest.mark.parametrize("role", PARAMETERS)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    defaults = load(TOP / "roles" / role / "defaults" / "main.yml")
    # An option of the connection, which has no argument spec.
    defaults.pop("ansible_management_shell_modules", None)
    found = {name: default_of(role, name, value) for name, value in defaults.items()}
    assert found == {name: spec["default"] for name, spec in entry_points(role)["main"]["options"].items()}


def test_the_files_of_roles_are_what_the_tables_give() -> None:
    for path, text in role_files.files().items():
        assert path.read_text(encoding="utf-8") == text, "run: make generate"


@pytest.mark.parametrize("role", GENERATED)
def test_a_role_connects_and_is_one_task_that_says_whose_it_is(role: str) -> None:
    _connect, task, *rest = load(TOP / "roles" / role / "tasks" / "main.yml")
    # In a playbook of the collection the task reports what went wrong, and the next one fails.
    assert [one["ansible.builtin.fail"] for one in rest] == (
        [{"msg": "{{ xmpp_federation.sentence }}"}] if role == "federation" else []
    )
    assert (task["sfb.xmpp.xmpp_federation"], task["vars"]) == (None, {"xmpp_federation_role": role})
    # A default that names a variable has to name one of the table.
    given = load(TOP / "roles" / role / "defaults" / "main.yml")
    named = {name for value in given.values() for name in re.findall(r"sfb_xmpp_\w+", str(value))}
    assert named <= {setting.name for setting in read_by(role)}


def test_the_parameters_of_verification_are_known_to_its_action() -> None:
    specs = entry_points("verification")["main"]["options"]
    assert {name.removeprefix("verification_"): spec["default"] for name, spec in specs.items()} == VERIFICATION


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
    assert seen or role == "verification"


@pytest.mark.parametrize("role", PARAMETERS)
def test_readme_names_every_parameter(role: str) -> None:
    text = (TOP / "roles" / role / "README.md").read_text("utf-8")
    assert [name for name in PARAMETERS[role] if "`%s`" % name not in text] == []


def plays(name: str) -> list[dict[str, t.Any]]:
    """The plays of a playbook, and of those that it imports."""
    found: list[dict[str, t.Any]] = []
    for play in load(TOP / "playbooks" / (name + ".yml")):
        imported = play.get("ansible.builtin.import_playbook")
        if imported in ("internal/settings.yml", "internal/connect.yml"):
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
    assert (check["any_errors_fatal"], check["tags"], len(check["tasks"])) == (True, ["always"], 2)


@pytest.mark.parametrize(
    ("name", "role"), [("converge", "federation"), ("restore", "federation"), ("verify", "verification")]
)
def test_a_playbook_runs_its_role_and_maps_nothing(name: str, role: str) -> None:
    play = plays(name)[0]
    (leave, task) = play["tasks"]
    assert leave["ansible.builtin.meta"] == "end_host"
    assert task["ansible.builtin.import_role"] == {"name": "sfb.xmpp." + role, "rolespec_validate": False}
    assert set(play["vars"]) == {"ansible_connection", "xmpp_federation_playbook"}


CONTACTING = sorted(
    path.stem
    for path in (TOP / "playbooks").glob("*.yml")
    if path.stem not in ("capture", "import", "onboard", "rehearse")
)


@pytest.mark.parametrize("name", CONTACTING)
def test_every_playbook_that_contacts_servers_connects_to_all_of_them_first(name: str) -> None:
    """A capture is an attempt to read every server, and chooses none."""
    found = load(TOP / "playbooks" / (name + ".yml"))
    (at,) = (n for n, play in enumerate(found) if play.get("ansible.builtin.import_playbook") == "internal/connect.yml")
    assert found[at]["vars"] == {"xmpp_federation_playbook": name}
    before = [play for play in found[:at] if "import_playbook" not in str(play)]
    assert {play["vars"]["ansible_connection"] for play in before} <= {"ansible.builtin.local"}
    for play in found[at + 1 :]:
        if "sfb_management" in str(play.get("hosts")) and play["vars"]["ansible_connection"].startswith("sfb.xmpp"):
            assert "xmpp_connected_judged.replaced | default(false)" in str(play["tasks"][0]["when"]), play["name"]


@pytest.mark.parametrize("role", sorted(set(PARAMETERS) - {"gateway_certificate"}))
def test_every_role_that_works_through_a_door_connects_first(role: str) -> None:
    first = load(TOP / "roles" / role / "tasks" / "main.yml")[0]
    assert first["vars"] == {"xmpp_federation_role": role}
    assert (first["sfb.xmpp.xmpp_connect"], first["register"]) == (None, "xmpp_connected_by_role")
    assert first["when"] == "xmpp_federation_playbook is not defined"


def test_playbooks_pass_nothing_to_the_role_of_the_certificate() -> None:
    """Its defaults take the variables of the inventory, so that the role does the same in a play of the user."""
    found = [
        play
        for name in ("converge", "certificate")
        for play in plays(name)
        if "sfb.xmpp.gateway_certificate" in str(play)
    ]
    assert [play["vars"]["xmpp_federation_playbook"] for play in found] == ["converge", "certificate"]
    assert not [name for play in found for name in play["vars"] if name.startswith("gateway_certificate_")]


@pytest.mark.parametrize("folder", ["roles/gateway_certificate", "playbooks/internal"])
def test_yaml_decides_nothing(folder: str) -> None:
    """What may follow ``when`` is one value that an action has decided, or whether a text is given."""
    files = sorted((TOP / folder).rglob("*.yml"))
    text = "".join(path.read_text("utf-8") for path in files)
    assert [word for word in ("set_fact", "hostvars", "{%") if word in text] == []
