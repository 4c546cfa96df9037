# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the file of a capture."""

from __future__ import annotations

DOCUMENTATION = r"""
name: capture
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Write the file of a capture
description:
  - Puts together what M(sfb.xmpp.xmpp_capture_info) returned of each server and writes it as one file, in check mode
    too. It is what C(sfb.xmpp.capture) ends with.
options:
  _terms:
    description:
      - What M(sfb.xmpp.xmpp_capture_info) returned, of each server.
    required: true
    type: list
    elements: dict
  left_out:
    description:
      - Servers that could not be read, a text each, for the message where there is no other.
    type: list
    elements: str
    default: []
  into:
    description:
      - The file. One that is there is replaced if it is a capture.
    required: true
    type: str
"""

EXAMPLES = r"""
- name: Write the file
  ansible.builtin.debug:
    msg: "{{ lookup('sfb.xmpp.capture', captured, into='/srv/capture.json') }}"
"""

RETURN = r"""
_raw:
  description: A sentence on what is in the file.
  type: list
  elements: str
"""

import datetime
import importlib.metadata
import json
import os
import sys
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.release import __version__ as core

from ..module_utils._base import private_file
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import count, utc
from ..module_utils._base.version import VERSION
from ..plugin_utils._actions.plain_values import plain

FORMAT = "sfb.xmpp capture"
FORM = 1


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        options = lookup.get_options()
        into = os.path.expanduser(str(options["into"]))
        found = [plain(one) for term in terms for one in (term if isinstance(term, list) else [term])]
        parts = [one["capture"] for one in found if isinstance(one, dict) and "capture" in one]
        if not parts:
            reasons = "".join("\n- %s" % text for text in options["left_out"])
            raise AnsibleError("Nothing was written: no server could be read%s" % (reasons and ":" + reasons))
        try:
            _check(into)
            private_file.write(
                into, (json.dumps(_document(parts), ensure_ascii=False, indent=1) + "\n").encode(), "into"
            )
        except Refused as exc:
            raise AnsibleError("Nothing was written: %s" % exc) from None
        answers = sum(len(part["host"]["statements"]) for part in parts)
        hosts = [part["host"] for part in parts]
        return ["%s of %s in %s" % (count(range(answers), "answer"), count(hosts, "server"), into)]


def _check(path: str) -> None:
    """Raises Refused where something else is there."""
    data = private_file.read_if_there(path, "into")
    if data is None:
        return
    try:
        ours = json.loads(data).get("format") == FORMAT
    except (ValueError, AttributeError):
        ours = False
    if not ours:
        raise Refused(["into: %s is there and is no capture; name another file" % path])


def _document(parts: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """The whole file. The release is that of the first management host."""
    parts = sorted(parts, key=lambda part: str(part["host"]["role"]) != "management")
    return {
        "format": FORMAT,
        "version": FORM,
        "profile": parts[0]["profile"],
        "hosts": [part["host"] for part in parts],
        "made": utc(datetime.datetime.now(datetime.timezone.utc)),
        "by": "sfb.xmpp %s, ansible-core %s, Python %d.%d, pypsrp %s"
        % (VERSION, core, sys.version_info[0], sys.version_info[1], _pypsrp()),
    }


def _pypsrp() -> str:
    try:
        return importlib.metadata.version("pypsrp")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
