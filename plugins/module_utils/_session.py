# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell of a host as its connection offers it: statements go to the process that keeps the session open."""

from __future__ import annotations

import typing as t

from ansible.module_utils.connection import Connection, ConnectionError  # noqa: A004 - Ansible's own name for it

from ._shell import Answer, ShellError, Statement


class ConnectionShell:
    """A ``Shell`` over the socket of a persistent connection (``module._socket_path``)."""

    def __init__(self, socket_path: str | None) -> None:
        """Raises ShellError if there is no socket: the task does not run over sfb.xmpp.management_shell."""
        if not socket_path:
            raise ShellError(
                "this module needs the connection sfb.xmpp.management_shell"
                " (set ansible_connection for the play, or run one of the collection's playbooks)"
            )
        self._connection = Connection(socket_path)

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        """Run the statements. Raises ShellError if nothing was executed; a loss later on is in the answer."""
        try:
            return Answer.decode(self._connection.invoke([statement.encode() for statement in statements]))
        except ConnectionError as error:
            failure = error
        # Ansible's text on an answer that does not come repeats the request, secrets included: not to be passed on.
        if not hasattr(failure, "code") and _may_have_arrived(failure):
            return Answer(lost="the process that keeps the session ended before it answered")
        raise ShellError(str(failure))


class NoSession:
    """The ``Shell`` of a task that works without a server."""

    def invoke(self, statements: t.Sequence[Statement]) -> Answer:
        raise ShellError("this module has no session")


def _may_have_arrived(failure: Exception) -> bool:
    """Whether a failure between this process and the one that keeps the session came after the request was sent."""
    text = str(failure)
    if text.startswith(("socket path", "Failed to encode")):
        return False
    return not isinstance(failure.__context__, (ConnectionRefusedError, FileNotFoundError))
