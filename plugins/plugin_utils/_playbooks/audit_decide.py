# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit asks, what it comes to, and what it shows. Pure: settings and results go in, values come out."""

from __future__ import annotations

import typing as t

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import UNNAMED, printable
from ...module_utils._base.version import VERSION
from ...module_utils._probe.own_domains import asking, own_domains
from .._documents import audit_forecast
from .._documents import audit_texts as words
from .._documents.audit_document import Audit
from .._documents.finding_order import reached, sentence
from .accepted import Accepted
from .audit import make_audit, moment, unexplained
from .audit_gather import Result, not_compared
from .audit_judge import judge
from .forecast import Ahead, forecast
from .verification import names_in, own_certificate

Settings = t.Mapping[str, t.Any]

# Options of the probe that are settings of their own.
_AS_SET = ("gateway_port", "trust_store", "nameservers", "timeout", "workers", "expires_within")
# A screen has room for these; audit.md has more, and audit.json has all.
MOST_LINES = 50


def probe_options(verification: Settings, certificate: Settings, sip_domains: t.Sequence[str]) -> dict[str, t.Any]:
    """The options of xmpp_partner_probe_info, but for the partners.

    verification: the value of sfb_xmpp_verification. certificate: of sfb_xmpp_certificate. sip_domains: those of the
    deployment; empty if they could not be read.
    """
    mine = own_certificate(certificate)
    own = names_in(verification.get("own_domains")) or own_domains(sip_domains, mine.names)
    options = {name: verification.get(name) for name in _AS_SET}
    options["own_domains"] = own
    options["access_edge"] = access_edge(verification, certificate)
    # DNS of a partner does not lead the controller to itself, unless somebody wants that.
    options["allow_local"] = bool(verification.get("allow_local"))
    options["certificate"] = verification.get("certificate") or mine.file
    found = {name: value for name, value in options.items() if value not in (None, "", [], {})}
    # The probe itself says that it needs a domain to ask in the name of.
    return {**found, "from_domain": verification.get("from_domain") or asking(own)}


def access_edge(verification: Settings, certificate: Settings) -> str:
    """The name of the Access Edge, which is the first one of its certificate; empty if nobody says it."""
    return str(verification.get("access_edge") or own_certificate(certificate).access_edge)


def decide(
    *,
    deployment: str,
    host: str,
    time: str,
    existing: Result,
    plan: Result,
    probe: Result,
    edges: t.Mapping[str, Result],
    access_edge: str,
    front_ends: t.Mapping[str, Result] | None = None,
    services: t.Sequence[Result] = (),
    views: t.Mapping[str, Result] | None = None,
    previous: Audit | None = None,
    declared: Settings | None = None,
    accepted: t.Sequence[Accepted] = (),
    ahead: Ahead | None = None,
) -> Audit:
    """The audit of a deployment. See gather() and make_audit() for the arguments.

    declared: the settings, of which the notes of partners and policies are looked at. accepted: see accepted.py.
    previous: the audit that the directory has; another deployment's does not count. ahead: of the forecast; None: it is
    not made, and the support of no release is looked at. Raises Refused if the deployment
    could not be compared with what is declared, Invalid where a result has not the form that an audit needs.
    """
    if why := not_compared(plan):
        text = "%s could not be compared with what is declared, so the files of the last audit stay: %s"
        raise Refused([text % (deployment, why)])
    reading = {
        "deployment": deployment,
        "existing": existing,
        "plan": plan,
        "probe": probe,
        "edges": edges,
        "access_edge": access_edge,
        "front_ends": front_ends,
        "services": services,
        "views": views,
    }
    now, said = moment(time), declared or {}
    gathered = judge(reading, now, declared=said, accepted=accepted, releases=ahead.releases if ahead else ())
    found = [*gathered["findings"], *unexplained(gathered["partners"], gathered["findings"])]
    return make_audit(
        collection=VERSION,
        deployment=deployment,
        time=time,
        host=host,
        previous=previous if previous and previous["deployment"] == deployment else None,
        forecast=forecast(reading, found, now, declared=said, accepted=accepted, ahead=ahead) if ahead else None,
        **gathered,
    )


def lines(audit: Audit, paths: t.Sequence[str], fail_on: str) -> list[str]:
    """What people see: the headline, the findings that count, the files.

    Raises Invalid for a ``fail_on`` that is none.
    """
    counting = reached(audit["findings"], fail_on)
    shown = ["  %-7s  %s: %s" % (one["severity"], one["object"], sentence(one)) for one in counting[:MOST_LINES]]
    more = len(counting) - len(shown)
    return [
        printable("Audit of %s: %s" % (_name(audit), words.headline(audit))),
        *map(printable, shown),
        *(["  %s more in audit.json" % format(more, ",")] if more else ()),
        *([_counted(audit)] if audit["findings"] else ()),
        *map(printable, audit_forecast.lines(audit)),
        "Files:",
        *("  " + path for path in paths),
    ]


def _name(audit: Audit) -> str:
    """The deployment's label; its host where the inventory has none."""
    return str(audit["host"] if audit["deployment"] == UNNAMED else audit["deployment"])


def _counted(audit: Audit) -> str:
    numbers = audit["summary"]["findings"]
    names = {"error": "error", "warning": "warning", "info": "note"}
    found = [
        words.counted(numbers[word], names[word]) if word in names else "%s %s" % (format(numbers[word], ","), word)
        for word in words.SEVERITIES
        if numbers[word]
    ]
    return "Findings: %s." % ", ".join(found)


def outcome(audit: Audit, paths: t.Sequence[str], fail_on: str) -> dict[str, t.Any]:
    """The keys of the task's result. Raises Invalid for a ``fail_on`` that is none."""
    return {
        "changed": True,
        "paths": list(paths),
        "reached": ["%s: %s" % (one["object"], sentence(one)) for one in reached(audit["findings"], fail_on)],
        "sentence": why_failed(audit, fail_on),
    }


def why_failed(audit: Audit, fail_on: str) -> str:
    """One sentence if a finding counts, else an empty text. Raises Invalid for a ``fail_on`` that is none."""
    found = len(reached(audit["findings"], fail_on))
    if not found:
        return ""
    text = "%s of %s %s the severity %s (sfb_xmpp_audit.fail_on)."
    reach = "reaches" if found == 1 else "reach"
    return text % (words.counted(found, "finding"), printable(_name(audit)), reach, fail_on)
