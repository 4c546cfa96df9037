# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Duties kept apart: with one inventory each account does its own job, and is refused the others before any write."""

from __future__ import annotations

import typing as t

from lab.deployment.store import Event
from tests.integration.plays import CHECKOUT, Plays, Run

POLICY = "Tag:XMPP Partner Desk"
CERTIFICATE: dict[str, t.Any] = {
    "access_edge": "sip.contoso.test",
    "sip_domains": ["contoso.test"],
    "xmpp_domains": ["contoso.test"],
}


class Team:
    """Runs playbooks as one of the accounts of the domain, and keeps what each run sent."""

    def __init__(self, plays: Plays) -> None:
        self.plays = plays
        self.sent: list[Event] = []

    def run(self, name: str, playbook: str, *arguments: str) -> Run:
        lab = {"SFB_LAB_DIRECTORY": str(self.plays.lab.directory), "SFB_LAB_PORT": str(self.plays.lab.port)}
        password = self.plays.lab.shape.passwords[name]
        account = ("-e", "ansible_user=CONTOSO\\\\%s" % name, "-e", "ansible_password=%s" % password)
        limit = ("--limit", "sfb_management,localhost")
        events = self.plays.lab.store().events()
        mark = events[-1].id if events else 0
        run = self.plays.run(
            "sfb.xmpp." + playbook, *account, *limit, *arguments,
            inventory=CHECKOUT / "inventories" / "lab", environment=lab,
        )  # fmt: skip
        self.sent = [event for event in self.plays.lab.store().events(mark) if event.kind == "statement"]
        return run

    @property
    def writes(self) -> set[str]:
        cmdlets = {event.cmdlet for event in self.sent}
        return {name for name in cmdlets if not name.startswith("Get-") and name != "Select-Object"}

    def done(self, run: Run) -> None:
        """It was done, and nothing was asked for that the account does not have."""
        assert run.code == 0, run.output
        refused = [event.cmdlet for event in self.sent if event.outcome == "error" and event.cmdlet != "Get-Command"]
        assert refused == []

    def refused(self, run: Run, words: str) -> None:
        """Nothing was written, and the message says who may."""
        assert run.code == 2, run.output
        assert self.writes == set()
        (failed,) = run.failures()
        assert words in failed.result["msg"], failed.result["msg"]
        assert run.stats["sfb_xmpp_result"] == "refused"


def test_each_account_does_its_job_and_is_refused_the_others(plays: Plays) -> None:
    team, store = Team(plays), plays.lab.store()
    team.done(team.run("admin", "converge", "--tags", "policies"))

    team.done(team.run("granter", "converge", "--tags", "grants"))
    assert team.writes == {"Grant-CsExternalAccessPolicy"}
    granted = [user["ExternalAccessPolicy"] for user in store.users().values()]
    assert [policy for policy in granted if policy] == [POLICY] * 4
    team.refused(
        team.run("granter", "converge", "--tags", "partners"),
        "CONTOSO\\granter may not do this. Its session does not offer Get-CsXmppAllowedPartner,"
        " New-CsXmppAllowedPartner, Set-CsXmppAllowedPartner, Remove-CsXmppAllowedPartner. CsAdministrator is needed",
    )

    team.done(team.run("partners", "converge", "--tags", "partners"))
    assert team.writes == {"New-CsXmppAllowedPartner"}
    assert "fabrikam.example" in store.partners()
    team.refused(
        team.run("partners", "converge", "--tags", "grants"),
        "Grant-CsExternalAccessPolicy. CsUserAdministrator or CsAdministrator is needed",
    )
    revoked = ("-e", "sfb_xmpp_revoke_domain=litware.example", "-e", "sfb_xmpp_revoke_reason=test")
    # It tries to push as well, whoever runs it, and says so.
    assert team.run("partners", "revoke", *revoked).code == 0
    assert "litware.example" not in store.partners()


def test_the_certificate_needs_no_account_of_the_deployment(plays: Plays) -> None:
    """Not even one that exists: whoever renews has the local account of the Edge servers, and nothing else."""
    hosts = plays.hosts()
    hosts["sfb_management"]["vars"].update(ansible_user="CONTOSO\\somebody", ansible_password="not-theirs")
    source = {
        "type": "self_signed",
        "key": "ecdsa_p256",
        "path": str(plays.directory / "gateway.pfx"),
        "passphrase": "p",
    }
    hosts["all"] = {
        "vars": {
            "sfb_xmpp_certificate": {**CERTIFICATE, "source": source},
            "sfb_xmpp_partners": [{"domain": "a.example"}],
        }
    }
    inventory = plays.write("renewal.yml", hosts)
    for playbook in (("sfb.xmpp.converge", "--tags", "certificate"), ("sfb.xmpp.certificate",)):
        run = plays.run(*playbook, inventory=inventory)
        assert run.code == 0, run.output
    events = plays.lab.store().events()
    assert {event.host for event in events} == {"edge01", "edge02"}
    assert {event.user for event in events if event.user} == {"Administrator"}
    assert "Set-CsCertificate" in {event.cmdlet for event in events}
