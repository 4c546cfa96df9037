# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads XMPP federated partners from a file that an administrator has."""

from __future__ import annotations

DOCUMENTATION = r"""
name: partners
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.1.0
short_description: Read XMPP federated partners from a CSV or JSON file
description:
  - Reads a table written by hand, or an export of C(Get-CsXmppAllowedPartner) made with C(Export-Csv) or
    C(ConvertTo-Json), and returns what the option O(sfb.xmpp.xmpp_federated_partners#module:partners) and the
    variable C(sfb_xmpp_partners) take.
  - Columns have the names of the options or of the cmdlet's properties, in any case and order. What PowerShell adds is
    left out in silence, other unknown columns with a warning. A name that is nearly right is an error.
  - An empty cell of a CSV file, and C(null), leave the property alone.
  - Every mistake in the file is reported at once, with its line or record.
options:
  _terms:
    description:
      - Names of files. Relative ones are looked for as P(ansible.builtin.file#lookup) does. C({{ inventory_dir }}) in
        front takes them from beside the inventory.
      - CSV separated by commas, semicolons or tabs, or JSON. In UTF-8, or in UTF-16 with its byte order mark, as
        Windows PowerShell writes it with C(>).
    required: true
    type: list
    elements: str
notes:
  - The guide R(Import from what you have, ansible_collections.sfb.xmpp.docsite.guide_import) shows how to export.
seealso:
  - plugin: sfb.xmpp.policies
    plugin_type: lookup
  - module: sfb.xmpp.xmpp_federated_partners
"""

EXAMPLES = r"""
# In the inventory, group_vars/all/main.yml: the file stays where the list is kept
sfb_xmpp_partners: "{{ lookup('sfb.xmpp.partners', inventory_dir ~ '/partners.csv') }}"
"""

RETURN = r"""
_raw:
  description: One list for each file, of dictionaries with the option C(domain) and those that the file says something
    of.
  type: list
  elements: list
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ..module_utils._catalogue import PARTNER
from ..plugin_utils._lookup import read


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[t.Any]:
        return [read(self, PARTNER, term, variables) for term in terms]
