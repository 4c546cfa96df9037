# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What bounds a run: options that several modules share, each described once."""

from __future__ import annotations


class ModuleDocFragment:
    # Modules of one list.
    DOCUMENTATION = r"""
options:
  purge:
    description:
      - Whether to remove what is not listed.
      - A purge with an empty list is refused, and so is one that would remove too many objects, see O(removal_limit).
        O(force) lifts both limits.
    type: bool
    default: false
  force:
    description:
      - Whether a run may go beyond its limits. These are to purge with an empty list, to remove more than
        O(removal_limit) and to change more than O(update_limit). Without it the refusal names the objects.
    type: bool
    default: false
"""

    # Modules that have lists.
    LIMITS = r"""
options:
  removal_limit:
    description:
      - The share of the existing objects of a kind, in per cent, that a purge may remove. Up to three may go even where
        that is a larger share, as long as at least half of the objects stay.
      - A purge that would remove more is refused and names the objects.
    type: int
    default: 30
  update_limit:
    description:
      - The share of the existing objects of a kind, in per cent, that a run may change. New objects do not count.
        Where fewer than ten objects exist, all of them may change.
      - A run that would change more is refused and names the objects.
    type: int
    default: 30
"""

    # Modules that can remove objects.
    PROTECT = r"""
options:
  protect:
    description:
      - Objects that nothing removes, by name or by shell pattern (V(*.fabrikam.com)), compared without regard to case.
        A purge leaves them alone whether they are listed or not. A task that would remove one by name is refused and
        names the pattern.
      - Wins over everything, force included.
      - V([]) protects nothing.
    type: list
    elements: str
    default: []
"""

    # Modules that deal with policies in force.
    RIGHTS = r"""
options:
  allow_loss:
    description:
      - Rights that the run may take away from users. A policy carries more than XMPP access, and a user has only one.
        So every change of a policy that somebody has, and every grant, is compared with what the users can do now.
      - A run that would take away a right that is not named here is refused. The refusal names the right and those
        concerned.
      - Losing XMPP access itself is not guarded.
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

    # Modules whose policies say who has them.
    EXCLUSIVE = r"""
options:
  exclusive_grants:
    description:
      - Whether the lists in O(policies[].granted_to) are complete, so that who is not listed loses the policy. Policies
        without such a list are left alone.
      - With a group, who is not a member loses the policy.
      - Reads everyone who has a per-user policy.
    type: bool
    default: false
"""

    # Modules that grant to users who were chosen by a selector.
    REPLACED = r"""
options:
  allow_replaced_policies:
    description:
      - Whether a grant to users who were chosen by pool, site or group, rather than by name, may replace another
        per-user policy.
    type: bool
    default: false
"""

    # Modules that grant, with a choice of the directory's part in it.
    ACCOUNTS = r"""
options:
  protected_accounts:
    description:
      - What to do about accounts that the server does not let the session change. Active Directory protects
        administrators in this way, and the remote shell then answers C(Insufficient access rights). Use the local
        shell of a domain administrator for them.
    type: str
    choices:
      warn: Leave them as they are, and warn. Their steps have the result V(failed), and the task succeeds.
      fail: Let the task fail.
    default: fail
  domain_controller:
    description:
      - The fully qualified name of the domain controller to read users from and to grant through.
      - Without it the server chooses which one tells of the users. Grants are written there and read back from there,
        for each domain of Active Directory on one of its own, because another may not have heard of them yet.
    type: str
"""
