# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a plan to the user: the printed lines, the numbers, and Ansible's diff. The functions are pure."""

from __future__ import annotations

import typing as t

from .._base.names import both_forms
from .._base.step import Step, Values, difference
from .._base.texts import count, deployment_name, printable, some
from .._shell.statement import Secret
from .catalogue import BY_PART, PARTNER
from .deployment import CONTROLLER
from .resource import Resource
from .rules import negotiation_row

# The minimum widths of the columns, so that different runs have the same columns. Names longer than WIDEST do not make
# the column wider.
LABEL, NAME, WIDEST = 8, 22, 32
SHOWN_USERS = 3
# With more objects, the diff shows only the number of objects. The plan file and the steps show all objects.
MOST_DIFFS = 50
SECRET, NEW_SECRET = "(secret)", "(secret, replaced)"

Summary = dict[str, int]
# The order of kinds in a plan.
_KINDS = ("federation_routes", "policies", "grants", "partners", "gateway", "access_edge")
_NOTHING = "Nothing was written (check mode)."


def summarise(steps: t.Sequence[Step], unchanged: int) -> Summary:
    """Count the objects by action. For grants and withdrawals, the number is the number of users."""
    found = dict.fromkeys(("added", "changed", "removed", "granted", "withdrawn"), 0)
    for step in steps:
        found[_verb(step)[0]] += 1
    return {**found, "unchanged": unchanged}


def _verb(step: Step) -> tuple[str, str]:
    """Return the word in the summary and the mark of the line for a step."""
    if step.part == "grants":
        return ("granted", ">") if (step.after or {}).get("policy") else ("withdrawn", "<")
    if step.expect is None:
        return "removed", "-"
    return ("added", "+") if step.before is None else ("changed", "~")


def headline(summary: Summary, *, planned: bool) -> str:
    """Return the last line of a plan or run.

    planned: whether the line is for a plan (``1 to add; 47 unchanged.``) or a run (``1 added; 47 unchanged.``).
    """
    words = (
        ("added", "%d to add", "%d added"),
        ("changed", "%d to change", "%d changed"),
        ("removed", "%d to remove", "%d removed"),
        ("granted", "%s", "%s"),
        ("withdrawn", "%s", "%s"),
    )
    found = []
    for name, to_do, done in words:
        number = summary[name]
        if not number:
            continue
        if name == "granted":
            found.append("%d grant%s" % (number, "" if number == 1 else "s"))
        elif name == "withdrawn":
            found.append("%d withdrawal%s" % (number, "" if number == 1 else "s"))
        else:
            found.append((to_do if planned else done) % number)
    nothing = "Nothing to do" if planned else "Nothing changed"
    return "%s; %d unchanged." % (", ".join(found) or nothing, summary["unchanged"])


def block(
    steps: t.Sequence[Step],
    summary: Summary,
    *,
    deployment: str,
    host: str,
    check: bool,
    results: t.Sequence[str] | None = None,
    refusals: t.Sequence[str] = (),
) -> list[str]:
    """Return the lines that a run prints.

    steps: the steps, in their order.
    summary: the numbers.
    deployment: the label of the deployment.
    host: the server.
    check: whether the run is in check mode.
    results: the result of each step; None if no step was sent.
    refusals: the reasons why nothing was written.
    """
    lines = ["sfb.xmpp plan for %s" % deployment_name(deployment, host)]
    lines += ["  " + line for line in _lines(steps, results)]
    planned = check or results is None
    last = headline(summary, planned=planned)
    if refusals:
        last += " Refused, nothing was written."
    elif check:
        last += " " + _NOTHING
    elif results is not None:
        wrong = [word for word in ("failed", "not_sent") if word in results]
        said = ["%d %s" % (results.count(word), word.replace("_", " ")) for word in wrong]
        last += " %s." % ", ".join(said).capitalize() if said else ""
    return [*lines, last, *_sign_in(steps, results or ())]


def _sign_in(steps: t.Sequence[Step], results: t.Sequence[str]) -> list[str]:
    """Return the note about grants: clients read the policy at sign-in; domain controllers get the grant later."""
    granted = [step for step, word in zip(steps, results, strict=False) if word == "done" and step.part == "grants"]
    if not granted:
        return []
    where = sorted({str(step.parameters[CONTROLLER]) for step in granted if CONTROLLER in step.parameters})
    on = " Granted on the domain controller %s." % some(where) if where else ""
    return ["%s must sign in again before the change takes effect.%s" % (count(granted, "user"), on)]


def _lines(steps: t.Sequence[Step], results: t.Sequence[str] | None) -> t.Iterable[str]:
    """Return one line for each object, ordered by kind. Users with the same grant or withdrawal share a line."""
    wide = max([NAME, *(wide + 1 for step in steps if (wide := len(_name(step))) <= WIDEST)])
    label = max([LABEL, *(len(BY_PART[step.part].label) for step in steps)])
    rows: dict[t.Any, tuple[str, str, str, str]] = {}
    users: dict[t.Any, list[str]] = {}
    kinds: dict[t.Any, str] = {}
    for number, step in enumerate(steps):
        mark = _verb(step)[1]
        state = results[number] if results else ""
        suffix = "" if state in ("", "done") else "   %s" % state.replace("_", " ").upper()
        if step.part == "grants":
            word = "grant" if mark == ">" else "withdraw"
            row = (mark, word, _name(step), suffix)
            rows[row] = row
            kinds[row] = step.part
            users.setdefault(row, []).append(_short(step.identity))
        else:
            rows[number] = (mark, BY_PART[step.part].label, _name(step), details(step) + suffix)
            kinds[number] = step.part
    # The order of the lines is by kind. The order of the writes is different.
    for key, (mark, word, name, text) in sorted(rows.items(), key=lambda item: _KINDS.index(kinds[item[0]])):
        if key in users:
            more = ", …" if len(users[key]) > SHOWN_USERS else ""
            text = "%s: %s%s%s" % (count(users[key], "user"), ", ".join(users[key][:SHOWN_USERS]), more, text)
        # At least two spaces are between cells. The code that colours the lines needs these spaces to find the text.
        yield ("%s %-*s %-*s %s" % (mark, label, word, max(wide, len(name) + 1), name, text)).rstrip()


def _name(step: Step) -> str:
    """Return the second column: the object or the granted policy."""
    if step.part == "grants":
        return printable(str((step.after or {}).get("policy") or (step.before or {}).get("policy")))
    return "" if BY_PART[step.part].single else both_forms(printable(step.identity))


def _short(name: str) -> str:
    return printable(name[4:] if name.lower().startswith("sip:") else name)


def details(step: Step) -> str:
    """Return the changes of an object. For a new partner, return its negotiation settings."""
    resource = BY_PART[step.part]
    if step.expect is None:
        return ""
    if step.before is None:
        return _partner(step.after or {}) if resource is PARTNER else _policy(step.expect)
    changed = []
    for option, value in step.expect.items():
        if isinstance(value, Secret):
            changed.append("%s replaced" % option)
        else:
            changed.append("%s %s" % (option, _change(step.before.get(option), value)))
    return ", ".join(changed)


def _partner(values: Values) -> str:
    row = negotiation_row(values)
    words = [str(values["partner_type"]), "TLS " + row.tls, "SASL " + row.sasl]
    text = ", ".join([*words, *(["dialback"] if row.dialback else [])])
    return text.replace("_", " ")


def _policy(values: Values) -> str:
    on = [option.removeprefix("enable_").removesuffix("_access") for option, value in values.items() if value is True]
    return ", ".join(word.replace("_", " ") for word in on)


def _change(before: t.Any, after: t.Any) -> str:
    if isinstance(after, list):
        had = list(before or ())
        gone = ["-" + printable(str(item)) for item in had if item not in after]
        return " ".join(["+" + printable(str(item)) for item in after if item not in had] + gone)
    return "%s -> %s" % (_value(before), _value(after))


def _value(value: t.Any) -> str:
    if value is None or value == "":
        return "(none)"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = printable(str(value))
    return '"%s"' % (text if len(text) <= 40 else text[:37] + "...") if " " in text else text


# Ansible's diff


def diff(steps: t.Sequence[Step]) -> list[dict[str, str]]:
    """Return Ansible's diff as a list: each object's key and its changes, without secrets.

    With more than MOST_DIFFS objects, the diff shows only the number of objects.
    """
    if len(steps) > MOST_DIFFS:
        text = "%d objects differ, but --diff shows only up to %d. The steps (-v) and the plan file show all of them\n"
        return [
            {
                "before_header": "federation",
                "after_header": "federation",
                "before": "",
                "after": text % (len(steps), MOST_DIFFS),
            }
        ]
    return [_difference(step) for step in steps]


def _difference(step: Step) -> dict[str, str]:
    resource = BY_PART[step.part]
    header = "%s %s" % (resource.label, printable(step.identity))
    before, after = step.before, step.after
    if before is not None and step.expect is not None:
        before = {option: before.get(option) for option in step.expect}
        after = dict(step.expect)
    elif after is not None:
        after = dict(step.expect or {})
    elif before is not None:
        # For a removed object, the key is enough. The snapshot and the steps have its values.
        before = {}
    return difference(header, _readable(before, step, resource, SECRET), _readable(after, step, resource, NEW_SECRET))


def _readable(values: Values | None, step: Step, resource: Resource, secret: str) -> Values | None:
    if values is None:
        return None
    shown = resource.shown(step.identity, values)
    # For a changed secret, the diff shows only that the secret changes.
    return {**shown, **{f.option: secret for f in resource.fields if f.secret and f.option in (step.expect or {})}}
