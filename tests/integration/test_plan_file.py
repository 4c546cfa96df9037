# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reviewed plan, kept in a file: converge does just that or nothing, and says what is different."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME

from lab.deployment.faults import Faults
from tests.integration.management import Management, calls, logged
from tests.integration.plays import Plays, Run
from tests.integration.test_converge import mark, steps, writes

ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
SWITCHES: dict[str, t.Any] = {
    "sfb_xmpp_partners": [{"domain": "a.test", **ROW}, {"domain": "b.test", **ROW, "ticket": "CHG-9"}],
    "sfb_xmpp_partners_purge": True,
    "sfb_xmpp_removal_limit": 100,
    "sfb_xmpp_policies": [{"identity": "New", **FULL, "granted_to": ["sip:mbell@contoso.test"]}],
    "sfb_xmpp_policies_purge": True,
    "sfb_xmpp_gateway": {"keep_alive_interval": 240, "dialback_passphrase": "s3cret-words"},
    "sfb_xmpp_access_edge": {"allow_federated_users": True},
}


def play(plays: Plays, name: str, *arguments: str, **variables: t.Any) -> Run:
    """A playbook on the management host. Settings for one run are given on the command line."""
    hosts = {"sfb_management": {**plays.hosts()["sfb_management"]}}
    once = {option: value for option, value in variables.items() if option in BY_NAME and BY_NAME[option].once}
    declared = {option: value for option, value in variables.items() if option not in once}
    inventory = plays.write("managed.yml", {"all": {"vars": declared, "children": hosts}})
    given = ("-e", json.dumps(once)) if once else ()
    return plays.run("sfb.xmpp." + name, *arguments, *given, inventory=inventory)


def old(plays: Plays) -> None:
    """Somebody has the policy Old, which the deployment above leaves to nobody, and there is a partner to purge."""
    made = play(
        plays, "converge", sfb_xmpp_policies=[{"identity": "Old", **FULL, "granted_to": ["sip:mbell@contoso.test"]}],
        sfb_xmpp_partners=[{"domain": "a.test", **ROW}, {"domain": "old.test", **ROW}], sfb_xmpp_snapshot=False,
    )  # fmt: skip
    assert made.code == 0, made.output


def test_the_reviewed_plan_is_applied_once_and_nothing_else_is(plays: Plays) -> None:
    old(plays)
    file = plays.directory / "plan.json"
    begin = mark(plays)
    planned = play(plays, "converge", "--check", sfb_xmpp_plan_file=str(file), **SWITCHES)
    assert planned.code == 0, planned.output
    assert writes(plays, begin) == []
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["host"] == "fe01"
    assert document["collection"]
    assert "s3cret" not in file.read_text(encoding="utf-8")
    # What rules of CI need: all partners afterwards with their notes, and where users are homed.
    assert {one["domain"]: one["notes"] for one in document["partners"]}["b.test"] == {"ticket": "CHG-9"}
    assert "old.test" not in [one["domain"] for one in document["partners"]]
    (grant,) = document["grants"]
    assert (grant["user"], grant["former"], grant["policy"]) == ("sip:mbell@contoso.test", "Old", "New")
    assert (grant["pool"], grant["site"]) == ("fe01.contoso.test", "Redmond")
    told = [step["identity"] for step in document["steps"]]
    assert {"New", "b.test", "old.test", "Old", "sip:mbell@contoso.test"} <= set(told)
    assert document["summary"] == {
        "added": 2, "changed": 2, "removed": 2, "granted": 1, "withdrawn": 0, "unchanged": 1
    }  # fmt: skip
    ticket = file.with_suffix(".md").read_text(encoding="utf-8")
    assert "| `New-CsXmppAllowedPartner` | `b.test` |" in ticket
    assert "| Digest | `%s` |" % document["plan_digest"]["digest"] in ticket
    assert "| Deployment | fe01 |" in ticket
    assert "s3cret" not in ticket

    # Somebody else is quicker: every difference is named, and nothing is written.
    theirs = [{"domain": "z.test", **ROW}, {"domain": "old.test", "description": "kept"}]
    other = play(plays, "converge", sfb_xmpp_gateway={"connection_limit": 500}, sfb_xmpp_partners=theirs)
    assert other.code == 0, other.output
    begin = mark(plays)
    refused = play(plays, "converge", sfb_xmpp_plan_file=str(file), **SWITCHES)
    assert refused.code != 0
    message = refused.wrong()[0].result["msg"]
    assert "Nothing was written" in message
    assert "changed since the plan was made: gateway, partner old.test" in message
    assert "new since the plan was made: partner z.test" in message
    assert writes(plays, begin) == []
    assert "s3cret" not in refused.output

    # Another inventory is another plan.
    changed = {**SWITCHES, "sfb_xmpp_partners": [*SWITCHES["sfb_xmpp_partners"], {"domain": "c.test", **ROW}]}
    again = play(plays, "converge", "--check", sfb_xmpp_plan_file=str(file), **SWITCHES)
    assert again.code == 0, again.output
    message = play(plays, "converge", sfb_xmpp_plan_file=str(file), **changed).wrong()[0].result["msg"]
    assert "the saved plan was made from other values of sfb_xmpp_partners" in message
    assert "new since the plan was made: partner c.test" not in message
    assert "a New- call that is not in the plan: partner c.test" in message
    assert writes(plays, begin) == []

    # As reviewed; the steps are those of the file. And once done it is no longer the plan.
    done = play(plays, "converge", sfb_xmpp_plan_file=str(file), sfb_xmpp_ticket="CHG-1", **SWITCHES)
    assert done.code == 0, done.output
    assert calls(steps(again, "fe01")) == calls(steps(done, "fe01")) == logged(writes(plays, begin))
    assert [event.cmdlet for event in writes(plays, begin)][-1] == "Remove-CsExternalAccessPolicy"
    begin = mark(plays)
    again = play(plays, "converge", sfb_xmpp_plan_file=str(file), **SWITCHES)
    (reason,) = again.wrong()[0].result["reasons"]
    assert "was applied at" in reason
    assert "UTC, CHG-1" in reason
    assert writes(plays, begin) == []


@pytest.mark.nightly
def test_a_file_that_is_none_or_another_deployments_is_refused(plays: Plays) -> None:
    file = plays.directory / "plan.json"
    variables = {"sfb_xmpp_partners": [{"domain": "a.test", **ROW}], "sfb_xmpp_plan_file": str(file)}
    assert "the file does not exist" in play(plays, "converge", **variables).wrong()[0].result["msg"]
    file.write_text("{}", encoding="utf-8")
    assert "it is not a plan of this collection" in play(plays, "converge", **variables).wrong()[0].result["msg"]
    assert play(plays, "converge", "--check", **variables).code == 0
    message = play(plays, "converge", sfb_xmpp_deployment="other", **variables).wrong()[0].result["msg"]
    assert "it was made for the deployment default, and this is other" in message
    # Another deployment that is called default too.
    store = plays.lab.store()
    ((key, central),) = [one for one in store.all("service_role").items() if one[1]["Role"] == "CentralManagement"]
    pool = next(name for name in store.all("pool") if name != central["Pool"])
    store.put("service_role", key, {**central, "Pool": pool})
    message = play(plays, "converge", **variables).wrong()[0].result["msg"]
    assert "on the pool %s, but the store of this deployment is on %s" % (central["Pool"], pool) in message
    # What somebody has edited was not reviewed.
    assert play(plays, "converge", "--check", **variables).code == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**document, "summary": {}}), encoding="utf-8")
    message = play(plays, "converge", **variables).wrong()[0].result["msg"]
    assert "it was edited after it was saved" in message
    assert writes(plays) == []


def test_a_job_holds_the_next_one_to_its_plan(plays: Plays) -> None:
    """As in a workflow of AWX: the stats of one job come back as extra variables of the next."""
    variables: dict[str, t.Any] = {"sfb_xmpp_partners": [{"domain": "a.test", **ROW}]}
    planned = play(plays, "converge", "--check", sfb_xmpp_fail_on_changes=True, **variables)
    assert planned.code == 2, planned.output
    assert (planned.stats["sfb_xmpp_result"], planned.stats["sfb_xmpp_changes"]) == ("changes", 1), planned.output
    (failure,) = planned.failures()
    assert failure.result["msg"] == "1 change is planned, and sfb_xmpp_fail_on_changes is true."
    assert "steps" not in failure.result
    assert writes(plays) == []
    given = ("-e", json.dumps(planned.stats))
    other = play(plays, "converge", *given, sfb_xmpp_partners=[{"domain": "b.test", **ROW}])
    assert (other.code, other.stats["sfb_xmpp_result"], other.stats["sfb_xmpp_changes"]) == (2, "refused", 0)
    assert other.stats["sfb_xmpp_plan_digest"] != planned.stats["sfb_xmpp_plan_digest"]
    assert other.wrong()[0].result["msg"].startswith("Nothing was written: sfb_xmpp_plan_digest: the reviewed plan")
    assert writes(plays) == []
    done = play(plays, "converge", *given, **variables)
    assert done.code == 0, done.output
    assert done.stats == planned.stats
    again = play(plays, "converge", "--check", sfb_xmpp_fail_on_changes=True, **variables)
    assert (again.code, again.stats["sfb_xmpp_result"], again.stats["sfb_xmpp_changes"]) == (0, "ok", 0)
    # A mistake in the settings, a server's error, and a run that nobody answers.
    wrong = play(plays, "converge", sfb_xmpp_partners=[{}], sfb_xmpp_parters=[])
    assert (wrong.code, wrong.stats) == (2, {"sfb_xmpp_result": "refused", "sfb_xmpp_changes": 0})
    (failure,) = wrong.failures()
    assert failure.result["msg"] == "Nothing was written, for 2 reasons, which are listed above."
    assert "  error  sfb_xmpp_parters: there is no such variable" in wrong.output
    Faults(plays.lab.store()).add("New-CsXmppAllowedPartner", "c*", times=2, message="Not today.")
    both = [{"domain": "a.test", **ROW}, {"domain": "c.test", **ROW}, {"domain": "d.test", **ROW}]
    failed = play(plays, "converge", sfb_xmpp_partners=both)
    assert (failed.code, failed.stats["sfb_xmpp_result"], failed.stats["sfb_xmpp_changes"]) == (2, "failed", 1)
    assert failed.wrong()[0].result["msg"].startswith("New-CsXmppAllowedPartner of c.test failed: Not today.")


def test_a_user_under_two_policies_is_refused_before_anything_is_written(plays: Plays) -> None:
    both = [{"identity": name, **FULL, "granted_to": ["sip:MBell@contoso.test"]} for name in ("One", "Two")]
    run = play(plays, "converge", sfb_xmpp_policies=both)
    assert run.code != 0
    assert "'sip:MBell@contoso.test' is in granted_to of sfb_xmpp_policies[0] (One) and of" in run.output
    assert writes(plays) == []


def test_what_somebody_changes_between_plan_and_write_stops_the_run(management: Management) -> None:
    """What was compared is what is written: the objects are read once more right before."""

    class Meddled(Management):
        reads = 0

        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            answer = super().invoke(statements)
            Meddled.reads += 1
            if Meddled.reads == 1:
                store = self.lab.store()
                store.put("partner", "a.test", {**store.partners()["a.test"], "Description": "mine"})
            return answer

    partners = [{"domain": name, **ROW} for name in ("a.test", "b.test")]
    management.run(FEDERATION, partners=partners)
    begin = management.mark()
    other = Meddled(management.lab, management.session.target)
    wanted = [{"domain": name, "description": "ours"} for name in ("a.test", "b.test")]
    with pytest.raises(Refused, match=r"changed objects after the plan was made: partner a\.test"):
        other.run(FEDERATION, partners=wanted)
    assert management.writes(begin) == []
    # Where it is already as declared, nothing is left to do for it, and the rest goes on.
    Meddled.reads = 0
    wanted[0]["description"] = "mine"
    management.store.put("partner", "a.test", {**management.store.partners()["a.test"], "Description": "old"})
    done = other.run(FEDERATION, partners=wanted)
    assert [step["identity"] for step in done.steps or []] == ["b.test"]
    other.session.close()
