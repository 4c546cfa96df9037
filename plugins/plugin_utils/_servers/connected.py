# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the results of the connect task, and choose the host that works for a deployment. All functions are pure.

The task registers its result under the same name on each host. The result is plain JSON with the number of its form.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import printable
from ...module_utils._server.server import Server, server_of

Values = t.Mapping[str, t.Any]

# The names of the result: in a playbook of the collection, and in a role of the user's own play.
CONNECTED, BY_ROLE = "xmpp_connected", "xmpp_connected_by_role"
# The name of the decision about a host that did not answer.
JUDGED = "xmpp_connected_judged"
# The number of the result's form. A later form has a higher number.
FORM = 1


@dataclass(frozen=True)
class Way:
    """Hold the connection to a host, from the connection's options. The value has no secrets.

    address: the server's name or address.
    port: the TCP port.
    endpoint: the URL of the session.
    tls: whether TLS is used.
    checked: whether the server's certificate is checked.
    proxy: whether a proxy is used.
    account: the user; empty without a user.
    configuration: the session configuration.
    """

    address: str
    port: int
    endpoint: str
    tls: bool
    checked: bool
    proxy: bool
    account: str
    configuration: str


@dataclass(frozen=True)
class Connected:
    """Hold the values of one server after the attempt to connect. Values that were not read are None.

    host: the name in the inventory.
    reached: whether a session was open.
    reason: why no session was open; empty if a session was open.
    server: the cmdlets and the services of the server.
    certificates: the result of xmpp_gateway_cert_info.
    planned: the result of xmpp_gateway_cert in check mode with the phase stage, if nothing is due.
    view: the result of xmpp_edge_view.
    broken: the step of statement.WAY that failed; empty if no step failed.
    way: the connection to the host, if the run checks it.
    """

    host: str
    reached: bool
    reason: str = ""
    server: Server | None = None
    certificates: dict[str, t.Any] | None = None
    planned: dict[str, t.Any] | None = None
    view: dict[str, t.Any] | None = None
    broken: str = ""
    way: Way | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of the task, with plain values only."""
        return {
            "form": FORM,
            "host": self.host,
            "reached": self.reached,
            "reason": self.reason,
            "server": self.server and self.server.as_dict(),
            "certificates": self.certificates,
            "planned": self.planned,
            "view": self.view,
            "broken": self.broken,
            "way": self.way and asdict(self.way),
        }


def connected_of(host: str, result: Values | None) -> Connected | None:
    """Return the server of a task's result; None if the task did not connect. Raises Refused if its form is unknown.

    If Ansible itself failed, Ansible's message is the reason. Example: a variable of the host cannot be evaluated.
    """
    if result is None or result.get("skipped"):
        return None
    if "form" not in result:
        if not (result.get("failed") or result.get("unreachable")):
            return None
        return Connected(host, False, _line(str(result.get("msg") or "no reason given")))
    if result["form"] != FORM:
        text = "the result of xmpp_connect has the form %r, but this version of the collection reads the form %d"
        raise Refused([text % (result["form"], FORM)])
    server = result["server"]
    return Connected(
        host=str(result["host"]),
        reached=bool(result["reached"]),
        reason=str(result["reason"]),
        server=None if server is None else server_of(server),
        certificates=result["certificates"],
        planned=result["planned"],
        view=result["view"],
        broken=str(result["broken"]),
        way=None if result["way"] is None else Way(**result["way"]),
    )


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


@dataclass(frozen=True)
class DoorChoice:
    """Decide whether a management host does the work of a task. The host does the work if both texts are empty.

    skip: why this host does not do the work.
    fail: why no management host of the deployment can do the work.
    """

    skip: str = ""
    fail: str = ""


def choose(
    own: str, doors: t.Sequence[str], results: t.Mapping[str, Connected | None], left: t.Collection[str], alone: bool
) -> DoorChoice:
    """Decide whether a management host does a task.

    In the order of the inventory, the first host that answered does the task.

    own: the host.
    doors: the management hosts of the host's deployment in the play.
    results: the results of the hosts to which the play has connected.
    left: the hosts that are still in the play.
    alone: whether no other host is considered (run_once).
    """
    mine = results.get(own)
    if alone:
        return DoorChoice() if mine is None or mine.reached else DoorChoice(fail=nobody([mine]))
    answered = [door for door in doors if (one := results.get(door)) is not None and one.reached]
    # With serial or another strategy, a host may connect later.
    later = [door for door in doors if results.get(door) is None and (door in left or door == own)]
    first = (*answered, *later)
    if not first:
        return DoorChoice(fail=nobody([one for door in doors if (one := results.get(door)) is not None]))
    if own == first[0]:
        return DoorChoice()
    if mine is not None and not mine.reached:
        return DoorChoice(skip="%s did not answer, so another host of its deployment is used" % own)
    return DoorChoice(skip="another host of the deployment answered first")


def nobody(silent: t.Sequence[Connected]) -> str:
    """Return the message if no management host of a deployment answers."""
    if len(silent) == 1:
        return silent[0].reason
    reasons = ["%s: %s" % (one.host, one.reason) for one in silent]
    return "Nothing was written: no host of the deployment answers. " + "; ".join(reasons)
