# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of runs, kept as evidence: a line of JSON for each task that may have written, refused and failed too.

runs.jsonl lies beside the snapshots. Each line holds the hash of the line before it, and .runs.head that of the last
one (see journal_chain.py). Lines leave by their age only, and a line says so. What a line holds: journal_line.py.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import logging.handlers
import os
import re
import typing as t

from ...module_utils._base import private_file
from ...module_utils._base.result import Refused
from ...module_utils._base.texts import json_text
from ...module_utils._federation.words import ROLES
from .journal_chain import Line, digest_of_line

NAME, HEAD, LOCK = "runs.jsonl", ".runs.head", ".runs.lock"
OPTION = "sfb_xmpp_state_directory"
KEEP_DAYS = 730
_SNAPSHOT = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-.+\.yml\Z")
# The sockets of syslog on Linux and on macOS.
_SYSLOG = ("/dev/log", "/var/run/syslog")
# The playbooks and roles that may write, and so have lines in the journal.
WRITING = ("converge", "restore", "revoke", "failover", "decommission", "certificate", *ROLES)
# Enough to find the start of the last line, which may name many users.
_BLOCK = 2**16


def ready(directory: str) -> None:
    """Find out before a run whether it can be written down. Raises Refused."""
    path = os.path.join(private_file.make_folder(directory, OPTION), NAME)
    os.close(private_file.open_own(path, OPTION, os.O_WRONLY | os.O_APPEND))
    try:
        full = os.statvfs(os.path.dirname(path)).f_bavail == 0
    except OSError as exc:
        raise Refused(["%s: %s cannot be written: %s" % (OPTION, path, exc.strerror)]) from None
    if full:
        raise Refused(["%s: %s cannot be written: no space is left on the disk" % (OPTION, path)])


def append(directory: str, line: Line, keep_days: int = KEEP_DAYS) -> str:
    """Add a line, while no other process does, and return it as it stands in the file. Raises Refused."""
    path = os.path.join(private_file.make_folder(directory, OPTION), NAME)
    with _alone(directory):
        text = _add(path, line)
        if keep_days:
            _prune(path, datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=keep_days), line)
    return text


def to_syslog(text: str, address: str = "") -> None:
    """Send a line to the controller's syslog as well. Raises Refused."""
    found = address or next((one for one in _SYSLOG if os.path.exists(one)), "")
    if not found:
        raise Refused(["sfb_xmpp_journal.syslog: this controller has none of %s" % ", ".join(_SYSLOG)])
    try:
        handler = logging.handlers.SysLogHandler(found, logging.handlers.SysLogHandler.LOG_USER)
    except OSError as exc:
        raise Refused(["sfb_xmpp_journal.syslog: %s cannot be used: %s" % (found, exc.strerror)]) from None
    handler.ident = "sfb.xmpp: "
    lost: list[logging.LogRecord] = []
    setattr(handler, "handleError", lost.append)  # noqa: B010 - what logging offers is a method to be replaced
    with contextlib.closing(handler):
        handler.handle(logging.makeLogRecord({"msg": text.rstrip("\n"), "levelno": logging.INFO}))
    if lost:
        raise Refused(["sfb_xmpp_journal.syslog: %s did not take the line, perhaps for its length" % found])


def read(directory: str) -> tuple[str, str | None]:
    """The lines, and the digest of the last one as it was kept; None where none was. Raises Refused."""
    path, head = (os.path.join(os.path.expanduser(directory), name) for name in (NAME, HEAD))
    found = [
        private_file.read_deciding(one, OPTION).decode("utf-8", "surrogateescape") if os.path.lexists(one) else None
        for one in (path, head)
    ]
    return found[0] or "", None if found[1] is None else found[1].strip()


def snapshots(directory: str) -> list[str]:
    """The names of the snapshots of all deployments, the newest first. Raises Refused."""
    path = os.path.expanduser(directory)
    try:
        names = os.listdir(path) if os.path.isdir(path) else []
    except OSError as exc:
        raise Refused(["%s: %s cannot be read: %s" % (OPTION, path, exc.strerror)]) from None
    return sorted(filter(_SNAPSHOT.match, names), reverse=True)


@contextlib.contextmanager
def _alone(directory: str) -> t.Iterator[None]:
    path = os.path.join(os.path.expanduser(directory), LOCK)
    handle = private_file.open_own(path, OPTION, os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as exc:
            raise Refused(["%s: %s" % (OPTION, private_file.not_locked(path, exc))]) from None
        yield
    finally:
        os.close(handle)


def _add(path: str, line: Line) -> str:
    """Raises Refused."""
    head = os.path.join(os.path.dirname(path), HEAD)
    handle = private_file.open_own(path, OPTION, os.O_RDWR | os.O_APPEND)
    try:
        last = _last_line(handle)
        text = json_text({**line, "before": _before(head, last)}) + "\n"
        data = text.encode("utf-8", "backslashreplace")
        # A line that a crash has cut stays one of its own.
        _write_all(handle, data if not last or last.endswith(b"\n") else b"\n" + data)
        os.fsync(handle)
    except OSError as exc:
        raise Refused(["%s: %s cannot be written: %s" % (OPTION, path, exc.strerror)]) from None
    finally:
        os.close(handle)
    private_file.write_deciding(head, digest_of_line(data).encode() + b"\n", OPTION)
    return data.decode()


def _before(head: str, last: bytes) -> str | None:
    """The digest that the next line holds: of the line that this journal has written last, even if it is gone."""
    if not os.path.lexists(head):
        return digest_of_line(last) if last else None
    kept = private_file.read_deciding(head, OPTION).decode("ascii", "replace").strip()
    with contextlib.suppress(ValueError, AttributeError):
        # A run ended between its line and the head. The line was written by the journal, as it holds the head.
        if json.loads(last).get("before") == kept:
            return digest_of_line(last)
    return kept


def _last_line(handle: int) -> bytes:
    end = os.lseek(handle, 0, os.SEEK_END)
    data, start = b"", end
    while start and b"\n" not in data[:-1]:
        size = min(_BLOCK, start)
        start -= size
        data = os.pread(handle, size, start) + data
    return data[data[:-1].rfind(b"\n") + 1 :]


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _prune(path: str, limit: datetime.datetime, line: Line) -> None:
    """Take out the lines before the limit, and write that down. Raises Refused."""
    handle = private_file.open_own(path, OPTION, os.O_RDONLY)
    with os.fdopen(handle, "rb") as stream:
        if not _older(stream.readline(), limit):
            return
        stream.seek(0)
        lines = stream.readlines()
    old = 0
    while old < len(lines) and _older(lines[old], limit):
        old += 1
    if old == len(lines):  # the clock was set; the line that was just written stays
        old -= 1
    private_file.write_deciding(path, b"".join(lines[old:]), OPTION)
    first = json.loads(lines[old])
    kept: Line = {name: line[name] for name in ("form", "time", "user", "controller") if name in line}
    _add(path, {**kept, "outcome": "removed %d old lines" % old, "removed": old, "first_before": first.get("before")})


def _older(line: bytes, limit: datetime.datetime) -> bool:
    """A line that cannot be read is kept."""
    try:
        return datetime.datetime.strptime(json.loads(line)["time"], "%Y-%m-%dT%H:%M:%S%z") < limit
    except (ValueError, TypeError, KeyError):
        return False
