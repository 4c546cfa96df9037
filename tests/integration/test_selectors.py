# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies for the users of a pool or a site, over the wire."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK as PREFLIGHT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import grant, info, plural
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.tasks import INFO as TOPOLOGY

from lab.deployment.breaks import POOL_2019, break_link
from lab.deployment.seed import seed
from lab.deployment.shape import read_shape
from lab.testing import Lab, running_lab
from tests.integration.management import Management, target
from tests.integration.plays import Plays
from tests.integration.test_converge import mark, steps, whole_reads, writes
from tests.integration.test_plan_file import play

TASK = plural(POLICY)
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
DUBLIN = ("akelly", "llynch", "mmurphy", "oquinn", "pobrien", "rreid", "staylor2", "znoelke")


@pytest.fixture(scope="module")
def lync(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lync"), profile="lync2013") as lab:
        yield lab


@pytest.fixture(params=["sfb2015", "lync2013"])
def either(request: pytest.FixtureRequest) -> t.Iterator[Management]:
    """A session with a fresh lab of each profile."""
    lab = request.getfixturevalue("lync" if request.param == "lync2013" else "lab")
    store = lab.store()
    with store.transaction():
        store.clear()
        seed(store, lab.profile)
    shell = Management(lab, target(lab, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    yield shell
    shell.session.close()


def change(management: Management, alias: str, **values: t.Any) -> None:
    store = management.store
    (dn,) = (dn for dn, user in store.all("user").items() if user["SamAccountName"] == alias)
    store.put("user", dn, {**(store.get("user", dn) or {}), **values})


def holders(management: Management, policy: str = "Tag:Dubliners") -> set[str]:
    users = management.store.all("user")
    return {users[dn]["SamAccountName"] for dn, name in management.store.grants().items() if name == policy}


def declared(selector: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"policies": [{"identity": "Dubliners", **FULL, "granted_to": selector}], "update_limit": 100, **more}


def test_the_users_of_a_site_and_of_a_pool(either: Management) -> None:
    either.run(TASK, policies=[{"identity": "Other", **FULL}])
    either.run(grant(), policy="Other", users=["sip:pobrien@contoso-emea.test"])
    break_link(either.store, "coexistence")
    pool = either.store.get("pool", POOL_2019) or {}
    either.store.put("pool", POOL_2019, {**pool, "Site": "Dublin"})
    change(either, "akelly", Enabled=False)
    change(either, "llynch", RegistrarPool=POOL_2019)
    change(either, "mmurphy", HostingProvider="sipfed.online.lync.com")
    result = either.rhythm(TASK, **declared({"site": "Dublin"}))
    assert holders(either) == set(DUBLIN) - {"akelly", "llynch", "mmurphy", "pobrien"}
    told = "\n".join(result.warnings)
    for text in (
        "policies[0].granted_to (site Dublin): the policy is not granted to 1 user (not enabled): sip:akelly@",
        "(homed on %s, which runs Skype for Business Server 2019 or later and has no XMPP): sip:llynch@" % POOL_2019,
        "(homed online): sip:mmurphy@",
        "(has the policy Other, and allow_replaced_policies is false): sip:pobrien@",
    ):
        assert text in told
    found = {policy["identity"]: policy for policy in either.run(info(POLICY), grants=True).values["policies"]}
    assert len(found["Dubliners"]["granted_to"]) == 4, "in lists, as ever"

    with pytest.raises(Refused, match="this account sees no selected user who can use the policy: 1 user homed on"):
        either.run(TASK, **declared({"pool": POOL_2019}))
    replaced = either.rhythm(TASK, **declared({"pool": "fe11.contoso.test"}, allow_replaced_policies=True))
    assert [step["identity"] for step in replaced.steps or []] == ["sip:pobrien@contoso-emea.test"]
    assert holders(either, "Tag:Other") == set()


def test_what_is_refused(management: Management) -> None:
    begin = management.mark()
    with pytest.raises(Refused, match=r"this would change 8 of 20 users \(40 %; the limit is 30 %\): sip:akelly@"):
        management.run(TASK, **{**declared({"site": "Dublin"}), "update_limit": 30})
    with pytest.raises(Refused, match=r"there is no pool 'fe12\.contoso\.test' that homes users \(did you mean fe11"):
        management.run(TASK, **declared({"pool": "fe12.contoso.test"}))
    with pytest.raises(Refused, match="the users of a site change"):
        management.run(TASK, **declared({"site": "Dublin"}, exclusive_grants=True))
    assert management.writes(begin) == []


def test_a_list_goes_before_a_selector(management: Management) -> None:
    named = {"identity": "Named", **FULL, "granted_to": ["sip:akelly@contoso-emea.test"]}
    wanted = declared({"site": "Dublin"})
    result = management.rhythm(TASK, **{**wanted, "policies": [*wanted["policies"], named]})
    assert holders(management) == set(DUBLIN) - {"akelly"}
    assert holders(management, "Tag:Named") == {"akelly"}
    assert "(in the list of Named): sip:akelly@" in result.warnings[0]


def test_a_site_policy_is_looked_at_without_asking_for_each_user(management: Management) -> None:
    """What the users of the site would lose is known from their pool."""
    management.run(TASK, policies=[{"identity": "site:Dublin", **FULL, "enable_public_cloud_access": True}])
    begin = management.mark()
    with pytest.raises(Refused, match="granting Dubliners would take public_cloud_access from"):
        management.run(TASK, **declared({"site": "Dublin"}))
    assert "Get-CsEffectivePolicy" not in [event.cmdlet for event in management.store.events(begin)]


def test_converge_shows_how_many_and_reads_all_users_once(plays: Plays) -> None:
    wanted: dict[str, t.Any] = {
        "sfb_xmpp_policies": [{"identity": "Dubliners", **FULL, "granted_to": {"pool": "fe11.contoso.test"}}],
        "sfb_xmpp_snapshot": False,
    }
    refused = play(plays, "converge", **wanted)
    assert refused.code != 0
    assert "sfb_xmpp_update_limit" in refused.output
    assert writes(plays) == []
    begin = mark(plays)
    planned = play(plays, "converge", "--check", "--diff", sfb_xmpp_update_limit=50, **wanted)
    assert planned.code == 0, planned.output
    assert "Dubliners" in planned.output
    assert "8 users: akelly@contoso-emea.test, " in planned.output
    assert writes(plays, begin) == []
    assert whole_reads(plays, begin)["Get-CsUser"] == 1
    pools = [event for event in plays.lab.store().events(begin) if event.cmdlet == "Get-CsPool"]
    assert len(pools) == 1, "with all the rest"
    done = play(plays, "converge", sfb_xmpp_update_limit=50, **wanted)
    assert done.code == 0, done.output
    assert [step["cmdlet"] for step in steps(done, "fe01")].count("Grant-CsExternalAccessPolicy") == 8
    text = "8 users must sign in again before the change takes effect. Granted on the domain controller dc01"
    assert text in done.output
    again = play(plays, "converge", sfb_xmpp_update_limit=50, **wanted)
    assert "changed=0" in again.output, again.output


def test_the_members_of_a_group(management: Management) -> None:
    """Who joins gets it, who leaves is named, and loses it with exclusive grants; the name of a group is hostile."""
    hostile = "CN=Desk * (A\\\\B)\\, Łódź,OU=Groups,DC=contoso,DC=test"
    store = management.store
    store.put("group", hostile, {"MemberOf": ["CN=All Staff,OU=Groups,DC=contoso,DC=test"]})
    for alias in ("akelly", "llynch", "mbell"):
        change(management, alias, Groups=[hostile])
    losing = {"exclusive_grants": True, "allow_loss": ["federation_access", "outside_access"]}
    wanted = {**declared({"group": hostile}), **losing}
    begin = management.mark()
    management.rhythm(TASK, **wanted)
    assert holders(management) == {"akelly", "llynch", "mbell"}
    filters = [event.parameters.get("LdapFilter") for event in store.events(begin) if event.cmdlet == "Get-CsUser"]
    escaped = r"(memberOf=CN=Desk \2a \28A\5c\5cB\29\5c, Łódź,OU=Groups,DC=contoso,DC=test)"
    assert {text for text in filters if text} == {escaped}
    change(management, "llynch", Groups=[])
    stays = management.run(TASK, **declared({"group": hostile}))
    assert not stays.changed
    assert "llynch@contoso-emea.test" in "\n".join(stays.warnings)
    management.rhythm(TASK, **wanted)
    assert holders(management) == {"akelly", "mbell"}
    nested = declared({"group": "CN=All Staff,OU=Groups,DC=contoso,DC=test", "nested": True}, **losing)
    management.run(TASK, **nested)
    assert len(holders(management)) == 18, "but for the one in no group, and the administrator"
    for group in ("CN=None,DC=contoso,DC=test", "CN=All Staff,OU=Groups,DC=contoso,DC=test"):
        with pytest.raises(Refused, match="no user that this account can see is a member"):
            management.run(TASK, **{**wanted, **declared({"group": group})})


def test_a_branch_appliance_over_the_wire(either: Management) -> None:
    """Its users get no policy by its pool, and its site has no route; all kinds are read all the same."""
    store = either.store
    with store.transaction():
        store.clear()
        seed(store, either.lab.profile, read_shape("branch"))
    begin = either.mark()
    topology = either.run(TOPOLOGY).values
    assert [site["name"] for site in topology["sites"]] == ["Redmond", "Dublin"]
    pools = {pool["fqdn"]: (pool["registrar"], pool["front_end"]) for pool in topology["pools"]}
    assert pools["sba01.contoso.test"] == (True, False)
    assert pools["fe01.contoso.test"] == (True, True)
    # By the build of the replicas, or the number of the services: nobody asked for a server's own version.
    assert {pool["release"] for pool in topology["pools"]} == {either.lab.profile[-4:]}
    assert topology["unobserved"] == []
    assert "Get-CsServerVersion" not in {event.cmdlet for event in store.events(begin)}
    with pytest.raises(Refused, match=r"policy: 1 user homed on sba01\.contoso\.test, which is a branch appliance"):
        either.run(TASK, **declared({"pool": "sba01.contoso.test"}))
    assert either.writes(begin) == []
    either.run(TASK, **declared({"pool": "fe01.contoso.test"}))
    assert holders(either) == {"aokafor"}
    found = either.run(PREFLIGHT).values
    assert "users_elsewhere" not in {one["code"] for one in found["findings"]}
    change(either, "aokafor", RegistrarPool="sba01.contoso.test")
    (elsewhere,) = (one for one in either.run(PREFLIGHT).values["findings"] if one["code"] == "users_elsewhere")
    assert "aokafor@contoso.test (sba01.contoso.test)" in elsewhere["message"]
