# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that take a whole list, and of those that may take rights away."""

from __future__ import annotations


class ModuleDocFragment:
    # Plural modules: what is not listed, and what may not go.
    DOCUMENTATION = r"""
options:
  purge:
    description:
      - Whether to remove what is not listed.
      - A purge is refused when the list is empty, or when it would remove more objects than the larger of three and
        O(removal_limit). O(force) lifts both limits.
    type: bool
    default: false
  protect:
    description:
      - Objects that a purge leaves alone whether they are listed or not, by name or by shell pattern
        (V(*.fabrikam.com)). Compared without regard to case.
      - Wins over O(purge) and O(force).
      - V([]) protects nothing.
    type: list
    elements: str
    default: []
  removal_limit:
    description:
      - The share of the existing objects, in per cent, that a purge may remove without O(force). Three objects may
        always go.
    type: int
    default: 30
  update_limit:
    description:
      - The share of the existing objects, in per cent, that a run may change without O(force). Creating objects does
        not count. Where fewer than ten objects exist, all of them may change.
    type: int
    default: 30
  force:
    description:
      - Whether a run may go beyond its limits, which are to remove everything that is not listed, and to change
        everything that is. A refusal names the objects first.
    type: bool
    default: false
  stage:
    description:
      - Which part of the plan to carry out. Removals can so be put off until other objects, such as grants, have been
        changed.
      - The whole plan is judged in either case, so what would be refused later is refused at once.
    type: str
    choices:
      all: Everything.
      changes: Creates and changes, and removes nothing.
      removals: Removes, and neither creates nor changes.
    default: all
"""

    # Modules of one object that can be absent.
    PROTECT = r"""
options:
  protect:
    description:
      - Objects that O(state=absent) does not remove, by name or by shell pattern (V(*.fabrikam.com)). Compared without
        regard to case. The refusal names the pattern.
      - V([]) protects nothing.
    type: list
    elements: str
    default: []
"""

    # Modules whose plan can be kept and given back.
    DIGEST = r"""
options:
  plan_digest:
    description:
      - The RV(ignore:plan_digest) that this task returned in check mode. The plan is made anew, and unless it is the
        same, made from the same state, the run is refused before anything is written. The refusal names what is
        different.
      - Values of secrets are not compared.
      - In the stage V(removals) of a module that has stages, only what would be removed is compared, since an earlier
        stage has changed the rest.
    type: dict
"""

    # Modules that deal with policies in force.
    RIGHTS = r"""
options:
  allow_loss:
    description:
      - Rights that the run may take away from users. A policy carries more than XMPP access, and a user has only one,
        so every change of a policy that somebody has, and every grant, is compared with what the users can do now.
      - A run that would take away a right that is not named here is refused, with the right and those concerned.
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
