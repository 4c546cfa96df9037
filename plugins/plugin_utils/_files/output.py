# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a playbook writes on the controller: where they go, what a run would change, and the write itself."""

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
# How many files are written at the same time.
_WRITERS = 8

Result = dict[str, t.Any]


def path_of(given: str, option: str = OPTION) -> str:
    """A path of the user as an absolute one. Raises Refused, naming the option."""
    try:
        return absolute(given)
    except AnsibleError as exc:
        raise Refused(["%s: %s" % (option, exc)]) from None


def directory_of(given: str, servers: Servers, label: str) -> str:
    """The directory of a deployment: each of several has one of its own below the given one. Raises Refused."""
    path = path_of(given)
    return os.path.join(path, name_of(servers, label)) if servers.several else path


def name_of(servers: Servers, label: str) -> str:
    """The label of a deployment as a part of a path. Raises Refused where another deployment would have the same."""
    name = safe(label)
    same = [one.label for one in servers.deployments if safe(one.label) == name]
    if len(same) > 1 or not name.strip("."):
        text = "sfb_xmpp_deployment: the labels %s give the same name of a directory, %s; use other labels"
        raise Refused([text % (" and ".join(same or [label]), name)])
    return name


def write(
    texts: t.Mapping[str, str], check: bool, shared: t.Container[str] = (), backup: bool = False, diff: bool = True
) -> Result:
    """Write files; in check mode none. Returns ``changed``, ``diff`` and ``paths``.

    The last file is written when all others are on the disk: where it is, they are.

    texts: by absolute path. shared: the paths that others may read (0644); every other file is for its owner only.
    backup: keep what is replaced beside the file. diff: whether the texts may be shown. Raises Refused.
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
            # Ansible reads no file whose name ends like this.
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
            private_file.write("%s.%s~" % (path, now), former, OPTION)
        private_file.write(path, data, OPTION, secret=path not in shared)

    if writes and not check:
        for folder in dict.fromkeys(os.path.dirname(path) for path, _data, _former in writes):
            make_directory(folder)
        *others, last = writes
        # Each file waits for the disk, and the disk takes many at once.
        with ThreadPoolExecutor(_WRITERS) as writers:
            for done in [writers.submit(write_one, *one) for one in others]:
                done.result()
        write_one(*last)
    return {"changed": bool(differences), "diff": differences, "paths": list(texts)}


def make_directory(path: str) -> None:
    """Make a directory and those above it. Raises Refused."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as exc:
        raise Refused(["%s: %s cannot be made: %s" % (OPTION, path, exc.strerror)]) from None


def _others_may(path: str) -> bool:
    return bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)
