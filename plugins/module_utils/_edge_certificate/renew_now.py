# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``renew.now``: what is in use is replaced before it is due, once for each reason.

A file on the Edge remembers a reason: its name holds a digest of the reason, and its lines are the thumbprints of the
certificates that were in use when the reason was first given. Those are to be replaced, and what came after them is
not, so that a run every night asks the authority once.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, replace

from .._base.names import key as key_of
from .._base.step import Step
from .._x509.renewal import Renewal
from . import steps

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
    """reason: the user's text. compromised: whoever has the key of what is in use can pose as the gateway."""

    reason: str
    compromised: bool = False

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
        digest = hashlib.sha256(key_of(self.reason).encode()).hexdigest()
        return "sfb-xmpp-renewed-%s.note" % digest[:16]


@dataclass(frozen=True)
class Outdated:
    """The certificates that ``renew.now`` replaces, by thumbprint. reason: the user's. note: the step that remembers
    the reason; None if an earlier run has sent it, or there is no reason.
    """

    thumbprints: frozenset[str] = frozenset()
    reason: str = ""
    note: Step | None = None

    def renewal(self, found: Renewal, thumbprint: str) -> Renewal:
        """When a certificate is due, of which ``found`` is what its lifetime says."""
        if thumbprint not in self.thumbprints:
            return found
        return replace(found, due=True, reason="it is replaced now: %s" % self.reason)


def outdated(
    now: RenewNow | None, reader: EdgeReader, files: t.Collection[str], in_use: t.Iterable[str | None]
) -> Outdated:
    """in_use: the thumbprints of what the usages have. Raises ServerRefused, ShellError."""
    if now is None:
        return Outdated()
    if now.file in files:
        return Outdated(frozenset(reader.text(now.file).split()) - {_NONE}, now.reason)
    found = frozenset(one for one in in_use if one)
    return Outdated(found, now.reason, steps.note(now.file, "\n".join(sorted(found)) or _NONE))
