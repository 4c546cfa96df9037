# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the steps that change something on an Edge server."""

from __future__ import annotations

import typing as t

from .._base.step import Step
from .._shell.statement import Value
from .edge import path_of


def write(cmdlet: str, name: str, identity: str, data: bytes) -> Step:
    """Return Set-Content or Add-Content for a file of the collection, shown as ``identity``."""
    return Step(cmdlet, identity, {"LiteralPath": path_of(name), "Encoding": "Byte", "Value": data})


def note(name: str, text: str) -> Step:
    """Return the step that writes a small file for later runs."""
    return write("Set-Content", name, name, text.encode("ascii"))


def remove(name: str, identity: str = "") -> Step:
    """Return Remove-Item for a file of the collection, shown as ``identity``."""
    return Step("Remove-Item", identity or name, {"LiteralPath": path_of(name), "Force": True})


def delete_certificate(thumbprint: str) -> Step:
    """Return Remove-Item of a certificate of the computer with its key.

    DeleteKey is a parameter of the certificate provider (source: the page of Remove-Item). Without DeleteKey the key
    stays.
    """
    path = "Cert:\\LocalMachine\\My\\" + thumbprint
    return Step("Remove-Item", thumbprint, {"LiteralPath": path, "DeleteKey": True, "Force": True})


def assign(usages: t.Sequence[str], thumbprint: str) -> Step:
    """Return Set-CsCertificate, which assigns a certificate to usages."""
    parameters: dict[str, Value] = {"Type": tuple(usages), "Thumbprint": thumbprint, "Confirm": False}
    return Step("Set-CsCertificate", thumbprint, parameters)


def unbind(usages: t.Sequence[str]) -> Step:
    """Return Remove-CsCertificate, which leaves the certificate in the store."""
    # Force answers the cmdlet's question about a certificate in use.
    parameters: dict[str, Value] = {"Type": tuple(usages), "Force": True, "Confirm": False}
    return Step("Remove-CsCertificate", ", ".join(usages), parameters)
