"""Incidents as they open and close, each with the deliveries that tell of it, as statements on an open transaction."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update

from graphitepager.model import WHOLE_ALERT, EventKind, SeriesKey
from graphitepager.pacing import digest_at
from graphitepager.records import DeliveryStatus, KnownIncident, OpenIncident, to_json
from graphitepager.rules import Route
from graphitepager.store import toldroutes
from graphitepager.store.tables import deliveries, incidents, near_misses, text_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from sqlalchemy import Connection

    from graphitepager.model import NearMiss
    from graphitepager.records import Change

# How many dedup keys one statement may ask for: a bound below every database's limit of parameters.
_BATCH = 500


def enter(db: Connection, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Open and close incidents, and queue what is to be told, in the order of `changes`.

    To close what is closed is nothing. Returns the resolves that nobody needs: their triggers had not been sent.
    """
    return tuple(change for batch in _batches(changes) for change in _enter_batch(db, batch))


def enter_near_misses(db: Connection, misses: Sequence[NearMiss]) -> None:
    """Add to the history of breaches that fired nothing."""
    if misses:
        db.execute(
            insert(near_misses),
            [
                {
                    "alert": one.key.alert,
                    "series": one.key.series,
                    "level": one.level,
                    "began_at": one.since,
                    "ended_at": one.until,
                }
                for one in misses
            ],
        )


def open_incidents(db: Connection) -> list[OpenIncident]:
    """Every open incident, oldest first, with the routes whose delivery of its trigger was not refused for good."""
    columns = (incidents.c.id, incidents.c.alert, incidents.c.series, incidents.c.level)
    rows = db.execute(select(*columns).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id)).all()
    told = toldroutes.told_routes(db, incidents.c.closed_at.is_(None))
    return [
        OpenIncident(
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            routes=frozenset(one.route for one in told.get(row.id, ()) if not one.is_refused),
            accepted=frozenset(one.route for one in told.get(row.id, ()) if one.is_accepted),
            told_at=min((one.told_at for one in told.get(row.id, ())), default=None),
        )
        for row in rows
    ]


def known_incidents(db: Connection) -> dict[str, KnownIncident]:
    """The newest incident of every dedup key, with the routes that accepted its trigger, now or ever."""
    columns = (incidents.c.id, incidents.c.dedup_key, incidents.c.alert, incidents.c.series, incidents.c.level)
    newest = select(func.max(incidents.c.id)).group_by(incidents.c.dedup_key)
    rows = db.execute(select(*columns, incidents.c.closed_at).where(incidents.c.id.in_(newest))).all()
    accepted: dict[str, set[Route]] = {}
    sent = (
        select(incidents.c.dedup_key, deliveries.c.notifier, deliveries.c.address)
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(deliveries.c.kind == EventKind.TRIGGERED, deliveries.c.status == DeliveryStatus.SENT)
        .distinct()
    )
    for row in db.execute(sent):
        accepted.setdefault(row.dedup_key, set()).add(Route(row.notifier, row.address))
    return {
        row.dedup_key: KnownIncident(
            dedup_key=row.dedup_key,
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            is_open=row.closed_at is None,
            routes=frozenset(accepted.get(row.dedup_key, ())),
        )
        for row in rows
    }


def tell(db: Connection, changes: Iterable[Change]) -> None:
    """Queue these for their own routes, as far as their incidents are open, and a resolve as far as it is needed."""
    for batch in _batches(changes):
        ids = _open_incidents(db, batch)
        told = toldroutes.told_routes(db, incidents.c.id.in_(list(ids.values())))
        leaving = {
            ids[key]: [one for one in told.get(ids[key], ()) if one.route in change.routes]
            for key, change in batch.items()
            if key in ids and _ends(change)
        }
        heard_of_it = toldroutes.take_back(db, leaving, max(change.event.at for change in batch.values()))
        routes = {key: heard_of_it.get(ids[key], change.routes) for key, change in batch.items() if key in ids}
        rows = [(ids[key], batch[key], route) for key, where in routes.items() for route in where]
        queue(db, rows, toldroutes.collected_by(told))


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


def _enter_batch(db: Connection, batch: Mapping[str, Change]) -> list[Change]:
    ids = _open_incidents(db, batch)
    if opening := [change for key, change in batch.items() if _triggers(change) and key not in ids]:
        db.execute(insert(incidents), [_incident_row(change) for change in opening])
        ids |= _open_incidents(db, batch)
    closing = {ids[key]: change for key, change in batch.items() if key in ids and _ends(change)}
    told = toldroutes.told_routes(db, incidents.c.id.in_(list(ids.values())))
    ending = {incident_id: told.get(incident_id, []) for incident_id in closing}
    heard_of_it = toldroutes.take_back(db, ending, max(change.event.at for change in batch.values()))
    rows: list[tuple[int, Change, Route]] = []
    needless: list[Change] = []
    for key, change in batch.items():
        if key not in ids:
            continue
        have_it = told.get(ids[key], ())
        if _triggers(change):
            routes = list(dict.fromkeys(change.routes))
        elif _ends(change):
            routes = heard_of_it[ids[key]]
            if have_it and not routes:
                needless.append(change)
        else:  # of no use to who has yet to hear of the incident at all
            routes = [one.route for one in have_it if not one.unclaimed and not one.is_refused]
        rows += [(ids[key], change, route) for route in routes]
    queue(db, rows, toldroutes.collected_by(told))
    _close(db, closing)
    _note_told(db, [ids[key] for key, change in batch.items() if _triggers(change) and change.event.held_by is None])
    return needless


def queue(
    db: Connection,
    rows: Sequence[tuple[int, Change, Route]],
    collected: Mapping[tuple[int, Route], timedelta] = MappingProxyType({}),
) -> None:
    """Add these deliveries, each of an incident by its id. `collected`: the digests that the incident is in already."""
    if not rows:
        return
    values = []
    for incident_id, change, route in rows:
        digest = change.digests.get(route) if _triggers(change) else collected.get((incident_id, route))
        values.append(_delivery_row(incident_id, change, route, digest))
    db.execute(insert(deliveries), values)


def _note_told(db: Connection, ids: Sequence[int]) -> None:
    """What held them back does so no longer."""
    if ids:
        db.execute(
            update(incidents).where(incidents.c.id.in_(ids), incidents.c.held_by.is_not(None)).values(held_by=None)
        )


def _close(db: Connection, changes: Mapping[int, Change]) -> None:
    """Close these incidents, which are given by their ids."""
    if not changes:
        return
    db.execute(
        update(incidents)
        .where(incidents.c.id == bindparam("incident"))
        .values(closed_at=bindparam("at"), close_reason=bindparam("reason")),
        [{"incident": id_, "at": each.event.at, "reason": each.event.reason} for id_, each in changes.items()],
    )


def _triggers(change: Change) -> bool:
    return change.event.kind is EventKind.TRIGGERED


def _ends(change: Change) -> bool:
    return change.event.kind is EventKind.RESOLVED


def _open_incidents(db: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The ids of the open incidents among these dedup keys."""
    is_open = incidents.c.closed_at.is_(None)
    rows = db.execute(
        select(incidents.c.dedup_key, incidents.c.id).where(incidents.c.dedup_key.in_(list(keys)), is_open)
    )
    return {row.dedup_key: row.id for row in rows}


def _incident_row(change: Change) -> dict[str, object]:
    event = change.event
    return {
        "dedup_key": change.message.dedup_key,
        "alert": event.key.alert,
        "series": event.key.series,
        "level": event.level,
        "value": event.value,
        "opened_at": event.at,
        "held_by": event.held_by,
    }


def _delivery_row(incident_id: int, change: Change, route: Route, digest: timedelta | None) -> dict[str, object]:
    event = change.event
    lane = f"{text_id(*_lane(event.key))} {route.notifier}"
    return {
        "incident_id": incident_id,
        # Nothing waits for what is only collected.
        "lane": lane if digest is None else f"{lane} digest",
        "kind": event.kind,
        "level": event.level,
        "notifier": route.notifier,
        "address": route.address,
        "message": to_json(change.message),
        "created_at": event.at,
        "next_attempt_at": event.at if digest is None else digest_at(event.at, digest),
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "is_minimal": False,
        "digest_s": digest and int(digest.total_seconds()),
    }


def _lane(key: SeriesKey) -> SeriesKey:
    """What leaves in order; the storms of an alert, of every level and page, follow each other."""
    return key._replace(series=f"{WHOLE_ALERT}×") if "×" in key.series and not key.is_series else key
