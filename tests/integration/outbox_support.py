"""An outbox that lives by a clock that stands still, and notifiers that do as they are told."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from graphitepager.outbox import Outbox
from graphitepager.rules import Route
from graphitepager.store import Store, tables
from tests.integration.store_support import NOON, triggered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphitepager.model import EventKind, Message

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
KEY, OTHER_KEY = "R0utingKey0123456789abcdefgh7XqZ", "0therKey00123456789abcdefgh7XqZ0"
ROUTE, OTHER_ROUTE = Route("pagerduty", KEY), Route("pagerduty", OTHER_KEY)
STDOUT = Route("stdout", "")


class Clock:
    """Stands until it is moved. Each look may take `step`, as sending does in life."""

    def __init__(self, step: timedelta = timedelta()) -> None:
        self.now = NOON
        self.step = step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


class Scripted:
    """A notifier that does as it is told: for each message an error, or an answer."""

    def __init__(self, behave: Callable[[Message, str], str]) -> None:
        self.behave = behave
        self.sent: list[tuple[EventKind, str, str]] = []

    def send(self, message: Message, address: str) -> str:
        self.sent.append((message.kind, message.series, address))
        return self.behave(message, address)


def outbox_of(store: Store, clock: Clock, notifier: Any, name: str = "pagerduty", **other: Any) -> Outbox:
    return Outbox(name, store, lambda _name: notifier, clock, lambda: 0.0, **other)


def send(outbox: Outbox) -> None:
    outbox.send_due(threading.Event())


def drain(outbox: Outbox, store: Store, clock: Clock, until: Callable[[], object] = lambda: False) -> None:
    """Let the outbox live until nothing waits: the clock goes from one moment at which it wakes to the next."""
    for _ in range(1000):
        send(outbox)
        due = outbox.next_due()
        if due is None or until():
            return
        clock.now = max(clock.now, due)
    raise AssertionError(f"still waiting: {store.backlog()}")


def history(store: Store, *names: str) -> list[tuple[Any, ...]]:
    with store._reader.begin() as db:
        columns = [tables.deliveries.c[name] for name in names]
        return [tuple(row) for row in db.execute(select(*columns).order_by(tables.deliveries.c.id))]


def pages(count: int, route: Route = ROUTE) -> list[Any]:
    return [triggered(f"web{number}", route) for number in range(count)]
