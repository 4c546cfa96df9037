# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan files: a plan that was saved in check mode, with Markdown beside it; a run applies that plan or nothing."""

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
_REMEDY = "look at the plan of now in check mode, which saves it in place of the former"


@dataclass(frozen=True)
class PlanFile:
    """anybody: whether the file may belong to anybody, since the user gave the digest of the plan.

    warnings: what is doubtful about a plan that the run was held to.
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
        """pools: those that home users; None if they are not known. Raises Refused.

        beside: what users and administrators are to know of the plan. A run is not held to it.
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
        """Keep the same for people. Raises Refused."""
        name, extension = os.path.splitext(self.path)
        beside = (self.path if extension == ".md" else name) + ".md"
        private_file.write_deciding(beside, user_names.shown(markdown).encode("utf-8", "replace"), self.option)

    def hold(self, plan: Plan) -> None:
        """Raises Refused unless the plan is the one that was saved."""
        found = self._differences(plan)
        if found:
            raise Refused(["this is not the plan in %s" % self.path, *found, _REMEDY], {"other_plan": self.digest()})

    def digest(self) -> str:
        """The digest of the plan that was saved; empty if that cannot be read."""
        try:
            return str(self._document()["plan_digest"]["digest"])
        except (Refused, Invalid, TypeError, KeyError):
            return ""

    def planner(self) -> str:
        """Who made the plan: the account on the controller. Empty if that cannot be read."""
        try:
            document = self._document()
        except (Refused, Invalid):
            return ""
        return str(document.get("user") or "") if document.pop(_DIGEST, "") == _content(document) else ""

    def _document(self) -> dict[str, t.Any]:
        """Raises Refused if somebody else could have written the file, Invalid if it holds no plan."""
        document = json_value(private_file.read_deciding(self.path, self.option, self.anybody))
        if not isinstance(document, dict) or "form" not in document:
            raise Invalid("there is no form in it")
        return document

    def _differences(self, plan: Plan) -> list[str]:
        if not os.path.exists(os.path.expanduser(self.path)):
            return ["there is no such file; save it with --check first"]
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
            found.append("it was made from other values of %s" % names)
        # It is the same deployment, even if its pool can be read by one of the two accounts only.
        return found + differences(saved, make_digest(plan, None if other else kept))


_DIGEST = "content_digest"


def _content(document: t.Mapping[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def declared_digests(federation: Federation) -> dict[str, str]:
    """A hash for each declared option, so that a refusal can say which one is another. Secrets are left out."""
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
