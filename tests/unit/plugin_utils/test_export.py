# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An export, read back as Ansible reads it, is what there is: converge has nothing to do and nothing to say."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.inventory_text import inventory_values
from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.files import CONTENT
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import FEDERATION, FEDERATION_INFO
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files import export as _export
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import STATES, State, make, run

ROUTES = {"Redmond": "edge.contoso.test", "Dublin": None}


def exported(shell: MemoryShell, defaults: bool = True) -> dict[str, str]:
    info = run(FEDERATION_INFO, shell).values
    return _export.files(_export.make_export(info, defaults), deployment="default", host="fe01")


def server(state: State) -> MemoryShell:
    shell = make(state)
    for site, pool in ROUTES.items():
        shell.put("CsSite", "Site:" + site, {"XmppFederationRoute": pool})
    return shell


def small(**state: t.Any) -> MemoryShell:
    """A server with what has no default."""
    partners = [{"connection_limit": 5, **partner} for partner in state.pop("partners", ())]
    return make({"partners": partners, "access_edge": {"allow_outside_users": True}, **state})


def plan(shell: MemoryShell, text: str) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Steps and warnings of a run with everything that the file declares, complete where lists can be."""
    given = {CONTENT[variable]: value for variable, value in inventory_values(text).items()}
    result = run(FEDERATION, shell, check=True, **given)
    return result.steps or [], result.warnings


@settings(deadline=None, max_examples=60)
@given(STATES, st.booleans())
def test_nothing_is_left_to_do_after_an_export(state: State, defaults: bool) -> None:
    shell = server(state)
    steps, warnings = plan(shell, exported(shell, defaults)[_export.VARIABLES])
    assert steps == []
    assert warnings == []


@settings(deadline=None, max_examples=60)
@given(STATES, st.text(max_size=20), st.text(max_size=20))
def test_texts_that_nobody_may_write_are_left_out_and_said(state: State, first: str, second: str) -> None:
    shell = server(state)
    shell.put("CsExternalAccessPolicy", "Global", {"Description": first})
    shell.put("CsXmppAllowedPartner", "z.test", {"Description": second, "ConnectionLimit": 5})
    files = exported(shell)
    assert plan(shell, files[_export.VARIABLES])[0] == []
    (policy, *_others) = inventory_values(files[_export.VARIABLES])["sfb_xmpp_policies"]
    assert policy.get("description", "") == first or "# - policy global: description: " in files[_export.VARIABLES]


@pytest.mark.parametrize("domains", [["b.test"], ["B.test", "c.test"]])
def test_a_domain_that_two_partners_have_is_left_out_and_said(domains: list[str]) -> None:
    shell = small(partners=[{"domain": "a.test"}, {"domain": "b.test", "description": "\u200e"}])
    shell.put("CsXmppAllowedPartner", "a.test", {"AdditionalDomains": tuple(domains)})
    text = exported(shell)[_export.VARIABLES]
    assert [one["domain"] for one in inventory_values(text)["sfb_xmpp_partners"]] == ["a.test", "b.test"]
    assert "# - partner a.test: additional_domains: 'b.test' is a separate partner" in text
    assert "# - partner b.test: description: " in text
    assert plan(shell, text)[0] == []


def test_a_user_who_may_not_be_declared_is_left_out_and_said() -> None:
    info = run(FEDERATION_INFO, small(policies=[{"identity": "P", "enable_xmpp_access": True}])).values
    (policy,) = [one for one in info["policies"] if one["identity"] == "P"]
    policy["granted_to"] = ["sip:ann@contoso.test", "CN=any*,DC=contoso"]
    export = _export.make_export(info)
    (kept,) = [one for one in export.variables["sfb_xmpp_policies"] if one["identity"] == "P"]
    assert kept["granted_to"] == ["sip:ann@contoso.test"]
    assert [text.partition(":")[0] for text in export.left_out] == ["policy P"]


def test_the_same_deployment_gives_the_same_bytes_in_whatever_order_it_comes() -> None:
    partners = [{"domain": name, "description": "d"} for name in ("b.test", "a.test")]
    policies = [{"identity": name} for name in ("Z", "global", "site:A", "A")]
    ways = [small(partners=partners[::way], policies=policies[::way]) for way in (1, -1)]
    one, other = (exported(shell, False)[_export.VARIABLES] for shell in ways)
    assert one == other
    values = yaml.safe_load(one)
    assert [policy["identity"] for policy in values["sfb_xmpp_policies"]] == ["global", "site:A", "A", "Z"]
    assert values["sfb_xmpp_partners"] == [
        {"domain": name, "description": "d", "connection_limit": 5} for name in ("a.test", "b.test")
    ]


def test_defaults_are_left_out_or_kept() -> None:
    shell = small(partners=[{"domain": "a.test", "tls_negotiation": "optional"}])
    few, all_of_it = (yaml.safe_load(exported(shell, defaults)[_export.VARIABLES]) for defaults in (False, True))
    assert few["sfb_xmpp_partners"] == [{"domain": "a.test", "tls_negotiation": "optional", "connection_limit": 5}]
    assert all_of_it["sfb_xmpp_partners"][0]["sasl_negotiation"] == "required"
    assert few["sfb_xmpp_gateway"] == {}
    assert all_of_it["sfb_xmpp_gateway"]["keep_alive_interval"] == 300


def test_a_template_in_a_description_stays_a_text() -> None:
    text = "{{ lookup('ansible.builtin.pipe', 'false') }}"
    shell = small(partners=[{"domain": "a.test", "description": text}])
    assert "!unsafe" in exported(shell)[_export.VARIABLES]
    assert plan(shell, exported(shell)[_export.VARIABLES]) == ([], [])


def test_what_cannot_be_declared_is_in_the_head_of_the_file_on_one_line() -> None:
    shell = small(partners=[{"domain": "a.test", "description": "a bell\x07: [x]"}])
    files = exported(shell)
    (line,) = [line for line in files[_export.VARIABLES].splitlines() if line.startswith("# - partner a.test")]
    assert "description" in line
    assert "control character" in line
    assert "1 value could not be declared" in files[_export.README]


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")


def test_only_files_of_an_export_are_replaced(tmp_path: Path) -> None:
    first = exported(small())
    _export.check_ours(str(tmp_path), first)
    write(tmp_path, first)
    _export.check_ours(str(tmp_path), exported(small(partners=[{"domain": "a.test"}])))
    path = tmp_path / _export.VARIABLES
    path.write_text(path.read_text() + "sfb_xmpp_partners_purge: true\n")
    with pytest.raises(Refused, match="was changed since"):
        _export.check_ours(str(tmp_path), first)
    path.write_text("sfb_xmpp_partners: []\n")
    (tmp_path / _export.README).write_text("# mine\n")
    with pytest.raises(Refused) as refused:
        _export.check_ours(str(tmp_path), first)
    assert len(refused.value.reasons) == 2
    assert "was not written by sfb.xmpp.export" in refused.value.reasons[0]
