# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an audit: what is in them, and their place on the controller."""

from __future__ import annotations

import json
import os

from ...module_utils._base import private_file
from ...module_utils._base.result import Refused
from . import audit_junit, audit_markdown
from . import audit_page as page
from . import audit_prometheus as prometheus
from .audit_document import Audit, parse

JSON = "audit.json"
# What names the directory.
OPTION = "sfb_xmpp_into"
# Read by the node exporter's account; it has no more than numbers, and names of partners.
FOR_ALL = {"audit.prom"}


def render(audit: Audit, fail_on: str = "error") -> dict[str, str]:
    """Each file's name and text. Raises Invalid for a ``fail_on`` that is none."""
    return {
        JSON: json.dumps(audit, indent=2) + "\n",
        "audit.md": audit_markdown.render(audit),
        "audit.html": page.render(audit),
        "audit.xml": audit_junit.render(audit, fail_on),
        "audit.prom": prometheus.render(audit),
    }


def save(directory: str, audit: Audit, fail_on: str = "error") -> list[str]:
    """Write all of them, each in one step; audit.prom may be read by everybody, the others by their owner.

    Returns their paths. Raises Refused where one cannot be written, Invalid for a ``fail_on`` that is none.
    """
    texts = render(audit, fail_on)
    directory = os.path.expanduser(directory)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    except OSError as exc:
        raise Refused(["%s: the directory %s cannot be made: %s" % (OPTION, directory, exc.strerror)]) from None
    paths = {name: os.path.join(directory, name) for name in texts}
    for name, text in texts.items():
        data = text.encode("utf-8", "replace")
        private_file.write(paths[name], data, OPTION, secret=name not in FOR_ALL)
    return list(paths.values())


def previous(directory: str) -> Audit | None:
    """The audit that was saved there before; None if there is none.

    Raises Refused if it cannot be read, Invalid if it is not an audit.
    """
    data = private_file.read_if_there(os.path.join(os.path.expanduser(directory), JSON), OPTION)
    return None if data is None else parse(data.decode("utf-8", "replace"))
