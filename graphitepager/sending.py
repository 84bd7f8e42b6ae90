"""The outboxes beside the loop: a thread for each notifier, for as long as this process leads."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from graphitepager import notifiers
from graphitepager.errors import StoreError
from graphitepager.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.notifiers import Notifier
    from graphitepager.store import Store
    from graphitepager.watchdog import Watchdog

# A send that is under way at SIGTERM may finish in this time; if not, its row is still there for the next process.
_LAST_SEND_S = 0.5
# An outbox asks for the time at least every minute, but for a send (10 s) and a database that hardly answers.
_LONGEST_SILENCE_S = 300.0


class Sending:
    """The outboxes of one term. `load` makes the notifier of a name for each send."""

    def __init__(
        self, store: Store, load: Callable[[str], Notifier], clock: Callable[[], datetime], watchdog: Watchdog
    ) -> None:
        self._clock = clock
        self._watchdog = watchdog
        self._is_over = False
        self._beating = threading.Lock()
        self._outboxes = {name: Outbox(name, store, load, self._pulse(name)) for name in notifiers.NOTIFIERS}

    def wake(self) -> None:
        """Say that something may be due, or that it is time to stop."""
        for outbox in self._outboxes.values():
            outbox.wake()

    def send_due(self, stop: threading.Event) -> None:
        """Send here and now what is due."""
        for outbox in self._outboxes.values():
            outbox.send_due(stop)

    def next_due(self) -> datetime | None:
        """When something may be sent next, possibly in the past; None when nothing waits."""
        return min((due for outbox in self._outboxes.values() if (due := outbox.next_due())), default=None)

    def release(self) -> None:
        """Give back what is claimed and not sent."""
        with self._beating:  # a send that ends only now must not look like a thread that goes on
            self._is_over = True
            for name in self._outboxes:
                self._watchdog.forget(_part(name))
        for outbox in self._outboxes.values():
            with contextlib.suppress(StoreError):  # a claim that is not given back ends with its lease
                outbox.release()

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Send inside the block, until `stop` is set; at its end let a send under way finish, but not for long."""
        over = _Either(stop)
        threads = [
            threading.Thread(target=outbox.run, args=(over,), name=_part(name), daemon=True)
            for name, outbox in self._outboxes.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            self.wake()
            give_up_at = time.monotonic() + _LAST_SEND_S
            for thread in threads:
                thread.join(max(give_up_at - time.monotonic(), 0))
            self.release()

    def _pulse(self, name: str) -> Callable[[], datetime]:
        """The clock for an outbox, which asks for the time in every round: that is its sign of life."""

        def clock() -> datetime:
            with self._beating:
                if not self._is_over:
                    self._watchdog.beat(_part(name), _LONGEST_SILENCE_S)
            return self._clock()

        return clock


class _Either(threading.Event):
    """Set by itself or with another."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()


def _part(notifier: str) -> str:
    return f"outbox {notifier}"
