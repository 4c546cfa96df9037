# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of a plan: what makes it another one, how a refusal names that, and what stays out of it."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import GATEWAY, PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.digest import differences, digest_of
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.identity import Identity
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import (
    FEDERATION,
    configuration,
    grant,
    plural,
    singular,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Place
from hypothesis import given, settings

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import STATES, User, make, run, user

PARTNERS, POLICIES, GRANT = plural(PARTNER), plural(POLICY), grant()
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}


def asked(*names: str, **more: t.Any) -> dict[str, t.Any]:
    """Partners; what a purge would remove is no matter here."""
    return {"force": True, "partners": [{"domain": name, "description": "asked", **ROW} for name in names], **more}


def server(*names: str) -> MemoryShell:
    shell = MemoryShell()
    for name in names:
        shell.put(PARTNER.noun, name, {"SaslNegotiation": "Optional"})
    return shell


def digest(task: Task, shell: MemoryShell, **arguments: t.Any) -> dict[str, t.Any]:
    planned = run(task, shell, check=True, **arguments)
    assert planned.plan_digest is not None
    return planned.plan_digest


def refused(task: Task, shell: MemoryShell, **arguments: t.Any) -> str:
    """The message of a refusal that wrote nothing, the same in check mode and in a run."""
    sent = len(shell.writes())
    with pytest.raises(Refused) as first:
        run(task, shell, check=True, **arguments)
    with pytest.raises(Refused) as second:
        run(task, shell, **arguments)
    assert first.value.reasons == second.value.reasons
    assert len(shell.writes()) == sent
    return str(second.value)


def test_the_reviewed_plan_is_applied_and_then_is_no_longer_the_plan() -> None:
    shell = server("a.test", "b.test", "c.test")
    reviewed = digest(PARTNERS, shell, **asked("a.test", "n.test"), purge=True)
    assert set(reviewed["objects"]) == {"partner %s.test" % n for n in "abcn"}
    assert [entry.split(" ")[1] for entry in reviewed["objects"].values()] == ["Set", "Remove", "Remove", "New"]
    json.dumps(reviewed)
    done = run(PARTNERS, shell, **asked("a.test", "n.test"), purge=True, plan_digest=reviewed)
    assert done.changed
    assert done.plan_digest == reviewed, "the run says what it held to"
    text = refused(PARTNERS, shell, **asked("a.test", "n.test"), purge=True, plan_digest=reviewed)
    assert "changed since the plan was made: partner a.test" in text
    assert "gone since the plan was made: partner b.test, partner c.test" in text
    assert "new since the plan was made: partner n.test" in text
    assert "review the new plan in check mode" in text


Put = tuple[str, dict[str, t.Any]]

# What is put on the server (or, without a domain, taken away), other arguments, and what the refusal says.
CHANGES: tuple[tuple[Put | None, dict[str, t.Any], str], ...] = (
    (("a.test", {"ProxyFqdn": "p.test"}), {}, "changed since the plan was made: partner a.test"),
    (("b.test", {"Description": "x"}), {}, "changed since the plan was made: partner b.test"),
    (("z.test", {}), {}, "new since the plan was made: partner z.test"),
    (("", {}), {}, "gone since the plan was made: partner a.test, partner b.test"),
    (None, asked("a.test", "m.test"), "a New- call that is not in the plan: partner m.test"),
    (None, asked("n.test"), "a Remove- call instead of the plan's Set- call: partner a.test"),
    (
        None,
        {"partners": [{"domain": "a.test", "description": "!"}]},
        "the Set- call differs from the plan: partner a.test",
    ),
    (None, asked("n.test", "a.test", "b.test"), "a Set- call instead of the plan's Remove- call: partner b.test"),
    (None, {**asked("n.test", "a.test"), "protect": ["b.*"]}, "the plan's Remove- call is not needed: partner b.test"),
)


@pytest.mark.parametrize(("put", "arguments", "message"), CHANGES)
def test_whatever_is_different_is_named(put: Put | None, arguments: dict[str, t.Any], message: str) -> None:
    shell = server("a.test", "b.test")
    reviewed = digest(PARTNERS, shell, **asked("a.test", "n.test", purge=True))
    if put and put[0]:
        shell.put(PARTNER.noun, *put)
    elif put:
        shell.store[PARTNER.noun].clear()
    given = {**asked("a.test", "n.test", purge=True), **arguments}
    assert message in refused(PARTNERS, shell, **given, plan_digest=reviewed)


def test_the_digest_alone_holds_to_the_steps_in_the_deployment() -> None:
    shell = server("a.test", "b.test")
    arguments = asked("a.test", "n.test")
    reviewed = digest(PARTNERS, shell, **arguments)["digest"]
    text = refused(PARTNERS, shell, **asked("a.test", "m.test"), plan_digest=reviewed)
    assert text.startswith("plan_digest: the reviewed plan has another digest. The present plan has the digest ")
    assert reviewed not in text
    assert "64 hexadecimal digits" in refused(PARTNERS, shell, **arguments, plan_digest=reviewed[:-1])
    elsewhere = server("a.test", "b.test")
    elsewhere.central = "pool2.contoso.com"
    assert "another digest" in refused(PARTNERS, elsewhere, **arguments, plan_digest=reviewed)
    # Another state, and the same calls.
    shell.put(PARTNER.noun, "a.test", {"SaslNegotiation": "Optional", "Description": "by another hand"})
    done = run(PARTNERS, shell, **arguments, plan_digest=reviewed)
    assert done.changed
    assert (done.plan_digest or {})["digest"] == reviewed


def test_a_whole_hash_decides_where_the_short_ones_agree() -> None:
    shell = server("a.test")
    reviewed = digest(PARTNERS, shell, **asked("a.test"))
    assert refused(PARTNERS, shell, **asked("a.test"), plan_digest={**reviewed, "digest": "0" * 64}).startswith(
        "this is not the reviewed plan: other steps"
    )


def test_others_may_change_where_nothing_is_purged() -> None:
    shell = server("a.test", "b.test")
    many = digest(PARTNERS, shell, **asked("a.test"))
    one = digest(singular(PARTNER), shell, domain="a.test", description="asked")
    shell.put(PARTNER.noun, "b.test", {"Description": "by another hand"})
    assert digest(singular(PARTNER), shell, domain="a.test", description="asked", plan_digest=one) == one
    assert run(PARTNERS, shell, **asked("a.test"), plan_digest=many).changed
    assert "changed since" in refused(singular(PARTNER), shell, domain="a.test", description="other", plan_digest=one)


def test_the_whole_has_one_digest_and_parts_have_others() -> None:
    """There are no stages: a plan is one value, and what is limited to parts is another plan."""
    shell = server("a.test", "b.test")
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": False})
    arguments = {
        **asked("a.test", "n.test", partners_purge=True),
        "policies": [{"identity": "X", "enable_federation_access": True}],
        "gateway": {"connection_limit": 7},
        "access_edge": {"enable_user_replicator": True},
    }
    whole = digest(FEDERATION, shell, **arguments)
    assert {name: entry.split(" ")[1] for name, entry in whole["objects"].items()} == {
        "access edge": "Set",
        "gateway": "Set",
        "partner a.test": "Set",
        "partner b.test": "Remove",
        "partner n.test": "New",
        "policy x": "New",
    }
    part = digest(FEDERATION, shell, **arguments, parts=["partners"])
    assert set(part["objects"]) == {"partner a.test", "partner n.test"}
    text = refused(FEDERATION, shell, **arguments, parts=["partners"], plan_digest=whole)
    assert "gone since the plan was made: access edge, gateway, partner b.test" in text
    assert "the plan's New- call is not needed: policy x" in text
    # What was read only for a warning is no part of the plan.
    del arguments["access_edge"]
    reviewed = digest(FEDERATION, shell, **arguments)
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True})
    assert run(FEDERATION, shell, **arguments, plan_digest=reviewed).changed


def test_who_has_a_policy_is_part_of_what_was_reviewed() -> None:
    shell = make({"users": [user("ann", "X")], "policies": [{"identity": "X", **FULL}]})
    less = {"policies": [{"identity": "X", "enable_outside_access": False}], "allow_loss": ["outside_access"]}
    reviewed = digest(POLICIES, shell, **less)
    shell.users.append(user("bob", "X"))
    assert "changed since the plan was made: policy x" in refused(POLICIES, shell, **less, plan_digest=reviewed)


def test_grants() -> None:
    def shell_of(*users: User) -> MemoryShell:
        return make({"users": list(users), "policies": [{"identity": "X", **FULL}, {"identity": "Y", **FULL}]})

    shell = shell_of(user("ann"), user("bob", "Y"))
    arguments: dict[str, t.Any] = {"policy": "x", "users": ["sip:ann@contoso.test", "sip:bob@contoso.test"]}
    reviewed = digest(GRANT, shell, **arguments)
    assert run(GRANT, shell, **arguments, plan_digest=reviewed).changed
    text = refused(GRANT, shell, **arguments, plan_digest=reviewed)
    assert "changed since the plan was made: user sip:ann@contoso.test, user sip:bob@contoso.test" in text
    shell = shell_of(user("ann"), user("bob", "Y"))
    shell.put(POLICY.noun, "Tag:X", {"EnablePublicCloudAccess": True})
    assert "changed since the plan was made: policy x" in refused(GRANT, shell, **arguments, plan_digest=reviewed)
    # A policy that the same run writes is in the one digest.
    both: dict[str, t.Any] = {"policies": [{"identity": "X", "description": "x", "granted_to": arguments["users"]}]}
    shell = shell_of(user("ann"), user("bob", "Y"))
    before = digest(POLICIES, shell, **both)
    assert {name: entry.split(" ")[1:2] for name, entry in before["objects"].items()} == {
        "policy global": [],
        "policy x": ["Set"],
        "policy y": [],
        "user sip:ann@contoso.test": ["Grant"],
        "user sip:bob@contoso.test": ["Grant"],
    }
    assert run(POLICIES, shell, **both, plan_digest=before).changed


def test_an_exclusive_grant_counts_what_the_same_run_grants() -> None:
    shell = make({"users": [user("ann", "X"), user("bob", "X")],
                  "policies": [{"identity": "X", **FULL}, {"identity": "Y", **FULL}]})  # fmt: skip
    with pytest.raises(Refused, match=r"withdrawing X would take .* from sip:ann@contoso\.test, sip:bob@contoso\.test"):
        run(GRANT, shell, policy="X", users=[], exclusive=True, check=True)
    everyone = ["sip:ann@contoso.test", "sip:bob@contoso.test"]
    lists = [{"identity": "X", "granted_to": []}, {"identity": "Y", "granted_to": everyone}]
    planned = run(POLICIES, shell, policies=lists, exclusive_grants=True, check=True)
    assert [step["parameters"]["PolicyName"] for step in planned.steps or []] == ["Y", "Y"], "granted, not withdrawn"
    assert {p["identity"]: p.get("granted_to") for p in planned.values["policies"]} == {
        "global": None,
        "X": [],
        "Y": everyone,
    }


def test_secrets_stay_out() -> None:
    shell = MemoryShell()
    gateway = configuration(GATEWAY)
    found = []
    for had, wanted in (("old-one", "new-one"), ("other", "words")):
        shell.put(GATEWAY.noun, "Global", {"DialbackPassphrase": had})
        found.append(digest(gateway, shell, dialback_passphrase=wanted))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"digest": "x", "objects": {}}, {"digest": "0" * 64}, {"digest": "0" * 64, "objects": ["a.test"]},
     {"digest": "0" * 64, "objects": {"a.test": "words"}}, {"digest": "0" * 64, "objects": {"a.test": None}}],
)  # fmt: skip
def test_what_is_no_digest_is_refused(wrong: t.Any) -> None:
    assert "must be the plan_digest that check mode returned" in refused(
        PARTNERS, server(), **asked("a.test"), plan_digest=wrong
    )


def test_ten_thousand_partners_are_small() -> None:
    names = ["partner-%05d.contoso.example" % n for n in range(10_000)]
    planned: Result = run(
        PARTNERS, server(*names), check=True, force=True, partners=[{"domain": n, "description": "x"} for n in names]
    )
    assert len(planned.steps or []) == 10_000
    assert len(json.dumps(planned.plan_digest)) < 750_000


@settings(deadline=None, max_examples=40)
@given(STATES, STATES, STATES)
def test_a_digest_is_equal_only_where_state_and_plan_are(
    first: dict[str, t.Any], second: dict[str, t.Any], wanted: dict[str, t.Any]
) -> None:
    arguments = {"partners": wanted["partners"], "purge": True, "force": True}
    one, two = make(first), make(second)
    planned = [run(PARTNERS, shell, check=True, **arguments) for shell in (one, two)]
    digests = [p.plan_digest or {} for p in planned]
    same = one.store[PARTNER.noun] == two.store[PARTNER.noun]
    assert (digests[0] == digests[1]) == same
    assert (differences(digests[0], digests[1]) == []) == same
    if planned[0].steps == planned[1].steps:
        assert digests[0]["digest"] == digests[1]["digest"]
    else:
        assert digests[0]["digest"] != digests[1]["digest"]


def test_the_number_is_one_of_deployment_and_steps() -> None:
    """The same wherever the plan was made, and from whatever; another for another deployment."""
    first, second, elsewhere = server("a.test"), server("a.test"), server("a.test")
    second.put(PARTNER.noun, "a.test", {"Description": "other words"})
    second.place = Place(host="fe02", deployment="contoso", home=second.place.home)
    elsewhere.central = "pool2.contoso.com"
    one, two, three = (digest(PARTNERS, shell, **asked("a.test")) for shell in (first, second, elsewhere))
    assert one["digest"] == two["digest"] != three["digest"]
    assert differences(one, two) == ["changed since the plan was made: partner a.test"]
    assert one["digest"] == digest_of(
        Identity("x", ("fe01.contoso.com",)), run(PARTNERS, first, **asked("a.test")).steps or []
    )
