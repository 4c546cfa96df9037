# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the files that the runs of a deployment left on the controller. This code reads only the names of files."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ...module_utils._base.names import key as key_of
from ...module_utils._federation.files import Snapshots, safe
from ...module_utils._shell.statement import Place
from .export import VARIABLES
from .journal import NAME as JOURNAL

# PKCS#12 files, and the key files of waiting requests.
_KEYS = (".pfx", ".p12", ".pfx.key", ".p12.key")
# Files of the state directory that belong to all deployments.
_SHARED = ("users.key", "capture.key")


@dataclass(frozen=True)
class KeptFile:
    """Hold the path of a file that exists, or a pattern of several files.

    kind: ``key``, ``snapshots``, ``state``, ``journal`` or ``export``.
    path: the path or the pattern.
    number: the number of files.
    """

    kind: str
    path: str
    number: int = 1


def kept_files(
    state: str, snapshots: str, deployment: str, certificate: t.Mapping[str, t.Any], into: str
) -> list[KeptFile]:
    """Return the files of one deployment. Files of other deployments are left out.

    A directory that cannot be read has no files.
    state, snapshots, into: the directories.
    certificate: the setting sfb_xmpp_certificate.
    """
    state, snapshots = (os.path.realpath(os.path.expanduser(path)) for path in (state, snapshots))
    found = [KeptFile("key", path) for path in _key_files(state, certificate)]
    kept = Snapshots(snapshots, "", Place(deployment=deployment)).files()
    if kept:
        found.append(KeptFile("snapshots", os.path.join(snapshots, "*Z-%s.yml" % safe(deployment)), len(kept)))
    own = [os.path.join(snapshots, "revoked-%s.json" % safe(deployment))]
    found += [KeptFile("state", path) for path in (*own, *(os.path.join(state, name) for name in _SHARED)) if _is(path)]
    journal, export = os.path.join(snapshots, JOURNAL), os.path.join(into, VARIABLES)
    found += [KeptFile("journal", journal)] if _is(journal) else []
    return [*found, *([KeptFile("export", into)] if _is(export) else [])]


def _key_files(state: str, certificate: t.Mapping[str, t.Any]) -> list[str]:
    """Return the files of the setting, and the key files in the state directory."""
    source = certificate.get("source") or {}
    named = [str(source[name]) for name in ("path", "ca_key") if source.get(name)]
    paths = [os.path.realpath(os.path.expanduser(one + end)) for one in named for end in ("", ".key")]
    for folder, _folders, names in os.walk(state):
        paths += [os.path.join(folder, name) for name in names if key_of(name).endswith(_KEYS)]
    return sorted({path for path in paths if _is(path)})


def _is(path: str) -> bool:
    return os.path.isfile(path)
