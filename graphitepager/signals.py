"""What the process is told from outside: SIGTERM and SIGINT end it within a second, SIGHUP has it reload."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

from graphitepager import telemetry
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterator

# A stop that takes longer is cut short: a transaction that hangs is either committed or not, and a claimed delivery
# is sent by the next process.
_LONGEST_STOP_S = 0.8

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Orders:
    """The orders received so far. `changed` is set with every new one, for a loop to wait on."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.changed = threading.Event()
        self._reload = threading.Event()

    def take_reload(self) -> bool:
        """Whether a reload was asked for since the last call."""
        wanted = self._reload.is_set()
        self._reload.clear()
        return wanted

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Obey signals inside the block.

        A handler runs in the main thread between any two bytecodes, and would deadlock on the lock of an Event that
        the main thread is about to wait for; and it does not run at all while the main thread waits for a database.
        So the handlers do nothing, and the interpreter writes each signal's number to a socket that a thread reads.
        """
        reader, writer = socket.socketpair()
        writer.settimeout(0)
        before = {number: signal.signal(number, lambda *_: None) for number in _NUMBERS}
        before_fd = signal.set_wakeup_fd(writer.fileno())

        def listen() -> None:
            while data := reader.recv(1):
                if data[0] in _NUMBERS:
                    self._obey(signal.Signals(data[0]))

        thread = threading.Thread(target=listen, name="signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before_fd)
            # Once it is to stop, a second signal in its last moments changes nothing.
            for number, handler in before.items() if not self.stop.is_set() else ():
                signal.signal(number, handler)
            writer.close()
            thread.join()
            reader.close()

    def _obey(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._reload.set()
        elif not self.stop.is_set():
            self.stop.set()
            last_resort = threading.Timer(_LONGEST_STOP_S, _leave)
            last_resort.daemon = True
            last_resort.start()
            log.info("stopping", signal=number.name)
        self.changed.set()


def _leave() -> None:
    telemetry.flush(0.05)
    os._exit(0)
