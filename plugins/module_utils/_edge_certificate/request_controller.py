# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request whose key is made on the controller: it waits beside the PKCS#12 file until the answer is there.

The key file is what says that a request waits. As long as it is there no other key is made, so a request is never made
twice; it goes away when the PKCS#12 file is written.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .._base import private_file
from .._base.result import Params, Refused, Result
from .._shell.statement import Secret
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Bundle, Unusable
from .request import waiting


@dataclass(frozen=True)
class Waiting:
    """The request was made, now or earlier. changed: now, or in check mode it would be."""

    source: Params
    changed: bool
    warnings: tuple[str, ...] = ()

    def result(self, facts: t.Mapping[str, t.Any]) -> Result:
        source = self.source
        return waiting(facts, str(source["request"]), str(source["answer"]), self.changed, warnings=self.warnings)


def key_path(source: Params) -> str:
    """Where the key waits."""
    return os.path.expanduser(str(source["path"])) + ".key"


def waits(source: Params) -> bool:
    """Whether a request waits for its answer."""
    return os.path.exists(key_path(source))


def proceed(source: Params, names: t.Sequence[str], passphrase: Secret | None, dry: bool) -> Bundle | Waiting:
    """Make key and request where they are missing; with the answer at hand return the certificate and its key.

    dry: write nothing. The caller keeps other processes out. Raises Refused.
    """
    made = not waits(source)
    if made:
        if dry:
            return Waiting(source, True)
        key = issue.make_key(str(source["key"]))
        private_file.write(key_path(source), issue.key_file(key, passphrase), "source.path")
    else:
        key = _load(source, passphrase)
    public = x509.public_bytes(key.public_key())
    saved = private_file.read_if_there(str(source["request"]), "source.request")
    stale = saved is None or _content(saved) != (public, sorted(names))
    if stale and not dry:
        # The same key: what an authority may have answered already stays usable.
        text = issue.request(key, names)
        private_file.write(str(source["request"]), text, "source.request", secret=False)
    warnings: tuple[str, ...] = ()
    answer = private_file.read_if_there(str(source["answer"]), "source.answer")
    if answer is not None:
        try:
            certificates = issue.load_answer(answer)
        except Unusable as exc:
            raise Refused(["%s: %s" % (source["answer"], finding) for finding in exc.findings]) from None
        try:
            certificate, others = issue.answer_to(public, certificates)
        except Unusable as exc:
            warnings = tuple("%s: %s" % (source["answer"], finding) for finding in exc.findings)
        else:
            return Bundle(certificate, key, others)
    return Waiting(source, made or stale, warnings)


def finish(source: Params, bundle: Bundle, passphrase: Secret | None, check: bool) -> None:
    """The answer is good: write the PKCS#12 file; the request is done with. Raises Refused."""
    if check:
        return
    private_file.write(str(source["path"]), issue.pkcs12_file(bundle, passphrase), "source.path")
    private_file.remove(key_path(source))
    private_file.remove(str(source["request"]))


def _load(source: Params, passphrase: Secret | None) -> t.Any:
    data = private_file.read(key_path(source), "source.path")
    try:
        return issue.load_key(data, passphrase, key_path(source))
    except Unusable as exc:
        raise Refused([str(finding) for finding in exc.findings]) from None


def _content(saved: bytes) -> tuple[bytes, list[str]] | None:
    try:
        public, names = issue.load_request(saved)
    except Unusable:
        return None
    return public, sorted(names)
