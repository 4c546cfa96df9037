# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_federation does in Ansible's own process before and after its work.

Before anything connects: which of a deployment's hosts does the work, what the tags leave of it, and every mistake in
what was declared, in the user's words. Afterwards the plan, as lines that people want to read.
"""

from __future__ import annotations

import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._base.names import Invalid
from ..module_utils._base.perform import refusal
from ..module_utils._base.result import Refused
from ..module_utils._federation.federation import PARTS
from ..module_utils._federation.files import default_directory, safe
from ..module_utils._federation.kinds import Choice, Kind, Number, Switch
from ..module_utils._federation.tasks import FEDERATION_SPEC, federation_of, variable
from . import _journal
from ._direct import DirectAction
from ._plain import plain
from ._variables import check_variables, contradictions

GROUP = "sfb_management"
EDGES = "sfb_edge"
# A tag for each part, but one for both settings, and the tag of removals goes with every kind.
_TAGS = {"gateway": ("gateway", "access_edge")}
_EVERYTHING = frozenset(("all", "tagged"))
_COLOURS = {"+": "COLOR_OK", "~": "COLOR_CHANGED", "-": "COLOR_ERROR", ">": "COLOR_CHANGED", "<": "COLOR_ERROR"}

Result = dict[str, t.Any]


class FederationAction(DirectAction):
    """See above. In a playbook of the collection, which says so in a variable, options have the names of variables."""

    # By task: the words of the hosts that did not answer, or None once one did. The items of a loop run in one process.
    _silent: t.ClassVar[dict[str, list[str] | None]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        variables = task_vars or {}
        playbook = str(variables.get("xmpp_federation_playbook") or "")
        # The arguments lose it where no snapshot is wanted; the journal is kept all the same.
        directory = self._directory(variables)
        result = self._run(tmp, variables, playbook)
        if playbook in _journal.WRITING and not self._task.check_mode and _ends(result):
            self._note(result, variables, playbook, directory)
        return result

    def _directory(self, variables: dict[str, t.Any]) -> str:
        """Where the journal is."""
        return str(self._task.args.get("snapshot_directory") or _default_directory())

    def _run(self, tmp: str | None, variables: dict[str, t.Any], playbook: str) -> Result:
        warnings: list[str] = []
        if playbook:
            early = self._in_playbook(variables, warnings)
            if early is not None:
                return early
            if self._silent.get(self._task._uuid, []) is None:
                return {"changed": False, "skipped": True, "skip_reason": "another host has answered"}
        try:
            self._check(variable if playbook else str)
        except Refused as exc:
            return self._failed(exc.reasons)
        result = super().run(tmp, variables)
        if warnings:
            result["warnings"] = [*warnings, *result.get("warnings", ())]
        if playbook:
            result = self._or_another_host(result, variables)
        self._show(result.get("report") or ())
        return result

    def _failed(self, reasons: t.Sequence[str]) -> Result:
        return {"failed": True, "changed": False, "msg": refusal(reasons), "reasons": list(reasons)}

    # In a playbook

    def _in_playbook(self, variables: dict[str, t.Any], warnings: list[str]) -> Result | None:
        """The result where this host has nothing to do, else None."""
        groups = variables["groups"]
        if not groups.get(GROUP):
            if groups.get(EDGES):
                return {"changed": False, "skipped": True, "skip_reason": "there are no hosts in %s" % GROUP}
            text = "the inventory has neither hosts in %s, the way into a deployment, nor in %s, its Edge servers"
            return self._failed([text % (GROUP, EDGES)])
        hosts = self._hosts(variables)
        own = str(variables["inventory_hostname"])
        if own != hosts[0]:
            return {"changed": False, "skipped": True, "skip_reason": "%s is used for this deployment" % hosts[0]}
        mistakes, found = check_variables(name for host in hosts for name in variables["hostvars"][host])
        warnings += found
        if len(hosts) > 1:
            mistakes += contradictions({host: self._declared(variables, host) for host in hosts})
        if mistakes:
            return self._failed(mistakes)
        parts = parts_of(variables.get("ansible_run_tags", ("all",)), variables.get("ansible_skip_tags", ()))
        for option in undeclared(self._task.args, variables):
            del self._task.args[option]
        if not parts:
            return {"changed": False, "skipped": True, "skip_reason": "the tags leave nothing of the management host"}
        self._task.args["parts"] = parts
        file = self._task.args.get("plan_file")
        if file and len(self._deployments(variables)) > 1:
            # One plan for each deployment.
            name, ending = os.path.splitext(str(file))
            self._task.args["plan_file"] = "%s-%s%s" % (name, safe(self._deployment(variables, own)), ending)
        if boolean(variables.get("sfb_xmpp_snapshot", True), strict=False):
            self._task.args.setdefault("snapshot_directory", _default_directory())
        else:
            self._task.args.pop("snapshot_directory", None)
        return None

    def _hosts(self, variables: t.Mapping[str, t.Any]) -> list[str]:
        """The management hosts of this host's deployment, in the inventory's order."""
        own = FederationAction._deployment(variables, variables["inventory_hostname"])
        hosts = variables["groups"][GROUP]
        return [str(host) for host in hosts if FederationAction._deployment(variables, host) == own]

    @staticmethod
    def _deployment(variables: t.Mapping[str, t.Any], host: str) -> str:
        return str(variables["hostvars"][host].get("sfb_xmpp_deployment") or "default")

    @staticmethod
    def _deployments(variables: t.Mapping[str, t.Any]) -> set[str]:
        return {FederationAction._deployment(variables, host) for host in variables["groups"][GROUP]}

    @staticmethod
    def _declared(variables: t.Mapping[str, t.Any], host: str) -> dict[str, t.Any]:
        values = variables["hostvars"][host]
        return {str(name): plain(values[name]) for name in values if str(name).startswith("sfb_xmpp_")}

    def _or_another_host(self, result: Result, variables: dict[str, t.Any]) -> Result:
        """Where the host does not answer and the deployment has others, that is no failure yet."""
        hosts = self._hosts(variables)
        current = str(self._task.delegate_to or variables["inventory_hostname"])
        silent = bool(result.get("failed") and result.get("unanswered"))
        if current == hosts[0]:
            said = {"changed": False, "unanswered": result.get("msg"), "other_hosts": hosts[1:]}
            return said if silent and len(hosts) > 1 else result
        if not silent:
            self._silent[self._task._uuid] = None
            return result
        words = self._silent.get(self._task._uuid) or []
        self._silent[self._task._uuid] = words
        words.append("%s: %s" % (current, result["msg"]))
        if current != hosts[-1]:
            return {"changed": False, "unanswered": result["msg"]}
        first = variables.get("xmpp_federation", {}).get("unanswered", "")
        text = "no host of the deployment answers. " + "; ".join(["%s: %s" % (hosts[0], first), *words])
        return {**result, "msg": "Nothing was written: " + text}

    def _note(self, result: Result, variables: dict[str, t.Any], playbook: str, directory: str) -> None:
        """Write the run into the journal. That it cannot be written is a warning: the run itself is over."""
        try:
            run = _journal.make_run(
                result,
                playbook=playbook,
                deployment=str(self._templar.template(variables.get("sfb_xmpp_deployment")) or "default"),
                host=str(self._task.delegate_to or variables["inventory_hostname"]),
                account=str(self._connection.get_option("remote_user") or ""),
                inventory=[str(source) for source in variables.get("ansible_inventory_sources") or ()],
                ticket=str(self._templar.template(variables.get("sfb_xmpp_ticket")) or ""),
            )
            _journal.append(directory, run)
        except (Refused, AnsibleError) as exc:
            text = "this run is not in the journal: %s" % exc
            result["warnings"] = [*result.get("warnings", ()), text]

    # Mistakes

    def _check(self, name: t.Callable[[str], str]) -> None:
        """Raises Refused with all mistakes, before anything connects."""
        given = {o: plain(v) for o, v in self._task.args.items() if not o.startswith("_ansible_")}
        mistakes = []
        for option, spec in FEDERATION_SPEC.items():
            if given.get(option) is not None:
                mistakes += ["%s%s" % (name(option), text) for text in setting_mistakes(spec, given[option])]
        try:
            federation_of(given, name)
        except Refused as exc:
            mistakes += exc.reasons
        if mistakes:
            raise Refused(mistakes)

    # For people

    def _show(self, lines: t.Sequence[str]) -> None:
        for line in lines:
            mark = line[2:4].rstrip() if line.startswith("  ") else ""
            colour = getattr(constants, _COLOURS[mark]) if mark in _COLOURS else None
            self._display.display(str(line), color=colour)


def _default_directory() -> str:
    return default_directory(constants.config.get_config_value("ANSIBLE_HOME"))


def _ends(result: t.Mapping[str, t.Any]) -> bool:
    """Whether a run ends with this result: nothing was skipped, and no other host is tried."""
    return not result.get("skipped") and (bool(result.get("failed")) or "unanswered" not in result)


def setting_mistakes(spec: t.Mapping[str, t.Any], value: t.Any) -> list[str]:
    """What is wrong with a switch, a number or a choice, each text to follow the option's name."""
    kinds: dict[str, Kind] = {"bool": Switch(), "int": Number()}
    kind = kinds.get(str(spec.get("type")))
    choices = Choice(**{str(word): str(word) for word in spec["choices"]}) if "choices" in spec else None
    items: list[tuple[str, t.Any]] = [(": ", value)]
    if spec.get("type") == "list" and "options" not in spec:
        if isinstance(value, str):
            value = value.split(",") if value else []
        if not isinstance(value, list):
            return [": %r is no list" % (value,)]
        items = [("[%d]: " % number, item) for number, item in enumerate(value)]
    found = []
    for place, item in items:
        for checker in (kind, choices):
            try:
                if checker is not None:
                    checker.from_user(item)
            except Invalid as exc:
                found.append(place + str(exc))
    return found


def undeclared(args: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> list[str]:
    """The options that are empty texts only because ansible-core 2.17 makes one of null: nobody wrote anything."""
    return [option for option, value in args.items() if value == "" and variables.get(variable(option)) is None]


def parts_of(run_tags: t.Iterable[str], skip_tags: t.Iterable[str]) -> list[str]:
    """The parts that tags leave of a run. A kind's tag stands for its removals too."""
    run, skip = set(run_tags), set(skip_tags)
    if skip & _EVERYTHING:
        return []
    if run & _EVERYTHING:
        parts = set(PARTS)
    else:
        parts = {part for tag in run for part in _TAGS.get(tag, (tag,)) if part in PARTS}
        if parts & {"policies", "partners"}:
            parts.add("removals")
    for tag in skip:
        parts -= set(_TAGS.get(tag, (tag,)))
    kinds = {"policies", "partners"}
    if not parts & kinds and ("removals" not in run or skip & kinds):
        # Without a kind beside it, the part would mean the removals of every kind.
        parts.discard("removals")
    return [part for part in PARTS if part in parts]
