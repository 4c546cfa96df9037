# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to each host, as a table over values: the first broken link, and what an account can do."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTS, RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.duties import AT_DOORS
from ansible_collections.sfb.xmpp.plugins.module_utils._server import duties
from ansible_collections.sfb.xmpp.plugins.module_utils._server.server import Server
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import KNOWN, roles_with
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import broken_at, code_of
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import WAY, Statement
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import access
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.access import HostAccess, access_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.connect import Need, need_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.options import target, through_proxy
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.connected import Connected, Way, connected_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.settings import NO_ACCESS, AccessChosen, access_chosen

from .test_psrp_options import OPTIONS

ROOT = Path(__file__).resolve().parents[3]
WAY_TO = Way(
    "fe1.a.test", 443, "https://fe1.a.test:443/OcsPowershell", True, True, False, "A\\x", "Microsoft.PowerShell"
)
DOOR = ["sfb_management"]


def silent(
    broken: str, reason: str = "no session on https://fe1.a.test:443/OcsPowershell: why. What to do."
) -> Connected:
    return Connected("h", False, reason, broken=broken, way=WAY_TO)


def answered(*cmdlets: str, clock: float | None = 0.4, way: Way = WAY_TO) -> Connected:
    return Connected("h", True, server=Server("h", "a", True, cmdlets=cmdlets, clock_ahead=clock), way=way)


def states(one: HostAccess) -> dict[str, str]:
    return {seen.link: seen.state for seen in one.links}


@pytest.mark.parametrize("at", access.LINKS[:-2])
def test_what_comes_before_the_broken_link_holds_and_what_comes_after_is_not_looked_at(at: str) -> None:
    one = access_of("h", DOOR, silent("" if at == "controller" else at))
    number = access.LINKS.index(at)
    assert [seen.state for seen in one.links] == (
        ["ok"] * number + ["broken"] + ["not_looked_at"] * (len(access.LINKS) - number - 1)
    )
    assert one.broken is not None
    assert (one.broken.link, one.broken.message) == (at, "why. What to do.")
    assert one.sentence == "h: the link %s is broken: why. What to do." % at
    assert "  broken         %-8s  why. What to do." % at in access.lines([one]) or at == "controller"


WAYS: list[tuple[dict[str, t.Any], str, str, str]] = [
    ({}, "dns", "ok", "fe1.a.test"),
    ({"address": "192.0.2.7"}, "dns", "ok", "192.0.2.7 is an address"),
    ({"address": "fd00::7"}, "dns", "ok", "fd00::7 is an address"),
    ({"proxy": True}, "dns", "not_looked_at", "the proxy resolves the name"),
    ({"proxy": True}, "port", "ok", "443, through a proxy"),
    ({"tls": False}, "tls", "not_looked_at", "ansible_psrp_protocol is http"),
    ({"checked": False}, "tls", "warning", "ansible_psrp_cert_validation is ignore"),
    ({"account": ""}, "login", "ok", "no account is named"),
]


@pytest.mark.parametrize(("other", "link", "state", "words"), WAYS)
def test_a_link_that_the_options_leave_out_is_not_called_good(
    other: dict[str, t.Any], link: str, state: str, words: str
) -> None:
    one = access_of("h", DOOR, answered(*KNOWN, way=replace(WAY_TO, **other)))
    (seen,) = (seen for seen in one.links if seen.link == link)
    assert (seen.state, words in seen.message) == (state, True)
    assert one.broken is None


GRANTS = ("Get-CsUser", "Get-CsEffectivePolicy", "Get-CsExternalAccessPolicy", "Grant-CsExternalAccessPolicy")
READS = tuple("Get-" + resource.noun for resource in RESOURCES)
CMDLETS: list[tuple[str, tuple[str, ...] | None, str, str]] = [
    ("sfb_management", KNOWN, "ok", "all needed cmdlets"),
    ("sfb_management", None, "unknown", "does not list its cmdlets"),
    ("sfb_management", GRANTS, "warning", "enough for grants, not for read, routes, policies, partners, gateway"),
    ("sfb_management", READS, "warning", "; Grant-CsExternalAccessPolicy (CsUserAdministrator or CsAdministrator)."),
    ("sfb_management", GRANTS[1:], "broken", "New-CsXmppAllowedPartner"),
    ("sfb_management", ("Get-CsCertificate",), "broken", "Check ansible_psrp_path: it is OcsPowershell"),
    ("sfb_management", ("Get-CsUser",), "broken", "(CsViewOnlyAdministrator or CsAdministrator)"),
    ("sfb_edge", ("Get-Date",), "broken", "Check ansible_management_shell_modules"),
    ("sfb_edge", ("Get-CsCertificate",), "broken", "an account in the group Administrators"),
    ("sfb_edge", ("Get-CsCertificate", "Get-CsWindowsService"), "warning", "enough for read, not for certificate"),
    ("sfb_front_end", ("Get-CsCertificate", "Get-CsWindowsService"), "warning", "enough for read, not for services"),
]


@pytest.mark.parametrize(("group", "offered", "state", "words"), CMDLETS)
def test_an_account_that_has_a_job_can_be_used(
    group: str, offered: tuple[str, ...] | None, state: str, words: str
) -> None:
    server = Server("h", "a", True, cmdlets=offered, clock_ahead=0.0)
    one = access_of("h", [group], Connected("h", True, server=server, way=WAY_TO))
    (seen,) = (seen for seen in one.links if seen.link == "cmdlets")
    assert (seen.state, words in seen.message) == (state, True), seen.message
    assert {link for link, found in states(one).items() if found == "broken"} <= {"cmdlets"}
    needed = {name for job in access._JOBS[group] for name in job.cmdlets}
    if offered is not None:
        assert {*one.offered, *one.missing} == needed


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(None, "unknown"), (0.0, "ok"), (300.0, "ok"), (-300.0, "ok"), (301.0, "broken"), (-4000.0, "broken")],
)
def test_a_clock_that_is_off_breaks_the_last_link(ahead: float | None, state: str) -> None:
    one = access_of("h", DOOR, answered(*KNOWN, clock=ahead))
    assert states(one)["clock"] == state
    if state == "broken":
        assert "%d s %s the controller's. Set" % (abs(ahead or 0), "ahead of" if (ahead or 0) > 0 else "behind") in (
            one.sentence
        )


def test_what_a_run_comes_to() -> None:
    good, bad = access_of("fe1", DOOR, answered(*KNOWN)), access_of("e1", ["sfb_edge"], silent("tls"))
    one, two = DeploymentHosts("a", ("fe1",)), DeploymentHosts("b", (), (), ("e1",))
    assert access.lines([good])[0] == "All links to all hosts work (1 host)."
    found = access.result([good, bad], [one])
    assert found["ansible_stats"]["data"]["sfb_xmpp_result"] == "ok", "the deployment of the run"
    found = access.result([good, bad], [one, two])
    assert found["ansible_stats"] == {
        "data": {"sfb_xmpp_result": {"a": "ok", "b": "failed"}, "sfb_xmpp_changes": {"a": 0, "b": 0}},
        "aggregate": True,
        "per_host": False,
    }
    assert list(found["sentences"]) == ["e1"]
    assert found["report"][0] == "1 of 2 hosts cannot be used. The first broken link of each: e1 (tls)."
    assert json.loads(json.dumps(found)) == found
    # Ansible's own result, of a host whose variables cannot be evaluated, and a host that nobody asked.
    odd = access_of("h", DOOR, connected_of("h", {"failed": True, "msg": "'x' is undefined"}))
    assert odd.broken is not None
    assert (odd.broken.link, odd.endpoint) == ("controller", "")
    assert states(access_of("h", DOOR, None))["controller"] == "broken"


def test_the_way_travels_in_the_result_and_the_link_in_the_code_of_an_error() -> None:
    one = silent("port")
    assert connected_of("h", json.loads(json.dumps(one.as_dict()))) == one
    assert [broken_at(code_of(link)) for link in WAY] == list(WAY)
    assert code_of("") is None
    # The codes of JSON-RPC's own errors, and none.
    assert [broken_at(code) for code in (-32603, -32000, 0, 6, None, "1")] == [""] * 6


TAGS: list[tuple[str, tuple[str, ...], tuple[str, ...], AccessChosen]] = [
    ("preflight", ("access",), (), AccessChosen(True, True)),
    ("preflight", ("access", "all"), (), AccessChosen(True, False)),
    ("preflight", ("all",), (), NO_ACCESS),
    ("preflight", ("access",), ("access",), NO_ACCESS),
    ("converge", ("access",), (), NO_ACCESS),
]


@pytest.mark.parametrize(("playbook", "run", "skip", "expected"), TAGS)
def test_it_is_looked_at_where_the_tag_is_named(
    playbook: str, run: tuple[str, ...], skip: tuple[str, ...], expected: AccessChosen
) -> None:
    assert access_chosen(playbook, run, skip) == expected


def test_nothing_but_cmdlets_and_clock_is_asked_for() -> None:
    mine = DeploymentHosts("a", ("fe1", "fe2"), ("w1",), ("e1",))
    for host in mine.hosts:
        assert need_of("preflight", host, mine, {}, PARTS, True, AccessChosen(True, True)) == Need(("cmdlets", "clock"))
    both = need_of("preflight", "e1", mine, {}, PARTS, True, AccessChosen(True, False))
    assert both is not None
    assert (both.gather, bool(both.certificates)) == (("cmdlets", "clock", "services"), True)


PROXIES: list[tuple[dict[str, t.Any], dict[str, str], bool]] = [
    ({}, {}, False),
    ({}, {"https_proxy": "http://proxy"}, True),
    ({"protocol": "http"}, {"https_proxy": "http://proxy"}, False),
    ({}, {"all_proxy": "http://proxy"}, True),
    ({}, {"https_proxy": "http://proxy", "no_proxy": "contoso.example"}, False),
    ({"ignore_proxy": True}, {"https_proxy": "http://proxy"}, False),
    ({"proxy": "http://proxy", "ignore_proxy": True}, {}, True),
]


@pytest.mark.parametrize(("options", "environment", "expected"), PROXIES)
def test_a_proxy_is_known_as_the_library_knows_it(
    options: dict[str, t.Any], environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert through_proxy(target({**OPTIONS, "ignore_proxy": False, "proxy": None, **options})) is expected


# Jobs


def test_the_jobs_follow_from_the_code() -> None:
    at_doors = {job.name: job for job in AT_DOORS}
    assert list(at_doors) == ["read", "routes", "policies", "partners", "gateway", "grants"]
    assert at_doors["grants"].cmdlets == GRANTS
    assert set(at_doors["partners"].cmdlets) == {
        "%s-CsXmppAllowedPartner" % verb for verb in ("Get", "New", "Set", "Remove")
    }
    assert set(at_doors["gateway"].writes) == {"Set-CsXmppGatewayConfiguration", "Set-CsAccessEdgeConfiguration"}
    assert at_doors["routes"].writes == ("Set-CsSite",)
    everything = {name for job in (*AT_DOORS, *duties.ON_EDGES, *duties.ON_FRONT_ENDS) for name in job.cmdlets}
    assert everything <= set(KNOWN)
    # What writes and is no job of its own: replication, a backup, test messages.
    writes = {name for name in KNOWN if not Statement(name).is_read}
    assert writes - everything == {"Export-CsConfiguration", "Invoke-CsManagementStoreReplication", "Test-CsXmppIM"}


def test_the_job_of_the_certificate_has_the_cmdlets_of_its_code() -> None:
    folder = ROOT / "plugins" / "module_utils"
    code = [*(folder / "_edge_certificate").glob("*.py"), folder / "_topology" / "services.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in code)
    named = {name for name in KNOWN if '"%s"' % name in text and "-Cs" in name}
    # The version only chooses how bytes are written.
    assert {name for job in duties.ON_EDGES for name in job.cmdlets} == named - {"Get-CsServerVersion"}


ROLES: list[tuple[tuple[str, ...], str]] = [
    (("Grant-CsExternalAccessPolicy",), "CsUserAdministrator CsAdministrator"),
    (("Get-CsUser",), "CsUserAdministrator CsViewOnlyAdministrator CsAdministrator"),
    (("Get-CsSite",), "CsViewOnlyAdministrator CsAdministrator"),
    (("Stop-CsWindowsService",), "CsServerAdministrator CsAdministrator"),
    (("Grant-CsExternalAccessPolicy", "Set-CsExternalAccessPolicy"), "CsAdministrator"),
    (("Get-Date",), "CsAdministrator"),
]


@pytest.mark.parametrize(("cmdlets", "expected"), ROLES)
def test_the_roles_that_have_cmdlets(cmdlets: tuple[str, ...], expected: str) -> None:
    assert " ".join(roles_with(cmdlets)) == expected
