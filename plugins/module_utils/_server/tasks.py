# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_server_info: open the session, read the offered cmdlets, and read all parts in one pipeline.

The clock has a separate request, because its answer must not wait for other answers.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._base.reading import PipelineOutput, is_unknown_error, read_offered
from .._base.result import Params, Refused, Result, ServerRefused
from .._base.server_time import CLOCK as READS_CLOCK
from .._base.task import Task
from .._edge_certificate.edge import SELECTED, EdgeReader, assigned_of, parsed, store_of, stored_of
from .._federation.pools import release_of_build
from .._shell.rights import KNOWN, missing
from .._shell.statement import Answer, Shell, ShellError, Statement, place_of
from .._topology.services import services_of
from .._x509.certificate import IMPORT_ERROR, describe
from .server import CERTIFICATES, CLOCK, CMDLETS, PARTS, PRODUCT, SERVICES, Certificate, Product, SeenService, Server
from .server import Unobserved as Gap

# The statements of each part, and below the test whether an object of the answer belongs to a cmdlet.
_READ: dict[str, tuple[Statement, ...]] = {
    PRODUCT: (Statement("Get-CsServerVersion"),),
    SERVICES: (Statement("Get-CsWindowsService"),),
    CERTIFICATES: (Statement("Get-CsCertificate"), Statement("Get-ChildItem", store_of("My"), SELECTED)),
}
_KNOWN_BY: dict[str, t.Callable[[t.Any], bool]] = {
    "Get-CsServerVersion": lambda item: isinstance(item, str),
    "Get-CsWindowsService": lambda item: isinstance(item, dict) and "DisplayName" in item,
    "Get-CsCertificate": lambda item: isinstance(item, dict) and "Use" in item,
    "Get-ChildItem": lambda item: isinstance(item, dict) and "RawData" in item,
}
_VERSION = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b", re.ASCII)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)}
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_server_info. A server that cannot be reached is a result. Raises Refused, ServerRefused."""
    if CERTIFICATES in params["gather"] and IMPORT_ERROR is not None:
        raise Refused(["cryptography is missing. Install this Python package on the controller"])
    place = place_of(shell)
    server = Server(place.host, place.deployment, reached=True)
    try:
        return Result(_read(server, params["gather"], shell).as_dict())
    except ShellError as exc:
        return Result(replace(server, reached=False, reason=str(exc), broken=exc.broken).as_dict())


def _read(server: Server, gather: t.Collection[str], shell: Shell) -> Server:
    lacking = missing(shell, KNOWN)
    gaps = []
    values: dict[str, t.Any] = {}
    if CMDLETS in gather:
        if lacking is None:
            gaps.append(Gap(CMDLETS, "the session does not list its cmdlets"))
        else:
            values["cmdlets"] = tuple(sorted(set(KNOWN) - lacking))
    if CLOCK in gather:
        offered = lacking is None or READS_CLOCK not in lacking
        values["clock_ahead"] = EdgeReader(shell).clock_ahead() if offered else None
        if values["clock_ahead"] is None:
            gaps.append(Gap(CLOCK, "the session does not show the server's time with its time zone"))
    parts = [part for part in _READ if part in gather]
    if parts:
        found = read_offered(shell, [statement for part in parts for statement in _READ[part]])
        items = _sorted(found, parts)
        for part in parts:
            why = [error for one in _READ[part] if (error := found.failed.get(one.cmdlet))]
            if why:
                reason = "the session does not offer the cmdlet" if is_unknown_error(why[0]) else why[0].message
                gaps.append(Gap(part, reason))
            else:
                values[part] = _MADE[part](items)
    return replace(server, **values, unobserved=tuple(gaps))


def _sorted(found: PipelineOutput, parts: t.Sequence[str]) -> dict[str, list[t.Any]]:
    """Return the objects by cmdlet. Raises ServerRefused for an object that belongs to no cmdlet."""
    cmdlets = [statement.cmdlet for part in parts for statement in _READ[part]]
    items: dict[str, list[t.Any]] = {cmdlet: [] for cmdlet in cmdlets}
    for item in found.output:
        own = [cmdlet for cmdlet in cmdlets if _KNOWN_BY[cmdlet](item)]
        if len(own) != 1:
            raise ServerRefused(cmdlets[0], Answer(lost="the server returned an object that belongs to no cmdlet"))
        items[own[0]].append(item)
    return items


def _product(items: t.Mapping[str, list[t.Any]]) -> Product | None:
    text = " ".join(items["Get-CsServerVersion"]).strip()
    version = _VERSION.search(text)
    if version is None:
        return Product(text) if text else None
    return Product(text, version[0], release_of_build(version[0]))


def _services(items: t.Mapping[str, list[t.Any]]) -> tuple[SeenService, ...]:
    found = services_of(items["Get-CsWindowsService"])
    return tuple(SeenService(one.name, one.display_name, one.status.casefold(), one.is_xmpp) for one in found)


def _certificates(items: t.Mapping[str, list[t.Any]]) -> tuple[Certificate, ...]:
    """Return the certificates that have a usage, in the order of the thumbprints."""
    stored = stored_of(items["Get-ChildItem"], "My")
    usages: dict[str, list[str]] = {}
    for usage, assigned in assigned_of(items["Get-CsCertificate"]).items():
        usages.setdefault(assigned["Thumbprint"], []).append(usage)
    found = []
    for thumbprint in sorted(usages):
        one = Certificate(thumbprint, tuple(sorted(usages[thumbprint])))
        kept = stored.get(thumbprint)
        certificate = parsed(kept)
        if kept is not None and certificate is not None:
            facts = describe(certificate)
            texts = {name: facts[name] for name in ("subject", "issuer", "not_before", "not_after")}
            one = replace(one, **texts, names=tuple(facts["names"]), has_key=kept.has_key)
        found.append(one)
    return tuple(found)


_MADE: dict[str, t.Callable[[t.Mapping[str, list[t.Any]]], t.Any]] = {
    PRODUCT: _product,
    SERVICES: _services,
    CERTIFICATES: _certificates,
}

TASK = Task(ARGUMENT_SPEC, work)
