# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change may not do, and what deserves a warning. Pure: a change goes in, findings come out.

Rules judge what a run writes: a fault that was there before and is not touched is a warning, never a refusal.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.step import Record, Values
from .._base.texts import count, some
from .negotiation import Row

# Rights that a policy carries beside XMPP, by the name that allow_loss takes.
RIGHTS: t.Mapping[str, str] = {
    "federation_access": "enable_federation_access",
    "outside_access": "enable_outside_access",
    "public_cloud_access": "enable_public_cloud_access",
    "public_cloud_audio_video_access": "enable_public_cloud_audio_video_access",
}


@dataclass(frozen=True)
class Change:
    """One object's way from before to after. None means: does not exist.

    written: the options that a run would send. removal: Remove- was asked for (on ``global`` it resets).
    """

    key: str
    identity: str
    before: Values | None
    after: Values | None
    written: frozenset[str] = frozenset()
    removal: bool = False


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside the change.

    usage: users by the key of the per-user policy granted to them; None while it has not been read.
    """

    actual: t.Mapping[str, Record] = field(default_factory=dict)
    usage: t.Mapping[str, tuple[str, ...]] | None = None
    force: bool = False
    allow_loss: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """severity: ``refuse`` (nothing may be written) or ``warn``."""

    severity: str
    identity: str
    text: str

    def __str__(self) -> str:
        return "%s: %s" % (self.identity, self.text)


Rule = t.Callable[[Change, Context], t.Iterable[Finding]]


def negotiation(change: Change, context: Context) -> t.Iterable[Finding]:
    """A partner's negotiation row has to leave a way to authenticate (see _negotiation)."""
    values = change.after
    if values is None or not change.written:
        return
    row = negotiation_row(values)
    if row is None:
        return
    touched = change.written & {"tls_negotiation", "sasl_negotiation", "support_dialback_negotiation"}
    if row.level == "invalid":
        yield Finding("refuse" if touched else "warn", change.identity, "%s: %s" % (row, row.remark))
    elif row.level == "risky" and touched:
        yield Finding("warn", change.identity, "%s: %s" % (row, row.remark))


def negotiation_row(values: Values) -> Row | None:
    """The row of a partner, or None if the server printed something that is not in the matrix."""
    tls, sasl = values.get("tls_negotiation"), values.get("sasl_negotiation")
    known = ("required", "optional", "not_supported")
    if tls not in known or sasl not in known:
        return None
    return Row(t.cast(str, tls), t.cast(str, sasl), bool(values.get("support_dialback_negotiation")))


def verified_public_partner(change: Change, context: Context) -> t.Iterable[Finding]:
    """PublicVerified is discouraged by its documentation (JJ205123): presence goes to a public provider unasked."""
    if change.after and "partner_type" in change.written and change.after.get("partner_type") == "public_verified":
        yield Finding(
            "warn",
            change.identity,
            "partner_type public_verified shows presence to everyone at a public provider; "
            "public_unverified asks the local user first",
        )


def xmpp_needs_federation(change: Change, context: Context) -> t.Iterable[Finding]:
    """EnableXmppAccess has no effect without EnableFederationAccess in the same policy."""
    values = change.after
    if values is None or not change.written:
        return
    if values.get("enable_xmpp_access") and not values.get("enable_federation_access"):
        touched = change.written & {"enable_xmpp_access", "enable_federation_access"}
        yield Finding(
            "refuse" if touched else "warn",
            change.identity,
            "enable_xmpp_access has no effect without enable_federation_access; set both, or neither",
        )


def rights_lost(before: Values, after: Values) -> list[str]:
    """Names of RIGHTS that a user under ``before`` has and under ``after`` has not."""
    return [name for name, option in RIGHTS.items() if before.get(option) and not after.get(option)]


def nobody_loses_rights(change: Change, context: Context) -> t.Iterable[Finding]:
    """Changing a policy that is in force for somebody must not take away more than was said.

    A site policy is in force at once, and what it hides or uncovers is ``global``.
    """
    fallback = context.actual["global"].values if "global" in context.actual else {}
    everyone = change.key == "global" or change.key.startswith("site:")
    before = change.before if change.before is not None else fallback if everyone else {}
    after = change.after if change.after is not None else fallback
    lost = [name for name in rights_lost(before, after) if name not in context.allow_loss]
    if not lost or (change.removal and context.force):
        return
    users = () if context.usage is None else context.usage.get(change.key, ())
    if not everyone and not users:
        return
    whom = "everyone it applies to" if everyone else "%s (%s)" % (count(users, "user"), some(users))
    yield Finding(
        "refuse",
        change.identity,
        "would take %s from %s; if that is meant, name it in allow_loss" % (" and ".join(lost), whom),
    )


def granted_policy_stays(change: Change, context: Context) -> t.Iterable[Finding]:
    """A policy that is still granted is not removed: what becomes of its users is not documented."""
    if change.after is None and context.usage and context.usage.get(change.key) and not context.force:
        users = context.usage[change.key]
        yield Finding(
            "refuse",
            change.identity,
            "is still granted to %s (%s); withdraw it first, or use force" % (count(users, "user"), some(users)),
        )


def federated_users_switch(change: Change, context: Context) -> t.Iterable[Finding]:
    """AllowFederatedUsers is the switch of SIP federation as well as of XMPP."""
    if change.after is None or "allow_federated_users" not in change.written or context.force:
        return
    if not change.after.get("allow_federated_users"):
        yield Finding(
            "refuse",
            change.identity,
            "with allow_federated_users off nothing federates, neither SIP nor XMPP; "
            "a run that switches it off needs force",
        )


def message_bodies_logged(change: Change, context: Context) -> t.Iterable[Finding]:
    """EnableLoggingAllMessageBodies records what people write."""
    if change.after and change.after.get("enable_logging_all_message_bodies"):
        if "enable_logging_all_message_bodies" in change.written:
            yield Finding("warn", change.identity, "enable_logging_all_message_bodies records what people write")
