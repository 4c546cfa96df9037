# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium that is told what to do over a pipe, by the DevTools protocol: JSON texts, each ended by a NUL.

It is started with a new, empty profile, and without anything that would use the network by itself.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import typing as t

Event = dict[str, t.Any]
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--headless --remote-debugging-pipe --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --hide-scrollbars"
).split()
SECONDS = 60.0


class Browser:
    """One page. events: everything that the browser reported, in order."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="sfb-browser-")
        # What the browser reads is its descriptor 3, what it writes its descriptor 4.
        read_end, self._to = os.pipe()
        self._from, write_end = os.pipe()
        ends = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (read_end, write_end)]
        flags = [*FLAGS, "--user-data-dir=" + self._profile]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        # The shell moves the descriptors: they are above 9, so that neither is in the way of the other.
        command = ["bash", "-c", 'exec "$0" "$@" 3<&%d 4>&%d' % tuple(ends), PROGRAM, *flags, "about:blank"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, pass_fds=ends, stdout=quiet, stderr=quiet)
        for one in (read_end, write_end, *ends):
            os.close(one)
        self._rest = b""
        self._number = 0
        self._session = ""
        self.events: list[Event] = []
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(domain + ".enable")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def send(self, method: str, **params: t.Any) -> dict[str, t.Any]:
        """A command and its result. Raises RuntimeError where the browser refuses it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        end = time.monotonic() + SECONDS
        while True:
            answer = self._receive(end)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                result: dict[str, t.Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, name: str, start: int = 0) -> Event:
        """The first event of that name after so many events."""
        end = time.monotonic() + SECONDS
        while True:
            for event in self.events[start:]:
                if event.get("method") == name:
                    return event
            self.events.append(self._receive(end))

    def open(self, url: str) -> None:
        start = len(self.events)
        self.send("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired", start)

    def evaluate(self, expression: str) -> t.Any:
        """The value of an expression of JavaScript; a promise is awaited. Raises RuntimeError where it throws."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def size(self, width: int, height: int, scale: float = 1, mobile: bool = False) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )

    def media(self, kind: str = "", **features: str) -> None:
        """kind: ``print`` or ``screen``; features: as ``prefers_color_scheme="dark"``."""
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", media=kind, features=wanted)

    def press(self, key: str, shift: bool = False) -> None:
        """A key with a name, as Tab, Enter, Space or ArrowDown."""
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        codes = {"Tab": 9, "Enter": 13, "Space": 32, "ArrowDown": 40, "ArrowUp": 38}
        name = " " if key == "Space" else key
        common = {"key": name, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def screenshot(self, whole: bool = False) -> bytes:
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def requests(self) -> list[str]:
        """The addresses of everything that was asked for, ``data:`` aside."""
        sent = (
            one["params"]["request"]["url"] for one in self.events if one.get("method") == "Network.requestWillBeSent"
        )
        return [url for url in sent if not url.startswith("data:")]

    def complaints(self) -> list[str]:
        """What stands in the console: messages, exceptions, refusals of the page's policy."""
        found = []
        for one in self.events:
            if one.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                found.append(json.dumps(one["params"])[:500])
        return found

    def _receive(self, end: float) -> Event:
        while b"\0" not in self._rest:
            left = end - time.monotonic()
            ready, _writable, _failed = select.select([self._from], [], [], max(left, 0))
            data = os.read(self._from, 1 << 16) if ready else b""
            if not data:
                raise RuntimeError("the browser does not answer" if not ready else "the browser has ended")
            self._rest += data
        text, _end, self._rest = self._rest.partition(b"\0")
        message: Event = json.loads(text)
        return message
