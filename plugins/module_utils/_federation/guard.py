# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a plan against the limits of a run. The functions take numbers and names, and return reasons of a refusal."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from .._base.names import Invalid, canonical_domain, pattern_key, spellings
from .._base.texts import some
from .kinds import did_you_mean

# Allows that more users than the limit lose or gain a partner.
IMPACT = "impact"
# Actions that ``allow`` can permit. ``force`` permits every action in FORCED.
FORCED = (
    "empty_purge",
    "large_purge",
    "many_updates",
    "reset_global",
    "clear_route",
    "federation_off",
    "outside_access_off",
    "anonymous_access_off",
    IMPACT,
)
OUTSIDE_WINDOW = "outside_window"
BREAKS_PARTNER = "breaks_partner"
# ``force`` does not permit BREAKS_PARTNER and OUTSIDE_WINDOW.
ALLOWED = (*FORCED, BREAKS_PARTNER, OUTSIDE_WINDOW)
# The prefix of a revoked domain that ``allow`` permits.
REVOKED = "revoked:"
# This number of objects can be removed in spite of the limit, if at least half of the objects stay.
FEW = 3
# The limit of changes applies from this number of objects. With fewer objects, a percentage is not useful.
UPDATES_GUARDED_FROM = 10
NAMES = 50


def allow_mistakes(words: t.Iterable[t.Any], known: t.Sequence[str] = ALLOWED) -> list[str]:
    """Return the mistakes in the values of ``allow``. Each text continues after the option's name."""
    found = []
    for number, word in enumerate(words):
        if word in known:
            continue
        if isinstance(word, str) and word.startswith(REVOKED):
            try:
                canonical_domain(word[len(REVOKED) :])
            except Invalid as exc:
                found.append("[%d]: %s: %s" % (number, word, exc))
            continue
        near = did_you_mean(str(word), known)
        found.append("[%d]: '%s' must be %s or %sDOMAIN%s" % (number, word, ", ".join(known), REVOKED, near))
    return found


def impact_mistakes(limit: t.Any) -> list[str]:
    """Return the mistakes in the numbers of ``impact_limit``. Each text continues after the option's name."""
    given = limit if isinstance(limit, t.Mapping) else {}
    wrong = [name for name in ("lose", "gain") if isinstance(given.get(name), int) and given[name] < 0]
    return [".%s: must be a whole number of users, 0 or more, not %d" % (name, given[name]) for name in wrong]


def lifted(words: t.Iterable[str]) -> frozenset[str]:
    """Return the values of ``allow``, with domains in their canonical form."""
    return frozenset(
        REVOKED + canonical_domain(word[len(REVOKED) :]) if word.startswith(REVOKED) else word for word in words
    )


@dataclass(frozen=True)
class Guard:
    """These are the limits of one run.

    protect: patterns (shell style) of objects that no run removes.
    removal_limit: the share of the existing objects that a purge may remove, in per cent; None for all.
    update_limit: the share of the existing objects that a run may change, in per cent; None for all.
    allow: values of ALLOWED, and revoked domains with the prefix REVOKED.
    allow_loss: rights that users may lose.
    force: whether everything in FORCED is permitted.
    replace_policies: whether a selector may replace another per-user policy.
    called: returns the name of an option for the user.
    several: whether the task has the option ``allow``.
    """

    protect: tuple[str, ...] = ()
    removal_limit: int | None = 30
    update_limit: int | None = None
    allow: frozenset[str] = frozenset()
    allow_loss: frozenset[str] = frozenset()
    force: bool = False
    replace_policies: bool = False
    called: t.Callable[[str], str] = str
    several: bool = False

    def allows(self, name: str) -> bool:
        return (self.force and name in FORCED) or name in self.allow

    def name(self, option: str) -> str:
        """Return the name of an option for the user."""
        return self.called(option)

    def remedy(self, name: str) -> str:
        """Return the option that permits an action, for a message."""
        if not self.several:
            return self.name("force")
        return "'%s' in %s, or %s" % (name, self.name("allow"), self.name("force"))

    def protector(self, key: str) -> str | None:
        """Return the first pattern that protects the object; None if the object is not protected."""
        names = spellings(key) if self.protect else ()
        return next((p for p in self.protect if any(fnmatch.fnmatchcase(n, pattern_key(p)) for n in names)), None)

    def idle_patterns(self, keys: t.Collection[str]) -> list[str]:
        """Return the patterns of ``protect`` without a match among these objects.

        Such patterns can be spelling mistakes.
        """
        names = {name for key in keys for name in spellings(key)}
        return [p for p in self.protect if not any(fnmatch.fnmatchcase(name, pattern_key(p)) for name in names)]

    def too_many_removals(
        self, kind: str, existing: int, removed: t.Sequence[str], list_is_empty: bool
    ) -> t.Iterable[str]:
        """Return why a purge removes too many objects. A list that lost its end by accident must not remove partners.

        kind: the kind of objects, in the plural.
        existing: the number of objects.
        removed: the names of the objects to remove.
        list_is_empty: whether the list declares no object.
        """
        names = some(removed, NAMES)
        ways = "List the objects that must stay, or add them to %s. " % self.name("protect")
        if list_is_empty and not self.allows("empty_purge"):
            yield "the list of %s is empty, and purge would remove %d: %s. %sTo remove them, use %s" % (
                kind, len(removed), names, ways, self.remedy("empty_purge"),
            )  # fmt: skip
            return
        few = len(removed) <= FEW and 2 * (existing - len(removed)) >= existing
        limit = self.removal_limit
        if few or limit is None or len(removed) <= existing * limit / 100 or self.allows("large_purge"):
            return
        if list_is_empty:
            return
        text = "purge would remove %d of %d %s (%d %%; the limit is %d %%): %s. %sTo remove them, raise %s, or use %s"
        yield text % (
            len(removed), existing, kind, round(100 * len(removed) / existing), limit, names, ways,
            self.name("removal_limit"), self.remedy("large_purge"),
        )  # fmt: skip

    def too_many_updates(self, kind: str, existing: int, changed: t.Sequence[str]) -> t.Iterable[str]:
        """Return why a run changes too many objects.

        A default that was changed by accident must not change all objects.

        kind: the kind of objects, in the plural.
        existing: the number of objects.
        changed: the names of the objects to change.
        """
        limit = self.update_limit
        if limit is None or existing < UPDATES_GUARDED_FROM or len(changed) <= existing * limit / 100:
            return
        if self.allows("many_updates"):
            return
        yield (
            "this would change %d of %d %s (%d %%; the limit is %d %%): %s. Check the differences in check mode."
            " Change fewer at a time, raise %s, or use %s"
        ) % (
            len(changed), existing, kind, round(100 * len(changed) / existing), limit, some(changed, NAMES),
            self.name("update_limit"), self.remedy("many_updates"),
        )  # fmt: skip
