# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each playbook and each command comes to on a strict deployment: a row for each, a column for each account.

Values only; test_strict.py runs them. The account is that of the management hosts and of the Front Ends' own WinRM,
which lets administrators in only. The Edges, in a workgroup, have their own.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.sfb.xmpp.plugins.module_utils._base.task import Task
from ansible_collections.sfb.xmpp.plugins.module_utils._capture.tasks import INFO as CAPTURE_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.explain import TASK as EXPLAIN_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.federate import TASK as FEDERATION
from ansible_collections.sfb.xmpp.plugins.module_utils._chain.preflight import TASK as PREFLIGHT_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._edge_certificate.tasks import INFO_TASK as CERTIFICATE_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._federation import tasks
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.catalogue import (
    ACCESS_EDGE,
    GATEWAY,
    PARTNER,
    POLICY,
    ROUTE,
)
from ansible_collections.sfb.xmpp.plugins.module_utils._federation.migration import TASK as MIGRATION_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._server.tasks import TASK as SERVER_INFO
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.replication import TASK as REPLICATION
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.revocation import TASK as REVOCATION
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.service_tasks import TASK as SERVICE
from ansible_collections.sfb.xmpp.plugins.module_utils._topology.tasks import INFO as TOPOLOGY_INFO

USER = "ialmeida@contoso.test"
ROW = {"tls_negotiation": "required", "sasl_negotiation": "optional", "support_dialback_negotiation": True}
POLICIES = [
    {"identity": "XMPP", "enable_federation_access": True, "enable_xmpp_access": True, "granted_to": ["sip:" + USER]}
]
PUSH = "Invoke-CsManagementStoreReplication"
RESTART = ("Start-CsWindowsService", "Stop-CsWindowsService")


@dataclass(frozen=True)
class End:
    """How a run ends.

    code: the exit status of ansible-playbook; of a command 0, or 2 where it is refused or fails. changes: what of the
    lab's store is another afterwards, sorted.
    sent: the cmdlets that change something and that a server did, sorted, each once.
    """

    code: int
    changes: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A playbook, which the first word of the row's name is, and its ends.

    why: of the exit statuses. administrator and viewer: in check mode and for real. settings: of the inventory.
    once: of the command line; DIRECTORY stands for the run's own. before: playbooks that an administrator runs first,
    with their own rows. shape: of the lab, where it is another. told:
    what the output has in each run of the viewer.
    """

    why: str
    administrator: tuple[End, End]
    viewer: tuple[End, End]
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    once: t.Mapping[str, t.Any] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    shape: str = ""
    told: str = ""


def alike(code: int) -> dict[str, t.Any]:
    """The ends of what only reads, or writes files on the controller: the same in each way."""
    return {"administrator": (End(code), End(code)), "viewer": (End(code), End(code))}


DECOMMISSION = {"sfb_xmpp_decommission": "yes, remove XMPP from default", "sfb_xmpp_into": "DIRECTORY/out"}
NOTHING = End(0)
REFUSED = End(2)
TABLE: t.Mapping[str, Row] = {
    "preflight": Row(
        "nothing that stops is wrong; who may only look does not get into WinRM, which has the services",
        (NOTHING, NOTHING),
        (REFUSED, REFUSED),
        told="fe01-winrm.contoso.test is needed and did not answer",
    ),
    "verify": Row(
        "the partners of the strict lab have no servers",
        **alike(2),
    ),
    "export": Row("everything can be read", **alike(0), once={"sfb_xmpp_into": "DIRECTORY/export"}),
    "audit": Row(
        "partners without a server, and replicas that are gone, are warnings",
        **alike(0),
        once={"sfb_xmpp_into": "DIRECTORY/audit"},
    ),
    "explain": Row(
        "the question can be answered",
        **alike(0),
        once={"sfb_xmpp_for_user": USER, "sfb_xmpp_for_partner": "odd.example"},
    ),
    "capture": Row(
        "it ends with a file whatever is not offered", **alike(0), once={"sfb_xmpp_into": "DIRECTORY/capture.json"}
    ),
    "history": Row("the journal is whole", **alike(0), before=("converge",)),
    "migration": Row(
        "the users of the pool can be read",
        **alike(0),
        once={"sfb_xmpp_for_pools": ["fe01.contoso.test"], "sfb_xmpp_into": "DIRECTORY/migration"},
    ),
    "onboard": Row(
        "the partner publishes nothing; no server is asked", **alike(2), once={"sfb_xmpp_for_partner": "new.example"}
    ),
    "import": Row(
        "files on the controller alone",
        **alike(0),
        once={"sfb_xmpp_import_partners": "DIRECTORY/partners.csv", "sfb_xmpp_into": "DIRECTORY/lists.yml"},
    ),
    "rehearse": Row(
        "a lab of its own takes what the strict one exports",
        **alike(0),
        once={"sfb_xmpp_rehearse_from": "DIRECTORY/export", "sfb_xmpp_into": "DIRECTORY/rehearsal"},
        before=("export",),
    ),
    "converge": Row(
        "an administrator's run does what is declared; who may only look is refused before anything is written",
        administrator=(
            NOTHING,
            End(
                0,
                ("grant " + USER, "partner new.example", "policy Tag:XMPP"),
                ("Grant-CsExternalAccessPolicy", "New-CsExternalAccessPolicy", "New-CsXmppAllowedPartner"),
            ),
        ),
        viewer=(NOTHING, REFUSED),
        settings={"sfb_xmpp_policies": POLICIES, "sfb_xmpp_partners": [{"domain": "new.example", **ROW}]},
    ),
    "certificate": Row(
        "only the Edges are asked, with their own account",
        administrator=(NOTHING, End(0)),
        viewer=(NOTHING, End(0)),
    ),
    "restore": Row(
        "the snapshot that converge took is the way back",
        administrator=(
            NOTHING,
            End(
                0,
                ("grant " + USER, "partner new.example", "policy Tag:XMPP"),
                ("Grant-CsExternalAccessPolicy", "Remove-CsExternalAccessPolicy", "Remove-CsXmppAllowedPartner"),
            ),
        ),
        viewer=(NOTHING, REFUSED),
        once={"sfb_xmpp_snapshot_file": "newest", "sfb_xmpp_force": True},
        before=("converge",),
    ),
    "revoke": Row(
        "the domain goes, and the services restart; that no services can be restarted is an error in check mode too",
        administrator=(NOTHING, End(0, ("partner odd.example",), (PUSH, "Remove-CsXmppAllowedPartner", *RESTART))),
        viewer=(REFUSED, REFUSED),
        once={"sfb_xmpp_revoke_domain": "odd.example", "sfb_xmpp_revoke_restart": True},
        told="its services cannot be restarted",
    ),
    "failover": Row(
        "the route moves, and the gateways restart; that no services can be restarted is an error in check mode too",
        administrator=(NOTHING, End(0, ("site Redmond",), ("Set-CsSite", *RESTART))),
        viewer=(REFUSED, REFUSED),
        once={"sfb_xmpp_failover_to": "edge2.contoso.test"},
        shape="two-sites",
    ),
    "decommission": Row("the first stage writes files on the controller alone", **alike(0), once=DECOMMISSION),
    "decommission remove": Row(
        "the stage after the export removes what is used; who may only look is refused",
        administrator=(
            NOTHING,
            End(
                0,
                (*("partner %sodd.example" % one for one in ("1.", "2.", "3.", "")), "policy Tag:Partners"),
                ("Remove-CsXmppAllowedPartner", "Set-CsExternalAccessPolicy"),
            ),
        ),
        viewer=(NOTHING, REFUSED),
        once={**DECOMMISSION, "sfb_xmpp_decommission_stage": "remove"},
        before=("decommission",),
    ),
}


DOOR, EDGE, FRONT_END = "fe01", "edge01", "fe01/wsman"


@dataclass(frozen=True)
class Command:
    """A module and its ends, as Row has them. host: where it runs; an Edge's account is the same in both columns."""

    task: Task
    administrator: tuple[End, End] = (NOTHING, NOTHING)
    viewer: tuple[End, End] = (NOTHING, NOTHING)
    arguments: t.Mapping[str, t.Any] = field(default_factory=dict)
    host: str = DOOR


def writing(task: Task, changes: tuple[str, ...], sent: tuple[str, ...], **arguments: t.Any) -> Command:
    """What an administrator's account does, and who may only look is refused."""
    return Command(task, (NOTHING, End(0, changes, sent)), (NOTHING, REFUSED), arguments)


_STOPPED = ("presented edge01 XmppServer", "service edge01/RTCXMPPTGWPROXY")
STOPPED = (NOTHING, End(0, _STOPPED, ("Stop-CsWindowsService",)))

COMMANDS: t.Mapping[str, Command] = {
    "federation_info": Command(tasks.FEDERATION_INFO),
    "partner_info": Command(tasks.info(PARTNER)),
    "policy_info": Command(tasks.info(POLICY), arguments={"grants": True}),
    "gateway_info": Command(tasks.info(GATEWAY)),
    "access_edge_info": Command(tasks.info(ACCESS_EDGE)),
    "topology_info": Command(TOPOLOGY_INFO),
    "preflight_info": Command(PREFLIGHT_INFO, arguments={"records": False}),
    "migration_info": Command(MIGRATION_INFO, arguments={"pools": ["fe01.contoso.test"]}),
    "explain_info": Command(EXPLAIN_INFO, arguments={"user": USER, "partner": "odd.example"}),
    "capture_info": Command(CAPTURE_INFO, arguments={"role": "management"}),
    "capture_info of an Edge": Command(CAPTURE_INFO, arguments={"role": "edge"}, host=EDGE),
    "server_info": Command(SERVER_INFO),
    "server_info of an Edge": Command(SERVER_INFO, host=EDGE),
    # WinRM of a Front End lets its administrators in only. That a server was not reached is a result.
    "server_info of a Front End": Command(SERVER_INFO, host=FRONT_END),
    "certificate_info of an Edge": Command(CERTIFICATE_INFO, host=EDGE),
    "replication": Command(REPLICATION, arguments={"replicas": ["edge01.contoso.test"]}),
    "partner": writing(
        tasks.singular(PARTNER), ("partner new.example",), ("New-CsXmppAllowedPartner",), domain="new.example", **ROW
    ),
    "policy": writing(
        tasks.singular(POLICY), ("policy Tag:XMPP",), ("New-CsExternalAccessPolicy",), identity="XMPP", description="n"
    ),
    "grants": writing(
        FEDERATION,
        ("grant " + USER, "policy Tag:XMPP"),
        ("Grant-CsExternalAccessPolicy", "New-CsExternalAccessPolicy"),
        policies=POLICIES,
        exclusive_grants=True,
    ),
    "over odd texts": writing(
        FEDERATION,
        ("partner odd.example",),
        ("Set-CsXmppAllowedPartner",),
        partners=[{"domain": "odd.example", "description": "plain"}],
    ),
    "route": writing(
        tasks.singular(ROUTE), ("site Redmond",), ("Set-CsSite",), site="Redmond", edge_pool="", force=True
    ),
    "revocation": writing(
        REVOCATION, ("partner odd.example",), (PUSH, "Remove-CsXmppAllowedPartner"), domain="odd.example"
    ),
    "push": writing(REPLICATION, (), (PUSH,), state="pushed"),
    # A remote shell offers no more than the Get- of the services. That is known before anything is sent.
    "services at the door": Command(SERVICE, (REFUSED, REFUSED), (REFUSED, REFUSED), {"state": "stopped"}),
    "services of a Front End": Command(
        SERVICE,
        (NOTHING, End(0, ("service fe01/RTCXMPPTGW",), ("Stop-CsWindowsService",))),
        (REFUSED, REFUSED),
        {"state": "stopped"},
        FRONT_END,
    ),
    # A gateway that is stopped presents no certificate.
    "services of an Edge": Command(SERVICE, STOPPED, STOPPED, {"state": "stopped"}, EDGE),
}
