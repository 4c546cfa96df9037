# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the issuer says: read from every form, used only if it makes a certificate due earlier, and never in a loop."""

from __future__ import annotations

import datetime
import random
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import utc
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.issuer import IssuerOptions, early, replaced
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.renew_now import Outdated
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import info, work
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.issuer import (
    RenewalWindow,
    certificate_id,
    period,
    read_answer,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.renewal import (
    DAY,
    RenewalRule,
    due_at,
    interval,
    renewal,
    slot_end,
)
from cryptography import x509

from tests.unit.certificates import EdgeShell, elliptic_key, intermediate, issue
from tests.unit.test_certificate_renew_now import pkcs12
from tests.unit.test_certificate_sources import answered, folder, options, own_ca, requested, used

__all__ = ["folder"]  # a fixture

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
RULE = RenewalRule()


def window(start: datetime.datetime, end: datetime.datetime, **more: t.Any) -> dict[str, t.Any]:
    return {"suggestedWindow": {"start": utc(start), "end": utc(end)}, **more}


def today(start: float, end: float, **more: t.Any) -> dict[str, t.Any]:
    """A window of so many days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return window(now + start * DAY, now + end * DAY, **more)


class TestAnswer:
    # The example of RFC 9773 section 4.2.
    RFC: t.ClassVar[dict[str, t.Any]] = {
        "suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
        "explanationURL": "https://acme.example.com/docs/ari",
    }

    @pytest.mark.parametrize(
        "given",
        [
            RFC,
            {"json": RFC, "status": 200, "failed": False},
            {"stdout": '{"suggestedWindow": {"start": "2025-01-02T05:00:00+01:00", "end": "2025-01-03T04:00:00.1z"}}'},
        ],
    )
    def test_the_forms_in_which_it_comes(self, given: t.Any) -> None:
        found = read_answer(given)
        assert (found.revoked, found.mistakes) == (None, ())
        assert found.window is not None
        day = datetime.datetime(2025, 1, 2, 4, tzinfo=datetime.timezone.utc)
        assert (found.window.start, found.window.end) == (day, day + DAY)
        assert found.window.url == ("" if "stdout" in given else "https://acme.example.com/docs/ari")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (None, "it is missing"),
            ("2025-01-02", "RFC 9773"),
            ([], "RFC 9773"),
            ({}, "RFC 9773"),
            ({"json": ["no"]}, "RFC 9773"),
            ({"stdout": "<html>"}, "not JSON"),
            ({"stdout": "[" * 100_000}, "not JSON"),
            ({"failed": True, "msg": "Status code was 503\x1b[2J"}, "Status code was 503\\x1b"),
            ({"skipped": True}, "did not succeed"),
            ({"suggestedWindow": "now"}, "RFC 9773"),
            ({"suggestedWindow": {"start": "2025-01-02T04:00:00Z"}}, "suggestedWindow.end"),
            ({"suggestedWindow": {"start": 1735790400, "end": "2025-01-03T04:00:00Z"}}, "suggestedWindow.start"),
            # Without its zone a time is none.
            ({"suggestedWindow": {"start": "2025-01-02T04:00:00", "end": "2025-01-03T04:00:00Z"}}, "start"),
            ({"suggestedWindow": {"start": "0001-01-01T00:00:00+14:00", "end": "2025-01-03T04:00:00Z"}}, "start"),
            ({"revoked": True}, "revoked"),
            ({"revoked": {"reason": 1}}, "revoked"),
        ],
    )
    def test_what_cannot_be_used_is_told(self, given: t.Any, words: str) -> None:
        found = read_answer(given)
        assert (found.window, found.revoked) == (None, None)
        (text,) = found.mistakes
        assert words in text
        assert text.isprintable()

    @pytest.mark.parametrize(
        ("reason", "compromised"),
        [("keyCompromise", True), ("key_compromise", True), ("superseded", False), ("", False)],
    )
    def test_revoked(self, reason: str, compromised: bool) -> None:
        found = read_answer({"revoked": {"at": "2027-03-01", "reason": reason}, "suggestedWindow": None}).revoked
        assert found is not None
        assert found.compromised is compromised
        assert read_answer({"revoked": None}).revoked is None

    def test_half_of_it_can_be_wrong(self) -> None:
        found = read_answer({"suggestedWindow": 1, "revoked": {"reason": "superseded"}})
        assert (found.window, str(found.revoked)) == (None, "its issuer has revoked it (superseded)")
        assert len(found.mistakes) == 1


def test_the_moment_is_random_and_the_same_in_every_run() -> None:
    one = RenewalWindow(START, START + DAY)
    moments = [one.moment("%040X" % number) for number in range(1000)]
    assert moments == [one.moment("%040X" % number) for number in range(1000)]
    assert all(START <= at < START + DAY for at in moments)
    hours = Counter((at - START) // HOUR for at in moments)
    assert len(hours) == 24
    assert max(hours.values()) < 80  # 42 on average


def test_the_name_in_a_question() -> None:
    """The example of RFC 9773 section 4.1."""
    key = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")

    @dataclass
    class Named:
        serial_number: int
        extensions: x509.Extensions

    identifier = x509.AuthorityKeyIdentifier(key, None, None)
    extensions = x509.Extensions([x509.Extension(identifier.oid, False, identifier)])
    named = t.cast("x509.Certificate", Named(0x0087654321, extensions))
    assert certificate_id(named) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
    assert certificate_id(issue(key=elliptic_key()).certificate) == ""


@pytest.mark.parametrize(
    ("answer", "due", "words"),
    [
        (today(-2, -1), True, "its issuer asks for the renewal since"),
        (today(-2, -1, explanationURL="https://ca.example/why"), True, "https://ca.example/why"),
        (today(5, 6), False, "and its issuer asks for it on"),
        (today(70, 72), False, "is due on"),  # later than our own rule
        (today(-30, -20), False, "it ends before the certificate is valid"),
        (today(200, 300), False, "it starts after the certificate expires"),
        (today(-1, -2), False, "ends before it starts"),
        ({"failed": True, "msg": "timed out"}, False, "timed out"),
        ({"revoked": {"reason": "superseded"}}, True, "its issuer has revoked it (superseded)"),
        ({"revoked": None}, False, "is due on"),
    ],
)
def test_when_it_is_due(folder: Path, answer: dict[str, t.Any], due: bool, words: str) -> None:
    shell, former = used(folder, 10)
    renew = {"issuer": {"thumbprint": former.thumbprint.lower(), "answer": answer}}
    result = work(own_ca(folder, renew=renew), shell, True)
    assert shell.writes == []
    assert (result.changed, result.values["renewal"]["due"]) == (due, due)
    assert words in " ".join([result.values["renewal"]["reason"], *result.warnings])
    # The info, by which the user's tasks are called, agrees.
    read = info(options_of_info(renew), shell, True)
    assert read.values["certificates"][0]["renewal"]["due"] == due
    own = datetime.datetime.fromisoformat(
        "%sT00:00:00+00:00" % utc(former.certificate.not_valid_before_utc + 60 * DAY)[:10]
    )
    at = datetime.datetime.fromisoformat(result.values["renewal"]["at"].replace("Z", "+00:00"))
    assert at < own + DAY, "never later"


def options_of_info(renew: dict[str, t.Any]) -> dict[str, t.Any]:
    given = options(usages=["XmppServer"], renew=renew, source={"type": "self_signed", "path": "x"})
    return {**given, "managed": None}


def test_another_certificate_than_the_one_in_use(folder: Path) -> None:
    """An answer of a run before does not replace what came after it."""
    shell, _former = used(folder, 10)
    renew = {"issuer": {"thumbprint": "AB" * 20, "answer": today(-2, -1)}}
    assert not work(own_ca(folder, renew=renew), shell, True).changed


def notes(shell: EdgeShell) -> list[str]:
    return [path for path in shell.files if "sfb-xmpp-issuer-" in path]


def asked(shell: EdgeShell, answer: t.Any) -> dict[str, t.Any]:
    return {"issuer": {"thumbprint": shell.assigned["XmppServer"], "answer": answer}}


def words(result: Result) -> str:
    return " ".join(result.warnings)


class TestOnce:
    def test_a_server_that_always_asks_gets_one(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        always = today(-0.03, -0.01)
        done = work(own_ca(folder, renew=asked(shell, always)), shell, False)
        assert (done.failures, done.changed) == ([], True)
        second = shell.presented
        assert second != former.thumbprint
        assert len(notes(shell)) == 1
        shell.writes.clear()
        # The new one begins an hour before it was made, so the window is one that it can have.
        again = work(own_ca(folder, renew=asked(shell, always)), shell, False)
        assert (again.changed, shell.writes, shell.presented) == (False, [], second)
        assert "To replace this certificate now, set renew.now" in words(again)
        revoked = work(own_ca(folder, renew=asked(shell, {"revoked": {"reason": "superseded"}})), shell, False)
        assert (revoked.changed, "To replace this certificate now, set renew.now" in words(revoked)) == (False, True)
        # The user can, and the note of an earlier period goes.
        (note,) = notes(shell)
        shell.files["C:\\Windows\\Temp\\sfb-xmpp-issuer-202601010000.note"] = shell.files.pop(note)
        assert work(own_ca(folder, renew=asked(shell, always)), shell, False).changed
        assert (notes(shell), shell.presented != second) == ([note], True)

    def test_a_certificate_that_waits_for_its_switch_is_not_made_again(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        renew = asked(shell, today(-2, -1))
        for number in range(3):
            staged = work(own_ca(folder, renew=renew, phase="stage"), shell, False)
            assert (staged.failures, staged.changed) == ([], number == 0)
        assert (len(shell.store), shell.presented) == (2, former.thumbprint)
        # The issuer is silent in the window, which changes nothing.
        assert work(own_ca(folder, phase="switch"), shell, False).failures == []
        assert shell.presented != former.thumbprint

    def test_an_authority_is_asked_once(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        (folder / "gateway.pfx").unlink()
        given = requested(folder, renew=asked(shell, today(-2, -1)))
        requests = [(work(given, shell, False), (folder / "gateway.csr").read_bytes())[1] for _run in range(3)]
        assert len(set(requests)) == 1
        one = answered(folder)
        assert work(given, shell, False).failures == []
        assert shell.presented == one.thumbprint != former.thumbprint

    def test_a_file_that_others_renew(self, folder: Path) -> None:
        """Nobody has put a new one there yet: with a window that is a warning, but a revoked one must not stay."""
        shell, _former = used(folder, 10)
        for _run in range(2):
            result = work(pkcs12(folder, renew=asked(shell, today(-2, -1))), shell, False)
            assert (result.changed, notes(shell)) == (False, [])
            assert "renewal is due (it is replaced now: its issuer asks for the renewal" in words(result)
        with pytest.raises(Refused, match="still has the certificate to replace"):
            work(pkcs12(folder, renew=asked(shell, {"revoked": {"reason": "keyCompromise"}})), shell, False)
        new = issue(issuer=intermediate(), key=elliptic_key(), days=100)
        (folder / "gateway.pfx").write_bytes(new.pkcs12(intermediate()))
        done = work(pkcs12(folder, renew=asked(shell, today(-2, -1))), shell, False)
        assert (done.failures, shell.presented, len(notes(shell))) == ([], new.thumbprint, 1)

    def test_a_key_that_others_have(self, folder: Path) -> None:
        shell, former = used(folder, 10)
        told = {"revoked": {"at": "2027-03-01T00:00:00Z", "reason": "keyCompromise"}}
        result = work(own_ca(folder, renew=asked(shell, told)), shell, False)
        assert result.failures == []
        assert former.thumbprint not in shell.store, "it is deleted with its key"

    def test_what_the_user_wishes_comes_first(self, folder: Path) -> None:
        shell, _former = used(folder, 10)
        renew = {**asked(shell, today(-2, -1)), "now": {"reason": "The old root goes"}}
        result = work(own_ca(folder, renew=renew), shell, False)
        assert result.values["renewal"]["reason"] == "it is replaced now: The old root goes"
        assert notes(shell) == []


# A thousand years


@dataclass
class Simulated:
    """A certificate as far as the decision reads it."""

    not_valid_before_utc: datetime.datetime
    not_valid_after_utc: datetime.datetime
    number: int

    def fingerprint(self, _algorithm: t.Any) -> bytes:
        return self.number.to_bytes(20, "big")


@dataclass
class Edge:
    """Its notes, as a reader sees them."""

    notes: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.notes[name]

    def send(self, found: Outdated) -> None:
        for step in found.notes:
            if step.cmdlet == "Remove-Item":
                del self.notes[step.identity]
            else:
                self.notes[step.identity] = t.cast(bytes, step.parameters["Value"]).decode()


def lie(chance: random.Random, now: datetime.datetime, one: Simulated) -> t.Any:
    """What a server says that cannot be trusted."""
    start, end = one.not_valid_before_utc, one.not_valid_after_utc
    far = chance.uniform(-3000, 3000) * DAY
    return chance.choice(
        [
            {"failed": True, "msg": "timed out"},
            {"stdout": "<html>"},
            {"suggestedWindow": {"start": "soon", "end": None}},
            window(now - HOUR, now - HOUR / 2),  # always at once
            window(start, start + HOUR),
            window(now - 4000 * DAY, now - 3999 * DAY),
            window(now + far, now + far + chance.uniform(-9, 9) * DAY),
            window(now - 3000 * DAY, now + 3000 * DAY),
            window(end + DAY, end + 2 * DAY),
            {"revoked": {"reason": "superseded"}},
            {"revoked": "yes"},
        ]
    )


def always(_chance: random.Random, now: datetime.datetime, _one: Simulated) -> t.Any:
    """A server that asks for a renewal at every question, and says that all is revoked besides."""
    return window(now - HOUR, now - HOUR / 2, revoked={"reason": "superseded"})


def dead(_chance: random.Random, _now: datetime.datetime, _one: Simulated) -> t.Any:
    return {"failed": True, "msg": "timed out"}


def live(
    server: t.Callable[[random.Random, datetime.datetime, Simulated], t.Any] | None, lifetime: int, days: int
) -> list[datetime.datetime]:
    """When a certificate was renewed in so many days of runs. Without a server the own rule decides alone."""
    chance = random.Random("%s %s" % (server, lifetime) if server is None else "%s %s" % (server.__name__, lifetime))
    step, edge = interval(lifetime * DAY), Edge()
    one = Simulated(START, START + lifetime * DAY, 0)
    found = []
    for number in range(days * int(DAY / step)):
        # Always the same time of the day, so that two lives can be compared.
        now = START + number * step + HOUR
        start, end = one.not_valid_before_utc, one.not_valid_after_utc
        own = renewal(start, end, now, RULE)
        said = IssuerOptions()
        thumbprint = "%040X" % one.number
        if server is not None:
            said = IssuerOptions.read({"issuer": {"thumbprint": thumbprint, "answer": server(chance, now, one)}})
        heard = early(said, t.cast("x509.Certificate", one), own, now, list)
        decided, _warnings = replaced(Outdated(), heard, t.cast(t.Any, edge), list(edge.notes), thumbprint)
        verdict = decided.renewal(own, thumbprint)
        assert verdict.at <= own.at
        assert verdict.due or not own.due, "later than the own rule"
        assert now < slot_end(due_at(start, end, RULE), step), "missed"
        if verdict.due:
            edge.send(decided)
            found.append(now)
            one = Simulated(now - HOUR, now - HOUR + lifetime * DAY, one.number + 1)
    assert len(edge.notes) <= 1
    return found


def most_in_a_year(lifetime: int) -> int:
    """By the own rule, and once in each period."""
    return int(365 * DAY / (lifetime * DAY * 2 / 3 - DAY)) + int(365 * DAY / period(lifetime * DAY)) + 2


def test_the_bound_is_none_of_a_loop() -> None:
    assert {days: most_in_a_year(days) for days in (47, 90, 200, 398)} == {47: 45, 90: 24, 200: 16, 398: 15}


# Years of each lifetime and server: 5 * 3 * 4 in every run, and more than a thousand in make nightly.
@pytest.mark.parametrize("years", [4, pytest.param(75, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("lifetime", [6, 47, 90, 200, 398])
@pytest.mark.slow
def test_a_thousand_years_with_a_lying_and_a_dead_server(lifetime: int, years: int) -> None:
    alone = live(None, lifetime, years * 365)
    assert live(dead, lifetime, years * 365) == alone
    for server in (lie, always):
        found = live(server, lifetime, years * 365)
        assert len(found) > len(alone), "its word counts"
        each = Counter((at - START).days // 365 for at in found)
        assert max(each.values()) <= most_in_a_year(lifetime), each
