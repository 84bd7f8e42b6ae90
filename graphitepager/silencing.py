"""What a silence would hold back of all that is known, so that a slip is seen before the outage and not after it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import silences
from graphitepager.durations import parse_duration
from graphitepager.model import SeriesKey
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from graphitepager.model import SeriesState, Silence
    from graphitepager.records import Snapshot

# What is silenced for longer is better taken out of alerts.yml, where people see it.
LONGEST = timedelta(days=366)

_PAGED = (Level.WARNING, Level.CRITICAL, Level.NO_DATA)


def parse_length(text: str) -> timedelta:
    """Read for how long: `2h`, `1d12h`; ValueError, whose text can be shown to the user."""
    length = parse_duration(text)
    if not timedelta(0) < length <= LONGEST:
        raise ValueError(f"expected more than nothing and at most {LONGEST.days} days, got {text!r}")
    return length


class Preview(NamedTuple):
    """The series that it fits, sorted: those that are not fine now, with their levels, and all that are known."""

    not_fine: tuple[tuple[SeriesKey, tuple[Level, ...]], ...]
    known: tuple[SeriesKey, ...]

    @property
    def is_empty(self) -> bool:
        return not self.not_fine and not self.known


def preview(silence: Silence, snapshot: Snapshot) -> Preview:
    """What the silence fits, whenever it begins and ends."""
    known = {
        SeriesKey(alert, name)
        for alert, memory in snapshot.memories.items()
        for names in memory.known.values()
        for name in names
    }
    return Preview(
        not_fine=tuple(sorted(_not_fine(silence, snapshot), key=lambda one: one[0])),
        known=tuple(sorted(key for key in known if _fits(silence, key, _PAGED))),
    )


def _not_fine(silence: Silence, snapshot: Snapshot) -> Iterator[tuple[SeriesKey, tuple[Level, ...]]]:
    for memory in snapshot.memories.values():
        for state in memory.states.values():
            fitting = tuple(level for level in _levels(state) if _fits(silence, state.key, (level,)))
            if fitting:
                yield state.key, fitting


def _levels(state: SeriesState) -> list[Level]:
    """The levels at which it fires or is about to."""
    held = {
        Level.WARNING: state.level is Level.WARNING or state.warning_since is not None,
        Level.CRITICAL: state.level is Level.CRITICAL or state.critical_since is not None,
        Level.NO_DATA: state.no_data is not None,
    }
    return [level for level, is_held in held.items() if is_held]


def _fits(silence: Silence, key: SeriesKey, levels: Collection[Level]) -> bool:
    alert, series = key.words  # a silence is held against what people read
    return any(silences.matches(silence, alert, series, level) for level in levels)
