"""The outboxes beside the loop: threads for each notifier that something waits for, as long as this process leads."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from graphitepager.errors import StoreError
from graphitepager.outbox import Outbox
from graphitepager.telemetry import log
from graphitepager.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.notifiers import Notifier
    from graphitepager.rules import Route
    from graphitepager.store import Store
    from graphitepager.watchdog import Watchdog

# A send that is under way at SIGTERM may finish in this time; if not, its row is still there for the next process.
_LAST_SEND_S = 0.5
# How many addresses of one notifier are sent to at once.
_MOST_AT_ONCE = 8
# An outbox asks for the time at least every minute, but for a send (10 s) and a database that hardly answers.
_LONGEST_SILENCE_S = 300.0


class Sending:
    """The outboxes of one term: of each notifier as many as there are addresses to send to, within bounds.

    `load` makes the notifier of a name for each send. `called` knows what alerts.yml calls a route.
    """

    def __init__(
        self,
        store: Store,
        load: Callable[[str], Notifier],
        clock: Callable[[], datetime],
        watchdog: Watchdog,
        called: Callable[[Route], str | None],
    ) -> None:
        self._store = store
        self._load = load
        self._clock = clock
        self._watchdog = watchdog
        self._called = called
        self._is_over = False
        self._beating = threading.Lock()
        self._meeting = threading.Lock()
        self._outboxes: dict[str, Outbox] = {}  # by what the watchdog calls them
        self._turns: dict[str, Turns] = {}
        self._threads: list[threading.Thread] = []
        self._over: threading.Event | None = None  # while there are threads

    def wake(self) -> None:
        """Say that something may be due. Any thread may."""
        self._meet_demand()
        self._wake_all()

    def send_due(self, stop: threading.Event) -> None:
        """Send here and now what is due."""
        self._meet_demand()
        for outbox in self._outboxes.values():
            outbox.send_due(stop)

    def next_due(self) -> datetime | None:
        """When something may be sent next, possibly in the past; None when nothing waits."""
        return min((due for outbox in self._outboxes.values() if (due := outbox.next_due())), default=None)

    def release(self) -> None:
        """Give back what is claimed and not sent."""
        with self._beating:  # a send that ends only now must not look like a thread that goes on
            self._is_over = True
            for part in self._outboxes:
                self._watchdog.forget(part)
        for outbox in self._outboxes.values():
            with contextlib.suppress(StoreError):  # a claim that is not given back ends with its lease
                outbox.release()

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Send inside the block, until `stop` is set; at its end let a send under way finish, but not for long."""
        self._over = over = _Either(stop)
        self._meet_demand()
        try:
            yield
        finally:
            over.set()
            self._wake_all()
            give_up_at = time.monotonic() + _LAST_SEND_S
            for thread in self._threads:
                thread.join(max(give_up_at - time.monotonic(), 0))
            self.release()

    def _meet_demand(self) -> None:
        """See that there are outboxes for every notifier that something waits for."""
        try:
            waiting = self._store.waiting_notifiers()
        except StoreError as error:  # the next poll asks again
            log.error("outbox_store_failed", reason=str(error))
            return
        with self._meeting:
            for name, addresses in waiting.items():
                turns = self._turns.setdefault(name, Turns())
                for number in range(1, min(addresses, _MOST_AT_ONCE) + 1):
                    part = f"outbox {name} {number}"
                    if part not in self._outboxes:
                        self._begin(part, self._outbox(name, part, turns))

    def _outbox(self, name: str, part: str, turns: Turns) -> Outbox:
        return Outbox(name, self._store, self._load, self._pulse(part), turns=turns, called=self._called)

    def _begin(self, part: str, outbox: Outbox) -> None:
        self._outboxes = {**self._outboxes, part: outbox}  # never changed, as others may be looking
        if self._over is not None:
            thread = threading.Thread(target=outbox.run, args=(self._over,), name=part, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _wake_all(self) -> None:
        for outbox in self._outboxes.values():
            outbox.wake()

    def _pulse(self, part: str) -> Callable[[], datetime]:
        """The clock for an outbox, which asks for the time in every round: that is its sign of life."""

        def clock() -> datetime:
            with self._beating:
                if not self._is_over:
                    self._watchdog.beat(part, _LONGEST_SILENCE_S)
            return self._clock()

        return clock


class _Either(threading.Event):
    """Set by itself or with another."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()
