# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the connect task learned of each server, and the door that works for a deployment. Pure.

The task keeps its result under one name on each host. It is plain JSON with a number for its form.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ...module_utils._base.result import Refused
from ...module_utils._base.texts import printable
from ...module_utils._server.server import Server, server_of

Values = t.Mapping[str, t.Any]

# The name under which a playbook of the collection keeps the result, and a role in a play of a user's own.
CONNECTED, BY_ROLE = "xmpp_connected", "xmpp_connected_by_role"
# And what follows from it for the run, of a host that did not answer.
JUDGED = "xmpp_connected_judged"
# Of the result's form. A later form has a higher number.
FORM = 1


@dataclass(frozen=True)
class Way:
    """How a host is reached, as the options of its connection say. No secrets.

    tls: whether TLS is used; checked: whether the certificate is. proxy: whether a proxy is between.
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
    """One server after the attempt to connect.

    reached: whether a session was open. reason: why not; otherwise empty. broken: the link of the way at which none
    came about (statement.WAY); empty if it was none of them. way: where that is looked at. server: what it offers, its
    services. certificates: the result of xmpp_gateway_cert_info. planned: the result of xmpp_gateway_cert in check
    mode, with the phase stage, if nothing is due. What was not read is None.
    """

    host: str
    reached: bool
    reason: str = ""
    server: Server | None = None
    certificates: dict[str, t.Any] | None = None
    planned: dict[str, t.Any] | None = None
    broken: str = ""
    way: Way | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The result of the task, plain values only."""
        return {
            "form": FORM,
            "host": self.host,
            "reached": self.reached,
            "reason": self.reason,
            "server": self.server and self.server.as_dict(),
            "certificates": self.certificates,
            "planned": self.planned,
            "broken": self.broken,
            "way": self.way and asdict(self.way),
        }


def connected_of(host: str, result: Values | None) -> Connected | None:
    """What a result of the task says; None if the task did not connect to this host. Raises Refused for another form.

    If Ansible itself failed, for example because a variable of the host cannot be evaluated, its message is the reason.
    """
    if result is None or result.get("skipped"):
        return None
    if "form" not in result:
        if not (result.get("failed") or result.get("unreachable")):
            return None
        return Connected(host, False, _line(str(result.get("msg") or "no reason given")))
    if result["form"] != FORM:
        text = "the result of xmpp_connect has the form %r; this version of the collection reads %d"
        raise Refused([text % (result["form"], FORM)])
    server = result["server"]
    return Connected(
        host=str(result["host"]),
        reached=bool(result["reached"]),
        reason=str(result["reason"]),
        server=None if server is None else server_of(server),
        certificates=result["certificates"],
        planned=result["planned"],
        broken=str(result["broken"]),
        way=None if result["way"] is None else Way(**result["way"]),
    )


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


@dataclass(frozen=True)
class DoorChoice:
    """Whether a door does the work of a task. skip: why it does not. fail: why no door of the deployment can."""

    skip: str = ""
    fail: str = ""


def choose(
    own: str, doors: t.Sequence[str], results: t.Mapping[str, Connected | None], left: t.Collection[str], alone: bool
) -> DoorChoice:
    """What a door does with a task: the first that answered works, in the inventory's order.

    doors: of its deployment, as far as the play has them. results: of those to which the play has connected so far.
    left: hosts that are left of the play. alone: no other host is asked (run_once).
    """
    mine = results.get(own)
    if alone:
        return DoorChoice() if mine is None or mine.reached else DoorChoice(fail=nobody([mine]))
    answered = [door for door in doors if (one := results.get(door)) is not None and one.reached]
    # With serial or another strategy a door may come later.
    later = [door for door in doors if results.get(door) is None and (door in left or door == own)]
    first = (*answered, *later)
    if not first:
        return DoorChoice(fail=nobody([one for door in doors if (one := results.get(door)) is not None]))
    if own == first[0]:
        return DoorChoice()
    if mine is not None and not mine.reached:
        return DoorChoice(skip="%s did not answer, so another host of its deployment is used" % own)
    return DoorChoice(skip="another host of the deployment has answered")


def nobody(silent: t.Sequence[Connected]) -> str:
    """The sentence of a deployment of which no door answers."""
    if len(silent) == 1:
        return silent[0].reason
    reasons = ["%s: %s" % (one.host, one.reason) for one in silent]
    return "Nothing was written: no host of the deployment answers. " + "; ".join(reasons)
