# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.decommission over the wire: stage by stage, cut after every step, and the way back with the kept export."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from lab.deployment.faults import Faults
from lab.deployment.ready import make_ready
from tests.integration.gateway_federation import PARTNER, Federation
from tests.integration.gateway_peer import PATIENCE
from tests.integration.plays import CHECKOUT, Plays, Run
from tests.integration.test_converge import mark, writes
from tests.integration.test_plan_file import ROW, play
from tests.integration.test_restore import same, state

SENTENCE = "yes, remove XMPP from contoso"
FULL = {"enable_federation_access": True, "enable_xmpp_access": True, "enable_outside_access": True}
USED: dict[str, t.Any] = {
    "sfb_xmpp_policies": [
        {"identity": "global", **FULL},
        {"identity": "site:Dublin", **FULL},
        {"identity": "Desk", **FULL, "granted_to": ["sip:mbell@contoso.test"]},
    ],
    "sfb_xmpp_partners": [{"domain": "a.test", "connection_limit": 5, **ROW}, {"domain": "b.test", **ROW}],
    "sfb_xmpp_access_edge": {"allow_federated_users": True},
}


@pytest.fixture
def used(plays: Plays) -> Plays:
    """A federation in use, with the certificate on both Edges. Only the management host names the deployment."""
    hosts = plays.hosts()
    hosts["sfb_management"]["vars"]["sfb_xmpp_deployment"] = "contoso"
    plays.inventory = plays.write("inventory.yml", hosts)
    store = plays.lab.store()
    make_ready(store)
    # One kind of everything is enough.
    store.delete("policy", "Tag:Partners")
    store.sql("DELETE FROM granted")
    made = play(plays, "converge", **USED)
    assert made.code == 0, made.output
    return plays


def way_out(plays: Plays, stage: str, *arguments: str, sentence: str = SENTENCE, **variables: t.Any) -> Run:
    extra = {"sfb_xmpp_decommission": sentence, **variables}
    if stage:
        extra["sfb_xmpp_decommission_stage"] = stage
    given = json.dumps({**extra, "sfb_xmpp_into": str(plays.directory / "out")})
    return plays.run("sfb.xmpp.decommission", "-e", given, *arguments)


def clean(plays: Plays) -> dict[str, t.Any]:
    """All that the stages touch."""
    store = plays.lab.store()
    bound = {host: store.assignments(host).get("XmppServer") for host in ("edge01", "edge02")}
    return {**state(plays), "routes": [s["XmppFederationRoute"] for s in store.all("site").values()], "bound": bound}


def untick(plays: Plays) -> None:
    """What a person does in Topology Builder and with setup."""
    store = plays.lab.store()
    for key, role in store.all("service_role").items():
        if "Edge" in role:
            ports = {"XmppListeningPort": None, "XmppInternalPort": None}
            store.put("service_role", key, {**role, "Edge": {**role["Edge"], **ports}})
    for key in store.all("service"):
        if "XMPP" in key.upper():
            store.delete("service", key)


def test_without_the_sentence_nothing_happens(used: Plays) -> None:
    begin, before = mark(used), clean(used)
    for wrong in ("", "yes", "yes, remove XMPP from default"):
        run = way_out(used, "", sentence=wrong)
        assert run.code != 0
        assert '"%s"' % SENTENCE in run.output.replace('\\"', '"'), run.output
    assert writes(used, begin) == []
    assert clean(used) == before
    assert not (used.directory / "out").exists()


def test_stage_by_stage_and_back(used: Plays) -> None:
    before, begin = clean(used), mark(used)
    early = way_out(used, "remove")
    assert early.code != 0
    assert "export comes before remove" in early.output
    looked = way_out(used, "", "--check", sentence="")
    assert looked.code == 0, looked.output
    assert SENTENCE in looked.output
    assert not (used.directory / "out").exists()
    former = way_out(used, "", into=str(used.directory / "elsewhere"))
    assert former.code != 0
    assert "into: this variable is called sfb_xmpp_into now" in former.output
    table = used.directory / "usage.csv"
    table.write_text("domain,last_used,sessions\na.test,never,3\n", encoding="utf-8")
    unread = way_out(used, "", sfb_xmpp_usage=str(table))
    assert unread.code != 0
    assert "line 2: last_used" in unread.output
    assert not (used.directory / "out").exists()
    table.write_text("domain,last_used,sessions\na.test,2026-11-30,3\nz.test,2026-11-01,1\n", encoding="utf-8")
    done = way_out(used, "", sfb_xmpp_decommission_date="2027-01-31", sfb_xmpp_usage=str(table))
    assert done.code == 0, done.output
    assert done.result("Do the next stage")["usage"] == {
        "partners": [
            {"domain": "a.test", "last_used": "2026-11-30", "sessions": 3},
            {"domain": "b.test", "last_used": "", "sessions": 0},
        ],
        "unused": ["b.test"],
        "undeclared": ["z.test"],
    }
    assert "Unused partners: b.test." in done.output
    assert writes(used, begin) == []
    out = used.directory / "out"
    sheet = (out / "partners" / "a.test.md").read_text(encoding="utf-8")
    assert "2027-01-31" in sheet
    assert (out / "partners" / "b.test.txt").exists()
    assert "_xmpp-server._tcp.contoso.test" in (out / "dns-records-to-delete.txt").read_text(encoding="utf-8")
    kept = (out / "group_vars" / "all" / "sfb_xmpp.yml").read_text(encoding="utf-8")

    planned = way_out(used, "", "--check", "--diff", sfb_xmpp_impact_limit={"lose": 0})
    assert planned.code == 0, planned.output
    assert "- a.test, b.test: 20 users lose" in planned.output
    assert "refused before its first write: sfb_xmpp_impact_limit.lose: 20 users would lose" in planned.output
    assert writes(used, begin) == []
    assert clean(used) == before
    removed = way_out(used, "", sfb_xmpp_allow=["impact"], sfb_xmpp_impact_limit={"lose": 0})
    assert removed.code == 0, removed.output
    cmdlets = [event.cmdlet for event in writes(used, begin)]
    assert cmdlets.count("Remove-CsXmppAllowedPartner") == 2
    assert cmdlets.count("Set-CsExternalAccessPolicy") == 3
    told = {event.cmdlet for event in used.lab.store().events(begin)}
    assert "Invoke-CsManagementStoreReplication" not in told
    replicated = removed.result("Do the next stage")["replication"]
    assert (bool(replicated["awaited"]), replicated["late"]) == (True, [])
    for event in writes(used, begin):
        if event.cmdlet == "Set-CsExternalAccessPolicy":
            assert {n: v for n, v in event.parameters.items() if n.startswith("Enable")} == {"EnableXmppAccess": False}
    now = clean(used)
    assert now["partner"] == {}
    assert now["grants"] == before["grants"], "who has a policy keeps it, with all its other rights"
    for name, policy in now["policy"].items():
        assert policy == {**before["policy"][name], "EnableXmppAccess": False}
    again = way_out(used, "remove")
    assert again.code == 0, again.output
    assert "changed=0" in again.output

    routed = way_out(used, "")
    assert routed.code == 0, routed.output
    assert "Topology Builder" in routed.output
    assert not any(clean(used)["routes"])
    begin = mark(used)
    stopped = way_out(used, "")
    assert stopped.code != 0
    assert "the topology still has XMPP" in stopped.output
    assert writes(used, begin) == []
    untick(used)
    bound = clean(used)["bound"]
    last = way_out(used, "")
    assert last.code == 0, last.output
    assert set(clean(used)["bound"].values()) == {None}
    is_told_what_is_left(used, last, bound)
    over = way_out(used, "")
    assert over.code == 0, over.output
    assert "changed=0" in over.output
    assert "This playbook has nothing more to do" in over.output
    is_told_what_is_left(used, over, bound)
    assert (out / "group_vars" / "all" / "sfb_xmpp.yml").read_text(encoding="utf-8") == kept, "the export stays"


def is_told_what_is_left(used: Plays, run: Run, bound: dict[str, str]) -> None:
    """By result and by what is shown: of each server, of the deployment, of the controller."""
    left = run.result("Show the remaining manual steps")["left"]
    keys = {one["where"]: one for one in left if one["code"] in ("exportable_key", "key_in_use")}
    assert sorted(keys) == ["edge01", "edge02"]
    for host, one in keys.items():
        assert bound[host] in one["text"], "the certificate that XMPP had"
        assert all(command in run.output for command in one["commands"])
    others = [(one["where"], one["code"]) for one in left if one["where"] in keys and one not in keys.values()]
    # Their account is the built-in Administrator, which is of Windows.
    assert others == [(host, code) for host in keys for code in ("winrm_listener", "firewall_rule")]
    # A text begins with a verb and the path.
    files = [one["text"].split()[1].strip(",.") for one in left if one["where"] == "controller"]
    home = used.directory / "home" / "sfb.xmpp" / "snapshots"
    assert files == [str(home / "*Z-contoso.yml"), str(home / "runs.jsonl"), str(used.directory / "out")]
    assert "CONTOSO\\admin" in next(one["text"] for one in left if one["code"] == "role_group")


def test_the_export_brings_it_back_and_messages_with_it(used: Plays) -> None:
    store = used.lab.store()
    store.put("partner", "fabrikam.test", PARTNER)
    before = clean(used)
    with Federation.of(used.lab, ready=False) as federation:
        assert federation.send("as ever").status == "sent"
        for stage in ("export", "remove", "route"):
            run = way_out(used, stage)
            assert run.code == 0, run.output
        assert clean(used) != before
        assert federation.send("nobody hears").status == "refused"
        out = used.directory / "out"
        hosts = {"sfb_management": used.hosts()["sfb_management"]}
        (out / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
        back = used.run("sfb.xmpp.converge", inventory=out)
        assert back.code == 0, back.output
        assert clean(used) == before
        assert federation.send("here we are again").status == "sent"
        came = [federation.peer.came.get(timeout=PATIENCE) for _message in range(2)]
    assert ["as ever" in str(came[0]), "here we are again" in str(came[1])] == [True, True]
    assert store.partners()["a.test"]["ConnectionLimit"] == 5


def test_what_is_protected_stays(used: Plays) -> None:
    protect: dict[str, t.Any] = {"sfb_xmpp_protect": ["b.test", "Desk"]}
    assert way_out(used, "export").code == 0
    run = way_out(used, "remove", **protect)
    assert run.code == 0, run.output
    assert list(used.lab.store().partners()) == ["b.test"]
    xmpp = {name: policy["EnableXmppAccess"] for name, policy in used.lab.store().policies().items()}
    assert xmpp == {"Global": False, "Site:Dublin": False, "Tag:Desk": True}
    refused = way_out(used, "route", **protect)
    assert refused.code != 0
    assert "sfb_xmpp_protect keeps partner b.test, policy Desk" in refused.output


STEPS = [
    *(("Set-CsExternalAccessPolicy", n) for n in range(3)),
    *(("Remove-CsXmppAllowedPartner", n) for n in range(2)),
]


@pytest.mark.nightly
def test_cut_after_every_step_and_run_again(used: Plays) -> None:
    """The connection goes after the first write; from the start, after the second; and so on."""
    assert way_out(used, "export").code == 0
    store = used.lab.store()
    before = {kind: store.all(kind) for kind in ("policy", "partner")}
    faults = Faults(store)
    for cmdlet, skip in STEPS:
        for kind, documents in before.items():
            for key, body in documents.items():
                store.put(kind, key, body)
        faults.add(cmdlet, action="cut", when="after", skip=skip)
        way_out(used, "remove")
        assert not faults.armed(), "the cut came"
        done = way_out(used, "remove")
        assert done.code == 0, done.output
        found = clean(used)
        assert found["partner"] == {}
        assert not any(policy["EnableXmppAccess"] for policy in found["policy"].values())
        assert {n: {**p, "EnableXmppAccess": True} for n, p in found["policy"].items()} == {
            name: {option: same(value) for option, value in body.items()} for name, body in before["policy"].items()
        }


def test_killed_in_the_middle_and_run_again(used: Plays) -> None:
    assert way_out(used, "export").code == 0
    begin = mark(used)
    Faults(used.lab.store()).add("Remove-CsXmppAllowedPartner", action="delay", when="after", seconds=4)
    extra = json.dumps({"sfb_xmpp_decommission": SENTENCE, "sfb_xmpp_into": str(used.directory / "out")})
    command = used.command("sfb.xmpp.decommission", "-e", extra)
    with subprocess.Popen(command, cwd=CHECKOUT, env=used.environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True) as process:  # fmt: skip
        end = time.monotonic() + 60
        while not writes(used, begin) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert writes(used, begin)
    done = way_out(used, "remove")
    assert done.code == 0, done.output
    assert used.lab.store().partners() == {}
    assert not any(policy["EnableXmppAccess"] for policy in used.lab.store().policies().values())
    assert Path(used.directory / "out" / "group_vars").is_dir()
