# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summarize a run: the counts of each deployment's plan, and a line for each Edge. All functions are pure."""

from __future__ import annotations

import typing as t

from ...module_utils._base.texts import count, printable
from .._servers.servers import DEFAULT
from .outcome import CHANGES, OK, RunOutcome, outcome_of

EDGES = "Edge servers of %s"
# The calls that change which certificate an Edge uses.
_SWITCHING = frozenset(("Set-CsCertificate", "Remove-CsCertificate"))
# The columns are those of a deployment's plan.
_NAME = 31

Results = t.Mapping[str, t.Any]


def lines(plans: t.Iterable[t.Sequence[str]], edges: t.Mapping[str, t.Mapping[str, Results]]) -> list[str]:
    """Return the lines of a run.

    plans: the lines of each deployment. Indented lines are left out, because the plan has already shown those lines.
    edges: the result of each Edge's last task, by deployment and name of the Edge.
    """
    found = [text for plan in plans for text in plan if not text.startswith("  ")]
    for deployment, results in edges.items():
        found.append("Edge servers" if deployment == DEFAULT else EDGES % deployment)
        found += [line(name, result) for name, result in results.items()]
    return found


def last(staged: Results | None, switched: Results | None) -> Results:
    """Return the later of an Edge's two results; empty if neither task ran."""
    for result in (switched, staged):
        if result and not result.get("skipped"):
            return result
    return {}


def outcome(results: t.Iterable[Results], later: bool) -> RunOutcome:
    """Return the outcome of the Edges of a deployment. Each certificate that is replaced, added or removed is a change.

    later: whether another run switches to a certificate that this run staged. In this case, staging is not counted as a
    change.
    """
    found = RunOutcome()
    for result in results:
        own = outcome_of(result)
        if own.word == CHANGES:
            own = RunOutcome(CHANGES, 1) if not later or _switches(result) else RunOutcome(OK)
        found = found.and_then(own)
    return found


def total(doors: t.Iterable[Results], edges: RunOutcome) -> RunOutcome:
    """Return the outcome of a run in a deployment.

    doors: the results of the deployment's management hosts.
    """
    found = RunOutcome()
    for result in doors:
        if result and not result.get("skipped"):
            found = found.and_then(outcome_of(result))
    return found.and_then(edges)


def _switches(result: Results) -> bool:
    return any(step["cmdlet"] in _SWITCHING for step in result.get("steps") or ())


def line(name: str, result: Results) -> str:
    """Return the line of an Edge.

    result: the result of the Edge's last task.
    """
    mark = "!" if result.get("failed") else "~" if result.get("changed") else " "
    return ("  %s %-*s %s" % (mark, _NAME, printable(name), _said(result))).rstrip()


def _said(result: Results) -> str:
    if not result:
        return "skipped"
    if result.get("failed"):
        return "FAILED: %s" % printable(str(result.get("msg") or "no reason given").splitlines()[0])
    certificate = result.get("certificate") or {}
    words = []
    if certificate.get("not_after"):
        words.append("%suntil %s" % (_short(certificate.get("thumbprint")), str(certificate["not_after"])[:10]))
    planned = [step for step in result.get("steps") or () if step.get("result") == "planned"]
    if planned:
        words.append("%s to send" % count(planned, "call"))
    else:
        words.append(_state(result))
    down = sum((result.get("restarts") or {}).values())
    if round(down):
        words.append("%d s without services" % round(down))
    return ", ".join(words)


def _state(result: Results) -> str:
    if result.get("pending"):
        return "waits for the answer to its request"
    in_force = result.get("in_force")
    if in_force == "proven":
        return "in use, checked by a TLS handshake"
    if in_force == "assigned":
        return "in use"
    return "on the Edge, not in use" if result.get("staged") else "not known to be in use"


def _short(thumbprint: str | None) -> str:
    return "%s… " % thumbprint[:8] if thumbprint else ""
