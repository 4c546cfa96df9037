# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the objects that cmdlets write: type names, adapted properties, enumerations with a text and a number."""

from __future__ import annotations

import datetime
import typing as t

from psrpcore.types import PSDateTime, PSEnumBase, PSInt, PSList, PSNoteProperty, PSObject, PSType, PSUInt

from ..assumptions import rests_on
from .clixml import Raw

_SETTINGS = "Microsoft.Rtc.Management.WritableConfig.Settings"

# The numbers of these enumerations follow the order of the documented names: see enum-numbers.


@PSType(["%s.XmppFederation.PartnerType" % _SETTINGS], rehydrate=False)
class PartnerType(PSEnumBase):
    Federated = 0
    PublicVerified = 1
    PublicUnverified = 2


@PSType(["%s.XmppFederation.TlsNegotiation" % _SETTINGS], rehydrate=False)
class TlsNegotiation(PSEnumBase):
    Required = 0
    Optional = 1
    NotSupported = 2


@PSType(["%s.XmppFederation.SaslNegotiation" % _SETTINGS], rehydrate=False)
class SaslNegotiation(PSEnumBase):
    Required = 0
    Optional = 1
    NotSupported = 2


@PSType(["%s.Edge.VerificationLevelType" % _SETTINGS], rehydrate=False)
class VerificationLevelType(PSEnumBase):
    AlwaysVerifiable = 0
    AlwaysUnverifiable = 1
    UseSourceVerification = 2


@PSType(["Microsoft.Rtc.Management.Deployment.CertType"], rehydrate=False)
class CertType(PSEnumBase):
    Default = 0
    WebServicesInternal = 1
    WebServicesExternal = 2
    Internal = 3
    AccessEdgeExternal = 4
    DataEdgeExternal = 5
    AudioVideoAuthentication = 6
    External = 7
    XmppServer = 8


@PSType(["Microsoft.Rtc.Management.Deployment.Core.NTServiceStatus"], rehydrate=False)
class ServiceStatus(PSEnumBase):
    Stopped = 1
    Running = 4
    Paused = 7


@PSType(["Microsoft.Rtc.Management.Xds.ScopeClass"], rehydrate=False)
class ScopeClass(PSEnumBase):
    Global = 0
    Site = 1
    Tag = 2


@PSType(["Microsoft.PowerShell.Commands.DisplayHintType"], rehydrate=False)
class DisplayHint(PSEnumBase):
    Date = 0
    Time = 1
    DateTime = 2


@PSType(["System.Management.Automation.CommandTypes"], rehydrate=False)
class CommandType(PSEnumBase):
    Function = 2
    Cmdlet = 8


def make(types: t.Sequence[str], properties: t.Mapping[str, object], text: str | None = None) -> PSObject:
    """Return an object with adapted properties.

    types: the .NET type and the base types, without System.Object.
    """
    made = PSObject()
    meta = made.PSObject  # Each look-up of an attribute of a PSObject is slow.
    meta.type_names = [*types, "System.Object"]
    for name, value in properties.items():
        prop = PSNoteProperty(name)  # A value in this call creates another PSObject.
        prop.set_value(value, made)
        meta.adapted_properties.append(prop)
    if text is not None:
        meta.to_string = text
    return made


# Source: PowerShell's type data (types.ps1xml, SerializationMethod SpecificProperties). For the listed types, only the
# listed properties are sent.
_SPECIFIC = {
    "System.Security.Cryptography.X509Certificates.X509Certificate2": ("RawData",),
    "System.Security.Cryptography.X509Certificates.X500DistinguishedName": ("RawData",),
}


def as_serialised(value: object) -> object:
    """Return an object as the server sends the object. Some types keep only certain properties."""
    names = type_names(value)
    if not names or names[0] not in _SPECIFIC:
        return value
    properties = properties_of(value)
    return make(names[:-1], {name: properties[name] for name in _SPECIFIC[names[0]]})


def selected(value: object, wanted: t.Mapping[str, object]) -> PSObject:
    """Return the result of Select-Object for an object: the type name of the result, and note properties."""
    own = (type_names(value) or ["System.Object"])[0]
    found = make(["Selected.%s" % own, "System.Management.Automation.PSCustomObject"], {})
    annotate(found, wanted)
    return found


def annotate(value: PSObject, notes: t.Mapping[str, object]) -> None:
    """Add note properties to an object, as cmdlets add them to results."""
    for name, content in notes.items():
        note = PSNoteProperty(name)
        note.set_value(content, value)
        value.PSObject.extended_properties.append(note)


def properties_of(value: object) -> dict[str, object]:
    """Return the properties of an object that came from the wire or from another cmdlet of the pipeline."""
    if isinstance(value, Raw):
        value = value.object()
    if isinstance(value, dict):
        return {str(k): v for k, v in value.items()}
    if not isinstance(value, PSObject):
        return {}
    meta = value.PSObject
    return {p.name: p.get_value(value) for p in (*meta.adapted_properties, *meta.extended_properties)}


def type_names(value: object) -> list[str]:
    """Return the type names without the prefix of deserialized objects."""
    if isinstance(value, Raw):
        value = value.object()
    if not isinstance(value, PSObject):
        return []
    return [str(n).removeprefix("Deserialized.") for n in value.PSObject.type_names]


def texts(items: t.Sequence[str]) -> PSList:
    """Return a list of texts. The serializer decides how the list is sent (see clixml.py)."""
    rests_on("list-shapes")
    return PSList(items)


def uint(value: int | None) -> PSUInt | None:
    return None if value is None else PSUInt(value)


def int32(value: int | None) -> PSInt | None:
    return None if value is None else PSInt(value)


def moment(value: datetime.datetime | float) -> PSDateTime:
    """Return a time in UTC."""
    rests_on("servers-in-utc")
    if isinstance(value, float):
        value = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return PSDateTime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond,
        tzinfo=datetime.timezone.utc,
    )  # fmt: skip
