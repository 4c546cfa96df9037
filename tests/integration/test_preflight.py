# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight over the wire: what is declared, converge makes of it, the playbook. test_links.py has the links."""

from __future__ import annotations

import datetime
import io
import json
import time
import typing as t
import zipfile

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._chain import federate
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION

from lab.deployment import replication as lab_replication
from lab.deployment.breaks import break_link
from lab.deployment.ready import gateway_certificate, present
from lab.testing import Lab
from tests.integration.management import Management, renewed, target
from tests.integration.plays import Plays, Run, own_winrm

# What a deployment needs that works; the lab as it is installed has nothing of it.
HEALTHY: dict[str, t.Any] = {
    "access_edge": {"allow_federated_users": True},
    "partners": [{"domain": "fabrikam.example", "sasl_negotiation": "optional"}],
    "policies": [
        {
            "identity": "global",
            "enable_federation_access": True,
            "enable_xmpp_access": True,
            "enable_outside_access": True,
        }
    ],
}


@pytest.fixture(params=["sfb2015", "lync2013"])
def healthy(request: pytest.FixtureRequest) -> t.Iterator[Management]:
    lab = renewed(request.getfixturevalue("lab" if request.param == "sfb2015" else "lync"))
    shell = Management(lab, target(lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    assert not shell.run(FEDERATION, **HEALTHY).failures
    yield shell
    shell.session.close()


def codes(management: Management, **arguments: t.Any) -> list[str]:
    mark = management.mark()
    result = management.run(TASK, **arguments)
    assert management.writes(mark) == []
    assert {finding["code"] for finding in result.values["findings"] if finding["blocks"]} <= set(
        result.values["blocking"]
    )
    return [finding["code"] for finding in result.values["findings"]]


def test_what_is_declared_is_no_obstacle(management: Management) -> None:
    break_link(management.store, "no-route")
    assert codes(management) == ["no_route", "federation_off"]
    routes = [{"site": "Redmond", "edge_pool": "edge.contoso.test"}]
    assert codes(management, federation_routes=routes, **HEALTHY) == []


def test_a_name_server_that_does_not_answer_stops_nothing(management: Management) -> None:
    assert codes(management, records=True, nameservers=["127.0.0.1:1"], **HEALTHY) == ["srv_unknown"]
    with pytest.raises(Refused, match=r"nameservers: 'dns.contoso.test' is not ADDRESS or ADDRESS:PORT"):
        codes(management, records=True, nameservers=["dns.contoso.test"], **HEALTHY)


# In converge: in the one reading, and before the first write

MORE: dict[str, t.Any] = {
    "partners": [*HEALTHY["partners"], {"domain": "tailspin.example", "sasl_negotiation": "optional"}]
}
GRANTED: dict[str, t.Any] = {"identity": "XMPP Staff", "granted_to": ["sip:ialmeida@contoso.test"], **{
    "enable_%s_access" % right: True for right in ("federation", "xmpp", "outside")
}}  # fmt: skip


def converge(management: Management, check: bool = False, **arguments: t.Any) -> Result:
    return management.run(federate.TASK, check=check, preflight=True, replication_timeout=20, **arguments)


def test_what_blocks_additions_blocks_no_removal(healthy: Management) -> None:
    break_link(healthy.store, "edge-without-xmpp")
    mark = healthy.mark()
    result = converge(healthy, partners=[], partners_purge=True, allow=["empty_purge"])
    assert result.failures == []
    assert [event.cmdlet for event in healthy.writes(mark)] == ["Remove-CsXmppAllowedPartner"]
    accepted = converge(healthy, preflight_ignore=["edge_without_xmpp"], **MORE)
    assert accepted.values["preflight"]["ignored"] == ["edge_without_xmpp"]
    assert set(healthy.store.partners()) == {"fabrikam.example", "tailspin.example"}


def test_who_is_homed_where_there_is_no_xmpp_is_named_before_the_grant(healthy: Management) -> None:
    break_link(healthy.store, "users-on-2019")
    mark = healthy.mark()
    policies = [*HEALTHY["policies"], GRANTED]
    planned = converge(healthy, check=True, policies=policies)
    (found,) = planned.values["preflight"]["findings"]
    assert found["code"] == "users_elsewhere"
    assert "ialmeida@contoso.test (fe19.contoso.test)" in found["message"]
    assert any("users_elsewhere" in line for line in planned.values["report"])
    assert healthy.writes(mark) == []


def test_a_partner_on_the_list_of_sip_domains_is_named_before_it_is_written(healthy: Management) -> None:
    comment = {"Comment": None, "MarkForMonitoring": False, "ProxyFqdn": None}
    healthy.store.put("allowed_domain", "tailspin.example", comment)
    planned = converge(healthy, check=True, **MORE)
    assert [one["code"] for one in planned.values["preflight"]["findings"]] == ["partner_allowed"]
    assert "tailspin.example" not in healthy.store.partners()


def test_a_run_without_changes_reads_each_kind_once(healthy: Management) -> None:
    mark = healthy.mark()
    result = converge(healthy, replication="wait", **HEALTHY)
    assert not result.changed
    assert result.values["preflight"]["findings"] == []
    assert len(result.values["report"]) == 2, "there is nothing to tell"
    statements = [event for event in healthy.store.events(mark) if event.kind == "statement"]
    reads = [(event.cmdlet, str(event.parameters)) for event in statements]
    assert len(reads) == len(set(reads)) == 14
    assert {event.cmdlet.partition("-")[0] for event in statements} == {"Get"}
    assert len({event.session for event in statements}) == 1


def test_what_is_written_is_replicated_and_a_late_replica_awaited(healthy: Management) -> None:
    healthy.store.set_setting("replicas_late", {"edge01.contoso.test": 3.0})
    break_link(healthy.store, "coexistence")
    mark, started = healthy.mark(), time.monotonic()
    result = converge(healthy, replication="wait", **MORE)
    assert result.failures == []
    assert time.monotonic() - started >= 3
    found = result.values["replication"]
    assert (found["pushed"], found["late"], found["not_awaited"]) == (False, [], ["fe19.contoso.test"])
    assert {"edge01.contoso.test", "fe01.contoso.test"} <= set(found["awaited"])
    assert [event.cmdlet for event in healthy.writes(mark)] == ["New-CsXmppAllowedPartner"]


def test_a_branch_server_that_is_off_fails_nothing(healthy: Management) -> None:
    """It has a Registrar, but no gateway."""
    branch = "branch.contoso.test"
    healthy.store.put("pool", branch, {"Site": "Dublin", "Computers": [branch], "Roles": ["Registrar"], "Number": 9})
    role = healthy.store.get("service_role", "Registrar:fe01.contoso.test") or {}
    healthy.store.put("service_role", "Registrar:" + branch, {**role, "Role": "Registrar", "Pool": branch})
    healthy.store.put("computer", branch, {"Pool": branch})
    lab_replication.install(healthy.store, branch)
    healthy.store.set_setting("replicas_stuck", [branch])
    result = converge(healthy, replication="wait", **MORE)
    assert result.failures == []
    assert result.values["replication"]["not_awaited"] == [branch]


def test_a_push_names_its_replicas_and_is_waited_for(healthy: Management) -> None:
    healthy.store.set_setting("status_empty_seconds", 3.0)
    mark, started = healthy.mark(), time.monotonic()
    result = converge(healthy, replication="push", **MORE)
    assert result.failures == []
    assert time.monotonic() - started >= 3, "the status was empty"
    found = result.values["replication"]
    assert (found["pushed"], found["late"]) == (True, [])
    writes = [(event.cmdlet, event.parameters.get("ReplicaFqdn")) for event in healthy.writes(mark)]
    assert writes[1:] == [("Invoke-CsManagementStoreReplication", name) for name in found["awaited"]]
    assert set(healthy.store.all("replica")) == set(found["awaited"])


def test_grants_alone_are_not_waited_for(healthy: Management) -> None:
    policies = [*HEALTHY["policies"], {**GRANTED, "granted_to": []}]
    assert converge(healthy, policies=policies).failures == []
    break_link(healthy.store, "stale-replica")
    mark = healthy.mark()
    result = converge(healthy, replication="wait", policies=[*HEALTHY["policies"], GRANTED])
    assert (result.changed, result.failures) == (True, [])
    assert [event.cmdlet for event in healthy.writes(mark)] == ["Grant-CsExternalAccessPolicy"]
    assert "replication" not in result.values


def test_a_replica_that_never_completes_ends_the_wait_with_its_name(healthy: Management) -> None:
    break_link(healthy.store, "stale-replica")
    started = time.monotonic()
    result = healthy.run(federate.TASK, preflight=True, replication="wait", replication_timeout=4, **MORE)
    assert 4 <= time.monotonic() - started < 15
    assert [failure.identity for failure in result.failures] == ["edge01.contoso.test"]
    assert result.changed
    assert "tailspin.example" in healthy.store.partners()
    told = "\n".join(result.values["report"])
    assert "NOT REPLICATED after" in told
    assert "These replicas have a newer update than before the run: edge02.contoso.test, fe01.contoso.test" in told
    assert "push: true and replicas: [edge01.contoso.test]" in told


def test_the_product_exports_its_configuration_before_the_first_write(healthy: Management) -> None:
    healthy.store.put_file("fe01", "C:\\Backup", None)
    mark = healthy.mark()
    path = "C:\\Backup\\before.zip"
    assert converge(healthy, configuration_backup=path, **MORE).failures == []
    assert [event.cmdlet for event in healthy.writes(mark)] == ["Export-CsConfiguration", "New-CsXmppAllowedPartner"]
    with zipfile.ZipFile(io.BytesIO(healthy.store.files("fe01")[path])) as kept:
        partners = json.loads(kept.read("DocItemSet.json"))["partner"]
    assert set(partners) == {"fabrikam.example"}


def test_without_a_backup_that_is_asked_for_nothing_is_written(healthy: Management) -> None:
    mark = healthy.mark()
    with pytest.raises(Refused, match="so there is no backup: Could not find a part of the path"):
        converge(healthy, configuration_backup="D:\\Nowhere\\before.zip", **MORE)
    healthy.store.set_setting("cmdlets_hidden", ["Export-CsConfiguration"])
    healthy.session.close()  # what a session offers is asked once
    with pytest.raises(Refused, match=r"Export-CsConfiguration is not offered to "):
        converge(healthy, configuration_backup="C:\\before.zip", **MORE)
    assert {event.cmdlet for event in healthy.writes(mark)} == {"Export-CsConfiguration"}
    assert "tailspin.example" not in healthy.store.partners()


# The playbook


def preflight(plays: Plays, module: str = "SkypeForBusiness", **variables: t.Any) -> Run:
    hosts = plays.hosts()
    hosts["sfb_front_end"] = own_winrm(hosts, module)
    hosts["sfb_edge"]["vars"]["ansible_management_shell_modules"] = [module]
    # What the Edges see of partners is a matter of test_edge_view.py.
    names = {"nameservers": ["127.0.0.10:%d" % plays.lab.xmpp_port], "edge_limit": 0}
    variables.setdefault("verification", names)
    inventory = plays.write(
        "preflight.yml", {**hosts, "all": {"vars": {"sfb_xmpp_" + n: v for n, v in variables.items()}}}
    )
    return plays.run("sfb.xmpp.preflight", inventory=inventory)


def accepting(*codes: str, until: str = "") -> dict[str, t.Any]:
    """sfb_xmpp_audit with accepted findings of the deployment."""
    day = until or (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)).date().isoformat()
    told = {"object": "default", "reason": "known", "ticket": "CHG-1", "until": day}
    return {"accepted": [{"code": code, **told} for code in codes]}


def with_certificate(plays: Plays) -> Plays:
    """A lab whose Edges have what the inventory of the tests does not declare."""
    store = plays.lab.store()
    with store.transaction():
        present(store, *gateway_certificate(store.directory))
    return plays


def found_by(run: Run) -> list[str]:
    (found,) = (task.result for task in run.tasks if task.task.endswith("Check what federation depends on"))
    return [one["code"] for one in found["findings"]]


def only_reads(plays: Plays) -> bool:
    sent = {event.cmdlet for event in plays.lab.store().events() if event.kind == "statement"}
    return {cmdlet for cmdlet in sent if not cmdlet.startswith("Get-")} <= {"Select-Object", "Import-Module"}


def test_the_playbook_names_the_first_broken_link_and_stops(plays: Plays) -> None:
    with_certificate(plays)
    run = preflight(plays, **HEALTHY)
    assert run.code == 0, run.output
    assert "All checked links work." in run.output
    assert not any(one.task == "Check the access to the servers" for one in run.tasks), "only with its tag"
    for name in ("certificate-missing", "srv-missing", "proxy-stopped", "gateway-not-installed", "no-route"):
        break_link(plays.lab.store(), name)
    run = preflight(plays, **HEALTHY)
    assert run.code == 2
    assert found_by(run) == [
        "gateway_not_installed", "proxy_stopped", "no_route", "srv_missing", "certificate_missing",
    ]  # fmt: skip
    assert "The first broken link: fe01-winrm has no XMPP gateway service." in run.output
    nobody = {"gateway_not_installed", "proxy_stopped", "no_route"}
    (result,) = (task.result for task in run.tasks if task.task.endswith("Check what federation depends on"))
    assert nobody <= set(result["blocking"])
    run = preflight(plays, **HEALTHY, audit=accepting("no_route"))
    assert run.code == 2, "a stopped service ends every message as well"
    run = preflight(plays, **HEALTHY, audit=accepting(*result["blocking"]))
    assert run.code == 0, run.output
    run = preflight(plays, **HEALTHY, audit=accepting(*result["blocking"], until="2026-01-01"))
    assert run.code == 2, "an acceptance ends"
    assert only_reads(plays)


def test_the_playbook_with_the_other_release(lync: Lab) -> None:
    store = renewed(lync).store()
    plays = with_certificate(Plays(lync))
    try:
        for name in (
            "gateway-stopped", "proxy-stopped", "srv-elsewhere", "certificate-expired", "internal-certificate-expired",
            "default-certificate-expired", "clock-ahead",
        ):  # fmt: skip
            break_link(store, name)
        assert found_by(preflight(plays, "Lync", **HEALTHY)) == [
            "gateway_stopped", "proxy_stopped", "srv_elsewhere", "certificate_expired", "internal_certificate_expired",
            "default_certificate_expired", "clock_apart",
        ]  # fmt: skip
    finally:
        plays.close()


def test_a_certificate_that_the_next_run_assigns_is_no_obstacle(plays: Plays) -> None:
    declared = {"source": {"type": "pkcs12", "path": "gateway.pfx"}, "names": ["sip.contoso.test"]}
    assert found_by(preflight(plays, **HEALTHY, certificate=declared)) == []


def test_an_edge_that_cannot_be_reached_is_not_observable(plays: Plays) -> None:
    hosts = plays.hosts()
    hosts["sfb_edge"]["vars"]["ansible_port"] = 1
    names = {"nameservers": ["127.0.0.10:%d" % plays.lab.xmpp_port]}
    variables = {"sfb_xmpp_" + n: v for n, v in {**HEALTHY, "verification": names}.items()}
    run = plays.run("sfb.xmpp.preflight", inventory=plays.write("gone.yml", {**hosts, "all": {"vars": variables}}))
    assert found_by(run) == ["proxy_unknown", "certificate_unknown"], run.output
    # It was needed, so the run fails, with its name. The deployment is checked all the same.
    assert run.code == 2
    assert {one.host for one in run.failures()} == set(hosts["sfb_edge"]["hosts"])
    assert "edge01 is needed and did not answer: " in run.output
    assert run.stats["sfb_xmpp_result"] == "failed"


def test_every_deployment_is_checked_through_its_first_door_that_answers(plays: Plays) -> None:
    """The Front End of one has no gateway, which is nothing that the other is told."""
    with_certificate(plays)
    break_link(plays.lab.store(), "gateway-not-installed")
    hosts = plays.hosts()
    lab, edge = hosts["sfb_management"]["hosts"]["fe01"], hosts["sfb_edge"]["hosts"]["edge01"]
    a, b = {"sfb_xmpp_deployment": "a"}, {"sfb_xmpp_deployment": "b"}
    hosts["sfb_management"]["hosts"] = {"a1": {**lab, **a}, "b1": {**lab, **b, "ansible_port": 1}, "b2": {**lab, **b}}
    hosts["sfb_front_end"] = {**hosts["sfb_management"], "hosts": {"front-b": {**lab, **b}}}
    hosts["sfb_edge"]["hosts"] = {"edge-a": {**edge, **a}, "edge-b": {**edge, **b}}
    names = {"nameservers": ["127.0.0.10:%d" % plays.lab.xmpp_port], "edge_limit": 0}
    variables = {"sfb_xmpp_" + n: v for n, v in {**HEALTHY, "verification": names}.items()}
    run = plays.run("sfb.xmpp.preflight", inventory=plays.write("two.yml", {**hosts, "all": {"vars": variables}}))
    checks = [task for task in run.tasks if task.task.endswith("Check what federation depends on")]
    found = {
        task.host: [one["code"] for one in task.result["findings"]] for task in checks if "findings" in task.result
    }
    assert found == {"a1": [], "b2": ["gateway_not_installed"]}, run.output
    assert {"Deployment a", "Deployment b"} <= set(run.output.splitlines())
    assert run.code == 2, run.output
    assert only_reads(plays)
