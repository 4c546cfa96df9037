# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs leave on the controller: plan files and snapshots."""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t
from dataclasses import dataclass

from .._base import private_file
from .._base.inventory_text import inventory_text, inventory_values
from .._base.names import Invalid
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.version import VERSION
from .._shell.statement import Place
from .catalogue import BY_PART
from .deployment import Deployment
from .digest import check_form, differences, make_digest
from .federation import Federation, Grant, Wanted
from .plan import Plan
from .summary import markdown, summarise

FORM = 2
NEWEST = "newest"
# What stands in a snapshot, and the variable of the inventory that it is.
CONTENT = {
    "sfb_xmpp_policies": "policies",
    "sfb_xmpp_partners": "partners",
    "sfb_xmpp_gateway": "gateway",
    "sfb_xmpp_access_edge": "access_edge",
    "sfb_xmpp_federation_routes": "federation_routes",
}
_HEAD = "sfb_xmpp_snapshot_of"


def default_directory(home: str) -> str:
    """Beside Ansible's other files, not beside the inventory, which Ansible would read as a part of it."""
    return os.path.join(os.path.expanduser(home or "~/.ansible"), "sfb.xmpp", "snapshots")


def safe(name: str) -> str:
    """A name as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _directory(path: str, option: str) -> str:
    """The directory, made if it is missing, for its owner only. Raises Refused, naming the option."""
    path = os.path.realpath(os.path.expanduser(path))
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.stat(path).st_mode & 0o022:
            raise Refused(["%s: others may write into %s; set its mode to 0700" % (option, path)])
        if not os.access(path, os.W_OK | os.X_OK):
            raise Refused(["%s: %s cannot be written" % (option, path)])
    except OSError as exc:
        raise Refused(["%s: %s cannot be used: %s" % (option, path, exc.strerror)]) from None
    return path


def looser(path: str, option: str) -> list[str]:
    """A warning where others may look into a directory of snapshots."""
    path = os.path.realpath(os.path.expanduser(path))
    loose = os.path.isdir(path) and os.stat(path).st_mode & 0o055
    return ["%s: others may look into %s; set its mode to 0700" % (option, path)] if loose else []


# Plan files


@dataclass(frozen=True)
class PlanFile:
    """A plan that is kept: saved in check mode, with Markdown beside it; a run goes on only if its plan is that one."""

    path: str
    option: str

    def save(self, plan: Plan, place: Place, lines: t.Sequence[str]) -> None:
        """Raises Refused."""
        document = {
            "form": FORM,
            "collection": VERSION,
            "deployment": place.deployment,
            "host": place.host,
            "time": plan.deployment.time,
            "declared": declared_digests(plan.federation),
            "summary": summarise(plan.steps, plan.unchanged),
            "plan_digest": make_digest(plan),
            "steps": [step.shown("planned") for step in plan.steps],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        private_file.write(self.path, text.encode("utf-8", "surrogatepass"), self.option)
        name, extension = os.path.splitext(self.path)
        beside = (self.path if extension == ".md" else name) + ".md"
        private_file.write(beside, markdown(lines, plan.steps).encode("utf-8", "replace"), self.option)

    def hold(self, plan: Plan, place: Place) -> None:
        """Raises Refused unless the plan is the one that was saved."""
        found = self._differences(plan, place)
        if found:
            remedy = "look at the plan of now in check mode, which saves it in place of the former"
            raise Refused(["this is not the plan in %s" % self.path, *found, remedy])

    def _differences(self, plan: Plan, place: Place) -> list[str]:
        path = os.path.expanduser(self.path)
        if not os.path.exists(path):
            return ["there is no such file; save it with --check first"]
        try:
            document = json.loads(private_file.read(path, self.option).decode("utf-8", "surrogatepass"))
            form, deployment = document["form"], document["deployment"]
            saved, declared = check_form(document["plan_digest"]), dict(document["declared"])
        except (ValueError, TypeError, KeyError, Invalid):
            return ["it is not a plan that sfb.xmpp.xmpp_federation has saved in this form"]
        if form != FORM:
            return ["it was saved by another version of the collection (%s)" % document.get("collection")]
        found = []
        if deployment != place.deployment:
            found.append("it was made for the deployment %s, and this is %s" % (deployment, place.deployment))
        now = declared_digests(plan.federation)
        other = sorted(n for n in {*declared, *now} if declared.get(n) != now.get(n))
        if other:
            names = ", ".join("sfb_xmpp_" + name if "sfb_xmpp" in self.option else name for name in other)
            found.append("it was made from other values of %s" % names)
        return found + differences(saved, make_digest(plan))


def declared_digests(federation: Federation) -> dict[str, str]:
    """A hash for each declared option, so that a refusal can say which one is another. Secrets are left out."""
    import hashlib

    from .digest import plain_state

    found = {}
    for option, items in federation.wanted.items():
        value = [[item.identity, {o: plain_state(v) for o, v in item.values.items()}, item.absent] for item in items]
        grants = (
            [[g.policy, list(g.users), g.exclusive, *([str(g.selector)] * bool(g.selector))] for g in federation.grants]
            if option == "policies"
            else []
        )
        text = json.dumps([value, grants, option in federation.purge], sort_keys=True)
        found[option] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


# Snapshots


@dataclass(frozen=True)
class Snapshots:
    """Snapshots of one deployment: TIME-DEPLOYMENT.yml, in the inventory's vocabulary, without secrets."""

    directory: str
    option: str
    place: Place
    keep: int = 20

    def files(self) -> list[str]:
        """Paths of this deployment's snapshots, the newest first."""
        directory = os.path.realpath(os.path.expanduser(self.directory))
        ours = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-%s\.yml\Z" % re.escape(safe(self.place.deployment)))
        try:
            names = [name for name in os.listdir(directory) if ours.match(name)]
        except OSError:
            return []
        return [os.path.join(directory, name) for name in sorted(names, reverse=True)]

    def prepare(self) -> str:
        """The directory, ready to be written. Raises Refused."""
        return _directory(self.directory, self.option)

    def save(self, deployment: Deployment, options: t.Collection[str]) -> str:
        """Keep what is there of these options. Returns the path. Raises Refused."""
        directory = self.prepare()
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        path = os.path.join(directory, "%s-%s.yml" % (moment, safe(self.place.deployment)))
        head = {_HEAD: {"deployment": self.place.deployment, "host": self.place.host, "time": moment}}
        content = {name: values for name, values in shown(deployment, options).items() if values is not None}
        try:
            data = inventory_text({**head, **content}).encode()
        except UnicodeError as exc:
            raise Refused(["%s: what is there cannot be kept in a file: %s" % (self.option, exc)]) from None
        private_file.write(path, data, self.option)
        # The one of now stays where the clock was set back, and it is not the newest by its name.
        others = [old for old in self.files() if os.path.basename(old) != os.path.basename(path)]
        for old in others[max(self.keep, 1) - 1 :]:
            private_file.remove(old)
        return path

    def find(self, name: str) -> str:
        """The file that a user means: a path, the name of one in the directory, or the newest. Raises Refused."""
        if name == NEWEST:
            files = self.files()
            if files:
                return files[0]
            text = "there is no snapshot of %s in %s; name one with %s"
            raise Refused([text % (self.place.deployment, self.directory, self.option)])
        path = os.path.expanduser(name)
        for candidate in (path, os.path.join(os.path.expanduser(self.directory), name)) if name else ():
            if os.path.isfile(candidate):
                return os.path.realpath(candidate)
        raise Refused(["there is no file %s" % path])


def shown(deployment: Deployment, options: t.Collection[str]) -> dict[str, t.Any]:
    """The deployment in the inventory's variables, who has which policy included where that was read."""
    found: dict[str, t.Any] = {}
    usage = deployment.usage()
    for variable, option in CONTENT.items():
        if option not in options or option not in deployment.records:
            continue
        resource, records = BY_PART[option], deployment.of(option)
        if resource.single:
            found[variable] = resource.shown("", records["global"].values)
            continue
        items = [resource.shown(record.identity, record.values) for _key, record in sorted(records.items())]
        if option == "policies" and deployment.holders:
            add_grants(items, usage)
        found[variable] = items
    return found


def add_grants(policies: t.Iterable[dict[str, t.Any]], usage: t.Mapping[str, tuple[str, ...]]) -> None:
    """Tell of each per-user policy who has it, as an inventory does."""
    from .._base.names import is_per_user

    for policy in policies:
        name = key_of(policy["identity"])
        if is_per_user(name):
            policy["granted_to"] = list(usage.get(name, ()))


def owner(path: str, option: str) -> str:
    """The deployment of which a file is a snapshot. Raises Refused."""
    try:
        return str(_values(path, option)[_HEAD]["deployment"])
    except Invalid as exc:
        raise Refused(["%s %s" % (path, exc)]) from None


def _values(path: str, option: str) -> dict[str, t.Any]:
    """A snapshot's variables. Raises Refused if it cannot be read, and Invalid if it is no snapshot."""
    try:
        values = inventory_values(private_file.read(path, option).decode("utf-8", "surrogatepass"))
        head = values.get(_HEAD)
    except (KeyError, TypeError, AttributeError, UnicodeError) as exc:
        raise Invalid("is no snapshot (%s)" % type(exc).__name__) from None
    if not isinstance(head, dict) or "host" not in head or "deployment" not in head:
        raise Invalid("is no snapshot: there is no %s in it" % _HEAD)
    return values


def from_snapshot(path: str, parts: frozenset[str], option: str) -> tuple[Federation, str]:
    """What a snapshot says, complete: what came after it goes. Returns it and a text on the file. Raises Refused."""
    try:
        values = _values(path, option)
        head = values.pop(_HEAD)
        wanted: dict[str, tuple[Wanted, ...]] = {}
        grants: list[Grant] = []
        for variable, part in CONTENT.items():
            if variable not in values:
                continue
            resource = BY_PART[part]
            items = [values[variable]] if resource.single else values[variable]
            found: dict[str, Wanted] = {}
            for number, item in enumerate(items):
                place = "%s[%d]" % (variable, number)
                identity = "global"
                if resource.key is not None:
                    name = item[resource.key.option]
                    if not isinstance(name, str) or not name.strip():
                        raise Invalid("%s: %s is no name" % (place, resource.key.option))
                    identity = resource.identity_from_server(name)
                users = item.get("granted_to")
                one = Wanted(
                    identity, resource.from_snapshot({o: v for o, v in item.items() if o != "granted_to"}), place
                )
                if found.setdefault(one.key, one) is not one:
                    raise Invalid("%s: '%s' is there twice" % (place, identity))
                if users is not None:
                    if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
                        raise Invalid("%s.granted_to: is no list of users" % place)
                    grants.append(Grant(identity, tuple(users), place + ".granted_to", exclusive=True))
            wanted[part] = tuple(found.values())
        if not wanted:
            raise Invalid("is no snapshot: it holds nothing of a deployment")
    except (Invalid, KeyError, TypeError, AttributeError, UnicodeError) as exc:
        text = str(exc) if isinstance(exc, Invalid) else "is no snapshot (%s)" % type(exc).__name__
        raise Refused(["%s %s" % (path, text)]) from None
    said = "%s, taken %s through %s: %s" % (path, head.get("time"), head["host"], ", ".join(values))
    purge = frozenset(wanted) & {"policies", "partners"}
    return Federation(wanted, tuple(grants), purge, whole=True, parts=parts), said
