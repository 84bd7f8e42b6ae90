"""Claim, send, mark: every delivery goes out from its stored row, in the order of its lane, until it is accepted."""

from __future__ import annotations

import os
import random
import socket
import threading
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from graphitepager.errors import SendError, StoreError, describe_bug
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as ThreadEvent

    from graphitepager.model import Delivery
    from graphitepager.notifiers import Notifier
    from graphitepager.store import Store

# How long a claim lasts: longer than any send may take (their deadline is 10 s), short enough that what a killed
# process was just sending is not delayed for long.
LEASE = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=1)


def backoff(attempts: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """How long to wait after failed attempt number `attempts` (from 1); `jitter` is in [0, 1).

    Doubles from one second up to a minute. A receiver that asks for longer gets it, up to ten minutes.
    """
    ceiling = min(LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, 10)))
    own = ceiling * (0.5 + jitter / 2)
    return max(own, min(retry_after or own, 10 * LONGEST_WAIT))


class Outbox:
    """Sends one notifier's deliveries as they fall due. It belongs to one thread; the store keeps several apart.

    Each notifier has one of its own, so that one that hangs holds up nobody else. `load` makes the notifier for each
    send, by the settings of that moment, so that a reload needs to tell nobody.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        load: Callable[[str], Notifier],
        clock: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._store = store
        self._load = load
        self._clock = clock
        self._jitter = jitter
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{name}:{uuid.uuid4().hex[:8]}"
        self._wake = threading.Event()

    def wake(self) -> None:
        """Say that something may be due, or that it is time to stop."""
        self._wake.set()

    def send_due(self, stop: ThreadEvent) -> None:
        """Send everything that is due, until nothing is or `stop` is set."""
        while not stop.is_set():
            # One at a time, so that a claim's lease has to outlast one send only.
            claimed = self._store.claim(self._clock(), worker=self._worker, lease=LEASE, limit=1, notifier=self._name)
            if not claimed:
                break
            self._send(claimed[0])

    def run(self, stop: ThreadEvent) -> None:
        """Send until `stop` is set."""
        while True:
            self._wake.clear()
            if stop.is_set():
                return
            try:
                self.send_due(stop)
                due = self._store.next_due(self._clock(), notifier=self._name)
                wait = LONGEST_WAIT if due is None else min(due - self._clock(), LONGEST_WAIT)
            except StoreError as error:
                log.error("outbox_store_failed", notifier=self._name, reason=str(error))
                wait = timedelta(seconds=5)
            except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
                log.error("outbox_failed", notifier=self._name, reason=describe_bug(error))
                wait = timedelta(seconds=5)
            self._wake.wait(max(wait.total_seconds(), 0.05))

    def release(self) -> None:
        """Give back what was claimed and not sent, so that the next process need not wait for the lease to end."""
        self._store.release(self._worker)

    def _send(self, delivery: Delivery) -> None:
        message, route = delivery.message, delivery.route
        details = {
            "notifier": route.notifier,
            "action": message.kind.value,
            "alert": message.alert,
            "series": message.series,
            "incident": message.level.value,
        }
        try:
            answer = self._load(self._name).send(message, route.address)
        except SendError as error:
            self._failed(delivery, error, details)
        except Exception as error:  # noqa: BLE001 - a bug in a notifier must not lose the page nor stop the others
            self._failed(delivery, SendError(describe_bug(error)), details)
        else:
            self._store.mark_sent(delivery.id, worker=self._worker, at=self._clock(), answer=answer)
            log.info("sent", **details, answer=answer)

    def _failed(self, delivery: Delivery, error: SendError, details: dict[str, str]) -> None:
        now = self._clock()
        if error.permanent:
            self._store.mark_dead(delivery.id, worker=self._worker, at=now, error=error.reason)
            log.error("not_delivered", **details, reason=error.reason)
            return
        wait = backoff(delivery.attempts + 1, error.retry_after, self._jitter())
        self._store.mark_failed(delivery.id, worker=self._worker, error=error.reason, next_attempt_at=now + wait)
        log.warning(
            "send_failed",
            **details,
            reason=error.reason,
            attempt=delivery.attempts + 1,
            retry_in_s=wait.total_seconds(),
        )
