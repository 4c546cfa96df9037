# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the issuer of a certificate says about its renewal: a window (RFC 9773), and that it is revoked. Pure.

The answer comes from outside. What is wrong in it becomes a text, and the rule of one's own holds. It can only make a
certificate due earlier, never later.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from .._base.texts import foreign, utc
from .fields import extension

if t.TYPE_CHECKING:
    from .certificate import Certificate

# RFC 5280 section 5.3.1: others have the key, or that of an authority.
_STOLEN = ("keycompromise", "cacompromise", "aacompromise")
_HINT = "the answer must be the object of RFC 9773 section 4.2, with suggestedWindow: {start, end}"
# How often the issuer's word alone replaces a certificate: once in so many days, or in a quarter of its lifetime.
LONGEST_PERIOD = datetime.timedelta(days=30)
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class RenewalWindow:
    """When the issuer suggests to renew. start, end: aware. url: why, for people; empty if it is not given."""

    start: datetime.datetime
    end: datetime.datetime
    url: str = ""

    def moment(self, thumbprint: str) -> datetime.datetime:
        """A moment in the window that is random between certificates, and the same in every run for one.

        RFC 9773 section 4.2 asks for a random moment, so that not all clients come at once.
        """
        digest = hashlib.sha256(thumbprint.encode()).digest()
        share = int.from_bytes(digest[:6], "big") / 2**48
        return self.start + (self.end - self.start) * share

    def mistake(self, not_before: datetime.datetime, not_after: datetime.datetime) -> str:
        """Why it cannot be a window of a certificate that is valid so long; empty if it can."""
        if self.end <= self.start:
            why = "it ends before it starts"
        elif self.start >= not_after:
            why = "the certificate has expired by then"
        elif self.end < not_before:
            why = "the certificate was not valid yet"
        else:
            return ""
        return "the issuer's window, %s to %s, is ignored: %s" % (utc(self.start), utc(self.end), why)


@dataclass(frozen=True)
class RevokedByIssuer:
    """at: when, as a text; empty if it is not known. reason: of RFC 5280, as the issuer writes it."""

    at: str = ""
    reason: str = ""

    @property
    def compromised(self) -> bool:
        """Whether others have the key."""
        return re.sub(r"[^a-z]", "", self.reason.lower()) in _STOLEN

    def __str__(self) -> str:
        told = ", ".join(filter(None, (self.reason, self.at)))
        return "its issuer has revoked it" + (" (%s)" % told if told else "")


@dataclass(frozen=True)
class IssuerAnswer:
    """mistakes: what cannot be used, as texts for a warning."""

    window: RenewalWindow | None = None
    revoked: RevokedByIssuer | None = None
    mistakes: tuple[str, ...] = ()


def read_answer(given: t.Any) -> IssuerAnswer:
    """From what tasks of the user got: the object of RFC 9773 section 4.2, and ``revoked: {at, reason}`` beside it.

    It may also be the result of a task that got it: ``json`` of ansible.builtin.uri, or a script's ``stdout``.
    """
    try:
        content = _content(given)
    except ValueError as exc:
        return IssuerAnswer(mistakes=("the issuer gave no answer that can be used: %s" % exc,))
    window = revoked = None
    mistakes = []
    try:
        window = _window(content)
    except ValueError as exc:
        mistakes.append("the issuer's window is ignored: %s" % exc)
    try:
        revoked = _revoked(content.get("revoked"))
    except ValueError as exc:
        mistakes.append("what the issuer says about a revocation is ignored: %s" % exc)
    return IssuerAnswer(window, revoked, tuple(mistakes))


def _content(given: t.Any) -> t.Mapping[str, t.Any]:
    """The object itself. Raises ValueError."""
    if not isinstance(given, t.Mapping):
        raise ValueError("there is none" if given is None else _HINT)
    if given.get("failed") or given.get("skipped") or given.get("unreachable"):
        raise ValueError(foreign(str(given.get("msg") or "the task that asks it did not succeed")))
    found: t.Any = given
    if "json" in given:
        found = given["json"]
    elif "stdout" in given:
        try:
            found = json.loads(str(given["stdout"]))
        except (ValueError, RecursionError):
            raise ValueError("the output of the task is not JSON") from None
    if not isinstance(found, t.Mapping) or not ("suggestedWindow" in found or "revoked" in found):
        raise ValueError(_HINT)
    return found


def _window(content: t.Mapping[str, t.Any]) -> RenewalWindow | None:
    given = content.get("suggestedWindow")
    if given is None:
        return None
    if not isinstance(given, t.Mapping):
        raise ValueError(_HINT)
    url = content.get("explanationURL")
    return RenewalWindow(_time(given, "start"), _time(given, "end"), foreign(url) if isinstance(url, str) else "")


def _time(given: t.Mapping[str, t.Any], name: str) -> datetime.datetime:
    """RFC 3339. Raises ValueError."""
    value = given.get(name)
    try:
        # Python 3.10 reads neither Z nor fractions of other than three or six digits.
        text = re.sub(r"\.\d+", "", str(value).upper()).replace("Z", "+00:00")
        found = datetime.datetime.fromisoformat(text)
        if not isinstance(value, str) or found.tzinfo is None:
            raise ValueError
        return found.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        text = "suggestedWindow.%s: %s is not a time such as 2027-03-01T00:00:00Z"
        raise ValueError(text % (name, foreign(repr(value)))) from None


def _revoked(given: t.Any) -> RevokedByIssuer | None:
    if given is None or given is False:
        return None
    if not isinstance(given, t.Mapping) or not all(isinstance(one, (str, type(None))) for one in given.values()):
        raise ValueError("revoked must have the form {at: TIME, reason: TEXT}, or be null")
    return RevokedByIssuer(*(foreign(str(given.get(name) or "")) for name in ("at", "reason")))


def period(lifetime: datetime.timedelta) -> datetime.timedelta:
    """How long the issuer's word alone does not replace a certificate of that lifetime again."""
    return min(LONGEST_PERIOD, lifetime / 4)


def period_start(now: datetime.datetime, lifetime: datetime.timedelta) -> datetime.datetime:
    """The start of the period that ``now`` is in, the same on all Edges."""
    length = max(period(lifetime), datetime.timedelta(hours=1))
    return _EPOCH + (now - _EPOCH) // length * length


def certificate_id(certificate: Certificate) -> str:
    """The name of a certificate in a question for its window (RFC 9773 section 4.1).

    Empty if the certificate does not name the key of its issuer.
    """
    authority = extension(certificate, "AuthorityKeyIdentifier")
    if authority is None or authority.key_identifier is None:
        return ""
    serial = certificate.serial_number
    # The content of a DER INTEGER: with a zero byte before a first bit of 1.
    content = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    parts = (authority.key_identifier, content)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
