# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run xmpp_partner_probe_info: check the options, then probe the domains. The module needs no session with a server."""

from __future__ import annotations

import collections
import functools
import typing as t

from .._base.names import Invalid, canonical_domain
from .._base.result import Params, Refused, Result
from .._base.task import Task
from .._base.texts import foreign
from .._federation.catalogue import PARTNER
from .._federation.negotiation import Row
from .._shell.statement import Secret, Shell
from .._x509 import certificate as x509
from .._x509 import trust_store
from .._x509.certificate import Bundle, Unusable, load_pkcs12
from .._xmpp import client
from . import certificate as peer_certificate
from . import dns
from .advice import common
from .dns import Resolver
from .edge_judge import with_edges
from .edge_view import view_of
from .options import ARGUMENT_SPEC, PROBED, VERDICTS
from .prober import Entry, Job, Prober, ProbeSettings, concurrently

_PACKAGES = (
    (x509.IMPORT_ERROR, "cryptography"),
    (dns.IMPORT_ERROR, "dnspython"),
    (client.IMPORT_ERROR, "pyOpenSSL"),
    (peer_certificate.IMPORT_ERROR, "service-identity"),
)


def work(params: Params, shell: Shell, check: bool) -> Result:
    """Run xmpp_partner_probe_info. The probe changes nothing, so check mode has no effect. Raises Refused."""
    _require_packages()
    reasons: list[str] = []
    jobs = _checked(reasons, "domains", lambda: _jobs(params))
    own_domains = _checked(reasons, "own_domains", lambda: _own_domains(params))
    access_edge = _checked(
        reasons, "access_edge", lambda: canonical_domain(params["access_edge"]) if params["access_edge"] else ""
    )
    opened = _checked(reasons, "", lambda: open_prober(params))
    if reasons:
        raise Refused(reasons)
    prober, store, warnings = opened
    from_ = prober.asks_as
    # The gateway answers only to partners, and offers TLS only to partners whose settings have TLS. So the probe of the
    # own domains uses a partner's name. If no partner is declared, the probe uses the own name.
    usable = (job for job in jobs if job.partner and not job.unusable)
    partners = sorted(usable, key=lambda job: not _has_tls(job))
    asks, tls = (partners[0].domain, _has_tls(partners[0])) if partners else (from_, True)
    calls: list[t.Callable[[], Entry]] = [functools.partial(prober.partner, job) for job in jobs]
    calls += [functools.partial(prober.own, name, asks, access_edge, tls, why) for name, why in own_domains.items()]
    entries = concurrently(calls, params["workers"])
    views = [view_of(one) for one in params.get("views") or ()]
    entries[: len(jobs)] = [with_edges(entry, views) for entry in entries[: len(jobs)]]
    _settle_advice(entries[: len(jobs)])
    counted = collections.Counter(entry["verdict"] for entry in entries)
    return Result(
        {
            "domains": entries[: len(jobs)],
            "own": entries[len(jobs) :],
            "summary": {verdict: counted[verdict] for verdict in VERDICTS},
            "trust_store": store,
        },
        warnings=warnings,
    )


def _checked(reasons: list[str], name: str, read: t.Callable[[], t.Any]) -> t.Any:
    """Return the value of an option. If the value is wrong, return None and add the reason."""
    try:
        return read()
    except Refused as exc:
        reasons.extend(exc.reasons)
    except (Invalid, Unusable) as exc:
        reasons.append("%s: %s" % (name, exc))
    except OSError as exc:
        reasons.append("%s: %s cannot be read: %s" % (name, exc.filename, exc.strerror))
    return None


def open_prober(params: Params) -> tuple[Prober, str, list[str]]:
    """Return a prober for the options, the file of its trust store, and warnings about this file. Raises Refused."""
    _require_packages()
    reasons: list[str] = []
    checked = functools.partial(_checked, reasons)
    from_ = checked("from_domain", lambda: canonical_domain(params["from_domain"]))
    resolver = checked("nameservers", lambda: Resolver(params["nameservers"]))
    bundle = checked("certificate", lambda: _bundle(params["certificate"]))
    store = params["trust_store"] or checked("trust_store", trust_store.default)
    trusted: t.Any = checked("trust_store", lambda: trust_store.load(store)) if store else None
    reasons += ["%s: must be above 0" % name for name in ("timeout", "workers") if not params[name] > 0]
    if not 0 < params["gateway_port"] < 65536:
        reasons.append("gateway_port: %d is not a port; set a number from 1 to 65535" % params["gateway_port"])
    if reasons:
        raise Refused(reasons)
    settings = ProbeSettings(
        from_,
        trusted.certificates,
        params["timeout"],
        params["expires_within"],
        bundle,
        params["gateway_port"],
        params["allow_local"],
        what_if=params.get("what_if", False),
    )
    return Prober(settings, resolver), store, list(trusted.warnings)


def _require_packages() -> None:
    missing = [name for error, name in _PACKAGES if error is not None]
    if missing:
        raise Refused(["install the Python package %s on the controller" % name for name in missing])


def _jobs(params: Params) -> list[Job]:
    """Return the jobs: partners with their additional domains, then single domains. Raises Refused, Invalid."""
    if not params["partners"] and not params["domains"] and not params["own_domains"]:
        raise Refused(["set domains, partners or own_domains"])
    jobs: dict[str, Job] = {}
    reasons: list[str] = []
    was_read = "partners" in params.get("read", ())
    for number, partner in enumerate(params["partners"]):
        found, mistakes = _read_jobs(partner) if was_read else _declared_jobs(partner, number)
        reasons += mistakes
        for job in found:
            jobs.setdefault(job.domain, job)
    if reasons:
        raise Refused(reasons)
    for domain in _domains(params["domains"]):
        jobs.setdefault(domain, Job(domain))
    return list(jobs.values())


def _declared_jobs(partner: Params, number: int) -> tuple[list[Job], list[str]]:
    """Return the jobs of a declared partner, and the mistakes in its settings."""
    values, mistakes = PARTNER.checked({option: partner.get(option) for option in PROBED})
    identity = ""
    try:
        identity = canonical_domain(str(partner["domain"]))
    except Invalid as exc:
        mistakes.insert(0, "domain %s" % exc)
    place = "partners[%d]%s: " % (number, identity and " (%s)" % identity)
    values = {**PARTNER.defaults(), **values}
    names = (identity, *values["additional_domains"])
    return [Job(name, identity, _row(values), values["proxy_fqdn"]) for name in names], [place + m for m in mistakes]


def _read_jobs(partner: Params) -> tuple[list[Job], list[str]]:
    """Return the jobs of a partner that was read from a server. An invalid name is not probed, and gets a finding."""
    row = _row({**PARTNER.defaults(), **{name: value for name, value in partner.items() if value is not None}})
    given = str(partner.get("proxy_fqdn") or "")
    proxy, through = _usable(given) if given else ("", "")
    names = [_usable(str(name)) for name in (partner["domain"], *(partner.get("additional_domains") or ()))]
    through = through and "proxy_fqdn " + through
    return [Job(name, names[0][0], row, proxy, why or through) for name, why in names], []


def _row(values: Params) -> Row:
    return Row(values["tls_negotiation"], values["sasl_negotiation"], values["support_dialback_negotiation"])


def _usable(name: str) -> tuple[str, str]:
    """Return a name from a server in the form for the probe.

    If the name is invalid, return the name unchanged with the reason.
    """
    try:
        return canonical_domain(name), ""
    except Invalid as exc:
        return name, foreign(str(exc))


def _own_domains(params: Params) -> dict[str, str]:
    """Return the own domains in order, each with the reason why the domain cannot be probed, or ''. Raises Invalid."""
    if "own_domains" in params.get("read", ()):
        return dict(_usable(str(name)) for name in params["own_domains"])
    return dict.fromkeys(_domains(params["own_domains"]), "")


def _has_tls(job: Job) -> bool:
    return job.row is None or job.row.tls != "not_supported"


def _settle_advice(entries: t.Sequence[Entry]) -> None:
    """Convert the advice to plain values. All domains of a partner get the same advice."""
    partners: dict[str, list[Entry]] = {}
    for entry in entries:
        partners.setdefault(entry["partner"] or entry["domain"], []).append(entry)
    for of_one in partners.values():
        for entry, settled in zip(of_one, common([entry["advice"] for entry in of_one]), strict=True):
            entry["advice"] = settled.as_dict()


def _domains(texts: t.Sequence[str]) -> list[str]:
    """Return the domains in their order, without duplicates. Raises Invalid."""
    return list(dict.fromkeys(canonical_domain(text) for text in texts))


def _bundle(given: Params | None) -> Bundle | None:
    """Return the own certificate with its key. Raises OSError, Unusable."""
    if given is None:
        return None
    with open(given["path"], "rb") as file:
        data = file.read()
    return load_pkcs12(data, Secret(given["passphrase"]) if given["passphrase"] else None)


TASK = Task(ARGUMENT_SPEC, work, session=False)
# The task for the playbooks. The option ``read`` has the names of options whose values were read from a server. The
# rules for an inventory do not apply to these values. The option ``views`` has the test results of the Edges. With
# ``what_if``, the entry of each partner has the effect of possible events. The option ``what_if`` needs one more
# connection per partner.
READ = Task(
    {
        **ARGUMENT_SPEC,
        "views": {"type": "list", "elements": "dict", "default": []},
        "read": {"type": "list", "elements": "str", "choices": ["partners", "own_domains"], "default": []},
        "what_if": {"type": "bool", "default": False},
    },
    work,
    session=False,
)
