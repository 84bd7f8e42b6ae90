"""A server on a loopback port, from a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socketserver import TCPServer


@contextlib.contextmanager
def serving(server: TCPServer) -> Iterator[str]:
    """Have the server answer until the end of the block; yield its URL."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
