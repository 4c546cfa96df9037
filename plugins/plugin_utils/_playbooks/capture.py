# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a capture: choose the role of each server, build the file of a deployment, and list the missing answers.

All functions are pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.texts import count
from ...module_utils._capture.pseudonyms import Pseudonyms
from ...module_utils._capture.recording import EXPECTED
from .._servers.servers import DeploymentHosts

FORMAT = "sfb.xmpp capture"
FORM = 1
# The profile of a deployment whose servers did not report a release.
PROFILE = "sfb2015"

Result = dict[str, t.Any]


@dataclass(frozen=True)
class Capture:
    """Hold the capture of a deployment.

    document: the content of the file.
    lines: the lines on the screen, with the number of answers and the missing answers.
    """

    document: Result
    lines: tuple[str, ...]


def role_of(mine: DeploymentHosts, host: str) -> str:
    """Return the role in which a host is asked. A host of several groups gets the role with the most questions."""
    return "management" if host in mine.doors else "edge" if host in mine.edges else "front_end"


def mistakes(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return the mistakes that the user must correct first, such as a key that other users can read.

    The list is empty if a server was asked.
    """
    if any("capture" in one or "reasons" not in one for one in results.values()):
        return []
    return list(dict.fromkeys(str(text) for one in results.values() for text in one["reasons"]))


def decide(
    mine: DeploymentHosts, results: t.Mapping[str, t.Mapping[str, t.Any]], names: Pseudonyms, made: str, by: str
) -> Capture:
    """Return the capture of a deployment.

    results: the results of xmpp_capture_info, by host; an empty result if the process of a host ended without a result.
    names: the pseudonyms.
    made: the time of the capture.
    by: the version of the collection.

    A server that could not be read is in the file with the reason. Hosts without a result are not in the run.
    """
    parts, lines, profile = [], [], ""
    answers, missing = 0, []
    for host in (one for one in mine.hosts if one in results):
        result = results[host]
        part = result.get("capture")
        if part is None:
            reason = str(result.get("msg") or "its process ended without a result")
            lines.append("  %s: no answer: %s" % (host, " ".join(reason.split())))
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
    """Return the part of a server that gave no answer."""
    return {
        "name": name,
        "role": role,
        "versions": {},
        "commands": None,
        "statements": [],
        "missing": [{"statement": one, "reason": "the server was not reached"} for one in EXPECTED[role]],
        "failures": [reason],
    }
