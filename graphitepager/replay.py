"""A history through the very same core as the daemon's polls: what would have been told, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import polling, telling
from graphitepager.alerting import AlertMemory
from graphitepager.checktimes import Check
from graphitepager.history import note_births
from graphitepager.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphitepager.history import Span, Track
    from graphitepager.model import Event, NearMiss, Silence
    from graphitepager.polling import Outcome
    from graphitepager.quiet import Windows
    from graphitepager.rules import Alert, Config, Query

_NOTHING = AlertMemory()


class Poll(NamedTuple):
    """What one poll of the past told, and the breaches that came to nothing."""

    now: datetime
    events: tuple[Event, ...]
    near_misses: tuple[NearMiss, ...]


class Replay:
    """Takes every alert from one poll of the past to the next, stretch by stretch.

    The polls are `config.settings.heartbeat_s` apart. The pager knows nothing when the first of them comes.
    """

    def __init__(
        self,
        config: Config,
        *,
        silences: tuple[Silence, ...] = (),
        births: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """Begin with nothing remembered; `births` says by target and name since when series are known to exist."""
        self._config = config
        self._silences = silences
        self._relied_on = frozenset(
            name for alert in config.alerts for entry in alert.entries for name in entry.depends_on
        )
        self._memories: dict[str, AlertMemory] = {}
        self._checked: dict[str, Check] = {}  # of the alerts that are not checked at every poll
        self._polled_at: datetime | None = None
        self._births = {target: dict(names) for target, names in (births or {}).items()}

    @property
    def memories(self) -> Mapping[str, AlertMemory]:
        """What is remembered of each alert after the last poll, by its name."""
        return self._memories

    def run(self, times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> Iterator[Poll]:
        """Poll at each of these times (epoch seconds), and yield the polls at which anything happened.

        `history` has for every query of the configuration its series over all of the windows of these polls. Stretches
        follow each other without a gap. Nothing is kept of them but the names of the series.
        """
        note_births(self._births, history)
        windows: dict[tuple[Span, int, int], Windows] = {}
        stretches = [(alert, Stretch(alert, times, history, self._births, windows)) for alert in self._config.alerts]
        still: set[str] = set()  # the alerts that the next poll leaves as they are, unless a series gets loud
        for place, second in enumerate(times):
            now = datetime.fromtimestamp(second, UTC)
            outcomes: dict[str, Outcome] = {}
            for alert, stretch in stretches:
                if alert.name not in still or stretch.is_loud(place):
                    outcomes[alert.name] = self._advance(alert, stretch, place, now)
            self._polled_at = now
            if outcomes:
                yield from self._concluded(outcomes, now, still)

    def _advance(self, alert: Alert, stretch: Stretch, place: int, now: datetime) -> Outcome:
        memory = self._memories.get(alert.name, _NOTHING)
        last = self._checked.get(alert.name)
        if not polling.is_due(alert, last, self._config.settings, now):
            return polling.as_it_was(memory, last)
        evaluation = stretch.evaluation(place, now, memory.states.keys())
        seen_at = last.at if last else self._polled_at
        outcome = polling.advance(alert, evaluation, memory, seen_at, self._config.settings, now)
        if alert.interval:
            self._checked[alert.name] = Check(now, alert, outcome.progress.details)
        return outcome

    def _concluded(self, outcomes: Mapping[str, Outcome], now: datetime, still: set[str]) -> Iterator[Poll]:
        newer = {name: one.progress.memory for name, one in outcomes.items() if name in self._relied_on}
        remembered = {name: self._memories[name] for name in self._relied_on if name in self._memories}
        holds = polling.holds(remembered, newer, self._silences)
        events: list[Event] = []
        near_misses: list[NearMiss] = []
        for alert in self._config.alerts:
            outcome = outcomes.get(alert.name)
            if outcome is None:
                continue
            told = telling.tell(alert, outcome.progress, now, holds)
            events += told.events
            near_misses += outcome.progress.near_misses
            before = self._memories.get(alert.name, _NOTHING)
            self._memories[alert.name] = told.memory
            if told.memory.states or told.memory != before or alert.interval:
                still.discard(alert.name)
            else:  # nothing is remembered that the next poll could go on with, and no time runs
                still.add(alert.name)
        if events or near_misses:
            yield Poll(now, tuple(events), tuple(near_misses))
