# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare two audits: new findings, gone findings, and changed objects. All functions are pure."""

from __future__ import annotations

import typing as t

from .._documents.audit_document import Audit
from .._documents.finding_order import identity

Objects = dict[tuple[str, str], dict[str, t.Any]]

# The number of days changes every day, and not_after has the same information.
_LEFT_OUT = {"days_left"}


def compare(before: Audit, after: Audit) -> dict[str, t.Any]:
    """Return the value of ``since`` in the second audit."""
    old, new = ({identity(one) for one in audit["findings"]} for audit in (before, after))
    return {
        "time": before["time"],
        "new": [one for one in after["findings"] if identity(one) not in old],
        "gone": [one for one in before["findings"] if identity(one) not in new],
        "changes": list(_changes(objects(before), objects(after))),
    }


def objects(audit: Audit) -> Objects:
    """Return the objects in an audit, by kind and name."""
    found: Objects = {("own", audit["deployment"]): {n: v for n, v in audit["own"].items() if n != "domains"}}
    found |= {("own", one["domain"]): one for one in audit["own"]["domains"]}
    found |= {("partner", one["domain"]): one for one in audit["partners"]}
    found |= {("policy", one["identity"]): one for one in audit["policies"]}
    found |= {("certificate", certificate_name(one)): one for one in audit["certificates"]}
    return found


def certificate_name(certificate: t.Mapping[str, t.Any]) -> str:
    """Return the name of a certificate in findings. The certificate's successor has the same name."""
    return "%s %s" % (certificate["host"], certificate["usage"])


def _changes(before: Objects, after: Objects) -> t.Iterator[dict[str, t.Any]]:
    for kind, name in sorted({*before, *after}):
        old, new = before.get((kind, name)), after.get((kind, name))
        change = "added" if old is None else "removed" if new is None else "changed"
        fields = [] if old is None or new is None else _fields(old, new)
        if fields or change != "changed":
            yield {"kind": kind, "object": name, "change": change, "fields": fields}


def _fields(old: dict[str, t.Any], new: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the changed keys. Only keys in both objects are compared, because another version may have more keys."""
    return [
        {"name": name, "before": old[name], "after": new[name]}
        for name in new
        if name in old and name not in _LEFT_OUT and old[name] != new[name]
    ]
