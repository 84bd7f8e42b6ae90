"""Where an incident has been told, as its deliveries say, and taking back what has not been sent of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from graphitepager.model import EventKind
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Route
from graphitepager.store import tallies
from graphitepager.store.tables import deliveries, incidents
from graphitepager.tallies import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row


class ToldRoute(NamedTuple):
    """A route that has the trigger of an incident, or will; `unclaimed` are the deliveries that can be taken back.

    `untouched` are all of its deliveries where none of them was ever tried, so that nobody has heard of the incident.
    `is_refused` means that it will not have it, but may: the trigger was refused for good, after an attempt of which
    nobody knows whether it arrived.
    """

    route: Route
    told_at: datetime
    is_accepted: bool
    is_refused: bool
    digest: timedelta | None
    unclaimed: frozenset[int]
    untouched: frozenset[int]


def told_routes(db: Connection, which: ColumnElement[bool]) -> dict[int, list[ToldRoute]]:
    """Where the triggers of these incidents went, whatever alerts.yml says now, by the incidents' ids."""
    rows = db.execute(
        select(deliveries)
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(which, deliveries.c.status != DeliveryStatus.CANCELLED)
        .order_by(deliveries.c.id)
    )
    by_route: dict[tuple[int, Route], list[Row[Any]]] = {}
    for row in rows:
        sent = by_route.setdefault((row.incident_id, Route(row.notifier, row.address)), [])
        if row.kind is not EventKind.RESOLVED:
            sent.append(row)
        elif row.status is not DeliveryStatus.DEAD:  # it ended there, while it goes on elsewhere
            sent.clear()
    told: dict[int, list[ToldRoute]] = {}
    for (incident_id, route), sent in by_route.items():
        if (one := _told_route(route, sent)) is not None:
            told.setdefault(incident_id, []).append(one)
    return told


def _told_route(route: Route, rows: list[Row[Any]]) -> ToldRoute | None:
    sent = [row for row in rows if row.status is not DeliveryStatus.DEAD]
    triggers = [row for row in sent if row.kind is EventKind.TRIGGERED]
    may_have_one = any(
        row.kind is EventKind.TRIGGERED and row.status is DeliveryStatus.DEAD and row.attempts > 1 for row in rows
    )
    if not triggers and not may_have_one:
        return None
    unclaimed = [row.id for row in sent if row.finished_at is None and row.claimed_by is None]
    is_untouched = len(unclaimed) == len(sent) and not may_have_one and not any(row.attempts for row in sent)
    return ToldRoute(
        route=route,
        told_at=rows[0].created_at,
        is_accepted=any(row.status is DeliveryStatus.SENT for row in triggers),
        is_refused=not triggers,
        digest=None if rows[-1].digest_s is None else timedelta(seconds=rows[-1].digest_s),
        unclaimed=frozenset(unclaimed),
        untouched=frozenset(unclaimed if is_untouched else ()),
    )


def take_back(db: Connection, told: Mapping[int, list[ToldRoute]], at: datetime) -> dict[int, list[Route]]:
    """Cancel what has not been sent of these incidents; return the routes that may have heard of each all the same."""
    cancelled = _cancel(db, {id_ for routes in told.values() for one in routes for id_ in one.unclaimed}, at)
    return {
        incident_id: [one.route for one in routes if not one.untouched or not one.untouched <= cancelled]
        for incident_id, routes in told.items()
    }


def _cancel(db: Connection, ids: Collection[int], at: datetime) -> set[int]:
    """Take back what has not been sent; what somebody claims at this moment goes out all the same."""
    if not ids:
        return set()
    taken_back = (
        update(deliveries)
        .where(deliveries.c.id.in_(list(ids)), deliveries.c.finished_at.is_(None), deliveries.c.claimed_by.is_(None))
        .values(status=DeliveryStatus.CANCELLED, finished_at=at)
        .returning(deliveries.c.id, *tallies.COUNTED)
    )
    rows = db.execute(taken_back).all()
    tallies.count_ended(db, rows, Result.CANCELLED, at)
    return {row.id for row in rows}


def collected_by(told: Mapping[int, Iterable[ToldRoute]]) -> dict[tuple[int, Route], timedelta]:
    """The digests that these incidents are in, where a route has them in one."""
    return {
        (incident_id, one.route): one.digest
        for incident_id, routes in told.items()
        for one in routes
        if one.digest is not None
    }
