# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""External access policies and who has them, over the wire."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import grant, info, plural, singular

from tests.integration.management import Management

XMPP: dict[str, t.Any] = {"enable_federation_access": True, "enable_xmpp_access": True}
FULL = {**XMPP, "enable_outside_access": True, "enable_public_cloud_access": True}
GRANT = grant()
ANN, BELL, ADMIN = "sip:ialmeida@contoso.test", "sip:mbell@contoso.test", "sip:tturner-admin@contoso.test"


def test_one_policy_of_each_scope(management: Management) -> None:
    for identity in ("XMPP users", "site:Redmond", "global"):
        result = management.rhythm(singular(POLICY), identity=identity, description="For O'Brien & co", **FULL)
        assert result.values["policy"]["identity"] == identity
    assert {"Tag:XMPP users", "Site:Redmond", "Global"} == set(management.store.policies())
    for identity in ("xmpp USERS", "Site:redmond"):
        assert management.rhythm(singular(POLICY), identity=identity, state="absent", allow_loss=[]).changed


def test_global_is_reset_with_force_only(management: Management) -> None:
    management.run(singular(POLICY), identity="global", **FULL)
    mark = management.mark()
    with pytest.raises(Refused, match=r"global cannot be removed\. To reset it to the defaults, use force"):
        management.run(singular(POLICY), identity="global", state="absent")
    assert management.writes(mark) == []
    result = management.rhythm(singular(POLICY), identity="global", state="absent", force=True)
    assert result.values["policy"]["enable_xmpp_access"] is False
    assert "The reset takes away enable_federation_access, enable_xmpp_access" in result.warnings[0]


def test_the_whole_list_and_a_purge_that_spares_global_site_and_granted(management: Management) -> None:
    task = plural(POLICY)
    items = [{"identity": name, **XMPP} for name in ("global", "site:Dublin", "kept", "granted", "unused")]
    management.rhythm(task, policies=[*items, {"identity": "other", "description": "no XMPP here"}])
    management.rhythm(GRANT, policy="granted", users=[ANN])
    result = management.rhythm(task, policies=[items[2]], purge=True)
    assert [(s["cmdlet"], s["identity"]) for s in result.steps or []] == [("Remove-CsExternalAccessPolicy", "unused")]
    assert set(management.store.policies()) == {"Global", "Site:Dublin", "Tag:kept", "Tag:granted", "Tag:other"}
    mark = management.mark()
    result = management.run(task, policies=[], purge=True, force=True)
    assert [s["identity"] for s in result.steps or []] == ["kept"]
    assert "Global" in management.store.policies()
    assert len(management.writes(mark)) == 1


@pytest.mark.quick
def test_grants_are_additive_and_idempotent(management: Management) -> None:
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    management.rhythm(GRANT, policy="xmpp users", users=[ANN, "CONTOSO\\mbell", "pobrien@contoso.test"])
    management.rhythm(GRANT, policy="XMPP users", users=["sip:oquinn@contoso-emea.test", ANN])
    granted = sorted(key for key, policy in management.store.grants().items() if policy)
    assert len(granted) == 4
    result = management.rhythm(
        GRANT, policy="XMPP users", users=[ANN], exclusive=True, allow_loss=["federation_access"]
    )
    assert result.values["grant"] == {"policy": "XMPP users", "users": [ANN], "exclusive": True}
    management.rhythm(GRANT, policy="XMPP users", users=[ANN], state="absent", allow_loss=["federation_access"])
    assert not any(management.store.grants().values())


def test_a_grant_that_would_take_outside_access_is_refused(management: Management) -> None:
    management.run(plural(POLICY), policies=[{"identity": "remote", **FULL}, {"identity": "XMPP users", **XMPP}])
    management.run(GRANT, policy="remote", users=[ANN])
    mark = management.mark()
    with pytest.raises(Refused) as caught:
        management.run(GRANT, policy="XMPP users", users=[BELL, ANN])
    assert ANN in str(caught.value)
    assert BELL not in str(caught.value)
    assert "outside_access and public_cloud_access" in str(caught.value)
    assert management.writes(mark) == []
    allowed = ["outside_access", "public_cloud_access"]
    assert management.rhythm(GRANT, policy="XMPP users", users=[BELL, ANN], allow_loss=allowed).changed


def test_the_policy_of_a_site_is_what_its_users_would_lose(management: Management) -> None:
    management.run(plural(POLICY), policies=[{"identity": "site:Redmond", **FULL}, {"identity": "XMPP users", **XMPP}])
    with pytest.raises(Refused, match="ialmeida"):
        management.run(GRANT, policy="XMPP users", users=[ANN])
    assert management.rhythm(GRANT, policy="XMPP users", users=["sip:oquinn@contoso-emea.test"]).changed


def test_changing_a_granted_policy_names_who_would_lose(management: Management) -> None:
    management.run(singular(POLICY), identity="remote", **FULL)
    management.run(GRANT, policy="remote", users=[ANN])
    mark = management.mark()
    with pytest.raises(Refused, match=r"take outside_access from 1 user \(sip:ialmeida@contoso\.test\)"):
        management.run(plural(POLICY), policies=[{"identity": "remote", "enable_outside_access": False}])
    with pytest.raises(Refused, match="still granted to 1 user"):
        management.run(singular(POLICY), identity="remote", state="absent")
    assert management.writes(mark) == []


def test_a_protected_account_fails_or_warns(management: Management) -> None:
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    result = management.run(GRANT, policy="XMPP users", users=[ANN, ADMIN])
    assert [failure.identity for failure in result.failures] == [ADMIN]
    assert result.changed
    result = management.run(GRANT, policy="XMPP users", users=[ANN, ADMIN], protected_accounts="warn")
    assert not result.failures
    assert ADMIN in result.warnings[0]


def test_unknown_users_and_policies_are_named_before_anything_is_written(management: Management) -> None:
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    mark = management.mark()
    with pytest.raises(Refused, match=r"users\[1\]: 'sip:nobody@contoso\.test'"):
        management.run(GRANT, policy="XMPP users", users=[ANN, "sip:nobody@contoso.test"])
    with pytest.raises(Refused, match="there is no policy 'none'"):
        management.run(GRANT, policy="none", users=[ANN])
    assert management.writes(mark) == []


def test_reads_and_writes_meet_on_one_domain_controller(management: Management) -> None:
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    result = management.rhythm(GRANT, policy="XMPP users", users=[ANN], domain_controller="dc02.contoso.test")
    assert result.steps
    assert result.steps[0]["parameters"]["DomainController"] == "dc02.contoso.test"


def test_a_domain_controller_that_lags_makes_no_failure(management: Management) -> None:
    """Which one a server reads from is its own affair: what is written goes there too, and is read back from there."""
    management.store.set_setting("directory_lag", 600)
    management.run(singular(POLICY), identity="XMPP users", **XMPP)
    for controller, user in (("dc02.contoso.test", ANN), ("dc01.contoso.test", BELL)):
        management.store.set_setting("read_controller", controller)
        result = management.rhythm(GRANT, policy="XMPP users", users=[user])
        assert [step["parameters"]["DomainController"] for step in result.steps or []] == [controller]


def test_info_feeds_back(management: Management) -> None:
    management.run(
        plural(POLICY), policies=[{"identity": "site:Dublin", **XMPP}, {"identity": "x", "description": "d"}]
    )
    found = management.run(info(POLICY)).values["policies"]
    assert [policy["identity"] for policy in found] == ["global", "site:Dublin", "x"]
    assert not management.run(plural(POLICY), policies=found, purge=True).changed
    one = management.run(info(POLICY), identity="SITE:dublin").values["policies"]
    assert [policy["identity"] for policy in one] == ["site:Dublin"]
