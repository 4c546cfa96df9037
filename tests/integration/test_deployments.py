# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several deployments in one inventory: side by side, each with Edges of its own, and none harmed by another."""

from __future__ import annotations

import typing as t

import pytest

from lab.deployment.faults import Faults
from lab.testing import Lab, running_labs
from tests.integration.plays import Plays, Run
from tests.integration.test_certificate_playbook import ACCESS_EDGE, EDGES, issued, of, put
from tests.unit.certificates import PASSPHRASE

NAMES = ("d1", "d2", "d3", "d4", "d5")
REFUSING = 1  # a port at which nobody listens

Hosts = dict[str, dict[str, t.Any]]


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Lab]]:
    with running_labs(tmp_path_factory.mktemp("labs"), len(NAMES)) as found:
        yield dict(zip(NAMES, found, strict=True))


@pytest.fixture
def deployments(labs: dict[str, Lab]) -> t.Iterator[dict[str, Plays]]:
    """By the deployment's name. Runs are started with the first; the others know the hosts of their lab."""
    found = {name: Plays(lab) for name, lab in labs.items()}
    yield found
    for plays in found.values():
        plays.close()


def hosts(deployments: dict[str, Plays], group: str, names: t.Iterable[str], deployment: str) -> Hosts:
    """Hosts of a deployment's lab with all their variables, as ``fe01-d1``."""
    of_lab = deployments[deployment].hosts()[group]
    common = {**of_lab["vars"], "sfb_xmpp_deployment": deployment}
    return {"%s-%s" % (name, deployment): {**common, **of_lab["hosts"][name]} for name in names}


def certificate(plays: Plays, **source: str) -> dict[str, t.Any]:
    path = str(plays.directory / "gateway.pfx")
    return {
        "access_edge": ACCESS_EDGE,
        "sip_domains": ["contoso.test"],
        "xmpp_domains": ["contoso.test"],
        "source": source or {"type": "pkcs12", "path": path, "passphrase": PASSPHRASE},
    }


def run(
    deployments: dict[str, Plays], playbook: str, variables: dict[str, t.Any], *arguments: str, **groups: Hosts
) -> Run:
    plays = next(iter(deployments.values()))
    children = {"sfb_" + group: {"hosts": found} for group, found in groups.items()}
    inventory = plays.write("several.yml", {"all": {"vars": variables, "children": children}})
    return plays.run(playbook, *arguments, inventory=inventory)


def cmdlets(lab: Lab, host: str) -> list[str]:
    return [event.cmdlet for event in lab.store().events() if event.kind == "statement" and event.host == host]


def test_one_that_refuses_connections_stops_no_other(labs: dict[str, Lab], deployments: dict[str, Plays]) -> None:
    plays = deployments["d1"]
    management: Hosts = {}
    for name in NAMES:
        management.update(hosts(deployments, "sfb_management", ["fe01"], name))
        management["fe01-" + name]["sfb_xmpp_partners"] = [{"domain": "%s.example" % name}]
    management["fe01-d3"]["ansible_port"] = REFUSING
    edges = {**hosts(deployments, "sfb_edge", ["edge01"], "d3"), **hosts(deployments, "sfb_edge", ["edge01"], "d5")}
    put(plays.directory, one := issued())
    given = {"sfb_xmpp_certificate": certificate(plays)}
    done = run(deployments, "sfb.xmpp.converge", given, management=management, edge=edges)
    assert done.code == 2, done.output[-3000:]
    assert [failure.host for failure in done.failures()] == ["fe01-d3", "edge01-d3"], done.output[-6000:]
    for name, lab in labs.items():
        expected = [] if name == "d3" else ["%s.example" % name]
        assert list(lab.store().partners()) == expected
        assert ("sfb.xmpp plan for %s (fe01-%s)" % (name, name) in done.output) is bool(expected)
        assert len(list((plays.directory / "home").rglob("*-%s.yml" % name))) == len(expected)
    # Its Edges could be reached.
    assert done.failures()[1].result["msg"] == "This Edge was skipped, because fe01-d3 failed."
    assert {name.partition("-")[0] for name in cmdlets(labs["d3"], "edge01")} <= {"Get", "Select", "Import"}
    assert labs["d5"].store().presented("edge01")["XmppServer"] == one.thumbprint


def test_edges_stop_and_count_within_their_deployment(labs: dict[str, Lab], deployments: dict[str, Plays]) -> None:
    plays = deployments["d1"]
    put(plays.directory, one := issued())
    edges = {**hosts(deployments, "sfb_edge", EDGES, "d1"), **hosts(deployments, "sfb_edge", EDGES, "d2")}
    # The only one of its pool: its key may be made on the Edge.
    edges.update(hosts(deployments, "sfb_edge", ["edge01"], "d4"))
    files = {name: str(plays.directory / ("gateway." + name)) for name in ("request", "answer")}
    edges["edge01-d4"]["sfb_xmpp_certificate"] = certificate(plays, type="request", key_on="edge", **files)
    Faults(labs["d2"].store()).add("Set-CsCertificate", host="edge01")
    done = run(deployments, "sfb.xmpp.certificate", {"sfb_xmpp_certificate": certificate(plays)}, edge=edges)
    assert done.code == 2, done.output[-3000:]
    assert [failure.host for failure in done.failures()] == ["edge01-d2", "edge02-d2"]
    assert done.failures()[-1].result["msg"] == "This Edge was skipped, because edge01-d2 failed."
    assert "edge02-d2 has none." in done.failures()[0].result["msg"]
    assert "d1" not in done.failures()[0].result["msg"]
    assert [labs["d1"].store().presented(edge).get("XmppServer") for edge in EDGES] == [one.thumbprint] * 2
    assert [labs["d2"].store().presented(edge).get("XmppServer") for edge in EDGES] == [None] * 2
    assert "Import-CsCertificate" in cmdlets(labs["d2"], "edge02")
    assert "Set-CsCertificate" not in cmdlets(labs["d2"], "edge02")
    restarts = [e.host for e in labs["d1"].store().events() if e.cmdlet.endswith("-CsWindowsService") and e.host]
    assert [host for host in restarts if host in EDGES] == sorted(restarts), "one after the other"
    (asked,) = [task for task in of(done, "Stage the certificate") if task.host == "edge01-d4"]
    assert asked.result["pending"]


def test_two_ways_into_one_deployment_declare_the_same(labs: dict[str, Lab], deployments: dict[str, Plays]) -> None:
    first = hosts(deployments, "sfb_management", ["fe01"], "d2")
    ((_name, values),) = first.items()
    management: Hosts = {
        "left": {**values, "sfb_xmpp_partners": [{"domain": "a.example"}]},
        "right": {**values, "sfb_xmpp_partners": [{"domain": "b.example"}]},
        **hosts(deployments, "sfb_management", ["fe01"], "d4"),
    }
    before = list(labs["d2"].store().partners())
    done = run(
        deployments, "sfb.xmpp.converge", {"sfb_xmpp_partners": [{"domain": "c.example"}]}, management=management
    )
    assert done.code == 2
    assert [failure.host for failure in done.failures()] == ["right"]
    text = "sfb_xmpp_partners: the hosts left and right of one deployment have different values."
    text += " Set the same value for both"
    assert text in done.failures()[0].result["msg"]
    assert list(labs["d2"].store().partners()) == before
    assert "c.example" not in labs["d4"].store().partners(), "a mistake ends the run for all"


@pytest.mark.parametrize(
    ("doors", "broken", "forks"),
    [
        pytest.param(2, 0, "5", id="first"),
        pytest.param(2, 0, "1", id="one fork", marks=pytest.mark.nightly),
        pytest.param(3, 1, "5", id="middle", marks=pytest.mark.nightly),
    ],
)
def test_a_way_in_whose_variables_cannot_be_read_stops_no_other(
    doors: int, broken: int, forks: str, labs: dict[str, Lab], deployments: dict[str, Plays]
) -> None:
    """Its process fails before the task begins. Another one of the deployment does the work, so it is not needed."""
    ((_name, values),) = hosts(deployments, "sfb_management", ["fe01"], "d3").items()
    management: Hosts = {"door%d" % number: dict(values) for number in range(doors)}
    management["door%d" % broken]["ansible_user"] = "{{ not_there }}"
    if broken:
        management["door0"]["ansible_port"] = REFUSING
    domain = "%d-%s.example" % (doors, forks)
    edge: Hosts = {}
    given: dict[str, t.Any] = {"sfb_xmpp_partners": [{"domain": domain}]}
    if (doors, forks) == (2, "5"):
        # The other door has done the work, so the Edge servers are not left alone.
        edge = hosts(deployments, "sfb_edge", ["edge01"], "d3")
        put(deployments["d1"].directory, one := issued())
        given["sfb_xmpp_certificate"] = certificate(deployments["d1"])
    begin = max((event.id for event in labs["d3"].store().events()), default=0)
    done = run(deployments, "sfb.xmpp.converge", given, "--forks", forks, management=management, edge=edge)
    assert done.code == 0, done.output[-3000:]
    assert {one.host for one in done.tasks if one.state == "ignored"} == {"door%d" % n for n in range(doors - 1)}
    words = " ".join(done.output.split())
    assert "'not_there' is undefined" in words
    assert "door%d does not answer, so another host of its deployment is used: " % broken in words
    assert domain in labs["d3"].store().partners()
    writes = [e for e in labs["d3"].store().events(begin) if e.cmdlet == "New-CsXmppAllowedPartner"]
    assert len(writes) == 1
    assert "sfb.xmpp plan for d3 (door%d)" % (doors - 1) in done.output
    if edge:
        assert labs["d3"].store().presented("edge01")["XmppServer"] == one.thumbprint


def test_a_snapshot_goes_back_to_its_own_deployment_only(labs: dict[str, Lab], deployments: dict[str, Plays]) -> None:
    plays = deployments["d1"]
    both: Hosts = {
        **hosts(deployments, "sfb_management", ["fe01"], "d4"),
        **hosts(deployments, "sfb_management", ["fe01"], "d5"),
    }
    wanted = {"sfb_xmpp_partners": [{"domain": "came.example"}]}
    made = run(deployments, "sfb.xmpp.converge", wanted, management=both)
    assert made.code == 0, made.output[-3000:]
    file = sorted((plays.directory / "home").rglob("*-d5.yml"))[-1]
    before = {name: set(labs[name].store().partners()) for name in ("d4", "d5")}
    assert all("came.example" in found for found in before.values())
    given = {"sfb_xmpp_snapshot_file": file.name}
    force = ("-e", '{"sfb_xmpp_force": true}')

    one = {k: v for k, v in both.items() if k == "fe01-d4"}
    strange = run(deployments, "sfb.xmpp.restore", given, *force, management=one)
    assert strange.code == 2
    words = " ".join(strange.output.split())
    text = "sfb_xmpp_snapshot_file: %s is a snapshot of the deployment d5. This run has the deployment d4." % file
    assert text in words
    assert {name: set(labs[name].store().partners()) for name in before} == before

    done = run(deployments, "sfb.xmpp.restore", given, *force, management=both)
    assert done.code == 0, done.output[-3000:]
    text = "Nothing is restored in the deployment d4, because %s is a snapshot of the deployment d5." % file
    assert text in done.output
    assert set(labs["d4"].store().partners()) == before["d4"]
    assert set(labs["d5"].store().partners()) == before["d5"] - {"came.example"}


@pytest.mark.parametrize("playbook", ["certificate", "verify", "preflight", "export", "audit", "history"])
def test_every_playbook_refuses_a_misspelt_variable_before_it_connects(
    playbook: str, labs: dict[str, Lab], deployments: dict[str, Plays]
) -> None:
    opened = len(labs["d1"].store().events())
    given = {"sfb_xmpp_partnres": [], "sfb_xmpp_certificate": {"names": ["edge.test"]}}
    groups = {
        "management": hosts(deployments, "sfb_management", ["fe01"], "d1"),
        "edge": hosts(deployments, "sfb_edge", ["edge01"], "d1"),
    }
    done = run(deployments, "sfb.xmpp." + playbook, given, **groups)
    assert done.code == 2, done.output[-3000:]
    assert "sfb_xmpp_partnres: there is no such variable (did you mean sfb_xmpp_partners?)" in done.output
    assert labs["d1"].store().events()[opened:] == []
