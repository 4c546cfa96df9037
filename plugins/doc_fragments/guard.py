# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the options for the limits of a run, which several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    # Modules of one list.
    DOCUMENTATION = r"""
options:
  purge:
    description:
      - Whether to remove objects that are not listed.
      - A purge with an empty list is refused. A purge that exceeds O(removal_limit) is also refused. O(force) removes
        both limits.
    type: bool
    default: false
  force:
    description:
      - Whether a run may exceed its limits. With V(true), a run may purge with an empty list, remove more than
        O(removal_limit) and change more than O(update_limit). With V(false), such a run is refused, and the refusal
        names the objects.
    type: bool
    default: false
"""

    # Modules that have lists.
    LIMITS = r"""
options:
  removal_limit:
    description:
      - The share of the existing objects of a kind, in percent, that a purge may remove. If at least half of the
        objects stay, up to three objects may be removed even above this share.
      - A purge above this share is refused. The refusal names the objects.
    type: int
    default: 30
  update_limit:
    description:
      - The share of the existing objects of a kind, in percent, that a run may change. The share does not include new
        objects. If fewer than ten objects exist, all objects may change.
      - A run above this share is refused. The refusal names the objects.
    type: int
    default: 30
"""

    # Modules that can remove objects.
    PROTECT = r"""
options:
  protect:
    description:
      - Objects that are never removed, by name or by shell pattern such as V(*.fabrikam.com). Case does not matter. A
        purge skips these objects, listed or not. A task that removes such an object by name is refused. The refusal
        names the pattern.
      - This option has priority over all other options, also over O(ignore:force).
      - V([]) protects nothing.
    type: list
    elements: str
    default: []
"""

    # Modules that change policies in use.
    RIGHTS = r"""
options:
  allow_loss:
    description:
      - Rights that the run may take away from users. A policy has more rights than XMPP access, and a user has only one
        policy. So each grant, and each change of a policy in use, is compared with the present rights of its users.
      - If a run takes away a right that is not listed in this option, the run is refused. The refusal names the right
        and the users.
      - The loss of XMPP access itself is not checked.
      - V([]) allows no loss.
    type: list
    elements: str
    choices:
      federation_access: Communication with SIP and XMPP federated domains.
      outside_access: Signing in from outside the internal network without VPN.
      public_cloud_access: Communication with public instant messaging providers.
      public_cloud_audio_video_access: Audio and video with public instant messaging providers.
    default: []
"""

    # Modules whose policies have a list of users.
    EXCLUSIVE = r"""
options:
  exclusive_grants:
    description:
      - Whether the lists in O(policies[].granted_to) are complete. If the lists are complete, users who are not listed
        lose the policy. Policies without such a list do not change.
      - With a group, users who are not members lose the policy.
      - The run then reads all users who have a per-user policy.
    type: bool
    default: false
"""

    # Modules that grant by pool, site or group.
    REPLACED = r"""
options:
  allow_replaced_policies:
    description:
      - Whether a grant by pool, site or group may replace another per-user policy. Grants by name may always replace
        another policy.
    type: bool
    default: false
"""

    # Modules that grant, and that depend on Active Directory.
    ACCOUNTS = r"""
options:
  protected_accounts:
    description:
      - What to do with accounts that the session cannot change. Active Directory protects administrators in this way.
        The remote shell then answers C(Insufficient access rights). For such accounts, use the local shell of a domain
        administrator.
    type: str
    choices:
      warn: Skip these accounts, and warn. The steps of these accounts have the result V(failed), and the task succeeds.
      fail: Fail the task.
    default: fail
  domain_controller:
    description:
      - The fully qualified name of the domain controller for reading users and for writing grants.
      - By default the server chooses the domain controller for reading users. The run writes grants to that domain
        controller, and reads the grants from the same domain controller. Other domain controllers get the change later.
        Each domain of Active Directory has its own domain controllers.
    type: str
"""
