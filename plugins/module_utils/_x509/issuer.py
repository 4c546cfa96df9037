# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the issuer's answer about a certificate: its renewal window (RFC 9773) and its revocation. This code is pure.

The answer comes from outside. For a mistake in the answer, the result has a text, and the user's own rule is used. The
answer can only make a certificate due earlier, never later.
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

# RFC 5280 section 5.3.1: the key of the certificate or of an authority is compromised.
_STOLEN = ("keycompromise", "cacompromise", "aacompromise")
_HINT = "the answer must be the object of RFC 9773 section 4.2, with suggestedWindow: {start, end}"
# The issuer's answer replaces a certificate at most once in these days, or once in a quarter of its lifetime.
LONGEST_PERIOD = datetime.timedelta(days=30)
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class RenewalWindow:
    """This is the period in which the issuer suggests the renewal.

    start, end: times with their time zone.
    url: the page with the explanation; empty without a page.
    """

    start: datetime.datetime
    end: datetime.datetime
    url: str = ""

    def moment(self, thumbprint: str) -> datetime.datetime:
        """Return a random time in the window. For the same certificate, every run returns the same time.

        RFC 9773 section 4.2 requires a random time, so that clients do not renew all at once.
        """
        digest = hashlib.sha256(thumbprint.encode()).digest()
        share = int.from_bytes(digest[:6], "big") / 2**48
        return self.start + (self.end - self.start) * share

    def mistake(self, not_before: datetime.datetime, not_after: datetime.datetime) -> str:
        """Return why the window does not fit the certificate's validity; empty if the window fits."""
        if self.end <= self.start:
            why = "it ends before it starts"
        elif self.start >= not_after:
            why = "it starts after the certificate expires"
        elif self.end < not_before:
            why = "it ends before the certificate is valid"
        else:
            return ""
        return "the issuer's renewal window (%s to %s) is ignored: %s" % (utc(self.start), utc(self.end), why)


@dataclass(frozen=True)
class RevokedByIssuer:
    """This is a revocation of a certificate by the issuer.

    at: the time as a text; empty if the time is unknown.
    reason: the reason of RFC 5280, in the issuer's spelling.
    """

    at: str = ""
    reason: str = ""

    @property
    def compromised(self) -> bool:
        """Return whether the reason means that the key is compromised."""
        return re.sub(r"[^a-z]", "", self.reason.lower()) in _STOLEN

    def __str__(self) -> str:
        told = ", ".join(filter(None, (self.reason, self.at)))
        return "its issuer has revoked it" + (" (%s)" % told if told else "")


@dataclass(frozen=True)
class IssuerAnswer:
    """This is the issuer's answer.

    mistakes: one text for each part that cannot be used.
    """

    window: RenewalWindow | None = None
    revoked: RevokedByIssuer | None = None
    mistakes: tuple[str, ...] = ()


def read_answer(given: t.Any) -> IssuerAnswer:
    """Read the answer that the user's tasks loaded.

    given: the object of RFC 9773 section 4.2, also with ``revoked: {at, reason}``. The object can also be the result of
        the task that loaded the object: ``json`` of ansible.builtin.uri, or a script's ``stdout``.
    """
    try:
        content = _content(given)
    except ValueError as exc:
        return IssuerAnswer(mistakes=("the issuer's answer cannot be used: %s" % exc,))
    window = revoked = None
    mistakes = []
    try:
        window = _window(content)
    except ValueError as exc:
        mistakes.append("the issuer's renewal window is ignored: %s" % exc)
    try:
        revoked = _revoked(content.get("revoked"))
    except ValueError as exc:
        mistakes.append("the issuer's revocation is ignored: %s" % exc)
    return IssuerAnswer(window, revoked, tuple(mistakes))


def _content(given: t.Any) -> t.Mapping[str, t.Any]:
    """Return the object of RFC 9773. Raises ValueError."""
    if not isinstance(given, t.Mapping):
        raise ValueError("it is missing" if given is None else _HINT)
    if given.get("failed") or given.get("skipped") or given.get("unreachable"):
        raise ValueError(foreign(str(given.get("msg") or "the task that loads it did not succeed")))
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
    """Parse a time of RFC 3339. Raises ValueError."""
    value = given.get(name)
    try:
        # Python 3.10 cannot read Z. Python 3.10 reads fractions with three or six digits only.
        text = re.sub(r"\.\d+", "", str(value).upper()).replace("Z", "+00:00")
        found = datetime.datetime.fromisoformat(text)
        if not isinstance(value, str) or found.tzinfo is None:
            raise ValueError
        return found.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        text = "suggestedWindow.%s: %s must be a time such as 2027-03-01T00:00:00Z"
        raise ValueError(text % (name, foreign(repr(value)))) from None


def _revoked(given: t.Any) -> RevokedByIssuer | None:
    if given is None or given is False:
        return None
    if not isinstance(given, t.Mapping) or not all(isinstance(one, (str, type(None))) for one in given.values()):
        raise ValueError("revoked must have the form {at: TIME, reason: TEXT}, or be null")
    return RevokedByIssuer(*(foreign(str(given.get(name) or "")) for name in ("at", "reason")))


def period(lifetime: datetime.timedelta) -> datetime.timedelta:
    """Return the time in which the issuer's answer replaces at most one certificate of this lifetime."""
    return min(LONGEST_PERIOD, lifetime / 4)


def period_start(now: datetime.datetime, lifetime: datetime.timedelta) -> datetime.datetime:
    """Return the start of the current period. All Edges have the same period."""
    length = max(period(lifetime), datetime.timedelta(hours=1))
    return _EPOCH + (now - _EPOCH) // length * length


def certificate_id(certificate: Certificate) -> str:
    """Return the name of a certificate in a request for its renewal window (RFC 9773 section 4.1).

    The name is empty if the certificate has no identifier of its issuer's key.
    """
    authority = extension(certificate, "AuthorityKeyIdentifier")
    if authority is None or authority.key_identifier is None:
        return ""
    serial = certificate.serial_number
    # The content of a DER INTEGER has a zero byte before a first bit of 1.
    content = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    parts = (authority.key_identifier, content)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
