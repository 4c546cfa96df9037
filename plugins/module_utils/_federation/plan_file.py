# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write and read plan files. Check mode saves a plan, with a copy in Markdown. A run applies only this plan."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from dataclasses import dataclass, field

from .._base import private_file, user_names
from .._base.account import system_user
from .._base.inventory_text import json_value
from .._base.names import Invalid
from .._base.result import Refused
from .._base.texts import json_text
from .._base.version import VERSION
from .._shell.statement import Place
from . import plan_objects
from .digest import check_form, differences, make_digest, plain_state
from .federation import Federation
from .identity import doubts, from_file, other_deployment
from .plan import Plan
from .pools import Pool
from .summary import summarise

FORM = 3
_REMEDY = "run in check mode to save the new plan in the file, and review it"


@dataclass(frozen=True)
class PlanFile:
    """Manage one plan file.

    path: the path.
    option: the name of the option with the path, for messages.
    anybody: whether the file may belong to any account, because the user gave the digest of the plan.
    warnings: texts about the file for the user.
    """

    path: str
    option: str
    anybody: bool = False
    warnings: list[str] = field(default_factory=list)

    def save(
        self,
        plan: Plan,
        place: Place,
        pools: t.Iterable[Pool] | None = None,
        beside: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        """Save the plan. Raises Refused.

        plan: the plan.
        place: the server and the deployment.
        pools: the pools that home users; None if the pools are unknown.
        beside: other facts about the plan for administrators. A run does not compare these facts.
        """
        document = {
            **user_names.shown(beside or {}),
            "form": FORM,
            "collection": VERSION,
            "deployment": plan.deployment.identity.as_dict(),
            "host": place.host,
            "user": system_user(),
            "time": plan.deployment.time,
            "declared": declared_digests(plan.federation),
            "summary": summarise(plan.steps, plan.unchanged),
            "plan_digest": make_digest(plan),
            "steps": [step.shown("planned") for step in plan.steps],
            "partners": user_names.shown(plan_objects.partners(plan)),
            "grants": user_names.shown(plan_objects.grants(plan, pools)),
        }
        text = json_text({**document, _DIGEST: _content(document)}, indent=2) + "\n"
        private_file.write_deciding(self.path, text.encode("utf-8", "surrogatepass"), self.option)

    def save_beside(self, markdown: str) -> None:
        """Save a copy of the plan in Markdown for administrators. Raises Refused."""
        name, extension = os.path.splitext(self.path)
        beside = (self.path if extension == ".md" else name) + ".md"
        private_file.write_deciding(beside, user_names.shown(markdown).encode("utf-8", "replace"), self.option)

    def hold(self, plan: Plan) -> None:
        """Raise Refused if the plan is not the saved plan."""
        found = self._differences(plan)
        if found:
            text = "this plan is not the plan in %s" % self.path
            raise Refused([text, *found, _REMEDY], {"other_plan": self.digest()})

    def digest(self) -> str:
        """Return the digest of the saved plan; empty if the file cannot be read."""
        try:
            return str(self._document()["plan_digest"]["digest"])
        except (Refused, Invalid, TypeError, KeyError):
            return ""

    def planner(self) -> str:
        """Return the account on the controller that made the plan; empty if the file cannot be read."""
        try:
            document = self._document()
        except (Refused, Invalid):
            return ""
        return str(document.get("user") or "") if document.pop(_DIGEST, "") == _content(document) else ""

    def _document(self) -> dict[str, t.Any]:
        """Read the file. Raises Refused if another account can write the file, Invalid if the file has no plan."""
        document = json_value(private_file.read_deciding(self.path, self.option, self.anybody))
        if not isinstance(document, dict) or "form" not in document:
            raise Invalid("it does not have form")
        return document

    def _differences(self, plan: Plan) -> list[str]:
        if not os.path.exists(os.path.expanduser(self.path)):
            return ["the file does not exist. Save the plan with --check first"]
        try:
            document = self._document()
            if document["form"] != FORM:
                version = document.get("collection")
                return ["it was saved by another version of the collection (%s)" % version]
            kept, digest = from_file(document["deployment"]), document.pop(_DIGEST)
            saved, declared = check_form(document["plan_digest"]), dict(document["declared"])
        except (ValueError, TypeError, KeyError) as exc:
            text = str(exc) if isinstance(exc, Invalid) else type(exc).__name__
            return ["it is not a plan of this collection: %s" % text]
        if digest != _content(document):
            return ["it was edited after it was saved"]
        other = other_deployment(kept, plan.deployment.identity)
        found = [other] if other else []
        self.warnings.extend(doubts(self.path, kept, plan.deployment.identity) if not other else ())
        now = declared_digests(plan.federation)
        changed = sorted(n for n in {*declared, *now} if declared.get(n) != now.get(n))
        if changed:
            names = ", ".join("sfb_xmpp_" + name if "sfb_xmpp" in self.option else name for name in changed)
            found.append("the saved plan was made from other values of %s" % names)
        # The deployment is the same, even if only one of the two accounts can read the pool of the deployment.
        return found + differences(saved, make_digest(plan, None if other else kept))


_DIGEST = "content_digest"


def _content(document: t.Mapping[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def declared_digests(federation: Federation) -> dict[str, str]:
    """Return a hash for each declared option, so that a refusal can name the changed options. Secrets are left out."""
    found = {}
    for option, items in federation.wanted.items():
        value = [[item.identity, {o: plain_state(v) for o, v in item.values.items()}, item.absent] for item in items]
        grants = (
            [[g.policy, list(g.users), g.exclusive, *([str(g.selector)] * bool(g.selector))] for g in federation.grants]
            if option == "policies"
            else []
        )
        text = json.dumps([value, grants, option in federation.purge], sort_keys=True)
        found[option] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found
