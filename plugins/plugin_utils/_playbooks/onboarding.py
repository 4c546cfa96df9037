# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare a new partner: the strictest settings that work, the YAML to add, and the firewall rules of both sides.

All functions are pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.inventory_text import inventory_text
from ...module_utils._base.names import Invalid
from ...module_utils._base.texts import printable
from .._documents.partner_sheet import partner_sheet

Values = t.Mapping[str, t.Any]

LIST = "sfb_xmpp_partners"
# TCP port of streams between servers (RFC 6120 section 14.7).
PORT = 5269


@dataclass(frozen=True)
class Onboarding:
    """Hold the result for a new partner.

    partner: the settings to declare; None if no settings are known to work.
    why: why these settings were chosen, in one sentence.
    findings: the findings of the probe.
    firewall: the firewall rules, as lines.
    sheet: the sheet for the partner's administrator, as Markdown; empty if the own names are unknown.
    failed: the message of a failed task; empty if the task does not fail.
    """

    partner: dict[str, t.Any] | None
    why: str
    findings: tuple[Values, ...]
    firewall: tuple[str, ...]
    sheet: str = ""
    failed: str = ""

    @property
    def text(self) -> str:
        """Return the entry as YAML below the variable, without the first line of the document."""
        return inventory_text({LIST: [self.partner]}).removeprefix("---\n") if self.partner else ""


def decide(entry: Values, own: Values, ticket: str = "") -> Onboarding:
    """Return the result for a new partner.

    entry: the entry of the domain from xmpp_partner_probe_info.
    own: ``domains``, ``access_edge``, ``addresses`` and ``certificate`` for the sheet. Without ``access_edge``, no
    sheet is made.
    ticket: the ticket of the partner; empty without a ticket.
    """
    domain = str(entry["domain"])
    advised = (entry.get("advice") or {}).get("row")
    row = advised or entry.get("suggestion")
    findings = tuple(entry.get("findings") or ())
    firewall = tuple(_firewall(entry, own))
    if not row:
        why = "This controller found no settings that work with %s." % domain
        reason = next((printable(str(one["message"])) for one in findings), "no server answered")
        failed = "No settings for %s were found: %s." % (domain, reason.rstrip("."))
        return Onboarding(None, why, findings, firewall, failed=failed)
    partner: dict[str, t.Any] = {"domain": domain, "partner_type": "federated", **row}
    if ticket:
        partner["ticket"] = ticket
    why = str(entry["advice"]["text"]) if advised else _cautious(entry)
    return Onboarding(partner, why, findings, firewall, _sheet(partner, own))


def _cautious(entry: Values) -> str:
    """Return why settings are suggested although the settings were not fully checked."""
    unknown = [name for name, known in (entry.get("accepts") or {}).items() if known == "unknown"]
    text = "These are the strictest settings that may work."
    if unknown:
        text += " Not checked: %s. To check, set certificate in sfb_xmpp_verification." % ", ".join(unknown)
    return text


def _sheet(partner: Values, own: Values) -> str:
    if not own.get("access_edge") or not own.get("domains"):
        return ""
    try:
        return partner_sheet(partner, own)
    except Invalid:
        return ""


def _firewall(entry: Values, own: Values) -> t.Iterator[str]:
    """Return the firewall rules of both sides. The addresses come from the controller's DNS."""
    edge = ", ".join(own.get("addresses") or ()) or own.get("access_edge") or "the Access Edge's public address"
    hosts = dict(entry.get("addresses") or {})
    services = [(one["host"], int(one["port"])) for one in entry.get("srv") or ()] or [(host, PORT) for host in hosts]
    for host, port in dict.fromkeys(services):
        known = ", ".join(hosts.get(host) or ()) or "its addresses"
        yield "out: each Edge -> %s (%s), TCP %d" % (host, known, port)
    yield "in: the servers of %s -> %s, TCP %d" % (entry["domain"], edge, PORT)
    yield "out: each Edge -> its DNS servers, UDP and TCP 53"


def lines(found: Onboarding, domain: str, written: t.Sequence[str] = ()) -> list[str]:
    """Return the lines that the playbook shows.

    written: the paths of the written files.
    """
    told = ["New partner: %s" % domain, found.why]
    if found.partner:
        told += ["", "Add this to the inventory:", "", *found.text.rstrip("\n").split("\n"), ""]
    told += ["  %-8s %s" % (one["severity"], printable(str(one["message"]))) for one in found.findings]
    told += ["Firewall:", *("  " + printable(line) for line in found.firewall)]
    if not found.sheet:
        told.append(
            "No sheet for the partner was made. Set access_edge and own_domains in sfb_xmpp_verification, or names in"
            " sfb_xmpp_certificate."
        )
    return [*told, *("Written: " + path for path in written)]


# The inventory's file


def added(text: str, partner: Values) -> str:
    """Return a file of variables with one more partner. All other lines stay unchanged, comments too.

    text: the content of the file; empty for a new file.
    partner: the entry.

    Raises Invalid if the file has a different form, or already has the partner.
    """
    import yaml  # comes with Ansible

    entry = inventory_text({LIST: [partner]})
    items = entry.removeprefix("---\n%s:\n" % LIST).rstrip("\n").split("\n")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        raise Invalid("it is not YAML: %s" % " ".join(str(exc).split())) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return entry
    if not isinstance(root, yaml.MappingNode):
        raise Invalid("it must be a mapping of variables")
    values = {key.value: value for key, value in root.value}
    if LIST not in values:
        return text.rstrip("\n") + "\n\n%s:\n%s\n" % (LIST, "\n".join(items))
    node = values[LIST]
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise Invalid("%s must be a list whose entries begin with '- '" % LIST)
    domains = [value.value for one in node.value if isinstance(one, yaml.MappingNode) for key, value in one.value
               if key.value == "domain"]  # fmt: skip
    if str(partner["domain"]) in (str(one).lower().rstrip(".") for one in domains):
        raise Invalid("it has the partner %s already" % partner["domain"])
    rows = text.split("\n")
    last = _last_row(node.value[-1], rows)
    rows[last + 1 : last + 1] = [" " * node.start_mark.column + row for row in items]
    return "\n".join(rows)


def _last_row(node: t.Any, rows: t.Sequence[str]) -> int:
    """Return the number of the last line of a block node.

    The end mark of YAML is later, after blank lines and comments.
    """
    last = min(int(node.end_mark.line), len(rows) - 1)
    while last > node.start_mark.line:
        row = rows[last]
        indent = len(row) - len(row.lstrip())
        outside = last == int(node.end_mark.line) and indent < node.start_mark.column
        comment = row.lstrip().startswith("#") and indent <= node.start_mark.column
        if row.strip() and not outside and not comment:
            break
        last -= 1
    return last
