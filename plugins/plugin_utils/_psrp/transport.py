# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add checks to pypsrp's session: the answers that a server may send, and the errors for other answers.

A request has credentials and secrets, so a request is only sent to the user's server. Redirects are not followed. A
server whose certificate is not checked must keep its first certificate.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import socket
import ssl
import struct
import typing as t
import weakref
from types import SimpleNamespace

from .clixml import UnreadableXml, read
from .document import check_answer
from .errors import NOTHING_YET, SLOW_TLS, LoginError
from .limits import MOST_ANSWER, MOST_OBJECT, AnswerError, current, short
from .options import Target

if t.TYPE_CHECKING:
    from pypsrp.powershell import RunspacePool

# Types of PSRP messages (MS-PSRP 2.2.1) that this file reads.
_OUTPUT, _ERROR, _STATE, _WARNING = 0x00041004, 0x00041005, 0x00041006, 0x00041009
_NAMES = {_ERROR: "an error record", _STATE: "the end of the pipeline", _WARNING: "a warning"}
# Verbose, debug, progress and information messages are ignored.
_UNREAD = frozenset((0x00041007, 0x00041008, 0x00041010, 0x00041011))

_START, _END = 1, 2


class Pin:
    """Hold the server's first certificate, if certificates are not checked. Later certificates must be the same."""

    def __init__(self) -> None:
        self.fingerprint = ""


def new_pool(target: Target, pin: Pin, connected: t.Callable[[], None] = lambda: None) -> RunspacePool:
    """Return a session that is not open yet.

    pin: the first certificate of the server.
    connected: is called for each connection to the server, before anything is sent over the connection.
    """
    from pypsrp.complex_objects import PSInvocationState
    from pypsrp.exceptions import WinRMError, WinRMTransportError, WSManFaultError
    from pypsrp.powershell import RunspacePool
    from pypsrp.wsman import NAMESPACES, WSMan
    from requests.exceptions import RequestException
    from spnego.exceptions import SpnegoError

    class CarefulWSMan(WSMan):
        """Ask again until an answer arrives. A session or a cmdlet can take longer than one operation.

        command_state: the state of the command in the last answer.
        """

        command_state = ""

        def receive(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            self.command_state = ""
            while True:
                try:
                    body = super().receive(*args, **kwargs)
                    state = body.find("rsp:ReceiveResponse/rsp:CommandState", namespaces=NAMESPACES)
                    self.command_state = "" if state is None else str(state.get("State"))
                    return body
                except WSManFaultError as fault:
                    if fault.code != NOTHING_YET:
                        raise
                    current().check()

        def invoke(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            # With this argument, pypsrp repeats a request for data that was sent but not received. A server that does
            # not keep the data continues after the lost data. Then objects are missing without an error.
            kwargs.pop("retries_on_read_timeout", None)
            try:
                return super().invoke(*args, **kwargs)
            except WSManFaultError as fault:
                answer = fault.__context__  # an error of HTTP whose XML is not a fault
                if fault.code is None and not fault.reason and isinstance(answer, WinRMTransportError):
                    raise answer from None
                raise
            except (AnswerError, WinRMError, RequestException, OSError, SpnegoError, ImportError):
                raise
            except Exception as error:
                if type(error).__module__.partition(".")[0] in ("krb5", "gssapi"):
                    raise LoginError(str(error)) from error
                raise AnswerError(
                    "the server's answer cannot be read (%s: %s)" % (type(error).__name__, error)
                ) from error

    class CarefulPool(RunspacePool):
        def open(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().open(*args, **kwargs)
            if self.state != 2:  # opened
                raise AnswerError("the server did not open the session, which is in the state %s" % self.state)

        def _receive(self, id: t.Any = None, *args: t.Any, **kwargs: t.Any) -> t.Any:
            try:
                found = super()._receive(id, *args, **kwargs)
                self._check_end(self.pipelines.get(id))
                return found
            except (AnswerError, WinRMError, RequestException, OSError, SpnegoError):
                raise
            except Exception as error:
                raise AnswerError(
                    "the server sent a message that cannot be read (%s: %s)" % (type(error).__name__, error)
                ) from error

        def _check_end(self, pipeline: t.Any) -> None:
            """Check that a finished command has reported the end of the pipeline."""
            running = pipeline is not None and pipeline.state == PSInvocationState.RUNNING
            if running and t.cast(CarefulWSMan, self.connection).command_state.endswith("/Done"):
                raise AnswerError("the server ended the pipeline without its result")

    _check_version(target, RunspacePool)
    connection = CarefulWSMan(**target.wsman)
    _check_internals(connection.transport, RunspacePool)
    _guard(connection.transport, pin, max(MOST_ANSWER, 2 * connection.max_envelope_size), connected)
    pool = CarefulPool(connection, configuration_name=target.configuration_name, **target.runspace)
    if not hasattr(getattr(pool, "_fragmenter", None), "defragment"):
        raise ImportError(_OTHER)
    pool._fragmenter.defragment = Messages(pool._fragmenter.serializer)  # type: ignore[method-assign]
    return pool


def _check_version(target: Target, pool: type) -> None:
    """Raise ImportError if an option needs a later pypsrp. An older pypsrp ignores the option or fails."""
    from pypsrp.wsman import AUTH_KWARGS

    asked = {
        "ansible_psrp_no_profile": not target.runspace or "no_profile" in inspect.signature(pool).parameters,
        "ansible_psrp_certificate_key_password": "certificate_key_password" not in target.wsman
        or "certificate_key_password" in AUTH_KWARGS["certificate"],
    }
    for variable, fine in asked.items():
        if not fine:
            raise ImportError("%s needs pypsrp 0.9.0 or later" % variable)


# Private names of pypsrp with their parameters. A version without the names reads the server's data itself, or
# follows redirects. So no session is opened with such a version.
_OTHER = "this version of the collection needs pypsrp 0.8.1 to 0.9. Install one of these versions"


def _check_internals(transport: t.Any, pool: type) -> None:
    """Raise ImportError if pypsrp lacks these names."""
    wanted = {
        (transport, "_build_session"): [],
        (transport, "send"): ["message"],
        (pool, "_receive"): ["self", "id", "timeout"],
    }
    for (owner, name), parameters in wanted.items():
        found = getattr(owner, name, None)
        if not callable(found) or list(inspect.signature(found).parameters)[: len(parameters)] != parameters:
            raise ImportError(_OTHER)
    if not all(hasattr(transport, name) for name in ("session", "encryption", "endpoint")):
        raise ImportError(_OTHER)


def fresh_connection(pool: RunspacePool) -> None:
    """Make the next request use a new HTTP connection, and a new security context for encrypted messages."""
    transport = pool.connection.transport
    if transport.session is not None:
        transport.session.close()
    transport.encryption = None


def _guard(transport: t.Any, pin: Pin, most: int, connected: t.Callable[[], None]) -> None:
    """Watch every request of the transport, also the requests that an authentication makes by itself."""
    from pypsrp.exceptions import WinRMTransportError

    build, send = transport._build_session, transport.send
    connections = Connections()

    def built() -> t.Any:
        session = build()
        for adapter in session.adapters.values():
            _guard_connections(adapter.poolmanager, connected)
            _guard_adapter(adapter, pin if session.verify is False else None, most, connected)
            _watch_connections(adapter.poolmanager, connections)
            _watch_proxies(adapter, connections)
        return session

    def sent(*args: t.Any, **kwargs: t.Any) -> bytes:
        current().when_late(connections.cut)
        try:
            content: bytes = send(*args, **kwargs)
        except WinRMTransportError as error:  # pypsrp reads a fault from this error.
            check_answer(error.response_text.encode("utf-8", "replace"), transport.endpoint, page=False)
            raise
        check_answer(content, transport.endpoint)
        return content

    transport._build_session, transport.send = built, sent


class Connections:
    """Hold the sockets of a transport. A thread can close the sockets while another thread waits for a socket."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def add(self, sock: socket.socket) -> None:
        self._sockets.add(sock)

    def cut(self) -> None:
        """Close the sockets. Reads and writes of other threads fail immediately."""
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                # For TLS, only the TCP connection is closed, because another thread uses the TLS object.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _watch_connections(manager: t.Any, connections: Connections) -> None:
    """Record the socket of each connection of urllib3. Any callable may make a pool or a connection."""

    def connection_maker(make: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def made(*args: t.Any, **kwargs: t.Any) -> t.Any:
            connection = make(*args, **kwargs)
            connect = connection.connect

            def connected() -> None:
                connect()
                # The socket is recorded, because the connection drops the socket while the last answer is still being
                # read.
                connections.add(connection.sock)

            connection.connect = connected
            return connection

        return made

    def pool_maker(make: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def made(*args: t.Any, **kwargs: t.Any) -> t.Any:
            pool = make(*args, **kwargs)
            pool.ConnectionCls = connection_maker(pool.ConnectionCls)
            return pool

        return made

    manager.pool_classes_by_scheme = {name: pool_maker(make) for name, make in manager.pool_classes_by_scheme.items()}


def _watch_proxies(adapter: t.Any, connections: Connections) -> None:
    """Record the sockets of the managers of proxies too. Managers of proxies are made at their first use and kept."""
    manager_for, watched = adapter.proxy_manager_for, set[int]()

    def made(*args: t.Any, **kwargs: t.Any) -> t.Any:
        manager = manager_for(*args, **kwargs)
        if id(manager) not in watched:
            watched.add(id(manager))
            _watch_connections(manager, connections)
        return manager

    adapter.proxy_manager_for = made


def _guard_connections(manager: t.Any, connected: t.Callable[[], None]) -> None:
    """Make the manager create connections that report when they are ready, and that limit the time of TLS."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import ConnectTimeoutError

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected()

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            try:
                super().connect()
            except TimeoutError:  # TLS took too long. urllib3 treats this error as a request without an answer.
                raise ConnectTimeoutError(self, SLOW_TLS) from None
            except ConnectionError as error:  # TLS failed. urllib3 has its own errors for the connection.
                text = "the server ended the connection during the handshake (%s)" % error
                raise ssl.SSLError(error.errno or 0, text) from None
            connected()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


def _guard_adapter(adapter: t.Any, pin: Pin | None, most: int, connected: t.Callable[[], None]) -> None:
    from requests.utils import select_proxy

    send = adapter.send

    def guarded(request: t.Any, **options: t.Any) -> t.Any:
        limits = current()
        limits.check()
        if pin and pin.fingerprint and not len(adapter.poolmanager.pools):
            # urllib3 compares the certificate after the handshake, before anything is sent.
            adapter.poolmanager.connection_pool_kw["assert_fingerprint"] = pin.fingerprint
        if select_proxy(request.url, options.get("proxies")):
            connected()  # Another manager makes the connection.
        response = send(request, **{**options, "stream": True})
        if 300 <= response.status_code < 400:
            to = response.headers.get("Location", "")
            response.close()
            raise AnswerError(
                "the server answered HTTP status %d, a redirect%s. The redirect is not followed, because the request"
                " has credentials. Check ansible_host, ansible_port and ansible_psrp_path"
                % (response.status_code, " to %s" % short(to, 200) if to else " without an address")
            )
        if pin and not pin.fingerprint:
            pin.fingerprint = _fingerprint(response.raw)
            for key in adapter.poolmanager.pools.keys():  # noqa: SIM118 - the container has no other iteration
                adapter.poolmanager.pools[key].assert_fingerprint = pin.fingerprint or None
        response.raw.stream = _limited(response.raw.stream, most)
        response.encoding = "utf-8"  # Other encodings were refused. Without an encoding, the library guesses.
        return response

    adapter.send = guarded


def _fingerprint(raw: t.Any) -> str:
    try:
        certificate = raw.connection.sock.getpeercert(True)
    except AttributeError:
        return ""  # no TLS
    return hashlib.sha256(certificate).hexdigest() if certificate else ""


def _limited(stream: t.Callable[..., t.Iterator[bytes]], most: int) -> t.Callable[..., t.Iterator[bytes]]:
    """Yield a response's body piece by piece, within the limits of size and time."""

    def pieces(*args: t.Any, **kwargs: t.Any) -> t.Iterator[bytes]:
        size = 0
        for piece in stream(*args, **kwargs):
            size += len(piece)
            if size > most:
                raise AnswerError("the server sent an answer of more than %d MiB" % (most // 2**20))
            current().take(len(piece))
            yield piece

    return pieces


class Messages:
    """Read PSRP messages. Join fragments (MS-PSRP 2.2.4), and return the messages of a pipeline.

    An output or an error that cannot be read is replaced by UnreadableXml, and the pipeline continues. Every other
    message that cannot be read ends the pipeline with AnswerError.
    """

    def __init__(self, serializer: t.Any) -> None:
        self._serializer = serializer
        self._parts: dict[int, list[bytes]] = {}
        self._sizes: dict[int, int] = {}
        self._too_large: set[int] = set()
        # The list for the unchanged XML of objects; None if no list is wanted.
        self.kept: list[str] | None = None
        # The properties of an object that are kept, in lower case; None for all.
        self.wanted: frozenset[str] | None = None

    def __call__(self, data: bytes) -> list[t.Any]:
        found = []
        position = 0
        while position < len(data):
            if len(data) - position < 21:
                raise AnswerError("the server sent %d bytes that are not a fragment" % (len(data) - position))
            number, order, flags, size = struct.unpack_from(">QQBI", data, position)
            position += 21 + size
            if position > len(data):
                raise AnswerError("the server sent an incomplete fragment")
            whole = self._add(number, order, flags, data[position - size : position])
            if whole is not None and (message := self._message(whole, number in self._too_large)) is not None:
                found.append(message)
            if flags & _END:
                self._too_large.discard(number)
        return found

    def _add(self, number: int, order: int, flags: int, content: bytes) -> bytes | None:
        """Return the message with the last fragment. If the message is too large, return only the first fragment."""
        if bool(flags & _START) != (number not in self._parts):
            raise AnswerError("the server sent the fragments of a message in a wrong order")
        if not flags & _START and number in self._too_large:
            if not flags & _END:
                return None
            del self._sizes[number]
            return b"".join(self._parts.pop(number))
        parts = self._parts.setdefault(number, [])
        if order != len(parts):
            raise AnswerError(
                "the server sent fragment %d of a message, but fragment %d was next" % (order, len(parts))
            )
        parts.append(content)
        self._sizes[number] = self._sizes.get(number, 0) + len(content)
        if self._sizes[number] > MOST_OBJECT:
            self._too_large.add(number)
        if flags & _END:
            del self._sizes[number]
            return b"".join(self._parts.pop(number))
        if number in self._too_large:
            del parts[1:]
        elif len(self._parts) > 100:
            raise AnswerError("the server began more than 100 messages without ending one")
        return None

    def _message(self, data: bytes, too_large: bool) -> t.Any:
        from pypsrp.messages import Message

        if len(data) < 40:
            raise AnswerError("the server sent a message of %d bytes, too short for a header" % len(data))
        (kind,) = struct.unpack_from("<I", data, 4)
        if kind in _UNREAD:
            return None
        if kind not in (_OUTPUT, _ERROR, _STATE, _WARNING):
            try:
                return Message.unpack(data, self._serializer)
            except KeyError:
                raise AnswerError("the server sent a message of the unknown type 0x%08X" % kind) from None
        try:
            if too_large:
                raise UnreadableXml("the object has more than %d MiB" % (MOST_OBJECT // 2**20))
            xml = data[40:].decode("utf-8-sig")
            if not xml and kind == _OUTPUT:
                return None  # $null is not an object
            if kind == _OUTPUT and self.kept is not None:
                self.kept.append(xml)
            wanted = self.wanted if kind == _OUTPUT else None
            value = read(xml, wanted)
            if wanted is not None and self.kept is None:
                current().give_back(max(0, _travelled(data) - len(str(value))))
            if value is None and kind == _OUTPUT:
                return None  # <Nil/> is $null too
        except (UnreadableXml, UnicodeDecodeError, RecursionError) as error:
            reason = "%s" % error if kind == _OUTPUT else "%s: %s" % (_NAMES[kind], error)
            if kind == _STATE:
                raise AnswerError("the server's message about %s" % reason) from None
            value, kind = UnreadableXml(reason), _OUTPUT
        if kind == _STATE:
            return _state(value)
        return SimpleNamespace(message_type=kind, data=SimpleNamespace(data=value) if kind == _OUTPUT else value)


def _travelled(data: bytes) -> int:
    """Return the bytes of a message in an answer, in base64."""
    return len(data) * 4 // 3


def _state(value: t.Any) -> t.Any:
    """Return the message about the state of a pipeline in the form of pypsrp."""
    state = value.get("PipelineState") if isinstance(value, dict) else None
    if not isinstance(state, int):
        raise AnswerError("the server's message about the state of the pipeline has no state")
    record = value.get("ExceptionAsErrorRecord")
    return SimpleNamespace(message_type=_STATE, data=SimpleNamespace(state=state, error_record=record))
