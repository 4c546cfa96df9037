# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a simulated cmdlet may raise, and the form in which an error reaches the client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorDetails:
    """One record of the error stream.

    category is a name of System.Management.Automation.ErrorCategory; error_id is the fully qualified error id;
    exception is the .NET type of the exception (ErrorCategoryInfo's Reason is its last part).
    """

    message: str
    error_id: str = ""
    category: str = "NotSpecified"
    target: str = ""
    cmdlet: str = ""
    exception: str = "System.Management.Automation.RuntimeException"


class LabError(Exception):
    """The lab itself cannot go on: wrong directory, wrong profile, unknown host. For whoever started it."""


class CmdletError(Exception):
    """A terminating error of one statement. The statements after it still run."""

    def __init__(
        self,
        message: str,
        error_id: str,
        category: str = "InvalidOperation",
        target: str = "",
        exception: str = "Microsoft.Rtc.Management.ManagementException",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category
        self.target = target
        self.exception = exception

    def details(self, cmdlet: str) -> ErrorDetails:
        """The record to write; PowerShell ends the error id with the command that raised it."""
        return ErrorDetails(
            self.message, "%s,%s" % (self.error_id, cmdlet), self.category, self.target, cmdlet, self.exception
        )


class BindingError(CmdletError):
    """The parameters do not fit the cmdlet's contract. Ids are those of PowerShell's parameter binder."""

    def __init__(self, message: str, error_id: str, target: str = "", category: str = "InvalidArgument") -> None:
        super().__init__(message, error_id, category, target, "System.Management.Automation.ParameterBindingException")


class Stopped(Exception):
    """The client stopped the pipeline while a statement was running or waiting."""


class Cut(Exception):
    """Fault injection: drop the TCP connection now and forget the session."""
