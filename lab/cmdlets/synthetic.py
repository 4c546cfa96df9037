# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate synthetic transactions: Test-CsXmppIM sends a real message through the gateway, as a test user."""

from __future__ import annotations

import hmac
import time
import typing as t

from psrpcore.types import PSDuration, PSSecureString

from ..assumptions import rests_on
from ..deployment.hosts import NETBIOS
from ..deployment.store import Message, Store, fold
from .binding import Arguments
from .context import Context, not_found
from .objects import make, properties_of

_TYPE = "Microsoft.Rtc.SyntheticTransactions.TaskOutput"
_TEXT = "Test-CsXmppIM"
# A stream can need more time than the time-out of a stream, because each method of a row is tried on a new connection.
_ATTEMPTS = 3
_MARGIN = 15.0
_SLICE = 0.05
USER_PASSWORD = "Lab-user-1"  # noqa: S105  # every user's, public by design


def _test_sender(store: Store, pool: str, wanted: str | None) -> str:
    """Return the test user that sends. Raises CmdletError if the pool has no test user."""
    rests_on("test-users")
    users = store.get("health_monitoring", pool) or {}
    pair = [str(users[name]) for name in ("FirstTestUserSipUri", "SecondTestUserSipUri") if users.get(name)]
    found = [user for user in pair if wanted is None or fold(user) == fold(_with_scheme(wanted))]
    if not found:
        raise not_found("HealthMonitoringConfiguration", pool)
    return found[0]


def _with_scheme(address: str) -> str:
    return address if fold(address).startswith("sip:") else "sip:" + address


def _account_problem(store: Store, address: str, credential: object) -> str:
    """Return why a user cannot sign in; empty if the user can."""
    rests_on("test-credential")
    user = next((u for u in store.all("user").values() if fold(str(u["SipAddress"])) == fold(address)), None)
    given = properties_of(credential)
    name, password = fold(str(given.get("UserName") or "")), given.get("Password")
    plain = str(password.decrypt()) if isinstance(password, PSSecureString) else ""
    known = () if user is None else (user["UserPrincipalName"], "%s\\%s" % (NETBIOS, user["SamAccountName"]))
    if name in map(fold, known) and hmac.compare_digest(plain.encode(), USER_PASSWORD.encode()):
        return ""
    return "401 Unauthorized: the credential is not that of %s." % address


def _target_problem(store: Store, target: str | None) -> str:
    pools = [fqdn for fqdn, pool in store.all("pool").items() if "Registrar" in pool["Roles"]]
    rests_on("error-texts")
    return "" if target is None or fold(target) in map(fold, pools) else "No matching cluster found in topology."


def _outcome(store: Store, number: int) -> Message | None:
    """Return the outcome of a message; None if no gateway sends the message."""
    settings = store.get("gateway", "Global") or {}
    until = time.monotonic() + _ATTEMPTS * float(settings["StreamEstablishmentTimeout"]) + _MARGIN
    while time.monotonic() < until:
        message = store.message(number)
        if message is None or message.status != "queued":
            return message
        time.sleep(_SLICE)
    return None


def _test_xmpp(ctx: Context, args: Arguments) -> t.Iterable[object]:
    """Send a message. The call succeeds if the partner's server has accepted the message."""
    rests_on("test-xmpp-im")
    begin = time.monotonic()
    target = args.text("TargetFqdn")
    error = _target_problem(ctx.store, target)
    sender = diagnosis = ""
    if args.parameter_set == "ClientPlatform":
        sender = _with_scheme(args.need("UserSipAddress"))
        error = error or _account_problem(ctx.store, sender, args.get("UserCredential"))
    elif not error:
        sender = _test_sender(ctx.store, str(target), args.text("UserSipAddress"))
    if not error:
        number = ctx.store.send_message(sender, args.need("Receiver"), _TEXT)
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
