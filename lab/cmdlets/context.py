# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provide the surroundings of a running cmdlet, with helpers that the cmdlets for the configuration share."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from psrpcore.types import PSObject

from ..assumptions import rests_on
from ..deployment import replication
from ..deployment.hosts import Host
from ..deployment.store import Document, Store, fold
from ..deployment.topology import VERSIONS
from ..deployment.wildcard import like
from ..errors import CmdletError
from .binding import Arguments, ListModifier, convert
from .contract import Cmdlet
from .objects import properties_of


@dataclass
class Context:
    """Hold the surroundings of one call.

    visible: the cmdlets that the session knows.
    modules: the modules that the session has imported. A cmdlet can add modules.
    wait: a function that makes the call take a number of seconds, unless the client stops the call.
    lasts: a function that a handler sets if the call must continue after the effect. The call ends when the function
    returns false.
    """

    store: Store
    host: Host
    profile: str
    cmdlet: Cmdlet
    report: t.Callable[[CmdletError], None]
    warn: t.Callable[[str], None]
    visible: t.Callable[[], t.Sequence[Cmdlet]]
    modules: set[str]
    wait: t.Callable[[float], None]
    input: t.Sequence[object] = ()
    failures: list[str] = field(default_factory=list)
    lasts: t.Callable[[], bool] | None = None

    def error(self, error: CmdletError) -> None:
        """Write a non-terminating error."""
        self.failures.append(error.message)
        self.report(error)

    def changed(self) -> None:
        """Record a write to the Central Management Store. The replicas are then out of date for some time."""
        replication.changed(self.store)

    def all(self, kind: str, args: Arguments) -> dict[str, Document]:
        """Return the objects of a kind from the store, or with -LocalStore from this computer's replica."""
        local = (self.host.fqdn,) if args.flag("LocalStore") else ()
        if local:
            rests_on("local-store-current")
        return replication.configuration(self.store, kind, local)

    def clock(self, when: float) -> float:
        """Convert a time of the lab's own clock to a time of the servers' clocks."""
        return when + float(self.store.setting("clock_ahead"))

    @property
    def version(self) -> str:
        """Return the version of this server, in the numbers of Get-CsService."""
        return str(self.store.setting("server_version") or VERSIONS[self.profile])


Handler = t.Callable[[Context, Arguments], t.Iterable[object]]


# The wording and ids of the product's own errors are not documented: see error-texts.


def not_found(what: str, identity: str) -> CmdletError:
    rests_on("error-texts")
    message = 'Cannot find "%s" "%s" because it does not exist.' % (what, identity)
    return CmdletError(message, "ItemNotFound", "ObjectNotFound", identity, terminating=False)


def exists(what: str, identity: str) -> CmdletError:
    rests_on("error-texts")
    message = '"%s" "%s" already exists.' % (what, identity)
    return CmdletError(message, "ItemExists", "ResourceExists", identity, terminating=False)


def invalid(message: str, target: str = "") -> CmdletError:
    rests_on("error-texts")
    return CmdletError(message, "InvalidArgument", "InvalidArgument", target)


def chosen(ctx: Context, args: Arguments, what: str, items: dict[str, Document], *aliases: str) -> dict[str, Document]:
    """Return the documents that -Identity (exact) or -Filter (wildcard) selects. Report an unknown identity.

    aliases: prefixes of an identity that a caller can leave out.
    """
    wanted = args.text("Identity")
    if wanted is not None:
        names = {fold(wanted), *(fold(prefix + wanted) for prefix in aliases)}
        found = {key: body for key, body in items.items() if fold(key) in names}
        if not found:
            ctx.error(not_found(what, wanted))
        return found
    pattern = args.text("Filter")
    if pattern is None:
        return items

    def matches(key: str) -> bool:
        short = [key[len(p) :] for p in aliases if key.startswith(p)]
        return any(like(form, pattern) for form in (key, *short))

    return {key: body for key, body in items.items() if matches(key)}


def given_changes(ctx: Context, args: Arguments, fields: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the properties that a Set- must write: the properties of -Instance first, then the given parameters."""
    changes: dict[str, t.Any] = {}
    instance = args.get("Instance")
    if instance is not None:
        brought = properties_of(instance)
        for name in fields:
            if name in brought and name in ctx.cmdlet.parameters:
                value = brought[name]
                parameter = ctx.cmdlet.parameters[name]
                if value is None and parameter.type != "PSListModifier":
                    changes[name] = None
                else:
                    changes[name] = convert(parameter, value)
                if isinstance(changes[name], ListModifier) and changes[name].replace is None:
                    changes[name] = ListModifier(replace=())
    changes.update({name: args.get(name) for name in fields if name in args})
    return changes


def instance_identity(args: Arguments) -> str | None:
    """Return the identity of the object to change: -Identity, or the Identity of the -Instance."""
    instance = args.get("Instance")
    if isinstance(instance, PSObject):
        value = properties_of(instance).get("Identity")
        if value is None:
            raise invalid("The instance has no Identity.")
        return str(value)
    return args.text("Identity")


def extras(identity: str, element: str) -> dict[str, object]:
    """Return the properties that objects of the configuration have in addition to the documented properties."""
    rests_on("extra-properties")
    return {
        "Key": identity.partition(":")[2] or identity,
        "Anchor": "%s#%s" % (element, identity),
        "Element": '<%s xmlns="urn:lab" />' % element,
    }
