# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_im_test does: one message through the whole product, by its own synthetic transaction.

The cmdlet page of Test-CsXmppIM: it signs in as a user of the pool, sends a message to an address of a partner and
reports how that went. It sends a real message each time: check mode sends none, and after a lost session none is sent
again.
"""

from __future__ import annotations

import re
import typing as t

from .._base.result import Failure, Params, Refused, Result
from .._base.task import Task
from .._shell.statement import Answer, ServerError, Shell, Statement

CMDLET = "Test-CsXmppIM"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "receiver": {"type": "str", "required": True},
    "sender": {"type": "str"},
    "pool": {"type": "str", "required": True},
}

# user@domain, without a resource.
_ADDRESS = re.compile(r"[^@/\s]+@[^@/\s]+\.[^@/\s]+")
# What a TimeSpan is on the wire (MS-PSRP 2.2.5.1.8): an xs:duration without years and months.
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Send one message. Raises Refused, ShellError."""
    receiver, sender = _address(params, "receiver"), _address(params, "sender")
    parameters: dict[str, t.Any] = {"TargetFqdn": params["pool"], "Receiver": receiver}
    if sender:
        parameters["UserSipAddress"] = "sip:" + sender
    statement = Statement(CMDLET, parameters)
    test: dict[str, t.Any] = {"receiver": receiver, "sender": sender or None, "pool": params["pool"]}
    outcome = {"result": "not_sent", "latency": None, "error": "", "diagnosis": ""}
    if check:
        return Result({"test": {**test, **outcome}})
    answer = shell.invoke([statement])
    outcome = _outcome(answer)
    failures = [] if outcome["result"] == "success" else [Failure(CMDLET, receiver, _why(answer, outcome))]
    result = Result({"test": {**test, **outcome}}, failures=failures, warnings=list(answer.warnings))
    if failures:
        result.values["failures"] = [failure.as_dict() for failure in failures]
    return result


def seconds(duration: t.Any) -> float | None:
    """An xs:duration as seconds; None for what is none."""
    found = _DURATION.fullmatch(str(duration))
    if found is None:
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return round(((days * 24 + hours) * 60 + minutes) * 60 + rest, 6)


def _address(params: Params, option: str) -> str:
    text = str(params.get(option) or "").strip()
    text = text[4:] if text[:4].lower() == "sip:" else text
    if not (_ADDRESS.fullmatch(text) or (option == "sender" and not text)):
        raise Refused(["%s: '%s' is not an address; write user@domain" % (option, text)])
    return text


def _outcome(answer: Answer) -> dict[str, t.Any]:
    """The last object that the cmdlet gave: Result, Latency, Error and Diagnosis."""
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
    return ServerError(
        CMDLET, "", "NotDelivered", said or "the message did not arrive, and the server does not say why"
    )


TASK = Task(ARGUMENT_SPEC, work)
