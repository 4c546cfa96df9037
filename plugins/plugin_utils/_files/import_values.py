# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the records of a file to inventory values.

Fields have the name of the option or the property. Values are canonical and checked. This code is pure.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from ...module_utils._base.names import Invalid
from ...module_utils._base.names import key as key_of
from ...module_utils._base.result import Unreadable as UnreadableObject
from ...module_utils._federation.deployment import USER_PROPERTIES, USERS, user_of
from ...module_utils._federation.kinds import Choice, Domains, Number, Switch
from ...module_utils._federation.resource import Field, Resource
from .import_records import ImportedRecord, Name, UnreadableSource, records, unwrapped

# Other usual names of columns, in lower case without spaces and punctuation. Some are labels of the Control Panel.
ALIASES: t.Mapping[str, t.Mapping[str, str]] = {
    "partner": {
        "partner": "domain",
        "primarydomain": "domain",
        "partnerdomain": "domain",
        "domainname": "domain",
        "otherdomains": "additional_domains",
        "type": "partner_type",
        "tls": "tls_negotiation",
        "sasl": "sasl_negotiation",
        "dialback": "support_dialback_negotiation",
        "serverdialback": "support_dialback_negotiation",
        "dialbacknegotiation": "support_dialback_negotiation",
        "supportserverdialbacknegotiation": "support_dialback_negotiation",
        "keepalive": "enable_keep_alive",
        "limit": "connection_limit",
        "maximumconnections": "connection_limit",
        "proxy": "proxy_fqdn",
        "proxyserver": "proxy_fqdn",
    },
    "policy": {
        "policy": "identity",
        "policyname": "identity",
        "name": "identity",
        "federation": "enable_federation_access",
        "federationaccess": "enable_federation_access",
        "xmpp": "enable_xmpp_access",
        "xmppaccess": "enable_xmpp_access",
        "outside": "enable_outside_access",
        "outsideaccess": "enable_outside_access",
        "remoteaccess": "enable_outside_access",
        "publiccloud": "enable_public_cloud_access",
        "publiccloudaccess": "enable_public_cloud_access",
    },
}
# A column with one of these words in its name can be important. Such a column is ignored only if the user names it.
SECURITY = re.compile(
    "access|allow|auth|block|cert|cipher|deny|denied|dialback|enable|encrypt|federat|forbid|mtls|negotiat|permi|prox"
    "|restrict|sasl|secur|ssl|tls|trust|verif"
)
# Properties of an external access policy that only Teams has. Properties with "teams" in the name also belong to Teams.
# Source:
# the page of Set-CsExternalAccessPolicy. The first name resembles the switch for SIP federation.
TEAMS_ONLY = frozenset(
    "enableacsfederationaccess communicationwithexternalorgs allowedexternaldomains blockedexternaldomains".split()
)
# Properties that PowerShell and the product add to every object. Other unknown columns are ignored with a warning.
ADDED = frozenset(
    "anchor element key pscomputername psobjecttype psshowcomputername runspaceid scopeclass typedidentity xdsidentity"
    " xsanyattributes xsanyelements".split()
)
# The command that exports users, for messages.
EXPORT_USERS = "%s | Select-Object %s | Export-Clixml users.xml" % (USERS, ", ".join(USER_PROPERTIES[:3]))
# The name of a .NET type, which an export may have in place of a list.
TYPE_NAME = re.compile(r"(System|Microsoft)\.[A-Za-z.]*(Collections|Rtc|Object\[|String\[|Management)", re.IGNORECASE)
# Some words are Excel's in German, French, Spanish, Portuguese, Italian and Dutch.
SWITCHES = {
    **dict.fromkeys("true yes 1 on enabled wahr vrai verdadero verdadeiro vero waar".split(), True),
    **dict.fromkeys("false no 0 off disabled falsch faux falso onwaar".split(), False),
}


def imported(
    resource: Resource, data: bytes, encoding: str = "", ignore_columns: t.Collection[str] = (), name: Name = str
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return the objects of a file as options, and the ignored columns.

    An empty cell and null leave a property unchanged. Columns with secrets are ignored, because a file of variables
    must not have secrets. Raises UnreadableSource with all mistakes, each with the line or record.

    encoding: the encoding of a file without a byte order mark; UTF-8 if empty.
    ignore_columns: names of columns that the user wants to ignore.
    name: returns the user's name of an option.
    """
    found = records(data, encoding, name)
    unwanted = {bare(column) for column in ignore_columns}
    known = {column: field for column, field in _names(resource).items() if column not in unwanted}
    wrong, ignored = _columns(resource, found, known, unwanted, name("ignore_columns"))
    items: list[dict[str, t.Any]] = []
    places: dict[str, str] = {}
    for record in found:
        given, mistakes = _given(record, known)
        if resource.single:
            mistakes += _not_global(record)
        identity = ""
        try:
            identity = _identity(resource, given)
            first = places.setdefault(key_of(identity), record.place)
            if first != record.place:
                mistakes.append("has the same name '%s' as %s. Keep one of them" % (identity, first))
        except Invalid as exc:
            mistakes.append(str(exc))
        values: dict[str, t.Any] = {}
        for field in resource.fields:
            try:
                values.update(resource.from_user({field.option: given.get(field.option)}))
            except Invalid as exc:
                mistakes.append(str(exc))
        wrong.extend("%s%s: %s" % (record.place, " (%s)" % identity if identity else "", text) for text in mistakes)
        items.append(resource.shown(identity, values))
    if wrong:
        raise UnreadableSource(wrong)
    return items, ignored


def granted(data: bytes, encoding: str = "", name: Name = str) -> tuple[dict[str, list[str]], int]:
    """Return the users of each per-user policy by name, from objects of Get-CsUser, and the number of users.

    Users without a per-user policy are left out. Raises UnreadableSource with all mistakes.
    """
    wrong: list[str] = []
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    spellings: dict[str, str] = {}
    objects = records(data, encoding, name)
    wanted = {bare(prop): prop for prop in USER_PROPERTIES[:3]}
    for record in objects:
        missing = [prop for short, prop in wanted.items() if short not in map(bare, record.columns)]
        if missing:
            wrong.append("%s: the column %s is missing. Export with %s" % (record.place, missing[0], EXPORT_USERS))
            continue
        values = {wanted[bare(column)]: value for column, value in record.values.items() if bare(column) in wanted}
        try:
            user = user_of({**dict.fromkeys(wanted.values()), **values})
        except UnreadableObject as exc:
            wrong.append("%s: %s" % (record.place, exc))
            continue
        first = names.setdefault(key_of(user.name), record.place)
        if first != record.place:
            wrong.append("%s: is the same user '%s' as %s. Keep one of them" % (record.place, user.name, first))
        elif user.policy:
            found.setdefault(spellings.setdefault(key_of(user.policy), user.policy), []).append(user.name)
    if wrong:
        raise UnreadableSource(wrong)
    return {policy: sorted(users) for policy, users in found.items()}, len(objects)


def bare(name: str) -> str:
    """Return a name in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name.lower())


def _names(resource: Resource) -> dict[str, Field]:
    """Return the fields without secrets, by all bare names of each field: option, property and other names."""
    fields = [*(one for one in resource.fields if not one.secret), *([resource.key] if resource.key else [])]
    by_option = {field.option: field for field in fields}
    aliases = {name: by_option[option] for name, option in ALIASES.get(resource.name, {}).items()}
    return aliases | {bare(name): field for field in fields for name in (field.option, field.prop)}


def _columns(
    resource: Resource,
    found: t.Sequence[ImportedRecord],
    known: t.Mapping[str, Field],
    unwanted: t.Collection[str],
    option: str,
) -> tuple[list[str], list[str]]:
    """Return errors about columns that may be misspelled or about security, and all remaining unknown columns.

    option: the user's name of the option ignore_columns.
    """
    wrong, ignored = [], []
    for name in dict.fromkeys(name for record in found for name in record.values):
        if bare(name) in known or bare(name) in ADDED or bare(name) in unwanted:
            continue
        if resource.single and bare(name) == "identity":
            continue
        if any(bare(name) in (bare(one.option), bare(one.prop)) for one in resource.fields if one.secret):
            # A secure string is read as empty bytes, but the secure string has a value.
            if any(record.values.get(name) not in (None, "") for record in found):
                ignored.append(name)
            continue
        # A name with one more word is the name of a different property, not a misspelled name.
        near = [n for n in difflib.get_close_matches(bare(name), known, 1, 0.85) if len(bare(name)) - len(n) <= 2]
        if resource.name == "policy" and (bare(name) in TEAMS_ONLY or "teams" in bare(name)):
            text = "the column '%s' exists only in Teams. Ignore it with %s=%s"
            wrong.append(text % (name, option, name))
        elif near:
            wrong.append("the column '%s' is unknown (did you mean %s?)" % (name, known[near[0]].option))
        elif SECURITY.search(bare(name)):
            wrong.append(
                "the column '%s' is unknown, and its name suggests a security setting. Rename it to the option, or add"
                " it to %s" % (name, option)
            )
        else:
            ignored.append(name)
    return wrong, ignored


def _given(record: ImportedRecord, known: t.Mapping[str, Field]) -> tuple[dict[str, t.Any], list[str]]:
    """Return the values of a record by option, with the options' types, and the mistakes in the values."""
    given: dict[str, t.Any] = {}
    wrong = []
    for name, value in record.values.items():
        field = known.get(bare(name))
        if field is None or value is None:
            continue
        try:
            typed = _typed(field, value)
        except Invalid as exc:
            wrong.append("%s: %s" % (name, exc))
            continue
        if given.get(field.option, typed) != typed:
            text = "%s: has '%s', but another column for the same option has '%s'. Remove one of them"
            wrong.append(text % (name, value, given[field.option]))
        given[field.option] = typed
    return given, wrong


def _not_global(record: ImportedRecord) -> list[str]:
    """Return the mistakes in the identity of the global settings."""
    named = [value for column, value in record.values.items() if bare(column) == "identity" and value is not None]
    wrong = [value for value in named if str(value).strip().lower() != "global"]
    return ["Identity: '%s' must be Global, because only the global settings are managed" % value for value in wrong]


def _identity(resource: Resource, given: t.Mapping[str, t.Any]) -> str:
    if resource.key is None:
        return "global"
    try:
        return resource.identity_from_user(str(given.get(resource.key.option) or "").strip())
    except Invalid as exc:
        raise Invalid("%s %s" % (resource.key.option, exc)) from exc


def _typed(field: Field, value: t.Any) -> t.Any:
    """Return a cell or a value of JSON with the option's type. Raises Invalid."""
    kind = field.kind
    if isinstance(kind, Domains):
        return _list(unwrapped(value))
    if isinstance(value, (list, dict)):
        raise Invalid("must be a single value, not a list or an object")
    text = str(value).strip()
    if isinstance(kind, Switch):
        if text.lower() not in SWITCHES:
            words = ", ".join(SWITCHES)
            raise Invalid("'%s' must be true or false. Write one of these words: %s" % (text, words))
        return SWITCHES[text.lower()]
    if isinstance(kind, Number):
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]+", text):
            raise Invalid("'%s' must be a whole number" % text)
        return int(text)
    if isinstance(kind, Choice):
        return _word(kind, text)
    if isinstance(value, bool) or not isinstance(value, str):
        raise Invalid("%s must be a string. Put the text in quotes" % text)
    return value


def _word(kind: Choice, text: str) -> str:
    for word, wire in kind.words.items():
        if bare(text) in (bare(word), wire.lower()):
            return word
    words = ", ".join(kind.words)
    if text.isdigit():
        # No source documents the names of the numbers.
        raise Invalid("'%s' is a number, and its meaning is not documented. Use one of %s" % (text, words))
    raise Invalid("'%s' must be one of %s" % (text, words))


def _list(value: t.Any) -> list[str]:
    if isinstance(value, str):
        if TYPE_NAME.match(value.strip()):
            raise Invalid(
                "'%s' is the name of a type, not its content. Export it with"
                " Select-Object *,@{n='AdditionalDomains';e={$_.AdditionalDomains -join ' '}} -ExcludeProperty"
                " AdditionalDomains" % value.strip()
            )
        return [part for part in re.split(r"[\s,;|]+", value) if part]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid("must be a list of strings")
    return value
