# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate's chain leads to a trusted CA: OpenSSL decides, and the broken certificate is named here.

OpenSSL follows one way only, and reports its first error. So each way that the signatures allow is given to it by
itself, with one trusted certificate. The chain is good if OpenSSL accepts one of the ways (RFC 5280 section 6).
"""

from __future__ import annotations

import collections
import datetime
import math
import time
import typing as t

from .._base.findings import Finding, error
from .._base.texts import foreign, some, utc
from .fields import extension, issued, may_sign, self_signed, shown

try:
    from OpenSSL import crypto
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

if t.TYPE_CHECKING:
    from cryptography.x509 import Certificate

    Path = list[Certificate]

# A path longer than this is a loop or a mistake; public CAs use two or three.
_LONGEST_PATH = 8

# What is wrong with a chain: code -> what the owner of the certificate does. With each of them it proves nothing.
CHAIN = {
    "untrusted": "add the missing intermediates to the file, or the right CA to the trust store",
    "incomplete_chain": "add the intermediates to the file, or the right CA to the trust store",
    "chain_expired": "replace the expired intermediate with the current one of its CA",
    "chain_not_yet_valid": "use an intermediate that is valid now, or set the controller's clock",
    "chain_not_a_ca": "have the certificate issued by a CA certificate that may sign others",
    "chain_path_length": "have the certificate issued by a CA that stands higher",
    "chain_name_constraints": "have it issued by a CA that may issue for these names",
    "chain_purpose": "have it issued by a CA that may issue for server authentication",
    "chain_refused": "have the certificate issued again, with correct CA certificates",
    "root_not_valid": "update the trust store; if the CA has ended, use another CA",
}

# RFC 5280 section 4.2.1.12.
SERVER_AUTH, ANY_PURPOSE = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"

# OpenSSL's results (openssl-verification-options(1), x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _INVALID_CA, _PATH_LENGTH = 9, 10, 24, 25
_NAMES = range(47, 54)  # names outside of the constraints, and constraints that OpenSSL cannot compare
_PURPOSE = -1  # ours: pyOpenSSL cannot ask for a purpose


class TimeIsUp(Exception):
    """The time for the chain is over."""


class _Refusal(t.NamedTuple):
    """Why OpenSSL refuses a path. code: OpenSSL's. depth: the index in the path. text: OpenSSL's words."""

    code: int
    depth: int
    text: str


def paths(
    certificate: Certificate, others: t.Iterable[Certificate], now: datetime.datetime | None, end: float = math.inf
) -> dict[Certificate, Path]:
    """The certificate and each certificate among ``others`` that stands above it: a shortest way up to it.

    The nearest first. Of several ways to one certificate only the first is followed, since what stands above it is the
    same for all: CA certificates that certify each other have a number of ways that grows without bounds.

    now: only CA certificates that are valid then; None: all whose key fits.
    end: by time.monotonic(). Raises TimeIsUp.
    """
    others = list(others)
    found = {certificate: [certificate]}
    pending = collections.deque(found)
    while pending:
        last = pending.popleft()
        path = found[last]
        if len(path) == _LONGEST_PATH or self_signed(last):
            continue
        for one in others:
            _check_time(end)
            if one not in found and (now is None or (_valid(one, now) and may_sign(one))) and issued(last, one):
                found[one] = [*path, one]
                pending.append(one)
    return found


def check_chain(
    certificate: Certificate,
    others: t.Sequence[Certificate],
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    end: float = math.inf,
) -> list[Finding]:
    """What is wrong with the best chain to a trusted certificate; nothing if one is good. Codes: CHAIN.

    The validity of the certificate itself is not looked at. others: sent with it, in any order. end: by
    time.monotonic(). Raises TimeIsUp.
    """
    trusted = frozenset(anchors)
    refused: dict[tuple[Certificate, ...], _Refusal] = {}
    # A way without a certificate that spoils others may be good, and longer: an old and a new one of the same CA.
    spoiling: set[Certificate] = set()
    tried = -1
    while tried < len(refused):
        tried = len(refused)
        sent, roots = ([one for one in given if one not in spoiling] for given in (others, anchors))
        for path in _to_anchors(certificate, sent, roots, now, end):
            _check_time(end)
            if tuple(path) in refused:
                continue
            refusal = _verify(path[0], path[1:-1], path[-1:], now) or _purpose(path)
            if refusal is None:
                return []
            refused[tuple(path)] = refusal
        spoiling = {_spoiling(list(path), refusal, now) for path, refusal in refused.items()}
    if not refused:
        return _no_anchor(certificate, others, now, end)
    together = list(dict.fromkeys(one for path in refused for one in path[1:]))
    _check_time(end)
    purpose = any(refusal.code == _PURPOSE for refusal in refused.values())
    if not purpose and _verify(certificate, together, [one for one in together if one in trusted], now) is None:
        return []  # a way that is none of the shortest
    return min((_explain(list(path), refusal, now) for path, refusal in refused.items()), key=len)


def broken(
    certificate: Certificate, others: t.Sequence[Certificate], now: datetime.datetime, end: float = math.inf
) -> list[Finding]:
    """What is wrong with the certificates above this one, where it is not known which CAs are trusted."""
    longest = max(paths(certificate, others, None, end).values(), key=len)
    return _group(_defects(longest, now, rooted=False))


def _check_time(end: float) -> None:
    if time.monotonic() > end:
        raise TimeIsUp


def _valid(certificate: Certificate, now: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _to_anchors(
    certificate: Certificate,
    others: t.Sequence[Certificate],
    anchors: t.Sequence[Certificate],
    now: datetime.datetime,
    end: float,
) -> t.Iterator[Path]:
    """Ways to trusted certificates, each once. Those without an obvious defect come first."""
    trusted, seen = frozenset(anchors), set()
    for at in (now, None):
        for last, path in paths(certificate, (*others, *anchors), at, end).items():
            ends = [path] if last in trusted else []
            ends += [[*path, one] for one in anchors if one not in path and issued(last, one)]
            for way in ends:
                if tuple(way) not in seen:
                    seen.add(tuple(way))
                    yield way


def _verify(
    leaf: Certificate, between: t.Sequence[Certificate], anchors: t.Sequence[Certificate], now: datetime.datetime
) -> _Refusal | None:
    """OpenSSL's answer, at the given time. A trusted certificate need not be a root."""
    try:
        store = crypto.X509Store()
        for one in anchors:
            store.add_cert(crypto.X509.from_cryptography(one))
        store.set_time(now)
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        above = [crypto.X509.from_cryptography(one) for one in between]
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(leaf), above).verify_certificate()
    except crypto.X509StoreContextError as exc:
        code, depth, text = exc.errors
        # OpenSSL checks the times from the top down: with that of the leaf, all others are good.
        return None if depth == 0 and code in (_NOT_YET_VALID, _EXPIRED) else _Refusal(code, depth, str(text))
    except crypto.Error:
        return _Refusal(0, 0, "a certificate of the chain cannot be decoded")
    return None


def _no_anchor(
    certificate: Certificate, others: t.Sequence[Certificate], now: datetime.datetime, end: float
) -> list[Finding]:
    # The longest way; of two, the one whose certificates are valid.
    ways = [way for at in (now, None) for way in paths(certificate, others, at, end).values()]
    longest: Path = max(ways, key=len)
    top = longest[-1]
    if self_signed(top):
        what = "it is self-signed, and" if top is certificate else "its chain ends at the root %s, which"
        text = (what if top is certificate else what % shown(top.subject)) + " is not in the trust store"
        first = error("untrusted", text, CHAIN["untrusted"])
    elif top is certificate:
        text = "it comes without the certificate of its issuer %s, which is not in the trust store either"
        first = error("incomplete_chain", text % shown(top.issuer), CHAIN["incomplete_chain"])
    else:
        text = (
            "its chain ends at the intermediate %s: the issuer %s does not come with it and is not in the trust store"
        )
        first = error("untrusted", text % (shown(top.subject), shown(top.issuer)), CHAIN["untrusted"])
    return [first, *_group(_defects(longest, now, rooted=False))]


def _explain(path: Path, refusal: _Refusal, now: datetime.datetime) -> list[Finding]:
    defects = list(_defects(path, now, rooted=True))
    depth = min(refusal.depth, len(path) - 1)
    one = path[depth]
    if refusal.code == _PATH_LENGTH:
        defects.append(("chain_path_length", _path_length(path, depth)))
    elif refusal.code in _NAMES:
        defects.append(("chain_name_constraints", _constrained(path, depth, now)))
    elif not defects:
        code = "chain_not_a_ca" if refusal.code == _INVALID_CA else "chain_refused"
        defects.append((code, "OpenSSL refuses %s: %s" % (_called(path, one), foreign(refusal.text))))
    return _group(defects)


def _defects(path: Path, now: datetime.datetime, rooted: bool) -> t.Iterator[tuple[str, str]]:
    """Code and text of what is wrong with each CA certificate of a path. rooted: the last one is trusted."""
    for number, one in enumerate(path[1:], 1):
        trusted = rooted and number == len(path) - 1
        name, below = _called(path, one, trusted), _called(path, path[number - 1])
        if now < one.not_valid_before_utc:
            code, text = "chain_not_yet_valid", "%s is not valid before %s" % (name, utc(one.not_valid_before_utc))
        elif now >= one.not_valid_after_utc:
            code, text = "chain_expired", "%s expired on %s" % (name, utc(one.not_valid_after_utc))
        elif (why := _no_ca(one)) and not _extensionless(one):
            code, text = "chain_not_a_ca", "%s, which issued %s, %s" % (name, below, why)
        elif not trusted and not _for_servers(one):
            code = "chain_purpose"
            text = "%s, which issued %s, may not issue for server authentication" % (name, below)
        else:
            continue
        yield ("root_not_valid" if trusted else code), text


def _purpose(path: Path) -> _Refusal | None:
    """The first CA certificate below the trusted one that may not issue for servers."""
    for depth, one in enumerate(path[1:-1], 1):
        if not _for_servers(one):
            return _Refusal(_PURPOSE, depth, "")
    return None


def _for_servers(certificate: Certificate) -> bool:
    """Whether a CA may issue for server authentication: its own purposes limit those of what it issues.

    RFC 5280 does not say so, but OpenSSL (openssl-verification-options(1), "extended key usage") and Windows do.
    """
    purposes = extension(certificate, "ExtendedKeyUsage")
    return purposes is None or not {SERVER_AUTH, ANY_PURPOSE}.isdisjoint(one.dotted_string for one in purposes)


def _no_ca(certificate: Certificate) -> str:
    """Why the certificate may not sign others; empty if it may (RFC 5280 sections 4.2.1.3 and 4.2.1.9)."""
    if not may_sign(certificate):
        return "is not a CA certificate"
    usage = extension(certificate, "KeyUsage")
    return "may not sign certificates (no keyCertSign)" if usage is not None and not usage.key_cert_sign else ""


def _extensionless(certificate: Certificate) -> bool:
    """A root from before X.509 version 3 cannot say that it is a CA's. Once trusted, OpenSSL and Windows take it."""
    return certificate.version.value == 0 and self_signed(certificate)


def _path_length(path: Path, depth: int) -> str:
    constraints = extension(path[depth], "BasicConstraints")
    most = constraints.path_length if constraints is not None else None
    # Those that issued themselves a new certificate do not count (RFC 5280 section 4.2.1.9).
    below = sum(one.subject != one.issuer for one in path[1:depth])
    return "%s allows %s CA certificates below it, and its chain has %d" % (_called(path, path[depth]), most, below)


def _constrained(path: Path, depth: int, now: datetime.datetime) -> str:
    one = _constraining(path, now)
    constraints = extension(one, "NameConstraints")
    if constraints is None:
        return "%s has names that a CA above it may not issue for" % _called(path, path[depth])
    kinds = (("allowed", constraints.permitted_subtrees), ("excluded", constraints.excluded_subtrees))
    rules = ["%s: %s" % (word, some([foreign(str(n.value)) for n in names])) for word, names in kinds if names]
    text = "%s has names that %s may not issue for (%s)"
    return text % (_called(path, path[depth]), _called(path, one), "; ".join(rules))


def _constraining(path: Path, now: datetime.datetime) -> Certificate:
    """The lowest CA certificate whose name constraints are violated: the path up to it is refused for names."""
    for end in range(2, len(path)):
        refusal = _verify(path[0], path[1 : end - 1], path[end - 1 : end], now)
        if refusal is not None and refusal.code in _NAMES:
            return path[end - 1]
    return path[-1]


def _spoiling(path: Path, refusal: _Refusal, now: datetime.datetime) -> Certificate:
    """The certificate without which another way may be good."""
    if refusal.code in _NAMES:
        return _constraining(path, now)
    return path[min(refusal.depth, len(path) - 1)]


def _called(path: Path, one: Certificate, trusted: bool = False) -> str:
    if one is path[0]:
        return "it"
    kind = "root" if self_signed(one) else "intermediate"
    return "the %s %s%s" % (kind, shown(one.subject), " of the trust store" if trusted else "")


def _group(defects: t.Iterable[tuple[str, str]]) -> list[Finding]:
    """One finding for each code; the texts in the order of the path."""
    texts: dict[str, list[str]] = {}
    for code, text in defects:
        texts.setdefault(code, []).append(text)
    return [error(code, ", and ".join(found), CHAIN[code]) for code, found in texts.items()]
