# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do by hand after XMPP: only what applies, with commands that can be copied."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.show import wrapped
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.kept import KeptFile, kept_files
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.left_over import (
    KeysLeft,
    LeftOver,
    WayOut,
    keys_of,
    left_over,
    lines,
    quoted,
    reached,
)

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "docsite" / "rst" / "guide_quickstart.rst"
ALWAYS = ["role_group", "firewall", "srv_records", "inventory"]


def codes(way: WayOut) -> list[str]:
    return [one.code for one in left_over(way)]


def entry(way: WayOut, code: str) -> LeftOver:
    (found,) = (one for one in left_over(way) if one.code == code)
    return found


@pytest.mark.parametrize(
    ("user", "port", "protocol", "found"),
    [
        ("svc-xmpp", "5986", "", ["winrm_listener", "firewall_rule", "token_filter_policy", "local_account"]),
        (".\\svc-xmpp", "5985", "", ["firewall_rule", "token_filter_policy", "local_account"]),
        ("EDGE01\\svc-xmpp", "", "http", ["firewall_rule", "token_filter_policy", "local_account"]),
        ("Administrator", "5986", "", ["winrm_listener", "firewall_rule"]),
        ("edge01\\administrator", "5985", "https", ["winrm_listener", "firewall_rule"]),
        ("CONTOSO\\svc-xmpp", "", "", ["winrm_listener", "firewall_rule", "administrator"]),
        ("svc-xmpp@CONTOSO.COM", "", "", ["winrm_listener", "firewall_rule", "administrator"]),
        ("", "", "", ["winrm_listener", "firewall_rule"]),
    ],
)
def test_of_a_server(user: str, port: str, protocol: str, found: list[str]) -> None:
    assert codes(WayOut(servers=(reached("edge01.contoso.com", user, port, protocol),))) == [*found, *ALWAYS]


def test_what_the_quick_start_sets_up_is_what_is_taken_back() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    server = WayOut(servers=(reached("edge01", "svc", "5986", ""),))
    folder = "-Path HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
    listener, rule = "@{Address = '*'; Transport = 'HTTPS'}", "NetFirewallRule -DisplayName 'WinRM for Ansible'"
    for made, code, taken in (
        ("-Path WSMan:\\localhost\\Listener -Transport HTTPS -Address *", "winrm_listener", listener),
        ("New-" + rule, "firewall_rule", "Remove-" + rule),
        (folder, "token_filter_policy", folder + " -Name LocalAccountTokenFilterPolicy"),
    ):
        assert made in guide
        assert taken in " ".join(entry(server, code).commands)
    assert entry(server, "local_account").commands == ("net user 'svc' /delete",)


def key(
    name: str, *usages: str, names: t.Sequence[str] = ("sip.a.com", "a.com"), serial: str = "5A"
) -> dict[str, t.Any]:
    told = {"subject": "CN=sip.a.com", "issuer": "CN=CA", "not_after": "2027-04-19T00:00:00Z", "names": list(names)}
    return {"thumbprint": name, "serial_number": serial, "usages": list(usages), **told}


@pytest.mark.parametrize(
    ("keys", "former", "found"),
    [
        ([key("AA")], "", ["exportable_key", "revocation"]),
        ([key("AA", names=["*.A.com"])], "", ["exportable_key", "revocation"]),
        # That of the WinRM listener, or of the inside.
        ([key("AA", names=["edge01.a.com"])], "", []),
        ([key("AA", names=["edge01.a.com"])], "AA", ["exportable_key", "revocation"]),
        ([key("AA", "AccessEdgeExternal")], "AA", ["key_in_use"]),
        ([key("AA", "Internal"), key("BB", serial="5B")], "", ["key_in_use", "exportable_key", "revocation"]),
        ([], "AA", []),
        (None, "", ["keys_unknown"]),
    ],
)
def test_of_keys(keys: list[dict[str, t.Any]] | None, former: str, found: list[str]) -> None:
    result = {"keys_left": keys, "former_thumbprint": former or None}
    way = WayOut(edges=(keys_of("edge01", result),), own_domains=("a.com",))
    assert [code for code in codes(way) if code not in ALWAYS] == found
    assert keys_of("edge01", None).keys is None


def test_edges_of_a_pool_share_a_certificate_that_is_revoked_once() -> None:
    edges = tuple(KeysLeft(host, (key("AA"),)) for host in ("edge01", "edge02"))
    way = WayOut(edges=edges, own_domains=("a.com",), source={"type": "pkcs12", "ca": "CA01\\Our 'CA'"})
    assert [(one.code, one.where) for one in left_over(way)][:3] == [
        ("exportable_key", "edge01"), ("exportable_key", "edge02"), ("revocation", "deployment"),
    ]  # fmt: skip
    assert entry(way, "revocation").commands == ("certutil -config 'CA01\\Our ''CA''' -revoke 5A 5",)
    used = WayOut(edges=(edges[0], KeysLeft("edge02", (key("AA", "DataEdgeExternal"),))), own_domains=("a.com",))
    assert "revocation" not in codes(used), "another service of the pool has it"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "certutil shows whether"),
        ({"type": "pkcs12"}, "imports such a key as exportable"),
        ({"type": "request", "key_on": "controller"}, "imports such a key as exportable"),
        ({"type": "request", "key_on": "edge"}, "not exportable"),
        ({"type": "enterprise_ca"}, "not exportable"),
    ],
)
def test_whether_a_key_is_exportable_follows_from_its_source(source: dict[str, t.Any], words: str) -> None:
    way = WayOut(edges=(KeysLeft("edge01", (key("AA"),)),), own_domains=("a.com",), source=source)
    found = entry(way, "exportable_key")
    assert words in found.text
    assert found.commands[-1] == "Remove-Item -Path Cert:\\LocalMachine\\My\\AA -DeleteKey"


def test_files_that_exist_are_named(tmp_path: Path) -> None:
    state, snapshots, out = tmp_path / "state dir", tmp_path / "snapshots", tmp_path / "out"
    certificate = {"source": {"path": str(tmp_path / "edge.pfx"), "ca_key": str(tmp_path / "gone.pem")}}
    assert kept_files(str(state), str(snapshots), "a b", certificate, str(out)) == []
    for path in (
        tmp_path / "edge.pfx", state / "old" / "x.P12", state / "capture.key", state / "notes.txt",
        snapshots / "20270101T000000.000000Z-a_b.yml", snapshots / "20270102T000000.000000Z-a_b.yml",
        snapshots / "20270102T000000.000000Z-other.yml", snapshots / "runs.jsonl", snapshots / "revoked-a_b.json",
        snapshots / "revoked-other.json", out / "group_vars" / "all" / "sfb_xmpp.yml",
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    found = kept_files(str(state), str(snapshots), "a b", certificate, str(out))
    assert [(one.kind, one.path.removeprefix(str(tmp_path)), one.number) for one in found] == [
        ("key", "/edge.pfx", 1), ("key", "/state dir/old/x.P12", 1), ("snapshots", "/snapshots/*Z-a_b.yml", 2),
        ("state", "/snapshots/revoked-a_b.json", 1), ("state", "/state dir/capture.key", 1),
        ("journal", "/snapshots/runs.jsonl", 1), ("export", "/out", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "command"),
    [
        ("key", "/srv/a b/edge.pfx", "rm -- '/srv/a b'/edge.pfx"),
        ("snapshots", "/srv/a b/*Z-x.yml", "rm -- '/srv/a b'/*Z-x.yml"),
        ("state", "/srv/$(x).key", "rm -- /srv/'$(x).key'"),
        ("journal", "/srv/runs.jsonl", ""),
        ("export", "/srv/out", ""),
    ],
)
def test_of_a_file(kind: str, path: str, command: str) -> None:
    (*_rest, found) = left_over(WayOut(files=(KeptFile(kind, path),)))
    assert (found.where, " ".join(found.commands)) == ("controller", command)
    assert path in found.text


@pytest.mark.parametrize(
    ("text", "literal"),
    [("a", "'a'"), ("O'Neil", "'O''Neil'"), ("x\u2019; rm", "'x\u2019\u2019; rm'"), ("$(x)", "'$(x)'")],
)
def test_powershell_reads_a_name_as_it_is(text: str, literal: str) -> None:
    """All of these close a literal in PowerShell (its language specification, 2.3.5.2)."""
    assert quoted(text) == literal


def test_lines_have_a_heading_for_each_place_and_whole_commands() -> None:
    way = WayOut(servers=tuple(reached(host, "svc", "5986", "") for host in ("edge01", "fe01")), own_domains=("a.com",))
    shown = lines(left_over(way))
    headings = [line for line in shown if line.endswith(":") and not line.startswith(("-", " "))]
    assert headings == [
        *("Remaining steps on %s:" % host for host in ("edge01", "fe01")),
        "Remaining steps for the deployment:",
    ]
    commands = [line for line in shown if line.startswith("    ")]
    assert len(commands) == 10
    assert all(wrapped(line, 40) == [line] for line in commands)
