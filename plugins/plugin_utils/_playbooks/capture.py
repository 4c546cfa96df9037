# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A capture: what each server is asked as, the file of a deployment, and what is missing in it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.texts import count
from ...module_utils._capture.pseudonyms import Pseudonyms
from ...module_utils._capture.recording import EXPECTED
from .._servers.servers import DeploymentHosts

FORMAT = "sfb.xmpp capture"
FORM = 1
# Of a deployment of which no server told its release.
PROFILE = "sfb2015"

Result = dict[str, t.Any]


@dataclass(frozen=True)
class Capture:
    """document: the content of the file. lines: what it has and what it has not, for people."""

    document: Result
    lines: tuple[str, ...]


def role_of(mine: DeploymentHosts, host: str) -> str:
    """What a host of a deployment is asked as. A host of several groups is asked as the one that knows most."""
    return "management" if host in mine.doors else "edge" if host in mine.edges else "front_end"


def mistakes(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """What the user has to mend first, such as a key that others may read; empty where a server was asked."""
    if any("capture" in one or "reasons" not in one for one in results.values()):
        return []
    return list(dict.fromkeys(str(text) for one in results.values() for text in one["reasons"]))


def decide(
    mine: DeploymentHosts, results: t.Mapping[str, t.Mapping[str, t.Any]], names: Pseudonyms, made: str, by: str
) -> Capture:
    """The capture of a deployment. results: of xmpp_capture_info, by host; an empty one where a host left no word.

    A server that could not be read is in the file too, with the reason. Hosts without a result are not in the run.
    """
    parts, lines, profile = [], [], ""
    answers, missing = 0, []
    for host in (one for one in mine.hosts if one in results):
        result = results[host]
        part = result.get("capture")
        if part is None:
            reason = str(result.get("msg") or "its process ended without a word")
            lines.append("  %s: no answer at all: %s" % (host, " ".join(reason.split())))
            parts.append(_unread(role_of(mine, host), names.text(host), names.text(reason, prose=True)))
            missing += parts[-1]["missing"]
            continue
        own = part["host"]
        profile = profile or (part["profile"] if own["role"] == "management" else "")
        missing += own["missing"]
        refused = {one["statement"] for one in own["missing"]}
        answers += len(EXPECTED[own["role"]]) - len(refused)
        lines += ["  %s: %s: %s" % (host, one["statement"], one["reason"]) for one in own["missing"]]
        lines += ["  %s: %s" % (host, text) for text in own["failures"]]
        parts.append(own)
    told = [one["capture"]["profile"] for one in results.values() if "capture" in one]
    document = {
        "format": FORMAT,
        "version": FORM,
        "profile": profile or next(iter(told), PROFILE),
        "hosts": sorted(parts, key=lambda part: str(part["role"]) != "management"),
        "made": made,
        "by": by,
    }
    servers = count(parts, "server")
    first = "%s of %s. %s" % (
        count(range(answers), "answer"),
        servers,
        "None is missing." if not missing else "%s missing%s" % (_are(missing), ":" if lines else "."),
    )
    return Capture(document, (first, *lines))


def _are(missing: t.Sized) -> str:
    return "1 is" if len(missing) == 1 else "%d are" % len(missing)


def _unread(role: str, name: str, reason: str) -> Result:
    """A server that answered nothing."""
    return {
        "name": name,
        "role": role,
        "versions": {},
        "commands": None,
        "statements": [],
        "missing": [{"statement": one, "reason": "the server was not reached"} for one in EXPECTED[role]],
        "failures": [reason],
    }
