# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan of several tasks as a document that can be kept, read, and compared with what is judged later. Pure.

``variables``: a hash for each variable, so that a refusal can say which one is another. ``tasks``: by name, the digest
that the task returned in check mode, and its steps for people.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..module_utils._base.names import Invalid
from ..module_utils._federation.digest import check_form, differences

FORM = 1
# The only secret among the variables that a plan is made from; its hash could be guessed.
LEFT_OUT = "dialback_passphrase"

Document = dict[str, t.Any]


def make_document(
    judged: t.Mapping[str, t.Any], *, host: str, time: str, collection: str, variables: t.Mapping[str, t.Any]
) -> Document:
    """judged: by name a task's result in check mode, or that of a loop. A task that was skipped is left out."""
    tasks = {}
    for name, result in judged.items():
        for title, one in _single(name, result):
            if "plan_digest" in one:
                tasks[title] = {"plan_digest": one["plan_digest"], "steps": one.get("steps", [])}
    return {
        "form": FORM,
        "collection": collection,
        "host": host,
        "time": time,
        "variables": {name: _hash(value) for name, value in variables.items()},
        "tasks": tasks,
    }


def _single(name: str, result: t.Any) -> t.Iterable[tuple[str, t.Mapping[str, t.Any]]]:
    if "results" not in result:
        return [(name, result)]
    return [("%s %s" % (name, one.get("item", {}).get("identity")), one) for one in result["results"]]


def _hash(value: t.Any) -> str:
    if isinstance(value, t.Mapping):
        value = {name: item for name, item in value.items() if name != LEFT_OUT}
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def compare(now: Document, saved: str) -> list[str]:
    """What is different from a saved document, one text each; empty if the plan is the one that was saved."""
    try:
        document = json.loads(saved)
        tasks = {name: check_form(task["plan_digest"]) for name, task in document["tasks"].items()}
        host, variables, form = document["host"], dict(document["variables"]), document["form"]
    except (ValueError, TypeError, KeyError, AttributeError, Invalid):
        return ["it is not a plan that sfb.xmpp.converge has saved"]
    if form != FORM:
        return ["it was saved by another version of the collection (%s)" % document.get("collection")]
    found = []
    if host != now["host"]:
        found.append("it was made for the host %s, and this is %s" % (host, now["host"]))
    other = sorted(n for n in {*variables, *now["variables"]} if variables.get(n) != now["variables"].get(n))
    if other:
        found.append("it was made from other values of %s" % ", ".join(other))
    for name in sorted({*tasks, *now["tasks"]}):
        if name not in tasks:
            found.append("%s: not in the plan" % name)
        elif name not in now["tasks"]:
            found.append("%s: in the plan, but not in this run" % name)
        else:
            texts = differences(tasks[name], now["tasks"][name]["plan_digest"])
            found += ["%s: %s" % (name, text) for text in texts]
    return found
