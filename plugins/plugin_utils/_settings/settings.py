# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the settings of a host for a playbook, as plain values, or report all mistakes. All functions are pure.

A playbook evaluates only the variables that it reads. Otherwise, a missing vault password of a certificate would
stop an export. Of all other variables, only the names are checked.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass, field

from ...module_utils._base.change_control import control_of
from ...module_utils._base.names import Invalid
from ...module_utils._base.result import Refused
from ...module_utils._federation.catalogue import RESOURCES
from ...module_utils._federation.declared import declare
from ...module_utils._federation.guard import ALLOWED, Guard, allow_mistakes, impact_mistakes
from ...module_utils._federation.kinds import did_you_mean
from ...module_utils._federation.revoked import declare_revoked
from ...module_utils._federation.words import variable
from .._playbooks import accepted
from . import check
from .table import ACCESS, BY_NAME, FORECAST_DAYS, FREE, IGNORED, OF_A_HOST, PREFIX, TAGS, Setting, read_by

# The parts of a federation. The code that reads the parts for the plan also checks them.
_DECLARED = frozenset(PREFIX + resource.part for resource in RESOURCES)
_EVERYTHING = frozenset(("all", "tagged"))
# A revocation must work even if other settings are wrong, so unknown names are only warnings.
LENIENT = frozenset(("revoke",))
# The values of sfb_xmpp_allow for playbooks with different values.
ALLOWS = {"revoke": ("protected",)}


@dataclass(frozen=True)
class Source:
    """Hold the source of a host's values.

    names: the names of all variables of the host.
    extra: the names of the variables that were given with ``-e``.
    value: returns the evaluated value of a variable, as plain built-ins. Raises ValueError with the reason.
    place: returns file and line of a variable, or an empty text if file and line are unknown.
    """

    names: t.Collection[str]
    extra: t.Collection[str]
    value: t.Callable[[str], t.Any]
    place: t.Callable[[str], str] = lambda name: ""


@dataclass(frozen=True)
class Settings:
    """Hold the settings of a host.

    values: the variables that are set, by name without the prefix, in the user's form.
    warnings: the warnings, as texts.
    """

    values: t.Mapping[str, t.Any]
    warnings: tuple[str, ...] = field(default=())


def read(playbook: str, source: Source) -> Settings:
    """Return the settings that the playbook reads. Raises Refused with all mistakes."""
    found, warnings = _names(playbook, source)
    values: dict[str, t.Any] = {}
    for setting in read_by(playbook):
        if setting.name not in source.names or _not_its_place(setting, source):
            continue
        try:
            value = source.value(setting.name)
        except ValueError as exc:
            found.append(_at(source, setting.name, "%s: cannot be evaluated: %s" % (setting.name, exc)))
            continue
        if value is None or value == "":  # a blank answer of a survey, whatever the type
            continue
        values[setting.option] = value
        if setting.name not in _DECLARED:
            found += [_at(source, setting.name, text) for text in check.mistakes(setting.spec, value, setting.name)]
    found += _declared(values, source)
    # If the form of a value is wrong, the meaning of the value is not checked.
    wrong = [_where(text) for text in found]
    found += [
        _at(source, re.split(r"[\[:.]", text)[0], text)
        for text in _of_meaning(playbook, values)
        if not any(place == _where(text) or place.startswith(_where(text) + "[") for place in wrong)
    ]
    found += _at_hand(playbook, values, source)
    if found:
        raise Refused(found)
    return Settings(values, tuple(warnings))


def _not_its_place(setting: Setting, source: Source) -> bool:
    return setting.once and setting.name not in source.extra


def _where(text: str) -> str:
    """Return the place at the start of a mistake, such as ``sfb_xmpp_audit.fail_on``."""
    return text.partition(": ")[0]


def _of_meaning(playbook: str, values: t.Mapping[str, t.Any]) -> list[str]:
    """Return the mistakes that only the code that uses a value can find."""
    guard = Guard(tuple(_texts(values.get("protect"))), called=variable)
    found = [
        PREFIX + "allow" + text for text in allow_mistakes(_texts(values.get("allow")), ALLOWS.get(playbook, ALLOWED))
    ]
    found += [PREFIX + "impact_limit" + text for text in impact_mistakes(values.get("impact_limit"))]
    try:
        control_of(values)
    except Invalid as exc:
        found.append(str(exc))
    except (AttributeError, TypeError):
        pass  # a value of the wrong type was reported before
    found += [*_accepted(values), *_forecast(values)]
    try:
        declare_revoked(
            [one for one in values.get("revoked") or () if isinstance(one, dict)], PREFIX + "revoked", guard
        )
    except Refused as exc:
        found += exc.reasons
    return found


def _accepted(values: t.Mapping[str, t.Any]) -> list[str]:
    entries = (values.get("audit") or {}).get("accepted") if isinstance(values.get("audit"), dict) else None
    if not isinstance(entries, list):
        return []
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return accepted.read([one for one in entries if isinstance(one, dict)], today)[1]


def _forecast(values: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    days = values["audit"].get("forecast_days") if isinstance(values.get("audit"), dict) else None
    # A value of the wrong type was reported before.
    if days is not None and str(days).strip().isdigit() and not 1 <= int(days) <= FORECAST_DAYS:
        yield "%saudit.forecast_days: %s must be a number of days from 1 to %d" % (PREFIX, days, FORECAST_DAYS)


def _texts(value: t.Any) -> list[str]:
    """Return a list of names. The value can be a text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value] if isinstance(value, list) else []


def _at_hand(playbook: str, values: t.Mapping[str, t.Any], source: Source) -> list[str]:
    """Return mistakes on the command line: former names, and missing variables."""
    found = []
    for setting in read_by(playbook):
        # In other playbooks, the former name is a variable of the user.
        if setting.former in source.extra and playbook in (setting.former_in or setting.playbooks):
            text = "%s: this variable is called %s now. Give -e %s=... instead"
            found.append(text % (setting.former, setting.name, setting.name))
        elif setting.option not in values and (missing := setting.missing_in(playbook)):
            found.append("%s: is missing. %s" % (setting.name, missing))
    return found


def _names(playbook: str, source: Source) -> tuple[list[str], list[str]]:
    """Return mistakes and warnings about the names of variables."""
    found = []
    for name in sorted(str(name) for name in source.names):
        if not name.startswith(PREFIX) or name.startswith(FREE) or name in IGNORED:
            continue
        setting = BY_NAME.get(name)
        if setting is None:
            # The comparison leaves out the prefix, because the prefix makes all names similar.
            near = did_you_mean(name[len(PREFIX) :], [known[len(PREFIX) :] for known in BY_NAME])
            near = near.replace("did you mean ", "did you mean " + PREFIX)
            text = "there is no such variable%s" % (near or ". Begin the names of your own variables with %s" % FREE)
            found.append(_at(source, name, "%s: %s" % (name, text)))
        elif _not_its_place(setting, source):
            text = (
                "%s: applies to one run only, so it works only on the command line. Remove it here and give it with -e"
            )
            found.append(_at(source, name, text % name))
    return ([], found) if playbook in LENIENT else (found, [])


def _declared(values: t.Mapping[str, t.Any], source: Source) -> list[str]:
    """Return the mistakes in the parts of a federation."""
    given: dict[str, t.Any] = {}
    found = []
    for resource in RESOURCES:
        value = values.get(resource.part)
        if value is None:
            continue
        if check.holds_yaml(value):
            what = "a dictionary" if resource.single else "a list"
            found.append("%s: must be %s, not a string%s" % (PREFIX + resource.part, what, check.yaml_text()))
            continue
        given[resource.part] = value
    try:
        declare(given, variable, exclusive=bool(values.get("exclusive_grants")))
    except Refused as exc:
        found += exc.reasons
    return [_at(source, text.split("[")[0].split(":")[0].split(".")[0], text) for text in found]


def _at(source: Source, name: str, text: str) -> str:
    """Return the text, with file and line if both are known."""
    place = source.place(name)
    return "%s (%s)" % (text, place) if place else text


# Hosts of one deployment


def contradictions(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return the differences between hosts of one deployment.

    hosts: the variables of each host.
    """
    found = []
    (first, own), *others = hosts.items()
    for name in sorted(set(BY_NAME) - OF_A_HOST):
        for other, variables in others:
            if (name in own) != (name in variables) or (name in own and own[name] != variables[name]):
                text = "%s: the hosts %s and %s of one deployment have different values. Set the same value for both"
                found.append(text % (name, first, other))
    return found


# Tags


@dataclass(frozen=True)
class Chosen:
    """Hold the selection by tags.

    nothing: a line for the user if the tags select no part of the playbook.
    """

    nothing: str = ""


def chosen(playbook: str, run: t.Iterable[str], skip: t.Iterable[str]) -> Chosen:
    """Return the selection by tags.

    playbook: the name of the playbook.
    run: the values of ``--tags``.
    skip: the values of ``--skip-tags``.

    Raises Refused if a tag is similar to a tag of the playbook. Unknown tags can belong to a playbook that imports the
    playbook.
    """
    known = TAGS.get(playbook, ())
    wanted, skipped = set(run), set(skip)
    wrong = []
    for option, tags in (("--tags", wanted), ("--skip-tags", skipped)):
        for tag in sorted(tags - {*known, *_EVERYTHING, "always", "never", "untagged"}):
            near = did_you_mean(tag, known)
            if near:
                wrong.append("%s %s: %s has no such tag%s" % (option, tag, playbook, near))
    if wrong:
        raise Refused(wrong)
    if skipped & _EVERYTHING or not (wanted & {*known, *_EVERYTHING, "always", *([] if known else ["untagged"])}):
        has = "its tags are %s" % ", ".join(known) if known else "it has no tags"
        return Chosen("%s: the tags select no part of this playbook (%s)" % (playbook, has))
    return Chosen()


def certificate_chosen(run: t.Iterable[str], skip: t.Iterable[str]) -> bool:
    """Return whether the tags select the certificate of the Edge servers in converge.

    run, skip: see chosen().
    """
    meant = {*_EVERYTHING, "certificate"}
    return bool(meant.intersection(run)) and not meant.intersection(skip)


@dataclass(frozen=True)
class AccessChosen:
    """Hold the selection of the check of access in preflight.

    looked_at: whether the tags select the check.
    alone: whether the tags select only this check.
    """

    looked_at: bool
    alone: bool


NO_ACCESS = AccessChosen(False, False)


def access_chosen(playbook: str, run: t.Iterable[str], skip: t.Iterable[str]) -> AccessChosen:
    """Return whether the tags select the check of access. run, skip: see chosen().

    The check runs only if the tag of the check is named, like a task with the tag ``never``.
    """
    if playbook != "preflight" or ACCESS not in run or ACCESS in skip:
        return NO_ACCESS
    return AccessChosen(True, not _EVERYTHING.intersection(run))
