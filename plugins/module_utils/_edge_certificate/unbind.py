# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove the certificate from the usages of an Edge server."""

from __future__ import annotations

import typing as t

from .._base.reading import UNREADABLE
from .._base.result import Result
from .._base.step import difference
from .._base.step_log import StepLog
from .._shell.statement import Shell
from .._x509.certificate import describe
from . import steps
from .edge import EdgeReader, EdgeState, parsed
from .offer import NO_CERTIFICATE

# The facts about a certificate whose key is still on the Edge.
_TOLD = ("thumbprint", "subject", "issuer", "serial_number", "names", "not_after")


def unbind(usages: t.Sequence[str], shell: Shell, check: bool) -> Result:
    """Remove the certificate from the usages. The certificate stays in the store. No service is restarted.

    Raises Refused, ServerRefused, ShellError before anything is written.
    """
    reader = EdgeReader(shell)
    before = EdgeState(reader.assigned(), reader.store())
    bound = [usage for usage in usages if before.thumbprint(usage)]
    planned = [steps.unbind(bound)] if bound else []
    log = StepLog(shell, planned)
    after = EdgeState({k: v for k, v in before.assigned.items() if k not in bound}, before.store)
    for step in () if check else planned:
        error = log.send(step).get(step.cmdlet)
        try:
            after = EdgeState(reader.assigned(), before.store)
        except UNREADABLE as exc:
            log.fail(step, error or exc)
            continue
        still = [usage for usage in bound if after.thumbprint(usage)]
        if still:
            text = "the server reported no error, but Get-CsCertificate still shows a certificate for %s" % ", ".join(
                still
            )
            log.fail(step, error or text)
        else:
            log.done(step, error)
    shown = log.shown("planned" if check else "not_sent")
    changed = any(step["result"] in ("planned", "done") for step in shown)
    differences = [difference("gateway certificate", before.shown(usages), after.shown(usages))]
    return Result(
        values={
            **NO_CERTIFICATE,
            "assigned": {usage: after.thumbprint(usage) for usage in usages},
            "former_thumbprint": next((before.thumbprint(usage) for usage in bound), None),
            "keys_left": _keys_left(after),
        },
        changed=changed,
        diff=differences if changed else [],
        steps=shown,
        failures=log.failures,
        warnings=log.warnings,
    )


def _keys_left(state: EdgeState) -> list[dict[str, t.Any]]:
    """Return the certificates in the computer's store that have or may have their key, sorted by thumbprint."""
    found = []
    for name, stored in sorted(state.store.items()):
        certificate = parsed(stored)
        if stored.has_key is False or certificate is None:
            continue
        facts = describe(certificate)
        usages = sorted(usage for usage in state.assigned if state.thumbprint(usage) == name)
        found.append({**{fact: facts[fact] for fact in _TOLD}, "usages": usages})
    return found
