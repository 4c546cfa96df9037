# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateway's certificate on the lab's Edges, over the wire: what arrives, what is presented, what is left behind."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_TASK, TASK

from lab.deployment.faults import Faults
from lab.testing import Lab, running_lab
from tests.integration.management import Management, calls, logged, target
from tests.unit.certificates import NAMES, PASSPHRASE, Issued, elliptic_key, intermediate, issue, leaf, root

PROXY = "RTCXMPPTGWPROXY"
MARKER = "sfb-xmpp-restart.pending"


def edge_of(lab: Lab, host: str = "edge01", module: str = "SkypeForBusiness") -> Management:
    return Management(lab, target(lab, host, "Administrator", "Lab-edge-1", (module,)))


@pytest.fixture
def edge(fresh_lab: Lab) -> t.Iterator[Management]:
    shell = edge_of(fresh_lab)
    yield shell
    shell.session.close()


@pytest.fixture
def options(tmp_path: Path) -> dict[str, t.Any]:
    """An AES-encrypted file as today's tools write it, with intermediate and root, and what it must satisfy."""
    return wanted(tmp_path, leaf())


def wanted(folder: Path, one: Issued) -> dict[str, t.Any]:
    file, trust = folder / "gateway.pfx", folder / "root.pem"
    file.write_bytes(one.pkcs12(intermediate(), root()))
    trust.write_bytes(root().pem)
    return {
        "names": list(NAMES),
        "source": {"type": "pkcs12", "path": str(file), "passphrase": PASSPHRASE},
        "trust_store": str(trust),
    }


def left(edge: Management, host: str = "edge01") -> list[str]:
    """Files of ours on the Edge."""
    return [path.rpartition("\\")[2] for path in edge.store.files(host) if "sfb-xmpp" in path.lower()]


def presented(edge: Management, host: str = "edge01") -> str | None:
    return edge.store.presented(host).get("XmppServer")


def masked(found: list[tuple[str, dict[str, t.Any]]]) -> list[tuple[str, dict[str, t.Any]]]:
    """Calls without the random part of the file's name."""
    return [
        (cmdlet, {k: "KEY" if str(v).endswith(".pfx") else v for k, v in parameters.items()})
        for cmdlet, parameters in found
    ]


def test_an_endpoint_that_takes_one_statement_at_a_time(edge: Management, options: dict[str, t.Any]) -> None:
    edge.store.set_setting("one_statement", True)
    done = edge.run(TASK, **options)
    assert [str(failure) for failure in done.failures] == []
    assert presented(edge) == leaf().thumbprint
    assert set(edge.store.services("edge01").values()) == {"Running"}
    assert left(edge) == []
    assert not edge.run(TASK, **options).changed


@pytest.mark.quick
def test_check_do_and_do_again(edge: Management, options: dict[str, t.Any]) -> None:
    mark = edge.mark()
    before = edge.store.assignments("edge01")
    planned = edge.run(TASK, check=True, **options)
    assert planned.changed
    assert edge.writes(mark) == []
    done = edge.run(TASK, **options)
    assert [str(failure) for failure in done.failures] == []
    assert masked(calls(done.steps or ())) == masked(calls(planned.steps or ())) == masked(logged(edge.writes(mark)))
    assert {step["result"] for step in done.steps or ()} == {"done"}
    assert done.diff == planned.diff
    assert edge.store.assignments("edge01") == {**before, "XmppServer": leaf().thumbprint}
    assert presented(edge) == leaf().thumbprint
    assert done.values["in_force"] == "assigned"
    assert list(done.values["restarts"]) == [edge.store.service_name("edge01", PROXY)]
    assert set(edge.store.services("edge01").values()) == {"Running"}
    row = edge.store.certificate("edge01", "My", leaf().thumbprint)
    assert row is not None
    assert row.key_readable
    stores = {r.store for r in edge.store.certificates("edge01") if r.thumbprint == root().thumbprint}
    assert "Root" not in stores, "the file's root must not become a trusted one"
    assert edge.store.certificate("edge01", "CA", intermediate().thumbprint)
    assert left(edge) == []
    mark = edge.mark()
    again = edge.run(TASK, **options)
    assert (again.changed, again.steps, again.diff) == (False, [], [])
    assert edge.writes(mark) == []
    assert again.values["in_force"] == "assigned"


def test_an_elliptic_key(edge: Management, tmp_path: Path) -> None:
    one = issue(issuer=intermediate(), key=elliptic_key())
    assert not edge.run(TASK, **wanted(tmp_path, one)).failures
    assert presented(edge) == one.thumbprint


def test_the_next_certificate_for_all_usages(edge: Management, options: dict[str, t.Any], tmp_path: Path) -> None:
    edge.run(TASK, **options)
    following = issue(issuer=intermediate(), days=300)
    usages = ["AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication", "XmppServer"]
    planned = edge.run(TASK, check=True, usages=usages, **wanted(tmp_path, following))
    result = edge.run(TASK, usages=usages, **wanted(tmp_path, following))
    assert not result.failures
    (outage,) = (text for text in planned.warnings if "outage for remote users" in text)
    assert all(service in outage for service in edge.store.services("edge01"))
    assert outage in result.warnings
    assert set(result.values["restarts"]) == set(edge.store.services("edge01"))
    seen = edge.store.presented("edge01")
    assert {seen[usage] for usage in usages} == {following.thumbprint}
    assert result.values["assigned"] == dict.fromkeys(usages, following.thumbprint)
    found, internal = edge.run(INFO_TASK, names=list(NAMES)).values["certificates"]
    assert (found["thumbprint"], found["usages"], found["findings"]) == (following.thumbprint, usages, [])
    assert internal["usages"] == ["Internal"]


def test_a_service_that_is_left_draining(edge: Management, options: dict[str, t.Any]) -> None:
    """The certificate is assigned and not in use: that fails, nothing goes back, and the next run completes it."""
    edge.store.set_setting("drain_seconds", 600)
    options["graceful"] = {"timeout": 1, "then": "leave"}
    former = presented(edge)
    mark = edge.mark()
    left_so = edge.run(TASK, **options)
    proxy = edge.store.service_name("edge01", PROXY)
    assert [failure.identity for failure in left_so.failures] == [proxy]
    assert (left_so.values["in_force"], left_so.values["went_back"]) == ("unknown", False)
    assert any("does not use it until it is restarted" in text for text in left_so.warnings)
    assert (presented(edge), edge.store.assignments("edge01")["XmppServer"]) == (former, leaf().thumbprint)
    assert (edge.store.services("edge01")[proxy], left(edge)) == ("Paused", [MARKER])
    assert [e.parameters.get("Graceful") for e in edge.writes(mark) if "Service" in e.cmdlet] == [True]
    mark = edge.mark()
    assert edge.run(TASK, **{**options, "graceful": {"timeout": 1}}).failures == []
    services = [e.cmdlet.partition("-")[0] for e in edge.writes(mark) if "Service" in e.cmdlet]
    assert services == ["Stop", "Start"], "it drains already, so the stop is the plain one at the end of the time"
    assert (presented(edge), left(edge)) == (leaf().thumbprint, [])
    assert not edge.run(TASK, **options).changed


def test_a_pool_shares_the_certificate(edge: Management, fresh_lab: Lab, options: dict[str, t.Any]) -> None:
    other = edge_of(fresh_lab, "edge02")
    try:
        for shell in (edge, other):
            assert not shell.run(TASK, **options).failures
    finally:
        other.session.close()
    assert presented(edge, "edge01") == presented(edge, "edge02") == leaf().thumbprint


STEPS = [
    ("Set-Content", "*.pfx"),
    ("Import-CsCertificate", ""),
    ("Remove-Item", "*.pfx"),
    ("Set-Content", "*.pending"),
    ("Set-CsCertificate", ""),
    ("Stop-CsWindowsService", ""),
    ("Start-CsWindowsService", ""),
    ("Remove-Item", "*.pending"),
]


@pytest.mark.parametrize(
    ("action", "when"), [("error", "before"), ("error", "after"), ("cut", "before"), ("cut", "after")]
)
@pytest.mark.parametrize(("cmdlet", "identity"), STEPS)
def test_every_step_fails_once(
    edge: Management, options: dict[str, t.Any], cmdlet: str, identity: str, action: t.Any, when: t.Any
) -> None:
    Faults(edge.store).add(cmdlet, identity, action=action, when=when)
    result = edge.run(TASK, **options)
    assert Faults(edge.store).armed() == [], "the fault did not strike"
    assert [name for name in left(edge) if name != MARKER] == []
    assert set(edge.store.services("edge01").values()) == {"Running"}
    assert result.values["assigned"] == {"XmppServer": edge.store.assignments("edge01").get("XmppServer")}
    if result.values["in_force"] == "assigned" or not result.failures:
        assert presented(edge) == leaf().thumbprint
    assert PASSPHRASE not in repr(result)
    again = edge.run(TASK, **options)
    assert [str(failure) for failure in again.failures] == []
    assert presented(edge) == leaf().thumbprint
    assert left(edge) == []
    assert not edge.run(TASK, **options).changed


def test_what_an_interrupted_run_left_is_swept(edge: Management, options: dict[str, t.Any]) -> None:
    edge.run(TASK, **options)
    edge.store.put_file("edge01", "C:\\Windows\\Temp\\sfb-xmpp-00112233445566aa.pfx", b"old")
    result = edge.run(TASK, **options)
    assert [step["cmdlet"] for step in result.steps or ()] == ["Remove-Item"]
    assert left(edge) == []


def test_the_lab_would_not_open_the_file_as_it_is(edge: Management, options: dict[str, t.Any]) -> None:
    """Proves that the file was wrapped anew: as it lies on the controller, this Edge cannot open it."""
    from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Secret, Statement

    path = "C:\\Windows\\Temp\\as-it-is.pfx"
    data = Path(options["source"]["path"]).read_bytes()
    answer = edge.invoke(
        [
            Statement("Set-Content", {"LiteralPath": path, "Encoding": "Byte", "Value": data}),
            Statement("Import-CsCertificate", {"Path": path, "Password": Secret(PASSPHRASE), "Confirm": False}),
        ]
    )
    assert [error.message for error in answer.errors] == ["The specified network password is not correct."]


def test_secrets_stay_out_of_the_event_log(edge: Management, options: dict[str, t.Any]) -> None:
    edge.run(TASK, **options)
    (event,) = (e for e in edge.writes() if e.cmdlet == "Import-CsCertificate")
    assert event.parameters["Password"] == {"secret": True}
    assert PASSPHRASE not in repr(edge.store.events())


def test_refused_before_anything_is_sent(edge: Management, tmp_path: Path) -> None:
    mark = edge.mark()
    with pytest.raises(Refused, match=r"do not cover sip\.contoso\.test, contoso\.test"):
        edge.run(TASK, **wanted(tmp_path, issue(issuer=intermediate(), names=NAMES[:1])))
    arguments = wanted(tmp_path, leaf())
    arguments["source"]["passphrase"] = "wrong"
    with pytest.raises(Refused, match="the passphrase does not open the file"):
        edge.run(TASK, **arguments)
    assert edge.writes(mark) == []


def test_absent(edge: Management, options: dict[str, t.Any]) -> None:
    edge.run(TASK, **options)
    result = edge.run(TASK, state="absent")
    assert not result.failures
    assert "XmppServer" not in edge.store.assignments("edge01")
    assert edge.store.certificate("edge01", "My", leaf().thumbprint)
    assert not edge.run(TASK, state="absent").changed
    assert edge.run(INFO_TASK, usages=["XmppServer"]).values["certificates"] == []


def test_session_without_the_product_module(fresh_lab: Lab, options: dict[str, t.Any]) -> None:
    shell = Management(fresh_lab, target(fresh_lab, "edge01", "Administrator", "Lab-edge-1"))
    try:
        with pytest.raises(Refused, match="ansible_management_shell_modules"):
            shell.run(TASK, **options)
    finally:
        shell.session.close()


def test_lync_2013(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    with running_lab(tmp_path_factory.mktemp("lync"), profile="lync2013") as lab:
        shell = edge_of(lab, module="Lync")
        try:
            with pytest.raises(Refused, match="Lync Server 2013 cannot use"):
                shell.run(TASK, **wanted(tmp_path, issue(issuer=intermediate(), key=elliptic_key())))
            assert not shell.run(TASK, **wanted(tmp_path, leaf())).failures
            assert presented(shell) == leaf().thumbprint
        finally:
            shell.session.close()
