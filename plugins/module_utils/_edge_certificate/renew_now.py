# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``renew.now``: what is in use is replaced before it is due, once for each reason.

What the issuer of a certificate says comes to the same (issuer.py).

A file on the Edge remembers a reason: its name holds a digest of the reason, and its lines are the thumbprints of the
certificates that were in use when the reason was first given. Those are to be replaced, and what came after them is
not, so that a run every night asks the authority once.
"""

from __future__ import annotations

import datetime
import hashlib
import typing as t
from dataclasses import dataclass, field, replace

from .._base.names import key as key_of
from .._base.step import Step
from .._x509.renewal import Renewal
from . import steps
from .edge import ISSUER

if t.TYPE_CHECKING:
    from .._base.result import Params
    from .edge import EdgeReader

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "reason": {"type": "str", "required": True},
        "compromised": {"type": "bool", "default": False},
    },
}
# What the file holds if nothing was in use.
_NONE = "none"


@dataclass(frozen=True)
class RenewNow:
    """reason: the user's text, or what the issuer says. compromised: others have the key of what is in use.

    note: the name of its file on the Edge; empty if that follows from the reason. urgent: whether a file that holds the
    certificate in use is refused as its successor.
    """

    reason: str
    compromised: bool = False
    note: str = ""
    urgent: bool = True

    @classmethod
    def read(cls, given: Params | None) -> RenewNow | None:
        """From the validated option; None where it is not given."""
        return cls(str(given["reason"]).strip(), bool(given.get("compromised"))) if given else None

    @property
    def mistakes(self) -> list[str]:
        return [] if self.reason else ["renew.now.reason: is empty; say why the certificate is replaced"]

    @property
    def file(self) -> str:
        """The name of its file on the Edge. Case and spaces at the ends of the reason make no difference."""
        if self.note:
            return self.note
        digest = hashlib.sha256(key_of(self.reason).encode()).hexdigest()
        return "sfb-xmpp-renewed-%s.note" % digest[:16]


@dataclass(frozen=True)
class Outdated:
    """The certificates that are replaced before they are due, by thumbprint. why: None for no reason.

    notes: the steps that remember the reason, and forget earlier ones of the issuer; empty if an earlier run has sent
    them. at: when the issuer of each certificate asks for its renewal.
    """

    thumbprints: frozenset[str] = frozenset()
    why: RenewNow | None = None
    notes: tuple[Step, ...] = ()
    at: t.Mapping[str, datetime.datetime] = field(default_factory=dict)

    @property
    def compromised(self) -> bool:
        return self.why is not None and self.why.compromised

    @property
    def urgent(self) -> bool:
        return self.why is not None and self.why.urgent

    def renewal(self, found: Renewal, thumbprint: str) -> Renewal:
        """When a certificate is due, of which ``found`` is what its lifetime says."""
        at = self.at.get(thumbprint)
        if at is not None and at < found.at:
            text = "%s, and its issuer asks for it on %s"
            found = replace(found, at=at, reason=text % (found.reason, at.strftime("%Y-%m-%d")))
        if thumbprint not in self.thumbprints or self.why is None:
            return found
        return replace(found, due=True, reason="it is replaced now: %s" % self.why.reason)


def outdated(
    now: RenewNow | None, reader: EdgeReader, files: t.Collection[str], in_use: t.Iterable[str | None]
) -> Outdated:
    """in_use: the thumbprints of what the usages have. Raises ServerRefused, ShellError."""
    if now is None:
        return Outdated()
    if now.file in files:
        return Outdated(frozenset(reader.text(now.file).split()) - {_NONE}, now)
    found = frozenset(one for one in in_use if one)
    # The issuer's word of an earlier period counts no more.
    former = [steps.remove(name) for name in files if now.note and ISSUER.match(name)]
    return Outdated(found, now, (steps.note(now.file, "\n".join(sorted(found)) or _NONE), *former))
