# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do one step of a certificate run on one Edge (see plugin_utils/_playbooks/certificate.py)."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._edge_certificate.tasks import ARGUMENT_SPEC, file_is_good
from ..modules.xmpp_edge_certificate import TASK
from ..plugin_utils._actions.change_control import held
from ..plugin_utils._actions.deployment import connected
from ..plugin_utils._actions.in_process import DirectAction, failed, skipped
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._actions.playbook import results_of, time_of_run
from ..plugin_utils._documents.show import show
from ..plugin_utils._playbooks import certificate as _run
from ..plugin_utils._playbooks import run_summary as _run_summary
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The names under which the role registers its results, and a playbook registers the results of management hosts.
STAGED, SWITCHED, DOORS = "gateway_certificate_staged", "gateway_certificate_switched", "xmpp_federation"
ASKED, UNANSWERED = "gateway_certificate_asked", "gateway_certificate_unanswered"
# The tasks of the user register a variable with this name.
ANSWER = "gateway_certificate_answer"
_PARAMETER = "gateway_certificate_"


class ActionModule(DirectAction):
    """Read the parameters of the role directly, so that the tasks of the role need no options for the parameters."""

    work_of = TASK

    def _work(self, task_vars: Result) -> Result:
        self._variables = task_vars
        self._own = str(task_vars["inventory_hostname"])
        edges = servers_in(task_vars).of(self._own)
        play, playing = (
            list(map(str, task_vars.get(name) or ())) for name in ("ansible_play_hosts_all", "ansible_play_hosts")
        )
        mine = edges.edges if self._own in edges.edges else ()
        self._pool = _run.pool_of(mine, play, playing, results_of(task_vars, edges.doors, DOORS))
        self._settings = self._read()
        self._time = time_of_run()
        steps = {
            "stage": self._stage,
            "ask": self._ask,
            "unanswered": self._unanswered,
            "make": self._make,
            "turn": self._turn,
            "switch": self._switch,
            "end": self._end,
        }
        return steps[str(self._task.args.get("step") or "stage")]()

    def _read(self) -> _run.CertificateSettings:
        given = {
            name: plain(self._templar.template(self._variables.get(_PARAMETER + name)))
            for name in ("certificate", "phase", "switch", "hook", "ask")
        }
        return _run.CertificateSettings(
            certificate=given["certificate"] or {},
            phase=given["phase"] or "all",
            # The playbook for certificates always switches.
            separate=self.playbook != "certificate" and (given["switch"] or _run.SEPARATE) == _run.SEPARATE,
            hook=bool(given["hook"]),
            ask=bool(given["ask"]),
            issuer=self._answer(),
            check=bool(self._task.check_mode),
        )

    def _stage(self) -> Result:
        """Stage the certificate on the Edge, or plan the staging."""
        settings, made = self._settings, bool(self._task.args.get("made"))
        asked = bool(self._task.args.get("asked"))
        reading: Result | None = None
        good = False
        decision = _run.decide(settings, self._pool, made=made, asked=asked)
        seen = None if made or asked else connected(self._variables, self._own)
        if seen is not None and decision.what not in (_run.NOTHING, _run.LEFT):
            if not seen.reached:
                self._end_with_play()
                return {"failed": True, "changed": False, "unanswered": True, "msg": seen.reason}
            if seen.planned is not None and decision.what == _run.STAGE:
                self._end_with_play()
                after = _run.decide(settings, self._pool, None, seen.planned)
                return self._staged(seen.planned, decision, after)
        if decision.what == _run.READ:
            reading = self._hand_on(
                "xmpp_gateway_cert_info", _run.options_of_reading(settings, self._time), self._variables
            )
            if reading.get("failed"):
                return reading
            due = [one["thumbprint"] for one in reading["certificates"] if (one["renewal"] or {}).get("due")]
            good = settings.hook and file_is_good(self._validated_options(decision), due)
            decision = _run.decide(settings, self._pool, reading, file_is_good=good, made=made, asked=asked)
        if decision.what == _run.NOTHING:
            return skipped(decision.why)
        if decision.what == _run.LEFT:
            return _left(decision)
        if decision.what == _run.ASK and reading is not None:
            return {"changed": False, "in_use": _run.in_use(reading), **self._place(decision)}
        if decision.what == _run.MAKE:
            return {"changed": True, **self._place(decision)}
        result = self._work_on(decision, plan=decision.what == _run.PLAN)
        if result.get("failed"):
            return result
        return self._staged(result, decision, _run.decide(settings, self._pool, reading, result, good, made))

    def _staged(self, result: Result, decision: _run.Decision, after: _run.Decision) -> Result:
        """Return the result of staging.

        after: the next step of the Edge.
        """
        if after.why:
            show(["%s: %s" % (self._own, after.why)])
        if after.what == _run.SWITCH:
            # The role continues only after a change, and the switch will make a change.
            result["changed"] = True
            if decision.what == _run.PLAN:
                result.pop("diff", None)
        if not result.get("changed"):
            show([_run_summary.line(self._own, result)])
        return {**result, **self._place(after), "waits": after.why}

    def _place(self, decision: _run.Decision) -> Result:
        """Return the values for later tasks.

        turn: the number of this Edge in the pool.
        """
        edges = self._pool.edges
        return {
            "next": decision.what,
            "usages": list(decision.usages),
            "turn": edges.index(self._own),
            "turns": list(range(len(edges))),
        }

    def _ask(self) -> Result:
        """Decide whether this Edge asks the issuer, and about which certificate."""
        found = {
            edge: one.get("in_use") or {} for edge, one in results_of(self._variables, self._pool.edges, STAGED).items()
        }
        in_use = {edge: str(one["thumbprint"]) for edge, one in found.items() if one}
        edge = _run.asks(self._pool, in_use, self._own)
        return {"changed": False, "here": edge == self._own, "edge": edge, "certificate": found[self._own]}

    def _unanswered(self) -> Result:
        found = plain(self._variables.get("ansible_failed_result")) or {}
        return {"changed": False, "reason": str(found.get("msg") or "a task that asks the issuer failed")}

    def _answer(self) -> Result | None:
        """Return the option renew.issuer; None if the issuer was not asked in this run."""
        asked = results_of(self._variables, [self._own], ASKED).get(self._own)
        if asked is None:
            return None
        answers = self._variables["hostvars"][asked["edge"]]
        unanswered = plain(answers.get(UNANSWERED)) or {}
        answer = {"failed": True, "msg": unanswered["reason"]} if "reason" in unanswered else plain(answers.get(ANSWER))
        return {"thumbprint": asked["certificate"]["thumbprint"], "answer": answer}

    def _make(self) -> Result:
        """Decide whether the hook runs on this Edge."""
        if self._pool.failed:
            return _left(_run.decide(self._settings, self._pool))
        here = _run.maker(self._pool, results_of(self._variables, self._pool.edges, STAGED)) == self._own
        return {"changed": False, "here": here}

    def _turn(self) -> Result:
        """Check that the switch is still allowed, when this Edge is next."""
        decision = _run.decide(self._settings, self._pool)
        return _left(decision) if decision.what == _run.LEFT else {"changed": False}

    def _switch(self) -> Result:
        staged = plain(self._variables[STAGED])
        return self._work_on(_run.Decision(_run.SWITCH, tuple(staged["usages"])))

    def _end(self) -> Result:
        """Fail if the switch failed. The message names the present certificate of each Edge of the pool."""
        switched = plain(self._variables[SWITCHED])
        if not switched.get("failed"):
            return {"changed": False}
        results = {name: results_of(self._variables, self._pool.edges, name) for name in (STAGED, SWITCHED)}
        edges = {
            one: _run_summary.last(results[STAGED].get(one), results[SWITCHED].get(one)) for one in self._pool.edges
        }
        return {"failed": True, "changed": False, "msg": _run.failure(switched, edges)}

    def _work_on(self, decision: _run.Decision, plan: bool = False) -> Result:
        """Run xmpp_gateway_cert for a decision.

        plan: whether only to plan, so that nothing is sent.
        """
        check = self._task.check_mode
        if not check and not plan and (reasons := self._held()):
            # Without a planned change, change control does not matter.
            planned = self._work_on(decision, plan=True)
            return failed(reasons) if planned.get("changed") else planned
        self._task.check_mode = check or plan
        try:
            options = _run.options_of(self._settings, decision, self._pool, self._time)
            return self._hand_on("xmpp_gateway_cert", options, self._variables)
        finally:
            self._task.check_mode = check

    def _held(self) -> list[str]:
        """Return why change control refuses a write now. A user's own play has no settings for change control."""
        if not self.playbook:
            return []
        try:
            values = settings_of(self, self._variables, self.playbook).values
            return held(values, values.get("allow") or ())
        except (Refused, Invalid) as exc:
            return list(exc.reasons) if isinstance(exc, Refused) else [str(exc)]

    def _validated_options(self, decision: _run.Decision) -> Result:
        stage = _run.Decision(_run.STAGE, decision.usages)
        options = _run.options_of(self._settings, stage, self._pool, self._time)
        return dict(ArgumentSpecValidator(ARGUMENT_SPEC).validate(options).validated_parameters)


def _left(decision: _run.Decision) -> Result:
    """Return the result of an Edge that is not changed further. The run may have written on the Edge before."""
    return {"failed": True, "changed": False, "msg": decision.why}
