# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the modules says, against what the modules take and return.

The documentation is read as ansible-doc shows it, fragments included. Modules run whole, from main() on; only
AnsibleModule and the server are replaced.
"""

from __future__ import annotations

import copy
import functools
import importlib
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.playbook.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._base import module as _module
from ansible_collections.sfb.xmpp.plugins.module_utils._base import perform as _perform
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import task_with
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.revoked_users import with_users
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate import listener as _listener
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import RESOURCES
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.tasks import federation_of
from ansible_collections.sfb.xmpp.plugins.module_utils._server.server import Server
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.session import Captured
from ansible_collections.sfb.xmpp.plugins.module_utils._shell.statement import Answer, ServerError, Shell, Statement
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK as REVOCATION
from ansible_collections.sfb.xmpp.plugins.plugin_utils._documents import audit_files as _files
from ansible_collections.sfb.xmpp.plugins.plugin_utils._files.usage import DomainUse
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import access as _access
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import audit_decide as _decide
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import (
    left_over,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import (
    migration as _migration,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks import (
    run_summary as _run_summary,
)
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.failover import move_of, owner
from ansible_collections.sfb.xmpp.plugins.plugin_utils._playbooks.usage import PartnerUsage
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.connected import Connected, Way
from ansible_collections.sfb.xmpp.plugins.plugin_utils._servers.servers import DeploymentHosts

from tests.integration.xmpp_peer import Manners, NameServer, Peer
from tests.unit import certificates
from tests.unit.module_utils.edge_shell import EdgeNetwork, event
from tests.unit.module_utils.memory_shell import HOME, MemoryShell
from tests.unit.module_utils.states import run as run_task
from tests.unit.plugin_utils.audit_sample import sample

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
# Ansible documents these for all modules.
COMMON = {"changed", "failed", "msg", "warnings"}
PYTHON_TYPES: dict[str, type] = {"str": str, "bool": bool, "int": int, "list": list, "dict": dict, "float": float}

XMPP = {"EnableFederationAccess": True, "EnableXmppAccess": True}
# The environment of ansible-test has no programs of Ansible.
pytestmark = pytest.mark.skipif(not (Path(sys.executable).parent / "ansible-doc").exists(), reason="no ansible-doc")
Params = t.Mapping[str, t.Any]


@functools.cache
def documented() -> dict[str, dict[str, t.Any]]:
    """Everything that ansible-doc knows of the modules, by their names. Of one that it cannot read: the error."""
    command = "doc --metadata-dump --no-fail-on-errors --type module sfb.xmpp".split()
    done = subprocess.run(
        [sys.executable, "-m", "ansible", *command],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "none"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.rpartition(".")[2]: found for name, found in json.loads(done.stdout)["all"]["module"].items()}


class Finished(Exception):
    """exit_json or fail_json was called."""

    def __init__(self, returned: dict[str, t.Any]) -> None:
        super().__init__()
        self.returned = returned


class FakeModule:
    """Stands in for AnsibleModule: the same validation, without standard input and output."""

    given: t.ClassVar[Params] = {}
    check_mode = False
    _socket_path = "unused"
    spec: t.ClassVar[dict[str, t.Any]] = {}

    def __init__(self, argument_spec: dict[str, t.Any], required_if: list[t.Any], supports_check_mode: bool) -> None:
        FakeModule.spec = argument_spec
        validated = ArgumentSpecValidator(argument_spec, required_if=required_if).validate(dict(self.given))
        assert not validated.error_messages, validated.error_messages
        self.params = validated.validated_parameters

    def warn(self, text: str) -> None:
        assert text

    def exit_json(self, **returned: t.Any) -> None:
        raise Finished(returned)

    def fail_json(self, **returned: t.Any) -> None:
        raise Finished({"failed": True, **returned})


def call(name: str, given: Params, check: bool, shell: Shell) -> dict[str, t.Any]:
    """What a module returns."""
    module = importlib.import_module("ansible_collections.sfb.xmpp.plugins.modules." + name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_module, "AnsibleModule", FakeModule)
        patch.setattr(_perform, "ConnectionShell", lambda socket_path, tell: shell)
        patch.setattr(FakeModule, "given", given)
        patch.setattr(FakeModule, "check_mode", check)
        with pytest.raises(Finished) as finished:
            module.main()
    return finished.value.returned


@functools.cache
def argument_spec(name: str) -> tuple[dict[str, t.Any], list[t.Any]]:
    """A module's argument spec and its required_if."""
    taken: list[t.Any] = []

    def take(argument_spec: dict[str, t.Any], required_if: list[t.Any], **more: t.Any) -> t.NoReturn:
        taken.extend((argument_spec, required_if))
        raise Finished({})

    module = importlib.import_module("ansible_collections.sfb.xmpp.plugins.modules." + name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_module, "AnsibleModule", take)
        with pytest.raises(Finished):
            module.main()
    return taken[0], taken[1]


# Options


def agree(options: Params, spec: Params, where: str) -> None:
    """Raises AssertionError where documented options and argument spec differ, whatever their depth."""
    assert set(options) == set(spec), where
    for name, option in options.items():
        place, argument = "%s.%s" % (where, name), spec[name]
        assert option["type"] == argument.get("type", "str"), place
        assert option.get("elements") == argument.get("elements"), place
        assert option.get("required", False) == argument.get("required", False), place
        assert option.get("default") == argument.get("default"), place
        assert sorted(option.get("choices", [])) == sorted(argument.get("choices", [])), place
        assert option["description"], place
        agree(option.get("suboptions") or {}, argument.get("options") or {}, place)


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_the_argument_spec(name: str) -> None:
    agree(documented()[name]["doc"].get("options", {}), argument_spec(name)[0], name)


FEDERATION = ("policies", "partners", "gateway", "access_edge", "federation_routes")
# An object's own module, and the option whose suboptions are the same.
OBJECTS = [
    ("external_access_policy", "external_access_policies", "policies"),
    ("external_access_policy", "xmpp_federation", "policies"),
    ("xmpp_federated_partner", "xmpp_federated_partners", "partners"),
    ("xmpp_federated_partner", "xmpp_federation", "partners"),
    ("xmpp_gateway_configuration", "xmpp_federation", "gateway"),
    ("access_edge_configuration", "xmpp_federation", "access_edge"),
    ("xmpp_federation_route", "xmpp_federation", "federation_routes"),
]
OF_A_TASK = ("state", "force", "allow_loss", "protect", "plan_digest")
OF_A_LIST = ("granted_to",)


@pytest.mark.parametrize(("single", "whole", "option"), OBJECTS)
def test_an_option_has_one_text_wherever_it_stands(single: str, whole: str, option: str) -> None:
    """Both texts are made from one, in which references lead to the option's neighbours."""
    flat = {o: text for o, text in documented()[single]["doc"]["options"].items() if o not in OF_A_TASK}
    outer = documented()[whole]["doc"]["options"][option]
    prefix = option + ("[]." if outer["type"] == "list" else ".")
    nested = {o: text for o, text in outer["suboptions"].items() if o not in OF_A_LIST}
    assert json.loads(json.dumps(nested).replace("O(%s" % prefix, "O(")) == flat


def test_no_field_is_described_in_two_files() -> None:
    """What a field is stands in the fragment of its kind; the modules' own files do not name it as an option."""
    fields = {f.option for resource in RESOURCES for f in resource.fields} - {"description"}
    for name in MODULES:
        raw = yaml.safe_load((ROOT / "plugins" / "modules" / (name + ".yml")).read_text("utf-8"))
        described = set(raw["DOCUMENTATION"].get("options") or {})
        if name not in ("xmpp_partner_probe_info", "xmpp_migration_info"):  # which return rows of their own making
            described |= told_keys(raw["RETURN"])
        assert {path.rpartition(".")[2] for path in described} & fields == set(), name


def test_every_module_is_in_the_action_group() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    assert sorted(groups["management"]) == MODULES
    for name in MODULES:
        assert documented()[name]["doc"]["attributes"]["action_group"]["membership"] == ["sfb.xmpp.management"], name


# Examples


def filled(value: t.Any, argument: Params) -> t.Any:
    """The value, or something of the right type in place of a template."""
    if isinstance(value, str) and re.fullmatch(r"\{\{.*\}\}", value):
        return {"list": [], "dict": {}, "int": 1, "bool": True}.get(argument.get("type", "str"), "text")
    if isinstance(value, dict) and argument.get("options"):
        return {key: filled(item, argument["options"].get(key, {})) for key, item in value.items()}
    if isinstance(value, list) and argument.get("options"):
        return [filled(item, {**argument, "type": "dict"}) for item in value]
    return value


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_tasks_that_the_modules_would_take(name: str) -> None:
    tasks = yaml.safe_load(documented()[name]["examples"])
    used = []
    for task in tasks:
        (action,) = set(task) - set(Task.fattributes)
        assert task["name"], task
        if not action.startswith("sfb.xmpp."):
            assert action.startswith("ansible.builtin."), action
            continue
        used.append(action.rpartition(".")[2])
        spec, required_if = argument_spec(used[-1])
        given = {key: filled(value, spec.get(key, {})) for key, value in (task[action] or {}).items()}
        validated = ArgumentSpecValidator(spec, required_if=required_if).validate(given)
        assert not validated.error_messages, (task["name"], validated.error_messages)
    assert name in used


# Returns


def policy_server() -> MemoryShell:
    shell = MemoryShell()
    shell.put("CsExternalAccessPolicy", "Tag:Xmpp", XMPP)
    shell.put("CsExternalAccessPolicy", "Tag:Remote", {**XMPP, "EnableOutsideAccess": True})
    shell.put("CsExternalAccessPolicy", "Tag:Half", {"EnableXmppAccess": True})
    shell.put("CsXmppAllowedPartner", "fabrikam.com", {"Description": "old", "AdditionalDomains": ("a.fabrikam.com",)})
    shell.put("CsXmppAllowedPartner", "partner.example", {})
    shell.put("CsAccessEdgeConfiguration", "Global", {"AllowOutsideUsers": True})
    shell.put("CsXmppGatewayConfiguration", "Global", {"EnableLoggingAllMessageBodies": True})
    shell.put("CsSite", "Site:Redmond", {"XmppFederationRoute": None})
    shell.users = [
        {"Identity": "CN=%s" % name, "SipAddress": "sip:%s@contoso.com" % name, "ExternalAccessPolicy": policy}
        for name, policy in (("ann", None), ("bob", "Tag:Remote"))
    ]
    return shell


def users_server() -> MemoryShell:
    """The same, where a user may talk to partners."""
    ready = policy_server()
    ready.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True})
    ready.put("CsSite", "Site:Redmond", {"XmppFederationRoute": "EdgeServer:edge.contoso.com"})
    ready.users = [{**one, "Enabled": True, "RegistrarPool": "fe01.contoso.com"} for one in ready.users]
    return ready


MESSAGE = {"to_user": "bob@fabrikam.com", "pool": "pool.contoso.com"}
CREDENTIAL = {"username": "CONTOSO\\ann", "password": "secret"}

# For each module: a run that changes something, one that changes nothing, and one that is refused (or None).
CASES: dict[str, tuple[Params, Params, Params | None]] = {
    "external_access_policy": (
        {"identity": "New", "enable_federation_access": True},
        {"identity": "tag:XMPP", "enable_xmpp_access": True},
        {"identity": "Remote", "enable_outside_access": False},
    ),
    "external_access_policies": (
        {
            "policies": [{"identity": "Xmpp", "description": "new", "granted_to": ["sip:ann@contoso.com"]}],
            "purge": True,
            "protect": ["Half"],
        },
        {"policies": [{"identity": "xmpp", "enable_xmpp_access": True}]},
        {"policies": [], "purge": True},
    ),
    "external_access_policy_info": ({"grants": True}, {"identity": "Xmpp"}, {"identity": "net:X"}),
    "external_access_policy_grant": (
        {"policy": "Xmpp", "users": ["sip:ann@contoso.com"]},
        {"policy": "remote", "users": ["sip:bob@contoso.com"]},
        {"policy": "Xmpp", "users": ["sip:bob@contoso.com"]},
    ),
    "xmpp_federated_partner": (
        {"domain": "fabrikam.com", "description": "new", "additional_domains": ["b.fabrikam.com"]},
        {"domain": "Fabrikam.com.", "description": "old"},
        {"domain": "*.fabrikam.com"},
    ),
    "xmpp_federated_partners": (
        {
            "partners": [{"domain": "litware.example", "tls_negotiation": "optional"}, {"domain": "fabrikam.com"}],
            "purge": True,
        },
        {"partners": [{"domain": "fabrikam.com"}]},
        {"partners": [], "purge": True},
    ),
    "xmpp_federated_partner_info": ({}, {"domain": "fabrikam.com"}, {"domain": "*.fabrikam.com"}),
    "xmpp_gateway_configuration": (
        {"connection_limit": 7, "dialback_passphrase": "secret"},
        {"connection_limit": 1000},
        {"connection_limit": -1},
    ),
    "xmpp_gateway_configuration_info": ({}, {}, None),
    "access_edge_configuration": (
        {"allow_federated_users": True},
        {"allow_federated_users": False},
        {"allow_federated_users": False},
    ),
    "access_edge_configuration_info": ({}, {}, None),
    "xmpp_federation": (
        {
            "policies": [{"identity": "Xmpp", "granted_to": ["sip:ann@contoso.com"]}],
            "partners": [{"domain": "fabrikam.com", "description": "new"}],
            "gateway": {"connection_limit": 7, "dialback_passphrase": "secret"},
            "access_edge": {"allow_federated_users": True},
            "federation_routes": [{"site": "Redmond", "edge_pool": "edge.contoso.com"}],
            "snapshot_directory": str(Path(HOME) / "snapshots"),
            "preflight": True,
            "replication": "wait",
            "configuration_backup": "C:\\Backup\\before.zip",
        },
        {"partners": [{"domain": "fabrikam.com"}], "access_edge": {"allow_federated_users": False}},
        {"partners": [], "partners_purge": True, "policies": [], "policies_purge": True},
    ),
    "xmpp_federation_info": ({}, {"grants": False}, None),
    "xmpp_federation_route": (
        {"site": "Redmond", "edge_pool": "edge.contoso.com"},
        {"site": "site:REDMOND", "edge_pool": ""},
        {"site": "Paris", "edge_pool": "edge.contoso.com"},
    ),
    "xmpp_im_test": (
        {**MESSAGE, "from_user": "sip:ann@contoso.com", "credential": CREDENTIAL},
        MESSAGE,
        {**MESSAGE, "to_user": "ann"},
    ),
}


class Failing(MemoryShell):
    """Refuses to write, or everything; what stands there is another server's."""

    def __init__(self, like: MemoryShell, reads: bool) -> None:
        super().__init__()
        self.store, self.users, self.reads = copy.deepcopy(like.store), copy.deepcopy(like.users), reads

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        refused = [ServerError(s.cmdlet, "Id", "Category", "no") for s in statements if self.reads or not s.is_read]
        return Answer(errors=tuple(refused)) if refused else super().invoke(statements)


def runs(name: str) -> list[dict[str, t.Any]]:
    """What a module returns in its several moods."""
    new, nothing, refused = CASES[name]
    server = policy_server()
    if name == "access_edge_configuration":
        shell = policy_server()
        shell.put("CsAccessEdgeConfiguration", "Global", {"AllowFederatedUsers": True, "AllowOutsideUsers": True})
    else:
        shell = server
    found = [
        call(name, new, True, policy_server()),
        call(name, new, False, policy_server()),
        call(name, nothing, False, policy_server()),
        call(name, new, False, Failing(server, reads=False)),
        call(name, new, False, Failing(server, reads=True)),
    ]
    writes = not name.endswith(("_info", "_test"))
    acts = not name.endswith("_info")
    assert [run["changed"] for run in found[:3]] == [writes, writes, False]
    assert found[0].get("steps") == [{**step, "result": "planned"} for step in found[1].get("steps", [])] or not writes
    assert [bool(run.get("failed")) for run in found] == [False, False, False, acts, True]
    if refused is not None:
        found.append(call(name, refused, False, shell))
        assert found[-1]["reasons"]
        assert not shell.writes()
    return found


def keys(value: t.Any, contains: Params, where: str = "") -> set[str]:
    """The paths of all keys in a value, as deep as the documentation goes; types are compared on the way."""
    found = set()
    for name, item in value.items():
        place = where + name
        found.add(place)
        told = contains.get(name)
        if told is None or item is None:
            continue
        assert isinstance(item, PYTHON_TYPES[told["type"]]), place
        for one in item if isinstance(item, list) else [item]:
            if told["type"] == "list":
                assert isinstance(one, PYTHON_TYPES[told["elements"]]), place
            if told.get("contains") and isinstance(one, dict):
                found |= keys(one, told["contains"], place + ".")
    return found


def told_keys(contains: Params, where: str = "") -> set[str]:
    found = set()
    for name, told in contains.items():
        found |= {where + name} | told_keys(told.get("contains") or {}, where + name + ".")
    return found


_ELSEWHERE = re.compile(r"See RV\(sfb\.xmpp\.(\w+)#module:(\w+)\)\.")


def returns_of(name: str) -> dict[str, t.Any]:
    """The documented returns. What refers to the same key of another module is filled in from there."""
    found: dict[str, t.Any] = copy.deepcopy(documented()[name]["return"])
    for key, told in found.items():
        text = told["description"] if isinstance(told["description"], str) else " ".join(told["description"])
        for module, other in _ELSEWHERE.findall(text):
            assert other == key, (name, key)
            source = documented()[module]["return"][other]
            assert (source["type"], source.get("elements")) == (told["type"], told.get("elements")), (name, key)
            told["contains"] = dict(source["contains"])
            if key == "findings":
                # A module of one kind need not say which.
                del told["contains"]["kind"]
    return found


# Returned objects, whose keys are those of the options: where these stand.
VOCABULARY = {
    "policy": ("external_access_policies", "policies"),
    "policies": ("external_access_policies", "policies"),
    "partner": ("xmpp_federated_partners", "partners"),
    "partners": ("xmpp_federated_partners", "partners"),
    "gateway": ("xmpp_federation", "gateway"),
    "access_edge": ("xmpp_federation", "access_edge"),
    "federation_routes": ("xmpp_federation", "federation_routes"),
    "route": ("xmpp_federation", "federation_routes"),
}


def vocabulary(name: str, key: str) -> tuple[set[str], set[str]]:
    """The options that a returned object has as keys, and those that it may lack."""
    if key == "configuration":
        key = "gateway" if "gateway" in name else "access_edge"
    module, option = VOCABULARY[key]
    options = set(documented()[module]["doc"]["options"][option]["suboptions"])
    return options - {"granted_to", "dialback_passphrase"}, options & {"granted_to"}


class LockedEdge(certificates.EdgeShell):
    """An Edge that does not say which certificates it has."""

    def _get_cscertificate(self) -> list[t.Any]:
        raise LookupError("access denied")


def certificate_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the modules of certificates return. The certificate gives rise to a finding: it has no CRL."""
    one = certificates.issue(issuer=certificates.intermediate(), key=certificates.elliptic_key(), crl=False)
    file = directory / "gateway.pfx"
    file.write_bytes(one.pkcs12(certificates.intermediate()))
    source = {"type": "pkcs12", "path": str(file), "passphrase": certificates.PASSPHRASE}
    info = name.endswith("_info")
    given: Params = {} if info else {"names": list(certificates.NAMES), "source": source}
    edge = certificates.EdgeShell()
    found = [call(name, given, True, edge), call(name, given, False, edge), call(name, given, False, edge)]
    assert [run["changed"] for run in found] == [not info, not info, False]
    if info:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_listener, "handshake", lambda *arguments: [one.certificate])
            listener = {"address": "192.0.2.21", "domain": "contoso.test"}
            found.append(call(name, {**given, "listener": listener}, False, edge))
        edge = certificates.EdgeShell(store={one.thumbprint: (one.der, True)}, assigned={"XmppServer": one.thumbprint})
        found.append(call(name, given, False, edge))
    else:
        broken = certificates.EdgeShell(fault=certificates.Fault(0, "error"))
        found.append(call(name, given, False, broken))
        assert found[-1]["failed"]
        found.append(call(name, {"state": "absent"}, False, edge))
    found += [call(name, given, False, LockedEdge()), call(name, {**given, "names": ["*"]}, False, edge)]
    assert [run["failed"] for run in found[-2:]] == [True, True]
    return found


class Unanswering(certificates.EdgeShell):
    """An Edge that is lost while it is read."""

    def _silent(self) -> bool:
        return True


def server_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of a server returns: everything, almost nothing, of nobody, and of one that is lost."""
    one = certificates.issue()
    edge = certificates.EdgeShell(store={one.thumbprint: (one.der, True)}, assigned={"XmppServer": one.thumbprint})
    found = [call(name, {}, False, edge), call(name, {"gather": []}, False, LockedEdge())]
    found += [call(name, {}, False, LockedEdge()), call(name, {}, False, certificates.EdgeShell(dead=True))]
    found.append(call(name, {}, False, Unanswering()))
    assert [run.get("failed", False) for run in found] == [False] * 4 + [True]
    assert [run.get("reached") for run in found] == [True, True, True, False, None]
    return found


def connect_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the task returns of a server that answered, and what its check returns of one that did not."""
    checked = {"changed": False, "replaced": True, "sentence": ""}
    way = Way("e1", 5986, "https://e1:5986/wsman", True, True, False, "", "Microsoft.PowerShell")
    return [Connected("e1", True, way=way).as_dict(), Connected("e1", False, "no route").as_dict(), checked]


def access_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """As its action makes them; test_access.py runs it."""
    found = _access.access_of("e1", ["sfb_edge"], Connected("e1", True, server=Server("e1", "a", True, cmdlets=())))
    shown = _access.result([found], [DeploymentHosts("a", edges=("e1",))])
    return [{key: value for key, value in shown.items() if key != "ansible_stats"}]


class MuteHost(certificates.EdgeShell):
    """A host that does not say which services it has."""

    def _get_cswindowsservice(self) -> list[t.Any]:
        raise LookupError("access denied")


def service_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of the services returns."""
    restarted: Params = {"state": "restarted"}
    host = certificates.EdgeShell()
    found = [call(name, restarted, True, host), call(name, restarted, False, host), call(name, {}, False, host)]
    assert [run["changed"] for run in found] == [True, True, False]
    found.append(call(name, restarted, False, certificates.EdgeShell(fault=certificates.Fault(0, "error"))))
    found.append(call(name, {}, False, MuteHost()))
    found.append(call(name, {}, False, certificates.EdgeShell(services={})))
    assert [run["failed"] for run in found[-3:]] == [True] * 3
    return found


def federation_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What xmpp_federation returns, of partners that are probed first, and of users who lose a partner."""
    given: Params = {"partners": [{"domain": "fabrikam.test"}]}
    with NameServer() as dns:
        task = task_with(federation_of(given), probing={"nameservers": [dns.place], "timeout": 1.0})
        probed = run_task(task, policy_server(), True, probe_first=True, **given).values["probed"]
    purge: Params = {"partners": [], "partners_purge": True, "force": True, "impact_limit": {"lose": 0}}
    lost = call(name, purge, True, users_server())
    assert lost["impact"]["groups"]
    return [*runs(name), {"probed": probed}, {"impact": lost["impact"]}]


def probe_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the prober returns. The certificate gives rise to a finding, on both sides: it ends soon."""
    root = certificates.issue("Root", ca=True)
    (directory / "root.pem").write_bytes(root.pem)
    soon = certificates.issue(issuer=root, names=("fabrikam.test", "contoso.test"), start=-80, days=90)
    with NameServer() as dns, Peer(Manners(soon, external="all")) as peer:
        given: Params = {
            "partners": [{"domain": "fabrikam.test"}],
            "own_domains": ["contoso.test"],
            "from_domain": "contoso.test",
            "nameservers": [dns.place],
            "trust_store": str(directory / "root.pem"),
        }
        for domain in ("fabrikam.test", "contoso.test"):
            dns.service(domain, peer.port)
        found = [call(name, given, check, policy_server()) for check in (False, True)]
    found.append(call(name, {**given, "domains": ["*"]}, False, policy_server()))
    assert [(run["changed"], run.get("failed", False)) for run in found[:2]] == [(False, False)] * 2
    assert found[2]["reasons"]
    return found


def replication_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of replication returns. A wait that ends too early is a failure."""
    behind = policy_server()
    behind.stuck = True
    push: Params = {"push": True}
    found = [call(name, push, check, policy_server()) for check in (True, False)]
    found += [call(name, {"state": "pushed"}, False, policy_server())]
    found += [call(name, {**push, "timeout": 0}, False, behind)]
    found += [call(name, push, False, Failing(policy_server(), reads=reads)) for reads in (False, True)]
    found.append(call(name, {"timeout": -1}, False, policy_server()))
    found.append(call(name, {}, False, policy_server()))
    assert [run["changed"] for run in found[:5]] == [True, True, True, True, False]
    assert [run.get("failed", False) for run in found] == [False] * 3 + [True] * 4 + [False]
    assert (found[-1]["changed"], found[-1]["steps"]) == (False, [])
    return found


def topology_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of the topology returns: everything, everything but one, and nothing."""
    partly = policy_server()
    denied = ServerError("Get-CsPool", "CommandNotFoundException", "ObjectNotFound", "no", "Get-CsPool")
    partly.fault = lambda statement: denied if statement.cmdlet == "Get-CsPool" else None
    found = [call(name, {}, False, server) for server in (policy_server(), partly, Failing(partly, reads=True))]
    assert [run.get("failed", False) for run in found] == [False, False, True]
    assert (found[0]["unobserved"], found[1]["pools"]) == ([], None)
    return found


def preflight_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of preflight returns."""
    given: Params = {"services": [{"host": "fe01", "kind": "gateway", "status": ""}], "ignore": ["federation_off"]}
    found = [call(name, given, False, policy_server()), call(name, {}, False, Failing(policy_server(), reads=True))]
    found.append(call(name, {"partners": [{"domain": "*"}]}, False, policy_server()))
    assert [run.get("failed", False) for run in found] == [False, True, True]
    assert (found[0]["blocking"], found[0]["ignored"]) == (["gateway_not_installed", "no_route"], ["federation_off"])
    return found


def revocation_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of revocation returns. The inventory is looked at by its action, in a playbook."""
    given: Params = {"domain": "fabrikam.com"}
    found = [call(name, given, check, policy_server()) for check in (True, False)]
    found += [call(name, given, False, Failing(policy_server(), reads=reads)) for reads in (False, True)]
    found.append(call(name, {**given, "protect": ["*"]}, False, policy_server()))
    assert [run.get("failed", False) for run in found] == [False, False, True, True, True]
    impact = run_task(with_users(REVOCATION), users_server(), True, **given).values["impact"]
    assert impact["groups"]
    return [*found, {"listed": ["sfb_xmpp_partners[0] (fabrikam.com)"], "impact": impact}]


def summary_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """As its action makes them; without it the module refuses."""
    alone = call(name, {}, False, policy_server())
    assert alone["failed"]
    return [{"report": _run_summary.lines([["sfb.xmpp plan for d"]], {"d": {"edge01": {}}})}]


def verification_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """The keys of their actions; test_verify.py runs them. Without them the modules refuse."""
    given: Params = {"lines": ["a"]} if name == "xmpp_show" else {}
    assert call(name, given, False, policy_server())["failed"]
    if name == "xmpp_show":
        return [{"report": given["lines"]}]
    message = {"to_user": "a@b.test", "outcome": "success", "latency": 0.1, "reason": ""}
    probed = {"domains": [], "own": [], "summary": {}, "note": "", "messages": [message]}
    return [{**probed, "lines": [], "wrong": ""}]


def audit_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """As its action makes them; without it the module refuses."""
    assert call(name, {}, False, policy_server())["failed"]
    found = sample(3)
    shown = {"report": _decide.lines(found, [], "error")}
    return [{**_decide.outcome(found, _files.save(str(directory / "audit"), found), "error"), **shown}]


def settings_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """As its action makes them; test_settings.py runs it."""
    of_run = {"deployments": ["contoso"], "sentence": ""}
    return [{"playbook": "converge", "deployment": "contoso", "doors": ["fe01"], "edges": ["edge01"], **of_run}]


def failover_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What its action adds to the result of xmpp_federation."""
    edge = {"fqdn": "e.test", "access_edge": "a.test", "release": "2015", "xmpp_listening_port": 5269}
    topology = {
        "edge_pools": [{**edge, "xmpp_internal_port": 23456}],
        "sites": [{"name": "Redmond", "xmpp_federation_route": "e.test"}],
        "sip_domains": ["test"],
    }
    move = move_of(topology, "E.test.", "")
    return [{"deployment": owner({"contoso": topology}, "e.test"), "pool": move.edge_pool, "left": list(move.left)}]


class Capturing(MemoryShell):
    """Also hands over what came, as XML."""

    def capture(self, statement: Statement) -> Captured:
        try:
            answer = self.invoke([statement])
        except (KeyError, StopIteration):
            answer = Answer(errors=(ServerError(statement.cmdlet, "CommandNotFoundException", "", "no"),))
        return Captured(answer, tuple("<S>fe01.contoso.com</S>" for _item in answer.output), 0.1, False, {"a": "2.2"})


def capture_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of captures returns; a key that others may read is refused."""
    key = directory / "key"
    found = [call(name, {"key_file": str(key)}, check, Capturing()) for check in (False, True)]
    assert found[0] == found[1]
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)
    found.append(call(name, {"key_file": str(key)}, False, Capturing()))
    assert [run.get("failed", False) for run in found] == [False, False, True]
    return found


def explain_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module that explains returns."""
    given: Params = {"user": "ann@contoso.com", "partner": "fabrikam.com"}
    found = [call(name, given, False, policy_server()), call(name, given, False, Failing(policy_server(), reads=True))]
    found.append(call(name, {**given, "partner": "*"}, False, policy_server()))
    seen = {"edges": [{"host": "edge01", "view": edge_view()}]}
    probe = {"nameservers": ["127.0.0.1:9"], "timeout": 0.1}
    found.append(call(name, {**given, **seen, "probe": probe}, False, policy_server()))
    assert [run.get("failed", False) for run in found] == [False, True, True, False]
    return found


def edge_view() -> dict[str, t.Any]:
    """What an Edge says of a partner that it reaches."""
    edge = EdgeNetwork(reached={"192.0.2.20"}, events=[event(7)])
    edge.partner("fabrikam.com", "192.0.2.20")
    asked: Params = {"domains": [{"domain": "fabrikam.com"}], "seconds": 300, "hours": 24}
    return call("xmpp_edge_view", asked, False, edge)


USED = PartnerUsage((DomainUse("fabrikam.com", "2026-11-30", 1),), ()).as_dict()


def migration_runs(name: str, directory: Path) -> list[dict[str, t.Any]]:
    """What the module of migrations returns, and its action."""
    given: Params = {"users": ["bob@contoso.com", "nobody@contoso.com"]}
    found = [call(name, given, False, policy_server()), call(name, given, False, Failing(policy_server(), reads=True))]
    found.append(call(name, {}, False, policy_server()))
    assert [run.get("failed", False) for run in found] == [False, True, True]
    return [*found, {"report": _migration.report(found[0], "default"), "usage": USED}]


@pytest.mark.parametrize("name", MODULES)
def test_documented_returns_are_what_is_returned(name: str, tmp_path: Path) -> None:
    told = returns_of(name)
    special = {"xmpp_gateway_cert": certificate_runs, "xmpp_gateway_cert_info": certificate_runs}
    special.update(xmpp_partner_probe_info=probe_runs, xmpp_gateway_service=service_runs)
    special.update(management_store_replication=replication_runs, xmpp_topology_info=topology_runs)
    special.update(xmpp_preflight_info=preflight_runs, xmpp_partner_revocation=revocation_runs)
    special.update(xmpp_run_summary=summary_runs, xmpp_settings=settings_runs)
    special.update(xmpp_verification=verification_runs, xmpp_show=verification_runs)
    special.update(xmpp_audit=audit_runs, xmpp_history=lambda *_: [{"report": ["one"], "newest": ["a.yml"]}])
    special.update(xmpp_capture_info=capture_runs, xmpp_failover=failover_runs)
    special.update(xmpp_affected_services=lambda *_: service_runs("xmpp_gateway_service", tmp_path))
    special.update(xmpp_server_info=server_runs, xmpp_connect=connect_runs, xmpp_federation=federation_runs)
    special.update(xmpp_access=access_runs)
    special.update(xmpp_explain_info=explain_runs, xmpp_migration_info=migration_runs)
    special.update(xmpp_edge_view=lambda *_: [edge_view()])
    left = [one.as_dict() for one in left_over.left_over(left_over.WayOut())]
    done = {"stage": "export", "kept": [], "report": [], "left": left, "usage": USED}
    special.update(xmpp_decommission=lambda *_: [done])
    edge = {"next": "switch", "usages": ["XmppServer"], "waits": "", "turn": 0, "turns": [0, 1]}
    asks = {"in_use": {}, "edge": "edge01", "certificate": {}, "reason": ""}
    special.update(xmpp_edge_certificate=lambda *_: [edge, asks, {"here": True}])
    onboarded = {
        "declare": {
            "domain": "a",
            "partner_type": "b",
            "tls_negotiation": "c",
            "sasl_negotiation": "d",
            "support_dialback_negotiation": True,
        },
        "paths": [],
        "sentence": "",
    }
    special.update(xmpp_onboarding=lambda *_: [onboarded])
    written: dict[str, t.Any] = {"paths": ["/srv/a"], "lines": ["one"]}
    special.update(dict.fromkeys(("xmpp_import", "xmpp_capture", "xmpp_migration_report"), lambda *_: [written]))
    special.update(xmpp_export=lambda *_: [{**written, "left_out": []}])
    special.update(xmpp_rehearse=lambda *_: [{**written, "mistakes": [], "sentence": ""}])
    results = special[name](name, tmp_path) if name in special else runs(name)
    returned = set().union(*(keys(run, told) for run in results))
    assert returned - COMMON == told_keys(told)
    objects_have_the_keys_of_options(name, results)


def objects_have_the_keys_of_options(name: str, results: t.Sequence[Params]) -> None:
    for key in {*VOCABULARY, "configuration"} & {key for run in results for key in run}:
        expected, possible = vocabulary(name, key)
        items = [run.get(key) or [] for run in results]
        found = [set(item) for one in items for item in (one if isinstance(one, list) else [one])]
        assert found, key
        assert all(expected <= has <= expected | possible for has in found), (key, found)


@pytest.mark.parametrize("name", MODULES)
def test_samples_have_the_documented_keys(name: str) -> None:
    told = returns_of(name)
    samples = {key: item["sample"] for key, item in told.items()}
    assert keys(samples, told) == told_keys(told)
    for key in {*VOCABULARY, "configuration"} & set(samples):
        options = set().union(*vocabulary(name, key))
        items = samples[key] if isinstance(samples[key], list) else [samples[key]]
        assert [item for item in items if not set(item) <= options] == [], key


@pytest.mark.parametrize(
    ("reader", "key", "writer"),
    [
        ("external_access_policy_info", "policies", "external_access_policies"),
        ("xmpp_federated_partner_info", "partners", "xmpp_federated_partners"),
        ("xmpp_gateway_configuration_info", "configuration", "xmpp_gateway_configuration"),
        ("access_edge_configuration_info", "configuration", "access_edge_configuration"),
    ],
)
def test_what_is_read_can_be_fed_back_in(reader: str, key: str, writer: str) -> None:
    """The list or the object, given as options, is accepted and changes nothing."""
    read = call(reader, {}, False, policy_server())[key]
    given = read if isinstance(read, dict) else {key: read}
    assert call(writer, given, False, policy_server())["changed"] is False


def test_a_whole_federation_that_is_read_can_be_fed_back_in() -> None:
    """All parts, who has which policy included, and as if the lists were complete."""
    read = call("xmpp_federation_info", {}, False, policy_server())
    given = {option: read[option] for option in FEDERATION}
    complete = {"policies_purge": True, "partners_purge": True, "exclusive_grants": True}
    again = call("xmpp_federation", {**given, **complete}, False, policy_server())
    assert again["changed"] is False, again
    assert again["summary"]["unchanged"] == sum(len(v) if isinstance(v, list) else 1 for v in given.values())


def test_what_the_product_has_after_installation_is_no_error_of_the_access_edge() -> None:
    """Only federation that is off stands in the way of XMPP; anonymous users are off until somebody wants them."""
    (found,) = call("access_edge_configuration_info", {}, False, policy_server())["findings"]
    assert found == {
        "identity": "Global",
        "code": "federation_off",
        "severity": "warning",
        "message": "with allow_federated_users off, SIP federation and XMPP federation do not work",
    }
