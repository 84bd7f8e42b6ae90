"""Tells systemd, where that has started the process, that it is ready and alive: sd_notify(3)."""

from __future__ import annotations

import contextlib
import socket


class ServiceManager:
    """Who started the process and wants to hear of it, at the `address` of NOTIFY_SOCKET; nobody where there is none.

    Nothing here waits or fails: who does not hear that all is well acts by itself.
    """

    def __init__(self, address: str | None) -> None:
        # @ stands for the NUL with which the name of a socket begins that is in no file system.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    def ready(self) -> None:
        """It has started: what waits for it may start, too, and from now on it has to show that it is alive."""
        self._tell("READY=1")

    def alive(self) -> None:
        """No part of it hangs."""
        self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if self._address is None:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(0)
            line.sendto(state.encode(), self._address)
