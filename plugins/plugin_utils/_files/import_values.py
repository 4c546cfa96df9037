# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of a file as inventory values: the catalogue's fields by either name, canonical and checked. Pure."""

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

# How people call a column, beside the option and the property: without blanks and punctuation, in lower case. Some are
# the labels of the Control Panel.
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
# Who has a column with one of these in its name may count on it, so it is not left out unless he says so.
SECURITY = re.compile(
    "access|allow|auth|block|cert|cipher|deny|denied|dialback|enable|encrypt|federat|forbid|mtls|negotiat|permi|prox"
    "|restrict|sasl|secur|ssl|tls|trust|verif"
)
# Properties of an external access policy that Teams has and servers do not: these, and each with "teams" in its name
# (page of Set-CsExternalAccessPolicy). The name of the first is near that of the switch for SIP federation.
TEAMS_ONLY = frozenset(
    "enableacsfederationaccess communicationwithexternalorgs allowedexternaldomains blockedexternaldomains".split()
)
# What PowerShell and the product add to every object. Other unknown columns are left out as well, but mentioned.
ADDED = frozenset(
    "anchor element key pscomputername psobjecttype psshowcomputername runspaceid scopeclass typedidentity xdsidentity"
    " xsanyattributes xsanyelements".split()
)
# The command for users, as a message has it.
EXPORT_USERS = "%s | Select-Object %s | Export-Clixml users.xml" % (USERS, ", ".join(USER_PROPERTIES[:3]))
# A list that was exported as the name of its .NET type instead of its content.
TYPE_NAME = re.compile(r"(System|Microsoft)\.[A-Za-z.]*(Collections|Rtc|Object\[|String\[|Management)", re.IGNORECASE)
# Also as Excel writes them in German, French, Spanish and Portuguese, Italian, and Dutch.
SWITCHES = {
    **dict.fromkeys("true yes 1 on enabled wahr vrai verdadero verdadeiro vero waar".split(), True),
    **dict.fromkeys("false no 0 off disabled falsch faux falso onwaar".split(), False),
}


def imported(
    resource: Resource, data: bytes, encoding: str = "", ignore_columns: t.Collection[str] = (), name: Name = str
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """The objects of a file in the options' vocabulary, and the columns that were left out.

    encoding: of a file without a byte order mark, UTF-8 if empty. ignore_columns: names that the user wants left out.
    name: what the user calls an option. An empty cell and null say nothing, so the property stays as it is. A secret is
    among the columns that were left out: a file of variables must not hold it. Raises Unreadable, with every mistake at
    once, each with its line or record.
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
                mistakes.append("names '%s' as %s does; keep one of them" % (identity, first))
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
    """The users of each per-user policy, by its name, from objects of Get-CsUser; and how many users the file has.

    Who has none is left out: what acts on them is no grant. Raises Unreadable, with every mistake at once.
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
            wrong.append("%s: the column %s is missing; export with %s" % (record.place, missing[0], EXPORT_USERS))
            continue
        values = {wanted[bare(column)]: value for column, value in record.values.items() if bare(column) in wanted}
        try:
            user = user_of({**dict.fromkeys(wanted.values()), **values})
        except UnreadableObject as exc:
            wrong.append("%s: %s" % (record.place, exc))
            continue
        first = names.setdefault(key_of(user.name), record.place)
        if first != record.place:
            wrong.append("%s: is '%s', as %s is; keep one of them" % (record.place, user.name, first))
        elif user.policy:
            found.setdefault(spellings.setdefault(key_of(user.policy), user.policy), []).append(user.name)
    if wrong:
        raise UnreadableSource(wrong)
    return {policy: sorted(users) for policy, users in found.items()}, len(objects)


def bare(name: str) -> str:
    """A name without what people write differently: case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", name.lower())


def _names(resource: Resource) -> dict[str, Field]:
    """The fields by their options', their properties' and their other names, all of them bare; without secrets."""
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
    """Errors: columns that look like mistyped ones, or that may be about security. And other unknown ones.

    option: what the user calls the columns that are left out.
    """
    wrong, ignored = [], []
    for name in dict.fromkeys(name for record in found for name in record.values):
        if bare(name) in known or bare(name) in ADDED or bare(name) in unwanted:
            continue
        if resource.single and bare(name) == "identity":
            continue
        if any(bare(name) in (bare(one.option), bare(one.prop)) for one in resource.fields if one.secret):
            # A secure string is empty bytes here, and there is one.
            if any(record.values.get(name) not in (None, "") for record in found):
                ignored.append(name)
            continue
        # A word more is another property, not a mistyped one.
        near = [n for n in difflib.get_close_matches(bare(name), known, 1, 0.85) if len(bare(name)) - len(n) <= 2]
        if resource.name == "policy" and (bare(name) in TEAMS_ONLY or "teams" in bare(name)):
            text = "the column '%s' exists in Teams only; leave the column out with %s=%s"
            wrong.append(text % (name, option, name))
        elif near:
            wrong.append("there is no column '%s'; '%s' may be meant" % (name, known[near[0]].option))
        elif SECURITY.search(bare(name)):
            wrong.append(
                "there is no column '%s', and its name sounds like security; rename it to the option that it means,"
                " or name it in %s" % (name, option)
            )
        else:
            ignored.append(name)
    return wrong, ignored


def _given(record: ImportedRecord, known: t.Mapping[str, Field]) -> tuple[dict[str, t.Any], list[str]]:
    """What a record says, by option, with the types that the options have; and what is wrong with it."""
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
            wrong.append(
                "%s: says '%s', and another column of the same meaning '%s'" % (name, value, given[field.option])
            )
        given[field.option] = typed
    return given, wrong


def _not_global(record: ImportedRecord) -> list[str]:
    """What is wrong with the identity of an object of which there is one."""
    named = [value for column, value in record.values.items() if bare(column) == "identity" and value is not None]
    wrong = [value for value in named if str(value).strip().lower() != "global"]
    return ["Identity: '%s' is not Global; only the global settings are managed" % value for value in wrong]


def _identity(resource: Resource, given: t.Mapping[str, t.Any]) -> str:
    if resource.key is None:
        return "global"
    try:
        return resource.identity_from_user(str(given.get(resource.key.option) or "").strip())
    except Invalid as exc:
        raise Invalid("%s %s" % (resource.key.option, exc)) from exc


def _typed(field: Field, value: t.Any) -> t.Any:
    """A cell, or a value of JSON, as the option takes it. Raises Invalid."""
    kind = field.kind
    if isinstance(kind, Domains):
        return _list(unwrapped(value))
    if isinstance(value, (list, dict)):
        raise Invalid("is a list or an object; a single value is needed")
    text = str(value).strip()
    if isinstance(kind, Switch):
        if text.lower() not in SWITCHES:
            words = ", ".join(SWITCHES)
            raise Invalid("'%s' is neither true nor false; write one of these words: %s" % (text, words))
        return SWITCHES[text.lower()]
    if isinstance(kind, Number):
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]+", text):
            raise Invalid("'%s' is not a whole number" % text)
        return int(text)
    if isinstance(kind, Choice):
        return _word(kind, text)
    if isinstance(value, bool) or not isinstance(value, str):
        raise Invalid("%s is not a text; put the text in quotes" % text)
    return value


def _word(kind: Choice, text: str) -> str:
    for word, wire in kind.words.items():
        if bare(text) in (bare(word), wire.lower()):
            return word
    words = ", ".join(kind.words)
    if text.isdigit():
        # No source states which number stands for which name.
        raise Invalid("'%s' is the number of one of %s, but which is not documented; export the names" % (text, words))
    raise Invalid("'%s' is none of %s" % (text, words))


def _list(value: t.Any) -> list[str]:
    if isinstance(value, str):
        if TYPE_NAME.match(value.strip()):
            raise Invalid(
                "'%s' is the name of a type, not its content; export it with"
                " Select-Object *,@{n='AdditionalDomains';e={$_.AdditionalDomains -join ' '}} -ExcludeProperty"
                " AdditionalDomains" % value.strip()
            )
        return [part for part in re.split(r"[\s,;|]+", value) if part]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid("is not a list of texts")
    return value
