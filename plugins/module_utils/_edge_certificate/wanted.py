# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the options of xmpp_gateway_cert as typed values."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from .._base.result import Params
from .._shell.statement import Secret
from .._topology.graceful_stop import Graceful
from .._x509.renewal import RenewalRule
from .issuer import IssuerOptions
from .listener import Listener
from .renew_now import RenewNow

PHASES = ("all", "stage", "switch")


@dataclass(frozen=True)
class SourceOptions:
    """This is the option ``source``. Options that are not set are empty texts.

    All paths are paths of files on the controller.
    days: the lifetime of a new certificate.
    """

    type: str
    path: str = ""
    passphrase: Secret | None = field(default=None, repr=False)
    key: str = "rsa2048"
    key_on: str = "controller"
    days: int = 90
    ca_certificate: str = ""
    ca_key: str = ""
    ca_passphrase: Secret | None = field(default=None, repr=False)
    crl: str = ""
    request: str = ""
    answer: str = ""
    ca: str = ""
    ca_account: str = ""
    ca_password: Secret | None = field(default=None, repr=False)
    template: str = ""

    @classmethod
    def read(cls, given: Params) -> SourceOptions:
        """Read a module's parameters. Options that are not set are missing or None."""
        values = {name: value for name, value in given.items() if value is not None and value != ""}
        for name in ("passphrase", "ca_passphrase", "ca_password"):
            if name in values:
                values[name] = Secret(str(values[name]))
        return cls(**values)


@dataclass(frozen=True)
class WantedCertificate:
    """Describe the required certificate, the certificate's source, and the work that the run may do.

    All times are in UTC and have their time zone.
    names: the canonical names, the Access Edge's first.
    anchors: the trusted CA certificates; None if no trust store is set.
    rule: when certificates are due.
    decided_at: the time of the renewal decision. All Edges of a run have the same time.
    valid_at: the time at which certificates must be valid. A forecast sets a later time.
    now: the time of the controller's clock.
    keep_former: the days after which a replaced certificate is deleted from the store; None for never.
    renew_now: why the certificate in use is replaced early; None if the certificate is not replaced early.
    issuer: the options about the issuer.
    graceful: how services are stopped for a restart; None for a plain stop.
    """

    usages: tuple[str, ...]
    names: tuple[str, ...]
    anchors: tuple[t.Any, ...] | None
    rule: RenewalRule
    decided_at: datetime.datetime
    valid_at: datetime.datetime
    now: datetime.datetime
    source: SourceOptions
    phase: str = "all"
    restart: str = "affected"
    keep_former: int | None = None
    renew_now: RenewNow | None = None
    issuer: IssuerOptions = field(default_factory=IssuerOptions)
    pool_size: int = 1
    graceful: Graceful | None = None
    listener: Listener | None = None
    check: bool = False

    @property
    def may_make(self) -> bool:
        """Return whether the run may make or request a certificate. A run with the phase ``switch`` may not."""
        return self.phase != "switch"
