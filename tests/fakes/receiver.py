"""Receivers of Carbon's lines that fail in one way each, on a thread of their own."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

Conduct = "Callable[[socket.socket, int], bytes]"
_RESET = struct.pack("ii", 1, 0)


class Receiver:
    """What came in on each connection, in their order."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.port = 0
        self._changed = threading.Condition()

    def add(self, data: bytes) -> None:
        with self._changed:
            self.received.append(data)
            self._changed.notify_all()

    def wait_for(self, count: int, within_s: float = 20) -> None:
        """Wait until so many connections have been served."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, within_s), self.received


def takes_all(connection: socket.socket, _number: int) -> bytes:
    """As Carbon does: read to the end, then close."""
    data = bytearray()
    while piece := connection.recv(65536):
        data += piece
    return bytes(data)


def resets_first(connection: socket.socket, number: int) -> bytes:
    """Break off in the middle, as a Carbon that is killed; behave from the second connection on."""
    if number:
        return takes_all(connection, number)
    data = connection.recv(100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return data


def resets_always(connection: socket.socket, _number: int) -> bytes:
    return resets_first(connection, 0)


def answers(connection: socket.socket, _number: int) -> bytes:
    """Say something, as what is no Carbon does."""
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4000)
    return takes_all(connection, 0)


def answers_briefly(connection: socket.socket, _number: int) -> bytes:
    """Answer the first piece in a few bytes, and close in good order: so do most servers of other protocols."""
    data = connection.recv(65536)
    connection.sendall(b"E")
    return data + takes_all(connection, 0)


@contextlib.contextmanager
def receiving(
    conduct: Callable[[socket.socket, int], bytes] = takes_all, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Serve one connection after another; `conduct` returns what it has read, and each is closed behind it."""
    receiver = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver.port = listener.getsockname()[1]

        def serve() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(20)
                    served = tls.wrap_socket(connection, server_side=True) if tls else connection
                    with served:
                        receiver.add(conduct(served, number))
                number += 1

        threading.Thread(target=serve, daemon=True).start()
        yield receiver
        listener.shutdown(socket.SHUT_RDWR)
