# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment as the files of an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: export
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Make the files of an inventory from an existing deployment
description:
  - Turns what M(sfb.xmpp.xmpp_federation_info) returns into the files of an inventory with which C(sfb.xmpp.converge)
    has nothing to do. Writes nothing itself.
  - Fails where a file stands in the directory that was not made here, or was changed since.
options:
  _terms:
    description:
      - What M(sfb.xmpp.xmpp_federation_info) returned.
    required: true
    type: list
    elements: dict
  into:
    description:
      - The directory in which the files are to be written.
    required: true
    type: str
  defaults:
    description:
      - Whether to name properties too that have the value of a new object. Without them the file is shorter, and nobody
        notices when somebody changes one of them on the server.
    type: bool
    default: true
  deployment:
    description:
      - The name of the deployment.
    type: str
    default: default
  host:
    description:
      - The management host through which it was read.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Read everything
  sfb.xmpp.xmpp_federation_info:
  register: existing

- name: Show the files
  ansible.builtin.debug:
    msg: "{{ query('sfb.xmpp.export', existing, into='/srv/inventory') }}"
"""

RETURN = r"""
_raw:
  description: The files, with the keys C(path) and C(content).
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._base.result import Refused
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._files import export as _export


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(
        self, terms: list[dict[str, t.Any]], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, str]]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        options = lookup.get_options()
        into = str(options["into"])
        found = []
        try:
            for term in terms:
                texts = _export.files(
                    plain(term),
                    deployment=str(options["deployment"]),
                    host=str(options["host"]),
                    defaults=bool(options["defaults"]),
                )
                _export.check_ours(into, texts)
                found += [{"path": os.path.join(into, name), "content": text} for name, text in texts.items()]
        except Refused as exc:
            raise AnsibleError("Nothing was written: %s" % exc) from None
        return found
