# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add everything that makes a real deployment difficult: ``python -m lab strict``.

Sessions offer fewer cmdlets, objects have other forms, texts are unusual, and the topology has servers without XMPP.
"""

from __future__ import annotations

import typing as t

from .seed import branch
from .shape import shape_in
from .store import Store
from .topology import VERSIONS

FORMS = (
    "named-objects", "bare-effective", "empty-ports", "no-route-property", "null-output", "long-dates",
    "deleted-replica", "odd-user",
)  # fmt: skip
SETTINGS: t.Mapping[str, t.Any] = {
    "restricted_select": ["management", "edge"],
    "version_at_doors": False,
    "real_size_users": True,
    "odd_forms": list(FORMS),
}
# The objects of an appliance and of a branch server have the same form (branch-appliances).
BRANCHES = (("Bellevue", "sba01.contoso.test"), ("Tacoma", "branch01.contoso.test"))
ODD_TEXTS = ("a\ufffeb", "half \ud83d of it", "call\u200e us", "tab\tand bell\x07")
ODD_PARTNER, ODD_POLICY = "odd.example", "Tag:Odd"
PAUSED = ("fe01/RTCIMMCU", "edge01/RTCMEDIARELAY")


def make_strict(store: Store, texts: bool = True) -> None:
    """Change a new deployment.

    texts: whether to add objects with unusual texts, which a purge removes.
    """
    shape = shape_in(store)
    with store.transaction():
        for name, value in SETTINGS.items():
            store.set_setting(name, value)
        number = len(store.all("pool"))
        for site, fqdn in BRANCHES:
            number += 1
            branch(store, shape, site, fqdn, number, VERSIONS[str(store.setting("profile"))])
        for key in PAUSED:
            service = store.get("service", key)
            if service is not None:
                store.put("service", key, {**service, "Status": "Paused"})
        if not texts:
            return
        policy = next(iter(store.policies().values()))
        store.put("policy", ODD_POLICY, {**policy, "Description": ODD_TEXTS[0] + ODD_TEXTS[1]})
        for number, text in enumerate(ODD_TEXTS):
            domain = ODD_PARTNER if not number else "%d.%s" % (number, ODD_PARTNER)
            store.put("partner", domain, {**_PARTNER, "Description": text})


_PARTNER: t.Mapping[str, t.Any] = {
    "AdditionalDomains": [], "ConnectionLimit": None, "EnableKeepAlive": True, "PartnerType": "Federated",
    "ProxyFqdn": None, "TlsNegotiation": "Required", "SaslNegotiation": "Required",
    "SupportDialbackNegotiation": False,
}  # fmt: skip
