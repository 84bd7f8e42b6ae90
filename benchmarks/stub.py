"""A Graphite that costs nothing: answers every /render with bytes made beforehand, from a process of its own."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

_START = 1_700_000_000
_STEP_S = 10


def answer(series: int, points: int) -> bytes:
    """A raw answer of so many series with so many points, all of them well below any threshold of the benchmark."""
    values = ",".join(repr(10 + place / 8) for place in range(points - 1)) + ",None"
    end = _START + points * _STEP_S
    return "".join(f"servers.web{n}.cpu.user,{_START},{end},{_STEP_S}|{values}\n" for n in range(series)).encode()


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    """Serve this body to whoever asks; the URL is good inside the block."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(body, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(body: bytes, parent: Connection) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    parent.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_answer, args=(client, head + body), daemon=True).start()


def _answer(client: socket.socket, response: bytes) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, client.makefile("rb") as requests:
        while requests.readline():
            length = 0
            while (line := requests.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            requests.read(length)
            client.sendall(response)
