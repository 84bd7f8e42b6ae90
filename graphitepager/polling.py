"""The pure middle of a poll, which the daemon and a replay share: from an evaluation to what may be told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import alerting, checktimes, telling
from graphitepager.alerting import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.alerting import AlertMemory
    from graphitepager.checks import Evaluation
    from graphitepager.model import Silence
    from graphitepager.rules import Alert, Settings

_SHORTEST_LATE = timedelta(seconds=30)


class Outcome(NamedTuple):
    """What a poll means for one alert, how many of its series were judged, and whether every entry was answered."""

    progress: Progress
    series: int = 0
    is_complete: bool = False


def is_due(alert: Alert, last: checktimes.Check | None, settings: Settings, now: datetime) -> bool:
    """Whether this poll is to check the alert."""
    return checktimes.is_due(alert, last, heartbeat(settings), now)


def advance(
    alert: Alert,
    evaluation: Evaluation,
    memory: AlertMemory,
    seen_at: datetime | None,
    settings: Settings,
    now: datetime,
) -> Outcome:
    """What this poll means for an alert that is checked; `seen_at` is when Graphite last answered for it."""
    gap = checktimes.unobserved(alert, seen_at, heartbeat(settings), now) if evaluation.is_complete else timedelta(0)
    progress = alerting.advance(alert, evaluation, memory, now, gap)
    return Outcome(progress, evaluation.judged, evaluation.is_complete)


def as_it_was(memory: AlertMemory, last: checktimes.Check | None) -> Outcome:
    """What it means for one that is not checked: nothing, but silences end and repeats fall due."""
    return Outcome(Progress(memory=memory, details=last.details if last else {}))


def holds(
    remembered: Mapping[str, AlertMemory], newer: Mapping[str, AlertMemory], silences: tuple[Silence, ...]
) -> telling.Holds:
    """What holds back triggers now; both mappings have alerts by name."""
    newest = {**remembered, **newer}
    firing = frozenset(name for name, memory in newest.items() if telling.is_firing(memory))
    return telling.Holds(silences=silences, firing=firing)


def late_after(settings: Settings) -> timedelta:
    """How long after the last poll something is wrong: a takeover, or a database that hangs, may cost two."""
    return max(3 * heartbeat(settings), _SHORTEST_LATE)


def heartbeat(settings: Settings) -> timedelta:
    """The time from one poll to the next."""
    return timedelta(seconds=settings.heartbeat_s)
