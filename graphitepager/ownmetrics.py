"""The pager's metrics about itself: what the database knows of now in, samples out, by name, labels and value."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.health import ALERTS_FILE
from graphitepager.metricnames import clean_node
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from graphitepager.glance import Glance

PREFIX = "graphite_pager"


class Kind(enum.Enum):
    """A COUNTER only grows, also over restarts. An INFO is 1, and its labels say something: for Prometheus only."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"


class Metric(NamedTuple):
    """One of the metrics; `about` is what it counts or measures. Units stand in the name."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value of a metric; `labels` are those of the metric, in their order."""

    metric: Metric
    labels: tuple[str, ...] = ()
    value: float


def _counter(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, about, labels)


def _gauge(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, about, labels)


POLLS = _counter("polls_total", "Polls that were recorded.")
POLL_SECONDS = _counter("poll_seconds_total", "Seconds that they took.")
POLLED_SERIES = _counter("polled_series_total", "Series that they evaluated.")
FETCH_ERRORS = _counter("fetch_errors_total", "Queries to which Graphite gave no usable answer.")
TRANSITIONS = _counter("transitions_total", "What became of series.", "kind", "level")
DELIVERIES = _counter("deliveries_total", "Deliveries that have ended.", "notifier", "kind", "result")
RETRIES = _counter("delivery_retries_total", "Attempts that failed and are made again.", "notifier", "kind", "result")

LAST_POLL = _gauge("last_poll_timestamp_seconds", "When the last poll began, in seconds since 1970.")
LAST_POLL_DURATION = _gauge("last_poll_duration_seconds", "How long the last poll took.")
LAST_POLL_SERIES = _gauge("last_poll_series", "Series that the last poll evaluated.")
LAST_POLL_FETCH_ERRORS = _gauge("last_poll_fetch_errors", "Queries without a usable answer in the last poll.")
LAST_ANSWER = _gauge("last_answer_timestamp_seconds", "When Graphite last gave a usable answer.")
LAG = _gauge("lag_seconds", "For how long the next poll has been overdue; 0 while it is not.")
HEARTBEAT = _gauge("heartbeat_seconds", "HEARTBEAT_SECONDS: from one poll to the next.")

OUTBOX_PENDING = _gauge("outbox_pending", "Deliveries that wait to be sent.")
OUTBOX_OLDEST = _gauge(
    "outbox_oldest_page_age_seconds", "For how long the oldest page of them has waited; 0 without one."
)
OUTBOX_DEAD = _gauge("outbox_dead", "Deliveries that were given up, as far as the history goes.")
OUTBOX_UNHEARD = _gauge("outbox_unheard", "Open incidents of which nobody will hear: all their triggers were given up.")

OPEN_INCIDENTS = _gauge("open_incidents", "Open incidents.", "level")
HELD_INCIDENTS = _gauge("held_incidents", "Those of them that something holds back: a silence, for example.", "level")
FLAPPING_SERIES = _gauge("flapping_series", "Series that fire and resolve again and again.")
KNOWN_SERIES = _gauge("known_series", "Series that alerts watch, and would miss.")
SILENCES = _gauge("active_silences", "Silences that hold now.")

CONFIG_LOADED = _gauge("config_loaded_timestamp_seconds", "When the alerts.yml that runs was first loaded.")
CONFIG_OK = _gauge("config_ok", "1; 0 while alerts.yml is no good, and the last good one runs.")
CONFIG_INFO = Metric("config_info", Kind.INFO, "Which alerts.yml runs.", ("version",))
BUILD_INFO = Metric("build_info", Kind.INFO, "Which graphite-pager this is.", ("version",))

METRICS = (
    POLLS,
    POLL_SECONDS,
    POLLED_SERIES,
    FETCH_ERRORS,
    TRANSITIONS,
    DELIVERIES,
    RETRIES,
    LAST_POLL,
    LAST_POLL_DURATION,
    LAST_POLL_SERIES,
    LAST_POLL_FETCH_ERRORS,
    LAST_ANSWER,
    LAG,
    HEARTBEAT,
    OUTBOX_PENDING,
    OUTBOX_OLDEST,
    OUTBOX_DEAD,
    OUTBOX_UNHEARD,
    OPEN_INCIDENTS,
    HELD_INCIDENTS,
    FLAPPING_SERIES,
    KNOWN_SERIES,
    SILENCES,
    CONFIG_LOADED,
    CONFIG_OK,
    CONFIG_INFO,
    BUILD_INFO,
)

_RAISED = (Level.WARNING, Level.CRITICAL, Level.NO_DATA)


def samples(glance: Glance, *, heartbeat_s: float, version: str) -> list[Sample]:
    """All samples of this moment; of what there has not been yet, such as a poll, there is none."""
    return [
        *_counted(glance),
        *_polled(glance, heartbeat_s),
        *_waiting(glance),
        *_open(glance),
        *_loaded(glance),
        Sample(metric=BUILD_INFO, labels=(version,), value=1),
    ]


def carbon_lines(taken: Iterable[Sample], *, prefix: str, at: datetime) -> bytes:
    """The samples as Carbon takes them: the labels' values are further nodes of the name."""
    by_path: dict[str, float] = {}
    for sample in taken:
        if sample.metric.kind is not Kind.INFO:
            path = ".".join((prefix, sample.metric.name, *map(clean_node, sample.labels)))
            # Two notifiers may have become one name.
            by_path[path] = by_path.get(path, 0) + sample.value
    time = int(at.timestamp())
    return "".join(f"{path} {value!r} {time}\n" for path, value in by_path.items()).encode("ascii")


def _counted(glance: Glance) -> Iterator[Sample]:
    tallies = glance.tallies
    yield Sample(metric=POLLS, value=tallies.polls)
    yield Sample(metric=POLL_SECONDS, value=tallies.seconds)
    yield Sample(metric=POLLED_SERIES, value=tallies.series)
    yield Sample(metric=FETCH_ERRORS, value=tallies.failed)
    for transition, count in sorted(tallies.transitions.items(), key=lambda item: [one.value for one in item[0]]):
        yield Sample(metric=TRANSITIONS, labels=(transition.kind.value, transition.level.value), value=count)
    for labels, is_final, total in sorted(
        ((key.notifier, key.kind.value, key.result.value), key.result.is_final, tally.total)
        for key, tally in tallies.deliveries.items()
    ):
        yield Sample(metric=DELIVERIES if is_final else RETRIES, labels=labels, value=total)


def _polled(glance: Glance, heartbeat_s: float) -> Iterator[Sample]:
    yield Sample(metric=HEARTBEAT, value=heartbeat_s)
    poll = glance.poll
    if poll is None:
        return
    yield Sample(metric=LAST_POLL, value=poll.started_at.timestamp())
    yield Sample(metric=LAST_POLL_DURATION, value=max((poll.finished_at - poll.started_at).total_seconds(), 0.0))
    yield Sample(metric=LAST_POLL_SERIES, value=poll.series)
    yield Sample(metric=LAST_POLL_FETCH_ERRORS, value=poll.failed)
    yield Sample(metric=LAG, value=max((glance.at - poll.started_at).total_seconds() - heartbeat_s, 0.0))
    if poll.answered_at is not None:
        yield Sample(metric=LAST_ANSWER, value=poll.answered_at.timestamp())


def _waiting(glance: Glance) -> Iterator[Sample]:
    backlog = glance.backlog
    oldest = backlog.oldest_page
    yield Sample(metric=OUTBOX_PENDING, value=backlog.pending)
    age_s = 0.0 if oldest is None else max((glance.at - oldest).total_seconds(), 0.0)
    yield Sample(metric=OUTBOX_OLDEST, value=age_s)
    yield Sample(metric=OUTBOX_DEAD, value=backlog.dead)
    yield Sample(metric=OUTBOX_UNHEARD, value=backlog.unheard)


def _open(glance: Glance) -> Iterator[Sample]:
    for level in _RAISED:
        standing = [one for one in glance.incidents if one.level is level]
        held = sum(one.held_by is not None for one in standing)
        yield Sample(metric=OPEN_INCIDENTS, labels=(level.value,), value=len(standing))
        yield Sample(metric=HELD_INCIDENTS, labels=(level.value,), value=held)
    flapping = sum(state.is_flapping for states in glance.states.values() for state in states.values())
    yield Sample(metric=FLAPPING_SERIES, value=flapping)
    yield Sample(metric=KNOWN_SERIES, value=sum(glance.known.values()))
    yield Sample(metric=SILENCES, value=sum(one.begins_at <= glance.at < one.ends_at for one in glance.silences))


def _loaded(glance: Glance) -> Iterator[Sample]:
    own = glance.states.get(ALERTS_FILE.alert, {}).get(ALERTS_FILE.series)
    yield Sample(metric=CONFIG_OK, value=float(own is None or own.incident is None))
    if glance.config is not None:
        yield Sample(metric=CONFIG_LOADED, value=glance.config.kept_at.timestamp())
        yield Sample(metric=CONFIG_INFO, labels=(glance.config.version,), value=1)
