# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action of xmpp_federation makes of variables and results, apart from a run."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.plugin_utils._federation_action import undeclared


def test_what_nobody_declared_is_left_out_and_an_empty_text_is_not() -> None:
    args: dict[str, t.Any] = {
        "partners": "",
        "policies": "",
        "gateway": "",
        "access_edge": None,
        "federation_routes": [],
    }
    variables: dict[str, t.Any] = {"sfb_xmpp_policies": None, "sfb_xmpp_gateway": "", "sfb_xmpp_federation_routes": []}
    assert undeclared(args, variables) == ["partners", "policies"]
