# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document the options that the lookup plugins share, about the files that they read."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  _terms:
    description:
      - Names of files. A relative name is searched as P(ansible.builtin.file#lookup) does. With C({{ inventory_dir }})
        in front, the file is searched in the directory of the inventory.
      - The formats are XML of C(Export-Clixml), JSON, and CSV with commas, semicolons or tabs. The encoding is UTF-8,
        or UTF-16 with a byte order mark. Windows PowerShell writes UTF-16 with C(>) and C(Export-Clixml).
    required: true
    type: list
    elements: str
  encoding:
    description:
      - The encoding of a file without a byte order mark, such as C(cp1252) or C(utf-16). If the option is empty, UTF-8
        is used.
      - If a file has a byte order mark, the mark decides.
    type: str
    default: ''
  ignore_columns:
    description:
      - Columns that are ignored without a warning, even if their names are similar to the names of settings.
    type: list
    elements: str
    default: []
notes:
  - A column has the name of an option, the name of a property of the cmdlet, or a common short name such as C(TLS).
    Case, order and blanks do not matter. Columns that PowerShell adds are left out. Other unknown columns are left out
    with a warning. A name with a spelling mistake is an error. An unknown name that suggests a security setting is also
    an error.
  - If a CSV cell is empty, or a value is C(null), the property does not change.
  - All mistakes in the file are reported at once, with their line or record.
  - The guide R(Import from what you have, ansible_collections.sfb.xmpp.docsite.guide_import) shows how to export.
"""
