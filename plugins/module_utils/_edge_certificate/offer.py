# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the results of a source: a certificate and its delivery to the Edge, or a request that waits for an answer."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.findings import Finding
from .._base.result import Failure, Result
from .._base.step_log import StepLog
from .._x509.renewal import Renewal
from .delivery import Delivery
from .renew_now import Outdated

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

# The return values of a run that ends without a certificate.
NO_CERTIFICATE: t.Mapping[str, t.Any] = {
    "certificate": None,
    "assigned": {},
    "findings": [],
    "in_force": "unknown",
    "former_thumbprint": None,
    "restarts": {},
    "went_back": False,
    "presented": None,
    "staged": False,
    "pending": False,
    "request": None,
    "renewal": None,
}


@dataclass(frozen=True)
class Offer:
    """This is a certificate that meets the requirements.

    findings: the warnings. Errors were refused before.
    renewal: the renewal of the certificate in use.
    made: whether this run made the certificate. Another run makes another certificate.
    in_use: the certificate that all usages have.
    outdated: the certificates that renew.now replaces.
    """

    delivery: Delivery
    findings: tuple[Finding, ...] = ()
    renewal: Renewal | None = None
    made: bool = False
    warnings: tuple[str, ...] = ()
    in_use: Certificate | None = None
    outdated: Outdated = field(default_factory=Outdated)


@dataclass(frozen=True)
class Waiting:
    """This is a request that waits for its answer, or a request that could not be made.

    path, answer: files on the controller.
    changed: whether the request is new, or was saved again.
    assigned, renewal: the state of the certificates in use.
    log: the log of the request's step, if this run made the request on the Edge.
    untouched: the result of steps that were not sent.
    """

    path: str
    answer: str
    changed: bool
    assigned: t.Mapping[str, str | None]
    renewal: Renewal | None
    warnings: tuple[str, ...] = ()
    log: StepLog | None = None
    untouched: str = field(default="not_sent")

    def result(self) -> Result:
        steps = self.log.shown(self.untouched) if self.log else []
        failures: list[Failure] = self.log.failures if self.log else []
        text = "the request is in %s. Send it to your authority, save the answer in %s, and run again"
        said = [] if failures else [text % (self.path, self.answer)]
        return Result(
            values={
                **NO_CERTIFICATE,
                "pending": not failures,
                "request": self.path,
                "assigned": dict(self.assigned),
                "renewal": self.renewal.as_dict() if self.renewal else None,
            },
            changed=self.changed or any(step["result"] in ("planned", "done") for step in steps),
            steps=steps,
            failures=failures,
            warnings=[*said, *self.warnings, *(self.log.warnings if self.log else [])],
        )
