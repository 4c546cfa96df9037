# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the jobs of an account on a server with WinRM, and the cmdlets that each job needs."""

from __future__ import annotations

from .._federation.duties import READ, Duty

CERTIFICATE, SERVICES = "certificate", "services"
_SERVICE = "-CsWindowsService"
_LOOK = Duty(READ, ("Get" + _SERVICE, "Get-CsCertificate"))
_RESTART = ("Start" + _SERVICE, "Stop" + _SERVICE)
# The job of the certificate includes starting and stopping services, because the services restart.
ON_EDGES = (
    _LOOK,
    Duty(
        CERTIFICATE,
        _LOOK.reads,
        (*("%s-CsCertificate" % verb for verb in ("Import", "Remove", "Request", "Set")), *_RESTART),
    ),
)
ON_FRONT_ENDS = (_LOOK, Duty(SERVICES, ("Get" + _SERVICE,), _RESTART))
