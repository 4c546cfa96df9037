# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Too much at once, and what nothing may remove. Pure: numbers and names go in, the reasons of a refusal come out."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from .._base.names import pattern_key, spellings
from .._base.step import Record
from .._base.texts import some

# So many objects may always go, whatever share of all they are.
ALWAYS_REMOVED = 3
# Of fewer objects than this, all may change: a share of a few says little.
UPDATES_GUARDED_FROM = 10
NAMES = 50


@dataclass(frozen=True)
class Purge:
    """Removal of what is not listed.

    limit: the share of existing objects, in per cent, above which (and above three) the purge is refused. eligible:
    whether an object may be purged at all.
    """

    limit: int = 30
    eligible: t.Callable[[Record], bool] = lambda record: True


@dataclass(frozen=True)
class Guard:
    """What bounds a plan besides the rules.

    protect: patterns (shell style) of what nothing removes. update_limit: the share of ten or more existing objects, in
    per cent, that may change; None: all of them may.
    """

    protect: tuple[str, ...] = ()
    update_limit: int | None = None

    def protector(self, key: str) -> str | None:
        """The first pattern that names the object; None if nothing protects it."""
        names = spellings(key) if self.protect else ()
        return next((p for p in self.protect if any(fnmatch.fnmatchcase(n, pattern_key(p)) for n in names)), None)


def too_many_removals(
    kind: str, existing: int, removed: t.Sequence[str], limit: int, list_is_empty: bool
) -> t.Iterable[str]:
    """A list that was cut short by accident must not cut off the partners that fell out of it."""
    names = some(removed, NAMES)
    remedy = "list what has to stay, add it to protect, raise removal_limit, or use force if all of it has to go"
    if list_is_empty:
        yield "the list of %s is empty, and purge would remove %d: %s; %s" % (kind, len(removed), names, remedy)
    elif len(removed) > max(ALWAYS_REMOVED, existing * limit / 100):
        yield "purge would remove %d of %d %s (%d %%; the limit is %d %%): %s; %s" % (
            len(removed),
            existing,
            kind,
            round(100 * len(removed) / existing),
            limit,
            names,
            remedy,
        )


def too_many_updates(kind: str, existing: int, changed: t.Sequence[str], limit: int) -> t.Iterable[str]:
    """A default that was altered by accident must not alter everything."""
    if existing < UPDATES_GUARDED_FROM or len(changed) <= existing * limit / 100:
        return
    yield (
        "this would change %d of %d %s (%d %%; the limit is %d %%): %s; look at the differences in check mode, change"
        " fewer at a time, raise update_limit, or use force if all of it has to change"
        % (len(changed), existing, kind, round(100 * len(changed) / existing), limit, some(changed, NAMES))
    )
