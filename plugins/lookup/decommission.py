# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage of a decommission that is due."""

from __future__ import annotations

DOCUMENTATION = r"""
name: decommission
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Say which stage of a decommission is due
description:
  - Says what C(sfb.xmpp.decommission) does next, from what M(sfb.xmpp.xmpp_federation_info) returned. Changes nothing.
options:
  _terms:
    description:
      - What M(sfb.xmpp.xmpp_federation_info) returned.
    required: true
    type: list
    elements: dict
  into:
    description:
      - The directory with the export and the sheets.
    required: true
    type: str
  stage:
    description:
      - The stage that is wanted. The first that is not done if empty.
    type: str
    default: ''
  deployment:
    description:
      - The name of the deployment.
    type: str
    default: default
  confirmed:
    description:
      - The sentence that the user wrote.
    type: str
    default: ''
  check:
    description:
      - Whether nothing is going to be written, so that no sentence is needed.
    type: bool
    default: false
  protect:
    description:
      - Domains and policies that stay.
    type: list
    elements: str
    default: []
  bound:
    description:
      - The Edges that have a certificate for XMPP.
    type: list
    elements: str
    default: []
  own_domains:
    description:
      - The domains that partners may address.
    type: list
    elements: str
    default: []
  ends:
    description:
      - The day on which the federation ends, for the sheets.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Show what would come next
  ansible.builtin.debug:
    msg: "{{ lookup('sfb.xmpp.decommission', existing, into='/srv/way-out', check=true) }}"
"""

RETURN = r"""
_raw:
  description:
    - A dictionary with C(name), of the stage, C(policies), C(partners) and C(routes), as M(sfb.xmpp.xmpp_federation)
      takes them, C(kept), what is protected, C(files), the sheets with C(path) and C(content), C(next) and C(left).
  type: list
  elements: dict
"""

import dataclasses
import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._base.result import Refused
from ..module_utils._federation.files import safe
from ..plugin_utils import _decommission
from ..plugin_utils._export import VARIABLES
from ..plugin_utils._plain import plain
from ..plugin_utils._sheet import Form


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(
        self, terms: list[dict[str, t.Any]], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        options = plain(lookup.get_options())
        wanted = _decommission.sentence(options["deployment"])
        if not options["check"] and options["confirmed"] != wanted:
            text = 'Nothing was written: this removes XMPP federation for good; confirm it with %s: "%s"'
            raise AnsibleError(text % (_decommission.VARIABLE, wanted))
        try:
            return [_one(plain(term), options, wanted) for term in terms]
        except Refused as exc:
            raise AnsibleError("Nothing was written: %s" % exc) from None


def _one(info: dict[str, t.Any], options: t.Mapping[str, t.Any], wanted: str) -> dict[str, t.Any]:
    into = str(options["into"])
    stage = _decommission.find_stage(
        info,
        asked=options["stage"],
        exported=os.path.exists(os.path.join(into, VARIABLES)),
        protect=options["protect"],
        bound=options["bound"],
    )
    told = "" if options["confirmed"] == wanted else 'A run needs %s: "%s"' % (_decommission.VARIABLE, wanted)
    return {
        **{n: list(v) if isinstance(v, tuple) else v for n, v in dataclasses.asdict(stage).items()},
        "files": _files(info, into, options) if stage.name == "export" else [],
        "next": [_decommission.NEXT[stage.name], *([told] if told else [])],
        "left": list(_decommission.LEFT),
    }


def _files(info: dict[str, t.Any], into: str, options: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    own = options["own_domains"]
    found = []
    forms: tuple[tuple[Form, str], ...] = (("markdown", "md"), ("text", "txt"))
    for form, ending in forms:
        found.append({"path": "dns-records-to-delete." + ending, "content": _decommission.records_sheet(own, form)})
        for partner in info["partners"]:
            text = _decommission.ending_sheet(partner, own, options["ends"], form)
            name = "%s.%s" % (safe(partner["domain"]), ending)
            found.append({"path": os.path.join("partners", name), "content": text})
    return [{**one, "path": os.path.join(into, one["path"])} for one in found]
