# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the questions to an Edge about partners: the domains and the time limit. All functions are pure."""

from __future__ import annotations

import typing as t

from ...module_utils._base.names import Invalid, canonical_domain
from ...module_utils._probe.options import DEFAULT_PORT

Values = t.Mapping[str, t.Any]

# The playbooks that ask an Edge, and the nested settings of sfb_xmpp_verification with their defaults.
PLAYBOOKS = ("audit", "explain", "preflight", "verify")
LIMIT, SECONDS, HOURS = "edge_limit", "edge_timeout", "edge_hours"
DEFAULTS: t.Mapping[str, t.Any] = {LIMIT: 100, SECONDS: 300.0, HOURS: 24}


def questions(
    playbook: str, verification: Values, partners: t.Sequence[Values], wanted: str, probes: bool = True
) -> dict[str, t.Any] | None:
    """Return the options of xmpp_edge_view; None if an Edge is not asked.

    verification: ``sfb_xmpp_verification``.
    partners: the declared partners of the deployment.
    wanted: domains or addresses, separated by commas; empty for all partners.
    probes: whether this run checks partners.
    """
    limit = int(_of(verification, LIMIT))
    if playbook not in PLAYBOOKS or not probes or limit < 1 or (playbook == "explain" and not wanted):
        return None
    domains = list(_domains(partners, wanted))
    if not domains:
        return None
    return {
        "domains": [{"domain": domain, "proxy": proxy} for domain, proxy in domains[:limit]],
        "left": max(0, len(domains) - limit),
        "seconds": float(_of(verification, SECONDS)),
        "hours": int(_of(verification, HOURS)),
        "gateway_port": int(verification.get("gateway_port") or DEFAULT_PORT),
        "allow_local": bool(verification.get("allow_local")),
    }


def _of(verification: Values, name: str) -> t.Any:
    value = verification.get(name)
    return DEFAULTS[name] if value in (None, "") else value


def _domains(partners: t.Sequence[Values], wanted: str) -> t.Iterator[tuple[str, str]]:
    """Return each domain once, with the proxy of the domain's partner.

    Invalid domains are left out: the probe reports them.
    """
    only = dict.fromkeys(filter(None, (_canonical(one.rpartition("@")[2]) for one in wanted.split(","))))
    found: dict[str, str] = {}
    for partner in partners:
        proxy = _canonical(str(partner.get("proxy_fqdn") or ""))
        for name in (partner.get("domain"), *(partner.get("additional_domains") or ())):
            domain = _canonical(str(name or ""))
            if domain:
                found.setdefault(domain, proxy)
    if only:
        # Undeclared domains are included, because the deployment may have such a partner.
        found = {domain: found.get(domain, "") for domain in only}
    yield from found.items()


def _canonical(text: str) -> str:
    """Return a domain in A-labels; empty if the text is not a domain."""
    try:
        return canonical_domain(text.strip().lower().removeprefix("xmpp:")) if text.strip() else ""
    except Invalid:
        return ""
