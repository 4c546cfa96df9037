# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run that has requested a certificate, or waits for the answer to a request."""

from __future__ import annotations

import typing as t

from .._base.result import Result
from .gateway_certificate import NO_CERTIFICATE
from .journal import Journal


def waiting(
    facts: t.Mapping[str, t.Any],
    path: str,
    answer: str,
    changed: bool,
    journal: Journal | None = None,
    untouched: str = "not_sent",
    warnings: t.Sequence[str] = (),
) -> Result:
    """A result without a certificate. facts: what it holds beside; path, answer: files on the controller."""
    steps = journal.shown(untouched) if journal else []
    failures = journal.failures if journal else []
    text = "the request is in %s; have it answered, put the answer into %s, and run again" % (path, answer)
    return Result(
        values={
            **NO_CERTIFICATE,
            "pending": not failures,
            "request": path,
            **facts,
        },
        changed=changed or any(step["result"] in ("planned", "done") for step in steps),
        steps=steps,
        failures=failures,
        warnings=[*([] if failures else [text]), *warnings, *(journal.warnings if journal else [])],
    )
