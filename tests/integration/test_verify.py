# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sfb.xmpp.verify with inventories as users write them: where the own domains come from, and what the table says."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from tests.integration.plays import Plays, Run
from tests.integration.test_probe import DOMAIN, FALLBACK, LENIENT, OWN, STRICT, good
from tests.integration.xmpp_peer import Manners, NameServer, Peer, shut_port
from tests.unit import certificates
from tests.unit.certificates import issue

DIALBACK = {"tls_negotiation": "required", "sasl_negotiation": "not_supported", "support_dialback_negotiation": True}
PROBE = "sfb.xmpp.verification : Verify the partners and the own domains"


def verify(plays: Plays, variables: dict[str, t.Any], **host: t.Any) -> Run:
    """The playbook with an inventory of one management host, as the quick start has it."""
    management = plays.hosts()["sfb_management"]
    management["hosts"]["fe01"].update(host)
    inventory = plays.write("verify.yml", {"sfb_management": management, "all": {"vars": variables}})
    return plays.run("sfb.xmpp.verify", inventory=inventory)


def named(run: Run, name: str) -> dict[str, t.Any]:
    (found,) = (task.result for task in run.tasks if task.task.endswith(name.rpartition(" : ")[2]))
    return found


def table(run: Run) -> dict[str, list[str]]:
    """The rows of the domains: verdict, TLS, what the settings use, what is accepted, the certificate's end."""
    rows = [line for line in named(run, "Show the result")["report"] if re.match(r"  [a-z]", line)]
    found = {}
    for row in rows:
        verdict, domain, details = re.split(r" {2,}", row.strip(), maxsplit=2)
        tls, *more = details.split("; ")
        words = ("declared settings use ", "the server accepts ", "certificate until ")
        told = [next((one.removeprefix(word) for one in more if one.startswith(word)), "-") for word in words]
        found[domain] = [verdict, tls, *told]
    return found


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[dict[str, t.Any]]:
    """``settings`` for sfb_xmpp_verification without own domains, and the name server."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(certificates.root().pem)
    with NameServer() as dns:
        settings = {"nameservers": [dns.place], "trust_store": str(roots), "timeout": 2.0, "allow_local": True}
        yield {"dns": dns, "settings": settings}


def test_the_inventory_of_the_quick_start(plays: Plays, world: dict[str, t.Any]) -> None:
    """One host and one partner: the own domains are read, which changes nothing."""
    with Peer(good()) as peer:
        world["dns"].service(DOMAIN, peer.port)
        run = verify(
            plays,
            {"sfb_xmpp_partners": [{"domain": DOMAIN, **FALLBACK}], "sfb_xmpp_verification": world["settings"]},
        )
        assert {name for name, _to in peer.seen} == {OWN}
    probe = named(run, PROBE)
    assert [entry["domain"] for entry in probe["own"]] == [OWN, "contoso-emea.test"]
    assert [entry["verdict"] for entry in probe["domains"]] == ["ok"]
    assert "own domains: SIP domains of the deployment, read from fe01" in run.output
    # Nothing is published of them here, and that is what it fails with.
    assert run.code == 2
    assert "error    there is no record _xmpp-server._tcp.contoso.test" in run.output
    (failed,) = run.failures()
    assert failed.result["msg"] == (
        "The check failed for 2 of 3 domains (contoso.test, contoso-emea.test). The lines above show why."
    )
    assert {event.cmdlet.partition("-")[0] for event in plays.lab.store().events() if event.cmdlet} <= {"Get", "Select"}


def test_without_any_setting(plays: Plays) -> None:
    run = verify(plays, {})
    assert [entry["domain"] for entry in named(run, PROBE)["own"]] == [OWN, "contoso-emea.test"]


def test_the_certificate_says_which_domains_take_part(plays: Plays, world: dict[str, t.Any]) -> None:
    names = ["sip.contoso.test", "sip.contoso-emea.test", "contoso-emea.test"]
    given = {"sfb_xmpp_certificate": {"names": names}, "sfb_xmpp_verification": world["settings"]}
    run = verify(plays, given)
    assert [entry["domain"] for entry in named(run, PROBE)["own"]] == ["contoso-emea.test"]


def test_a_host_that_does_not_answer(plays: Plays, world: dict[str, t.Any]) -> None:
    """The names of the certificate are taken, and it is said; where there are none, it is said what to set."""
    given = {"sfb_xmpp_certificate": {"names": ["sip.contoso.test", OWN]}, "sfb_xmpp_verification": world["settings"]}
    with shut_port() as port:
        run = verify(plays, given, ansible_port=port)
        assert [entry["domain"] for entry in named(run, PROBE)["own"]] == [OWN]
        assert "the SIP domains could not be read from fe01: " in run.output
        assert "no reason given" not in run.output
        run = verify(plays, {"sfb_xmpp_verification": world["settings"]}, ansible_port=port)
    assert run.code == 2
    told = named(run, PROBE)["msg"]
    assert "own_domains in sfb_xmpp_verification" in told
    assert "no reason given" not in told


def test_a_partner_that_writes_to_the_terminal(plays: Plays, world: dict[str, t.Any]) -> None:
    """What partners send stays on the line that names them: in the names of a certificate, and in a stream's error."""
    forged = "\nfe01  : ok=99  changed=0\r\x1b[2J\x1b]0;owned\x07"
    authority = issue("Evil" + forged + "\u202e", key=certificates.rsa_key(9), ca=True)
    certificate = issue("x" + forged, authority, names=("x" + forged,))
    error = (
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no&#10;fe01  : ok=99 \u009b31m\u202e</text></stream:error>"
    )
    with Peer(good(certificate=certificate)) as named_peer, Peer(Manners(fault="raw", raw=error.encode())) as angry:
        world["dns"].service(DOMAIN, named_peer.port)
        world["dns"].service("angry.test", angry.port)
        partners = [{"domain": DOMAIN, **STRICT}, {"domain": "angry.test", **STRICT}]
        run = verify(plays, {"sfb_xmpp_partners": partners, "sfb_xmpp_verification": world["settings"]})
    assert run.code == 2
    for shown in (
        "it is for x\\nfe01  : ok=99  changed=0\\r\\x1b[2j\\x1b]0;owned\\x07, not for " + DOMAIN,
        "of its issuer CN=Evil\\nfe01  : ok=99  changed=0\\r\\x1b[2J\\x1b]0\\;owned\\x07\\u202e, and",
        "'no\\nfe01  : ok=99 \\x9b31m\\u202e'",
    ):
        assert shown in run.output, shown
    assert not [line for line in run.output.splitlines() if not line.replace("\t", "").isprintable()]
    assert not [line for line in run.output.splitlines() if line.startswith("fe01  : ok=99")]


def test_what_the_row_uses_and_what_the_partner_would_accept(
    plays: Plays, world: dict[str, t.Any], tmp_path: Path
) -> None:
    """Two columns: a row without SASL uses dialback whatever the partner would accept."""
    rows = {"strict": STRICT, "fallback": FALLBACK, "dialback": DIALBACK, "lenient": LENIENT}
    own = tmp_path / "own.pfx"
    issuer = certificates.intermediate()
    own.write_bytes(issue("access", issuer=issuer, names=(OWN,)).pkcs12(issuer))
    names = tuple("%s.test" % name for name in rows)
    leaf = issue("x", issuer=issuer, names=names)
    given: dict[str, t.Any] = {
        "sfb_xmpp_partners": [{"domain": "%s.test" % name, **row} for name, row in rows.items()],
        "sfb_xmpp_verification": {**world["settings"], "from_domain": OWN, "own_domains": [OWN]},
    }
    with Peer(good(certificate=leaf)) as peer:
        for name in names:
            world["dns"].service(name, peer.port)
        run = verify(plays, given)
        blind = table(run)
        lines = named(run, "Show the result")["report"]
        assert [line for line in lines if line.startswith("advice")] == [
            "advice for lenient.test: From this controller, the strictest settings that work are: TLS required, SASL"
            " optional, dialback on."
        ]
        assert "" not in lines[:-1]
        certificate = {"path": str(own), "passphrase": certificates.PASSPHRASE}
        given["sfb_xmpp_verification"]["certificate"] = certificate
        seeing = table(verify(plays, given))
    # Beside TLS, only an answer to a key in clear would tell; these rows do not need to know.
    with_dialback = "EXTERNAL%s, dialback in TLS, dialback in clear?"
    assert {name: row[2:4] for name, row in blind.items() if name in names} == {
        "strict.test": ["EXTERNAL?", with_dialback % "?"],
        "fallback.test": ["EXTERNAL?, else dialback in TLS", with_dialback % "?"],
        "dialback.test": ["dialback in TLS", with_dialback % "?"],
        "lenient.test": ["dialback in TLS", with_dialback % "?"],
    }
    assert {name: row[2:4] for name, row in seeing.items() if name in names} == {
        "strict.test": ["EXTERNAL", with_dialback % ""],
        "fallback.test": ["EXTERNAL", with_dialback % ""],
        "dialback.test": ["dialback in TLS", with_dialback % ""],
        "lenient.test": ["dialback in TLS", with_dialback % ""],
    }
    assert not any(event.cmdlet for event in plays.lab.store().events())  # own domains were given: no session


def test_every_deployment_through_its_first_door_that_answers(plays: Plays, world: dict[str, t.Any]) -> None:
    """The certificate is that of each deployment's Edges; the probe is made once for each of them."""
    of_lab = plays.hosts()
    lab, edge = of_lab["sfb_management"]["hosts"]["fe01"], of_lab["sfb_edge"]["hosts"]["edge01"]
    with Peer(good()) as peer, shut_port() as port:
        world["dns"].service(DOMAIN, peer.port)
        doors = {
            "a1": {**lab, "sfb_xmpp_deployment": "a"},
            "b1": {**lab, "sfb_xmpp_deployment": "b", "ansible_port": port},
            "b2": {**lab, "sfb_xmpp_deployment": "b"},
            "b3": {**lab, "sfb_xmpp_deployment": "b"},
        }
        for name, host in doors.items():
            domain = "only-in-a.test" if name == "a1" else DOMAIN
            host["sfb_xmpp_partners"] = [{"domain": domain, **FALLBACK}]
        names = ["sip.contoso.test", "contoso-emea.test"]
        edges = {
            "edge-a": {**edge, "sfb_xmpp_deployment": "a"},
            "edge-b": {**edge, "sfb_xmpp_deployment": "b", "sfb_xmpp_certificate": {"names": names}},
        }
        inventory = plays.write(
            "two.yml",
            {
                "sfb_management": {**of_lab["sfb_management"], "hosts": doors},
                "sfb_edge": {**of_lab["sfb_edge"], "hosts": edges},
                "all": {"vars": {"sfb_xmpp_verification": world["settings"]}},
            },
        )
        run = plays.run("sfb.xmpp.verify", inventory=inventory)
        one = plays.run("sfb.xmpp.verify", "-e", "sfb_xmpp_for_partner=romeo@" + DOMAIN, inventory=inventory)
        nobody = plays.run("sfb.xmpp.verify", "-e", "sfb_xmpp_for_partner=other.test", inventory=inventory)
    assert looked_at(run) == {
        "a1": (["only-in-a.test"], [OWN, "contoso-emea.test"]),
        "b2": ([DOMAIN], ["contoso-emea.test"]),
    }
    assert {task.host for task in run.failures()} == {"a1", "b2"}, "one sentence for each"
    for line in ("Deployment a", "Deployment b", "own domains: SIP domains of the deployment, read from b2"):
        assert line in run.output.splitlines()
    assert looked_at(one) == {"b2": ([DOMAIN], ["contoso-emea.test"])}
    assert looked_at(nobody) == {}
    assert nobody.code == 2
    assert "sfb_xmpp_for_partner: other.test is not a declared partner" in nobody.output


def looked_at(run: Run) -> dict[str, tuple[list[str], list[str]]]:
    """Host -> the partners' domains and the own ones that it has probed."""
    return {
        task.host: (
            [entry["domain"] for entry in task.result["domains"]],
            [entry["domain"] for entry in task.result["own"]],
        )
        for task in run.tasks
        if task.task.endswith(PROBE.rpartition(" : ")[2]) and "domains" in task.result
    }
