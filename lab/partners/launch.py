# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a program's configuration into a separate directory, and start the program."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import typing as t
from pathlib import Path

import jinja2

from ..deployment.tls import write_private
from ..process import CHECKOUT
from . import processes, programs, zone
from .servers import Partner

USERS = ("romeo", "juliet")
PASSWORD = "Lab-partner-1"  # noqa: S105 - public by design, like every secret of the lab

# Servers read these files, not browsers. So characters are not escaped for HTML.
_templates = jinja2.Environment(  # noqa: S701
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, path: Path, **values: t.Any) -> None:
    """Write a file from ``templates/TEMPLATE.j2``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_templates.get_template(template + ".j2").render(values), "utf-8")


def launch_name_server(folder: Path, port: int, records: zone.Records) -> subprocess.Popen[bytes]:
    """Start dnsmasq. Raises LabError."""
    values = {"address": zone.ADDRESS, "port": port, "user": processes.user(), "records": records}
    render("dnsmasq.conf", folder / "dnsmasq.conf", hosts=zone.hosts(records), **values)
    command = [programs.program("dnsmasq"), "--keep-in-foreground", "--conf-file=%s" % (folder / "dnsmasq.conf")]
    return processes.spawn(command, folder, {})


def write_hosts(path: Path, records: zone.Records) -> None:
    """Write the address records as a hosts file. ejabberd reads this file through the C library."""
    render("hosts", path, hosts=zone.hosts(records))


def launch_server(
    partner: Partner, folder: Path, certificates: Path, root: Path, nameserver: str, hosts: Path
) -> subprocess.Popen[bytes]:
    """Start Prosody, ejabberd, jabberd2 or a server of wokkel.

    certificates: the directory with each domain's certificate.
    root: the root certificate that the server trusts.
    hosts: a file from ``write_hosts``.

    Raises LabError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {"partner": partner, "folder": folder, "certificates": certificates, "root": root, "password": PASSWORD}
    if partner.kind == "prosody":
        return _prosody(partner, folder, nameserver, values)
    if partner.kind == "jabberd2":
        return _jabberd2(partner, folder, nameserver, values)
    if partner.kind == "wokkel":
        return _wokkel(partner, folder, nameserver)
    return _ejabberd(folder, nameserver, hosts, values)


def _prosody(partner: Partner, folder: Path, nameserver: str, values: t.Mapping[str, t.Any]) -> subprocess.Popen[bytes]:
    for domain in partner.domains:
        # Prosody's internal storage escapes all characters except letters and digits.
        accounts = folder / "data" / _escaped(domain) / "accounts"
        for user in USERS:
            render("account.dat", accounts / (user + ".dat"), password=PASSWORD)
    config = folder / "prosody.cfg.lua"
    more = {"nameserver": nameserver, "superuser": os.geteuid() == 0, "plugins": Path(__file__).with_name("prosody")}
    render("prosody.cfg.lua", config, **more, **values)
    return processes.spawn([programs.program("prosody"), "-F", "--config", str(config)], folder, {})


def _escaped(domain: str) -> str:
    return re.sub("[^a-zA-Z0-9]", lambda found: "%%%02x" % ord(found[0]), domain)


def _ejabberd(folder: Path, nameserver: str, hosts: Path, values: t.Mapping[str, t.Any]) -> subprocess.Popen[bytes]:
    ready_file(folder).unlink(missing_ok=True)
    # Each start is new. No queue or session of an earlier run remains.
    shutil.rmtree(folder / "mnesia", ignore_errors=True)
    render("ejabberd.yml", folder / "ejabberd.yml", **values)
    render("inetrc", folder / "inetrc", nameserver=nameserver)
    render("users.erl", folder / "users.erl", users=USERS, **values)
    # ejabberdctl must run as root or as the user ejabberd. So ejabberdctl is not used. Without a node name there is no
    # distribution, so no epmd process remains. ejabberd uses one scheduler, because ejabberd resolves names on all
    # schedulers. The preloaded library that reads ``hosts`` crashes if the first queries of two threads come at the
    # same time.
    command = [programs.program("erl"), "-noinput", "+S", "1:1", "+sbwt", "none"]
    command += ["-mnesia", "dir", '"%s"' % (folder / "mnesia")]
    command += ["-s", "ejabberd", "-eval", 'ok = file:eval("%s")' % (folder / "users.erl")]
    environment = {
        "ERL_LIBS": programs.ejabberd_libraries(),
        "ERL_INETRC": str(folder / "inetrc"),
        "ERL_CRASH_DUMP": str(folder / "crash.dump"),
        "ERL_CRASH_DUMP_SECONDS": "0",
        "EJABBERD_CONFIG_PATH": str(folder / "ejabberd.yml"),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "CONTRIB_MODULES_PATH": str(folder / "modules"),
        "LD_PRELOAD": programs.nss_wrapper(),
        "NSS_WRAPPER_HOSTS": str(hosts),
    }
    return processes.spawn(command, folder, environment)


def _jabberd2(
    partner: Partner, folder: Path, nameserver: str, values: t.Mapping[str, t.Any]
) -> subprocess.Popen[bytes]:
    """Start the four programs of jabberd2, and return the program for other servers."""
    database = folder / "sqlite.db"
    database.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.executescript(gzip.decompress(programs.JABBERD2_SCHEMA.read_bytes()).decode())
        rows = [(user, domain, PASSWORD) for domain in partner.domains for user in USERS]
        connection.executemany("INSERT INTO authreg (username, realm, password) VALUES (?, ?, ?)", rows)
        connection.commit()
    more = {"libraries": programs.jabberd2_libraries(), "router_port": zone.free_ports(partner.address, 1)[0]}
    render("jabberd2-users.xml", folder / "users.xml", **values)
    address, _colon, port = nameserver.rpartition(":")
    # jabberd2 resolves names with a library (udns), which reads the first two variables. The third variable names
    # OpenSSL's settings.
    environment = {"NAMESERVERS": address, "RES_OPTIONS": "port:%s" % port}
    if partner.old_tls:
        render("old-tls.cnf", folder / "old-tls.cnf")
        environment["OPENSSL_CONF"] = str(folder / "old-tls.cnf")
    for part in ("router", "sm", "c2s", "s2s"):
        file = folder / (part + ".xml")
        render("jabberd2.xml", file, part=part, **more, **values)
        process = processes.spawn([programs.program("jabberd2-" + part), "-c", str(file)], folder, environment)
    return process


def _wokkel(partner: Partner, folder: Path, nameserver: str) -> subprocess.Popen[bytes]:
    settings = {
        "address": partner.address,
        "client_port": partner.client_port,
        "server_port": partner.server_port,
        "domains": list(partner.domains),
        "secret": PASSWORD,
        "nameserver": nameserver,
    }
    file = folder / "wokkel.json"
    write_private(file, json.dumps(settings).encode())
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "lab.partners.wokkel_server", str(file)]
    return processes.spawn(command, folder, {"PYTHONPATH": str(CHECKOUT)})


def ready_file(folder: Path) -> Path:
    """Return the file that ejabberd writes after the start and the creation of the users."""
    return folder / "ready"
