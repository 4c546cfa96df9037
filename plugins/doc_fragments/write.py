# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules share that change the deployment: the plan that was reviewed, and how a run goes."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  plan_digest:
    description:
      - The plan that was reviewed. The plan is made again, and any other plan is refused before anything is written.
      - Give the whole RV(ignore:plan_digest) that this task returned in check mode. Then the plan must also be made
        from the same state, and the refusal names what is different.
      - Or give its C(digest) alone, a string of 64 hexadecimal digits. It depends on the deployment and on the steps.
      - Values of secrets are not compared.
    type: raw
notes:
  - Which deployment it is, is read with the rest, by C(Get-CsService -CentralManagement) and C(Get-CsSipDomain). An
    account that is not offered these can still run the task.
  - Each task that may write has a line in the journal on the controller. See the playbook C(sfb.xmpp.history).
  - Everything is checked before the first write. A run that is refused has written nothing and returns its reasons.
  - On one controller one run at a time reads, plans and writes to a deployment. Another one waits for at most 30
    minutes. Check mode does not wait.
  - Immediately before the first write the kinds of objects that are to be written are read once more. Where an object
    that the plan writes or depends on has changed since, the run is refused and names it.
  - When some steps fail, what does not depend on them is done all the same. The task fails and returns every failure.
    A further run does what is missing.
seealso:
  - ref: ansible_collections.sfb.xmpp.docsite.guide_planning
    description: The plan, what bounds it, lost rights, failures and reruns.
"""

    # Modules whose options are properties.
    VALUES = r"""
options: {}
notes:
  - An option that is left out, or null, leaves the property as it is. V('') clears a text and V([]) a list. A number or
    a switch can be set, but not cleared. The defaults that the option's text gives are the product's, for new objects;
    the module has none of its own.
"""
