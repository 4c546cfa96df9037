# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the partners are, what the name server says, and what is said where the packages are missing."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.partners import programs, zone
from lab.partners.commands import add_commands
from lab.partners.control import find, start, stop
from lab.partners.launch import render
from lab.partners.servers import SERVERS
from lab.partners.zone import Service

TOOL = Path(__file__).resolve().parents[3] / "tools" / "packages.sh"


class TestServers:
    def test_addresses_and_domains_are_each_ones_own(self) -> None:
        assert len({partner.address for partner in SERVERS.values()}) == len(SERVERS)
        domains = [domain for partner in SERVERS.values() for domain in partner.domains]
        assert len(domains) == len(set(domains))

    def test_of_each_kind_that_can_be_strict_one_is(self) -> None:
        assert {(partner.kind, partner.strict) for partner in SERVERS.values()} == {
            ("prosody", True),
            ("prosody", False),
            ("ejabberd", True),
            ("ejabberd", False),
            ("jabberd2", False),
            ("wokkel", False),
        }

    def test_settings_can_be_others(self) -> None:
        assert not SERVERS["prosody"].changed({"dialback": True}).strict
        assert SERVERS["ejabberd"].changed({"tls": "required", "dialback": False}).strict

        assert SERVERS["prosody"].changed({"demands": True}).demands

    @pytest.mark.parametrize(
        ("name", "settings"),
        [
            ("ejabberd", {"demands": True}),
            ("jabberd2-old", {"dialback": False}),
            ("wokkel", {"dialback": False}),
            ("wokkel", {"tls": "optional"}),
            ("wokkel", {"demands": True}),
            ("prosody", {"old_tls": True}),
            ("ejabberd", {"old_tls": True}),
        ],
    )
    def test_what_a_program_cannot_do_is_refused(self, name: str, settings: dict[str, object]) -> None:
        with pytest.raises(LabError, match=name):
            SERVERS[name].changed(settings)

    @pytest.mark.parametrize(
        "settings", [{"tls": "maybe"}, {"dialback": "no"}, {"demands": 1}, {"old_tls": "yes"}, {"address": "127.0.0.1"}]
    )
    def test_but_only_these(self, settings: dict[str, object]) -> None:
        with pytest.raises(LabError, match="required, optional, none"):
            SERVERS["prosody"].changed(settings)


class TestZone:
    def test_every_domain_is_published(self) -> None:
        records = zone.published(SERVERS.values(), 15269)
        assert records["contoso-emea.test"] == (Service("sip.contoso.test", 15269, ("127.0.0.21", "127.0.0.22")),)
        assert records["expired.fabrikam.example"] == (Service("xmpp.fabrikam.example", 0, ("127.0.0.31",)),)
        assert zone.hosts(records) == [
            ("sip.contoso.test", "127.0.0.21"),
            ("sip.contoso.test", "127.0.0.22"),
            ("xmpp.cohovineyard.example", "127.0.0.37"),
            ("xmpp.fabrikam.example", "127.0.0.31"),
            ("xmpp.graphicdesign.example", "127.0.0.32"),
            ("xmpp.jabber.example", "127.0.0.34"),
            ("xmpp.litware.example", "127.0.0.33"),
            ("xmpp.lucernepublishing.example", "127.0.0.36"),
            ("xmpp.proseware.example", "127.0.0.38"),
            ("xmpp.talk.wideworldimporters.example", "127.0.0.35"),
        ]

    def test_as_dnsmasq_wants_it(self, tmp_path: Path) -> None:
        records = {"a.test": (Service("x.test", 5269, ("127.0.0.9",)),), "none.test": (Service(""),), "gone.test": ()}
        values = {"address": zone.ADDRESS, "port": 53053, "user": "nobody", "hosts": zone.hosts(records)}
        render("dnsmasq.conf", tmp_path / "c", records=records, **values)
        lines = (tmp_path / "c").read_text().splitlines()
        assert [line for line in lines if "srv-host" in line] == [
            "srv-host=_xmpp-server._tcp.a.test,x.test,5269",
            "srv-host=_xmpp-server._tcp.none.test",
        ]
        assert "host-record=x.test,127.0.0.9" in lines

    def test_free_ports_are_different_ones(self) -> None:
        assert len(set(zone.free_ports("127.0.0.53", 5))) == 5


class TestRefusals:
    def test_without_the_packages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(programs, "missing", lambda _kinds: ["prosody", "lua-unbound"])
        with pytest.raises(LabError, match=r"packages prosody, lua-unbound\. As root, run: apt-get install .*ejabberd"):
            start(tmp_path, 5269)

    @pytest.mark.parametrize(
        ("names", "told"),
        [
            ([], ["prosody", "ejabberd", "dnsmasq-base", "lua-unbound", "libnss-wrapper"]),
            (["jabberd2-old"], ["jabberd2", "dnsmasq-base", "lua-unbound"]),
            (["wokkel"], ["dnsmasq-base", "lua-unbound", "wokkel"]),
        ],
    )
    def test_what_is_missing_for_whom(
        self, names: list[str], told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda _name, path: None)
        monkeypatch.setattr(Path, "glob", lambda _self, _pattern: [])
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
        parser = argparse.ArgumentParser()
        add_commands(parser, argparse.ArgumentParser(add_help=False))
        arguments = parser.parse_args(["missing", *(["--with", *names] if names else [])])
        assert arguments.run(arguments) == 1
        words = capsys.readouterr().out
        assert "Partners need the packages %s. As root, run: apt-get install" % ", ".join(told) in words
        assert ("pip install wokkel" in words) is ("wokkel" in told)

    def test_of_an_unknown_partner(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(programs, "missing", list)
        with pytest.raises(LabError, match=r"no partner openfire\. Use one of: prosody"):
            start(tmp_path, 5269, ["openfire"])

    def test_nothing_is_up(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert find(tmp_path) is None
        assert not stop(tmp_path)
        common = argparse.ArgumentParser(add_help=False)
        common.add_argument("--directory", type=Path)
        parser = argparse.ArgumentParser()
        add_commands(parser, common)
        for command, code in (("status", 1), ("down", None)):
            arguments = parser.parse_args([command, "--directory", str(tmp_path)])
            assert arguments.run(arguments) == code
        assert capsys.readouterr().out.splitlines() == ["no partners are up (%s)" % tmp_path, "no partners were up"]
        assert list(tmp_path.iterdir()) == []


class TestInstaller:
    @pytest.fixture
    def tools(self, tmp_path: Path) -> Path:
        """Stand-ins for the system's tools: nobody is root, and every package but prosody is there."""
        for name, text in (
            ("id", "echo 1000"),
            ("dpkg-query", 'case "$*" in *prosody*) exit 1 ;; *) printf installed ;; esac'),
            ("apt-get", "touch %s/called" % tmp_path),
        ):
            (tmp_path / name).write_text("#!/bin/sh\n%s\n" % text)
            (tmp_path / name).chmod(0o755)
        return tmp_path

    def run(self, tools: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": "%s:%s" % (tools, os.environ["PATH"])}
        return subprocess.run(
            [str(TOOL), "partners"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def test_it_tells_an_ordinary_user_what_to_do(self, tools: Path) -> None:
        done = self.run(tools)
        assert done.returncode == 0
        assert "MISSING: prosody. " in done.stderr
        assert "As root, run: apt-get install --no-install-recommends prosody\n" in done.stderr
        assert not (tools / "called").exists()

    def test_it_says_nothing_when_all_is_there(self, tools: Path) -> None:
        (tools / "dpkg-query").write_text("#!/bin/sh\nprintf installed\n")
        done = self.run(tools)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert not (tools / "called").exists()
