# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files of an audit."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit
author: the sfb.xmpp authors (!UNKNOWN)
version_added: 0.2.0
short_description: Write the files of an audit
description:
  - Puts together what the modules returned, compares it with the audit that is in the directory, and writes the new one
    there, in check mode too. It is what C(sfb.xmpp.audit) ends with.
options:
  _terms:
    description:
      - What was gathered of a deployment, a dictionary. C(existing) is what M(sfb.xmpp.xmpp_federation_info) returned,
        C(plan) what M(sfb.xmpp.xmpp_federation) did in check mode, C(probe) what M(sfb.xmpp.xmpp_partner_probe) did,
        C(edges) what M(sfb.xmpp.xmpp_gateway_cert_info) did on each Edge, by host. C(deployment), C(host) and
        C(access_edge) are names.
    required: true
    type: list
    elements: dict
  into:
    description:
      - The directory.
    required: true
    type: str
  fail_on:
    description:
      - From which severity on a finding counts, V(error), V(unknown), V(warning), V(info) or V(never).
    type: str
    default: error
"""

EXAMPLES = r"""
- name: Write the audit
  ansible.builtin.set_fact:
    audit: "{{ lookup('sfb.xmpp.audit', gathered, into='/srv/audit') }}"
"""

RETURN = r"""
_raw:
  description:
    - A dictionary with C(headline), a sentence, C(paths), of the files, and C(reached), a text for each finding that
      counts.
  type: list
  elements: dict
"""

import datetime
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._base.names import Invalid
from ..module_utils._base.result import Refused
from ..module_utils._base.texts import utc
from ..module_utils._base.version import VERSION
from ..plugin_utils._audit import files, words
from ..plugin_utils._audit.gather import gather
from ..plugin_utils._audit.make import make_audit
from ..plugin_utils._plain import plain
from ..plugin_utils._report.findings import reached, sentence


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(
        self, terms: list[dict[str, t.Any]], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        lookup: t.Any = self
        lookup.set_options(var_options=variables, direct=dict(kwargs))
        options = lookup.get_options()
        into, fail_on = str(options["into"]), str(options["fail_on"])
        try:
            reached((), fail_on)
        except Invalid as exc:
            raise AnsibleError("sfb_xmpp_audit.%s" % exc) from None
        try:
            return [_write(plain(term), into, fail_on) for term in terms]
        except Refused as exc:
            raise AnsibleError(str(exc)) from None
        except Invalid as exc:
            raise AnsibleError("into: %s: %s" % (into, exc)) from None


def _write(given: dict[str, t.Any], into: str, fail_on: str) -> dict[str, t.Any]:
    """Raises Refused, Invalid."""
    deployment, host = str(given.pop("deployment")), str(given.pop("host"))
    before = files.previous(into)
    audit = make_audit(
        collection=VERSION,
        deployment=deployment,
        time=utc(datetime.datetime.now(datetime.timezone.utc)),
        host=host,
        previous=before if before and before["deployment"] == deployment else None,
        **gather(deployment=deployment, **given),
    )
    return {
        "headline": words.headline(audit),
        "paths": files.save(into, audit, fail_on),
        "reached": ["%s: %s" % (one["object"], sentence(one)) for one in reached(audit["findings"], fail_on)],
    }
