"""A Graphite that answers each target as it is told to, down to the bytes and the pauses, and objects to bad requests.

What it demands of a request is what the real one does, as tests/integration/test_graphite_expressions.py shows.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import socketserver
import threading
from http.client import parse_headers
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from tests.fakes.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from io import BufferedReader

FOREVER = 60.0
SERIES = b"web1,1700000000,1700000060,10|1.0,2.0,None\n"


class Answer(NamedTuple):
    """What goes out, one after the other: bytes, and pauses in seconds; then the connection is closed or kept."""

    steps: tuple[bytes | float, ...]
    keeps: bool = False


def respond(
    body: bytes = SERIES, *, status: str = "200 OK", kind: str = "text/plain", headers: tuple[str, ...] = ()
) -> Answer:
    """A whole answer, as HTTP wants it."""
    start = head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers)
    return Answer((start, body), keeps=True)


def gzipped(body: bytes) -> Answer:
    return respond(body, headers=("Content-Encoding: gzip",))


def compressed(body: bytes = SERIES) -> bytes:
    return gzip.compress(body)


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


class Request(NamedTuple):
    """One request: its path, headers, and each form field's values."""

    path: str
    headers: Message
    form: dict[str, list[str]]


class FakeGraphite:
    """What was asked of it, and what it is to answer: first those of `once`, then `answers[target]`, else `default`."""

    def __init__(self) -> None:
        self.once: list[Answer] = []
        self.answers: dict[str, Answer] = {}
        self.default = respond()
        self.requests: list[Request] = []
        self.objections: list[str] = []
        self.connections = 0
        self.most_at_once = 0
        self.url = ""
        self._at_once = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()

    @property
    def targets(self) -> list[str]:
        """The targets in the order in which they were asked for."""
        return [request.form["target"][0] for request in self.requests]

    @property
    def is_idle(self) -> bool:
        """Whether all that was asked is answered, down to the last byte."""
        with self._lock:
            return not self._at_once

    @property
    def is_alone(self) -> bool:
        """Whether no connection is open."""
        with self._lock:
            return not self._open

    @contextlib.contextmanager
    def serve(self) -> Iterator[FakeGraphite]:
        """Listen on a loopback port; whatever is still going out at the end is dropped."""
        with _Server(self._connected) as server, contextlib.ExitStack() as before_it_closes:
            before_it_closes.callback(self._drop)
            with serving(server) as self.url:
                yield self

    def _drop(self) -> None:
        self._closing.set()
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection, as a server does with those that were idle for too long."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _connected(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each step goes out when it is due
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            with connection.makefile("rb") as reader, contextlib.suppress(OSError):
                while self._converse(connection, reader):
                    pass
        finally:
            with self._lock:
                self._open.remove(connection)

    def _converse(self, connection: socket.socket, reader: BufferedReader) -> bool:
        """Take a request and answer it; tells whether the connection is kept for another."""
        line = reader.readline().decode()
        if not line:
            return False
        headers = parse_headers(reader)
        body = reader.read(int(headers.get("Content-Length", 0)))
        method, path, _ = line.split(" ", 2)
        request = Request(path, headers, parse_qs(body.decode(), keep_blank_values=True))
        with self._lock:
            answer = self.once.pop(0) if self.once else self.answers.get(request.form["target"][0], self.default)
            self.requests.append(request)
            self.objections += _objections(method, request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._play(answer, connection)
        finally:
            with self._lock:
                self._at_once -= 1

    def _play(self, answer: Answer, connection: socket.socket) -> bool:
        for step in answer.steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif self._closing.wait(step):
                return False
        return answer.keeps


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128

    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._connected = connected

    def finish_request(self, request: socket.socket, _client_address: object) -> None:  # type: ignore[override]
        self._connected(request)


def _objections(method: str, request: Request) -> list[str]:
    """What Graphite would refuse, or ignore, or answer from its cache."""
    form = request.form
    kind = request.headers.get_content_type()
    demands = {
        f"{method} instead of POST: a long target does not fit": method == "POST",
        f"a {kind} body, which Graphite ignores": kind == "application/x-www-form-urlencoded",
        f"format {form.get('format')} instead of raw": form.get("format") == ["raw"],
        "no noCache: the answer may be a minute old": form.get("noCache") == ["1"],
        "several targets: a bad one spoils the others": len(form["target"]) == 1,
    }
    return [objection for objection, is_met in demands.items() if not is_met]
