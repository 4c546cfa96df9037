# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captures: the file, what is answered from one, and what one says about the lab's assumptions."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from psrpcore.types import PSList

from lab.assumptions import ASSUMPTIONS
from lab.cmdlets.clixml import Raw, serialize
from lab.cmdlets.runspace import Call
from lab.replay.capture import Answered, Capture, CaptureError, Command, Host, Problem, read, write
from lab.replay.compare import compare, compare_objects, own, text
from lab.replay.dialect import EXTRA, alien
from lab.replay.evidence import CHECKS
from lab.replay.replay import ReplayDeployment
from lab.replay.shapes import properties

from .conftest import Recorder

PARTNERS = "Get-CsXmppAllowedPartner"


@pytest.fixture(scope="module", params=["sfb2015", "lync2013"])
def capture(request: pytest.FixtureRequest) -> Capture:
    return own(request.param)


class Replay:
    """A session on each host of a replayed capture."""

    def __init__(self, directory: Path, capture: Capture) -> None:
        write(capture, directory / "capture.json")
        self.deployment = ReplayDeployment(directory / "lab", directory / "capture.json")

    def ask(self, *calls: tuple[str, dict[str, t.Any]], host: str = "fe01") -> Recorder:
        user = "CONTOSO\\admin" if host == "fe01" else "Administrator"
        sink = Recorder()
        runspace = self.deployment.open_runspace(host, user, "s")
        runspace.run([[Call(name, tuple(given.items())) for name, given in calls]], sink)
        return sink


@pytest.fixture
def replay(tmp_path: Path, capture: Capture) -> t.Iterator[Replay]:
    made = Replay(tmp_path, capture)
    yield made
    made.deployment.store.close()


class TestTheFile:
    def test_what_is_written_is_read(self, tmp_path: Path, capture: Capture) -> None:
        path = tmp_path / "capture.json"
        write(capture, path)
        assert read(path) == capture
        assert path.stat().st_mode & 0o077 == 0
        content = json.loads(path.read_text(encoding="utf-8"))
        assert (content["format"], content["version"]) == ("sfb.xmpp capture", 1)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"format": "x"}, "is not a capture"),
            ({"version": 2}, "has version 2. This lab reads only version 1"),
            ({"hosts": [{"name": "a", "role": "edge"}]}, "not a complete capture: KeyError: 'statements'"),
            ({"hosts": [{"name": "a", "role": "door", "statements": []}]}, "the value 'door' is unknown"),
            ({"profile": "sfb2019"}, "the value 'sfb2019' is unknown"),
            ({"hosts": [{"name": "a", "role": "edge", "statements": [{"pipeline": []}]}]}, "without a command"),
            ({"hosts": 5}, "not a complete capture: TypeError"),
        ],
    )
    def test_what_is_no_capture_is_refused(self, tmp_path: Path, change: dict[str, t.Any], said: str) -> None:
        path = tmp_path / "capture.json"
        path.write_text(
            json.dumps({"format": "sfb.xmpp capture", "version": 1, "profile": "sfb2015", "hosts": [], **change})
        )
        with pytest.raises(CaptureError, match=said):
            read(path)

    @pytest.mark.parametrize("content", ["", "[]", "{", "5"])
    def test_what_is_no_json_is_refused(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "capture.json"
        path.write_text(content)
        with pytest.raises(CaptureError):
            read(path)

    def test_the_module_needs_nothing_but_python(self) -> None:
        source = Path(__file__).parents[3] / "lab" / "replay" / "capture.py"
        assert "from ." not in source.read_text(encoding="utf-8")


class TestReplay:
    def test_objects_are_served_byte_for_byte(self, replay: Replay, capture: Capture) -> None:
        (captured,) = (a for a in capture.statements(PARTNERS, "management"))
        assert tuple(map(serialize, replay.ask((PARTNERS, {})).values)) == captured.output

    def test_letters_and_order_of_parameters_do_not_matter(self, replay: Replay, capture: Capture) -> None:
        asked = replay.ask(("get-csservice", {"EDGESERVER": True, "ErrorAction": "Stop"}))
        assert len(asked.values) == 1
        assert asked.errors == []

    def test_one_object_of_a_list(self, replay: Replay) -> None:
        (row,) = replay.ask((PARTNERS, {"Identity": "PARTNER2.example"})).rows
        assert row["AdditionalDomains"] == ["b.example", "c.example"]
        for identity in ("Partners", "tag:partners"):
            assert len(replay.ask(("Get-CsExternalAccessPolicy", {"Identity": identity})).values) == 1
        assert replay.ask((PARTNERS, {"Identity": "nobody.example"})).ids == ["ItemNotFound"]

    def test_some_properties_of_a_list(self, replay: Replay) -> None:
        rows = replay.ask(
            ("Get-CsUser", {}), ("Select-Object", {"Property": PSList(["Identity", "RegistrarPool"])})
        ).rows
        assert len(rows) == 20
        assert {tuple(row) for row in rows} == {("Identity", "RegistrarPool")}

    def test_errors_are_served(self, replay: Replay) -> None:
        assert replay.ask((PARTNERS, {}), host="edge01").ids == ["CannotOpenDatabase"]
        assert len(replay.ask((PARTNERS, {"LocalStore": True}), host="edge01").values) == 3

    def test_commands(self, replay: Replay) -> None:
        names = {row["Name"] for row in replay.ask(("Get-Command", {"Name": "*-CsXmpp*"})).rows}
        assert {PARTNERS, "New-CsXmppAllowedPartner"} <= names
        assert replay.ask(("Get-Command", {"Name": "Get-CsNothing"})).ids == ["CommandNotFoundException"]
        assert replay.ask(("Import-Module", {"Name": "SkypeForBusiness"}), host="edge01").errors == []

    def test_nothing_is_written(self, replay: Replay) -> None:
        before = replay.deployment.store.partners()
        for name in ("New-CsXmppAllowedPartner", "Set-CsXmppGatewayConfiguration", "Grant-CsExternalAccessPolicy"):
            assert replay.ask((name, {"Identity": "a.example"})).ids == ["ReplayIsReadOnly"]
        assert replay.deployment.store.partners() == before
        event = replay.deployment.store.events()[-1]
        assert (event.cmdlet, event.outcome) == ("Grant-CsExternalAccessPolicy", "error")

    def test_what_was_not_captured(self, replay: Replay) -> None:
        assert replay.ask((PARTNERS, {"Filter": "a*"})).ids == ["NotCaptured"]
        assert replay.ask(("Get-CsNothing", {})).ids == ["CommandNotFoundException"]

    def test_answers_that_were_asked_for_twice_come_in_turn(self, tmp_path: Path) -> None:
        answers = tuple(Answered((Command("Get-Date"),), ("<S>%s</S>" % when,)) for when in ("then", "now"))
        made = Replay(tmp_path, Capture("sfb2015", (Host("fe.example", "management", None, answers),)))
        runspace = made.deployment.open_runspace("fe01", "CONTOSO\\admin", "s")
        sink = Recorder()
        runspace.run([[Call("Get-Date")]] * 3, sink)
        assert [value.xml for value in sink.values] == ["<S>then</S>", "<S>now</S>", "<S>now</S>"]
        assert made.ask(("Get-Date", {}), host="edge01").ids == ["NotCaptured"]
        made.deployment.store.close()

    def test_secrets_are_compared_as_secrets(self, tmp_path: Path) -> None:
        asked = Command("Test-CsXmppIM", {"UserCredential": {"secret": True}})
        failed = Problem("No.", "Failed", "InvalidResult", "x", "System.Exception", "Test-CsXmppIM")
        host = Host("fe.example", "management", ("Test-CsXmppIM",), (Answered((asked,), (), (failed,), ("Hm.",)),))
        made = Replay(tmp_path, Capture("sfb2015", (host,)))
        sink = made.ask(("Test-CsXmppIM", {"UserCredential": "geheim"}))
        assert (sink.errors[0].message, sink.errors[0].exception, sink.warnings) == ("No.", "System.Exception", ["Hm."])
        assert "geheim" not in str(made.deployment.store.events())
        made.deployment.store.close()


class TestCompare:
    def test_the_labs_own_answers_confirm_what_they_show(self, capture: Capture) -> None:
        findings = compare(capture)
        assert {f.key for f in findings} == {a.key for a in ASSUMPTIONS}
        assert [f for f in findings if f.verdict == "refuted"] == []
        confirmed = {f.key for f in findings if f.verdict == "confirmed"}
        # No partner's passphrase, no effective policy, and no account without writes are in it, nor enumerations with
        # their numbers.
        assert set(CHECKS) - confirmed == {
            "dialback-passphrase", "effective-policy-form", "enum-numbers", "view-only-role",
        }  # fmt: skip
        assert compare_objects(capture) == []

    def test_checks_are_of_assumptions_that_there_are(self) -> None:
        assert set(CHECKS) <= {a.key for a in ASSUMPTIONS}

    def test_another_dialect_refutes_just_what_is_different(self, capture: Capture) -> None:
        other = alien(capture)
        refuted = {f.key for f in compare(other) if f.verdict == "refuted"}
        assert refuted == {"enum-numbers", "extra-properties", "list-shapes"}
        whats = {d.what for d in compare_objects(other)}
        assert whats == {
            "the lab does not have it", "the properties come in another order", "enumeration here, text in the lab",
            "text here, list in the lab", "list or text here, list in the lab",
        }  # fmt: skip
        assert {d.property for d in compare_objects(other) if d.what == "the lab does not have it"} == {EXTRA}

    def test_the_dialect_is_another_one(self, capture: Capture) -> None:
        other = alien(capture)
        for mine, theirs in zip(capture.statements(PARTNERS), other.statements(PARTNERS), strict=True):
            for ours, xml in zip(mine.output, theirs.output, strict=True):
                before, after = properties(ours), properties(xml)
                assert [p.name for p in after] == [*(p.name for p in reversed(before)), EXTRA]
                domains = next(p for p in after if p.name == "AdditionalDomains")
                assert domains.kind == ("null", "text", "list")[len(domains.values)]
                assert next(p for p in after if p.name == "TlsNegotiation").kind == "enumeration"

    @pytest.mark.parametrize(
        ("key", "cmdlet", "old", "new"),
        [
            ("policy-of-a-user", "Get-CsUser", ">Partners<", ">Tag:Partners<"),
            ("servers-in-utc", "Get-CsManagementStoreReplicationStatus", "Z</DT>", "+02:00</DT>"),
            ("site-routes", "Get-CsSite", ">EdgeServer:edge", ">edge"),
            ("version-text", "Get-CsServerVersion", "Volume license", "Evaluation"),
            ("partner-domain-property", PARTNERS, 'N="Domain"', 'N="DomainName"'),
            ("service-version-numbers", "Get-CsService", 'N="Version">', 'N="Version">1'),
        ],
    )
    def test_each_is_refuted_by_what_contradicts_it(
        self, capture: Capture, key: str, cmdlet: str, old: str, new: str
    ) -> None:
        def change(answered: Answered) -> Answered:
            if answered.cmdlet != cmdlet:
                return answered
            return dataclasses.replace(answered, output=tuple(xml.replace(old, new) for xml in answered.output))

        hosts = tuple(
            dataclasses.replace(host, statements=tuple(map(change, host.statements))) for host in capture.hosts
        )
        findings = {f.key: f for f in compare(dataclasses.replace(capture, hosts=hosts))}
        assert findings[key].verdict == "refuted", findings[key]
        assert findings[key].evidence

    def test_an_empty_capture_shows_nothing(self) -> None:
        nothing = Capture("sfb2015", ())
        assert {f.verdict for f in compare(nothing)} == {"unknown"}
        assert text(compare(nothing)).startswith("refuted: 0\nconfirmed: 0\nunknown: %d\n" % len(ASSUMPTIONS))

    def test_what_is_no_clixml_is_no_object(self) -> None:
        assert properties("<Obj") == []
        with pytest.raises(ValueError, match="must be the CLIXML"):
            Raw("<Obj").object()
