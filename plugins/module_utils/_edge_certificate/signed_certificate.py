# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the answer of a certification authority from a file on the controller."""

from __future__ import annotations

import typing as t

from .._base import private_file
from .._base.result import Refused
from .._x509 import issue
from .._x509.certificate import Unusable

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate


class AuthorityAnswer(t.NamedTuple):
    """This is the answer of an authority.

    certificate: the certificate for the request's key; None if the certificate does not exist yet.
    others: the other certificates of the answer.
    remarks: why the answer has no certificate.
    """

    certificate: Certificate | None = None
    others: tuple[Certificate, ...] = ()
    remarks: tuple[str, ...] = ()


def read(path: str, public_key: bytes) -> AuthorityAnswer:
    """Read the answer to the request with the public key (DER). Raises Refused if the file is not an answer."""
    data = private_file.read_if_there(path, "source.answer")
    if data is None:
        return AuthorityAnswer()
    try:
        certificates = issue.load_answer(data)
    except Unusable as exc:
        raise Refused(["%s: %s" % (path, finding) for finding in exc.findings]) from None
    try:
        certificate, others = issue.answer_to(public_key, certificates)
    except Unusable as exc:
        return AuthorityAnswer(remarks=tuple("%s: %s" % (path, finding) for finding in exc.findings))
    return AuthorityAnswer(certificate, others)
