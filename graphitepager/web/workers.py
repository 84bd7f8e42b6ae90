"""The pages in processes of their own: gunicorn, by its Python interface."""

from __future__ import annotations

import threading
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket
    from wsgiref.types import WSGIApplication

    from graphitepager.websettings import Address

THREADS = 8
# For reading a request, answering it, and writing the answer to somebody slow.
LONGEST_REQUEST_S = 20.0
_LONGEST_STOP_S = 1


class Workers(BaseApplication):
    """Serves what `make` makes, in each worker for itself: no thread and no connection survives a fork."""

    def __init__(self, make: Callable[[], WSGIApplication], address: Address, count: int) -> None:
        self._make = make
        self._options: dict[str, Any] = {
            "bind": str(address),
            "workers": count,
            "threads": THREADS,
            "worker_class": BoundedWorker,
            "logger_class": OurLog,
            "timeout": 60,
            "graceful_timeout": _LONGEST_STOP_S,
            "keepalive": 5,
            "max_requests": 0,
            "limit_request_line": 8190,
            "limit_request_fields": 60,
            "proc_name": "graphite-pager web",
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # an older gunicorn does not know all of them
                self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make()


class BoundedWorker(ThreadWorker):
    """Gives nobody a thread for longer than LONGEST_REQUEST_S, who sends or reads a byte at a time."""

    def handle(self, conn: Any) -> Any:
        timer = threading.Timer(LONGEST_REQUEST_S, _cut_off, (conn.sock,))
        timer.daemon = True
        timer.start()
        try:
            return super().handle(conn)
        finally:
            timer.cancel()


def _cut_off(sock: socket) -> None:
    with suppress(OSError):  # it is over already
        sock.shutdown(SHUT_RDWR)


class OurLog(Logger):  # type: ignore[misc, unused-ignore]
    """Gunicorn's own complaints go the way of all libraries'; its access log stays off."""

    def setup(self, cfg: Any) -> None:
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.handlers.clear()

    def access(self, *_: Any, **__: Any) -> None:
        return

    def info(self, *_: Any, **__: Any) -> None:
        return
