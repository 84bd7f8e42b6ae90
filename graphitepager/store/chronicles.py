"""What happened, with what was told of it, and counted by the week, as queries that change nothing."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, exists, func, select

from graphitepager.chronicle import Noise, ToldIncident, Week
from graphitepager.model import EventKind
from graphitepager.records import DeliveryStatus
from graphitepager.store.listings import deliveries_of, list_incidents
from graphitepager.store.tables import deliveries, incidents, known_series, near_misses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from graphitepager.listed import WantedIncidents

_WEEK = timedelta(weeks=1)


def told_incidents(
    db: Connection, wanted: WantedIncidents, *, limit: int, before: int | None = None
) -> list[ToldIncident]:
    """Up to `limit` that are wanted, the newest first, with an id below `before`."""
    found = list_incidents(db, wanted, limit=limit, before=before)
    told = deliveries_of(db, [one.id for one in found])
    return [ToldIncident(one, tuple(told.get(one.id, ()))) for one in found]


def noise(db: Connection, weeks: Sequence[datetime], alert: str | None = None) -> Noise:
    """How loud one alert, or each of them, was in these weeks, each of which begins at its moment."""
    was_told = exists().where(
        deliveries.c.incident_id == incidents.c.id,
        deliveries.c.kind == EventKind.TRIGGERED,
        deliveries.c.status == DeliveryStatus.SENT,
    )
    only = () if alert is None else (incidents.c.alert == alert,)
    opened = _by_week(db, incidents.c.alert, incidents.c.opened_at, weeks, *only)
    told = _by_week(db, incidents.c.alert, incidents.c.opened_at, weeks, was_told, *only)
    only = () if alert is None else (near_misses.c.alert == alert,)
    missed = _by_week(db, near_misses.c.alert, near_misses.c.ended_at, weeks, *only)
    nothing = [0] * len(weeks)
    newest = select(incidents.c.alert, func.max(incidents.c.opened_at).label("at")).group_by(incidents.c.alert)
    return Noise(
        weeks={
            name: tuple(map(Week, weeks, opened.get(name, nothing), told.get(name, nothing), missed.get(name, nothing)))
            for name in opened.keys() | missed.keys()
        },
        latest={row.alert: row.at for row in db.execute(newest)},
        series=_series_by_target(db),
    )


def _by_week(
    db: Connection, alert: Any, at: Any, weeks: Sequence[datetime], *conditions: ColumnElement[bool]
) -> dict[str, list[int]]:
    """How many rows lie in each week, by alert."""
    counts = [func.sum(case((at >= begin, case((at < begin + _WEEK, 1), else_=0)), else_=0)) for begin in weeks]
    rows = db.execute(select(alert, *counts).where(at >= weeks[0], *conditions).group_by(alert))
    return {row[0]: [int(count) for count in row[1:]] for row in rows}


def _series_by_target(db: Connection) -> dict[str, dict[str, int]]:
    """How many series each target is known to have, without making names of them."""
    counts: dict[str, dict[str, int]] = {}
    for row in db.execute(select(known_series.c.alert, known_series.c.target, known_series.c.names)):
        counts.setdefault(row.alert, {})[row.target] = zlib.decompress(row.names).count(b"\n")
    return counts
