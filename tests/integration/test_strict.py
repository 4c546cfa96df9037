# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment with everything at once that real ones may have: every playbook and every command against it.

With both accounts, in check mode and for real; strict_table.py says how each ends. A sample of the table is part of
every run, all of it of ``make nightly``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import ShellError

from lab.deployment.ready import make_ready
from lab.deployment.shape import read_shape, shape_in
from lab.deployment.store import Store
from lab.deployment.strict import make_strict
from lab.inventory import Place, inventory
from lab.testing import Lab, running_lab
from tests.integration import strict_table
from tests.integration.management import NAMESERVER, READS, Management, renewed, target
from tests.integration.plays import CHECKOUT, Plays, Run
from tests.integration.strict_table import COMMANDS, DOOR, EDGE, End
from tests.integration.strict_table import TABLE as PLAYBOOKS

ACCOUNTS = {"CsAdministrator": ("admin", "Lab-admin-1"), "CsViewOnlyAdministrator": ("viewer", "Lab-viewer-1")}
EDGE_ACCOUNT = ("Administrator", "Lab-edge-1")
SAMPLE = (
    ("federation_info", "CsAdministrator", True),
    ("preflight_info", "CsViewOnlyAdministrator", False),
    ("grants", "CsAdministrator", False),
    ("grants", "CsViewOnlyAdministrator", False),
)
RUNS_SAMPLE = (("audit", "CsViewOnlyAdministrator", False), ("converge", "CsViewOnlyAdministrator", False))


def chosen(names: t.Iterable[str], sample: t.Sequence[tuple[str, str, bool]]) -> list[t.Any]:
    """All ways to run these. What is no sample is left to ``make nightly``."""
    ways = itertools.product(names, ACCOUNTS, (True, False))
    return [pytest.param(*way, marks=() if way in sample else (pytest.mark.nightly,)) for way in ways]


@pytest.fixture
def strict(lab: Lab) -> Lab:
    return made_strict(lab)


@pytest.fixture(scope="session")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """A lab with an Edge pool in each of two sites."""
    with running_lab(tmp_path_factory.mktemp("two"), shape=read_shape("two-sites")) as running:
        yield running


def made_strict(lab: Lab) -> Lab:
    """Federation is set up there, and everything is as it may be."""
    store = renewed(lab).store()
    make_ready(store)
    make_strict(store)
    return lab


def content(store: Store) -> dict[str, t.Any]:
    """Everything of the store that a playbook might change, by a name for people."""
    found: dict[str, t.Any] = {}
    for kind in ("policy", "partner", "gateway", "access_edge", "site", "sip_domain"):
        found.update({"%s %s" % (kind, key): body for key, body in store.all(kind).items()})
    found.update({"service " + key: body["Status"] for key, body in store.all("service").items()})
    users = store.all("user")
    found.update({"grant " + users[dn]["SipAddress"][4:]: policy for dn, policy in store.grants().items()})
    for host in shape_in(store).edges():
        for name, used in (("assigned", store.assignments(host)), ("presented", store.presented(host))):
            found.update({"%s %s %s" % (name, host, usage): thumbprint for usage, thumbprint in used.items()})
    return found


@contextlib.contextmanager
def watched(store: Store) -> t.Iterator[t.Callable[[int], End]]:
    """Gives a function that says how what ran in the block has ended, with its code."""
    before, mark = content(store), max((event.id for event in store.events()), default=0)

    def end(code: int) -> End:
        after = content(store)
        done = [e for e in store.events(mark) if e.kind == "statement" and e.outcome == "ok"]
        changes = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        sent = {event.cmdlet for event in done if not event.cmdlet.startswith(READS)}
        return End(code, tuple(changes), tuple(sorted(sent)))

    yield end


def connected(lab: Lab, host: str, role: str) -> Management:
    """A session with that account."""
    user, password = ACCOUNTS[role] if host != EDGE else EDGE_ACCOUNT
    name, _slash, shell = host.partition("/")
    modules = () if host == DOOR else ("SkypeForBusiness",)
    account = user if host == EDGE else "CONTOSO\\" + user
    return Management(lab, target(lab, name, account, password, modules, winrm=bool(shell)))


@pytest.mark.parametrize(("name", "role", "check"), chosen(COMMANDS, SAMPLE))
def test_a_command_on_a_strict_deployment(strict: Lab, tmp_path: Path, name: str, role: str, check: bool) -> None:
    command = COMMANDS[name]
    management = connected(strict, command.host, role)
    arguments = dict(command.arguments)
    if "key_file" in command.task.argument_spec:
        arguments["key_file"] = str(tmp_path / "key")
    told = ""
    with watched(strict.store()) as end, contextlib.closing(management.session):
        try:
            result = management.run(command.task, check=check, **arguments)
            code, told = (2 if result.failures else 0), " ".join(map(str, result.failures))
        except (Refused, ServerRefused, ShellError) as exc:
            code, told = 2, str(exc)
    ends = command.administrator if role == "CsAdministrator" else command.viewer
    assert end(code) == ends[not check], told


def test_odd_texts_are_named_and_never_written_back(strict: Lab) -> None:
    """Of which property and object they are, as visible escapes; a run that declares something else leaves them."""
    management = Management(strict, target(strict, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    before = strict.store().partners()["odd.example"]
    found = management.run(tasks.FEDERATION_INFO).values
    told = {one["identity"]: one["message"] for one in found["findings"] if one["code"] == "no_character"}
    assert "description" in told["odd.example"]
    assert "U+FFFE" in told["odd.example"]
    assert "U+D83D" in told["1.odd.example"]
    result = management.run(FEDERATION, partners=[{"domain": "odd.example", "connection_limit": 7}])
    management.session.close()
    assert [step["parameters"] for step in result.steps or []] == [
        {"Identity": "odd.example", "ConnectionLimit": 7, "Confirm": False}
    ]
    assert strict.store().partners()["odd.example"] == {**before, "ConnectionLimit": 7}


def test_one_odd_object_ends_no_first_look(strict: Lab) -> None:
    """It is named with its property, and everything else is read. A run that needs it is refused."""
    store = strict.store()
    store.set_setting("odd_forms", [*store.setting("odd_forms"), "odd-user", "odd-site", "odd-replica"])
    management = connected(strict, DOOR, "CsAdministrator")
    with contextlib.closing(management.session):
        for name in ("federation_info", "migration_info", "explain_info"):
            management.run(COMMANDS[name].task, **COMMANDS[name].arguments)
        unseen = management.run(COMMANDS["topology_info"].task).values["unobserved"]
        assert "Dublin: FederationRoute" in next(one["reason"] for one in unseen if one["cmdlet"] == "Get-CsSite")
        found = management.run(COMMANDS["preflight_info"].task, records=False).values["findings"]
        (told,) = [one["message"] for one in found if one["code"] == "unreadable"]
        assert [word in told for word in ("RegistrarPool", "UpToDate")] == [True] * 2
        # Who is homed on a pool is not known then, so nobody is granted anything by it.
        policy = {**strict_table.POLICIES[0], "granted_to": {"pool": "fe01.contoso.test"}}
        with watched(store) as end, pytest.raises(Refused, match="RegistrarPool"):
            management.run(FEDERATION, policies=[policy])
        assert end(2) == End(2)
        # A partner depends on none of them. That the run cannot wait for its replicas is told.
        done = management.run(
            FEDERATION, partners=[{"domain": "new.example", **strict_table.ROW}], replication="wait", preflight=True
        )
    assert (done.changed, done.failures) == (True, [])
    assert "UpToDate" in " ".join(done.values["report"])


def test_a_route_that_is_not_shown_is_set_with_force_only(strict: Lab) -> None:
    management = Management(strict, target(strict, "fe01", "CONTOSO\\admin", "Lab-admin-1"))
    mark = management.mark()
    wanted: dict[str, t.Any] = {"federation_routes": [{"site": "Dublin", "edge_pool": "edge.contoso.test"}]}
    with pytest.raises(Refused, match="does not show the XMPP federation route"):
        management.run(FEDERATION, **wanted)
    assert management.writes(mark) == []
    assert not management.run(FEDERATION, force=True, **wanted).failures
    clear: dict[str, t.Any] = {"federation_routes": [{"site": "Dublin", "edge_pool": ""}], "allow": ["clear_route"]}
    assert [management.run(FEDERATION, **clear).changed for _time in range(2)] == [True, False]
    assert not management.run(FEDERATION, force=True, **wanted).failures
    assert strict.store().get("site", "Dublin")["XmppFederationRoute"] == "EdgeServer:edge.contoso.test"  # type: ignore[index]
    management.session.close()


CSV = "Domain,Description,TlsNegotiation\r\nodd.example,a\ufffeb,Required\r\n"


def inventory_for(plays: Plays, role: str, settings: t.Mapping[str, t.Any]) -> Path:
    """The lab's hosts, with the account on the domain's servers."""
    lab = plays.lab
    groups = t.cast("dict[str, t.Any]", inventory({"": Place(lab.directory, lab.port, lab.profile, lab.shape)}))
    user, password = ACCOUNTS[role]
    for group in ("sfb_management", "sfb_front_end"):
        for host in groups[group]["hosts"].values():
            host.update(ansible_user="CONTOSO\\" + user, ansible_password=password)
    nameserver = "%s:%d" % (NAMESERVER, lab.xmpp_port)
    common = {
        "sfb_xmpp_verification": {"nameservers": [nameserver], "timeout": 1, "allow_local": True},
        "sfb_xmpp_audit": {"probe": False},
    }
    groups["all"] = {"vars": {**common, **settings}}
    return plays.write("%s.yml" % role, groups)


def play(plays: Plays, name: str, role: str, check: bool) -> Run:
    row = PLAYBOOKS[name]

    def placed(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(json.dumps(values).replace("DIRECTORY", str(plays.directory)))
        return found

    words = ["-e", json.dumps(placed(row.once)), *(["--check"] if check else [])]
    return plays.run(
        "sfb.xmpp." + name.partition(" ")[0], *words, inventory=inventory_for(plays, role, placed(row.settings))
    )


@pytest.mark.parametrize(("name", "role", "check"), chosen(PLAYBOOKS, RUNS_SAMPLE))
def test_a_playbook_on_a_strict_deployment(request: pytest.FixtureRequest, name: str, role: str, check: bool) -> None:
    row = PLAYBOOKS[name]
    lab = made_strict(request.getfixturevalue("two_sites" if row.shape else "lab"))
    plays = Plays(lab)
    try:
        (plays.directory / "partners.csv").write_text(CSV, encoding="utf-8")
        for first in row.before:
            assert play(plays, first, "CsAdministrator", check=False).code == 0
        with watched(lab.store()) as end:
            run = play(plays, name, role, check)
        ends = row.administrator if role == "CsAdministrator" else row.viewer
        assert end(run.code) == ends[not check], run.output
    finally:
        plays.close()
    assert "Traceback" not in run.output
    assert role == "CsAdministrator" or row.told in " ".join(run.output.split())


def test_the_table_is_whole() -> None:
    playbooks = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))
    assert sorted({name.partition(" ")[0] for name in PLAYBOOKS}) == playbooks
