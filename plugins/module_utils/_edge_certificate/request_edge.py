# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request whose key is made on the Edge (Request-CsCertificate) and never leaves it.

The request's file stays on the Edge until its answer was imported, and is what says that one waits: whatever becomes of
the controller, no second one is made.
"""

from __future__ import annotations

import typing as t

from .._base import private_file
from .._base.result import Params, Refused, Result
from .._base.step import Step
from .._shell.statement import Secret, Shell, Value
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Unusable
from . import edge_steps as steps
from .edge import REQUEST, Edge, Sight, path_of
from .journal import Journal
from .request import waiting
from .supply import FRIENDLY_NAME, UNREADABLE

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

_ALGORITHMS: dict[str, dict[str, Value]] = {
    "rsa2048": {"KeyAlg": "RSA", "KeySize": 2048},
    "rsa4096": {"KeyAlg": "RSA", "KeySize": 4096},
    "ecdsa_p256": {"KeyAlg": "ECDH_P256"},
    "ecdsa_p384": {"KeyAlg": "ECDH_P384"},
}


def parameters(source: Params, usages: t.Sequence[str], names: t.Sequence[str]) -> dict[str, Value]:
    """Of Request-CsCertificate -New: into a file, or at the source's certification authority."""
    found: dict[str, Value] = {
        "New": True,
        "Type": tuple(usages),
        # One text with commas, as the cmdlet's page has it; canonical domains hold none.
        "DomainName": ",".join(names),
        "FriendlyName": FRIENDLY_NAME,
        **_ALGORITHMS[str(source["key"])],
        "PrivateKeyExportable": False,
    }
    if source["type"] == "request":
        return {**found, "Output": path_of(REQUEST), "Confirm": False}
    found["CA"] = str(source["ca"])
    if source.get("template"):
        found["Template"] = str(source["template"])
    if source.get("ca_account"):
        found.update(CaAccount=str(source["ca_account"]), CaPassword=Secret(str(source["ca_password"])))
    return {**found, "Confirm": False}


class Request:
    """The request of one Edge."""

    def __init__(
        self, source: Params, usages: t.Sequence[str], names: t.Sequence[str], shell: Shell, before: Sight
    ) -> None:
        self._source, self._usages, self._names = source, usages, names
        self._shell, self._edge, self._before = shell, Edge(shell), before
        self._warnings: list[str] = []
        self._text = ""

    def saved_key(self) -> bytes | None:
        """The public key (DER) of the request that is saved on the controller; None if there is none."""
        saved = private_file.read_if_there(str(self._source["request"]), "source.request")
        try:
            return issue.load_request(saved)[0] if saved is not None else None
        except Unusable:
            return None

    def answer(self) -> tuple[Certificate, tuple[Certificate, ...]] | None:
        """The answer to the request that waits on the Edge, and what came with it; None if it is not there yet."""
        self._text = self._edge.text(REQUEST)
        public, names = self._content(self._text)
        missing = sorted(set(self._names) - set(names))
        if missing:
            self._warnings.append(
                "the request that waits does not cover %s; remove %s on the Edge to have another one made"
                % (", ".join(missing), path_of(REQUEST))
            )
        data = private_file.read_if_there(str(self._source["answer"]), "source.answer")
        if data is None:
            return None
        place = str(self._source["answer"])
        try:
            certificates = issue.load_answer(data)
        except Unusable as exc:
            raise Refused(["%s: %s" % (place, finding) for finding in exc.findings]) from None
        try:
            return issue.answer_to(public, certificates)
        except Unusable as exc:
            self._warnings += ["%s: %s" % (place, finding) for finding in exc.findings]
            return None

    def wait(self, facts: t.Mapping[str, t.Any], check: bool) -> Result:
        """The request waits: see that the controller has a copy of it. Raises Refused."""
        changed = self._save(check)
        return self._result(facts, changed)

    def make(self, facts: t.Mapping[str, t.Any], check: bool) -> Result:
        """Have the Edge make key and request, and bring the request over. Raises Refused before that."""
        self._refuse_another()
        step = Step("Request-CsCertificate", REQUEST, parameters(self._source, self._usages, self._names))
        journal = Journal(self._shell, [step])
        if check:
            return self._result(facts, True, journal, "planned")
        error = journal.send(step).get(step.cmdlet)
        try:
            if REQUEST not in self._edge.files():
                journal.fail(step, error or "no error was reported, but there is no request on the Edge")
                return self._result(facts, False, journal)
            self._text = self._edge.text(REQUEST)
            public, names = self._content(self._text)
        except UNREADABLE as exc:
            journal.fail(step, error or exc)
            return self._result(facts, False, journal)
        journal.done(step, error)
        missing = sorted(set(self._names) - set(names))
        if missing:
            journal.fail(step, "the request that it wrote does not cover %s" % ", ".join(missing))
            remove = steps.remove(REQUEST)
            errors = journal.send(remove)
            if errors:
                journal.fail(remove, errors[remove.cmdlet])
            return self._result(facts, False, journal)
        try:
            self._save(False)
        except Refused as exc:
            journal.note("(save)", str(self._source["request"]), "WriteError", str(exc))
        return self._result(facts, True, journal)

    def _result(
        self, facts: t.Mapping[str, t.Any], changed: bool, journal: Journal | None = None, untouched: str = "not_sent"
    ) -> Result:
        source = self._source
        return waiting(
            facts, str(source["request"]), str(source["answer"]), changed, journal, untouched, self._warnings
        )

    def _save(self, check: bool) -> bool:
        """Whether the controller's copy was missing or another one."""
        path, data = str(self._source["request"]), self._text.encode("ascii", "replace")
        if private_file.read_if_there(path, "source.request") == data:
            return False
        self._refuse_another()
        if not check:
            private_file.write(path, data, "source.request", secret=False)
        return True

    def _refuse_another(self) -> None:
        """Raises Refused if the file on the controller holds a request that this Edge has neither made nor answered."""
        saved = self.saved_key()
        own = {x509.public_key_of(one) for one in self._certificates()}
        if self._text:
            own.add(self._content(self._text)[0])
        if saved is not None and saved not in own:
            raise Refused(
                [
                    "source.request: %s holds a request of another Edge or key; give each Edge a file of its own, as "
                    "with {{ inventory_hostname }}, or remove it" % self._source["request"]
                ]
            )

    def _certificates(self) -> t.Iterator[Certificate]:
        for stored in self._before.store.values():
            try:
                yield x509.parse(stored.raw)
            except Unusable:
                continue

    def _content(self, text: str) -> tuple[bytes, list[str]]:
        try:
            return issue.load_request(text.encode("ascii", "replace"))
        except Unusable as exc:
            raise Refused(["%s on the Edge: %s" % (path_of(REQUEST), finding) for finding in exc.findings]) from None
