# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the actual state of a deployment as one immutable value. Each kind is read once, all kinds in one pipeline."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field, replace

from .._base.names import key as key_of
from .._base.names import named, policy_from_server
from .._base.reading import is_unknown, read_offered
from .._base.result import Refused, ServerRefused, Unreadable
from .._base.step import Record
from .._base.texts import count
from .._shell.statement import Answer, ServerError, Shell, Statement, Value, place_of
from .identity import STATEMENTS, Identity, identity_of, read_identity, tells_identity
from .kinds import Text, UnreadableValue, shortened
from .pools import Pool, read_pools
from .readings import Items, Reading, items_of, read_alone, unreadable
from .resource import Resource

Records = t.Mapping[str, Record]
_TEXT = Text()
# The HostingProvider of users that are homed in the deployment (page of Get-CsUser).
ON_PREMISES = "SRV:"
USERS = "Get-CsUser"
# Reads the policy of a user without a per-user policy, if sites have policies.
EFFECTIVE = "Get-CsEffectivePolicy"
# Finds all users with a per-user policy. The page of Get-CsUser shows -eq $null for policies, but not -ne. So a server
# that refuses the filter is not a failure. The filter is a constant, so that no user's text is in a filter.
HOLDERS = "ExternalAccessPolicy -ne $null"
CONTROLLER = "DomainController"
# The properties that are read for a user. The whole object has about eighty.
USER_PROPERTIES = (
    "Identity", "SipAddress", "ExternalAccessPolicy", "RegistrarPool", "HostingProvider", "Enabled",
    "OriginatingServer", "UserPrincipalName",
)  # fmt: skip

# The properties with the name, if an identity is an object. Policies and pools have a FriendlyName.
_NAMED_BY = {"Identity": ("DistinguishedName", "FriendlyName")}


@dataclass(frozen=True)
class User:
    """This is a user, with the values from Active Directory.

    identity: the distinguished name.
    name: the name in messages and calls: the SIP address, or the distinguished name if the user has no SIP address.
    policy: the per-user policy; empty if the user has none.
    pool: the FQDN of the home pool; empty if the user is homed online.
    provider: the hosting provider of a user that is homed online; empty otherwise.
    enabled: whether the user is enabled; None if unknown.
    controller: the domain controller that returned the user; empty if unknown.
    upn: the user principal name; empty if unknown.
    unread: the reason why the home is unknown: the server's value has an unknown form. ``pool`` is then empty.
    """

    identity: str
    name: str
    policy: str = ""
    pool: str = ""
    provider: str = ""
    enabled: bool | None = None
    controller: str = ""
    upn: str = ""
    unread: str = ""

    @property
    def key(self) -> str:
        return key_of(self.identity)

    @property
    def domain(self) -> str:
        """Return the domain of Active Directory, from the end of the distinguished name."""
        parts = self.key.split(",")
        return ",".join(part.strip() for part in parts if part.strip().startswith("dc="))


@dataclass(frozen=True)
class Deployment:
    """These are the objects that a run has read.

    time: the time of the read, in UTC (ISO 8601).
    records: the objects, by part and by key.
    users: users by key. See ``all_users`` and ``chosen``.
    all_users: whether ``users`` has all users.
    named: the keys of users, by declared name.
    unknown: the server's messages, by declared name without a user.
    effective: by key of a user, the key of the policy that applies if the user has no per-user policy.
    pools: the pools that home users; None if the pools were not read.
    identity: the identity of the deployment, as far as the account can read the identity.
    chosen: whether ``users`` has all users with a per-user policy.
    unreadable: by cmdlet, the reason why a kind was left out: an object has an unknown form.
    members: the keys of users, by LDAP filter of a group.
    """

    time: str
    records: t.Mapping[str, Records] = field(default_factory=dict)
    users: t.Mapping[str, User] = field(default_factory=dict)
    all_users: bool = False
    named: t.Mapping[str, str] = field(default_factory=dict)
    unknown: t.Mapping[str, str] = field(default_factory=dict)
    effective: t.Mapping[str, str] = field(default_factory=dict)
    pools: tuple[Pool, ...] | None = None
    identity: Identity = field(default_factory=Identity)
    chosen: bool = False
    unreadable: t.Mapping[str, str] = field(default_factory=dict)
    members: t.Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def holders(self) -> bool:
        """Return whether all users with a per-user policy are known."""
        return self.all_users or self.chosen

    def of(self, part: str) -> Records:
        return self.records.get(part, {})

    @property
    def odd_homes(self) -> dict[str, str]:
        """Return, by the user's name, why the user's home is unknown: the value has an unknown form."""
        return {user.name: user.unread for user in self.users.values() if user.unread}

    def usage(self) -> dict[str, tuple[str, ...]]:
        """Return the names of users by the key of their per-user policy."""
        found: dict[str, list[str]] = {}
        for user in self.users.values():
            if user.policy:
                found.setdefault(key_of(user.policy), []).append(user.name)
        return {policy: tuple(sorted(names)) for policy, names in found.items()}


class Reader:
    """Read objects through one shell.

    shell: the session with the server.
    controller: the domain controller for users; empty for the server's choice.
    """

    def __init__(self, shell: Shell, controller: str = "") -> None:
        self._shell = shell
        # Reads and writes use the same controller, because other controllers get a change later.
        self.controller: dict[str, Value] = {CONTROLLER: controller} if controller else {}
        self._filters = False  # whether the filter HOLDERS works on this server

    @property
    def holders(self) -> Statement:
        """Return the statement that reads all users with a per-user policy.

        If it is unknown whether the filter HOLDERS works, the statement reads all users.
        """
        chosen: dict[str, Value] = {"Filter": HOLDERS} if self._filters else {}
        return Statement(USERS, {**self.controller, **chosen}, select=USER_PROPERTIES, long=True)

    def kinds(self, resources: t.Sequence[Resource]) -> Deployment:
        """Read all objects of the given kinds.

        Raises ServerRefused, ShellError, and Unreadable if an answer has an unexpected form.
        """
        now = _now()
        if not resources:
            return Deployment(now)
        return _deployment(now, self._ask([reading(resource) for resource in resources]), resources)

    def identified(self, resources: t.Sequence[Resource]) -> Deployment:
        """Read all objects of these kinds, and the deployment's identity in the same pipeline.

        Raises the errors of ``kinds``.
        """
        label = place_of(self._shell).deployment
        if not resources:
            return Deployment(_now(), identity=Identity(label))
        now = _now()
        answer = self._shell.invoke([*map(reading, resources), *STATEMENTS])
        if answer.refused and not answer.lost:
            # The endpoint takes one statement at a time. A read of the identity is optional, so this read cannot fail
            # the run.
            return replace(self.kinds(resources), identity=read_identity(self._shell, label))
        kinds = [getting(resource) for resource in resources]
        of_kinds = tuple(error for error in answer.errors if error.cmdlet in kinds or not error.cmdlet)
        if answer.lost or of_kinds:
            cmdlet = next((error.cmdlet for error in of_kinds if error.cmdlet), kinds[0])
            raise ServerRefused(cmdlet, replace(answer, errors=of_kinds))
        rest = [item for item in answer.output if tells_identity(item)]
        own = tuple(item for item in answer.output if not tells_identity(item))
        deployment = _deployment(now, replace(answer, output=own), resources)
        return replace(deployment, identity=identity_of(rest, label))

    def kinds_and(self, resources: t.Sequence[Resource], others: t.Sequence[Reading] = ()) -> tuple[Deployment, Items]:
        """Read the objects of these kinds, and the objects of other statements in the same pipeline.

        Cmdlets that the session does not offer are not sent. A kind is left out if the server refuses the cmdlet, or if
        an object has an unknown form. The returned items have the reason. Raises ShellError and the errors of
        ``read_offered``.
        """
        now = _now()
        kinds = [Reading(r.part, reading(r), r.returned) for r in resources]
        readings = [*kinds, *(_beside(one, kinds) for one in others)]
        records: dict[str, Records] = {}
        try:
            items = items_of(read_offered(self._shell, [one.statement for one in readings]), readings)
        except Unreadable:  # the object does not show its statement
            items = read_alone(self._shell, readings)
        for resource in resources:
            cmdlet = getting(resource)
            if cmdlet in items.failed and cmdlet not in unreadable(items.unobserved):
                continue
            try:
                (own,) = _sorted(Answer(tuple(items.found[resource.part])), [resource])
                records[resource.part] = resource.records(own)
            except Unreadable as exc:  # this error has the names of the object and the property
                items = items.without(cmdlet, exc.errors[0])
        own_cmdlets = set(map(getting, resources))
        odd = {cmdlet: why for cmdlet, why in unreadable(items.unobserved).items() if cmdlet in own_cmdlets}
        return Deployment(now, records, unreadable=odd), items

    def with_all_users(self, deployment: Deployment, names: t.Iterable[str] = ()) -> Deployment:
        """Read all users once, and choose users on the controller. So no user's text is in a filter."""
        answer = self._ask([Statement(USERS, dict(self.controller), select=USER_PROPERTIES, long=True)])
        found = replace(deployment, users={**deployment.users, **_by_key(answer)}, all_users=True)
        return self._with_named(found, names)

    def with_holders(self, deployment: Deployment, names: t.Iterable[str] = ()) -> Deployment:
        """Read all users with a per-user policy, and the users that are named.

        The server chooses users with a filter. If the filter does not work, all users are read. The filter does not
        work if the server refuses the filter, returns no user, or leaves out a known user with a policy.
        """
        names = list(names)
        asked = Statement(USERS, {**self.controller, "Filter": HOLDERS}, select=USER_PROPERTIES, long=True)
        answer = self._shell.invoke([asked])
        self._filters = False
        if answer.lost:
            raise ServerRefused(USERS, answer)
        holders = {} if answer.errors else {key: user for key, user in _by_key(answer).items() if user.policy}
        if holders:
            known = {**deployment.users, **holders}
            found = self._with_named(replace(deployment, users=known, chosen=True), names)
            if all(key in holders or not user.policy for key, user in found.users.items()):
                self._filters = True
                return found
        return self.with_all_users(deployment, names)

    def with_members(self, deployment: Deployment, filters: t.Iterable[str]) -> Deployment:
        """Read the users that match each LDAP filter (page of Get-CsUser), with one request for each filter."""
        users, members = dict(deployment.users), dict(deployment.members)
        for text in filters:
            asked = Statement(USERS, {**self.controller, "LdapFilter": text}, select=USER_PROPERTIES, long=True)
            found = _by_key(self._ask([asked]))
            users, members[text] = {**found, **users}, frozenset(found)
        return replace(deployment, users=users, members=members)

    def _with_named(self, deployment: Deployment, names: t.Iterable[str]) -> Deployment:
        """Find the named users among the users that were read. Ask the server for the missing users."""
        names = list(names)
        by_name = {spelling: key for key, user in deployment.users.items() for spelling in _spellings(user)}
        named = {name: by_name[key_of(name)] for name in names if key_of(name) in by_name}
        # The missing names belong to no user, or only the server knows these names (an alias, a display name).
        return self.with_users(replace(deployment, named=named), [name for name in names if name not in named])

    def with_users(
        self,
        deployment: Deployment,
        names: t.Iterable[str],
        controllers: t.Mapping[str, t.Mapping[str, Value]] | None = None,
    ) -> Deployment:
        """Ask the server for each named user. A name without a user goes to ``unknown``. Raises ServerRefused.

        controllers: the parameters with the domain controllers of users, by name.
        """
        asked = list(dict.fromkeys(names))
        users, named, unknown = dict(deployment.users), dict(deployment.named), dict(deployment.unknown)
        for name, answer in self._looked_up(asked, controllers or {}).items():
            if answer.lost or is_unknown(answer):
                raise ServerRefused(USERS, answer)
            if len(answer.output) == 1:
                user = user_of(answer.output[0])
                users[user.key], named[name] = user, user.key
            else:
                unknown[name] = answer.errors[0].message if answer.errors else _not_one(name, answer.output)
        return replace(deployment, users=users, named=named, unknown=unknown)

    def again(
        self,
        resources: t.Sequence[Resource],
        names: t.Sequence[str] = (),
        controllers: t.Mapping[str, t.Mapping[str, Value]] | None = None,
        holders: bool = False,
    ) -> Deployment:
        """Read all objects of these kinds and the named users again.

        One pipeline reads all objects. If the answer is not complete, several pipelines read the objects. Raises the
        errors of ``kinds`` and ``with_users``.

        controllers: the parameters with the domain controllers of users, by name.
        holders: whether to read all users with a per-user policy too.
        """
        if not names and not holders:
            return self.kinds(resources)
        now, given = _now(), controllers or {}
        asked = [user_statement(name, given.get(name, self.controller)) for name in names]
        listing = [self.holders] if holders else []
        answer = self._shell.invoke([*map(reading, resources), *listing, *asked])
        if answer.lost:
            raise ServerRefused(USERS, answer)
        if not answer.errors and not answer.refused:
            own = replace(answer, output=tuple(item for item in answer.output if not is_user(item)))
            # The named users come last. These users are from the controller of the writes, so they replace users from
            # other controllers.
            users = {user.key: user for user in map(user_of, filter(is_user, answer.output))}
            found = replace(_deployment(now, own, resources), users=users, chosen=holders)
            by_name = {spelling: key for key, user in users.items() for spelling in _spellings(user)}
            named = {name: by_name[key_of(name)] for name in names if key_of(name) in by_name}
            if len(named) == len(names):
                return replace(found, named=named)
        found = self.kinds(resources)
        if holders:
            found = replace(found, users=_by_key(self._ask(listing)), chosen=True)
        return self.with_users(found, names, given)

    def _looked_up(
        self, names: t.Sequence[str], controllers: t.Mapping[str, t.Mapping[str, Value]]
    ) -> dict[str, Answer]:
        """Return one answer for each name, from one batch. Names without a clear answer are asked again one by one."""
        statements = {name: user_statement(name, controllers.get(name, self.controller)) for name in names}
        found: dict[str, Answer] = {}
        if len(statements) > 1:
            whole = self._shell.invoke(list(statements.values()))
            if whole.lost or is_unknown(whole):
                raise ServerRefused(USERS, whole)
            found = told_apart(names, whole)
        return {name: found.get(name) or self._shell.invoke([one]) for name, one in statements.items()}

    def with_pools(self, deployment: Deployment) -> Deployment:
        """Read the pools that home users, if the pools are not known yet. Raises ServerRefused, ShellError."""
        return deployment if deployment.pools is not None else replace(deployment, pools=read_pools(self._shell))

    def with_effective(self, deployment: Deployment, keys: t.Iterable[str]) -> Deployment:
        """Find the policy of the site or the global policy of users without a per-user policy (Get-CsEffectivePolicy).

        Raises Refused, ServerRefused, ShellError, Unreadable.
        """
        asked = [deployment.users[key] for key in keys]
        policies = deployment.of("policies")
        if not any(key.startswith("site:") for key in policies):
            return replace(deployment, effective={user.key: "global" for user in asked})
        # If the pool of a user is known, the site follows from the pool, without a request for this user.
        sites = {pool.fqdn.casefold(): "site:" + pool.site.casefold() for pool in deployment.pools or ()}
        found = {u.key: sites[u.pool.casefold()] for u in asked if u.pool.casefold() in sites}
        found = {key: site if site in policies else "global" for key, site in found.items()}
        asked = [user for user in asked if user.key not in found]
        if not asked:
            return replace(deployment, effective=found)
        cmdlet = EFFECTIVE
        answer = self._ask([Statement(cmdlet, {"Identity": user.name, **self.controller}) for user in asked])
        if len(answer.output) != len(asked) or not all(isinstance(item, dict) for item in answer.output):
            raise ServerRefused(cmdlet, Answer())
        for user, item in zip(asked, answer.output, strict=True):
            value = named(item.get("ExternalAccessPolicy"))
            try:
                policy = key_of(policy_from_server(_TEXT.from_server(value)))
            except UnreadableValue as exc:
                text = "ExternalAccessPolicy %s" % exc
                raise Unreadable(cmdlet, user.name, text) from None
            site = "site:" + policy
            # The page shows names without a scope for per-user policies, but no example of a site policy. A user
            # without a per-user policy cannot have a per-user policy in effect.
            if site in policies and (policy not in policies or not user.policy):
                policy = site
            if policy not in policies:
                raise Refused(["%s: the effective policy '%s' was not found among the policies" % (user.name, policy)])
            found[user.key] = policy
        return replace(deployment, effective=found)

    def _ask(self, statements: t.Sequence[Statement]) -> Answer:
        answer = self._shell.invoke(statements)
        if answer.lost or answer.errors:
            named = answer.errors[0].cmdlet if answer.errors else ""
            known = next((s.cmdlet for s in statements if s.cmdlet.lower() == named.lower()), statements[0].cmdlet)
            raise ServerRefused(known, answer)
        return answer


def _beside(one: Reading, kinds: t.Sequence[Reading]) -> Reading:
    """Return the reading without objects of these kinds. Example: partners and blocked domains both have a Domain."""
    return replace(one, known_by=lambda item: one.known_by(item) and not any(kind.known_by(item) for kind in kinds))


def _not_one(name: str, found: t.Sequence[t.Any]) -> str:
    """Return why a name means no user or several users."""
    text = "%s found" % count(found, "user")
    if not found or name.lower().startswith("sip:"):
        return text
    return text + ". Write the user's SIP address, as sip:USER@DOMAIN"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")


def getting(resource: Resource) -> str:
    """Return the cmdlet that reads a kind."""
    return "Get-" + resource.noun


def reading(resource: Resource) -> Statement:
    """Return the statement that reads all objects of a kind."""
    return Statement(getting(resource))


def user_statement(name: str, controller: t.Mapping[str, Value]) -> Statement:
    """Return the statement that reads one user."""
    return Statement(USERS, {"Identity": name, **controller}, USER_PROPERTIES)


def is_user(item: t.Any) -> bool:
    """Return whether an object is from Get-CsUser. Objects of the kinds are not."""
    return isinstance(item, dict) and "SipAddress" in item and "ExternalAccessPolicy" in item


def told_apart(names: t.Sequence[str], whole: Answer) -> dict[str, Answer]:
    """Return the answer for each name from a batch with one Get-CsUser for each name, if the answer is certain.

    Objects and errors come in two separate lists, each in the order of the names. An object shows the names of its
    user. The target of an error is the name that was not found. The remaining objects or errors are assigned by order,
    if each remaining name has one object or error.
    """
    by_name = {key_of(name): name for name in names}
    found: dict[str, Answer] = {}
    objects: list[t.Any] = []
    for item in whole.output:
        own = [by_name[one] for one in _spellings(user_of(item)) if one in by_name]
        found.update(dict.fromkeys(own, Answer(output=(item,))))
        objects += [] if own else [item]
    errors: list[ServerError] = []
    for error in whole.errors:
        name = by_name.get(key_of(error.target))
        if name and name not in found:
            found[name] = Answer(errors=(error,))
        else:
            errors.append(error)
    left = [name for name in names if name not in found]
    if len(objects) == len(left) and not errors:
        found.update({name: Answer(output=(item,)) for name, item in zip(left, objects, strict=True)})
    elif len(errors) == len(left) and not objects:
        found.update({name: Answer(errors=(error,)) for name, error in zip(left, errors, strict=True)})
    return found


def _deployment(time: str, answer: Answer, resources: t.Sequence[Resource]) -> Deployment:
    items = _sorted(answer, resources)
    return Deployment(time, {r.part: r.records(own) for r, own in zip(resources, items, strict=True)})


def _sorted(answer: Answer, resources: t.Sequence[Resource]) -> list[list[t.Any]]:
    """Return the objects of each kind.

    The objects come in the order of the statements, without marks between the kinds.
    """
    if len(resources) == 1:
        return [list(answer.output)]
    found: list[list[t.Any]] = [[] for _resource in resources]
    current = 0
    for item in answer.output:
        kinds = [n for n, r in enumerate(resources) if r.returned(item)]
        cmdlets = ", ".join("Get-" + resource.noun for resource in resources)
        if len(kinds) != 1:
            _check_mark(item, resources)
            text = "the server returned %s, which is not an object of %s" % (_form(item), cmdlets)
            raise Unreadable("Get-" + resources[current].noun, "", text)
        if kinds[0] < current:
            text = "the server returned %s after objects of %s" % (_form(item), resources[current].noun)
            raise Unreadable("Get-" + resources[kinds[0]].noun, "", text)
        current = kinds[0]
        found[current].append(item)
    return found


def _check_mark(item: t.Any, resources: t.Sequence[Resource]) -> None:
    """Raise Unreadable if an object has most properties of one kind, but not the mark of this kind."""
    if not isinstance(item, dict):
        return
    shared = [sum(field.prop in item for field in resource.fields) for resource in resources]
    most = max(shared)
    likely = resources[shared.index(most)]
    if most > 1 and shared.count(most) == 1 and likely.mark not in item:
        identity = item.get("Identity")
        text = "%s is missing" % likely.mark
        raise Unreadable("Get-" + likely.noun, identity if isinstance(identity, str) else "", text)


def _form(item: t.Any) -> str:
    if not isinstance(item, dict):
        return shortened(item)
    identity = item.get("Identity")
    name = " of %s" % shortened(identity) if isinstance(identity, str) else ""
    return "an object%s with the properties %s" % (name, ", ".join(map(str, list(item)[:12])) or "none")


def user_of(item: t.Any) -> User:
    """Return a user from the server's object. Raises Unreadable."""
    if not isinstance(item, dict):
        raise Unreadable(USERS, "", "the server returned %s. An object was expected" % shortened(item))
    values: dict[str, str] = {}
    for name in ("Identity", "SipAddress", "ExternalAccessPolicy"):
        if name not in item:
            raise Unreadable(USERS, str(values.get("Identity", "")), "%s is missing" % name)
        try:
            values[name] = _TEXT.from_server(named(item[name], *_NAMED_BY.get(name, ())))
        except UnreadableValue as exc:
            raise Unreadable(USERS, str(values.get("Identity", "")), "%s %s" % (name, exc)) from None
    if not values["Identity"]:
        raise Unreadable(USERS, values["SipAddress"], "Identity is empty. A distinguished name was expected")
    policy = policy_from_server(values["ExternalAccessPolicy"])
    pool, provider, enabled, controller, upn = (item.get(name) for name in USER_PROPERTIES[3:])
    unread = ""
    try:
        pool = _TEXT.from_server(named(pool))
    except UnreadableValue as exc:
        pool, unread = "", "RegistrarPool %s" % exc
    return User(
        values["Identity"],
        values["SipAddress"] or values["Identity"],
        "" if policy == "global" else policy,
        pool,
        provider if isinstance(provider, str) and provider != ON_PREMISES else "",
        enabled if isinstance(enabled, bool) else None,
        controller if isinstance(controller, str) else "",
        upn if isinstance(upn, str) else "",
        unread,
    )


def _by_key(answer: Answer) -> dict[str, User]:
    users: dict[str, User] = {}
    for user in map(user_of, answer.output):
        if users.setdefault(user.key, user) is not user:
            raise Unreadable(USERS, user.identity, "the server returned this user twice")
    return users


def _spellings(user: User) -> set[str]:
    """Return the names that belong to this user only.

    A name such as ``ann@contoso.com`` is compared with user principal names only. The user principal name of another
    user can be the same as the SIP address of this user.
    """
    return {key_of(name) for name in (user.name, user.identity, user.upn) if name}
