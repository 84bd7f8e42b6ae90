"""A drill: a made-up breach and its end, through all that a real one goes through, with the time of each stage."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import notifiers
from graphitepager.model import EventKind, SeriesKey
from graphitepager.outbox import Outbox
from graphitepager.poller import Poller
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Alert, Config, Entry, Query
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.errors import FetchError
    from graphitepager.gathering import Fetches
    from graphitepager.graphite import Take
    from graphitepager.model import Message
    from graphitepager.notifiers import Notifier
    from graphitepager.rawdata import RawAnswer
    from graphitepager.records import DeliveryStory
    from graphitepager.rules import Settings
    from graphitepager.store import Store

ALERT = "graphite-pager drill"
NOTIFIER = "pagerduty"

_BAD, _GOOD = 100, 0
_CRITICAL = Threshold(operator=Operator.AT_LEAST, bound=90)
_AROUND = timedelta(minutes=5)


class Stage(NamedTuple):
    """One step of the way: how long it took, and what came of it, or why it failed."""

    name: str
    seconds: float
    outcome: str = ""
    failure: str | None = None


class Drill:
    """One drill. `settings` are those of the pager, but for the test `key`, which is the only one that is told.

    `may_be_open` says that an incident of it may be open: also after a page of which nobody knows whether it arrived.
    """

    def __init__(self, settings: Settings, key: str, store: Store, fetches: Fetches) -> None:
        self._settings = replace(settings, pagerduty_key=key, pagerduty_keys={}, notifiers={}, stdout_enabled=False)
        self._store = store
        self._fetches = _TimedFetches(fetches)
        self._sending = _TimedNotifier(notifiers.load(NOTIFIER, self._settings))
        self._poller = Poller(store, _now)
        self._outbox = Outbox(NOTIFIER, store, lambda _: self._sending, _now)
        self._stop = threading.Event()
        # A name that no drill had before: what an interrupted one has left open must not swallow this one.
        self.may_be_open = False
        self.series = f"drill of {_now():%Y-%m-%d %H:%M:%S} UTC"

    def page(self) -> Iterator[Stage]:
        """Begin a breach and page for it; the last stage is the one that failed, if any did."""
        yield from self._go(EventKind.TRIGGERED, _BAD)

    def end(self) -> Iterator[Stage]:
        """End the breach, and the incident with it."""
        yield from self._go(EventKind.RESOLVED, _GOOD)

    def _go(self, kind: EventKind, value: int) -> Iterator[Stage]:
        began = time.monotonic()
        tick = self._poller.tick(self._config(value), self._fetches, self._stop)
        polled_s = time.monotonic() - began
        failures = tick.failures if tick else ("the poll was stopped",)
        yield Stage("Graphite answers", self._fetches.seconds, f"{value}", "; ".join(failures) or None)
        if failures or tick is None:
            return
        changes = [change for change in tick.record.changes if change.event.kind is kind]
        outcome = changes[0].message.summary if changes else ""
        failure = None if changes else f"Graphite's constantLine({value}) made no {kind.value}"
        yield Stage("judged and stored", polled_s - self._fetches.seconds, outcome, failure)
        if failure:
            return
        began = time.monotonic()
        self.may_be_open = True
        self._outbox.send_due(self._stop)
        sent_s = time.monotonic() - began
        yield Stage("taken from the queue and marked", sent_s - self._sending.seconds)
        delivery = self._delivery(kind)
        is_sent = delivery is not None and delivery.status is DeliveryStatus.SENT
        reason = (delivery and delivery.last_error) or "it was not sent"
        answer = (delivery and delivery.answer) or ""
        self.may_be_open = not is_sent or kind is EventKind.TRIGGERED
        yield Stage("PagerDuty accepts it", self._sending.seconds, answer, None if is_sent else reason)

    def _config(self, value: int) -> Config:
        target = f'alias(constantLine({value}),"{self.series}")'
        entry = Entry(query=Query(target, "-1min", None), warning=None, critical=_CRITICAL, line=1)
        return Config(settings=self._settings, alerts=(Alert(name=ALERT, entries=(entry,)),))

    def _delivery(self, kind: EventKind) -> DeliveryStory | None:
        """What has become of the delivery of that kind, of which there is one at most."""
        now = _now()
        incidents = self._store.incidents_of(SeriesKey(ALERT, self.series), now - _AROUND, now + _AROUND)
        found = (one for incident in incidents for one in incident.deliveries if one.kind is kind)
        return next(found, None)


class _TimedFetches:
    """Passes answers on, and knows how long the last ones took."""

    def __init__(self, fetches: Fetches) -> None:
        self._fetches = fetches
        self.seconds = 0.0

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        began = time.monotonic()
        answers: list[tuple[Query, RawAnswer | FetchError]] = []
        self._fetches.fetch(queries, lambda *one: answers.append(one), deadline_s=deadline_s, stop=stop)
        self.seconds = time.monotonic() - began
        for query, answer in answers:
            take(query, answer)


class _TimedNotifier:
    """Hands messages on, and knows how long the last one took."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self.seconds = 0.0

    def send(self, message: Message, address: str) -> str:
        began = time.monotonic()
        try:
            return self._notifier.send(message, address)
        finally:
            self.seconds = time.monotonic() - began


def _now() -> datetime:
    return datetime.now(UTC)
