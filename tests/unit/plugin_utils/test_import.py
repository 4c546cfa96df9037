# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import of files: every form that people have, every mistake by its line, and the way there and back."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from xml.sax.saxutils import escape

import pytest
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER, POLICY
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.converge import objects
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.resource import Resource
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import plural
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.import_records import UnreadableSource
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.import_values import ALIASES, imported
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.test_plan_properties import partner_lists

DEFAULTS: dict[str, t.Any] = {
    "purge": False,
    "protect": [],
    "removal_limit": 30,
    "force": True,
    "allow_loss": [],
}
ONE = [{"domain": "fabrikam.com", "additional_domains": ["a.test", "b.test"], "tls_negotiation": "not_supported"}]


# The types of a property's value in an export, so that it is a list or an enumeration.
_TYPES = {
    "AdditionalDomains": "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.Collection",
    "TlsNegotiation": "System.Enum",
    "SaslNegotiation": "System.Enum",
    "PartnerType": "System.Enum",
}


def clixml(items: list[dict[str, t.Any]], group: str = "Props", more: str = "") -> str:
    """As Export-Clixml writes objects. group: ``MS`` is what Select-Object leaves. Type names are sent once."""
    lines = ['<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">']
    sent: dict[str, int] = {}
    number = 0
    for item in items:
        lines.append('<Obj RefId="%d"><ToString>x</ToString><%s>' % (number, group))
        for name, value in item.items():
            number += 1
            plain = isinstance(value, str) and _TYPES.get(name) != "System.Enum"
            if value is None:
                lines.append('<Nil N="%s" />' % name)
            elif isinstance(value, bool):
                lines.append('<B N="%s">%s</B>' % (name, str(value).lower()))
            elif isinstance(value, int):
                lines.append('<U32 N="%s">%d</U32>' % (name, value))
            elif plain:
                lines.append('<S N="%s">%s</S>' % (name, escape(value.replace("_x", "_x005F_x"))))
            else:
                lines.append('<Obj N="%s" RefId="%d">' % (name, number))
                known = name in sent
                types = "" if known else "<T>%s</T><T>System.Object</T>" % _TYPES[name]
                ref = sent.setdefault(name, len(sent))
                lines.append('<TNRef RefId="%d" />' % ref if known else '<TN RefId="%d">%s</TN>' % (ref, types))
                texts = "".join("<S>%s</S>" % escape(text) for text in value)
                one = "<ToString>%s</ToString><I32>1</I32>" % value
                lines.append("%s</Obj>" % ("<LST>%s</LST>" % texts if isinstance(value, (list, tuple)) else one))
        number += 1
        lines.append("</%s></Obj>" % group)
    return "\r\n".join([*lines, more, "</Objs>"])


def partners(text: str, encoding: str = "utf-8") -> list[dict[str, t.Any]]:
    return imported(PARTNER, text.encode(encoding))[0]


def mistakes(text: str | bytes, resource: Resource = PARTNER) -> list[str]:
    with pytest.raises(UnreadableSource) as caught:
        imported(resource, text if isinstance(text, bytes) else text.encode())
    return list(caught.value.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "domain,additional_domains,tls_negotiation\nfabrikam.com,a.test b.test,not_supported\n",
        "Domain;Additional_Domains;TLS_Negotiation\r\nFabrikam.COM.;b.test, A.test;Not_Supported\r\n",
        '"SEP=;"\r\nTlsNegotiation;Identity;AdditionalDomains\r\nNotSupported;fabrikam.com;a.test, b.test\r\n',
        "Sep=|\nTlsNegotiation|Identity|AdditionalDomains\nNotSupported|fabrikam.com|a.test, b.test\n",
        "sep=;\n\nTlsNegotiation;Identity;AdditionalDomains\nNotSupported;fabrikam.com;a.test|b.test\n;;\n",
        "Identity\tAdditionalDomains\tTlsNegotiation\tDomain\nfabrikam.com\ta.test;b.test\tnotsupported\tfabrikam.com",
        '#TYPE Selected.X\n"Identity","Key","AdditionalDomains","TlsNegotiation","Description"\n'
        '"fabrikam.com","x","a.test\nb.test","NotSupported",""\n',
        '[{"Identity":"fabrikam.com","AdditionalDomains":["a.test","b.test"],"TlsNegotiation":"NotSupported"}]',
        '{"Identity":"fabrikam.com","AdditionalDomains":{"value":["a.test","b.test"],"Count":2},'
        '"TlsNegotiation":"NotSupported","ProxyFqdn":null,"Anchor":{"Class":[]}}',
        '{"value":[{"Identity":"fabrikam.com","AdditionalDomains":"a.test b.test","TlsNegotiation":"NotSupported"}],'
        '"Count":1}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_gives_the_same(text: str, encoding: str) -> None:
    assert partners(text, encoding) == ONE
    assert imported(PARTNER, text.encode(encoding))[1] == []


def test_types_and_what_an_empty_cell_and_an_empty_list_say() -> None:
    header = (
        "domain,description,support_dialback_negotiation,EnableKeepAlive,connection_limit,partner_type,proxy_fqdn\n"
    )
    assert partners(header + 'b\u00fccher.test,"x, ""y""",Yes,FALSE,7,PublicVerified,Proxy.Test.X\na.test,,,,,,') == [
        {
            "domain": "xn--bcher-kva.test",
            "description": 'x, "y"',
            "partner_type": "public_verified",
            "support_dialback_negotiation": True,
            "enable_keep_alive": False,
            "connection_limit": 7,
            "proxy_fqdn": "proxy.test.x",
        },
        {"domain": "a.test"},
    ]
    both = '[{"domain":"a.test","additional_domains":[],"description":"","enable_keep_alive":true,"proxy_fqdn":null}]'
    assert partners(both) == [
        {"domain": "a.test", "additional_domains": [], "description": "", "enable_keep_alive": True}
    ]
    assert partners("domain\n") == partners("[]") == []
    policies = '[{"Identity":"Global","EnableXmppAccess":false},{"Identity":"Tag:Sales"},{"Identity":"Site:Redmond"}]'
    assert imported(POLICY, policies.encode())[0] == [
        {"identity": "global", "enable_xmpp_access": False},
        {"identity": "Sales"},
        {"identity": "site:Redmond"},
    ]


def test_other_columns_are_left_out_and_those_that_powershell_adds_are_not_worth_mentioning() -> None:
    items, ignored = imported(PARTNER, b"Domain,Owner,RunspaceId,Ticket\na.test,me,x,1\nb.test,,,2\n")
    assert items == [{"domain": "a.test"}, {"domain": "b.test"}]
    assert ignored == ["Owner", "Ticket"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["the file is empty"]),
        ("\n#TYPE X\n", ["the file has no line with column names. Add this line"]),
        ("tls_negotiation\nrequired\n", ["line 2: domain is empty"]),
        (
            "domain,tls_negotation\na.test,required\n",
            ["the column 'tls_negotation' is unknown (did you mean tls_negotiation?)"],
        ),
        ("domain,Domain\na.test,b.test\n", ["line 1: two columns have the name 'Domain'. Rename one of them"]),
        ("domain,Identity\na.test,b.test\n", ["line 2 (b.test): Identity: has 'b.test', but another column"]),
        ("domain,description\na.test,x,y\nb.test\n", ["line 2: 3 cells for 2", "line 3: 1 cells for 2"]),
        ('domain\na.test\n"b.test\n\n', ["line 3: cannot be read as CSV"]),
        ('domain,description\n"a.test","x\ny"\nb c,\n', ["line 4: domain 'b c' contains spaces"]),
        ("#TYPE X\nIdentity\nA.test\n\nb.test\na.test.\n", ["line 6 (a.test): has the same name 'a.test' as line 3"]),
        (
            "domain,connection_limit\na.test,4294967296\nb.test,many\nc.test,1.5\n",
            ["line 2 (a.test)", "line 3", "line 4"],
        ),
        ("domain,enable_keep_alive\na.test,maybe\n", ["enable_keep_alive: 'maybe' must be true or false"]),
        ("domain,enable_keep_alive\na.test,ja\n", ["Write one of these words: true, yes, 1, on, enabled, wahr, vrai"]),
        ("SEP=\ndomain\na.test\n", ["line 1: sep= must be followed by a comma"]),
        ('"sep=;;"\ndomain\na.test\n', ["line 1: sep= must be followed by a comma"]),
        ("\r\n\r\nIdentity     : a.test\r\nAdditionalDomains : {b.test}\r\n", ["output of Format-List, which cuts"]),
        ("\nIdentity  ProxyFqdn\n--------  ---------\na.test\n", ["output of Format-Table, which cuts"]),
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0", ["an Excel workbook (.xlsx) or another ZIP archive"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ["an old Excel workbook (.xls), not a text file. Save"]),
        ("<html><body>x</body></html>", ["the file is XML, but not from Export-Clixml"]),
        ("<Objs><Obj/></Objs>", ["the file is XML, but not from Export-Clixml"]),
        ("<table><tr><td>x<br></td></tr></table>", ["the text is not well-formed XML"]),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', ["a document type declaration is not allowed"]),
        (clixml([], more="<S>a.test</S>"), ['record 1: must be an object, not "a.test"']),
        (
            clixml([], more='<Obj RefId="0"><Props><B N="X">maybe</B></Props></Obj>'),
            ["record 1: X: 'maybe' must be true"],
        ),
        (
            clixml([{"Identity": "a.test"}, {"Identity": "A.test"}]),
            ["record 2 (a.test): has the same name 'a.test' as record 1"],
        ),
        ("domain,,\na.test,,\nb.test,,x\n", ["line 3: a cell belongs to a column without a name"]),
        (
            "domain,TLS,tls_negotiation\na.test,required,optional\n",
            ["line 2 (a.test): tls_negotiation: has 'optional'"],
        ),
        (b"d\0o\0m\0a\0i\0n\0\n\0a\0.\0t\0e\0s\0t\0", ["encoding=utf-16"]),
        ("Identity,TlsNegotiation\na.test,2\n", ["TlsNegotiation: '2' is a number, and its meaning is not documented"]),
        ("domain,tls_negotiation\na.test,never\n", ["'never' must be one of required, optional, not_supported"]),
        ("domain,additional_domains\na.test,b.test *.c.test\n", ["additional_domains: '*.c.test' is a wildcard"]),
        (b"domain\na.test\nb\xfc.test\n", ["line 3: is not UTF-8"]),
        ("[{]", ["line 1: cannot be read as JSON"]),
        ('[{"domain":"a.test"},5]', ["record 2: must be an object, not 5"]),
        ('[{"domain":"a.test"},{"domain":"A.test"}]', ["record 2 (a.test): has the same name 'a.test' as record 1"]),
        ('{"domain":"a.test","description":true}', ["record 1 (a.test): description: True must be a string"]),
        ('{"domain":"a.test","connection_limit":true}', ["connection_limit: 'True' must be a whole number"]),
        ('{"domain":"a.test","additional_domains":[1]}', ["additional_domains: must be a list of strings"]),
        ('{"domain":"a.test","additional_domains":{"a":1}}', ["additional_domains: must be a list of strings"]),
        ('{"domain":"a.test","proxy_fqdn":["p.test"]}', ["proxy_fqdn: must be a single value"]),
        ("[" * 100000, ["nested too deep"]),
    ],
)
def test_mistakes_are_named_by_their_place(text: str | bytes, expected: list[str]) -> None:
    found = mistakes(text)
    assert len(found) == len(expected), found
    for words, reason in zip(expected, found, strict=True):
        assert words in reason


# What people have: headers by hand, the Control Panel's labels, other ways to say yes, other code pages


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Domain,TLS,SASL,Dialback,Additional Domains", "a.test,Required,Not Supported,Yes,b.test"),
        (
            "Primary domain,TLS negotiation,SASL negotiation,Support server dialback negotiation,Additional domains",
            "a.test,required,not-supported,WAHR,b.test",
        ),
        (" partner , tls , sasl , server dialback , other domains ", "A.test., REQUIRED ,notsupported,on,B.test"),
        (
            "DOMAIN NAME,Tls-Negotiation,Sasl_Negotiation,Dialback?,AdditionalDomains",
            "a.test,required,not_supported,vrai,b.test",
        ),
    ],
)
def test_headers_that_people_write(header: str, row: str) -> None:
    assert partners("%s\n%s\n" % (header, row)) == [
        {
            "domain": "a.test",
            "additional_domains": ["b.test"],
            "tls_negotiation": "required",
            "sasl_negotiation": "not_supported",
            "support_dialback_negotiation": True,
        }
    ]


def test_headers_of_policies_that_people_write() -> None:
    items, ignored = imported(POLICY, b"Policy Name,Federation,XMPP,Remote access\nSales,enabled,Disabled,0\n")
    assert ignored == []
    assert items == [
        {
            "identity": "Sales",
            "enable_federation_access": True,
            "enable_xmpp_access": False,
            "enable_outside_access": False,
        }
    ]


@pytest.mark.parametrize("resource", [PARTNER, POLICY], ids=lambda resource: str(resource.name))
def test_every_other_name_means_one_option_and_hides_none(resource: Resource) -> None:
    fields = [*resource.fields, *([resource.key] if resource.key else [])]
    names = {field.option.replace("_", "") for field in fields} | {field.prop.lower() for field in fields}
    assert set(ALIASES[resource.name].values()) <= {field.option for field in fields}
    assert not names & set(ALIASES[resource.name])


def test_one_list_of_objects_is_their_export_too_and_nothing_is_none() -> None:
    inner = clixml([{"Identity": "a.test"}, {"Identity": "b.test"}]).splitlines()[1:-1]
    text = clixml([], more='<Obj RefId="90"><LST>%s</LST></Obj>' % "".join(inner))
    assert partners(text) == [{"domain": "a.test"}, {"domain": "b.test"}]
    assert partners(clixml([])) == []


@pytest.mark.parametrize(
    "name", ["EnableAcsFederationAccess", "EnableTeamsConsumerAccess", "enable_teams_consumer_inbound"]
)
def test_a_switch_of_teams_is_named_as_such(name: str) -> None:
    text = "Identity,EnableFederationAccess,%s\nGlobal,False,True\n" % name
    (reason,) = mistakes(text, POLICY)
    assert reason == "the column '%s' exists only in Teams. Ignore it with ignore_columns=%s" % (name, name)
    items, _ignored = imported(POLICY, text.encode(), ignore_columns=[name])
    assert items == [{"identity": "global", "enable_federation_access": False}]


def test_a_column_with_a_word_more_is_no_mistyped_one() -> None:
    (reason,) = mistakes("Identity,EnableNewFederationAccess\nGlobal,True\n", POLICY)
    assert "suggests a security setting" in reason
    (reason,) = mistakes("Identity,EnabelFederationAcces\nGlobal,True\n", POLICY)
    assert "did you mean enable_federation_access?" in reason


@pytest.mark.parametrize(
    "name",
    [
        "Certificate",
        "Require TLS 1.2",
        "mTLS",
        "Verified",
        "Allowed users",
        "Block",
        "EnableSomethingNew",
        "Encryption",
        "SecurityLevel",
        "AuthMode",
        "Trusted CA",
        "Verify",
        "ProxyPort",
        "Restricted",
    ],
)
def test_an_unknown_column_that_may_carry_security_is_an_error(name: str) -> None:
    text = "domain,%s\na.test,x\n" % name
    (reason,) = mistakes(text)
    assert "the column '%s' is unknown" % name in reason
    assert imported(PARTNER, text.encode(), ignore_columns=[name.upper()]) == ([{"domain": "a.test"}], [])
    (reason,) = mistakes(json.dumps([{"domain": "a.test", name: None}]))
    assert "the column '%s' is unknown" % name in reason


def test_a_known_column_may_be_left_out_as_well() -> None:
    items, ignored = imported(PARTNER, b"domain,TLS,Description\na.test,never,x\n", ignore_columns=["tls"])
    assert (items, ignored) == ([{"domain": "a.test", "description": "x"}], [])


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("cp1252", "cp1252"),
        ("cp1252", "windows-1252"),
        ("cp850", "cp850"),
        ("utf-16-le", "utf-16"),
        ("utf-16-le", "UTF_16"),
        ("utf-16", "cp1252"),  # a byte order mark says more than an option
        ("utf-8-sig", "cp1252"),
        ("utf-8", "utf-8"),
        ("utf-8", ""),
    ],
)
def test_code_pages_by_option(written: str, named: str) -> None:
    data = "domain;description\na.test;f\u00fcr alle\n".encode(written)
    assert imported(PARTNER, data, named)[0] == [{"domain": "a.test", "description": "f\u00fcr alle"}]


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"domain\na.test\n", "cp99999", "encoding: 'cp99999' is not a known encoding"),
        (b"domain\na.test\n", "hex", "encoding: 'hex' is not a known encoding"),
        (b"domain\nb\xfc.test\n", "ascii", "line 2: is not ASCII"),
        (b"domain\nb\xfc.test\n", "", "encoding=cp1252"),
    ],
)
def test_encodings_that_do_not_fit(data: bytes, encoding: str, expected: str) -> None:
    with pytest.raises(UnreadableSource) as caught:
        imported(PARTNER, data, encoding)
    assert expected in caught.value.reasons[0]


@pytest.mark.parametrize(
    "name",
    [
        "System.Collections.ArrayList",
        "System.String[]",
        "System.Object[]",
        "Microsoft.Rtc.Management.Xds.PSListModifier`1[System.String]",
        "System.Collections.Generic.List`1[System.String]",
    ],
)
def test_a_type_instead_of_a_list_is_told_with_the_remedy(name: str) -> None:
    (reason,) = mistakes('Identity,AdditionalDomains\na.test,"%s"\n' % name)
    assert "-join" in reason
    assert reason.startswith("line 2 (a.test): AdditionalDomains: ")


def test_domains_that_begin_like_a_type_are_domains() -> None:
    assert partners("domain,additional_domains\na.test,system.test microsoft.com\n")[0]["additional_domains"] == [
        "microsoft.com",
        "system.test",
    ]


# The way there and back


def as_csv(items: list[dict[str, t.Any]], delimiter: str = ",", joint: str = " ", typed: bool = False) -> bytes:
    """As Export-Csv writes objects whose lists were joined: everything quoted, nothing for $null."""
    file = io.StringIO(newline="")
    if typed:
        file.write("#TYPE Selected.Microsoft.Rtc\r\n")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(items[0] if items else ["Identity"])
    for item in items:
        cells = [joint.join(v) if isinstance(v, list) else "" if v is None else v for v in item.values()]
        writer.writerow(cells)
    return file.getvalue().encode("utf-8-sig")


EXPORTS: dict[str, t.Callable[[list[dict[str, t.Any]]], bytes]] = {
    "csv": as_csv,
    "csv with types": lambda items: as_csv(items, typed=True),
    "csv of a european list separator": lambda items: as_csv(items, ";", ", "),
    "tabs": lambda items: as_csv(items, "\t", ";"),
    "clixml": lambda items: clixml(items).encode("utf-16"),
    "clixml of selected properties": lambda items: clixml(items, "MS").encode("utf-8-sig"),
    "json": lambda items: json.dumps(items, indent=4).encode(),
    "json in utf-16": lambda items: json.dumps(items, ensure_ascii=False).encode("utf-16"),
    "json, wrapped": lambda items: json.dumps({"value": items, "Count": len(items)}).encode("utf-8-sig"),
    "json, lists as wrapped objects": lambda items: json.dumps(
        [{k: {"value": v, "Count": len(v)} if isinstance(v, list) else v for k, v in item.items()} for item in items]
    ).encode(),
}


def exported_and_back(resource: Resource, items: list[dict[str, t.Any]], form: str) -> None:
    """Create, export, import: nothing to do; and the file alone makes the same of an empty deployment."""
    task = plural(resource)
    shell, empty = MemoryShell(), MemoryShell()
    task.work({**DEFAULTS, resource.plural: items}, shell, False)
    there = list(shell.store[resource.noun].values())
    back, _ignored = imported(resource, EXPORTS[form](there))
    assert len(back) == len(there)
    again = task.work({**DEFAULTS, resource.plural: back, "purge": True}, shell, True)
    assert again.steps == []
    task.work({**DEFAULTS, resource.plural: back}, empty, False)
    there_now, here_now = (objects(Reader(one).kinds([resource]), resource.part) for one in (empty, shell))
    assert there_now == here_now


# Control characters and marks that nobody sees are refused on their way in.
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf")), max_size=12).filter(
    lambda text: not text or bool(text.strip())
)


@given(partner_lists(), texts, st.sampled_from(sorted(EXPORTS)))
def test_exported_partners_come_back_as_they_were(items: list[dict[str, t.Any]], text: str, form: str) -> None:
    exported_and_back(PARTNER, [{**item, "description": text} for item in items], form)


@given(
    st.lists(st.sampled_from(["global", "site:Redmond", "Sales", "Ops & Co"]), unique=True),
    st.booleans(),
    texts,
    st.sampled_from(sorted(EXPORTS)),
)
def test_exported_policies_come_back_as_they_were(names: list[str], access: bool, text: str, form: str) -> None:
    switches = ("enable_federation_access", "enable_xmpp_access", "enable_outside_access")
    items = [{"identity": name, "description": text, **dict.fromkeys(switches, access)} for name in names]
    exported_and_back(POLICY, items, form)
