# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the source ``request`` with the key on the Edge server (Request-CsCertificate).

The key never leaves the Edge. The request's file stays on the Edge until its answer is imported. The file shows that a
request waits. So no second request is made, even if the controller fails.
"""

from __future__ import annotations

import typing as t

from .._base import private_file
from .._base.reading import UNREADABLE
from .._base.result import Refused
from .._base.step import Step
from .._base.step_log import StepLog
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Unusable
from . import signed_certificate as answer
from . import steps
from .delivery import InStore, of_answer
from .edge import REQUEST, parsed, path_of
from .offer import Offer, Waiting
from .request_parameters import into_file, missing_names
from .source import CertificateSource, check_clock


class RequestOnEdge(CertificateSource):
    needs = ("request", "answer")
    on_edge = True

    def _choose(self) -> Offer | Waiting:
        if REQUEST in self.before.files:
            return self._proceed(self.reader.text(REQUEST))
        saved = self._saved_key()
        for one in self._with_keys():
            if x509.public_key_of(one) == saved and self._good(one):
                return self._offer(InStore(certificate=one), self._check(one, self._known_issuers()))
        if self._still_good() or not self.wanted.may_make:
            return self._keep()
        check_clock(self.reader, self.wanted.now)
        return self._make()

    def _proceed(self, text: str) -> Offer | Waiting:
        """Continue with the answer to the waiting request. Without an answer, save a copy of the request."""
        options = self.options
        public, names = self._content(text)
        missing = missing_names(names, self.wanted)
        remarks = []
        if missing:
            remark = "the waiting request does not cover %s. To make a new request, remove %s on the Edge server"
            remarks = [remark % (missing, path_of(REQUEST))]
        found = answer.read(options.answer, public)
        if found.certificate is None:
            return self._waiting(self._save(text, public), [*remarks, *found.remarks])
        findings = self._accept(found.certificate, found.others, options.answer)
        return self._offer(of_answer(found.certificate, self.before), findings)

    def _make(self) -> Waiting:
        """Make the key and the request on the Edge, and copy the request. Raises Refused before anything is made."""
        self._refuse_another(())
        step = Step("Request-CsCertificate", REQUEST, into_file(self.wanted))
        log = StepLog(self.reader.shell, [step])
        if self.wanted.check:
            return self._waiting(True, (), log=log, untouched="planned")
        error = log.send(step).get(step.cmdlet)
        try:
            if REQUEST not in self.reader.files():
                log.fail(step, error or "the server reported no error, but there is no request on the Edge server")
                return self._waiting(False, (), log=log)
            text = self.reader.text(REQUEST)
            public, names = self._content(text)
        except UNREADABLE as exc:
            log.fail(step, error or exc)
            return self._waiting(False, (), log=log)
        log.done(step, error)
        missing = missing_names(names, self.wanted)
        if missing:
            log.fail(step, "the request of the Edge server does not cover %s" % missing)
            log.do(steps.remove(REQUEST))
            return self._waiting(False, (), log=log)
        try:
            self._save(text, public)
        except Refused as exc:
            log.note("(save)", self.options.request, "WriteError", str(exc))
        return self._waiting(True, (), log=log)

    def _save(self, text: str, public: bytes) -> bool:
        """Save a copy on the controller. Return whether the copy was missing or different."""
        path, data = self.options.request, text.encode("ascii", "replace")
        if private_file.read_if_there(path, "source.request") == data:
            return False
        self._refuse_another((public,))
        if not self.wanted.check:
            private_file.write(path, data, "source.request", secret=False)
        return True

    def _saved_key(self) -> bytes | None:
        """Return the public key (DER) of the request on the controller; None without a request."""
        saved = private_file.read_if_there(self.options.request, "source.request")
        try:
            return issue.load_request(saved)[0] if saved is not None else None
        except Unusable:
            return None

    def _refuse_another(self, waiting: t.Sequence[bytes]) -> None:
        """Raise Refused if the file on the controller has a request that does not belong to this Edge.

        waiting: the public key of the request that waits on this Edge.
        """
        saved = self._saved_key()
        certificates = map(parsed, self.before.store.values())
        own = {*waiting, *(x509.public_key_of(one) for one in certificates if one is not None)}
        if saved is not None and saved not in own:
            raise Refused(
                [
                    "source.request: %s has a request of another Edge server or key. Use one file for each Edge server,"
                    " for example with {{ inventory_hostname }}, or remove the file" % self.options.request
                ]
            )

    def _content(self, text: str) -> tuple[bytes, list[str]]:
        """Return the public key (DER) and the names of the request on the Edge. Raises Refused."""
        try:
            return issue.load_request(text.encode("ascii", "replace"))
        except Unusable as exc:
            raise Refused(
                ["%s on the Edge server: %s" % (path_of(REQUEST), finding) for finding in exc.findings]
            ) from None
