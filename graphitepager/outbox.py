"""Claim, send, mark: every delivery goes out from its stored row, in the order of its lane, until it is accepted."""

from __future__ import annotations

import os
import random
import socket
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
    """Sends what the store says is due. One instance belongs to one thread; the store keeps several from colliding."""

    def __init__(
        self,
        store: Store,
        notifier: Callable[[str], Notifier],
        clock: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._clock = clock
        self._jitter = jitter
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def send_due(self, stop: ThreadEvent) -> int:
        """Send everything that is due, until nothing is or `stop` is set; return how many were accepted."""
        accepted = 0
        while not stop.is_set():
            # One at a time, so that a claim's lease has to outlast one send only.
            claimed = self._store.claim(self._clock(), worker=self._worker, lease=LEASE, limit=1)
            if not claimed:
                break
            accepted += self._send(claimed[0])
        return accepted

    def run(self, stop: ThreadEvent, wake: ThreadEvent) -> None:
        """Send until `stop` is set; `wake` says that something new may be due."""
        while not stop.is_set():
            wake.clear()
            try:
                self.send_due(stop)
                due = self._store.next_due(self._clock())
                wait = LONGEST_WAIT if due is None else min(due - self._clock(), LONGEST_WAIT)
            except StoreError as error:
                log.error("outbox_store_failed", reason=str(error))
                wait = timedelta(seconds=5)
            except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
                log.error("outbox_failed", reason=describe_bug(error))
                wait = timedelta(seconds=5)
            wake.wait(max(wait.total_seconds(), 0.05))

    def release(self) -> None:
        """Give back what was claimed and not sent, so that the next process need not wait for the lease to end."""
        self._store.release(self._worker)

    def _send(self, delivery: Delivery) -> bool:
        message, route = delivery.message, delivery.route
        details = {
            "notifier": route.notifier,
            "action": message.kind.value,
            "alert": message.alert,
            "series": message.series,
            "incident": message.level.value,
        }
        try:
            answer = self._notifier(route.notifier).send(message, route.address)
        except SendError as error:
            self._failed(delivery, error, details)
            return False
        except Exception as error:  # noqa: BLE001 - a bug in a notifier must not lose the page nor stop the others
            self._failed(delivery, SendError(describe_bug(error)), details)
            return False
        self._store.mark_sent(delivery.id, worker=self._worker, at=self._clock(), answer=answer)
        log.info("sent", **details, answer=answer)
        return True

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
