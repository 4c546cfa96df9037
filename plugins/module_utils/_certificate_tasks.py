# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_gateway_cert and xmpp_gateway_cert_info do: their options, the checks of what they name, the info."""

from __future__ import annotations

import datetime
import os
import typing as t

from . import _certificate
from ._certificate import Bundle, Finding, Unusable, describe, judge
from ._converge import Params, Result
from ._domain import Invalid, canonical_domain
from ._edge import USAGES, Edge, Stored
from ._gateway_certificate import Bring, unbind
from ._plan import Refused
from ._shell import Secret, Shell
from ._tasks import STATE, Task

_USAGES = {"type": "list", "elements": "str", "choices": list(USAGES)}
_NAMES = {"type": "list", "elements": "str", "default": []}

ARGUMENT_SPEC: dict[str, t.Any] = {
    "usages": {**_USAGES, "default": ["XmppServer"]},
    "names": _NAMES,
    "source": {
        "type": "dict",
        "options": {
            "type": {"type": "str", "choices": ["pkcs12"], "required": True},
            "path": {"type": "path", "required": True},
            "passphrase": {"type": "str", "no_log": True},
        },
    },
    "restart": {"type": "str", "choices": ["affected", "all", "none"], "default": "affected"},
    "trust_store": {"type": "path"},
    "state": STATE,
}

INFO_ARGUMENT_SPEC: dict[str, t.Any] = {
    "usages": {**_USAGES, "default": list(USAGES)},
    "names": _NAMES,
    "trust_store": {"type": "path"},
}


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_gateway_cert. Raises Refused, ServerRefused, ShellError, all of them before anything was written."""
    _require_cryptography()
    usages = list(dict.fromkeys(params["usages"]))
    if not usages:
        raise Refused(["usages: the list is empty; name at least one usage"])
    if params["state"] == "absent":
        return unbind(usages, shell, check)
    now = datetime.datetime.now(datetime.timezone.utc)
    bundle, findings = _usable(params, Edge(shell), now)
    return Bring(bundle, findings, usages, params["restart"], shell, now).run(check)


def info(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_gateway_cert_info: the certificates in force on an Edge and what speaks against them. Reads only."""
    _require_cryptography()
    now = datetime.datetime.now(datetime.timezone.utc)
    names, anchors = _names(params), _anchors(params)
    edge = Edge(shell)
    assigned = edge.assigned()
    usages: dict[str, list[str]] = {}
    for usage in params["usages"]:
        if usage in assigned:
            usages.setdefault(assigned[usage]["Thumbprint"], []).append(usage)
    if not usages:
        return Result({"certificates": []})
    store = edge.store()
    certificates = {wanted: _parsed(store.get(wanted)) for wanted in usages}
    issuers = _issuers(edge, [one for one in certificates.values() if one is not None])
    rsa_only = edge.is_lync_2013()
    found = []
    for wanted, certificate in certificates.items():
        if certificate is None:
            facts: dict[str, t.Any] = {**dict.fromkeys(_certificate.FACTS), "thumbprint": wanted}
            findings = [
                Finding("not_in_store", "error", "it is not in the computer's store", "bring and assign it anew")
            ]
        else:
            facts = describe(certificate)
            findings = judge(certificate, now=now, names=names, others=issuers, anchors=anchors, rsa_only=rsa_only)
        found.append({**facts, "usages": usages[wanted], "findings": [finding.as_dict() for finding in findings]})
    return Result({"certificates": found})


def _issuers(edge: Edge, certificates: t.Sequence[t.Any]) -> list[t.Any]:
    """The Edge's intermediates, which it sends along; and its roots where one of them may be the direct issuer."""
    found: list[t.Any] = []
    for name in ("CA", "Root"):
        subjects = [one.subject for one in found]
        if any(one.issuer not in subjects for one in certificates):
            found += [one for one in map(_parsed, edge.store(name).values()) if one is not None]
    return found


def _parsed(stored: Stored | None) -> t.Any:
    """The certificate, or None if there is none that can be decoded."""
    try:
        return _certificate.parse(stored.raw) if stored else None
    except Unusable:
        return None


def _usable(params: Params, edge: Edge, now: datetime.datetime) -> tuple[Bundle, list[Finding]]:
    """The source and what is worth a warning. Raises Refused with everything that makes it unusable."""
    source = params["source"]
    names, anchors = _names(params), _anchors(params)
    data = _file(source["path"], "source.path")
    passphrase = source.get("passphrase")
    try:
        bundle = _certificate.load_pkcs12(data, Secret(passphrase) if passphrase else None)
    except Unusable as exc:
        raise Refused(["%s: %s" % (source["path"], finding) for finding in exc.findings]) from None
    findings = judge(
        bundle.certificate,
        now=now,
        names=names,
        others=bundle.others,
        anchors=anchors,
        rsa_only=_certificate.is_elliptic(bundle.certificate) and edge.is_lync_2013(),
    )
    errors = ["%s: %s" % (source["path"], finding) for finding in findings if finding.severity == "error"]
    if errors:
        raise Refused(errors)
    return bundle, findings


def _names(params: Params) -> list[str]:
    names, mistakes = [], []
    for number, name in enumerate(params["names"]):
        try:
            names.append(canonical_domain(str(name)))
        except Invalid as exc:
            mistakes.append("names[%d]: %s" % (number, exc))
    if mistakes:
        raise Refused(mistakes)
    return names


def _anchors(params: Params) -> tuple[t.Any, ...] | None:
    path = params.get("trust_store")
    if not path:
        return None
    try:
        return _certificate.load_trust_store(_file(path, "trust_store"))
    except Unusable as exc:
        raise Refused(["%s: %s" % (path, finding) for finding in exc.findings]) from None


def _file(path: str, option: str) -> bytes:
    try:
        with open(os.path.expanduser(path), "rb") as stream:
            return stream.read()
    except OSError as exc:
        raise Refused(["%s: %s cannot be read: %s" % (option, path, exc.strerror)]) from None


def _require_cryptography() -> None:
    if _certificate.IMPORT_ERROR is not None:
        raise Refused(["the Python package cryptography is needed on the controller: %s" % _certificate.IMPORT_ERROR])


TASK = Task(ARGUMENT_SPEC, work, (("state", "present", ("source",)),))
INFO_TASK = Task(INFO_ARGUMENT_SPEC, info)
