# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four rules against the printed table (JJ552456), row by row."""

from __future__ import annotations

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.negotiation import (
    SASL_OVER_TLS,
    TCP_DIALBACK,
    TLS_DIALBACK,
    Row,
)

TABLE = [
    ("required", "required", True, [SASL_OVER_TLS], "risky"),
    ("required", "required", False, [SASL_OVER_TLS], "valid"),
    ("optional", "required", True, [SASL_OVER_TLS, TLS_DIALBACK, TCP_DIALBACK], "risky"),
    ("optional", "required", False, [SASL_OVER_TLS], "risky"),
    ("not_supported", "required", True, [TCP_DIALBACK], "risky"),
    ("not_supported", "required", False, [], "invalid"),
    ("required", "optional", True, [SASL_OVER_TLS, TLS_DIALBACK], "valid"),
    ("required", "optional", False, [SASL_OVER_TLS], "valid"),
    ("optional", "optional", True, [SASL_OVER_TLS, TLS_DIALBACK, TCP_DIALBACK], "risky"),
    ("optional", "optional", False, [SASL_OVER_TLS], "risky"),
    ("not_supported", "optional", True, [TCP_DIALBACK], "risky"),
    ("not_supported", "optional", False, [], "invalid"),
    ("required", "not_supported", True, [TLS_DIALBACK], "valid"),
    ("required", "not_supported", False, [], "invalid"),
    ("optional", "not_supported", True, [TLS_DIALBACK, TCP_DIALBACK], "valid"),
    ("optional", "not_supported", False, [], "invalid"),
    ("not_supported", "not_supported", True, [TCP_DIALBACK], "valid"),
    ("not_supported", "not_supported", False, [], "invalid"),
]


@pytest.mark.parametrize(("tls", "sasl", "dialback", "methods", "level"), TABLE)
def test_every_row_of_the_printed_table(tls: str, sasl: str, dialback: bool, methods: list[str], level: str) -> None:
    row = Row(tls, sasl, dialback)
    assert list(row.methods) == methods
    assert row.level == level
    assert bool(row.remark) == (level != "valid")


def test_the_table_is_whole() -> None:
    assert len({row[:3] for row in TABLE}) == 18
    assert sum(row[4] == "invalid" for row in TABLE) == 5


def test_a_remark_says_what_would_be_right() -> None:
    assert "set sasl_negotiation to optional" in Row("required", "required", True).remark
    assert "Enable dialback" in Row("not_supported", "required", False).remark
    assert str(Row("not_supported", "required", False)) == "TLS not supported, SASL required, dialback off"
