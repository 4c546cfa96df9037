# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate the cmdlets for Windows services of a host: Get-, Start- and Stop-CsWindowsService."""

from __future__ import annotations

import time
import typing as t

from ..assumptions import rests_on
from ..deployment.store import Document, fold, service_status
from ..errors import CmdletError
from .binding import Arguments
from .context import Context, invalid, not_found
from .objects import ServiceStatus, make, properties_of, texts

# This is the key of the gateway's service in the store.
GATEWAY = "RTCXMPPTGW"


def _services(ctx: Context) -> dict[str, Document]:
    found = _written(ctx)
    if any(service_status(service) != service["Status"] for service in found.values()):
        with ctx.store.transaction():
            found = _written(ctx)
            for service in found.values():
                if service_status(service) != service["Status"]:  # The last session of the service has ended.
                    _turn(ctx, service, "Stopped")
                    service["Status"] = "Stopped"
    return found


def _written(ctx: Context) -> dict[str, Document]:
    """Return the services by name on the wire. ``Key`` is the key of the service in the store."""
    prefix = ctx.host.name + "/"
    found = {k: v for k, v in ctx.store.all("service").items() if k.startswith(prefix)}
    return {v["Name"]: {**v, "Key": k.removeprefix(prefix)} for k, v in found.items()}


def _here(ctx: Context, args: Arguments) -> None:
    computer = args.text("ComputerName")
    if computer and fold(computer) not in (ctx.host.name, ctx.host.fqdn, "localhost", "."):
        rests_on("services-of-others")
        raise invalid('Cannot open the Service Control Manager on computer "%s".' % computer, computer)


def _named(ctx: Context, args: Arguments, services: dict[str, Document]) -> list[str]:
    name = args.text("Name")
    if "InputObject" in args:
        name = str(properties_of(args.get("InputObject")).get("Name", ""))
    if name is None:
        return list(services)
    found = [n for n in services if fold(n) == fold(name)]
    if not found:
        raise not_found("Service", name)
    return found


def _put(ctx: Context, service: Document, **changes: t.Any) -> None:
    body = {name: value for name, value in service.items() if name != "Key"}
    ctx.store.put("service", "%s/%s" % (ctx.host.name, service["Key"]), {**body, **changes})


def _get(ctx: Context, args: Arguments) -> t.Iterable[object]:
    _here(ctx, args)
    if ctx.host.role == "management":
        rests_on("services-by-remote-shell")
    services = _services(ctx)
    for name in _named(ctx, args, services):
        service = services[name]
        if "XMPP" in service["DisplayName"]:
            rests_on("xmpp-service-names")
        properties: dict[str, object] = {
            "Name": name,
            "DisplayName": service["DisplayName"],
            "Status": ServiceStatus[service["Status"]],
            "RoleName": texts(service["Usages"] and ["EdgeServer"]),
        }
        if not args.flag("ExcludeActivityLevel"):
            properties["ActivityLevel"] = ""
        yield make(["Microsoft.Rtc.Management.Deployment.Core.NTService"], properties, text=name)


def _turn(ctx: Context, service: Document, status: str) -> None:
    changes: Document = {"Status": status}
    if service["Key"] == GATEWAY and status == "Running":
        changes["Routes"] = {name: site["XmppFederationRoute"] for name, site in ctx.store.all("site").items()}
    _put(ctx, service, **changes)
    assigned = ctx.store.assignments(ctx.host.name)
    for usage in service["Usages"]:
        row = None
        if status == "Running" and usage in assigned:
            row = ctx.store.certificate(ctx.host.name, "My", assigned[usage])
        # The certificate that a service presents is selected when the service starts.
        usable = row is not None and row.key is not None and row.key_readable
        if row is not None and not usable:
            rests_on("network-service-key")
        ctx.store.present(ctx.host.name, usage, row.thumbprint if row and usable else None)


def _drain(ctx: Context, service: Document) -> None:
    """Pause a service: no new sessions are accepted. Existing sessions and the presented certificate stay."""
    rests_on("graceful-stop")
    until = time.time() + float(ctx.store.setting("drain_seconds"))
    _put(ctx, service, Status="Paused", Until=until)


def _start(ctx: Context, args: Arguments) -> t.Iterable[object]:
    _here(ctx, args)
    services = _services(ctx)
    wanted = _named(ctx, args, services)
    for name in wanted:
        # Windows first starts the services that a service depends on.
        for needed in (*services[name]["DependsOn"], name):
            if services[needed]["Status"] == "Paused":
                rests_on("start-while-paused")
                text = "Cannot start service %s on computer '%s': An instance of the service is already running."
                raise CmdletError(text % (needed, ctx.host.fqdn), "StartServiceFailed", "InvalidOperation", needed)
            if services[needed]["Status"] != "Running":
                _turn(ctx, services[needed], "Running")
                services[needed]["Status"] = "Running"
    return []


def _stop(ctx: Context, args: Arguments) -> t.Iterable[object]:
    _here(ctx, args)
    services = _services(ctx)
    stopping = set(_named(ctx, args, services))
    dependents = {n for n, s in services.items() if stopping & set(s["DependsOn"])} - stopping
    if dependents:
        rests_on("service-dependencies")
    stopping |= dependents
    if args.flag("LeaveClsAgentRunning"):
        stopping.discard("RTCCLSAGT")
    graceful = args.flag("Graceful")
    for name in stopping:
        status = services[name]["Status"]
        if graceful and status == "Running":
            _drain(ctx, services[name])
        elif not graceful and status != "Stopped":
            _turn(ctx, services[name], "Stopped")
    if graceful and (not args.flag("NoWait") or ctx.store.setting("drain_blocks")):
        ctx.lasts = lambda: any(ctx.store.services(ctx.host.name).get(name) == "Paused" for name in stopping)
    return []


CMDLETS = {
    "Get-CsWindowsService": _get,
    "Start-CsWindowsService": _start,
    "Stop-CsWindowsService": _stop,
}
