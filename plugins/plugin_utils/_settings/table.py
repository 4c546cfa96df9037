# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define all variables that begin with sfb_xmpp_, which an inventory or a command line can set.

Three things use this table: the first check of every playbook, the JSON schemas of the variables, and the pages of the
playbooks. Types are argument specs, as in modules. The specs of objects come from the catalogue.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._base.change_control import FREEZE, REQUIREMENTS, WINDOW
from ...module_utils._chain.federate import SPEC as FEDERATION
from ...module_utils._edge_certificate.tasks import ARGUMENT_SPEC as CERTIFICATE
from ...module_utils._edge_certificate.tasks import IN_INVENTORY as CERTIFICATE_IN_INVENTORY
from ...module_utils._federation.catalogue import ACCESS_EDGE, GATEWAY, PARTS, ROUTE
from ...module_utils._federation.tasks import FEDERATION_SPEC
from ...module_utils._federation.words import PREFIX as _PREFIX
from ...module_utils._federation.words import ROLES
from ...module_utils._probe.options import ARGUMENT_SPEC as PROBE
from ...module_utils._probe.options import MESSAGE, VERDICTS
from .._documents.finding_order import NEVER, SEVERITIES
from .._playbooks.accepted import OPTIONS as ACCEPTED
from .._playbooks.edge_questions import DEFAULTS as EDGE_DEFAULTS
from .._playbooks.names import STAGES, TARGETS

PREFIX = _PREFIX
# For users' own variables.
FREE = PREFIX + "x_"
# AWX passes the first two from one job of a workflow to the next. The last two occur in snapshots that are read as
# variables.
IGNORED = frozenset(PREFIX + name for name in ("result", "changes", "snapshot_of", "snapshot_digest"))
# The longest horizon of a forecast in days. The modules have the same limit (module_utils/_x509/later.py).
FORECAST_DAYS = 400

# What playbooks use if a variable is not set, where its spec has no default, or one for modules only.
DEFAULTS: dict[str, t.Any] = {
    "fail_on_changes": False,
    "import_encoding": "utf-8",
    "deployment": "default",
    "replication": "wait",
    "revoke_restart": False,
    "show_users": True,
    "snapshot": True,
    "snapshot_directory": "~/.ansible/sfb.xmpp/snapshots",
    "state_directory": "~/.ansible/sfb.xmpp",
    "target": "2019",
    # Keys of a dictionary.
    "verification.allow_local": False,
    "verification.fail_on": ["failed"],
}
# The default of sfb_xmpp_into.
INTO = {
    "audit": "./sfb-xmpp-audit",
    "capture": "./sfb-xmpp-capture.json",
    "decommission": "./sfb-xmpp-decommission",
    "export": "./sfb-xmpp-export",
    "migration": "./sfb-xmpp-migration",
}
# The message if one of these playbooks has no value. Other playbooks that read the variable do not need a value.
_PARTNER = "Name the partner, as in -e sfb_xmpp_for_partner=fabrikam.com"
NEEDED: dict[str, dict[str, str]] = {
    "for_partner": {"explain": _PARTNER, "onboard": _PARTNER},
    "for_user": {"explain": "Name the user, as in -e sfb_xmpp_for_user=ann@contoso.com"},
    "into": {
        "import": "Name the file of variables to write, as in -e sfb_xmpp_into=inventory/group_vars/all/lists.yml"
    },
}

Spec = t.Mapping[str, t.Any]

PLAYBOOKS = tuple(
    "audit capture certificate converge decommission explain export failover history import migration onboard"
    " preflight rehearse restore revoke verify".split()
)
_PLAN = ("converge", "audit")
_TOWARDS = (*_PLAN, "restore")
_WRITING = ("converge", "restore", "failover", "decommission")
_CERTIFICATE = ("certificate", "converge")
_RUNS = (*_WRITING, "certificate", "revoke")
# Change control applies windows, plans and tickets to these runs. A revocation waits for none of the three.
_CONTROLLED = (*_WRITING, "certificate")
# The audit writes nothing on servers. Its forecast names the last day on which a run may write.
_TIMED = (*_CONTROLLED, "audit")
_STATE = (*_RUNS, "history", "capture")
_LOOKING = ("verify", "explain", "audit", "preflight", "onboard")

# The tag of preflight that checks the access to each host.
ACCESS = "access"
# The tags of each playbook. A playbook without tags does one thing.
TAGS: dict[str, tuple[str, ...]] = {
    "preflight": (ACCESS,),
    "converge": (*PARTS, "certificate"),
    "restore": PARTS,
    "audit": PARTS,
    "failover": (ROUTE.limited_as,),
}


@dataclass(frozen=True)
class Setting:
    """Define one variable.

    name: the variable's name, with the prefix.
    spec: the argument spec, with ``options`` if the variable is a dictionary or a list of dictionaries.
    playbooks: the playbooks that read the variable.
    text: the description for the pages of the playbooks, in full sentences.
    once: whether the variable applies to one run only. Such a variable works only as an extra variable (``-e``).
    former: the former name on the command line, without a prefix. In the playbooks of former_in, this name with ``-e``
        is a mistake.
    former_in: the playbooks that refuse the former name; by default the value of playbooks.
    missing: the remedy if a playbook that reads the variable has no value; empty if the variable is optional.
    """

    name: str
    spec: Spec
    playbooks: tuple[str, ...]
    text: str
    once: bool = False
    former: str = ""
    former_in: tuple[str, ...] = ()
    missing: str = ""

    def default(self, playbook: str) -> t.Any:
        """Return the value that a playbook uses if the variable is not set. The playbook's page shows this value."""
        if self.option == "into":
            return INTO.get(playbook)
        return DEFAULTS.get(self.option, self.spec.get("default"))

    def key_specs(self) -> dict[str, Spec]:
        """Return the keys of a dictionary, or of each dictionary in a list, with the defaults that playbooks use."""
        own = self.spec.get("options") or {}
        given = {key: DEFAULTS.get("%s.%s" % (self.option, key)) for key in own}
        return {key: spec if given[key] is None else {**spec, "default": given[key]} for key, spec in own.items()}

    def missing_in(self, playbook: str) -> str:
        """Return the message if a playbook that reads the variable has no value; empty if the variable is optional."""
        return self.missing or NEEDED.get(self.option, {}).get(playbook, "")

    @property
    def option(self) -> str:
        """Return the name without the prefix. An option of xmpp_federation for the variable has the same name."""
        return self.name[len(PREFIX) :]


def _setting(
    name: str,
    spec: Spec,
    playbooks: t.Sequence[str],
    text: str,
    once: bool = False,
    former: str = "",
    missing: str = "",
) -> Setting:
    return Setting(PREFIX + name, spec, tuple(playbooks), text, once, former, missing=missing)


def _of_a_run(name: str, playbooks: t.Sequence[str], text: str, former: str, former_in: t.Sequence[str]) -> Setting:
    """Return a setting for one run: a text from the command line."""
    return Setting(PREFIX + name, _TEXT, tuple(playbooks), text, True, former, tuple(former_in))


def _of_federation(name: str, playbooks: t.Sequence[str], text: str, once: bool = False) -> Setting:
    """Return a setting that is an option of xmpp_federation."""
    return _setting(name, FEDERATION[name], playbooks, text, once)


_TEXT: Spec = {"type": "str"}
_PATH: Spec = {"type": "path"}
_SWITCH: Spec = {"type": "bool"}
_NAMES: Spec = {"type": "list", "elements": "str"}

_MESSAGE: Spec = {"type": "list", "elements": "dict", "options": MESSAGE}
_PROBE_OPTIONS = (
    "own_domains from_domain access_edge gateway_port certificate trust_store nameservers timeout workers"
    " expires_within allow_local"
).split()
_VERIFICATION: Spec = {
    "type": "dict",
    "options": {
        **{name: PROBE[name] for name in _PROBE_OPTIONS if name in PROBE},
        # The default is the first own domain.
        "from_domain": _TEXT,
        # The limits for questions to the Edges: number of domains, time (seconds), and hours of the log.
        **{name: {"type": type(value).__name__, "default": value} for name, value in EDGE_DEFAULTS.items()},
        "fail_on": {"type": "list", "elements": "str", "choices": list(VERDICTS)},
        "messages": _MESSAGE,
    },
}
_CERTIFICATE_OPTIONS: Spec = {"type": "dict", "options": CERTIFICATE_IN_INVENTORY}

SETTINGS: tuple[Setting, ...] = (
    # Settings for one run
    _setting(
        "revoke_domain",
        _TEXT,
        ("revoke",),
        "The domain to revoke, such as ``-e sfb_xmpp_revoke_domain=fabrikam.com``.",
        once=True,
        former="domain",
        missing="Name the domain to revoke, as in -e sfb_xmpp_revoke_domain=fabrikam.com",
    ),
    _setting("revoke_reason", _TEXT, ("revoke",), "The reason, as a text for the journal of runs.", once=True),
    _setting(
        "failover_to",
        _TEXT,
        ("failover",),
        "The Edge pool that takes over XMPP, such as ``-e sfb_xmpp_failover_to=edge2.contoso.com``.",
        once=True,
        former="edge_pool",
        missing="Name the Edge pool that takes over XMPP, as in -e sfb_xmpp_failover_to=edge2.contoso.com",
    ),
    _setting(
        "failover_site",
        _TEXT,
        ("failover",),
        "The site whose route moves. By default, all existing routes move.",
        once=True,
        former="site",
    ),
    _setting(
        "decommission_stage",
        {"type": "str", "choices": list(STAGES)},
        ("decommission",),
        "The stage to do: ``export``, ``remove``, ``route`` or ``unbind``. By default, the run does the first stage"
        " that is not done.",
        once=True,
        former="stage",
    ),
    _setting(
        "decommission_date",
        _TEXT,
        ("decommission",),
        "The day on which the federation ends, for the sheets of the partners.",
        once=True,
        former="ends",
    ),
    # Settings of objects
    _setting(
        "policies",
        FEDERATION_SPEC["policies"],
        (*_PLAN, "preflight"),
        "The external access policies, with the options of :ansopt:`sfb.xmpp.xmpp_federation#module:policies`.",
    ),
    _setting(
        "partners",
        FEDERATION_SPEC["partners"],
        (*_PLAN, "preflight", "verify", "migration"),
        "The partners, with the options of :ansopt:`sfb.xmpp.xmpp_federation#module:partners`.",
    ),
    _setting(
        "gateway",
        {"type": "dict", "options": GATEWAY.spec()},
        (*_PLAN, "preflight"),
        "The settings of the gateway, with the options of :ansopt:`sfb.xmpp.xmpp_federation#module:gateway`.",
    ),
    _setting(
        "access_edge",
        {"type": "dict", "options": ACCESS_EDGE.spec()},
        (*_PLAN, "preflight"),
        "The switches of the Access Edge, with the options of :ansopt:`sfb.xmpp.xmpp_federation#module:access_edge`.",
    ),
    _setting(
        "federation_routes",
        FEDERATION_SPEC["federation_routes"],
        (*_PLAN, "preflight"),
        "The XMPP federation routes of sites, with the options of"
        " :ansopt:`sfb.xmpp.xmpp_federation#module:federation_routes`.",
    ),
    _of_federation("policies_purge", _PLAN, "Remove policies that are not listed."),
    _of_federation("partners_purge", _PLAN, "Remove partners that are not listed."),
    _of_federation(
        "exclusive_grants",
        _PLAN,
        "The lists and groups in ``granted_to`` are complete. Users who are not listed lose the policy.",
    ),
    _of_federation(
        "protect",
        (*_TOWARDS, "revoke", "decommission", "history"),
        "Domains and policies that are never removed. Shell patterns are allowed.",
    ),
    _of_federation(
        "revoked",
        (*_TOWARDS, "failover"),
        "The revoked domains, as a list of ``{domain, since, ticket, reason}``. A revoked domain is never allowed. If"
        ' a deployment allows a revoked domain, a run removes the domain. ``sfb_xmpp_allow: ["revoked:DOMAIN"]`` lifts'
        " a revocation for one run.",
    ),
    # When and how a run may write
    _setting(
        "require",
        {"type": "list", "elements": "str", "choices": list(REQUIREMENTS)},
        _CONTROLLED,
        "The requirements for each run that writes. ``plan`` requires ``sfb_xmpp_plan_digest``. ``ticket`` requires"
        " ``sfb_xmpp_ticket``. ``other_person`` requires a plan file that another user has made.",
    ),
    _setting(
        "ticket_pattern",
        _TEXT,
        _CONTROLLED,
        "A regular expression that must match the full text of ``sfb_xmpp_ticket``, such as ``CHG-[0-9]+``.",
    ),
    _setting(
        "windows",
        {"type": "list", "elements": "dict", "options": WINDOW},
        _TIMED,
        "The times at which runs may write, as a list of ``{days, from, to, timezone}``, such as ``{days: [fri, sat],"
        ' from: "22:00", to: "05:00", timezone: Europe/Berlin}``. Outside of every window, a run is refused before it'
        " writes. By default runs may always write.",
    ),
    _setting(
        "freeze",
        {"type": "list", "elements": "dict", "options": FREEZE},
        _TIMED,
        "The times at which runs must not write, as a list of ``{from, to, reason}`` with days or times in ISO 8601.",
    ),
    # Limits of a run
    _of_federation(
        "removal_limit",
        _TOWARDS,
        "The share of the objects of a kind that a purge may remove, in percent. If at least half of the objects"
        " stay, up to three objects may be removed even above this share.",
    ),
    _of_federation(
        "update_limit",
        _TOWARDS,
        "The share of the objects of a kind that a run may change, in percent. The limit applies if ten or more"
        " objects exist.",
    ),
    _of_federation(
        "impact_limit",
        ("converge", "restore", "decommission"),
        "The maximum numbers of users who lose partners and who gain partners in a run, such as ``{lose: 10, gain:"
        " 500}``. Each key is optional. A run above the limit is refused before it writes. If the numbers are unknown,"
        " the run is also refused. To count the users, the run reads all users. By default, no limit applies. A"
        " revocation has no limit.",
    ),
    _of_federation("allow_loss", _TOWARDS, "Rights that users may lose in this run.", once=True),
    _of_federation(
        "allow",
        (*_TOWARDS, "failover", "revoke", "certificate", "decommission"),
        "Normally refused actions that this run may do, such as ``empty_purge``. ``revoke`` accepts only"
        " ``protected``.",
        once=True,
    ),
    _of_federation(
        "force",
        _TOWARDS,
        "Same as listing every value in ``sfb_xmpp_allow`` except ``breaks_partner``, ``outside_window`` and"
        " ``revoked:DOMAIN``. Also allows removing policies that are still granted, and moving a route.",
        once=True,
    ),
    _of_federation(
        "probe_first",
        ("converge", "restore"),
        "Probe the partners that the plan adds or changes, before anything is written. The probe uses"
        " ``sfb_xmpp_verification``. Settings that the partner's server does not accept are refused.",
    ),
    _of_federation(
        "allow_replaced_policies",
        _PLAN,
        "A grant to the users of a pool, a site or a group may replace another policy.",
    ),
    _of_federation(
        "protected_accounts",
        (*_TOWARDS, "history"),
        "The action if Active Directory refuses a grant to an administrator. ``fail`` fails the run. ``warn`` skips"
        " the account with a warning.",
    ),
    _of_federation(
        "domain_controller",
        (*_TOWARDS, "history"),
        "The domain controller for reading users and for writing grants.",
    ),
    # Plans, snapshots, the journal
    _setting(
        "state_directory",
        _PATH,
        (*_STATE, "audit"),
        "The directory on the controller for snapshots, journal, locks and the key of captures. Several controllers"
        " may share it.",
    ),
    _setting(
        "trusted_owners",
        _NAMES,
        (*_STATE, "audit"),
        "Users of the controller, as names or numbers, whose plans, snapshots and folders are accepted. Your own"
        " account and root are always accepted.",
    ),
    _setting(
        "show_users",
        _SWITCH,
        (*_RUNS, "history", "audit"),
        "Whether plans in Markdown, shown lines, audits and the journal name users. With ``false``, users have"
        " pseudonyms such as ``user-0a1b2c3d4e``. A user has the same pseudonym in every file of a state directory.",
    ),
    _setting(
        "journal",
        {
            "type": "dict",
            "options": {"keep_days": {"type": "int", "default": 730}, "syslog": {"type": "bool", "default": False}},
        },
        _RUNS,
        "Settings of the journal of runs. ``keep_days`` sets after how many days a line is removed. The value 0 keeps"
        " all lines. If ``syslog`` is true, each line is also sent to the controller's syslog.",
    ),
    _of_federation(
        "plan_file",
        ("converge", "restore"),
        "The file of the plan. With ``--check``, the plan is saved to this file. Without ``--check``, this reviewed"
        " plan is applied, and any other plan is refused.",
    ),
    _setting(
        "plan_digest",
        {"type": "raw"},
        ("converge", "restore"),
        "The digest that the plan of the run must have. A check run shows the digest and sets it as a stat. Any other"
        " plan is refused before a write. With several deployments in a run, use a dictionary with the deployment as"
        " key.",
    ),
    _setting(
        "fail_on_changes",
        _SWITCH,
        (*_WRITING, "revoke", "certificate"),
        "With ``--check``, a run that plans changes ends with exit status 2. A certificate that is only staged on an"
        " Edge, for a later switch, is not a change.",
    ),
    _setting("snapshot", _SWITCH, _WRITING, "Keep a snapshot before the first write."),
    _of_federation(
        "snapshot_directory",
        (*_RUNS, "history"),
        "The directory of the snapshots and the journal on the controller.",
    ),
    _of_federation("snapshot_keep", _WRITING, "How many snapshots of a deployment are kept."),
    _setting(
        "snapshot_file",
        _TEXT,
        ("restore",),
        "The snapshot to restore. By default, the newest snapshot of each deployment is restored. A snapshot is"
        " restored only in its own deployment. Other deployments of the run are skipped. If the deployment of the"
        " snapshot is not in the run, the run is refused.",
    ),
    _setting(
        "ticket",
        _TEXT,
        (*_RUNS, "onboard"),
        "A text for the journal of runs, such as the number of a change ticket. ``onboard`` also writes this text to"
        " the partner's entry.",
    ),
    _setting(
        "history",
        {"type": "dict", "options": {"changes": {"type": "int", "default": 0}}},
        ("history",),
        "Settings of the history. ``changes`` sets for how many snapshots the changes of a restore are shown.",
    ),
    # Settings for one run
    _of_a_run(
        "for_partner",
        ("verify", "explain", "history", "onboard", "restore"),
        "A domain of a partner, or an address in that domain. ``verify`` checks only this partner. ``explain`` checks"
        " the links between this partner and the user. ``history`` shows the runs that changed this partner."
        " ``onboard`` prepares this partner. ``restore`` restores only this partner. For ``verify`` and ``restore``,"
        " separate several domains with commas.",
        "partner",
        ("verify", "explain", "history", "onboard", "restore"),
    ),
    _setting(
        "for_policy",
        _TEXT,
        ("history",),
        "A policy, such as ``-e sfb_xmpp_for_policy=FederatedXmpp``. Only runs that changed this policy are shown.",
        once=True,
    ),
    _of_a_run(
        "for_user",
        ("explain", "history"),
        "The user's SIP address, such as ``-e sfb_xmpp_for_user=ann@contoso.com``. ``history`` shows the runs that"
        " granted or withdrew a policy of this user.",
        "user",
        ("explain", "history"),
    ),
    _setting(
        "for_users",
        _NAMES,
        ("migration",),
        "The users who move next, such as ``-e sfb_xmpp_for_users=ann@contoso.com,bob@contoso.com``. Set this variable"
        " or ``sfb_xmpp_for_pools``.",
        once=True,
        former="users",
    ),
    _setting(
        "for_pools",
        _NAMES,
        ("migration",),
        "The FQDNs of the pools whose users all move.",
        once=True,
        former="pools",
    ),
    _setting(
        "rehearse_from",
        _PATH,
        ("rehearse",),
        "The start of the lab: the directory of an export, or a capture file. By default the lab is a new deployment.",
        once=True,
        former="start",
    ),
    _setting(
        "rehearse_profile",
        {"type": "str", "choices": ["sfb2015", "lync2013"]},
        ("rehearse",),
        "The product of the lab. By default, the product follows from the module that the Edge servers load.",
        once=True,
        former="profile",
    ),
    _setting(
        "import_partners",
        _PATH,
        ("import",),
        "The file of partners (from ``Get-CsXmppAllowedPartner``, or a table). An import needs at least one file.",
        once=True,
        former="partners",
    ),
    _setting(
        "import_policies",
        _PATH,
        ("import",),
        "The file of policies (from ``Get-CsExternalAccessPolicy``, or a table).",
        once=True,
        former="policies",
    ),
    _setting(
        "import_gateway",
        _PATH,
        ("import",),
        "The file of the gateway's settings (from ``Get-CsXmppGatewayConfiguration``).",
        once=True,
    ),
    _setting(
        "import_users",
        _PATH,
        ("import",),
        "The file of users (from ``Get-CsUser``). Each user is added to ``granted_to`` of the user's policy.",
        once=True,
    ),
    _setting(
        "import_encoding",
        _TEXT,
        ("import",),
        "The encoding of files without a byte order mark, such as ``cp1252``.",
        once=True,
        former="encoding",
    ),
    _setting(
        "import_ignore_columns",
        _NAMES,
        ("import",),
        "Columns to leave out, separated by commas.",
        once=True,
        former="ignore_columns",
    ),
    # Before and after the writes
    _of_federation(
        "replication",
        ("converge", "restore", "failover"),
        "The action after writes to the Central Management Store. ``wait`` waits until the Front Ends and the Edges"
        " with XMPP have the change. ``push`` first starts a full copy to these servers, then waits. ``none`` does"
        " nothing.",
    ),
    _of_federation(
        "replication_timeout",
        _WRITING,
        "How many seconds the run waits for the replicas. If a replica is still behind after this time, the run fails.",
    ),
    _of_federation(
        "configuration_backup",
        ("converge", "restore"),
        "A path on the server. Before the first write, the product exports its configuration to this path.",
    ),
    _setting(
        "revoke_restart",
        _SWITCH,
        ("revoke",),
        "With ``true``, the run waits up to 300 seconds until the servers have the change. Then the run restarts the"
        " XMPP services of ``sfb_front_end`` and ``sfb_edge``, all at once. Services are restarted even if the domain"
        " is already removed.",
        once=True,
    ),
    # The Edges
    _setting(
        "certificate",
        _CERTIFICATE_OPTIONS,
        (*_CERTIFICATE, *_LOOKING, "decommission"),
        "The certificate of each Edge, with the options of :ansplugin:`sfb.xmpp.xmpp_gateway_cert#module`.",
    ),
    _setting(
        "certificate_phase",
        CERTIFICATE["phase"],
        _CERTIFICATE,
        "The part of the work. ``stage`` only prepares the certificate. ``switch`` only puts the prepared certificate"
        " in use. ``all`` does both.",
    ),
    _setting(
        "certificate_switch",
        # former: the former name of a value, and its present name.
        {"type": "str", "choices": ["separate", "converge"], "default": "separate", "former": {"window": "separate"}},
        ("converge",),
        "``separate`` only puts a certificate in use if none is in use. ``converge`` also replaces a certificate in"
        " use, and restarts services.",
    ),
    _setting("certificate_hook", _PATH, _CERTIFICATE, "A file of tasks that get the certificate from another source."),
    _setting(
        "certificate_ask",
        _PATH,
        _CERTIFICATE,
        "A file of tasks that ask the issuer when to renew the certificate in use.",
    ),
    _setting(
        "certificate_drain",
        _PATH,
        _CERTIFICATE,
        "A file of tasks that take an Edge out of service before its certificate is switched.",
    ),
    _setting("certificate_restore", _PATH, _CERTIFICATE, "A file of tasks that put the Edge back into service."),
    # Settings of playbooks
    _setting(
        "into",
        _PATH,
        ("audit", "capture", "decommission", "export", "import", "migration", "onboard", "rehearse"),
        "The place for the files of the run. A relative path starts at the working directory. For ``audit``,"
        " ``decommission``, ``export`` and ``migration``, set a directory. For ``rehearse``, also set a directory."
        " Without a directory, ``rehearse`` writes no files. For ``capture`` and ``import``, set a file. ``import``"
        " needs this variable. For ``onboard``, set the file of variables that gets the new partner.",
        once=True,
        former="into",
    ),
    _setting(
        "verification",
        _VERIFICATION,
        (*_LOOKING, "converge", "restore"),
        "Settings of the probe, such as ``own_domains``, ``nameservers``, ``trust_store`` and ``certificate``. Three"
        " keys limit the questions to the Edges. ``edge_limit`` sets the number of domains (0 for none)."
        " ``edge_timeout`` sets the time in seconds. ``edge_hours`` sets the hours of the log. See the guide on"
        " verifying.",
    ),
    _setting(
        "audit",
        {
            "type": "dict",
            "options": {
                "fail_on": {"type": "str", "choices": [*SEVERITIES, NEVER], "default": SEVERITIES[0]},
                "probe": {"type": "bool", "default": True},
                "accepted": {"type": "list", "elements": "dict", "options": ACCEPTED},
                "forecast_days": {"type": "int", "default": 90},
            },
        },
        ("audit", "converge", "preflight"),
        "Settings of the findings. ``fail_on`` sets the lowest severity that ends the run with exit status 2. Its"
        " values are ``error``, ``unknown``, ``warning``, ``info`` and ``never``. If ``probe`` is false, the probes of"
        " partners are skipped. ``accepted`` is a list of ``{code, object, reason, ticket, until}``. Accepted findings"
        " are shown but not counted, for 400 days at most. ``forecast_days`` sets the horizon of the forecast, 1 to"
        " 400 days. ``preflight`` and ``converge`` read only ``accepted``. The object of their findings is the"
        " deployment.",
    ),
    _setting(
        "export",
        {"type": "dict", "options": {"defaults": {"type": "bool", "default": True}}},
        ("export",),
        "Settings of the export. If ``defaults`` is false, properties with the value of a new object are left out.",
    ),
    _setting(
        "capture",
        {"type": "dict", "options": {"key_file": _PATH, "users": {"type": "int"}}},
        ("capture",),
        "Settings of the capture. ``key_file`` is the file with the key of the pseudonyms. ``users`` sets the maximum"
        " number of users in the capture.",
    ),
    _setting(
        "target",
        {"type": "str", "choices": list(TARGETS)},
        ("migration",),
        "The target of the move. The values are ``2019`` (Skype for Business Server 2019), ``teams`` (Microsoft"
        " Teams) and ``xmpp`` (an XMPP server of your own). The report lists the functions that users lose. For"
        " ``xmpp``, the run also writes the partners as settings of Prosody and ejabberd.",
    ),
    _setting(
        "usage",
        _PATH,
        ("decommission", "migration"),
        "A CSV file with the use of partners, from the Monitoring database. The columns are ``domain``, ``last_used``"
        " (a day such as ``2026-11-30``) and ``sessions``. The guide on migration shows the query. The run shows last"
        " use and sessions of each partner, and names the partners without a session.",
    ),
    _setting(
        "decommission",
        _TEXT,
        ("decommission",),
        "The sentence that confirms the removal, ``yes, remove XMPP from DEPLOYMENT``. Without this variable, the run"
        " writes nothing and shows the sentence to set.",
        once=True,
    ),
    _setting(
        "deployment",
        _TEXT,
        tuple(name for name in PLAYBOOKS if name not in ("explain", "import", "preflight", "rehearse", "verify")),
        "The deployment of a host. Hosts with the same value share a Central Management Store.",
    ),
)
BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
# Variables that may differ between hosts of one deployment.
OF_A_HOST = frozenset((PREFIX + "deployment",))


# The playbook that does the same work as a role.
_LIKE = {"verification": "verify"}
# The settings that every role takes from the inventory, in addition to its parameters.
_OF_ROLES = frozenset(
    "deployment domain_controller protected_accounts audit replication replication_timeout"
    " configuration_backup snapshot snapshot_directory snapshot_keep ticket revoked require ticket_pattern windows"
    " freeze probe_first impact_limit verification".split()
)


def read_by(reader: str) -> tuple[Setting, ...]:
    """Return the settings that a playbook or a role reads. A role reads only its own settings of converge."""
    if reader in ROLES:
        wanted = _OF_ROLES.union(ROLES[reader])
        return tuple(one for one in SETTINGS if "converge" in one.playbooks and one.option in wanted)
    return tuple(setting for setting in SETTINGS if _LIKE.get(reader, reader) in setting.playbooks)
