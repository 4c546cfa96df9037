# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bind or refuse the parameters of a call to a cmdlet, as PowerShell's parameter binder does.

Names can be abbreviated and are compared without case. Types are converted as PowerShell converts them, and sometimes
more strictly: see the assumptions that this file names. PowerShell 7.6 sends the same ids and categories.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import re
import typing as t
import uuid
from dataclasses import dataclass

from psrpcore.types import PSObject, PSSecureString

from ..assumptions import rests_on
from ..deployment.store import fold
from ..errors import BindingError
from .contract import Cmdlet, Parameter

Named = tuple[str | None, object]

_TEXT_TYPES = frozenset(
    ("String", "Fqdn", "XdsIdentity", "XdsGlobalRelativeIdentity", "UserIdParameter", "OUIdParameter", "Guid")
)
# The constructors of these product types refuse an empty text.
_IDENTITIES = frozenset(("Fqdn", "XdsIdentity", "XdsGlobalRelativeIdentity"))
_FLAGS = frozenset(("CommandTypes",))  # The numbers of these enumerations are bits.
_LIMITS = {
    "Int32": (-(2**31), 2**31 - 1), "Int64": (-(2**63), 2**63 - 1), "UInt32": (0, 2**32 - 1), "UInt16": (0, 2**16 - 1),
}  # fmt: skip


@dataclass(frozen=True)
class ListModifier:
    """Represent a PSListModifier: additions and removals, a replacement (a plain list), or no change (``$null``).

    untouched: whether the hashtable is empty, so that nothing changes.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    replace: tuple[str, ...] | None = None
    untouched: bool = False


class Arguments:
    """Hold bound parameters by full name, as plain Python values."""

    def __init__(self, values: dict[str, t.Any], parameter_set: str) -> None:
        self.values = values
        self.parameter_set = parameter_set

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> t.Any:
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else str(value)

    def need(self, name: str) -> str:
        """Return a mandatory text. The binding has checked that the text exists."""
        return str(self.values[name])

    def flag(self, name: str) -> bool:
        return bool(self.values.get(name, False))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.values.get(name) or ())


def resolve_name(cmdlet: Cmdlet, name: str) -> Parameter | None:
    """Return the parameter that a name, alias or abbreviation means; None if no parameter matches."""
    wanted = name.lstrip("-").rstrip(":").lower()
    for parameter in cmdlet.parameters.values():
        if wanted in (n.lower() for n in (parameter.name, *parameter.aliases)):
            return parameter
    found = [
        p for p in cmdlet.parameters.values() if any(n.lower().startswith(wanted) for n in (p.name, *p.aliases))
    ]  # fmt: skip
    if len(found) > 1:
        raise BindingError(
            "Parameter cannot be processed because the parameter name '%s' is ambiguous. Possible matches include: %s."
            % (name, " ".join("-" + p.name for p in found)),
            "AmbiguousParameter",
        )
    return found[0] if found else None


def bind(cmdlet: Cmdlet, given: t.Sequence[Named], piped: bool = False) -> Arguments:
    """Bind the parameters of a call. Raises BindingError with the id that PowerShell's binder uses.

    piped: whether an object of the pipeline can supply missing parameters.
    """
    values: dict[str, t.Any] = {}
    loose: list[object] = []
    for name, value in given:
        if name is None:
            loose.append(value)
            continue
        parameter = resolve_name(cmdlet, name)
        if parameter is None:
            raise BindingError(
                "A parameter cannot be found that matches parameter name '%s'." % name, "NamedParameterNotFound"
            )
        if parameter.name in values:
            raise BindingError(
                "Cannot bind parameter because parameter '%s' is specified more than once." % parameter.name,
                "ParameterAlreadyBound",
            )
        values[parameter.name] = convert(parameter, value)
    for value in loose:
        parameter = _next_positional(cmdlet, values)
        if parameter is None:
            raise BindingError(
                "A positional parameter cannot be found that accepts a value of type '%s'." % _type_name(value),
                "PositionalParameterNotFound",
            )
        values[parameter.name] = convert(parameter, value)
    chosen = _choose_set(cmdlet, values)
    missing = [
        p.name
        for p in cmdlet.parameters.values()
        if p.is_mandatory(chosen) and p.name not in values and not (piped and p.pipeline)
    ]
    if missing:
        raise BindingError(
            "Cannot process command because of one or more missing mandatory parameters: %s." % " ".join(missing),
            "MissingMandatoryParameter",
        )
    for name in values:
        if not cmdlet.parameters[name].simulated:
            raise BindingError("The lab does not simulate -%s of %s." % (name, cmdlet.name), "LabNotSimulated")
    return Arguments(values, chosen)


def _candidates(cmdlet: Cmdlet, values: t.Collection[str]) -> list[str]:
    return [s for s in cmdlet.sets if all(cmdlet.parameters[name].is_in(s) for name in values)]


def _next_positional(cmdlet: Cmdlet, values: t.Collection[str]) -> Parameter | None:
    open_sets = _candidates(cmdlet, values)
    positional = [
        p
        for p in cmdlet.parameters.values()
        if p.position is not None and p.name not in values and any(p.is_in(s) for s in open_sets)
    ]
    # If several sets have a parameter at the same position, the position in the default set has priority.
    return min(positional, key=lambda p: (t.cast(int, p.position), not p.is_in(cmdlet.sets[0])), default=None)


def _choose_set(cmdlet: Cmdlet, values: t.Collection[str]) -> str:
    candidates = _candidates(cmdlet, values)
    satisfied = [
        s for s in candidates if all(p.name in values for p in cmdlet.parameters.values() if p.is_mandatory(s))
    ]  # fmt: skip
    default = cmdlet.sets[0]
    for group in (satisfied, candidates):
        if len(group) == 1:
            return group[0]
        if default in group:
            rests_on("default-sets")
            return default
        if group:
            break
    raise BindingError(
        "Parameter set cannot be resolved using the specified named parameters.", "AmbiguousParameterSet"
    )  # fmt: skip


# -- conversion


def convert(parameter: Parameter, value: object) -> t.Any:
    """Convert a value from the wire to the plain Python value of the parameter's type. Raises BindingError."""
    if value is None:
        return _convert_null(parameter)
    kind = parameter.type
    if kind.endswith("[]"):
        items = list(value) if isinstance(value, (list, tuple)) else [value]
        if kind == "Object[]":
            return value if isinstance(value, bytes) else items
        if not items and parameter.mandatory_in:
            raise _null_or_empty(parameter, "EmptyArray", "an empty array")
        return tuple(_convert_one(parameter, kind[:-2], item) for item in items)
    return _convert_one(parameter, kind, value)


def _convert_null(parameter: Parameter) -> t.Any:
    if parameter.type == "SwitchParameter":
        return True  # A switch that is named without a value travels as null.
    if parameter.type == "PSListModifier":
        return ListModifier()
    rests_on("null-values")
    typed = parameter.type in ("Boolean", "DateTime", *_LIMITS) or bool(parameter.choices)
    if (typed or parameter.mandatory_in) and not parameter.allow_null:
        raise _null_or_empty(parameter, "Null", "null")
    return None


def _convert_one(parameter: Parameter, kind: str, value: object) -> t.Any:
    if parameter.choices:
        return _choice(parameter, kind, value)
    if kind in _TEXT_TYPES:
        text = _text(parameter, kind, value)
        if parameter.valid and fold(text) not in map(fold, parameter.valid):
            raise _not_in_set(parameter, text)
        return text
    if kind in ("Boolean", "SwitchParameter"):
        if isinstance(value, (bool, int, float)):  # Booleans also accept numbers (about_Parameters).
            return bool(value)
        raise _not_of(parameter, value, kind)
    if kind in _LIMITS:
        return _integer(parameter, kind, value)
    if kind == "Unlimited<UInt32>":
        if isinstance(value, str) and fold(value) == "unlimited":
            return None
        return _integer(parameter, "UInt32", value)
    if kind == "PSListModifier":
        return _list_modifier(parameter, value)
    if kind == "DateTime":
        if isinstance(value, datetime.datetime):
            return value
        raise _cannot_convert(parameter, value, kind)
    if kind in ("PSObject", "NTService", "CertificateReference", "PSCredential"):
        if isinstance(value, PSObject):
            return value
        raise _cannot_convert(parameter, value, kind)
    raise AssertionError("contract.yml has an unknown type: %s" % kind)


def _text(parameter: Parameter, kind: str, value: object) -> str:
    if kind == "String" and isinstance(value, (bytes, list, tuple)):
        raise _not_of(parameter, value, kind, "Specified method is not supported.")
    if isinstance(value, (PSSecureString, bytes, list, tuple, dict)):
        rests_on("strict-texts")
        raise _cannot_convert(parameter, value, kind)
    if isinstance(value, (str, bool, int, float, uuid.UUID)):
        text = str(value)
    elif isinstance(value, PSObject) and value.PSObject.to_string is not None:
        text = str(value.PSObject.to_string)
    else:
        raise _cannot_convert(parameter, value, kind)
    if not text and kind in _IDENTITIES:
        raise _cannot_convert(parameter, value, kind)
    if not text and parameter.mandatory_in:
        raise _null_or_empty(parameter, "EmptyString", "an empty string")
    if kind == "Guid":
        try:
            return str(uuid.UUID(text))
        except ValueError:
            raise _cannot_convert(parameter, value, kind) from None
    if kind == "Fqdn" and not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text):
        raise _cannot_convert(parameter, value, kind)
    return text


def _integer(parameter: Parameter, kind: str, value: object) -> int:
    number = _number(value)
    if number is None:
        raise _cannot_convert(parameter, value, kind)
    low, high = _LIMITS[kind]
    if not low <= number <= high:
        raise _cannot_convert(parameter, value, kind, "Value was either too large or too small.")
    if parameter.range and not parameter.range[0] <= number <= parameter.range[1]:
        raise BindingError(
            "Cannot validate argument on parameter '%s'. The value must be from %d to %d."
            % (parameter.name, *parameter.range),
            "ParameterArgumentValidationError",
            "InvalidData",
        )
    return number


def _number(value: object) -> int | None:
    """Convert a value to a number as PowerShell does: from decimal or hexadecimal texts, halves to the even number."""
    if isinstance(value, int):
        return int(value)
    text = str(value).strip() if isinstance(value, (str, float, decimal.Decimal)) else None
    if text is None:
        return None
    if found := re.fullmatch("0[xX]([0-9A-Fa-f]{1,8})", text):
        return int(found[1], 16)
    try:
        return int(decimal.Decimal(text or "0").to_integral_value(decimal.ROUND_HALF_EVEN))
    except (ArithmeticError, ValueError):
        return None


def _choice(parameter: Parameter, kind: str, value: object) -> str:
    """Return a name of an enumeration. The value is the name, an unambiguous beginning of the name, or a number."""
    text = ""
    if isinstance(value, enum.Enum):
        text = value.name  # from another cmdlet of the pipeline
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        text = str(value)
    elif isinstance(value, PSObject) and value.PSObject.to_string is not None:
        text = str(value.PSObject.to_string)  # from an earlier Get- of the client
    for choice in parameter.choices:
        if fold(choice) == fold(text):
            return choice
    if text.isdecimal() and kind not in _FLAGS and int(text) < len(parameter.choices):
        rests_on("enum-numbers")
        return parameter.choices[int(text)]
    begun = [choice for choice in parameter.choices if text and fold(choice).startswith(fold(text))]
    if len(begun) == 1:
        return begun[0]
    raise _cannot_convert(
        parameter, value, kind, "Specify one of the following enumerator names: %s." % ", ".join(parameter.choices)
    )


def _list_modifier(parameter: Parameter, value: object) -> ListModifier:
    if isinstance(value, dict):
        parts = {fold(str(k)): _strings(parameter, v) for k, v in value.items()}
        if set(parts) - {"add", "remove", "replace"}:
            raise _cannot_convert(
                parameter, value, "PSListModifier", "Valid list modifiers are Add, Remove, and Replace."
            )
        return ListModifier(parts.get("add", ()), parts.get("remove", ()), parts.get("replace"), not parts)
    return ListModifier(replace=_strings(parameter, value))


def _strings(parameter: Parameter, value: object) -> tuple[str, ...]:
    items = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, str) for item in items):
        raise _cannot_convert(parameter, value, "PSListModifier")
    return tuple(str(item) for item in items)


def _type_name(value: object) -> str:
    names = {
        "PSString": "System.String", "str": "System.String", "PSInt": "System.Int32", "int": "System.Int32",
        "bool": "System.Boolean", "PSUInt": "System.UInt32", "PSInt64": "System.Int64", "PSByteArray": "System.Byte[]",
        "PSDict": "System.Collections.Hashtable", "PSList": "System.Collections.ArrayList",
        "PSSecureString": "System.Security.SecureString",
    }  # fmt: skip
    return names.get(type(value).__name__, type(value).__name__)


def _cannot_convert(parameter: Parameter, value: object, kind: str, hint: str = "") -> BindingError:
    # The message does not contain the value, because the value can be a secret.
    message = "Cannot bind parameter '%s'. Cannot convert a value of type \"%s\" to type \"%s\". %s" % (
        parameter.name, _type_name(value), kind, hint,
    )  # fmt: skip
    return BindingError(message.rstrip(), "CannotConvertArgumentNoMessage")


def _not_of(parameter: Parameter, value: object, kind: str, hint: str = "") -> BindingError:
    """Return the error for values that the binder itself converts: texts, Booleans and switches."""
    message = "Cannot convert '%s' to the type '%s' required by parameter '%s'. %s" % (
        _type_name(value), kind, parameter.name, hint,
    )  # fmt: skip
    return BindingError(message, "CannotConvertArgument")


def _not_in_set(parameter: Parameter, text: str) -> BindingError:
    """Return the error in the engine's recorded words. The error names no target."""
    return BindingError(
        'Cannot validate argument on parameter \'%s\'. The argument "%s" does not belong to the set "%s" specified by'
        " the ValidateSet attribute. Supply an argument that is in the set and then try the command again."
        % (parameter.name, text, ",".join(parameter.valid)),
        "ParameterArgumentValidationError",
        category="InvalidData",
    )


def _null_or_empty(parameter: Parameter, what: str, words: str) -> BindingError:
    return BindingError(
        "Cannot bind argument to parameter '%s' because it is %s." % (parameter.name, words),
        "ParameterArgumentValidationError%sNotAllowed" % what,
        "InvalidData",
    )
