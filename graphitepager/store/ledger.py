"""Incidents as they open and close, each with the deliveries that tell of it, as statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update

from graphitepager.model import EventKind, Route, SeriesKey
from graphitepager.records import DeliveryStatus, OpenIncident, to_json
from graphitepager.store.tables import deliveries, incidents, text_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from graphitepager.records import Change

# How many dedup keys one statement may ask for: a bound below every database's limit of parameters.
_BATCH = 500


def enter(db: Connection, changes: Iterable[Change]) -> None:
    """Open and close incidents, and queue what is to be told, in the order of `changes`.

    To open what is open, or to close what is closed, is nothing: that is a poll recorded again after a crash.
    """
    for batch in _batches(changes):
        _enter_batch(db, batch)


def open_incidents(db: Connection) -> list[OpenIncident]:
    """Every open incident, oldest first, with the routes whose delivery of its trigger was not refused for good."""
    columns = (incidents.c.id, incidents.c.alert, incidents.c.series, incidents.c.level)
    rows = db.execute(select(*columns).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id)).all()
    routes: dict[int, set[Route]] = {}
    triggers = (
        select(deliveries.c.incident_id, deliveries.c.notifier, deliveries.c.address)
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(
            incidents.c.closed_at.is_(None),
            deliveries.c.kind == EventKind.TRIGGERED,
            deliveries.c.status != DeliveryStatus.DEAD,
        )
    )
    for row in db.execute(triggers):
        routes.setdefault(row.incident_id, set()).add(Route(notifier=row.notifier, address=row.address))
    return [
        OpenIncident(
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            routes=frozenset(routes.get(row.id, ())),
        )
        for row in rows
    ]


def tell(db: Connection, triggers: Iterable[Change]) -> None:
    """Queue triggers of incidents that are open already, for routes that do not have them."""
    for batch in _batches(triggers):
        ids = _open_incidents(db, batch)
        rows = [_delivery_row(ids[key], one, route) for key, one in batch.items() if key in ids for route in one.routes]
        if rows:
            db.execute(insert(deliveries), rows)


def _batches(changes: Iterable[Change]) -> Iterator[dict[str, Change]]:
    """The changes by dedup key, in order, cut where a key comes again: that one builds on what the first has done."""
    batch: dict[str, Change] = {}
    for change in changes:
        if len(batch) == _BATCH or change.message.dedup_key in batch:
            yield batch
            batch = {}
        batch[change.message.dedup_key] = change
    if batch:
        yield batch


def _enter_batch(db: Connection, batch: Mapping[str, Change]) -> None:
    open_ids = _open_incidents(db, batch)
    opening = {key: change for key, change in batch.items() if _opens(change) and key not in open_ids}
    closing = {key: change for key, change in batch.items() if not _opens(change) and key in open_ids}
    routes: dict[str, Iterable[Route]] = {key: dict.fromkeys(change.routes) for key, change in opening.items()}
    if opening:
        db.execute(insert(incidents), [_incident_row(change) for change in opening.values()])
        open_ids |= _open_incidents(db, opening)
    if closing:
        told = _told_routes(db, [open_ids[key] for key in closing])
        routes |= {key: told.get(open_ids[key], ()) for key in closing}
        _close(db, {open_ids[key]: change for key, change in closing.items()})
    rows = [
        _delivery_row(open_ids[key], change, route) for key, change in batch.items() for route in routes.get(key, ())
    ]
    if rows:
        db.execute(insert(deliveries), rows)


def _close(db: Connection, changes: Mapping[int, Change]) -> None:
    """Close these incidents, which are given by their ids."""
    db.execute(
        update(incidents)
        .where(incidents.c.id == bindparam("incident"))
        .values(closed_at=bindparam("at"), close_reason=bindparam("reason")),
        [{"incident": id_, "at": each.event.at, "reason": each.event.reason} for id_, each in changes.items()],
    )


def _opens(change: Change) -> bool:
    return change.event.kind is EventKind.TRIGGERED


def _open_incidents(db: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The ids of the open incidents among these dedup keys."""
    is_open = incidents.c.closed_at.is_(None)
    rows = db.execute(
        select(incidents.c.dedup_key, incidents.c.id).where(incidents.c.dedup_key.in_(list(keys)), is_open)
    )
    return {row.dedup_key: row.id for row in rows}


def _told_routes(db: Connection, ids: Iterable[int]) -> dict[int, list[Route]]:
    """Where the triggers of these incidents went, whatever alerts.yml says now."""
    columns = (deliveries.c.incident_id, deliveries.c.notifier, deliveries.c.address)
    rows = db.execute(
        select(*columns)
        .where(deliveries.c.incident_id.in_(list(ids)), deliveries.c.kind == EventKind.TRIGGERED)
        .group_by(*columns)
        .order_by(func.min(deliveries.c.id))
    )
    routes: dict[int, list[Route]] = {}
    for row in rows:
        routes.setdefault(row.incident_id, []).append(Route(notifier=row.notifier, address=row.address))
    return routes


def _incident_row(change: Change) -> dict[str, object]:
    event = change.event
    return {
        "dedup_key": change.message.dedup_key,
        "alert": event.key.alert,
        "series": event.key.series,
        "level": event.level,
        "value": event.value,
        "opened_at": event.at,
    }


def _delivery_row(incident_id: int, change: Change, route: Route) -> dict[str, object]:
    event = change.event
    return {
        "incident_id": incident_id,
        "lane": f"{text_id(*event.key)} {route.notifier}",
        "kind": event.kind,
        "level": event.level,
        "notifier": route.notifier,
        "address": route.address,
        "message": to_json(change.message),
        "created_at": event.at,
        "next_attempt_at": event.at,
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
    }
