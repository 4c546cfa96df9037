# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the digest of a plan and compare digests.

A digest shows the steps of a plan and the objects that the plan depends on.

The form is ``{"digest": SHA-256, "objects": {name: STATE or "STATE VERB STEP"}}``, about 60 bytes for each object.

digest: hash of the deployment and the steps. A plan, the run that applies it, and its entry in the journal have the
  same digest on every controller.
STATE: short hash of an object; "-" if the object does not exist.
STEP: short hash of a step.

The values of secrets are left out, because a short secret could be guessed from its hash. The functions are pure.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from .._base.names import Invalid
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.step import Step
from .._base.texts import some
from .._shell.statement import Secret, show_value
from .catalogue import BY_PART
from .deployment import CONTROLLER
from .identity import Identity
from .plan import Plan

Digest = t.Mapping[str, t.Any]

REMEDY = "review the new plan in check mode, and set plan_digest to its digest"
ABSENT = "-"
_SHORT = 10  # hexadecimal digits: enough to tell objects apart
_ENTRY = re.compile(r"(?:-|[0-9a-f]{10})(?: [A-Z][a-z]+ [0-9a-f]{10})?\Z")
_WHOLE = re.compile(r"[0-9a-f]{64}\Z")
_NAMES = 50


def make_digest(plan: Plan, identity: Identity | None = None) -> dict[str, t.Any]:
    """Return the digest of a plan.

    plan: the plan.
    identity: the deployment's identity from a file; None for the identity that was read.

    Without purge, a plan depends only on the declared objects, so changes of other objects do not change the digest. If
    a policy changes, its users are in the digest too. If policies are granted, all policies are in the digest.
    """
    states = {name: _text(state) for name, state in _states(plan).items()}
    changes = {name_of(step): step for step in plan.steps}
    objects = {}
    for name in sorted({*states, *changes}):
        parts = [_hash(states[name]) if name in states else ABSENT]
        if name in changes:
            step = changes[name]
            parts += [step.cmdlet.partition("-")[0], _hash(_text(_call(step.shown("planned"))))]
        objects[name] = " ".join(parts)
    digest = digest_of(identity or plan.deployment.identity, [step.shown("planned") for step in plan.steps])
    return {"digest": digest, "objects": objects}


def digest_of(identity: Identity, steps: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return the SHA-256 hash of the deployment and of the steps. The results of the steps do not matter.

    identity: the deployment's identity.
    steps: the steps in the form of a result.
    """
    return hashlib.sha256(_text([identity.key, [_call(step) for step in steps]]).encode()).hexdigest()


def _call(step: t.Mapping[str, t.Any]) -> list[t.Any]:
    # The domain controller is left out, because the product can choose another controller on the next day.
    parameters = {name: value for name, value in step["parameters"].items() if name != CONTROLLER}
    return [step["cmdlet"], step["identity"], parameters]


def name_of(step: Step) -> str:
    """Return the name of a step's object in a digest and in messages."""
    return object_name(step.part, step.identity if step.part == "grants" else step.key)


def object_name(part: str, key: str) -> str:
    label = "user" if part == "grants" else BY_PART[part].label
    return label if BY_PART[part].single else "%s %s" % (label, key)


def _states(plan: Plan) -> dict[str, t.Any]:
    federation, deployment = plan.federation, plan.deployment
    usage = deployment.usage() if deployment.holders else {}
    touched = {step.key for step in plan.steps if step.part == "policies"}
    found: dict[str, t.Any] = {}
    # Kinds that were read only for a warning do not belong to the plan.
    concerned_kinds = {option for option in federation.wanted if federation.writes(option) or federation.purges(option)}
    for option in sorted(concerned_kinds | ({"policies"} if federation.granting else set())):
        named = {item.key for item in federation.wanted.get(option, ())}
        everything = federation.purges(option) or (option == "policies" and bool(federation.granting))
        for key, record in deployment.of(option).items():
            if everything or key in named:
                users = list(usage.get(key, ())) if option == "policies" and key in touched else None
                found[object_name(option, key)] = [{o: plain_state(v) for o, v in record.values.items()}, users]
    concerned = {*deployment.named.values(), *(step.key for step in plan.steps if step.part == "grants")}
    for key in concerned:
        user = deployment.users[key]
        found[object_name("grants", user.name)] = key_of(user.policy)
    return found


def check_form(digest: t.Any) -> Digest:
    """Return the digest. Raises Invalid if make_digest cannot have returned the value."""
    objects = digest.get("objects") if isinstance(digest, t.Mapping) else None
    if (
        not isinstance(objects, t.Mapping)
        or not _WHOLE.match(str(digest.get("digest")))
        or not all(isinstance(entry, str) and _ENTRY.match(entry) for entry in objects.values())
    ):
        raise Invalid("must be the plan_digest that check mode returned")
    return t.cast(Digest, digest)


def hold_to(reviewed: t.Any, now: Digest, option: str = "plan_digest") -> None:
    """Raise Refused if the present plan is not the reviewed plan.

    reviewed: the whole plan_digest of check mode, or only its digest; None allows every plan.
    now: the digest of the present plan.
    option: the name of the option for messages.
    """
    if reviewed is None:
        return
    if isinstance(reviewed, str):
        if not _WHOLE.match(reviewed):
            raise Refused(["%s: must be a digest of 64 hexadecimal digits, as check mode shows it" % option])
        if reviewed != now["digest"]:
            text = (
                "%s: the reviewed plan has another digest. The present plan has the digest %s. Review it in check mode"
            )
            raise Refused([text % (option, now["digest"])])
        return
    try:
        found = differences(check_form(reviewed), now)
    except Invalid as exc:
        raise Refused(["%s %s" % (option, exc)]) from exc
    if found:
        raise Refused([*("this is not the reviewed plan: %s" % text for text in found), REMEDY])


def differences(reviewed: Digest, now: Digest) -> list[str]:
    """Return the differences from the reviewed plan, with one text for each kind of difference; empty if none."""
    found = _named(reviewed["objects"], now["objects"])
    if found or reviewed["digest"] == now["digest"]:
        return found
    return ["other steps or another deployment"]


def _named(reviewed: t.Mapping[str, str | None], now: t.Mapping[str, str | None]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for name in sorted({*reviewed, *now}):
        before, after = reviewed.get(name), now.get(name)
        if before != after:
            groups.setdefault(_difference(before or ABSENT, after or ABSENT), []).append(name)
    return ["%s: %s" % (text, some(names, _NAMES)) for text, names in sorted(groups.items())]


def _difference(before: str, after: str) -> str:
    was, is_now = before.partition(" ")[0], after.partition(" ")[0]
    if was != is_now:
        verb = "new" if was == ABSENT else "gone" if is_now == ABSENT else "changed"
        return "%s since the plan was made" % verb
    first, second = _verb(before), _verb(after)
    if first == second:
        return "the %s- call differs from the plan" % first
    if not first:
        return "a %s- call that is not in the plan" % second
    if not second:
        return "the plan's %s- call is not needed" % first
    return "a %s- call instead of the plan's %s- call" % (second, first)


def _verb(entry: str) -> str:
    return entry.split(" ")[1] if " " in entry else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]


def plain_state(value: t.Any) -> t.Any:
    return {"secret": bool(value.reveal())} if isinstance(value, Secret) else show_value(value)


def _text(value: t.Any) -> str:
    # ASCII, so that every text of a server can be hashed, with single surrogates too.
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
