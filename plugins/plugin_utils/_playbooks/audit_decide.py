# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the questions of an audit, decide the audit's findings, and write the lines for the screen.

All functions are pure: settings and results of modules go in, values come out.
"""

from __future__ import annotations

import typing as t

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import UNNAMED, printable
from ...module_utils._base.version import VERSION
from ...module_utils._probe.own_domains import asking, own_domains
from .._documents import audit_forecast
from .._documents import audit_texts as words
from .._documents.audit_document import Audit
from .._documents.audit_what_if import line
from .._documents.finding_order import reached, sentence
from .accepted import Accepted
from .audit import make_audit, moment, unexplained
from .audit_gather import Result, not_compared
from .audit_judge import judge
from .audit_what_if import gather_what_if
from .forecast import Ahead, forecast
from .verification import names_in, own_certificate

Settings = t.Mapping[str, t.Any]

# Options of the probe that have the same name in the settings.
_AS_SET = ("gateway_port", "trust_store", "nameservers", "timeout", "workers", "expires_within")
# The most findings on the screen. audit.md has more findings, and audit.json has all findings.
MOST_LINES = 50


def probe_options(verification: Settings, certificate: Settings, sip_domains: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the options of xmpp_partner_probe_info, except the partners.

    verification: the value of sfb_xmpp_verification.
    certificate: the value of sfb_xmpp_certificate.
    sip_domains: the SIP domains of the deployment; empty if the domains could not be read.
    """
    mine = own_certificate(certificate)
    own = names_in(verification.get("own_domains")) or own_domains(sip_domains, mine.names)
    options = {name: verification.get(name) for name in _AS_SET}
    options["own_domains"] = own
    options["access_edge"] = access_edge(verification, certificate)
    # A partner's DNS must not make the controller connect to itself, unless the user allows such a connection.
    options["allow_local"] = bool(verification.get("allow_local"))
    options["certificate"] = verification.get("certificate") or mine.file
    found = {name: value for name, value in options.items() if value not in (None, "", [], {})}
    # If from_domain is empty, the probe reports that a domain is needed.
    return {**found, "from_domain": verification.get("from_domain") or asking(own)}


def access_edge(verification: Settings, certificate: Settings) -> str:
    """Return the name of the Access Edge, which is the first name in the certificate; empty if no name is declared."""
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
    """Return the audit of a deployment. See gather() and make_audit() for arguments that are not listed.

    declared: the settings. The audit checks the notes of the declared partners and policies.
    accepted: see accepted.py.
    previous: the audit in the directory. An audit of another deployment is ignored.
    ahead: the horizon of the forecast; None makes no forecast and does not check the support of releases.

    Raises Refused if the deployment could not be compared with the settings.
    Raises Invalid if a result has not the form that an audit needs.
    """
    if why := not_compared(plan):
        text = "%s could not be compared with the settings, so the files of the last audit are not replaced: %s"
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
        what_if=gather_what_if(probe),
        forecast=forecast(reading, found, now, declared=said, accepted=accepted, ahead=ahead) if ahead else None,
        **gathered,
    )


def lines(audit: Audit, paths: t.Sequence[str], fail_on: str) -> list[str]:
    """Return the lines on the screen: the headline, the findings that make the run fail, the files.

    Raises Invalid if ``fail_on`` is not a severity.
    """
    counting = reached(audit["findings"], fail_on)
    shown = ["  %-7s  %s: %s" % (one["severity"], one["object"], sentence(one)) for one in counting[:MOST_LINES]]
    more = len(counting) - len(shown)
    then = line(audit)
    return [
        printable("Audit of %s: %s" % (_name(audit), words.headline(audit))),
        *map(printable, shown),
        *(["  %s more in audit.json" % format(more, ",")] if more else ()),
        *([_counted(audit)] if audit["findings"] else ()),
        *map(printable, audit_forecast.lines(audit)),
        *([then] if then else ()),
        "Files:",
        *("  " + path for path in paths),
    ]


def _name(audit: Audit) -> str:
    """Return the deployment's label, or the management host if the inventory has no label."""
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
    """Return the keys of the task's result. Raises Invalid if ``fail_on`` is not a severity."""
    return {
        "changed": True,
        "paths": list(paths),
        "reached": ["%s: %s" % (one["object"], sentence(one)) for one in reached(audit["findings"], fail_on)],
        "sentence": why_failed(audit, fail_on),
    }


def why_failed(audit: Audit, fail_on: str) -> str:
    """Return why the run fails, as a sentence; empty if no finding reaches the severity.

    Raises Invalid if ``fail_on`` is not a severity.
    """
    found = len(reached(audit["findings"], fail_on))
    if not found:
        return ""
    text = "%s of %s %s the severity %s (sfb_xmpp_audit.fail_on)."
    reach = "reaches" if found == 1 else "reach"
    return text % (words.counted(found, "finding"), printable(_name(audit)), reach, fail_on)
