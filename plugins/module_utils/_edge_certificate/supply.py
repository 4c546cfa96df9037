# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a certificate comes into an Edge's store: the ways of it, each with its steps.

The way of a private key from the controller: it is wrapped anew under a one-time passphrase that exists only in this
process, written to the Edge by Set-Content, imported and removed by one request.
"""

from __future__ import annotations

import abc
import datetime
import secrets
import typing as t

from .._base.result import Refused, ServerRefused
from .._base.step import Step
from .._shell.statement import Secret, ServerError, ShellError, Value
from .._x509.certificate import Bundle, der, parse, thumbprint, wrap
from . import edge_steps as steps
from .edge import ASKED, REQUEST, Edge, Sight, Stored, path_of
from .journal import Journal

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate, Certificates

# In an envelope of 150 kB (the default), base64 inside base64 leaves room for about 80 kB.
CHUNK = 32 * 1024

# What the random name of a file on the Edge is shown as, so that check mode shows what a run does.
ANY_FILE = "sfb-xmpp-*"

# The thumbprint of a certificate that does not exist yet.
NEW = "(new certificate)"

# By which certificates that an Edge got from a certification authority for us can be told from others.
FRIENDLY_NAME = "sfb.xmpp"

UNREADABLE = (Refused, ServerRefused, ShellError)


class Supply:
    """A certificate and its way into the store; this one is there already.

    thumbprint: NEW while it does not exist. secrets: texts that must not be repeated. aliases: values that differ from
    run to run and what they are shown as.
    """

    def __init__(self, certificate: Certificate | None) -> None:
        self.certificate = certificate
        self.thumbprint = thumbprint(certificate) if certificate is not None else NEW
        self.secrets: tuple[Secret, ...] = ()
        self.aliases: dict[str, str] = {}

    def plan(self, before: Sight) -> list[Step]:
        """What is to be sent to an Edge that looks like this."""
        return []

    def finish(self) -> list[Step]:
        """What is to be sent once the certificate is in force."""
        return []

    def take(self, journal: Journal, edge: Edge) -> bool:
        """Send what was planned. Whether the certificate is in the store, with its key."""
        return True

    def _there(self, before: Sight) -> bool:
        stored = before.store.get(self.thumbprint)
        return stored is not None and stored.has_key is not False


class _File(Supply, abc.ABC):
    """A file that is carried over, imported and removed again, whatever happens."""

    extension = ""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        self.file = "sfb-xmpp-%s.%s" % (secrets.token_hex(8), self.extension)
        self.shown = "%s.%s" % (ANY_FILE, self.extension)
        self.aliases = {path_of(self.file): path_of(self.shown)}

    @abc.abstractmethod
    def content(self) -> bytes:
        """What the file holds."""

    @abc.abstractmethod
    def parameters(self) -> dict[str, Value]:
        """Of Import-CsCertificate, beside the path."""

    def plan(self, before: Sight) -> list[Step]:
        if self._there(before):
            return []
        data = self.content()
        self._carry = [
            steps.write("Add-Content" if at else "Set-Content", self.file, self.shown, data[at : at + CHUNK])
            for at in range(0, len(data), CHUNK)
        ]
        given: dict[str, Value] = {"Path": path_of(self.file), **self.parameters(), "Confirm": False}
        self._import = Step("Import-CsCertificate", self.thumbprint, given)
        self._remove = steps.remove(self.file, self.shown)
        return [*self._carry, self._import, self._remove]

    def take(self, journal: Journal, edge: Edge) -> bool:
        try:
            for step in self._carry:
                errors = journal.send(step)
                if errors:
                    journal.fail(step, errors[step.cmdlet])
                    return False
            errors = journal.send(self._import, self._remove)
            return confirm(journal, self._import, errors.get(self._import.cmdlet), edge, self.thumbprint)
        finally:
            self._clear_away(journal, edge)

    def _clear_away(self, journal: Journal, edge: Edge) -> None:
        remove = self._remove
        error = ServerError(remove.cmdlet, "", "NotInEffect", "no error was reported")
        try:
            there = self.file in edge.files()
            if there:
                error = journal.send(remove).get(remove.cmdlet, error)
                there = self.file in edge.files()
        except UNREADABLE as exc:
            there, error = True, ServerError(remove.cmdlet, "", "ConnectionError", str(exc))
        if there:
            text = "%s; %s may still be there%s; the next run removes it" % (
                error.message,
                path_of(self.file),
                ", under a passphrase that no longer exists" if self.secrets else "",
            )
            journal.fail(remove, ServerError(remove.cmdlet, error.error_id, error.category, text))
        elif journal.was_sent(remove):
            journal.done(remove)


class FromBundle(_File):
    """A certificate and its key, from the controller."""

    extension = "pfx"

    def __init__(self, bundle: Bundle, now: datetime.datetime) -> None:
        super().__init__(bundle.certificate)
        self._bundle, self._now = bundle, now
        self._passphrase = Secret(secrets.token_hex(16))
        self.secrets = (self._passphrase,)

    def content(self) -> bytes:
        return wrap(self._bundle, self._passphrase, self._now)

    def parameters(self) -> dict[str, Value]:
        # PrivateKeyExportable also lets Network Service, under which the services run, read the key.
        return {"Password": self._passphrase, "PrivateKeyExportable": True}


class FromAnswer(_File):
    """An authority's answer to the request of this Edge, which has the key. Then the request is done with."""

    extension = "cer"

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        self._answer = certificate

    def content(self) -> bytes:
        return der(self._answer)

    def parameters(self) -> dict[str, Value]:
        return {}

    def plan(self, before: Sight) -> list[Step]:
        self._forget = steps.remove(REQUEST) if REQUEST in before.files else None
        self._steps = super().plan(before)
        return [*self._steps, *([self._forget] if self._forget else [])]

    def take(self, journal: Journal, edge: Edge) -> bool:
        # An earlier run may have imported the answer and not come to the removal of the request's file.
        if self._steps and not super().take(journal, edge):
            return False
        if self._forget:
            errors = journal.send(self._forget)
            if errors:
                journal.fail(self._forget, errors[self._forget.cmdlet])
        return True


class Issued(Supply):
    """What a certification authority of the company has issued and is in the store: to be forgotten once in force."""

    def finish(self) -> list[Step]:
        return [steps.remove(ASKED)]


class FromAuthority(Issued):
    """A certificate that the Edge itself requests from a certification authority of the company.

    asked: an earlier run requested it and got no answer; then it is fetched, not requested again. suits: whether a
    certificate is the one that was asked for.
    """

    def __init__(self, parameters: t.Mapping[str, Value], asked: bool, suits: t.Callable[[Certificate], bool]) -> None:
        super().__init__(None)
        self.pending = ""
        self._asked, self._suits = asked, suits
        self.secrets = tuple(value for value in parameters.values() if isinstance(value, Secret))
        given: dict[str, Value] = {"Retrieve": True, "Confirm": False} if asked else dict(parameters)
        self._request = Step("Request-CsCertificate", "", given)

    def plan(self, before: Sight) -> list[Step]:
        self._before = before.store
        # What comes is known by what was there before: its key is made on the Edge, and names can be given twice.
        self._mark = steps.note(ASKED, "\n".join(sorted(before.store)) or "none")
        return [*([] if self._asked else [self._mark]), self._request]

    def take(self, journal: Journal, edge: Edge) -> bool:
        if not self._asked:
            errors = journal.send(self._mark)
            if errors:
                journal.fail(self._mark, errors[self._mark.cmdlet])
                return False
        error = journal.send(self._request).get(self._request.cmdlet)
        try:
            found = self._new(edge.store())
        except UNREADABLE as exc:
            journal.fail(self._request, error or exc)
            return False
        if found is None:
            self._nothing_came(journal, error)
            return False
        self.certificate, self.thumbprint = found, thumbprint(found)
        journal.done(self._request, error)
        return True

    def _nothing_came(self, journal: Journal, error: ServerError | None) -> None:
        if error is None:
            self.pending = "the certification authority has not issued it yet; the next run asks for it again"
            return
        journal.fail(self._request, error)
        # After a lost session nobody knows whether the authority was reached: better ask for the answer than twice.
        if error.category != "ConnectionError":
            self._forget(journal)

    def _forget(self, journal: Journal) -> None:
        for step in self.finish():
            errors = journal.send(step)
            if errors:
                journal.fail(step, errors[step.cmdlet])

    def _new(self, store: t.Mapping[str, Stored]) -> Certificate | None:
        fresh = [
            parse(stored.raw)
            for name, stored in store.items()
            if name not in self._before and stored.has_key is not False
        ]
        return next((one for one in newest_first(fresh) if self._suits(one)), None)


def newest_first(certificates: Certificates) -> list[Certificate]:
    """Those first that were issued last."""
    return sorted(certificates, key=lambda one: (one.not_valid_before_utc, one.not_valid_after_utc), reverse=True)


def confirm(journal: Journal, step: Step, error: ServerError | None, edge: Edge, wanted: str) -> bool:
    """Whether a step brought the certificate into the store with its key; writes down what became of the step."""
    try:
        stored = edge.store().get(wanted)
    except UNREADABLE as exc:
        journal.fail(step, error or exc)
        return False
    if stored is None or stored.has_key is False:
        text = "no error was reported, but the certificate is not in the computer's store with its key"
        journal.fail(step, error or text)
        return False
    journal.done(step, error)
    return True
