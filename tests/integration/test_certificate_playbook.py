# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook sfb.xmpp.certificate on the lab's pool of two Edges: one certificate for both, one Edge at a time."""

from __future__ import annotations

import datetime
import http.server
import json
import re
import threading
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.texts import utc

from lab.deployment.faults import Faults
from lab.deployment.store import Event
from tests.integration.management import READS
from tests.integration.plays import Plays, Run, TaskResult
from tests.integration.test_gateway_cert_renewal import PARTNER
from tests.integration.test_guides import block
from tests.integration.test_history import journal
from tests.unit.certificates import PASSPHRASE, Issued, answer_to, elliptic_key, intermediate, issue

PLAYBOOK = "sfb.xmpp.certificate"
ACCESS_EDGE = "sip.contoso.test"
EDGES = ("edge01", "edge02")
NAMES = (ACCESS_EDGE, "contoso.test")
WAITS = "on the Edge, but another certificate is in use. The playbook sfb.xmpp.certificate switches to the new one"


@dataclass
class Authority:
    """asked: paths. dead: whether it answers with an error."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    dead: bool = False


def issued(days: float = 200) -> Issued:
    return issue(ACCESS_EDGE, intermediate(), key=elliptic_key(), names=NAMES, days=days)


def put(folder: Path, one: Issued) -> None:
    (folder / "gateway.pfx").write_bytes(one.pkcs12(intermediate()))


def variables(plays: Plays, **source: t.Any) -> dict[str, t.Any]:
    """The certificate of the pool, looked at where each Edge listens."""
    plays.lab.store().put("partner", "litware.example", PARTNER)
    certificate = {
        "access_edge": ACCESS_EDGE,
        "sip_domains": ["contoso.test"],
        "xmpp_domains": ["contoso.test"],
        "source": {"type": "pkcs12", "path": str(plays.directory / "gateway.pfx"), "passphrase": PASSPHRASE, **source},
        "listener": {
            "address": "{{ ansible_host }}",
            "port": plays.lab.xmpp_port,
            "domain": "contoso.test",
            "partner": "litware.example",
            "timeout": 4,
        },
    }
    return {"sfb_xmpp_certificate": certificate}


def renew(plays: Plays, given: t.Mapping[str, t.Any], *arguments: str, playbook: str = PLAYBOOK, **more: t.Any) -> Run:
    children = {"sfb_edge": plays.hosts()["sfb_edge"]}
    inventory = plays.write("edges.yml", {"all": {"vars": {**given, **more}, "children": children}})
    return plays.run(playbook, *arguments, inventory=inventory)


def presented(plays: Plays) -> list[str | None]:
    return [plays.lab.store().presented(host).get("XmppServer") for host in EDGES]


def writes(plays: Plays, since: int = 0) -> list[Event]:
    events = plays.lab.store().events(since)
    return [e for e in events if e.kind == "statement" and not e.cmdlet.startswith(READS)]


def mark(plays: Plays) -> int:
    return max((event.id for event in plays.lab.store().events()), default=0)


def of(run: Run, name: str) -> list[TaskResult]:
    """The results of a task of the role or of a hook, by its own name."""
    return [task for task in run.tasks if task.task.rpartition(" : ")[2] == name and task.state == "ok"]


def closing(run: Run) -> list[str]:
    """The lines of the Edges, which come last before the recap."""
    before = run.output.rpartition("\nPLAY RECAP")[0]
    lines = before.rpartition("\nEdge servers\n")[2].splitlines()
    return [line for line in lines[: len(EDGES)] if line[4:].startswith("edge")]


def good(run: Run) -> None:
    assert run.code == 0, run.output[-3000:]
    assert PASSPHRASE not in run.output
    assert PASSPHRASE not in repr(run.tasks)


def test_plan_run_and_nothing_to_do(plays: Plays) -> None:
    given = variables(plays, type="self_signed", key="ecdsa_p256")
    planned = renew(plays, given, "--check", "--diff")
    good(planned)
    assert writes(plays) == []
    assert "(new certificate)" in planned.output
    assert all(re.search(r"until \d{4}-\d\d-\d\d, \d calls to send$", line) for line in closing(planned))
    done = renew(plays, given)
    good(done)
    said = (
        r"  ~ edge0. +[0-9A-F]{8}… until \d{4}-\d\d-\d\d, in use, checked by a TLS handshake(, \d+ s without services)?"
    )
    assert [bool(re.fullmatch(said, line)) for line in closing(done)] == [True, True], done.output[-2000:]
    first, second = presented(plays)
    assert first is not None
    assert first == second
    order = [(event.host, event.cmdlet) for event in writes(plays)]
    imports = [number for number, (_host, cmdlet) in enumerate(order) if cmdlet == "Import-CsCertificate"]
    switches = [number for number, (_host, cmdlet) in enumerate(order) if cmdlet == "Set-CsCertificate"]
    assert max(imports) < min(switches), "all are prepared before the first is switched"
    restarts = [host for host, cmdlet in order if cmdlet.endswith("-CsWindowsService")]
    assert restarts == ["edge01"] * 2 + ["edge02"] * 2
    sessions = [event.host for event in plays.lab.store().events() if event.kind == "session-open"]
    assert sorted(sessions) == sorted([*EDGES, *EDGES]), "one for each Edge and run"
    begin = mark(plays)
    again = renew(plays, given)
    good(again)
    assert writes(plays, begin) == []
    assert "[WARNING]" not in again.output
    assert "changed=0" in again.output
    assert "changed=1" not in again.output
    # The settings, connecting, the certificate and the stats: nothing to continue with, and nothing to fail for.
    assert len({one.task for one in again.tasks if one.state != "skipped"}) == 4, again.output
    assert again.output.count("in use, checked by a TLS handshake") == 2


def test_failure_on_the_second_edge(plays: Plays) -> None:
    old, new = issued(), issued()
    put(plays.directory, old)
    given = variables(plays)
    good(renew(plays, given))
    put(plays.directory, new)
    Faults(plays.lab.store()).add("Stop-CsWindowsService", host="edge02")
    failed = renew(plays, given)
    assert failed.code != 0
    assert presented(plays) == [new.thumbprint, old.thumbprint]
    assert [plays.lab.store().assignments(host)["XmppServer"] for host in EDGES] == presented(plays)
    message = failed.failures()[-1].result["msg"]
    assert "The former certificate is in use again." in message
    assert "edge01 has %s and presents %s." % (new.thumbprint, new.thumbprint) in message
    assert "edge02 has %s and presents %s." % (old.thumbprint, old.thumbprint) in message
    assert "in use" in closing(failed)[0]
    assert closing(failed)[1].startswith("  ! edge02 ")
    good(renew(plays, given))
    assert presented(plays) == [new.thumbprint] * 2
    lines = [line for line in journal(plays) if line["host"] == "edge02" and line["outcome"] == "failed"]
    assert [(one["playbook"], one["task"], one["phase"], one["went_back"]) for one in lines] == [
        ("certificate", "xmpp_gateway_cert", "switch", True)
    ]
    assert {line["phase"] for line in journal(plays)} == {"stage", "switch"}


def test_failure_on_the_first_edge_spares_the_second(plays: Plays) -> None:
    old, new = issued(), issued()
    put(plays.directory, old)
    given = variables(plays)
    good(renew(plays, given))
    put(plays.directory, new)
    Faults(plays.lab.store()).add("Set-CsCertificate", host="edge01")
    begin = mark(plays)
    assert renew(plays, given).code != 0
    assert presented(plays) == [old.thumbprint] * 2
    assert "Set-CsCertificate" not in [event.cmdlet for event in writes(plays, begin) if event.host == "edge02"]


def test_an_edge_that_cannot_be_prepared_stops_all(plays: Plays) -> None:
    put(plays.directory, issued())
    Faults(plays.lab.store()).add("Import-CsCertificate", host="edge02")
    assert renew(plays, variables(plays)).code != 0
    assert presented(plays) == [None, None]
    assert "Set-CsCertificate" not in [event.cmdlet for event in writes(plays)]


def test_two_halves_with_hooks(plays: Plays) -> None:
    old, new = issued(), issued()
    put(plays.directory, old)
    given = variables(plays)
    good(renew(plays, given))
    put(plays.directory, new)
    good(renew(plays, given, sfb_xmpp_certificate_phase="stage"))
    assert presented(plays) == [old.thumbprint] * 2
    hooks = {
        "sfb_xmpp_certificate_%s" % name: str(
            plays.write(
                name + ".yml",
                [
                    {
                        "name": "Note it",
                        "ansible.builtin.debug": {"msg": "%s {{ inventory_hostname }}" % name},
                    }
                ],
            )
        )
        for name in ("drain", "restore")
    }
    done = renew(plays, given, sfb_xmpp_certificate_phase="switch", **hooks)
    good(done)
    assert presented(plays) == [new.thumbprint] * 2
    notes = [task.result["msg"] for task in of(done, "Note it")]
    assert notes == ["drain edge01", "restore edge01", "drain edge02", "restore edge02"]


def test_two_steps_with_a_request(plays: Plays) -> None:
    files = {"request": str(plays.directory / "gateway.csr"), "answer": str(plays.directory / "gateway.crt")}
    given = variables(plays, type="request", key="ecdsa_p256", **files)
    first = renew(plays, given)
    good(first)
    waiting = of(first, "Stage the certificate")
    assert ["the request is in %s" % files["request"] in one.result["warnings"][0] for one in waiting] == [True] * 2
    assert writes(plays) == []
    one = answer_to(Path(files["request"]).read_bytes(), NAMES, subject=ACCESS_EDGE)
    Path(files["answer"]).write_bytes(one.pem + intermediate().pem)
    good(renew(plays, given))
    assert presented(plays) == [one.thumbprint] * 2


def test_tasks_of_ones_own_make_the_file(plays: Plays) -> None:
    put(plays.directory, issued())
    new = issued()
    (plays.directory / "gateway.pfx").rename(plays.directory / "made.pfx")
    (plays.directory / "made.pfx").write_bytes(new.pkcs12(intermediate()))
    hook = plays.write(
        "hook.yml",
        [
            {
                "name": "Make it",
                "ansible.builtin.copy": {
                    "src": str(plays.directory / "made.pfx"),
                    "dest": str(plays.directory / "gateway.pfx"),
                    "mode": "0600",
                },
                "delegate_to": "localhost",
                "vars": {"ansible_connection": "local"},
            }
        ],
    )
    given = variables(plays)
    done = renew(plays, given, sfb_xmpp_certificate_hook=str(hook))
    good(done)
    assert len(of(done, "Make it")) == 1
    assert presented(plays) == [new.thumbprint] * 2
    again = renew(plays, given, sfb_xmpp_certificate_hook=str(hook))
    good(again)
    assert of(again, "Make it") == []


@pytest.fixture
def authority() -> Iterator[Authority]:
    """Renewal information of an ACME server (RFC 9773)."""
    found = Authority()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            now = datetime.datetime.now(datetime.timezone.utc)
            start, end = (utc(now - minutes * datetime.timedelta(minutes=1)) for minutes in (20, 10))
            body = json.dumps(
                {"suggestedWindow": {"start": start, "end": end}, "explanationURL": "https://ca.test/why"}
            )
            self.send_response(503 if found.dead else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"" if found.dead else body.encode())

        def log_message(self, *_args: t.Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        found.port = listening.server_port
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield found
        listening.shutdown()
        thread.join()


def test_the_issuer_asks_for_a_renewal(plays: Plays, authority: Authority) -> None:
    """The tasks of the guide: its window counts, once; without an answer the certificate is due as before."""
    given = variables(plays, type="self_signed", key="ecdsa_p256")
    text = block("renewal", "yaml", "gateway_certificate_answer")
    # A self-signed certificate names no key of its issuer.
    text = text.replace("https://acme.example.com/renewal-info", "http://127.0.0.1:%d" % authority.port)
    tasks = yaml.safe_load(text.replace("renewal_info_id", "thumbprint"))
    asks = {"sfb_xmpp_certificate_ask": str(plays.write("ask.yml", tasks))}
    good(renew(plays, given))
    former = presented(plays)
    begin = mark(plays)
    planned = renew(plays, given, "--check", "--diff", **asks)
    good(planned)
    assert writes(plays, begin) == []
    assert "(new certificate)" in planned.output
    assert authority.asked == ["/%s" % former[0]], "once for both Edges"
    done = renew(plays, given, **asks)
    good(done)
    second = presented(plays)
    assert second[0] == second[1] != former[0]
    assert "https://ca.test/why" in repr(of(done, "Stage the certificate as the issuer asks for it"))
    # It asks again and again.
    begin = mark(plays)
    again = renew(plays, given, **asks)
    good(again)
    assert (writes(plays, begin), presented(plays)) == ([], second)
    assert "To replace this certificate now, set renew.now" in again.output
    assert not [one for one in again.tasks if one.result.get("changed")]
    authority.dead = True
    alone = renew(plays, given, **asks)
    good(alone)
    assert (writes(plays, begin), presented(plays)) == ([], second)
    assert "the issuer's answer cannot be used: Status code was 503" in " ".join(alone.output.split())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"passphrase": "battery horse"}, "the passphrase does not open the file"),
        ({"type": "request", "key_on": "edge"}, "cannot be shared"),
    ],
)
def test_refused_before_anything_is_sent(plays: Plays, source: dict[str, t.Any], words: str) -> None:
    put(plays.directory, issued())
    files = {"request": str(plays.directory / "gateway.csr"), "answer": str(plays.directory / "gateway.crt")}
    given = variables(plays, **{**files, **source})
    given["sfb_xmpp_certificate"]["usages"] = ["AudioVideoAuthentication", "XmppServer"]
    run = renew(plays, given)
    assert run.code != 0
    assert words in run.output
    assert writes(plays) == []


def test_without_edges(plays: Plays) -> None:
    inventory = plays.write("none.yml", {"all": {"hosts": {"localhost": {}}}})
    run = plays.run(PLAYBOOK, inventory=inventory)
    assert run.code == 0, run.output


class TestSeparate:
    """What converge does with the certificate."""

    def converge(self, plays: Plays, given: t.Mapping[str, t.Any], *arguments: str, **more: t.Any) -> Run:
        return renew(plays, given, *arguments, playbook="sfb.xmpp.converge", **more)

    def test_the_first_certificate_is_put_in_force(self, plays: Plays) -> None:
        put(plays.directory, first := issued())
        given = variables(plays)
        planned = self.converge(plays, given, "--check", "--diff")
        good(planned)
        assert "Set-CsCertificate" in repr(of(planned, "Stage the certificate"))
        assert writes(plays) == []
        good(self.converge(plays, given))
        assert presented(plays) == [first.thumbprint] * 2
        begin = mark(plays)
        again = self.converge(plays, given)
        good(again)
        assert writes(plays, begin) == []
        assert WAITS not in again.output
        # The settings, connecting, the certificate and the stats: nothing to continue with, and nothing to fail for.
        assert len({one.task for one in again.tasks if one.state != "skipped"}) == 4, again.output

    @pytest.mark.nightly
    def test_the_next_one_waits_for_a_run_of_its_own(self, plays: Plays) -> None:
        put(plays.directory, old := issued())
        given = variables(plays)
        good(renew(plays, given))
        put(plays.directory, new := issued())
        begin = mark(plays)
        planned = self.converge(plays, given, "--check", "--diff")
        good(planned)
        assert "Set-CsCertificate" not in repr(of(planned, "Stage the certificate"))
        assert writes(plays, begin) == []
        for _run in range(2):
            staged = self.converge(plays, given)
            good(staged)
            assert staged.output.count(WAITS) == 2
        cmdlets = {event.cmdlet for event in writes(plays, begin)}
        assert cmdlets == {"Set-Content", "Import-CsCertificate", "Remove-Item"}
        assert presented(plays) == [old.thumbprint] * 2
        assert all(plays.lab.store().certificate(host, "My", new.thumbprint) for host in EDGES)
        good(renew(plays, given))
        assert presented(plays) == [new.thumbprint] * 2

    @pytest.mark.nightly
    def test_the_inventory_may_want_both_at_once(self, plays: Plays) -> None:
        put(plays.directory, issued())
        given = variables(plays)
        good(renew(plays, given))
        put(plays.directory, new := issued())
        good(self.converge(plays, given, sfb_xmpp_certificate_switch="converge"))
        assert presented(plays) == [new.thumbprint] * 2
        refused = self.converge(plays, given, sfb_xmpp_certificate_switch="now")
        assert refused.code != 0
        assert "separate, converge" in refused.output

    def test_only_the_usage_without_a_certificate(self, plays: Plays) -> None:
        """The Access Edge keeps what it has, and the XMPP proxy gets its first."""
        put(plays.directory, one := issued())
        given = variables(plays)
        given["sfb_xmpp_certificate"]["usages"] = ["AccessEdgeExternal", "XmppServer"]
        before = [plays.lab.store().assignments(host)["AccessEdgeExternal"] for host in EDGES]
        run = self.converge(plays, given)
        good(run)
        assert run.output.count(WAITS) == 2
        assert presented(plays) == [one.thumbprint] * 2
        assert [plays.lab.store().assignments(host)["AccessEdgeExternal"] for host in EDGES] == before
        good(renew(plays, given))
        assert plays.lab.store().assignments("edge01")["AccessEdgeExternal"] == one.thumbprint
