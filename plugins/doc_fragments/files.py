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
      - XML of C(Export-Clixml), JSON, or CSV separated by commas, semicolons or tabs. In UTF-8, or in UTF-16 with its
        byte order mark, as Windows PowerShell writes it with C(>) and C(Export-Clixml).
    required: true
    type: list
    elements: str
  encoding:
    description:
      - The encoding of a file without a byte order mark, C(cp1252) or C(utf-16) for example. UTF-8 if it is empty.
      - A file with a byte order mark is read by that.
    type: str
    default: ''
  ignore_columns:
    description:
      - Columns that are left out without a word, whatever their names sound like.
    type: list
    elements: str
    default: []
notes:
  - Columns have the names of the options or of the cmdlet's properties, in any case and order, with blanks or without,
    or common short ones such as C(TLS). What PowerShell adds is left out in silence, other unknown columns with a
    warning. A name that is nearly right is an error, and so is an unknown one that sounds like security.
  - An empty cell of a CSV file, and C(null), leave the property alone.
  - Every mistake in the file is reported at once, with its line or record.
  - The guide R(Import from what you have, ansible_collections.sfb.xmpp.docsite.guide_import) shows how to export.
"""
