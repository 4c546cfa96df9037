# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converges an inventory against the lab instead of its servers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Converge an inventory against the lab
description:
  - Starts the collection's lab in the shape of the inventory, converges it twice, looks at what came of it, and lets
    real XMPP servers play the partners where Prosody is installed. It is what C(sfb.xmpp.rehearse) does.
  - No host of the inventory is connected to. Of their variables only those that begin with C(sfb_xmpp_) and
    C(ansible_management_shell_modules) go with them into the lab.
options:
  _terms:
    description:
      - What is rehearsed, a text for the report.
    required: true
    type: list
    elements: str
  into:
    description:
      - The directory for C(rehearsal.md) and C(rehearsal.xml). Nothing is written without it.
    type: str
    default: ''
  profile:
    description:
      - The product, C(lync2013) or C(sfb2015). Without it C(lync2013) where Edges load the module C(Lync).
    type: str
    default: ''
  start:
    description:
      - What the lab is to have first, what C(sfb.xmpp.export) wrote, or a capture. Without it what there is after an
        installation.
    type: str
    default: ''
  fail_on:
    description:
      - From which severity on a finding counts, V(error), V(unknown), V(warning), V(info) or V(never).
    type: str
    default: error
"""

EXAMPLES = r"""
- name: Rehearse
  ansible.builtin.set_fact:
    rehearsal: "{{ lookup('sfb.xmpp.rehearsal', 'inventory', into='/srv/rehearsal') }}"
"""

RETURN = r"""
_raw:
  description:
    - A dictionary with C(lines), what happened, C(paths), of the files, and C(mistakes), why it did not succeed.
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from jinja2 import TemplateError

from ..module_utils._base import private_file
from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..plugin_utils._actions.plain_values import plain
from ..plugin_utils._documents import rehearsal as report
from ..plugin_utils._documents.finding_order import reached
from ..plugin_utils._rehearsal.inventory import GROUPS, VERIFICATION, carried
from ..plugin_utils._rehearsal.rehearse import rehearse

_PROFILES = ("", "lync2013", "sfb2015")


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        options = {name: str(value) for name, value in lookup.get_options().items()}
        try:
            if options["profile"] not in _PROFILES:
                raise Invalid("profile: '%s' is none of lync2013, sfb2015" % options["profile"])
            reached((), options["fail_on"])
            return [self._one(str(term), variables or {}, options) for term in terms]
        except Refused as exc:
            raise AnsibleError("Nothing was rehearsed: %s" % exc) from None
        except Invalid as exc:
            raise AnsibleError(str(exc)) from None

    def _one(self, term: str, variables: dict[str, t.Any], options: t.Mapping[str, str]) -> dict[str, t.Any]:
        done = rehearse(_hosts(variables), term, options["profile"], options["start"], _tell)
        texts = {
            "rehearsal.md": report.as_markdown(done, options["fail_on"]),
            "rehearsal.xml": report.as_junit(done, options["fail_on"]),
        }
        paths = [os.path.join(options["into"], name) for name in texts] if options["into"] else []
        if paths:
            os.makedirs(options["into"], exist_ok=True)
        for path, text in zip(paths, texts.values(), strict=False):
            private_file.write(path, text.encode("utf-8", "replace"), "into")
        return {"lines": _lines(done), "paths": paths, "mistakes": report.mistakes(done, options["fail_on"])}


def _hosts(variables: t.Mapping[str, t.Any]) -> dict[str, dict[str, dict[str, t.Any]]]:
    """The hosts by group, each with what goes with it into the lab."""
    found: dict[str, dict[str, dict[str, t.Any]]] = {}
    for group in GROUPS:
        for host in variables["groups"].get(group, ()):
            values = variables["hostvars"][host]
            own = found.setdefault(group, {}).setdefault(str(host), {})
            for name in filter(carried, map(str, values)):
                try:
                    own[name] = plain(values[name])
                except (AnsibleError, TemplateError):
                    # It may rest on what is not there now, and converge does not read it.
                    if name != VERIFICATION:
                        raise
    return found


def _lines(done: t.Mapping[str, t.Any]) -> list[str]:
    lines = ["%s: %s, %.1f s" % (run["name"], run["result"], run["seconds"]) for run in done["runs"]]
    lines += ["%s: %s: %s" % (one["severity"], one["object"], one["message"]) for one in done["findings"]]
    return lines + ["not rehearsed: %s: %s" % (one["name"], one["reason"]) for one in done["skipped"]]


def _tell(text: str) -> None:
    Display().display("sfb.xmpp.rehearse: %s" % text)
