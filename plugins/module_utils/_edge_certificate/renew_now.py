# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``renew.now`` replaces the certificate in use before it is due, once for each reason.

A file on the Edge stores each reason. Its name has a digest of the reason. Its lines are the thumbprints of the
certificates that were in use when the reason was new. Only these certificates are replaced. So a run every night asks
the authority once.
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
# The content of the file if no certificate was in use.
_NONE = "none"


@dataclass(frozen=True)
class RenewNow:
    """The option ``renew.now``.

    reason: the user's text.
    compromised: whether others may have the key of the certificate in use.
    """

    reason: str
    compromised: bool = False

    @classmethod
    def read(cls, given: Params | None) -> RenewNow | None:
        """Read the validated option; None if it is not set."""
        return cls(str(given["reason"]).strip(), bool(given.get("compromised"))) if given else None

    @property
    def mistakes(self) -> list[str]:
        return [] if self.reason else ["renew.now.reason: is empty. Write why the certificate is replaced"]

    @property
    def file(self) -> str:
        """The name of the reason's file on the Edge. Case, and spaces at the ends of the reason, make no difference."""
        digest = hashlib.sha256(key_of(self.reason).encode()).hexdigest()
        return "sfb-xmpp-renewed-%s.note" % digest[:16]


@dataclass(frozen=True)
class Outdated:
    """The certificates that ``renew.now`` replaces.

    thumbprints: the thumbprints of these certificates.
    reason: the user's text.
    note: the step that stores the reason. None if an earlier run has stored it, or if there is no reason.
    """

    thumbprints: frozenset[str] = frozenset()
    reason: str = ""
    note: Step | None = None

    def renewal(self, found: Renewal, thumbprint: str) -> Renewal:
        """Return when a certificate is due. found: the renewal according to its lifetime."""
        if thumbprint not in self.thumbprints:
            return found
        return replace(found, due=True, reason="renew.now is set: %s" % self.reason)


def outdated(
    now: RenewNow | None, reader: EdgeReader, files: t.Collection[str], in_use: t.Iterable[str | None]
) -> Outdated:
    """Return the certificates that renew.now replaces. Raises ServerRefused, ShellError.

    in_use: the thumbprints of the usages' certificates.
    """
    if now is None:
        return Outdated()
    if now.file in files:
        return Outdated(frozenset(reader.text(now.file).split()) - {_NONE}, now.reason)
    found = frozenset(one for one in in_use if one)
    return Outdated(found, now.reason, steps.note(now.file, "\n".join(sorted(found)) or _NONE))
