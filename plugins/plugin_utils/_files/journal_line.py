# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the line of a task in the journal: the user, time, reason, deployment and objects.

No key has secrets. The line has the names of the changed objects and a hash of the shown steps, but not the steps.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import subprocess
import typing as t

from ...module_utils._base import user_names
from ...module_utils._base.account import system_user
from ...module_utils._base.names import Invalid
from ...module_utils._federation.digest import digest_of
from ...module_utils._federation.identity import Identity, from_file
from .journal_chain import Line

FORM = 2
# These variables have the claims of users and services about themselves. A claim is not a proof, so the claims are
# separate from ``user``.
_CLAIMED_VARIABLES = {
    "awx_user": ("awx_user_name", "tower_user_name"),
    "awx_job": ("awx_job_id", "tower_job_id"),
    "awx_template": ("awx_job_template_name", "tower_job_template_name"),
}
_CLAIMED_ENVIRONMENT = {
    "ci_user": ("GITLAB_USER_LOGIN", "GITHUB_ACTOR", "BUILD_USER_ID", "BUILD_REQUESTEDFOREMAIL"),
    "ci_job": ("CI_JOB_URL", "GITHUB_RUN_ID", "BUILD_URL", "BUILD_BUILDURI"),
    "sudo_user": ("SUDO_USER",),
}
# The object of a step, by the noun of the step's cmdlet.
_KINDS = {
    "CsXmppAllowedPartner": "partner",
    "CsExternalAccessPolicy": "policy",
    "CsXmppGatewayConfiguration": "gateway",
    "CsAccessEdgeConfiguration": "access edge",
    "CsSite": "site",
}
PARTNER, POLICY, USER = "partner", "policy", "user"


def make_line(
    result: t.Mapping[str, t.Any],
    *,
    playbook: str,
    task: str,
    deployment: str,
    host: str,
    account: str,
    inventory: t.Sequence[str],
    ticket: str = "",
    reason: str = "",
    claimed: t.Mapping[str, str] | None = None,
) -> Line:
    """Return the line of a task.

    result: the result of the task.
    task: the module's name.
    inventory: the sources of the inventory, in Ansible's form.
    reason: the user's reason; only a revocation has a reason.
    """
    failed = bool(result.get("failed"))
    outcome = "refused" if failed and "reasons" in result else "failed" if failed else "ok"
    if "ansible_job_id" in result:
        outcome = "started"  # the task runs with async, so this process does not get the result
    snapshot, steps = result.get("snapshot"), result.get("steps")
    identity = _identity(result.get("identity"), deployment)
    return {
        "form": FORM,
        "time": now(),
        "playbook": playbook or None,
        "task": task,
        "phase": result.get("phase"),
        "user": system_user(),
        "claimed": dict(claimed or {}) or None,
        "controller": socket.gethostname(),
        "account": account,
        "host": host,
        "deployment": identity.as_dict(),
        "inventory": list(inventory),
        "commit": next(filter(None, map(commit, inventory)), None),
        "ticket": ticket or None,
        "reason": reason or None,
        "changed": bool(result.get("changed")),
        "summary": result.get("summary"),
        "objects": objects(steps or ()),
        "digest": digest_of(identity, steps) if steps is not None else None,
        "outcome": outcome,
        "message": _first(result) if failed else None,
        "went_back": result.get("went_back"),
        "snapshot": os.path.basename(str(snapshot)) if snapshot else None,
    }


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def applied(text: str, digest: str) -> Line | None:
    """Return the last line of a run that applied the plan with this digest.

    text: the text of the journal.
    """
    for line in reversed(text.split("\n")):
        if digest in line:
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict) and found.get("digest") == digest and found.get("changed"):
                    return found
    return None


def carried_out(path: str, line: Line) -> str:
    """Return the message for a plan file whose plan was already applied."""
    text = "the plan in %s was applied at %s%s. To make more changes, save a new plan with --check"
    ticket = ", %s" % line["ticket"] if line.get("ticket") else ""
    return text % (path, str(line.get("time")).replace("T", " ").replace("Z", " UTC"), ticket)


def claims(variables: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> dict[str, str]:
    """Return the claims of AWX and CI about the user and the job.

    variables: the variables of the task.
    """
    found = {}
    for sources, names in ((variables, _CLAIMED_VARIABLES), (environment, _CLAIMED_ENVIRONMENT)):
        for claim, keys in names.items():
            value = next((sources[key] for key in keys if sources.get(key)), None)
            if value is not None:
                found[claim] = str(value)
    return found


def objects(steps: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, list[str]]:
    """Return the names of the objects that were written or tried, by kind, with changed additional domains."""
    found: dict[str, list[str]] = {}

    def add(kind: str, *names: t.Any) -> None:
        had = found.setdefault(kind, [])
        had += [str(name) for name in names if name and str(name) not in had]

    for step in steps:
        if step.get("result") == "not_sent":
            continue
        verb, _dash, noun = str(step["cmdlet"]).partition("-")
        parameters = step.get("parameters") or {}
        if verb == "Grant":
            add(USER, user_names.pseudonym(str(step["identity"])))
            add(POLICY, parameters.get("PolicyName"))
            continue
        add(_KINDS.get(noun, noun), step["identity"])
        more = parameters.get("AdditionalDomains")
        lists = more.values() if isinstance(more, t.Mapping) else [more] if isinstance(more, list) else []
        for names in lists:
            add(PARTNER, *names)
    return found


def commit(source: str) -> str | None:
    """Return the git commit of an inventory's source, with ``-dirty`` if files were changed; None if unknown."""
    directory = source if os.path.isdir(source) else os.path.dirname(source)
    if not os.path.exists(source):
        return None
    command = ["git", "-c", "core.fsmonitor=false", "-C", directory or "."]
    command += ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _identity(value: t.Any, label: str) -> Identity:
    try:
        return from_file(value)
    except Invalid:
        return Identity(label)


def _first(result: t.Mapping[str, t.Any]) -> str:
    """Return the first reason or failure, on one line."""
    reasons = result.get("reasons") or [(str(result.get("msg") or "").splitlines() or ["no reason given"])[0]]
    return str(user_names.shown(str(reasons[0])))
