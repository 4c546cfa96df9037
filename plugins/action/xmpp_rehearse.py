# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearse the inventory against the lab, and write the report (see plugin_utils/_rehearsal/rehearse.py)."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display
from jinja2 import TemplateError

from ..module_utils._base.result import Refused
from ..module_utils._base.texts import one_line
from ..modules.xmpp_rehearse import TASK
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._documents import rehearsal as report
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import output
from ..plugin_utils._rehearsal.inventory import GROUPS, VERIFICATION, carried, told
from ..plugin_utils._rehearsal.rehearse import Given, rehearse
from ..plugin_utils._settings.source import settings_of, source_of

Result = dict[str, t.Any]

FROM = "sfb_xmpp_rehearse_from"


class ActionModule(PlaybookAction):
    """Run the lab, in check mode too, and connect to no host of the inventory. Check mode writes no report."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        values = settings_of(self, variables, self.playbook).values
        check = bool(self._task.check_mode)
        into = output.path_of(str(values["into"])) if "into" in values else ""
        if into and not check:
            output.make_directory(into)
        given = Given(
            inventory=", ".join(map(os.path.basename, variables.get("ansible_inventory_sources") or ())),
            profile=str(values.get("rehearse_profile", "")),
            start=output.path_of(str(values["rehearse_from"]), FROM) if "rehearse_from" in values else "",
            once=self._once(variables),
        )
        done = rehearse(hosts_of(variables), given, _tell)
        texts = {"rehearsal.md": report.as_markdown(done), "rehearsal.xml": report.as_junit(done)}
        result = output.write({os.path.join(into, name): text for name, text in texts.items()} if into else {}, check)
        lines = [*report.lines(done), *result["paths"]]
        show(lines)
        return {**result, "lines": lines, "mistakes": report.mistakes(done), "sentence": report.failure(done)}

    def _once(self, variables: Result) -> Result:
        """Return the extra variables for the rehearsed converge."""
        source = source_of(self, variables)
        return {name: source.value(name) for name in source.extra if told(name)}


def hosts_of(variables: t.Mapping[str, t.Any]) -> dict[str, dict[str, Result]]:
    """Return the hosts by group, each with variables for the lab. Raises Refused if a variable cannot be evaluated."""
    found: dict[str, dict[str, Result]] = {}
    for group in GROUPS:
        for host in variables["groups"].get(group, ()):
            values = variables["hostvars"][host]
            own = found.setdefault(group, {}).setdefault(str(host), {})
            for name in filter(carried, map(str, values)):
                try:
                    own[name] = plain(values[name])
                except (AnsibleError, TemplateError) as exc:
                    # This variable can depend on missing values, and converge does not read this variable.
                    if name != VERIFICATION:
                        text = "%s of %s: cannot be evaluated: %s"
                        raise Refused([text % (name, host, " ".join(str(exc).split()))]) from None
    return found


def _tell(text: str) -> None:
    Display().display("sfb.xmpp.rehearse: %s" % one_line(text))
