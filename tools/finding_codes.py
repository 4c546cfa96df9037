# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the page of the documentation with all finding codes: ``python -m tools.finding_codes``.

The tables in the code have the texts for links of the chain and for certificates. docs/docsite/finding_codes.yml has
the other texts. ``emitted`` finds the codes in the code, so that a test can report codes without a text.
"""

from __future__ import annotations

import ast
import functools
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.sfb.xmpp.plugins.module_utils._base.findings import ERROR, UNKNOWN, WARNING
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.links import LINKS
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.explanations import FAULTS
from ansible_collections.sfb.xmpp.plugins.module_utils._x509.chain import CHAIN

TOP = Path(__file__).resolve().parent.parent
TEXTS = TOP / "docs" / "docsite" / "finding_codes.yml"
PAGE = TOP / "docs" / "docsite" / "rst" / "finding_codes.rst"
PREFIX = "ansible_collections.sfb.xmpp.docsite.finding_"
CHAIN_SECTION = "chain"

_HEAD = """\
..
  Copyright (c) 2026 the sfb.xmpp authors
  GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.sfb.xmpp.docsite.finding_codes:

Finding codes
=============

.. code-block:: text

   ! no_route: no site has an XMPP federation route

``no_route`` is the code of a finding. To accept a finding, list its code in ``sfb_xmpp_audit.accepted``. A code stays
the same if the message changes. This page has all codes. To link to a code, add ``#`` and the code to the address of
this page, with hyphens instead of underscores: ``#no-route``.

The severity ``error`` means that something is wrong. ``unknown`` means that the check has no result. ``warning`` means
that an administrator should know the finding. ``info`` needs no action. If a code has several severities, other objects
of the deployment or the settings of the partner decide.

.. contents::
   :local:
   :depth: 1
"""


@dataclass(frozen=True)
class Meaning:
    """Describe a code in one report. severity: its severities. stops: whether it stops runs that add something."""

    who: str
    severity: tuple[str, ...]
    means: str
    do: str
    effect: str = ""
    stops: bool = False


@functools.cache
def meanings() -> dict[str, list[Meaning]]:
    """Return the documented meanings by code."""
    sections: dict[str, t.Any] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    found: dict[str, list[Meaning]] = {}
    for link in LINKS:
        told = sections[CHAIN_SECTION].get(link.code, {})
        unknown = link.severity == UNKNOWN and "%(what)s" in link.message
        means = "This account cannot read the data for this link." if unknown else _sentence(link.message)
        do = "Use an account that is allowed to read it." if unknown else _sentence(link.remedy)
        found.setdefault(link.code, []).append(
            Meaning(
                "The chain (preflight, explain, converge, audit)",
                # If other servers carry the load alone, a broken link is only a warning.
                (link.severity, WARNING) if link.severity == ERROR else (link.severity,),
                told.get("means", means),
                told.get("do", do),
                "" if link.severity == UNKNOWN else _sentence(link.effect),
                link.stops,
            )
        )
    for section in (sections[name] for name in sections if "codes" in sections[name]):
        for code, told in section["codes"].items():
            do = told.get("do") or _sentence(CHAIN[code])
            found.setdefault(code, []).append(Meaning(section["who"], tuple(told["severity"]), told["means"], do))
    _of_faults(found, {**sections["certificate"]["codes"], **sections["faults"]})
    return found


def _of_faults(found: dict[str, list[Meaning]], base: t.Mapping[str, t.Any]) -> None:
    """Add the codes of a probe about a certificate: the code of the check, with a prefix."""
    severities = (ERROR, UNKNOWN, WARNING)
    for code, remedy in FAULTS.items():
        means = base[code]["means"]
        partner = Meaning("The probe of a partner", severities, _owned(means, "partner"), _sentence(remedy))
        found.setdefault("certificate_" + code, []).append(partner)
        do = base[code].get("do") or _sentence(CHAIN[code])
        own = Meaning("The probe of the own domains", severities, _owned(means, "gateway"), do)
        found.setdefault("own_certificate_" + code, []).append(own)


def _owned(means: str, owner: str) -> str:
    """Return a text with the owner of the certificate."""
    return re.sub(r"(?i)\b(the) certificate\b", r"\1 %s's certificate" % owner, means, count=1)


def _sentence(text: str) -> str:
    """Return a text of the code as a sentence, with capital letters for its names."""
    text = re.sub(r"%\((\w+)\)s", lambda found: "" if found[1] == "named" else found[1].upper(), text)
    text = text.replace("%%", "%").strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def page() -> str:
    """Return the page as reStructuredText, with a heading for each code."""
    parts = [_HEAD]
    for code, told in sorted(meanings().items()):
        parts.append("\n.. _%s%s:\n\n%s\n%s\n\n" % (PREFIX, code, code, "-" * len(code)))
        parts.append("\n".join("* %s" % "\n  ".join(_lines(one)) for one in told) + "\n")
    return "".join(parts)


def _lines(one: Meaning) -> t.Iterator[str]:
    stops = ". A run that adds something stops" if one.stops else ""
    yield "*%s* (%s%s): %s" % (one.who, ", ".join(dict.fromkeys(one.severity)), stops, one.means)
    if one.effect:
        yield "Effect: %s" % one.effect
    yield "To do: %s" % one.do


# The codes in the code

# Function that creates a finding -> the argument positions of its code and of its severity (None: in the name).
_MAKERS: dict[str, tuple[int, int | None]] = {
    "Finding": (0, 1),
    "error": (0, None),
    "warning": (0, None),
    "not_observable": (0, None),
    "finding": (2, 0),
    "_error": (0, None),
    "_warning": (0, None),
    "kind": (0, None),
    "Announced": (3, 1),
}
# In these files, functions with these names create other objects.
_OTHERS = {
    "_error": ("_base/perform.py", "_federation/apply.py"),
    "warning": ("_actions/in_process.py", "_files/lookup.py"),
    "_warning": ("_psrp/session.py",),
    "kind": ("_edge_certificate/sources.py",),
}
# These findings appear only as the text of a refusal, without their code, because the files are not usable.
_REFUSALS = ("_x509/issue.py",)
_OF_FILES = ("load_pkcs12", "load_chain", "parse", "_why_not_opened")
# If an expression computes the code: file and expression -> all its possible codes.
COMPUTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("_base/findings.py", "code"): (),
    ("_federation/rules.py", "rule"): (),
    ("_federation/rules.py", "name"): ("federation_off", "outside_access_off", "anonymous_access_off"),
    ("_probe/edge_judge.py", "code"): ("edge_not_reachable", "edge_no_address"),
    ("_probe/findings.py", "code"): ("row_invalid", "row_risky"),
    ("_probe/findings.py", "'certificate_' + code"): tuple("certificate_" + code for code in FAULTS),
    ("_probe/findings.py", "'tls_' + starttls"): ("tls_offered", "tls_required"),
    ("_probe/own.py", "*FINDINGS[state]"): ("srv_missing", "srv_elsewhere", "srv_unknown"),
    ("_probe/own.py", "FINDINGS[state][0]"): ("srv_unknown",),
    ("_probe/own.py", "'own_certificate_' + code"): tuple("own_certificate_" + code for code in FAULTS),
    ("_x509/chain.py", "code"): tuple(CHAIN),
    ("_x509/certificate.py", "NOT_CHECKED"): ("chain_not_checked",),
    ("_playbooks/audit_gather.py", "one['code']"): (),
    ("_playbooks/audit_gather.py", "two['code']"): (),
    ("_playbooks/audit_judge.py", "code"): ("partnership_ended", "partnership_ends", "review_due"),
    ("_playbooks/audit_judge.py", "*one"): ("updates_ended", "support_ended"),
    ("_playbooks/forecast.py", "one['code']"): (),
    ("_playbooks/accepted.py", "code"): ("acceptance_ended", "acceptance_unused"),
}


@functools.cache
def emitted() -> tuple[dict[str, set[str]], list[str]]:
    """Return every code in the code with its severities, and the expressions that COMPUTED must explain."""
    found: dict[str, set[str]] = {link.code: {link.severity} for link in LINKS}
    open_places = []
    used = set()
    for path in sorted((TOP / "plugins").rglob("*.py")):
        name = "/".join(path.parts[-2:])
        if name in (*_REFUSALS, "_chain/links.py"):
            continue
        for code, severity, line in _sites(ast.parse(path.read_text(encoding="utf-8")), name):
            key = (name, ast.unparse(code))
            if isinstance(code, ast.Constant):
                found.setdefault(str(code.value), set()).update(severity)
            elif key in COMPUTED:
                used.add(key)
                for one in COMPUTED[key]:
                    found.setdefault(one, set())
            else:
                open_places.append("%s:%d: %s" % (name, line, key[1]))
    open_places += [
        "%s: the code no longer has the expression %s. Remove it from COMPUTED" % key
        for key in COMPUTED
        if key not in used
    ]
    return found, open_places


def _sites(tree: ast.AST, name: str) -> t.Iterator[tuple[ast.expr, set[str], int]]:
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in _OF_FILES and name == "_x509/certificate.py"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Dict):
            pairs = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
            code = pairs.get("code")
            if (
                "severity" in pairs
                and isinstance(code, (ast.Constant, ast.Name))
                and name != "_playbooks/audit_gather.py"
            ):
                yield code, _severities(pairs["severity"]), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS:
            maker = node.func.id
            place, severity = _MAKERS[maker]
            if name in _OTHERS.get(maker, ()) or not node.args:
                continue
            told = {"error": {ERROR}, "warning": {WARNING}, "_error": {ERROR}, "_warning": {WARNING}}.get(maker, set())
            if severity is not None and len(node.args) > severity:
                told = _severities(node.args[severity])
            yield node.args[place], told, node.lineno


def _severities(node: ast.expr) -> set[str]:
    """Return the severities in an expression: a name such as ERROR, a text, or a choice of two."""
    if isinstance(node, ast.IfExp):
        return _severities(node.body) | _severities(node.orelse)
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    names = {"ERROR": ERROR, "UNKNOWN": UNKNOWN, "WARNING": WARNING}
    return {names[node.id]} if isinstance(node, ast.Name) and node.id in names else set()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
