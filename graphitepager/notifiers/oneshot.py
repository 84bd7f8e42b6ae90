"""The vendor's client without its retries, and with an end that another thread can make."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.disabled = True


def hold_to_one_request(client: Any, *, answered: Collection[int], timeout_s: float) -> None:
    """Have each call of the client be one request, and hand over its answer at these statuses, too.

    Left alone, it retries 429 for ever and 5xx for minutes, sleeping inside the call.
    """
    client.max_network_attempts = 0
    client.max_http_attempts = -1
    client.retry = dict.fromkeys(answered, 1)
    client.timeout = timeout_s  # the constructor's is ignored
    client.log = _SILENT  # it would report each failure, and so does whoever called it, who knows what of


class Cut:
    """The end of a client's requests, for good, whatever it waits for.

    `hooks` are for the client's constructor.
    """

    def __init__(self) -> None:
        self.is_made = threading.Event()
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    @property
    def hooks(self) -> dict[str, list[Callable[[Any], None]]]:
        return {"request": [self._watch]}

    def make(self) -> None:
        with self._lock:
            self.is_made.set()
            self._shut_down()

    def _watch(self, request: Any) -> None:
        request.extensions["trace"] = self._on_progress

    def _on_progress(self, step: str, info: Mapping[str, Any]) -> None:
        """Keep the newest connection at hand (TLS wraps the plain one); one that comes after the cut is useless."""
        if step.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._connection = info["return_value"].get_extra_info("socket")
                if self.is_made.is_set():
                    self._shut_down()

    def _shut_down(self) -> None:
        # Not close(): the thread that reads would go on with a file descriptor that may be a database's by then.
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
