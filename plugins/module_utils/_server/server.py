# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define a server as a typed value. A task returns this value as its result. Other code reads the result."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, fields

from .._base.result import Refused

# The number of the result's form. A later form has a higher number.
FORM = 1
# The parts that can be read from a server.
CMDLETS, PRODUCT, CLOCK, SERVICES, CERTIFICATES = "cmdlets", "product", "clock", "services", "certificates"
PARTS = (CMDLETS, PRODUCT, CLOCK, SERVICES, CERTIFICATES)


@dataclass(frozen=True)
class Product:
    """This is the product of a server.

    text: the server's own text.
    version: four numbers; None if the text has no version.
    release: a year; None if the text has no year.
    """

    text: str
    version: str | None = None
    release: str | None = None


@dataclass(frozen=True)
class SeenService:
    """This is a Windows service of the product.

    status: the status in lower case.
    xmpp: whether the service belongs to the XMPP gateway.
    """

    name: str
    display_name: str
    status: str
    xmpp: bool


@dataclass(frozen=True)
class Certificate:
    """This is a certificate with a usage.

    usages: the usages that have the certificate. The other texts are None if the certificate is not in the computer's
        store. Times are UTC in ISO 8601.
    """

    thumbprint: str
    usages: tuple[str, ...]
    subject: str | None = None
    issuer: str | None = None
    names: tuple[str, ...] = ()
    not_before: str | None = None
    not_after: str | None = None
    has_key: bool | None = None


@dataclass(frozen=True)
class Unobserved:
    """This is a part that could not be read.

    reason: why the part could not be read.
    """

    part: str
    reason: str


@dataclass(frozen=True)
class Server:
    """This is one server, as a run has read the server. A part that was not wanted or could not be read is None.

    host, deployment: the names in the inventory.
    reached: whether a session was open.
    reason: why no session was open; empty if a session was open.
    broken: the step of statement.WAY that failed; empty if no step failed.
    cmdlets: the known cmdlets that the session offers.
    clock_ahead: the seconds that the server's clock is ahead of the controller's.
    unobserved: the parts that could not be read.
    """

    host: str
    deployment: str
    reached: bool
    reason: str = ""
    broken: str = ""
    cmdlets: tuple[str, ...] | None = None
    product: Product | None = None
    clock_ahead: float | None = None
    services: tuple[SeenService, ...] | None = None
    certificates: tuple[Certificate, ...] | None = None
    unobserved: tuple[Unobserved, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of the task in plain values."""
        return {"form": FORM, **t.cast("dict[str, t.Any]", _plain(asdict(self)))}


def server_of(result: t.Mapping[str, t.Any]) -> Server:
    """Return the server of a result of xmpp_server_info. Raises Refused if its form is unknown."""
    if result.get("form") != FORM:
        text = "the result of xmpp_server_info has the form %r, but this version of the collection reads the form %d"
        raise Refused([text % (result.get("form"), FORM)])
    try:
        return Server(
            host=_text(result["host"]),
            deployment=_text(result["deployment"]),
            reached=_bool(result["reached"]),
            reason=_text(result["reason"]),
            broken=_text(result["broken"]),
            cmdlets=None if result["cmdlets"] is None else tuple(map(_text, result["cmdlets"])),
            product=None if result["product"] is None else _object(Product, result["product"]),
            clock_ahead=None if result["clock_ahead"] is None else float(result["clock_ahead"]),
            services=_objects(SeenService, result["services"]),
            certificates=_objects(Certificate, result["certificates"]),
            unobserved=_objects(Unobserved, result["unobserved"]) or (),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise Refused(["the result of xmpp_server_info has an unknown form: %s" % exc]) from None


T = t.TypeVar("T")


def _objects(kind: type[T], items: t.Any) -> tuple[T, ...] | None:
    return None if items is None else tuple(_object(kind, item) for item in items)


def _object(kind: type[T], item: t.Mapping[str, t.Any]) -> T:
    known = [one.name for one in fields(t.cast(t.Any, kind))]
    if sorted(item) != sorted(known):
        raise ValueError("%s must have the keys %s" % (kind.__name__, ", ".join(known)))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in item.items()})


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError("%r must be a string" % (value,))
    return value


def _bool(value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("%r must be true or false" % (value,))
    return value


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
