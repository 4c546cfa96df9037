# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.capture: from a deployment in a dialect that nobody expected to a file that can be shared, and back."""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
from pathlib import Path

import pytest

from lab.cmdlets.partners import DEFAULTS
from lab.cmdlets.runspace import Deployment
from lab.deployment import seed
from lab.deployment.faults import Faults
from lab.deployment.hosts import HOSTS
from lab.deployment.shape import SHAPE
from lab.replay import capture as files
from lab.replay.compare import compare, compare_objects
from lab.replay.dialect import alien
from lab.replay.record import record
from lab.testing import Lab, running_lab
from tests.integration.plays import Plays

_STEADY = ("Get-CsUser", "Get-CsPool", "Get-CsCertificate", "Get-ChildItem", "Get-CsSite")
PASSPHRASE = "Nightingale-Canary-77"
PARTNERS = {
    "adatum.example": ["chat.adatum.example", "im.adatum.example"],
    "fabrikam-verlag.test": ["conference.fabrikam-verlag.test"],
    "xn--mller-kva.test": [],
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> files.Capture:
    """What a deployment with telling names answers, in that dialect."""
    deployment = Deployment(tmp_path_factory.mktemp("source"), "lync2013")
    with contextlib.closing(deployment.store) as store:
        for number, (domain, more) in enumerate(PARTNERS.items()):
            row = {
                **DEFAULTS,
                "AdditionalDomains": more,
                "Description": "Chat with Adatum, ask Brunhilde (ext. 47110815)",
            }
            store.put(
                "partner",
                domain,
                {**row, "PartnerType": "Federated", "TlsNegotiation": ("Required", "Optional")[number % 2]},
            )
        rights = {"EnableFederationAccess": True, "EnableXmppAccess": True, "EnableOutsideAccess": True}
        store.put("policy", "Tag:Verlag Allianz", {**seed.POLICY_DEFAULTS, **rights, "Description": "for Zacharias"})
        store.put("policy", "Site:Dublin", {**seed.POLICY_DEFAULTS, **rights})
        for user in list(store.all("user"))[:3]:
            store.grant(user, "Tag:Verlag Allianz", "dc01.contoso.test", 0.0)
        store.put("gateway", "Global", {**seed.GATEWAY_DEFAULTS, "DialbackPassphrase": PASSPHRASE})
        store.put("allowed_domain", "northwind.example", {"Comment": "since Woodgrove"})
        return alien(record(deployment))


def names() -> set[str]:
    """Every name of that deployment, and what of it could be told from a file."""
    texts: list[str] = [PASSPHRASE, *PARTNERS, *(one for more in PARTNERS.values() for one in more)]
    texts += [
        "Brunhilde",
        "47110815",
        "Zacharias",
        "Verlag Allianz",
        "northwind.example",
        "Woodgrove",
        "adatum",
        "Adatum",
    ]
    texts += ["Contoso", "contoso", "Redmond", "Dublin", "dc01", "fe01", "fe11", "edge01", "edge02", "webcon", "emea"]
    texts += [*seed.SIP_DOMAINS, *SHAPE.sites.values(), seed.EDGE_POOL, seed.ACCESS_EDGE, *seed.DOMAIN_CONTROLLERS]
    texts += [host.fqdn for host in HOSTS.values()]
    for given, family, alias, site in seed._PEOPLE:
        texts += [given, family, alias, site, "%s %s" % (given, family)]
    for host in ("edge01", "edge02"):
        for row, _usages in seed.initial_certificates(host):
            texts += [row.thumbprint, row.der.hex()]
    return {text for text in texts if len(text) > 2}


class Taken(t.NamedTuple):
    path: Path
    lab: Lab
    output: str
    key: Path


@pytest.fixture(scope="module")
def taken(source: files.Capture, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Taken]:
    """The playbook against that deployment, served as it was."""
    directory = tmp_path_factory.mktemp("taken")
    files.write(source, directory / "source.json")
    (directory / "lab").mkdir()
    with running_lab(directory / "lab", profile="lync2013", replay=directory / "source.json") as lab:
        plays = Plays(lab)
        try:
            inventory = plays.hosts()
            inventory["sfb_edge"]["vars"]["ansible_management_shell_modules"] = ["Lync"]
            path = directory / "capture.json"
            run = plays.run(
                "sfb.xmpp.capture", "-e", "sfb_xmpp_into=%s" % path, "-vvvv", inventory=plays.write("i.yml", inventory)
            )
            assert run.code == 0, run.output
            key = directory / "key"
            key.write_bytes((plays.directory / "home" / "sfb.xmpp" / "capture.key").read_bytes())
            assert (plays.directory / "home" / "sfb.xmpp" / "capture.key").stat().st_mode & 0o777 == 0o600
            yield Taken(path, lab, run.output, key)
        finally:
            plays.close()


def test_it_only_reads(taken: Taken) -> None:
    sent = {event.cmdlet for event in taken.lab.store().events() if event.kind == "statement"}
    assert {"Get-CsXmppAllowedPartner", "Get-CsUser", "Get-CsCertificate", "Get-ChildItem", "Get-Command"} <= sent
    assert {name for name in sent if not name.startswith("Get-")} <= {"Import-Module", "Select-Object"}


def test_no_name_and_no_secret_is_in_it(taken: Taken) -> None:
    text = taken.path.read_text(encoding="utf-8")
    assert taken.path.stat().st_mode & 0o777 == 0o600
    found = [n for n in sorted(names()) if re.search(r"(?<![a-z])%s(?![a-z])" % re.escape(n), text, re.IGNORECASE)]
    assert found == []
    assert [n for n in sorted(names()) if len(n) > 4 and n.casefold() in text.casefold()] == []
    assert taken.key.read_text().strip() not in text
    assert taken.key.read_text().strip() not in taken.output
    assert PASSPHRASE not in taken.output


def test_compare_lists_just_what_the_dialect_changed(taken: Taken, source: files.Capture) -> None:
    mine = files.read(taken.path)
    findings = compare(mine)
    assert {f.key for f in findings if f.verdict == "refuted"} == {
        "enum-numbers", "extra-properties", "list-shapes",
    }  # fmt: skip
    before = {f.key for f in compare(source) if f.verdict == "confirmed"}
    assert {f.key for f in findings if f.verdict == "confirmed"} >= before
    # Of users it reads what it needs, so their objects cannot be compared.
    expected = {one for one in compare_objects(source) if one.cmdlet != "Get-CsUser"}
    assert set(compare_objects(mine)) == expected != set()


def test_export_plan_and_audit_run_against_it(taken: Taken, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    with running_lab(tmp_path / "lab", profile="lync2013", replay=taken.path) as lab:
        plays = Plays(lab)
        try:
            inventory = plays.hosts()
            inventory["sfb_edge"]["vars"]["ansible_management_shell_modules"] = ["Lync"]
            place = plays.write("i.yml", inventory)
            run = plays.run("sfb.xmpp.export", "-e", "sfb_xmpp_into=%s" % (tmp_path / "exported"), inventory=place)
            assert run.code == 0, run.output
            declared = tmp_path / "exported" / "group_vars" / "all" / "sfb_xmpp.yml"
            run = plays.run("sfb.xmpp.converge", "--check", "--diff", "-e", "@%s" % declared, inventory=place)
            assert run.code == 0, run.output
            result = run.result("Apply the plan of the federation")
            assert (result["changed"], result["summary"]["unchanged"] > 5) == (False, True)
            settings = {"sfb_xmpp_audit": {"probe": False, "fail_on": "never"}}
            run = plays.run(
                "sfb.xmpp.audit", "-e", "@%s" % declared, "-e", json.dumps(settings),
                "-e", "sfb_xmpp_into=%s" % (tmp_path / "audit"), inventory=place,
            )  # fmt: skip
            assert run.code == 0, run.output
            audit = json.loads((tmp_path / "audit" / "audit.json").read_text())
            assert (len(audit["partners"]), audit["summary"]["drift"]) == (len(PARTNERS), 0)
            assert {one["host"] for one in audit["certificates"]} == {"edge01", "edge02"}
            assert "not_in_store" not in {finding["code"] for finding in audit["findings"]}
        finally:
            plays.close()


def test_the_same_key_gives_the_same_names(fresh_lab: Lab, plays: Plays, tmp_path: Path) -> None:
    key = tmp_path / "key"
    texts = []
    for number in (1, 2):
        path = tmp_path / ("%d.json" % number)
        settings = {"sfb_xmpp_capture": {"key_file": str(key), "users": 4}}
        run = plays.run("sfb.xmpp.capture", "-e", "sfb_xmpp_into=%s" % path, "-e", json.dumps(settings))
        assert run.code == 0, run.output
        found = files.read(path)
        assert max(len(one.output) for one in found.statements("Get-CsUser", whole=False)) == 4
        texts.append([one.output for host in found.hosts for one in host.statements if one.cmdlet in _STEADY])
    assert texts[0] == texts[1]
    key.chmod(0o644)
    run = plays.run("sfb.xmpp.capture", "-e", "sfb_xmpp_into=%s" % (tmp_path / "3.json"), "-e", json.dumps(settings))
    assert (run.code, "other users may read %s" % key in run.output) == (2, True)
    assert not (tmp_path / "3.json").exists()


def test_a_file_that_is_no_capture_stays(fresh_lab: Lab, plays: Plays, tmp_path: Path) -> None:
    (tmp_path / "precious.json").write_text('{"a": 1}')
    run = plays.run(
        "sfb.xmpp.capture", "-e", "sfb_xmpp_into=%s" % (tmp_path / "precious.json"), "--limit", "sfb_management"
    )
    assert (run.code, "exists and is not a capture" in run.output) == (2, True)
    assert (tmp_path / "precious.json").read_text() == '{"a": 1}'


def test_what_is_missing_is_named_and_the_file_is_there(fresh_lab: Lab, plays: Plays, tmp_path: Path) -> None:
    """A cmdlet that fails, and a server that is off: each in the file and in the summary, with the reason."""
    for cmdlet in ("Get-CsPool", "Get-CsExternalAccessPolicy"):
        Faults(fresh_lab.store()).add(cmdlet, times=99, message="Access is denied.")
    fresh_lab.store().set_setting("hosts_down", {"edge02": "off"})
    path = tmp_path / "part.json"
    run = plays.run("sfb.xmpp.capture", "-e", "sfb_xmpp_into=%s" % path)
    assert run.code == 0, run.output
    # No page has the name of the proxy's service, and each lab has another.
    assert '<S N="Name">%s</S>' % (fresh_lab.store().get("service", "edge01/RTCXMPPTGWPROXY") or {})["Name"] in str(
        [one["output"] for host in json.loads(path.read_text())["hosts"] for one in host["statements"]]
    )
    missing = [one for host in json.loads(path.read_text())["hosts"] for one in host["missing"]]
    for cmdlet in ("Get-CsPool", "Get-CsExternalAccessPolicy"):
        assert {"statement": cmdlet, "reason": "Access is denied."} in missing
    words = " ".join(run.output.split())
    assert re.search(r"\d+ answers of 3 servers\. %d are missing: " % len(missing), words), words
    assert "fe01: Get-CsPool: Access is denied." in words
    assert "edge02: no answer: " in words
