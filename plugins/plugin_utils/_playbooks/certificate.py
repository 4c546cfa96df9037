# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a certificate run does on one Edge, and why.

All functions are pure: values of the inventory and results of tasks go in.
A run asks for a decision several times for each Edge: at the start, after the run has read the Edge, and after staging.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._edge_certificate.edge import LISTENING
from .outcome import went_wrong

Values = t.Mapping[str, t.Any]
Result = dict[str, t.Any]

# The next steps of an Edge.
NOTHING, LEFT, READ, ASK, MAKE, STAGE, PLAN, SWITCH, WAIT = "nothing left read ask make stage plan switch wait".split()
# Only usages without a certificate get a certificate. The setting's second value also replaces certificates.
SEPARATE = "separate"

# The options of the settings that are compared with a certificate in use.
CHECKED = ("names", "access_edge", "sip_domains", "xmpp_domains", "trust_store")


@dataclass(frozen=True)
class CertificateSettings:
    """Hold the settings for the certificate of an Edge.

    certificate: options of xmpp_gateway_cert; empty if no certificate is declared.
    phase: all, stage, or switch.
    separate: whether a certificate in use is only replaced in a separate run.
    hook: whether tasks of the user make the certificate.
    ask: whether tasks of the user ask the issuer.
    issuer: the option renew.issuer; None before the issuer was asked.
    check: whether Ansible is in check mode.
    """

    certificate: Values
    phase: str = "all"
    separate: bool = False
    hook: bool = False
    ask: bool = False
    issuer: Values | None = None
    check: bool = False

    @property
    def usages(self) -> tuple[str, ...]:
        """Return the declared usages."""
        return tuple(self.certificate.get("usages") or (LISTENING,))


@dataclass(frozen=True)
class EdgesInTurn:
    """Hold the Edges of a deployment.

    edges: the Edges in the play, in the order of the play.
    size: the number of Edges, including Edges that --limit excludes.
    failed: hosts whose failure prevents changes on the Edges.
    """

    edges: tuple[str, ...]
    size: int
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Hold the next step of an Edge.

    what: a constant of this file, such as STAGE.
    usages: the usages of the step.
    why: a sentence for the user, or an empty text.
    """

    what: str
    usages: tuple[str, ...] = ()
    why: str = ""


def pool_of(
    edges: t.Sequence[str], play: t.Sequence[str], playing: t.Collection[str], doors: t.Mapping[str, Values]
) -> EdgesInTurn:
    """Return the Edges that a run works on.

    edges: the Edges of the deployment. If the inventory names no Edges, all hosts of the play are one pool.
    play: the hosts at the start of the play.
    playing: the hosts that have not failed.
    doors: the results of the management hosts in this run.
    """
    chosen = tuple(host for host in play if host in edges) if edges else tuple(play)
    gone = tuple(host for host in chosen if host not in playing)
    return EdgesInTurn(chosen, len(edges) or len(chosen), (*_failed_doors(doors), *gone))


def _failed_doors(doors: t.Mapping[str, Values]) -> tuple[str, ...]:
    """Return the failed management hosts; empty if one of the management hosts did the work."""
    wrong = {host: bool(went_wrong(one)) for host, one in doors.items()}
    if any("changed" in one and not wrong[host] and not one.get("skipped") for host, one in doors.items()):
        return ()
    return tuple(host for host, failed in wrong.items() if failed)


def decide(
    settings: CertificateSettings,
    pool: EdgesInTurn,
    reading: Values | None = None,
    staged: Values | None = None,
    file_is_good: bool = False,
    made: bool = False,
    asked: bool = False,
) -> Decision:
    """Return the next step of an Edge.

    reading: the result of xmpp_gateway_cert_info; None before the Edge was read.
    staged: the result of xmpp_gateway_cert with the phase stage, or the plan of that module.
    file_is_good: whether the source is a PKCS#12 file that needs no successor yet.
    made: whether the hook has run.
    asked: whether the issuer of the certificate in use was asked.
    """
    if not settings.certificate:
        return Decision(NOTHING, why="no certificate is declared (sfb_xmpp_certificate)")
    if pool.failed:
        return Decision(LEFT, why="This Edge was skipped, because %s failed." % ", ".join(pool.failed))
    if staged is not None:
        return _after_staging(settings, staged, reading)
    if settings.phase == "switch":
        return Decision(PLAN, settings.usages)
    makes = settings.hook and not made
    asks = settings.ask and not asked and not made
    if reading is None and (makes or asks or (settings.check and settings.separate and settings.phase == "all")):
        return Decision(READ, settings.usages)
    if reading is not None and asks and in_use(reading):
        return Decision(ASK, settings.usages)
    if reading is not None and makes and _needs_one(reading) and not file_is_good:
        return Decision(MAKE, settings.usages)
    # In check mode nothing is staged, so nothing could be switched. Staging and switching are planned at once.
    usages = _free(settings, reading, None)
    if settings.check and settings.phase == "all" and usages:
        return Decision(PLAN, usages)
    return Decision(STAGE, settings.usages)


def _after_staging(settings: CertificateSettings, staged: Values, reading: Values | None) -> Decision:
    if settings.phase == "switch":
        due = bool(staged.get("changed")) and not settings.check
        return Decision(SWITCH, settings.usages) if due else Decision(NOTHING)
    certificate = staged.get("certificate")
    if settings.phase == "stage" or not certificate or staged.get("in_force") != "unknown":
        return Decision(NOTHING)
    usages = _free(settings, reading, staged)
    rest = [usage for usage in settings.usages if usage not in usages]
    why = _waits(certificate, rest, settings.check) if rest else ""
    if usages and not settings.check:
        return Decision(SWITCH, usages, why)
    return Decision(WAIT if rest else NOTHING, usages, why)


def _free(settings: CertificateSettings, reading: Values | None, staged: Values | None) -> tuple[str, ...]:
    """Return the usages that this run may switch. A usage with an unknown certificate is treated as in use."""
    if not settings.separate or settings.phase != "all":
        return settings.usages
    if reading is not None:
        used = {usage for one in reading["certificates"] for usage in one["usages"]}
    elif staged is not None and staged.get("staged"):
        used = {usage for usage, thumbprint in staged["assigned"].items() if thumbprint}
    else:
        used = set(settings.usages)
    return tuple(usage for usage in settings.usages if usage not in used)


def in_use(reading: Values) -> Values | None:
    """Return the certificate whose issuer can be asked: the only certificate of the Edge, if readable."""
    certificates = [one for one in reading["certificates"] if one.get("renewal")]
    return certificates[0] if len(certificates) == 1 == len(reading["certificates"]) else None


def _needs_one(reading: Values) -> bool:
    """Return whether an Edge needs a certificate.

    An Edge needs a certificate if it has no certificate or several, or if its certificate is due or faulty.
    """
    certificates = reading["certificates"]
    if len(certificates) != 1:
        return True
    (one,) = certificates
    due = bool((one.get("renewal") or {}).get("due"))
    return due or any(finding["severity"] == "error" for finding in one["findings"])


def _waits(certificate: Values, usages: t.Sequence[str], check: bool) -> str:
    text = (
        "The certificate %s (until %s) %s on the Edge, but another certificate is in use. The playbook"
        " sfb.xmpp.certificate switches to the new one and restarts the services that use it."
    ) % (certificate["subject"], certificate["not_after"], "would be" if check else "is")
    if list(usages) != [LISTENING]:
        text += " This is an outage for remote users of this Edge: sign-in, calls and conferences."
    return text


def options_of(settings: CertificateSettings, decision: Decision, pool: EdgesInTurn, time: str) -> Result:
    """Return the options of xmpp_gateway_cert for a decision.

    time: the moment of the renewal rule, for all Edges.
    """
    phase = {STAGE: "stage", PLAN: "switch" if settings.phase == "switch" else "all", SWITCH: "switch"}[decision.what]
    given = {name: value for name, value in settings.certificate.items() if value is not None}
    if LISTENING not in decision.usages:
        given.pop("listener", None)
    return {
        **given,
        "usages": list(decision.usages),
        "renew": _renew(settings, time),
        "phase": phase,
        "pool_size": pool.size,
    }


def options_of_reading(settings: CertificateSettings, time: str) -> Result:
    """Return the options of xmpp_gateway_cert_info."""
    given = {name: settings.certificate[name] for name in CHECKED if settings.certificate.get(name) is not None}
    return {**given, "usages": list(settings.usages), "renew": _renew(settings, time)}


def _renew(settings: CertificateSettings, time: str) -> Result:
    said = {"issuer": settings.issuer} if settings.issuer else {}
    return {"as_of": time, **(settings.certificate.get("renew") or {}), **said}


def maker(pool: EdgesInTurn, results: t.Mapping[str, Values]) -> str:
    """Return the first Edge that needs a certificate; empty if no Edge does.

    The hook runs on this Edge, once for the pool.
    """
    return next((edge for edge in pool.edges if results.get(edge, {}).get("next") == MAKE), "")


def asks(pool: EdgesInTurn, in_use: t.Mapping[str, str], own: str) -> str:
    """Return the Edge that asks the issuer of the certificate in use on ``own``: the first Edge with this certificate.

    in_use: thumbprints, by Edge.
    """
    return next((edge for edge in pool.edges if in_use.get(edge) == in_use.get(own)), own)


def failure(result: Values, edges: t.Mapping[str, Values]) -> str:
    """Return the message of a failed switch.

    edges: the last result of each Edge of the pool.
    """
    words = [str(result.get("msg") or "The switch failed."), "--"]
    if result.get("went_back"):
        words.append("The former certificate is in use again.")
    for edge, one in edges.items():
        has = one.get("assigned") or {"": "an unknown certificate"}
        shown = "%s has %s" % (edge, ", ".join(dict.fromkeys(str(value or "none") for value in has.values())))
        if one.get("presented"):
            shown += " and presents %s" % one["presented"]
        words.append(shown + ".")
    return " ".join(words)
