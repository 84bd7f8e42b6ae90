"""A Graphite that costs nothing: answers every /render with bytes made beforehand, from a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.sharedctypes import Synchronized

_START = 1_700_000_000
_STEP_S = 10
BREACH = 95.0
_ENOUGH_CORES = 2


class Stub(NamedTuple):
    """Where it listens, and which of its bodies it answers with."""

    url: str
    which: Synchronized[int]


def answer(series: int, points: int, breaching: int = 0) -> bytes:
    """A raw answer of so many series with so many points; all but the last `breaching` ones are fine."""
    before = [repr(10 + place / 8) for place in range(points - 2)]
    end = _START + points * _STEP_S

    def line(number: int) -> str:
        last = repr(BREACH if number >= series - breaching else 20.5)
        return f"servers.web{number}.cpu.user,{_START},{end},{_STEP_S}|{','.join([*before, last, 'None'])}\n"

    return "".join(map(line, range(series))).encode()


@contextmanager
def serving(bodies: Sequence[bytes], delay_s: float = 0.0) -> Iterator[Stub]:
    """Serve the body that `which` names to whoever asks, `delay_s` after the question, inside the block.

    There, this process has one core for itself, and the stub the others, where there are several.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    which = context.Value("i", 0)
    process = context.Process(target=_serve, args=(bodies, delay_s, which, there), daemon=True)
    process.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}"
        with _apart(process.pid):
            yield Stub(url, which)
    finally:
        process.terminate()
        process.join()


@contextmanager
def _apart(other: int | None) -> Iterator[None]:
    """Keep this process on one core, and another one off it."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < _ENOUGH_CORES or other is None:
        yield
        return
    mine = {max(cores)}
    os.sched_setaffinity(0, mine)
    os.sched_setaffinity(other, cores - mine)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _serve(bodies: Sequence[bytes], delay_s: float, which: Synchronized[int], parent: Connection) -> None:
    heads = [f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n" for body in bodies]
    responses = [head.encode() + body for head, body in zip(heads, bodies, strict=True)]
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    parent.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_answer, args=(client, responses, delay_s, which), daemon=True).start()


def _answer(client: socket.socket, responses: Sequence[bytes], delay_s: float, which: Synchronized[int]) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, client.makefile("rb") as requests:
        while requests.readline():
            length = 0
            while (line := requests.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            requests.read(length)
            if delay_s:
                threading.Event().wait(delay_s)
            client.sendall(responses[which.value])
