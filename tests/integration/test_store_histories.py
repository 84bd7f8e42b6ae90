"""Whatever happens in whatever order: once all is quiet, what receivers have open is what is open in the store."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from graphitepager.incidents import dedup_key
from graphitepager.model import EventKind
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from tests.integration.store_support import NOON, empty_database, held, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Collection

    from graphitepager.model import Delivery

LEASE = timedelta(seconds=15)
ADDRESSES = ("key", "other key")
_series = st.sampled_from(["a", "b"])
_levels = st.sampled_from([Level.WARNING, Level.CRITICAL])
_routes = st.sets(st.sampled_from([Route("pagerduty", each) for each in ADDRESSES]), min_size=1).map(sorted)
_workers = st.sampled_from(["one", "two"])


class Histories(RuleBasedStateMachine):
    """The store, two workers, and receivers that keep what they have ingested, whether we hear of it or not."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.stack.enter_context(empty_database("sqlite", directory))
        self.store = self.stack.enter_context(Store.open(url))
        self.now = NOON
        self.open: set[tuple[str, str]] = set()  # address and dedup key
        self.refused: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        try:
            self.check_the_end()
        finally:
            self.stack.close()

    # What polls lead to.

    @rule(series=_series, level=_levels, routes=_routes)
    def trigger(self, series: str, level: Level, routes: list[Route]) -> None:
        record(self.store, triggered(series, *routes, level=level, at=self.now))

    @rule(series=_series, level=_levels)
    def hold(self, series: str, level: Level) -> None:
        record(self.store, held(series, level=level))

    @rule(series=_series, level=_levels)
    def repeat(self, series: str, level: Level) -> None:
        record(self.store, repeated(series, level=level, at=self.now))

    @rule(series=_series, level=_levels)
    def resolve(self, series: str, level: Level) -> None:
        record(self.store, resolved(series, level=level, at=self.now))

    @rule(series=_series, routes=_routes)
    def escalate(self, series: str, routes: list[Route]) -> None:
        worse = triggered(series, *routes, level=Level.CRITICAL, at=self.now)
        record(self.store, worse, resolved(series, at=self.now))

    @rule(series=_series, level=_levels, routes=_routes)
    def tell_elsewhere(self, series: str, level: Level, routes: list[Route]) -> None:
        known = {each for one in self.open_incidents(series, level) for each in one}
        if new := set(routes) - known:
            self.store.tell([triggered(series, *new, level=level, at=self.now)])

    @rule(series=_series, level=_levels, routes=_routes)
    def withdraw(self, series: str, level: Level, routes: list[Route]) -> None:
        self.store.tell([resolved(series, *routes, level=level, at=self.now)])

    # What becomes of a delivery.

    @rule(worker=_workers, paused=st.sets(st.sampled_from(ADDRESSES), max_size=1))
    def is_accepted(self, worker: str, paused: set[str]) -> None:
        for delivery in self.claim(worker, paused):
            self.ingest(delivery)
            assert self.store.mark_sent(delivery.id, worker, self.now, "202")

    @rule(worker=_workers, arrives=st.booleans())
    def is_not_answered(self, worker: str, *, arrives: bool) -> None:
        for delivery in self.claim(worker):
            self.ingest(delivery, arrives=arrives)
            assert self.store.mark_failed(delivery.id, worker, "reset", self.now)

    @rule(worker=_workers, arrives=st.booleans())
    def is_interrupted(self, worker: str, *, arrives: bool) -> None:
        for delivery in self.claim(worker):
            self.ingest(delivery, arrives=arrives)
        self.store.release(worker)

    @rule(worker=_workers, arrives=st.booleans())
    def loses_its_worker(self, worker: str, *, arrives: bool) -> None:
        for delivery in self.claim(worker):
            self.ingest(delivery, arrives=arrives)

    @rule(worker=_workers)
    def is_refused(self, worker: str) -> None:
        """A refused resolve stays open over there: nothing can be done, so nothing is tested."""
        for delivery in self.claim(worker):
            if delivery.message.kind is EventKind.RESOLVED:
                assert self.store.mark_failed(delivery.id, worker, "500", self.now)
            else:
                self.refused.add((delivery.route.address, delivery.message.dedup_key))
                assert self.store.mark_dead(delivery.id, worker, self.now, "403")

    @rule(seconds=st.sampled_from([1, 20]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # What must hold.

    @invariant()
    def what_waits_will_be_due(self) -> None:
        assert (self.store.next_due(self.now) is None) == (self.store.backlog().pending == 0)

    def check_the_end(self) -> None:
        """Let everything out; then compare."""
        for _ in range(1000):
            if not self.store.backlog().pending:
                break
            self.now += LEASE
            self.is_accepted("last", set())
        assert self.store.backlog().pending == 0
        told: set[tuple[str, str]] = set()
        maybe: set[tuple[str, str]] = set()
        for incident in self.store.open_incidents():
            key = dedup_key(incident.key, incident.level)
            assert incident.routes == incident.accepted
            told |= {(route.address, key) for route in incident.routes}
            maybe |= {(address, each) for address, each in self.refused if each == key}
        assert told <= self.open <= told | maybe

    def claim(self, worker: str, paused: Collection[str] = ()) -> list[Delivery]:
        return self.store.claim(self.now, worker=worker, lease=LEASE, limit=1, notifier="pagerduty", paused=paused)

    def ingest(self, delivery: Delivery, *, arrives: bool = True) -> None:
        if arrives and delivery.message.kind is EventKind.RESOLVED:
            self.open.discard((delivery.route.address, delivery.message.dedup_key))
        elif arrives:
            self.open.add((delivery.route.address, delivery.message.dedup_key))

    def open_incidents(self, series: str, level: Level) -> list[frozenset[Route]]:
        incidents = self.store.open_incidents()
        return [one.routes for one in incidents if (one.key.series, one.level) == (series, level)]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
