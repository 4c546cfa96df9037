# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README, guides and pages of playbooks tell people to type or to write, done as it stands there.

Only names are those of the lab. test_examples has the examples of modules.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from lab.testing import add_edge_pool
from tests.integration.documented import Block, blocks, commands, values
from tests.integration.plays import CHECKOUT, Plays
from tests.integration.test_examples import GATEWAY_NAMES, NAMES, VARIABLES, prepare
from tests.integration.test_restore import snapshots
from tests.unit.certificates import PASSPHRASE, elliptic_key, intermediate, issue, root

# Playbooks that need the same: what is there, and the order in which the commands of the pages run.
GROUPS: dict[str, tuple[str, ...]] = {
    "plan": ("converge", "history", "restore", "ansible", "lab"),
    "look": ("export", "audit", "preflight", "explain", "capture", "migration", "import", "verify", "rehearse"),
    "edges": ("certificate", "failover", "revoke", "decommission"),
}
# What is not run here, by how it begins: where it is run, or why it cannot be.
ELSEWHERE = {
    "ansible-playbook awx/configure.playbook": "needs an AWX; test_awx compares the options",
    "make ": "what runs these tests, and what .ci/run runs",
    "pip install": "tools/installed.sh",
    "python3 -m venv": "tools/installed.sh",
    "ansible-galaxy ": "tools/installed.sh",
    "cp ": "tools/execution_environment.sh",
    "ansible-builder ": "tools/execution_environment.sh",
    "ansible-navigator ": "needs a container engine",
    "yamllint ": "a program of its own; it reads no file of the collection",
    "ansible-inventory ": "test_every_inventory_of_hosts_can_be_read",
    "check-jsonschema ": "test_plan_rules",
    ". .venv": "the environment of these tests",
    "sudo apt-get": "tools/packages.sh",
    "ansible-playbook sfb.xmpp.converge -i inventories/lab": "the default scenario of Molecule",
    "ansible-playbook sfb.xmpp.verify -i inventories/lab": "the scenario federation of Molecule",
    "python -m lab partners": "the scenario federation of Molecule",
    "python -m lab talk": "test_partners_servers",
    "python -m lab replay": "test_lab_replay",
    "python -m lab up": "test_lab_process, test_lab_several",
    "python -m lab events --directory": "test_lab_process",
    "ansible-playbook sfb.xmpp.converge -i inventories/lab-two": "test_lab_several",
    "python -m lab compare": "test_lab_replay",
    "python -m lab down": "test_lab_process",
    "python -m tests.benchmarks.users": "test_benchmarks",
    "python -m tests.benchmarks.way_out": "its figures stand in guide_performance",
    "python -m tests.benchmarks.impact": "its figures stand in guide_impact",
    "python -m tests.benchmarks.fast_path": "its figures stand in guide_performance; test_fast_path compares both ways",
    "ansible-playbook sfb.xmpp.import -e sfb_xmpp_import_partners=partners.xml": "test_import",
    "ansible-playbook sfb.xmpp.verify -i inventory -e sfb_xmpp_for_partner": "the scenario federation of Molecule",
    "ansible-playbook sfb.xmpp.onboard": "test_onboard",
    "ansible-playbook sfb.xmpp.converge -i inventory --diff -e sfb_xmpp_plan_digest": "test_plan_file",
    "ansible-playbook sfb.xmpp.converge -i inventory -e sfb_xmpp_plan_digest": "test_plan_file",
    # Half a minute each; the longest one has what the others have.
    "ansible-playbook sfb.xmpp.rehearse -i inventory -e sfb_xmpp_rehearse_from": "test_rehearse",
    "ansible-playbook sfb.xmpp.rehearse -i inventory -e sfb_xmpp_into=build\n": "test_rehearse",
    "ansible-playbook sfb.xmpp.rehearse -i inventory\n": "test_rehearse",
}
# Commands that end with something else than 0 here, with the words that say why.
ENDS: dict[str, tuple[int, str]] = {
    # Nobody publishes anything of these domains, nor has set up test users.
    "sfb.xmpp.verify": (2, "has no test users"),
    # Nothing has been converged yet.
    "sfb.xmpp.audit": (2, "other values are declared"),
}
# Blocks of YAML that no play can take, by page and first key.
NOT_PLAYED = {
    ("guide_automation", "groups"): "rules of Prometheus; test_guide_automation",
    ("guide_automation", "name"): "a job of GitHub; its run is what guide_planning has",
    ("guide_execution_environment", "ansible-navigator"): "settings of ansible-navigator",
    ("guide_awx", "ansible_user"): "test_awx has the variables of the credential type",
    ("guide_execution_environment", "spec"): "a pod of AWX",
    ("guide_renewal", "renew"): "a part of sfb_xmpp_certificate",
    ("guide_renewal", "Ask for the renewal window"): "needs an ACME server; test_certificate_playbook has one",
    ("guide_rehearse", "name"): "a job of GitHub; tools/installed.sh does the same",
    ("guide_rehearse", "rehearse"): "a job of GitLab; tools/installed.sh does the same",
    ("guide_security", "ansible_user"): "test_duties logs in as each of them",
    ("guide_planning", "steps"): "what a plan looks like",
    ("guide_planning", "digest"): "what a plan looks like",
    ("guide_certificates", "Make a key"): "needs community.crypto and an ACME server",
}
TABLES = {
    "partners.csv": "Identity;TlsNegotiation;SaslNegotiation;SupportDialbackNegotiation;VIP\n"
    "proseware.example;Required;Optional;TRUE;no\n",
    "policies.csv": "Identity;EnableFederationAccess;EnableXmppAccess\nTag:Desk;TRUE;TRUE\n",
    "usage.csv": "domain,last_used,sessions\nproseware.example,2026-11-30,7\n",
}
OF_THE_EDGES = ("guide_certificates", "guide_renewal", "gateway_certificate")


def name_of(command: str) -> str:
    """The playbook, or the program."""
    words = shlex.split(command)
    return words[2] if words[0] == "python" else words[1].removeprefix("sfb.xmpp.") if "-" in words[0] else words[0]


def group_of(command: str) -> str | None:
    """The group that runs a command, or None if it is run elsewhere."""
    if any((command + "\n").startswith(start) for start in ELSEWHERE):
        return None
    (found,) = (group for group, names in GROUPS.items() if name_of(command) in names)
    return found


def in_order(group: str) -> list[str]:
    """The commands of a group: by playbook, then as they stand on the pages."""
    found = [command for command in commands() if group_of(command) == group]
    return sorted(found, key=lambda command: GROUPS[group].index(name_of(command)))


def ours(text: str, plays: Plays) -> str:
    """With the names of the lab."""
    for word, own in NAMES.items():
        text = text.replace(word, own)
    for word in ("/var/lib/sfb-xmpp", "/srv"):
        text = text.replace(word, str(plays.directory))
    return re.sub(r"(?<=: )certificates/", "%s/certificates/" % plays.directory, text)


def merged(*parts: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Dictionaries in one, the last one first."""
    found: dict[str, t.Any] = {}
    for part in parts:
        for name, value in part.items():
            both = isinstance(value, dict) and isinstance(found.get(name), dict)
            found[name] = merged(found[name], value) if both else copy.deepcopy(value)
    return found


def inventory(plays: Plays, variables: t.Mapping[str, t.Any]) -> Path:
    """The folder that the pages call ``inventory``."""
    folder = plays.directory / "inventory"
    (folder / "group_vars" / "all").mkdir(parents=True)
    (plays.directory / "tasks").mkdir()
    for name in ("acme", "drain", "restore"):
        (plays.directory / "tasks" / (name + ".yml")).write_text(
            "- ansible.builtin.debug: {msg: %s}\n" % name, encoding="utf-8"
        )
    hosts = plays.hosts()
    if "sfb_xmpp_certificate" not in variables:
        del hosts["sfb_edge"]
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    file = folder / "group_vars" / "all" / "all.yml"
    file.write_text(yaml.safe_dump(dict(variables), allow_unicode=True), encoding="utf-8")
    return folder


def declared(plays: Plays, *names: str) -> dict[str, t.Any]:
    """What the pages write for these variables, in one."""
    found = [yaml.safe_load(ours(block.text, plays)) for block in values(dict)]
    return merged(*({n: v for n, v in one.items() if n in names} for one in found))


def typed(plays: Plays, command: str) -> subprocess.CompletedProcess[str]:
    line = ours(command, plays)
    newest = snapshots(plays)[-1:]
    if newest:
        line = re.sub(r"sfb_xmpp_snapshot_file=\S+", "sfb_xmpp_snapshot_file=%s" % newest[0].name, line)
    line = line.replace("--since NUMBER", "--since 0")
    of_the_lab = line.startswith("python -m lab")
    return subprocess.run(
        ["bash", "-ec", line],
        cwd=CHECKOUT if of_the_lab else plays.directory,
        env={**plays.environment(), "SFB_LAB_DIRECTORY": str(plays.lab.directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )


def variables(group: str, plays: Plays) -> dict[str, t.Any]:
    """The inventory's variables for a group: what the pages write, and where the lab is."""
    federation = {name: VARIABLES[name] for name in ("sfb_xmpp_partners", "sfb_xmpp_policies")}
    if group == "look":
        given = declared(plays, "sfb_xmpp_audit", "sfb_xmpp_verification")
        # Nobody answers at once, where on the page a resolver would.
        here = {"nameservers": ["127.0.0.1:9"], "trust_store": str(plays.lab.ca), "timeout": 1.0}
        return merged(federation, given, {"sfb_xmpp_verification": here, "vault_ines_password": "Lab-user-1"})
    if group == "edges":
        settings = ("certificate", "certificate_hook", "certificate_drain", "certificate_restore")
        given = declared(plays, *("sfb_xmpp_" + name for name in settings))
        roots = plays.directory / "roots.pem"
        roots.write_bytes(root().pem)
        names = [*GATEWAY_NAMES, *("sip." + domain for domain in GATEWAY_NAMES[1:])]
        issued = issue(GATEWAY_NAMES[0], intermediate(), key=elliptic_key(), names=names, days=200)
        (plays.directory / "certificates" / "gateway.pfx").write_bytes(issued.pkcs12(intermediate()))
        here = {
            "access_edge": GATEWAY_NAMES[0],
            "sip_domains": GATEWAY_NAMES[1:],
            "xmpp_domains": GATEWAY_NAMES[1:],
            "trust_store": str(roots),
            "listener": {"port": plays.lab.xmpp_port},
        }
        return merged(
            federation,
            given,
            {"sfb_xmpp_certificate": here, "vault_gateway_passphrase": VARIABLES["vault_gateway_passphrase"]},
        )
    return federation


@pytest.mark.parametrize(
    "group", ["plan", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("look", "edges"))]
)
def test_every_command_does_what_it_says(group: str, plays: Plays) -> None:
    prepare(plays)
    add_edge_pool(plays.lab.store())
    inventory(plays, variables(group, plays))
    for name, text in TABLES.items():
        (plays.directory / name).write_text(text, encoding="cp1252")
    wrong = []
    lines = in_order(group)
    for command in lines:
        done = typed(plays, command)
        code, words = next((end for part, end in ENDS.items() if part in command), (0, ""))
        if done.returncode != code or words not in done.stdout:
            wrong.append("%s\n%d\n%s" % (command, done.returncode, done.stdout))
    print("%d commands: %s" % (len(lines), "\n".join(lines)))
    assert not wrong, "\n\n".join(wrong)


def test_every_inventory_of_hosts_can_be_read(plays: Plays) -> None:
    found = [block for block in values(dict) if {"sfb_management", "sfb_edge"} & set(block.content)]
    assert found
    for block in found:
        path = plays.write("hosts.yml", block.content)
        command = ["ansible-inventory", "-i", str(path), "--list"]
        done = subprocess.run(command, env=plays.environment(), capture_output=True, text=True, check=True)
        assert "contoso.com" in done.stdout
        assert "WARNING" not in done.stderr


FEDERATION = [
    block for block in values(dict) if {"sfb_xmpp_policies", "sfb_xmpp_partners"} & set(block.content)
]  # fmt: skip


@pytest.mark.parametrize("block", FEDERATION, ids=lambda block: block.name)
def test_every_declaration_can_be_planned(block: Block, plays: Plays) -> None:
    if block.page == "guide_import":
        prepare(plays)
    folder = inventory(plays, yaml.safe_load(ours(block.text, plays)))
    (folder / "partners.csv").write_text(TABLES["partners.csv"], encoding="cp1252")
    planned = plays.run("sfb.xmpp.converge", "--check", "--diff", inventory=folder)
    assert planned.code == 0, planned.output
    assert " to add" in planned.output


TASKS = [block for block in values(list) if (block.page, block.content[0].get("name")) not in NOT_PLAYED]


@pytest.mark.parametrize("block", TASKS, ids=lambda block: block.name)
def test_every_task_and_play_runs(block: Block, plays: Plays) -> None:
    prepare(plays)
    content = yaml.safe_load(ours(block.text, plays))
    folder = inventory(plays, variables("edges", plays))
    if block.page == "guide_renewal":
        renewed = plays.run("sfb.xmpp.certificate", inventory=folder)
        assert renewed.code == 0, renewed.output
    host = "edge01" if block.page in OF_THE_EDGES else "fe01"
    if "ansible.builtin.import_playbook" not in content[0]:
        content = content if "hosts" in content[0] else plays.tasks(content, host)
        for play in content:
            play["hosts"] = host
    given = {
        **VARIABLES,
        "vault_certificate_passphrase": PASSPHRASE,
        "gateway_source": "{{ sfb_xmpp_certificate.source }}",
    }
    run = plays.run(content, "-e", json.dumps(given), inventory=folder)
    code, words = (2, "there is no record _xmpp-server._tcp") if block.page == "verification" else (0, "")
    assert (run.code, words in run.output) == (code, True), run.output
    assert run.tasks


def of_plugins(kind: str) -> dict[str, t.Any]:
    """The examples of filters or lookups, by name."""
    found = {}
    for path in sorted((CHECKOUT / "plugins" / kind).glob("*.*")):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yml":
            found[path.stem] = yaml.safe_load(text)["EXAMPLES"]
        elif match := re.search(r'^EXAMPLES = r"""\n(.*?)^"""', text, re.MULTILINE | re.DOTALL):
            found[path.stem] = match[1]
    return found


def test_the_examples_of_filters_and_lookups(plays: Plays) -> None:
    prepare(plays)
    folder = inventory(plays, merged(variables("edges", plays), {"sfb_xmpp_certificate": {"names": GATEWAY_NAMES}}))
    read = [
        {"name": "Read the topology", "sfb.xmpp.xmpp_topology_info": None, "register": "topology"},
        {"name": "Read everything", "sfb.xmpp.xmpp_federation_info": None, "register": "existing"},
    ]
    tasks = [task for text in of_plugins("filter").values() for task in yaml.safe_load(ours(text, plays))]
    # What stands in files, as the inventory has it.
    for name in ("partners", "policies"):
        (folder / (name + ".csv")).write_text(
            TABLES[name + ".csv"].replace(";VIP", "").replace(";no", ""), encoding="utf-8"
        )
        value = yaml.safe_load(of_plugins("lookup")[name])["sfb_xmpp_" + name]
        tasks.append({"name": name, "ansible.builtin.debug": {"msg": value}})
    run = plays.run(plays.tasks([*read, *tasks], vars={"ansible_python_interpreter": sys.executable}), inventory=folder)
    assert run.code == 0, run.output
    for words in ("_xmpp-server._tcp.contoso.test", "proseware.example", "Desk"):
        assert words in run.output
    assert set(of_plugins("lookup")) == {"partners", "policies"}


def test_nothing_that_is_documented_is_left_out() -> None:
    for command in commands():
        group_of(command)  # fails where no group has it
    for block in values(dict):
        key = next(iter(block.content))
        known = str(key).startswith("sfb_") or (block.page, key) in NOT_PLAYED
        assert known, block.name
    # The query in SQL is asked in tests/unit/plugin_utils/test_usage.py.
    assert {block.language for block in blocks()} == {"console", "yaml", "json", "text", "powershell", "ini", "sql"}
