# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the directories for the files of runs on the controller, and write the journal.

Every action of the collection that may write uses this file, in the playbooks and in users' own plays.
"""

from __future__ import annotations

import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._base import private_file, user_names
from ...module_utils._base.result import Refused
from ...module_utils._federation.files import default_directory
from .._files import journal
from .._files.journal_line import claims, make_line
from .._servers.inventory import servers_in
from .plain_values import plain

# An action plugin with its running task.
Action = t.Any
Variables = t.Mapping[str, t.Any]
# Mount points that are lost with a container: the container's root, and the directory of an AWX job.
_PASSING = ("/", "/runner")
# The names of the playbooks' results that identify the deployment.
_RESULTS = ("xmpp_federation", "failover_moved")
_CONTAINER = ("/.dockerenv", "/run/.containerenv")


def value(action: Action, variables: Variables, name: str) -> t.Any:
    """Return a variable's value; None if the value is empty.

    Raises AnsibleError if the variable cannot be evaluated.
    """
    found = plain(action._templar.template(variables.get(name)))
    return None if found == "" else found


def snapshot_directory(action: Action, variables: Variables) -> str:
    """Return the directory of snapshots and journal. Raises AnsibleError."""
    own = value(action, variables, "sfb_xmpp_snapshot_directory")
    return str(own) if own else os.path.join(state_directory(action, variables), "snapshots")


def state_directory(action: Action, variables: Variables) -> str:
    """Return the directory for all files. Raises AnsibleError."""
    return str(value(action, variables, "sfb_xmpp_state_directory") or default_state())


def default_state() -> str:
    return os.path.dirname(default_directory(constants.config.get_config_value("ANSIBLE_HOME")))


def trust(action: Action, variables: Variables) -> None:
    """Accept the files of sfb_xmpp_trusted_owners in this process. Raises Refused."""
    owners = value(action, variables, "sfb_xmpp_trusted_owners")
    named = owners if isinstance(owners, list) else str("" if owners is None else owners).split(",")
    private_file.trust([str(one).strip() for one in named if str(one).strip()])


def hide_users(action: Action, variables: Variables) -> None:
    """Set whether this process shows the names of users. Raises Refused, AnsibleError."""
    shown = value(action, variables, "sfb_xmpp_show_users")
    hidden = shown is not None and not boolean(shown, strict=False)
    path = os.path.join(os.path.expanduser(state_directory(action, variables)), "users.key")
    user_names.hide(private_file.key(path, "sfb_xmpp_show_users") if hidden else None)


def note(action: Action, result: Variables, variables: Variables) -> list[str]:
    """Write a task into the journal. Return warnings, because the work is already done."""
    try:
        directory = snapshot_directory(action, variables)
    except AnsibleError:  # only a revocation continues with this mistake
        directory = os.path.join(default_state(), "snapshots")
    try:
        settings = value(action, variables, "sfb_xmpp_journal") or {}
        line = _line(action, result, variables)
        text = journal.append(directory, line, int(settings.get("keep_days", journal.KEEP_DAYS)))
        if boolean(settings.get("syslog", False), strict=False):
            journal.to_syslog(text)
    except (Refused, AnsibleError, ValueError, AttributeError) as exc:
        return ["the journal could not be written, so this run is missing in it: %s" % exc]
    return passing(directory) if result.get("changed") else []


def _line(action: Action, result: Variables, variables: Variables) -> dict[str, t.Any]:
    """Return the line of the journal. Raises AnsibleError."""
    host = str(variables.get("inventory_hostname", ""))
    mine = servers_in(variables).of(host)
    arguments = action._task.args
    return make_line(
        {"phase": arguments.get("phase"), "identity": _identity(variables, mine.doors), **result},
        playbook=action.playbook,
        task=str(action._task.action).rpartition(".")[2],
        deployment=mine.label,
        host=host,
        account=account(action),
        inventory=[str(source) for source in variables.get("ansible_inventory_sources") or ()],
        ticket=str(value(action, variables, "sfb_xmpp_ticket") or ""),
        reason=str(arguments.get("reason") or ""),
        claimed=claims(variables, os.environ),
    )


def _identity(variables: Variables, doors: t.Sequence[str]) -> t.Any:
    """Return the identity that an earlier task of the run has read, because an Edge server cannot show the identity."""
    for host in doors:
        known = variables["hostvars"].get(host) or {}
        for name in _RESULTS:
            found = plain(known.get(name))
            if isinstance(found, dict) and found.get("identity"):
                return found["identity"]
    return None


def account(action: Action) -> str:
    try:
        return str(action._connection.get_option("remote_user") or "")
    except KeyError:  # this connection has no accounts
        return ""


def passing(directory: str) -> list[str]:
    """Warn if the directory is lost when the container ends."""
    if not os.environ.get("KUBERNETES_SERVICE_HOST") and not any(map(os.path.exists, _CONTAINER)):
        return []
    place = os.path.realpath(os.path.expanduser(directory))
    while not os.path.ismount(place):
        place = os.path.dirname(place)
    if place not in _PASSING:
        return []
    text = (
        "%s is in a container without a volume. Snapshots and journal are lost when the container ends. Mount a"
        " volume, and set sfb_xmpp_state_directory to its path"
    )
    return [text % directory]
