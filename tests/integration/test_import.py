# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook sfb.xmpp.import and the lookups in an inventory: files in, variables and a plan out."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from tests.integration.plays import Plays, Run
from tests.integration.test_modules_in_plays import ROW, task
from tests.unit.plugin_utils.test_import import clixml

PARTNERS = (
    "Identity;AdditionalDomains;TlsNegotiation;SaslNegotiation;SupportDialbackNegotiation\r\n"
    "fabrikam.example;chat.fabrikam.example im.fabrikam.example;Required;Optional;True\r\n"
    "litware.example;;Required;Optional;True\r\n"
)


def run_import(plays: Plays, *arguments: str) -> Run:
    """PWD is another directory, as a scheduler may leave it."""
    words = [word for argument in arguments for word in ("-e", argument)]
    stale = {"PWD": str(Path(plays.directory) / "home")}
    return plays.run("sfb.xmpp.import", *words, "--diff", environment=stale, directory=Path(plays.directory))


def written(plays: Plays, name: str, content: str, encoding: str = "utf-8") -> Path:
    path = Path(plays.directory) / name
    path.write_bytes(content.encode(encoding))
    return path


def test_files_become_variables_and_what_is_replaced_is_kept(plays: Plays) -> None:
    written(plays, "partners.csv", PARTNERS, "utf-8-sig")
    policies = [{"Identity": "Tag:Sales", "Description": "für alle", "EnableXmppAccess": True}]
    path = written(plays, "policies.xml", clixml(policies, "MS"), "utf-16")
    into = written(plays, "lists.yml", "old: true\n")
    run = run_import(plays, "partners=partners.csv", "policies=%s" % path, "into=lists.yml")
    assert run.code == 0, run.output
    found = yaml.safe_load(into.read_text(encoding="utf-8"))
    assert found["sfb_xmpp_policies"] == [{"identity": "Sales", "description": "für alle", "enable_xmpp_access": True}]
    assert [partner["domain"] for partner in found["sfb_xmpp_partners"]] == ["fabrikam.example", "litware.example"]
    assert [kept.read_text() for kept in into.parent.glob("lists.yml.*")] == ["old: true\n"]
    again = run_import(plays, "partners=partners.csv", "policies=%s" % path, "into=lists.yml")
    assert "changed=0" in again.output


def test_a_table_of_excel_with_a_code_page_and_columns_of_its_own(plays: Plays) -> None:
    table = "Primary domain;Description;TLS;SASL;Dialback;Security contact;VIP\r\nfabrikam.example;für alle;%s;me;x\r\n"
    written(plays, "partners.csv", table % "Required;Not Supported;WAHR", "cp1252")
    run = run_import(plays, "partners=partners.csv", "into=lists.yml", "encoding=cp1252")
    assert run.code != 0
    assert "there is no column 'Security contact'" in run.output
    given = ("partners=partners.csv", "into=lists.yml", "encoding=cp1252", "ignore_columns='Security contact,VIP'")
    run = run_import(plays, *given)
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
    assert "left out the columns" not in run.output


def test_mistakes_write_nothing(plays: Plays) -> None:
    written(plays, "partners.csv", "domain;connection_limit\na.test;many\nA.test;5\n")
    written(plays, "book.xlsx", "PK\x03\x04\x14\0")
    written(plays, "evaluated.csv", "domain;description\na.test;{{ 1 + 1 }}\n")
    for arguments, words in (
        (("partners=partners.csv", "into=lists.yml"), ("'many' is not a whole number", "as line 2 does", "line 3")),
        (("partners=evaluated.csv", "into=lists.yml"), ("beginning of a template",)),
        (("partners=book.xlsx", "into=lists.yml", "encoding=cp1252"), ("an Excel workbook", "CSV UTF-8")),
        (("partners=nowhere.csv", "into=lists.yml"), ("there is no file", "nowhere.csv")),
        (("partners=partners.csv",), ("-e into=FILE",)),
        (("into=lists.yml",), ("Name the files",)),
    ):
        run = run_import(plays, *arguments)
        assert run.code != 0
        for word in words:
            assert word in run.output
        assert not (Path(plays.directory) / "lists.yml").exists()


def test_a_table_in_the_inventory_is_the_list_and_its_texts_are_not_evaluated(plays: Plays) -> None:
    row = "domain,description,owner,%s\nfabrikam.example,{{ 1 + 1 }},me,%s\n"
    path = written(plays, "partners.csv", row % (",".join(ROW), ",".join(map(str, ROW.values()))))
    look = {"partners": "{{ lookup('sfb.xmpp.partners', '%s') }}" % path}
    tasks: list[dict[str, t.Any]] = [task("xmpp_federated_partners", look, turn) for turn in ("first", "again")]
    run = plays.run(plays.tasks(tasks))
    assert run.code == 0, run.output
    assert [run.result(turn)["changed"] for turn in ("first", "again")] == [True, False]
    assert plays.lab.store().partners()["fabrikam.example"]["Description"] == "{{ 1 + 1 }}"
    assert "left out the columns owner" in run.output


def test_an_own_sip_domain_is_refused_and_nothing_is_written(plays: Plays) -> None:
    rows = [{**ROW, "domain": "contoso.test"}, {**ROW, "domain": "a.test", "additional_domains": ["contoso-emea.test"]}]
    tasks: list[dict[str, t.Any]] = [task("xmpp_federated_partners", {"partners": rows}, "own")]
    before = plays.lab.store().partners()
    run = plays.run(plays.tasks(tasks))
    assert run.code != 0
    for domain in ("contoso.test", "contoso-emea.test"):
        assert "'%s' is a SIP domain of this deployment" % domain in run.output
    assert plays.lab.store().partners() == before
