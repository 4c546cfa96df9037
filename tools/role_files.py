# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the generated files of the roles that run xmpp_federation: ``python -m tools.role_files``.

The parameters come from ``_federation/words.py``. Types and texts come from the table of settings. A test compares the
defaults, the argument specs and the tables of the READMEs with the result of this module.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import SPEC
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.words import PARTS_OF_ROLES, ROLES
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME, PREFIX

TOP = Path(__file__).resolve().parent.parent
HEAD = """# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

---
# Written by tools/role_files.py from the table of settings.
"""
WIDTH = 160
SHORT = {
    "federation": "Manage the XMPP federation of a deployment",
    "access_policies": "Manage external access policies and their grants",
    "federated_partners": "Manage XMPP federated partners",
    "gateway_settings": "Set up the XMPP gateway and the Access Edge",
}
DESCRIPTION = {
    "federation": "This role applies all declared settings in one plan, or restores a snapshot.",
    "access_policies": "This role changes and grants policies. With a purge, the role removes other policies.",
    "federated_partners": "This role changes the partners. With a purge, the role removes other partners.",
    "gateway_settings": "This role changes only the settings that are declared.",
}
# The inventory has no variable for these parameters.
_OWN = {
    "parts": "The parts of the run, from %s. Empty for all. ``removals`` alone means the removals of every kind.",
    "preflight": "Check the requirements of federation. If no message could pass, a run that adds objects is refused.",
    "preflight_ignore": "Codes of findings that do not stop the run, in addition to ``sfb_xmpp_audit.accepted``.",
    "restore_from": "The snapshot to restore, or ``newest``. A restore does not use declared settings. Empty for none.",
    "restore_only": "To restore only some partners, list a domain of each. Empty for everything in the snapshot.",
}
# This is the empty value of each type. If an empty list or text has a meaning, the type is raw. Otherwise ansible-core
# 2.17 would convert null to an empty string, and its own check would report a mistake.
_EMPTY: dict[str, t.Any] = {"list": [], "str": "", "path": ""}
_DEFAULTS = {"replication": "wait", "preflight": True}


@dataclass(frozen=True)
class Parameter:
    """Describe one parameter of a role.

    name: with the role's name in front.
    spec: its argument spec.
    text: in reStructuredText.
    variable: the variable of its default; empty without one.
    """

    name: str
    spec: dict[str, t.Any]
    text: str
    variable: str

    @property
    def default(self) -> t.Any:
        """Return the value in the file of defaults."""
        if not self.variable:
            return self.spec["default"]
        empty = "none" if self.spec["type"] == "raw" else yaml_text(self.spec["default"], "'")
        # 0 is a limit, so it does not count as empty.
        also = "" if self.spec["type"] in ("raw", "int") else ", true"
        return "{{ %s | default(%s%s) }}" % (self.variable, empty, also)


def parameters(role: str) -> list[Parameter]:
    """Return the parameters of a role, in the order of the table."""
    return [_parameter(role, option, word) for option, word in ROLES[role].items()]


def _parameter(role: str, option: str, word: str) -> Parameter:
    spec = {name: SPEC[option][name] for name in ("type", "elements", "choices") if name in SPEC[option]}
    default = _DEFAULTS.get(option, SPEC[option].get("default"))
    if "options" in SPEC[option]:
        spec = {"type": "raw"}
    else:
        spec["default"] = _EMPTY.get(spec["type"]) if default is None else default
    setting = BY_NAME.get(PREFIX + option)
    text = setting.text if setting else _OWN[option]
    if "%s" in text:
        text %= ", ".join("``%s``" % part for part in PARTS_OF_ROLES[role])
    return Parameter("%s_%s" % (role, word), spec, text, setting.name if setting else "")


def yaml_text(value: t.Any, quote: str) -> str:
    """Return a plain value in a form that is valid in YAML and Jinja."""
    if isinstance(value, bool):
        return str(value).lower()
    return "%s%s%s" % (quote, value, quote) if isinstance(value, str) else str(value)


def markup(text: str) -> str:
    """Return a text of the table in the markup of Ansible's documentation."""
    text = re.sub(r":ansopt:`([^`]+)`", r"O(\1)", text)
    return re.sub(r"``([^`]+)``", r"C(\1)", text)


def defaults(role: str) -> str:
    """Return the file of defaults."""
    lines = ["%s: %s" % (one.name, yaml_text(one.default, '"')) for one in parameters(role)]
    return HEAD + "\n".join(lines) + "\n"


def argument_specs(role: str) -> str:
    """Return the file of argument specs."""
    entry = {
        "short_description": SHORT[role],
        "description": [DESCRIPTION[role]],
        "author": ["the sfb.xmpp authors"],
        "options": {one.name: {"description": [markup(one.text)], **one.spec} for one in parameters(role)},
    }
    text = yaml.dump({"argument_specs": {"main": entry}}, Dumper=_Indented, sort_keys=False, width=WIDTH - 10)
    return HEAD + text


class _Indented(yaml.SafeDumper):
    """Write lists below their key, as in the other files."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: t.Any) -> bool:
        return True


def table(role: str) -> str:
    """Return the table of parameters in the README."""
    lines = ["| parameter | default | content |", "|---|---|---|"]
    for one in parameters(role):
        own = yaml_text(one.spec["default"], "") if one.spec.get("default") not in (None, "", [], {}) else ""
        default = "`, or `".join(filter(None, (one.variable, own))) or yaml_text(one.spec["default"], '"')
        text = re.sub(r":ansopt:`([^`#]+)#module:(\w+)`", r"`\2` of `\1`", one.text).replace("``", "`")
        lines.append("| `%s` | `%s` | %s |" % (one.name, default, text))
    return "\n".join(lines) + "\n"


def with_table(readme: str, role: str) -> str:
    """Return the README with a new table of the role's parameters."""
    return re.sub(r"^\| parameter \|.*\n(?:\|.*\n)*", lambda _found: table(role), readme, flags=re.MULTILINE)


def files() -> dict[Path, str]:
    """Return the content of each file."""
    found = {}
    for role in ROLES:
        place = TOP / "roles" / role
        readme = place / "README.md"
        found[place / "defaults" / "main.yml"] = defaults(role)
        found[place / "meta" / "argument_specs.yml"] = argument_specs(role)
        found[readme] = with_table(readme.read_text(encoding="utf-8"), role)
    return found


def main() -> None:
    """Write every file."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
