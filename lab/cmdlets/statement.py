# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one command of a statement: check the name, bind parameters, apply faults and effect, log."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ..assumptions import rests_on, statement
from ..deployment.faults import IDENTIFYING, Fault, Faults, Moment
from ..deployment.hosts import GRANTER, PARTNERS, ROLES, VIEWER, Account, Host
from ..deployment.store import Store, fold
from ..deployment.wildcard import like
from ..errors import ActionStop, BindingError, CmdletError, Cut, ErrorDetails, Failed, Stopped
from .binding import Arguments, bind, resolve_name
from .context import Context
from .contract import Cmdlet, Parameter, load
from .core import PRODUCT_MODULE, SELECT, proxy, unknown_command
from .masking import show_parameters
from .objects import properties_of, type_names
from .providers import prompt_failed
from .table import HANDLERS

_SLICE = 0.02  # seconds between two checks whether the client has stopped a waiting pipeline


# The page of the cmdlet calls the cmdlet local.
LOCAL = "Get-CsServerVersion"
CLOCK = "Get-Date"
# The pages of these cmdlets mention only the local computer. Only Get-CsWindowsService is documented to work remotely.
CHANGES = ("Start-CsWindowsService", "Stop-CsWindowsService")


@dataclass(frozen=True)
class Call:
    """Hold one command of a statement.

    name: the command's name, or the text of a script.
    parameters: pairs of name and value. The name is None for a positional value. psrpcore has deserialized the value.
    is_script: whether ``name`` is script text.
    """

    name: str
    parameters: tuple[tuple[str | None, object], ...] = ()
    is_script: bool = False


class Sink(t.Protocol):
    """Receive the output of a pipeline. A sink is thread-safe and sends at once."""

    def output(self, value: object) -> None:
        """Write an object."""

    def error(self, record: ErrorDetails) -> None:
        """Report an error that does not end the pipeline."""

    def failed(self, record: ErrorDetails) -> None:
        """Report the error that ends the pipeline."""

    def warning(self, text: str) -> None:
        """Write a warning."""

    @property
    def stopped(self) -> bool:
        """Return whether the client has stopped the pipeline or the session has ended."""


@dataclass
class Session:
    """Hold the user who runs commands, and the host of the commands.

    modules: the modules that the session has imported so far.
    """

    store: Store
    profile: str
    host: Host
    account: Account
    id: str
    modules: set[str] = field(default_factory=set)

    def known(self) -> list[Cmdlet]:
        """Return the cmdlets that this session offers: by host, by imported modules, and by the user's role."""
        hidden = [pattern for one in self.store.setting("cmdlets_hidden") if (pattern := self._hides(one))]
        restricted = self.host.role in self.store.setting("restricted_select")
        offered = [
            proxy(c) if restricted and c.name == SELECT else c for c in load(self.profile).values() if self._offers(c)
        ]
        return [c for c in offered if not any(like(c.name, pattern) for pattern in hidden)] if hidden else offered

    def _hides(self, entry: str) -> str:
        """Return the wildcard of an entry of cmdlets_hidden; empty if the entry is for another host."""
        host, colon, pattern = entry.rpartition(":")
        return pattern if not colon or host == self.host.name else ""

    def find(self, name: str) -> Cmdlet | None:
        """Return the cmdlet of a name, with or without the product's module in front (about_Modules)."""
        module, qualified, plain = name.rpartition("\\")
        found = next((c for c in self.known() if fold(c.name) == fold(plain)), None)
        if qualified and not (found and found.is_product and fold(module) == fold(PRODUCT_MODULE[self.profile])):
            return None
        return found

    def _offers(self, cmdlet: Cmdlet) -> bool:
        # WinRM of a Front End is the same kind of shell as WinRM of an Edge.
        if ("management" if self.host.role == "management" else "edge") not in cmdlet.where:
            return cmdlet.name == CLOCK and bool(self.store.setting("clock_at_doors"))
        if cmdlet.name == SELECT and not self.store.setting("select_object"):
            return False
        if cmdlet.name == LOCAL and self.host.role == "management" and not self.store.setting("version_at_doors"):
            return False
        if cmdlet.name in CHANGES and self.host.role == "management" and not self.store.setting("services_at_doors"):
            return False
        if not cmdlet.is_product:
            return True
        if self.host.role != "management":
            return PRODUCT_MODULE[self.profile] in self.modules
        return any(like(cmdlet.name, pattern) for role in self.account.roles for pattern in ROLES[role])


class Run:
    """Run one command: binding, faults, effect, event."""

    def __init__(self, session: Session, call: Call, sink: Sink, output: t.Callable[[object], None]) -> None:
        """Prepare the run.

        output: receives the results, for the sink or the next command of the pipeline.
        """
        self._session = session
        self._call = call
        self._sink = sink
        self._output = output
        self._cmdlet: Cmdlet | None = None
        self._quiet = False
        self._stop = False

    def prepare(self, piped: bool) -> None:
        """Find the command and bind the parameters before a command of the pipeline runs, as PowerShell does.

        piped: whether another command comes before this command. Raises Failed.
        """
        started = time.time()
        with statement() as used:
            try:
                if self._call.is_script:
                    raise _no_script(self._session.host, self._call.name)
                self._cmdlet = self._session.find(self._call.name)
                if self._cmdlet is None:
                    _rest_on_what_is_offered(self._session)
                    raise unknown_command(self._call.name)
                args = bind(self._cmdlet, self._call.parameters, piped)
            except CmdletError as error:
                self._log(self._call.parameters, "error", error.message, started, used)
                raise self._failure(error) from None
        self._quiet = args.text("ErrorAction") in ("SilentlyContinue", "Ignore")
        self._stop = args.text("ErrorAction") == "Stop"

    def pipe(self, passed: list[object] | None) -> None:
        """Run the prepared command, once for each object from the pipeline. Raises Failed, Cut or Stopped."""
        assert self._cmdlet is not None, "the command was not prepared"
        if passed is None or self._cmdlet.gathers_input:
            self._once(self._cmdlet, self._call.parameters, passed or ())
            return
        for item in passed:
            if self._sink.stopped:
                raise Stopped
            self._once(self._cmdlet, (*self._call.parameters, *self._from_pipeline(self._cmdlet, item)), ())

    def _from_pipeline(self, cmdlet: Cmdlet, item: object) -> list[tuple[str | None, object]]:
        """Return the parameters that an object of the pipeline fills, by type or by the names of the properties."""
        named = {p.name for n, _v in self._call.parameters if n and (p := _resolved(cmdlet, n)) is not None}
        open_parameters = [p for p in cmdlet.parameters.values() if p.pipeline and p.name not in named]
        properties = properties_of(item)
        types = type_names(item)
        for parameter in open_parameters:
            fits = parameter.type in ("PSObject", "Object[]") or any(n.split(".")[-1] == parameter.type for n in types)
            if "value" in parameter.pipeline and (fits or not properties):
                return [(parameter.name, item)]
        for parameter in open_parameters:
            if "property" in parameter.pipeline and parameter.name in properties:
                return [(parameter.name, properties[parameter.name])]
        return []

    def _once(self, cmdlet: Cmdlet, given: t.Sequence[tuple[str | None, object]], incoming: t.Sequence[object]) -> None:
        started = time.time()
        outcome, problem = "ok", ""
        with statement() as used:
            try:
                failures, what_if = self._effect(cmdlet, given, incoming)
                outcome = "whatif" if what_if else "ok"
                if failures:
                    outcome, problem = "error", "; ".join(failures)
            except CmdletError as error:
                outcome, problem = "error", error.message
                if error.terminating or self._stop:
                    raise self._failure(error) from None
                self._report(error)
            except Cut as stop:
                outcome = "ok" if str(stop) == "after" else "error"
                problem = "connection cut %s taking effect" % stop
                raise
            except Stopped:
                outcome, problem = "error", "stopped by the client"
                raise
            except Exception as error:
                outcome, problem = "error", "the lab failed: %r" % error
                raise
            finally:
                self._log(given, outcome, problem, started, used)

    def _log(
        self,
        given: t.Sequence[tuple[str | None, object]],
        outcome: str,
        problem: str,
        started: float,
        used: t.Iterable[str],
    ) -> None:
        session, name = self._session, self._cmdlet.name if self._cmdlet else self._call.name
        session.store.log(
            "statement",
            session.host.name,
            session.id,
            session.account.user,
            name,
            show_parameters(self._cmdlet, given),
            outcome,
            problem,
            started,
            sorted(used),
        )

    def _failure(self, error: CmdletError) -> Failed:
        return Failed(self._record(error), whole=isinstance(error, ActionStop) or not error.terminating)

    def _record(self, error: CmdletError) -> ErrorDetails:
        if self._cmdlet is None:
            return error.details()
        # In a restricted session, PowerShell's own commands are functions. Functions bind their parameters.
        function = isinstance(error, BindingError) and self._session.host.role == "management"
        source = self._cmdlet.name if function and not self._cmdlet.is_product else self._cmdlet.source
        return error.details(self._cmdlet.name, source)

    def _report(self, error: CmdletError) -> None:
        """Write an error that does not end the statement, unless the caller has asked for a terminating error."""
        if self._stop:
            raise ActionStop(error)
        if not self._quiet:
            self._sink.error(self._record(error))

    def _effect(
        self, cmdlet: Cmdlet, given: t.Sequence[tuple[str | None, object]], incoming: t.Sequence[object]
    ) -> tuple[list[str], bool]:
        """Bind and run. Return the non-terminating errors, and whether the command ran with -WhatIf."""
        session = self._session
        args = bind(cmdlet, given)
        what_if = args.flag("WhatIf")
        identities = [str(v) for n in IDENTIFYING for v in _flat(args.get(n))]
        self._wait(float(session.store.setting("cmdlet_seconds")))
        if cmdlet.name == "Import-Module" and session.host.role != "management":
            self._wait(float(session.store.setting("import_seconds")))
        self._strike("before", cmdlet, identities)
        _ask(cmdlet, args)
        _reach(session.host, cmdlet, args)
        ctx = Context(
            store=session.store,
            host=session.host,
            profile=session.profile,
            cmdlet=cmdlet,
            report=self._report,
            warn=self._sink.warning,
            visible=session.known,
            modules=session.modules,
            wait=self._wait,
            input=incoming,
        )
        handler = HANDLERS[cmdlet.name]
        if cmdlet.should_process:
            # -WhatIf runs the real command and reverts the change. So -WhatIf fails if the real command fails.
            with session.store.transaction(keep=not what_if):
                results = list(handler(ctx, args))
            while not what_if and ctx.lasts is not None and ctx.lasts():
                self._wait(_SLICE)
            if not what_if:
                self._emit(results)
        else:
            self._emit(handler(ctx, args))
        self._strike("after", cmdlet, identities)
        return ctx.failures, what_if

    def _emit(self, results: t.Iterable[object]) -> None:
        for value in results:
            if self._sink.stopped:
                raise Stopped
            self._output(value)

    def _strike(self, when: Moment, cmdlet: Cmdlet, identities: t.Sequence[str]) -> None:
        session = self._session
        struck: list[Fault] = Faults(session.store).strike(when, cmdlet.name, session.host.name, identities)
        for fault in struck:
            if fault.action == "cut":
                raise Cut(when)
            if fault.action == "error":
                raise CmdletError(fault.message, "LabFault", "InvalidOperation", next(iter(identities), ""))
            self._wait(fault.seconds)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._sink.stopped:
                raise Stopped
            time.sleep(min(left, _SLICE))


def _resolved(cmdlet: Cmdlet, name: str) -> Parameter | None:
    try:
        return resolve_name(cmdlet, name)
    except BindingError:
        return None


def _flat(value: object) -> t.Iterable[object]:
    return () if value is None else value if isinstance(value, tuple) else (value,)


def _rest_on_what_is_offered(session: Session) -> None:
    """Record the assumption behind the error that a command is unknown."""
    if session.host.role != "management":
        rests_on("no-autoload")
    elif VIEWER in session.account.roles:
        rests_on("view-only-role")
    elif GRANTER in session.account.roles:
        rests_on("user-administrator-role")
    elif PARTNERS in session.account.roles:
        rests_on("custom-role")
    else:
        rests_on("endpoint-cmdlets")


def _no_script(host: Host, script: str) -> CmdletError:
    rests_on("no-scripts")
    why = "This can occur if the runspace is in no-language mode."
    if host.role != "management":
        why = "It belongs to the lab, which runs no scripts."
    return CmdletError(
        "The syntax is not supported by this runspace. %s" % why,
        "ScriptsNotAllowed",
        "ParserError",
        script,
        "System.Management.Automation.ParseException",
    )


def _ask(cmdlet: Cmdlet, args: Arguments) -> None:
    """Refuse a command that asks for confirmation, because no user can answer."""
    if args.flag("WhatIf") or not cmdlet.should_process:
        return
    told = args.get("Confirm")
    if told is True or (cmdlet.prompts and told is None and not args.flag("Force")):
        rests_on("prompting-cmdlets")
        raise prompt_failed("It was about to ask for confirmation; -Confirm:$false avoids that.")


def _reach(host: Host, cmdlet: Cmdlet, args: Arguments) -> None:
    """Refuse to read the Central Management Store on hosts that can only read the local replica."""
    if host.role != "management" and "LocalStore" in cmdlet.parameters and not args.flag("LocalStore"):
        if host.role == "edge":
            rests_on("edge-local-store")
        else:
            rests_on("front-end-local-store")
        raise CmdletError(
            "Cannot connect to the Central Management Store from this computer; -LocalStore reads the local replica.",
            "CannotOpenDatabase",
            "ResourceUnavailable",
        )
