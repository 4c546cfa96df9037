# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module needs: the remote shell, and what it was tried against."""

from __future__ import annotations


class ModuleDocFragment:
    # Modules that work on the Central Management Store.
    DOCUMENTATION = r"""
options: {}
requirements:
  - pypsrp on the controller, for the connection
notes:
  - Needs the connection P(sfb.xmpp.management_shell#connection) to one deployment's management shell, normally
    C(https://FRONTEND/OcsPowershell). The module runs on the controller; on the server it calls cmdlets, never script
    text.
  - No Lync Server or Skype for Business Server was at hand. The module was tried against the collection's lab, which
    follows Microsoft's documentation of the cmdlets; where that is silent, the lab assumes.
seealso:
  - plugin: sfb.xmpp.management_shell
    plugin_type: connection
"""

    # Modules that change objects.
    WRITE = r"""
options: {}
notes:
  - An option that is left out, or null, leaves the property as it is. V('') clears a text and V([]) a list; a number
    or a switch can be set, but not cleared. The defaults that the option's text gives are the product's, for new
    objects; the module has none of its own.
  - Everything is checked before the first write. A run that is refused has written nothing and returns its reasons.
  - When some steps fail, the others are applied all the same; the task fails, returns every failure, and a further
    run does what is missing.
"""
