# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare a new partner: probe the partner, then choose, show and write the settings (see _playbooks/onboarding.py)."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._base import private_file
from ..module_utils._base.names import Invalid, canonical_domain
from ..module_utils._base.result import Refused
from ..module_utils._federation.files import safe
from ..module_utils._probe.tasks import TASK as PROBE
from ..modules.xmpp_onboarding import TASK
from ..plugin_utils._actions.in_process import failed, skipped
from ..plugin_utils._actions.playbook import PlaybookAction
from ..plugin_utils._documents.show import show
from ..plugin_utils._files.working_directory import absolute
from ..plugin_utils._playbooks.audit_decide import probe_options
from ..plugin_utils._playbooks.onboarding import Onboarding, added, decide, lines
from ..plugin_utils._servers.inventory import servers_in
from ..plugin_utils._settings.certificate import certificate_of
from ..plugin_utils._settings.source import settings_of

Result = dict[str, t.Any]

# The directory of the sheets.
SHEETS = "sfb-xmpp-onboard"
INTO = "sfb_xmpp_into"


class ActionModule(PlaybookAction):
    """Probe and show in check mode too, but write nothing then."""

    work_of = TASK

    def _decide(self, variables: Result) -> Result:
        servers, own = servers_in(variables), str(variables["inventory_hostname"])
        mine = servers.of(own)
        playing = [host for host in mine.doors if host in (variables.get("ansible_play_hosts_all") or mine.doors)]
        if playing and own != playing[0]:
            return skipped("another host works for the deployment")
        try:
            return self._onboard(variables)
        except Refused as exc:
            return failed(exc.reasons)

    def _onboard(self, variables: Result) -> Result:
        """Probe the partner, show the result, and write the files. Raises Refused."""
        values = settings_of(self, variables, self.playbook).values
        try:
            domain = canonical_domain(str(values["for_partner"]).rpartition("@")[2])
        except Invalid as exc:
            raise Refused(["sfb_xmpp_for_partner: %s" % exc]) from None
        options = probe_options(values.get("verification", {}), certificate_of(self, variables), [])
        if not options["from_domain"]:
            text = "sfb_xmpp_verification.own_domains: is missing. Set it to your SIP domains. The probe uses the first"
            raise Refused([text])
        probed = self._on_controller(PROBE, {**options, "domains": [domain]})
        if probed.get("failed"):
            return probed
        found = decide(probed["domains"][0], _own(options, probed), str(values.get("ticket", "")))
        paths, diff = self._write(found, domain, str(values.get("into", "")))
        show(lines(found, domain, paths))
        return {
            "changed": bool(paths),
            "diff": diff,
            "declare": found.partner,
            "paths": paths,
            "sentence": found.failed,
            "report": lines(found, domain, paths),
        }

    def _write(self, found: Onboarding, domain: str, into: str) -> tuple[list[str], list[dict[str, str]]]:
        """Write the files that differ. Return the paths and the differences. Raises Refused."""
        wanted: dict[str, str] = {}
        if found.sheet:
            wanted[_absolute(os.path.join(SHEETS, safe(domain) + ".md"))] = found.sheet
        if into and found.partner:
            path = _absolute(into)
            text = (private_file.read_if_there(path, INTO) or b"").decode("utf-8", "replace")
            try:
                wanted[path] = added(text, found.partner)
            except Invalid as exc:
                raise Refused(["%s: %s: %s" % (INTO, into, exc)]) from None
        diff = []
        for path, text in wanted.items():
            before = (private_file.read_if_there(path, INTO) or b"").decode("utf-8", "replace")
            if before == text:
                continue
            diff.append({"before": before, "after": text, "before_header": path, "after_header": path})
            if not self._task.check_mode:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                private_file.write(path, text.encode(), INTO, secret=False)
        return [one["after_header"] for one in diff], diff


def _absolute(path: str) -> str:
    """Return an absolute path. Raises Refused."""
    try:
        return absolute(path)
    except AnsibleError as exc:
        raise Refused(["%s: %s" % (INTO, exc)]) from None


def _own(options: t.Mapping[str, t.Any], probed: Result) -> Result:
    """Return your own side for the sheet: the settings, and the certificate that the own gateway presents."""
    seen: Result = next((one for one in probed.get("own") or () if one.get("certificate")), {})
    edge = str(options.get("access_edge") or "")
    found = {
        "domains": list(options.get("own_domains") or ()),
        "access_edge": edge,
        "addresses": (seen.get("addresses") or {}).get(edge) or (),
        "certificate": seen.get("certificate"),
        "port": options.get("gateway_port"),
    }
    return {name: value for name, value in found.items() if value}
