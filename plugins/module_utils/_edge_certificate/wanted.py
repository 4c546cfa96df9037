# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is asked for: the options of xmpp_gateway_cert as typed values."""

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
    """The option ``source``, with empty texts for what is not given. days: of a certificate's life; paths: files on the
    controller.
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
        """From a module's parameters, in which what is not given is missing or None."""
        values = {name: value for name, value in given.items() if value is not None and value != ""}
        for name in ("passphrase", "ca_passphrase", "ca_password"):
            if name in values:
                values[name] = Secret(str(values[name]))
        return cls(**values)


@dataclass(frozen=True)
class WantedCertificate:
    """What the certificate must be, where it comes from, and what this run may do.

    names: canonical, the Access Edge's first. anchors: trusted CA certificates; None: no trust store is given.
    decided_at: when renewal is decided, the same for all Edges of a run; valid_at: when certificates are made and have
    to be valid, which is later in a look ahead; now: the controller's clock. All three in UTC, aware.
    graceful: how services are stopped for a restart; None: plainly.
    renew_now: why what is in use is replaced before it is due; None: it is not. issuer: what its issuer says.
    keep_former: days after which a certificate that was replaced is deleted from the store; None: never.
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
        """Whether this run may make or request a certificate."""
        return self.phase != "switch"
