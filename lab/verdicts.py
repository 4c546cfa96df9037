# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the collection's verdicts on partners of a running lab, from the probe and from explain, with a real playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .deployment.gateway_pfx import FILE, PASSPHRASE
from .deployment.ready import EDGES, USER
from .errors import LabError
from .partners.control import Partners
from .talk import Direction
from .testing import Lab

_SAYS = {"Required": "required", "Optional": "optional", "NotSupported": "not_supported"}
_OWN = USER.partition("@")[2]


@dataclass(frozen=True)
class Verdict:
    """Hold the verdict about one partner.

    probe: ok (also with warnings), failed or unknown, with the gateway's certificate.
    blind: the same values, without the certificate.
    broken: the directions that explain calls broken.
    complete: whether explain could check everything. If not, other directions are unknown.
    """

    probe: str
    blind: str
    broken: tuple[Direction, ...]
    complete: bool

    def contradictions(self, direction: Direction, arrived: bool) -> list[str]:
        """Return the verdicts that contradict the result of a message."""
        told = {"verify": self.probe, "verify without the certificate": self.blind}
        if direction in self.broken:
            told["explain"] = "failed"
        elif self.complete:
            told["explain"] = "ok"
        return ["%s: %s" % (who, one) for who, one in told.items() if one == ("failed" if arrived else "ok")]


def ask(lab: Lab, partners: Partners, rows: t.Mapping[str, t.Any]) -> dict[str, Verdict]:
    """Return the verdicts on partners by domain. Raises LabError.

    rows: the settings tls, sasl and dialback by domain.
    """
    file = lab.directory / "verdicts.json"
    playbook = lab.directory / "verdicts.yml"
    playbook.write_text(json.dumps([_play(lab, partners, rows, file)]), encoding="utf-8")
    inventory = lab.directory / "verdicts-hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"fe01": _host(lab)}}}), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(playbook)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment = {**own, "ANSIBLE_HOME": str(lab.directory / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not file.exists():
        raise LabError("the playbook for the verdicts failed: %s" % (done.stdout + done.stderr)[-2000:])
    found = json.loads(file.read_text("utf-8"))
    seeing, blind = ({one["domain"]: _word(one["verdict"]) for one in found[name]} for name in ("seeing", "blind"))
    said = {one["partner_domain"]: one for one in found["explain"]}
    return {domain: _verdict(seeing[domain], blind[domain], said[domain]) for domain in rows}


def _word(verdict: str) -> str:
    return {"warning": "ok", "not_observable": "unknown"}.get(verdict, verdict)


def _verdict(probe: str, blind: str, said: t.Mapping[str, t.Any]) -> Verdict:
    ways: tuple[Direction, ...] = ("out", "in")
    complete = all(link["severity"] != "unknown" for link in said["links"])
    return Verdict(probe, blind, tuple(way for way in ways if said[way] is not None), complete)


def _host(lab: Lab) -> dict[str, t.Any]:
    return {
        "ansible_connection": "sfb.xmpp.management_shell",
        "ansible_host": lab.addresses["fe01"],
        "ansible_port": lab.port,
        "ansible_psrp_protocol": "https",
        "ansible_psrp_ca_cert": str(lab.ca),
        "ansible_psrp_path": "OcsPowershell",
        "ansible_psrp_auth": "ntlm",
        "ansible_user": "CONTOSO\\admin",
        "ansible_password": "Lab-admin-1",
    }


def _play(lab: Lab, partners: Partners, rows: t.Mapping[str, t.Any], file: Path) -> dict[str, t.Any]:
    looks = {
        "nameservers": [partners.nameserver],
        "trust_store": str(partners.root),
        "gateway_port": lab.xmpp_port,
    }
    certificate = {"path": str(lab.directory / FILE), "passphrase": PASSPHRASE}
    declared = [
        {
            "domain": domain,
            "tls_negotiation": _SAYS[row.tls],
            "sasl_negotiation": _SAYS[row.sasl],
            "support_dialback_negotiation": row.dialback,
        }
        for domain, row in rows.items()
    ]
    here = {"delegate_to": "localhost", "vars": {"ansible_connection": "local"}}
    probe = {"partners": declared, "from_domain": _OWN, **looks}
    running = {"status": "Running"}
    services = [{"host": "fe01", "kind": "gateway", **running}]
    services += [{"host": edge, "kind": "proxy", **running} for edge in EDGES]
    explain = {
        "user": USER,
        "partner": "{{ item }}",
        "services": services,
        "edges": [{"host": edge, "certificates": [{"usages": ["XmppServer"]}]} for edge in EDGES],
        "probe": {**looks, "certificate": certificate},
    }
    content = {
        "seeing": "{{ seeing.domains }}",
        "blind": "{{ blind.domains }}",
        "explain": "{{ explain.results }}",
    }
    tasks = [
        {"sfb.xmpp.xmpp_partner_probe_info": {**probe, "certificate": certificate}, "register": "seeing", **here},
        {"sfb.xmpp.xmpp_partner_probe_info": probe, "register": "blind", **here},
        {"sfb.xmpp.xmpp_explain_info": explain, "register": "explain", "loop": list(rows)},
        {"ansible.builtin.copy": {"content": content, "dest": str(file), "mode": "0600"}, **here},
    ]
    return {"hosts": "fe01", "gather_facts": False, "tasks": tasks}
