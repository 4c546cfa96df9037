# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the errors of simulated cmdlets, and the form of errors for the client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorDetails:
    """Hold one record of the error stream.

    category: a name of System.Management.Automation.ErrorCategory.
    error_id: the fully qualified error id.
    exception: the .NET type of the exception. The last part of this name is the Reason of ErrorCategoryInfo.
    """

    message: str
    error_id: str = ""
    category: str = "NotSpecified"
    target: str = ""
    cmdlet: str = ""
    exception: str = "System.Management.Automation.RuntimeException"


class LabError(Exception):
    """The lab itself cannot continue: wrong directory, wrong profile, unknown host. The text is for the lab's user."""


class CmdletError(Exception):
    """A statement has a terminating error, or an error after which the cmdlet continues."""

    def __init__(
        self,
        message: str,
        error_id: str,
        category: str = "InvalidOperation",
        target: str = "",
        exception: str = "Microsoft.Rtc.Management.ManagementException",
        terminating: bool = True,
    ) -> None:
        """Set the details of the error.

        terminating: whether the error ends the statement. If not, the cmdlet writes the error and ends.
        """
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category
        self.target = target
        self.exception = exception
        self.terminating = terminating

    def details(self, cmdlet: str = "", source: str = "") -> ErrorDetails:
        """Return the error record.

        cmdlet: the command's name; empty if the command does not exist.
        source: the end of the error id: the class of a compiled cmdlet, or the name of a function.
        """
        error_id = "%s,%s" % (self.error_id, source or cmdlet) if cmdlet else self.error_id
        return ErrorDetails(self.message, error_id, self.category, self.target, cmdlet, self.exception)


class ActionStop(CmdletError):
    """The caller has made an error terminating, with -ErrorAction Stop. The error ends the complete pipeline."""

    def __init__(self, error: CmdletError) -> None:
        super().__init__(error.message, error.error_id, error.category, error.target, error.exception)


class Failed(Exception):
    """A statement ended in a terminating error.

    whole: whether the next statements do not run either.
    """

    def __init__(self, record: ErrorDetails, whole: bool = False) -> None:
        super().__init__(record.message)
        self.record = record
        self.whole = whole


class BindingError(CmdletError):
    """The parameters do not match the cmdlet's contract. The error ids are from PowerShell's parameter binder."""

    def __init__(self, message: str, error_id: str, category: str = "InvalidArgument") -> None:
        kind = "ParameterBindingValidationException" if category == "InvalidData" else "ParameterBindingException"
        super().__init__(message, error_id, category, exception="System.Management.Automation." + kind)


class Stopped(Exception):
    """The client stopped the pipeline while a statement was running or waiting."""


class Cut(Exception):
    """A fault drops the TCP connection now and ends the session."""
