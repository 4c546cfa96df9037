# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a certificate comes from: for each kind of source, what is there already, what is due, what is to be made.

A source on the controller is a PKCS#12 file: whoever makes the certificate, all Edges of a pool get what the file
holds. With the key on the Edge, the Edge's store is what counts.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._base import private_file
from .._base.findings import Finding
from .._base.result import Params, Refused
from .._shell.statement import Secret, Shell
from .._x509 import certificate as x509
from .._x509 import issue
from .._x509.certificate import Bundle, Unusable, judge
from .._x509.renewal import Rule, Verdict
from .._x509.renewal import judge as judge_renewal
from . import request_controller, request_edge
from .edge import ASKED, REQUEST, Edge, Sight, Stored
from .gateway_certificate import Choice, check_clock
from .supply import FromAnswer, FromAuthority, FromBundle, Issued, Supply, newest_first

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

TYPES = ("pkcs12", "own_ca", "self_signed", "request", "enterprise_ca")
_TEXT = {"type": "str"}
_PATH = {"type": "path"}
OPTIONS: dict[str, t.Any] = {
    "type": {"type": "str", "choices": list(TYPES), "required": True},
    "path": _PATH,
    "passphrase": {"type": "str", "no_log": True},
    "key": {"type": "str", "choices": list(issue.KEYS), "default": "rsa2048", "no_log": False},
    "key_on": {"type": "str", "choices": ["controller", "edge"], "default": "controller", "no_log": False},
    "days": {"type": "int", "default": 90},
    "ca_certificate": _PATH,
    "ca_key": {"type": "path", "no_log": False},
    "ca_passphrase": {"type": "str", "no_log": True},
    "crl": _TEXT,
    "request": _PATH,
    "answer": _PATH,
    "ca": _TEXT,
    "ca_account": _TEXT,
    "ca_password": {"type": "str", "no_log": True},
    "template": _TEXT,
}
_FILE = ("path",)
# What each kind needs beside its type.
_NEEDS = {
    "pkcs12": _FILE,
    "own_ca": ("path", "ca_certificate", "ca_key"),
    "self_signed": _FILE,
    "enterprise_ca": ("ca",),
}


@dataclass(frozen=True)
class Need:
    """What is asked for.

    names: canonical, the Access Edge's first. anchors: of the trust store; None: none is given. time: for decisions
    about renewal, the same for all Edges of a run; now: when certificates are made and valid; clock: what the
    controller's clock says, which differs from now in a look ahead. All in UTC. may_make: whether this run may make or
    request a certificate; check: it only says that it would.
    """

    usages: t.Sequence[str]
    names: t.Sequence[str]
    anchors: t.Sequence[t.Any] | None
    rule: Rule
    time: datetime.datetime
    now: datetime.datetime
    clock: datetime.datetime
    pool_size: int
    may_make: bool
    check: bool


def mistakes(source: Params, need: Need) -> list[str]:
    """What is missing from the source or contradicts it."""
    kind = source["type"]
    on_edge = kind == "enterprise_ca" or (kind == "request" and source["key_on"] == "edge")
    wanted = _NEEDS.get(kind) or (("request", "answer") if on_edge else ("path", "request", "answer"))
    found = ["source.%s: is needed with type %s" % (name, kind) for name in wanted if not source.get(name)]
    if kind != "pkcs12" and not need.names:
        found.append("names: a certificate that is to be made needs names")
    if source["days"] < 1:
        found.append("source.days: %s is not a number of days above 0" % source["days"])
    if on_edge and need.pool_size > 1 and "AudioVideoAuthentication" in need.usages:
        found.append(
            "source: a key that stays on its Edge cannot be shared, and for AudioVideoAuthentication all %d Edges of "
            "the pool need the same; use a source on the controller" % need.pool_size
        )
    if on_edge and source["key"] == "rsa3072":
        found.append("source.key: Request-CsCertificate makes RSA keys of 2048 and 4096 bits, not of 3072")
    if bool(source.get("ca_account")) != bool(source.get("ca_password")):
        found.append("source: ca_account and ca_password belong together")
    return found


class Sources:
    """Chooses for one Edge. choose() raises Refused, ServerRefused, ShellError before anything was written there."""

    def __init__(self, source: Params, need: Need, shell: Shell, before: Sight) -> None:
        self.source, self.need, self.shell, self.before = source, need, shell, before
        self.edge = Edge(shell)
        self._issuers: list[t.Any] | None = None
        self.in_force = self._assigned()
        self.verdict = self._verdict(self.in_force) if self.in_force is not None else None

    def choose(self) -> Choice:
        wrong = mistakes(self.source, self.need)
        if wrong:
            raise Refused(wrong)
        kind = self.source["type"]
        elliptic = issue.is_elliptic(self.source["key"])
        if kind != "pkcs12" and elliptic and self.edge.is_lync_2013():
            raise Refused(["source.key: Lync Server 2013 cannot use elliptic keys; use RSA"])
        if kind == "pkcs12":
            return self._from_file()
        if kind == "enterprise_ca":
            return self._from_authority()
        if kind == "request" and self.source["key_on"] == "edge":
            return self._from_edge()
        with private_file.alone(str(self.source["path"]), "source.path"):
            return self._requested() if kind == "request" else self._made()

    # The kinds

    def _from_file(self) -> Choice:
        bundle = self._load()
        findings = self._accept(bundle.certificate, bundle.others, str(self.source["path"]))
        choice = self._use(bundle, findings)
        offered = self._verdict(bundle.certificate)
        if offered.due:
            text = "%s: renewal is due (%s); put a new file there" % (self.source["path"], offered.reason)
            choice.warnings.append(text)
        return choice

    def _made(self) -> Choice:
        """own_ca, self_signed: what the file holds, or what is in force, while it is good; else a new one."""
        offered = self._offered()
        if offered is not None:
            return offered
        if self._still_good() or not self.need.may_make:
            return self._keep()
        check_clock(self.edge, self.need.clock)
        key = issue.make_key(self.source["key"])
        try:
            bundle = self._issue(key)
        except Unusable as exc:
            raise Refused(["source: %s" % finding for finding in exc.findings]) from None
        findings = self._accept(bundle.certificate, bundle.others, "source")
        if not self.need.check:
            data = issue.pkcs12_file(bundle, self._secret("passphrase"))
            private_file.write(str(self.source["path"]), data, "source.path")
        return self._use(bundle, findings, made=True)

    def _issue(self, key: t.Any) -> Bundle:
        source, need = self.source, self.need
        if source["type"] == "self_signed":
            return issue.self_signed(key, need.names, source["days"], need.now)
        chain = x509.load_chain(private_file.read(str(source["ca_certificate"]), "source.ca_certificate"))
        ca_key = issue.load_key(
            private_file.read(str(source["ca_key"]), "source.ca_key"), self._secret("ca_passphrase"), "source.ca_key"
        )
        authority = issue.Authority(chain, ca_key)
        return authority.issue(key, need.names, source["days"], need.now, source.get("crl"))

    def _requested(self) -> Choice:
        """request, with the key on the controller."""
        offered = self._offered()
        if offered is not None:
            return offered
        if not request_controller.waits(self.source) and (self._still_good() or not self.need.may_make):
            return self._keep()
        found = request_controller.proceed(
            self.source, self.need.names, self._secret("passphrase"), self.need.check or not self.need.may_make
        )
        if isinstance(found, Bundle):
            findings = self._accept(found.certificate, found.others, str(self.source["answer"]))
            request_controller.finish(self.source, found, self._secret("passphrase"), self.need.check)
            return self._use(found, findings)
        return Choice(found.result(self._facts()), verdict=self.verdict)

    def _from_edge(self) -> Choice:
        """request, with the key on the Edge."""
        state = request_edge.Request(self.source, self.need.usages, self.need.names, self.shell, self.before)
        if REQUEST in self.before.files:
            answer = state.answer()
            if answer is None:
                return Choice(state.wait(self._facts(), self.need.check), verdict=self.verdict)
            certificate, others = answer
            findings = self._accept(certificate, others, str(self.source["answer"]))
            return Choice(FromAnswer(certificate), findings=findings, verdict=self.verdict)
        staged = [one for one in self._with_keys() if x509.public_key_of(one) == state.saved_key()]
        for one in staged:
            if self._good(one):
                return Choice(Supply(one), findings=self._judge(one, self._known_issuers()), verdict=self.verdict)
        if self._still_good() or not self.need.may_make:
            return self._keep()
        check_clock(self.edge, self.need.clock)
        return Choice(state.make(self._facts(), self.need.check), verdict=self.verdict)

    def _from_authority(self) -> Choice:
        """enterprise_ca: what it issued for us, while it is good; else a new one."""
        asked = ASKED in self.before.files
        if asked:
            earlier = self.edge.text(ASKED).split()
            for one in self._with_keys():
                if x509.thumbprint(one) not in earlier and self._good(one):
                    findings = self._judge(one, self._known_issuers())
                    return Choice(Issued(one), findings=findings, verdict=self.verdict)
        if not asked and (self._still_good() or not self.need.may_make):
            return self._keep()
        check_clock(self.edge, self.need.clock)
        parameters = request_edge.parameters(self.source, self.need.usages, self.need.names)
        supply = FromAuthority(parameters, asked, lambda one: not self._errors(one))
        return Choice(supply, verdict=self.verdict, made=True)

    # What they have in common

    def _offered(self) -> Choice | None:
        """The file's certificate, if there is a file and it is good for a while yet."""
        if private_file.read_if_there(str(self.source["path"]), "source.path") is None:
            return None
        bundle = self._load()
        if self._verdict(bundle.certificate).due:
            return None
        if self._errors(bundle.certificate, bundle.others):
            return None
        return self._use(bundle, self._judge(bundle.certificate, bundle.others))

    def _use(self, bundle: Bundle, findings: t.Sequence[Finding], made: bool = False) -> Choice:
        return Choice(FromBundle(bundle, self.need.now), findings=findings, verdict=self.verdict, made=made)

    def _keep(self) -> Choice:
        """What is in force stays. Raises Refused if that is nothing."""
        if self.in_force is None:
            raise Refused(["nothing is staged that this Edge could use, and this phase makes nothing; stage first"])
        found = self._judge(self.in_force, self._known_issuers())
        findings = [finding for finding in found if finding.severity != "error"]
        return Choice(Supply(self.in_force), findings=findings, verdict=self.verdict)

    def _still_good(self) -> bool:
        """Whether what is in force satisfies all that is asked for, and is not due."""
        return self.in_force is not None and self._good(self.in_force)

    def _good(self, certificate: Certificate) -> bool:
        """The same of one in the Edge's store."""
        return not self._verdict(certificate).due and not self._errors(certificate, self._known_issuers())

    def _known_issuers(self) -> list[t.Any] | None:
        """The Edge's intermediates, where trust is judged: what is in the store came without its file."""
        if self.need.anchors is None:
            return None
        if self._issuers is None:
            self._issuers = [one for one in map(parsed, self.edge.store("CA").values()) if one is not None]
        return self._issuers

    def _load(self) -> Bundle:
        path = str(self.source["path"])
        data = private_file.read(path, "source.path")
        try:
            return x509.load_pkcs12(data, self._secret("passphrase"))
        except Unusable as exc:
            raise Refused(["%s: %s" % (path, finding) for finding in exc.findings]) from None

    def _judge(self, certificate: Certificate, others: t.Sequence[Certificate] | None = None) -> list[Finding]:
        need = self.need
        elliptic = x509.is_elliptic(certificate)
        return judge(
            certificate,
            now=need.now,
            names=need.names,
            others=others,
            # A self-signed certificate can only vouch for itself.
            anchors=None if self.source["type"] == "self_signed" else need.anchors,
            rsa_only=elliptic and self.edge.is_lync_2013(),
        )

    def _errors(self, certificate: Certificate, others: t.Sequence[Certificate] | None = None) -> list[Finding]:
        return [finding for finding in self._judge(certificate, others) if finding.severity == "error"]

    def _accept(self, certificate: Certificate, others: t.Sequence[Certificate], place: str) -> list[Finding]:
        """The warnings about a certificate. Raises Refused with everything that makes it unusable."""
        findings = self._judge(certificate, others)
        errors = ["%s: %s" % (place, finding) for finding in findings if finding.severity == "error"]
        if errors:
            raise Refused(errors)
        return findings

    def _verdict(self, certificate: Certificate) -> Verdict:
        need = self.need
        return judge_renewal(certificate.not_valid_before_utc, certificate.not_valid_after_utc, need.time, need.rule)

    def _assigned(self) -> Certificate | None:
        """The one certificate that all usages have; None if they do not have the same, or it is not to be read."""
        names = {self.before.thumbprint(usage) for usage in self.need.usages}
        (name,) = names if len(names) == 1 else (None,)
        return parsed(self.before.store.get(name)) if name else None

    def _with_keys(self) -> list[Certificate]:
        """The certificates in the store whose key is there; the newest first."""
        found = [parsed(stored) for stored in self.before.store.values() if stored.has_key is not False]
        return newest_first(one for one in found if one is not None)

    def _secret(self, option: str) -> Secret | None:
        text = self.source.get(option)
        return Secret(str(text)) if text else None

    def _facts(self) -> dict[str, t.Any]:
        """What a run returns that ends with a request, beside the request itself."""
        return {
            "assigned": {usage: self.before.thumbprint(usage) for usage in self.need.usages},
            "renewal": self.verdict.as_dict() if self.verdict else None,
        }


def parsed(stored: Stored | None) -> Certificate | None:
    """The certificate, or None if there is none that can be decoded."""
    try:
        return x509.parse(stored.raw) if stored else None
    except Unusable:
        return None
