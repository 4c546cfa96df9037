# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records the sample output of the playbooks' pages: ``python -m tools.playbook_samples``.

Each playbook runs against one lab, in the order of SAMPLES, with the first command of its page. The last line of a
sample has the exit status. A nightly test records the samples again and compares them (tests/integration).
"""

from __future__ import annotations

import argparse
import datetime
import getpass
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.testing import Lab, add_edge_pool, running_lab
from tools.playbook_pages import SAMPLES_IN, STATS, STATUS, TOP, descriptions

# The inventory is that of the lab with these partners and policies only, so that the samples stay short.
INVENTORY = TOP / "inventories" / "lab"
KEPT = ("fabrikam.example", "im.woodgrovebank.example", "XMPP Partner Desk")
WIDTH = 100
# More lines are cut in the middle.
MOST = 44
# The names in commands of the pages, and those of the lab.
NAMES = {
    "ann@contoso.com,bob@contoso.com": "ialmeida@contoso.test,cconti@contoso.test",
    "ann@contoso.com": "ialmeida@contoso.test",
    "contoso.com": "contoso.test",
    "fabrikam.com": "fabrikam.example",
}
# What varies between runs: the pattern, and what a sample has instead.
TODAY = datetime.date(2027, 1, 15)
_STATUS_LINE = re.compile(r"^(?:ok|changed|skipping|included): \[")
_QUIET = re.compile(r"^(?:(?:ok|skipping|included): .*|\s*)$")
# Where a task is in the collection's files, which Ansible prints below an error: from the first line to the last.
_EXCERPT = re.compile(r"^Origin: .*?^ +\^ column \d+\n", re.MULTILINE | re.DOTALL)
_RECAP = "PLAY RECAP"


@dataclass(frozen=True)
class Sample:
    """before: commands that run before, of the lab or a playbook. files: by name, in the working directory."""

    before: tuple[tuple[str, ...], ...] = ()
    files: t.Mapping[str, str] | None = None


PARTNERS = (
    "Identity;TlsNegotiation;SaslNegotiation;SupportDialbackNegotiation\nproseware.example;Required;Optional;TRUE\n"
)
# What a second run changes, so that there is a history, and a snapshot to restore.
CONVERGE = ("ansible-playbook", "sfb.xmpp.converge", "-i", "inventory")
CHANGE = '{"sfb_xmpp_gateway": {"partner_connection_limit": 40}}'
# In this order: the first runs see a new deployment, the later ones what converge made of it.
SAMPLES: dict[str, Sample] = {
    "rehearse": Sample(),
    "import": Sample(files={"partners.csv": PARTNERS}),
    "preflight": Sample(before=(("lab", "partners", "up"),)),
    "certificate": Sample(),
    "converge": Sample(),
    "history": Sample(before=(CONVERGE, (*CONVERGE, "-e", CHANGE, "-e", "sfb_xmpp_ticket=CHG-1042"))),
    "restore": Sample(),
    "verify": Sample(),
    "explain": Sample(),
    "onboard": Sample(),
    "audit": Sample(),
    "export": Sample(),
    "capture": Sample(),
    "migration": Sample(),
    "failover": Sample(),
    "revoke": Sample(),
    "decommission": Sample(),
}


class Recorder:
    """Runs commands against a lab, in a working directory of their own."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.home = directory
        self.work = directory / "work"
        shutil.copytree(INVENTORY, self.work / "inventory")
        # The certificates of the lab's partners live 90 days. Whether two end in the same second is chance.
        ahead = self.work / "inventory" / "group_vars" / "all" / "audit.yml"
        ahead.write_text("sfb_xmpp_audit: {forecast_days: 60}\n", encoding="utf-8")
        for file in (self.work / "inventory" / "group_vars" / "all").glob("*.yml"):
            values = {key: kept(value) for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}
            for key in ("sfb_xmpp_protect", "sfb_xmpp_partners_purge"):
                values.pop(key, None)
            # A busy machine takes longer.
            values.get("sfb_xmpp_verification", {}).update(timeout=60.0)
            file.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
        self._environment = {
            "PATH": "%s:%s" % (Path(sys.executable).parent, os.environ.get("PATH", os.defpath)),
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(directory / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", ""),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "COLUMNS": str(WIDTH),
            "USER": "ansible",
            "SFB_LAB_DIRECTORY": str(lab.directory),
            "SFB_LAB_PORT": str(lab.port),
            "PYTHONPATH": str(TOP),
        }  # fmt: skip
        if not self._environment["ANSIBLE_COLLECTIONS_PATH"]:
            del self._environment["ANSIBLE_COLLECTIONS_PATH"]

    def record(self, name: str, command: str) -> str:
        """The sample of a playbook. command: as its page has it."""
        sample = SAMPLES[name]
        for path, text in (sample.files or {}).items():
            (self.work / path).parent.mkdir(parents=True, exist_ok=True)
            (self.work / path).write_text(text, encoding="utf-8")
        for words in sample.before:
            if words[0] == "lab":
                place = ["--directory", str(self.lab.directory)]
                self._run([sys.executable, "-m", *words, *place])
            else:
                self._run(words)
        for word, own in NAMES.items():
            command = command.replace(word, own)
        done = self._run(shlex.split(command))
        lines = essential(self._cleaned(done.stdout))
        return "\n".join([*lines, "", STATUS % done.returncode, ""])

    def _run(self, words: t.Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.work,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )

    def _cleaned(self, text: str) -> str:
        places = {
            str(self.work): "/home/ansible/federation",
            str(self.home): "/home/ansible",
            str(TOP): "/home/ansible/federation",
        }
        for path, name in places.items():
            text = text.replace(path, name)
        text = re.sub(r"(?<=:)%d\b" % self.lab.port, "5986", text)
        text = re.sub(r"(?<=[: ])%d\b" % self.lab.xmpp_port, "5269", text)
        # The account of the controller is in the journal.
        text = re.sub(r"\b%s\b" % re.escape(getpass.getuser()), "ansible", text)
        text = re.sub(r"\b(EdgePart|FrontEndPart)-[0-9A-F]{4}\b", r"\1-1A2B", text)
        text = re.sub(r"(?<=TCP )\d{5}\b", "5269", text)
        return cleaned(text)


def kept(value: t.Any) -> t.Any:
    """A list of partners or policies without those that are not KEPT; any other value as it is."""
    if not isinstance(value, list):
        return value
    return [one for one in value if not isinstance(one, dict) or (one.get("domain") or one.get("identity")) in KEPT]


def cleaned(text: str, today: datetime.date | None = None) -> str:
    """Without what differs between two runs: days are moved, so that the day of the run is TODAY."""
    moved = TODAY - (today or datetime.datetime.now(datetime.timezone.utc).date())

    def day(found: re.Match[str]) -> str:
        try:
            return (datetime.date.fromisoformat(found[0]) + moved).isoformat()
        except ValueError:
            return found[0]

    def compact(found: re.Match[str]) -> str:
        own = datetime.date(int(found[1][:4]), int(found[1][4:6]), int(found[1][6:]))
        return (own + moved).strftime("%Y%m%d") + "T090000.000000Z"

    text = re.sub(r"\b20\d\d-\d\d-\d\d(?!\d)", day, text)
    text = re.sub(r"\b(20\d{6})T\d{6}(?:\.\d+)?Z", compact, text)
    text = re.sub(r"(?<=\d[T ])\d\d:\d\d(:\d\d)(?:\.\d+)?", "09:00:00", text)
    text = re.sub(r"(?<=\d[T ])\d\d:\d\d(?= |Z|$)", "09:00", text, flags=re.MULTILINE)
    names: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        short = found[0][:8].upper()
        names.setdefault(short, hashlib.sha256(b"%d" % len(names)).hexdigest())
        own = names[short][: len(found[0])]
        return own.upper() if found[0].upper() == found[0] else own

    # Thumbprints, digests and pseudonyms, whole or shortened. Durations.
    text = re.sub(r"\b(?:[0-9A-F]{40}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{8}(?=…)|[0-9a-f]{10,16}(?=…))\b", number, text)
    text = re.sub(r"\bx[0-9a-f]{10}\b", "x0a1b2c3d4e", text)
    return re.sub(r"\b\d+\.\d(?= s\b)", "9.9", text)


def essential(text: str) -> list[str]:
    """The lines of the tasks that print more than a status, and the recap. Of many lines, the middle is left out."""
    tasks: list[list[str]] = []
    for line in _EXCERPT.sub("", text).splitlines():
        if re.match(r"(?:PLAY|TASK|RUNNING HANDLER|CUSTOM STATS)\b.*\*\*\*", line) or not tasks:
            tasks.append([])
        tasks[-1].append(line.rstrip())
    kept = [task for task in tasks if not all(_QUIET.match(line) for line in task[1:])]
    ends = [task for task in kept if task[0].startswith((_RECAP, STATS))]
    middle = [line for task in kept if task not in ends for line in [*_sorted(task), ""]]
    while middle and not middle[-1]:
        middle.pop()
    middle = [line for number, line in enumerate(middle) if line or (number and middle[number - 1])]
    rest = [line for task in ends for line in ["", *_without_blank(task)]]
    room = MOST - len(rest)
    if len(middle) > room:
        head = room * 3 // 4
        left = len(middle) - room + 1
        middle = [*middle[:head], "… %d more lines …" % left, *middle[len(middle) - (room - head - 1) :]]
    return [*middle, *rest]


def _without_blank(lines: t.Iterable[str]) -> list[str]:
    return [line for line in lines if line]


def _sorted(task: t.Sequence[str]) -> list[str]:
    """With the hosts of a task in the order of their names: which one ends first is chance."""
    own = sorted(line for line in task if _STATUS_LINE.match(line))
    return [own.pop(0) if _STATUS_LINE.match(line) else line for line in task]


def record(names: t.Collection[str] | None = None) -> dict[str, str]:
    """The samples by playbook. Without names those of all; the commands before those that are left out run too."""
    told = descriptions()
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="sfb.", dir="/tmp") as name:
        directory = Path(name)
        with running_lab(directory / "lab") as lab:
            recorder = Recorder(lab, directory)
            add_edge_pool(lab.store())
            try:
                for playbook in SAMPLES:
                    text = recorder.record(playbook, told[playbook]["examples"][0])
                    if names is None or playbook in names:
                        found[playbook] = text
            finally:
                down = [sys.executable, "-m", "lab", "partners", "down", "--directory", str(lab.directory)]
                subprocess.run(down, cwd=TOP, stdout=subprocess.DEVNULL, check=False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="the playbooks whose samples are written; all by default")
    names = parser.parse_args().names or None
    SAMPLES_IN.mkdir(exist_ok=True)
    for playbook, text in record(names).items():
        (SAMPLES_IN / ("%s.txt" % playbook)).write_text(text, encoding="utf-8")
        print((SAMPLES_IN / ("%s.txt" % playbook)).relative_to(TOP))


if __name__ == "__main__":
    main()
