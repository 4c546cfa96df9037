# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the options ``renew.issuer`` and ``renew.check_crl``: replace a certificate early if its issuer asks.

Both options have the effect of ``renew.now``. The issuer's answer is used once in a period (_x509/issuer.py).
Otherwise a server that always asks for a renewal would cause a renewal in every run. A signed CRL is a proof, and is
always used.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field, replace

from .._base.findings import UNKNOWN, Finding, error
from .._base.result import Params
from .._base.texts import utc
from .._x509 import certificate as x509
from .._x509.issuer import IssuerAnswer, period_start, read_answer
from .._x509.renewal import Renewal, interval, slot_end
from .crl import revocation
from .renew_now import Outdated, RenewNow, outdated

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate
    from .edge import EdgeReader

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {"thumbprint": {"type": "str", "required": True}, "answer": {"type": "raw"}},
}
_OWN_RULE = "%s. Only the other options of renew decide when the certificate is due"


@dataclass(frozen=True)
class IssuerOptions:
    """These are the options ``renew.issuer`` and ``renew.check_crl``.

    thumbprint: the certificate of the answer; empty without an answer.
    answer: the issuer's answer.
    crl: whether the certificate's CRL is loaded.
    """

    thumbprint: str = ""
    answer: IssuerAnswer = field(default_factory=IssuerAnswer)
    crl: bool = False

    @classmethod
    def read(cls, renew: Params | None) -> IssuerOptions:
        """Read the validated option ``renew``."""
        given = (renew or {}).get("issuer")
        crl = bool((renew or {}).get("check_crl"))
        if not given:
            return cls(crl=crl)
        thumbprint = "".join(one for one in str(given["thumbprint"]).upper() if one.isalnum())
        return cls(thumbprint, read_answer(given.get("answer")), crl)

    @property
    def asked(self) -> bool:
        return bool(self.thumbprint) or self.crl


@dataclass(frozen=True)
class Early:
    """Describe why a certificate in use is replaced earlier than its lifetime requires.

    now: the reason in the form of the option renew.now; None without a reason.
    at: the time for which the issuer asks; None if the issuer names no time.
    warnings: the parts of the issuer's answer that are not used.
    findings: the findings of the CRL.
    """

    now: RenewNow | None = None
    at: datetime.datetime | None = None
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def early(
    options: IssuerOptions,
    certificate: Certificate | None,
    own: Renewal | None,
    now: datetime.datetime,
    issuers: t.Callable[[], t.Iterable[Certificate]],
) -> Early:
    """Return the reason to replace the certificate early. Raises the exceptions of ``issuers``.

    certificate: the certificate in use; None if no certificate is in use.
    own: the certificate's renewal by its lifetime.
    now: the time of the decision.
    issuers: returns CA certificates that can be the issuer.
    """
    if certificate is None or own is None or not options.asked:
        return Early()
    if not options.crl:
        return _said(options, certificate, own, now)
    found = revocation(certificate, issuers, now)
    if found.revoked is not None:
        finding = error("revoked", str(found.revoked), "replace it with sfb.xmpp.certificate")
        return Early(RenewNow(str(found.revoked), found.revoked.compromised), findings=(finding,))
    rest = _said(options, certificate, own, now)
    if not found.unknown:
        return rest
    text = "it is unknown whether the certificate is revoked (%s)" % found.unknown
    remedy = "check that the controller can load the CRL, and that the CRL is current"
    finding = Finding("revocation_unknown", UNKNOWN, text, remedy)
    return replace(rest, warnings=("renew.check_crl: " + _OWN_RULE % text, *rest.warnings), findings=(finding,))


def _said(options: IssuerOptions, certificate: Certificate, own: Renewal, now: datetime.datetime) -> Early:
    """Return the reason of the issuer's answer."""
    warnings = []
    thumbprint = x509.thumbprint(certificate)
    if options.thumbprint != thumbprint:
        return Early()
    answer = options.answer
    warnings += [_OWN_RULE % text for text in answer.mistakes]
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    note = "sfb-xmpp-issuer-%s.note" % period_start(now, end - start).strftime("%Y%m%d%H%M")
    if answer.revoked is not None:
        return Early(RenewNow(str(answer.revoked), answer.revoked.compromised, note=note), None, tuple(warnings))
    window = answer.window
    if window is None:
        return Early(warnings=tuple(warnings))
    if mistake := window.mistake(start, end):
        return Early(warnings=(*warnings, _OWN_RULE % mistake))
    at = window.moment(thumbprint)
    wish = None
    if not own.due and at < slot_end(now, interval(end - start)):
        text = "its issuer asks for the renewal since %s" % utc(at)
        text += " (%s)" % window.url if window.url else ""
        wish = RenewNow(text, note=note, urgent=False)
    return Early(wish, at, tuple(warnings))


def replaced(
    wished: Outdated, issuer: Early, reader: EdgeReader, files: t.Collection[str], thumbprint: str
) -> tuple[Outdated, tuple[str, ...]]:
    """Return the certificates that are replaced early, and warnings. Raises ServerRefused, ShellError.

    wished: the certificates that renew.now replaces.
    thumbprint: the certificate in use that the issuer's answer is about.
    """
    found = wished
    if issuer.now is not None and thumbprint not in wished.thumbprints:
        found = outdated(issuer.now, reader, files, [thumbprint])
        if thumbprint not in found.thumbprints:
            text = "%s, but an earlier run of this period replaced a certificate for its issuer" % issuer.now.reason
            remedy = ". To replace this certificate now, set renew.now"
            return wished, (*issuer.warnings, _OWN_RULE % text + remedy)
    return (replace(found, at={thumbprint: issuer.at}) if issuer.at else found), issuer.warnings
