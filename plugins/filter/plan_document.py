# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks judged, as a document to keep (see plugin_utils/_plan_file.py)."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml

from ..plugin_utils._plain import plain
from ..plugin_utils._plan_file import make_document

TOP = Path(__file__).resolve().parents[2]


def plan_document(
    judged: t.Mapping[str, t.Any], host: str, time: str, variables: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    return make_document(
        plain(judged), host=str(host), time=str(time), collection=version(), variables=plain(variables)
    )


def version() -> str:
    """Of this collection: installed, or a checkout."""
    manifest = TOP / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((TOP / "galaxy.yml").read_text(encoding="utf-8"))["version"])


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"plan_document": plan_document}
