# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example of every module's documentation, run as it stands there; only names are those of the lab."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from lab.deployment.seed import ACCESS_EDGE, POLICY_DEFAULTS
from tests.integration.plays import CHECKOUT, Plays, TaskResult
from tests.integration.test_gateway_cert_renewal import PARTNER
from tests.unit.certificates import PASSPHRASE, intermediate, issue, root

# What is internal is run by the playbooks and nobody else.
MODULES = [
    path.stem
    for path in (CHECKOUT / "plugins" / "modules").glob("*.yml")
    if "This module is internal" not in path.read_text(encoding="utf-8")
]
OF_EDGES = ("xmpp_gateway_cert", "xmpp_gateway_cert_info", "xmpp_gateway_service", "xmpp_server_info")
# What the examples say, and what the lab has; the longer ones first.
NAMES = {
    "ann@contoso.com": "mbell@contoso.test",
    "pobrien@contoso.com": "mbell@contoso.test",
    "bob@contoso.com": "cconti@contoso.test",
    "ines@contoso.com": "ialmeida@contoso.test",
    "CONTOSO\\ines": "CONTOSO\\ialmeida",
    "access.contoso.com": ACCESS_EDGE,
    "sip.contoso.com": "contoso-emea.test",
    "contoso.example": "contoso-emea.test",
    "pool01.contoso.com": "fe01.contoso.test",
    "contoso.com": "contoso.test",
}
GATEWAY_NAMES = [ACCESS_EDGE, "contoso-emea.test", "contoso.test"]
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
VARIABLES: dict[str, t.Any] = {
    "sfb_xmpp_policies": [{"identity": "FederatedXmpp", "enable_federation_access": True, "enable_xmpp_access": True}],
    "sfb_xmpp_partners": [{"domain": "fabrikam.com", **ROW}, {"domain": "litware.example", **ROW}],
    "reception_desk": ["sip:ggutierrez@contoso.test"],
    "gateway_names": GATEWAY_NAMES,
    "vault_gateway_passphrase": PASSPHRASE,
    "vault_ca_passphrase": PASSPHRASE,
    "vault_dialback_passphrase": "Dial-1234",
    "vault_ines_password": "Lab-user-1",
}
# Examples that end in a failure here, and the words that say why.
FAILING = {
    "Move the route to the other pool": "edge-dr.contoso.test",
    "Send a message from the pool's test user to an informed user at Fabrikam": "test user",
    "Send a message as a named user": "",
    "Show the domains that do not work": "fabrikam.com",
    # By then the policy gives more than XMPP.
    "Withdraw a policy": "outside_access",
    # The certificates of the setup are no certificates for XMPP.
    "Check that the certificates have no findings": "Assertion failed",
}


def examples(plays: Plays, name: str) -> list[dict[str, t.Any]]:
    text = yaml.safe_load((CHECKOUT / "plugins" / "modules" / (name + ".yml")).read_text(encoding="utf-8"))["EXAMPLES"]
    for word, ours in NAMES.items():
        text = text.replace(word, ours)
    for path in ("/var/lib/sfb", "/srv"):
        text = text.replace(path, str(plays.directory))
    for path in ("certificates/", "new.pfx", "edge.pfx"):
        text = text.replace(": " + path, ": %s/%s" % (plays.directory, path))
    # Where the lab's gateway listens.
    text = text.replace(
        'address: "{{ ansible_host }}"', 'address: "{{ ansible_host }}"\n      port: %d' % plays.lab.xmpp_port
    )
    found: list[dict[str, t.Any]] = yaml.safe_load(text)
    return found


def prepare(plays: Plays) -> None:
    """What the examples take as given."""
    store = plays.lab.store()
    with store.transaction():
        for name in ("Tag:Contractors", "Tag:OldXmppPilot", "Tag:ReceptionDesk", "Tag:FederatedXmpp"):
            given = {"EnableFederationAccess": True, "EnableOutsideAccess": "Contractors" in name}
            store.put("policy", name, {**POLICY_DEFAULTS, **given})
        store.put("partner", "fabrikam.com", PARTNER)
        for name, switches in store.all("access_edge").items():
            store.put("access_edge", name, {**switches, "AllowFederatedUsers": True})
    folder = plays.directory / "certificates"
    folder.mkdir()
    (plays.directory / "changes").mkdir()
    (plays.directory / "keys").mkdir()
    one = issue(ACCESS_EDGE, intermediate(), names=GATEWAY_NAMES).pkcs12(intermediate())
    for path in (folder / "gateway.pfx", plays.directory / "new.pfx", plays.directory / "edge.pfx"):
        path.write_bytes(one)
    (folder / "roots.pem").write_bytes(root().pem)
    (folder / "ca.pem").write_bytes(intermediate().pem)


@pytest.mark.parametrize("group", ["fe01", "edge01"])
def test_every_example_does_what_it_says(group: str, plays: Plays) -> None:
    prepare(plays)
    # What only reads comes first, so that it finds what is given; what ends all federation comes last.
    order = sorted(MODULES, key=lambda name: (not name.endswith("_info"), name == "access_edge_configuration", name))
    names = [name for name in order if (name in OF_EDGES) == (group == "edge01")]
    tasks = [{**task, "ignore_errors": True} for name in names for task in examples(plays, name)]
    run = plays.run(
        plays.tasks(tasks, group, vars={**VARIABLES, "ansible_python_interpreter": "{{ ansible_playbook_python }}"})
    )
    assert run.code == 0, run.output
    assert [task.task for task in run.tasks] == [task["name"] for task in tasks]
    wrong = [(task.task, task.result.get("msg")) for task in run.tasks if not as_expected(task)]
    assert wrong == [], wrong


def as_expected(task: TaskResult) -> bool:
    if task.task in FAILING:
        return task.state in ("failed", "ignored") and FAILING[task.task] in str(task.result.get("msg"))
    return task.state in ("ok", "skipped")
