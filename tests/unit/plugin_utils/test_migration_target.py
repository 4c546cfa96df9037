# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each target of a migration takes, and the partners as settings of an XMPP server."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents.xmpp_servers import (
    EJABBERD,
    PROSODY,
    S2sPartners,
    files,
    s2s_partners,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.migration import files as written
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.migration import lines, report
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.migration_target import TARGETS, target_of
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings import check
from ansible_collections.sfb.xmpp.plugins.plugin_utils._settings.table import BY_NAME

from tests.unit.module_utils.test_migration import told, user


@pytest.mark.parametrize(
    ("given", "mistake"), [(2019, False), ("2019", False), ("xmpp", False), (True, True), (2015, True), ("lync", True)]
)
def test_the_setting(given: t.Any, mistake: bool) -> None:
    assert bool(check.mistakes(BY_NAME["sfb_xmpp_target"].spec, given, "sfb_xmpp_target")) == mistake
    if not mistake:
        assert target_of(given).key == str(given)
    assert target_of(None).key == "2019"


@pytest.mark.parametrize("key", TARGETS)
def test_each_loss_has_a_source(key: str) -> None:
    target = TARGETS[key]
    assert len(target.lost) > 1
    for loss in target.lost:
        assert loss.source.startswith(("Microsoft, '", "RFC ", "XEP-")), loss
    found = told(user("ann"), user("bob"), moving=["ann"])
    shown = "\n".join(lines(found, "x.md", True, False, target))
    text = report(found, "d", None, target).replace("\\", "")
    for loss in target.lost:
        assert loss.text in shown
        assert "| %s | %s |" % (loss.text, loss.source) in text
    others = {other.name for other in TARGETS.values()} - {target.name}
    assert target.name in text
    assert [name for name in others if name in text] == []


def test_the_partners_stay_with_an_xmpp_server_only() -> None:
    found = told(user("ann"), user("gus"), moving=["ann"], declared=["new.com"])
    texts = {key: report(found, "d", None, TARGETS[key]) for key in TARGETS}
    for key in ("2019", "teams"):
        assert written(found, TARGETS[key]) == {}
        assert "The XMPP federation with b.com ends" in texts[key]
        assert "cannot be reached any more" in texts[key]
    assert "federation with b.com ends" not in texts["xmpp"]
    assert "another certificate" in texts["xmpp"]
    made = written(found, TARGETS["xmpp"])
    assert all(path.replace("_", "\\_") in texts["xmpp"] for path in made)
    assert "new.com" not in "".join(made.values()), "it is declared only"
    assert {"b.com", "c.b.com", "d.com"} <= {*yaml.safe_load(made[EJABBERD])["acl"]["sfb_xmpp_partners"]["server"]}


REQUIRED, OPTIONAL, NONE = "required", "optional", "not_supported"


@pytest.mark.parametrize(
    ("tls", "sasl", "dialback", "found"),
    [
        # encryption, certificate; None: no way to prove itself. The rows of the product's page of settings.
        (REQUIRED, REQUIRED, True, (True, True)),
        (REQUIRED, REQUIRED, False, (True, True)),
        (REQUIRED, OPTIONAL, True, (True, False)),
        (REQUIRED, OPTIONAL, False, (True, True)),
        (REQUIRED, NONE, True, (True, False)),
        (REQUIRED, NONE, False, None),
        (OPTIONAL, REQUIRED, True, (True, True)),
        (OPTIONAL, REQUIRED, False, (True, True)),
        (OPTIONAL, OPTIONAL, True, (False, False)),
        (OPTIONAL, OPTIONAL, False, (True, True)),
        (OPTIONAL, NONE, True, (False, False)),
        (OPTIONAL, NONE, False, None),
        (NONE, REQUIRED, True, None),
        (NONE, REQUIRED, False, None),
        (NONE, OPTIONAL, True, (False, False)),
        (NONE, OPTIONAL, False, None),
        (NONE, NONE, True, (False, False)),
        (NONE, NONE, False, None),
        (None, None, None, None),
    ],
)
def test_negotiation(tls: t.Any, sasl: t.Any, dialback: t.Any, found: tuple[bool, bool] | None) -> None:
    made = s2s_partners([row("b.com", tls, sasl, dialback)])
    assert [(one.encryption, one.certificate) for one in made.partners] == ([found] if found else [])
    assert len(made.left_out) == (found is None)
    for text in files(made).values():
        assert "b.com" in text or "function" in text


def row(domain: str, tls: t.Any = REQUIRED, sasl: t.Any = OPTIONAL, dialback: t.Any = True, *more: str) -> t.Any:
    negotiation = {"tls_negotiation": tls, "sasl_negotiation": sasl, "support_dialback_negotiation": dialback}
    return {"domain": domain, "additional_domains": list(more), **negotiation}


def test_domains_are_written_as_servers_name_themselves() -> None:
    made = s2s_partners([row("XN--MLLER-KVA.example", REQUIRED, REQUIRED, True, "b.com.")])
    assert made.partners[0].domains == ("xn--mller-kva.example", "m\u00fcller.example", "b.com")
    assert '["m\u00fcller.example"]' in files(made)[PROSODY]
    assert "m\u00fcller.example" in yaml.safe_load(files(made)[EJABBERD])["acl"]["sfb_xmpp_partners"]["server"]


@pytest.mark.parametrize("name", ['b.com"] = {}; os.exit() --', "b.com\n", "*.com", "a b", "b.com{{ x }}"])
def test_no_text_of_a_server_becomes_code(name: str) -> None:
    made = s2s_partners([row(name)])
    assert (made.partners, len(made.left_out)) == ((), 1)
    for path in (PROSODY, EJABBERD):
        mark = "--" if path == PROSODY else "#"
        (told_of,) = (line for line in files(made)[path].splitlines() if "Left out" in line)
        assert told_of.startswith(mark + " Left out: ")
    assert yaml.safe_load(files(made)[EJABBERD])["s2s_access"] == "none"


def test_one_partner_without_encryption() -> None:
    """Prosody asks all others for a certificate or, by our module, for encryption. ejabberd cannot."""
    strict = files(s2s_partners([row("b.com"), row("d.com", REQUIRED, REQUIRED)]))
    loose_ones = s2s_partners([row("b.com"), row("d.com", REQUIRED, REQUIRED), row("e.com", NONE, NONE)])
    loose = files(loose_ones)
    assert "s2s_secure_auth = true\n" in strict[PROSODY]
    assert 's2s_insecure_domains = {\n\t"b.com";\n}' in strict[PROSODY]
    assert "s2s_secure_auth = false\n" in loose[PROSODY]
    assert 's2s_secure_domains = {\n\t"d.com";\n}' in loose[PROSODY]
    assert [yaml.safe_load(one[EJABBERD])["s2s_use_starttls"] for one in (strict, loose)] == ["required", "optional"]
    assert loose_ones.loose == ("b.com",)
    assert "not enforced for b.com" in loose[EJABBERD]
    access = yaml.safe_load(loose[EJABBERD])["acl"]["sfb_xmpp_dialback"]["server"]
    assert access == ["b.com", "e.com"]
    assert S2sPartners(()).encrypted
