# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard: what bounds a plan whatever it is for. Pure: numbers and names go in, reasons of a refusal come out."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from .._base.names import Invalid, canonical_domain, pattern_key, spellings
from .._base.texts import some
from .kinds import did_you_mean

# More users than the limit says lose or gain a partner.
IMPACT = "impact"
# What a run may be allowed to do, one by one. ``force`` allows all of these.
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
# ``force`` allows none of these.
ALLOWED = (*FORCED, BREAKS_PARTNER, OUTSIDE_WINDOW)
# Before the domain whose revocation is lifted.
REVOKED = "revoked:"
# A few may go beyond the share, as long as at least half of the objects stay.
FEW = 3
# Of fewer objects than this, all may change: a share of a few says little.
UPDATES_GUARDED_FROM = 10
NAMES = 50


def allow_mistakes(words: t.Iterable[t.Any], known: t.Sequence[str] = ALLOWED) -> list[str]:
    """What is wrong with the words of ``allow``, each text to follow the option's name."""
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
    """What is wrong with the numbers of ``impact_limit``, each text to follow the option's name."""
    given = limit if isinstance(limit, t.Mapping) else {}
    wrong = [name for name in ("lose", "gain") if isinstance(given.get(name), int) and given[name] < 0]
    return [".%s: must be a whole number of users, 0 or more, not %d" % (name, given[name]) for name in wrong]


def lifted(words: t.Iterable[str]) -> frozenset[str]:
    """The words of ``allow``, with domains in their canonical form."""
    return frozenset(
        REVOKED + canonical_domain(word[len(REVOKED) :]) if word.startswith(REVOKED) else word for word in words
    )


@dataclass(frozen=True)
class Guard:
    """The bounds of one run.

    protect: patterns (shell style) of what nothing removes. removal_limit, update_limit: the share of the existing
    objects, in per cent, that a purge may remove and a run may change; None: all. allow: names of ALLOWED.
    allow_loss: rights that users may lose. replace_policies: whether a selector may replace another per-user policy.
    called: what the user calls an option. several: whether the task has the option ``allow``.
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
        """What the user calls an option."""
        return self.called(option)

    def remedy(self, name: str) -> str:
        """What allows it, in a message."""
        if not self.several:
            return self.name("force")
        return "'%s' in %s, or %s" % (name, self.name("allow"), self.name("force"))

    def protector(self, key: str) -> str | None:
        """The first pattern that names the object; None if nothing protects it."""
        names = spellings(key) if self.protect else ()
        return next((p for p in self.protect if any(fnmatch.fnmatchcase(n, pattern_key(p)) for n in names)), None)

    def idle_patterns(self, keys: t.Collection[str]) -> list[str]:
        """The patterns of ``protect`` that name none of these objects: perhaps a domain with a spelling mistake."""
        names = {name for key in keys for name in spellings(key)}
        return [p for p in self.protect if not any(fnmatch.fnmatchcase(name, pattern_key(p)) for name in names)]

    def too_many_removals(
        self, kind: str, existing: int, removed: t.Sequence[str], list_is_empty: bool
    ) -> t.Iterable[str]:
        """A list that was cut short by accident must not cut off the partners that fell out of it."""
        names = some(removed, NAMES)
        ways = "list what has to stay, add it to %s, " % self.name("protect")
        if list_is_empty and not self.allows("empty_purge"):
            yield "the list of %s is empty, and purge would remove %d: %s; %sor use %s if all of it has to go" % (
                kind, len(removed), names, ways, self.remedy("empty_purge"),
            )  # fmt: skip
            return
        few = len(removed) <= FEW and 2 * (existing - len(removed)) >= existing
        limit = self.removal_limit
        if few or limit is None or len(removed) <= existing * limit / 100 or self.allows("large_purge"):
            return
        if list_is_empty:
            return
        text = (
            "purge would remove %d of %d %s (%d %%; the limit is %d %%): %s; %sraise %s, or use %s if all of it has to"
        )
        yield (text + " go") % (
            len(removed), existing, kind, round(100 * len(removed) / existing), limit, names, ways,
            self.name("removal_limit"), self.remedy("large_purge"),
        )  # fmt: skip

    def too_many_updates(self, kind: str, existing: int, changed: t.Sequence[str]) -> t.Iterable[str]:
        """A default that was altered by accident must not alter everything."""
        limit = self.update_limit
        if limit is None or existing < UPDATES_GUARDED_FROM or len(changed) <= existing * limit / 100:
            return
        if self.allows("many_updates"):
            return
        yield (
            "this would change %d of %d %s (%d %%; the limit is %d %%): %s; look at the differences in check mode,"
            " change fewer at a time, raise %s, or use %s if all of it has to change"
        ) % (
            len(changed), existing, kind, round(100 * len(changed) / existing), limit, some(changed, NAMES),
            self.name("update_limit"), self.remedy("many_updates"),
        )  # fmt: skip
