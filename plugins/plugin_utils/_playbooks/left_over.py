# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do by hand when XMPP is out of a deployment: one entry for each thing, with the commands. Pure.

What the quick start told an administrator to set up on a server is told again, with the command that takes it back.
"""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass, field

from ...module_utils._base.texts import foreign
from .._documents.partner_sheet import PORT
from .._files.kept import KeptFile

# As the quick start names them.
RULE, POLICY = "WinRM for Ansible", "LocalAccountTokenFilterPolicy"
_POLICY_KEY = "HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
# The variables of a host that say how its WinRM service is reached, the stronger one last.
USER = ("ansible_user", "ansible_psrp_user")
REACHED = (USER, ("ansible_port", "ansible_psrp_port"), ("ansible_psrp_protocol",))
# Where an entry belongs that concerns no single server.
DEPLOYMENT, CONTROLLER = "deployment", "controller"
# Of CRLReason (RFC 5280, section 5.3.1), as certutil takes it.
_CESSATION = 5

Facts = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class LeftOver:
    """where: a host of the inventory, ``deployment`` or ``controller``. commands: to copy, for that place."""

    code: str
    where: str
    text: str
    commands: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        return {"code": self.code, "where": self.where, "text": self.text, "commands": list(self.commands)}


@dataclass(frozen=True)
class ReachedServer:
    """A server with a WinRM service of its own, as the inventory reaches it. tls: over HTTPS. account: as written."""

    host: str
    tls: bool
    account: str

    @property
    def name(self) -> str:
        """The account's name without its computer."""
        return self.account.rpartition("\\")[2]

    @property
    def is_local(self) -> bool:
        """Whether the account is of the server itself and not of a domain."""
        computer = self.account.rpartition("\\")[0].lower()
        own = self.host.lower().partition(".")[0]
        return bool(self.account) and "@" not in self.account and computer in ("", ".", own)

    @property
    def is_made(self) -> bool:
        """Whether it is a local account that somebody has made: Windows has the built-in one by itself."""
        return self.is_local and self.name.lower() != "administrator"


@dataclass(frozen=True)
class KeysLeft:
    """The certificates with a key in the store of an Edge, as xmpp_gateway_cert returns them; None: not known.

    former: the thumbprint of the certificate that XMPP had before this run, if it had one.
    """

    host: str
    keys: tuple[Facts, ...] | None
    former: str = ""


# What is said of files on the controller.
_FILES = {
    "key": "%s holds a private key.",
    "snapshots": "%s are snapshots of the deployment. They name users.",
    "journal": "%s is the journal of runs. Keep it as long as your rules for records say.",
    "state": "%s was kept for the runs of this collection.",
    "export": "%s holds the export. Keep it while the legacy servers exist: it brings XMPP back. It names users.",
}
_CODES = {kind: kind + "_file" if kind in ("key", "state") else kind for kind in _FILES}
# What nobody should remove without a thought gets no command.
_KEPT = ("journal", "export")


@dataclass(frozen=True)
class WayOut:
    """Everything that says what is left.

    own_domains: the domains that partners addressed. account: of the management shell. source: of the certificate.
    """

    servers: tuple[ReachedServer, ...] = ()
    edges: tuple[KeysLeft, ...] = ()
    own_domains: tuple[str, ...] = ()
    account: str = ""
    source: Facts = field(default_factory=dict)
    files: tuple[KeptFile, ...] = ()


def left_over(way: WayOut) -> list[LeftOver]:
    """Only what applies: servers first, then the deployment, then the controller."""
    hosts = dict.fromkeys((*(one.host for one in way.servers), *(one.host for one in way.edges)))
    found: list[LeftOver] = []
    for host in hosts:
        found += [entry for server in way.servers if server.host == host for entry in _of_server(server)]
        found += [entry for edge in way.edges if edge.host == host for entry in _of_keys(edge, way)]
    return [*found, *_revocations(way), *_of_deployment(way), *_of_controller(way)]


def reached(host: str, user: str, port: str, protocol: str) -> ReachedServer:
    """From the values of REACHED; empty texts where the inventory has none."""
    return ReachedServer(host, (protocol or ("http" if port == "5985" else "https")) == "https", user)


def keys_of(edge: str, result: t.Mapping[str, t.Any] | None) -> KeysLeft:
    """result: of xmpp_gateway_cert with the state absent; None or without keys if the Edge could not be read."""
    found = result or {}
    keys = found.get("keys_left")
    return KeysLeft(edge, None if keys is None else tuple(keys), str(found.get("former_thumbprint") or ""))


def lines(found: t.Sequence[LeftOver]) -> list[str]:
    """What the playbook shows: one heading for each place."""
    shown = []
    where = None
    for one in found:
        if one.where != where:
            where = one.where
            place = {DEPLOYMENT: "for the deployment", CONTROLLER: "on the controller"}.get(where, "on " + where)
            shown.append("Left to do %s:" % place)
        shown.append("- " + one.text)
        shown += ["    " + command for command in one.commands]
    return shown


def quoted(text: str) -> str:
    """A text as PowerShell reads it literally."""
    return "'%s'" % "".join(
        character * 2 if character in "'\u2018\u2019\u201a\u201b" else character for character in text
    )


def _of_server(server: ReachedServer) -> t.Iterator[LeftOver]:
    host = server.host
    if server.tls:
        yield LeftOver(
            "winrm_listener",
            host,
            "Remove the WinRM listener for HTTPS, unless something else uses it.",
            (
                "Remove-WSManInstance -ResourceUri winrm/config/Listener -SelectorSet"
                " @{Address = '*'; Transport = 'HTTPS'}",
            ),
        )
    yield LeftOver(
        "firewall_rule",
        host,
        "Remove the firewall rule for WinRM. The quick start names it '%s'." % RULE,
        ("Remove-NetFirewallRule -DisplayName %s" % quoted(RULE),),
    )
    if server.is_made:
        yield LeftOver(
            "token_filter_policy",
            host,
            "Remove %s: without it, local accounts have no administrator's rights over the network." % POLICY,
            ("Remove-ItemProperty -Path %s -Name %s" % (_POLICY_KEY, POLICY),),
        )
        yield LeftOver(
            "local_account",
            host,
            "Remove the local account %s." % server.name,
            ("net user %s /delete" % quoted(server.name),),
        )
    elif server.account and not server.is_local:
        yield LeftOver(
            "administrator",
            host,
            "Take the account %s out of the local group Administrators." % server.account,
            ("net localgroup Administrators %s /delete" % quoted(server.account),),
        )


def _for_xmpp(key: Facts, edge: KeysLeft, way: WayOut) -> bool:
    """Whether a certificate was for XMPP: it has the bare domain of users among its names, as no other one needs."""
    wanted = {name for domain in way.own_domains for name in (domain.lower(), "*." + domain.lower())}
    return key["thumbprint"] == edge.former or bool(wanted.intersection(map(str.lower, key["names"])))


def _of_keys(edge: KeysLeft, way: WayOut) -> t.Iterator[LeftOver]:
    if edge.keys is None:
        yield LeftOver(
            "keys_unknown",
            edge.host,
            "The certificates could not be read. Look for those of XMPP, whose keys may be exportable.",
            ("Get-ChildItem Cert:\\LocalMachine\\My | Where-Object HasPrivateKey",),
        )
        return
    for key in edge.keys:
        if not _for_xmpp(key, edge, way):
            continue
        name = key["thumbprint"]
        what = "%s (%s, until %s)" % (name, foreign(str(key["subject"])), key["not_after"])
        if key["usages"]:
            text = "The certificate %s is still used by %s. Leave the names of XMPP out at its next renewal. %s"
            code, text = "key_in_use", text % (what, ", ".join(key["usages"]), _exportable(way))
            commands: tuple[str, ...] = ()
        else:
            text = "Delete the certificate %s with its key, unless another program uses it. %s"
            code, text = "exportable_key", text % (what, _exportable(way))
            commands = ("Remove-Item -Path Cert:\\LocalMachine\\My\\%s -DeleteKey" % name,)
        yield LeftOver(code, edge.host, text, ("certutil -store My %s" % name, *commands))


def _exportable(way: WayOut) -> str:
    """What the inventory tells of keys: those that come in a file have to be exportable (Import-CsCertificate)."""
    kind = way.source.get("type")
    if not kind:
        return "certutil says whether its key is exportable."
    on_edge = kind == "enterprise_ca" or way.source.get("key_on") == "edge"
    how = "has such a key made as not exportable" if on_edge else "imports such a key as exportable"
    return "This collection %s; certutil says what it is." % how


def _revocations(way: WayOut) -> t.Iterator[LeftOver]:
    """One for each certificate that nothing uses on any Edge. Edges of a pool share one."""
    found: dict[str, Facts] = {}
    used: set[str] = set()
    for edge in way.edges:
        for key in edge.keys or ():
            if key["usages"]:
                used.add(key["thumbprint"])
            elif _for_xmpp(key, edge, way):
                found.setdefault(key["thumbprint"], key)
    for name, key in found.items():
        if name in used:
            continue
        text = (
            "Have the certificate with the serial number %s revoked by its issuer (%s), unless another program uses it."
        )
        at = " -config %s" % quoted(str(way.source["ca"])) if way.source.get("ca") else ""
        yield LeftOver(
            "revocation",
            DEPLOYMENT,
            text % (key["serial_number"], foreign(str(key["issuer"]))),
            # Of Active Directory Certificate Services; public authorities have a page of their own for it.
            ("certutil%s -revoke %s %d" % (at, key["serial_number"], _CESSATION),),
        )


def _of_deployment(way: WayOut) -> t.Iterator[LeftOver]:
    account = way.account or "of the management shell"
    yield LeftOver(
        "role_group",
        DEPLOYMENT,
        "Take the account %s out of its group of RBAC. Remove a role that was made for it, with its universal security"
        " group, which has the same name." % account,
        ("Remove-CsAdminRole -Identity ROLE", "Remove-ADGroup -Identity ROLE"),
    )
    ports = "Close TCP port %d in both directions, and 23456 between Edges and Front Ends, in the firewalls."
    yield LeftOver("firewall", DEPLOYMENT, ports % PORT)
    names = tuple("_xmpp-server._tcp.%s" % domain for domain in way.own_domains)
    yield LeftOver(
        "srv_records",
        DEPLOYMENT,
        "Delete the SRV records, if they are still published: %s." % (", ".join(names) or "_xmpp-server._tcp.DOMAIN"),
    )
    yield LeftOver("inventory", DEPLOYMENT, "Remove the variables sfb_xmpp_… from this inventory.")


def _of_controller(way: WayOut) -> t.Iterator[LeftOver]:
    for one in way.files:
        text = _FILES[one.kind] % one.path
        # The path of snapshots ends with a pattern that the shell has to read.
        folder, _slash, name = one.path.rpartition("/")
        pattern = "%s/%s" % (shlex.quote(folder), name if one.kind == "snapshots" else shlex.quote(name))
        yield LeftOver(_CODES[one.kind], CONTROLLER, text, () if one.kind in _KEPT else ("rm -- " + pattern,))
