# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that only read and write files, with two different deployments: first in check mode, then for real.

Each deployment has files of its own, and the event logs say which servers were asked what.
"""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
import yaml

from lab.cmdlets.partners import DEFAULTS
from lab.deployment.shape import read_shape
from lab.inventory import Place, inventory
from lab.replay import capture as captures
from lab.testing import Lab, running_deployments
from tests.integration.management import renewed
from tests.integration.plays import Plays, Run

SHAPES = {"contoso": read_shape("two-sites"), "fourthcoffee": read_shape("fourthcoffee")}
USERS = {"contoso": "ialmeida@contoso.test", "fourthcoffee": "nadams@fourthcoffee.test"}
DOORS = {"contoso": {"fe01", "fe11"}, "fourthcoffee": {"fe01", "fe02"}}
PARTNERS = {"contoso": "a.example", "fourthcoffee": "b.example"}


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Lab]]:
    with running_deployments(tmp_path_factory.mktemp("two"), SHAPES) as found:
        for name, lab in found.items():
            renewed(lab).store().put("partner", PARTNERS[name], {**DEFAULTS, "AdditionalDomains": []})
        yield found


@pytest.fixture
def plays(labs: dict[str, Lab]) -> t.Iterator[Plays]:
    """Relative paths of a run are those of its directory ``work``."""
    runner = Plays(labs["contoso"])
    (runner.directory / "work").mkdir()
    yield runner
    runner.close()


def hosts(labs: dict[str, Lab]) -> dict[str, t.Any]:
    return inventory({name: Place(lab.directory, lab.port, lab.profile, lab.shape) for name, lab in labs.items()})


class Done(t.NamedTuple):
    """A run, the files that it left, and the servers to which it opened a session, by deployment."""

    run: Run
    files: list[Path]
    opened: dict[str, set[str]]


def twice(plays: Plays, labs: dict[str, Lab], name: str, *arguments: str, given: t.Any = None) -> Done:
    """A playbook in check mode, which leaves nothing behind, and then for real.

    Nothing but what reads was sent to any server.
    """
    where = plays.write("hosts.yml", given or hosts(labs))
    work = plays.directory / "work"
    begin = {label: max((event.id for event in lab.store().events()), default=0) for label, lab in labs.items()}
    before = set(plays.directory.rglob("*.key"))
    opened: dict[str, set[str]] = {}
    for more in (["--check", "--diff"], []):
        run = plays.run("sfb.xmpp." + name, *arguments, *more, inventory=where, directory=work)
        assert run.code == 0, run.output[-4000:]
        if more:
            assert list(work.rglob("*")) == []
            assert set(plays.directory.rglob("*.key")) == before
            assert "+++ after" in run.output, "the files are in the diff"
    for label, lab in labs.items():
        sent = {event.cmdlet for event in lab.store().events(begin[label]) if event.kind == "statement"}
        assert {cmdlet for cmdlet in sent if not cmdlet.startswith("Get-")} <= {"Select-Object", "Import-Module"}
        opened[label] = {event.host for event in lab.store().events(begin[label]) if event.kind == "session-open"}
    return Done(run, sorted(path for path in work.rglob("*") if path.is_file()), opened)


def modes(files: t.Iterable[Path]) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_export(plays: Plays, labs: dict[str, Lab]) -> None:
    run, files, opened = twice(plays, labs, "export", "-e", "sfb_xmpp_into=out")
    into = plays.directory / "work" / "out"
    assert {str(path.relative_to(into)) for path in files} == {
        "%s/%s" % (label, name) for label in labs for name in ("README.md", "group_vars/all/sfb_xmpp.yml")
    }
    assert modes(files) == {0o600}
    assert opened == DOORS, "both at once; the first that answered does the work"
    for label in labs:
        values = yaml.safe_load((into / label / "group_vars" / "all" / "sfb_xmpp.yml").read_text())
        assert [one["domain"] for one in values["sfb_xmpp_partners"]] == [PARTNERS[label]]
        assert "Deployment %s\nThe export in %s is written." % (label, into / label) in run.output
    again = plays.run("sfb.xmpp.export", "-e", "sfb_xmpp_into=%s" % into, inventory=plays.directory / "hosts.yml")
    assert (again.code, again.output.count("is unchanged")) == (0, 2), again.output


def test_one_that_cannot_be_read_ends_with_2_and_the_other_is_exported(plays: Plays, labs: dict[str, Lab]) -> None:
    given = hosts(labs)
    for name, variables in given["sfb_management"]["hosts"].items():
        if name.endswith("fourthcoffee.test"):
            variables["ansible_password"] = "wrong"
    where = plays.write("hosts.yml", given)
    run = plays.run("sfb.xmpp.export", inventory=where, directory=plays.directory / "work")
    assert run.code == 2, run.output
    assert [path.name for path in (plays.directory / "work" / "sfb-xmpp-export").iterdir()] == ["contoso"]


def test_migration(plays: Plays, labs: dict[str, Lab]) -> None:
    run, files, opened = twice(plays, labs, "migration", "-e", "sfb_xmpp_for_users=" + ",".join(USERS.values()))
    assert [str(path.relative_to(plays.directory / "work")) for path in files] == [
        "sfb-xmpp-migration/%s/migration.md" % label for label in labs
    ]
    assert modes(files) == {0o600}
    assert opened == DOORS, "both at once; the first that answered does the work"
    for path, (label, user) in zip(files, USERS.items(), strict=True):
        text = path.read_text(encoding="utf-8")
        other = next(name for name in USERS.values() if name != user)
        assert "(%s)" % label in text
        assert "| sip:%s" % user in text
        assert "- %s:" % other in text, "a user of the other deployment is not found in this one"
    assert run.output.count("The report") == 2


@pytest.mark.nightly
def test_capture_ends_with_a_file_whatever_fails(plays: Plays, labs: dict[str, Lab]) -> None:
    given = hosts(labs)
    management = given["sfb_management"]["hosts"]
    first = next(iter(management.values()))
    management["broken.contoso.test"] = {**first, "ansible_user": "{{ not_there }}"}
    management["gone.contoso.test"] = {**first, "ansible_port": 1}
    run, files, opened = twice(plays, labs, "capture", "-e", "sfb_xmpp_into=seen.json", given=given)
    assert [path.name for path in files] == ["seen-contoso.json", "seen-fourthcoffee.json"]
    assert modes(files) == {0o600}
    words = " ".join(run.output.split())
    for label, path in zip(labs, files, strict=True):
        text = path.read_text(encoding="utf-8")
        found = captures.read(path)
        assert label not in text
        assert "not_there" not in text
        silent = [host for host in found.hosts if not host.statements]
        assert len(silent) == (2 if label == "contoso" else 0)
        edges = labs[label].shape.edges()
        assert opened[label] == {*DOORS[label], *edges}
        refused = ["%s.%s.test: Get-CsXmppAllowedPartner: Cannot connect to" % (edge, label) for edge in edges]
        assert [one for one in refused if one not in words] == []
        missing = len(edges) + 21 * len(silent)
        assert "of %d servers. %d are missing:" % (len(found.hosts), missing) in words
    assert "gone.contoso.test: no answer: " in words
    assert "broken.contoso.test: no answer: " in words


def test_import_connects_to_nothing(plays: Plays, labs: dict[str, Lab]) -> None:
    table = plays.directory / "partners.csv"
    table.write_text("domain;tls\na.example;required\n")
    run, files, opened = twice(
        plays, labs, "import", "-e", "sfb_xmpp_import_partners=%s" % table, "-e", "sfb_xmpp_into=x.yml"
    )
    assert [path.name for path in files] == ["x.yml"]
    assert opened == {key: set() for key in labs}
    assert "x.yml now has 1 partner." in run.output


@pytest.mark.nightly
def test_rehearse_connects_to_no_host_of_the_inventory(plays: Plays, labs: dict[str, Lab]) -> None:
    doors = hosts(labs)["sfb_management"]["hosts"]
    # One door for each, and no Edges: test_rehearse has inventories with Edges.
    given = {"sfb_management": {"hosts": {name: one for name, one in doors.items() if name.startswith("fe01")}}}
    for variables in given["sfb_management"]["hosts"].values():
        variables["sfb_xmpp_partners"] = [{"domain": PARTNERS[variables["sfb_xmpp_deployment"]]}]
        variables["sfb_xmpp_access_edge"] = {"allow_federated_users": True}
    run, files, opened = twice(plays, labs, "rehearse", "-e", "sfb_xmpp_into=build", given=given)
    assert [path.name for path in files] == ["rehearsal.md", "rehearsal.xml"]
    assert opened == {key: set() for key in labs}
    assert run.output.count("starts a lab as sfb2015") == 2
    assert "real server" not in run.output
