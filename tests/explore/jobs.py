# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs: what each of two administrators starts, as a function of a shell."""

from __future__ import annotations

import functools
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._base.result import Result
from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import TASK as CERTIFICATE
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import files
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import PARTNER, POLICY, PURGED
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.deployment import Reader
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import grant, plural, singular
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK as REVOCATION

from tests.explore.world import certificate, front_end
from tests.unit.certificates import NAMES, PASSPHRASE, intermediate, root
from tests.unit.module_utils.memory_shell import MemoryShell
from tests.unit.module_utils.states import run

_ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
_ANN = "sip:ann@contoso.test"


@dataclass(frozen=True)
class Job:
    """task, given: what is run. allowed: the rights that users may lose by it."""

    name: str
    task: Task
    given: t.Mapping[str, t.Any]
    allowed: frozenset[str] = frozenset()
    on_edge: bool = False

    def work(self, shell: t.Any, check: bool = False) -> Result:
        return run(self.task, shell, check, **self.given)


def converge(number: int) -> Job:
    """One takes a right from a policy that nobody has, the other one grants it. Both change the same partner."""
    if number:
        partner = {"domain": "a.test", "description": "theirs", "sasl_negotiation": "required"}
        return Job(
            "converge", FEDERATION, {"policies": [{"identity": "X", "granted_to": [_ANN]}], "partners": [partner]}
        )
    partner = {"domain": "a.test", "description": "ours"}
    return Job(
        "converge", FEDERATION, {"policies": [{"identity": "X", "enable_outside_access": False}], "partners": [partner]}
    )


def restore(number: int) -> Job:
    """One goes back to a state without a partner and a policy, the other one to one in which a policy is granted."""
    return Job("restore", FEDERATION, {"restore_from": snapshot(number)})


def revoke(number: int) -> Job:
    """Both revoke a partner, not the same one."""
    return Job("revoke", REVOCATION, {"domain": ("a.test", "b.test")[number], "reason": "test"})


def switch(number: int) -> Job:
    """Both bring a certificate to the same Edge, not the same one."""
    given = {"names": list(NAMES), "source": {"type": "pkcs12", "path": pkcs12(number), "passphrase": PASSPHRASE}}
    return Job("certificate", CERTIFICATE, given, on_edge=True)


@functools.cache
def pkcs12(number: int) -> str:
    """The file of a certificate; kept until the process ends."""
    path = Path(_directory().name) / ("%d.pfx" % number)
    path.write_bytes(certificate(str(number)).pkcs12(intermediate(), root()))
    path.chmod(0o600)
    return str(path)


@functools.cache
def snapshot(number: int) -> str:
    """The file of a snapshot; kept until the process ends."""
    shell = _former(number)
    directory = Path(_directory().name) / str(number)
    directory.mkdir(mode=0o700)
    keeper = files.Snapshots(str(directory), "snapshot_directory", shell.place, keep=1)
    reader = Reader(shell)
    deployment = reader.with_all_users(reader.identified([POLICY, PARTNER]))
    return keeper.save(deployment, PURGED)


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sfb-explore-")


def _former(number: int) -> MemoryShell:
    shell = front_end()
    shell.put(PARTNER.noun, "a.test", {"Description": "former%d" % number})
    if number:
        shell.users[0]["ExternalAccessPolicy"] = "Tag:X"
    else:
        del shell.store[POLICY.noun]["tag:x"], shell.store[PARTNER.noun]["b.test"]
    return shell


def _policies(number: int) -> Job:
    """A converge of policies alone: one takes a right from a policy that nobody has, the other one grants it."""
    return Job("policies", FEDERATION, {"policies": [converge(number).given["policies"][0]]})


def _module(number: int) -> Job:
    """The same right, by the module of one policy; and the grant by its module."""
    if number:
        return Job("module", grant(), {"policy": "X", "users": [_ANN]})
    return Job("module", singular(POLICY), {"identity": "X", "enable_outside_access": False})


def _removal(number: int) -> Job:
    return Job("removal", singular(POLICY), {"identity": "X", "state": "absent"})


def _purge(number: int) -> Job:
    return Job("purge", plural(POLICY), {"policies": [{"identity": "Y"}], "purge": True, "force": True})


# The sequences of playbooks. Their pairs are explored.
SHIPPED = ("converge", "restore", "revoke", "certificate")
JOBS: dict[str, t.Callable[[int], Job]] = {
    "converge": converge,
    "restore": restore,
    "revoke": revoke,
    "certificate": switch,
    # Further ones, for tests.
    "policies": _policies,
    "module": _module,
    "removal": _removal,
    "purge": _purge,
}
