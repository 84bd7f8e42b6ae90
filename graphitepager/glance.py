"""All that the database knows of now, at one moment: what the status page, the API and the pager's own metrics show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.model import EventKind, SeriesKey, SeriesState, Silence
    from graphitepager.records import Backlog, DeliveryStatus
    from graphitepager.rules import Level
    from graphitepager.tallies import Tallies


class LastPoll(NamedTuple):
    """The last complete poll, of whichever process; `answered_at` is when Graphite last answered a query, if ever.

    `series` and `failed` count the series seen and the queries without a usable answer.
    """

    started_at: datetime
    finished_at: datetime
    answered_at: datetime | None
    series: int
    failed: int


class Notice(NamedTuple):
    """The newest delivery of an incident to one address; `attempts` are the failed ones.

    `at` is when it was accepted or given up, or, while it waits, when it was queued. Addresses are secrets, and stay
    in the database.
    """

    notifier: str
    kind: EventKind
    status: DeliveryStatus
    at: datetime
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingIncident:
    """An incident that has not ended. `value` is that at which it opened; `held_by` is why nobody was told, if so."""

    id: int
    dedup_key: str
    key: SeriesKey
    level: Level
    value: float | None
    opened_at: datetime
    held_by: str | None
    notices: tuple[Notice, ...] = ()


class LoadedConfig(NamedTuple):
    """The alerts.yml that the pager runs by: `version` is twelve hexadecimal digits of the hash of its text."""

    source: str
    version: str
    kept_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is known at `at`; `poll` is None before the first one, `config` until one was loaded.

    `incidents` are the open ones, oldest first. `states` holds, by alert and series, what is not quiet: the series that
    fire, pend, recover or are missing. `known` counts the series of each alert that has any. `silences` have not ended.
    `accepted` says when each notifier last took anything. `leader` is the process that polls, where a row says so (on
    PostgreSQL it is a lock that nobody else can look into).
    """

    at: datetime
    poll: LastPoll | None
    backlog: Backlog
    incidents: tuple[StandingIncident, ...]
    states: Mapping[str, Mapping[str, SeriesState]]
    known: Mapping[str, int]
    silences: tuple[Silence, ...]
    accepted: Mapping[str, datetime]
    tallies: Tallies
    config: LoadedConfig | None
    leader: str | None = None
