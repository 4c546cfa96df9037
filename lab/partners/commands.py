# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Define the commands ``python -m lab partners``: up, down, status, missing."""

from __future__ import annotations

import argparse
import typing as t

from .. import process
from . import control, programs
from .launch import PASSWORD, USERS
from .servers import DEFAULT, SERVERS


def add_commands(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Add the actions of the command ``partners``.

    common: the parent that has ``--directory``.
    """
    parser.set_defaults(run=_status)
    actions = parser.add_subparsers(metavar="ACTION")
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument(
        "--with",
        dest="names",
        metavar="NAME",
        nargs="+",
        choices=("all", *SERVERS),
        default=DEFAULT,
        help="names of %s, or all (default: %s)" % (", ".join(SERVERS), " ".join(DEFAULT)),
    )
    up = actions.add_parser("up", parents=[common, chosen], help="start XMPP servers and the name server")
    up.set_defaults(run=_up)
    actions.add_parser("down", parents=[common], help="stop them").set_defaults(run=_down)
    absent = "print the packages to install; exit code 1 if there are any"
    actions.add_parser("missing", parents=[common, chosen], help=absent).set_defaults(run=_missing)
    actions.add_parser(
        "status", parents=[common], help="print the partners that are up, with their addresses"
    ).set_defaults(run=_status)


def _up(arguments: argparse.Namespace) -> None:
    lab = process.find(arguments.directory)
    port = lab.xmpp_port if lab is not None else process.default_xmpp_port()
    _describe(control.start(arguments.directory, port, _names(arguments)))


def _names(arguments: argparse.Namespace) -> t.Collection[str]:
    return SERVERS if "all" in arguments.names else arguments.names


def _down(arguments: argparse.Namespace) -> None:
    print("the partners are down" if control.stop(arguments.directory) else "no partners were up")


def _missing(arguments: argparse.Namespace) -> int:
    gone = programs.missing({SERVERS[name].kind for name in _names(arguments)})
    if gone:
        print("Partners need the packages %s. %s" % (", ".join(gone), programs.installation(gone)))
    return int(bool(gone))


def _status(arguments: argparse.Namespace) -> int:
    partners = control.find(arguments.directory)
    if partners is None:
        print("no partners are up (%s)" % arguments.directory)
        return 1
    _describe(partners)
    return 0


def _describe(partners: control.Partners) -> None:
    print("the partners are up; their name server is %s, their root %s" % (partners.nameserver, partners.root))
    for partner in partners.servers.values():
        print(
            "  %-16s %s  servers: port %d, clients: port %d, TLS %s, dialback %s"
            % (
                partner.name,
                partner.address,
                partner.server_port,
                partner.client_port,
                partner.tls,
                "accepted" if partner.dialback else "refused",
            )
        )
        for domain, kind in partner.domains.items():
            print("  %-16s %s (certificate: %s)" % ("", domain, kind))
    print("  users of each domain: %s, password %s" % (", ".join(USERS), PASSWORD))
