# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deliver a certificate to the store of an Edge server. Each kind of delivery is a value with its steps.

A private key from the controller is encrypted again with a one-time passphrase, which exists only in this process.
Set-Content writes the encrypted key to the Edge. One request imports and removes the file.
"""

from __future__ import annotations

import abc
import datetime
import secrets
import typing as t
from dataclasses import dataclass, field

from .._base.reading import UNREADABLE
from .._base.step import Step
from .._base.step_log import StepLog
from .._shell.statement import Secret, ServerError, Value
from .._x509.certificate import Bundle, der, thumbprint, wrap
from . import steps
from .edge import ASKED, REQUEST, EdgeReader, EdgeState, parsed, path_of

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate, Certificates

# The default envelope has 150 kB. Data in base64 inside base64 may have about 80 kB.
CHUNK = 32 * 1024

# The shown name of a file whose real name differs in each run.
ANY_FILE = "sfb-xmpp-*"

# The shown name of a certificate that does not exist yet.
NEW = "(new certificate)"


class Delivered(t.NamedTuple):
    """This is the result of a delivery.

    certificate: the certificate that is now in the store with its key; None without such a certificate.
    pending: why the certificate is not in the store yet.
    """

    certificate: Certificate | None
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery(abc.ABC):
    """Describe a certificate and the steps that bring the certificate into the store.

    certificate: None if the certificate does not exist yet.
    steps: the steps in the order of the run.
    in_force: the steps that are sent when the certificate is in use.
    secrets: texts that must not be shown.
    aliases: values that differ from run to run, and the texts that are shown for the values.
    """

    certificate: Certificate | None
    steps: tuple[Step, ...] = ()
    in_force: tuple[Step, ...] = ()
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    aliases: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.certificate) if self.certificate is not None else NEW

    @property
    def is_in_store(self) -> bool:
        """Return whether nothing is missing in the store. Some files may still need removal."""
        return all(step.cmdlet == "Remove-Item" for step in self.steps)

    @abc.abstractmethod
    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        """Send the steps."""


@dataclass(frozen=True, kw_only=True)
class InStore(Delivery):
    """The certificate is already in the store."""

    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        for step in self.steps:
            log.do(step)
        return Delivered(self.certificate)


@dataclass(frozen=True, kw_only=True)
class Carried(Delivery):
    """Copy a file to the Edge, import the file, and remove the file in any case.

    file: the name of the file.
    carry, load, remove: the steps.
    then: the steps after the import.
    """

    file: str
    carry: tuple[Step, ...]
    load: Step
    remove: Step
    then: tuple[Step, ...]

    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        try:
            if not all(log.do(step) for step in self.carry):
                return Delivered(None)
            errors = log.send(self.load, self.remove)
            there = self._confirm(log, self.load, errors.get(self.load.cmdlet), reader)
        finally:
            self._clear_away(log, self.remove, reader)
        if not there:
            return Delivered(None)
        for step in self.then:
            log.do(step)
        return Delivered(self.certificate)

    def _confirm(self, log: StepLog, step: Step, error: ServerError | None, reader: EdgeReader) -> bool:
        """Return whether the certificate is in the store with its key, and record the result of the step."""
        try:
            stored = reader.store().get(self.thumbprint)
        except UNREADABLE as exc:
            log.fail(step, error or exc)
            return False
        if stored is None or stored.has_key is False:
            text = "the server reported no error, but the certificate is not in the computer's store with its key"
            log.fail(step, error or text)
            return False
        log.done(step, error)
        return True

    def _clear_away(self, log: StepLog, remove: Step, reader: EdgeReader) -> None:
        """Check that the file is removed. If the file still exists, send the removal again."""
        error = ServerError(remove.cmdlet, "", "NotInEffect", "the server reported no error")
        try:
            there = self.file in reader.files()
            if there:
                error = log.send(remove).get(remove.cmdlet, error)
                there = self.file in reader.files()
        except UNREADABLE as exc:
            there, error = True, ServerError(remove.cmdlet, "", "ConnectionError", str(exc))
        if there:
            text = "%s. The file %s may still be on the Edge server. %sThe next run removes it" % (
                error.message.rstrip("."),
                path_of(self.file),
                "Its passphrase no longer exists. " if self.secrets else "",
            )
            log.fail(remove, ServerError(remove.cmdlet, error.error_id, error.category, text))
        elif log.was_sent(remove):
            log.done(remove)


def of_bundle(bundle: Bundle, before: EdgeState, now: datetime.datetime) -> Delivery:
    """Return the delivery of a certificate and its key from the controller."""
    if before.has(thumbprint(bundle.certificate)):
        return InStore(certificate=bundle.certificate)
    passphrase = Secret(secrets.token_hex(16))
    # The services run as Network Service. PrivateKeyExportable also lets Network Service read the key.
    given: dict[str, Value] = {"Password": passphrase, "PrivateKeyExportable": True}
    return _carried(bundle.certificate, "pfx", wrap(bundle, passphrase, now), given, (), (passphrase,))


def of_answer(certificate: Certificate, before: EdgeState) -> Delivery:
    """Return the delivery of a certificate for the request of this Edge. The Edge has the key."""
    forget = (steps.remove(REQUEST),) if REQUEST in before.files else ()
    # An earlier run may have imported the answer without removing the request's file.
    if before.has(thumbprint(certificate)):
        return InStore(certificate=certificate, steps=forget)
    return _carried(certificate, "cer", der(certificate), {}, forget, ())


def _carried(
    certificate: Certificate,
    extension: str,
    data: bytes,
    given: t.Mapping[str, Value],
    then: tuple[Step, ...],
    hidden: tuple[Secret, ...],
) -> Carried:
    file = "sfb-xmpp-%s.%s" % (secrets.token_hex(8), extension)
    shown = "%s.%s" % (ANY_FILE, extension)
    carry = tuple(
        steps.write("Add-Content" if at else "Set-Content", file, shown, data[at : at + CHUNK])
        for at in range(0, len(data), CHUNK)
    )
    parameters: dict[str, Value] = {"Path": path_of(file), **given, "Confirm": False}
    load = Step("Import-CsCertificate", thumbprint(certificate), parameters)
    remove = steps.remove(file, shown)
    return Carried(
        certificate=certificate,
        steps=(*carry, load, remove, *then),
        secrets=hidden,
        aliases={path_of(file): path_of(shown)},
        file=file,
        carry=carry,
        load=load,
        remove=remove,
        then=then,
    )


@dataclass(frozen=True, kw_only=True)
class Requested(Delivery):
    """Request a certificate on the Edge from a certification authority of the company.

    mark: the file that records the request. None if an earlier run has written the file. Then the certificate is
        fetched, not requested again.
    request: the step that requests or fetches the certificate.
    known: the thumbprints of certificates that existed before.
    suits: returns whether a certificate fits the request.
    """

    mark: Step | None
    request: Step
    known: frozenset[str]
    suits: t.Callable[[Certificate], bool]

    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        if self.mark and not log.do(self.mark):
            return Delivered(None)
        error = log.send(self.request).get(self.request.cmdlet)
        try:
            store = reader.store()
        except UNREADABLE as exc:
            log.fail(self.request, error or exc)
            return Delivered(None)
        fresh = [
            parsed(stored) for name, stored in store.items() if name not in self.known and stored.has_key is not False
        ]
        suitable = (one for one in newest_first(one for one in fresh if one is not None) if self.suits(one))
        found = next(suitable, None)
        if found is not None:
            log.done(self.request, error)
            return Delivered(found)
        if error is None:
            text = "the certification authority has not issued the certificate yet. The next run asks again"
            return Delivered(None, text)
        log.fail(self.request, error)
        # After a lost session it is unknown whether the authority has the request. So the next run only fetches.
        if error.category != "ConnectionError":
            for step in self.in_force:
                log.do(step)
        return Delivered(None)


def of_authority(
    parameters: t.Mapping[str, Value], before: EdgeState, asked: bool, suits: t.Callable[[Certificate], bool]
) -> Requested:
    """Return a request to the authority.

    asked: whether an earlier run has sent the request. Then this run only fetches the certificate.
    """
    # The earlier certificates are needed to recognise the new certificate, because several certificates can have the
    # same names.
    known = frozenset(before.store)
    mark = None if asked else steps.note(ASKED, "\n".join(sorted(known)) or "none")
    given: t.Mapping[str, Value] = {"Retrieve": True, "Confirm": False} if asked else parameters
    request = Step("Request-CsCertificate", "", given)
    return Requested(
        certificate=None,
        steps=(mark, request) if mark else (request,),
        in_force=(steps.remove(ASKED),),
        secrets=tuple(value for value in parameters.values() if isinstance(value, Secret)),
        mark=mark,
        request=request,
        known=known,
        suits=suits,
    )


def of_issued(certificate: Certificate) -> Delivery:
    """Return the delivery of an issued certificate in the store. The mark is removed when the certificate is in use."""
    return InStore(certificate=certificate, in_force=(steps.remove(ASKED),))


def newest_first(certificates: Certificates) -> list[Certificate]:
    """Sort the certificates by validity, the newest first."""
    return sorted(certificates, key=lambda one: (one.not_valid_before_utc, one.not_valid_after_utc), reverse=True)
