# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.rehearse from the built and installed collection, in an empty folder, with whatever the inventory says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lab.partners.programs import missing
from tests.integration.plays import CHECKOUT, TOOLS

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
DESK: dict[str, t.Any] = {"identity": "Desk", "enable_federation_access": True, "enable_xmpp_access": True,
                          "enable_outside_access": True}  # fmt: skip
INTO = "sfb_xmpp_into=report"
SECRET = "s3cret-of-the-gateway"


@dataclass(frozen=True)
class Rehearsed:
    code: int
    output: str
    seconds: float
    into: Path

    @property
    def report(self) -> str:
        return (self.into / "rehearsal.md").read_text(encoding="utf-8")

    @property
    def cases(self) -> dict[str, ET.Element]:
        top = ET.parse(self.into / "rehearsal.xml")
        return {str(case.get("name")): case for case in top.iter("testcase")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections with nothing in it but this one, installed from its tarball."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["tools/copy.sh", str(folder / "source")], cwd=CHECKOUT, check=True)
    galaxy = [str(TOOLS / "ansible-galaxy"), "collection"]
    env = {"PATH": "%s:%s" % (TOOLS, os.defpath), "HOME": str(folder), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    subprocess.run([*galaxy, "build", "--output-path", str(folder), str(folder / "source")], env=env, check=True)
    (tarball,) = folder.glob("sfb-xmpp-*.tar.gz")
    command = [*galaxy, "install", "--offline", "--no-deps", "--force", "-p", str(folder / "collections"), str(tarball)]
    subprocess.run(command, env=env, check=True)
    shutil.rmtree(folder / "source")
    return folder / "collections"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def rehearse(installed: Path, folder: Path, inventory: t.Any, *arguments: str) -> Rehearsed:
    file = folder / "hosts.yml"
    file.write_text(yaml.safe_dump(inventory, allow_unicode=True, sort_keys=False), encoding="utf-8")
    begin = time.monotonic()
    done = subprocess.run(
        [
            str(TOOLS / "ansible-playbook"),
            "sfb.xmpp.rehearse",
            "-i",
            str(file),
            "-e",
            "sfb_xmpp_into=report",
            *arguments,
        ],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(installed),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            # Such a machine has one, and the lab is not behind it.
            "https_proxy": "http://127.0.0.1:9",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    found = Rehearsed(done.returncode, done.stdout, time.monotonic() - begin, folder / "report")
    print(found.output)
    assert SECRET not in found.output
    assert not [path for path in folder.rglob("*") if path.is_file() and path != file and _holds(path, SECRET)]
    return found


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


def certificate(folder: Path, *names: str) -> dict[str, t.Any]:
    source = {"type": "self_signed", "path": str(folder / "gateway.pfx"), "passphrase": SECRET}
    return {"names": list(names), "source": source}


def inventory(management: int, edges: int, **variables: t.Any) -> dict[str, t.Any]:
    """Hosts whose names lead nowhere."""
    found: dict[str, t.Any] = {"all": {"vars": variables}}
    found["sfb_management"] = {"hosts": {"fe%d.fabrikam.invalid" % n: {} for n in range(1, management + 1)}}
    found["sfb_edge"] = {"hosts": {"edge%d.fabrikam.invalid" % n: {} for n in range(1, edges + 1)}}
    return found


def shapes(folder: Path) -> dict[str, dict[str, t.Any]]:
    full: dict[str, t.Any] = {
        "sfb_xmpp_partners": [{"domain": "partner.example", **ROW}],
        "sfb_xmpp_policies": [{**DESK, "granted_to": ["sip:anna@fabrikam.test"]}],
        "sfb_xmpp_access_edge": {"allow_federated_users": True},
        "sfb_xmpp_gateway": {"dialback_passphrase": SECRET},
        "sfb_xmpp_certificate": certificate(folder, "sip.fabrikam.test", "fabrikam.test"),
    }
    route = {"site": "Seattle", "edge_pool": "edgepool.fabrikam.test"}
    people = ["sip:anna@fabrikam.test", "FABRIKAM\\bert", "Carl Carlsen", "sip:dora@xn--bcher-kva.example"]
    idn = ["sip.fabrikam.test", "sip.bücher.example", "fabrikam.test", "bücher.example"]
    lync = inventory(1, 2, **full)
    lync["sfb_edge"]["vars"] = {"ansible_management_shell_modules": ["Lync"]}
    return {
        "single": inventory(1, 1, **full),
        "pool": inventory(
            2, 3, **{
                **full,
                "sfb_xmpp_federation_routes": [route],
                "sfb_xmpp_policies": [{**DESK, "granted_to": people[:3]}, {**DESK, "identity": "site:Seattle"}],
            },
        ),
        "domains": inventory(
            1, 2, **{
                **full,
                "sfb_xmpp_policies": [{**DESK, "granted_to": people}],
                "sfb_xmpp_certificate": certificate(folder, *idn),
            },
        ),
        "lync": lync,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["pool", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("single", "domains", "lync"))]
)
def test_inventories_of_four_shapes(installed: Path, folder: Path, name: str) -> None:
    done = rehearse(installed, folder, shapes(folder)[name])
    assert done.code == 0, done.output
    assert "**It succeeded.**" in done.report
    assert ("as lync2013" in done.report) == (name == "lync")
    described = {"single": "hosts: 1, Edges: 1", "pool": "hosts: 2, Edges: 3, sites: Seattle", "domains": "users: 5"}
    assert described.get(name, "starts a lab as lync2013") in done.output
    if name == "domains":
        assert "SIP domains: fabrikam.test, xn--bcher-kva.example" in done.output
    assert re.search(r"\| converge again \| [0-9.]+ \| ok \| 0 \| 0 \| 0 \| 0 \| 0 \|", done.report)
    assert {"converge", "converge again"} <= set(done.cases)
    assert not [case for case in done.cases.values() if case.find("failure") is not None]
    if not missing(("prosody",)):
        assert "messages with a stand-in server (Prosody) passed in both directions" in done.report
        assert "partner.example" in done.cases
    else:
        assert "messages with partners" in done.report
    print("%s: %.1f s" % (name, done.seconds))
    assert not (folder / "gateway.pfx").exists(), "what a source would make is not made here"
    assert sorted(path.name for path in folder.iterdir()) in (
        [".ansible", "hosts.yml", "report"],
        ["hosts.yml", "report"],
    )
    assert labs(folder) == set()


def labs(folder: Path) -> set[str]:
    """The processes of labs and their partners that a rehearsal with this home has left."""
    home = ("HOME=%s" % folder).encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if home in (process / "environ").read_bytes().split(b"\0"):
                found.add(process.name)
    return found


NOTHING_LEFT = {
    "domain": "a.example",
    "tls_negotiation": "not_supported",
    "sasl_negotiation": "required",
    "support_dialback_negotiation": False,
}
NO_FILE = {"names": ["sip.a.test", "a.test"], "source": {"type": "pkcs12", "path": "missing.pfx"}}
WRONG: dict[str, tuple[dict[str, t.Any], str]] = {
    "row": ({"sfb_xmpp_partners": [NOTHING_LEFT]}, "a.example: TLS not supported, SASL required"),
    "file": ({"sfb_xmpp_certificate": NO_FILE}, "missing.pfx"),
}


def test_a_misspelt_variable_ends_a_rehearsal_before_the_lab_starts(installed: Path, folder: Path) -> None:
    done = rehearse(installed, folder, inventory(1, 1, sfb_xmpp_partnerz=[]))
    assert done.code == 2, done.output
    assert "did you mean sfb_xmpp_partners?" in done.output
    assert not done.into.exists()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_inventory_fails_with_the_reason_first(installed: Path, folder: Path, name: str) -> None:
    declared, reason = WRONG[name]
    done = rehearse(installed, folder, inventory(1, 1, **declared))
    assert done.code == 2, done.output
    first = done.report.splitlines()[2]
    assert first.startswith("**It failed: converge failed: "), first
    assert reason.replace("_", r"\_") in first or reason in first, first
    failure = done.cases["converge"].find("failure")
    assert failure is not None
    assert reason in str(failure.get("message"))
    assert "converge again" not in done.cases


@contextlib.contextmanager
def watching(*addresses: str) -> t.Iterator[tuple[int, list[socket.socket]]]:
    """Listeners on one port of several addresses, where a connection would wait to be accepted."""
    with contextlib.ExitStack() as stack:
        port, found = 0, []
        for address in addresses:
            one = stack.enter_context(socket.socket())
            one.bind((address, port))
            one.listen()
            one.settimeout(0)
            port = one.getsockname()[1]
            found.append(one)
        yield port, found


def arrived(listeners: t.Sequence[socket.socket]) -> int:
    count = 0
    for one in listeners:
        with contextlib.suppress(BlockingIOError):
            one.accept()[0].close()
            count += 1
    return count


def test_no_host_of_the_inventory_is_connected_to(installed: Path, folder: Path) -> None:
    """Wherever an inventory can name an address, there is a listener."""
    hook = folder / "hook.yml"
    reach_out = {"ansible.builtin.wait_for": {"host": "127.9.9.3", "port": "{{ ansible_port }}", "timeout": 1}}
    hook.write_text(yaml.safe_dump([{**reach_out, "delegate_to": "localhost"}]))
    with watching("127.9.9.1", "127.9.9.2", "127.9.9.3") as (port, listeners):
        given = shapes(folder)["single"]
        listener = {"address": "127.9.9.2", "port": port, "domain": "fabrikam.test", "timeout": 9}
        listener["partner"] = "partner.example"
        given["all"]["vars"]["sfb_xmpp_certificate"]["listener"] = listener
        given["all"]["vars"].update(
            ansible_port=port,
            ansible_user="nobody",
            ansible_password=SECRET,
            sfb_xmpp_certificate_hook=str(hook),
            sfb_xmpp_verification={
                "own_domains": ["fabrikam.test"], "nameservers": ["127.9.9.3:%d" % port], "gateway_port": port,
                "access_edge": "127.9.9.2.invalid",
            },
            sfb_xmpp_partners=[{"domain": "partner.example", "proxy_fqdn": "proxy.partner.example", **ROW}],
        )  # fmt: skip
        given["sfb_management"]["hosts"]["fe1.fabrikam.invalid"] = {"ansible_host": "127.9.9.1"}
        given["sfb_edge"]["hosts"]["edge1.fabrikam.invalid"] = {"ansible_host": "127.9.9.2"}
        done = rehearse(installed, folder, given)
        assert arrived(listeners) == 0
        assert done.code == 0, done.output
        assert "a rehearsal does not run your own tasks, because they may reach other systems" in done.report
        # The watch works: the same inventory with another playbook is seen.
        command = [str(TOOLS / "ansible-playbook"), "sfb.xmpp.export", "-i", "hosts.yml"]
        env = {"PATH": os.defpath, "HOME": str(folder), "ANSIBLE_COLLECTIONS_PATH": str(installed)}
        env["ANSIBLE_HOME"] = str(folder / "h")
        with subprocess.Popen(
            command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            end = time.monotonic() + 60
            seen = 0
            while not seen and time.monotonic() < end:
                seen = arrived(listeners)
                time.sleep(0.1)
            run.terminate()
        assert seen


def test_it_begins_with_an_export(installed: Path, folder: Path) -> None:
    before = folder / "before" / "group_vars" / "all"
    before.mkdir(parents=True)
    there: dict[str, t.Any] = {
        "sfb_xmpp_policies": [{**DESK, "granted_to": ["sip:anna@fabrikam.test"]}],
        "sfb_xmpp_partners": [{"domain": "a.example", **ROW}, {"domain": "b.example", **ROW}],
        "sfb_xmpp_federation_routes": [{"site": "Seattle", "edge_pool": "edge.fabrikam.test"}],
        "sfb_xmpp_access_edge": {"allow_federated_users": True},
    }
    (before / "sfb_xmpp.yml").write_text(yaml.safe_dump(there))
    given = inventory(1, 0, sfb_xmpp_partners=[{"domain": "a.example"}], sfb_xmpp_partners_purge=True)
    del given["sfb_edge"]
    done = rehearse(installed, folder, given, "-e", "sfb_xmpp_rehearse_from=before")
    assert done.code == 0, done.output
    assert re.search(r"\| converge \| [0-9.]+ \| ok \| 0 \| 0 \| 1 \|", done.report), done.report
    assert "the group sfb_edge has no hosts" in done.report


def test_the_lab_finds_its_own_collection_under_any_name(tmp_path: Path) -> None:
    for name in ("lab", "plugins"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    # Whatever else knows the collection, such as the link in this environment, is hidden.
    code = (
        "import sys; from importlib.machinery import PathFinder as P; f = P.find_spec;"
        "P.find_spec = classmethod(lambda c, n, p=None, t=None: None if n == 'ansible_collections' else f(n, p, t));"
        "import lab.gateway.gateway; print(sys.modules['ansible_collections.sfb.xmpp'].__path__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(CHECKOUT) in done.stdout
