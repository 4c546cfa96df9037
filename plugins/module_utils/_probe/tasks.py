# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What xmpp_partner_probe_info does: its options, what they stand for, and the probes. Needs no server session."""

from __future__ import annotations

import collections
import functools
import typing as t

from .._base.names import Invalid, canonical_domain
from .._base.result import Params, Refused, Result
from .._base.task import Task
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
from .facts import DEFAULT_PORT
from .findings import VERDICTS
from .prober import Entry, Job, Prober, Settings, concurrently

# The properties of a partner that its probe depends on.
_PROBED = (
    "additional_domains", "tls_negotiation", "sasl_negotiation", "support_dialback_negotiation", "proxy_fqdn",
)  # fmt: skip

ARGUMENT_SPEC: dict[str, t.Any] = {
    "domains": {"type": "list", "elements": "str", "default": []},
    "partners": {"type": "list", "elements": "dict", "default": [], "options": PARTNER.spec()},
    "from_domain": {"type": "str", "required": True},
    "own_domains": {"type": "list", "elements": "str", "default": []},
    "access_edge": {"type": "str"},
    "gateway_port": {"type": "int", "default": DEFAULT_PORT},
    "certificate": {
        "type": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "passphrase": {"type": "str", "no_log": True},
        },
    },
    "trust_store": {"type": "path"},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
    "workers": {"type": "int", "default": 50},
    "expires_within": {"type": "int", "default": 14},
    "allow_local": {"type": "bool", "default": True},
}

_PACKAGES = (
    (x509.IMPORT_ERROR, "cryptography"),
    (dns.IMPORT_ERROR, "dnspython"),
    (client.IMPORT_ERROR, "pyOpenSSL"),
    (peer_certificate.IMPORT_ERROR, "service-identity"),
)


def work(params: Params, shell: Shell, check: bool) -> Result:
    """xmpp_partner_probe_info. Changes nothing, so check mode makes no difference. Raises Refused."""
    _require_packages()
    reasons: list[str] = []

    def checked(name: str, read: t.Callable[[], t.Any]) -> t.Any:
        try:
            return read()
        except Refused as exc:
            reasons.extend(exc.reasons)
        except (Invalid, Unusable) as exc:
            reasons.append("%s: %s" % (name, exc))
        except OSError as exc:
            reasons.append("%s: %s cannot be read: %s" % (name, exc.filename, exc.strerror))
        return None

    jobs = checked("domains", lambda: _jobs(params))
    from_ = checked("from_domain", lambda: canonical_domain(params["from_domain"]))
    own_domains = checked("own_domains", lambda: _domains(params["own_domains"]))
    access_edge = checked(
        "access_edge", lambda: canonical_domain(params["access_edge"]) if params["access_edge"] else ""
    )
    resolver = checked("nameservers", lambda: Resolver(params["nameservers"]))
    bundle = checked("certificate", lambda: _bundle(params["certificate"]))
    store = params["trust_store"] or checked("trust_store", trust_store.default)
    trusted: t.Any = checked("trust_store", lambda: trust_store.load(store)) if store else None
    reasons += ["%s: has to be above 0" % name for name in ("timeout", "workers") if not params[name] > 0]
    if not 0 < params["gateway_port"] < 65536:
        reasons.append("gateway_port: %d is not a port" % params["gateway_port"])
    if reasons:
        raise Refused(reasons)
    settings = Settings(
        from_,
        trusted.certificates,
        params["timeout"],
        params["expires_within"],
        bundle,
        params["gateway_port"],
        params["allow_local"],
    )
    prober = Prober(settings, resolver)
    # The gateway answers to its partners, and offers TLS to those whose row has it; only where none is declared does it
    # hear from itself.
    partners = sorted((job for job in jobs if job.partner), key=lambda job: not _has_tls(job))
    asks, tls = (partners[0].domain, _has_tls(partners[0])) if partners else (from_, True)
    calls: list[t.Callable[[], Entry]] = [functools.partial(prober.partner, job) for job in jobs]
    calls += [functools.partial(prober.own, domain, asks, access_edge, tls) for domain in own_domains]
    entries = concurrently(calls, params["workers"])
    _settle_advice(entries[: len(jobs)])
    counted = collections.Counter(entry["verdict"] for entry in entries)
    return Result(
        {
            "domains": entries[: len(jobs)],
            "own": entries[len(jobs) :],
            "summary": {verdict: counted[verdict] for verdict in VERDICTS},
            "trust_store": store,
        },
        warnings=trusted.warnings,
    )


def _require_packages() -> None:
    missing = [name for error, name in _PACKAGES if error is not None]
    if missing:
        raise Refused(["%s is needed on the controller (a Python package)" % name for name in missing])


def _jobs(params: Params) -> list[Job]:
    """Partners with their additional domains first, then domains that stand for themselves. Raises Refused, Invalid."""
    if not params["partners"] and not params["domains"] and not params["own_domains"]:
        raise Refused(["one of domains, partners and own_domains is needed"])
    jobs: dict[str, Job] = {}
    reasons: list[str] = []
    for number, partner in enumerate(params["partners"]):
        # Of partners that were read, the rest is nobody's mistake here: somebody else set it, in another way.
        values, mistakes = PARTNER.checked({option: partner.get(option) for option in _PROBED})
        identity = ""
        try:
            identity = canonical_domain(str(partner["domain"]))
        except Invalid as exc:
            mistakes.insert(0, "domain %s" % exc)
        reasons += ["partners[%d]%s: %s" % (number, identity and " (%s)" % identity, text) for text in mistakes]
        values = {**PARTNER.defaults(), **values}
        row = Row(values["tls_negotiation"], values["sasl_negotiation"], values["support_dialback_negotiation"])
        for domain in (identity, *values["additional_domains"]):
            jobs.setdefault(domain, Job(domain, identity, row, values["proxy_fqdn"]))
    if reasons:
        raise Refused(reasons)
    for domain in _domains(params["domains"]):
        jobs.setdefault(domain, Job(domain))
    return list(jobs.values())


def _has_tls(job: Job) -> bool:
    return job.row is None or job.row.tls != "not_supported"


def _settle_advice(entries: t.Sequence[Entry]) -> None:
    """In plain values, and alike for the domains of a partner."""
    partners: dict[str, list[Entry]] = {}
    for entry in entries:
        partners.setdefault(entry["partner"] or entry["domain"], []).append(entry)
    for of_one in partners.values():
        for entry, settled in zip(of_one, common([entry["advice"] for entry in of_one]), strict=True):
            entry["advice"] = settled.as_dict()


def _domains(texts: t.Sequence[str]) -> list[str]:
    """In their order, each once. Raises Invalid."""
    return list(dict.fromkeys(canonical_domain(text) for text in texts))


def _bundle(given: Params | None) -> Bundle | None:
    """The own certificate with its key. Raises OSError, Unusable."""
    if given is None:
        return None
    with open(given["path"], "rb") as file:
        data = file.read()
    return load_pkcs12(data, Secret(given["passphrase"]) if given["passphrase"] else None)


TASK = Task(ARGUMENT_SPEC, work, session=False)
