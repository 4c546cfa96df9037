# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out which deployment a server or a file belongs to, by the pool of the Central Management Store.

A label is not enough, because two inventories can both call their deployment ``default``. A file of one deployment must
not be applied to another deployment.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._base.names import Invalid
from .._base.result import Unreadable
from .._base.texts import some
from .._shell.statement import Answer, Shell, Statement
from .kinds import shortened
from .pools import SERVICE, text_of
from .sip_domains import SIP_DOMAIN, sip_domains_of

CENTRAL_MANAGEMENT = "CentralManagement"
# The parameter sets of the page of Get-CsService: CentralManagement is the service of the Central Management Store.
STATEMENTS = (Statement(SERVICE, {CENTRAL_MANAGEMENT: True}), Statement(SIP_DOMAIN))
NOT_READ = "%s -CentralManagement is not offered to this account, or fails" % SERVICE


@dataclass(frozen=True)
class Identity:
    """This is the identity of a deployment.

    label: the value of ``sfb_xmpp_deployment``.
    pools: FQDNs of the pools of the Central Management Store, in lower case; empty if the pools cannot be read. In a
      pair of pools, both pools have the store.
    sip_domains: the SIP domains as sorted A-labels; empty if the domains cannot be read.
    """

    label: str = "default"
    pools: tuple[str, ...] = ()
    sip_domains: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the deployment's part of a digest. A new SIP domain does not change this part."""
        return "pool " + " ".join(self.pools) if self.pools else "label " + self.label

    def as_dict(self) -> dict[str, t.Any]:
        found = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def identity_of(items: t.Sequence[t.Any], label: str) -> Identity:
    """Return the identity from the objects of both statements, in any order. Raises Unreadable."""
    services = [one for one in items if is_central(one)]
    domains = [one for one in items if _is_domain(one)]
    unknown = [one for one in items if not tells_identity(one)]
    if unknown:
        raise Unreadable(SERVICE, "", "the server returned an unexpected object: %s" % shortened(unknown[0]))
    return Identity(label, pools_of(services), tuple(sorted(sip_domains_of(domains))) if domains else ())


def tells_identity(item: t.Any) -> bool:
    return is_central(item) or _is_domain(item)


def _is_domain(item: t.Any) -> bool:
    return isinstance(item, dict) and "IsDefault" in item


def is_central(item: t.Any) -> bool:
    return isinstance(item, dict) and "PoolFqdn" in item and item.get("Role") == CENTRAL_MANAGEMENT


def pools_of(services: t.Sequence[t.Any] | None) -> tuple[str, ...]:
    return tuple(sorted({text_of(SERVICE, one, "PoolFqdn").casefold().rstrip(".") for one in services or ()}))


def read_identity(shell: Shell, label: str) -> Identity:
    """Send the statements one by one, because an account can have only one of the cmdlets.

    Raises ShellError, Unreadable.
    """
    output: list[t.Any] = []
    for statement in STATEMENTS:
        answer: Answer = shell.invoke([statement])
        if not (answer.errors or answer.lost):
            output += answer.output
    return identity_of(output, label)


def from_file(value: t.Any) -> Identity:
    """Return the deployment's identity from a file. Raises Invalid."""
    if not isinstance(value, dict) or not isinstance(value.get("label"), str):
        raise Invalid("the deployment has no label")
    lists = [value.get(name) for name in ("pools", "sip_domains")]
    if not all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists):
        raise Invalid("pools and sip_domains of the deployment must be lists of strings")
    return Identity(value["label"], *(tuple(one) for one in lists if one is not None))


def other_deployment(kept: Identity, now: Identity) -> str:
    """Return why a file belongs to another deployment; empty if the file belongs to this deployment.

    kept: the identity in the file.
    now: the identity of this deployment.
    """
    if kept.pools and now.pools and not set(kept.pools) & set(now.pools):
        text = (
            "it was made for a deployment with the Central Management Store on the pool %s, but the store of this"
            " deployment is on %s"
        )
        return text % (some(kept.pools), some(now.pools))
    if kept.label != now.label:
        return "it was made for the deployment %s, but this deployment is %s" % (kept.label, now.label)
    return ""


def doubts(file: str, kept: Identity, now: Identity) -> list[str]:
    """Return the warnings about a file that seems to belong to this deployment.

    file: the path.
    kept: the identity in the file.
    now: the identity of this deployment.
    """
    if not now.pools or not kept.pools:
        why = NOT_READ if not now.pools else "the file does not name the pool"
        text = "%s: only the label %s was compared, because the pool of the Central Management Store is unknown: %s"
        return [text % (file, now.label, why)]
    before, after = set(kept.sip_domains), set(now.sip_domains)
    if before and after and before != after:
        found = ["added: %s" % some(sorted(after - before))] * bool(after - before)
        found += ["removed: %s" % some(sorted(before - after))] * bool(before - after)
        text = "%s: the SIP domains of the deployment have changed since the file was written (%s)"
        return [text % (file, "; ".join(found))]
    return []
