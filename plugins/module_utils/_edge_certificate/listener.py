# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificate that the gateway's listener presents, with a handshake from the controller (XMPP STARTTLS)."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._base.names import Invalid, canonical_domain
from .._base.result import Refused
from .._x509.certificate import thumbprint

if t.TYPE_CHECKING:
    from .._x509.certificate import Certificate

# (address, port, to, from_, timeout in seconds) -> the presented certificates, the listener's own first.
MakeHandshake = t.Callable[[str, int, str, str, float], "t.Sequence[Certificate]"]

OPTIONS: dict[str, t.Any] = {
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5269},
    "domain": {"type": "str", "required": True},
    "partner": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
}
# Seconds for one handshake.
_ONE = 5.0
_PAUSE = 1.0
# The failures of a listener that does not answer or cannot be reached.
_UNREACHED = ("refused", "timeout", "unreachable")


class HandshakeFailed(Exception):
    """No certificate was presented.

    how: refused, timeout, unreachable, or a later failure.
    """

    def __init__(self, how: str, text: str = "") -> None:
        super().__init__(how)
        self.how, self.text = how, text


@dataclass(frozen=True)
class Handshake:
    """This is the result of a handshake.

    reached: whether the listener answered.
    thumbprint: the thumbprint of the presented certificate; None if the listener presented no certificate.
    text: why the listener presented no certificate.
    chain: the presented certificates, the listener's own first.
    """

    reached: bool
    thumbprint: str | None = None
    text: str = ""
    chain: tuple[t.Any, ...] = ()


class Listener:
    """Make handshakes with the listener of one Edge.

    options: the module's option ``listener``. wait_for() waits for the seconds of its ``timeout``.
    make: makes a handshake; raises HandshakeFailed.
    sleep, clock: as in the module time.
    """

    def __init__(
        self,
        options: t.Mapping[str, t.Any],
        make: MakeHandshake,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._options, self._make, self._sleep, self._clock = options, make, sleep, clock
        self.place = "%s:%d" % (options["address"], options["port"])

    def read(self) -> Handshake:
        """Make one handshake. The function raises no errors."""
        options = self._options
        domain = str(options["domain"])
        try:
            chain = tuple(
                self._make(
                    str(options["address"]), int(options["port"]), domain, str(options.get("partner") or domain), _ONE
                )
            )
        except HandshakeFailed as exc:
            text = "%s: %s%s" % (self.place, exc.how.replace("_", " "), " (%s)" % exc.text if exc.text else "")
            return Handshake(exc.how not in _UNREACHED, text=text)
        if not chain:
            return Handshake(True, text="%s: no certificate was presented" % self.place)
        return Handshake(True, thumbprint(chain[0]), chain=chain)

    def wait_for(self, wanted: str) -> Handshake:
        """Make handshakes until the certificate is presented, or the time is over."""
        end = self._clock() + float(self._options["timeout"])
        found = self.read()
        while found.thumbprint != wanted and self._clock() < end:
            self._sleep(_PAUSE)
            found = self.read()
        return found


def listener_of(options: t.Mapping[str, t.Any] | None) -> Listener | None:
    """Return the listener of a task's option; None without the option. Raises Refused for a wrong option."""
    if not options:
        return None
    if int(options["timeout"]) < 1:
        raise Refused(["listener.timeout: must be a number of seconds above 0, not %s" % options["timeout"]])
    try:
        names = {name: canonical_domain(str(options[name])) for name in ("domain", "partner") if options.get(name)}
    except Invalid as exc:
        raise Refused(["listener: domain or partner %s" % exc]) from None
    return Listener({**options, **names}, handshake)


def handshake(address: str, port: int, to: str, from_: str, timeout: float) -> t.Sequence[Certificate]:
    """Make a handshake over the network. Raises HandshakeFailed."""
    # The import is in the function, because every run loads this file, but only few runs have a listener.
    from .._xmpp import client
    from .._xmpp.budget import TimeUp

    try:
        return client.presented(address, port, to, from_, timeout)
    except client.Failed as exc:
        raise HandshakeFailed(exc.how, exc.condition or exc.text) from None
    except TimeUp:
        raise HandshakeFailed("no answer in time") from None
