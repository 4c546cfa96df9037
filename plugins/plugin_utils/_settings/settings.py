# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one host's variables say, for one playbook: plain values, or every mistake at once. Pure.

A playbook evaluates only the variables that it reads: the password of a certificate must not stop an export. Of all
others only the names are checked.
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

# What every part of a federation is checked by: the same code that reads it for the plan.
_DECLARED = frozenset(PREFIX + resource.part for resource in RESOURCES)
_EVERYTHING = frozenset(("all", "tagged"))
# A revocation is for the hour in which everything else may be broken: names that nobody reads are warnings.
LENIENT = frozenset(("revoke",))
# The words of sfb_xmpp_allow, where a playbook has its own.
ALLOWS = {"revoke": ("protected",)}


@dataclass(frozen=True)
class Source:
    """Where the values of a host come from.

    names: of all its variables. extra: the names of those that were given with ``-e``.
    value: the evaluated value of one, as plain built-ins; raises ValueError with the reason if it has none.
    place: file and line of a variable, or an empty text where they are not known.
    """

    names: t.Collection[str]
    extra: t.Collection[str]
    value: t.Callable[[str], t.Any]
    place: t.Callable[[str], str] = lambda name: ""


@dataclass(frozen=True)
class Settings:
    """The variables that are set, without the prefix, as a user wrote them. warnings: texts."""

    values: t.Mapping[str, t.Any]
    warnings: tuple[str, ...] = field(default=())


def read(playbook: str, source: Source) -> Settings:
    """The settings that the playbook reads. Raises Refused with every mistake."""
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
    # What is wrong in its form says nothing more by its meaning.
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
    """The place that a mistake names first, such as ``sfb_xmpp_audit.fail_on``."""
    return text.partition(": ")[0]


def _of_meaning(playbook: str, values: t.Mapping[str, t.Any]) -> list[str]:
    """What only the code that uses a value can say of it."""
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
        pass  # of another type, which is a mistake that was named
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
    # A value of another type is a mistake that was named.
    if days is not None and str(days).strip().isdigit() and not 1 <= int(days) <= FORECAST_DAYS:
        yield "%saudit.forecast_days: %s must be a number of days from 1 to %d" % (PREFIX, days, FORECAST_DAYS)


def _texts(value: t.Any) -> list[str]:
    """A list of names, which may be one text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value] if isinstance(value, list) else []


def _at_hand(playbook: str, values: t.Mapping[str, t.Any], source: Source) -> list[str]:
    """What the command line gives by a former name, or does not give at all."""
    found = []
    for setting in read_by(playbook):
        # In another playbook the former name is somebody else's.
        if setting.former in source.extra and playbook in (setting.former_in or setting.playbooks):
            text = "%s: this variable is called %s now. Give -e %s=... instead"
            found.append(text % (setting.former, setting.name, setting.name))
        elif setting.option not in values and (missing := setting.missing_in(playbook)):
            found.append("%s: is missing; %s" % (setting.name, missing))
    return found


def _names(playbook: str, source: Source) -> tuple[list[str], list[str]]:
    """Mistakes and warnings about the names of variables."""
    found = []
    for name in sorted(str(name) for name in source.names):
        if not name.startswith(PREFIX) or name.startswith(FREE) or name in IGNORED:
            continue
        setting = BY_NAME.get(name)
        if setting is None:
            # Without the prefix, which makes all names alike.
            near = did_you_mean(name[len(PREFIX) :], [known[len(PREFIX) :] for known in BY_NAME])
            near = near.replace("did you mean ", "did you mean " + PREFIX)
            text = "there is no such variable%s" % (near or "; names that begin with %s are free for your own" % FREE)
            found.append(_at(source, name, "%s: %s" % (name, text)))
        elif _not_its_place(setting, source):
            text = (
                "%s: decides about one run, so it counts only on the command line. Remove it here, and give it with -e"
            )
            found.append(_at(source, name, text % name))
    return ([], found) if playbook in LENIENT else (found, [])


def _declared(values: t.Mapping[str, t.Any], source: Source) -> list[str]:
    """What is wrong with the parts of a federation."""
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
    """The text, with file and line where they are known."""
    place = source.place(name)
    return "%s (%s)" % (text, place) if place else text


# Hosts of one deployment


def contradictions(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """What hosts of one deployment declare differently. ``hosts``: the variables of each."""
    found = []
    (first, own), *others = hosts.items()
    for name in sorted(set(BY_NAME) - OF_A_HOST):
        for other, variables in others:
            if (name in own) != (name in variables) or (name in own and own[name] != variables[name]):
                text = "%s: the hosts %s and %s belong to one deployment, but do not have the same value"
                found.append(text % (name, first, other))
    return found


# Tags


@dataclass(frozen=True)
class Chosen:
    """What tags choose of a playbook. nothing: a line for the user if they choose nothing of it."""

    nothing: str = ""


def chosen(playbook: str, run: t.Iterable[str], skip: t.Iterable[str]) -> Chosen:
    """Raises Refused where a tag is near one of the playbook's. run, skip: of ``--tags`` and ``--skip-tags``.

    Any other tag belongs to somebody else, whose playbook may import ours.
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
        return Chosen("%s: the tags choose nothing of this playbook (%s)" % (playbook, has))
    return Chosen()


def certificate_chosen(run: t.Iterable[str], skip: t.Iterable[str]) -> bool:
    """Whether tags leave the certificate of the Edge servers to converge. run, skip: as for ``chosen``."""
    meant = {*_EVERYTHING, "certificate"}
    return bool(meant.intersection(run)) and not meant.intersection(skip)


@dataclass(frozen=True)
class AccessChosen:
    """Whether tags choose the access to the hosts in preflight. alone: whether they leave nothing else of it."""

    looked_at: bool
    alone: bool


NO_ACCESS = AccessChosen(False, False)


def access_chosen(playbook: str, run: t.Iterable[str], skip: t.Iterable[str]) -> AccessChosen:
    """run, skip: as for ``chosen``. Like a task with the tag ``never``, it is left out unless it is named."""
    if playbook != "preflight" or ACCESS not in run or ACCESS in skip:
        return NO_ACCESS
    return AccessChosen(True, not _EVERYTHING.intersection(run))
