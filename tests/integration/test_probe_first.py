# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that a partner's server would not accept, with servers on loopback: refused before it is written."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import task_with
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import federation_of

from tests.integration.plays import Plays
from tests.integration.test_converge import mark, writes
from tests.integration.test_plan_file import play
from tests.integration.test_probe import CLEAR, DOMAIN, FALLBACK, LENIENT, OWN, STRICT, Site, good, published
from tests.integration.xmpp_peer import Manners, NameServer, Peer
from tests.unit import certificates
from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

DIALBACK = good(external="")  # TLS and dialback, and nothing of certificates
ADDITIONAL = "emea.fabrikam.test"


TLS_DIALBACK = {"TlsNegotiation": "Required", "SaslNegotiation": "Optional", "SupportDialbackNegotiation": True}


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with NameServer() as dns:
        yield Site(dns, tmp_path)


def server(**has: t.Any) -> MemoryShell:
    """A deployment with the partner, as far as ``has`` gives its properties."""
    shell = MemoryShell()
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True, "AllowFederatedUsers": True})
    if has:
        shell.put("CsXmppAllowedPartner", DOMAIN, has)
    return shell


def converge(
    site: Site, shell: MemoryShell, settings: t.Mapping[str, t.Any], *domains: str, check: bool = False, **more: t.Any
) -> Result:
    """Declare the partner, probed as a playbook would with the settings of the site."""
    partner = {"domain": DOMAIN, **settings, **({"additional_domains": list(domains)} if domains else {})}
    trusted = site.directory / "roots.pem"
    trusted.write_bytes(certificates.root().pem)
    probing = {
        "nameservers": [site.dns.place], "trust_store": str(trusted), "timeout": 5.0, "allow_local": True,
        "from_domain": OWN, "certificate": site.own_certificate(),
    }  # fmt: skip
    task = task_with(federation_of({"partners": [partner]}), probing=probing)
    return run(task, shell, check, **{"probe_first": True, "partners": [partner], **more})


def test_what_worked_and_would_not_any_more_is_refused_with_the_reason(site: Site) -> None:
    shell = server(**TLS_DIALBACK)
    with published(site, DIALBACK) as peer:
        planned = converge(site, shell, STRICT, check=True)
        assert planned.values["probed"] == [{"domain": DOMAIN, "verdict": "failed", "before": "warning"}]
        assert "would be refused" in "\n".join(planned.values["report"])
        with pytest.raises(Refused) as caught:
            converge(site, shell, STRICT)
        assert shell.writes() == []
        (reason,) = caught.value.reasons
        assert DOMAIN in reason
        assert "the server accepts dialback over TLS" in reason
        assert "add breaks_partner to allow" in reason
        seen = len(peer.seen)
        assert converge(site, shell, STRICT, probe_first=False, check=True).values.get("probed") is None
        assert len(peer.seen) == seen, "asked only if somebody wants it"
        written = converge(site, shell, STRICT, allow=["breaks_partner"])
    assert written.changed
    assert any("would not work with the new settings" in text for text in written.warnings)


def test_what_works_is_written_and_a_change_of_other_kinds_asks_nobody(site: Site) -> None:
    shell = server(**TLS_DIALBACK)
    with published(site, DIALBACK) as peer:
        result = converge(site, shell, LENIENT)
        assert [one["before"] for one in result.values["probed"]] == ["warning"]
        assert result.changed
        seen = len(peer.seen)
        assert converge(site, shell, {**LENIENT, "description": "Fabrikam"}).changed
        assert not converge(site, shell, {**LENIENT, "description": "Fabrikam"}).changed
        assert len(peer.seen) == seen


def test_a_new_partner_whose_server_accepts_nothing_of_it_is_refused(site: Site) -> None:
    shell = server()
    with published(site, DIALBACK), pytest.raises(Refused, match="does not accept these settings"):
        converge(site, shell, STRICT)
    assert shell.writes() == []
    with published(site, DIALBACK):
        assert converge(site, shell, FALLBACK).changed


def test_nobody_who_answers_is_a_warning_and_no_reason(site: Site) -> None:
    """This controller may not be where the Edges are; what did not work before is not broken by the change."""
    shell = server()
    site.dns.service(DOMAIN, 1)
    made = converge(site, shell, STRICT)
    assert made.changed
    assert any("it is unknown whether the new settings work" in text for text in made.warnings)
    changed = converge(site, shell, CLEAR)
    assert changed.changed
    assert [one["before"] for one in changed.values["probed"]] == ["failed"]


def test_each_new_domain_of_a_partner_is_probed_for_itself(site: Site) -> None:
    shell = server(**TLS_DIALBACK)
    refusing = Manners(**{**DIALBACK.__dict__, "dialback": False, "announces": False, "external": ""})
    refused = pytest.raises(Refused, match=r"emea\.fabrikam\.test \(fabrikam\.test\): the server")
    with published(site, DIALBACK), published(site, refusing, ADDITIONAL), refused:
        converge(site, shell, FALLBACK, ADDITIONAL)
    assert shell.writes() == []


def test_another_server_that_does_not_answer_breaks_what_worked(site: Site) -> None:
    shell = server(**TLS_DIALBACK)
    with published(site, DIALBACK), pytest.raises(Refused, match="would not work with the new settings"):
        converge(site, shell, {**FALLBACK, "proxy_fqdn": "nowhere.fabrikam.test"})
    assert shell.writes() == []


def test_settings_that_cannot_probe_are_named(site: Site) -> None:
    partner = {"domain": DOMAIN, **FALLBACK}
    task = task_with(federation_of({"partners": [partner]}), probing={"trust_store": "/nowhere.pem"})
    with pytest.raises(Refused, match="verification: trust_store"):
        run(task, server(), False, probe_first=True, partners=[partner])


def test_converge_refuses_it_as_the_inventory_says(plays: Plays, tmp_path: Path) -> None:
    trusted = tmp_path / "roots.pem"
    trusted.write_bytes(certificates.root().pem)
    with NameServer() as dns, Peer(DIALBACK) as peer:
        dns.service(DOMAIN, peer.port)
        probed = {
            "own_domains": [OWN], "nameservers": [dns.place], "trust_store": str(trusted), "allow_local": True,
            "timeout": 5, "certificate": Site(dns, tmp_path).own_certificate(),
        }  # fmt: skip
        settings = {"sfb_xmpp_verification": probed, "sfb_xmpp_probe_first": True}
        begin = mark(plays)
        partner = {"domain": DOMAIN, **STRICT}
        refused = play(plays, "converge", sfb_xmpp_partners=[partner], **settings)
        assert refused.code == 2, refused.output
        assert "breaks_partner to sfb_xmpp_allow" in " ".join(refused.output.split())
        assert writes(plays, begin) == []
        done = play(plays, "converge", sfb_xmpp_partners=[{"domain": DOMAIN, **FALLBACK}], **settings)
        assert done.code == 0, done.output
    assert [event.cmdlet for event in writes(plays, begin)] == ["New-CsXmppAllowedPartner"]
