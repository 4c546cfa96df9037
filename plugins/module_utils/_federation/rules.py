# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change may not do, and what deserves a warning. Pure: a change goes in, findings come out.

Rules look at what a run writes: a fault that was there before and is not touched is a warning, never a refusal.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.findings import ERROR, WARNING, Finding
from .._base.names import is_per_user, mixed_scripts, no_characters
from .._base.step import Record, Values
from .._base.texts import count, some
from .guard import Guard
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
    more: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside the change.

    actual: all objects of the kind. usage: users by the key of the per-user policy granted to them; None while it has
    not been read.
    """

    actual: t.Mapping[str, Record] = field(default_factory=dict)
    usage: t.Mapping[str, tuple[str, ...]] | None = None
    guard: Guard = field(default_factory=Guard)


def _error(rule: str, change: Change, text: str) -> Finding:
    return Finding(rule, ERROR, text, subject=change.identity)


def _warning(rule: str, change: Change, text: str) -> Finding:
    return Finding(rule, WARNING, text, subject=change.identity)


def negotiation(change: Change, context: Context) -> t.Iterable[Finding]:
    """A partner's negotiation row has to leave a way to authenticate (see negotiation.py)."""
    values = change.after
    if values is None or not change.written:
        return
    row = negotiation_row(values)
    touched = change.written & {"tls_negotiation", "sasl_negotiation", "support_dialback_negotiation"}
    if row.level == "invalid":
        kind = _error if touched else _warning
        yield kind("row_invalid", change, "%s: %s" % (row, row.remark))
    elif row.level == "risky" and touched:
        yield _warning("row_risky", change, "%s: %s" % (row, row.remark))


def negotiation_row(values: Values) -> Row:
    """The row of a partner."""
    return Row(
        str(values["tls_negotiation"]), str(values["sasl_negotiation"]), bool(values["support_dialback_negotiation"])
    )


def verified_public_partner(change: Change, context: Context) -> t.Iterable[Finding]:
    """PublicVerified is discouraged by its documentation (JJ205123): presence goes to a public provider unasked."""
    if change.after and "partner_type" in change.written and change.after.get("partner_type") == "public_verified":
        yield _warning(
            "public_verified",
            change,
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
        kind = _error if touched else _warning
        text = "enable_xmpp_access has no effect without enable_federation_access; set both, or neither"
        yield kind("policy_without_federation", change, text)


def xmpp_from_outside(change: Change, context: Context) -> t.Iterable[Finding]:
    """A user has one policy, which carries remote sign-in too: with XMPP alone nobody gets in from outside."""
    values = change.after
    if values is None or not is_per_user(change.key) or not change.written & {"enable_xmpp_access"}:
        return
    if values.get("enable_xmpp_access") and not values.get("enable_outside_access"):
        text = (
            "gives XMPP but not outside access: who gets this policy cannot sign in from outside; if they should, set"
        )
        yield _warning("policy_without_outside", change, text + " enable_outside_access")


def readable_name(change: Change, context: Context) -> t.Iterable[Finding]:
    """Letters of several alphabets in one word look like one that nobody typed."""
    scripts = mixed_scripts(change.identity) if change.before is None and change.after is not None else []
    if scripts:
        text = "mixes letters of %s that look alike in one word; check the spelling" % " and ".join(scripts)
        yield _warning("mixed_scripts", change, text)


def whole_text(change: Change, context: Context) -> t.Iterable[Finding]:
    """A text with half a surrogate pair or a noncharacter is shown with marks, and is not what the server has."""
    for option, value in (change.after or {}).items():
        codes = no_characters(value) if isinstance(value, str) else []
        if codes:
            text = "%s holds %s, which is no character. It is shown with a mark there, and is never written; replace it"
            yield _warning("no_character", change, text % (option, ", ".join(codes)))


def rights_lost(before: Values, after: Values) -> list[str]:
    """Names of RIGHTS that a user under ``before`` has and under ``after`` has not."""
    return [name for name, option in RIGHTS.items() if before.get(option) and not after.get(option)]


def nobody_loses_rights(change: Change, context: Context) -> t.Iterable[Finding]:
    """Changing a policy that is in force for somebody must not take away more than was said.

    A site policy is in force at once, and what it hides or uncovers is ``global``.
    """
    fallback = context.actual["global"].values if "global" in context.actual else {}
    everyone = not is_per_user(change.key)
    before = change.before if change.before is not None else fallback if everyone else {}
    after = change.after if change.after is not None else fallback
    lost = [name for name in rights_lost(before, after) if name not in context.guard.allow_loss]
    if not lost or (change.removal and context.guard.force):
        return
    users = () if context.usage is None else context.usage.get(change.key, ())
    if not everyone and not users:
        return
    whom = "everyone it applies to" if everyone else "%s (%s)" % (count(users, "user"), some(users))
    text = "would take %s from %s; if that is meant, name it in %s"
    yield _error("rights_lost", change, text % (" and ".join(lost), whom, context.guard.name("allow_loss")))


def granted_policy_stays(change: Change, context: Context) -> t.Iterable[Finding]:
    """A policy that is still granted is not removed: what becomes of its users is not documented."""
    if change.after is None and context.usage and context.usage.get(change.key) and not context.guard.force:
        users = context.usage[change.key]
        text = "is still granted to %s (%s); withdraw it first, or use %s"
        yield _error("still_granted", change, text % (count(users, "user"), some(users), context.guard.name("force")))


_SWITCHES = (
    (
        "allow_federated_users",
        "federation_off",
        "with allow_federated_users off nothing federates, neither SIP nor XMPP",
    ),
    (
        "allow_outside_users",
        "outside_access_off",
        "with allow_outside_users off nobody signs in from outside",
    ),
    (
        "allow_anonymous_users",
        "anonymous_access_off",
        "with allow_anonymous_users off nobody joins a conference without an account",
    ),
)


def access_edge_switches(change: Change, context: Context) -> t.Iterable[Finding]:
    """Each of these switches is for the whole deployment, SIP included: turning one off is said twice."""
    before, after = change.before or {}, change.after
    if after is None:
        return
    for option, name, text in _SWITCHES:
        if option not in change.written:
            continue
        if after.get(option):
            continue
        if not before.get(option):
            # It was off before: nothing is taken away, but without federation there is no XMPP.
            if option == "allow_federated_users":
                yield _warning(name, change, text)
        elif not context.guard.allows(name):
            yield _error(name, change, "%s; a run that switches it off needs %s" % (text, context.guard.remedy(name)))
    if (
        "allow_federated_users" in change.written
        and after.get("allow_federated_users")
        and not before.get("allow_federated_users")
    ):
        text = "allow_federated_users opens SIP federation as well as XMPP; EnablePartnerDiscovery is %s"
        found = change.more.get("EnablePartnerDiscovery")
        known = "not shown by the server" if found is None else found
        open_to = ", so every domain that publishes its federation may reach you" if found in (True, "True") else ""
        yield _warning("federation_on", change, text % known + open_to)


def message_bodies_logged(change: Change, context: Context) -> t.Iterable[Finding]:
    """EnableLoggingAllMessageBodies records what people write."""
    option = "enable_logging_all_message_bodies"
    if change.after and change.after.get(option) and option in change.written:
        yield _warning("bodies_logged", change, "enable_logging_all_message_bodies records what people write")


def route_stays(change: Change, context: Context) -> t.Iterable[Finding]:
    """The route of a site decides which Edge pool carries XMPP: moving or clearing it cuts what flows now."""
    if change.before is not None and "edge_pool" not in change.before and "edge_pool" in change.written:
        if not context.guard.force:
            text = "Get-CsSite shows no XmppFederationRoute, so a route may be there; to set it all the same needs %s"
            yield _error("route_unknown", change, text % context.guard.name("force"))
        return
    before = (change.before or {}).get("edge_pool")
    if not before or change.after is None or "edge_pool" not in change.written:
        return
    after = change.after["edge_pool"]
    if after == before:
        return
    if not after:
        if not context.guard.allows("clear_route"):
            text = "the XMPP federation route goes through %s; a run that clears it needs %s"
            yield _error("clear_route", change, text % (before, context.guard.remedy("clear_route")))
    elif not context.guard.force:
        text = "the XMPP federation route goes through %s already; moving it to %s is a failover, and needs %s"
        yield _error("move_route", change, text % (before, after, context.guard.name("force")))
