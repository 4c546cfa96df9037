# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create pictures of the playbooks' output: ``python -m tools.screens`` writes SVG files into build/screens.

Each playbook runs against its own lab, at 80 and at 140 columns. Each picture has a dark and a light version. It shows
the output with its colors, from the first line of the report.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI, TerminalTheme
from rich.text import Text

TOP = Path(__file__).resolve().parent.parent
INTO = TOP / "build" / "screens"
# explain runs for a local user, and for the domain of a running partner.
PAIR = "sfb_xmpp_for_user=ialmeida@contoso.test sfb_xmpp_for_partner=fabrikam.example"
# Name of the picture -> the arguments of its playbook, in this order. The partners in the lab's inventory are down, so
# verify fails. The history is that of the previous playbook.
SCREENS: dict[str, tuple[str, ...]] = {
    "plan": ("sfb.xmpp.converge", "--check"),
    "impact": ("sfb.xmpp.converge", "--check", "-e", "sfb_xmpp_plan_file=%s" % (INTO / "impact.json")),
    "verify": ("sfb.xmpp.verify",),
    "converge": ("sfb.xmpp.converge",),
    "history": ("sfb.xmpp.history",),
    "what-if": ("sfb.xmpp.explain", "-e", PAIR),
    "forecast": ("sfb.xmpp.audit", "-e", "@%s" % (INTO / "forecast.json")),
    "preflight": ("sfb.xmpp.preflight",),
}
# These pictures need running partners.
WITH_PARTNERS = {"what-if"}
# The forecast covers this time: the certificates of the lab are valid for 200 days. Partners can be down.
AHEAD = {"sfb_xmpp_into": str(INTO / "audit"), "sfb_xmpp_audit": {"forecast_days": 220, "fail_on": "never"}}
# These links are broken in the lab before a playbook runs.
BROKEN = {"preflight": ("proxy-stopped", "stale-replica", "late-replica", "federated-users-off", "certificate-expired")}
WIDTHS = (80, 140)
THEMES: dict[str, TerminalTheme] = {"dark": MONOKAI, "light": DEFAULT_TERMINAL_THEME}


def printed(arguments: tuple[str, ...], width: int, environment: dict[str, str]) -> str:
    """Return the output of a playbook, with its escape sequences."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(TOP / "inventories" / "lab"), *arguments],
        cwd=TOP,
        env={**environment, "COLUMNS": str(width), "ANSIBLE_FORCE_COLOR": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def draw(name: str, output: str, width: int) -> list[Path]:
    """Draw the pictures of an output, one for each theme."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(output), soft_wrap=False)
    paths = []
    for theme, colours in THEMES.items():
        path = INTO / ("%s-%d-%s.svg" % (name, width, theme))
        console.save_svg(str(path), title="sfb.xmpp %s" % name, theme=colours, clear=False)
        paths.append(path)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="names of pictures (default: all): %s" % ", ".join(SCREENS))
    names = parser.parse_args().names or list(SCREENS)
    INTO.mkdir(parents=True, exist_ok=True)
    (INTO / "forecast.json").write_text(json.dumps(AHEAD), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="sfb.", dir="/tmp") as directory:
        environment = {
            **os.environ,
            "SFB_LAB_DIRECTORY": directory + "/lab",
            "SFB_LAB_PORT": "16986",
            "ANSIBLE_HOME": directory + "/home",
        }
        lab = [sys.executable, "-m", "lab"]
        place = ["--directory", directory + "/lab"]
        ports = ["--port", "16986", "--xmpp-port", "0"]
        subprocess.run([*lab, "up", *place, *ports], cwd=TOP, env=environment, check=True)
        try:
            for name in names:
                if name in WITH_PARTNERS:
                    subprocess.run([*lab, "partners", "up", *place], cwd=TOP, env=environment, check=True)
                for link in BROKEN.get(name, ()):
                    subprocess.run([*lab, "break", *place, link], cwd=TOP, env=environment, check=True)
                for width in WIDTHS:
                    output = printed(SCREENS[name], width, environment)
                    (INTO / ("%s-%d.ansi" % (name, width))).write_text(output, encoding="utf-8")
                    for path in draw(name, output, width):
                        print(path.relative_to(TOP))
                if name in WITH_PARTNERS:
                    subprocess.run([*lab, "partners", "down", *place], cwd=TOP, env=environment, check=True)
        finally:
            subprocess.run([*lab, "partners", "down", *place], cwd=TOP, env=environment, check=False)
            subprocess.run([*lab, "down", *place], cwd=TOP, env=environment, check=False)


if __name__ == "__main__":
    main()
