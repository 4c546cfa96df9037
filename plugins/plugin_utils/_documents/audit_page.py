# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write audit.html: an audit as one page that needs no other files. This code is pure, except for reading its template.

The page sends nothing. The policy of the page allows only the page's own style and script, by hash. jinja2 or
markupsafe escapes
every value. The page is complete without the script. The script adds search, filters and sorting.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import typing as t
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .._playbooks.audit import days_between, moment
from . import audit_forecast, svg
from . import audit_picture as picture
from . import audit_texts as words
from . import audit_timeline as timeline
from . import audit_what_if as what_if
from .audit_document import Audit
from .characters import clean
from .finding_order import SEVERITIES, Finding, with_view

_HERE = Path(__file__).parent
MARK_OF_SEVERITY = {"error": "failed", "unknown": "not_observable", "warning": "warning", "info": "info"}
# Short groups of findings are open from the start.
_MOST_OPEN = 5


def render(audit: Audit) -> str:
    style, script = _file("page.css"), _file("page.js")
    ids = {one["domain"]: "p%d" % number for number, one in enumerate(audit["partners"])}
    text = _template().render(
        audit=audit,
        policy=content_policy(style, script),
        style=style,
        script=script,
        words=words,
        state=words.state(audit),
        headline=words.headline(audit),
        symbols=svg.symbols(),
        pictures=(picture.wide(audit), picture.narrow(audit)),
        timelines=(timeline.wide(audit), timeline.narrow(audit)),
        levels={end.name: end.level for end in timeline.edge_ends(audit)},
        ends={end.name: end for end in timeline.partner_ends(audit)},
        next_end=next_end(audit),
        groups=groups(audit["findings"]),
        forecast=audit_forecast,
        partners=by_verdict(audit),
        found=by_object(audit["findings"], "partner"),
        ids=ids,
        what_if=what_if,
        marks=MARK_OF_SEVERITY,
        since_days=days_between(moment(audit["since"]["time"]), moment(audit["time"])) if audit["since"] else None,
    )
    return clean(text)


def content_policy(style: str, script: str) -> str:
    """Return the page's Content-Security-Policy.

    ``data:`` is for the page's own icon. Without this icon, a browser asks the server for an icon.
    """
    return "default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'" % (
        _hash(style),
        _hash(script),
    )


def groups(findings: t.Iterable[Finding]) -> list[tuple[str, list[dict[str, t.Any]]]]:
    """Return the findings by severity. Findings of one code are one group, with a common remedy."""
    found: dict[str, dict[tuple[str, str], list[Finding]]] = {severity: {} for severity in SEVERITIES}
    for one in findings:
        found[one["severity"]].setdefault((one["area"], one["code"]), []).append(one)
    return [
        (severity, [_group(area, code, members) for (area, code), members in kinds.items()])
        for severity, kinds in found.items()
        if kinds
    ]


def _group(area: str, code: str, members: list[Finding]) -> dict[str, t.Any]:
    remedies = {one["remedy"] for one in members}
    return {
        "area": area,
        "title": code.replace("_", " "),
        "findings": members,
        "remedy": remedies.pop() if len(remedies) == 1 else None,
        "open": len(members) <= _MOST_OPEN,
    }


def by_verdict(audit: Audit) -> list[tuple[str, list[dict[str, t.Any]]]]:
    """Return the partners by verdict, the worst first."""
    found = ((word, [one for one in audit["partners"] if one["verdict"] == word]) for word in words.VERDICTS)
    return [(word, members) for word, members in found if members]


def by_object(findings: t.Iterable[Finding], area: str) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in findings:
        if one["area"] == area:
            found.setdefault(one["object"], []).append(one)
    return found


def next_end(audit: Audit) -> timeline.End | None:
    """Return the certificate of an Edge that ends first; None if no Edge has a certificate."""
    return min(timeline.edge_ends(audit), key=lambda end: end.days, default=None)


def breakable(name: str) -> Markup:
    """Return a long name with possible line breaks after the dots."""
    return escape(name).replace(".", Markup(".<wbr>"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _file(name: str) -> str:
    """Return a part of the page without the licence header, because the template already has the header."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return text.partition("*/\n")[2].strip()


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = breakable
    environment.filters["with_view"] = with_view
    environment.filters["thousands"] = lambda number: format(number, ",")
    return environment.from_string((_HERE / "page.html.j2").read_text(encoding="utf-8"))
