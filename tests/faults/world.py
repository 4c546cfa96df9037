# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment behind a place of faults, and what is done to it: each scenario begins at the same state every time."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result

from lab.deployment.store import Store
from tests.faults.place import Way
from tests.faults.run import Job, do
from tests.integration.hostile_server import ADDRESS, PASSWORD
from tests.unit.certificates import NAMES, PASSPHRASE, intermediate, issue, leaf, root

CHECKOUT = Path(__file__).resolve().parents[2]
Saved = dict[str, list[tuple[t.Any, ...]]]


class World:
    """One deployment with its servers, and the controller's own directory."""

    def __init__(self, directory: Path, hosts: t.Sequence[str]) -> None:
        (directory / "lab").mkdir(parents=True)
        self.home = directory / "home"
        self.directory = directory
        self.way = Way(directory / "lab", hosts)
        for setting in ("replication_seconds", "replication_notice", "status_empty_seconds"):
            self.store.set_setting(setting, 0.1)  # so that there is something to wait for
        # Seconds that the next runs wait for an answer.
        self.patience = 30
        self._saved: Saved = {}
        self._kept = directory / "kept"

    @property
    def store(self) -> Store:
        return self.way.store

    def close(self) -> None:
        self.way.close()

    def job(self, host: str, task: str, **arguments: t.Any) -> Job:
        """A task on a host."""
        edge = host.startswith("edge")
        where = {
            "remote_addr": ADDRESS,
            "port": self.way.servers[host].port,
            "path": "wsman" if edge else "OcsPowershell",
            "protocol": "https",
            "auth": "basic",
            "message_encryption": "never",
            "remote_user": self.way.servers[host].user,
            "remote_password": "Lab-edge-1" if edge else PASSWORD,
            "ca_cert": str(self.way.identity.ca),
            "ignore_proxy": True,
            "read_timeout": self.patience,
            "operation_timeout": 1,
            "modules": ["SkypeForBusiness"] if edge else [],
        }
        return Job(host, task, arguments, where, str(self.home))

    def start(self, jobs: t.Sequence[Job], name: str = "jobs.json", **more: t.Any) -> subprocess.Popen[str]:
        """The jobs in a process of their own (see run.py)."""
        file = self.directory / name
        file.write_text(json.dumps({"jobs": [asdict(job) for job in jobs], **more}))
        command = [sys.executable, "-m", "tests.faults.run", str(file)]
        return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)

    def apart(self, jobs: t.Sequence[Job], **more: t.Any) -> tuple[int, dict[str, t.Any]]:
        """The same to its end: the exit status, and what it told, empty where it was killed."""
        process = self.start(jobs, **more)
        self.way.victim(process.pid)
        output, _nothing = process.communicate(timeout=120)
        return process.returncode, json.loads(output) if output.strip() else {}

    def save(self) -> None:
        """What is there now is what every trial begins with."""
        self._saved = {
            name: self.store.sql("SELECT * FROM %s" % name)
            for (name,) in self.store.sql(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%'"
            )
            if name != "event"
        }
        shutil.rmtree(self._kept, ignore_errors=True)
        if self.home.exists():
            shutil.copytree(self.home, self._kept)

    def begin(self) -> int:
        """Back to that. Returns the number of the last event."""
        with self.store.transaction():
            for name, rows in self._saved.items():
                self.store.sql("DELETE FROM %s" % name)
                for row in rows:
                    marks = ",".join("?" * len(row))
                    self.store.sql("INSERT INTO %s VALUES (%s)" % (name, marks), *row)
        shutil.rmtree(self.home, ignore_errors=True)
        if self._kept.exists():
            shutil.copytree(self._kept, self.home)
        for server in self.way.servers.values():
            server.sessions.close_all()
        return max((event.id for event in self.store.events()), default=0)


class Scenario:
    """name: in the table. hosts: which servers take part."""

    name = ""
    hosts: tuple[str, ...] = ("fe01",)

    def prepare(self, world: World) -> None:
        """Make the state that a trial begins with."""

    def jobs(self, world: World) -> list[Job]:
        """What a trial does, in one go."""
        raise NotImplementedError

    def work(self, world: World) -> list[Result]:
        """Do it. Raises Refused, ServerRefused, ShellError."""
        return [do(job) for job in self.jobs(world)]

    def state(self, store: Store) -> dict[str, t.Any]:
        """What is managed, by object: each is written as a whole or not at all."""
        raise NotImplementedError


def _users(store: Store) -> list[str]:
    return [user["SipAddress"] for user in store.users().values() if not user["AdminCount"]]


class Converge(Scenario):
    """Make, change and remove policies, grants, 30 partners, gateway and Access Edge settings in one run."""

    name = "converge"
    partners = 30

    def prepare(self, world: World) -> None:
        before = {
            "policies": [
                {"identity": "Old", "enable_federation_access": True, "enable_xmpp_access": True},
                {"identity": "Friends", "enable_federation_access": True, "description": "as it was"},
            ],
            "partners": [
                {"domain": name, "description": "as it was"}
                for name in ("gone.example", "also-gone.example", *("p%d.example" % n for n in range(8)))
            ],
        }
        result = do(world.job("fe01", "federation", **before))
        assert not result.failures, result.failures

    def jobs(self, world: World) -> list[Job]:
        users = _users(world.store)
        wanted = {
            "policies": [
                {
                    "identity": "Friends",
                    "enable_federation_access": True,
                    "enable_xmpp_access": True,
                    "enable_outside_access": True,
                    "granted_to": users[:4],
                },
                {"identity": "More", "enable_federation_access": True, "enable_outside_access": True},
                {"identity": "site:Dublin", "enable_federation_access": True, "enable_outside_access": True},
                {"identity": "global", "description": "as declared", "enable_outside_access": True},
            ],
            "partners": [
                {
                    "domain": "p%d.example" % number,
                    "description": "partner %d" % number,
                    "additional_domains": ["a.p%d.example" % number, "b.p%d.example" % number][: number % 3],
                    "tls_negotiation": "required" if number % 2 else "optional",
                    "sasl_negotiation": "required" if number % 2 else "not_supported",
                    "support_dialback_negotiation": not number % 2,
                }
                for number in range(self.partners)
            ],
            "gateway": {"connection_limit": 77, "dialback_passphrase": "hush-hush-passphrase"},
            "access_edge": {"allow_federated_users": True},
            "partners_purge": True,
            "policies_purge": True,
            "update_limit": 100,
            "allow_replaced_policies": True,
            "snapshot_directory": str(world.home / "snapshots"),
            "preflight": True,
            "replication": "wait",
        }
        return [world.job("fe01", "federation", **wanted)]

    def state(self, store: Store) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for kind in ("partner", "policy", "gateway", "access_edge", "site"):
            found.update({"%s %s" % (kind, key): body for key, body in store.all(kind).items()})
        grants = store.grants("dc01.contoso.test")
        found.update({"grant %s" % user: grants.get(user) for user in store.all("user")})
        return found


class Restore(Converge):
    """Back from there to the snapshot that the run before has kept."""

    name = "restore"

    def prepare(self, world: World) -> None:
        super().prepare(world)
        (job,) = super().jobs(world)
        result = do(job)
        assert not result.failures, result.failures

    def jobs(self, world: World) -> list[Job]:
        files = sorted((world.home / "snapshots").glob("*.yml"))
        back = {
            "restore_from": str(files[0]),
            "snapshot_directory": str(world.home / "snapshots"),
            "removal_limit": 100,
            "update_limit": 100,
            "allow_loss": ["outside_access", "federation_access"],
            "force": True,
            "allow_replaced_policies": True,
        }
        return [world.job("fe01", "federation", **back)]


def certificate_options(world: World, one: t.Any) -> dict[str, t.Any]:
    """What brings a certificate to an Edge."""
    file, trust = world.directory / ("%s.pfx" % one.thumbprint), world.directory / "root.pem"
    if not file.exists():
        file.write_bytes(one.pkcs12(intermediate(), root()))
        trust.write_bytes(root().pem)
    return {
        "names": list(NAMES),
        "source": {"type": "pkcs12", "path": str(file), "passphrase": PASSPHRASE},
        "trust_store": str(trust),
    }


def certificate_state(store: Store, host: str) -> dict[str, t.Any]:
    """What an Edge has of it."""
    assigned = store.assignments(host).get("XmppServer")
    return {
        "%s assigned" % host: assigned,
        "%s presents" % host: store.presented(host).get("XmppServer"),
        "%s services" % host: sorted(store.services(host).items()),
        "%s key" % host: [row.key_readable for row in store.certificates(host, "My") if row.thumbprint == assigned],
    }


class Certificate(Scenario):
    """A new certificate comes into force on a pool of two Edges, one after the other."""

    name = "certificate"
    hosts = ("edge01", "edge02")

    def prepare(self, world: World) -> None:
        self.new = issue(issuer=intermediate(), days=300)
        for host in self.hosts:
            assert not do(world.job(host, "certificate", **certificate_options(world, leaf()))).failures

    def jobs(self, world: World) -> list[Job]:
        return [world.job(host, "certificate", **certificate_options(world, self.new)) for host in self.hosts]

    def state(self, store: Store) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for host in self.hosts:
            found.update(certificate_state(store, host))
        return found


class Decommission(Converge):
    """The way out: partners and XMPP access go, then the route, then the certificate of the Edge."""

    name = "decommission"
    hosts = ("fe01", "edge01")
    partners = 8

    def prepare(self, world: World) -> None:
        super().prepare(world)
        (job,) = super().jobs(world)
        assert not do(job).failures
        assert not do(world.job("edge01", "certificate", **certificate_options(world, leaf()))).failures

    def jobs(self, world: World) -> list[Job]:
        snapshots = str(world.home / "snapshots")
        out = {
            "policies": [{"identity": name, "enable_xmpp_access": False} for name in ("Friends", "Old")],
            "partners": [],
            "partners_purge": True,
            "allow": ["empty_purge", "large_purge", "many_updates"],
            "snapshot_directory": snapshots,
            "replication": "wait",
        }
        route = {
            "federation_routes": [{"site": "Dublin", "edge_pool": ""}],
            "allow": ["clear_route"],
            "snapshot_directory": snapshots,
        }
        return [
            world.job("fe01", "federation", **out),
            world.job("fe01", "federation", **route),
            world.job("edge01", "certificate", usages=["XmppServer"], state="absent"),
        ]

    def state(self, store: Store) -> dict[str, t.Any]:
        return {**super().state(store), **certificate_state(store, "edge01")}


class Partners(Scenario):
    """Some partners that are there already: for two runs at once."""

    name = "partners"

    def prepare(self, world: World) -> None:
        partners = [{"domain": "p%d.example" % number, "description": "as it was"} for number in range(0, 12, 2)]
        assert not do(world.job("fe01", "federation", partners=partners)).failures

    def state(self, store: Store) -> dict[str, t.Any]:
        return dict(store.partners())


SCENARIOS: dict[str, type[Scenario]] = {one.name: one for one in (Converge, Certificate, Restore, Decommission)}


@contextlib.contextmanager
def world_of(scenario: Scenario, directory: Path) -> t.Iterator[World]:
    world = World(directory, scenario.hosts)
    try:
        scenario.prepare(world)
        world.save()
        yield world
    finally:
        world.close()
