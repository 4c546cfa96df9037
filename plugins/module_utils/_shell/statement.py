# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the values between modules and a remote management shell: statements, answers and errors.

A statement is one cmdlet with typed parameters, never script text. Statements and answers go from the module to the
connection's process as JSON. Only this file defines the JSON form.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import asdict, dataclass, field


class UInt32(int):
    """This integer is sent as System.UInt32. A plain int is sent as Int32."""

    def __new__(cls, value: int) -> UInt32:
        if not 0 <= int(value) <= 0xFFFFFFFF:
            raise ValueError("%s must be from 0 to 4294967295 (an unsigned 32-bit number)" % int(value))
        return super().__new__(cls, value)


class Secret:
    """Protect a text from being printed by accident. Only the code that sends the text calls ``reveal()``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


@dataclass(frozen=True)
class Credential:
    """This is a user name with a password.

    The login is sent as a PSCredential. The session's key encrypts the password.
    """

    user: str
    password: Secret


@dataclass(frozen=True)
class ListChange:
    """This is a change of a list property. The change is sent as a PSListModifier, ``@{Add=...; Remove=...}``."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


# The types of a parameter. A tuple is sent as a list. ``None`` is sent as $null.
Value = t.Union[None, bool, int, str, bytes, UInt32, Secret, Credential, ListChange, "tuple[Value, ...]"]

READ_VERBS = frozenset(("get", "test", "resolve"))


@dataclass(frozen=True)
class Statement:
    """This is one call of a cmdlet.

    parameters: values by the cmdlet's own parameter names. The order is kept.
    select: the wanted properties of each object; empty for all. The server selects the properties with Select-Object in
        the same pipeline. Some types have certain properties only then: PowerShell's type data serialises an
        X509Certificate2 as its RawData.
    long: whether the statement reads so much that a longer time limit applies.
    """

    cmdlet: str
    parameters: t.Mapping[str, Value] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    long: bool = False

    @property
    def is_read(self) -> bool:
        """Return whether the statement can be repeated without harm.

        The verbs are Get, Test and Resolve, without Test-CsXmppIM.
        """
        verb, dash, noun = self.cmdlet.partition("-")
        return verb.lower() in READ_VERBS and noun.lower() != "csxmppim"

    def encode(self) -> dict[str, t.Any]:
        """Return the JSON form.

        The form is ``{"cmdlet": str, "parameters": {name: encoded value}, "select": [str], "long": bool}``.
        """
        return {
            "cmdlet": self.cmdlet,
            "parameters": {k: encode_value(v) for k, v in self.parameters.items()},
            "select": list(self.select),
            "long": self.long,
        }

    @classmethod
    def decode(cls, data: t.Mapping[str, t.Any]) -> Statement:
        parameters = {str(k): decode_value(v) for k, v in data["parameters"].items()}
        return cls(str(data["cmdlet"]), parameters, tuple(map(str, data.get("select", ()))), bool(data.get("long")))

    def shown(self) -> dict[str, t.Any]:
        """Return the statement for output. Secrets are ``{"secret": true}``, bytes are ``{"bytes": N}``."""
        return {"cmdlet": self.cmdlet, "parameters": {k: show_value(v) for k, v in self.parameters.items()}}


@dataclass(frozen=True)
class ServerError:
    """This is an error record of the server, with the server's texts."""

    cmdlet: str = ""
    error_id: str = ""
    category: str = ""
    message: str = ""
    target: str = ""

    def as_dict(self) -> dict[str, str]:
        return {
            "cmdlet": self.cmdlet,
            "error_id": self.error_id,
            "category": self.category,
            "message": self.message,
            "target": self.target,
        }


@dataclass(frozen=True)
class Answer:
    """This is the answer to one pipeline of statements.

    output: objects in order. Each is a plain value or a dict of the object's properties: bytes as bytes, enums as
        their name, times as ISO 8601 text, lists as lists.
    errors: non-terminating and terminating errors. The errors do not name their statement.
    warnings: texts of the warning stream.
    lost: why the session was lost before the end; empty without a loss. After a loss it is unknown which writes took
        effect.
    refused: whether the endpoint refused the first pipeline with several statements as a whole. The later statements
        were not sent. From then on the session sends one statement at a time.
    """

    output: tuple[t.Any, ...] = ()
    errors: tuple[ServerError, ...] = ()
    warnings: tuple[str, ...] = ()
    lost: str = ""
    refused: bool = False

    def __add__(self, later: Answer) -> Answer:
        """Join both answers to the answer of one pipeline."""
        return Answer(
            self.output + later.output,
            self.errors + later.errors,
            self.warnings + later.warnings,
            self.lost or later.lost,
            self.refused or later.refused,
        )

    @property
    def ended_early(self) -> bool:
        """Return whether the state must be read before another statement is sent."""
        return bool(self.lost) or self.refused

    def encode(self) -> dict[str, t.Any]:
        return {
            "output": [encode_value(v) for v in self.output],
            "errors": [e.as_dict() for e in self.errors],
            "warnings": list(self.warnings),
            "lost": self.lost,
            "refused": self.refused,
        }

    @classmethod
    def decode(cls, data: t.Mapping[str, t.Any]) -> Answer:
        return cls(
            output=tuple(decode_value(v, plain_lists=True) for v in data["output"]),
            errors=tuple(ServerError(**e) for e in data["errors"]),
            warnings=tuple(data["warnings"]),
            lost=data["lost"],
            refused=data["refused"],
        )


# The steps to a session, in their order: the server's name, its port, TLS, the login, the shell itself.
DNS, PORT, TLS, LOGIN, SESSION = "dns", "port", "tls", "login", "session"
WAY = (DNS, PORT, TLS, LOGIN, SESSION)


class ShellError(Exception):
    """The session could not be opened, or a call was refused before anything was sent.

    broken: the step of WAY that failed; empty if no step failed.
    """

    def __init__(self, text: str, broken: str = "") -> None:
        super().__init__(text)
        self.broken = broken


@dataclass(frozen=True)
class Place:
    """Describe the host of a shell, with the names of the inventory.

    host: the name in the inventory.
    deployment: the value of sfb_xmpp_deployment; ``default`` if the variable is not set.
    account: the user of the session.
    home: Ansible's directory for its own files.
    playbook: the collection's playbook that is running; empty if no playbook of the collection is running.
    """

    host: str = ""
    deployment: str = "default"
    account: str = ""
    home: str = ""
    playbook: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class Shell(t.Protocol):
    """Send statements to a server. Production uses the connection, unit tests use a fake."""

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements, in order, in one pipeline. Raises ShellError."""


def place_of(shell: Shell) -> Place:
    """Return the host of a shell, or an empty Place if the shell knows no host. Raises ShellError."""
    place = getattr(shell, "place", None)
    return place if isinstance(place, Place) else Place()


def encode_value(value: t.Any) -> t.Any:
    """Return a value as JSON. A type that JSON lacks becomes a dict with one key, the name of the type."""
    if isinstance(value, UInt32):
        return {"uint32": int(value)}
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    if isinstance(value, Credential):
        return {"credential": {"user": value.user, "password": value.password.reveal()}}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, ListChange):
        return {"list_change": {"add": list(value.add), "remove": list(value.remove)}}
    if isinstance(value, (list, tuple)):
        return [encode_value(v) for v in value]
    if isinstance(value, dict):
        return {"object": {k: encode_value(v) for k, v in value.items()}}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError("a %s cannot be sent to a management shell" % type(value).__name__)


def decode_value(value: t.Any, plain_lists: bool = False) -> t.Any:
    """Reverse encode_value. Lists become tuples, or stay lists with ``plain_lists``."""
    if isinstance(value, list):
        items = [decode_value(v, plain_lists) for v in value]
        return items if plain_lists else tuple(items)
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "uint32":
            return UInt32(content)
        if kind == "secret":
            return Secret(content)
        if kind == "credential":
            return Credential(content["user"], Secret(content["password"]))
        if kind == "bytes":
            return base64.b64decode(content)
        if kind == "list_change":
            return ListChange(tuple(content["add"]), tuple(content["remove"]))
        if kind == "object":
            return {k: decode_value(v, plain_lists) for k, v in content.items()}
        raise ValueError("unknown value type '%s'" % kind)
    return value


def show_value(value: t.Any) -> t.Any:
    """Return a value for output: secrets masked, bytes shortened, built-in types only."""
    if isinstance(value, Secret):
        return {"secret": True}
    if isinstance(value, Credential):
        return {"user": value.user, "secret": True}
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, ListChange):
        return {k: v for k, v in (("add", list(value.add)), ("remove", list(value.remove))) if v}
    if isinstance(value, UInt32):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [show_value(v) for v in value]
    return value
