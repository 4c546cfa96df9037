# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_capture_info: return one server's part of a capture, with pseudonyms for the real names."""

from __future__ import annotations

import os
import re
import secrets
import typing as t

from .._base import private_file
from .._base.result import Params, Refused, Result
from .._base.task import Task
from .._federation.files import default_directory
from .._federation.pools import STATUS
from .._shell.statement import Shell, Statement, Value, place_of
from .clixml import Unsharable, replaced
from .product_words import is_command
from .pseudonyms import Pseudonyms
from .recording import COMMANDS, ROLES, Asked, CapturingShell, Recording, record

ARGUMENT_SPEC: dict[str, t.Any] = {
    "role": {"type": "str", "choices": list(ROLES), "default": "management"},
    "key_file": {"type": "path", "no_log": False},
    "users": {"type": "int", "default": 200},
}
# Parameters with texts of the deployment. The texts of all other parameters belong to the collection.
_NAMING = ("Identity",)
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)+")
_LYNC_2013 = re.compile(r"\b5\.0\.[0-9]+")


def info(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_capture_info. Raises Refused, ShellError."""
    if params["users"] < 1:
        raise Refused(["users: must be 1 or more, because the capture must show the form of a user"])
    path = os.path.expanduser(params.get("key_file") or default_key(place_of(shell).home))
    key = read_key(path, check)
    recording = record(t.cast(CapturingShell, shell), params["role"])
    names = Pseudonyms(key)
    arguments = (recording.asked, names, params["users"])
    # The first call only collects the names and certificates of all answers.
    _statements(*arguments)
    statements = _statements(*arguments)
    commands, left_out = _commands(recording.asked)
    versions = next((one.captured.versions for one in recording.asked if one.captured.versions), {})
    versions = {name: text for name, text in versions.items() if _VERSION.fullmatch(text)}
    if left_out:
        versions["commands left out"] = str(left_out)
    host = {
        "name": names.text(place_of(shell).host),
        "role": params["role"],
        "versions": versions,
        "commands": commands,
        "statements": statements,
        **_not_known(recording, params["role"], names),
    }
    return Result({"capture": {"profile": _profile(recording.asked), "host": host}, "key_file": path})


def _not_known(recording: Recording, role: str, names: Pseudonyms) -> dict[str, t.Any]:
    """Return the missing answers and the answers that could not be read, with pseudonyms."""
    missing = [
        {"statement": name, "reason": names.text(reason, prose=True) or "the statement was not sent"}
        for name, reason in recording.missing(role).items()
    ]
    failures = [names.text(text, prose=True) for text in recording.failures]
    return {"missing": missing, "failures": [*failures, *recording.mistakes]}


def default_key(home: str) -> str:
    """Return the path of the key: beside the snapshots, not beside the capture, so that users do not share the key."""
    return os.path.join(os.path.dirname(default_directory(home)), "capture.key")


def read_key(path: str, check: bool = False) -> bytes:
    """Return the key of the pseudonyms. A missing file is created for its owner only. Raises Refused.

    check: whether nothing is written. Then a missing key is replaced by a random key.
    """
    if check and not os.path.lexists(path):
        return secrets.token_bytes(32)
    return private_file.key(path, "key_file")


def _profile(asked: t.Sequence[Asked]) -> str:
    """Return the release of the servers, in the words of the capture file."""
    cmdlets = ("Get-CsServerVersion", STATUS)
    texts = [xml for one in asked if one.statement.cmdlet in cmdlets for xml in one.captured.output]
    return "lync2013" if any(_LYNC_2013.search(xml) for xml in texts) else "sfb2015"


def _commands(asked: t.Sequence[Asked]) -> tuple[list[str] | None, int]:
    """Return the names of known commands (None for unknown names), and the number of other commands."""
    (answer,) = (one.captured.answer for one in asked if one.statement == COMMANDS)
    if answer.errors or answer.lost:
        return None, 0
    names = [str(item.get("Name")) for item in answer.output if isinstance(item, dict)]
    kept = sorted({name for name in names if is_command(name)})
    return kept, len(set(names)) - len(kept)


def _statements(asked: t.Sequence[Asked], names: Pseudonyms, users: int) -> list[dict[str, t.Any]]:
    return [_statement(one, names, users) for one in asked if one.statement != COMMANDS]


def _statement(one: Asked, names: Pseudonyms, users: int) -> dict[str, t.Any]:
    statement, captured = one.statement, one.captured
    pipeline = [_command(statement, names)]
    if captured.selected:
        pipeline.append({"cmdlet": "Select-Object", "parameters": {"Property": list(statement.select)}})
    output, errors = [], []
    kept = captured.output[:users] if statement.cmdlet == "Get-CsUser" else captured.output
    for xml in kept:
        try:
            output.append(replaced(xml, statement.cmdlet, names))
        except Exception as exc:  # noqa: BLE001 - one bad object must not stop the others. Its text can have a name
            why = str(exc) if isinstance(exc, Unsharable) else type(exc).__name__
            errors.append({"message": "not included in the capture: %s" % why, "error_id": "Unsharable", "cmdlet": ""})
    for error in captured.answer.errors:
        said = {
            "message": names.text(error.message, prose=True),
            "error_id": names.kept(error.error_id),
            "category": error.category,
            "target": names.text(error.target, prose=True),
            "cmdlet": names.kept(error.cmdlet),
        }
        errors.append(said)
    if captured.answer.lost:
        errors.append({"message": names.text(captured.answer.lost, prose=True), "error_id": "Lost", "cmdlet": ""})
    return {
        "pipeline": pipeline,
        "output": output,
        "errors": errors,
        "warnings": [names.text(text, prose=True) for text in captured.answer.warnings],
        "seconds": round(captured.seconds, 3),
    }


def _command(statement: Statement, names: Pseudonyms) -> dict[str, t.Any]:
    def shown(name: str, value: Value) -> t.Any:
        if isinstance(value, tuple):
            return [shown(name, item) for item in value]
        if isinstance(value, str):
            return names.text(value) if name in _NAMING else value
        return value if value is None or isinstance(value, (bool, int)) else {"secret": True}

    parameters = {name: shown(name, value) for name, value in statement.parameters.items()}
    return {"cmdlet": statement.cmdlet, "parameters": parameters}


INFO = Task(ARGUMENT_SPEC, info)
