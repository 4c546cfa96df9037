# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking the certificate from an Edge's usages."""

from __future__ import annotations

import typing as t

from .._base.result import Result
from .._base.step import difference
from .._shell.statement import Shell
from . import edge_steps as steps
from .edge import Edge, Sight
from .gateway_certificate import NO_CERTIFICATE
from .journal import Journal
from .supply import UNREADABLE


def unbind(usages: t.Sequence[str], shell: Shell, check: bool) -> Result:
    """The usages lose their certificate, which stays in the store. No service is restarted: none could present one.

    Raises Refused, ServerRefused, ShellError before anything was written.
    """
    edge = Edge(shell)
    before = Sight(edge.assigned(), edge.store())
    bound = [usage for usage in usages if before.thumbprint(usage)]
    planned = [steps.unbind(bound)] if bound else []
    journal = Journal(shell, planned)
    after = Sight({k: v for k, v in before.assigned.items() if k not in bound}, before.store)
    for step in () if check else planned:
        error = journal.send(step).get(step.cmdlet)
        try:
            after = Sight(edge.assigned(), before.store)
        except UNREADABLE as exc:
            journal.fail(step, error or exc)
            continue
        still = [usage for usage in bound if after.thumbprint(usage)]
        if still:
            text = "no error was reported, but Get-CsCertificate still shows one for %s" % ", ".join(still)
            journal.fail(step, error or text)
        else:
            journal.done(step, error)
    shown = journal.shown("planned" if check else "not_sent")
    changed = any(step["result"] in ("planned", "done") for step in shown)
    differences = [difference("gateway certificate", before.shown(usages), after.shown(usages))]
    return Result(
        values={
            **NO_CERTIFICATE,
            "assigned": {usage: after.thumbprint(usage) for usage in usages},
            "former_thumbprint": next((before.thumbprint(usage) for usage in bound), None),
        },
        changed=changed,
        diff=differences if changed else [],
        steps=shown,
        failures=journal.failures,
        warnings=journal.warnings,
    )
