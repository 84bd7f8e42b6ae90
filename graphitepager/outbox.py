"""Claim, send, mark: every delivery goes out from its stored row, in the order of its lane, until it is accepted."""

from __future__ import annotations

import os
import random
import socket
import threading
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from graphitepager.deadlines import run_within
from graphitepager.errors import SendError, StoreError, describe_bug
from graphitepager.messages import digest, minimal
from graphitepager.model import EventKind
from graphitepager.notifiers import deliver, rate_per_minute
from graphitepager.pacing import WINDOW
from graphitepager.telemetry import log
from graphitepager.turns import Turns
from graphitepager.wording import TEMPLATE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from threading import Event as ThreadEvent

    from graphitepager.model import Delivery
    from graphitepager.notifiers import Notifier
    from graphitepager.rules import Route
    from graphitepager.store import Store

# How long a send may take, whatever the notifier does: longer than its own deadline, which is 10 s.
SEND_DEADLINE_S = 12.0
# How long a claim lasts: longer than any send may take, short enough that what a killed process was just sending is
# not delayed for long.
LEASE = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=1)
# What a proxy may have refused is tried for so long all the same, and so is any resolve: what it ends would stay open.
REFUSED_PATIENCE = timedelta(hours=1)
# How long what waits for an address that is busy may wait once it is not, if the thread that was there has moved on.
_NEXT_LOOK = timedelta(seconds=1)


def backoff(attempts: int, jitter: float, retry_after: timedelta | None = None) -> timedelta:
    """How long to wait after failed attempt number `attempts` (from 1); `jitter` is in [0, 1).

    Doubles from one second up to a minute, which is also the most that a receiver gets who asks for more: what waits
    may be a page, or keep one waiting.
    """
    ceiling = min(LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, 10)))
    own = ceiling * (0.5 + jitter / 2)
    return max(own, min(retry_after or own, LONGEST_WAIT))


class Outbox:
    """Sends one notifier's deliveries as they fall due. It belongs to one thread; the store keeps several apart.

    Several of one notifier share its `turns`, so that an address that hangs holds up no other. `load` makes the
    notifier for each send, by the settings of that moment, so that a reload needs to tell nobody. `deadline_s` bounds
    each send. `called` knows what alerts.yml calls a route, for the log.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the world, each by itself
        self,
        name: str,
        store: Store,
        load: Callable[[str], Notifier],
        clock: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
        *,
        deadline_s: float = SEND_DEADLINE_S,
        turns: Turns | None = None,
        called: Callable[[Route], str | None] = lambda _: None,
    ) -> None:
        self._name = name
        self._store = store
        self._load = load
        self._clock = clock
        self._jitter = jitter
        self._deadline_s = deadline_s
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{name}:{uuid.uuid4().hex[:8]}"
        self._wake = threading.Event()
        self._turns = turns or Turns()
        self._called = called

    def wake(self) -> None:
        """Say that something may be due, or that it is time to stop."""
        self._wake.set()

    def send_due(self, stop: ThreadEvent) -> None:
        """Send everything that is due and may leave now, until nothing is or `stop` is set."""
        self._read_history()
        while not stop.is_set():
            now = self._clock()
            first = self._turns.take(now, partial(self._claim, now))
            if first is None:
                break
            try:
                others = self._claim_digest(now, first) if first.is_digest else []
                self._send([first, *others])
            finally:
                self._turns.give_back(first.route.address)

    def _claim(self, now: datetime, closed: Collection[str]) -> list[Delivery]:
        # One at a time, so that a claim's lease has to outlast one send only.
        return self._store.claim(now, worker=self._worker, lease=LEASE, limit=1, notifier=self._name, paused=closed)

    def _claim_digest(self, now: datetime, first: Delivery) -> list[Delivery]:
        return self._store.claim_digest(now, first, worker=self._worker, lease=LEASE)

    def next_due(self) -> datetime | None:
        """When something may be sent next, possibly in the past; None when nothing waits."""
        now = self._clock()
        paused, busy = self._turns.closed(now)
        if (paused or busy) and self._store.next_due(now, notifier=self._name) is None:
            return None
        due = self._store.next_due(now, notifier=self._name, paused=paused.keys() | busy)
        looks = [now + _NEXT_LOOK] if busy else []
        return min([*paused.values(), *looks, *([] if due is None else [due])], default=None)

    def run(self, stop: ThreadEvent) -> None:
        """Send until `stop` is set."""
        while True:
            self._wake.clear()
            if stop.is_set():
                return
            try:
                self.send_due(stop)
                due = self.next_due()
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

    def _read_history(self) -> None:
        """Count what was sent before this process began: a receiver's limit knows nothing of our restarts.

        Not earlier: to know the rate, the notifier's client is imported, which the loop need not wait for.
        """
        self._turns.begin(
            lambda: rate_per_minute(self._name), lambda: self._store.sent_since(self._name, self._clock() - WINDOW)
        )

    def _send(self, batch: Sequence[Delivery]) -> None:
        """Send one delivery, or those that are told together, as one."""
        delivery = replace(batch[0], message=digest([one.message for one in batch]))
        message, route = delivery.message, delivery.route
        details: dict[str, Any] = {
            "notifier": route.notifier,
            "to": self._called(route),
            "action": message.kind.value,
            "alert": message.alert,
            "series": message.series,
            "incident": message.level.value,
        }
        try:
            answer = self._hand_over(delivery)
        except SendError as error:
            self._failed(batch, delivery, error, details)
        except Exception as error:  # noqa: BLE001 - a bug in a notifier must not lose the page nor stop the others
            self._failed(batch, delivery, SendError(describe_bug(error)), details)
        else:
            self._turns.accepted(route.address)
            for one in batch:
                self._store.mark_sent(one.id, worker=self._worker, at=self._clock(), answer=answer)
            log.info("sent", **details, answer=answer)
            if reason := message.details.get(TEMPLATE_ERRORS):
                log.warning("template_failed", **details, reason=reason)

    def _hand_over(self, delivery: Delivery) -> str:
        """Send it, and return the answer; SendError also when the notifier says nothing for too long."""
        address = delivery.route.address
        if hanging := self._turns.hanging(address):
            raise SendError(f"{hanging} sends hang already, so that this one was not begun")
        message = minimal(delivery.message) if delivery.is_minimal else delivery.message
        has_ended = threading.Event()

        def send() -> str:
            try:
                return deliver(self._load(self._name), message, address)
            finally:
                has_ended.set()

        try:
            return run_within(self._deadline_s, send)
        except TimeoutError:
            self._turns.hangs(address, has_ended)
            raise SendError(f"no answer from {self._name} within {self._deadline_s:g} s") from None

    def _failed(self, batch: Sequence[Delivery], delivery: Delivery, error: SendError, details: dict[str, Any]) -> None:
        """Note what became of the batch, which was sent as this delivery."""
        now = self._clock()
        if error.is_invalid and not delivery.is_minimal:
            for one in batch:
                self._store.mark_failed(
                    one.id, worker=self._worker, error=error.reason, next_attempt_at=now, make_minimal=True
                )
            log.error("message_refused", **details, reason=error.reason, next="sent once more with as little as can be")
            return
        is_worth_trying = error.may_pass or delivery.message.kind is EventKind.RESOLVED
        if error.permanent and not (is_worth_trying and now - delivery.message.at < REFUSED_PATIENCE):
            for one in batch:
                self._store.mark_dead(one.id, worker=self._worker, at=now, error=error.reason)
            log.error("not_delivered", **details, reason=error.reason)
            return
        wait = self._wait(delivery, error, now)
        for one in batch:
            self._store.mark_failed(one.id, worker=self._worker, error=error.reason, next_attempt_at=now + wait)
        outlook = {"attempt": delivery.attempts + 1, "retry_in_s": wait.total_seconds()}
        if error.permanent:
            log.error("send_refused", **details, reason=error.reason, **outlook)
        else:
            log.warning("send_failed", **details, reason=error.reason, **outlook)

    def _wait(self, delivery: Delivery, error: SendError, now: datetime) -> timedelta:
        """How long this one waits; where the receiver wants a rest, everything else for that address waits, too."""
        address, attempts = delivery.route.address, delivery.attempts + 1
        if error.is_throttled:
            attempts = self._turns.throttled(address)  # whichever of them it meets
        wait = backoff(attempts, self._jitter(), error.retry_after)
        if error.is_throttled or error.retry_after is not None:
            self._turns.pause(address, now, wait)
        return wait
