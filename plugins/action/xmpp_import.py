# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a file of variables from files of the user (see plugin_utils/_playbooks/imports.py)."""

from __future__ import annotations

import typing as t

from ..module_utils._base import private_file
from ..modules.xmpp_import import TASK
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import output
from ..plugin_utils._playbooks import imports
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]


class ActionModule(PlaybookAction):
    """Read only the files, and write only the file of variables."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        values = settings_of(self, variables, self.playbook).values
        files = {}
        for kind, given in imports.asked(values).items():
            option = imports.PREFIX + kind
            path = output.path_of(given, option)
            files[kind] = imports.File(path, private_file.read(path, option))
        unwanted = values.get("import_ignore_columns") or []
        if isinstance(unwanted, str):
            unwanted = unwanted.split(",")
        found = imports.decide(files, str(values.get("import_encoding", "")), unwanted)
        into, check = output.path_of(str(values["into"])), bool(self._task.check_mode)
        result = output.write({into: found.text}, check, backup=True)
        lines = imports.lines(found, into, result["changed"], check)
        show(lines)
        return {**result, "lines": lines, **({"warnings": list(found.warnings)} if found.warnings else {})}
