"""One tick: fetch, evaluate, step, record in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from graphitepager import alerting, checks, messages, routing
from graphitepager.alerting import AlertMemory
from graphitepager.errors import FetchError, describe_bug
from graphitepager.model import EventKind
from graphitepager.records import Change, PollRecord, PollSummary
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from threading import Event as ThreadEvent

    from graphitepager.alerting import Progress
    from graphitepager.checks import Evaluation
    from graphitepager.model import Alert, Config, Query, Settings
    from graphitepager.rawdata import RawAnswer
    from graphitepager.store import Store

# The share of a heartbeat that fetching may take; the rest is for evaluating and recording.
_DEADLINE_SHARE = 0.9


class Tick(NamedTuple):
    """What a tick did: the poll as recorded, and each reason for which Graphite's answers could not be used."""

    record: PollRecord
    failures: tuple[str, ...]


class _Outcome(NamedTuple):
    """What a tick means for one alert, how many of its series were judged, and whether every entry was answered."""

    progress: Progress
    changes: tuple[Change, ...]
    series: int
    is_complete: bool


class Fetches(Protocol):
    """What the poller wants of a graphite.Fetcher."""

    def fetch(
        self, queries: Iterable[Query], *, deadline_s: float, stop: ThreadEvent
    ) -> Iterator[tuple[Query, RawAnswer | FetchError]]:
        """Yield each query once with its answer, as they arrive; fewer when `stop` is set."""
        ...


class Poller:
    """Takes every alert from one poll to the next, and mirrors what the store remembers.

    The mirror changes only after the store has committed. When that failed, nobody knows whether it did commit, so
    the next tick reads everything again before it goes on.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._observed_at: dict[str, datetime] = {}  # when every entry of an alert was last answered, by its name
        self._load()

    def _load(self) -> None:
        snapshot = self._store.load()
        self._memories = dict(snapshot.memories)
        self._last_poll = snapshot.last_poll
        self._is_sure = True  # that the mirror shows what is stored

    @property
    def has_seen_graphite(self) -> bool:
        """Whether Graphite has ever given a usable answer, to this process or to one before it."""
        return self._last_poll is not None and self._last_poll.answered_at is not None

    def tick(self, config: Config, fetcher: Fetches, stop: ThreadEvent) -> Tick | None:
        """Poll once and record it; None when `stop` was set before all of Graphite's answers were in.

        Raises StoreError when it could not be recorded; the next tick then comes to the same transitions.
        """
        if not self._is_sure:
            self._load()
        now = self._clock()
        outcomes: dict[str, _Outcome] = {}
        failures: dict[Query, FetchError] = {}
        for alert, answers in _answered(config, fetcher, stop):
            failures |= _failures(alert, answers)
            try:
                outcomes[alert.name] = self._advance(alert, answers, config.settings, now)
            except Exception as error:  # noqa: BLE001 - a bug that one alert brings out must not silence the others
                log.error("alert_failed", alert=alert.name, reason=describe_bug(error))
        if stop.is_set():
            return None
        removed = self._memories.keys() - {alert.name for alert in config.alerts}
        for name in removed:
            progress = alerting.retire(self._memories[name], now)
            outcomes[name] = _Outcome(progress, _changes(progress, config.settings), 0, is_complete=False)
        _report_failures(failures)
        answered = len(checks.queries_of(config.alerts)) - len(failures)
        record = self._as_record(outcomes, now, answered=answered, failed=len(failures))
        self._is_sure = False
        self._store.record(record)
        self._is_sure = True
        self._last_poll = PollSummary(
            started_at=now, answered_at=record.finished_at if record.answered else self._answered_at
        )
        self._observed_at |= {name: now for name, one in outcomes.items() if one.is_complete}
        self._memories |= {name: one.progress.memory for name, one in outcomes.items()}
        for name in removed:
            del self._memories[name]
        _report_changes(record)
        return Tick(record, tuple(dict.fromkeys(error.reason for error in failures.values())))

    def tell_untold(self, config: Config) -> None:
        """Queue what is open for the routes that should have it by now and do not.

        So a key that is corrected, changed or added while something fires gets the page, too. Raises StoreError.
        """
        alerts = {alert.name: alert for alert in config.alerts}
        changes = []
        for incident in self._store.open_incidents():
            alert = alerts.get(incident.key.alert)
            if alert is None:
                continue  # the tick ends it
            event = alerting.trigger_again(alert, self._memory(alert.name), incident.key, incident.level, self._clock())
            routes = set(routing.routes_for(event, config.settings)) - incident.routes
            if routes:
                message = messages.render(event, config.settings.graphite_url)
                changes.append(Change(event=event, message=message, routes=tuple(sorted(routes))))
        if changes:
            self._store.tell(changes)

    def _as_record(self, outcomes: Mapping[str, _Outcome], now: datetime, *, answered: int, failed: int) -> PollRecord:
        return PollRecord(
            started_at=now,
            finished_at=self._clock(),
            series=sum(one.series for one in outcomes.values()),
            failed=failed,
            answered=answered,
            follows=self._last_poll.started_at if self._last_poll else None,
            states=tuple(state for one in outcomes.values() for state in one.progress.changed),
            known=self._changes_of_known(outcomes),
            changes=tuple(change for one in outcomes.values() for change in one.changes),
        )

    def _advance(
        self, alert: Alert, answers: Mapping[Query, RawAnswer | FetchError], settings: Settings, now: datetime
    ) -> _Outcome:
        evaluation = checks.evaluate(alert, answers)
        _report_unreadable(alert, answers, evaluation)
        gap = self._unobserved(alert, settings, now) if evaluation.is_complete else timedelta(0)
        progress = alerting.advance(alert, evaluation, self._memory(alert.name), now, gap)
        return _Outcome(progress, _changes(progress, settings), len(evaluation.readings), evaluation.is_complete)

    @property
    def _answered_at(self) -> datetime | None:
        return self._last_poll.answered_at if self._last_poll else None

    def _unobserved(self, alert: Alert, settings: Settings, now: datetime) -> timedelta:
        """For how long nobody saw whether this alert had data: Graphite did not answer, or no pager ran."""
        heartbeat = timedelta(seconds=settings.heartbeat_s)
        gap = now - (self._observed_at.get(alert.name) or self._answered_at or now)
        return gap - heartbeat if gap > 2 * heartbeat else timedelta(0)

    def _memory(self, alert_name: str) -> AlertMemory:
        return self._memories.get(alert_name) or AlertMemory()

    def _changes_of_known(self, outcomes: Mapping[str, _Outcome]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        after = {name: one.progress.memory.known for name, one in outcomes.items()}
        return {name: known for name, known in after.items() if known != self._memory(name).known}


def _answered(
    config: Config, fetcher: Fetches, stop: ThreadEvent
) -> Iterator[tuple[Alert, Mapping[Query, RawAnswer | FetchError]]]:
    """Yield each alert as soon as all of its queries are answered, and let go of answers that nobody waits for."""
    waiting = {alert.name: {entry.query for entry in alert.entries} for alert in config.alerts}
    asked_by: dict[Query, list[Alert]] = {}
    for alert in config.alerts:
        for query in waiting[alert.name]:
            asked_by.setdefault(query, []).append(alert)
    users = {query: len(alerts) for query, alerts in asked_by.items()}
    answers: dict[Query, RawAnswer | FetchError] = {}
    deadline_s = config.settings.heartbeat_s * _DEADLINE_SHARE
    for query, answer in fetcher.fetch(checks.queries_of(config.alerts), deadline_s=deadline_s, stop=stop):
        answers[query] = answer
        if not isinstance(answer, FetchError):
            log.debug("fetched", target=query.target, series=len(answer.series))
        for alert in asked_by[query]:
            waiting[alert.name].discard(query)
            if waiting[alert.name]:
                continue
            yield alert, answers
            for used in {entry.query for entry in alert.entries}:
                users[used] -= 1
                if not users[used]:
                    del answers[used]


def _changes(progress: Progress, settings: Settings) -> tuple[Change, ...]:
    return tuple(
        Change(
            event=event,
            message=messages.render(event, settings.graphite_url),
            routes=routing.routes_for(event, settings),
        )
        for event in progress.events
    )


def _failures(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError]) -> dict[Query, FetchError]:
    found = ((entry.query, answers[entry.query]) for entry in alert.entries)
    return {query: answer for query, answer in found if isinstance(answer, FetchError)}


def _report_failures(failures: Mapping[Query, FetchError]) -> None:
    """Log each reason once: when Graphite is down, a line for every target would bury it."""
    targets: dict[str, list[str]] = {}
    for error in failures.values():
        targets.setdefault(error.reason, []).append(error.target)
    for reason, concerned in targets.items():
        log.error("fetch_failed", reason=reason, target=concerned[0], targets=len(concerned))


def _report_unreadable(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError], evaluation: Evaluation) -> None:
    for entry in alert.entries:
        answer = answers[entry.query]
        if not isinstance(answer, FetchError) and answer.bad_lines:
            log.warning("lines_unreadable", alert=alert.name, lines=len(answer.bad_lines), first=answer.bad_lines[0])
    if evaluation.unreadable:
        first = min(evaluation.unreadable)
        log.warning("series_unreadable", alert=alert.name, series=len(evaluation.unreadable), first=first)


def _report_changes(record: PollRecord) -> None:
    for change in record.changes:
        event = change.event
        log.warning(
            "triggered" if event.kind is EventKind.TRIGGERED else "resolved",
            alert=change.message.alert,
            series=change.message.series,
            incident=event.level.value,
            value=event.value,
            reason=event.reason,
            routes=len(change.routes) if event.kind is EventKind.TRIGGERED else None,
        )
    log.info(
        "poll",
        series=record.series,
        failed=record.failed,
        changes=len(record.changes),
        seconds=(record.finished_at - record.started_at).total_seconds(),
    )
