# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the pages of the playbooks: ``python -m tools.playbook_pages``.

The texts come from docs/docsite/descriptions.yml. The variables come from the table of settings. A test compares the
pages with both, and both with the variables that the playbooks read.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTS, RESOURCES, ROUTE
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.journal import WRITING
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.federation_options import of_playbook
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.outcome import DIGEST, NUMBER, REPORTING, RESULT
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import PREFIX, Setting, read_by

TOP = Path(__file__).resolve().parent.parent
DESCRIPTIONS = TOP / "docs" / "docsite" / "descriptions.yml"
PAGES = TOP / "docs" / "docsite" / "rst"
# What the first command of each page prints, by tools/playbook_samples.py, and the last line of these files.
SAMPLES_IN = TOP / "docs" / "docsite" / "samples"
STATUS = "exit status %s"
# The line before the stats of a run, which Ansible prints with ANSIBLE_SHOW_CUSTOM_STATS.
STATS = "CUSTOM STATS"
SAMPLED = (
    "The first command prints these lines in the lab. Tasks without output are left out. The run ends with exit"
    " status %d."
)
VARIABLES = (
    "Each line has the name, the type and the default. Set variables with the mark *only with -e* on the command line."
    " Set all other variables in the inventory or on the command line."
)
WRONG_SETTINGS = "A setting is wrong, missing, or set in the wrong place. Nothing was sent to a server."
FINE_WITH_CHANGES = "With ``--check``, planned changes alone do not fail the run."
FAILS_ON_CHANGES = "With ``--check`` and ``sfb_xmpp_fail_on_changes: true``, the run plans a change."
OTHER_STATUSES = (
    "Ansible itself failed, for example because it cannot read the inventory. A server that does not answer never"
    " causes status 4 (unreachable)."
)
NO_STATS = "The run sets no stats."
SETS_STATS = (
    "The run sets these stats, as ``ansible.builtin.set_stats`` does. With several deployments, each stat is a"
    " dictionary with the deployment as key. See :ref:`the guide on planning"
    " <ansible_collections.sfb.xmpp.docsite.guide_planning>`."
)
# Where keys are described, if not in the text of the setting.
KEYS_OF = {
    "verification": " (most are options of :ansplugin:`sfb.xmpp.xmpp_partner_probe_info#module`; :ref:`the guide"
    " <ansible_collections.sfb.xmpp.docsite.guide_verify>` has examples)"
}
STATS_OF = {
    RESULT: (
        "str",
        "``ok``: nothing to change, and no finding that fails the run. ``changes``: changes are planned or were made."
        " ``refused``: nothing was written. ``failed``: a step failed, a finding failed the run, or the run"
        " ended early.",
    ),
    NUMBER: ("int", "The number of planned or completed changes."),
    DIGEST: ("str", "The digest of the plan. If the run made no plan, this stat is not set."),
}
# These tasks do the work of converge, restore, audit and history. Their code reads variables and tags of the play.
ACTION = "sfb.xmpp.xmpp_federation:"
OF_SETTINGS = ("name: sfb.xmpp.federation\n", "sfb.xmpp.xmpp_audit:", "sfb.xmpp.xmpp_history:")
ACTION_CODE = [TOP / "plugins" / "plugin_utils" / name for name in (
    "_actions/federation.py", "_actions/deployment.py", "_servers/servers.py"
)]  # fmt: skip
# This task does the work of revoke. The tasks above read these variables for it.
REVOCATION, OF_RUNS = "sfb.xmpp.xmpp_partner_revocation:", {
    "sfb_xmpp_deployment", "sfb_xmpp_snapshot_directory", "sfb_xmpp_ticket"
}  # fmt: skip
# Task -> the settings that its action reads through the table.
OF_ACTIONS = {
    "sfb.xmpp.xmpp_audit:": {
        "sfb_xmpp_audit", "sfb_xmpp_into", "sfb_xmpp_verification", "sfb_xmpp_certificate", "sfb_xmpp_deployment",
        "sfb_xmpp_windows", "sfb_xmpp_freeze",
    },
    "name: sfb.xmpp.preflight\n": {"sfb_xmpp_audit"},
    "sfb.xmpp.xmpp_onboarding:": {
        "sfb_xmpp_for_partner", "sfb_xmpp_into", "sfb_xmpp_verification", "sfb_xmpp_certificate", "sfb_xmpp_ticket",
        "sfb_xmpp_deployment",
    },
    "sfb.xmpp.xmpp_edge_certificate:": {"sfb_xmpp_deployment"},
    "sfb.xmpp.xmpp_history:": {"sfb_xmpp_history", "sfb_xmpp_snapshot_directory", "sfb_xmpp_deployment"},
    "sfb.xmpp.xmpp_migration_info:": {
        "sfb_xmpp_for_users", "sfb_xmpp_for_pools", "sfb_xmpp_partners", "sfb_xmpp_usage", "sfb_xmpp_target",
        "sfb_xmpp_deployment",
    },
    "sfb.xmpp.xmpp_export:": {"sfb_xmpp_deployment"},
    "sfb.xmpp.xmpp_capture:": {"sfb_xmpp_deployment"},
    "sfb.xmpp.xmpp_import:": {
        "sfb_xmpp_import_partners", "sfb_xmpp_import_policies", "sfb_xmpp_import_gateway", "sfb_xmpp_import_users"
    },
}  # fmt: skip
# Playbook -> its action, which reads the settings itself, and the task that the action runs.
OWN_ACTIONS = {
    "failover": ("xmpp_failover", ACTION),
    "revoke": ("xmpp_affected_services", ""),
    "decommission": ("xmpp_decommission", ACTION),
    "export": ("xmpp_export", ""),
    "migration": ("xmpp_migration_report", ""),
    "capture": ("xmpp_capture", ""),
    "import": ("xmpp_import", ""),
    "rehearse": ("xmpp_rehearse", ""),
}
READ = re.compile(r"""values(?:\.get\(|\[)["'](\w+)["']""")
# The tasks that report a run read these settings through the table.
OF_REPORTS = ("plan_digest", "fail_on_changes")
# A playbook with one of these texts never writes. So it does not read the settings for writes.
PLANS_ONLY = ("check_mode: true", "sfb.xmpp.xmpp_audit:")
OF_WRITES = {"sfb_xmpp_snapshot", "sfb_xmpp_snapshot_directory", "sfb_xmpp_ticket"}
# All actions use these settings for the files of runs and for the journal (_actions/state.py).
OF_STATE = {"sfb_xmpp_" + name for name in ("snapshot_directory", "state_directory", "trusted_owners", "show_users")}
OF_JOURNAL = {"sfb_xmpp_journal", "sfb_xmpp_ticket"}
STATE = {
    **dict.fromkeys(WRITING, OF_STATE | OF_JOURNAL),
    "history": OF_STATE | {"sfb_xmpp_for_" + name for name in ("partner", "policy", "user")},
    "capture": {"sfb_xmpp_state_directory", "sfb_xmpp_trusted_owners"},
    "audit": {"sfb_xmpp_state_directory", "sfb_xmpp_trusted_owners", "sfb_xmpp_show_users"},
}
# All actions read these settings before a run writes (_actions/change_control.py).
CONTROL = {"sfb_xmpp_" + name for name in ("require", "ticket_pattern", "windows", "freeze", "allow")}
for _name in ("converge", "restore", "failover", "decommission", "certificate"):
    STATE[_name] = STATE[_name] | CONTROL
STATE["failover"] = STATE["failover"] | {"sfb_xmpp_revoked"}
# Playbook -> settings that its actions read from all hosts of a deployment.
OF_ALL_HOSTS = {name: {"sfb_xmpp_certificate"} for name in ("verify", "preflight", "explain")}
# Playbook -> a variable in a role's defaults that the action ignores, because it always switches.
UNREAD = {"certificate": {"sfb_xmpp_certificate_switch"}}
# converge notes this variable in a snapshot, and a message contains it. Users do not set it.
IN_SNAPSHOTS = "sfb_xmpp_snapshot_of"
HEAD = """..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

  Written by tools/playbook_pages.py from docs/docsite/descriptions.yml and the table of settings.

.. _ansible_collections.sfb.xmpp.docsite.playbook_%s:
"""


@dataclass(frozen=True)
class Sample:
    """What a run printed. stats: the lines that Ansible prints of them; none if the run left none."""

    lines: tuple[str, ...]
    stats: tuple[str, ...]
    status: int


def descriptions() -> dict[str, dict[str, t.Any]]:
    """Return the description of each playbook. ``variables`` has its settings from the table."""
    content = yaml.safe_load(DESCRIPTIONS.read_text(encoding="utf-8"))
    found: dict[str, dict[str, t.Any]] = content["playbooks"]
    for name, told in found.items():
        told["variables"] = {one.name: one for one in read_by(name)}
    return found


def sample_of(name: str) -> Sample:
    """The sample of a playbook. Its last line has the exit status."""
    *lines, status = (SAMPLES_IN / ("%s.txt" % name)).read_text(encoding="utf-8").rstrip().splitlines()
    stats: list[str] = []
    if (head := next((line for line in lines if line.startswith(STATS)), None)) is not None:
        at = lines.index(head)
        lines, stats = lines[:at], [line for line in lines[at + 1 :] if line]
    while lines and not lines[-1]:
        lines.pop()
    return Sample(tuple(lines), tuple(stats), int(status.removeprefix(STATUS % "")))


def page(name: str, told: t.Mapping[str, t.Any]) -> str:
    """The page of a playbook: first what it prints, then what it does."""
    title = "sfb.xmpp.%s" % name
    sample = sample_of(name)
    parts = [HEAD % name, title, "=" * len(title), "", told["short"] + ".", ""]
    parts += _section("Examples", _block("console", ["$ " + line for line in told["examples"]]))
    parts += _section("Sample output", [SAMPLED % sample.status, "", *_block("text", sample.lines)])
    paragraphs = [line for paragraph in told["description"] for line in (paragraph, "")]
    parts += _section("What it does", [*paragraphs, "Hosts: %s." % told["hosts"].rstrip(".")])
    variables = [line for one in told["variables"].values() for line in variable(one, name)]
    parts += _section("Variables", [VARIABLES, "", *variables[:-1]])
    if told["tags"]:
        parts += _section("Tags", _definitions({"``%s``" % tag: text for tag, text in told["tags"].items()}))
    parts += _section("What it writes", ["- " + line for line in told["writes"]])
    parts += _section("Exit status", _definitions(exit_statuses(name, told["exit"])))
    parts += _section("Stats", _stats(name, sample))
    return "\n".join(parts).rstrip() + "\n"


def variable(setting: Setting, playbook: str) -> list[str]:
    """The lines of a setting: name, type and default first, then its text and the keys of a dictionary."""
    spec = setting.spec
    text = setting.text
    choices = [str(word) for word in spec.get("choices", ())]
    if any("``%s``" % word not in text for word in choices):
        text += " Allowed values: %s." % ", ".join("``%s``" % word for word in choices)
    lines = ["``%s`` : %s" % (setting.name, _kind(spec)), "   " + text, ""]
    if setting.missing_in(playbook):
        lines[0] += ", required"
    else:
        lines[0] += ", %s" % _default(setting.default(playbook))
    if setting.once:
        lines[0] += ", *only with -e*"
    # Options of a module are described on its page, to which the text has a link.
    if "options" in spec and ":ans" not in text:
        lines += [
            "   Keys%s:" % KEYS_OF.get(setting.option, ""),
            "",
            *("   - ``%s``: %s" % (key, _key(own)) for key, own in setting.key_specs().items()),
            "",
        ]
    return lines


def _kind(spec: t.Mapping[str, t.Any]) -> str:
    kind = str(spec.get("type", "str"))
    return "list of %s" % spec.get("elements", "str") if kind == "list" else "any" if kind == "raw" else kind


def _key(spec: t.Mapping[str, t.Any]) -> str:
    """Type and default of a key, and the keys below it."""
    text = _kind(spec)
    if "options" in spec:
        text += " with the keys %s" % ", ".join("``%s``" % key for key in spec["options"])
    if spec.get("required"):
        return text + ", required"
    return text + (", %s" % _default(spec["default"]) if spec.get("default") is not None else "")


def _default(value: t.Any) -> str:
    """As YAML has it."""
    if value is None:
        return "no default"
    text = value if isinstance(value, str) else json.dumps(value)
    return "default ``%s``" % text


def exit_statuses(name: str, told: t.Mapping[t.Any, t.Any]) -> dict[str, t.Sequence[str]]:
    """When a run ends with which status. told: what only this playbook has."""
    failing = [WRONG_SETTINGS, *told[2]]
    fine = [told[0]]
    if PREFIX + "fail_on_changes" in {one.name for one in read_by(name)}:
        fine.append(FINE_WITH_CHANGES)
        failing.append(FAILS_ON_CHANGES)
    return {"``0``": fine, "``2``": failing, "Other": [OTHER_STATUSES]}


def _stats(name: str, sample: Sample) -> list[str]:
    if name not in REPORTING:
        return [NO_STATS]
    keys = [key for key in STATS_OF if any('"%s"' % key in line for line in sample.stats)]
    lines = [SETS_STATS, "", *_definitions({"``%s`` : %s" % (key, STATS_OF[key][0]): STATS_OF[key][1] for key in keys})]
    return [
        *lines,
        "",
        "The sample run sets these stats:",
        "",
        *_block("text", [line.strip() for line in sample.stats]),
    ]


def _block(language: str, lines: t.Iterable[str]) -> list[str]:
    return [".. code-block:: %s" % language, "", *(("   " + line).rstrip() for line in lines)]


def _section(title: str, lines: t.Sequence[str]) -> list[str]:
    return [title, "-" * len(title), "", *lines, ""]


def _definitions(items: t.Mapping[str, str | t.Sequence[str]]) -> list[str]:
    """Terms with a text, or with a list of texts."""
    found = []
    for name, text in items.items():
        texts = [text] if isinstance(text, str) else ["- " + one for one in text] if len(text) > 1 else text
        found += [name, *("   " + one for one in texts), ""]
    return found[:-1]


def sources(name: str) -> list[Path]:
    """Return the playbook with the files of tasks and variables that it includes, and the role of the certificate."""
    todo, seen = [TOP / "playbooks" / ("%s.yml" % name)], []
    while todo:
        path = todo.pop()
        seen.append(path)
        text = path.read_text(encoding="utf-8")
        # A playbook names files relative to the playbook. A file of tasks names files relative to its own folder.
        for found in re.findall(
            r"(?:(?:import|include)_tasks:|import_playbook:|file:|^ *-) +((?:tasks/|vars/|internal/)?[a-z_]+\.yml)\s*$",
            text,
            re.MULTILINE,
        ):
            for place in (TOP / "playbooks" / found, path.parent / found):
                if place.is_file() and place not in seen + todo and place.parent.name in ("tasks", "vars", "internal"):
                    todo.append(place)
                    break
        for role in re.findall(r"import_role:\s+name: sfb\.xmpp\.(gateway_certificate)", text):
            seen += [
                *sorted((TOP / "roles" / role / "tasks").glob("*.yml")),
                TOP / "roles" / role / "defaults/main.yml",
            ]
    return seen


def variables(name: str) -> set[str]:
    """Return the inventory's variables that a playbook reads itself. Variables only in snapshots do not count."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources(name))
    code = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    found = set(re.findall(r"(?<![\w.'\"])sfb_xmpp_[a-z_]+\b(?!['\"]?\s*:)", code))
    if name in OWN_ACTIONS:
        action, work = OWN_ACTIONS[name]
        own = (TOP / "plugins" / "action" / ("%s.py" % action)).read_text(encoding="utf-8")
        passed = re.search(r"^_PASSED_ON = \((.*)\)$", own, re.MULTILINE)
        names = {*READ.findall(own), *re.findall(r'"(\w+)"', passed[1] if passed else "")}
        found |= {"sfb_xmpp_" + one for one in names}
        code += work
    if any(one in code for one in OF_SETTINGS):
        found |= _asked(name)
        code += ACTION
    if "name: sfb.xmpp.verification\n" in code:
        given = (TOP / "roles" / "verification" / "defaults" / "main.yml").read_text(encoding="utf-8")
        found |= set(re.findall(r"sfb_xmpp_[a-z_]+", given))
    if ACTION in code:
        found.add("sfb_xmpp_snapshot")
        of_action = {
            name for path in ACTION_CODE for name in re.findall(r'"(sfb_xmpp_[a-z]\w+)"', path.read_text("utf-8"))
        }
        plans_only = any(one in code for one in PLANS_ONLY) and name not in WRITING
        found = found - OF_WRITES | (of_action - OF_WRITES) if plans_only else found | of_action
    if REVOCATION in code:
        own = (TOP / "plugins" / "plugin_utils" / "_actions/revocation.py").read_text(encoding="utf-8")
        options = re.search(r"^_OPTIONS = \{(.*?)^\}", own, re.MULTILINE | re.DOTALL)
        found |= OF_RUNS | {"sfb_xmpp_" + one for one in re.findall(r'"(\w+)":', options[1] if options else "")}
    if re.search(
        r"xmpp_settings\.(?:doors|edges)", code
    ):  # the servers of a deployment, through the check of the settings
        found.add("sfb_xmpp_deployment")
    for action, names in OF_ACTIONS.items():
        found |= names if action in code else set()
    found |= {one.name for one in read_by(name) if one.option in OF_REPORTS}
    found |= OF_ALL_HOSTS.get(name, set()) | STATE.get(name, set())
    return found - {IN_SNAPSHOTS} - UNREAD.get(name, set())


def _asked(playbook: str) -> set[str]:
    """Return the variables that the action of xmpp_federation uses as options, if the playbook has them."""
    values = {one.option: one.name for one in read_by(playbook)}
    given = of_playbook(playbook, values).values()
    asked = {str(one) for value in given for one in (value if isinstance(value, list) else [value])}
    found = {one for one in asked if one in values.values()}
    # The action also reads these: how to probe partners, and the accepted findings.
    found |= {values["verification"]} if values.get("probe_first") in found else set()
    return found | ({values["audit"]} if "audit" in values else set())


def tags(name: str) -> set[str]:
    """Return the tags in a playbook and in its included files, and the tags that its action knows."""
    found: set[str] = set()
    for path in sources(name):
        text = path.read_text(encoding="utf-8")
        _collect(yaml.safe_load(text), found)
        # Without this tag, a selected tag would skip the complete play.
        if OWN_ACTIONS["failover"][0] in text:
            found.add("routes")
        if any(one in text for one in (ACTION, *OF_SETTINGS)) and "tags: [always]" in text:
            # The tag of the gateway includes both settings. With only routes, there are no other parts.
            routes_only = "federation_routes:" in text and "restore_from:" not in text and " partners:" not in text
            shared = {resource.limited_as for resource in RESOURCES if resource.tag}
            found |= {ROUTE.limited_as} if routes_only else set(PARTS) - shared
    return found - {"always", "never"}


def _collect(value: t.Any, found: set[str]) -> None:
    if isinstance(value, dict):
        given = value.get("tags", [])
        found.update([given] if isinstance(given, str) else given)
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)


def main() -> None:
    """Write every page."""
    for name, told in descriptions().items():
        (PAGES / ("playbook_%s.rst" % name)).write_text(page(name, told), encoding="utf-8")


if __name__ == "__main__":
    main()
