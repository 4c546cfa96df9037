# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the base class of all sources. The class checks which certificate is valid, due or in use.

A source on the controller is a PKCS#12 file. All Edges of a pool get the certificate of this file. If the key is on the
Edge, the source is the Edge's store.
"""

from __future__ import annotations

import abc
import datetime
import typing as t
from dataclasses import replace

from .._base import private_file
from .._base.findings import ERROR, UNKNOWN, Finding
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.texts import utc
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Bundle, Unusable
from .._x509.renewal import Renewal, renewal
from .delivery import Delivery, InStore, newest_first, of_bundle
from .edge import EdgeReader, EdgeState, parsed
from .issuer import early, replaced
from .offer import Offer, Waiting
from .renew_now import outdated
from .wanted import WantedCertificate

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

# A time zone cannot explain a larger difference. The clock of the Edge or of the controller is wrong.
_CLOCKS = datetime.timedelta(days=1)


class CertificateSource(abc.ABC):
    """Make or keep a certificate for one Edge, with one kind of source.

    needs: the required options.
    makes: whether the source makes certificates.
    on_edge: whether the key is made on the Edge and stays on the Edge.
    """

    needs: t.ClassVar[tuple[str, ...]] = ()
    makes: t.ClassVar[bool] = True
    on_edge: t.ClassVar[bool] = False

    def __init__(self, wanted: WantedCertificate, reader: EdgeReader, before: EdgeState) -> None:
        self.wanted, self.options, self.reader, self.before = wanted, wanted.source, reader, before
        self._issuers: list[t.Any] | None = None
        assigned = [name for name in map(before.thumbprint, wanted.usages) if name]
        self.in_force = self._assigned()
        own = self._by_lifetime(self.in_force) if self.in_force is not None else None
        asked = early(wanted.issuer, self.in_force, own, wanted.decided_at, self._all_issuers)
        in_force = x509.thumbprint(self.in_force) if self.in_force is not None else ""
        wished = outdated(wanted.renew_now, reader, before.files, assigned)
        self.outdated, self.remarks = replaced(wished, asked, reader, before.files, in_force)
        self.renewal = self._renewal(self.in_force) if self.in_force is not None else None

    def choose(self) -> Offer | Waiting:
        """Choose a certificate. Raises Refused, ServerRefused, ShellError before anything is written on the Edge."""
        wrong = self._mistakes()
        if not wrong and self.makes and issue.is_elliptic(self.options.key) and self.reader.is_lync_2013():
            wrong = ["source.key: Lync Server 2013 cannot use elliptic keys. Use RSA"]
        if wrong:
            raise Refused(wrong)
        chosen = self._choose()
        more = [*self.remarks, *filter(None, [self._other_issuer()])]
        return replace(chosen, warnings=(*chosen.warnings, *more)) if more else chosen

    @abc.abstractmethod
    def _choose(self) -> Offer | Waiting:
        """Choose an existing certificate, or make a new certificate."""

    def _issuer(self) -> str:
        """Return the common name of this source's authority; empty if the name is unknown."""
        return ""

    def _other_issuer(self) -> str:
        """Return a warning if the certificate in use comes from another authority than the declared source."""
        if self.in_force is None:
            return ""
        wanted, has = self._issuer(), x509.common_name(self.in_force.issuer)
        if not wanted or not has or key_of(wanted) == key_of(has):
            return ""
        text = (
            "the certificate in use was issued by %s, but the declared source (%s) uses %s. The certificate is"
            " replaced when it is due. To replace it now, set renew.now"
        )
        return text % (has, self.options.type, wanted)

    def _mistakes(self) -> list[str]:
        """Return the missing and the contradictory parts of the option."""
        options, wanted = self.options, self.wanted
        missing = [name for name in self.needs if not getattr(options, name)]
        found = ["source.%s: is required with type %s" % (name, options.type) for name in missing]
        if self.makes and not wanted.names:
            found.append("names: is required, because a new certificate needs names")
        if options.days < 1:
            found.append("source.days: must be a number of days above 0, not %s" % options.days)
        if self.on_edge and wanted.pool_size > 1 and "AudioVideoAuthentication" in wanted.usages:
            found.append(
                "source: a key that stays on its Edge server cannot be shared. For AudioVideoAuthentication all %d "
                "Edge servers of the pool need the same key. Use a source on the controller" % wanted.pool_size
            )
        if self.on_edge and options.key == "rsa3072":
            found.append("source.key: Request-CsCertificate cannot make rsa3072. Use rsa2048 or rsa4096")
        if bool(options.ca_account) != bool(options.ca_password):
            found.append("source: ca_account and ca_password belong together. Set both or none")
        return found

    # Offers

    def _offer(self, delivery: Delivery, findings: t.Sequence[Finding] = (), made: bool = False) -> Offer:
        return Offer(delivery, tuple(findings), self.renewal, made, in_use=self.in_force, outdated=self.outdated)

    def _offer_bundle(self, bundle: Bundle, findings: t.Sequence[Finding], made: bool = False) -> Offer:
        return self._offer(of_bundle(bundle, self.before, self.wanted.valid_at), findings, made)

    def _offer_file(self) -> Offer | None:
        """Return the PKCS#12 file's certificate, if the certificate exists, meets the requirements and is not due."""
        if private_file.read_if_there(self.options.path, "source.path") is None:
            return None
        bundle = self._load()
        if self._renewal(bundle.certificate).due or self._errors(bundle.certificate, bundle.others):
            return None
        return self._offer_bundle(bundle, self._check(bundle.certificate, bundle.others))

    def _keep(self) -> Offer:
        """Keep the certificate in use. Raises Refused if no certificate is in use."""
        if self.in_force is None:
            raise Refused(["this Edge server has no staged certificate, and this phase makes none. Run phase: stage"])
        found = self._check(self.in_force, self._known_issuers())
        return self._offer(InStore(certificate=self.in_force), [one for one in found if one.severity != "error"])

    def _waiting(self, changed: bool, warnings: t.Sequence[str], **more: t.Any) -> Waiting:
        assigned = {usage: self.before.thumbprint(usage) for usage in self.wanted.usages}
        options = self.options
        return Waiting(options.request, options.answer, changed, assigned, self.renewal, tuple(warnings), **more)

    # Checks

    def _still_good(self) -> bool:
        """Return whether the certificate in use meets all requirements and is not due.

        If the check of its chain took too long, the certificate is still valid.
        """
        if self.in_force is None or self._renewal(self.in_force).due:
            return False
        return all(one.severity != ERROR for one in self._errors(self.in_force, self._known_issuers()))

    def _good(self, certificate: Certificate) -> bool:
        """Return whether a certificate of the Edge's store may come into use, and is not due."""
        return not self._renewal(certificate).due and not self._errors(certificate, self._known_issuers())

    def _check(self, certificate: Certificate, others: t.Sequence[Certificate] | None = None) -> list[Finding]:
        wanted = self.wanted
        return x509.check(
            certificate,
            now=wanted.valid_at,
            names=wanted.names,
            others=others,
            # A self-signed certificate has no issuer that could be trusted.
            anchors=None if self.options.type == "self_signed" else wanted.anchors,
            rsa_only=x509.is_elliptic(certificate) and self.reader.is_lync_2013(),
        )

    def _errors(self, certificate: Certificate, others: t.Sequence[Certificate] | None = None) -> list[Finding]:
        """Return the findings that forbid the use of the certificate."""
        return [finding for finding in self._check(certificate, others) if finding.severity in (ERROR, UNKNOWN)]

    def _accept(self, certificate: Certificate, others: t.Sequence[Certificate], place: str) -> list[Finding]:
        """Return the warnings about a certificate. Raises Refused with all findings that forbid its use."""
        findings = self._check(certificate, others)
        errors = ["%s: %s" % (place, finding) for finding in findings if finding.severity in (ERROR, UNKNOWN)]
        if errors:
            raise Refused(errors)
        return findings

    def _renewal(self, certificate: Certificate) -> Renewal:
        return self.outdated.renewal(self._by_lifetime(certificate), x509.thumbprint(certificate))

    def _by_lifetime(self, certificate: Certificate) -> Renewal:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return renewal(start, end, self.wanted.decided_at, self.wanted.rule)

    # Existing certificates

    def _assigned(self) -> Certificate | None:
        """Return the certificate that all usages have; None if the usages differ or cannot be read."""
        names = {self.before.thumbprint(usage) for usage in self.wanted.usages}
        (name,) = names if len(names) == 1 else (None,)
        return parsed(self.before.store.get(name)) if name else None

    def _with_keys(self) -> list[Certificate]:
        """Return the certificates of the store that have a key, the newest first."""
        found = [parsed(stored) for stored in self.before.store.values() if stored.has_key is not False]
        return newest_first(one for one in found if one is not None)

    def _known_issuers(self) -> list[t.Any] | None:
        """Return the Edge's intermediates if trust is checked, because a certificate in the store has no file."""
        if self.wanted.anchors is None:
            return None
        if self._issuers is None:
            self._issuers = [one for one in map(parsed, self.reader.store("CA").values()) if one is not None]
        return self._issuers

    def _all_issuers(self) -> list[Certificate]:
        """Return the CA certificates that can be the issuer of the certificate in use."""
        stored = [one for name in ("CA", "Root") for one in map(parsed, self.reader.store(name).values())]
        return [*(one for one in stored if one is not None), *(self.wanted.anchors or ())]

    def _load(self) -> Bundle:
        path = self.options.path
        data = private_file.read(path, "source.path")
        try:
            return x509.load_pkcs12(data, self.options.passphrase)
        except Unusable as exc:
            raise Refused(["%s: %s" % (path, finding) for finding in exc.findings]) from None


def check_clock(reader: EdgeReader, now: datetime.datetime) -> None:
    """Raise Refused if the clocks of controller and Edge differ by a day. Then validity cannot be checked."""
    theirs = reader.clock()
    if theirs is not None and abs(theirs - now) > _CLOCKS:
        raise Refused(
            [
                "the clocks of the controller (%s) and the Edge server (%s) differ by more than a day. Correct the"
                " wrong clock, because the validity of certificates depends on it" % (utc(now), utc(theirs))
            ]
        )
