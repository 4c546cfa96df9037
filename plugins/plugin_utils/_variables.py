# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that inventories may set: what is not among them is a misspelling, and a run must not pass it over."""

from __future__ import annotations

import difflib
import typing as t

PREFIX = "sfb_xmpp_"
# For users' own variables.
FREE = "sfb_xmpp_x_"

KNOWN = frozenset(
    PREFIX + name
    for name in """
    access_edge allow allow_loss allow_replaced_policies audit capture certificate certificate_drain certificate_hook
    certificate_phase certificate_pool_size certificate_restore certificate_switch configuration_backup decommission
    deployment domain_controller exclusive_grants export federation_routes force gateway partners partners_purge
    plan_file policies policies_purge preflight_ignore protect protected_accounts removal_limit replication
    replication_timeout revoke_restart snapshot snapshot_directory snapshot_file snapshot_keep snapshot_of ticket
    update_limit verification
    """.split()
)
# What differs from host to host of one deployment without being a contradiction.
_OF_A_HOST = frozenset((PREFIX + "deployment",))


def check_variables(names: t.Iterable[str]) -> tuple[list[str], list[str]]:
    """Mistakes and warnings for variables that nobody reads: a mistake where a known one is near."""
    mistakes, warnings = [], []
    for name in sorted(names):
        if not name.startswith(PREFIX) or name.startswith(FREE) or name in KNOWN:
            continue
        near = difflib.get_close_matches(name, KNOWN, 1, 0.8)
        if near:
            mistakes.append("%s: there is no such variable (did you mean %s?)" % (name, near[0]))
        else:
            text = "%s: nothing reads this variable; names that begin with %s are free for your own"
            warnings.append(text % (name, FREE))
    return mistakes, warnings


def contradictions(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """What hosts of one deployment declare differently. ``hosts``: the variables of each."""
    found = []
    (first, own), *others = hosts.items()
    for name in sorted(KNOWN - _OF_A_HOST):
        for other, variables in others:
            if (name in own) != (name in variables) or (name in own and own[name] != variables[name]):
                text = "%s: the hosts %s and %s belong to one deployment, but do not have the same value"
                found.append(text % (name, first, other))
    return found
