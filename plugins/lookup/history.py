# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs and the snapshots beside it, as text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: history
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Show the journal of runs and the snapshots beside it
description:
  - Reads the journal that C(sfb.xmpp.converge) and C(sfb.xmpp.restore) keep on the controller, and says which snapshots
    lie beside it.
options:
  _terms:
    description:
      - The directory of snapshots. An empty text means the one that is used where C(sfb_xmpp_snapshot_directory) is not
        set.
    required: true
    type: list
    elements: str
  snapshots_of:
    description:
      - The name of a deployment. The result is then the names of its snapshots, the newest first.
    type: str
"""

EXAMPLES = r"""
- name: Show the journal
  ansible.builtin.debug:
    msg: "{{ lookup('sfb.xmpp.history', '').splitlines() }}"
"""

RETURN = r"""
_raw:
  description:
    - For each directory a text, with a line for each run, the last first, and one for each snapshot, the newest first.
    - With O(snapshots_of), names of files instead.
  type: list
  elements: str
"""

import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._base.result import Refused
from ..module_utils._federation.files import Snapshots, default_directory
from ..module_utils._shell.statement import Place
from ..plugin_utils import _journal
from ..plugin_utils._report import history


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        deployment = lookup.get_option("snapshots_of")
        home = constants.config.get_config_value("ANSIBLE_HOME")
        directories = [str(term) or default_directory(home) for term in terms]
        try:
            if deployment is None:
                return list(map(_text, directories))
            place = Place(deployment=str(deployment))
            kept = [Snapshots(directory, "sfb_xmpp_snapshot_directory", place) for directory in directories]
            return [os.path.basename(path) for snapshots in kept for path in snapshots.files()]
        except Refused as exc:
            raise AnsibleError(str(exc)) from None


def _text(directory: str) -> str:
    names = _journal.snapshots(directory)
    runs = history.text_table(history.runs(_journal.read(directory)))
    return "\n".join([runs, "Snapshots in %s:" % directory, *(names or ["none"])]) + "\n"
