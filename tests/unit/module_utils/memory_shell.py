# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Shell over a dictionary, for the pure parts: wire values go in, objects in the shapes that arrive come out.

It knows no documented contract (the lab does); it applies what is sent, so that properties such as "plan, apply, plan
again: nothing to do" can be tried on thousands of states a second.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import typing as t

from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import HOLDERS
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.kinds import Choice
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import question
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import (
    Answer,
    ListChange,
    Place,
    Secret,
    ServerError,
    Statement,
    Value,
)

# Where locks lie.
HOME = tempfile.mkdtemp(prefix="sfb-xmpp-unit-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

_EDGE: dict[str, t.Any] = {"AccessEdgeExternalFqdn": "sip.contoso.com", "XmppListeningPort": 5269}
# What stands in the topology, but for sites.
TOPOLOGY: dict[str, list[t.Any]] = {
    "CsService": [
        {"PoolFqdn": "edge.contoso.com", "Role": "EdgeServer", "Version": 7, "XmppInternalPort": 23456, **_EDGE},
        {"PoolFqdn": "fe01.contoso.com", "Role": "Registrar", "Version": 7},
        {"PoolFqdn": "branch.contoso.com", "Role": "Registrar", "Version": 7},
        {"PoolFqdn": "fe01.contoso.com", "Role": "UserServer", "Version": 7},
    ],
    "CsSipDomain": [
        {"Identity": "a.com", "Name": "A.com", "IsDefault": False},
        {"Identity": "contoso.com", "Name": "contoso.com", "IsDefault": True},
    ],
    "CsAllowedDomain": [{"Identity": "litware.com", "Domain": "litware.com", "MarkForMonitoring": False}],
    "CsBlockedDomain": [{"Identity": "spam.example", "Domain": "spam.example"}],
    "CsPool": [
        {"Fqdn": "fe01.contoso.com", "Site": "Site:Redmond", "Computers": ["fe01.contoso.com"]},
        {"Fqdn": "edge.contoso.com", "Site": "Site:Redmond", "Computers": "edge01.contoso.com"},
        {"Fqdn": "branch.contoso.com", "Site": "Site:Redmond", "Computers": "branch.contoso.com"},
    ],
}

# Statement -> an error to give (the statement is not carried out), or None.
Fault = t.Callable[[Statement], "ServerError | None"]


class MemoryShell:
    """store: noun -> key -> object as it arrives. ``sent``: every statement, in order. ``requests``: pipelines."""

    def __init__(self) -> None:
        self.place = Place(host="fe01", home=HOME)
        self.store: dict[str, dict[str, dict[str, t.Any]]] = {r.noun: {} for r in RESOURCES}
        self.users: list[dict[str, t.Any]] = []
        self.members: dict[str, set[str]] = {}  # by an LDAP filter, the SIP addresses of those who pass it
        self.sent: list[Statement] = []
        self.requests = 0
        self.central = "fe01.contoso.com"  # the pool of the Central Management Store
        self.more_domains: tuple[str, ...] = ()
        self.asked = False  # what the session offers
        self.hidden: set[str] = set()  # cmdlets that the session does not offer
        self.replicas = ["edge01.contoso.com", "fe01.contoso.com"]
        self.updates = 0  # pushes and changes of the store, each of which the replicas have at once unless ``stuck``
        self.stuck = False
        self.fault: Fault = lambda statement: None
        # None: takes several statements. Else how many of the first batch are carried out before it is refused.
        self.one_statement: int | None = None
        self.lose_after = -1  # number of writes that are still carried out before the session is lost
        for resource in RESOURCES:
            if resource.single or resource.resettable:
                self.put(resource.noun, "Global", {})

    def put(self, noun: str, identity: str, properties: t.Mapping[str, Value]) -> None:
        """Create or change an object as New- and Set- would."""
        resource = next(r for r in RESOURCES if r.noun == noun)
        key = identity.lower()
        item = self.store[noun].setdefault(
            key, {"Identity": identity, **{f.prop: self._default(f) for f in resource.fields}, "Anchor": "extra"}
        )
        for name, value in properties.items():
            if name in ("Identity", "Confirm"):
                continue
            if isinstance(value, ListChange):
                had = item[name] if isinstance(item[name], list) else [item[name]] if item[name] else []
                item[name] = [v for v in had if v not in value.remove] + list(value.add)
            elif isinstance(value, tuple):
                item[name] = list(value)
            else:
                item[name] = value.reveal() if isinstance(value, Secret) else value
            if isinstance(item[name], list) and len(item[name]) < 2:
                item[name] = item[name][0] if item[name] else None

    @staticmethod
    def _default(field: t.Any) -> t.Any:
        if isinstance(field.kind, Choice):
            return field.kind.words[field.default]
        return field.default or None if isinstance(field.default, (str, list)) else field.default

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        if statements == [question()]:
            # A session keeps the answer.
            self.requests += not self.asked
            self.asked = True
            self.sent += statements
            if fault := self.fault(statements[0]):
                return Answer(errors=(fault,))
            absent: list[ServerError] = []
            return Answer(tuple(self._run(self._offered(statements[0], absent))), tuple(absent))
        self.requests += 1
        output: list[t.Any] = []
        errors: list[ServerError] = []
        refused = len(statements) > 1 and self.one_statement is not None
        if refused:
            statements, self.one_statement = statements[: self.one_statement], None
            errors.append(ServerError(message="one statement at a time"))
        for statement in statements:
            self.sent.append(statement)
            if not statement.is_read and self.lose_after == 0:
                self.lose_after = -1
                return Answer(tuple(output), tuple(errors), lost="connection reset")
            fault = self.fault(statement)
            if fault:
                errors.append(fault)
                continue
            try:
                output.extend(self._run(statement))
            except KeyError as exc:
                errors.append(ServerError(statement.cmdlet, "NotFound", "ObjectNotFound", "cannot find %s" % exc.args))
            if not statement.is_read and self.lose_after > 0:
                self.lose_after -= 1
        return Answer(tuple(output), tuple(errors), refused=refused)

    def _offered(self, statement: Statement, errors: list[ServerError]) -> Statement:
        """Get-Command for those that there are, after an error for each that there is not."""
        names = t.cast("tuple[str, ...]", statement.parameters["Name"])
        for name in names:
            if name in self.hidden:
                errors.append(ServerError("Get-Command", "CommandNotFoundException,X", "ObjectNotFound", "no", name))
        return Statement("Get-Command", {"Name": tuple(name for name in names if name not in self.hidden)})

    def _run(self, statement: Statement) -> list[t.Any]:
        verb, noun = statement.cmdlet.split("-")
        given = statement.parameters
        identity = str(given.get("Identity", ""))
        if noun == "CsXmppIM":
            return [{"TargetFqdn": given.get("TargetFqdn"), "Result": "Success", "Latency": "PT0.25S", "Error": ""}]
        if noun == "CsHealthMonitoringConfiguration":
            return [{"Identity": "pool.contoso.com", "FirstTestUserSipUri": "sip:test1@contoso.com"}]
        if noun == "Command":
            return [{"Name": name} for name in t.cast("tuple[str, ...]", given["Name"])]
        if noun == "CsManagementStoreReplication":
            self.updates += 1
            return []
        if noun == "CsConfiguration":
            return []
        if noun == "CsManagementStoreReplicationStatus":
            if "CentralManagementStoreStatus" in given:
                return [{"ActiveMasterFqdn": "fe01.contoso.com", "ActiveReplicas": list(self.replicas)}]
            made = "2027-03-01T10:%02d:00+00:00" % (0 if self.stuck else self.updates)
            return [{"ReplicaFqdn": fqdn, "UpToDate": True, "LastUpdateCreation": made} for fqdn in self.replicas]
        if noun == "CsService":
            role = next(name for name in given if name != "PoolFqdn")
            if role == "CentralManagement":
                return [{"PoolFqdn": self.central, "Role": role, "Version": 7}]
            return [dict(item) for item in TOPOLOGY[noun] if item["Role"] == role]
        if noun == "CsSipDomain" and self.more_domains:
            more = [{"Identity": name, "Name": name, "IsDefault": False} for name in self.more_domains]
            return [*TOPOLOGY[noun], *more]
        if noun in TOPOLOGY:
            return [dict(item) if isinstance(item, dict) else item for item in TOPOLOGY[noun]]
        if noun in ("CsUser", "CsEffectivePolicy"):
            names = ("Identity", "SipAddress", "UserPrincipalName")
            found = [u for u in self.users if not identity or identity in map(u.get, names)]
            if identity and not found:
                raise KeyError(identity)
            if noun == "CsUser":
                assert given.get("Filter") in (None, HOLDERS)
                found = [u for u in found if "Filter" not in given or u["ExternalAccessPolicy"]]
                if "LdapFilter" in given:
                    found = [u for u in found if u["SipAddress"] in self.members[str(given["LdapFilter"])]]
                return [dict(user) for user in found]
            return [{"ExternalAccessPolicy": u["ExternalAccessPolicy"] or u.get("Site") or "Global"} for u in found]
        if verb == "Grant":
            (user,) = (u for u in self.users if u["SipAddress"] == identity)
            policy = given["PolicyName"]
            user["ExternalAccessPolicy"] = "Tag:" + str(policy) if policy else None
            return []
        objects = self.store[noun]
        key = self._key(noun, identity)
        if verb == "Get":
            return [dict(item) for item in objects.values()]
        self.updates += 1
        if verb == "New":
            if key in objects:
                raise KeyError("existing " + identity)
            self.put(noun, key if noun == "CsXmppAllowedPartner" else self._printed(identity), given)
            if noun != "CsXmppAllowedPartner":
                return []
        elif verb == "Set":
            self.put(noun, objects[key]["Identity"], given)
        elif key == "global":
            del objects[key]
            self.put(noun, "Global", {})
        else:
            del objects[key]
        return []

    @staticmethod
    def _printed(identity: str) -> str:
        return identity if ":" in identity or identity.lower() == "global" else "Tag:" + identity

    def _key(self, noun: str, identity: str) -> str:
        if noun == "CsSite":
            return "site:" + identity.lower().removeprefix("site:")
        return (self._printed(identity) if noun == "CsExternalAccessPolicy" else identity).lower()

    def writes(self) -> list[Statement]:
        return [statement for statement in self.sent if not statement.is_read]
