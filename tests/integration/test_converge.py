# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook sfb.xmpp.converge with the lab's inventory: plan, run, rerun, refusals, several doors, no Edges."""

from __future__ import annotations

import collections
import datetime
import json
import typing as t

import pytest
import yaml

from lab.deployment.breaks import break_link
from lab.deployment.faults import Faults
from lab.deployment.store import Event
from tests.integration.management import calls, logged
from tests.integration.plays import CHECKOUT, Plays, Run

PLAYBOOK = "sfb.xmpp.converge"
INVENTORY = CHECKOUT / "inventories" / "lab"
KINDS = (
    "Get-CsExternalAccessPolicy",
    "Get-CsXmppAllowedPartner",
    "Get-CsXmppGatewayConfiguration",
    "Get-CsAccessEdgeConfiguration",
)
# What federation depends on: read with the kinds. Get-CsService tells of one role at a time.
CHAIN = {
    **dict.fromkeys(
        ("Get-CsSite", "Get-CsSipDomain", "Get-CsAllowedDomain", "Get-CsBlockedDomain",
         "Get-CsPool", "Get-CsManagementStoreReplicationStatus"), 1),
    "Get-CsService": 4,
}  # fmt: skip
CHANGING = ("New", "Set", "Remove", "Grant", "Import", "Add", "Start", "Stop")
LOADING = "Import-Module"  # an Edge's session opens with it; it changes nothing there
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
# What stands in the inventory, the one-time passphrase aside, which only the process that makes it knows.
SECRETS = ("Lab-admin-1", "Lab-edge-1", "Lab-dialback-1", "Lab-pfx-1")

CHECK = "Check the settings"


def converge(plays: Plays, *arguments: str, **environment: str) -> Run:
    """With the lab's own inventory."""
    lab = {"SFB_LAB_DIRECTORY": str(plays.lab.directory), "SFB_LAB_PORT": str(plays.lab.port)}
    return plays.run(PLAYBOOK, *arguments, inventory=INVENTORY, environment={**lab, **environment})


def writes(plays: Plays, since: int = 0) -> list[Event]:
    events = plays.lab.store().events(since)
    statements = [e for e in events if e.kind == "statement" and e.cmdlet != LOADING]
    return [e for e in statements if e.cmdlet.partition("-")[0] in CHANGING]


def mark(plays: Plays) -> int:
    return max((event.id for event in plays.lab.store().events()), default=0)


def steps(run: Run, host: str) -> list[dict[str, t.Any]]:
    """The steps of all tasks of a host in order; loops hold them in their items."""
    found = []
    for task in run.tasks:
        if task.host == host and not task.task.rpartition(" : ")[2].startswith("Judge"):
            for result in task.result.get("results") or [task.result]:
                found += result.get("steps", [])
    return found


@pytest.mark.quick
def test_plan_run_and_rerun(plays: Plays) -> None:
    planned = converge(plays, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert writes(plays) == []
    assert "chat.alpineskihouse.example" in planned.output

    begin = mark(plays)
    done = converge(plays, "--diff", "-vvvv", ANSIBLE_LOG_PATH=str(plays.directory / "log"),
                    ANSIBLE_PERSISTENT_LOG_MESSAGES="true")  # fmt: skip
    assert done.code == 0, done.output[-3000:]
    for host in ("fe01.contoso.test", "edge01.contoso.test", "edge02.contoso.test"):
        assert calls(steps(planned, host)) == calls(steps(done, host)), host
    sent = [event for event in writes(plays, begin) if event.host == "fe01"]
    assert calls(steps(done, "fe01.contoso.test")) == logged(sent)
    order = [event.cmdlet for event in writes(plays, begin)]
    assert order.index("New-CsExternalAccessPolicy") < order.index("New-CsXmppAllowedPartner")
    assert order.index("New-CsXmppAllowedPartner") < order.index("Grant-CsExternalAccessPolicy")
    assert order.index("Grant-CsExternalAccessPolicy") < order.index("Import-CsCertificate")
    opened = [event.host for event in plays.lab.store().events(begin) if event.kind == "session-open"]
    assert sorted(opened) == ["edge01", "edge02", "fe01"], "one for each host, side by side"
    for secret in SECRETS:
        assert secret not in done.output
        assert secret not in str(done.tasks)
        assert secret not in (plays.directory / "log").read_text(encoding="utf-8")
        assert secret not in str(plays.lab.store().events())
    assert not any(plays.lab.store().files(edge) for edge in ("edge01", "edge02"))

    # What is written is read three times: for the plan, before the write, after it. What is changed is read once more
    # in the request of the write, and policies with the grants too. Nobody has a policy yet, so that all users are read
    # as well; with -v once more, for what the plan does to users. The sites are read once more, since a policy of a
    # site is new.
    reads = whole_reads(plays, begin)
    looks = reads.pop("Get-CsManagementStoreReplicationStatus")
    assert looks > CHAIN["Get-CsManagementStoreReplicationStatus"], "the replicas were not awaited"
    assert {**reads, "Get-CsManagementStoreReplicationStatus": 1} == {
        **CHAIN, **dict.fromkeys(KINDS, 4), "Get-CsXmppAllowedPartner": 3, "Get-CsExternalAccessPolicy": 5,
        "Get-CsSite": 2, "Get-CsUser": 3,
    }  # fmt: skip
    replicated = done.result("Apply the plan of the federation")["replication"]
    assert (replicated["pushed"], replicated["late"]) == (False, [])
    assert not [event for event in plays.lab.store().events(begin) if event.cmdlet.startswith("Invoke-")]
    assert replicated["awaited"] == [
        "edge01.contoso.test", "edge02.contoso.test", "fe01.contoso.test", "fe11.contoso.test",
    ]  # fmt: skip

    begin = mark(plays)
    again = converge(plays)
    assert again.code == 0, again.output
    assert whole_reads(plays, begin) == {**CHAIN, **dict.fromkeys(KINDS, 1)}
    # One session, and all of it in one pipeline, but for the users who are named.
    statements = [e for e in plays.lab.store().events(begin) if e.kind == "statement" and e.host == "fe01"]
    assert len({event.session for event in statements}) == 1
    assert again.result("Apply the plan of the federation")["preflight"] == {
        "findings": [], "blocking": [], "ignored": [],
    }  # fmt: skip
    assert "changed=0" in again.output
    assert not any("changed=%d" % n in again.output for n in range(1, 10))
    assert writes(plays, begin) == []
    assert "[WARNING]" not in again.output
    assert "[DEPRECATION" not in again.output


def whole_reads(plays: Plays, since: int) -> dict[str, int]:
    """How often each kind was read as a whole on the management host."""
    events = [e for e in plays.lab.store().events(since) if e.kind == "statement" and e.host == "fe01"]
    whole = [e.cmdlet for e in events if e.cmdlet.startswith("Get-Cs") and "Identity" not in e.parameters]
    return dict(collections.Counter(whole))


def managed(plays: Plays, **variables: t.Any) -> Run:
    """With an inventory of the management host only, and what the test declares."""
    hosts = {"sfb_management": {**plays.hosts()["sfb_management"]}}
    hosts["sfb_management"]["hosts"] = variables.pop("hosts", hosts["sfb_management"]["hosts"])
    arguments = variables.pop("arguments", ())
    inventory = plays.write("managed.yml", {"all": {"vars": variables, "children": hosts}})
    return plays.run(PLAYBOOK, *arguments, inventory=inventory)


def test_nothing_declared_touches_nothing_and_no_edges_are_no_error(plays: Plays) -> None:
    run = managed(plays)
    assert run.code == 0, run.output
    assert writes(plays) == []
    assert "changed=0" in run.output
    assert run.output.count("[WARNING]") == 1
    assert "no variable that begins with sfb_xmpp_ is set" in " ".join(run.output.split())


@pytest.mark.quick
def test_a_mistake_anywhere_stops_the_run_before_the_first_write(plays: Plays) -> None:
    policy = {"identity": "XMPP users", "enable_federation_access": True, "enable_xmpp_access": True}
    run = managed(
        plays, sfb_xmpp_policies=[policy], sfb_xmpp_partners=[{"domain": "a.test", **ROW}, {"domain": "*.test"}]
    )
    assert run.code != 0
    assert "sfb_xmpp_partners[1]: domain '*.test' is a wildcard" in run.output
    users = [{**policy, "granted_to": ["sip:nobody@contoso.test"]}]
    run = managed(plays, sfb_xmpp_policies=users, sfb_xmpp_partners=[{"domain": "a.test", **ROW}])
    assert run.code != 0
    assert "sfb_xmpp_policies[0].granted_to[0]: 'sip:nobody@contoso.test'" in run.output
    run = managed(plays, sfb_xmpp_policies=[policy], sfb_xmpp_gateway={"conection_limit": 5})
    assert run.code != 0
    assert "conection_limit" in run.output
    assert writes(plays) == []


def test_purge_keeps_what_is_protected_and_refuses_too_much(plays: Plays) -> None:
    everything = [{"domain": "p%d.test" % n, **ROW} for n in range(10)]
    assert managed(plays, sfb_xmpp_partners=everything).code == 0
    begin = mark(plays)
    run = managed(plays, sfb_xmpp_partners=everything[:5], sfb_xmpp_partners_purge=True)
    assert run.code != 0
    assert "would remove 5 of 10 partners" in run.output
    assert writes(plays, begin) == []
    options = {"sfb_xmpp_partners_purge": True, "sfb_xmpp_protect": ["p9.*"]}
    planned = managed(plays, sfb_xmpp_partners=everything[:7], arguments=["--check"], **options)
    assert writes(plays, begin) == []
    done = managed(plays, sfb_xmpp_partners=everything[:7], **options)
    assert done.code == 0, done.output
    assert calls(steps(planned, "fe01")) == calls(steps(done, "fe01")) == logged(writes(plays, begin))
    assert [event.parameters["Identity"] for event in writes(plays, begin)] == ["p7.test", "p8.test"]
    assert "p9.test" in plays.lab.store().partners()


def test_a_policy_that_the_same_run_leaves_to_nobody_is_purged_and_planned(plays: Plays) -> None:
    switches = {"enable_federation_access": True, "enable_xmpp_access": True}
    old, new = ({"identity": name, **switches, "granted_to": ["sip:mbell@contoso.test"]} for name in ("Old", "New"))
    assert managed(plays, sfb_xmpp_policies=[old]).code == 0
    begin = mark(plays)
    planned = managed(plays, sfb_xmpp_policies=[new], sfb_xmpp_policies_purge=True, arguments=["--check"])
    assert writes(plays, begin) == []
    done = managed(plays, sfb_xmpp_policies=[new], sfb_xmpp_policies_purge=True)
    assert done.code == 0, done.output
    assert calls(steps(planned, "fe01")) == calls(steps(done, "fe01")) == logged(writes(plays, begin))
    assert [event.cmdlet.partition("-")[0] for event in writes(plays, begin)] == ["New", "Grant", "Remove"]


def test_three_changes_among_fifty_fit_on_a_screen(plays: Plays) -> None:
    partners = [{"domain": "p%02d.test" % n, **ROW} for n in range(50)]
    assert managed(plays, sfb_xmpp_partners=partners).code == 0
    partners[7] = {**partners[7], "tls_negotiation": "optional", "sasl_negotiation": "not_supported"}
    partners[49] = {"domain": "fabrikam.test", "partner_type": "federated", **ROW}
    planned = managed(plays, sfb_xmpp_partners=partners, sfb_xmpp_partners_purge=True, arguments=["--check", "--diff"])
    assert planned.code == 0, planned.output
    lines = planned.output.splitlines()
    begin = lines.index("TASK [sfb.xmpp.federation : Apply the plan of the federation] ******************")
    assert lines.index("changed: [fe01]") - begin <= 24, planned.output
    assert "1 to add, 1 to change, 1 to remove; 48 unchanged. Nothing was written (check mode)." in planned.output


def test_the_first_door_that_answers_is_the_only_one(plays: Plays) -> None:
    address = plays.lab.addresses["fe01"]
    doors = {
        "closed": {"ansible_host": address, "ansible_port": 1},
        "open": {"ansible_host": address},
        # The same server under another user's name: a door of its own.
        "spare": {"ansible_host": address, "ansible_user": "admin@contoso.test"},
    }
    run = managed(plays, sfb_xmpp_partners=[{"domain": "a.test", **ROW}], hosts=doors)
    assert run.code == 0, run.output
    assert [s["identity"] for s in steps(run, "open")] == ["a.test"]
    assert [one.task for one in run.tasks if one.host == "closed" and one.task.endswith("federation")] == []
    assert {one.state for one in run.tasks if one.host == "spare" and ":" in one.task} == {"skipped"}
    assert "closed does not answer, so another host of its deployment is used: " in run.output
    # One for each door, all of them at once.
    assert len([e for e in plays.lab.store().events() if e.kind == "session-open"]) == 2
    # One process after the other comes to the same.
    again = managed(plays, sfb_xmpp_partners=[{"domain": "a.test", **ROW}], hosts=doors, arguments=["--forks", "1"])
    assert again.code == 0, again.output
    assert steps(again, "open") == []
    chosen = managed(plays, sfb_xmpp_partners=[], hosts=doors, arguments=["--limit", "spare"])
    assert chosen.code == 0, chosen.output
    assert steps(chosen, "spare") == []
    # What is refused is not tried through another host.
    refused = managed(plays, sfb_xmpp_partners=[{}], hosts={name: doors[name] for name in ("open", "spare")})
    assert [(failure.host) for failure in refused.failures()] == ["open"]
    nobody = managed(plays, sfb_xmpp_partners=[{"domain": "b.test", **ROW}], hosts={"closed": doors["closed"]})
    assert nobody.code != 0, "no door answered, and that is no success"
    two = dict.fromkeys(("closed", "shut"), doors["closed"])
    nobody = managed(plays, sfb_xmpp_partners=[{"domain": "b.test", **ROW}], hosts=two)
    (failure,) = nobody.failures()
    assert failure.host in two
    assert failure.result["msg"].startswith("Nothing was written: no host of the deployment answers. closed: ")
    assert "; shut: " in failure.result["msg"]


def test_a_failure_stops_before_the_edges_and_a_rerun_finishes(plays: Plays) -> None:
    Faults(plays.lab.store()).add("New-CsXmppAllowedPartner", "litware*", times=2, message="Not today.")
    run = converge(plays)
    assert run.code != 0
    assert "litware" in run.output
    assert "Not today." in run.output
    assert not [event for event in writes(plays) if event.host != "fe01"]
    begin = mark(plays)
    again = converge(plays, "--tags", "partners")
    assert again.code == 0, again.output
    assert [event.cmdlet for event in writes(plays, begin)] == ["New-CsXmppAllowedPartner"]


def test_where_no_message_could_pass_nothing_is_written_to_any_server(plays: Plays) -> None:
    break_link(plays.lab.store(), "edge-without-xmpp")
    planned = converge(plays, "--check")
    assert planned.code == 0, planned.output
    assert "chat.alpineskihouse.example" in planned.output, "the plan is shown all the same"
    assert "The first broken link is edge_without_xmpp" in planned.output
    assert "A real run would be refused before its first write: edge_without_xmpp." in planned.output
    refused = converge(plays)
    assert refused.code == 2, refused.output
    assert "no message could pass: XMPP federation is not enabled on edge.contoso.test" in refused.output
    assert "add edge_without_xmpp to sfb_xmpp_audit.accepted" in " ".join(refused.output.split())
    assert writes(plays) == []
    sent = {event.cmdlet.partition("-")[0] for event in plays.lab.store().events() if event.kind == "statement"}
    assert sent <= {"Get", "Select", "Import", "Test"}, "no file was brought to an Edge either"
    entry = {"code": "edge_without_xmpp", "object": "default", "reason": "soon", "ticket": "CHG-1"}
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    given = {"sfb_xmpp_audit": {"accepted": [{**entry, "until": day}, {**entry, "code": "old_tls", "until": day}]}}
    accepted = converge(plays, "--tags", "partners", "-e", json.dumps(given))
    assert accepted.code == 0, accepted.output
    assert "Accepted (sfb_xmpp_audit.accepted): edge_without_xmpp" in accepted.output
    assert "no longer occurs" not in accepted.output, "the finding of a partner is the audit's"


def test_a_replica_that_stays_behind_ends_the_run_with_its_name_before_the_edges(plays: Plays) -> None:
    break_link(plays.lab.store(), "stale-replica")
    run = converge(plays, "-e", "sfb_xmpp_replication_timeout=3")
    assert run.code == 2, run.output
    assert "NOT REPLICATED after" in run.output
    assert "edge01.contoso.test does not have the newest update after 3 seconds" in run.output
    assert "chat.alpineskihouse.example" in plays.lab.store().partners(), "what was written is there"
    assert not [event for event in writes(plays) if event.host != "fe01"]


def test_the_inventory_has_what_it_promises() -> None:
    """Three policies of three scopes, partners of all types, child domains, an international domain, two Edges."""
    variables: dict[str, t.Any] = {}
    for file in (INVENTORY / "group_vars" / "all").glob("*.yml"):
        variables.update(yaml.safe_load(file.read_text(encoding="utf-8")))
    partners = variables["sfb_xmpp_partners"]
    assert len(partners) >= 12
    assert {p["partner_type"] for p in partners} == {"federated", "public_verified", "public_unverified"}
    assert any(not p["domain"].isascii() for p in partners)
    assert any(p.get("additional_domains") for p in partners)
    assert {p["identity"].partition(":")[0] for p in variables["sfb_xmpp_policies"]} >= {"global", "site"}
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text(encoding="utf-8"))
    assert len(hosts["sfb_edge"]["hosts"]) == 2
