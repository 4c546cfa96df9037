# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List the manual steps after XMPP was removed from a deployment, with the commands. All functions are pure.

The list also has the commands that undo what the quick start sets up on a server.
"""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass, field

from ...module_utils._base.texts import foreign
from .._documents.partner_sheet import PORT
from .._files.kept import KeptFile

# The names in the quick start.
RULE, POLICY = "WinRM for Ansible", "LocalAccountTokenFilterPolicy"
_POLICY_KEY = "HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
# The variables of a host for its WinRM service. The last variable of a group has precedence.
USER = ("ansible_user", "ansible_psrp_user")
REACHED = (USER, ("ansible_port", "ansible_psrp_port"), ("ansible_psrp_protocol",))
# The places of entries that do not concern a single server.
DEPLOYMENT, CONTROLLER = "deployment", "controller"
# The reason cessationOfOperation of CRLReason (RFC 5280, section 5.3.1), for certutil.
_CESSATION = 5

Facts = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class LeftOver:
    """Hold a manual step.

    code: the step's key in the result.
    where: a host of the inventory, ``deployment`` or ``controller``.
    text: the instruction.
    commands: commands to run at that place.
    """

    code: str
    where: str
    text: str
    commands: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        return {"code": self.code, "where": self.where, "text": self.text, "commands": list(self.commands)}


@dataclass(frozen=True)
class ReachedServer:
    """Hold a server with a WinRM service.

    host: the server's name in the inventory.
    tls: whether the inventory uses HTTPS.
    account: the account in the inventory.
    """

    host: str
    tls: bool
    account: str

    @property
    def name(self) -> str:
        """Return the account's name without the computer's name."""
        return self.account.rpartition("\\")[2]

    @property
    def is_local(self) -> bool:
        """Return whether the account belongs to the server itself and not to a domain."""
        computer = self.account.rpartition("\\")[0].lower()
        own = self.host.lower().partition(".")[0]
        return bool(self.account) and "@" not in self.account and computer in ("", ".", own)

    @property
    def is_made(self) -> bool:
        """Return whether an administrator created the account on the server. The built-in account is excluded."""
        return self.is_local and self.name.lower() != "administrator"


@dataclass(frozen=True)
class KeysLeft:
    """Hold the certificates with a key in the store of an Edge.

    host: the Edge.
    keys: the certificates in the result of xmpp_gateway_cert; None if the keys are unknown.
    former: the thumbprint of the certificate that XMPP used before this run; empty without a certificate.
    """

    host: str
    keys: tuple[Facts, ...] | None
    former: str = ""


# The texts for files on the controller.
_FILES = {
    "key": "Delete %s, which contains a private key.",
    "snapshots": "Delete %s. These are snapshots of the deployment, and they name users.",
    "journal": "Keep %s for the time that your rules for records require. It is the journal of runs.",
    "state": "Delete %s. Only the runs of this collection used it.",
    "export": "Keep %s while the legacy servers exist. It is the export that can restore XMPP, and it names users.",
}
_CODES = {kind: kind + "_file" if kind in ("key", "state") else kind for kind in _FILES}
# Files to keep. No command that removes these files is shown.
_KEPT = ("journal", "export")


@dataclass(frozen=True)
class WayOut:
    """Hold the facts for the list of manual steps.

    servers: the servers with a WinRM service.
    edges: the certificates on the Edges.
    own_domains: the domains that partners addressed.
    account: the account of the management shell.
    source: the source of the certificate, from the settings.
    files: the files on the controller.
    """

    servers: tuple[ReachedServer, ...] = ()
    edges: tuple[KeysLeft, ...] = ()
    own_domains: tuple[str, ...] = ()
    account: str = ""
    source: Facts = field(default_factory=dict)
    files: tuple[KeptFile, ...] = ()


def left_over(way: WayOut) -> list[LeftOver]:
    """Return the steps that apply: first for servers, then for the deployment, then for the controller."""
    hosts = dict.fromkeys((*(one.host for one in way.servers), *(one.host for one in way.edges)))
    found: list[LeftOver] = []
    for host in hosts:
        found += [entry for server in way.servers if server.host == host for entry in _of_server(server)]
        found += [entry for edge in way.edges if edge.host == host for entry in _of_keys(edge, way)]
    return [*found, *_revocations(way), *_of_deployment(way), *_of_controller(way)]


def reached(host: str, user: str, port: str, protocol: str) -> ReachedServer:
    """Return a server from the values of the variables in REACHED.

    A variable that the inventory does not set is empty.
    """
    return ReachedServer(host, (protocol or ("http" if port == "5985" else "https")) == "https", user)


def keys_of(edge: str, result: t.Mapping[str, t.Any] | None) -> KeysLeft:
    """Return the certificates on an Edge.

    result: the result of xmpp_gateway_cert with the state absent; None or without keys if the Edge could not be read.
    """
    found = result or {}
    keys = found.get("keys_left")
    return KeysLeft(edge, None if keys is None else tuple(keys), str(found.get("former_thumbprint") or ""))


def lines(found: t.Sequence[LeftOver]) -> list[str]:
    """Return the lines that the playbook shows, with a heading for each place."""
    shown = []
    where = None
    for one in found:
        if one.where != where:
            where = one.where
            place = {DEPLOYMENT: "for the deployment", CONTROLLER: "on the controller"}.get(where, "on " + where)
            shown.append("Remaining steps %s:" % place)
        shown.append("- " + one.text)
        shown += ["    " + command for command in one.commands]
    return shown


def quoted(text: str) -> str:
    """Return a text as a literal of PowerShell."""
    return "'%s'" % "".join(
        character * 2 if character in "'\u2018\u2019\u201a\u201b" else character for character in text
    )


def _of_server(server: ReachedServer) -> t.Iterator[LeftOver]:
    host = server.host
    if server.tls:
        yield LeftOver(
            "winrm_listener",
            host,
            "Remove the WinRM listener for HTTPS, unless other programs use it.",
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
            "Remove %s. Then local accounts no longer have administrator rights over the network." % POLICY,
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
            "Remove the account %s from the local group Administrators." % server.account,
            ("net localgroup Administrators %s /delete" % quoted(server.account),),
        )


def _for_xmpp(key: Facts, edge: KeysLeft, way: WayOut) -> bool:
    """Return whether a certificate was for XMPP. Only such a certificate needs the bare domain of users as a name."""
    wanted = {name for domain in way.own_domains for name in (domain.lower(), "*." + domain.lower())}
    return key["thumbprint"] == edge.former or bool(wanted.intersection(map(str.lower, key["names"])))


def _of_keys(edge: KeysLeft, way: WayOut) -> t.Iterator[LeftOver]:
    if edge.keys is None:
        yield LeftOver(
            "keys_unknown",
            edge.host,
            "Find the certificates of XMPP, whose keys may be exportable. This run could not read the certificates.",
            ("Get-ChildItem Cert:\\LocalMachine\\My | Where-Object HasPrivateKey",),
        )
        return
    for key in edge.keys:
        if not _for_xmpp(key, edge, way):
            continue
        name = key["thumbprint"]
        what = "%s (%s, until %s)" % (name, foreign(str(key["subject"])), key["not_after"])
        if key["usages"]:
            text = "The certificate %s is still used by %s. Leave out the names of XMPP at its next renewal. %s"
            code, text = "key_in_use", text % (what, ", ".join(key["usages"]), _exportable(way))
            commands: tuple[str, ...] = ()
        else:
            text = "Delete the certificate %s with its key, unless another program uses it. %s"
            code, text = "exportable_key", text % (what, _exportable(way))
            commands = ("Remove-Item -Path Cert:\\LocalMachine\\My\\%s -DeleteKey" % name,)
        yield LeftOver(code, edge.host, text, ("certutil -store My %s" % name, *commands))


def _exportable(way: WayOut) -> str:
    """Return a sentence on the export of a key. A key from a file must be exportable (Import-CsCertificate)."""
    kind = way.source.get("type")
    if not kind:
        return "certutil shows whether its key is exportable."
    on_edge = kind == "enterprise_ca" or way.source.get("key_on") == "edge"
    how = "creates such a key as not exportable" if on_edge else "imports such a key as exportable"
    return "This collection %s. certutil shows whether it is exportable." % how


def _revocations(way: WayOut) -> t.Iterator[LeftOver]:
    """Return a step for each certificate that no Edge uses. The Edges of a pool share a certificate."""
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
        text = "Revoke the certificate with the serial number %s at its issuer (%s), unless another program uses it."
        at = " -config %s" % quoted(str(way.source["ca"])) if way.source.get("ca") else ""
        yield LeftOver(
            "revocation",
            DEPLOYMENT,
            text % (key["serial_number"], foreign(str(key["issuer"]))),
            # For Active Directory Certificate Services. Public CAs have a web page for revocations.
            ("certutil%s -revoke %s %d" % (at, key["serial_number"], _CESSATION),),
        )


def _of_deployment(way: WayOut) -> t.Iterator[LeftOver]:
    account = way.account or "of the management shell"
    yield LeftOver(
        "role_group",
        DEPLOYMENT,
        "Remove the account %s from its RBAC group. If a role was created for it, remove the role and the universal"
        " security group with the same name." % account,
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
        # The path of snapshots ends with a pattern that the shell must expand.
        folder, _slash, name = one.path.rpartition("/")
        pattern = "%s/%s" % (shlex.quote(folder), name if one.kind == "snapshots" else shlex.quote(name))
        yield LeftOver(_CODES[one.kind], CONTROLLER, text, () if one.kind in _KEPT else ("rm -- " + pattern,))
