# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the options of the modules of awx.awx into tests/unit/awx_options.yml: ``python -m tools.awx_options``.

The collection comes from the newest package ``ansible`` of the index for this Python. A test compares the files of
docs/automation/awx with the result. The result has only names, types and choices.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
import typing as t
import zipfile
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parent.parent
KEPT = TOP / "tests" / "unit" / "awx_options.yml"
FOLDER = "ansible_collections/awx/awx"
MODULES = (
    "settings", "execution_environment", "credential_type", "project", "inventory", "inventory_source", "job_template",
    "workflow_job_template", "schedule",
)  # fmt: skip
_HEADER = """\
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

---
# python -m tools.awx_options writes this file. It lists the options of the modules of awx.awx.
"""


def documentation(source: str) -> dict[str, t.Any]:
    """Return the documentation of a module. Raises StopIteration if it has none."""
    texts = (
        node.value.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "DOCUMENTATION"
        and isinstance(node.value, ast.Constant)
    )
    return t.cast("dict[str, t.Any]", yaml.safe_load(str(next(texts))))


def brief(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return names, types and choices of options and suboptions."""
    found = {}
    for name, option in sorted(options.items()):
        kept = {key: option[key] for key in ("type", "elements", "choices", "required") if key in option}
        if "suboptions" in option:
            kept["options"] = brief(option["suboptions"])
        found[name] = kept
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sfb.") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "ansible"]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            sources = {name: archive.read("%s/plugins/modules/%s.py" % (FOLDER, name)).decode() for name in MODULES}
    modules = {name: brief(documentation(source)["options"]) for name, source in sources.items()}
    KEPT.write_text(_HEADER + yaml.safe_dump(modules, sort_keys=True, width=118), encoding="utf-8")


if __name__ == "__main__":
    main()
