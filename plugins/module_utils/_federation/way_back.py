# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the commands to show after a run: verify the partners of the run, or restore only these partners."""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from dataclasses import replace

from .._base.names import Invalid, canonical_domain
from .._base.result import Refused
from .._base.step import Step
from .federation import Federation, Wanted

# The maximum number of partners in one command. With more partners, the command is for all partners.
MOST = 20
_PLAIN = re.compile(r"[A-Za-z0-9_./~:@%+,-]+\Z")


def next_steps(done: t.Sequence[Step], snapshot: str) -> list[str]:
    """Return the lines with the commands.

    done: the steps that took effect.
    snapshot: the path of the run's snapshot; empty for no snapshot.
    """
    touched = list(dict.fromkeys(step.identity for step in done if step.part == "partners"))
    there = [one for one in touched if any(step.identity == one and step.expect is not None for step in done)]
    found = []
    if there:
        found.append("Verify the partners: %s" % _command("verify", _named(there)))
    if touched and snapshot:
        values = {**_named(touched), "sfb_xmpp_snapshot_file": snapshot}
        found.append("Restore only these partners: %s" % _command("restore", values, "--tags", "partners"))
    return found


def _named(domains: t.Sequence[str]) -> dict[str, str]:
    return {"sfb_xmpp_for_partner": ",".join(domains)} if len(domains) <= MOST else {}


def _command(playbook: str, values: t.Mapping[str, str], *more: str) -> str:
    words = ["ansible-playbook", "sfb.xmpp." + playbook, "-i", "INVENTORY", *more]
    for name, value in values.items():
        # Ansible splits NAME=VALUE at spaces, but does not split a JSON object.
        plain = _PLAIN.match(value)
        words += ["-e", "%s=%s" % (name, value) if plain else shlex.quote(json.dumps({name: value}))]
    return " ".join(words)


def only_partners(kept: Federation, domains: t.Sequence[str], option: str) -> Federation:
    """Return a snapshot's federation with these partners only. Partners that the snapshot does not have are removed.


    kept: the federation of the snapshot.
    domains: the domains or additional domains of the partners.
    option: the name of the option with the domains, for messages.
    Raises Refused.
    """
    mistakes, keys = [], []
    for number, text in enumerate(domains):
        try:
            keys.append(canonical_domain(text))
        except Invalid as exc:
            mistakes.append("%s[%d]: %s" % (option, number, exc))
    if "partners" not in kept.wanted:
        mistakes.append("%s: the snapshot has no partners" % option)
    if mistakes:
        raise Refused(mistakes)
    owners = {
        str(domain): item
        for item in kept.wanted["partners"]
        for domain in (item.key, *item.values.get("additional_domains", ()))
    }
    found = [owners.get(key) or Wanted(key, {}, option, absent=True) for key in keys]
    wanted = {"partners": tuple({item.key: item for item in found}.values())}
    return replace(kept, wanted=wanted, grants=(), purge=frozenset(), whole=False)
