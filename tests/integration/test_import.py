# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook sfb.xmpp.import and the lookups in an inventory: files in, variables and a plan out."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml

from lab.deployment.seed import GATEWAY_DEFAULTS
from tests.integration.plays import Plays, Run
from tests.integration.test_modules_in_plays import ROW, task
from tests.unit.plugin_utils.test_import import clixml

SECRET = "s3cret-words"
PARTNERS = (
    "Identity;AdditionalDomains;TlsNegotiation;SaslNegotiation;SupportDialbackNegotiation\r\n"
    "fabrikam.example;chat.fabrikam.example im.fabrikam.example;Required;Optional;True\r\n"
    "litware.example;;Required;Optional;True\r\n"
)


def run_import(plays: Plays, *arguments: str, **given: str) -> Run:
    """PWD is another directory, as a scheduler may leave it. given: settings of the playbook without their prefix."""
    extra = {"sfb_xmpp_" + ("into" if name == "into" else "import_" + name): value for name, value in given.items()}
    stale = {"PWD": str(Path(plays.directory) / "home")}
    words = ("-e", json.dumps(extra), "--diff", *arguments)
    return plays.run("sfb.xmpp.import", *words, environment=stale, directory=Path(plays.directory))


def written(plays: Plays, name: str, content: str, encoding: str = "utf-8") -> Path:
    path = Path(plays.directory) / name
    path.write_bytes(content.encode(encoding))
    return path


def test_files_become_variables_and_what_is_replaced_is_kept(plays: Plays) -> None:
    written(plays, "partners.csv", PARTNERS, "utf-8-sig")
    policies = [{"Identity": "Tag:Sales", "Description": "für alle {{ 1 }}", "EnableXmppAccess": True}]
    path = written(plays, "policies.xml", clixml(policies, "MS"), "utf-16")
    written(plays, "gateway.xml", clixml([{"Identity": "Global", **GATEWAY_DEFAULTS, "DialbackPassphrase": SECRET}]))
    users = [{"Identity": "CN=A", "SipAddress": "sip:ann@a.test", "ExternalAccessPolicy": "Sales"}]
    written(plays, "users.xml", clixml(users, "MS"), "utf-16")
    files = {"partners": "partners.csv", "policies": str(path), "gateway": "gateway.xml", "users": "users.xml"}
    into = written(plays, "lists.yml", "old: true\n")
    planned = run_import(plays, "--check", **files, into="lists.yml")
    assert planned.code == 0, planned.output
    assert "would have 1 policy, 2 partners" in planned.output
    assert into.read_text() == "old: true\n"
    run = run_import(plays, **files, into="lists.yml")
    assert run.code == 0, run.output
    assert "now has 1 policy, 2 partners, the settings of the gateway, the policies of 1 of 1 users" in run.output
    assert "left out DialbackPassphrase, because it is a secret" in " ".join(run.output.split())
    assert not [one for one in plays.directory.glob("lists.yml*") if SECRET in one.read_text()]
    assert SECRET not in run.output
    assert into.stat().st_mode & 0o777 == 0o600
    # As Ansible reads it: no text is evaluated.
    shown = [{"ansible.builtin.include_vars": {"file": str(into)}}, {"ansible.builtin.set_fact": {
        "seen": "{{ [sfb_xmpp_policies, sfb_xmpp_partners, sfb_xmpp_gateway] }}"}}]  # fmt: skip
    play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": shown}
    found = plays.run([play]).tasks[-1].result["ansible_facts"]["seen"]
    assert found[0] == [
        {"identity": "Sales", "description": "für alle {{ 1 }}", "enable_xmpp_access": True,
         "granted_to": ["sip:ann@a.test"]}
    ]  # fmt: skip
    assert [partner["domain"] for partner in found[1]] == ["fabrikam.example", "litware.example"]
    assert found[2]["keep_alive_interval"] == 300
    (kept,) = into.parent.glob("lists.yml.*~")
    assert kept.read_text() == "old: true\n"
    again = run_import(plays, **files, into="lists.yml")
    assert "changed=0" in again.output
    assert "is unchanged and has" in again.output


def test_a_table_of_excel_with_a_code_page_and_columns_of_its_own(plays: Plays) -> None:
    table = "Primary domain;Description;TLS;SASL;Dialback;Security contact;VIP\r\nfabrikam.example;für alle;%s;me;x\r\n"
    written(plays, "partners.csv", table % "Required;Not Supported;WAHR", "cp1252")
    given = {"partners": "partners.csv", "into": "lists.yml", "encoding": "cp1252"}
    run = run_import(plays, **given)
    assert run.code == 2
    assert "the column 'Security contact' is unknown" in run.output
    assert "sfb_xmpp_import_ignore_columns" in run.output
    run = run_import(plays, **given, ignore_columns="Security contact,VIP")
    assert run.code == 0, run.output
    assert yaml.safe_load((Path(plays.directory) / "lists.yml").read_text(encoding="utf-8"))["sfb_xmpp_partners"] == [
        {
            "domain": "fabrikam.example",
            "description": "für alle",
            "tls_negotiation": "required",
            "sasl_negotiation": "not_supported",
            "support_dialback_negotiation": True,
        }
    ]
    assert "ignored the columns" not in run.output


def test_mistakes_write_nothing(plays: Plays) -> None:
    written(plays, "partners.csv", "domain;connection_limit\na.test;many\nA.test;5\n")
    written(plays, "book.xlsx", "PK\x03\x04\x14\0")
    written(
        plays, "dump.txt", "\r\n\r\nIdentity         : a.test\r\nAdditionalDomains : {b.test, c.test...}\r\n", "utf-16"
    )
    into = {"into": "lists.yml"}
    cases: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
        (
            {"partners": "partners.csv", **into},
            ("'many' must be a whole number", "as line 2. Keep one of them", "line 3"),
        ),
        ({"partners": "book.xlsx", "encoding": "cp1252", **into}, ("an Excel workbook", "CSV UTF-8")),
        ({"partners": "dump.txt", **into}, ("the output of Format-List", "Export-Clixml")),
        ({"partners": "nowhere.csv", **into}, ("sfb_xmpp_import_partners: ", "nowhere.csv cannot be read")),
        ({"policies": "partners.csv"}, ("sfb_xmpp_into: is missing",)),
        (into, ("no file to import is named",)),
    )
    for given, words in cases:
        run = run_import(plays, **given)
        assert run.code == 2, run.output
        for word in words:
            assert word in " ".join(run.output.split())
        assert not (Path(plays.directory) / "lists.yml").exists()
    former = run_import(plays, "-e", "partners=partners.csv", **into)
    assert former.code == 2
    assert "partners: this variable is called sfb_xmpp_import_partners now" in former.output


def test_a_table_in_the_inventory_is_the_list_and_its_texts_are_not_evaluated(plays: Plays) -> None:
    row = "domain,description,owner,%s\nfabrikam.example,{{ 1 + 1 }},me,%s\n"
    path = written(plays, "partners.csv", row % (",".join(ROW), ",".join(map(str, ROW.values()))))
    look = {"partners": "{{ lookup('sfb.xmpp.partners', '%s') }}" % path}
    tasks: list[dict[str, t.Any]] = [task("xmpp_federated_partners", look, turn) for turn in ("first", "again")]
    run = plays.run(plays.tasks(tasks))
    assert run.code == 0, run.output
    assert [run.result(turn)["changed"] for turn in ("first", "again")] == [True, False]
    assert plays.lab.store().partners()["fabrikam.example"]["Description"] == "{{ 1 + 1 }}"
    assert "ignored the columns owner" in run.output


def test_an_own_sip_domain_is_refused_and_nothing_is_written(plays: Plays) -> None:
    rows = [{**ROW, "domain": "contoso.test"}, {**ROW, "domain": "a.test", "additional_domains": ["contoso-emea.test"]}]
    tasks: list[dict[str, t.Any]] = [task("xmpp_federated_partners", {"partners": rows}, "own")]
    before = plays.lab.store().partners()
    run = plays.run(plays.tasks(tasks))
    assert run.code != 0
    for domain in ("contoso.test", "contoso-emea.test"):
        assert "'%s' is a SIP domain of this deployment" % domain in run.output
    assert plays.lab.store().partners() == before
