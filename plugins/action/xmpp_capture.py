# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the file of a capture, one for each deployment (see plugin_utils/_playbooks/capture.py)."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import sys
import typing as t

from ansible import constants
from ansible.release import __version__ as core

from ..module_utils._base import private_file
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import json_text, utc
from ..module_utils._base.version import VERSION
from ..module_utils._capture.pseudonyms import Pseudonyms
from ..module_utils._capture.tasks import default_key, read_key
from ..modules.xmpp_capture import TASK
from ..plugin_utils._actions.playbook import PlaybookAction, results_of
from ..plugin_utils._documents.show import show
from ..plugin_utils._files import output
from ..plugin_utils._playbooks import capture
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The name under which the playbook registers the answers of a server.
READ = "capture_read"


class ActionModule(PlaybookAction):
    """Write the files of all deployments in one task, on the first host of the play that is left."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        values = settings_of(self, variables, self.playbook).values
        check = bool(self._task.check_mode)
        key_file = (values.get("capture") or {}).get("key_file")
        key_file = os.path.expanduser(key_file or default_key(constants.config.get_config_value("ANSIBLE_HOME")))
        playing = [str(host) for host in variables.get("ansible_play_hosts_all") or ()]
        servers = servers_in(variables).among(playing)
        if not servers.deployments:
            text = "the inventory has no hosts in sfb_management, sfb_edge or sfb_front_end. Add your servers to them"
            raise Refused([text])
        read = {one.label: _results(variables, one.hosts, playing) for one in servers.deployments}
        wrong = capture.mistakes({host: one for results in read.values() for host, one in results.items()})
        if wrong:
            raise Refused(wrong)
        names = Pseudonyms(read_key(key_file, check))
        texts: dict[str, str] = {}
        lines: list[str] = []
        for one in servers.deployments:
            path = self._path(str(values.get("into", "sfb-xmpp-capture.json")), servers_in(variables), one.label)
            made = utc(datetime.datetime.now(datetime.timezone.utc))
            found = capture.decide(one, read[one.label], names, made, _by())
            texts[path] = json_text(found.document, indent=1) + "\n"
            lines += ["%s %s:" % (path, "would have" if check else "has"), *found.lines]
        lines.append("Read the file before you share it. Keep the key of its pseudonyms secret: %s" % key_file)
        result = output.write(texts, check, diff=bool(self._task.diff))
        show(lines)
        return {**result, "lines": lines}

    @staticmethod
    def _path(given: str, servers: t.Any, label: str) -> str:
        """Return the file of a deployment. With several deployments, the file's name has the label. Raises Refused."""
        path = output.path_of(given)
        if servers.several:
            name, ending = os.path.splitext(path)
            path = "%s-%s%s" % (name, output.name_of(servers, label), ending)
        data = private_file.read_if_there(path, output.OPTION)
        if data is not None and not _ours(data):
            raise Refused(["%s: %s exists and is not a capture. Name another file" % (output.OPTION, path)])
        return path


def _results(variables: Result, hosts: t.Iterable[str], playing: t.Collection[str]) -> dict[str, Result]:
    """Return the answers of each host of the run; an empty result if a host's process ended without an answer."""
    own = [host for host in hosts if host in playing]
    return {**{host: {} for host in own}, **results_of(variables, own, READ)}


def _ours(data: bytes) -> bool:
    try:
        return bool(json.loads(data).get("format") == capture.FORMAT)
    except (ValueError, AttributeError):
        return False


def _by() -> str:
    """Return the versions of the programs that made the file."""
    try:
        pypsrp = importlib.metadata.version("pypsrp")
    except importlib.metadata.PackageNotFoundError:
        pypsrp = "unknown"
    text = "sfb.xmpp %s, ansible-core %s, Python %d.%d, pypsrp %s"
    return text % (VERSION, core, sys.version_info[0], sys.version_info[1], pypsrp)
