# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synthetic transactions: Test-CsXmppIM sends a real message through the gateway."""

from __future__ import annotations

import time
import typing as t

from psrpcore.types import PSDuration

from ..assumptions import rests_on
from ..deployment.store import Message, Store, fold
from ..gateway.surroundings import Surroundings
from .binding import Arguments
from .context import Context
from .objects import make

_TYPE = "Microsoft.Rtc.SyntheticTransactions.TaskOutput"
_TEXT = "Test-CsXmppIM"
# What a stream may need beside its own time-out: every method of a row is tried on a connection of its own.
_ATTEMPTS = 3
_MARGIN = 15.0
_SLICE = 0.05


def _sender(store: Store, wanted: str | None) -> str:
    """Who sends: the user who is named, else the first who may, else the first."""
    if wanted:
        return wanted
    rests_on("test-users")
    around, users = Surroundings(store), list(store.users())
    for address in users:
        user = around.user(address)
        if user is not None and user.xmpp and user.federation:
            return address
    return users[0]


def _target_problem(store: Store, target: str | None) -> str:
    pools = [fqdn for fqdn, pool in store.all("pool").items() if "Registrar" in pool["Roles"]]
    rests_on("error-texts")
    return "" if target is None or fold(target) in map(fold, pools) else "No matching cluster found in topology."


def _outcome(store: Store, number: int) -> Message | None:
    """What became of a message; None when nobody sends it."""
    settings = store.get("gateway", "Global") or {}
    until = time.monotonic() + _ATTEMPTS * float(settings["StreamEstablishmentTimeout"]) + _MARGIN
    while time.monotonic() < until:
        message = store.message(number)
        if message is None or message.status != "queued":
            return message
        time.sleep(_SLICE)
    return None


def _test_xmpp(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Success means that the partner's server took the message."""
    rests_on("test-xmpp-im")
    begin = time.monotonic()
    target = args.text("TargetFqdn")
    error = _target_problem(ctx.store, target)
    diagnosis = ""
    if not error:
        number = ctx.store.send_message(_sender(ctx.store, args.text("UserSipAddress")), args.need("Receiver"), _TEXT)
        message = _outcome(ctx.store, number)
        if message is None:
            error = "The XMPP gateway did not answer."
        elif message.status != "sent":
            error, diagnosis = "The message was not delivered.", message.reason
    properties = {
        "TargetFqdn": target,
        "Result": "Failure" if error else "Success",
        "Latency": PSDuration(seconds=time.monotonic() - begin),
        "Error": error,
        "Diagnosis": diagnosis,
    }
    yield make([_TYPE], properties, text=_TYPE)


CMDLETS = {"Test-CsXmppIM": _test_xmpp}
