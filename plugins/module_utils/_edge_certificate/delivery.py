# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a certificate gets into an Edge's store: the ways of it, each a value with its steps.

A private key from the controller is wrapped anew under a one-time passphrase that exists only in this process, written
to the Edge by Set-Content, imported and removed by one request.
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

# In an envelope of 150 kB (the default), base64 inside base64 leaves room for about 80 kB.
CHUNK = 32 * 1024

# How the name of a file is shown that is another one in each run.
ANY_FILE = "sfb-xmpp-*"

# How a certificate is shown that does not exist yet.
NEW = "(new certificate)"


class Delivered(t.NamedTuple):
    """The certificate, if it is in the store with its key now; else perhaps why it is still to come."""

    certificate: Certificate | None
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery(abc.ABC):
    """A certificate and its way into the store.

    certificate: None while it does not exist. steps: in their order. in_force: what is to be sent once it is in force.
    secrets: texts that must not be repeated. aliases: values that differ from run to run, and what they are shown as.
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
        """Whether nothing is missing in the store; something may be left to be cleared away."""
        return all(step.cmdlet == "Remove-Item" for step in self.steps)

    @abc.abstractmethod
    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        """Send the steps."""


@dataclass(frozen=True, kw_only=True)
class InStore(Delivery):
    """It is there already."""

    def apply(self, log: StepLog, reader: EdgeReader) -> Delivered:
        for step in self.steps:
            log.do(step)
        return Delivered(self.certificate)


@dataclass(frozen=True, kw_only=True)
class Carried(Delivery):
    """A file that is carried over, imported and removed again, whatever happens. The steps say how.

    file: its name. carry, load, remove: the steps. then: what is cleared away when it is there.
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
        """Whether the certificate is in the store with its key; records what became of the step."""
        try:
            stored = reader.store().get(self.thumbprint)
        except UNREADABLE as exc:
            log.fail(step, error or exc)
            return False
        if stored is None or stored.has_key is False:
            text = "no error was reported, but the certificate is not in the computer's store with its key"
            log.fail(step, error or text)
            return False
        log.done(step, error)
        return True

    def _clear_away(self, log: StepLog, remove: Step, reader: EdgeReader) -> None:
        """See that the file is gone, and send its removal once more if it is not."""
        error = ServerError(remove.cmdlet, "", "NotInEffect", "no error was reported")
        try:
            there = self.file in reader.files()
            if there:
                error = log.send(remove).get(remove.cmdlet, error)
                there = self.file in reader.files()
        except UNREADABLE as exc:
            there, error = True, ServerError(remove.cmdlet, "", "ConnectionError", str(exc))
        if there:
            text = "%s; %s may still be there%s; the next run removes it" % (
                error.message,
                path_of(self.file),
                ", under a passphrase that no longer exists" if self.secrets else "",
            )
            log.fail(remove, ServerError(remove.cmdlet, error.error_id, error.category, text))
        elif log.was_sent(remove):
            log.done(remove)


def of_bundle(bundle: Bundle, before: EdgeState, now: datetime.datetime) -> Delivery:
    """A certificate and its key, from the controller."""
    if before.has(thumbprint(bundle.certificate)):
        return InStore(certificate=bundle.certificate)
    passphrase = Secret(secrets.token_hex(16))
    # PrivateKeyExportable also lets Network Service, under which the services run, read the key.
    given: dict[str, Value] = {"Password": passphrase, "PrivateKeyExportable": True}
    return _carried(bundle.certificate, "pfx", wrap(bundle, passphrase, now), given, (), (passphrase,))


def of_answer(certificate: Certificate, before: EdgeState) -> Delivery:
    """An authority's answer to the request of this Edge, which has the key. Then the request is done with."""
    forget = (steps.remove(REQUEST),) if REQUEST in before.files else ()
    # An earlier run may have imported the answer and not come to the removal of the request's file.
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
    """A certificate that the Edge itself requests from a certification authority of the company.

    mark: the file that says so, None if an earlier run has written it; then the certificate is fetched, not requested
    again. known: thumbprints that are not of the new one. suits: whether one is what was asked for.
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
            text = "the certification authority has not issued it yet; the next run asks for it again"
            return Delivered(None, text)
        log.fail(self.request, error)
        # After a lost session nobody knows whether the authority was reached: better ask for the answer than twice.
        if error.category != "ConnectionError":
            for step in self.in_force:
                log.do(step)
        return Delivered(None)


def of_authority(
    parameters: t.Mapping[str, Value], before: EdgeState, asked: bool, suits: t.Callable[[Certificate], bool]
) -> Requested:
    """Have the authority make one, or fetch what it was ``asked`` for in an earlier run."""
    # What comes is known by what was there before: its key is made on the Edge, and names can be given twice.
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
    """What the authority has issued and the store has: to be forgotten once it is in force."""
    return InStore(certificate=certificate, in_force=(steps.remove(ASKED),))


def newest_first(certificates: Certificates) -> list[Certificate]:
    """Those first that were issued last."""
    return sorted(certificates, key=lambda one: (one.not_valid_before_utc, one.not_valid_after_utc), reverse=True)
