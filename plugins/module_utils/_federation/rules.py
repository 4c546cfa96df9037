# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the changes of a plan. Each rule takes a change and returns findings. An error refuses the run.

Rules check only what a run writes. A mistake in a setting that the run does not change is a warning, never an error.
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

# The rights of a policy other than XMPP: the name in ``allow_loss`` and the option.
RIGHTS: t.Mapping[str, str] = {
    "federation_access": "enable_federation_access",
    "outside_access": "enable_outside_access",
    "public_cloud_access": "enable_public_cloud_access",
    "public_cloud_audio_video_access": "enable_public_cloud_audio_video_access",
}


@dataclass(frozen=True)
class Change:
    """Describe the change of one object.

    key: the key of the object.
    identity: the name of the object.
    before: the values before the change; None if the object does not exist.
    after: the values after the change; None if the object does not exist.
    written: the options that a run sends.
    removal: whether the verb is Remove-. For ``global``, Remove- means a reset.
    more: properties that are shown but not managed.
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
    """These are the values that a rule needs in addition to the change.

    actual: all objects of the kind, by key.
    usage: the users, by key of their per-user policy; None if the users were not read.
    guard: the limits of the run.
    """

    actual: t.Mapping[str, Record] = field(default_factory=dict)
    usage: t.Mapping[str, tuple[str, ...]] | None = None
    guard: Guard = field(default_factory=Guard)


def _error(rule: str, change: Change, text: str) -> Finding:
    return Finding(rule, ERROR, text, subject=change.identity)


def _warning(rule: str, change: Change, text: str) -> Finding:
    return Finding(rule, WARNING, text, subject=change.identity)


def negotiation(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check that the negotiation settings of a partner allow authentication (see negotiation.py)."""
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
    """Return the negotiation settings of a partner."""
    return Row(
        str(values["tls_negotiation"]), str(values["sasl_negotiation"]), bool(values["support_dialback_negotiation"])
    )


def verified_public_partner(change: Change, context: Context) -> t.Iterable[Finding]:
    """Warn about PublicVerified.

    The documentation (JJ205123) advises against PublicVerified, because all senders then see the presence.
    """
    if change.after and "partner_type" in change.written and change.after.get("partner_type") == "public_verified":
        yield _warning(
            "public_verified",
            change,
            "partner_type public_verified shows presence to all users of a public provider. "
            "To ask the local user first, set partner_type to public_unverified",
        )


def xmpp_needs_federation(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check that a policy with EnableXmppAccess also has EnableFederationAccess.

    Otherwise EnableXmppAccess has no effect.
    """
    values = change.after
    if values is None or not change.written:
        return
    if values.get("enable_xmpp_access") and not values.get("enable_federation_access"):
        touched = change.written & {"enable_xmpp_access", "enable_federation_access"}
        kind = _error if touched else _warning
        text = "enable_xmpp_access has no effect without enable_federation_access. Set both, or neither"
        yield kind("policy_without_federation", change, text)


def xmpp_from_outside(change: Change, context: Context) -> t.Iterable[Finding]:
    """Warn about a policy with XMPP but without remote sign-in. A user has only one policy, so remote sign-in fails."""
    values = change.after
    if values is None or not is_per_user(change.key) or not change.written & {"enable_xmpp_access"}:
        return
    if values.get("enable_xmpp_access") and not values.get("enable_outside_access"):
        text = (
            "gives XMPP but not outside access, so its users cannot sign in from outside. To allow this, set"
            " enable_outside_access to true"
        )
        yield _warning("policy_without_outside", change, text)


def readable_name(change: Change, context: Context) -> t.Iterable[Finding]:
    """Warn about letters of several alphabets in one word. Such a name can look like another name."""
    scripts = mixed_scripts(change.identity) if change.before is None and change.after is not None else []
    if scripts:
        text = "has letters of %s in one word, which look similar. Check the spelling" % " and ".join(scripts)
        yield _warning("mixed_scripts", change, text)


def whole_text(change: Change, context: Context) -> t.Iterable[Finding]:
    """Warn about a text with half a surrogate pair or a noncharacter.

    The output shows each such character as a mark.
    """
    for option, value in (change.after or {}).items():
        codes = no_characters(value) if isinstance(value, str) else []
        if codes:
            text = "%s has %s, which is not a character. It is shown as a mark, and cannot be written. Replace it"
            yield _warning("no_character", change, text % (option, ", ".join(codes)))


def rights_lost(before: Values, after: Values) -> list[str]:
    """Return the names of RIGHTS that ``before`` gives and ``after`` does not give."""
    return [name for name, option in RIGHTS.items() if before.get(option) and not after.get(option)]


def nobody_loses_rights(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check that users of a policy do not lose rights that ``allow_loss`` does not have.

    A site policy takes effect immediately. If the site has no policy, ``global`` applies.
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
    whom = "all users that it applies to" if everyone else "%s (%s)" % (count(users, "user"), some(users))
    text = "would take %s from %s. To allow this, add it to %s"
    yield _error("rights_lost", change, text % (" and ".join(lost), whom, context.guard.name("allow_loss")))


def granted_policy_stays(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check that a removed policy has no users. Microsoft does not document what happens to users of such a policy."""
    if change.after is None and context.usage and context.usage.get(change.key) and not context.guard.force:
        users = context.usage[change.key]
        text = "is still granted to %s (%s). Withdraw it first, or use %s"
        yield _error("still_granted", change, text % (count(users, "user"), some(users), context.guard.name("force")))


_SWITCHES = (
    (
        "allow_federated_users",
        "federation_off",
        "with allow_federated_users off, SIP federation and XMPP federation do not work",
    ),
    (
        "allow_outside_users",
        "outside_access_off",
        "with allow_outside_users off, users cannot sign in from outside",
    ),
    (
        "allow_anonymous_users",
        "anonymous_access_off",
        "with allow_anonymous_users off, users without an account cannot join conferences",
    ),
)


def access_edge_switches(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check the switches of the whole deployment, which affect SIP too.

    To switch one of these off, a second option is needed.
    """
    before, after = change.before or {}, change.after
    if after is None:
        return
    for option, name, text in _SWITCHES:
        if option not in change.written:
            continue
        if after.get(option):
            continue
        if not before.get(option):
            # The switch was off before, so users lose nothing. But without federation there is no XMPP.
            if option == "allow_federated_users":
                yield _warning(name, change, text)
        elif not context.guard.allows(name):
            yield _error(name, change, "%s. To switch it off, use %s" % (text, context.guard.remedy(name)))
    if (
        "allow_federated_users" in change.written
        and after.get("allow_federated_users")
        and not before.get("allow_federated_users")
    ):
        text = "allow_federated_users opens SIP federation as well as XMPP federation. EnablePartnerDiscovery is %s"
        found = change.more.get("EnablePartnerDiscovery")
        known = "not shown by the server" if found is None else found
        open_to = ", so every domain that publishes its federation can reach you" if found in (True, "True") else ""
        yield _warning("federation_on", change, text % known + open_to)


def message_bodies_logged(change: Change, context: Context) -> t.Iterable[Finding]:
    """Warn about EnableLoggingAllMessageBodies, which records the text of all messages."""
    option = "enable_logging_all_message_bodies"
    if change.after and change.after.get(option) and option in change.written:
        text = "enable_logging_all_message_bodies records the text of all messages. Check that this is allowed"
        yield _warning("bodies_logged", change, text)


def route_stays(change: Change, context: Context) -> t.Iterable[Finding]:
    """Check changes of a site's route. The route chooses the Edge pool for XMPP, so a change ends present sessions."""
    if change.before is not None and "edge_pool" not in change.before and "edge_pool" in change.written:
        if not context.guard.force:
            text = (
                "Get-CsSite does not show the XMPP federation route, so it is unknown. To set the route anyway, use %s"
            )
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
            text = "the XMPP federation route goes through %s. To clear it, use %s"
            yield _error("clear_route", change, text % (before, context.guard.remedy("clear_route")))
    elif not context.guard.force:
        text = "the XMPP federation route goes through %s. Moving it to %s is a failover. To allow it, use %s"
        yield _error("move_route", change, text % (before, after, context.guard.name("force")))
