# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of a plan: what it was made from and what it would do, in a form that can be kept and compared. Pure.

``{"digest": SHA-256, "objects": {name: STATE or "STATE VERB STEP"}}``: STATE and STEP are short hashes, "-" stands for
an object that does not exist. The one hash over all of it decides; the short ones are there to say what is different.
About 60 bytes an object. Values of secrets are left out, since a short secret could be guessed from its hash.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from .._base.names import Invalid
from .._base.result import Refused
from .._base.step import Record, Step
from .._base.texts import some
from .._shell.statement import Secret, show_value

Digest = t.Mapping[str, t.Any]

REMEDY = "review the plan of now in check mode, and give its plan_digest"
ABSENT = "-"
_SHORT = 10  # hexadecimal digits: enough to tell objects apart, while the whole is compared by the whole hash
_ENTRY = re.compile(r"(?:-|[0-9a-f]{10})(?: [A-Z][a-z]+ [0-9a-f]{10})?\Z")
_NAMES = 50


def make_digest(
    kind: str,
    records: t.Mapping[str, Record],
    steps: t.Sequence[Step],
    extra: t.Mapping[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """The digest of a plan.

    kind: of the objects, so that digests of different tasks differ. records: the actual state that the plan was made
    from, by key. steps: of the whole plan. extra: by key, what else the plan of an object rests on (plain values).
    """
    extra = extra or {}
    whole = hashlib.sha256(kind.encode())
    states = {
        key: _text([{o: _state(v) for o, v in record.values.items()}, extra.get(key)])
        for key, record in records.items()
    }
    changes = {step.key: step for step in steps}
    objects = {}
    for key in sorted({*states, *changes}):
        parts = [_hash(states[key], whole) if key in states else ABSENT]
        if key in changes:
            step = changes[key]
            shown = step.shown("planned")
            parts += [step.cmdlet.partition("-")[0], _hash(_text([shown["cmdlet"], shown["parameters"]]), whole)]
        objects[key] = " ".join(parts)
        # The name is part of what is hashed, or two objects could change places.
        whole.update(_text([key, objects[key]]).encode())
    return {"digest": whole.hexdigest(), "objects": objects}


def check_form(digest: t.Any) -> Digest:
    """The digest. Raises Invalid for what make_digest cannot have returned."""
    objects = digest.get("objects") if isinstance(digest, t.Mapping) else None
    if (
        not isinstance(objects, t.Mapping)
        or not re.fullmatch("[0-9a-f]{64}", str(digest.get("digest")))
        or not all(isinstance(entry, str) and _ENTRY.match(entry) for entry in objects.values())
    ):
        raise Invalid("is not what check mode returns as plan_digest")
    return t.cast(Digest, digest)


def hold_to(judged: t.Any, now: Digest, stage: str = "all") -> None:
    """Raises Refused if the plan of now is not the one that was judged; nothing judged (None) is no obstacle."""
    if judged is None:
        return
    try:
        found = differences(check_form(judged), now, stage)
    except Invalid as exc:
        raise Refused(["plan_digest %s" % exc]) from exc
    if found:
        raise Refused([*("not the plan that was judged: %s" % text for text in found), REMEDY])


def differences(judged: Digest, now: Digest, stage: str = "all") -> list[str]:
    """What is different from the plan that was judged, one text for each kind of difference; empty if nothing is.

    In the stage ``removals`` the run itself has changed other objects, and what has become needless may stay: there
    only what would be removed now is compared.
    """
    if stage == "removals":
        planned = {name: entry for name, entry in now["objects"].items() if _verb(entry) == "Remove"}
        return _named({name: judged["objects"].get(name) for name in planned}, planned)
    if judged["digest"] == now["digest"]:
        return []
    found = _named(judged["objects"], now["objects"])
    return found or ["the plan as a whole is not the one that was judged"]


def _named(judged: t.Mapping[str, str | None], now: t.Mapping[str, str | None]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for name in sorted({*judged, *now}):
        before, after = judged.get(name), now.get(name)
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
        return "another %s- than in the plan" % first
    if not first:
        return "%s- that is not in the plan" % second
    return "%s- instead of the plan's %s-" % (second, first) if second else "the plan's %s- is not needed" % first


def _verb(entry: str) -> str:
    return entry.split(" ")[1] if " " in entry else ""


def _hash(text: str, whole: t.Any) -> str:
    data = text.encode()
    whole.update(data)
    return hashlib.sha256(data).hexdigest()[:_SHORT]


def _state(value: t.Any) -> t.Any:
    return {"secret": bool(value.reveal())} if isinstance(value, Secret) else show_value(value)


def _text(value: t.Any) -> str:
    # ASCII, so that any text that came over the wire can be hashed, lone surrogates included.
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
