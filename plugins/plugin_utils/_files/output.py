# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the files of a playbook on the controller: find the paths, compare the files, and write the files."""

from __future__ import annotations

import datetime
import os
import stat
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.errors import AnsibleError

from ...module_utils._base import private_file
from ...module_utils._base.result import Refused
from ...module_utils._federation.files import safe
from .._servers.servers import Servers
from .working_directory import absolute

OPTION = "sfb_xmpp_into"
# The number of files that are written at the same time.
_WRITERS = 8

Result = dict[str, t.Any]


def path_of(given: str, option: str = OPTION) -> str:
    """Return the user's path as an absolute path. Raises Refused with the name of the option."""
    try:
        return absolute(given)
    except AnsibleError as exc:
        raise Refused(["%s: %s" % (option, exc)]) from None


def directory_of(given: str, servers: Servers, label: str) -> str:
    """Return the directory of a deployment. Several deployments have separate subdirectories. Raises Refused."""
    path = path_of(given)
    return os.path.join(path, name_of(servers, label)) if servers.several else path


def name_of(servers: Servers, label: str) -> str:
    """Return the label of a deployment as a part of a path. Raises Refused if two deployments have the same part."""
    name = safe(label)
    same = [one.label for one in servers.deployments if safe(one.label) == name]
    if len(same) > 1 or not name.strip("."):
        text = "sfb_xmpp_deployment: the labels %s give the same directory name %s. Use other labels"
        raise Refused([text % (" and ".join(same or [label]), name)])
    return name


def write(
    texts: t.Mapping[str, str], check: bool, shared: t.Container[str] = (), backup: bool = False, diff: bool = True
) -> Result:
    """Write files. Return ``changed``, ``diff`` and ``paths``. Raises Refused.

    The last file is written when all other files are on the disk. If the last file exists, all other files exist, too.

    texts: the texts by absolute path.
    check: whether nothing is written.
    shared: the paths that other users may read (0644). Every other file is for its owner only.
    backup: whether to keep the former file next to the new file.
    diff: whether the texts may be shown.
    """
    differences = []
    writes: list[tuple[str, bytes, bytes | None]] = []
    for path, text in texts.items():
        data = private_file.read_if_there(path, OPTION)
        if data == text.encode() and not (path not in shared and _others_may(path)):
            continue
        before = "" if data is None else data.decode("utf-8", "replace")
        shown = {"before": before, "after": text} if diff else {"before": "", "after": ""}
        differences.append({"before_header": path, "after_header": path, **shown})
        writes.append((path, text.encode(), data))

    def write_one(path: str, data: bytes, former: bytes | None) -> None:
        if backup and former is not None and former != data:
            # Ansible does not read files with this ending.
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
            private_file.write("%s.%s~" % (path, now), former, OPTION)
        private_file.write(path, data, OPTION, secret=path not in shared)

    if writes and not check:
        for folder in dict.fromkeys(os.path.dirname(path) for path, _data, _former in writes):
            make_directory(folder)
        *others, last = writes
        # Each write waits for the disk, and a disk can do many writes at once.
        with ThreadPoolExecutor(_WRITERS) as writers:
            for done in [writers.submit(write_one, *one) for one in others]:
                done.result()
        write_one(*last)
    return {"changed": bool(differences), "diff": differences, "paths": list(texts)}


def make_directory(path: str) -> None:
    """Create a directory and the missing parent directories. Raises Refused."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as exc:
        raise Refused(["%s: the directory %s cannot be created: %s" % (OPTION, path, exc.strerror)]) from None


def _others_may(path: str) -> bool:
    return bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)
