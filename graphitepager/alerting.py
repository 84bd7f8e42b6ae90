"""One alert from one poll to the next: the step of each series, of those that are gone, of the alert as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import checks, incidents
from graphitepager.durations import format_duration
from graphitepager.model import COUNT, WHOLE_ALERT, Event, NearMiss, Reading, SeriesKey, SeriesState
from graphitepager.rules import Alert, Entry, Level, NoDataPolicy, OnVanish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from graphitepager.checks import Evaluation

EXCLUDED = "excluded in alerts.yml"
LEFT_OUT = "not included any more in alerts.yml"
NOT_COUNTED = "expect_series removed from alerts.yml"
REMOVED = "removed from alerts.yml"
TARGET_CHANGED = "no longer returned: its target was changed in alerts.yml"

# When more than half of the series are gone at once, a part of Graphite is likelier gone than all of their hosts. It
# is taken to be back when no more than a quarter is missing.
_GONE_AT_ONCE, _MOSTLY_BACK = 1 / 2, 1 / 4

_NOTHING_KNOWN: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMemory:
    """What is remembered of an alert between polls.

    `states` holds the series that are not quiet, by name. `known` holds, by target, the names of the series that the
    entry with that target owns: they are missed when they are gone. Kept by target, a changed target is a new start.
    """

    states: Mapping[str, SeriesState] = field(default_factory=dict)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a poll leads to: the memory afterwards, what ended or flaps, breaches that came to nothing.

    What begins is in the memory, as incidents that nobody was told of. `details` says in words what is wrong with
    some of the series, by their names and the level at which that is.
    """

    memory: AlertMemory
    events: tuple[Event, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    details: Mapping[tuple[str, Level], str] = field(default_factory=dict)


def advance(
    alert: Alert, evaluation: Evaluation, memory: AlertMemory, now: datetime, unobserved: timedelta = timedelta(0)
) -> Progress:
    """Take an alert through one poll. A series that is fine and was fine costs nothing here.

    The evaluation has a reading at least of each series that is not fine, or that the memory has a state of.
    `unobserved` is for how long, before this poll, nobody saw whether there was data: it does not count as missing.
    """
    if _is_as_ever(alert, evaluation, memory):
        return Progress(memory=memory)
    return _Advance(alert, evaluation, memory, now, unobserved).progress()


def _is_as_ever(alert: Alert, evaluation: Evaluation, memory: AlertMemory) -> bool:
    """Whether every series that has ever come is there, no other, and all is well as it was: the usual case by far."""
    (entry, *others), (owned, *_) = alert.entries, evaluation.owned or (_NOTHING_KNOWN,)
    return (
        not (memory.states or evaluation.readings or evaluation.unreadable or others)
        and evaluation.is_complete
        and bool(owned)
        and entry.expect_series is None
        and memory.known == {entry.source: owned}
    )


def spokesmen(alert: Alert) -> tuple[Entry, ...]:
    """The entries that are concerned when series of an alert are gone together: those that do not allow that."""
    return tuple(entry for entry in alert.entries if entry.no_data is NoDataPolicy.ALERT) or alert.entries[:1]


def spokesman(alert: Alert) -> Entry:
    """The entry whose word counts then: the first of them."""
    return spokesmen(alert)[0]


def owner(alert: Alert, memory: AlertMemory, series: str) -> Entry:
    """The entry that owns a series, as far as that is known."""
    if series.startswith(WHOLE_ALERT):
        return next((entry for name, _, entry in checks.counted(alert) if name == series), spokesman(alert))
    owners = (one for one in alert.entries if series in _known_of(one, memory) and one.takes(series))
    return next(owners, alert.entries[0])


def retire(memory: AlertMemory, now: datetime) -> Progress:
    """End everything of an alert that alerts.yml no longer holds."""
    events = (event for state in memory.states.values() for event in incidents.close(state, now, REMOVED))
    return Progress(memory=AlertMemory(), events=tuple(events))


def changed_states(before: AlertMemory, after: AlertMemory) -> Iterator[SeriesState]:
    """The states that are not what they were; one that is quiet now is yielded as such."""
    for name, state in after.states.items():
        if before.states.get(name) != state:
            yield state
    for name in before.states.keys() - after.states.keys():
        yield SeriesState(key=before.states[name].key)


class _Advance:
    """One poll of one alert, step by step."""

    def __init__(
        self, alert: Alert, evaluation: Evaluation, memory: AlertMemory, now: datetime, unobserved: timedelta
    ) -> None:
        self._alert = alert
        self._evaluation = evaluation
        self._memory = memory
        self._now = now
        self._unobserved = unobserved
        self._states = dict(memory.states)
        self._events: list[Event] = []
        self._near_misses: list[NearMiss] = []
        self._details: dict[tuple[str, Level], str] = {}
        self._forgotten: set[str] = set()

    def progress(self) -> Progress:
        for reading in self._present():
            self._step(reading)
        if self._evaluation.is_complete:  # otherwise what is missing may be in the answer that failed
            self._step_absent()
            self._step_counts()
        for name, reason in self._dismissed().items():
            self._end(name, reason)
        return Progress(
            memory=AlertMemory(states=self._states, known=self._known_after()),
            events=tuple(self._events),
            near_misses=tuple(self._near_misses),
            details=self._details,
        )

    def _present(self) -> Iterator[Reading]:
        """Yield the readings of what was returned, as far as they can change anything."""
        for name, reading in self._evaluation.readings.items():
            if reading.level is not Level.OK or name in self._memory.states:
                yield reading

    def _step(self, reading: Reading) -> None:
        name = reading.key.series
        before = self._memory.states.get(name) or SeriesState(key=reading.key)
        if self._unobserved:
            before = incidents.later(before, self._unobserved, is_missing_too=True)
        outcome = incidents.step(before, reading, self._now)
        self._events += outcome.events
        if outcome.near_miss is not None:
            self._near_misses.append(outcome.near_miss)
        if reading.detail is not None:
            self._details[name, reading.level] = reading.detail
        if outcome.is_forgotten:
            self._forgotten.add(name)
        if outcome.is_forgotten or outcome.state.is_quiet:
            self._states.pop(name, None)
        else:
            self._states[name] = outcome.state

    def _end(self, name: str, reason: str, entry: Entry | None = None) -> None:
        state = self._states.pop(name, None)
        if state is not None:
            self._events += incidents.close(state, self._now, reason, entry)

    def _step_absent(self) -> None:
        """Step what should have come and did not: one by one, or as a whole where too many are gone at once."""
        whole = SeriesKey(self._alert.name, WHOLE_ALERT)
        absent = self._absent()
        for name in [name for name, entry in absent.items() if name in entry.exclude]:
            del absent[name]
            self._end(name, EXCLUDED)
            self._forgotten.add(name)
        together = self._gone_together(absent)
        for name, entry in absent.items():
            # Where nothing came at all, what was fine has nothing to lose, and need not be remembered one by one.
            if name not in together and (self._evaluation.has_series or name in self._memory.states):
                self._step(Reading(key=SeriesKey(self._alert.name, name), entry=entry, level=Level.NO_DATA))
        if not self._evaluation.has_series:
            self._step(Reading(key=whole, entry=spokesman(self._alert), level=Level.NO_DATA))
        elif together:
            detail = f"{len(together)} of {len(together) + self._still_there()} series are gone, all at once"
            self._step(Reading(key=whole, entry=spokesman(self._alert), level=Level.NO_DATA, detail=detail))
        elif WHOLE_ALERT in self._memory.states:
            self._step(Reading(key=whole, entry=spokesman(self._alert), level=Level.OK))
        self._retire_together(together)

    def _step_counts(self) -> None:
        """Step how many series there are, where that is expected of an entry."""
        for reading in checks.judge_counts(self._alert, self._evaluation):
            if reading.level is not Level.OK or reading.key.series in self._memory.states:
                self._step(reading)
        expected = {name for name, _, _ in checks.counted(self._alert)}
        is_nothing_fine = self._is_nothing_fine()
        for name in [name for name in self._states if name.startswith(COUNT)]:
            if name not in expected:
                self._end(name, NOT_COUNTED)
            elif is_nothing_fine:
                self._end(name, incidents.NO_DATA_IS_FINE, spokesman(self._alert))

    def _is_nothing_fine(self) -> bool:
        """Whether there has been no series for so long that this counts as fine."""
        whole, entry = self._states.get(WHOLE_ALERT), spokesman(self._alert)
        since = None if self._evaluation.has_series or whole is None else whole.no_data_since
        return entry.no_data is NoDataPolicy.OK and since is not None and self._now - since >= entry.no_data_for

    def _absent(self) -> dict[str, Entry]:
        """The series that should have come, each with the entry that owned it, as far as that is known."""
        one = self._evaluation
        seen = one.excluded.union(one.left_out, *one.owned)
        absent: dict[str, Entry] = {}
        for entry in self._alert.entries:
            gone = _known_of(entry, self._memory) - seen - absent.keys()
            absent |= dict.fromkeys(sorted(name for name in gone if entry.takes(name)), entry)
        rest = self._memory.states.keys() - seen - absent.keys() - self._of_changed_targets() - self._not_taken()
        return absent | {name: self._alert.entries[0] for name in sorted(rest) if _is_series(name)}

    def _gone_together(self, absent: Mapping[str, Entry]) -> AbstractSet[str]:
        """Those of the absent series that one incident speaks for, and that are otherwise left as they were.

        Only those count that would each page by themselves, and that did come until now.
        """
        gone = {
            name
            for name, entry in absent.items()
            if entry.no_data is NoDataPolicy.ALERT
            and entry.on_vanish is OnVanish.NO_DATA
            and ((state := self._memory.states.get(name)) is None or state.no_data_since is None)
        }
        share = _MOSTLY_BACK if WHOLE_ALERT in self._memory.states else _GONE_AT_ONCE
        is_many = bool(gone) and len(gone) > share * (len(gone) + self._still_there())
        return gone if is_many or not self._evaluation.has_series else _NOTHING_KNOWN

    def _still_there(self) -> int:
        """How many of the series that came before have come now; new ones say nothing of what is gone."""
        come = _union(self._evaluation.owned) - self._evaluation.unreadable
        return len(_union(self._memory.known.values()) & come)

    def _retire_together(self, together: AbstractSet[str]) -> None:
        """End and forget what has been gone together for a day; an alert without any series goes on missing them."""
        state = self._states.get(WHOLE_ALERT)
        entry = spokesman(self._alert)
        if state is None or state.no_data_since is None:
            return
        missing_for = self._now - state.no_data_since
        if missing_for < incidents.patience(entry, is_gone=True):
            return
        reason = f"{incidents.VANISHED} {format_duration(missing_for)}"
        for name in together:
            self._end(name, reason, entry)
        if self._evaluation.has_series:
            self._end(WHOLE_ALERT, reason, entry)
            self._forgotten |= together

    def _dismissed(self) -> Mapping[str, str]:
        """The series with a state that alerts.yml has just left out, and in what way."""
        one = self._evaluation
        if not one.is_complete:
            return dict.fromkeys(one.excluded & self._states.keys(), EXCLUDED)
        gone = {name for name in self._states.keys() - _union(one.owned) if _is_series(name)}
        changed = dict.fromkeys(gone & self._of_changed_targets(), TARGET_CHANGED)
        left_out = dict.fromkeys(gone & (one.left_out | self._not_taken()), LEFT_OUT)
        return changed | left_out | dict.fromkeys(gone & one.excluded, EXCLUDED)

    def _not_taken(self) -> AbstractSet[str]:
        """The series with a state that no entry can own, whether they are returned or not."""
        entries = self._alert.entries
        if any(entry.include is None for entry in entries):
            return _NOTHING_KNOWN
        return {name for name in self._memory.states if not any(entry.takes(name) for entry in entries)}

    def _of_changed_targets(self) -> AbstractSet[str]:
        """The series that were owned by a target that the alert does not have any more, and by no other."""
        targets = {entry.source for entry in self._alert.entries}
        known = self._memory.known
        if known.keys() <= targets:
            return _NOTHING_KNOWN
        kept = _union(names for target, names in known.items() if target in targets)
        return _union(known.values()) - kept

    def _known_after(self) -> Mapping[str, frozenset[str]]:
        if not self._evaluation.is_complete:
            return self._memory.known
        one = self._evaluation
        known: dict[str, frozenset[str]] = {}
        for entry, owned in zip(self._alert.entries, one.owned, strict=True):
            come = owned - one.unreadable if one.unreadable else owned
            before = known.get(entry.source)
            known[entry.source] = come if before is None else before | come
        seen = one.excluded.union(one.left_out, *known.values()) | self._forgotten
        for entry in self._alert.entries:
            missed = _known_of(entry, self._memory) - seen
            if missed := missed if entry.include is None else frozenset(filter(entry.takes, missed)):
                known[entry.source] |= missed
        return known


def _known_of(entry: Entry, memory: AlertMemory) -> frozenset[str]:
    """What is known of the entry's target, which another entry with another `include` may share."""
    return memory.known.get(entry.source, _NOTHING_KNOWN)


def _is_series(name: str) -> bool:
    return not name.startswith(WHOLE_ALERT)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)
