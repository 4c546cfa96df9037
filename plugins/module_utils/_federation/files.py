# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write and read snapshots. A run saves a snapshot on the controller before its first write."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import typing as t
from dataclasses import dataclass, replace

from .._base import private_file
from .._base.inventory_text import inventory_text, inventory_values
from .._base.names import Invalid
from .._base.names import key as key_of
from .._base.result import Refused
from .._base.version import VERSION
from .._shell.statement import Place
from .catalogue import BY_PART, OPTIONS, PURGED
from .deployment import Deployment
from .federation import Federation, Grant, Wanted
from .identity import Identity, from_file
from .kinds import shortened

FORM = 2  # Form 1 had no digest, and only the label of the deployment.
NEWEST = "newest"
# The variables of the inventory in a snapshot, each with its option.
CONTENT = {"sfb_xmpp_" + option: option for option in OPTIONS}
_HEAD, _DIGEST = "sfb_xmpp_snapshot_of", "sfb_xmpp_snapshot_digest"


def default_directory(home: str) -> str:
    """Return the default directory, next to Ansible's other files.

    The directory of the inventory does not work, because Ansible would read snapshots as a part of the inventory.
    """
    return os.path.join(os.path.expanduser(home or "~/.ansible"), "sfb.xmpp", "snapshots")


def safe(name: str) -> str:
    """Return a name in a form that a file name can have."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def looser(path: str, option: str) -> list[str]:
    """Return a warning if other users can read a directory of snapshots."""
    path = os.path.realpath(os.path.expanduser(path))
    loose = os.path.isdir(path) and os.stat(path).st_mode & 0o005
    return ["%s: other users can read %s. Set its mode to 0700" % (option, path)] if loose else []


# Snapshots


@dataclass(frozen=True)
class Snapshots:
    """Manage the snapshots of one deployment. The files are TIME-DEPLOYMENT.yml, with inventory variables, no secrets.

    directory: the path.
    option: the name of the option with the directory, for messages.
    place: the server and the deployment.
    keep: how many snapshots to keep.
    """

    directory: str
    option: str
    place: Place
    keep: int = 20

    def files(self) -> list[str]:
        """Return the paths of this deployment's snapshots, the newest first."""
        directory = os.path.realpath(os.path.expanduser(self.directory))
        ours = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-%s\.yml\Z" % re.escape(safe(self.place.deployment)))
        try:
            names = [name for name in os.listdir(directory) if ours.match(name)]
        except OSError:
            return []
        return [os.path.join(directory, name) for name in sorted(names, reverse=True)]

    def prepare(self) -> str:
        """Create the directory if missing, and return the path. Raises Refused."""
        return private_file.make_folder(self.directory, self.option)

    def save(self, deployment: Deployment, options: t.Collection[str]) -> str:
        """Save the objects of these options, and return the path. Raises Refused."""
        directory = self.prepare()
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        path = os.path.join(directory, "%s-%s.yml" % (moment, safe(self.place.deployment)))
        identity = replace(deployment.identity, label=self.place.deployment).as_dict()
        head = {
            _HEAD: {
                "form": FORM,
                "collection": VERSION,
                "deployment": identity,
                "host": self.place.host,
                "time": moment,
            }
        }
        content = {name: values for name, values in shown(deployment, options).items() if values is not None}
        try:
            data = inventory_text({**head, **content}).encode()
        except UnicodeError as exc:
            raise Refused(["%s: the objects cannot be saved in a file: %s" % (self.option, exc)]) from None
        data += ("%s: %s\n" % (_DIGEST, _content(data))).encode()
        private_file.write_deciding(path, data, self.option)
        # The new file always stays. If the clock was set back, the name of the new file does not sort as the newest.
        others = [old for old in self.files() if os.path.basename(old) != os.path.basename(path)]
        for old in others[max(self.keep, 1) - 1 :]:
            private_file.remove(old)
        return path

    def find(self, name: str) -> str:
        """Return the path of a snapshot. Raises Refused.

        name: a path, the name of a file in the directory, or ``newest``.
        """
        if name == NEWEST:
            files = self.files()
            if files:
                return files[0]
            text = "there is no snapshot of %s in %s. Set %s to the path of a snapshot"
            raise Refused([text % (self.place.deployment, self.directory, self.option)])
        path = os.path.expanduser(name)
        for candidate in (path, os.path.join(os.path.expanduser(self.directory), name)) if name else ():
            if os.path.isfile(candidate):
                return os.path.realpath(candidate)
        raise Refused(["there is no file %s. Correct the path" % path])


def shown(deployment: Deployment, options: t.Collection[str]) -> dict[str, t.Any]:
    """Return the deployment as variables of an inventory. The users of policies are included if the users were read."""
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
    """Add the users to each per-user policy, in the form of an inventory."""
    from .._base.names import is_per_user

    for policy in policies:
        name = key_of(policy["identity"])
        if is_per_user(name):
            policy["granted_to"] = list(usage.get(name, ()))


@dataclass(frozen=True)
class Snapshot:
    """This is a snapshot that a run has read.

    path: the path of the file.
    identity: the identity of the snapshot's deployment. An old snapshot has only the label.
    values: the variables in the snapshot.
    said: a description of the file for messages.
    warnings: texts for the user.
    """

    path: str
    identity: Identity
    values: t.Mapping[str, t.Any]
    said: str
    warnings: tuple[str, ...] = ()


def load(path: str, option: str) -> Snapshot:
    """Read a snapshot. Raises Refused, also if another user can write the file."""
    data = private_file.read_deciding(path, option)
    try:
        return _load(path, data)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Refused([_no_snapshot(path, exc)]) from None


def _load(path: str, data: bytes) -> Snapshot:
    values = inventory_values(data.decode("utf-8", "surrogatepass"))
    head = values.pop(_HEAD, None)
    if not isinstance(head, dict) or not isinstance(head.get("host"), str) or "deployment" not in head:
        raise Invalid("it does not have %s" % _HEAD)
    form = head.get("form", 1)
    if form not in (1, FORM):
        raise Invalid("its form is %s, which this version of the collection cannot read" % shortened(form))
    found = []
    if form == 1:
        identity = Identity(str(head["deployment"]))
        found.append("%s: the snapshot has an old form, which does not show whether it was edited" % path)
    else:
        identity = from_file(head["deployment"])
        if values.pop(_DIGEST, None) != _content(data):
            found.append("%s: the snapshot was edited after it was taken" % path)
    names = ", ".join(map(str, values))
    said = "%s, taken %s through %s: %s" % (path, shortened(head.get("time")), head["host"], names)
    return Snapshot(path, identity, values, said, tuple(found))


def _content(data: bytes) -> str:
    """Return the digest of all lines, without the line of the digest."""
    lines = data.splitlines(keepends=True)
    return hashlib.sha256(b"".join(line for line in lines if not line.startswith(_DIGEST.encode()))).hexdigest()


def _no_snapshot(path: str, exc: Exception) -> str:
    text = str(exc) if isinstance(exc, Invalid) else type(exc).__name__
    return "%s is not a snapshot of this collection: %s" % (path, text)


def from_snapshot(path: str, parts: frozenset[str], option: str) -> tuple[Federation, str]:
    """Return the federation of a snapshot and a description of the file. Newer objects are purged. Raises Refused."""
    snapshot = load(path, option)
    return federation_of(snapshot, parts), snapshot.said


def federation_of(snapshot: Snapshot, parts: frozenset[str]) -> Federation:
    """Return the federation of a snapshot. Newer objects are purged. Raises Refused."""
    try:
        return _federation(snapshot.values, parts)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Refused([_no_snapshot(snapshot.path, exc)]) from None


def _federation(values: t.Mapping[str, t.Any], parts: frozenset[str]) -> Federation:
    wanted: dict[str, tuple[Wanted, ...]] = {}
    grants: list[Grant] = []
    for variable, part in CONTENT.items():
        if variable not in values:
            continue
        resource = BY_PART[part]
        items = [values[variable]] if resource.single else values[variable]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Invalid("%s: must be a list of dictionaries" % variable)
        found: dict[str, Wanted] = {}
        for number, item in enumerate(items):
            place = "%s[%d]" % (variable, number)
            identity = "global"
            if resource.key is not None:
                name = item.get(resource.key.option)
                if not isinstance(name, str) or not name.strip():
                    raise Invalid("%s: %s must be a name" % (place, resource.key.option))
                identity = resource.identity_from_server(name)
            users = item.get("granted_to")
            values_of = {option: value for option, value in item.items() if option != "granted_to"}
            one = Wanted(identity, resource.from_snapshot(values_of), place)
            if found.setdefault(one.key, one) is not one:
                raise Invalid("%s: %s is in the list twice" % (place, shortened(identity)))
            if users is not None:
                if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
                    raise Invalid("%s.granted_to: must be a list of users" % place)
                grants.append(Grant(identity, tuple(users), place + ".granted_to", exclusive=True))
        wanted[part] = tuple(found.values())
    if not wanted:
        raise Invalid("it has no objects of a deployment")
    purge = frozenset(wanted) & frozenset(PURGED)
    return Federation(wanted, tuple(grants), purge, whole=True, parts=parts)
