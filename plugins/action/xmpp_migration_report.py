# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the report of a migration, which xmpp_migration_info has made."""

from __future__ import annotations

import os
import typing as t

from ..modules.xmpp_migration_report import TASK
from ..plugin_utils._actions.playbook import PlaybookAction, results_of
from ..plugin_utils._files import output
from ..plugin_utils._playbooks import migration
from ..plugin_utils._playbooks.migration_target import target_of
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The name under which the playbook registers the result of xmpp_migration_info.
FOUND = "migration_found"


class ActionModule(PlaybookAction):
    """Write the report so that only the file's owner can read it, because the report names users."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        values = settings_of(self, variables, self.playbook).values
        own, servers = str(variables["inventory_hostname"]), servers_in(variables)
        into = output.directory_of(str(values.get("into", "sfb-xmpp-migration")), servers, servers.of(own).label)
        info = results_of(variables, [own], FOUND)[own]
        path, check = os.path.join(into, "migration.md"), bool(self._task.check_mode)
        target = target_of(values.get("target"))
        beside = {os.path.join(into, name): text for name, text in migration.files(info, target).items()}
        # Other users may read the settings of an XMPP server, but not the report.
        result = output.write({**beside, path: info["report"]}, check, shared=beside)
        shown = migration.lines(info, path, result["changed"], check, target)
        return {**result, "lines": self._show(shown, variables)}
