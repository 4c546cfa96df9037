# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the option ``renew.now``: replace the certificate in use early, once for each reason.

The issuer's answer has the same effect (issuer.py). A file on the Edge server saves each reason. The name of the file
has a digest of the reason. The lines of the file are the thumbprints of the certificates that were in use when the
reason was new. Only these certificates are replaced. So a run every night asks the authority only once.
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
# The content of the file if no certificate was in use.
_NONE = "none"


@dataclass(frozen=True)
class RenewNow:
    """Describe why the certificate in use is replaced now.

    reason: the text of the user or of the issuer.
    compromised: whether the key of the certificate in use is no longer secret.
    note: the name of the file on the Edge; empty for a name with the digest of the reason.
    urgent: whether a source file with the certificate in use is refused.
    """

    reason: str
    compromised: bool = False
    note: str = ""
    urgent: bool = True

    @classmethod
    def read(cls, given: Params | None) -> RenewNow | None:
        """Read the validated option; None if the option is not set."""
        return cls(str(given["reason"]).strip(), bool(given.get("compromised"))) if given else None

    @property
    def mistakes(self) -> list[str]:
        return [] if self.reason else ["renew.now.reason: is empty. Write why the certificate is replaced"]

    @property
    def file(self) -> str:
        """Return the name of the reason's file on the Edge. Case and spaces at the ends of the reason are ignored."""
        if self.note:
            return self.note
        digest = hashlib.sha256(key_of(self.reason).encode()).hexdigest()
        return "sfb-xmpp-renewed-%s.note" % digest[:16]


@dataclass(frozen=True)
class Outdated:
    """These are the certificates that are replaced early.

    thumbprints: the certificates.
    why: the reason; None if no certificate is replaced early.
    notes: the steps that save the reason and remove earlier reasons of the issuer; empty if an earlier run sent the
        steps.
    at: the time for which the issuer asks, by thumbprint.
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
        """Return the renewal of a certificate.

        found: the certificate's renewal by its lifetime.
        """
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
    """Return the certificates that renew.now replaces. Raises ServerRefused, ShellError.

    in_use: the thumbprints of the usages' certificates.
    """
    if now is None:
        return Outdated()
    if now.file in files:
        return Outdated(frozenset(reader.text(now.file).split()) - {_NONE}, now)
    found = frozenset(one for one in in_use if one)
    # A reason of the issuer is used only in its own period.
    former = [steps.remove(name) for name in files if now.note and ISSUER.match(name)]
    return Outdated(found, now, (steps.note(now.file, "\n".join(sorted(found)) or _NONE), *former))
