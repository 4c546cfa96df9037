# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the part of xmpp_federation in Ansible's own process, before and after the module's work.

Before anything connects, the action applies the tags and reports all mistakes in the settings, with the names of the
user's variables. After the work, the action writes the journal and shows the plan as readable lines.
"""

from __future__ import annotations

import os
import typing as t
from types import MappingProxyType

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._base import user_names
from ...module_utils._base.account import system_user
from ...module_utils._base.names import Invalid
from ...module_utils._base.perform import refusal
from ...module_utils._base.result import Refused
from ...module_utils._base.version import VERSION
from ...module_utils._chain.federate import SPEC, task_with
from ...module_utils._federation.catalogue import PARTS, PURGED, REMOVALS, parts_of_tag
from ...module_utils._federation.files import NEWEST, Snapshots, load, safe
from ...module_utils._federation.guard import allow_mistakes
from ...module_utils._federation.kinds import Choice, Kind, Number, Switch
from ...module_utils._federation.plan_file import PlanFile
from ...module_utils._federation.tasks import federation_of
from ...module_utils._federation.words import ROLES, called, variable
from ...module_utils._shell.statement import Place
from .._documents.show import show, together
from .._files import journal, reminders
from .._files.journal_line import applied, carried_out, now
from .._playbooks.accepted import codes_of, today
from .._playbooks.federation_options import OF_SETTINGS, of_playbook, of_role
from .._settings.certificate import certificate_of
from .._settings.source import settings_of
from . import state
from .change_control import held
from .deployment import DeploymentAction, Inventory, Result
from .in_process import failed, runs, skipped
from .plain_values import plain
from .reporting import ReportingAction

# The playbooks that apply declared settings or a snapshot.
_TOWARDS = ("converge", "restore", "failover", "audit")
_EVERYTHING = frozenset(("all", "tagged"))
# The playbooks that accept a saved plan.
_HELD = ("converge", "restore")
# The keys of a result that name users.
_NAMING = ("report", "impact")
# The playbooks that show a plan but never apply it.
_LOOKING = ("audit", "history")


class FederationAction(DeploymentAction, ReportingAction):
    """Take the options from settings in a playbook or role of the collection, which set a variable."""

    # The settings of a run that change control checks.
    _controlled: t.Mapping[str, t.Any] = MappingProxyType({})
    # The options of the first probe of partners. A task of a module alone uses its defaults.
    _probing: t.Mapping[str, t.Any] = MappingProxyType({})
    # The messages about revocations that are not in the inventory yet.
    _reminded: tuple[str, ...] = ()

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        result = super().run(tmp, task_vars)
        # Playbooks that only plan check the plan themselves.
        return self._reported(result, task_vars or {}) if self.playbook in journal.WRITING else result

    def _work(self, task_vars: Result) -> Result:
        try:
            if self.playbook and not self._prepare(task_vars):
                return skipped("the tags select nothing for the management host")
            if self.playbook in _HELD:
                self._hold(task_vars)
            self._check(called(self.playbook))
            if self.playbook and (reason := self._of_another(Inventory(task_vars), task_vars)):
                return {**skipped(reason), "report": [reason]}
        except Refused as exc:
            return failed(exc.reasons)
        return super()._work(task_vars)

    def refuses(self, variables: Result) -> bool:
        """Return whether this task ends before the task connects.

        The connect task calls this function, to avoid useless connections.
        """
        self.playbook = runs(variables)
        try:
            if not self._prepare(variables):
                return True
            if self.playbook in _HELD:
                self._hold(variables)
            self._check(called(self.playbook))
            return bool(self._of_another(Inventory(variables), variables))
        except Refused:
            return True

    def _hold(self, variables: Result) -> None:
        """Set the digest that the plan must have. Raises Refused."""
        inventory = Inventory(variables)
        given = settings_of(self, variables, self.playbook).values.get("plan_digest")
        found = chosen_digest(given, inventory.deployment, inventory.deployments)
        self._task.args.pop("plan_digest", None)
        if found is not None:
            self._task.args["plan_digest"] = found

    def _of_another(self, inventory: Inventory, variables: Result) -> str:
        """Return a text if the snapshot to restore belongs to a different deployment of the run; otherwise empty.

        Raises Refused if the snapshot belongs to no deployment of the run.
        """
        named = plain(self._task.args.get("restore_from"))
        if named in (None, NEWEST):
            return ""
        if inventory.own not in inventory.hosts:  # a host of no group; the snapshot's deployment is compared later
            return ""
        directory = self._task.args.get("snapshot_directory") or state.snapshot_directory(self, variables)
        option = called(self.playbook)("restore_from")
        path = Snapshots(str(directory), option, Place(deployment=inventory.deployment)).find(str(named))
        found = load(path, option).identity.label
        if found == inventory.deployment:
            return ""
        text = "%s is a snapshot of the deployment %s" % (path, found)
        if found in inventory.deployments:
            return "Nothing is restored in the deployment %s, because %s." % (inventory.deployment, text)
        remedy = (
            "Name a snapshot of such a deployment, or set sfb_xmpp_deployment and --limit as in the snapshot's run."
        )
        known = ("the deployment%s " % ("s" * (len(inventory.deployments) > 1))) + ", ".join(inventory.deployments)
        raise Refused(["%s: %s. This run has %s. %s" % (option, text, known, remedy)])

    def _finished(self, result: Result, variables: dict[str, t.Any]) -> Result:
        self._carried_out(result, variables)
        if self._reminded and not result.get("skipped"):
            result["warnings"] = [*result.get("warnings", ()), *self._reminded]
        if user_names.hidden():
            result.update({name: user_names.shown(result[name]) for name in _NAMING if result.get(name)})
        show(result.get("report") or ())
        if self.playbook and isinstance(result.get("diff"), list):
            result["diff"] = together(result["diff"])
        if self._task.check_mode and self._task.args.get("plan_file") and "plan_digest" in result:
            self._save_beside(result, variables)
        return super()._finished(result, variables)

    def _save_beside(self, result: Result, variables: Result) -> None:
        """Write a readable form of the saved plan next to the plan's file."""
        host = str(variables["inventory_hostname"])
        from .._documents.plan_markdown import render

        text = render(
            user_names.shown(result),  # before markup is added around names
            label=Inventory(variables).deployment,
            host=host,
            user=system_user(),
            account=state.account(self),
            time=now(),
            collection=VERSION,
            ticket=str(state.value(self, variables, "sfb_xmpp_ticket") or ""),
        )
        option = called(self.playbook)("plan_file")
        try:
            PlanFile(str(self._task.args["plan_file"]), option).save_beside(text)
        except Refused as exc:
            result.update(failed(exc.reasons))

    def _carried_out(self, result: Result, variables: Result) -> None:
        """Add the time of the apply to the message about a plan file whose plan was applied before."""
        digest = result.pop("other_plan", "")
        if not digest:
            return
        try:
            done = applied(journal.read(state.snapshot_directory(self, variables))[0], digest)
        except (Refused, AnsibleError):
            return
        if done is not None:
            reasons = [carried_out(str(self._task.args.get("plan_file")), done)]
            result.update(reasons=reasons, msg=refusal(reasons))

    def _prepare(self, variables: dict[str, t.Any]) -> bool:
        """Set the options that only the playbook or role knows. Return whether the tags select work. Raises Refused."""
        values = self._controlled = settings_of(self, variables, self.playbook).values
        if self.playbook in ROLES:
            # In a user's own play, tags have a different meaning.
            options = of_role(self.playbook, values, self._parameters(variables))
            # The existing options are module_defaults.
            self._task.args = {**self._task.args, **options}
        else:
            if self.playbook in OF_SETTINGS:
                self._task.args = {**self._task.args, **of_playbook(self.playbook, values)}
            tags = variables.get("ansible_run_tags", ("all",)), variables.get("ansible_skip_tags", ())
            self._task.args["parts"] = parts_of(*tags)
        inventory = Inventory(variables)
        file = self._task.args.get("plan_file")
        if file and inventory.several:
            # Each deployment has its own plan.
            name, ending = os.path.splitext(str(file))
            self._task.args["plan_file"] = "%s-%s%s" % (name, safe(inventory.deployment), ending)
        if boolean(values.get("snapshot", True)):
            self._task.args.setdefault("snapshot_directory", state.snapshot_directory(self, variables))
        else:
            self._task.args.pop("snapshot_directory", None)
        if self.playbook not in ("audit", "history"):  # an audit shows accepted findings
            codes = codes_of((values.get("audit") or {}).get("accepted") or (), inventory.deployment, today())
            given = plain(self._task.args.get("preflight_ignore")) or []
            self._task.args["preflight_ignore"] = [*given, *codes] if isinstance(given, list) else given
        if boolean(self._task.args.get("probe_first") or False):
            from .._playbooks.verification import probing_of

            self._probing = probing_of(values.get("verification") or {}, certificate_of(self, variables))
        self._remind(inventory, values, variables)
        return bool(self._task.args["parts"])

    def _remind(self, inventory: Inventory, values: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> None:
        """Add the revocations that are missing in the inventory. Raises Refused."""
        if not {"revoked"} & set(values) and self.playbook not in _TOWARDS:
            return
        declared = values.get("revoked") or []
        directory = state.snapshot_directory(self, variables)
        left = reminders.missing(reminders.read(directory, inventory.deployment), declared)
        self._task.args["revoked"] = [*declared, *left]
        path = reminders.path_of(directory, inventory.deployment)
        text = "%s is revoked (%s), but it is missing in sfb_xmpp_revoked. Add the entry"
        self._reminded = tuple(text % (one["domain"], path) for one in left)
        if not self._task.check_mode:
            reminders.forget(directory, inventory.deployment, declared)

    def _parameters(self, variables: dict[str, t.Any]) -> Result:
        """Return the values of the role's parameters, by option."""
        names = {option: "%s_%s" % (self.playbook, word) for option, word in ROLES[self.playbook].items()}
        return {option: plain(self._templar.template(variables.get(name))) for option, name in names.items()}

    # Mistakes

    def _check(self, name: t.Callable[[str], str]) -> None:
        """Raise Refused with all mistakes, before anything connects. Keep the declared settings for the work."""
        given = {o: plain(v) for o, v in self._task.args.items() if not o.startswith("_ansible_")}
        mistakes = []
        for option, spec in SPEC.items():
            if given.get(option) is not None:
                mistakes += ["%s%s" % (name(option), text) for text in setting_mistakes(spec, given[option])]
        mistakes += [name("allow") + text for text in allow_mistakes(given.get("allow") or ())]
        try:
            declared = federation_of(given, name)
        except Refused as exc:
            raise Refused([*mistakes, *exc.reasons]) from None
        if mistakes:
            raise Refused(mistakes)
        shows = self._display.verbosity > 0 and self.playbook not in _LOOKING
        self.work_of = task_with(declared, self._approval, self._probing, impact=shows)

    def _approval(self) -> list[str]:
        # An audit reads windows only for the forecast. The plan of an audit is never applied.
        return [] if self.playbook == "audit" else held(self._controlled, plain(self._task.args.get("allow")) or ())

    def _as_module(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Run as a module.

        The module's process cannot check change control or probe partners, so the action does both before.
        """
        if self._probing:
            text = "%s: needs Ansible's own process. Remove ansible_management_shell_direct: false"
            return failed([text % called(self.playbook)("probe_first")])
        if not self._task.check_mode and (reasons := self._approval()):
            return failed(reasons)
        return super()._as_module(task_vars)


def chosen_digest(given: t.Any, own: str, deployments: t.Sequence[str]) -> t.Any:
    """Return the digest for a deployment from sfb_xmpp_plan_digest; None if the setting is missing. Raises Refused.

    given: the value: a digest, a dictionary of digests by deployment, or the whole plan_digest of check mode.
    own: the deployment.
    deployments: the deployments of the run.
    """
    option = variable("plan_digest")
    if given in (None, "", {}):
        return None
    if not isinstance(given, t.Mapping):
        if len(deployments) > 1:
            text = "%s: the run has the deployments %s, which have separate plans. Set a dictionary by deployment"
            raise Refused([text % (option, ", ".join(deployments))])
        return str(given)
    if set(given) == {"digest", "objects"} and len(deployments) < 2:
        return given
    if own not in given:
        text = "%s: has no digest for the deployment %s. It only has %s"
        raise Refused([text % (option, own, ", ".join(map(str, given)))])
    return given[own]


def setting_mistakes(spec: t.Mapping[str, t.Any], value: t.Any) -> list[str]:
    """Return the mistakes in a switch, a number or a choice. Each text follows the option's name."""
    kinds: dict[str, Kind] = {"bool": Switch(), "int": Number()}
    kind = kinds.get(str(spec.get("type")))
    choices = Choice(**{str(word): str(word) for word in spec["choices"]}) if "choices" in spec else None
    items: list[tuple[str, t.Any]] = [(": ", value)]
    if spec.get("type") == "list" and "options" not in spec:
        if isinstance(value, str):
            value = value.split(",") if value else []
        if not isinstance(value, list):
            return [": must be a list, not %r" % (value,)]
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


def parts_of(run_tags: t.Iterable[str], skip_tags: t.Iterable[str]) -> list[str]:
    """Return the parts of a run that the tags select. The tag of a kind also selects the removals of the kind."""
    run, skip, kinds = set(run_tags), set(skip_tags), set(PURGED)
    if skip & _EVERYTHING:
        return []
    if run & _EVERYTHING:
        parts = set(PARTS)
    else:
        parts = {part for tag in run for part in parts_of_tag(tag)}
        if parts & kinds:
            parts.add(REMOVALS)
    for tag in skip:
        parts -= set(parts_of_tag(tag))
    if not parts & kinds and (REMOVALS not in run or skip & kinds):
        # Without a kind, the part means the removals of every kind.
        parts.discard(REMOVALS)
    return [part for part in PARTS if part in parts]
