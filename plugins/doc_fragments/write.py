# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the options and notes of all modules that change the deployment."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  plan_digest:
    description:
      - The plan that you reviewed. The run makes the plan again. Any other plan is refused before anything is written.
      - Use the complete RV(ignore:plan_digest) that this task returned in check mode. Then the plan must also have the
        same initial state, and a refusal lists the differences.
      - You can also use only the C(digest) of this result, a string of 64 hexadecimal digits. The digest depends on the
        deployment and on the steps.
      - Values of secrets are not compared.
    type: raw
notes:
  - The module reads the identity of the deployment with C(Get-CsService -CentralManagement) and C(Get-CsSipDomain). An
    account without these cmdlets can still run the task.
  - Each task that may write has a line in the journal on the controller. See the playbook C(sfb.xmpp.history).
  - The run checks everything before the first write. A refused run has written nothing and returns its reasons.
  - On a controller, only one run at a time reads, plans and writes to a deployment. Another run waits for at most 30
    minutes. Check mode does not wait.
  - Immediately before the first write, the run reads again the objects of all kinds that it changes. If an object of
    the plan has changed, the run is refused and names the object.
  - If some steps fail, the steps that do not depend on the failed steps are still done. The task fails and returns
    every failure.
    Run again to do the missing steps.
seealso:
  - ref: ansible_collections.sfb.xmpp.docsite.guide_planning
    description: Explains the plan, its limits, lost rights, failures and repeated runs.
"""

    # Modules whose options are properties.
    VALUES = r"""
options: {}
notes:
  - If an option is left out or null, the property does not change. V('') clears a text and V([]) a list. A number or a
    switch can be set, but not cleared. The defaults in the texts of the options are the product's defaults for new
    objects. The module itself has no defaults for these options.
"""
