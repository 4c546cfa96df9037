# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return objects in unusual forms that a server can send (setting ``odd_forms``), to test the readers."""

from __future__ import annotations

import datetime
import typing as t

from psrpcore.types import PSDateTime, PSObject

from ..assumptions import rests_on
from .objects import make

# These are the allowed values of the setting.
FORMS: t.Mapping[str, str] = {
    "named-objects": "policy, pool and identity of a user are objects with FriendlyName and DistinguishedName",
    "bare-effective": "the policy in effect is named without its scope",
    "empty-ports": "ports that are not set are empty texts",
    "no-route-property": "a site without a route has no property XmppFederationRoute",
    "null-output": "$null comes after the objects of a cmdlet",
    "long-dates": "times have seven digits of a second, and an offset from UTC",
    "west-dates": "times have an offset below zero, of hours and minutes, and no digits of a second but their own",
    "bare-dates": "the status of replicas has the local time of a server in the west, without an offset",
    "deleted-replica": "the status lists a replica that was deleted, without dates",
    "odd-user": "the home of one user is an object without a name",
    "odd-site": "the route of one site is a number",
    "odd-replica": "UpToDate of the deleted replica is a word",
}
# This table has the minutes from UTC, and the minimum digits of a second, if all times of an answer have one form.
DATES: t.Mapping[str, tuple[int, int]] = {"long-dates": (60, 7), "west-dates": (-210, 0)}
ODD_USER, ODD_SITE = "mbell@contoso.test", "Dublin"
DELETED_REPLICA = "gone.contoso.test"
_USERS = ("Get-CsUser", "Grant-CsExternalAccessPolicy")


def odd(value: object, cmdlet: str, forms: t.Collection[str]) -> object:
    """Return an object in these forms.

    cmdlet: the name of the object's cmdlet, also if Select-Object changed the object.
    """
    if not forms or not isinstance(value, PSObject):
        return value
    rests_on("odd-forms")
    if "named-objects" in forms and cmdlet in _USERS:
        for name in ("Identity", "ExternalAccessPolicy", "RegistrarPool"):
            _change(value, name, _named)
    if "odd-user" in forms and cmdlet in _USERS and _is(value, "SipAddress", "sip:" + ODD_USER):
        _change(value, "RegistrarPool", lambda _pool: {"Id": 7})
    if "odd-site" in forms and cmdlet == "Get-CsSite" and _is(value, "Identity", "Site:" + ODD_SITE):
        _change(value, "FederationRoute", lambda _route: 7)
    if "bare-effective" in forms and cmdlet == "Get-CsEffectivePolicy":
        _change(value, "ExternalAccessPolicy", lambda text: str(text).rpartition(":")[2])
    if "empty-ports" in forms and cmdlet == "Get-CsService":
        for name in ("XmppListeningPort", "XmppInternalPort", "SkypeSearchProxyPort"):
            _change(value, name, lambda port: "" if port is None else port)
    if "bare-dates" in forms and cmdlet == "Get-CsManagementStoreReplicationStatus":
        for name in ("LastUpdateCreation", "LastStatusReport"):
            _change(value, name, _bare)
    if "no-route-property" in forms and cmdlet == "Get-CsSite":
        meta = value.PSObject
        for group in (meta.adapted_properties, meta.extended_properties):
            group[:] = [p for p in group if p.name != "XmppFederationRoute" or p.get_value(value)]
    return value


def more(cmdlet: str, forms: t.Collection[str]) -> t.Iterator[object]:
    """Return additional objects that come after the objects of a cmdlet."""
    if not forms or not cmdlet.startswith("Get-Cs"):
        return
    if "deleted-replica" in forms and cmdlet == "Get-CsManagementStoreReplicationStatus":
        rests_on("odd-forms")
        properties = {
            "UpToDate": "Unknown" if "odd-replica" in forms else False, "ReplicaFqdn": DELETED_REPLICA,
            "LastStatusReport": None, "LastUpdateCreation": None, "ProductVersion": None,
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


def _bare(moment: PSDateTime | None) -> PSDateTime | None:
    """Return a time in UTC as local time without an offset, for the servers of west-dates."""
    if moment is None:
        return None
    local = moment + datetime.timedelta(minutes=DATES["west-dates"][0])
    parts = (local.year, local.month, local.day, local.hour, local.minute, local.second, local.microsecond)
    return PSDateTime(*parts)


def _is(value: PSObject, name: str, text: str) -> bool:
    meta = value.PSObject
    for prop in (*meta.adapted_properties, *meta.extended_properties):
        if prop.name == name:
            return str(prop.get_value(value)).casefold() == text.casefold()
    return False


def _change(value: PSObject, name: str, change: t.Callable[[t.Any], object]) -> None:
    meta = value.PSObject
    for prop in (*meta.adapted_properties, *meta.extended_properties):
        if prop.name == name:
            prop.set_value(change(prop.get_value(value)), value)
