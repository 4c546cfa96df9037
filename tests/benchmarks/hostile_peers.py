# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile peers for the lab's gateway and for the prober, over real sockets.

``python -m tests.benchmarks.hostile_peers --streams 100000`` connects so often to a gateway in a process of its own,
and lets a probe talk so often with a server that answers nonsense; the byte streams are those of hostile_streams.py.
Prints figures; exits with 1 when one of them grew, when the gateway hung or stopped serving, or when a probe raised or
took too long.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
import typing as t
from collections import Counter
from pathlib import Path

from ansible_collections.sfb.xmpp.plugins.module_utils._probe.conversation import converse
from ansible_collections.sfb.xmpp.plugins.module_utils._probe.facts import Facts, ServiceRecord
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.budget import Budget
from ansible_collections.sfb.xmpp.plugins.module_utils._xmpp.client import Contexts

from lab.cmdlets.partners import DEFAULTS
from lab.deployment.ready import make_ready
from lab.testing import Lab, running_lab
from tests.benchmarks.hostile_streams import OWN, PEER, conversations, hostile

WORKERS = 16
PATIENCE = 20.0  # seconds that no connection comes near
GROWTH = 64 * 1024  # kilobytes that a gateway or a prober may grow by, however many come
PROBE_STEP = 2.0


def at_gateway(streams: int, seed: int, directory: Path) -> tuple[dict[str, t.Any], list[str]]:
    """So many hostile connections to a gateway that knows the partner; figures and complaints."""
    good, rng = conversations()["receiving"], random.Random(seed)
    with running_lab(directory) as lab:
        store = lab.store()
        make_ready(store)
        lenient = {"TlsNegotiation": "Optional", "SaslNegotiation": "Optional", "SupportDialbackNegotiation": True}
        store.put("partner", PEER, {**DEFAULTS, **lenient})
        places = [(lab.addresses[host], lab.xmpp_port) for host in ("edge01", "edge02")]
        # What the first streams bring about is there for good: imports, caches.
        _connect_all(places, [hostile(rng, good) for _number in range(200)])
        before, begun = _memory(_pid(lab)), time.monotonic()
        outcomes: Counter[str] = Counter()
        for at in range(0, streams, 2000):
            outcomes += _connect_all(places, [hostile(rng, good) for _number in range(min(2000, streams - at))])
        seconds, after = time.monotonic() - begun, _memory(_pid(lab))
        complaints = ["%d connections were not ended" % outcomes["hung"]] if outcomes["hung"] else []
        if after - before > GROWTH:
            complaints.append("the gateway grew from %d to %d KB" % (before, after))
        if not all(map(_serves, places)):
            complaints.append("the gateway serves nobody any more")
        log = (lab.directory / "lab.log").read_text("utf-8")
        if "broke" in log:
            complaints.append("the gateway logged: " + log[log.index("broke") :][:2000])
    figures = {"streams": streams, "seconds": round(seconds, 1), "kilobytes": [before, after], **outcomes}
    return figures, complaints


def _connect_all(places: t.Sequence[tuple[str, int]], each: t.Sequence[t.Sequence[bytes]]) -> Counter[str]:
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pool.map(_connect, (places[number % len(places)] for number in range(len(each))), each))


def _connect(place: tuple[str, int], chunks: t.Sequence[bytes]) -> str:
    """Say it all, say no more, and read until the other side has enough."""
    try:
        with socket.create_connection(place, timeout=PATIENCE) as connection:
            for chunk in chunks:
                connection.sendall(chunk)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    except TimeoutError:
        return "hung"
    except OSError:
        return "reset"
    return "ended"


def _serves(place: tuple[str, int]) -> bool:
    header = (
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='%s' to='%s' "
        "version='1.0'>" % (PEER, OWN)
    )
    with socket.create_connection(place, timeout=PATIENCE) as connection:
        connection.sendall(header.encode())
        heard = b""
        while b"</stream:features>" not in heard:
            piece = connection.recv(65536)
            if not piece:
                return False
            heard += piece
    return b"starttls" in heard


def _pid(lab: Lab) -> int:
    return t.cast("int", json.loads((lab.directory / "lab.pid").read_text("utf-8"))["pid"])


def _memory(pid: int) -> int:
    """Kilobytes that a process has in memory."""
    lines = Path("/proc/%d/status" % pid).read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def at_prober(streams: int, seed: int) -> tuple[dict[str, t.Any], list[str]]:
    """So many probes of a hostile server; figures and complaints."""
    good, rng = conversations()["initiating"], random.Random(seed)
    answers: t.Iterator[list[bytes]] = iter(())
    lock, stopping = threading.Lock(), threading.Event()
    complaints: list[str] = []
    ends: Counter[str] = Counter()
    contexts = Contexts()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            with lock:
                chunks = next(answers, [])
            for chunk in chunks:
                connection.sendall(chunk)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def serve(pool: concurrent.futures.Executor) -> None:
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _address = listener.accept()
                connection.settimeout(PATIENCE)
                pool.submit(answer, connection)

    def probe(number: int) -> None:
        facts = Facts(PEER)
        begun = time.monotonic()
        try:
            converse(
                facts, ServiceRecord("xmpp." + PEER, port), "127.0.0.1", OWN, contexts, Budget(PROBE_STEP, 30), False
            )
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is what is looked for
            complaints.append("probe %d raised %r" % (number, exc))
        if time.monotonic() - begun > 30 + PATIENCE:
            complaints.append("probe %d took %.0f s" % (number, time.monotonic() - begun))
        ends[facts.ended.how if facts.ended is not None else "finished"] += 1

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        with (
            concurrent.futures.ThreadPoolExecutor(WORKERS * 2) as servers,
            concurrent.futures.ThreadPoolExecutor(WORKERS) as pool,
        ):
            acceptor = threading.Thread(target=serve, args=(servers,))
            acceptor.start()
            before, begun = 0, time.monotonic()
            for at in range(0, streams, 2000):
                many = min(2000, streams - at)
                answers = iter([hostile(rng, good) for _number in range(many)])
                list(pool.map(probe, range(at, at + many)))
                before = before or _memory(os.getpid())  # with what the first ones bring about for good
            seconds, after = time.monotonic() - begun, _memory(os.getpid())
            stopping.set()
            acceptor.join()
    if after - before > GROWTH:
        complaints.append("the prober grew from %d to %d KB" % (before, after))
    return {"probes": streams, "seconds": round(seconds, 1), "kilobytes": [before, after], **ends}, complaints


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("gateway", "prober"))
    options = parser.parse_args()
    complaints: list[str] = []
    if options.only != "prober":
        with tempfile.TemporaryDirectory(prefix="sfb.") as directory:
            figures, found = at_gateway(options.streams, options.seed, Path(directory))
        print("gateway: %s" % figures)
        complaints += found
    if options.only != "gateway":
        figures, found = at_prober(options.streams, options.seed)
        print("prober: %s" % figures)
        complaints += found
    print("\n".join(complaints[:5]) or "nothing to complain about")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
