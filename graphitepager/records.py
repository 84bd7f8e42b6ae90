"""What passes between the daemon and its database: a poll to record, a snapshot to start from, messages as JSON."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.model import EventKind, Image, Link, Message
from graphitepager.rules import Level, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.alerting import AlertMemory
    from graphitepager.model import Event, NearMiss, SeriesKey, SeriesState
    from graphitepager.rules import Route


class DeliveryStatus(enum.Enum):
    """Where a delivery stands. The values are stored."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event with its words and where they go.

    `routes` matters for a trigger only: what follows it goes where the trigger of its incident went, as stored. So does
    `digests`: the routes for which it is collected, and for how long.
    """

    event: Event
    message: Message
    routes: tuple[Route, ...] = ()
    digests: Mapping[Route, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """Everything one poll changed; it is stored as a whole or not at all.

    `follows` is the `started_at` of the last poll that the recording process knows of, None before any: what it
    records builds on that one. `series`, `failed` and `answered` count the series seen, the queries without a usable
    answer and those with one. `states` holds the changed ones only; a quiet one is forgotten. `known` holds what
    AlertMemory.known is now, for the alerts where that changed; nothing forgets the alert. `changes` are told in their
    order.
    """

    started_at: datetime
    finished_at: datetime
    follows: datetime | None = None
    series: int
    failed: int
    answered: int = 0
    states: Sequence[SeriesState] = ()
    known: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    near_misses: Sequence[NearMiss] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSummary:
    """The last complete poll. `answered_at` is when Graphite last answered a query, then or before; None if never."""

    started_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a starting daemon has to know of its predecessor's time.

    `memories` holds the alerts of which anything is remembered, by name. `last_poll` is None before the first poll.
    """

    memories: Mapping[str, AlertMemory]
    last_poll: PollSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident that has not ended.

    `routes` are those that have its trigger, or will when it can be sent; `accepted` those of them that have it.
    `told_at` is when the first of them was told; None where nobody was.
    """

    key: SeriesKey
    level: Level
    routes: frozenset[Route]
    accepted: frozenset[Route]
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIncident:
    """The newest incident with a dedup key, open or not. `routes` are those that accepted its trigger, now or ever."""

    dedup_key: str
    key: SeriesKey
    level: Level
    is_open: bool
    routes: frozenset[Route]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is not sent: how many wait, how many were given up, and since when the oldest trigger has been waiting.

    `unheard` is how many open incidents nobody will hear of, because all of their triggers were given up.
    """

    pending: int
    dead: int
    unheard: int = 0
    oldest_page: datetime | None = None


class KeptConfig(NamedTuple):
    """The text of the last alerts.yml that was good, with what it included (see config/files.py), and its name."""

    source: str
    text: str


def to_json(message: Message) -> str:
    """The message as one line of pure ASCII, which every database takes, whatever a series is called."""
    return json.dumps(
        {
            "kind": message.kind.value,
            "level": message.level.value,
            "dedup_key": message.dedup_key,
            "alert": message.alert,
            "series": message.series,
            "summary": message.summary,
            "at": message.at.isoformat(),
            "details": dict(message.details),
            "links": [list(link) for link in message.links],
            "labels": dict(message.labels),
            "severity": message.severity and message.severity.value,
            "since": message.since and message.since.isoformat(),
        }
        | ({"image": list(message.image)} if message.image else {}),
        separators=(",", ":"),
    )


def from_json(text: str) -> Message:
    """The message that `to_json` wrote, in this version or in one before it that knew fewer fields."""
    stored = json.loads(text)
    return Message(
        kind=EventKind(stored["kind"]),
        level=Level(stored["level"]),
        dedup_key=stored["dedup_key"],
        alert=stored["alert"],
        series=stored["series"],
        summary=stored["summary"],
        at=datetime.fromisoformat(stored["at"]),
        details=stored["details"],
        links=tuple(Link(*link) for link in stored["links"]),
        labels=stored.get("labels") or {},
        severity=Severity(severity) if (severity := stored.get("severity")) else None,
        since=datetime.fromisoformat(since) if (since := stored.get("since")) else None,
        image=Image(*image) if (image := stored.get("image")) else None,
    )


class DeliveryStory(NamedTuple):
    """What has become of one delivery: `attempts` are the failed ones; `answer` is what the receiver said."""

    kind: EventKind
    notifier: str
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    finished_at: datetime | None
    last_error: str | None
    answer: str | None


class IncidentStory(NamedTuple):
    """An incident as it went: when it opened and why it ended, what held it back, who was sent what."""

    key: SeriesKey
    level: Level
    value: float | None
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    held_by: str | None
    deliveries: tuple[DeliveryStory, ...]

    def is_open_at(self, moment: datetime) -> bool:
        return self.opened_at <= moment and (self.closed_at is None or self.closed_at > moment)
