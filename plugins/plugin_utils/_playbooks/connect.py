# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide to which servers a run connects, what the run reads, and which servers the run needs.

All functions are pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._base.result import Refused
from ...module_utils._edge_certificate.edge import LISTENING, MTLS
from ...module_utils._server.server import CLOCK, CMDLETS, SERVICES
from .._servers.connected import Connected
from .._servers.servers import DeploymentHosts
from .._settings.settings import NO_ACCESS, AccessChosen
from .certificate import CHECKED, CertificateSettings

Values = t.Mapping[str, t.Any]

# The roles of the collection that work through a management host.
ROLES = ("access_policies", "federated_partners", "federation", "gateway_settings", "preflight", "verification")
# Playbooks that do not need each Edge or Front End. The report of such a playbook lists what is unknown.
_REPORTING = ("audit", "explain", "verify")
# Playbooks with a later task on Edges and Front Ends, which fails if a server does not answer.
_WORKING = ("certificate", "converge", "decommission", "revoke")
# The certificates between a Front End and an Edge (port 23456). Partners do not see these certificates.
INTERNAL, DEFAULT = MTLS


@dataclass(frozen=True)
class Need:
    """List what the connect task reads from a server.

    gather: the option of xmpp_server_info.
    certificates: the options of xmpp_gateway_cert_info; None does not read certificates.
    plan: whether to plan the change of the server's certificate.
    restart: whether to check that the server's services can be restarted.
    again: whether a later play uses the session.
    view: the options of xmpp_edge_view; None does not ask about partners.
    """

    gather: tuple[str, ...] = (CMDLETS,)
    certificates: t.Mapping[str, t.Any] | None = field(default=None)
    plan: bool = False
    restart: bool = False
    again: bool = False
    view: t.Mapping[str, t.Any] | None = field(default=None)


def need_of(
    playbook: str,
    host: str,
    mine: DeploymentHosts,
    values: Values,
    parts: t.Collection[str],
    certificate: bool,
    access: AccessChosen = NO_ACCESS,
    view: t.Mapping[str, t.Any] | None = None,
) -> Need | None:
    """Return what a run reads of a host; None if the run does not connect to the host.

    playbook: the name of a playbook or role.
    host: the name of the host.
    mine: the deployment of the host.
    values: the settings of the host.
    parts: the parts of the federation that the tags select.
    certificate: whether the tags select the certificate of the Edges.
    access: whether the run checks the connection to each host.
    view: the questions about partners to an Edge (edge_questions.py).
    """
    if host not in mine.hosts:
        # A role in the user's own play can run on a host that is in no group.
        return Need() if playbook in ROLES else None
    if access.looked_at:
        own = Need((CMDLETS, CLOCK))
        rest = None if access.alone else need_of(playbook, host, mine, values, parts, certificate, view=view)
        return _both(own, rest)
    found: Need | None = None
    # A Front End can also be a management host.
    if host in mine.doors and _needs_door(playbook, values, parts):
        found = Need(again=True)
    if host in mine.edges:
        found = _both(found, _with_view(_of_edge(playbook, values, certificate), view))
    if host in mine.front_ends:
        found = _both(found, _of_front_end(playbook, values, host in mine.doors))
    return found


def _of_front_end(playbook: str, values: Values, door: bool) -> Need | None:
    """Return the reads of a Front End.

    door: whether the host is a management host, whose shell offers no certificates.
    """
    certificates = None if door else {"usages": [DEFAULT]}
    if playbook in ("preflight", "explain", "audit"):
        return Need((CMDLETS, SERVICES), certificates)
    return _of_revocation(playbook, values)


def _both(one: Need | None, other: Need | None) -> Need | None:
    if one is None or other is None:
        return one or other
    return Need(
        tuple(dict.fromkeys((*one.gather, *other.gather))),
        other.certificates if one.certificates is None else one.certificates,
        one.plan or other.plan,
        one.restart or other.restart,
        one.again or other.again,
        other.view if one.view is None else one.view,
    )


def _with_view(need: Need | None, view: t.Mapping[str, t.Any] | None) -> Need | None:
    return need if view is None else replace(need or Need(()), view=view)


def _needs_door(playbook: str, values: Values, parts: t.Collection[str]) -> bool:
    if playbook == "certificate" or not _begins(playbook, values):
        return False
    if playbook in ("converge", "restore"):
        return bool(parts)
    if playbook == "history":
        return bool((values.get("history") or {}).get("changes"))
    if playbook in ("verify", "verification"):
        settings = values.get("verification") or {}
        return not settings.get("own_domains") or bool(settings.get("messages"))
    return True


def _begins(playbook: str, values: Values) -> bool:
    """Return whether the required settings are set.

    If a setting is missing, a later task reports the mistake, and nothing is sent.
    """
    try:
        if playbook == "revoke":
            canonical_domain(str(values.get("revoke_domain") or ""))
        elif playbook == "migration":
            # The import is late, because the imported file needs many modules, and every playbook uses connect.py.
            from . import migration

            migration.options(values)
    except (Invalid, Refused):
        return False
    return True


def _of_edge(playbook: str, values: Values, chosen: bool) -> Need | None:
    certificate = values.get("certificate") or {}
    services = (CMDLETS, SERVICES)
    if playbook in ("certificate", "converge"):
        return Need((), plan=True, again=True) if certificate and (chosen or playbook == "certificate") else None
    if playbook == "audit":
        managed = CertificateSettings(certificate).usages
        return Need(services, {"managed": list(managed), **_given(certificate, (*CHECKED, "renew"))})
    if playbook == "decommission":
        return Need((), {"usages": [LISTENING]}, again=True)
    if playbook == "preflight":
        return Need(services, {"usages": [LISTENING, INTERNAL]})
    if playbook == "explain":
        return Need(services, {"usages": [LISTENING, INTERNAL], **_given(certificate, CHECKED)})
    return _of_revocation(playbook, values)


def _of_revocation(playbook: str, values: Values) -> Need | None:
    restart = (
        playbook == "revoke"
        and _begins(playbook, values)
        and boolean(values.get("revoke_restart", False), strict=False)
    )
    return Need((), restart=True, again=True) if restart else None


def _given(values: Values, names: t.Iterable[str]) -> dict[str, t.Any]:
    return {name: values[name] for name in names if values.get(name) not in (None, "")}


def plans(settings: CertificateSettings) -> bool:
    """Return whether the plan of an Edge's certificate can be made at once: no tasks of the user are involved."""
    own = settings.hook or settings.ask
    return bool(settings.certificate) and settings.phase != "switch" and not own and not settings.check


def missed(playbook: str, own: str, mine: DeploymentHosts, need: Need | None, one: Connected) -> str:
    """Return the message of a run that fails because a host did not answer.

    The text is empty if the run does not fail, or if a later task reports the failure. Management hosts are left to
    later tasks.

    need: what the run reads of the host.
    one: the result of the connect task.
    """
    if need is None or own in mine.doors or playbook in (*_REPORTING, *_WORKING):
        return ""
    return "%s is needed and did not answer: %s" % (own, one.reason)
