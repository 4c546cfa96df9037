# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects in forms that a server may send too, as the setting ``odd_forms`` names them: for whoever reads objects."""

from __future__ import annotations

import typing as t

from psrpcore.types import PSObject

from ..assumptions import rests_on
from .objects import make

# What the setting may hold.
FORMS: t.Mapping[str, str] = {
    "named-objects": "policy, pool and identity of a user are objects with FriendlyName and DistinguishedName",
    "bare-effective": "the policy in effect is named without its scope",
    "empty-ports": "ports that are not set are empty texts",
    "no-route-property": "a site without a route has no property XmppFederationRoute",
    "null-output": "$null comes after the objects of a cmdlet",
    "long-dates": "times have seven digits of a second, and an offset from UTC",
    "deleted-replica": "the status lists a replica that was deleted, without dates",
}
DELETED_REPLICA = "gone.contoso.test"
_USERS = ("Get-CsUser", "Grant-CsExternalAccessPolicy")


def odd(value: object, cmdlet: str, forms: t.Collection[str]) -> object:
    """An object of a cmdlet as these forms have it. cmdlet: its name, whatever has selected properties since."""
    if not forms or not isinstance(value, PSObject):
        return value
    rests_on("odd-forms")
    if "named-objects" in forms and cmdlet in _USERS:
        for name in ("Identity", "ExternalAccessPolicy", "RegistrarPool"):
            _change(value, name, _named)
    if "bare-effective" in forms and cmdlet == "Get-CsEffectivePolicy":
        _change(value, "ExternalAccessPolicy", lambda text: str(text).rpartition(":")[2])
    if "empty-ports" in forms and cmdlet == "Get-CsService":
        for name in ("XmppListeningPort", "XmppInternalPort", "SkypeSearchProxyPort"):
            _change(value, name, lambda port: "" if port is None else port)
    if "no-route-property" in forms and cmdlet == "Get-CsSite":
        meta = value.PSObject
        for group in (meta.adapted_properties, meta.extended_properties):
            group[:] = [p for p in group if p.name != "XmppFederationRoute" or p.get_value(value)]
    return value


def more(cmdlet: str, forms: t.Collection[str]) -> t.Iterator[object]:
    """What comes behind the objects of a cmdlet."""
    if not forms or not cmdlet.startswith("Get-Cs"):
        return
    if "deleted-replica" in forms and cmdlet == "Get-CsManagementStoreReplicationStatus":
        rests_on("odd-forms")
        properties = {
            "UpToDate": False, "ReplicaFqdn": DELETED_REPLICA, "LastStatusReport": None, "LastUpdateCreation": None,
            "ProductVersion": None,
        }  # fmt: skip
        yield make(["Microsoft.Rtc.Management.Xds.ReplicaState"], properties)
    if "null-output" in forms:
        rests_on("odd-forms")
        yield None


def _named(value: object) -> object:
    if value is None:
        return None
    text = str(value)
    friendly = text[3:].split(",", 1)[0] if text.upper().startswith("CN=") else text
    dn = text if friendly != text else "CN=%s,CN=Lab,DC=contoso,DC=test" % text
    return {"FriendlyName": friendly, "DistinguishedName": dn}


def _change(value: PSObject, name: str, change: t.Callable[[t.Any], object]) -> None:
    meta = value.PSObject
    for prop in (*meta.adapted_properties, *meta.extended_properties):
        if prop.name == name:
            prop.set_value(change(prop.get_value(value)), value)
