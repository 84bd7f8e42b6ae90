"""Rows of the past, and what is wanted of them: incidents and deliveries, in pages, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.model import EventKind, SeriesKey
    from graphitepager.records import DeliveryStatus
    from graphitepager.rules import Level


class ListedIncident(NamedTuple):
    """An incident, open or not. `value` is that at which it opened; `held_by` is why nobody was told, if so."""

    id: int
    dedup_key: str
    key: SeriesKey
    level: Level
    value: float | None
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    held_by: str | None


class ListedDelivery(NamedTuple):
    """A delivery, without the address that it went to, which is a secret. `attempts` are the failed ones."""

    id: int
    incident_id: int
    key: SeriesKey
    level: Level
    kind: EventKind
    notifier: str
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    finished_at: datetime | None
    last_error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedIncidents:
    """Those that fit all that is given; `since` and `until` mean that they were open then. Names are exact."""

    alerts: tuple[str, ...] = ()
    series: str | None = None
    level: Level | None = None
    is_open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDeliveries:
    """Those that fit all that is given; `since` and `until` are when they were queued. Names are exact."""

    incident_id: int | None = None
    alerts: tuple[str, ...] = ()
    level: Level | None = None
    notifier: str | None = None
    kind: EventKind | None = None
    status: DeliveryStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
