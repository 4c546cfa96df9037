# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XMPP federated partners over the wire."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import info, plural, singular
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Statement, UInt32

from lab.deployment.faults import Faults
from lab.testing import Lab
from tests.integration.management import Management, target

ROW: dict[str, t.Any] = {
    "tls_negotiation": "required",
    "sasl_negotiation": "optional",
    "support_dialback_negotiation": True,
}
FABRIKAM: dict[str, t.Any] = {
    "domain": "Fabrikam.test",
    "additional_domains": ["sales.fabrikam.test", "support.fabrikam.test"],
    "description": "Supplier",
    "partner_type": "federated",
    "tls_negotiation": "required",
    "sasl_negotiation": "required",
    "support_dialback_negotiation": False,
    "enable_keep_alive": False,
    "connection_limit": 4_000_000_000,
    "proxy_fqdn": "xmpp-gw.fabrikam.test",
}
NASTY = [
    'O\'Reilly said "hi"; Remove-CsXmppAllowedPartner *',
    "$(Remove-Item C:\\ -Recurse) `$env:X ${y} @{z=1}",
    "line one\nline two\r\n\ttabbed",
    "emoji 🎉 ünï ß 例え \u200b _x000A_ _x0041_",
    "<Obj RefId='0'>&amp;</Obj> ]]>",
    " blanks around ",
    "'; \"; #",
]


@pytest.mark.quick
def test_one_partner_with_every_option(management: Management) -> None:
    result = management.rhythm(singular(PARTNER), **FABRIKAM)
    assert result.values["partner"] == {**FABRIKAM, "domain": "fabrikam.test"}
    stored = management.store.partners()["fabrikam.test"]
    assert stored["AdditionalDomains"] == ["sales.fabrikam.test", "support.fabrikam.test"]
    assert stored["ConnectionLimit"] == 4_000_000_000
    assert stored["PartnerType"] == "Federated"


def test_change_clear_and_remove(management: Management) -> None:
    management.rhythm(singular(PARTNER), **FABRIKAM)
    change = {
        "domain": "fabrikam.test",
        "description": "",
        "additional_domains": ["sales.fabrikam.test"],
        "proxy_fqdn": "",
    }
    result = management.rhythm(singular(PARTNER), **change)
    (step,) = result.steps or []
    assert step["parameters"]["AdditionalDomains"] == {"remove": ["support.fabrikam.test"]}
    assert result.values["partner"]["additional_domains"] == ["sales.fabrikam.test"]
    assert result.values["partner"]["connection_limit"] == FABRIKAM["connection_limit"]
    assert management.rhythm(singular(PARTNER), domain="fabrikam.test", additional_domains=[]).changed
    assert management.rhythm(singular(PARTNER), domain="FABRIKAM.TEST.", state="absent").values == {"partner": None}
    assert management.store.partners() == {}


@pytest.mark.parametrize("text", NASTY)
def test_text_arrives_verbatim(management: Management, text: str) -> None:
    task = singular(PARTNER)
    result = management.rhythm(task, domain="a.test", description=text, **ROW)
    assert management.store.partners()["a.test"]["Description"] == text
    assert result.values["partner"]["description"] == text
    names = {event.cmdlet for event in management.store.events() if event.kind == "statement"}
    # Get-Command, cut by Select-Object, tells whether the account may write. The others tell which deployment it is.
    read = {"Get-CsXmppAllowedPartner", "Get-CsService", "Get-CsSipDomain", "Get-Command", "Select-Object"}
    assert names == {*read, "New-CsXmppAllowedPartner"}


def test_a_list_with_purge(management: Management) -> None:
    task = plural(PARTNER)
    first = [{"domain": "p%d.test" % n, **ROW} for n in range(6)]
    management.rhythm(task, partners=first)
    second = [{"domain": "bücher.test", **ROW}, *first[1:5], {**first[5], "partner_type": "federated"}]
    result = management.rhythm(task, partners=second, purge=True, protect=["p0.*"])
    assert [s["cmdlet"].partition("-")[0] for s in result.steps or []] == ["New", "Set"]
    result = management.rhythm(task, partners=second, purge=True)
    assert [s["identity"] for s in result.steps or []] == ["p0.test"]
    assert set(management.store.partners()) == {"xn--bcher-kva.test", *("p%d.test" % n for n in range(1, 6))}


@pytest.mark.quick
def test_a_purge_of_forty_per_cent_is_refused_before_anything_is_written(management: Management) -> None:
    task = plural(PARTNER)
    everything = [{"domain": "p%d.test" % n, **ROW} for n in range(10)]
    management.run(task, partners=everything)
    mark = management.mark()
    with pytest.raises(Refused, match=r"would remove 4 of 10 partners \(40 %.*p6\.test, p7\.test, p8\.test, p9\.test"):
        management.run(task, partners=[*everything[:6], {"domain": "new.test", **ROW}], purge=True)
    with pytest.raises(Refused, match="the list of partners is empty"):
        management.run(task, partners=[], purge=True)
    assert management.writes(mark) == []
    assert management.rhythm(task, partners=everything[:6], purge=True, removal_limit=40).changed
    assert management.rhythm(task, partners=[], purge=True, force=True).changed
    assert management.store.partners() == {}


def test_too_many_changes_and_what_is_protected_are_refused_before_anything_is_written(management: Management) -> None:
    everyone: list[dict[str, t.Any]] = [{"domain": "p%d.test" % n, **ROW} for n in range(10)]
    management.run(plural(PARTNER), partners=everyone)
    mark = management.mark()
    changed = [{**item, "description": "altered"} for item in everyone[:4]] + everyone[4:]
    with pytest.raises(Refused, match=r"would change 4 of 10 partners \(40 %.*p0\.test, p1\.test, p2\.test, p3\.test"):
        management.run(plural(PARTNER), partners=changed)
    with pytest.raises(Refused, match=r"p0\.test: is protected by 'p\*'"):
        management.run(singular(PARTNER), domain="p0.test", state="absent", protect=["p*"])
    assert management.writes(mark) == []
    management.rhythm(plural(PARTNER), partners=changed, update_limit=40)
    management.rhythm(singular(PARTNER), domain="p0.test", state="absent", protect=["p1*"])


def test_a_plan_is_applied_as_it_was_reviewed_or_not_at_all(management: Management) -> None:
    wanted: dict[str, t.Any] = {"partners": [{"domain": "a.test", **ROW}, {"domain": "b.test", **ROW}]}
    reviewed = management.run(plural(PARTNER), check=True, **wanted).plan_digest
    management.run(singular(PARTNER), domain="b.test", description="by another hand", **ROW)
    mark = management.mark()
    with pytest.raises(Refused, match=r"new since the plan was made: partner b\.test"):
        management.run(plural(PARTNER), plan_digest=reviewed, **wanted)
    assert management.writes(mark) == []
    management.run(singular(PARTNER), domain="b.test", state="absent")
    assert management.run(plural(PARTNER), plan_digest=reviewed, **wanted).changed
    assert set(management.store.partners()) == {"a.test", "b.test"}


def test_one_of_fifty_fails_and_the_next_run_sends_that_one_only(management: Management) -> None:
    task = plural(PARTNER)
    wanted = [{"domain": "p%02d.test" % n, **ROW} for n in range(50)]
    Faults(management.store).add(
        "New-CsXmppAllowedPartner", "p17.test", times=2, message="Der Zugriff wurde verweigert."
    )
    result = management.run(task, partners=wanted)
    assert [f.identity for f in result.failures] == ["p17.test"]
    assert result.message.startswith("New-CsXmppAllowedPartner of p17.test failed: Der Zugriff wurde verweigert.")
    assert len(management.store.partners()) == 49
    assert sorted(step["result"] for step in result.steps or []) == ["done"] * 49 + ["failed"]
    mark = management.mark()
    again = management.run(task, partners=wanted)
    assert not again.failures
    assert [event.parameters["Identity"] for event in management.writes(mark)] == ["p17.test"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_cut_in_the_middle_is_read_back_and_finished_later(management: Management, when: t.Any) -> None:
    task = plural(PARTNER)
    wanted = [{"domain": "p%02d.test" % n, **ROW} for n in range(20)]
    Faults(management.store).add("New-CsXmppAllowedPartner", "p07.test", action="cut", when=when)
    mark = management.mark()
    result = management.run(task, partners=wanted)
    sent = [event.parameters["Identity"] for event in management.writes(mark)]
    assert len(sent) == len(set(sent)), "a write was repeated blindly"
    done = {step["identity"] for step in result.steps or [] if step["result"] == "done"}
    assert done == set(management.store.partners())
    assert len(done) == (8 if when == "after" else 7)
    assert {failure.identity for failure in result.failures} == {item["domain"] for item in wanted} - done
    assert "the session was lost before the server answered" in str(result.failures[0])
    assert not management.run(task, partners=wanted).failures
    assert len(management.store.partners()) == 20


def test_an_error_without_effect_and_a_change_with_an_error(management: Management) -> None:
    Faults(management.store).add("Set-CsXmppAllowedPartner", when="after", message="Warned too late.")
    management.run(singular(PARTNER), domain="a.test", **ROW)
    result = management.run(singular(PARTNER), domain="a.test", description="new")
    assert result.changed
    assert not result.failures
    assert "Warned too late." in result.warnings[-1]


def test_what_somebody_changed_by_hand_is_repaired(management: Management) -> None:
    task = plural(PARTNER)
    wanted = [{"domain": "a.test", "description": "", **ROW}, {"domain": "b.test", **ROW}]
    management.run(task, partners=wanted)
    management.invoke(
        [
            Statement(
                "Set-CsXmppAllowedPartner", {"Identity": "A.TEST", "TlsNegotiation": "optional", "Description": "?"}
            ),
            Statement("Remove-CsXmppAllowedPartner", {"Identity": "b.test", "Confirm": False}),
        ]
    )
    result = management.rhythm(task, partners=wanted)
    assert [(s["cmdlet"], s["identity"]) for s in result.steps or []] == [
        ("New-CsXmppAllowedPartner", "b.test"),
        ("Set-CsXmppAllowedPartner", "a.test"),
    ]


def test_an_invalid_row_is_refused_and_one_that_stands_there_is_a_warning(management: Management) -> None:
    dead: dict[str, t.Any] = {
        "tls_negotiation": "required",
        "sasl_negotiation": "not_supported",
        "support_dialback_negotiation": False,
    }
    with pytest.raises(Refused, match="SASL and dialback are both off"):
        management.run(singular(PARTNER), domain="a.test", **dead)
    assert management.writes() == []
    written: dict[str, t.Any] = {
        "TlsNegotiation": "Required",
        "SaslNegotiation": "NotSupported",
        "SupportDialbackNegotiation": False,
    }
    management.invoke([Statement("New-CsXmppAllowedPartner", {"Identity": "a.test", **written})])
    result = management.run(singular(PARTNER), domain="a.test", description="x", connection_limit=7)
    assert result.changed
    assert "SASL and dialback are both off" in result.warnings[0]
    (finding,) = management.run(info(PARTNER)).values["findings"]
    assert finding["severity"] == "error"


@pytest.mark.parametrize("reported", [False, True])
def test_lists_and_enumerations_are_read_in_each_form(management: Management, reported: bool) -> None:
    """As PowerShell's serializer sends them, and as public scripts report them: see the lab's setting."""
    management.store.set_setting("reported_forms", reported)
    names = ["x.a.test", "y.a.test"]
    for count in (0, 1, 2):
        parameters: dict[str, t.Any] = {"Identity": "n%d.test" % count, "ConnectionLimit": UInt32(count)}
        management.invoke(
            [Statement("New-CsXmppAllowedPartner", {**parameters, "AdditionalDomains": tuple(names[:count])})]
        )
    found = management.run(info(PARTNER)).values["partners"]
    assert [p["additional_domains"] for p in found] == [names[:0], names[:1], names[:2]]
    assert {p["tls_negotiation"] for p in found} == {"required"}
    assert not management.run(plural(PARTNER), partners=found, purge=True).changed


def test_an_account_that_may_only_read_is_told_before_anything_is_sent(management: Management, fresh_lab: Lab) -> None:
    viewer = Management(fresh_lab, target(fresh_lab, "fe01", "CONTOSO\\viewer", "Lab-viewer-1"))
    try:
        assert viewer.run(info(PARTNER)).values["partners"] == []
        with pytest.raises(
            Refused, match=r"can read but not write\. Its session does not offer New-CsXmppAllowedPartner"
        ):
            viewer.run(singular(PARTNER), domain="a.test", **ROW)
        assert management.writes() == []
    finally:
        viewer.session.close()


def test_a_read_that_fails_stops_everything(management: Management) -> None:
    Faults(management.store).add("Get-CsXmppAllowedPartner", message="Store is not available.")
    with pytest.raises(ServerRefused, match=r"Get-CsXmppAllowedPartner failed: Store is not available\."):
        management.run(plural(PARTNER), partners=[{"domain": "a.test", **ROW}])
    assert management.writes() == []
