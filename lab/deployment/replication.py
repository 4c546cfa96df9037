# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate the replication of the Central Management Store: which replica has which update now.

A change is an update that reaches every replica after ``replication_seconds``. ``replicas_late`` has other times for
some replicas. Replicas in ``replicas_stuck`` never get the update. Until ``replication_notice`` has passed, the status
does not show that a replica is behind. A push also creates an update, and deletes the status of the replicas. For at
least ``status_empty_seconds``, the status is first missing, and then empty.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ..assumptions import rests_on
from .store import Document, Store, fold

# A stale replica keeps the former state of these objects.
REPLICATED = (
    "policy", "partner", "gateway", "access_edge", "allowed_domain", "blocked_domain", "sip_domain",
    "health_monitoring", "site", "pool", "computer", "service_role",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """Hold the status of one replica.

    update: time of the replica's last update, in seconds since the epoch, by the lab's clock. None while the status
        is empty.
    """

    fqdn: str
    up_to_date: bool
    update: float | None


def install(store: Store, fqdn: str) -> None:
    """Add a replica that is up to date."""
    store.put("replica", fqdn, {"applied": time.time(), "pending": None})


def changed(store: Store) -> None:
    """Record a write to the store: every replica gets an update."""
    _update(store, None)


def push(store: Store, fqdn: str | None) -> None:
    """Delete the status of a replica, or of all, and start a full copy."""
    _update(store, fqdn, pushed=time.time())


def _update(store: Store, fqdn: str | None, **more: float) -> None:
    now = time.time()
    with store.transaction():
        for name, replica in store.all("replica").items():
            if fqdn is None or fold(name) == fold(fqdn):
                store.put("replica", name, {**_settled(store, name, replica, now), "pending": now, **more})


def states(store: Store) -> list[State]:
    """Return every replica that has a status now."""
    rests_on("replication")
    now = time.time()
    stuck = _stuck(store)
    found = []
    for name, replica in store.all("replica").items():
        settled = _settled(store, name, replica, now)
        pending, pushed = settled["pending"], settled.get("pushed")
        if pushed is not None:
            rests_on("replication-push")
            if now - pushed >= float(store.setting("status_empty_seconds")) / 2:
                found.append(State(name, False, None))
            continue
        unnoticed = pending is not None and now - pending < float(store.setting("replication_notice"))
        up_to_date = fold(name) not in stuck and (pending is None or unnoticed)
        found.append(State(name, up_to_date, float(settled["applied"])))
    return found


def freeze(store: Store) -> dict[str, t.Any]:
    """Return the configuration that a replica keeps if stuck now, for the setting ``stale_configuration``."""
    return {kind: store.all(kind) for kind in REPLICATED}


def configuration(store: Store, kind: str, fqdns: t.Collection[str]) -> dict[str, Document]:
    """Return the objects of a kind that these computers know: current, or from the first stale replica."""
    stale = {fold(name): frozen for name, frozen in store.setting("stale_configuration").items()}
    frozen = next((stale[fold(name)] for name in fqdns if fold(name) in stale), None)
    return store.all(kind) if frozen is None else dict(frozen[kind])


def _settled(store: Store, name: str, replica: Document, now: float) -> Document:
    pending = replica["pending"]
    late = {fold(fqdn): seconds for fqdn, seconds in store.setting("replicas_late").items()}
    delay = float(late.get(fold(name), store.setting("replication_seconds")))
    pushed = replica.get("pushed")
    if pushed is not None:
        delay = max(delay, pushed + float(store.setting("status_empty_seconds")) - pending)
    if pending is not None and fold(name) not in _stuck(store) and now - pending >= delay:
        return {"applied": pending, "pending": None}
    return replica


def _stuck(store: Store) -> set[str]:
    return {fold(fqdn) for fqdn in store.setting("replicas_stuck")}
