# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove XMPP federation in stages: find the stage that is due, and write the texts for partners.

All functions are pure.
"""

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
from .names import STAGES
from .outcome import went_wrong

DONE = "done"
VARIABLE, STAGE = "sfb_xmpp_decommission", "sfb_xmpp_decommission_stage"
# Before these stages XMPP must be removed from the topology. The stages remove the certificate's assignment on the
# Edges.
LAST = ("unbind", DONE)
# Stages in which partners still exist.
WITH_PARTNERS = ("export", "remove")
NEXT = {
    "export": "Send the sheets to the partners. On the announced day, delete the SRV records and wait for their TTL."
    " Then run the next stage, remove.",
    "remove": "No user can exchange messages with partners any more. Run the next stage, route.",
    "route": "Continue by hand. Clear XMPP federation of the Edge pool in Topology Builder and publish the topology."
    " Run setup again on the Front Ends and on every Edge, because services that are only stopped may start again."
    " Then run the last stage, unbind.",
    "unbind": "The remaining manual steps are shown last.",
    DONE: "This playbook has nothing more to do. The remaining manual steps are shown last.",
}
_CHECKED = "This was a check run, so the stage is not done. Run it without --check to do it."


@dataclass(frozen=True)
class Stage:
    """Hold the stage that is due.

    policies, routes: options of xmpp_federation.
    kept: the objects that sfb_xmpp_protect keeps.
    """

    name: str
    policies: tuple[dict[str, t.Any], ...] = ()
    routes: tuple[dict[str, t.Any], ...] = ()
    kept: tuple[str, ...] = ()


def what_next(stage: str, check: bool) -> str:
    """Return the text that is shown after a stage."""
    return _CHECKED if check and stage != DONE else NEXT[stage]


def sentence(deployment: str) -> str:
    """Return the sentence that confirms the removal."""
    return "yes, remove XMPP from %s" % deployment


def argument(deployment: str) -> str:
    """Return the confirmation as an argument of a command line, ready to copy."""
    return "-e " + shlex.quote(json.dumps({VARIABLE: sentence(deployment)}, ensure_ascii=False))


def find_stage(
    info: t.Mapping[str, t.Any], *, asked: str, exported: bool, protect: t.Sequence[str], bound: t.Sequence[str]
) -> Stage:
    """Return the stage that the user named, or the first stage that is not done.

    info: the result of xmpp_federation_info.
    asked: the stage that the user named, or an empty text.
    exported: whether an export exists.
    protect: the value of sfb_xmpp_protect.
    bound: Edges with a certificate for XMPP.

    Raises Refused if an earlier stage is not done.
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
        raise Refused(["%s: %s comes before %s and is not done. Run %s first" % (STAGE, before[0], name, before[0])])
    if name == "route" and names:
        text = "the route cannot be cleared while sfb_xmpp_protect keeps %s" % ", ".join(names)
        raise Refused([text])
    return Stage(name, policies, routes, tuple(names))


def bound_edges(edges: t.Sequence[str], read: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return the Edges of a deployment that have a certificate for XMPP.

    read: the results of xmpp_gateway_cert_info, by host. An Edge that could not be read counts as an Edge with a
    certificate.
    """

    def bound(result: t.Mapping[str, t.Any]) -> bool:
        certificates = result.get("certificates")
        return certificates is None or any(one["usages"] for one in certificates)

    return [edge for edge in edges if bound(read.get(edge, {}))]


def check_topology(edge_pools: t.Sequence[t.Mapping[str, t.Any]] | None) -> None:
    """Raise Refused if the topology still has XMPP.

    edge_pools: the Edge pools in the result of xmpp_topology_info.
    """
    remedy = (
        "Clear XMPP federation in Topology Builder, publish the topology, and run setup again on the Front Ends and on"
        " every Edge."
    )
    if edge_pools is None:
        raise Refused(["the topology cannot be read. " + remedy])
    enabled = [str(one["fqdn"]) for one in edge_pools if one["xmpp_listening_port"] is not None]
    if enabled:
        raise Refused(["the topology still has XMPP on the Edge pool %s. %s" % (", ".join(enabled), remedy)])


def stage_of(results: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return the stage of a deployment, or an empty text.

    results: the results of xmpp_decommission on the management hosts.
    """
    return next((str(one["stage"]) for one in results if one.get("stage") and not went_wrong(one)), "")


def sheets(
    info: t.Mapping[str, t.Any], own: t.Sequence[str], ends: str, safe: t.Callable[[str], str]
) -> dict[str, str]:
    """Return the documents of the first stage, by path.

    own: the domains that partners may address.
    ends: the day on which the federation ends, or an empty text.
    safe: makes a file name of a domain.
    """
    found: dict[str, str] = {}
    forms: tuple[tuple[Form, str], ...] = (("markdown", "md"), ("text", "txt"))
    for form, ending in forms:
        found["dns-records-to-delete." + ending] = records_sheet(own, form)
        for partner in info["partners"]:
            path = "partners/%s.%s" % (safe(partner["domain"]), ending)
            found[path] = ending_sheet(partner, own, ends, form)
    return found


def ending_sheet(partner: t.Mapping[str, t.Any], own: t.Sequence[str], ends: str, form: Form = "markdown") -> str:
    """Return the text for a partner's administrator: when the federation ends, and what to do."""
    theirs = [str(partner["domain"]), *map(str, partner.get("additional_domains") or ())]
    when = "on %s" % ends if ends else "on a day that we will announce"
    parts: list[Part] = [
        Heading("The XMPP federation with %s ends" % theirs[0], 1),
        Paragraph(
            "We switch off our XMPP gateway %s. From then on, messages and presence no longer pass between us." % when
        ),
        Heading("Domains"),
        Points(("ours: " + ", ".join(own or ("those of our users",)), "yours: " + ", ".join(theirs))),
        Heading("What to do on your side"),
        Points(
            (
                "Inform your users who have contacts in our domains.",
                "Remove our domains from the list of allowed domains, and remove settings that only concern them.",
                "Close TCP port %d to our Access Edge, if it was opened for us." % PORT,
            )
        ),
        Paragraph("We delete our SRV records before that day. Their absence is not a fault."),
    ]
    return render(parts, form)


def records_sheet(own: t.Sequence[str], form: Form = "markdown") -> str:
    """Return the list of the DNS records to delete."""
    names = tuple("_xmpp-server._tcp.%s. SRV" % domain for domain in own)
    parts: list[Part] = [
        Heading("DNS records to delete", 1),
        Paragraph("Delete them in every DNS that publishes them. Wait for their TTL before you remove the partners."),
        Code(names or ("_xmpp-server._tcp.DOMAIN. SRV  (for each SIP domain that partners may address)",)),
        Paragraph(
            "The second column of the next output is the TTL in seconds. The sheets of this collection ask for"
            " %d." % TTL
        ),
        Code(tuple("dig +noall +answer SRV _xmpp-server._tcp.%s" % domain for domain in own or ("DOMAIN",))),
    ]
    return render(parts, form)
