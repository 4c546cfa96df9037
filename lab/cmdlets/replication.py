# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate the Central Management Store: status of the replicas, forced replication, export to a file."""

from __future__ import annotations

import io
import json
import time
import typing as t
import zipfile

from ..assumptions import rests_on
from ..deployment import replication
from ..deployment.store import fold
from ..deployment.topology import BUILDS, PRODUCTS, version_of
from ..errors import CmdletError
from .binding import Arguments
from .context import Context, not_found
from .objects import make, moment, texts


def _wanted(ctx: Context, args: Arguments) -> str | None:
    """Return the replica that was asked for; None for all. Raises CmdletError for an unknown replica."""
    wanted = args.text("ReplicaFqdn")
    if wanted is not None and ctx.store.get("replica", wanted) is None:
        raise not_found("Replica", wanted)
    return wanted


def _status(ctx: Context, args: Arguments) -> t.Iterable[object]:
    wanted = _wanted(ctx, args)
    if args.flag("CentralManagementStoreStatus"):
        return [_store_status(ctx)]
    roles, computers = ctx.store.all("service_role"), ctx.store.all("computer")
    found = []
    for state in replication.states(ctx.store):
        if wanted is None or fold(state.fqdn) == fold(wanted):
            version = version_of(roles, computers[state.fqdn]["Pool"])
            properties = {
                "UpToDate": state.up_to_date,
                "ReplicaFqdn": state.fqdn,
                "LastStatusReport": moment(ctx.clock(time.time())),
                "LastUpdateCreation": None if state.update is None else moment(ctx.clock(state.update)),
                "ProductVersion": None if state.update is None else BUILDS[version],
            }
            found.append(make(["Microsoft.Rtc.Management.Xds.ReplicaState"], properties))
    return found


def _store_status(ctx: Context) -> object:
    """Return the active master and the replicas."""
    rests_on("store-status-form")
    master = next(
        role["Pool"] for role in ctx.store.all("service_role").values() if role["Role"] == "CentralManagement"
    )
    now = moment(ctx.clock(time.time()))
    properties = {
        "ActiveMasterFqdn": master,
        "ActiveMasterLastHeartbeat": now,
        "ActiveFileTransferAgentFqdn": master,
        "ActiveFileTransferAgentLastHeartbeat": now,
        "ActiveReplicas": texts(list(ctx.store.all("replica"))),
        "DeletedReplicas": None,
    }
    return make(["Microsoft.Rtc.Management.Xds.CentralManagementStoreStatusResult"], properties)


def _replicate(ctx: Context, args: Arguments) -> t.Iterable[object]:
    replication.push(ctx.store, _wanted(ctx, args))
    return []


def _export(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Write a zip file on the server, or return the bytes of the zip file."""
    rests_on("export-file")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        documents = {kind: ctx.all(kind, args) for kind in replication.REPLICATED}
        archive.writestr("DocItemSet.json", json.dumps(documents, ensure_ascii=False, indent=1))
        archive.writestr("Version.txt", PRODUCTS[ctx.version])
    if args.flag("AsBytes"):
        return [content.getvalue()]
    path = args.need("FileName")
    folder, _separator, name = path.replace("/", "\\").rpartition("\\")
    known = {fold(where): inside for where, inside in ctx.store.tree(ctx.host.name).items()}
    if not name or fold(folder) not in known or known[fold(folder)] is not None:
        raise CmdletError(
            "Could not find a part of the path '%s'." % path,
            "ExportFailed",
            "WriteError",
            path,
            "System.IO.DirectoryNotFoundException",
        )
    ctx.store.put_file(ctx.host.name, "%s\\%s" % (folder, name), content.getvalue())
    return []


CMDLETS = {
    "Get-CsManagementStoreReplicationStatus": _status,
    "Invoke-CsManagementStoreReplication": _replicate,
    "Export-CsConfiguration": _export,
}
