# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for AWX: options that the modules of awx.awx take, questions about variables that the playbooks take."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME

from tests.unit.plugin_utils.test_settings import reasons

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "automation" / "awx"
TYPES = {"str": "text", "path": "text", "int": "integer", "bool": "multiplechoice"}


class _Loader(yaml.SafeLoader):
    """Takes texts that Ansible does not template for texts."""


_Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))


def read(name: str) -> t.Any:
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), _Loader)


OPTIONS = yaml.safe_load((Path(__file__).parent / "awx_options.yml").read_text(encoding="utf-8"))
SETTINGS, TEMPLATES, WORKFLOW = read("settings.yml"), read("templates.yml"), read("workflow.yml")
VARIABLES = {**SETTINGS, **TEMPLATES, **WORKFLOW}
(PLAY,) = read("configure.playbook")
SURVEYS = [*TEMPLATES["templates"], WORKFLOW["workflow"]]
QUESTIONS = [(one, q) for one in SURVEYS for q in (one.get("survey_spec") or {"spec": []})["spec"]]


def calls() -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Each call of a module, with the options that the task gives it."""
    for task in PLAY["tasks"]:
        (module,) = (key for key in task if key.startswith("awx.awx."))
        common = PLAY["module_defaults"].get(module, {})
        items = VARIABLES[re.sub(r"[^a-z_]", "", task["loop"])] if "loop" in task else [None]
        for item in items:
            given = task[module]
            if isinstance(given, str):
                name = given.strip("{} ")
                given = {"item": item, "defaults | combine(item)": {**TEMPLATES["defaults"], **(item or {})}}.get(
                    name, VARIABLES.get(name)
                )
            yield module.removeprefix("awx.awx."), {**common, **given}


@pytest.mark.parametrize(("module", "given"), list(calls()), ids=lambda value: value if isinstance(value, str) else "")
def test_the_modules_take_what_the_tasks_give(module: str, given: dict[str, t.Any]) -> None:
    given = {key: SETTINGS["organization"] if value == "{{ organization }}" else value for key, value in given.items()}
    given = {key: SETTINGS["shown_paths"] if value == "{{ shown_paths }}" else value for key, value in given.items()}
    assert ArgumentSpecValidator(OPTIONS[module]).validate(given).error_messages == []


@pytest.mark.parametrize(("template", "question"), QUESTIONS, ids=lambda value: value.get("variable") or value["name"])
def test_a_question_is_about_a_setting_of_the_playbook(template: dict[str, t.Any], question: dict[str, t.Any]) -> None:
    setting = BY_NAME[question["variable"]]
    playbook = template.get("playbook", "converge.yml").removesuffix(".yml")
    assert playbook in setting.playbooks
    assert setting.text.startswith(question["question_description"])
    assert question["type"] == TYPES[setting.spec["type"]]
    assert question["default"] == ""


@pytest.mark.parametrize("template", SURVEYS, ids=lambda template: str(template["name"]))
def test_blank_answers_are_no_mistakes(template: dict[str, t.Any]) -> None:
    """What need not be answered may stay blank, and then counts as not given."""
    answers = {
        question["variable"]: "fabrikam.example" if question["required"] else question["default"]
        for one, question in QUESTIONS
        if one is template
    }
    playbook = template.get("playbook", "converge.yml").removesuffix(".yml")
    # What an earlier job of a workflow has set arrives as well.
    of_a_job = {"sfb_xmpp_result": "changes", "sfb_xmpp_changes": 3, "sfb_xmpp_plan_digest": "5f2c1d0b" * 8}
    assert reasons(playbook, {**of_a_job, **answers}, extra=[*of_a_job, *answers]) == []


def test_the_workflow_applies_what_was_approved() -> None:
    """One way through its nodes: the plan in check mode, a person, then the same playbook."""
    nodes = {node["identifier"]: node for node in WORKFLOW["workflow"]["workflow_nodes"]}
    way = ["plan"]
    while following := nodes[way[-1]].get("related"):
        ((one,),) = following.values()
        way.append(one["identifier"])
    assert way == list(nodes)
    templates = {template["name"]: template for template in TEMPLATES["templates"]}
    first, person, last = (nodes[name]["unified_job_template"] for name in way)
    assert person["type"] == "workflow_approval"
    plan, apply = templates[first["name"]], templates[last["name"]]
    assert (plan["playbook"], plan["job_type"]) == (apply["playbook"], "check")
    assert {**TEMPLATES["defaults"], **apply}["job_type"] == "run"
    # What the workflow asks reaches the jobs that ask the same.
    for job in (plan, apply):
        assert job["survey_spec"]["spec"] == WORKFLOW["workflow"]["survey_spec"]["spec"]


def test_schedules_start_templates_that_there_are() -> None:
    names = {template["name"] for template in TEMPLATES["templates"]}
    assert {schedule["unified_job_template"] for schedule in WORKFLOW["schedules"]} <= names


def test_every_secret_of_the_credential_type_is_one() -> None:
    kind = SETTINGS["credential_type"]
    fields = {field["id"]: field for field in kind["inputs"]["fields"]}
    assert {name for name, field in fields.items() if field.get("secret")} == {
        name for name in fields if name.endswith("_password")
    }
    used = {text.strip("{} ") for text in kind["injectors"]["extra_vars"].values()}
    assert used == set(fields)
    assert all(name.startswith("sfb_xmpp_x_") for name in kind["injectors"]["extra_vars"])
