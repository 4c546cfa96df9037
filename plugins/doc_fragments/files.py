# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lookup plugins have in common: the files that they read, and how."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
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
  - Columns have the names of the options or of the cmdlet's properties, in any case and order. What PowerShell adds is
    left out in silence, other unknown columns with a warning. A name that is nearly right is an error.
  - An empty cell of a CSV file, and C(null), leave the property alone.
  - Every mistake in the file is reported at once, with its line or record.
  - The guide R(Import from what you have, ansible_collections.sfb.xmpp.docsite.guide_import) shows how to export.
"""
