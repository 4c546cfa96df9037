# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, change and stop the partners of a lab. ``partners/partners.json`` informs other processes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ..deployment.public_ca import ROOT_FILE
from ..deployment.shape import SHAPE, shape_in
from ..deployment.store import FILE, Store
from ..deployment.tls import write_private
from ..errors import LabError
from . import processes, programs, stream, zone
from .certificates import read_certificate, write_certificate
from .launch import launch_name_server, launch_server, ready_file, write_hosts
from .servers import DEFAULT, SERVERS, Partner

FOLDER = "partners"
STATE = "partners.json"
SETTING = "xmpp_nameserver"  # in the lab's store: the DNS server of the gateway
PATIENCE = 60.0  # seconds for a start; three are enough on an idle machine

Changes = t.Mapping[str, t.Mapping[str, t.Any]]


def start(
    directory: Path,
    gateway_port: int,
    names: t.Iterable[str] = DEFAULT,
    changes: Changes | None = None,
    servers: t.Mapping[str, Partner] = SERVERS,
) -> Partners:
    """Start the named partners of ``servers`` and the name server, and wait until all answer.

    directory: the lab's. The lab can be down.
    gateway_port: TCP port of the lab's gateway, for the gateway's SRV records.
    changes: settings that replace a server's defaults, as ``{"prosody": {"tls": "none", "dialback": True}}``.
    Raises LabError if packages are missing, if partners are already up, or if a partner does not start.
    """
    changes = changes or {}
    names = tuple(dict.fromkeys((*names, *changes)))
    gone = programs.missing({servers[name].kind for name in names if name in servers})
    if gone:
        raise LabError("partners need the packages %s. %s" % (", ".join(gone), programs.installation(gone)))
    directory = directory.resolve()
    if find(directory) is not None:
        raise LabError("partners are already up in %s" % directory)
    chosen = {name: _chosen(servers, name, changes.get(name, {})) for name in names}
    processes.end(directory / FOLDER)  # processes that remain after a crash
    shutil.rmtree(directory / FOLDER, ignore_errors=True)
    shape = SHAPE
    if (directory / FILE).exists():
        with contextlib.closing(Store(directory)) as store:
            shape = shape_in(store)
    name_port = zone.free_ports(zone.ADDRESS, 1)[0]
    partners = Partners(directory, name_port, chosen, zone.published(chosen.values(), gateway_port, shape))
    try:
        partners._begin()
    except BaseException:
        partners.stop()
        raise
    return partners


def _chosen(servers: t.Mapping[str, Partner], name: str, settings: t.Mapping[str, t.Any]) -> Partner:
    if name not in servers:
        raise LabError("there is no partner %s. Use one of: %s" % (name, ", ".join(servers)))
    partner = servers[name].changed(settings)
    client_port, server_port = zone.free_ports(partner.address, 2)
    return dataclasses.replace(partner, client_port=client_port, server_port=server_port)


def find(directory: Path) -> Partners | None:
    """Return the partners that run for the lab in ``directory``, or None."""
    directory = directory.resolve()
    try:
        state = json.loads((directory / FOLDER / STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not processes.running(directory / FOLDER):
        return None
    servers = {each["name"]: Partner(**each) for each in state["servers"]}
    records = {
        domain: tuple(zone.Service(target, port, tuple(addresses)) for target, port, addresses in services)
        for domain, services in state["records"].items()
    }
    return Partners(directory, state["name_port"], servers, records)


def stop(directory: Path) -> bool:
    """End the partners of the lab in ``directory``, also another process's. Return False if no partners were up."""
    directory = directory.resolve()
    ended = processes.end(directory / FOLDER)
    (directory / FOLDER / STATE).unlink(missing_ok=True)
    if (directory / FILE).exists():
        _announce(directory, None)
    return ended


def _announce(directory: Path, nameserver: str | None) -> None:
    with contextlib.closing(Store(directory)) as store:
        store.set_setting(SETTING, nameserver)


class Partners:
    """Manage the running partners of one lab. Change the attributes through the methods only.

    directory: the lab's.
    servers: each Partner by name.
    records: the SRV records of every domain.
    """

    def __init__(
        self, directory: Path, name_port: int, servers: t.Mapping[str, Partner], records: zone.Records
    ) -> None:
        self.directory = directory
        self.folder = directory / FOLDER
        self.root = directory / ROOT_FILE
        self.servers = dict(servers)
        self.records = dict(records)
        self._name_port = name_port

    @property
    def nameserver(self) -> str:
        """Return the address of the name server: ADDRESS:PORT, over UDP and TCP."""
        return "%s:%d" % (zone.ADDRESS, self._name_port)

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Return the address and port for other servers, by domain."""
        return {d: (p.address, p.server_port) for p in self.servers.values() for d in p.domains}

    def partner(self, domain: str) -> Partner:
        """Return the server of a domain. Raises LabError."""
        for partner in self.servers.values():
            if domain in partner.domains:
                return partner
        raise LabError("no partner that is up serves %s" % domain)

    def certificate(self, domain: str) -> Path:
        """Return the file with a domain's key, certificate and chain (PEM)."""
        return self.folder / "certificates" / (domain + ".pem")

    def stop(self) -> None:
        """End all partners."""
        stop(self.directory)

    def announce(self) -> None:
        """Set the name server of the lab's gateway: at the start, and again after a reset of the lab."""
        _announce(self.directory, self.nameserver)

    def reload(self, name: str) -> None:
        """Make a server read the certificates again. Prosody keeps the streams. ejabberd is restarted."""
        partner = self._named(name)
        if partner.kind != "prosody" or partner.tls == "none":
            return self.restart(name)
        processes.send(self.folder / name, signal.SIGHUP)
        for domain in partner.domains:
            shows = functools.partial(_shows, partner, domain, read_certificate(self.certificate(domain)))
            self._wait("%s does not present its certificate" % domain, shows)
        return None

    def restart(self, name: str, certificates: str = "", **settings: t.Any) -> None:
        """End a server and start the server again, with other settings if given. Raises LabError.

        certificates: the kind (KINDS) of new certificates for every domain of the server; '' keeps the certificates.
        """
        partner = self._named(name).changed(settings)
        if certificates:
            for domain in partner.domains:
                write_certificate(self.directory, self.certificate(domain), domain, certificates)
            partner = dataclasses.replace(partner, domains=dict.fromkeys(partner.domains, certificates))
        self.servers[name] = partner
        processes.end(self.folder / name)
        self._save()
        self._await(name, self._launch(name))

    def replace_certificate(self, domain: str, kind: str) -> None:
        """Replace a domain's certificate (KINDS), and wait until the server presents the new one. Raises LabError.

        Open streams keep the old certificate. ``restart`` closes the streams.
        """
        partner = self.partner(domain)
        write_certificate(self.directory, self.certificate(domain), domain, kind)
        self.servers[partner.name] = dataclasses.replace(partner, domains={**partner.domains, domain: kind})
        self._save()
        self.reload(partner.name)

    def set_records(self, domain: str, *services: zone.Service) -> None:
        """Publish other SRV records for a domain. Without services, publish none. Raises LabError."""
        self.publish({domain: services})

    def publish(self, records: zone.Records) -> None:
        """Publish other SRV records for several domains. Raises LabError."""
        self.records.update(records)
        self._save()
        write_hosts(self._hosts, self.records)
        processes.end(self.folder / "dns")
        self._launch_name_server()

    def _named(self, name: str) -> Partner:
        if name not in self.servers:
            raise LabError("the partner %s is not up. These are up: %s" % (name, ", ".join(self.servers)))
        return self.servers[name]

    @property
    def _hosts(self) -> Path:
        return self.folder / "hosts"

    def _begin(self) -> None:
        for partner in self.servers.values():
            for domain, kind in partner.domains.items():
                write_certificate(self.directory, self.certificate(domain), domain, kind)
        self._save()
        write_hosts(self._hosts, self.records)
        started = [(name, self._launch(name)) for name in self.servers]
        self._launch_name_server()
        for name, process in started:
            self._await(name, process)
        self.announce()

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        partner, certificates = self.servers[name], self.folder / "certificates"
        return launch_server(partner, self.folder / name, certificates, self.root, self.nameserver, self._hosts)

    def _launch_name_server(self) -> None:
        process = launch_name_server(self.folder / "dns", self._name_port, self.records)
        self._wait("the name server does not answer", lambda: zone.answers(self._name_port), process)

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> None:
        partner, ready = self.servers[name], ready_file(self.folder / name)
        if partner.kind == "ejabberd":
            self._wait("%s does not start" % name, ready.exists, process)
        domain = next(iter(partner.domains))
        self._wait("%s does not answer" % name, lambda: stream.serves(partner, domain), process)

    def _wait(
        self, complaint: str, happened: t.Callable[[], bool], process: subprocess.Popen[bytes] | None = None
    ) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if happened():
                return
            if process is not None and process.poll() is not None:
                break
            time.sleep(0.05)
        raise LabError("%s. Read the logs in %s" % (complaint, self.folder))

    def _save(self) -> None:
        state = {
            "name_port": self._name_port,
            "nameserver": self.nameserver,  # for an inventory
            "servers": [dataclasses.asdict(partner) for partner in self.servers.values()],
            "records": {d: [dataclasses.astuple(s) for s in services] for d, services in self.records.items()},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self.folder / STATE, json.dumps(state, indent=2).encode())


def _shows(partner: Partner, domain: str, certificate: bytes) -> bool:
    try:
        return stream.presented(partner, domain) == certificate
    except (OSError, LabError):
        return False
