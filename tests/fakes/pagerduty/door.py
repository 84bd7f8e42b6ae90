"""The HTTP side of the fake: requests in, answers out, promptly or in one of the ways a network fails."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST_BODY_READ = 2_000_000
_DRIP_S = 0.03


class Manner(enum.Enum):
    """How an answer is given, if at all."""

    PROMPT = enum.auto()
    RESET = enum.auto()
    HANG = enum.auto()
    DRIP = enum.auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. A Date among `headers` replaces today's."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    manner: Manner = Manner.PROMPT

    @classmethod
    def of_json(cls, status: int, value: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        return cls(status, (("Content-Type", "application/json"), *headers), json.dumps(value).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, read to its end. `body` is None where it has no length, or an absurd one."""

    method: str
    path: str
    content_type: str
    body: bytes | None
    authorization: str = ""
    accept: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Door:
    """Listens on a loopback port until closed; closing ends every connection, hanging ones too."""

    def __init__(self, port: int, respond: Callable[[Request], Answer]) -> None:
        self._server = _Server(port, respond)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.accept, name="fake-pagerduty", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()  # wakes accept()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that it can end them and wait for their threads."""

    # Waited for by server_close(), so that no test inherits the threads of another; hang_up() makes that quick.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, respond: Callable[[Request], Answer]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond = respond
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def accept(self) -> None:
        """Serve until told to close. Not serve_forever(), for whose next poll every test would have to wait."""
        while True:
            request, address = self.get_request()
            if self.closing.is_set():
                self.shutdown_request(request)
                return
            self.process_request(request, address)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Reads the request whole, asks for the answer and gives it in the manner wanted."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # Senders that give up are what these tests are about: no traceback for them.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden name
        """Keep quiet: what tests need to see is in the fake's records."""

    def _handle(self) -> None:
        request = Request(
            method=self.command,
            path=self.path,
            content_type=self.headers.get_content_type() if "Content-Type" in self.headers else "",
            body=self._read_body(),
            authorization=self.headers.get("Authorization", ""),
            accept=self.headers.get("Accept", ""),
            headers=dict(self.headers),
        )
        answer = self.server.respond(request)
        match answer.manner:
            case Manner.PROMPT:
                self.wfile.write(self._encode(answer))
            case Manner.RESET:
                self._reset()
            case Manner.HANG:
                self.close_connection = True
                self.server.closing.wait()
            case Manner.DRIP:
                self._drip(self._encode(answer))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - names that the base class calls

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if self.command == "GET" and not length:
            return b""
        if not length.isdecimal() or int(length) > _LONGEST_BODY_READ:
            self.close_connection = True  # where the next request would begin is unknown
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError("the sender was killed in the middle of its request")
        return body

    def _encode(self, answer: Answer) -> bytes:
        headers = {"Date": self.date_time_string(), **dict(answer.headers), "Content-Length": str(len(answer.body))}
        if self.close_connection:
            headers["Connection"] = "close"
        reason = self.responses.get(answer.status, ("", ""))[0]
        head = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        body = b"" if self.command == "HEAD" else answer.body
        return "\r\n".join([*head, "", ""]).encode("latin-1") + body

    def _drip(self, encoded: bytes) -> None:
        self.close_connection = True
        for byte in encoded:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(_DRIP_S):
                return

    def _reset(self) -> None:
        """Close so that the peer sees a reset, not an orderly end: RST goes out when nothing may linger."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
