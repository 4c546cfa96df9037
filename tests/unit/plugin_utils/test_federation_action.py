# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action of xmpp_federation makes of variables and results, apart from a run."""

from __future__ import annotations

import typing as t

from ansible_collections.sfb.xmpp.plugins.plugin_utils._actions.federation import unset


def test_a_variable_that_says_nothing_is_left_out() -> None:
    args: dict[str, t.Any] = {"partners": "", "access_edge": None, "federation_routes": [], "force": False}
    assert unset(args) == ["partners", "access_edge"]
