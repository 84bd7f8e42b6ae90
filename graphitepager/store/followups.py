"""To whom each open incident was told, and telling it somebody else once, as statements on an open transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select

from graphitepager.followups import Told
from graphitepager.model import EventKind, SeriesKey
from graphitepager.records import DeliveryStatus, from_json
from graphitepager.rules import Route
from graphitepager.store import ledger
from graphitepager.store.tables import deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from graphitepager.followups import FollowUp

_IS_TOLD = (deliveries.c.kind == EventKind.TRIGGERED, deliveries.c.status != DeliveryStatus.CANCELLED)


def told(db: Connection) -> list[Told]:
    """The triggers of every open incident, oldest first, whatever became of them."""
    rows = db.execute(
        select(deliveries, incidents.c.alert, incidents.c.series)
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(incidents.c.closed_at.is_(None), *_IS_TOLD)
        .order_by(deliveries.c.id)
    )
    return [
        Told(
            incident_id=row.incident_id,
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            route=Route(row.notifier, row.address),
            status=row.status,
            # What is collected is not late before its digest is.
            at=row.finished_at
            if row.status is DeliveryStatus.SENT
            else row.created_at + timedelta(seconds=row.digest_s or 0),
            message=from_json(row.message),
        )
        for row in rows
    ]


def accepted_since(db: Connection, moment: datetime) -> dict[Route, datetime]:
    """When each route last accepted anything, as far as that was since then."""
    rows = db.execute(
        select(deliveries.c.notifier, deliveries.c.address, func.max(deliveries.c.finished_at).label("at"))
        .where(deliveries.c.status == DeliveryStatus.SENT, deliveries.c.finished_at > moment)
        .group_by(deliveries.c.notifier, deliveries.c.address)
    )
    return {Route(row.notifier, row.address): row.at for row in rows}


def follow_up(db: Connection, wanted: Collection[FollowUp], now: datetime) -> list[FollowUp]:
    """Queue these, as far as their incidents are open and those whom they are for have not heard; return those.

    The incidents are locked first, so that two processes never both tell.
    """
    ids = {one.told.incident_id for one in wanted}
    locked = select(incidents.c.id).where(incidents.c.id.in_(ids), incidents.c.closed_at.is_(None))
    is_open = set(db.scalars(locked.order_by(incidents.c.id).with_for_update()))
    queued = []
    for one in wanted:
        incident_id, route = one.told.incident_id, one.to
        has_heard = exists().where(
            deliveries.c.incident_id == incident_id,
            deliveries.c.notifier == route.notifier,
            deliveries.c.address == route.address,
            *_IS_TOLD,
        )
        if incident_id in is_open and not db.scalar(select(has_heard)):
            ledger.queue(db, [(incident_id, one.change(now), route)])
            queued.append(one)
    return queued
