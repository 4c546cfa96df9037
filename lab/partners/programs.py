# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the programs of the partners in Debian's directories."""

from __future__ import annotations

import importlib.util
import shutil
import typing as t
from pathlib import Path

# Unprivileged users have no sbin on the PATH, but can run the programs in sbin.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = ("prosody", "ejabberd", "jabberd2", "dnsmasq-base", "lua-unbound", "libnss-wrapper")
COMMAND = "apt-get install --no-install-recommends %s" % " ".join(PACKAGES)
LIBRARY = "wokkel"  # not in Debian; in the Python environment of the lab


def program(name: str) -> str:
    """Return the path of a program; the name if the program is missing."""
    return shutil.which(name, path=_PATH) or name


def ejabberd_libraries() -> str:
    """Return the directory with ejabberd's Erlang applications, or ''."""
    found = sorted(Path("/usr/lib").glob("*/ejabberd-*/ebin/ejabberd.app"))
    return str(found[0].parents[2]) if found else ""


JABBERD2_SCHEMA = Path("/usr/share/doc/jabberd2/db-setup.sqlite.gz")


def jabberd2_libraries() -> str:
    """Return the directory with jabberd2's modules, or ''."""
    found = sorted(Path("/usr/lib").glob("*/jabberd2/authreg_sqlite.so"))
    return str(found[0].parent) if found else ""


def nss_wrapper() -> str:
    """Return the library that gives a process a separate hosts file, or ''."""
    found = sorted(Path("/usr/lib").glob("*/libnss_wrapper.so"))
    return str(found[0]) if found else ""


def missing(kinds: t.Collection[str] = ("prosody", "ejabberd")) -> list[str]:
    """Return the missing packages: Debian's packages in COMMAND, and LIBRARY.

    The list is empty if partners of these kinds can be started.
    """
    there = {
        "prosody": bool(shutil.which("prosody", path=_PATH)),
        "ejabberd": bool(shutil.which("erl", path=_PATH) and ejabberd_libraries()),
        "jabberd2": bool(jabberd2_libraries() and JABBERD2_SCHEMA.exists()),
        "dnsmasq-base": bool(shutil.which("dnsmasq", path=_PATH)),
        # Debian has the Lua part of the program once for every version of Lua.
        "lua-unbound": any(Path("/usr/lib").glob("*/lua/*/lunbound.so")),
        "libnss-wrapper": bool(nss_wrapper()),
    }
    needless = [name for name in ("prosody", "ejabberd", "jabberd2") if name not in kinds]
    needless += [] if "ejabberd" in kinds else ["libnss-wrapper"]
    found = [package for package in PACKAGES if not there[package] and package not in needless]
    return [*found, LIBRARY] if LIBRARY in kinds and importlib.util.find_spec(LIBRARY) is None else found


def installation(packages: t.Collection[str]) -> str:
    """Return the commands that install missing packages."""
    ways = ["As root, run: %s" % COMMAND] if set(packages) - {LIBRARY} else []
    if LIBRARY in packages:
        ways.append("In the environment of Ansible, run: pip install %s" % LIBRARY)
    return ". ".join(ways)
