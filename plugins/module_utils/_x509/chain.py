# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether a certificate's chain ends at a trusted CA. OpenSSL decides. The code finds the broken certificate.

OpenSSL follows only one path, and reports the first error. So each path that the signatures allow is checked by itself,
with one trusted certificate. The chain is valid if OpenSSL accepts one of the paths (RFC 5280 section 6).
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

# A longer path is a loop or a mistake. Paths of public CAs have two or three certificates.
_LONGEST_PATH = 8

# The defects of a chain: code -> remedy. A chain with such a defect proves nothing.
CHAIN = {
    "untrusted": "add the missing intermediates to the file, or the CA to the trust store",
    "incomplete_chain": "add the intermediates to the file, or the CA to the trust store",
    "chain_expired": "replace the expired intermediate by the CA's current intermediate",
    "chain_not_yet_valid": "use an intermediate that is valid now, or correct the controller's clock",
    "chain_not_a_ca": "request a certificate from a CA that may sign certificates",
    "chain_path_length": "request a certificate from a higher CA",
    "chain_name_constraints": "request a certificate from a CA that may issue for these names",
    "chain_purpose": "request a certificate from a CA that may issue for server authentication",
    "chain_refused": "request a new certificate with correct CA certificates",
    "root_not_valid": "update the trust store. If the CA no longer exists, use another CA",
}

# RFC 5280 section 4.2.1.12.
SERVER_AUTH, ANY_PURPOSE = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"

# OpenSSL's results (openssl-verification-options(1), x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _INVALID_CA, _PATH_LENGTH = 9, 10, 24, 25
_NAMES = range(47, 54)  # names outside the constraints, and constraints that OpenSSL cannot compare
_PURPOSE = -1  # not a code of OpenSSL, because pyOpenSSL cannot check a purpose


class TimeIsUp(Exception):
    """The check of a chain took too long."""


class _Refusal(t.NamedTuple):
    """Describe why OpenSSL refuses a path.

    code: OpenSSL's code.
    depth: the index of the certificate in the path.
    text: OpenSSL's words.
    """

    code: int
    depth: int
    text: str


def paths(
    certificate: Certificate, others: t.Iterable[Certificate], now: datetime.datetime | None, end: float = math.inf
) -> dict[Certificate, Path]:
    """Return a shortest path from the certificate to itself and to each certificate above, the nearest first.

    If several paths lead to a certificate, only the first path is followed, because all paths continue in the same way.
    CA certificates that certify each other have an unlimited number of paths.

    others: the certificates that may be above the certificate.
    now: only CA certificates that are valid at this time are used. None: all CA certificates with a matching key.
    end: the time limit by time.monotonic(). Raises TimeIsUp.
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
    """Return the defects of the best chain to a trusted certificate; empty if a chain is valid. The codes are in CHAIN.

    The validity of the certificate itself is not checked.

    others: the certificates that are sent with the certificate, in any order.
    anchors: the trusted certificates.
    end: the time limit by time.monotonic(). Raises TimeIsUp.
    """
    trusted = frozenset(anchors)
    refused: dict[tuple[Certificate, ...], _Refusal] = {}
    # A CA can have an old and a new certificate. Without the bad certificate, a longer path may be good.
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
        return []  # The good path is longer than the shortest paths.
    return min((_explain(list(path), refusal, now) for path, refusal in refused.items()), key=len)


def broken(
    certificate: Certificate, others: t.Sequence[Certificate], now: datetime.datetime, end: float = math.inf
) -> list[Finding]:
    """Return the defects of the certificates above the certificate, if the trusted CAs are unknown."""
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
    """Yield each path to a trusted certificate once. Paths without an obvious defect come first."""
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
    """Check a path with OpenSSL at the given time. A trusted certificate can be an intermediate."""
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
        # OpenSSL checks the times from the top down. If the leaf's time is wrong, the times of all other certificates
        # are good.
        return None if depth == 0 and code in (_NOT_YET_VALID, _EXPIRED) else _Refusal(code, depth, str(text))
    except crypto.Error:
        return _Refusal(0, 0, "a certificate of the chain cannot be decoded")
    return None


def _no_anchor(
    certificate: Certificate, others: t.Sequence[Certificate], now: datetime.datetime, end: float
) -> list[Finding]:
    # Use the longest path. If two paths have the same length, use the path with valid certificates.
    ways = [way for at in (now, None) for way in paths(certificate, others, at, end).values()]
    longest: Path = max(ways, key=len)
    top = longest[-1]
    if self_signed(top):
        what = "it is self-signed, and" if top is certificate else "its chain ends at the root %s, which"
        text = (what if top is certificate else what % shown(top.subject)) + " is not in the trust store"
        first = error("untrusted", text, CHAIN["untrusted"])
    elif top is certificate:
        text = "it comes without the certificate of its issuer %s, and the issuer is not in the trust store"
        first = error("incomplete_chain", text % shown(top.issuer), CHAIN["incomplete_chain"])
    else:
        text = (
            "its chain ends at the intermediate %s. The certificate of the issuer %s is missing, and is not in the"
            " trust store"
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
    """Yield code and text of each defect of a path's CA certificates.

    rooted: whether the last certificate is trusted.
    """
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
    """Return the refusal for the first CA certificate that may not issue for servers. The trusted CA is not checked."""
    for depth, one in enumerate(path[1:-1], 1):
        if not _for_servers(one):
            return _Refusal(_PURPOSE, depth, "")
    return None


def _for_servers(certificate: Certificate) -> bool:
    """Return whether a CA may issue for server authentication. A CA's purposes limit its certificates.

    RFC 5280 does not require this limit. OpenSSL (openssl-verification-options(1), "extended key usage") and Windows
    do.
    """
    purposes = extension(certificate, "ExtendedKeyUsage")
    return purposes is None or not {SERVER_AUTH, ANY_PURPOSE}.isdisjoint(one.dotted_string for one in purposes)


def _no_ca(certificate: Certificate) -> str:
    """Return why the certificate may not sign others; empty without a reason (RFC 5280 sections 4.2.1.3, 4.2.1.9)."""
    if not may_sign(certificate):
        return "is not a CA certificate"
    usage = extension(certificate, "KeyUsage")
    return "may not sign certificates (no keyCertSign)" if usage is not None and not usage.key_cert_sign else ""


def _extensionless(certificate: Certificate) -> bool:
    """Return whether the certificate is a root from before X.509 version 3. Such a root has no extensions.

    OpenSSL and Windows accept such a root if the root is trusted.
    """
    return certificate.version.value == 0 and self_signed(certificate)


def _path_length(path: Path, depth: int) -> str:
    constraints = extension(path[depth], "BasicConstraints")
    most = constraints.path_length if constraints is not None else None
    # Self-issued certificates do not count (RFC 5280 section 4.2.1.9).
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
    """Return the lowest CA certificate whose name constraints are violated. Its path is refused for names."""
    for end in range(2, len(path)):
        refusal = _verify(path[0], path[1 : end - 1], path[end - 1 : end], now)
        if refusal is not None and refusal.code in _NAMES:
            return path[end - 1]
    return path[-1]


def _spoiling(path: Path, refusal: _Refusal, now: datetime.datetime) -> Certificate:
    """Return the certificate to leave out, so that another path may be valid."""
    if refusal.code in _NAMES:
        return _constraining(path, now)
    return path[min(refusal.depth, len(path) - 1)]


def _called(path: Path, one: Certificate, trusted: bool = False) -> str:
    if one is path[0]:
        return "it"
    kind = "root" if self_signed(one) else "intermediate"
    return "the %s %s%s" % (kind, shown(one.subject), " of the trust store" if trusted else "")


def _group(defects: t.Iterable[tuple[str, str]]) -> list[Finding]:
    """Return one finding for each code. The texts have the order of the path."""
    texts: dict[str, list[str]] = {}
    for code, text in defects:
        texts.setdefault(code, []).append(text)
    return [error(code, ", and ".join(found), CHAIN[code]) for code, found in texts.items()]
