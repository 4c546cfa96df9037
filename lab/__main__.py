# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the commands of ``python -m lab``: up, down, status, inventory, set, events, messages, send, partners, …"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.util
import json
import logging
import os
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from . import process
from .assumptions import as_text
from .deployment.breaks import BREAKS, break_link, broken, mend
from .deployment.endpoints import ADDRESSES, url
from .deployment.faults import Faults
from .deployment.hosts import HOSTS, SHELLS, USERS, login
from .deployment.shape import SHAPE, VARIABLE, read_shape, shape_in
from .deployment.store import DEFAULT_SETTINGS, FILE, Event, Store
from .deployment.strict import make_strict
from .errors import LabError
from .gateway import events as gateway_events
from .replay.capture import CaptureError


def main(argv: t.Sequence[str] | None = None) -> int:
    """Run one command. Return the exit code: 0, or 1 for a refusal and for ``status`` without a running lab."""
    for package in ("cryptography", "psrpcore", "spnego", "OpenSSL", "dns", "jinja2"):
        if importlib.util.find_spec(package) is None:
            install = "%s -m pip install -r %s" % (sys.executable, Path(__file__).with_name("requirements.txt"))
            print(
                "lab: the Python package %s is missing. Install the packages of the lab with: %s" % (package, install),
                file=sys.stderr,
            )
            return 1
    try:
        arguments = _parser().parse_args(argv)
        _take_shape(arguments, sys.argv[1:] if argv is None else argv)
        return int(arguments.run(arguments) or 0)
    except (LabError, CaptureError) as e:
        print("lab: %s" % e, file=sys.stderr)
        return 1


def _take_shape(arguments: argparse.Namespace, argv: t.Sequence[str]) -> None:
    """Start the command again in a new process if the lab has another shape than this process.

    The shape of the lab comes from ``--shape``, or from the lab's store. Raises LabError.
    """
    shape = SHAPE
    if getattr(arguments, "shape", None):
        shape = read_shape(arguments.shape)
    elif VARIABLE not in os.environ and (arguments.directory / FILE).exists():
        with contextlib.closing(Store(arguments.directory)) as store:
            shape = shape_in(store)
    if shape != SHAPE:
        os.environ[VARIABLE] = shape.as_text()
        os.execv(sys.executable, [sys.executable, "-m", "lab", *argv])  # noqa: S606 - this program, with its own words


def _parser() -> argparse.ArgumentParser:
    from .partners.commands import add_commands

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--directory",
        type=Path,
        default=process.default_directory(),
        help="directory for the state of the lab (SFB_LAB_DIRECTORY, or .lab in the checkout)",
    )
    parser = argparse.ArgumentParser(prog="python -m lab", description="Simulate a legacy XMPP federation.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: t.Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    up = command("up", _up, "start the lab in the background")
    up.add_argument("--port", type=int, help="TCP port on every host; 0 takes a free one (SFB_LAB_PORT, or 15986)")
    up.add_argument(
        "--xmpp-port", type=int, help="TCP port of the XMPP gateway; 0 takes a free one (SFB_LAB_XMPP_PORT, or 5269)"
    )
    up.add_argument(
        "--profile", choices=process.PROFILES, help="product (default: the lab's current product, or sfb2015)"
    )
    up.add_argument("--shape", metavar="NAME", help="two-sites, fourthcoffee, or a file (SFB_LAB_SHAPE, or Contoso)")
    up.add_argument(
        "--idle", type=float, default=process.DEFAULT_IDLE, help="seconds after which an unused session ends"
    )
    up.add_argument("--replay", type=Path, metavar="FILE", help="answer from this capture, and refuse writes")
    up.add_argument("--foreground", action="store_true", help="stay in the foreground; Ctrl-C stops the lab")
    up.add_argument("--until-eof", action="store_true", help="with --foreground: end at the end of standard input")
    replay = command("replay", _replay, "serve a capture as a deployment, in the background (stop it with down)")
    replay.add_argument("replay", type=Path, metavar="FILE")
    replay.add_argument("--port", type=int, help="TCP port on every host; see up")
    replay.add_argument("--foreground", action="store_true", help="stay in the foreground; Ctrl-C stops the lab")
    compare = command("compare", _compare, "print which assumptions of the lab a capture confirms or refutes")
    compare.add_argument("capture", type=Path, metavar="FILE")
    compare.add_argument("--json", action="store_true", help="print one JSON object per line")
    command("down", _down, "stop the lab and keep its state")
    command("status", _status, "print hosts, port, profile and accounts")
    listed = command("inventory", _inventory, "print an Ansible inventory of the lab, in JSON")
    listed.add_argument("--deployment", default="", metavar="NAME", help="value of sfb_xmpp_deployment")
    setting = command("set", _set, "change a setting of the lab, or list the settings")
    setting.add_argument("name", nargs="?", metavar="NAME")
    setting.add_argument(
        "value", nargs="?", metavar="JSON", help='value, such as 3, true, \'{"fe01": "off"}\' (none: the default)'
    )
    command(
        "strict", _strict, "add everything to the deployment that real deployments may have (only reset reverts this)"
    )
    events = command("events", _events, "print the log of sessions and statements")
    events.add_argument("--json", action="store_true", help="print one JSON object per line")
    events.add_argument("--since", type=int, default=0, metavar="ID", help="print only events after this number")
    messages = command("messages", _messages, "print the instant messages of local users")
    messages.add_argument("--json", action="store_true", help="print one JSON object per line")
    messages.add_argument("--since", type=int, default=0, metavar="ID", help="print only messages after this number")
    send = command("send", _send, "send an instant message as a local user, and wait for the outcome")
    send.add_argument("sender", metavar="FROM", help="the SIP address of a local user")
    send.add_argument("recipient", metavar="TO", help="the address of a partner's user")
    send.add_argument("text", metavar="TEXT")
    add_commands(command("partners", _status, "stand-in servers for partners (Prosody and ejabberd)"), common)
    command("assumptions", _assumptions, "print the lab's assumptions about undocumented behaviour")
    reset = command("reset", _reset, "restore a new deployment with an empty log")
    reset.add_argument(
        "--profile", choices=process.PROFILES, help="the product of the new deployment (only while the lab is down)"
    )
    breaking = command("break", _break, "break a link of the federation, or list the links")
    breaking.add_argument("name", nargs="?", metavar="NAME")
    mending = command("mend", _mend, "mend a broken link")
    mending.add_argument("name", nargs="?", metavar="NAME", help="the link (default: all)")
    talk = command("talk", _talk, "exchange messages between a local user and a partner's user, and print the result")
    talk.add_argument("first", metavar="FIRST", help="the user who writes first, such as romeo@fabrikam.example")
    talk.add_argument("second", metavar="SECOND", help="the user who answers, such as ialmeida@contoso.test")
    talk.add_argument("--ask", default="", metavar="TEXT", help="text of the first message")
    talk.add_argument("--answer", default="", metavar="TEXT", help="text of the answer")
    talk.add_argument(
        "--expect", metavar="FIRST,SECOND", help="the expected results: S, T or C for a method, - for no message"
    )
    matrix = command("matrix", _matrix, "try every row of the negotiation matrix with stand-in servers (takes minutes)")
    matrix.add_argument("--write", type=Path, metavar="FILE", help="also write the page to this file")
    fault = command("fault", _fault_list, "make cmdlets fail on purpose")
    actions = fault.add_subparsers(metavar="ACTION")
    actions.add_parser("list", parents=[common], help="print the armed faults").set_defaults(run=_fault_list)
    clear = actions.add_parser("clear", parents=[common], help="disarm faults")
    clear.add_argument("id", type=int, nargs="?", help="number of the fault (default: all)")
    clear.set_defaults(run=_fault_clear)
    add = actions.add_parser("add", parents=[common], help="arm a fault")
    add.add_argument("action", choices=("error", "delay", "cut"))
    add.add_argument("cmdlet", help="name or wildcard; '(session)' for the opening of a session")
    add.add_argument("--identity", default="", help="limit the fault to calls for this object (name or wildcard)")
    add.add_argument("--host", default="", choices=("", *HOSTS), help="limit the fault to this host")
    add.add_argument("--times", type=int, default=1, help="how often the fault occurs; 0 for always (default 1)")
    add.add_argument("--skip", type=int, default=0, help="how many matching calls succeed first")
    add.add_argument(
        "--when", choices=("before", "after"), default="before", help="before or after the cmdlet takes effect"
    )
    add.add_argument("--seconds", type=float, default=1.0, help="length of a delay (default 1)")
    add.add_argument("--message", default="", help="text of an error")
    add.set_defaults(run=_fault_add)
    return parser


def _up(arguments: argparse.Namespace) -> None:
    directory = arguments.directory
    port = process.default_port() if arguments.port is None else arguments.port
    profile = arguments.profile or process.saved_profile(directory) or process.DEFAULT_PROFILE
    xmpp_port = process.default_xmpp_port() if arguments.xmpp_port is None else arguments.xmpp_port
    if arguments.foreground:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        process.serve(directory, port, profile, arguments.idle, xmpp_port, arguments.replay, arguments.until_eof)
    else:
        running, _process = process.start(directory, port, profile, arguments.idle, xmpp_port, arguments.replay)
        _describe(directory, running)


def _replay(arguments: argparse.Namespace) -> None:
    arguments.profile, arguments.idle, arguments.xmpp_port = None, process.DEFAULT_IDLE, 0
    arguments.until_eof = False
    _up(arguments)


def _compare(arguments: argparse.Namespace) -> int:
    from .replay.capture import read
    from .replay.compare import compare, compare_objects, text

    capture = read(arguments.capture)
    findings, objects = compare(capture), compare_objects(capture)
    if arguments.json:
        for one in (*map(dataclasses.asdict, findings), *map(dataclasses.asdict, objects)):
            print(json.dumps(one, ensure_ascii=False))
    else:
        print(text(findings, objects), end="")
    return int(any(finding.verdict == "refuted" for finding in findings))


def _down(arguments: argparse.Namespace) -> None:
    print("the lab is down" if process.stop(arguments.directory) else "the lab was not up")


def _assumptions(arguments: argparse.Namespace) -> None:
    print(as_text(), end="")


def _status(arguments: argparse.Namespace) -> int:
    running = process.find(arguments.directory)
    if running is None:
        print("the lab is down (%s)" % arguments.directory)
        return 1
    _describe(arguments.directory, running)
    return 0


def _describe(directory: Path, running: process.Running) -> None:
    print("the lab is up: profile %s, process %d, directory %s" % (running.profile, running.pid, directory))
    for name, host in SHELLS.items():
        print("  %-22s %s" % (host.fqdn, url(name, running.port)))
        accounts = [login(host, user) for user in USERS]
        print("  %-22s %s" % ("", ", ".join("%s (%s)" % (a.user, "+".join(a.roles)) for a in accounts if a)))
    gateway = ", ".join(ADDRESSES[name] for name, host in HOSTS.items() if host.role == "edge")
    print("  %-22s %s port %d" % ("XMPP gateway", gateway, running.xmpp_port))
    print("  %-22s %s port %d (UDP)" % ("its DNS records", ADDRESSES["fe01"], running.xmpp_port))
    with contextlib.closing(Store(directory)) as store:
        now = broken(store)
    if now:
        print("  broken: %s" % ", ".join(now))
    print("  CA certificate: %s; event log: python -m lab events" % (directory / "ca.pem"))


def _inventory(arguments: argparse.Namespace) -> None:
    from .inventory import Place, inventory

    running = process.find(arguments.directory)
    if running is None:
        raise LabError("the lab is down. Start it with: python -m lab up")
    place = Place(arguments.directory.resolve(), running.port, running.profile, SHAPE)
    print(json.dumps(inventory({arguments.deployment: place}), indent=2))


def _strict(arguments: argparse.Namespace) -> None:
    make_strict(_store(arguments))
    print("the lab is strict")


def _set(arguments: argparse.Namespace) -> None:
    store, name = _store(arguments), arguments.name
    if name is None:
        for each in DEFAULT_SETTINGS:
            print("%-26s %s" % (each, json.dumps(store.setting(each))))
        return
    if name not in DEFAULT_SETTINGS:
        raise LabError("the lab has no setting '%s'. Use one of: %s" % (name, ", ".join(DEFAULT_SETTINGS)))
    try:
        value = DEFAULT_SETTINGS[name] if arguments.value is None else json.loads(arguments.value)
    except ValueError as e:
        raise LabError("%s: the value '%s' must be JSON: %s" % (name, arguments.value, e)) from e
    store.set_setting(name, value)


def _events(arguments: argparse.Namespace) -> None:
    for event in _store(arguments).events(arguments.since):
        if arguments.json:
            print(json.dumps(dataclasses.asdict(event), ensure_ascii=False))
        else:
            print(_line(event))


def _line(event: Event) -> str:
    what = event.kind
    if event.kind == "statement":
        shown = ["-%s %s" % (k, json.dumps(v, ensure_ascii=False)) for k, v in event.parameters.items()]
        what = " ".join([event.cmdlet, *shown])
    elif event.kind == gateway_events.KIND:
        what = gateway_events.line(event)
    result = "%s %s" % (event.outcome, event.error) if event.error else event.outcome
    who = "%-6s %s" % (event.host, event.user)
    return "%5d %s %s: %s -> %s (%.3f s)" % (event.id, event.time, who, what, result, event.seconds)


def _messages(arguments: argparse.Namespace) -> None:
    for message in _store(arguments).messages(arguments.since):
        if arguments.json:
            print(json.dumps(dataclasses.asdict(message), ensure_ascii=False))
        else:
            result = "%s: %s" % (message.status, message.reason) if message.reason else message.status
            who = "%-3s %s > %s" % (message.direction, message.sender, message.recipient)
            print("%5d %s %s: %r -> %s" % (message.id, message.time, who, message.body, result))


def _send(arguments: argparse.Namespace) -> int:
    if process.find(arguments.directory) is None:
        raise LabError("the lab is down, so it cannot send the message. Start it with: python -m lab up")
    store = _store(arguments)
    number = store.send_message(arguments.sender, arguments.recipient, arguments.text)
    while (message := store.message(number)) is not None and message.status == "queued":
        time.sleep(0.05)
        if process.find(arguments.directory) is None:
            raise LabError("the lab stopped before message %d was sent" % number)
    if message is None:
        raise LabError("the lab was reset before message %d was sent" % number)
    print("message %d: %s%s" % (number, message.status, message.reason and ": " + message.reason))
    return 0 if message.status == "sent" else 1


def _reset(arguments: argparse.Namespace) -> None:
    from .deployment.seed import seed

    running = process.find(arguments.directory)
    if running is not None and arguments.profile not in (None, running.profile):
        raise LabError("the lab is up as %s. Stop it before you change the product" % running.profile)
    store = Store(arguments.directory)
    with store.transaction():
        profile = arguments.profile or store.setting("profile") or process.DEFAULT_PROFILE
        store.clear()
        seed(store, profile)
    print("the lab is reset: %s" % profile)


def _break(arguments: argparse.Namespace) -> None:
    store = _store(arguments)
    if arguments.name is not None:
        return break_link(store, arguments.name)
    now = broken(store)
    for name, link in BREAKS.items():
        print("%s %-26s %s" % ("*" if name in now else " ", name, link.text))
    return None


def _mend(arguments: argparse.Namespace) -> None:
    mend(_store(arguments), arguments.name)


def _talk(arguments: argparse.Namespace) -> int:
    from .partners.control import find
    from .talk import WORDS, talk

    expected = arguments.expect.split(",") if arguments.expect else []
    if expected and (len(expected) != 2 or not set(expected) <= set(WORDS)):
        raise LabError("--expect must be two of %s, such as S,T" % ", ".join(WORDS))
    partners = find(arguments.directory)
    if partners is None:
        raise LabError("no partners are up. Start them with: python -m lab partners up")
    people = (arguments.first, arguments.second)
    outcomes = talk(_store(arguments), partners, *people, arguments.ask, arguments.answer)
    wrong = 0
    for number, outcome in enumerate(outcomes):
        how = (
            WORDS[outcome.method] if outcome.arrived else "not delivered: %s" % (outcome.why or "the reason is unknown")
        )
        print("%s -> %s: '%s' (%s)" % (people[number], people[1 - number], outcome.body, how))
        if expected and not outcome.is_as(expected[number]):
            print("  expected: %s" % WORDS[expected[number]])
            wrong = 1
    return wrong


def _matrix(arguments: argparse.Namespace) -> int:
    from .matrix import KINDS, ROWS, page, run

    found = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="sfb.") as directory:
            found += run(Path(directory), kind, ROWS)
    text = page(found)
    print(text, end="")
    if arguments.write is not None:
        arguments.write.write_text(text, encoding="utf-8")
    return int(not all(one.right for one in found))


def _fault_add(arguments: argparse.Namespace) -> None:
    number = Faults(_store(arguments)).add(
        cmdlet=arguments.cmdlet,
        identity=arguments.identity,
        host=arguments.host,
        times=arguments.times or None,
        action=arguments.action,
        when=arguments.when,
        seconds=arguments.seconds if arguments.action == "delay" else 0.0,
        message=arguments.message,
        skip=arguments.skip,
    )
    print("fault %d is armed" % number)


def _fault_clear(arguments: argparse.Namespace) -> None:
    Faults(_store(arguments)).clear(arguments.id)


def _fault_list(arguments: argparse.Namespace) -> None:
    for fault in Faults(_store(arguments)).armed():
        print(json.dumps(dataclasses.asdict(fault), ensure_ascii=False))


def _store(arguments: argparse.Namespace) -> Store:
    if not (arguments.directory / FILE).exists():
        raise LabError("there is no lab in %s. Start one with: python -m lab up" % arguments.directory)
    return Store(arguments.directory)


if __name__ == "__main__":
    sys.exit(main())
