# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run xmpp_im_test: send one message through the product with its own synthetic transaction.

The cmdlet Test-CsXmppIM signs in as a user of the pool, sends a message to an address of a partner, and reports the
result. The test uses the pool's test users (New-CsHealthMonitoringConfiguration), or a user with a credential. Every
call sends a real message. So check mode sends no message, and after a lost session the message is not sent again.
Source: the page of Test-CsXmppIM.
"""

from __future__ import annotations

import re
import typing as t

from .._base.names import key
from .._base.result import Failure, Params, Refused, Result
from .._base.task import Task
from .._shell.statement import Answer, Credential, Secret, ServerError, Shell, Statement, Value
from .options import MESSAGE

CMDLET = "Test-CsXmppIM"
CONFIGURATION = "Get-CsHealthMonitoringConfiguration"

# The form user@domain, without a resource.
_ADDRESS = re.compile(r"[^@/\s]+@[^@/\s]+\.[^@/\s]+")
# A TimeSpan on the wire (MS-PSRP 2.2.5.1.8): an xs:duration without years and months.
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Send one message. Raises Refused, ShellError."""
    statement = _statement(params)
    receiver, pool = str(statement.parameters["Receiver"]), params.get("pool") or None
    result = Result()
    senders: list[str] = [_address("from_user", params["from_user"])] if params.get("from_user") else []
    if not senders:
        senders, unknown = _test_users(shell, str(pool))
        result.warnings += [unknown] if unknown else []
    test: dict[str, t.Any] = {"to_user": receiver, "from_users": senders, "pool": pool}
    outcome = {"result": "not_sent", "latency": None, "error": "", "diagnosis": ""}
    if not check:
        answer = shell.invoke([statement])
        outcome = _outcome(answer)
        result.warnings += answer.warnings
        if outcome["result"] != "success":
            result.failures = [Failure(CMDLET, receiver, _why(answer, outcome))]
            result.values["failures"] = [failure.as_dict() for failure in result.failures]
    result.values["test"] = {**test, **outcome}
    return result


def _statement(params: Params) -> Statement:
    """Return the statement with one of the two parameter sets of the page. Raises Refused with all mistakes."""
    reasons: list[str] = []
    addresses: dict[str, str] = {}
    for option in ("to_user", "from_user"):
        try:
            addresses[option] = _address(option, params[option]) if params.get(option) else ""
        except Refused as exc:
            reasons += exc.reasons
    if not params.get("to_user"):
        reasons.append("to_user: is empty; write user@domain")
    given = params.get("credential")
    if given and not params.get("from_user"):
        reasons.append("from_user: is missing; set the address of the credential's user")
    if params.get("from_user") and not given:
        reasons.append(
            "credential: is missing; %s needs the credential of from_user to sign in. To use the pool's test users,"
            " remove from_user" % CMDLET
        )
    if not given and not params.get("from_user") and not params.get("pool"):
        reasons.append("pool: is missing; set the pool whose test users send the message, or from_user and credential")
    port = params.get("registrar_port")
    if port is not None and not 0 < port < 65536:
        reasons.append("registrar_port: %d is not a port; set a number from 1 to 65535" % port)
    if reasons:
        raise Refused(reasons)
    parameters: dict[str, Value] = {"TargetFqdn": params["pool"]} if params.get("pool") else {}
    parameters["Receiver"] = addresses["to_user"]
    if given:
        parameters["UserSipAddress"] = "sip:" + addresses["from_user"]
        parameters["UserCredential"] = Credential(str(given["username"]), Secret(str(given["password"])))
    if port is not None:
        parameters["RegistrarPort"] = port
    return Statement(CMDLET, parameters)


def _test_users(shell: Shell, pool: str) -> tuple[list[str], str]:
    """Return the test users of a pool, and why these users are unknown.

    Raises ShellError, and Refused without test users.

    The cmdlet returns an object for each pool that has test users, with Identity (the pool's FQDN), FirstTestUserSipUri
    and SecondTestUserSipUri. Source: the page of the cmdlet.
    """
    answer = shell.invoke([Statement(CONFIGURATION)])
    if answer.lost or answer.errors:
        why = answer.lost or answer.errors[0].message
        return [], "the test users of %s cannot be read, so the sender is unknown: %s" % (pool, why)
    for item in answer.output:
        if isinstance(item, dict) and key(str(item.get("Identity"))) == key(pool):
            found = [item.get(name) for name in ("FirstTestUserSipUri", "SecondTestUserSipUri")]
            return [text.removeprefix("sip:") for text in found if isinstance(text, str) and text], ""
    raise Refused(
        [
            "pool: '%s' has no test users; set from_user and credential, or create test users with"
            " New-CsHealthMonitoringConfiguration" % pool
        ]
    )


def seconds(duration: t.Any) -> float | None:
    """Return an xs:duration in seconds; None for other values."""
    found = _DURATION.fullmatch(str(duration))
    if found is None:
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return round(((days * 24 + hours) * 60 + minutes) * 60 + rest, 6)


def _address(option: str, given: t.Any) -> str:
    """Return the address without its scheme. Raises Refused."""
    text = str(given).strip()
    text = text[4:] if text[:4].lower() == "sip:" else text
    if not _ADDRESS.fullmatch(text):
        raise Refused(["%s: '%s' is not an address; write user@domain" % (option, text)])
    return text


def _outcome(answer: Answer) -> dict[str, t.Any]:
    """Return Result, Latency, Error and Diagnosis of the last object that the cmdlet returned."""
    reported = next((item for item in reversed(answer.output) if isinstance(item, dict) and "Result" in item), {})
    succeeded = str(reported.get("Result", "")).lower() == "success" and not answer.lost
    return {
        "result": "success" if succeeded else "failure",
        "latency": seconds(reported.get("Latency")),
        "error": str(reported.get("Error") or ""),
        "diagnosis": str(reported.get("Diagnosis") or ""),
    }


def _why(answer: Answer, outcome: t.Mapping[str, t.Any]) -> ServerError:
    if answer.lost:
        text = "the session was lost (%s); it is unknown whether the message was sent" % answer.lost
        return ServerError(CMDLET, "", "ConnectionError", text)
    if answer.errors:
        return answer.errors[0]
    said = ": ".join(text for text in (outcome["error"], outcome["diagnosis"]) if text)
    return ServerError(CMDLET, "", "NotDelivered", said or "the message did not arrive; the server gave no reason")


TASK = Task(MESSAGE, work)
