"""What is counted for good, in counters that outlive restarts and the history: polls, transitions, deliveries."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.model import EventKind
    from graphitepager.records import PollRecord
    from graphitepager.rules import Level


class Transition(enum.Enum):
    """What became of a series in a poll. The values are stored, and stand in the metrics."""

    TRIGGERED = "trigger"
    HELD = "held"
    RESOLVED = "resolve"
    REPEATED = "repeat"
    FLAPPING = "flapping"
    NEAR_MISS = "near_miss"


class Result(enum.Enum):
    """How a delivery, or an attempt at one, ended. The values are stored, and stand in the metrics.

    FAILED and INTERRUPTED ones are tried again; of the latter nobody knows whether it arrived.
    """

    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        return self not in {Result.FAILED, Result.INTERRUPTED}


class TransitionKey(NamedTuple):
    """What transitions are counted by."""

    kind: Transition
    level: Level


class DeliveryKey(NamedTuple):
    """What deliveries and attempts are counted by."""

    notifier: str
    kind: EventKind
    result: Result


class DeliveryTally(NamedTuple):
    """How many there were, and when the last one ended; None of attempts that are made again."""

    total: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """All counters. `series` and `failed` add up what each poll saw; `seconds` how long they all took."""

    polls: int = 0
    series: int = 0
    failed: int = 0
    seconds: float = 0.0
    transitions: Mapping[TransitionKey, int] = field(default_factory=dict)
    deliveries: Mapping[DeliveryKey, DeliveryTally] = field(default_factory=dict)


def transitions(poll: PollRecord) -> Counter[TransitionKey]:
    """What this poll adds. What is held back counts as held, and as triggered once it is told."""
    counts = Counter(
        TransitionKey(Transition(change.event.kind.value) if change.event.held_by is None else Transition.HELD, level)
        for change in poll.changes
        for level in [change.event.level]
    )
    counts.update(TransitionKey(Transition.NEAR_MISS, miss.level) for miss in poll.near_misses)
    return counts
