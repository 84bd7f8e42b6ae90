"""What happened to a series, as queries that change nothing: its incidents, what was sent of them, its near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from graphitepager.model import WHOLE_ALERT, NearMiss, SeriesKey
from graphitepager.records import DeliveryStory, IncidentStory
from graphitepager.store.tables import (
    configs,
    deliveries,
    incidents,
    known_series,
    near_misses,
    polls,
    series_states,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column, Connection

# More than this nobody reads; it is also a bound below every database's limit of parameters.
_MOST = 200
_OF_INCIDENT = [name for name in IncidentStory._fields if name in incidents.c]


def incidents_of(db: Connection, alert: str, series: str, since: datetime, until: datetime) -> list[IncidentStory]:
    """The incidents of a series, and of its alert as a whole, that were open in that time; the newest 200, in order."""
    rows = db.execute(
        select(incidents)
        .where(
            incidents.c.alert == alert,
            or_(incidents.c.series == series, incidents.c.series.startswith(WHOLE_ALERT, autoescape=True)),
            incidents.c.opened_at <= until,
            or_(incidents.c.closed_at.is_(None), incidents.c.closed_at >= since),
        )
        .order_by(incidents.c.id.desc())
        .limit(_MOST)
    ).all()
    sent: dict[int, list[DeliveryStory]] = {row.id: [] for row in rows}
    for row in db.execute(select(deliveries).where(deliveries.c.incident_id.in_(list(sent))).order_by(deliveries.c.id)):
        sent[row.incident_id].append(DeliveryStory(*(getattr(row, name) for name in DeliveryStory._fields)))
    return [
        IncidentStory(
            key=SeriesKey(row.alert, row.series),
            deliveries=tuple(sent[row.id]),
            **{name: getattr(row, name) for name in _OF_INCIDENT},
        )
        for row in reversed(rows)
    ]


def near_misses_of(db: Connection, alert: str, series: str, since: datetime, until: datetime) -> list[NearMiss]:
    """Its breaches of that time that fired nothing; the newest 200, in order."""
    rows = db.execute(
        select(near_misses)
        .where(
            near_misses.c.alert == alert,
            near_misses.c.series == series,
            near_misses.c.began_at <= until,
            near_misses.c.ended_at >= since,
        )
        .order_by(near_misses.c.id.desc())
        .limit(_MOST)
    ).all()
    return [
        NearMiss(key=SeriesKey(row.alert, row.series), level=row.level, since=row.began_at, until=row.ended_at)
        for row in reversed(rows)
    ]


def remembered_since(db: Connection) -> datetime | None:
    """The oldest of all that is kept: polls, states, incidents, near misses, the configuration."""
    columns: list[Column[datetime]] = [
        polls.c.started_at,
        known_series.c.updated_at,
        series_states.c.updated_at,
        incidents.c.opened_at,
        near_misses.c.began_at,
        configs.c.kept_at,
    ]
    return min((at for column in columns if (at := db.scalar(select(func.min(column))))), default=None)
