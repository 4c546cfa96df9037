# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab of a rehearsal has what the inventory's grants are for."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.plugin_utils._rehearsal.shape import make_shape

from lab.deployment.seed import seed
from lab.deployment.shape import read_shape
from lab.deployment.store import Store


def test_each_group_has_a_member(tmp_path: Path) -> None:
    groups = ["CN=A \\, B,DC=contoso,DC=com", "CN=C,DC=contoso,DC=com"]
    policies = [{"identity": name[3:4], "granted_to": {"group": name, "nested": True}} for name in (*groups, groups[0])]
    shape = read_shape(json.dumps(make_shape([{"sfb_xmpp_policies": policies}], 1, 1, 7)))
    store = Store(tmp_path / "store")
    with store.transaction():
        seed(store, "sfb2015", shape)
    members = [group for user in store.all("user").values() for group in user["Groups"]]
    assert members == groups
