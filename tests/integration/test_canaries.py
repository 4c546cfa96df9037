# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret stands anywhere, whatever playbook runs, and whatever goes wrong in it.

Every playbook of the collection needs a case here. Each runs as it should, and against a server that fails and names
the secrets that it was told, as verbose as can be and with everything that writes: log, log of the connection, JSON
and JUnit of each task, journal, plan, snapshot, reports.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from lab.deployment.faults import Faults
from lab.testing import Lab
from tests.integration.canaries import SECRETS, Watch, core_files, forms, of_key, searched
from tests.integration.plays import CHECKOUT, Plays
from tests.unit.certificates import NAMES, intermediate, leaf, root

PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))
# Where the server fails and tells, these are a sample of `make test`; a rehearsal has a lab of its own.
TELLING = {"certificate", "converge", "decommission", "preflight"}
SLOW = {"rehearse"}


def sampled(left_out: t.Collection[str]) -> list[t.Any]:
    return [pytest.param(name, marks=pytest.mark.nightly) if name in left_out else name for name in PLAYBOOKS]


DIALBACK = SECRETS["sfb_xmpp_gateway.dialback_passphrase"]
PFX = SECRETS["sfb_xmpp_certificate.source.passphrase"]
ADMIN = SECRETS["ansible_password of a management host"]
# What each server may name: that with which it was let in, and what a write told it.
SPOKEN = (
    ("fe01", "Get-*", "no, %s" % ADMIN),
    ("fe01", "New-*", "no, %s, for I was told '%s'" % (ADMIN, DIALBACK)),
    ("fe01", "Set-*", "no, %s, for I was told '%s'" % (ADMIN, DIALBACK)),
    ("edge01", "*-Cs*", "no, %s" % SECRETS["ansible_password of an Edge"]),
    ("edge02", "Set-*", "no, %s" % SECRETS["ansible_password of an Edge"]),
)


@dataclass(frozen=True)
class Case:
    """How a playbook is run. arguments: with OUT for a directory that is searched. before: playbooks to run first.

    codes: exit statuses that are fine where nothing fails.
    """

    arguments: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)
    variables: dict[str, t.Any] = field(default_factory=dict)


QUIET = {"sfb_xmpp_audit": {"probe": False, "fail_on": "never"}}
# For a new playbook: a line here, with what it needs beside the inventory of all secrets.
CASES = {
    "audit": Case(("-e", "sfb_xmpp_into=OUT/audit"), variables=QUIET),
    "capture": Case(("-e", "sfb_xmpp_into=OUT/capture.json")),
    "certificate": Case(),
    "converge": Case(("--diff",)),
    "decommission": Case(
        ("-e", "sfb_xmpp_into=OUT/out", "-e", "sfb_xmpp_decommission_stage=remove"),
        before=("converge",),
        variables={"sfb_xmpp_decommission": "yes, remove XMPP from default"},
        codes=(0, 2),
    ),
    "explain": Case(
        ("-e", "sfb_xmpp_for_user=ialmeida@contoso.test", "-e", "sfb_xmpp_for_partner=adatum.example"), codes=(0, 2)
    ),
    "export": Case(("-e", "sfb_xmpp_into=OUT/export")),
    "failover": Case(("-e", "sfb_xmpp_failover_to=edge.contoso.test"), codes=(0, 2)),
    "history": Case(before=("converge",)),
    "import": Case(
        ("-e", "sfb_xmpp_into=OUT/import.yml", "-e", "sfb_xmpp_import_partners=OUT/partners.csv"), codes=(0, 2)
    ),
    "migration": Case(("-e", "sfb_xmpp_into=OUT/migration", "-e", "sfb_xmpp_for_pools=fe01.contoso.test")),
    "onboard": Case(
        ("-e", "sfb_xmpp_for_partner=adatum.example"),
        codes=(0, 2),
        variables={"sfb_xmpp_verification": {"timeout": 0.5}},
    ),
    "preflight": Case(codes=(0, 2)),
    "rehearse": Case(("-e", "sfb_xmpp_into=OUT/rehearsal"), codes=(0, 2)),
    "restore": Case(
        ("--diff", "-e", "sfb_xmpp_snapshot_file=newest", "-e", "sfb_xmpp_force=true"), before=("converge",)
    ),
    "revoke": Case(("-e", "sfb_xmpp_revoke_domain=adatum.example"), before=("converge",)),
    "verify": Case(codes=(0, 2), variables={"sfb_xmpp_verification": {"timeout": 0.5}}),
}


def test_every_playbook_has_a_case() -> None:
    missing = [name for name in PLAYBOOKS if name not in CASES]
    text = "playbooks/%s.yml has no case in tests/integration/test_canaries.py: add a line to CASES"
    assert not missing, text % missing[0]
    assert sorted(set(CASES) - set(PLAYBOOKS)) == []


def inventory(plays: Plays, secrets: Path, password: str = "") -> Path:
    """All secrets, in a place that is not searched."""
    hosts = plays.hosts()
    if password:
        hosts["sfb_management"]["vars"]["ansible_password"] = password
    (secrets / "gateway.pfx").write_bytes(leaf().pkcs12(intermediate(), root(), passphrase=PFX))
    (secrets / "roots.pem").write_bytes(root().pem)
    source = {"type": "pkcs12", "path": str(secrets / "gateway.pfx"), "passphrase": PFX}
    hosts["all"] = {
        "vars": {
            "sfb_xmpp_policies": [
                {"identity": "Friends", "enable_federation_access": True, "enable_xmpp_access": True}
            ],
            "sfb_xmpp_partners": [{"domain": "adatum.example"}],
            "sfb_xmpp_gateway": {"connection_limit": 77, "dialback_passphrase": DIALBACK},
            "sfb_xmpp_certificate": {
                "names": list(NAMES), "source": source, "trust_store": str(secrets / "roots.pem"),
            },
            "sfb_xmpp_plan_file": None,
        }
    }  # fmt: skip
    path = secrets / "inventory.yml"
    path.write_bytes(plays.write("inventory.yml", hosts).read_bytes())
    (plays.directory / "inventory.yml").unlink()
    return path


def patterns() -> set[str]:
    return {form for secret in SECRETS.values() for form in forms(secret)} | of_key(leaf())


class Found(t.NamedTuple):
    """found: places and secrets. files: how many were searched. looks: how often processes and files were looked at."""

    found: list[str]
    files: int
    looks: int
    output: str


def run(
    plays: Plays, playbook: str | list[dict[str, t.Any]], case: Case, place: Path, codes: tuple[int, ...] | None
) -> Found:
    """The playbook, and everywhere where a secret could stand afterwards or meanwhile."""
    name = playbook if isinstance(playbook, str) else "play"
    out, temporary = plays.directory / "out", plays.directory / "tmp"
    out.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    environment = {
        "ANSIBLE_LOG_PATH": str(out / "log"),
        "ANSIBLE_PERSISTENT_LOG_MESSAGES": "true",
        "ANSIBLE_CALLBACKS_ENABLED": "recorder,ansible.builtin.junit",
        "JUNIT_OUTPUT_DIR": str(out / "junit"),
        "TMPDIR": str(temporary),
    }
    arguments = [argument.replace("OUT", str(out)) for argument in case.arguments]
    if case.variables:
        arguments += ["-e", json.dumps(case.variables)]
    with Watch([temporary, plays.directory / "home"], patterns()) as watch:
        what = "sfb.xmpp." + playbook if isinstance(playbook, str) else playbook
        done = plays.run(what, "-vvvv", *arguments, inventory=place, environment=environment, directory=out)
    (out / ("output-%s" % name)).write_text(done.output)
    if codes is not None:
        assert done.code in codes, done.output[-3000:]
    found, files = searched(plays.directory, patterns())
    assert (out / "log").read_text(), "there is a log to be searched"
    assert list((out / "junit").glob("*.xml")), "and a report of each task"
    assert core_files(plays.directory) == []
    return Found([*found, *sorted(watch.found)], files, watch.looks, done.output)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.mkdir(mode=0o700)
    return path


def beside_the_labs(found: t.Sequence[str]) -> list[str]:
    """Without the accounts of a rehearsal's own lab, which are public; the lab of this test has the same."""
    return [one for one in found if not re.search(r"/(ntlm-users|state\.sqlite(-wal)?): Lab-", one)]


@pytest.mark.parametrize("name", sampled(SLOW))
def test_no_secret_anywhere(fresh_lab: Lab, plays: Plays, secrets: Path, name: str) -> None:
    case = CASES[name]
    place = inventory(plays, secrets)
    for first in case.before:
        assert run(plays, first, CASES[first], place, (0,)).found == []
    good = run(plays, name, case, place, case.codes)
    assert beside_the_labs(good.found) == []
    assert (good.files > 3, good.looks > 3) == (True, True)


@pytest.mark.parametrize("name", sampled(set(PLAYBOOKS) - TELLING))
def test_no_secret_where_the_server_fails_and_tells(fresh_lab: Lab, plays: Plays, secrets: Path, name: str) -> None:
    """It names what it was told: in some of its errors, and then the connection breaks."""
    place = inventory(plays, secrets)
    faults = Faults(fresh_lab.store())
    for host, cmdlet, words in SPOKEN:
        # The first reads succeed, or nothing would ever be written.
        faults.add(cmdlet, host=host, times=2, skip=20 if cmdlet == "Get-*" else 0, message=words)
    faults.add("*", host="fe01", action="cut", when="after", skip=45)
    failed = run(plays, name, CASES[name], place, None)
    assert beside_the_labs(failed.found) == []


@pytest.mark.parametrize("kind", ["own_ca", "enterprise_ca"])
def test_no_secret_of_an_authority(fresh_lab: Lab, plays: Plays, secrets: Path, kind: str) -> None:
    """The passphrase of its key, and the password of the account that asks it, which the lab does not accept."""
    place = inventory(plays, secrets)
    passphrase = SECRETS["sfb_xmpp_certificate.source.ca_passphrase"]
    form = serialization.BestAvailableEncryption(passphrase.encode())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (secrets / "ca.key").write_bytes(root().key.private_bytes(pem, pkcs8, form))
    sources = {
        "own_ca": {
            "path": str(secrets / "made.pfx"),
            "passphrase": PFX,
            "ca_certificate": str(secrets / "roots.pem"),
            "ca_key": str(secrets / "ca.key"),
            "ca_passphrase": passphrase,
        },
        "enterprise_ca": {
            "ca": "dc01.contoso.test\\Contoso Enterprise CA",
            "ca_account": "CONTOSO\\admin",
            "ca_password": SECRETS["sfb_xmpp_certificate.source.ca_password"],
        },
    }
    source = {"type": kind, **sources[kind]}
    # In a file, as a vault would be: what stands on a command line is in the list of processes.
    (secrets / "more.yml").write_text(
        json.dumps({"sfb_xmpp_certificate": {"names": list(NAMES), "source": source}}), encoding="utf-8"
    )
    case = Case(("-e", "@%s" % (secrets / "more.yml")))
    found = run(plays, "certificate", case, place, (0,) if kind == "own_ca" else (2,))
    assert found.found == []
    assert ("Request-CsCertificate" in found.output) == (kind == "enterprise_ca")


def test_no_secret_of_a_test_user(fresh_lab: Lab, plays: Plays, secrets: Path) -> None:
    place = inventory(plays, secrets)
    password = SECRETS["credential.password of xmpp_im_test"]
    (secrets / "more.yml").write_text(json.dumps({"user_password": password}), encoding="utf-8")
    task = {
        "sfb.xmpp.xmpp_im_test": {
            "to_user": "romeo@adatum.example",
            "from_user": "sip:ialmeida@contoso.test",
            "credential": {"username": "CONTOSO\\ialmeida", "password": "{{ user_password }}"},
            "pool": "fe01.contoso.test",
        }
    }
    case = Case(("-e", "@%s" % (secrets / "more.yml")))
    found = run(plays, plays.tasks([task]), case, place, (2,))
    assert found.found == []
    assert "Test-CsXmppIM" in found.output


def test_no_secret_where_nobody_is_let_in(fresh_lab: Lab, plays: Plays, secrets: Path) -> None:
    place = inventory(plays, secrets, SECRETS["a wrong ansible_password"])
    failed = run(plays, "converge", CASES["converge"], place, (2, 4))
    assert failed.found == []
    assert "password" in failed.output


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """Or the tests above would say nothing."""
    for number, one in enumerate(sorted(patterns())):
        (tmp_path / "here").mkdir(exist_ok=True)
        (tmp_path / "here" / "file").write_text("before %s after" % one)
        found, files = searched(tmp_path, patterns())
        assert (bool(found), files) == (True, 1), number
    with Watch([tmp_path], patterns()) as watch:
        while not watch.looks:
            pass
    assert watch.found
