# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.revoke over the wire: one domain gone at once, whatever else is wrong, and nothing else touched."""

from __future__ import annotations

import datetime
import fcntl
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK

from lab.deployment.faults import Faults
from lab.deployment.store import Event
from tests.integration.gateway_federation import PARTNER
from tests.integration.management import Management
from tests.integration.plays import Plays, Run, own_winrm
from tests.integration.test_converge import mark
from tests.integration.test_history import journal

TASK_NAME = "Remove the domain from the allowed partners"
PUSH = "Invoke-CsManagementStoreReplication"
# The replicas that carry XMPP.
SERVERS = ["edge01.contoso.test", "edge02.contoso.test", "fe01.contoso.test", "fe11.contoso.test"]


def allow(store: t.Any) -> None:
    """Three partners, the first with two additional domains."""
    store.set_setting("status_empty_seconds", 0.0)
    store.put("partner", "fabrikam.test", {**PARTNER, "AdditionalDomains": ["chat.fabrikam.test", "im.fabrikam.test"]})
    store.put("partner", "litware.test", dict(PARTNER))
    store.put("partner", "xn--mller-kva.test", dict(PARTNER))


def revoke(plays: Plays, domain: str | None, *arguments: str, **variables: t.Any) -> Run:
    hosts = {"sfb_management": plays.hosts()["sfb_management"]}
    inventory = plays.write("revoke.yml", {"all": {"vars": variables, "children": hosts}})
    extra = () if domain is None else ("-e", "sfb_xmpp_revoke_domain=" + domain)
    return plays.run("sfb.xmpp.revoke", *arguments, *extra, inventory=inventory)


def sent(store: t.Any, since: int) -> list[Event]:
    """Everything but reads."""
    return [e for e in store.events(since) if e.kind == "statement" and not e.cmdlet.startswith(("Get-", "Select-"))]


def pushed(store: t.Any, since: int) -> list[str | None]:
    return [event.parameters.get("ReplicaFqdn") for event in sent(store, since) if event.cmdlet == PUSH]


def names(events: t.Iterable[Event]) -> list[tuple[str, t.Any]]:
    return [(event.cmdlet, event.parameters.get("Identity")) for event in events]


def test_a_partner_goes_with_its_additional_domains_and_nothing_else(plays: Plays) -> None:
    store = plays.lab.store()
    allow(store)
    partners = [{"domain": "litware.test"}, {"domain": "Fabrikam.TEST"}]
    listed = {"sfb_xmpp_partners": partners, "sfb_xmpp_ticket": "INC-1"}
    before = store.all("partner")
    planned = revoke(plays, "fabrikam.test", "--check", "--diff", "-v", **listed)
    assert planned.code == 0, planned.output
    assert sent(store, 0) == []
    assert store.all("partner") == before
    assert (
        "The additional domains of fabrikam.test would also be revoked: chat.fabrikam.test, im.fabrikam.test"
        in planned.output
    )
    assert "1 to remove" in planned.output
    assert "Users: no user gains or loses a partner. Seen: 20 users." in planned.output

    begin = mark(plays)
    done = revoke(plays, "fabrikam.test", "--diff", "-e", "sfb_xmpp_revoke_reason='they left'", **listed)
    assert done.code == 0, done.output
    assert names(sent(store, begin)) == [("Remove-CsXmppAllowedPartner", "fabrikam.test"), *[(PUSH, None)] * 4]
    assert pushed(store, begin) == SERVERS
    assert set(store.all("partner")) == {"litware.test", "xn--mller-kva.test"}
    result = done.result(TASK_NAME)
    assert [(s["cmdlet"], s["parameters"]) for s in result["steps"]] == [
        (s["cmdlet"], s["parameters"]) for s in planned.result(TASK_NAME)["steps"]
    ]
    assert {s["result"] for s in result["steps"]} == {"done"}
    words = " ".join(done.output.split())
    assert "To restart them, run this playbook again with -e sfb_xmpp_revoke_restart=true." in words
    assert (
        "block TCP 5269 at the Edge's external address (sip.contoso.test), in and out, for the servers of"
        " fabrikam.test, chat.fabrikam.test, im.fabrikam.test"
    ) in words
    assert result["listed"] == ["sfb_xmpp_partners[1] (Fabrikam.TEST)"]
    assert "the inventory still has the domain: sfb_xmpp_partners[1] (Fabrikam.TEST)" in " ".join(done.output.split())

    begin = mark(plays)
    again = revoke(plays, "fabrikam.test", **listed)
    assert again.code == 0, again.output
    assert "changed=0" in again.output
    assert "fabrikam.test is not allowed. No partner has it" in again.output
    assert sent(store, begin) == []
    runs = journal(plays)
    assert [(r["playbook"], r["outcome"], r["ticket"], r["reason"], r["summary"]["removed"]) for r in runs] == [
        ("revoke", "ok", "INC-1", "they left", 1),
        ("revoke", "ok", "INC-1", None, 0),
    ]


def test_of_an_additional_domain_only_that_one_goes(plays: Plays) -> None:
    store = plays.lab.store()
    allow(store)
    listed = {"sfb_xmpp_partners": [{"domain": "fabrikam.test", "additional_domains": ["im.fabrikam.test"]}]}
    done = revoke(plays, "IM.fabrikam.test.", **listed)
    assert done.code == 0, done.output
    assert names(sent(store, 0)) == [("Set-CsXmppAllowedPartner", "fabrikam.test"), *[(PUSH, None)] * 4]
    assert store.partners()["fabrikam.test"]["AdditionalDomains"] == ["chat.fabrikam.test"]
    assert "im.fabrikam.test is an additional domain of fabrikam.test. This partner stays" in done.output
    assert done.result(TASK_NAME)["listed"] == ["sfb_xmpp_partners[0].additional_domains (fabrikam.test)"]


def test_it_goes_everywhere_where_it_is_allowed(plays: Plays) -> None:
    """A partner of its own, and an additional domain of two others, one of which has one of its additional domains."""
    store = plays.lab.store()
    allow(store)
    store.put("partner", "litware.test", {**PARTNER, "AdditionalDomains": ["Fabrikam.TEST"]})
    both = {**PARTNER, "AdditionalDomains": ["fabrikam.test", "im.fabrikam.test"]}
    store.put("partner", "tailspin.test", both)
    before = store.all("partner")
    planned = revoke(plays, "fabrikam.test", "--check")
    assert planned.code == 0, planned.output
    assert (sent(store, 0), store.all("partner")) == ([], before)
    begin = mark(plays)
    done = revoke(plays, "fabrikam.test")
    assert done.code == 0, done.output
    assert names(sent(store, begin))[:3] == [
        ("Remove-CsXmppAllowedPartner", "fabrikam.test"),
        ("Set-CsXmppAllowedPartner", "litware.test"),
        ("Set-CsXmppAllowedPartner", "tailspin.test"),
    ]
    assert {name: body["AdditionalDomains"] for name, body in store.all("partner").items()} == {
        "litware.test": [], "tailspin.test": ["im.fabrikam.test"], "xn--mller-kva.test": [],
    }  # fmt: skip
    result = done.result(TASK_NAME)
    assert result["owners"] == ["fabrikam.test", "litware.test", "tailspin.test"]
    assert (result["also_revoked"], result["allowed_by"]) == (["chat.fabrikam.test"], [])
    words = " ".join(done.output.split())
    assert "fabrikam.test is an additional domain of litware.test, tailspin.test. These partners stay." in words
    assert "im.fabrikam.test is still allowed, because tailspin.test also has this domain" in words
    begin = mark(plays)
    again = revoke(plays, "fabrikam.test")
    assert again.code == 0, again.output
    assert sent(store, begin) == []


def test_a_domain_near_an_allowed_one_is_red_and_one_that_is_absent_is_green(plays: Plays) -> None:
    store = plays.lab.store()
    allow(store)
    near = revoke(plays, "fabrikan.test")
    assert near.code == 2, near.output
    assert "sfb_xmpp_revoke_domain: no partner has fabrikan.test (did you mean fabrikam.test?)" in " ".join(
        near.output.split()
    )
    absent = revoke(plays, "adatum.test")
    assert absent.code == 0, absent.output
    assert "adatum.test is not allowed. No partner has it" in absent.output
    assert "changed=0" in absent.output
    assert sent(store, 0) == []


def test_where_it_can_still_come_by_sip_is_a_warning_and_never_stops_it(plays: Plays) -> None:
    store = plays.lab.store()
    allow(store)
    store.put("access_edge", "Global", {**store.all("access_edge")["Global"], "AllowFederatedUsers": True,
                                        "EnablePartnerDiscovery": True})  # fmt: skip
    store.put("allowed_domain", "fabrikam.test", {"Comment": None, "MarkForMonitoring": False, "ProxyFqdn": None})
    done = revoke(plays, "fabrikam.test")
    assert done.code == 0, done.output
    words = " ".join(done.output.split())
    assert "fabrikam.test can still connect with SIP, as an allowed SIP domain" in words
    assert "chat.fabrikam.test, im.fabrikam.test can still connect with SIP, because partner discovery is on" in words
    for name in ("Get-CsAccessEdgeConfiguration", "Get-CsPool"):
        Faults(store).add(name, times=None, message="Not today.")
    begin = mark(plays)
    done = revoke(plays, "litware.test")
    assert done.code == 0, done.output
    assert "litware.test" not in store.all("partner")
    words = " ".join(done.output.split())
    assert "it is unknown whether litware.test can still connect with SIP" in words
    assert "So replication is pushed to all replicas" in words
    assert pushed(store, begin) == [None]


def test_a_restart_waits_for_the_replicas_and_ends_open_streams(plays: Plays) -> None:
    """Also in a second run, when the partner has gone already; without servers in the run it is red."""
    store = plays.lab.store()
    allow(store)
    store.set_setting("replicas_late", {"edge02.contoso.test": 3.0})
    hosts = plays.hosts()
    hosts["sfb_front_end"] = own_winrm(hosts)
    inventory = plays.write("restart.yml", hosts)
    extra = ("-e", "sfb_xmpp_revoke_domain=fabrikam.test", "-e", "sfb_xmpp_revoke_restart=true")
    for removals in (1, 0):
        begin = mark(plays)
        done = plays.run("sfb.xmpp.revoke", *extra, inventory=inventory)
        assert done.code == 0, done.output
        events = sent(store, begin)
        assert [event.cmdlet for event in events].count("Remove-CsXmppAllowedPartner") == removals
        stopped = [event for event in events if event.cmdlet == "Stop-CsWindowsService"]
        assert {event.host for event in stopped} == {"fe01", "edge01", "edge02"}
        assert "The restart comes next." in done.output
        if removals:
            gone = next(event for event in events if event.cmdlet.startswith("Remove-"))
            waited = min(moment(event) for event in stopped) - moment(gone)
            assert waited.total_seconds() >= 3, "the services were restarted before the replicas had it"
    only = plays.write("only.yml", {"sfb_management": hosts["sfb_management"]})
    run = plays.run("sfb.xmpp.revoke", *extra, inventory=only)
    assert run.code == 2
    assert "no service was restarted. This run had no host of sfb_front_end or sfb_edge" in " ".join(run.output.split())
    assert "Nothing was written" not in run.output


def moment(event: Event) -> datetime.datetime:
    return datetime.datetime.fromisoformat(event.time.replace("Z", "+00:00"))


def test_nothing_but_protect_holds_it_up(plays: Plays) -> None:
    """Mistakes elsewhere in the inventory, a lock that is held, replication that cannot be pushed."""
    store = plays.lab.store()
    allow(store)
    directory = plays.directory / "kept"
    directory.mkdir(mode=0o700)
    wrong = {
        "sfb_xmpp_partners": "{{ there_is_no_such_variable }}",
        "sfb_xmpp_polices": [],
        "sfb_xmpp_snapshot_directory": str(directory),
        "sfb_xmpp_update_limit": "much",
    }
    refused = revoke(plays, "fabrikam.test", sfb_xmpp_protect=["im.*"], **wrong)
    assert refused.code == 2
    assert "im.fabrikam.test: is protected by 'im.*'" in refused.output
    assert "Remove the entry from sfb_xmpp_protect first" in " ".join(refused.output.split())
    assert sent(store, 0) == []

    with (plays.directory / "home" / ".default.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("process 1 of ann")
        held.flush()
        Faults(store).add(PUSH, times=None, message="The master is busy.")
        done = revoke(plays, "fabrikam.test", **wrong)
    assert done.code == 0, done.output
    assert set(store.all("partner")) == {"litware.test", "xn--mller-kva.test"}
    words = " ".join(done.output.split())
    assert "process 1 of ann. The revocation did not wait for that run." in words
    assert "could not be pushed. The servers get the change later: The master is busy." in words
    assert "sfb_xmpp_partners, which cannot be read" in words
    assert "did you mean sfb_xmpp_policies" in words
    assert [step["result"] for step in done.result(TASK_NAME)["steps"]] == ["done", *["failed"] * 4]
    assert (directory / "runs.jsonl").exists()


def test_a_removal_that_fails_is_no_success(plays: Plays) -> None:
    store = plays.lab.store()
    allow(store)
    Faults(store).add("Remove-CsXmppAllowedPartner", times=None, message="Not today.")
    run = revoke(plays, "fabrikam.test")
    assert run.code == 2
    assert "Not today." in run.output
    assert "fabrikam.test" in store.all("partner")
    assert PUSH not in [event.cmdlet for event in sent(store, 0)]
    assert [entry["outcome"] for entry in journal(plays)] == ["failed"]


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        (None, "sfb_xmpp_revoke_domain: is missing. Name the domain to revoke"),
        ("*.test", "sfb_xmpp_revoke_domain: '*.test' is a wildcard"),
        ("sip:a@b.test", "sfb_xmpp_revoke_domain: 'sip:a@b.test' is an address"),
    ],
)
def test_mistakes_are_said_before_anything_connects(plays: Plays, domain: str | None, text: str) -> None:
    run = revoke(plays, domain)
    assert run.code == 2
    assert text in run.output
    assert plays.lab.store().events() == []


def test_of_several_deployments_one_is_chosen_by_its_hosts(plays: Plays) -> None:
    allow(plays.lab.store())
    group = plays.hosts()["sfb_management"]
    own = group["hosts"]["fe01"]
    dead = {**own, "ansible_port": 1}
    hosts = {
        "one": {**dead, "sfb_xmpp_deployment": "main"},
        "two": {**own, "sfb_xmpp_deployment": "main"},
        "other": {**dead, "sfb_xmpp_deployment": "branch"},
    }
    inventory = plays.write("several.yml", {"sfb_management": {**group, "hosts": hosts}})
    run = plays.run("sfb.xmpp.revoke", "-e", "sfb_xmpp_revoke_domain=litware.test", inventory=inventory)
    assert run.code == 2
    assert "the inventory has the deployments branch, main. Choose one of them" in run.output
    assert plays.lab.store().events() == []
    # The first does not answer, the second does; and a host that is chosen by itself is used, first or not.
    run = plays.run(
        "sfb.xmpp.revoke", "-e", "sfb_xmpp_revoke_domain=litware.test", "--limit", "one,two", inventory=inventory
    )
    assert run.code == 0, run.output
    assert "litware.test" not in plays.lab.store().all("partner")
    run = plays.run(
        "sfb.xmpp.revoke", "-e", "sfb_xmpp_revoke_domain=fabrikam.test", "--limit", "two", inventory=inventory
    )
    assert run.code == 0, run.output
    assert "fabrikam.test" not in plays.lab.store().all("partner")
    run = plays.run(
        "sfb.xmpp.revoke", "-e", "sfb_xmpp_revoke_domain=fabrikam.test", "--limit", "other", inventory=inventory
    )
    assert run.code != 0


def test_the_module_check_do_again(management: Management) -> None:
    allow(management.store)
    planned = management.run(TASK, check=True, domain="müller.test")
    assert planned.changed
    assert sent(management.store, 0) == []
    done = management.run(TASK, domain="müller.test")
    assert (done.changed, done.failures, done.warnings) == (True, [], [])
    assert done.diff == planned.diff
    assert "xn--mller-kva.test" not in management.store.all("partner")
    again = management.run(TASK, domain="müller.test")
    assert (again.changed, again.steps, again.diff) == (False, [], [])
    with pytest.raises(Refused, match="protected by 'litware"):
        management.run(TASK, domain="litware.test", protect=["litware.*"])
