# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a rehearsal: start labs of the inventory's shape, converge twice, audit, and test with stand-in servers."""

from __future__ import annotations

import contextlib
import datetime
import glob
import json
import os
import shutil
import tempfile
import typing as t
from dataclasses import dataclass, field

from ...module_utils._base.inventory_text import inventory_values
from ...module_utils._base.names import Invalid
from ...module_utils._base.result import Refused
from ...module_utils._base.texts import utc
from ...module_utils._base.version import VERSION
from .._documents.finding_order import Finding
from .inventory import for_lab, profile_of, reach
from .processes import Lab, Played, play
from .shape import make_shape

Host = t.Mapping[str, t.Any]
Tell = t.Callable[[str], None]
DEPLOYMENT = "sfb_xmpp_deployment"


@dataclass(frozen=True)
class Given:
    """Hold the options of a rehearsal.

    inventory: the name of the inventory in the report.
    profile: the product; empty to derive the product from the module of the Edge servers.
    start: a directory of sfb.xmpp.export, or a capture; empty for a deployment right after the installation.
    once: variables for the command line of converge.
    """

    inventory: str
    profile: str = ""
    start: str = ""
    once: t.Mapping[str, t.Any] = field(default_factory=dict)


def rehearse(hosts: t.Mapping[str, t.Mapping[str, Host]], given: Given, tell: Tell) -> dict[str, t.Any]:
    """Run a rehearsal and return the result for _documents/rehearsal.py. Raises Refused if nothing could be run.

    hosts: the hosts by group, each host with its variables for the lab.
    tell: is called with the progress.
    """
    scratch = tempfile.mkdtemp(prefix="sfb.")
    try:
        with contextlib.ExitStack() as stack:
            return _Rehearsal(hosts, scratch, stack, tell, given.once).run(given.inventory, given.profile, given.start)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Rehearsal:
    def __init__(
        self,
        hosts: t.Mapping[str, t.Mapping[str, Host]],
        scratch: str,
        stack: contextlib.ExitStack,
        tell: Tell,
        once: t.Mapping[str, t.Any],
    ) -> None:
        self._hosts, self._scratch, self._stack, self._tell, self._once = hosts, scratch, stack, tell, once
        self._labs: dict[str, Lab] = {}
        self._runs: list[dict[str, t.Any]] = []
        self._skipped: list[dict[str, str]] = []

    def run(self, inventory: str, profile: str, start: str) -> dict[str, t.Any]:
        variables = [values for group in self._hosts.values() for values in group.values()]
        profile = profile or profile_of(variables)
        findings: list[Finding] = []
        before = self._start_values(start, profile) if start else {}
        for number, deployment in enumerate(dict.fromkeys(map(_deployment, variables)) or ["default"]):
            self._labs[deployment] = self._lab(number, deployment, profile, before)
        ready = not before or self._converge("the starting point", before)
        if ready and self._converge("converge", {}) and self._converge("converge again", {}, again=True):
            findings = [*self._audit(), *self._partners()]
        now = utc(datetime.datetime.now(datetime.timezone.utc))
        skipped = list({str(one): one for one in self._skipped}.values())
        given = {"collection": VERSION, "inventory": inventory, "profile": profile, "time": now}
        return {**given, "runs": self._runs, "findings": findings, "skipped": skipped}

    # Labs

    def _lab(self, number: int, deployment: str, profile: str, before: t.Mapping[str, t.Any]) -> Lab:
        own = {g: [v for v in group.values() if _deployment(v) == deployment] for g, group in self._hosts.items()}
        management, edges = len(own.get("sfb_management", ())), len(own.get("sfb_edge", ()))
        variables = [values for group in own.values() for values in group]
        # The starting point comes first, because its site has the Edge servers.
        shape = make_shape([*([before] if before else []), *variables], management, edges, number)
        self._tell("starts a lab as %s: %s" % (profile, _described(shape)))
        lab = Lab(os.path.join(self._scratch, "lab%d" % number), profile, shape)
        self._stack.callback(lab.stop)
        return lab

    def _start_values(self, start: str, profile: str) -> dict[str, t.Any]:
        """Return the variables of an export or of a capture. Raises Refused."""
        path = os.path.expanduser(start)
        if os.path.isdir(path):
            path = os.path.join(path, "group_vars", "all", "sfb_xmpp.yml")
        if path.endswith((".yml", ".yaml")):
            try:
                with open(path, encoding="utf-8") as file:
                    return inventory_values(file.read())
            except (OSError, Invalid, UnicodeError) as exc:
                raise Refused(["sfb_xmpp_rehearse_from: %s cannot be read: %s" % (path, exc)]) from None
        return self._of_capture(path, profile)

    def _of_capture(self, path: str, profile: str) -> dict[str, t.Any]:
        try:
            with open(path, encoding="utf-8") as file:
                profile = str(json.load(file)["profile"])
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise Refused(["sfb_xmpp_rehearse_from: %s is not an export or a capture: %s" % (path, exc)]) from None
        lab = Lab(os.path.join(self._scratch, "capture"), profile, make_shape([], 1, 1, 250), os.path.realpath(path))
        try:
            host = lab.shape["hosts"][0]
            variables = reach("management", host["address"], lab.port, lab.ca)
            into = os.path.join(self._scratch, "start")
            inventory = {"sfb_management": {"hosts": {"captured": variables}}}
            done = play("sfb.xmpp.export", inventory, self._scratch, "-e", json.dumps({"sfb_xmpp_into": into}))
            if done.code:
                raise Refused(["sfb_xmpp_rehearse_from: %s lacks data that an export needs: %s" % (path, done.message)])
            return self._start_values(into, profile)
        finally:
            lab.stop()

    # Runs

    def _inventory(self, instead: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for group, role in (("sfb_management", "management"), ("sfb_edge", "edge")):
            places = {
                name: iter([h for h in lab.shape["hosts"] if h["role"] == role]) for name, lab in self._labs.items()
            }
            for host, values in self._hosts.get(group, {}).items():
                lab = self._labs[_deployment(values)]
                address = next(places[_deployment(values)])["address"]
                own, skipped = for_lab(values, address, lab.xmpp_port, self._scratch)
                self._skipped += skipped
                if instead:
                    kept = {n: v for n, v in own.items() if n in (DEPLOYMENT, "sfb_xmpp_snapshot_directory")}
                    own = {**kept, **instead}
                variables = {**own, **reach(role, address, lab.port, lab.ca)}
                found.setdefault(group, {"hosts": {}})["hosts"][host] = variables
        return found

    def _converge(self, name: str, instead: t.Mapping[str, t.Any], again: bool = False) -> bool:
        """Run converge, and return whether the rehearsal can continue."""
        self._tell(name)
        # The starting point may have settings that converge refuses without this option.
        once = {"sfb_xmpp_force": True} if instead else dict(self._once)
        extra = [*(["--skip-tags", "certificate"] if instead else []), *(["-e", json.dumps(once)] if once else [])]
        done = play("sfb.xmpp.converge", self._inventory(instead), self._scratch, *extra)
        failed = bool(done.code)
        result = "failed" if failed else "changed" if again and done.changed else "ok"
        message = done.message if failed else _changes(done) if result == "changed" else ""
        self._runs.append(
            {"name": name, "seconds": done.seconds, "result": result, "summary": done.summary, "message": message}
        )
        return not failed

    # Results

    def _audit(self) -> list[Finding]:
        """Return the findings of sfb.xmpp.audit: settings of partners, policies, certificates."""
        if not self._hosts.get("sfb_management"):
            return []
        self._tell("checks the result")
        into = os.path.join(self._scratch, "audit")
        arguments = ("-e", json.dumps({"sfb_xmpp_into": into}))
        done = play("sfb.xmpp.audit", self._inventory({}), self._scratch, *arguments)
        found: list[Finding] = []
        for path in sorted(glob.glob(os.path.join(into, "**", "audit.json"), recursive=True)):
            with open(path, encoding="utf-8") as file:
                found += json.load(file)["findings"]
        if done.code:
            run = {"name": "audit", "seconds": done.seconds, "result": "failed", "summary": None}
            self._runs.append({**run, "message": done.message})
        return [one for one in found if not self._never_declared(one)]

    def _never_declared(self, finding: Finding) -> bool:
        """Return whether the finding is about a certificate that this inventory does not provide."""
        if finding["code"] == "certificate_missing":
            # The finding is about all Edge servers without a certificate. The message names these servers.
            return self._brought_elsewhere([h for h in self._hosts.get("sfb_edge", {}) if h in finding["message"]])
        if finding["area"] != "certificate":
            return False
        host, _space, usage = finding["object"].partition(" ")
        # The other certificates belong to the lab.
        return bool(usage) and usage not in (self._declared_certificate(host).get("usages") or ["XmppServer"])

    def _declared_certificate(self, host: str) -> dict[str, t.Any]:
        certificate = self._hosts.get("sfb_edge", {}).get(host, {}).get("sfb_xmpp_certificate")
        return certificate if isinstance(certificate, dict) else {}

    def _brought_elsewhere(self, hosts: t.Sequence[str]) -> bool:
        """Return whether the lab lacks the sources of all Edge certificates. Record each certificate as skipped."""
        kinds = {host: (self._declared_certificate(host).get("source") or {}).get("type") for host in hosts}
        if not kinds or not all(kind in (None, "enterprise_ca", "request") for kind in kinds.values()):
            return False
        for host, kind in kinds.items():
            reason = "the inventory has none" if kind is None else "the source %s is not available in the lab" % kind
            self._skipped.append({"name": "certificate of %s" % host, "reason": reason})
        return True

    def _partners(self) -> list[Finding]:
        found: list[Finding] = []
        for deployment, lab in self._labs.items():
            own = [v for group in self._hosts.values() for v in group.values() if _deployment(v) == deployment]
            certificates = [v["sfb_xmpp_certificate"] for v in own if isinstance(v.get("sfb_xmpp_certificate"), dict)]
            if not self._hosts.get("sfb_edge"):
                self._skipped.append({"name": "messages with partners", "reason": "the group sfb_edge has no hosts"})
                continue
            self._tell("starts stand-in servers for the partners")
            told = lab.talk(next((str(c["trust_store"]) for c in certificates if c.get("trust_store")), ""))
            self._skipped += [{**one, "name": "messages with %s" % one["name"]} for one in told["skipped"]]
            for talk in told["talks"]:
                found += _judged(talk)
        return found


def _judged(talk: t.Mapping[str, t.Any]) -> t.Iterator[Finding]:
    domain = str(talk["domain"])
    common = {"area": "partner", "object": domain}
    lost = [one for one in talk["outcomes"] if not one["arrived"]]
    for one in lost:
        way = "from %s to the stand-in server" if one["direction"] == "out" else "from the stand-in server to %s"
        text = "a message %s did not arrive: %s" % (way % talk["user"], one["why"] or "the reason is unknown")
        remedy = "compare the partner's settings with the certificate of the Edge server. The stand-in server has TLS,"
        remedy += " a good certificate and dialback"
        yield {**common, "code": "no_message", "severity": "error", "message": text, "remedy": remedy}
    if not lost:
        how = {"S": "with certificates", "T": "with dialback inside TLS", "C": "with dialback without encryption"}
        ways = list(dict.fromkeys(how.get(one["method"], "with an unknown method") for one in talk["outcomes"]))
        text = "messages with a stand-in server (Prosody) passed in both directions, %s" % " and ".join(ways)
        yield {**common, "code": "messages_passed", "severity": "info", "message": text, "remedy": ""}


def _changes(done: Played) -> str:
    tasks = ["%s: %s" % (task["host"], task["task"]) for task in done.tasks if task["changed"]]
    return "; ".join(dict.fromkeys(tasks))


def _deployment(values: Host) -> str:
    return str(values.get(DEPLOYMENT) or "default")


def _described(shape: t.Mapping[str, t.Any]) -> str:
    roles = [host["role"] for host in shape["hosts"]]
    text = "management hosts: %d, Edges: %d, sites: %s, SIP domains: %s, users: %d"
    names = ", ".join(shape["sites"]), ", ".join(shape["sip_domains"])
    return text % (roles.count("management"), roles.count("edge"), *names, len(shape["users"]))
