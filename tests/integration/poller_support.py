"""A poller on a real database, with canned answers in place of Graphite, and a clock that is set."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import rawdata
from graphitepager.errors import FetchError, StoreError
from graphitepager.model import Series
from graphitepager.poller import Poller
from graphitepager.rules import Config, Query
from graphitepager.store import Store
from tests.examples import MINUTE, NOON, PAGERDUTY_KEY, alert, entry, settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from graphitepager.graphite import Take
    from graphitepager.poller import Tick
    from graphitepager.records import Change, PollRecord


class Canned:
    """Answers every query with the same series, or with the error that is set. Stands in for a Fetcher."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.failure: str | None = None
        self.asked: list[Query] = []
        self.answers_backwards = False

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        for query in reversed(list(queries)) if self.answers_backwards else queries:
            self.asked.append(query)
            if self.failure is not None:
                take(query, FetchError(query.target, self.failure))
            else:
                start = int(NOON.timestamp())
                take(
                    query,
                    rawdata.holding(
                        [
                            Series(name, start, start + 10, 10, repr(value).encode())
                            for name, value in self.values.items()
                        ],
                        [],
                    ),
                )


class LosesTheAnswer(Store):
    """A database whose connection is lost while it commits: nobody knows whether it did."""

    loses_answer = False
    commits = True

    def record(self, poll: PollRecord) -> tuple[Change, ...]:
        cancelled = super().record(poll) if self.commits else ()
        if self.loses_answer:
            raise StoreError("the connection was lost")
        return cancelled


class Scene:
    """A poller, its store and its Graphite; every tick is a minute after the one before."""

    def __init__(self, store: LosesTheAnswer) -> None:
        self.store = store
        self.graphite = Canned()
        self.now: datetime = NOON
        self.config = Config(settings=settings(pagerduty_key=PAGERDUTY_KEY), alerts=(alert(entry()),))
        self.stop = threading.Event()
        self.poller = Poller(store, lambda: self.now)

    def tick(self, **values: float) -> Tick | None:
        self.graphite.values = values
        tick = self.poller.tick(self.config, self.graphite, self.stop)
        self.now += MINUTE
        return tick

    def pending(self) -> list[tuple[str, str]]:
        deliveries = []
        while claimed := self.store.claim(self.now, worker="test", lease=timedelta(hours=1), limit=100):
            for one in claimed:
                deliveries.append((one.message.kind.value, one.message.series))
                self.store.mark_sent(one.id, worker="test", at=self.now, answer="202")
        return deliveries


NEW_KEY = "f" * 32


def sent(scene: Scene, *, refused: bool = False) -> list[tuple[str, str, str]]:
    """Send (or have refused for good) what is due; return kind, address and summary of each delivery."""
    told = []
    while claimed := scene.store.claim(scene.now, worker="test", lease=MINUTE, limit=1):
        (one,) = claimed
        told.append((one.message.kind.value, one.route.address, one.message.summary))
        if refused:
            scene.store.mark_dead(one.id, worker="test", at=scene.now, error="400")
        else:
            scene.store.mark_sent(one.id, worker="test", at=scene.now, answer="202")
    return told
