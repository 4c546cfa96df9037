# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the user's name of an option of xmpp_federation: an option, a variable, or the parameter of a role."""

from __future__ import annotations

import typing as t

from .catalogue import PARTS

PREFIX = "sfb_xmpp_"
# Variables of the playbooks whose name differs from the option.
_VARIABLES = {
    "restore_from": PREFIX + "snapshot_file",
    "restore_only": PREFIX + "for_partner",
    "preflight_ignore": PREFIX + "audit.accepted",
}
_GUARD = ("protect", "removal_limit", "update_limit", "allow", "force")
_RUN = (
    "domain_controller plan_file snapshot_directory snapshot_keep restore_from preflight preflight_ignore replication"
    " replication_timeout configuration_backup probe_first impact_limit restore_only"
).split()

# By role: the options of the role, each with the parameter's name without the prefix of the role. The other options
# come from the variables of the inventory.
ROLES: dict[str, dict[str, str]] = {
    "federation": {
        **{option: option for option in ("policies", "partners", "gateway", "access_edge")},
        "federation_routes": "routes",
        **{option: option for option in ("policies_purge", "partners_purge", "exclusive_grants", *_GUARD)},
        **{option: option for option in ("allow_loss", "allow_replaced_policies", "protected_accounts", *_RUN)},
        "parts": "parts",
    },
    "access_policies": {
        "policies": "declared",
        "policies_purge": "purge",
        "exclusive_grants": "exclusive",
        **{option: option for option in (*_GUARD, "allow_loss", "allow_replaced_policies")},
    },
    "federated_partners": {
        "partners": "declared",
        "partners_purge": "purge",
        **{option: option for option in (*_GUARD, "probe_first")},
    },
    "gateway_settings": {option: option for option in ("gateway", "access_edge", "allow", "force")},
}
# By role: the parts of the role's run.
PARTS_OF_ROLES: dict[str, tuple[str, ...]] = {
    "federation": PARTS,
    "access_policies": ("policies", "grants", "removals"),
    "federated_partners": ("partners", "removals"),
    "gateway_settings": ("gateway", "access_edge"),
}


def variable(option: str) -> str:
    """Return the inventory's variable for an option."""
    return _VARIABLES.get(option, PREFIX + option)


def called(runs: str) -> t.Callable[[str], str]:
    """Return a function that returns the name of an option for messages.

    runs: the name of the playbook or role that runs, without the collection's name; empty for a task of a module.
    """
    if not runs:
        return str
    parameters = ROLES.get(runs, {})

    def name(option: str) -> str:
        return "%s_%s" % (runs, parameters[option]) if option in parameters else variable(option)

    return name
