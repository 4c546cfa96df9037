# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide on automation against the files of docs/automation, and those against what they rest on."""

from __future__ import annotations

import configparser
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_files as files
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import SETTINGS

from tests.unit.plugin_utils.audit_sample import sample

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_automation.rst").read_text(encoding="utf-8")
FILES = sorted(path for path in (ROOT / "docs" / "automation").iterdir() if path.is_file())
# The licence on top, and what begins a document of YAML.
_HEAD = re.compile(r"\A(?:#.*\n)+\n+(?:---\n)?")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_guide_has_each_file(path: Path) -> None:
    text = _HEAD.sub("", path.read_text(encoding="utf-8")).strip()
    assert textwrap.indent(text, "   ") in GUIDE


def test_alerts_rest_on_metrics_and_labels_that_an_audit_writes() -> None:
    (group,) = yaml.safe_load((ROOT / "docs" / "automation" / "prometheus-rules.yml").read_text("utf-8"))["groups"]
    text = files.render(sample(60))["audit.prom"]
    metrics = {name: set(re.findall(r'(\w+)="', labels)) for name, labels in re.findall(r"^(\w+)\{(.*)\} ", text, re.M)}
    assert {rule["alert"] for rule in group["rules"]} == {
        *("XmppAuditIsOld", "XmppFederationDrift", "XmppCertificateEnds"),
        *("XmppPartnerCertificateEnds", "XmppPartnerFails"),
    }
    for rule in group["rules"]:
        (metric,) = re.findall(r"sfb_xmpp_\w+", rule["expr"])
        used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) | set(re.findall(r"{(\w+)=", rule["expr"]))
        left = {"deployment"} if rule["expr"].startswith("sum by (deployment)") else metrics[metric]
        assert used - {"verdict"} <= left, rule["alert"]
        assert used <= metrics[metric], rule["alert"]


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".timer"], ids=lambda path: path.name)
def test_each_timer_has_its_service(path: Path) -> None:
    timer = configparser.ConfigParser(strict=False)
    timer.optionxform = str  # type: ignore[assignment,method-assign]
    timer.read(path, "utf-8")
    assert timer["Timer"]["Persistent"] == "true"
    assert path.with_suffix(".service") in FILES


def test_variables_are_those_of_the_table() -> None:
    known = {one.name for one in SETTINGS}
    for path in FILES:
        given = re.findall(r"-e (sfb_xmpp_\w+)=", path.read_text(encoding="utf-8"))
        assert set(given) <= known, path.name
