# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report which hosts can be used, and the first broken link to each other host. All functions are pure.

The connect task supplies the facts about a host. Links after the first broken link are not checked.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import asdict, dataclass

from ...module_utils._base.texts import count
from ...module_utils._chain.conditions import TOLERANCE
from ...module_utils._federation.duties import AT_DOORS, Duty
from ...module_utils._server.duties import ON_EDGES, ON_FRONT_ENDS
from ...module_utils._shell.rights import roles_with
from ...module_utils._shell.statement import DNS, LOGIN, PORT, TLS, WAY
from .._servers.connected import Connected, Way
from .._servers.servers import DOORS, EDGES, FRONT_ENDS, DeploymentHosts
from .outcome import FAILED, RunOutcome, stats
from .outcome import OK as FINE

# controller: variables that can be evaluated, and libraries. cmdlets, clock: facts from the session.
CONTROLLER, CMDLETS, CLOCK = "controller", "cmdlets", "clock"
LINKS = (CONTROLLER, *WAY, CMDLETS, CLOCK)
# The states of a link. A state is unknown if the server does not report the state. A link after a broken link is not
# checked.
OK, WARNING, UNKNOWN, BROKEN, NOT_LOOKED_AT = "ok", "warning", "unknown", "broken", "not_looked_at"

_JOBS = {DOORS: AT_DOORS, EDGES: ON_EDGES, FRONT_ENDS: ON_FRONT_ENDS}
_LOCAL = "an account in the group Administrators of the server"


@dataclass(frozen=True)
class Seen:
    """Hold the state of a link to a host.

    message: the details; for a broken link, the reason and what to do.
    """

    link: str
    state: str
    message: str = ""


@dataclass(frozen=True)
class HostAccess:
    """Hold the links to a host.

    host: the host's name in the inventory.
    groups: the groups of the collection that contain the host.
    endpoint: the address of the session; empty if the address is unknown.
    links: all links, in the order of the checks.
    offered: the needed cmdlets that the session offers.
    missing: the needed cmdlets that the session does not offer.
    """

    host: str
    groups: tuple[str, ...]
    endpoint: str
    links: tuple[Seen, ...]
    offered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def broken(self) -> Seen | None:
        """Return the first broken link."""
        return next((one for one in self.links if one.state == BROKEN), None)

    @property
    def sentence(self) -> str:
        """Return the reason why the host cannot be used; empty if the host can be used."""
        first = self.broken
        return "%s: the link %s is broken: %s" % (self.host, first.link, first.message) if first else ""

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "host": self.host,
            "groups": list(self.groups),
            "endpoint": self.endpoint,
            "broken": self.broken.link if self.broken else "",
            "links": [asdict(one) for one in self.links],
            "offered": list(self.offered),
            "missing": [{"cmdlet": name, "roles": list(_roles(self.groups, (name,)))} for name in self.missing],
        }


def access_of(host: str, groups: t.Collection[str], one: Connected | None) -> HostAccess:
    """Return the links to a host.

    one: the result of the connect task; None if the task did not connect to the host.
    """
    mine = tuple(group for group in _JOBS if group in groups)
    one = one or Connected(host, False, "this run did not connect to the host")
    endpoint = one.way.endpoint if one.way else ""
    if not one.reached:
        at = one.broken or CONTROLLER
        number = LINKS.index(at)
        before = (_before(link, one.way) for link in LINKS[:number])
        return HostAccess(host, mine, endpoint, (*before, *(_behind(link, at, one) for link in LINKS[number:])))
    needed = tuple(dict.fromkeys(name for job in _jobs(mine) for name in job.cmdlets))
    cmdlets = one.server.cmdlets if one.server else None
    offered = tuple(name for name in needed if name in (cmdlets or ()))
    missing = tuple(name for name in needed if cmdlets is not None and name not in cmdlets)
    way = [_before(link, one.way) for link in (CONTROLLER, *WAY)]
    last = (_cmdlets(mine, cmdlets, missing), _clock(one.server.clock_ahead if one.server else None))
    return HostAccess(host, mine, endpoint, (*way, *last), offered, missing)


def _behind(link: str, at: str, one: Connected) -> Seen:
    if link != at:
        return Seen(link, NOT_LOOKED_AT)
    return Seen(link, BROKEN, re.sub(r"^no session on \S+: ", "", one.reason))


def _before(link: str, way: Way | None) -> Seen:
    """Return a link that works. A later link was reached, so this link cannot be broken."""
    if way is None or link == CONTROLLER:
        return Seen(link, OK)
    if link == DNS:
        if way.proxy:
            return Seen(link, NOT_LOOKED_AT, "the proxy resolves the name")
        return Seen(link, OK, "%s is an address" % way.address if _is_address(way.address) else way.address)
    if link == PORT:
        return Seen(link, OK, "%d%s" % (way.port, ", through a proxy" if way.proxy else ""))
    if link == TLS and not way.tls:
        return Seen(link, NOT_LOOKED_AT, "ansible_psrp_protocol is http")
    if link == TLS and not way.checked:
        return Seen(link, WARNING, "the certificate is not checked: ansible_psrp_cert_validation is ignore")
    if link == TLS:
        return Seen(link, OK, "the certificate is trusted and names the server")
    return Seen(link, OK, (way.account or "no account is named") if link == LOGIN else way.configuration)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _jobs(groups: t.Iterable[str]) -> list[Duty]:
    return [job for group in groups for job in _JOBS[group]]


def _roles(groups: t.Collection[str], cmdlets: t.Collection[str]) -> tuple[str, ...]:
    """Return the roles that allow these cmdlets. In a shell over WinRM, local rights decide instead of roles."""
    return roles_with(cmdlets) if DOORS in groups else (_LOCAL,)


def _cmdlets(groups: t.Collection[str], offered: t.Collection[str] | None, missing: t.Sequence[str]) -> Seen:
    """Return the state of the cmdlets. The state is broken only if each job lacks a cmdlet."""
    if offered is None:
        return Seen(CMDLETS, UNKNOWN, "the session does not list its cmdlets")
    if not missing:
        return Seen(CMDLETS, OK, "all needed cmdlets")
    able = [job.name for job in _jobs(groups) if set(job.cmdlets) <= set(offered)]
    unable = [job.name for job in _jobs(groups) if not set(job.cmdlets) <= set(offered)]
    by_roles: dict[tuple[str, ...], list[str]] = {}
    for name in missing:
        by_roles.setdefault(_roles(groups, (name,)), []).append(name)
    who = "; ".join("%s (%s)" % (", ".join(names), " or ".join(roles)) for roles, names in by_roles.items())
    if able:
        text = "enough for %s, not for %s. Not offered (and the roles that allow it): %s."
        return Seen(CMDLETS, WARNING, text % (", ".join(able), ", ".join(unable), who))
    text = "not enough for any task. Not offered (and the roles that allow it): %s.%s"
    return Seen(CMDLETS, BROKEN, text % (who, _shell(groups, offered)))


def _shell(groups: t.Collection[str], offered: t.Collection[str]) -> str:
    """Return a setting to check if a session offers no needed cmdlet. The shell may be of the wrong kind."""
    if DOORS not in groups:
        text = " Check ansible_management_shell_modules: SkypeForBusiness (2015) or Lync (2013)."
        return text if not any("-Cs" in name for name in offered) else ""
    local = "Get-CsCertificate" in offered or not any("-Cs" in name for name in offered)
    return " Check ansible_psrp_path: it is OcsPowershell in %s (port 443)." % DOORS if local else ""


def _clock(ahead: float | None) -> Seen:
    if ahead is None:
        return Seen(CLOCK, UNKNOWN, "the session does not report the time")
    text = "%d s %s the controller's" % (abs(ahead), "ahead of" if ahead > 0 else "behind")
    if abs(ahead) <= TOLERANCE:
        return Seen(CLOCK, OK, text)
    return Seen(CLOCK, BROKEN, "%s. Set the clock of the server (Windows Time service), or of the controller." % text)


def outcome(hosts: t.Sequence[HostAccess]) -> RunOutcome:
    """Return the outcome of a run that checked these hosts."""
    sentence = next((one.sentence for one in hosts if one.broken), "")
    return RunOutcome(FAILED if sentence else FINE, sentence=sentence)


def result(hosts: t.Sequence[HostAccess], deployments: t.Sequence[DeploymentHosts]) -> dict[str, t.Any]:
    """Return the result of the task.

    deployments: the deployments of the run. Each deployment gets its own stats.
    """
    several = len(deployments) > 1
    data: dict[str, t.Any] = {}
    for deployment in deployments:
        own = outcome([one for one in hosts if one.host in deployment.hosts])
        for name, value in stats(own, deployment.label, several)["data"].items():
            data[name] = {**data.get(name, {}), **value} if several else value
    return {
        "changed": False,
        "report": lines(hosts),
        "hosts": [one.as_dict() for one in hosts],
        "sentences": {one.host: one.sentence for one in hosts if one.broken},
        "outcome": outcome(hosts).word,
        "ansible_stats": {"data": data, "aggregate": several, "per_host": False},
    }


def lines(hosts: t.Sequence[HostAccess]) -> list[str]:
    """Return the lines on the screen: the first broken link of each host, then each host with all links."""
    broken = [one for one in hosts if one.broken]
    if broken:
        first = ", ".join("%s (%s)" % (one.host, one.broken.link) for one in broken if one.broken)
        found = [
            "%d of %s cannot be used. The first broken link of each: %s." % (len(broken), count(hosts, "host"), first)
        ]
    elif any(seen.state in (WARNING, UNKNOWN) for one in hosts for seen in one.links):
        found = ["No broken link was found, but see below (%s)." % count(hosts, "host")]
    else:
        found = ["All links to all hosts work (%s)." % count(hosts, "host")]
    for one in hosts:
        found.append("%s (%s)%s" % (one.host, ", ".join(one.groups), one.endpoint and " " + one.endpoint))
        left = [seen.link for seen in one.links if seen.state == NOT_LOOKED_AT and not seen.message]
        shown = [
            seen for seen in one.links if seen.link not in left and (seen.link != CONTROLLER or seen.state == BROKEN)
        ]
        found += [_row(seen.state, seen.link, seen.message) for seen in shown]
        found += [_row(NOT_LOOKED_AT, ", ".join(left))] * bool(left)
    return found


def _row(state: str, link: str, message: str = "") -> str:
    return ("  %-13s  %-8s  %s" % (state.replace("_", " "), link, message)).rstrip()
