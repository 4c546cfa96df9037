# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides tell people to do, done as it stands there."""

from __future__ import annotations

import re
import textwrap
import typing as t

import yaml

from tests.integration.documented import blocks
from tests.integration.plays import CHECKOUT, Plays


def block(guide: str, language: str, word: str) -> str:
    """The text of the one block of a guide with this word."""
    (found,) = (
        one.text for one in blocks() if (one.page, one.language) == ("guide_" + guide, language) and word in one.text
    )
    return found


def lines(text: str) -> list[str]:
    """Lines without what is another's here: the name of the host."""
    return [line.rstrip().replace("fe01.contoso.com", "fe01") for line in text.splitlines() if line.strip()]


def test_the_first_plan_of_the_quick_start(plays: Plays) -> None:
    declared = yaml.safe_load(block("quickstart", "yaml", "sfb_xmpp_partners:"))
    inventory = plays.write("first.yml", {**plays.hosts(), "all": {"vars": declared}})
    planned = plays.run("sfb.xmpp.converge", "--check", "--diff", inventory=inventory)
    assert planned.code == 0, planned.output
    shown = lines(block("quickstart", "text", "sfb.xmpp plan for"))
    assert "\n".join(shown) in planned.output
    done = plays.run("sfb.xmpp.converge", "--diff", inventory=inventory)
    assert done.code == 0, done.output
    again = plays.run("sfb.xmpp.converge", "--check", "--diff", inventory=inventory)
    assert "Nothing to do; 1 unchanged." in again.output


def test_the_plan_of_the_front_page(plays: Plays) -> None:
    front = (CHECKOUT / "docs" / "docsite" / "front.rst").read_text(encoding="utf-8")
    declared, _command, shown = (
        textwrap.dedent(one) for one in re.findall(r"^\.\. code-block.*\n\n((?:   .*\n|\n)+)", front, re.M)
    )
    assert len(declared.strip().splitlines()) == 8
    inventory = plays.write("front.yml", {**plays.hosts(), "all": {"vars": yaml.safe_load(declared)}})
    planned = plays.run("sfb.xmpp.converge", "--check", "--diff", inventory=inventory)
    assert planned.code == 0, planned.output
    assert "\n".join(lines(shown)) in planned.output


def test_a_grown_deployment_is_written_down_and_nothing_differs(plays: Plays) -> None:
    seeded: list[dict[str, t.Any]] = [
        {"name": "Policy", "sfb.xmpp.external_access_policy": {"identity": "Grown", "description": "{{ 1 }}: 'x'"}},
        {
            "name": "Partner",
            "sfb.xmpp.xmpp_federated_partner": {"domain": "grown.test", "sasl_negotiation": "optional"},
        },
    ]
    assert plays.run(plays.tasks(seeded)).code == 0
    directory = plays.directory / "grown"
    (directory / "group_vars" / "all").mkdir(parents=True)
    inventory = directory / "hosts.yml"
    inventory.write_text(yaml.safe_dump(plays.hosts()), encoding="utf-8")
    read = plays.run(yaml.safe_load(block("inventory", "yaml", "xmpp_federation_info")), inventory=inventory)
    assert read.code == 0, read.output
    written = (directory / "group_vars" / "all" / "xmpp.yml").read_text(encoding="utf-8")
    assert "grown.test" in written
    complete = ["-e", '{"sfb_xmpp_partners_purge": true, "sfb_xmpp_policies_purge": true}']
    planned = plays.run("sfb.xmpp.converge", "--check", "--diff", *complete, inventory=inventory)
    assert planned.code == 0, planned.output
    assert "Nothing to do;" in planned.output


def test_mistakes_are_named_as_the_guide_shows_them(plays: Plays) -> None:
    mistaken = {
        "sfb_xmpp_partners": [
            {"domain": "contoso.com"},
            {"domian": "proseware.com"},
            "litware.com",
            {"domain": "fabrikam.com", "tls_negotiation": "requird"},
        ],
        "sfb_xmpp_policies": {"identity": "XMPP Users"},
        "sfb_xmpp_gateway": {"connection_limit": "many"},
    }
    inventory = plays.write("mistaken.yml", {**plays.hosts(), "all": {"vars": mistaken}})
    before = len(plays.lab.store().events())
    refused = plays.run("sfb.xmpp.converge", "--check", inventory=inventory)
    assert refused.code != 0
    result = next(one.result for one in refused.tasks if one.result.get("reasons"))
    shown = [line[2:] for line in block("inventory", "text", "for 6 reasons").splitlines() if line.startswith("- ")]
    # The guide leaves out file and line.
    reasons = [re.sub(r" \([^ ]+, line \d+\)$", "", reason) for reason in result["reasons"]]
    assert sorted(reasons) == sorted(shown)
    assert result["msg"].startswith("Nothing was written, for 6 reasons:")
    assert len(plays.lab.store().events()) == before
