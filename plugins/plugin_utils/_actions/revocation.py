# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the part of xmpp_partner_revocation in Ansible's own process, before and after the module's work.

As in xmpp_federation, the first host of the deployment that answers is used, and the run is in the journal. Only the
parts of the inventory that the revocation needs are checked, so that other mistakes do not stop the revocation.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._base.result import Refused
from ...module_utils._topology.revocation import TASK
from .._documents.show import show
from .._files import reminders
from .._playbooks.revoked_services import before_the_revocation
from .._servers.servers import DOORS
from .._settings.source import settings_of
from . import state
from .deployment import Inventory, Result
from .federation import FederationAction
from .in_process import failed
from .plain_values import plain

_LIST, _DOMAIN = "sfb_xmpp_partners", "sfb_xmpp_revoke_domain"
# The options of the module, by setting of the playbook.
_OPTIONS = {
    "revoke_domain": "domain",
    "revoke_reason": "reason",
    "revoke_restart": "restart",
    "protect": "protect",
    "allow": "allow",
}


class RevocationAction(FederationAction):
    """Run the action of a revocation, in the revocation's playbook and in users' own plays."""

    def _without_hosts(self, variables: t.Mapping[str, t.Any]) -> Result:
        return failed(["the group %s has no hosts. Add the management hosts to the inventory" % DOORS])

    def _mistakes(self, variables: dict[str, t.Any]) -> list[str]:
        deployments = Inventory(variables).deployments
        if len(deployments) > 1:
            text = "the inventory has the deployments %s. Choose one of them: set --limit to its hosts"
            return [text % ", ".join(deployments)]
        return []

    def _perform(self, variables: dict[str, t.Any]) -> Result:
        # If the journal cannot be written, the run only warns after the revocation.
        mistakes = self._mistakes(variables) if self.playbook else []
        return failed(mistakes) if mistakes else self._work(variables)

    def _work(self, task_vars: dict[str, t.Any]) -> Result:
        if self.playbook:
            try:
                values = settings_of(self, task_vars, self.playbook).values
            except Refused as exc:
                return failed(exc.reasons)
            self._task.args.update({option: values[name] for name, option in _OPTIONS.items() if name in values})
            if boolean(values.get("revoke_restart", False), strict=False):
                show(before_the_revocation(Inventory(task_vars).servers.of(str(task_vars["inventory_hostname"]))))
        return super()._work(task_vars)

    def _prepare(self, variables: dict[str, t.Any]) -> bool:
        return True

    def _check(self, name: t.Callable[[str], str]) -> None:
        try:
            canonical_domain(str(self._task.args.get("domain") or ""))
        except Invalid as exc:
            raise Refused(["%s: %s" % (_DOMAIN if self.playbook else "domain", exc)]) from None
        if self._task.check_mode and self._display.verbosity > 0:
            from ...module_utils._chain.revoked_users import with_users

            self.work_of = with_users(TASK)

    def _finished(self, result: Result, variables: dict[str, t.Any]) -> Result:
        result = super()._finished(result, variables)
        if self.playbook and "owner" in result:
            listed = self._listed(variables, str(result["domain"]))
            text = "the inventory still has the domain: %s. Remove it, or the next run of converge allows it again"
            result["listed"] = listed
            result["warnings"] = [*result.get("warnings", ()), *(text % place for place in listed)]
            if not result.get("failed"):
                self._remember(result, variables)
        return result

    def _remember(self, result: Result, variables: dict[str, t.Any]) -> None:
        """Keep the revocation until the inventory has the entry, and show the entry.

        A failed write is only a warning.
        """
        values = {name: self._value(variables, name) for name in ("revoked", "ticket")}
        entry = {
            "domain": str(result["domain"]),
            "since": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "ticket": str(values["ticket"] or ""),
            "reason": str(self._task.args.get("reason") or ""),
        }
        declared = values["revoked"] if isinstance(values["revoked"], list) else []
        if not reminders.missing([entry], [one for one in declared if isinstance(one, dict)]):
            return
        lines = ["Add this to the inventory, so that no run allows the domain again:", *reminders.to_commit(entry)]
        show(lines)
        result["report"] = [*result.get("report", ()), *lines]
        if self._task.check_mode:
            return
        try:
            directory = state.snapshot_directory(self, variables)
            reminders.remember(directory, Inventory(variables).deployment, entry)
        except (Refused, AnsibleError) as exc:
            text = "the revocation is not saved on this controller (%s). Commit the entry before the next run"
            result["warnings"] = [*result.get("warnings", ()), text % exc]

    def _value(self, variables: dict[str, t.Any], name: str) -> t.Any:
        """Return a setting; None if the setting cannot be evaluated. Such a mistake must not stop a revocation."""
        try:
            return plain(self._templar.template(variables.get("sfb_xmpp_" + name)))
        except Exception:  # noqa: BLE001
            return None

    def _listed(self, variables: dict[str, t.Any], domain: str) -> list[str]:
        """Return the places where the inventory declares the domain, or a text if the places are unknown."""
        try:
            partners = plain(self._templar.template(variables.get(_LIST))) or []
        except Exception as exc:  # noqa: BLE001 - a mistake in the list must not stop a revocation
            return ["perhaps in %s, which cannot be read (%s)" % (_LIST, type(exc).__name__)]
        found = []
        for number, item in enumerate(partners if isinstance(partners, list) else []):
            if not isinstance(item, dict):
                continue
            more = item.get("additional_domains")
            names = {_canonical(item.get("domain")): ""}
            for name in more if isinstance(more, list) else []:
                names.setdefault(_canonical(name), ".additional_domains")
            if domain in names:
                found.append("%s[%d]%s (%s)" % (_LIST, number, names[domain], item.get("domain")))
        return found


def _canonical(text: t.Any) -> str:
    try:
        return canonical_domain(str(text))
    except Invalid:
        return ""
