# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the JSON Schemas of the inventory's variables from the table of settings: ``python -m tools.settings_schema``.

The texts of options come from the modules' documentation. A test compares the files with the table.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings import schema

TOP = Path(__file__).resolve().parent.parent
FILES = TOP / "docs" / "schema"
# Variable -> the module option with the same value, or the module with the same options.
_DOCUMENTED = {
    "sfb_xmpp_policies": "xmpp_federation.policies",
    "sfb_xmpp_partners": "xmpp_federation.partners",
    "sfb_xmpp_gateway": "xmpp_federation.gateway",
    "sfb_xmpp_access_edge": "xmpp_federation.access_edge",
    "sfb_xmpp_federation_routes": "xmpp_federation.federation_routes",
    "sfb_xmpp_certificate": "xmpp_gateway_cert",
    "sfb_xmpp_verification": "xmpp_partner_probe_info",
    "sfb_xmpp_verification.messages": "xmpp_im_test",
}


@functools.cache
def texts() -> dict[str, str]:
    """Return the description of each option of a variable, by its path (``sfb_xmpp_certificate.source.type``)."""
    modules = sorted({"sfb.xmpp." + name.split(".")[0] for name in _DOCUMENTED.values()})
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", "--type", "module", *modules]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found: dict[str, str] = {}
    for place, name in _DOCUMENTED.items():
        module, _dot, option = name.partition(".")
        options = shown["sfb.xmpp." + module]["doc"]["options"]
        _collect(options[option].get("suboptions", {}) if option else options, place, found)
    return found


def _collect(options: t.Mapping[str, t.Any], place: str, found: dict[str, str]) -> None:
    for name, option in options.items():
        here = "%s.%s" % (place, name)
        lines = option.get("description", [])
        found[here] = _plain(" ".join([lines] if isinstance(lines, str) else lines))
        _collect(option.get("suboptions") or {}, here, found)


def _plain(text: str) -> str:
    """Return a text without the markup of Ansible's documentation: C(x), O(x), M(x) and similar marks."""
    # R has the target of a link after its text. O and RV can have the name of a plugin before the option.
    text = re.sub(r"\b(?:L|R)\(([^()]*)\)", lambda found: found[1].split(",")[0], text)
    text = re.sub(r"\b(?:O|RV)\(([^()]*)\)", lambda found: found[1].split("#")[-1].split(":")[-1], text)
    return re.sub(r"\b[A-Z]\(([^()]*)\)", lambda found: found[1], text)


def files() -> dict[str, str]:
    """Return the content of each file, by its name."""
    made = {"variables.json": schema.variables(texts()), "hosts.json": schema.inventory(texts())}
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}


def main() -> None:
    """Write every file."""
    FILES.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FILES / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
