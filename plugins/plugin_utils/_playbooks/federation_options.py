# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the options of xmpp_federation for a playbook or a role, from the settings of the inventory.

All functions are pure. A playbook takes all options from the settings. Otherwise another variable with the name of a
role's parameter could change the result. In a user's own play, the parameters of the role are used.
"""

from __future__ import annotations

import typing as t

from ...module_utils._chain.federate import SPEC
from ...module_utils._federation.catalogue import OPTIONS, PARTS
from ...module_utils._federation.files import NEWEST
from ...module_utils._federation.words import PARTS_OF_ROLES, ROLES
from ...module_utils._topology.replicate import WAIT

Values = t.Mapping[str, t.Any]

# The playbooks that take their options from the settings. Other playbooks pass options to the role.
OF_SETTINGS = ("converge", "restore", "audit", "history")
# A restore takes these options from the snapshot, so the settings must not declare them.
_LISTS_ARE_COMPLETE = ("policies_purge", "partners_purge", "exclusive_grants", "allow_replaced_policies")


def of_playbook(playbook: str, values: Values) -> dict[str, t.Any]:
    """Return the options for a playbook.

    values: the settings that the playbook reads, by name without the prefix.
    """
    options = {option: values[option] for option in SPEC if option in values}
    if playbook == "history":
        # The playbook names the snapshot. Limits do not apply, because the plan is only shown.
        return {**options, "force": True}
    if playbook == "restore":
        only = [one.strip() for one in str(values.get("for_partner") or "").split(",") if one.strip()]
        options = {"replication": WAIT, **options, "restore_from": values.get("snapshot_file", NEWEST)}
        return {**options, "restore_only": only} if only else options
    # An audit writes nothing, so the audit does not wait for replication.
    return {**({} if playbook == "audit" else {"replication": WAIT}), **options, "preflight": True}


def of_role(role: str, values: Values, parameters: Values) -> dict[str, t.Any]:
    """Return the options for a role.

    role: the name of the role.
    values: the settings that the role reads.
    parameters: the values of the role's parameters, by option. A parameter without a value is null, or empty in
    ansible-core 2.17.

    A snapshot to restore replaces the declared settings. Then only the settings of restore are used.
    """
    given = {option: value for option, value in parameters.items() if not (value is None or value == "")}
    others = {option: values[option] for option in SPEC if option in values and option not in ROLES[role]}
    options = {"preflight": True, "replication": WAIT, **others, **given}
    of_role_only = PARTS_OF_ROLES[role]
    wanted = given.get("parts") or of_role_only
    if isinstance(wanted, str):
        wanted = [part.strip() for part in wanted.split(",") if part.strip()]
    if "restore_from" in given:
        options = {o: v for o, v in options.items() if o not in (*OPTIONS, *_LISTS_ARE_COMPLETE)}
        options["preflight"] = False
    # The check of the options reports a part that does not exist.
    known = [part for part in PARTS if part in wanted and part in of_role_only]
    return {**options, "parts": known + [part for part in wanted if part not in PARTS]}
