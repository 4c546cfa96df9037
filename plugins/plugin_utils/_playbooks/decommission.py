# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way out of XMPP federation: which stage is due, what it declares, and what partners are told. Pure."""

from __future__ import annotations

import json
import shlex
import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import key as key_of
from ...module_utils._base.result import Refused
from ...module_utils._federation.guard import Guard
from .._documents.partner_sheet import PORT, TTL
from .._documents.short_document import Code, Form, Heading, Paragraph, Part, Points, render
from .outcome import went_wrong

STAGES = ("export", "remove", "route", "unbind")
DONE = "done"
VARIABLE, STAGE = "sfb_xmpp_decommission", "sfb_xmpp_decommission_stage"
# Stages before which XMPP must be out of the topology, and with which the Edges lose their certificate.
LAST = ("unbind", DONE)
# Stages before which there are partners.
WITH_PARTNERS = ("export", "remove")
NEXT = {
    "export": "Send the sheets to the partners. When the day has come, delete the SRV records and wait for their TTL;"
    " then run the next stage, remove.",
    "remove": "Nobody talks with partners any more. The next stage is route.",
    "route": "Now a person has to go on: untick XMPP federation of the Edge pool in Topology Builder, publish the"
    " topology, and run setup again on the Front Ends and on every Edge. Services that are only stopped may come back."
    " Then run the last stage, unbind.",
    "unbind": "What is left is shown last.",
    DONE: "There is nothing left to do in the deployment. What is left is shown last.",
}
_CHECKED = "This was a check run, so the stage is not done. Run it without --check to do it."


@dataclass(frozen=True)
class Stage:
    """What is to be done now. policies, routes: as xmpp_federation takes them. kept: what protect leaves."""

    name: str
    policies: tuple[dict[str, t.Any], ...] = ()
    routes: tuple[dict[str, t.Any], ...] = ()
    kept: tuple[str, ...] = ()


def what_next(stage: str, check: bool) -> str:
    """What people are told after a stage."""
    return _CHECKED if check and stage != DONE else NEXT[stage]


def sentence(deployment: str) -> str:
    """What confirms it."""
    return "yes, remove XMPP from %s" % deployment


def argument(deployment: str) -> str:
    """The same as an argument of a command line, ready to copy."""
    return "-e " + shlex.quote(json.dumps({VARIABLE: sentence(deployment)}, ensure_ascii=False))


def find_stage(
    info: t.Mapping[str, t.Any], *, asked: str, exported: bool, protect: t.Sequence[str], bound: t.Sequence[str]
) -> Stage:
    """The stage that was asked for, or else the first that is not done.

    info: of xmpp_federation_info. exported: whether there is an export. bound: Edges with a certificate for XMPP.
    Raises Refused where one before it is not done.
    """
    guard = Guard(protect=tuple(protect))
    granting = [p for p in info["policies"] if p["enable_xmpp_access"]]
    policies = tuple(
        {"identity": p["identity"], "enable_xmpp_access": False}
        for p in granting
        if not guard.protector(key_of(p["identity"]))
    )
    kept = [p for p in info["partners"] if guard.protector(key_of(p["domain"]))]
    names = ["partner %s" % p["domain"] for p in kept]
    names += ["policy %s" % p["identity"] for p in granting if guard.protector(key_of(p["identity"]))]
    routes = tuple({"site": r["site"], "edge_pool": ""} for r in info["federation_routes"] if r.get("edge_pool"))
    undone = {
        "export": not exported,
        "remove": bool(policies) or len(info["partners"]) > len(kept),
        "route": bool(routes),
        "unbind": bool(bound),
    }
    due = next((name for name in STAGES if undone[name]), DONE)
    name = asked or due
    before = [one for one in STAGES[: STAGES.index(name)] if undone[one]] if name != DONE else []
    if before:
        raise Refused(["%s: %s comes before %s, and is not done" % (STAGE, before[0], name)])
    if name == "route" and names:
        text = "the route cannot be cleared while sfb_xmpp_protect keeps %s" % ", ".join(names)
        raise Refused([text])
    return Stage(name, policies, routes, tuple(names))


def bound_edges(edges: t.Sequence[str], read: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """The Edges of a deployment that have a certificate for XMPP. read: results of xmpp_gateway_cert_info, by host.

    An Edge that could not be read counts as one that has a certificate.
    """

    def bound(result: t.Mapping[str, t.Any]) -> bool:
        certificates = result.get("certificates")
        return certificates is None or any(one["usages"] for one in certificates)

    return [edge for edge in edges if bound(read.get(edge, {}))]


def check_topology(edge_pools: t.Sequence[t.Mapping[str, t.Any]] | None) -> None:
    """Raises Refused unless a person has taken XMPP out of the topology. edge_pools: of xmpp_topology_info."""
    remedy = (
        "Untick XMPP federation in Topology Builder, publish the topology, and run setup again on the Front Ends and on"
        " every Edge."
    )
    if edge_pools is None:
        raise Refused(["the topology cannot be read. " + remedy])
    enabled = [str(one["fqdn"]) for one in edge_pools if one["xmpp_listening_port"] is not None]
    if enabled:
        raise Refused(["the topology still has XMPP on the Edge pool %s. %s" % (", ".join(enabled), remedy)])


def stage_of(results: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """The stage that a deployment is at, or an empty text. results: those of xmpp_decommission on its doors."""
    return next((str(one["stage"]) for one in results if one.get("stage") and not went_wrong(one)), "")


def sheets(
    info: t.Mapping[str, t.Any], own: t.Sequence[str], ends: str, safe: t.Callable[[str], str]
) -> dict[str, str]:
    """What people get at the first stage, by path. own: domains that partners may address. safe: makes file names."""
    found: dict[str, str] = {}
    forms: tuple[tuple[Form, str], ...] = (("markdown", "md"), ("text", "txt"))
    for form, ending in forms:
        found["dns-records-to-delete." + ending] = records_sheet(own, form)
        for partner in info["partners"]:
            path = "partners/%s.%s" % (safe(partner["domain"]), ending)
            found[path] = ending_sheet(partner, own, ends, form)
    return found


def ending_sheet(partner: t.Mapping[str, t.Any], own: t.Sequence[str], ends: str, form: Form = "markdown") -> str:
    """For a partner's administrator: when the federation ends, and what there is to do on that side."""
    theirs = [str(partner["domain"]), *map(str, partner.get("additional_domains") or ())]
    when = "on %s" % ends if ends else "on a day that we will tell you"
    parts: list[Part] = [
        Heading("The XMPP federation with %s ends" % theirs[0], 1),
        Paragraph(
            "Our XMPP gateway is switched off %s. From then on no message and no presence passes between us." % when
        ),
        Heading("Domains"),
        Points(("ours: " + ", ".join(own or ("those of our users",)), "yours: " + ", ".join(theirs))),
        Heading("What there is to do on your side"),
        Points(
            (
                "Tell your users who have contacts at ours.",
                "Take our domains off the list of allowed domains, and remove what was set for them alone.",
                "Close TCP port %d to our Access Edge, if it was opened for us." % PORT,
            )
        ),
        Paragraph("Our SRV records are deleted before. Their absence is meant, and no fault."),
    ]
    return render(parts, form)


def records_sheet(own: t.Sequence[str], form: Form = "markdown") -> str:
    """The records that are to be deleted."""
    names = tuple("_xmpp-server._tcp.%s. SRV" % domain for domain in own)
    parts: list[Part] = [
        Heading("DNS records to delete", 1),
        Paragraph("Delete them in every DNS that publishes them, then wait for their TTL before partners are removed."),
        Code(names or ("_xmpp-server._tcp.DOMAIN. SRV  (for each SIP domain that partners may address)",)),
        Paragraph(
            "The second column says how long that is; %d seconds where the sheets of this collection were followed."
            % TTL
        ),
        Code(tuple("dig +noall +answer SRV _xmpp-server._tcp.%s" % domain for domain in own or ("DOMAIN",))),
    ]
    return render(parts, form)
