# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of an Edge server: certificates, their usages, services, and the collection's files."""

from __future__ import annotations

import datetime
import hashlib
import re
import typing as t
from dataclasses import dataclass

from .._base.reading import is_unknown, objects_of, read_objects
from .._base.result import Refused, ServerRefused
from .._base.server_time import server_clock
from .._shell.statement import Shell, Statement, Value
from .._topology.services import WindowsService, read_services
from .._x509.certificate import Unusable, describe, parse

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

# The certificate types of an Edge's external side, as public scripts pass them to Set-CsCertificate.
USAGES = ("AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication", "XmppServer")
# The certificates between Front End and Edge (port 23456): the Edge's internal certificate, the Front End's default
# certificate. The collection only reads these certificates.
MTLS = ("Internal", "Default")
# The usage whose certificate the gateway presents to partners on the XMPP port.
LISTENING = "XmppServer"

# A directory for all accounts, unlike $env:TEMP. So the next run finds the files of an interrupted run.
DIRECTORY = "C:\\Windows\\Temp"
MARKER = "sfb-xmpp-restart.pending"
# The certificate request whose key is on this Edge. The request stays until its answer is imported.
REQUEST = "sfb-xmpp-request.csr"
# The mark of a request to a certification authority whose certificate is not in use yet. The lines of the mark are the
# thumbprints of the earlier certificates, so that a run can recognise the new certificate.
ASKED = "sfb-xmpp-asked.pending"
_OURS = "sfb-xmpp-*"
# The name of the file with the certificates that renew.now has replaced or will replace (renew_now.py).
RENEWED = re.compile(r"sfb-xmpp-renewed-[0-9a-f]{16}\.note\Z")
# The name of the file with the certificates that are replaced for their issuer, and the start of a period (issuer.py).
ISSUER = re.compile(r"sfb-xmpp-issuer-\d{12}\.note\Z")
_TRANSPORT = re.compile(r"sfb-xmpp-[0-9a-f]{16}\.(pfx|cer)\Z")
# The name of the file about a replaced certificate has the day and the thumbprint.
FORMER = re.compile(r"sfb-xmpp-former-(\d{8})-([0-9A-F]{40})\.note\Z")

_UNKNOWN = (
    "Manage certificates on the Edge server itself. Set ansible_management_shell_modules to [SkypeForBusiness], or to "
    "[Lync] for Lync Server 2013"
)

# The properties of a certificate in a store that are read.
SELECTED = ("RawData", "HasPrivateKey")

# The services that present a usage's certificate. Source of the names: Microsoft's pages on Edge servers. The service
# name of the XMPP proxy is not documented. Only the display name is ("… XMPP Translating Gateway Proxy").
_SERVICES = {
    "AccessEdgeExternal": ("RTCSRV",),
    "DataEdgeExternal": ("RTCDATAPROXY",),
    "AudioVideoAuthentication": ("RTCMRAUTH", "RTCMEDIARELAY"),
}


# Reads which certificate each usage has.
ASSIGNED = Statement("Get-CsCertificate")


@dataclass(frozen=True)
class StoredCertificate:
    """This is a certificate in a Windows store.

    raw: the DER form.
    has_key: whether the store has the key; None if the server does not show that.
    """

    raw: bytes
    has_key: bool | None


@dataclass(frozen=True)
class EdgeState:
    """This is the state of an Edge that a run has read.

    assigned: the certificate of each usage.
    store: the computer's certificates by thumbprint.
    files: the names of the collection's files on the Edge.
    """

    assigned: t.Mapping[str, t.Mapping[str, t.Any]]
    store: t.Mapping[str, StoredCertificate]
    files: t.Sequence[str] = ()

    def thumbprint(self, usage: str) -> str | None:
        """Return the thumbprint of the usage's certificate; None for a usage without a certificate."""
        return (self.assigned.get(usage) or {}).get("Thumbprint") or None

    def has(self, thumbprint: str) -> bool:
        """Return whether the certificate is in the store with its key, as far as the server shows the store."""
        stored = self.store.get(thumbprint)
        return stored is not None and stored.has_key is not False

    def shown(self, usages: t.Sequence[str]) -> dict[str, t.Any]:
        """Return the state for a diff."""
        return {**{usage: self._label(usage) for usage in usages}, "files": list(self.files)}

    def _label(self, usage: str) -> str | None:
        found = self.thumbprint(usage)
        if found is None or found not in self.store:
            return found
        certificate = parsed(self.store[found])
        if certificate is None:
            return found
        facts = describe(certificate)
        return "%s (%s, until %s)" % (found, facts["subject"], facts["not_after"])


def parsed(stored: StoredCertificate | None) -> Certificate | None:
    """Return the certificate; None if the certificate is missing or cannot be decoded."""
    try:
        return parse(stored.raw) if stored else None
    except Unusable:
        return None


def path_of(name: str) -> str:
    """Return the path of a file of the collection on the Edge."""
    return "%s\\%s" % (DIRECTORY, name)


def transport(name: str) -> bool:
    """Return whether the run that wrote the file should have removed the file."""
    return bool(_TRANSPORT.match(name))


def store_of(name: str) -> dict[str, Value]:
    """Return the parameters of Get-ChildItem for a store of the computer."""
    return {"Path": "Cert:\\LocalMachine\\" + name}


def assigned_of(items: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return the objects of Get-CsCertificate by usage, with ``Thumbprint`` in upper case."""
    known = {usage.casefold(): usage for usage in USAGES}
    found: dict[str, dict[str, t.Any]] = {}
    for item in items:
        uses = item.get("Use")
        for use in uses if isinstance(uses, list) else [uses]:
            usage = known.get(str(use).casefold(), str(use))
            found[usage] = {**item, "Thumbprint": str(item.get("Thumbprint") or "").upper()}
    return found


def stored_of(items: t.Iterable[t.Mapping[str, t.Any]], name: str) -> dict[str, StoredCertificate]:
    """Return the certificates of an answer of Get-ChildItem by thumbprint. Raises Refused.

    name: the name of the store.
    """
    found = {}
    for item in items:
        raw, has_key = item.get("RawData"), item.get("HasPrivateKey")
        if not isinstance(raw, bytes) or not isinstance(has_key, (bool, type(None))):
            wrong = "RawData" if not isinstance(raw, bytes) else "HasPrivateKey"
            text = "Get-ChildItem: %s of a certificate in the store %s has an unknown form" % (wrong, name)
            raise Refused([text])
        # Windows names a certificate by its SHA-1 hash.
        found[hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()] = StoredCertificate(raw, has_key)
    return found


class EdgeReader:
    """Read one Edge server. Every method is one call, and raises Refused, ServerRefused or ShellError."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._is_lync_2013: bool | None = None

    def read(self) -> EdgeState:
        return EdgeState(self.assigned(), self.store(), self.files())

    def assigned(self) -> dict[str, dict[str, t.Any]]:
        """Read Get-CsCertificate for each usage with a certificate, with ``Thumbprint`` in upper case."""
        return assigned_of(self._read(ASSIGNED.cmdlet))

    def store(self, name: str = "My") -> dict[str, StoredCertificate]:
        """Read the certificates of a store of the computer, by thumbprint."""
        return stored_of(self._certificates(store_of(name)), name)

    def _certificates(self, parameters: t.Mapping[str, Value]) -> list[dict[str, t.Any]]:
        """Read certificates with selected properties.

        Without the selection, PowerShell sends only the RawData of a certificate (Types_Ps1Xml.cs).
        """
        answer = self.shell.invoke([Statement("Get-ChildItem", parameters, SELECTED)])
        if is_unknown(answer):
            # The endpoint may lack Select-Object. If Get-ChildItem is missing too, this read reports the missing
            # cmdlet.
            return self._read("Get-ChildItem", parameters)
        return objects_of("Get-ChildItem", answer)

    def files(self) -> list[str]:
        """Read the names of files that runs of the collection wrote and did not remove."""
        items = self._read("Get-ChildItem", {"Path": DIRECTORY, "Filter": _OURS})
        names = [str(item.get("Name") or "") for item in items]
        # The file system's filter also compares short names, so the filter may return other files.
        kept = (MARKER, REQUEST, ASKED)
        ours = (_TRANSPORT, FORMER, RENEWED, ISSUER)
        return sorted(name for name in names if name in kept or any(one.match(name) for one in ours))

    def text(self, name: str) -> str:
        """Read a file of the collection as text."""
        statement = Statement("Get-Content", {"LiteralPath": path_of(name)})
        answer = self.shell.invoke([statement])
        if answer.lost or answer.errors:
            raise ServerRefused(statement.cmdlet, answer)
        return "\n".join(str(line) for line in answer.output) + "\n"

    def clock_ahead(self) -> float | None:
        """Return the seconds that the Edge's clock is ahead of the controller's; None if time or zone is unknown."""
        before = datetime.datetime.now(datetime.timezone.utc)
        time = server_clock(self.shell)
        after = datetime.datetime.now(datetime.timezone.utc)
        if time is None or time.tzinfo is None:
            return None
        ahead = round((time - before - (after - before) / 2).total_seconds(), 1)
        return ahead or 0.0  # not -0.0

    def clock(self) -> datetime.datetime | None:
        """Return the Edge's time in UTC; None if the session does not provide the time."""
        time = server_clock(self.shell)
        # A time without a zone is the Edge's local time. Local time is exact enough to compare days.
        return time.replace(tzinfo=datetime.timezone.utc) if time and time.tzinfo is None else time

    def services(self) -> list[WindowsService]:
        """Read all services of the product on this computer."""
        return read_services(self.shell)

    def is_lync_2013(self) -> bool:
        """Return whether Get-CsServerVersion prints the build number 5.0. The number is read once."""
        if self._is_lync_2013 is None:
            answer = self.shell.invoke([Statement("Get-CsServerVersion")])
            if answer.lost or answer.errors:
                raise ServerRefused("Get-CsServerVersion", answer)
            self._is_lync_2013 = any(re.search(r"\b5\.0\.\d+", str(item)) for item in answer.output)
        return self._is_lync_2013

    def _read(self, cmdlet: str, parameters: t.Mapping[str, Value] | None = None) -> list[dict[str, t.Any]]:
        return read_objects(self.shell, Statement(cmdlet, parameters or {}), _UNKNOWN)


def presents(service: WindowsService, usage: str) -> bool:
    """Return whether a service uses the certificate of a usage, according to the documentation."""
    if usage == LISTENING:
        return service.is_xmpp
    return service.name.upper() in _SERVICES.get(usage, ())


def affected(usages: t.Collection[str], services: t.Sequence[WindowsService]) -> list[WindowsService] | None:
    """Return the services that present the certificates of the usages; None if the services are unknown."""
    if set(usages) >= set(USAGES) or not all(any(presents(s, usage) for s in services) for usage in usages):
        return None
    return [service for service in services if any(presents(service, usage) for usage in usages)]
