# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read XMPP federated partners from a file of an administrator."""

from __future__ import annotations

DOCUMENTATION = r"""
name: partners
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.1.0
short_description: Read XMPP federated partners from a CLIXML, JSON or CSV file
description:
  - Reads a table written by hand, or an export of C(Get-CsXmppAllowedPartner) made with C(Export-Clixml),
    C(ConvertTo-Json) or C(Export-Csv). Returns a value for the option
    O(sfb.xmpp.xmpp_federated_partners#module:partners) and the variable C(sfb_xmpp_partners).
extends_documentation_fragment:
  - sfb.xmpp.files
seealso:
  - plugin: sfb.xmpp.policies
    plugin_type: lookup
  - module: sfb.xmpp.xmpp_federated_partners
"""

EXAMPLES = r"""
# A table that Excel saved on a western Windows, with a column to leave out
# {{ lookup('sfb.xmpp.partners', 'old.csv', encoding='cp1252', ignore_columns=['Security contact']) }}
# In the inventory, group_vars/all/main.yml: read the list from a file next to the inventory
sfb_xmpp_partners: "{{ lookup('sfb.xmpp.partners', inventory_dir ~ '/partners.csv') }}"
"""

RETURN = r"""
_raw:
  description: >-
    One list for each file. Each element is a dictionary with the option C(domain) and the options that the file has.
  type: list
  elements: list
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ..module_utils._federation.catalogue import PARTNER
from ..plugin_utils._files.lookup import read


class LookupModule(LookupBase):
    """Read partners from files (see DOCUMENTATION)."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[t.Any]:
        return [read(self, PARTNER, term, variables, kwargs) for term in terms]
