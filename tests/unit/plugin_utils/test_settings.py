# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of an inventory: what is read for which playbook, and the exact text of every mistake."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.settings import Source, chosen, contradictions, read
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME, PLAYBOOKS, SETTINGS, TAGS
from hypothesis import example, given
from hypothesis import strategies as st

YAML = ' The string contains YAML. Convert it: "{{ NAME | from_yaml }}"'


def source(
    values: t.Mapping[str, t.Any], extra: t.Collection[str] = (), places: t.Mapping[str, str] | None = None
) -> Source:
    def value(name: str) -> t.Any:
        if isinstance(values[name], Exception):
            raise ValueError(str(values[name]))
        return values[name]

    return Source(set(values), set(extra), value, lambda name: (places or {}).get(name, ""))


def reasons(playbook: str, values: t.Mapping[str, t.Any], extra: t.Collection[str] = ()) -> list[str]:
    try:
        read(playbook, source(values, extra))
    except Refused as exc:
        return list(exc.reasons)
    return []


# playbook, variables, all that is said of them.
MISTAKES: tuple[tuple[str, dict[str, t.Any], list[str]], ...] = (
    (
        "audit",
        {"sfb_xmpp_audit": {"failon": "error"}},
        ["sfb_xmpp_audit.failon: there is no such option (did you mean fail_on?)"],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": {"fail_on": "errors"}},
        ["sfb_xmpp_audit.fail_on: must be error, unknown, warning, info or never, not 'errors' (did you mean error?)"],
    ),
    (
        "converge",
        {"sfb_xmpp_certificate_switch": "window"},
        ["sfb_xmpp_certificate_switch: the value window is called separate now. Use separate"],
    ),
    ("audit", {"sfb_xmpp_audit": {"probe": "perhaps"}}, ["sfb_xmpp_audit.probe: must be true or false, not 'perhaps'"]),
    (
        "audit",
        {"sfb_xmpp_audit": ["fail_on"]},
        ["sfb_xmpp_audit: must be a dictionary, not a list. Write 'fail_on: ...'"],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": "fail_on: error"},
        ["sfb_xmpp_audit: must be a dictionary, not 'fail_on: error'." + YAML],
    ),
    (
        "export",
        {"sfb_xmpp_export": {"default": False}},
        ["sfb_xmpp_export.default: there is no such option (did you mean defaults?)"],
    ),
    ("export", {"sfb_xmpp_export": {"defaults": 2}}, ["sfb_xmpp_export.defaults: must be true or false, not 2"]),
    (
        "history",
        {"sfb_xmpp_history": {"changes": "three"}},
        ["sfb_xmpp_history.changes: must be a whole number, not 'three'"],
    ),
    (
        "history",
        {"sfb_xmpp_history": {"changes": -1}},
        ["sfb_xmpp_history.changes: must be from 0 to 4294967295, not -1"],
    ),
    (
        "capture",
        {"sfb_xmpp_capture": {"user": 3}},
        ["sfb_xmpp_capture.user: there is no such option (did you mean users?)"],
    ),
    ("capture", {"sfb_xmpp_capture": {"key_file": ["a"]}}, ["sfb_xmpp_capture.key_file: must be a path, not a list"]),
    (
        "verify",
        {"sfb_xmpp_verification": {"nameserver": "9.9.9.9"}},
        ["sfb_xmpp_verification.nameserver: there is no such option (did you mean nameservers?)"],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"timeout": "soon"}},
        ["sfb_xmpp_verification.timeout: must be a number, not 'soon'"],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"certificate": {"passphrase": "x"}}},
        ["sfb_xmpp_verification.certificate.path: is missing"],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"messages": [{"from_user": "sip:a@b.c"}]}},
        ["sfb_xmpp_verification.messages[0].to_user: is missing"],
    ),
    (
        "verify",
        {
            "sfb_xmpp_verification": {
                "messages": [{"to_user": "sip:a@b.c", "credential": {"usrname": "x", "password": "y"}}]
            }
        },
        [
            "sfb_xmpp_verification.messages[0].credential.usrname: there is no such option (did you mean username?)",
            "sfb_xmpp_verification.messages[0].credential.username: is missing",
        ],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"fail_on": ["fail"]}},
        [
            "sfb_xmpp_verification.fail_on[0]: must be ok, warning, failed or not_observable, not 'fail' (did you "
            "mean failed?)"
        ],
    ),
    (
        "converge",
        {"sfb_xmpp_certificate": {"acess_edge": "sip.contoso.com"}},
        ["sfb_xmpp_certificate.acess_edge: there is no such option (did you mean access_edge?)"],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"source": {"path": "a.p12"}}},
        ["sfb_xmpp_certificate.source.type: is missing"],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"source": {"type": "pkcs-12"}}},
        [
            "sfb_xmpp_certificate.source.type: must be pkcs12, own_ca, self_signed, request "
            "or enterprise_ca, not 'pkcs-12' (did you mean pkcs12?)"
        ],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"usages": ["XmppServers"]}},
        [
            "sfb_xmpp_certificate.usages[0]: must be AccessEdgeExternal, DataEdgeExternal, "
            "AudioVideoAuthentication or XmppServer, not 'XmppServers' (did you mean XmppServer?)"
        ],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"renew": {"day": 30}}},
        ["sfb_xmpp_certificate.renew.day: there is no such option (did you mean days?)"],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"names": {"a": "b"}}},
        ["sfb_xmpp_certificate.names: must be a list, not a dictionary. Write an entry that begins with '- '"],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate_phase": "staged"},
        ["sfb_xmpp_certificate_phase: must be all, stage or switch, not 'staged' (did you mean stage?)"],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"renew": {"now": {"compromized": True}}}},
        [
            "sfb_xmpp_certificate.renew.now.compromized: there is no such option (did you mean compromised?)",
            "sfb_xmpp_certificate.renew.now.reason: is missing",
        ],
    ),
    (
        "certificate",
        {"sfb_xmpp_certificate": {"graceful": {"time": 3}}},
        ["sfb_xmpp_certificate.graceful.time: there is no such option (did you mean timeout?)"],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"certificate": {"path": "x", "pasphrase": "x"}}},
        ["sfb_xmpp_verification.certificate.pasphrase: there is no such option (did you mean passphrase?)"],
    ),
    (
        "verify",
        {"sfb_xmpp_verification": {"messages": [{"to_user": ["x"]}]}},
        ["sfb_xmpp_verification.messages[0].to_user: must be a string, not a list"],
    ),
    (
        "converge",
        {"sfb_xmpp_journal": {"keep_day": 3}},
        ["sfb_xmpp_journal.keep_day: there is no such option (did you mean keep_days?)"],
    ),
    (
        "converge",
        {"sfb_xmpp_require": ["tickets"]},
        ["sfb_xmpp_require[0]: must be plan, ticket or other_person, not 'tickets' (did you mean ticket?)"],
    ),
    (
        "certificate",
        {"sfb_xmpp_windows": [{"days": ["monday"], "from": "22:00", "to": "05:00", "timezone": "Europe/Berlin"}]},
        ["sfb_xmpp_windows[0].days[0]: must be mon, tue, wed, thu, fri, sat or sun, not 'monday'"],
    ),
    (
        "certificate",
        {"sfb_xmpp_freeze": [{"from": "2026-12-20", "until": "2027-01-06"}]},
        ["sfb_xmpp_freeze[0].until: there is no such option", "sfb_xmpp_freeze[0].to: is missing"],
    ),
    (
        "restore",
        {"sfb_xmpp_revoked": [{"domian": "a.test"}]},
        [
            "sfb_xmpp_revoked[0].domian: there is no such option (did you mean domain?)",
            "sfb_xmpp_revoked[0].domain: is missing",
        ],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": {"accepted": [{"cod": "no_route", "object": "a", "reason": "r", "ticket": "t"}]}},
        [
            "sfb_xmpp_audit.accepted[0].cod: there is no such option (did you mean code?)",
            "sfb_xmpp_audit.accepted[0].code: is missing",
            "sfb_xmpp_audit.accepted[0].until: is missing",
        ],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": {"forecast_days": 401}},
        ["sfb_xmpp_audit.forecast_days: 401 must be a number of days from 1 to 400"],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": {"forecast_days": 0}},
        ["sfb_xmpp_audit.forecast_days: 0 must be a number of days from 1 to 400"],
    ),
    (
        "audit",
        {"sfb_xmpp_audit": {"forecast_days": "soon"}},
        ["sfb_xmpp_audit.forecast_days: must be a whole number, not 'soon'"],
    ),
    ("converge", {"sfb_xmpp_replication": "yes"}, ["sfb_xmpp_replication: must be wait, push or none, not 'yes'"]),
    ("converge", {"sfb_xmpp_removal_limit": "half"}, ["sfb_xmpp_removal_limit: must be a whole number, not 'half'"]),
    (
        "converge",
        {"sfb_xmpp_partners_purge": "sometimes"},
        ["sfb_xmpp_partners_purge: must be true or false, not 'sometimes'"],
    ),
    (
        "converge",
        {"sfb_xmpp_protect": {"a": 1}},
        ["sfb_xmpp_protect: must be a list, not a dictionary. Write an entry that begins with '- '"],
    ),
    (
        "converge",
        {"sfb_xmpp_protect": "- a.test\n- b.test"},
        ["sfb_xmpp_protect: must be a list, not '- a.test\\n- b.test'." + YAML],
    ),
    ("converge", {"sfb_xmpp_protect": [["a"]]}, ["sfb_xmpp_protect[0]: must be a string, not a list"]),
    ("converge", {"sfb_xmpp_ticket": ["CHG-1"]}, ["sfb_xmpp_ticket: must be a string, not a list"]),
    (
        "converge",
        {"sfb_xmpp_partners": "- domain: a.test\n"},
        ["sfb_xmpp_partners: must be a list, not a string." + YAML],
    ),
    (
        "converge",
        {"sfb_xmpp_gateway": "connection_limit: 5"},
        ["sfb_xmpp_gateway: must be a dictionary, not a string." + YAML],
    ),
    (
        "converge",
        {"sfb_xmpp_partners": [{"domain": "a.test", "tls_negotiaton": "required"}]},
        ["sfb_xmpp_partners[0] (a.test): tls_negotiaton: there is no such option (did you mean tls_negotiation?)"],
    ),
    (
        "converge",
        {"sfb_xmpp_partnres": []},
        ["sfb_xmpp_partnres: there is no such variable (did you mean sfb_xmpp_partners?)"],
    ),
    (
        "converge",
        {"sfb_xmpp_quux": 1},
        ["sfb_xmpp_quux: there is no such variable. Begin the names of your own variables with sfb_xmpp_x_"],
    ),
    (
        "converge",
        {"sfb_xmpp_force": True},
        [
            "sfb_xmpp_force: applies to one run only, so it works only on the command line. Remove it here and "
            "give it with -e"
        ],
    ),
    (
        "restore",
        {"sfb_xmpp_allow": ["empty_purge"]},
        [
            "sfb_xmpp_allow: applies to one run only, so it works only on the command line. Remove it here and "
            "give it with -e"
        ],
    ),
    (
        "decommission",
        {"sfb_xmpp_decommission": "yes"},
        [
            "sfb_xmpp_decommission: applies to one run only, so it works only on the command line. Remove it "
            "here and give it with -e"
        ],
    ),
    (
        "converge",
        {"sfb_xmpp_ticket": ValueError("'change' is undefined")},
        ["sfb_xmpp_ticket: cannot be evaluated: 'change' is undefined"],
    ),
)


@pytest.mark.parametrize(("playbook", "values", "texts"), MISTAKES)
def test_a_mistake_has_this_text(playbook: str, values: dict[str, t.Any], texts: list[str]) -> None:
    assert reasons(playbook, values) == texts


MISSING = {
    "failover": (
        "sfb_xmpp_failover_to: is missing. Name the Edge pool that takes over XMPP, as in"
        " -e sfb_xmpp_failover_to=edge2.contoso.com"
    ),
    "revoke": (
        "sfb_xmpp_revoke_domain: is missing. Name the domain to revoke, as in -e sfb_xmpp_revoke_domain=fabrikam.com"
    ),
    "onboard": "sfb_xmpp_for_partner: is missing. Name the partner, as in -e sfb_xmpp_for_partner=fabrikam.com",
    "import": (
        "sfb_xmpp_into: is missing. Name the file of variables to write, as in"
        " -e sfb_xmpp_into=inventory/group_vars/all/lists.yml"
    ),
}


@pytest.mark.parametrize(
    ("playbook", "values", "text"),
    [
        ("failover", {}, MISSING["failover"]),
        ("revoke", {}, MISSING["revoke"]),
        # What an inventory says does not count.
        ("revoke", {"sfb_xmpp_revoke_domain": "a.test"}, MISSING["revoke"]),
        ("onboard", {}, MISSING["onboard"]),
        ("import", {}, MISSING["import"]),
    ],
)
def test_what_a_playbook_cannot_do_without(playbook: str, values: dict[str, t.Any], text: str) -> None:
    assert reasons(playbook, values) == [text]


def test_what_one_playbook_needs_another_can_do_without() -> None:
    user = "sfb_xmpp_for_user: is missing. Name the user, as in -e sfb_xmpp_for_user=ann@contoso.com"
    assert reasons("explain", {}) == [MISSING["onboard"], user]
    for playbook in ("verify", "history", "restore", "rehearse", "audit"):
        assert reasons(playbook, {}) == []


def test_all_mistakes_are_named_at_once() -> None:
    values = {
        name: value for playbook, given, _texts in MISTAKES if playbook == "converge" for name, value in given.items()
    }
    assert len(reasons("converge", values)) == len(values)


def test_a_mistake_of_a_run_is_found_on_the_command_line_too() -> None:
    values = {"sfb_xmpp_allow": ["empty_purges"]}
    assert "empty_purge?" in reasons("converge", values, extra=values)[0]


def test_a_former_name_on_the_command_line_has_its_new_name() -> None:
    values = {"partner": "fabrikam.example"}
    text = "partner: this variable is called sfb_xmpp_for_partner now. Give -e sfb_xmpp_for_partner=... instead"
    assert reasons("verify", values, extra=values) == [text]
    assert reasons("verify", values) == [], "in an inventory it belongs to somebody else"
    assert reasons("converge", values, extra=values) == []
    both = {**values, "user": "ann@contoso.com"}
    found = reasons("explain", both, extra=both)
    assert found == [text, "user: this variable is called sfb_xmpp_for_user now. Give -e sfb_xmpp_for_user=... instead"]


@pytest.mark.parametrize("playbook", ["export", "capture", "migration", "history", "preflight"])
def test_a_playbook_evaluates_only_what_it_reads(playbook: str) -> None:
    locked = ValueError("no vault secrets were found that could decrypt")
    assert reasons(playbook, {"sfb_xmpp_certificate_hook": locked, "sfb_xmpp_ticket": locked}) == []


def test_a_revocation_is_held_up_by_nothing_that_it_does_not_read() -> None:
    values = {
        "sfb_xmpp_partnres": [],
        "sfb_xmpp_force": True,
        "sfb_xmpp_partners": ValueError("no"),
        "sfb_xmpp_protect": ["a.test"],
    }
    values["sfb_xmpp_revoke_domain"] = "b.test"
    settings = read("revoke", source(values, extra=["sfb_xmpp_revoke_domain"]))
    assert settings.values == {"protect": ["a.test"], "revoke_domain": "b.test"}
    assert len(settings.warnings) == 2


def test_a_former_name_is_a_mistake_where_it_counted_and_nowhere_else() -> None:
    text = "into: this variable is called sfb_xmpp_into now. Give -e sfb_xmpp_into=... instead"
    assert reasons("audit", {"into": "a"}, extra=["into"]) == [text]
    # In an inventory, and for another playbook, it is somebody else's.
    assert reasons("audit", {"into": "a"}) == reasons("converge", {"into": "a"}, extra=["into"]) == []
    assert reasons("audit", {"sfb_xmpp_into": "a"}, extra=["sfb_xmpp_into"]) == []


def test_the_place_of_a_variable_is_named() -> None:
    places = {"sfb_xmpp_ticket": "group_vars/all.yml, line 3", "sfb_xmpp_partners": "lists.yml, line 9"}
    with pytest.raises(Refused) as caught:
        read("converge", source({"sfb_xmpp_ticket": [], "sfb_xmpp_partners": [{"domain": ""}]}, places=places))
    assert [reason.rsplit(" (", 1)[1] for reason in caught.value.reasons] == [
        "group_vars/all.yml, line 3)",
        "lists.yml, line 9)",
    ]


@pytest.mark.parametrize(
    ("playbook", "former", "now"),
    [(playbook, one.former, one.name) for one in SETTINGS if one.former for playbook in one.playbooks],
)
def test_a_former_name_on_the_command_line_is_a_mistake_in_its_playbook(playbook: str, former: str, now: str) -> None:
    text = "%s: this variable is called %s now. Give -e %s=... instead" % (former, now, now)
    assert text in reasons(playbook, {former: "x"}, extra=[former])
    assert not [text for text in reasons(playbook, {former: "x"}) if text.startswith(former + ":")]
    assert reasons("export", {former: "x"}, extra=[former] * (former != "into")) == []


@example(next(one for one in SETTINGS if one.spec.get("type") == "raw"), "", "restore")
@given(st.sampled_from(SETTINGS), st.sampled_from([None, ""]), st.sampled_from(PLAYBOOKS))
def test_a_blank_answer_is_as_good_as_none(setting: t.Any, blank: t.Any, playbook: str) -> None:
    given_blank = reasons(playbook, {setting.name: blank}, extra=[setting.name])
    assert given_blank == reasons(playbook, {})
    if not given_blank:
        assert read(playbook, source({setting.name: blank}, extra=[setting.name])).values == {}


def test_own_variables_and_results_of_other_jobs_are_left_alone() -> None:
    of_a_job = {"sfb_xmpp_result": "ok", "sfb_xmpp_changes": 3, "sfb_xmpp_plan_digest": "5f2c1d0b" * 8}
    for playbook in PLAYBOOKS:
        assert reasons(playbook, of_a_job, of_a_job) == reasons(playbook, {})
    several = {name: {"contoso": value} for name, value in of_a_job.items()}
    assert reasons("converge", {"sfb_xmpp_x_site": [1], **several}) == []


def test_texts_of_the_command_line_are_typed_values() -> None:
    values = {"sfb_xmpp_removal_limit": "50", "sfb_xmpp_partners_purge": "yes", "sfb_xmpp_protect": "a.test, b.test"}
    assert reasons("converge", values, extra=values) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(SETTINGS), json_values)
def test_no_value_ends_in_anything_but_a_refusal(setting: t.Any, value: t.Any) -> None:
    for playbook in setting.playbooks[:1]:
        for text in reasons(playbook, {setting.name: value}, extra=[setting.name]):
            assert text.startswith(setting.name) or text in reasons(playbook, {})


# Tags


@pytest.mark.parametrize(
    ("playbook", "run", "skip", "text"),
    [
        ("converge", ["partner"], [], "--tags partner: converge has no such tag (did you mean partners?)"),
        ("converge", ["partners"], ["grant"], "--skip-tags grant: converge has no such tag (did you mean grants?)"),
        ("failover", ["route"], [], "--tags route: failover has no such tag (did you mean routes?)"),
    ],
)
def test_a_tag_that_is_near_one_of_ours_is_a_mistake(playbook: str, run: list[str], skip: list[str], text: str) -> None:
    with pytest.raises(Refused) as caught:
        chosen(playbook, run, skip)
    assert list(caught.value.reasons) == [text]


@pytest.mark.parametrize(
    ("playbook", "run"), [("converge", ["database"]), ("verify", ["database"]), ("failover", ["x"])]
)
def test_a_tag_of_somebody_else_chooses_nothing_and_says_so(playbook: str, run: list[str]) -> None:
    assert "select no part of this playbook" in chosen(playbook, run, []).nothing


@pytest.mark.parametrize("run", [["all"], ["partners"], ["tagged"], ["partners", "database"]])
def test_a_tag_of_ours_chooses_something(run: list[str]) -> None:
    assert chosen("converge", run, []).nothing == ""


# The table


def test_every_setting_is_read_by_a_playbook_that_there_is() -> None:
    assert {playbook for setting in SETTINGS for playbook in setting.playbooks} <= set(PLAYBOOKS)
    assert len(BY_NAME) == len(SETTINGS)
    assert set(TAGS) <= set(PLAYBOOKS)


def test_hosts_of_one_deployment_declare_the_same() -> None:
    hosts = {"a": {"sfb_xmpp_ticket": "1", "sfb_xmpp_deployment": "x"}, "b": {"sfb_xmpp_ticket": "2"}}
    text = "sfb_xmpp_ticket: the hosts a and b of one deployment have different values. Set the same value for both"
    assert contradictions(hosts) == [text]
