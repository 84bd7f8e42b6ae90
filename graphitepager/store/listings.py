"""Incidents, deliveries and silences in pages, the newest first, as queries that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, or_, select

from graphitepager.listed import ListedDelivery, ListedIncident
from graphitepager.model import SeriesKey
from graphitepager.store import silences as mutes
from graphitepager.store.tables import deliveries, incidents, silences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from graphitepager.listed import WantedDeliveries, WantedIncidents
    from graphitepager.model import Silence

_INCIDENT = ("id", "dedup_key", "level", "value", "opened_at", "closed_at", "close_reason", "held_by")
_DELIVERY = (
    "id",
    "incident_id",
    "level",
    "kind",
    "notifier",
    "status",
    "attempts",
    "created_at",
    "next_attempt_at",
    "finished_at",
    "last_error",
    "answer",
)
_DELIVERIES: Select[Any] = select(
    incidents.c.alert, incidents.c.series, *(deliveries.c[name] for name in _DELIVERY)
).join(incidents, incidents.c.id == deliveries.c.incident_id)


def list_incidents(
    db: Connection, wanted: WantedIncidents, *, limit: int, before: int | None = None
) -> list[ListedIncident]:
    """Up to `limit` that are wanted, with an id below `before`."""
    conditions = [] if before is None else [incidents.c.id < before]
    if wanted.alerts:
        conditions.append(incidents.c.alert.in_(wanted.alerts))
    if wanted.series is not None:
        conditions.append(incidents.c.series == wanted.series)
    if wanted.level is not None:
        conditions.append(incidents.c.level == wanted.level)
    if wanted.is_open is not None:
        conditions.append(incidents.c.closed_at.is_(None) if wanted.is_open else incidents.c.closed_at.is_not(None))
    if wanted.since is not None:
        conditions.append(or_(incidents.c.closed_at.is_(None), incidents.c.closed_at >= wanted.since))
    if wanted.until is not None:
        conditions.append(incidents.c.opened_at <= wanted.until)
    rows = db.execute(
        select(incidents.c.alert, incidents.c.series, *(incidents.c[name] for name in _INCIDENT))
        .where(*conditions)
        .order_by(incidents.c.id.desc())
        .limit(limit)
    )
    return [
        ListedIncident(key=SeriesKey(row.alert, row.series), **{name: getattr(row, name) for name in _INCIDENT})
        for row in rows
    ]


def list_deliveries(
    db: Connection, wanted: WantedDeliveries, *, limit: int, before: int | None = None
) -> list[ListedDelivery]:
    """Up to `limit` that are wanted, with an id below `before`."""
    conditions: list[ColumnElement[bool]] = [] if before is None else [deliveries.c.id < before]
    exact: dict[str, Any] = {
        "incident_id": wanted.incident_id,
        "notifier": wanted.notifier,
        "kind": wanted.kind,
        "status": wanted.status,
        "level": wanted.level,
    }
    conditions += [deliveries.c[name] == value for name, value in exact.items() if value is not None]
    if wanted.alerts:
        conditions.append(incidents.c.alert.in_(wanted.alerts))
    if wanted.since is not None:
        conditions.append(deliveries.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(deliveries.c.created_at <= wanted.until)
    return [
        _delivery(row)
        for row in db.execute(_DELIVERIES.where(*conditions).order_by(deliveries.c.id.desc()).limit(limit))
    ]


def deliveries_of(db: Connection, incident_ids: Sequence[int]) -> dict[int, list[ListedDelivery]]:
    """What was told of these incidents, in order, by their ids."""
    found: dict[int, list[ListedDelivery]] = {}
    if incident_ids:
        chosen = _DELIVERIES.where(deliveries.c.incident_id.in_(incident_ids)).order_by(deliveries.c.id)
        for row in db.execute(chosen):
            found.setdefault(row.incident_id, []).append(_delivery(row))
    return found


def _delivery(row: Row[Any]) -> ListedDelivery:
    return ListedDelivery(key=SeriesKey(row.alert, row.series), **{name: getattr(row, name) for name in _DELIVERY})


def list_silences(
    db: Connection, now: datetime, *, is_over: bool | None, limit: int, before: int | None = None
) -> list[Silence]:
    """Up to `limit`, with an id below `before`; only those that are over at `now`, or are not, or all."""
    conditions: list[ColumnElement[bool]] = [] if before is None else [silences.c.id < before]
    if is_over is not None:
        conditions.append(silences.c.ends_at <= now if is_over else silences.c.ends_at > now)
    return list(mutes.some(db, *conditions, limit=limit))


def silence(db: Connection, silence_id: int) -> Silence | None:
    """The one with this id."""
    return next(iter(mutes.some(db, silences.c.id == silence_id, limit=1)), None)
