# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the files of an export (see plugin_utils/_files/export.py)."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ..modules.xmpp_export import TASK
from ..plugin_utils._actions.playbook import PlaybookAction, results_of
from ..plugin_utils._files import export, output
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The name under which the playbook registers the deployment's objects.
EXISTING = "export_existing"


class ActionModule(PlaybookAction):
    """Write the objects of one deployment as an inventory in a directory."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        values = settings_of(self, variables, self.playbook).values
        own, servers = str(variables["inventory_hostname"]), servers_in(variables)
        label = servers.of(own).label
        into = output.directory_of(str(values.get("into", "sfb-xmpp-export")), servers, label)
        settings = values.get("export", {})
        info = results_of(variables, [own], EXISTING)[own]
        found = export.make_export(info, boolean(settings.get("defaults", True)))
        texts = export.files(found, deployment=label, host=own)
        export.check_ours(into, texts)
        check = bool(self._task.check_mode)
        result = output.write({os.path.join(into, name): text for name, text in texts.items()}, check)
        lines = export.lines(found, into, result["changed"], check)
        return {**result, "lines": self._show(lines, variables), "left_out": list(found.left_out)}
