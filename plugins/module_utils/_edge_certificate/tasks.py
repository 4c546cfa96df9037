# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of xmpp_gateway_cert and xmpp_gateway_cert_info: options, checks of the options, and the info."""

from __future__ import annotations

import datetime
import functools
import typing as t
from dataclasses import replace

from .._base import private_file
from .._base.findings import ERROR, UNKNOWN, Finding, in_order
from .._base.names import Invalid
from .._base.result import Params, Refused, Result
from .._base.task import STATE, Task
from .._shell.statement import Shell
from .._topology import graceful_stop as graceful
from .._x509 import certificate as x509
from .._x509 import chain, issue, trust_store
from .._x509 import later as ahead
from .._x509.certificate import describe
from .._x509.issuer import certificate_id
from .._x509.renewal import SHARE, RenewalRule, renewal
from . import issuer, renew_now
from . import listener as listeners
from .apply import apply
from .edge import LISTENING, MTLS, USAGES, EdgeReader, parsed
from .listener import Listener, listener_of
from .names import InvalidNames, required_names
from .offer import Waiting
from .plan import make_plan
from .report import report
from .sources import SOURCES, source_of
from .unbind import unbind
from .wanted import PHASES, SourceOptions, WantedCertificate

_USAGES = {"type": "list", "elements": "str", "choices": list(USAGES)}
_LIST = {"type": "list", "elements": "str", "default": []}
_RENEW: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "lifetime_share": {"type": "float"},
        "days": {"type": "int"},
        "as_of": {"type": "str"},
        "now": renew_now.OPTION,
        "issuer": issuer.OPTION,
        "check_crl": {"type": "bool", "default": False},
    },
}
_TEXT = {"type": "str"}
_PATH = {"type": "path"}
_SOURCE: dict[str, t.Any] = {
    "type": {"type": "str", "choices": list(SOURCES), "required": True},
    "path": _PATH,
    "passphrase": {"type": "str", "no_log": True},
    "key": {"type": "str", "choices": list(issue.KEYS), "default": SourceOptions.key, "no_log": False},
    "key_on": {"type": "str", "choices": ["controller", "edge"], "default": SourceOptions.key_on, "no_log": False},
    "days": {"type": "int", "default": SourceOptions.days},
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
# The options of both modules about the requirements of a certificate.
_REQUIREMENTS: dict[str, t.Any] = {
    "names": _LIST,
    "access_edge": {"type": "str"},
    "sip_domains": _LIST,
    "xmpp_domains": _LIST,
    "renew": _RENEW,
    "trust_store": {"type": "path"},
    "listener": {"type": "dict", "options": listeners.OPTIONS},
}

ARGUMENT_SPEC: dict[str, t.Any] = {
    "usages": {**_USAGES, "default": [LISTENING]},
    **_REQUIREMENTS,
    "source": {"type": "dict", "options": _SOURCE},
    "restart": {"type": "str", "choices": ["affected", "all", "none"], "default": "affected"},
    "graceful": graceful.OPTION,
    "phase": {"type": "str", "choices": list(PHASES), "default": "all"},
    "pool_size": {"type": "int", "default": 1},
    "remove_former_after": {"type": "int"},
    "state": STATE,
}

# In inventories, the options about a run have variables of their own, and the issuer's answer comes from tasks.
IN_INVENTORY: dict[str, t.Any] = {
    **{name: spec for name, spec in ARGUMENT_SPEC.items() if name not in ("phase", "pool_size")},
    "renew": {**_RENEW, "options": {name: spec for name, spec in _RENEW["options"].items() if name != "issuer"}},
}

INFO_ARGUMENT_SPEC: dict[str, t.Any] = {
    "usages": {**_USAGES, "choices": [*USAGES, *MTLS], "default": [*USAGES, *MTLS]},
    "managed": _USAGES,
    **_REQUIREMENTS,
}

# renew.as_of may be the start of a run, which is the same for all Edges. In check mode, renew.as_of may be any time.
_OTHER_TIME = datetime.timedelta(days=1)


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_gateway_cert. Raises Refused, ServerRefused, ShellError before anything is written."""
    _require_packages()
    usages = tuple(dict.fromkeys(params["usages"]))
    if not usages:
        raise Refused(["usages: the list is empty. Name at least one usage"])
    if params["state"] == "absent":
        return unbind(usages, shell, check)
    trusted = _trusted(params)
    wanted = _wanted(params, usages, check, trusted.certificates if trusted else None)
    reader = EdgeReader(shell)
    before = reader.read()
    offer = source_of(wanted, reader, before).choose()
    if isinstance(offer, Waiting):
        result = offer.result()
    else:
        plan = make_plan(wanted, offer, reader, before)
        result = report(plan, apply(plan, reader))
    return replace(result, warnings=[*(trusted.warnings if trusted else ()), *result.warnings])


def _wanted(
    params: Params, usages: tuple[str, ...], check: bool, anchors: tuple[t.Any, ...] | None
) -> WantedCertificate:
    """Return the options as typed values. Raises Refused."""
    now = _now()
    rule, decided_at = _renewal(params, now, check)
    listener = listener_of(params.get("listener"))
    if listener and LISTENING not in usages:
        text = "listener: it presents the certificate of %s. Add %s to usages, or remove listener" % (
            LISTENING,
            LISTENING,
        )
        raise Refused([text])
    return WantedCertificate(
        usages=usages,
        names=_names(params),
        anchors=anchors,
        rule=rule,
        decided_at=decided_at,
        valid_at=decided_at if check else now,
        now=now,
        source=SourceOptions.read(params["source"]),
        phase=params.get("phase") or "all",
        restart=params["restart"],
        graceful=graceful.Graceful.read(params.get("graceful")),
        keep_former=params.get("remove_former_after"),
        renew_now=_renew_now(params),
        issuer=issuer.IssuerOptions.read(params.get("renew")),
        pool_size=params.get("pool_size") or 1,
        listener=listener,
        check=check,
    )


def info(params: Params, shell: Shell, check: bool) -> Result:
    """Do the work of xmpp_gateway_cert_info: read the certificates in use on an Edge, with findings."""
    _require_packages()
    now = _now()
    names, trusted = _names(params), _trusted(params)
    anchors = trusted.certificates if trusted else None
    rule, time = _renewal(params, now, True)
    listener = listener_of(params.get("listener"))
    reader = EdgeReader(shell)
    assigned = reader.assigned()
    managed = [usage for usage in USAGES if usage in (params.get("managed") or params["usages"])]
    early, said = _renew_now(params), issuer.IssuerOptions.read(params.get("renew"))
    files = reader.files() if early or said.asked else []
    in_use = (one["Thumbprint"] for usage, one in assigned.items() if usage in params["usages"])
    wished = renew_now.outdated(early, reader, files, in_use)
    remarks = list(trusted.warnings) if trusted else []
    usages: dict[str, list[str]] = {}
    for usage in params["usages"]:
        if usage in assigned:
            usages.setdefault(assigned[usage]["Thumbprint"], []).append(usage)
    found = []
    if usages:
        store = reader.store()
        certificates = {wanted: parsed(store.get(wanted)) for wanted in usages}
        issuers = _issuers(reader, [one for one in certificates.values() if one is not None])
        rsa_only = reader.is_lync_2013()
        for wanted, certificate in certificates.items():
            facts: dict[str, t.Any] = dict.fromkeys((*x509.FACTS, "renewal", "renewal_info_id"))
            facts |= {"thumbprint": wanted, "later": []}
            findings = [
                Finding("not_in_store", "error", "it is not in the computer's store", "import and assign it again")
            ]
            if certificate is not None:
                facts = describe(certificate)
                start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
                facts["renewal_info_id"] = certificate_id(certificate)
                # Partners check the names and the CA. Internal certificates have other names, and often an internal CA.
                shown_to_partners = not set(usages[wanted]).isdisjoint(managed)
                own = renewal(start, end, time, rule)
                asked = issuer.Early()
                if shown_to_partners:
                    asked = issuer.early(said, certificate, own, time, lambda: [*issuers, *(anchors or ())])
                replaced, warnings = issuer.replaced(wished, asked, reader, files, wanted)
                facts["renewal"] = replaced.renewal(own, wanted).as_dict()
                remarks += warnings
                judge = functools.partial(
                    x509.check,
                    certificate,
                    names=names if shown_to_partners else (),
                    others=issuers,
                    anchors=anchors if shown_to_partners else None,
                    rsa_only=rsa_only,
                )
                findings = judge(now=time)
                facts["later"] = _later(certificate, (*issuers, *(anchors or ())), time, findings, judge)
                findings = in_order([*findings, *asked.findings])
            shown = [finding.as_dict() for finding in findings]
            of_these = [usage for usage in usages[wanted] if usage in managed]
            found.append({**facts, "usages": usages[wanted], "managed": of_these, "findings": shown})
    return Result(
        {
            "certificates": found,
            "presented": _presented(listener, names, anchors, time),
            "clock_ahead": reader.clock_ahead(),
        },
        warnings=remarks,
    )


def _later(
    certificate: t.Any,
    others: t.Iterable[t.Any],
    now: datetime.datetime,
    findings: list[Finding],
    judge: t.Callable[..., list[Finding]],
) -> list[dict[str, t.Any]]:
    """Return the later findings about the certificate, each finding with the time when the finding begins."""
    unchecked = any(one.code == x509.NOT_CHECKED for one in findings)
    states = ahead.later(
        certificate,
        others,
        now=now,
        soon=x509.SOON,
        first=findings,
        judge=lambda at, seconds: judge(now=at, seconds=seconds),
        same=lambda found: {(one.code, one.severity) for one in found},
        # If the check of the chain took too long, the check is not repeated for later times.
        seconds=-1.0 if unchecked else x509.CHAIN_SECONDS,
    )
    return ahead.shown((at, {"findings": [one.as_dict() for one in found]}) for at, found in states)


def file_is_good(params: Params, due: t.Collection[str] = ()) -> bool:
    """Return whether the source is a PKCS#12 file with a usable certificate that is not due.

    The run that uses the file reports its defects.

    params: the validated parameters of xmpp_gateway_cert.
    due: thumbprints of certificates that are known to be due.
    """
    source = SourceOptions.read(params.get("source") or {"type": ""})
    try:
        data = private_file.read_if_there(source.path, "source.path") if source.type == "pkcs12" else None
        if data is None:
            return False
        bundle = x509.load_pkcs12(data, source.passphrase)
        names, trusted = _names(params), _trusted(params)
        rule, time = _renewal(params, _now(), True)
    except (Refused, x509.Unusable):
        return False
    one = bundle.certificate
    if x509.thumbprint(one) in due or renewal(one.not_valid_before_utc, one.not_valid_after_utc, time, rule).due:
        return False
    anchors = trusted.certificates if trusted else None
    found = x509.check(one, now=time, names=names, others=bundle.others, anchors=anchors)
    return all(finding.severity not in (ERROR, UNKNOWN) for finding in found)


def _presented(
    listener: Listener | None, names: t.Sequence[str], anchors: t.Any, now: datetime.datetime
) -> dict[str, t.Any] | None:
    """Return the certificate of the listener with findings; None without a listener."""
    if listener is None:
        return None
    seen = listener.read()
    facts: dict[str, t.Any] = dict.fromkeys(x509.FACTS)
    findings: list[Finding] = []
    if seen.chain:
        leaf, *others = seen.chain
        facts = describe(leaf)
        findings = x509.check(leaf, now=now, names=names, others=others, anchors=anchors)
    shown = [finding.as_dict() for finding in findings]
    return {**facts, "address": listener.place, "reached": seen.reached, "message": seen.text, "findings": shown}


def _issuers(reader: EdgeReader, certificates: t.Sequence[t.Any]) -> list[t.Any]:
    """Return the intermediates that the Edge sends, and the Edge's roots if a root may be the direct issuer."""
    found: list[t.Any] = []
    for name in ("CA", "Root"):
        subjects = [one.subject for one in found]
        if any(one.issuer not in subjects for one in certificates):
            found += [one for one in map(parsed, reader.store(name).values()) if one is not None]
    return found


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _renewal(params: Params, now: datetime.datetime, check: bool) -> tuple[RenewalRule, datetime.datetime]:
    """Return when certificates are due, and the time of the decision. Raises Refused."""
    given = params.get("renew") or {}
    share = given.get("lifetime_share")
    rule = RenewalRule(SHARE if share is None else share, given.get("days"))
    mistakes = rule.mistakes
    time = now
    if given.get("as_of"):
        try:
            time = datetime.datetime.fromisoformat(str(given["as_of"]).replace("Z", "+00:00"))
            time = time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            mistakes.append("renew.as_of: '%s' must be a time such as 2027-03-01T00:00:00Z" % given["as_of"])
    if not check and abs(time - now) > _OTHER_TIME:
        mistakes.append("renew.as_of: is more than a day from now, which is allowed in check mode only. Add --check")
    if mistakes:
        raise Refused(mistakes)
    return rule, time


def _renew_now(params: Params) -> renew_now.RenewNow | None:
    """Read the option renew.now. Raises Refused."""
    found = renew_now.RenewNow.read((params.get("renew") or {}).get("now"))
    if found and found.mistakes:
        raise Refused(found.mistakes)
    return found


def _names(params: Params) -> tuple[str, ...]:
    try:
        found = required_names(
            params["names"],
            params.get("access_edge"),
            params.get("sip_domains") or (),
            params.get("xmpp_domains") or (),
        )
    except InvalidNames as exc:
        raise Refused(exc.texts) from None
    return tuple(found)


def _trusted(params: Params) -> trust_store.Store | None:
    path = params.get("trust_store")
    if not path:
        return None
    try:
        return trust_store.load(str(path))
    except Invalid as exc:
        raise Refused(["trust_store: %s" % exc]) from None


def _require_packages() -> None:
    packages = ((x509.IMPORT_ERROR, "cryptography"), (chain.IMPORT_ERROR, "pyOpenSSL"))
    missing = [name for error, name in packages if error is not None]
    if missing:
        raise Refused(["%s is missing. Install this Python package on the controller" % name for name in missing])


TASK = Task(ARGUMENT_SPEC, work, (("state", "present", ("source",)),), writes=True)
INFO_TASK = Task(INFO_ARGUMENT_SPEC, info)
