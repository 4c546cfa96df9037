# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the journal of runs, as evidence. The journal has one line of JSON for each task that may write, also if the
task failed.

runs.jsonl is next to the snapshots. Each line has the hash of the line before it. .runs.head has the hash of the last
line (see journal_chain.py). Lines are only removed by age, and a new line records the removal. journal_line.py makes
the lines.
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
# The playbooks and roles that may write. The journal has lines for their tasks.
WRITING = ("converge", "restore", "revoke", "failover", "decommission", "certificate", *ROLES)
# The bytes of one read when searching the start of the last line, which may name many users.
_BLOCK = 2**16


def ready(directory: str) -> None:
    """Check before a run whether the journal can be written. Raises Refused."""
    path = os.path.join(private_file.make_folder(directory, OPTION), NAME)
    os.close(private_file.open_own(path, OPTION, os.O_WRONLY | os.O_APPEND))
    try:
        full = os.statvfs(os.path.dirname(path)).f_bavail == 0
    except OSError as exc:
        raise Refused(["%s: %s cannot be written: %s" % (OPTION, path, exc.strerror)]) from None
    if full:
        raise Refused(["%s: %s cannot be written, because the disk is full" % (OPTION, path)])


def append(directory: str, line: Line, keep_days: int = KEEP_DAYS) -> str:
    """Add a line under a lock, and return the line in the form of the file. Raises Refused."""
    path = os.path.join(private_file.make_folder(directory, OPTION), NAME)
    with _alone(directory):
        text = _add(path, line)
        if keep_days:
            _prune(path, datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=keep_days), line)
    return text


def to_syslog(text: str, address: str = "") -> None:
    """Send a line to the controller's syslog. Raises Refused."""
    found = address or next((one for one in _SYSLOG if os.path.exists(one)), "")
    if not found:
        raise Refused(["sfb_xmpp_journal.syslog: this controller has no syslog socket (%s)" % ", ".join(_SYSLOG)])
    try:
        handler = logging.handlers.SysLogHandler(found, logging.handlers.SysLogHandler.LOG_USER)
    except OSError as exc:
        raise Refused(["sfb_xmpp_journal.syslog: %s cannot be used: %s" % (found, exc.strerror)]) from None
    handler.ident = "sfb.xmpp: "
    lost: list[logging.LogRecord] = []
    setattr(handler, "handleError", lost.append)  # noqa: B010 - logging expects this method to be replaced
    with contextlib.closing(handler):
        handler.handle(logging.makeLogRecord({"msg": text.rstrip("\n"), "levelno": logging.INFO}))
    if lost:
        raise Refused(["sfb_xmpp_journal.syslog: %s did not accept the line. The line may be too long" % found])


def read(directory: str) -> tuple[str, str | None]:
    """Return the lines, and the stored digest of the last line; None without a stored digest. Raises Refused."""
    path, head = (os.path.join(os.path.expanduser(directory), name) for name in (NAME, HEAD))
    found = [
        private_file.read_deciding(one, OPTION).decode("utf-8", "surrogateescape") if os.path.lexists(one) else None
        for one in (path, head)
    ]
    return found[0] or "", None if found[1] is None else found[1].strip()


def snapshots(directory: str) -> list[str]:
    """Return the names of the snapshots of all deployments, the newest first. Raises Refused."""
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
    """Add a line to the file. Raises Refused."""
    head = os.path.join(os.path.dirname(path), HEAD)
    handle = private_file.open_own(path, OPTION, os.O_RDWR | os.O_APPEND)
    try:
        last = _last_line(handle)
        text = json_text({**line, "before": _before(head, last)}) + "\n"
        data = text.encode("utf-8", "backslashreplace")
        # A line that a crash has cut stays a separate line.
        _write_all(handle, data if not last or last.endswith(b"\n") else b"\n" + data)
        os.fsync(handle)
    except OSError as exc:
        raise Refused(["%s: %s cannot be written: %s" % (OPTION, path, exc.strerror)]) from None
    finally:
        os.close(handle)
    private_file.write_deciding(head, digest_of_line(data).encode() + b"\n", OPTION)
    return data.decode()


def _before(head: str, last: bytes) -> str | None:
    """Return the digest for the next line: the digest of the last written line, even if the line is removed."""
    if not os.path.lexists(head):
        return digest_of_line(last) if last else None
    kept = private_file.read_deciding(head, OPTION).decode("ascii", "replace").strip()
    with contextlib.suppress(ValueError, AttributeError):
        # A run ended between its line and the head. The line is genuine, because the line has the digest in the head.
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
    """Remove the lines before the limit, and record the removal. Raises Refused."""
    handle = private_file.open_own(path, OPTION, os.O_RDONLY)
    with os.fdopen(handle, "rb") as stream:
        if not _older(stream.readline(), limit):
            return
        stream.seek(0)
        lines = stream.readlines()
    old = 0
    while old < len(lines) and _older(lines[old], limit):
        old += 1
    if old == len(lines):  # the clock was changed. The newest line stays
        old -= 1
    private_file.write_deciding(path, b"".join(lines[old:]), OPTION)
    first = json.loads(lines[old])
    kept: Line = {name: line[name] for name in ("form", "time", "user", "controller") if name in line}
    _add(path, {**kept, "outcome": "removed %d old lines" % old, "removed": old, "first_before": first.get("before")})


def _older(line: bytes, limit: datetime.datetime) -> bool:
    """Return whether a line is older than the limit. A line that cannot be read is kept."""
    try:
        return datetime.datetime.strptime(json.loads(line)["time"], "%Y-%m-%dT%H:%M:%S%z") < limit
    except (ValueError, TypeError, KeyError):
        return False
