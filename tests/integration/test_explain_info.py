# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.explain and its module over the wire, beside the links themselves, which test_explain_links.py breaks."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.edge_answers import CMDLETS as EDGE_CMDLETS

from lab.deployment.breaks import break_link
from lab.deployment.gateway_pfx import FILE, PASSPHRASE
from lab.deployment.public_ca import ROOT_FILE
from lab.deployment.ready import EDGES, USER
from tests.integration.gateway_federation import Federation
from tests.integration.management import NAMESERVER, Management
from tests.integration.plays import Plays, Run
from tests.integration.test_explain import DOMAIN, arrives
from tests.integration.test_gateway import EXTERNAL, federation

__all__ = ["federation"]  # a fixture

NAMES = {"gateway": "RTCXMPPTGW", "proxy": "RTCXMPPTGWPROXY"}


def services(lab: Federation) -> list[dict[str, t.Any]]:
    """As the playbook finds them."""
    found = []
    for kind, hosts in (("gateway", ("fe01",)), ("proxy", EDGES)):
        for host in hosts:
            service = lab.store.get("service", "%s/%s" % (host, NAMES[kind])) or {"Status": ""}
            found.append({"host": host, "kind": kind, "status": service["Status"]})
    return found


def edges(lab: Federation) -> list[dict[str, t.Any]]:
    """As the playbook finds them, but for what is wrong with a certificate."""
    own = {host: lab.store.assignments(host).get("XmppServer") for host in EDGES}
    found = {"usages": ["XmppServer"], "findings": []}
    return [{"host": host, "certificates": [found] if thumbprint else []} for host, thumbprint in own.items()]


def explained(lab: Federation, management: Management, **more: t.Any) -> dict[str, t.Any]:
    mark = management.mark()
    more.update(user="sip:" + USER, partner="Romeo@" + DOMAIN)
    result = management.run(TASK, services=services(lab), edges=edges(lab), **more)
    assert management.writes(mark) == []
    assert not result.changed
    return result.values


def agrees(lab: Federation, found: dict[str, t.Any]) -> None:
    """What is said, against a message in each direction."""
    sent = lab.send()
    assert (found["out"] is None) == (sent.status == "sent"), (found["sentence"], sent.reason)
    assert (found["in"] is None) == arrives(lab), found["sentence"]


def test_a_partner_that_nobody_allowed_and_a_user_that_nobody_is(
    federation: Federation, management: Management
) -> None:
    found = explained(federation, management)
    assert found["first_broken"] == "partner"
    agrees(federation, found)
    federation.allow(EXTERNAL)
    nobody = management.run(TASK, user="nobody@contoso.test", partner=DOMAIN).values
    assert nobody["first_broken"] == "user"
    assert federation.send(sender="nobody@contoso.test").status == "refused"


def test_an_additional_domain_and_a_site_policy(federation: Federation, management: Management) -> None:
    """Which of the three policies it is, and of whom a domain is one."""
    federation.allow(EXTERNAL, AdditionalDomains=["im." + DOMAIN])
    own = federation.store.get("policy", "Tag:Partners") or {}
    federation.store.put("policy", "Tag:Partners", {**own, "EnableOutsideAccess": True})
    found = management.run(TASK, user=USER, partner="im." + DOMAIN).values
    (partner, policy) = (next(link for link in found["links"] if link["name"] == n) for n in ("partner", "policy"))
    assert partner["text"] == "im.%s is allowed as an additional domain of %s" % (DOMAIN, DOMAIN)
    assert "Partners (granted to the user)" in policy["text"]
    (name,) = (dn for dn, user in federation.store.all("user").items() if user["SipAddress"] == "sip:" + USER)
    federation.store.grant(name, None, "dc01.contoso.test", 0.0)
    rights = {"EnableFederationAccess": True, "EnableXmppAccess": True}
    federation.store.put("policy", "Site:Redmond", {**(federation.store.get("policy", "Global") or {}), **rights})
    found = explained(federation, management)
    assert any("give XMPP access without outside access: site:Redmond" in line for line in found["report"])
    agrees(federation, found)
    federation.store.delete("policy", "Site:Redmond")
    found = explained(federation, management)
    assert found["first_broken"] == "policy"
    assert "the policy in effect, global, does not give" in found["sentence"]
    agrees(federation, found)


def test_what_may_not_be_read_is_unknown(federation: Federation, management: Management) -> None:
    federation.allow(EXTERNAL)
    hidden = ["Get-CsUser", "Get-CsXmppAllowedPartner", "Get-CsAllowedDomain", "Get-CsSite"]
    federation.store.set_setting("cmdlets_hidden", hidden)
    found = explained(federation, management)
    unknown = [link["name"] for link in found["links"] if link["severity"] == "unknown"]
    assert {"user", "partner", "route"} <= set(unknown)
    assert found["first_broken"] is None
    assert "not everything could be checked" in found["sentence"]


def test_mistakes_are_named(management: Management) -> None:
    with pytest.raises(Refused) as caught:
        management.run(TASK, user="ann", partner="*.test")
    assert [reason.partition(":")[0] for reason in caught.value.reasons] == ["user", "partner"]
    assert management.store.events() == []


def play(plays: Plays, lab: Federation) -> Run:
    hosts = plays.hosts()
    hosts["sfb_front_end"] = {"hosts": dict(hosts["sfb_management"]["hosts"])}
    probe = {
        "nameservers": [lab.names.where],
        "trust_store": str(lab.lab.directory / ROOT_FILE),
        "gateway_port": lab.gateway[0][1],
        "certificate": {"path": str(lab.lab.directory / FILE), "passphrase": PASSPHRASE},
        "allow_local": True,
    }
    variables = {"sfb_xmpp_verification": probe}
    inventory = plays.write("explain.yml", {**hosts, "all": {"vars": variables}})
    asked = ("-e", "sfb_xmpp_for_user=" + USER, "-e", "sfb_xmpp_for_partner=" + DOMAIN)
    return plays.run("sfb.xmpp.explain", *asked, inventory=inventory)


def test_the_playbook_agrees_and_only_reads(plays: Plays, federation: Federation) -> None:
    federation.allow(EXTERNAL)
    federation.names.upstream = (NAMESERVER, federation.lab.xmpp_port)
    for broken in ([], ["proxy-not-installed", "certificate-expired"]):
        for name in broken:
            break_link(federation.store, name)
        run = play(plays, federation)
        assert run.code == 0, run.output
        found = run.result("Check the links between the user and the partner")
        # Of each link the worst, which stands first. What the Edges logged of these messages is behind it.
        links: dict[str, str] = {}
        for link in found["links"]:
            links.setdefault(link["name"], link["severity"])
        assert [name for name, severity in links.items() if severity == "error"][:2] == (
            ["services", "certificate"] if broken else []
        )
        assert "unknown" not in links.values(), "everything was looked at"
        assert found["sentence"] in " ".join(run.output.split())
        agrees(federation, found)
        assert PASSPHRASE not in run.output
    sent = {event.cmdlet for event in plays.lab.store().events() if event.kind == "statement"}
    assert {cmdlet for cmdlet in sent if not cmdlet.startswith("Get-")} <= {
        "Select-Object",
        "Import-Module",
        "Test-Path",
        *EDGE_CMDLETS,
    }
