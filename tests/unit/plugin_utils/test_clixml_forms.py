# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every object that decides what is written, in every form in which PowerShell can send it (MS-PSRP 2.2.5).

It is read right, or refused. It is never another value, which would be shown as drift, and never a write.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace
from itertools import starmap
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Refused, ServerRefused
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Deployment, Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.kinds import Choice, Domains, Number, Switch
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.readings import unreadable as odd_ones
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Field, Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.rights import LIST
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, Place, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.topology import EdgePool, Topology, read_topology
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.clixml import UnreadableXml, read
from ansible_collections.sfb.xmpp.plugins.plugin_utils._psrp.values import unreadable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import HOME, MemoryShell
from tests.unit.module_utils.states import STATES, make

Objects = dict[str, list[dict[str, t.Any]]]
# What is read of the topology, a form of one object each.
TOPOLOGY: Objects = {
    "Get-CsSipDomain": [{"Identity": "a.test", "Name": "a.test", "IsDefault": True}],
    "Get-CsAllowedDomain": [{"Identity": "b.test", "Domain": "b.test", "MarkForMonitoring": False, "Comment": None}],
    "Get-CsBlockedDomain": [{"Identity": "c.test", "Domain": "c.test", "Comment": None}],
    "Get-CsManagementStoreReplicationStatus": [
        {"ReplicaFqdn": "fe01.a.test", "UpToDate": True, "LastUpdateCreation": "2027-03-01T10:00:00+00:00"}
    ],
    "Get-CsPool": [
        {"Identity": "p.a.test", "Fqdn": "p.a.test", "Site": "Site:A", "Computers": ["fe01.a.test", "fe02.a.test"]}
    ],
    "Get-CsSite": [{"Identity": "Site:A", "FederationRoute": None, "XmppFederationRoute": "EdgeServer:edge.a.test"}],
}
EDGE = {
    "Identity": "EdgeServer:edge.a.test",
    "PoolFqdn": "edge.a.test",
    "Role": "EdgeServer",
    "Version": 7,
    "AccessEdgeExternalFqdn": "sip.a.test",
    "XmppListeningPort": 5269,
    "XmppInternalPort": 23456,
}
REGISTRAR = {"Identity": "Registrar:p.a.test", "PoolFqdn": "p.a.test", "Role": "Registrar", "Version": 7}
SERVICES = {"EdgeServer": EDGE, "Registrar": REGISTRAR, "UserServer": {**REGISTRAR, "Role": "UserServer"}}
ENUM = "<T>Microsoft.Rtc.Management.Xds.Some</T><T>System.Enum</T><T>System.ValueType</T><T>System.Object</T>"
LISTS = (
    "<T>System.Collections.ArrayList</T>",
    "<T>System.String[]</T><T>System.Array</T>",
    "<T>System.Collections.Generic.List`1[[System.String, mscorlib]]</T>",
    "<T>System.Collections.ObjectModel.Collection`1[[System.String]]</T>",
    "<T>Microsoft.Rtc.Management.Xds.PSListModifier`1[[System.String]]</T><T>System.Collections.ICollection</T>",
    "<T>Deserialized.System.Collections.ArrayList</T>",
)


class Forms:
    """Draws how each value travels. RefIds and the references to type names are those of one object."""

    def __init__(self, draw: st.DrawFn, odd: bool) -> None:
        self._draw, self._odd = draw, odd
        self._number = 0

    def _next(self) -> int:
        self._number += 1
        return self._number

    def choose(self, options: t.Sequence[str]) -> str:
        return self._draw(st.sampled_from(list(options)))

    def object(self, properties: t.Mapping[str, t.Any]) -> str:
        """An object with its properties, in some order, as adapted or as extended ones, with others beside them."""
        names = self._draw(st.permutations(list(properties)))
        odd = self._draw(st.sampled_from(names)) if self._odd else None
        parts = [
            (name, self.odd(name, properties[name]) if name == odd else self.good(name, properties[name]))
            for name in names
        ]
        if self._draw(st.booleans()):
            parts.append(("XsAnyElements", '<Obj N="XsAnyElements" RefId="%d"><LST/></Obj>' % self._next()))
        split = self._draw(st.sampled_from((len(parts), 0, len(parts) // 2)))
        props, extended = "".join(xml for _n, xml in parts[:split]), "".join(xml for _n, xml in parts[split:])
        shown = self.choose(("", "<ToString>shown</ToString>"))
        types = '<TN RefId="0"><T>Selected.Microsoft.Rtc.Thing</T><T>System.Object</T></TN>'
        return '<Obj RefId="0">%s%s%s%s</Obj>' % (
            types, props and "<Props>%s</Props>" % props, extended and "<MS>%s</MS>" % extended, shown,
        )  # fmt: skip

    def good(self, name: str, value: t.Any) -> str:
        """A form in which the value has to be read right, or refused."""
        n = quoteattr(name)
        if value is None or value == []:
            empty = '<Obj N=%s RefId="%d"><TN RefId="%d">%s</TN><LST/></Obj>'
            forms = ["<Nil N=%s/>" % n] + (
                [empty % (n, self._next(), self._next(), one) for one in LISTS] if value == [] else []
            )
            return self.choose(forms)
        if isinstance(value, bool):
            word = str(value)
            return self.choose(
                (
                    "<B N=%s>%s</B>" % (n, word.lower()),
                    "<S N=%s>%s</S>" % (n, word),
                    "<S N=%s>%s</S>" % (n, word.lower()),
                )
            )
        if isinstance(value, int):
            tags = ("U32", "I64", "U64", "S", "Db") if value > 2**31 - 1 else ("I32", "U32", "I64", "U64", "S", "Db")
            return self.choose(["<%s N=%s>%d</%s>" % (tag, n, value, tag) for tag in tags])
        if isinstance(value, list):
            items = "".join("<S>%s</S>" % escape(item) for item in value)
            tag = self.choose(("LST", "IE", "STK", "QUE"))
            one = '<Obj N=%s RefId="%d"><TN RefId="%d">%s</TN><%s>%s</%s></Obj>'
            forms = [one % (n, self._next(), self._next(), kind, tag, items, tag) for kind in LISTS]
            forms.append('<Obj N=%s RefId="%d"><LST>%s</LST></Obj>' % (n, self._next(), items))
            if len(value) == 1:
                forms.append("<S N=%s>%s</S>" % (n, escape(value[0])))
            return self.choose(forms)
        text = escape(str(value))
        forms = ["<S N=%s>%s</S>" % (n, text)]
        if str(value).isalpha():
            enumeration = '<Obj N=%s RefId="%d"><TN RefId="%d">%s</TN><ToString>%s</ToString><I32>1</I32></Obj>'
            forms.append(enumeration % (n, self._next(), self._next(), ENUM, text))
            forms.append(
                '<Obj N=%s RefId="%d"><TN RefId="%d">%s</TN><ToString>%s</ToString></Obj>'
                % (n, self._next(), self._next(), ENUM, text)
            )
        if self._draw(st.booleans()):
            return self.choose(forms)
        return forms[0]

    def odd(self, name: str, value: t.Any) -> str:
        """A form that nobody expects: refused, or read right all the same."""
        n, ref = quoteattr(name), self._next()
        text = escape(",".join(value) if isinstance(value, list) else str(value))
        good = self.good(name, value)
        forms = [
            "",  # it is missing
            good + good,  # it stands there twice
            good + "<S N=%s>other</S>" % quoteattr(name.upper()),
            '<Obj N=%s RefId="%d"><DCT><En><S N="Key">value</S><S N="Value">%s</S></En></DCT></Obj>' % (n, ref, text),
            '<Obj N=%s RefId="%d"><Props><S N="Value">%s</S></Props></Obj>' % (n, ref, text),
            '<Obj N=%s RefId="%d"><MS><S N="Value">%s</S></MS></Obj>' % (n, ref, text),
            '<Obj N=%s RefId="%d"><TN RefId="%d"><T>System.Collections.ArrayList</T></TN></Obj>' % (n, ref, ref),
            '<Obj N=%s RefId="%d"><LST><LST><S>%s</S></LST></LST></Obj>' % (n, ref, text),
            '<Obj N=%s RefId="%d"><TNRef RefId="77"/><S>%s</S></Obj>' % (n, ref, text),
            '<Ref N=%s RefId="0"/>' % n,
            '<Ref N=%s RefId="99"/>' % n,
            "<S N=%s>System.Collections.ArrayList</S>" % n,
            "<S N=%s>Microsoft.Rtc.Management.Xds.Some`1[System.String]</S>" % n,
            "<SS N=%s>AAAA</SS>" % n,
            "<BA N=%s>AAAA</BA>" % n,
            "<XX N=%s>%s</XX>" % (n, text),
            "<B N=%s>perhaps</B>" % n,
            "<I32 N=%s>many</I32>" % n,
        ]
        if isinstance(value, list) and len(value) > 1:
            forms.append("<S N=%s>%s</S>" % (n, text))
        if isinstance(value, str) and value:
            # Of an enumeration only its number; of a text a list of it.
            forms += ["<I32 N=%s>1</I32>" % n, '<Obj N=%s RefId="%d"><LST><S>%s</S></LST></Obj>' % (n, ref, text)]
        if isinstance(value, bool):
            forms += ["<I32 N=%s>%d</I32>" % (n, value), "<Nil N=%s/>" % n]
        return self.choose(forms)


class Wire:
    """A shell that answers with objects in the forms that were drawn, read as the session reads them."""

    place = Place(host="fe01", home=HOME)

    def __init__(self, answers: t.Callable[[Statement], list[str]]) -> None:
        self._answers = answers
        self.sent: list[Statement] = []

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        self.sent += statements
        output, errors = [], []
        for statement in statements:
            for xml in self._answers(statement):
                try:
                    output.append(read(xml))
                except UnreadableXml as exc:
                    errors.append(unreadable(statement.cmdlet, exc))
        return Answer(tuple(output), tuple(errors))


def plain(shell: MemoryShell, cmdlet: str) -> list[dict[str, t.Any]]:
    """The objects that a cmdlet shows, as plain values; lists as lists."""
    noun = cmdlet.partition("-")[2]
    if noun == "CsUser":
        return [dict(user) for user in shell.users]
    resource = next(one for one in RESOURCES if one.noun == noun)
    kinds = {field.prop: field for field in resource.fields}
    return [
        {name: _listed(kinds.get(name), value) for name, value in item.items()} for item in shell.store[noun].values()
    ]


def _listed(field: Field | None, value: t.Any) -> t.Any:
    if field is None or not isinstance(field.kind, Domains):
        return value
    return [] if value is None else value if isinstance(value, list) else [value]


def shell_of(data: st.DataObject, shell: MemoryShell, odd: str = "") -> Wire:
    """odd: the cmdlet of which one object has a property in a form that nobody expects."""

    @st.composite
    def drawn(draw: st.DrawFn, items: list[dict[str, t.Any]], strange: int) -> list[str]:
        return [Forms(draw, number == strange).object(item) for number, item in enumerate(items)]

    kept: dict[str, list[str]] = {}

    def answers(statement: Statement) -> list[str]:
        if statement.cmdlet not in kept:
            items = plain(shell, statement.cmdlet)
            strange = data.draw(st.integers(0, len(items) - 1)) if items and statement.cmdlet == odd else -1
            kept[statement.cmdlet] = data.draw(drawn(items, strange))
        return kept[statement.cmdlet]

    return Wire(answers)


def seen(wire: t.Any) -> Deployment:
    reader = Reader(wire)
    deployment = Deployment("")
    for resource in RESOURCES:
        deployment = Deployment("", {**deployment.records, **reader.kinds([resource]).records})
    return reader.with_all_users(deployment)


def comparable(deployment: Deployment) -> t.Any:
    records = {
        part: {key: (r.identity, r.values) for key, r in its.items()} for part, its in deployment.records.items()
    }
    return records, dict(deployment.users)


def resource_named(noun: str) -> Resource:
    return next(one for one in RESOURCES if one.noun == noun)


SLOW = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def filled(state: dict[str, t.Any]) -> MemoryShell:
    shell = make(state)
    shell.put("CsSite", "Site:A", {"XmppFederationRoute": "EdgeServer:edge.a.test"})
    return shell


@SLOW
@given(STATES, st.data())
def test_each_form_that_is_right_is_read_right_or_refused(state: dict[str, t.Any], data: st.DataObject) -> None:
    shell = filled(state)
    try:
        found = seen(shell_of(data, shell))
    except (Refused, ServerRefused):
        return
    assert comparable(found) == comparable(seen(shell))


@SLOW
@given(STATES, st.data(), st.sampled_from([*("Get-" + r.noun for r in RESOURCES), "Get-CsUser"]))
def test_a_form_that_nobody_expects_is_refused_or_read_right(
    state: dict[str, t.Any], data: st.DataObject, cmdlet: str
) -> None:
    shell = filled(state)
    wire = shell_of(data, shell, cmdlet)
    try:
        found = seen(wire)
    except (Refused, ServerRefused):
        pass
    else:
        expected = seen(shell)
        if cmdlet == "Get-CsSite":  # a route that is not shown counts as none until something is to be set over it
            found, expected = (
                replace(one, records={**one.records, "federation_routes": {}}) for one in (found, expected)
            )
        assert comparable(found) == comparable(expected)
    assert all(statement.is_read for statement in wire.sent)


def topology_shell(data: st.DataObject, odd: str) -> Wire:
    @st.composite
    def drawn(draw: st.DrawFn, items: list[dict[str, t.Any]], strange: bool) -> list[str]:
        return [Forms(draw, strange).object(item) for item in items]

    def answers(statement: Statement) -> list[str]:
        if statement.cmdlet == "Get-CsService":
            items = [SERVICES[next(iter(statement.parameters))]]
        else:
            items = TOPOLOGY[statement.cmdlet]
        return data.draw(drawn(items, statement.cmdlet == odd))

    return Wire(lambda statement: [] if statement.cmdlet == LIST else answers(statement))


RIGHT = [
    {**item, "Computers": item["Computers"]} if "Computers" in item else item
    for items in TOPOLOGY.values()
    for item in items
]


def plain_topology() -> Topology:
    class Plain:
        place = Place()

        def invoke(self, statements: t.Sequence[Statement]) -> Answer:
            output: list[t.Any] = []
            for statement in statements:
                if statement.cmdlet == LIST:
                    output += [{"Name": name} for name in t.cast("tuple[str, ...]", statement.parameters["Name"])]
                elif statement.cmdlet == "Get-CsService":
                    output.append(SERVICES[next(iter(statement.parameters))])
                else:
                    output += TOPOLOGY[statement.cmdlet]
            return Answer(tuple(output))

    return read_topology(Plain())


def filled_in(one: EdgePool, right: EdgePool) -> EdgePool:
    names = ("access_edge", "listening_port", "internal_port")
    return replace(one, **{name: getattr(one, name) or getattr(right, name) for name in names})


@SLOW
@given(st.data(), st.sampled_from(["", *TOPOLOGY, "Get-CsService"]))
def test_the_topology_is_read_right_or_not_at_all(data: st.DataObject, odd: str) -> None:
    """What cannot be read of it is unobserved, and says why; what is there is right."""
    right = plain_topology()
    assert right.replicas
    try:
        found = read_topology(topology_shell(data, odd))
    except (Refused, ServerRefused):
        return
    for name in ("pools", "edges", "sites", "sip_domains", "allowed_domains", "blocked_domains", "replicas"):
        value = getattr(found, name)
        if odd == "Get-CsAllowedDomain" and name in ("allowed_domains", "blocked_domains"):
            continue  # without MarkForMonitoring an allowed domain has the form of a blocked one
        if name == "sites" and value is not None:
            # A site that shows no route has none, as far as is known; to set one over it needs a force.
            value = tuple(
                replace(one, xmpp_route=one.xmpp_route or its.xmpp_route)
                for one, its in zip(value, right.sites or (), strict=True)
            )
        if name == "replicas" and value is not None and odd.endswith("ReplicationStatus"):
            # Without a time a replica is not known to be current, which is what its absence means.
            value = tuple(replace(one, last_update_creation=right.replicas[0].last_update_creation) for one in value)
        if name in ("pools", "edges") and value is not None:
            # A release comes from versions; one that cannot be read is unknown.
            own = getattr(right, name)
            value = tuple(replace(one, release=one.release or its.release) for one, its in zip(value, own, strict=True))
        if name == "pools" and value is not None:
            # Nor is it known of a pool what it is, where its services cannot be read.
            own = right.pools or ()
            value = tuple(
                replace(
                    one,
                    front_end=its.front_end if one.front_end is None else one.front_end,
                    registrar=its.registrar if one.registrar is None else one.registrar,
                )
                for one, its in zip(value, own, strict=True)
            )
        if name == "edges" and value is not None:
            # What an Edge pool does not tell is not there: a name, or the ports of XMPP.
            value = tuple(starmap(filled_in, zip(value, right.edges or (), strict=True)))
        assert value is None or value == getattr(right, name), name
        assert value is not None or found.unobserved
    assert odd or found.unobserved == odd_ones(found.unobserved)


def test_every_kind_of_value_has_forms() -> None:
    """So that a new kind of field does not pass by here."""
    kinds = {type(field.kind).__name__ for resource in RESOURCES for field in resource.fields}
    assert kinds == {"Text", "SecretText", "Switch", "Number", "Choice", "Domain", "Domains", "EdgePoolName"}
    assert {Choice, Domains, Number, Switch}
