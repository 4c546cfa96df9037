# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that an account can have on a server by WinRM, and the cmdlets that each needs. Pure."""

from __future__ import annotations

from .._federation.duties import READ, Duty

CERTIFICATE, SERVICES = "certificate", "services"
_SERVICE = "-CsWindowsService"
_LOOK = Duty(READ, ("Get" + _SERVICE, "Get-CsCertificate"))
_RESTART = ("Start" + _SERVICE, "Stop" + _SERVICE)
# Starting and stopping services belongs to the certificate, since its services restart.
ON_EDGES = (
    _LOOK,
    Duty(
        CERTIFICATE,
        _LOOK.reads,
        (*("%s-CsCertificate" % verb for verb in ("Import", "Remove", "Request", "Set")), *_RESTART),
    ),
)
ON_FRONT_ENDS = (_LOOK, Duty(SERVICES, ("Get" + _SERVICE,), _RESTART))
