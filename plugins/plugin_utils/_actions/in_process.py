# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do a module's work in Ansible's own process, over the open session. This way of work is called the fast path.

The ordinary path starts two processes for a task: one for the connection's options, one for the module. On the fast
path, the worker does the work of both processes. Only the connection decides which tasks use the fast path. The
connection switches
``force_persistence`` off for such a task. All other tasks use Ansible's ordinary path.
"""

from __future__ import annotations

import inspect
import os
import sys
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common import arg_spec, parameters
from ansible.module_utils.connection import Connection
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ssh

# Ansible compiles files of a collection again in each worker, unless the process that starts the workers has loaded
# these files.
from ...connection import management_shell as _  # noqa: F401
from ...module_utils._base.perform import perform, refusal
from ...module_utils._base.result import Refused
from ...module_utils._base.task import Task
from ...module_utils._base.texts import in_lines
from ...module_utils._federation.notes import without_notes
from ...module_utils._shell.session import TRANSPORT, ConnectionShell, needs_session
from ...module_utils._topology.misplaced import misplaced
from .._documents.show import show
from .._files import journal
from .._servers.servers import EDGES, GROUPS
from . import daemon, state
from .plain_values import plain

# The playbooks of the collection set this variable to the name of the playbook.
PLAYBOOK = "xmpp_federation_playbook"
# The roles of the collection set this variable to the name of the role. In a playbook, the name of the playbook is
# used.
ROLE = "xmpp_federation_role"
# The result of the first task of a playbook.
CHECKED = "xmpp_settings"
_OF_CONTROL_PATH = ["host", "port", "user", "connection", "pid"]
# Ansible's own text for a value that is not shown.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


# Options whose objects may have notes. Notes are removed before a module runs.
_NOTED = frozenset(("partners", "policies"))


def _without_notes(value: t.Any) -> t.Any:
    return [without_notes(item) for item in value] if isinstance(value, list) else value


def runs(variables: t.Mapping[str, t.Any]) -> str:
    """Return the collection's playbook or role that runs; empty in a user's own task."""
    return str(variables.get(PLAYBOOK) or variables.get(ROLE) or "")


def skipped(reason: str) -> dict[str, t.Any]:
    """Return the result of a host that has nothing to do."""
    return {"changed": False, "skipped": True, "skip_reason": reason}


def failed(reasons: t.Sequence[str], writes: bool = True) -> dict[str, t.Any]:
    """Return the result of a task that is refused before anything connects.

    writes: whether the run may write.
    """
    return {"failed": True, "changed": False, "msg": refusal(reasons, writes), "reasons": list(reasons)}


def may_write(playbook: str, task_writes: bool) -> bool:
    """Return whether a run may write more than a report.

    playbook: the running playbook or role; empty for none.
    task_writes: whether the task may write.
    """
    return playbook in (*journal.WRITING, "import") if playbook else task_writes


def _at_the_door(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the result with printed texts that are safe for a terminal. All other values stay unchanged."""
    found = dict(result)
    for name in ("msg", "skip_reason", "sentence"):
        if isinstance(found.get(name), str):
            found[name] = in_lines(found[name])
    for name in ("warnings", "reasons"):
        if isinstance(found.get(name), list):
            # A module's own warnings are objects of Ansible on the ordinary path.
            found[name] = [in_lines(text) if isinstance(text, str) else text for text in found[name]]
    if isinstance(found.get("diff"), list):
        found["diff"] = [
            {name: in_lines(text) if isinstance(text, str) else text for name, text in one.items()}
            for one in found["diff"]
        ]
    return found


def possible() -> bool:
    """Return whether this ansible-core has the internals that the fast path needs."""
    try:
        return (
            list(inspect.signature(_start_connection()).parameters) == ["play_context", "options", "task_uuid"]
            and list(inspect.signature(ssh.Connection._create_control_path).parameters) == _OF_CONTROL_PATH
            and hasattr(arg_spec.ArgumentSpecValidator({}).validate({}), "_no_log_values")
        )
    except (AttributeError, TypeError, ValueError):
        return False


def _start_connection() -> t.Any:
    """Return Ansible's function that starts or finds the daemon and sends the options to the daemon.

    Every worker has this function.
    """
    return getattr(sys.modules.get("ansible.executor.task_executor"), "start_connection", None)


def _without_unknown(spec: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options with the values of unknown options hidden, on every level."""

    def shown(name: str, value: t.Any) -> t.Any:
        option = next((o for n, o in spec.items() if name == n or name in o.get("aliases", ())), None)
        if option is None or option.get("no_log"):
            return _HIDDEN
        below = option.get("options")
        if below is None:
            return value
        if isinstance(value, t.Mapping):
            return _without_unknown(below, value)
        if isinstance(value, (list, tuple)):
            return [_without_unknown(below, one) if isinstance(one, t.Mapping) else _HIDDEN for one in value]
        return value if value is None else _HIDDEN

    return {str(name): shown(str(name), value) for name, value in given.items()}


class DirectAction(ActionBase):
    """Run the task of a module in Ansible's own process.

    All action plugins of the collection inherit from this class. Each plugin adds the task of the module with the same
    name.
    """

    work_of: Task
    _supports_async = True  # by the ordinary path

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        variables = task_vars or {}
        self.playbook = runs(variables)
        return self._finished(self._perform(variables), variables)

    def _perform(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do the work, unless the settings or the directory of the journal have a mistake."""
        try:
            state.trust(self, variables)
            state.hide_users(self, variables)
            if self._writes:
                journal.ready(state.snapshot_directory(self, variables))
        except (Refused, AnsibleError) as exc:
            return failed(exc.reasons if isinstance(exc, Refused) else [str(exc)])
        mistakes = self._mistakes(variables) if self.playbook else []
        return failed(mistakes) if mistakes else self._work(variables)

    @property
    def _writes(self) -> bool:
        """Return whether this task may change something. The journal has all tasks that may change something."""
        return self.work_of.writes and not self._task.check_mode

    def _finished(self, result: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the task into the journal, and return the result."""
        if result.get("reasons") and not may_write(self.playbook, self.work_of.writes):
            # The message of a run that only reads must not mention writing.
            result["msg"] = refusal(result["reasons"], False)
        if self._writes and not result.get("skipped") and (warnings := state.note(self, result, variables)):
            result["warnings"] = [*result.get("warnings", ()), *warnings]
        return _at_the_door(result)

    def _mistakes(self, variables: dict[str, t.Any]) -> list[str]:
        """Return the mistakes in the settings, if no earlier play of the run has checked them."""
        checked = variables.get(CHECKED)
        if isinstance(checked, t.Mapping) and checked.get("playbook") == self.playbook:
            return []
        # The import is late, because the table of settings imports half of the collection.
        from .._settings.hosts import mistakes_around
        from .._settings.source import settings_of

        # Without that play, this task also checks the settings of several hosts.
        around = [] if variables.get(PLAYBOOK) else mistakes_around(variables)
        try:
            settings_of(self, variables, self.playbook)
        except Refused as exc:
            return [*around, *exc.reasons]
        return around

    def _work(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        self._groups = set(GROUPS).intersection(task_vars.get("group_names") or ())
        for option in _NOTED.intersection(self._task.args):
            self._task.args[option] = _without_notes(plain(self._task.args[option]))
        if self.work_of.session and self._connection.transport != TRANSPORT:
            return {"failed": True, "msg": needs_session(self._task.action, self._connection.transport)}
        if (
            not self.work_of.session
            or getattr(self._connection, "force_persistence", True)
            or not hasattr(self._connection, "socket_for")
        ):
            return self._as_module(task_vars)
        path = self._reach_daemon()
        self._connection._socket_path = path  # the ordinary path expects the path in this variable
        self._task.args["_ansible_socket"] = path  # Ansible uses this path to end the daemon with the play
        try:
            validated = self._validated()
        except Exception as exc:  # noqa: BLE001 - nothing was sent, so the ordinary path can try
            self._display.vvv("%s runs as a module (%s)" % (self._task.action, type(exc).__name__))
            return self._as_module(task_vars)
        return self._in_process(*validated)

    def _end_with_play(self) -> None:
        """Make Ansible end this host's session with the play, even if this play does not use the session."""
        if hasattr(self._connection, "socket_for"):
            path = self._connection.socket_for(self._play_context)
            if os.path.exists(path):
                self._task.args["_ansible_socket"] = path

    def _as_module(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Use the ordinary path: Ansible's ordinary action for modules."""
        return self._through("ansible.legacy.normal", task_vars)

    def _through(self, action: str, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Run another action for the same task, over the same connection, and return the action's result."""
        return t.cast("dict[str, t.Any]", self._other(action, self._task).run(task_vars=task_vars))

    def _other(self, action: str, task: t.Any) -> t.Any:
        """Return another action for a task of Ansible, over the same connection."""
        return self._shared_loader_obj.action_loader.get(
            action,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )

    def _hand_on(self, module: str, options: t.Mapping[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run another module of the collection for the same host, over the same connection.

        Return the module's result.
        """
        # The task is a copy of this process. Ansible reads the session to end from the arguments of the task.
        self._task.action = "sfb.xmpp." + module
        self._task.args = dict(options)
        return self._through(self._task.action, task_vars)

    def _reach_daemon(self) -> str:
        """Send this task's options to the daemon, and return the path of the daemon's socket.

        Raises AnsibleError with Ansible's own text if the daemon cannot be started, or refuses the host.
        """
        connection: t.Any = self._connection
        options = connection.get_options()
        path = connection.socket_for(self._play_context)
        if self._adopted(path, options):
            return str(path)
        if daemon.can_fork():
            with daemon.alone(path):
                if self._adopted(path, options):
                    return str(path)
                if not os.path.exists(path):
                    messages = daemon.start(self._play_context, plain(options), path, self._task._uuid)
                    self._pass_on([*messages, *Connection(path).pop_messages()])
                    return str(path)
        self._play_context.timeout = connection.get_option("persistent_command_timeout")
        return str(_start_connection()(self._play_context, options, self._task._uuid))

    def _adopted(self, path: str, options: dict[str, t.Any]) -> bool:
        """Send this task's options to a running daemon, and return whether the daemon accepted the options."""
        if not os.path.exists(path):
            return False
        try:
            self._pass_on(Connection(path).adopt(plain(options)))
        except Exception as exc:  # noqa: BLE001 - the daemon has ended or refuses. The ordinary path reports the reason
            self._display.vvv("%s does not answer (%s)" % (self._connection.transport, type(exc).__name__))
            return False
        return True

    def _pass_on(self, messages: t.Iterable[tuple[str, str]]) -> None:
        for level, text in messages:
            if level == "warning":
                self._display.warning(in_lines(text))
                continue
            show = self._display.vvvv if level == "vvvv" else self._display.vvv
            show(in_lines(text), host=self._play_context.remote_addr)

    def _validated(self) -> tuple[dict[str, t.Any], set[str], str]:
        """Return the parameters, the secret texts in the parameters, and the mistakes."""
        given = {name: plain(value) for name, value in self._task.args.items() if not name.startswith("_ansible_")}
        validator = arg_spec.ArgumentSpecValidator(
            dict(self.work_of.argument_spec), required_if=list(self.work_of.required_if)
        )
        found = validator.validate(given)
        wrong = str(found.errors.msg) if found.error_messages else ""
        if wrong and isinstance(found.errors[0], UnsupportedError):
            wrong = "Unsupported parameters for (%s) module: %s" % (self._task.action, wrong)
        return {**given, **found.validated_parameters}, set(found._no_log_values), wrong

    def _tell(self, text: str) -> None:
        """Show a line in the play's output during the task.

        Ansible passes the line from the worker to the main process.
        """
        show(["%s: %s: %s" % (self._task.action, self._play_context.remote_addr, text)])

    def _look_for_wrong_group(self, result: dict[str, t.Any]) -> None:
        """Add to the message that the host is in a wrong group, if a wrong group may be the reason of a failed read."""
        refused = result.get("failed") and "steps" not in result and not result.get("unanswered")
        # A missing cmdlet of an Edge can have this reason. The reasons of a management host have their own messages.
        if not (self.playbook and refused and (result.get("failures") or self._groups == {EDGES})):
            return
        text = misplaced(ConnectionShell(self._connection.socket_path), self._groups)
        if text and result.get("reasons"):
            result["reasons"] = [text, *result["reasons"]]
            result["msg"] = refusal(result["reasons"], self.work_of.writes)
        elif text:
            result["msg"] = "%s. %s" % (text, result["msg"])

    def _in_process(self, params: dict[str, t.Any], secrets: set[str], wrong: str) -> dict[str, t.Any]:
        """Do the work, and return the result in the form of AnsibleModule."""
        result: dict[str, t.Any] = {"failed": True, "msg": wrong}
        warnings: list[str] = []
        if not wrong:
            result, warnings = perform(
                self.work_of, params, self._connection.socket_path, bool(self._task.check_mode), self._tell
            )
            self._look_for_wrong_group(result)
        # The value of a misspelled option may be a secret.
        known = dict(params) if not wrong else _without_unknown(self.work_of.argument_spec, params)
        result["invocation"] = {"module_args": known}
        if warnings:
            result["warnings"] = list(dict.fromkeys(warnings))
        result = plain(result)
        kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**parameters.remove_values(result, secrets), **kept}
