# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the notes that every module shares, about the remote shell and about the tests of the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # Modules that work on the Central Management Store.
    DOCUMENTATION = r"""
options: {}
requirements:
  - pypsrp on the controller, for the connection
notes:
  - The module needs the connection P(sfb.xmpp.management_shell#connection) to the management shell of one deployment,
    normally C(https://FRONTEND/OcsPowershell). The module runs on the controller. On the server, the module calls
    cmdlets, never script text.
  - The module was not tested against Lync Server or Skype for Business Server, because no such server was available.
    The module was tested against the collection's lab, which follows Microsoft's documentation of the cmdlets. If the
    documentation has no answer, the lab makes an assumption.
seealso:
  - plugin: sfb.xmpp.management_shell
    plugin_type: connection
"""
