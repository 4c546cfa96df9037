# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the files of an audit on the controller."""

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
# The option with the directory.
OPTION = "sfb_xmpp_into"
# The node exporter's account reads this file. The file has only numbers and the names of partners.
FOR_ALL = {"audit.prom"}


def render(audit: Audit, fail_on: str = "error") -> dict[str, str]:
    """Return the text of each file, by name. Raises Invalid for a wrong ``fail_on``."""
    return {
        JSON: json.dumps(audit, indent=2) + "\n",
        "audit.md": audit_markdown.render(audit),
        "audit.html": page.render(audit),
        "audit.xml": audit_junit.render(audit, fail_on),
        "audit.prom": prometheus.render(audit),
    }


def save(directory: str, audit: Audit, fail_on: str = "error") -> list[str]:
    """Write all files, each in one step, and return their paths. All users can read audit.prom, but no other file.

    Raises Refused if a file cannot be written, and Invalid for a wrong ``fail_on``.
    """
    texts = render(audit, fail_on)
    directory = os.path.expanduser(directory)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    except OSError as exc:
        raise Refused(["%s: the directory %s cannot be created: %s" % (OPTION, directory, exc.strerror)]) from None
    paths = {name: os.path.join(directory, name) for name in texts}
    for name, text in texts.items():
        data = text.encode("utf-8", "replace")
        private_file.write(paths[name], data, OPTION, secret=name not in FOR_ALL)
    return list(paths.values())


def previous(directory: str) -> Audit | None:
    """Return the earlier audit of the directory; None if the directory has no audit.

    Raises Refused if the file cannot be read, and Invalid if the file is not an audit.
    """
    data = private_file.read_if_there(os.path.join(os.path.expanduser(directory), JSON), OPTION)
    return None if data is None else parse(data.decode("utf-8", "replace"))
