# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a Kerberos realm for the lab: MIT's KDC on the loopback interface, as an ordinary user.

The KDC needs Debian's packages krb5-kdc, krb5-admin-server and krb5-user. Clients need the variables of
``environment``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from ..deployment.endpoints import free_port
from ..deployment.hosts import DOMAIN
from ..errors import LabError

REALM = DOMAIN.upper()
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_PATH = "%s:/usr/sbin:/sbin" % os.environ.get("PATH", os.defpath)
_ADDRESS = "127.0.0.1"

_CLIENT = """[libdefaults]
 default_realm = %(realm)s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 %(realm)s = {
  kdc = %(address)s:%(port)d
 }
[domain_realm]
 .%(domain)s = %(realm)s
"""

_SERVER = """[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = %(address)s:%(port)d
[realms]
 %(realm)s = {
  database_name = %(directory)s/principal
  key_stash_file = %(directory)s/stash
 }
[logging]
 kdc = FILE:%(directory)s/kdc.log
"""


def missing_programs() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]


class Kdc:
    """Manage one realm. The state of the realm is below ``directory``."""

    def __init__(self, directory: Path) -> None:
        """Prepare the realm. Raises LabError if a program is missing."""
        if missing := missing_programs():
            raise LabError(
                "Kerberos needs %s. Install the Debian packages krb5-kdc, krb5-admin-server and krb5-user" % missing
            )
        self.directory = directory
        self.port = free_port((_ADDRESS,))
        values = {
            "realm": REALM, "domain": DOMAIN, "address": _ADDRESS, "port": self.port, "directory": directory
        }  # fmt: skip
        (directory / "krb5.conf").write_text(_CLIENT % values, "utf-8")
        (directory / "kdc.conf").write_text(_SERVER % values, "utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "lab")

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables for clients of the realm."""
        return {"KRB5_CONFIG": str(self.directory / "krb5.conf"), "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}

    def start(self) -> None:
        """Start the KDC. Raises LabError if the KDC does not start."""
        self._process = subprocess.Popen(
            [str(shutil.which("krb5kdc", path=_PATH)), "-n", "-r", REALM],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((_ADDRESS, self.port)) == 0:
                    return
            time.sleep(0.05)
        raise LabError("the KDC did not start; see %s" % (self.directory / "kdc.log"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def user(self, name: str, password: str) -> None:
        """Create an account that must prove the password before the account gets a ticket, as in Active Directory.

        The password is one of the lab's public passwords.
        """
        self._administer("addprinc +requires_preauth -pw %s %s" % (password, name))

    def service(self, name: str, keytab: Path) -> None:
        """Create a service such as ``HTTP/fe01.contoso.test``, and write the service's key into a file."""
        self._administer("addprinc -randkey %s" % name)
        self.export(name, keytab)

    def export(self, name: str, keytab: Path) -> None:
        """Write the current keys of an account or service into a file."""
        self._administer("ktadd -norandkey -k %s %s" % (keytab, name))

    def ticket(self, name: str, password: str, cache: Path, lifetime: str = "1h") -> None:
        """Get a ticket with kinit, and write the ticket into ``cache``."""
        command = ["-l", lifetime, "-c", str(cache), "%s@%s" % (name, REALM)]
        self._run("kinit", *command, given=password + "\n")

    def _administer(self, query: str) -> None:
        self._run("kadmin.local", "-r", REALM, "-q", query)

    def _run(self, name: str, *arguments: str, given: str = "") -> None:
        done = subprocess.run(
            [str(shutil.which(name, path=_PATH)), *arguments],
            env={**os.environ, **self.environment},
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError("%s failed: %s" % (name, done.stdout.strip()))
