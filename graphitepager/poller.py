"""One tick: fetch, evaluate, step, tell, record in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import (
    alerting,
    chartlinks,
    checks,
    checktimes,
    gathering,
    health,
    messages,
    polling,
    pollreport,
    routing,
    telling,
)
from graphitepager.alerting import AlertMemory
from graphitepager.errors import FetchError, StoreError, describe_bug
from graphitepager.model import OWN, EventKind
from graphitepager.polling import Outcome
from graphitepager.records import Change, PollRecord, PollSummary
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from threading import Event as ThreadEvent

    from graphitepager.model import Event, NearMiss, SeriesKey
    from graphitepager.rawdata import RawAnswer
    from graphitepager.records import OpenIncident
    from graphitepager.rules import Alert, Config, Level, Query, Route, Settings
    from graphitepager.store import Store

TOLD_ELSEWHERE = "told elsewhere now: alerts.yml was changed"

_NOTHING = AlertMemory()


class Tick(NamedTuple):
    """What a tick did: the poll as recorded, and each reason for which Graphite's answers could not be used."""

    record: PollRecord
    failures: tuple[str, ...]


class _Concluded(NamedTuple):
    """What a tick leads to: the memory of each alert afterwards, what is told of all, breaches that came to nothing."""

    memories: dict[str, AlertMemory]
    changes: list[Change]
    near_misses: list[NearMiss]


class Poller:
    """Takes every alert from one poll to the next, and mirrors what the store remembers.

    The mirror changes only after the store has committed. When that failed, nobody knows whether it did commit, so
    the next tick reads everything again before it goes on.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._checked: dict[str, checktimes.Check]  # when every entry of an alert was last answered, by its name
        self._retold_by: Config | None = None
        self._retold: set[tuple[SeriesKey, Level, Route]] = set()  # what was told to routes that this one has added
        self._web_secret: str | None = None
        self._unanswered: dict[str, datetime] = {}  # since when not every entry is, by the alert's name
        self._load()

    def _load(self) -> None:
        snapshot = self._store.load()
        self._memories = dict(snapshot.memories)
        self._last_poll = snapshot.last_poll
        self._checked = {}  # another process may have seen data since
        self._is_sure = True  # that the mirror shows what is stored

    @property
    def has_seen_graphite(self) -> bool:
        """Whether Graphite has ever given a usable answer, to this process or to one before it."""
        return self._last_poll is not None and self._last_poll.answered_at is not None

    def tick(
        self, config: Config, fetcher: gathering.Fetches, stop: ThreadEvent, file_trouble: str | None = None
    ) -> Tick | None:
        """Poll once and record it; None when `stop` was set before all of Graphite's answers were in.

        `file_trouble` is what is wrong with alerts.yml, if anything. Raises StoreError when the poll could not be
        recorded; the next tick then comes to the same transitions.
        """
        if not self._is_sure:
            self._load()
        now = self._clock()
        outcomes: dict[str, Outcome] = {}
        due = [
            alert
            for alert in config.alerts
            if polling.is_due(alert, self._checked.get(alert.name), config.settings, now)
        ]

        def judge(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError]) -> None:
            try:
                outcomes[alert.name] = self._advance(alert, answers, config.settings, now)
            except Exception as error:  # noqa: BLE001 - what one alert brings out must not silence the others
                _say_failed(alert, error)

        gathered = gathering.gather(due, config.settings, fetcher, judge, stop)
        if stop.is_set():
            return None
        pollreport.failures(gathered.failures.values())
        reasons = tuple(dict.fromkeys(error.reason for error in gathered.failures.values()))
        is_due = {alert.name for alert in due}
        outcomes |= {
            alert.name: polling.as_it_was(self._memory(alert.name), self._checked.get(alert.name))
            for alert in config.alerts
            if alert.name not in is_due
        }
        own = health.own_alert(config.settings)
        outcomes[OWN] = self._examine_self(own, config, gathered.unanswered, reasons, file_trouble, now)
        concluded = self._conclude((*config.alerts, own), outcomes, config, now)
        series = sum(one.series for one in outcomes.values())
        failed = len(gathered.failures)
        record = self._as_record(concluded, now, series=series, failed=failed, answered=gathered.answered)
        self._record(record, concluded.memories)
        seen = [(alert, one.progress.details) for alert in due if (one := outcomes.get(alert.name)) and one.is_complete]
        self._checked |= {alert.name: checktimes.Check(now, alert, details) for alert, details in seen}
        return Tick(record, reasons)

    def _as_record(
        self, concluded: _Concluded, now: datetime, *, series: int, failed: int, answered: int
    ) -> PollRecord:
        memories = concluded.memories.items()
        return PollRecord(
            started_at=now,
            finished_at=self._clock(),
            follows=self._last_poll.started_at if self._last_poll else None,
            series=series,
            failed=failed,
            answered=answered,
            states=[
                state for name, memory in memories for state in alerting.changed_states(self._memory(name), memory)
            ],
            known={name: memory.known for name, memory in memories if memory.known != self._memory(name).known},
            changes=concluded.changes,
            near_misses=concluded.near_misses,
        )

    def _record(self, record: PollRecord, memories: Mapping[str, AlertMemory]) -> None:
        """Store the poll, and only then believe it."""
        self._is_sure = False
        cancelled = self._store.record(record)
        self._is_sure = True
        answered_at = record.finished_at if record.answered else self._answered_at
        self._last_poll = PollSummary(started_at=record.started_at, answered_at=answered_at)
        self._memories |= memories
        for name in [name for name, memory in memories.items() if memory == _NOTHING]:
            del self._memories[name]
        pollreport.recorded(record, cancelled)

    def _advance(
        self, alert: Alert, answers: Mapping[Query, RawAnswer | FetchError], settings: Settings, now: datetime
    ) -> Outcome:
        memory = self._memory(alert.name)
        evaluation = checks.evaluate(alert, answers, now, memory.states.keys())
        pollreport.unreadable(alert, answers, evaluation)
        last = self._checked.get(alert.name)
        seen_at = last.at if last else self._answered_at
        return polling.advance(alert, evaluation, memory, seen_at, settings, now)

    def _examine_self(
        self,
        own: Alert,
        config: Config,
        unanswered: Iterable[str],
        reasons: tuple[str, ...],
        file_trouble: str | None,
        now: datetime,
    ) -> Outcome:
        """What this poll means for the pager itself."""
        memory = self._memory(OWN)
        before = self._unanswered
        since = now if before or self._checked else health.trouble_since(memory) or now
        self._unanswered = {name: before.get(name, since) for name in unanswered}
        trouble = "; ".join(reasons)
        evaluation = health.examine(own, self._unanswered, trouble, file_trouble, alerts=len(config.alerts))
        return Outcome(alerting.advance(own, evaluation, health.began(memory, self._unanswered), now))

    def _conclude(
        self, alerts: Iterable[Alert], outcomes: Mapping[str, Outcome], config: Config, now: datetime
    ) -> _Concluded:
        """Once it is known of every alert what it comes to: say who is told."""
        holds = self._holds({name: one.progress.memory for name, one in outcomes.items()}, now)
        by_name = {alert.name: alert for alert in alerts}
        concluded = _Concluded({}, [], [])
        for name, alert in by_name.items():  # in file order, not in that in which Graphite has answered
            if (one := outcomes.get(name)) is None:
                continue
            try:
                told = telling.tell(alert, one.progress, now, holds)
                concluded.changes.extend([self._change(event, config) for event in told.events])
            except Exception as error:  # noqa: BLE001 - what one alert brings out must not silence the others
                _say_failed(alert, error)
                continue
            concluded.near_misses.extend(one.progress.near_misses)
            concluded.memories[name] = told.memory
        for name in sorted(self._memories.keys() - by_name.keys()):
            retired = alerting.retire(self._memories[name], now)
            concluded.changes.extend(self._change(event, config) for event in retired.events)
            concluded.memories[name] = retired.memory
        return concluded

    def _holds(self, memories: Mapping[str, AlertMemory], now: datetime) -> telling.Holds:
        """What holds back triggers now; `memories` are newer than what is remembered."""
        return polling.holds(self._memories, memories, self._store.silences(now))

    def tell_untold(self, config: Config) -> bool:
        """Queue what is open for the routes that should have it by now and do not, once for each configuration.

        So a key that is corrected, changed or added while something fires gets the page, too. False where a silence
        or the like holds some of it back, for now. Raises StoreError.
        """
        if self._retold_by is not config:
            self._retold_by, self._retold = config, set()
        holds = self._holds({}, self._clock())
        changes = []
        is_done = True
        for event, incident in self._told_incidents(config):
            told = incident.routes
            retold = {route for key, level, route in self._retold if (key, level) == (event.key, event.level)}
            routes = set(routing.routes_for(event, config, incident.told_at)) - told - retold
            if not routes or event.entry is None:
                continue
            if holds.on(event.key, event.level, event.entry, event.at) is None:
                changes.append(self._change(event, config, routes))
            else:
                is_done = False
        self._store.tell(changes)
        self._retold |= {(one.event.key, one.event.level, route) for one in changes for route in one.routes}
        return is_done

    def withdraw(self, config: Config) -> bool:
        """End what is open wherever alerts.yml does not say any more, once it is accepted where it says now.

        False while that is still to come, so that there is no moment at which nobody has the page. Raises StoreError.
        """
        changes = []
        is_done = True
        for event, incident in self._told_incidents(config):
            wanted = set(routing.routes_for(event, config, incident.told_at))
            astray = incident.routes - routing.passed_on(wanted, config.settings)
            if not wanted or not astray:
                continue
            if wanted <= incident.accepted:
                ended = replace(event, kind=EventKind.RESOLVED, reason=TOLD_ELSEWHERE)
                changes.append(self._change(ended, config, astray))
            else:
                is_done = False
        self._store.tell(changes)
        return is_done

    def _told_incidents(self, config: Config) -> Iterator[tuple[Event, OpenIncident]]:
        """Yield each open incident that was told, with a trigger for it."""
        alerts = {alert.name: alert for alert in (health.own_alert(config.settings), *config.alerts)}
        for incident in self._store.open_incidents():
            alert = alerts.get(incident.key.alert)
            if alert is None:
                continue  # the tick ends it
            memory = self._memory(alert.name)
            event = telling.trigger_again(alert, memory, incident.key, incident.level, self._clock())
            if event is not None:
                yield event, incident

    def _change(self, event: Event, config: Config, routes: Iterable[Route] | None = None) -> Change:
        where = routing.routes_for(event, config) if routes is None else tuple(sorted(routes))
        message = messages.render(event, config.settings.graphite_url)
        if config.settings.web.public_url and (secret := self._secret_of(config)):
            message = replace(message, image=chartlinks.image_of(event, config.settings.web.public_url, secret))
        digests = routing.digests(where, event.level, config.settings)
        return Change(event=event, message=message, routes=where, digests=digests)

    def _secret_of(self, config: Config) -> str | None:
        """What the address of a chart is signed with; a page goes out without a picture where that cannot be had."""
        if self._web_secret is None:
            try:
                self._web_secret = config.settings.web.secret or self._store.secret()
            except StoreError as error:
                log.warning("chart_unsigned", reason=str(error))
        return self._web_secret

    @property
    def _answered_at(self) -> datetime | None:
        return self._last_poll.answered_at if self._last_poll else None

    def _memory(self, alert_name: str) -> AlertMemory:
        return self._memories.get(alert_name, _NOTHING)


def _say_failed(alert: Alert, error: Exception) -> None:
    log.error("alert_failed", alert=alert.name, reason=describe_bug(error))
