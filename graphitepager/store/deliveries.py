"""The queue of deliveries, as statements on an open transaction: claim, finish, put off, count."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, literal, select, update

from graphitepager.model import Delivery, Level, Route
from graphitepager.records import Backlog, DeliveryStatus, from_json
from graphitepager.store.tables import UtcDateTime, deliveries

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

# No wait and no lease of ours is longer (a receiver may ask for ten minutes). A time further ahead was written by a
# clock that has been set back since: to believe it would hold pages back for as long as that clock was wrong.
LONGEST_WAIT = timedelta(minutes=15)

_earlier = deliveries.alias("earlier")
_PENDING = deliveries.c.finished_at.is_(None)
_IS_FIRST_IN_LANE = ~exists().where(
    _earlier.c.lane == deliveries.c.lane, _earlier.c.finished_at.is_(None), _earlier.c.id < deliveries.c.id
)
_CRITICAL_FIRST = case((deliveries.c.level == Level.CRITICAL, 0), else_=1)


def claim(
    db: Connection, now: datetime, *, worker: str, lease: timedelta, limit: int, notifier: str | None = None
) -> list[Delivery]:
    """Take up to `limit` deliveries that are due, first in their lane and in nobody's hands, critical ones first.

    Rows that another worker is claiming at this moment are passed over on PostgreSQL; on SQLite the write lock of
    this transaction keeps the other one out. A row looked at is therefore a row owned, and one UPDATE takes them all.
    """
    rows = db.execute(
        select(deliveries)
        .where(*_waiting(notifier), ~_is_ahead(deliveries.c.next_attempt_at, now), ~_is_claimed(now))
        .order_by(_CRITICAL_FIRST, deliveries.c.id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    ).all()
    if rows:
        taken = update(deliveries).where(deliveries.c.id.in_([row.id for row in rows]))
        db.execute(taken.values(claimed_by=worker, claimed_until=now + lease))
    return [
        Delivery(
            id=row.id,
            message=from_json(row.message),
            route=Route(notifier=row.notifier, address=row.address),
            attempts=row.attempts,
        )
        for row in rows
    ]


def mark_sent(db: Connection, delivery_id: int, worker: str, at: datetime, answer: str) -> bool:
    """End it: the notifier has taken it."""
    return _finish_attempt(db, delivery_id, worker, status=DeliveryStatus.SENT, finished_at=at, answer=answer)


def mark_failed(db: Connection, delivery_id: int, worker: str, error: str, next_attempt_at: datetime) -> bool:
    """Put it off."""
    return _finish_attempt(
        db,
        delivery_id,
        worker,
        attempts=deliveries.c.attempts + 1,
        last_error=error,
        next_attempt_at=next_attempt_at,
    )


def mark_dead(db: Connection, delivery_id: int, worker: str, at: datetime, error: str) -> bool:
    """End it: no attempt can succeed."""
    return _finish_attempt(
        db,
        delivery_id,
        worker,
        status=DeliveryStatus.DEAD,
        finished_at=at,
        attempts=deliveries.c.attempts + 1,
        last_error=error,
    )


def _finish_attempt(db: Connection, delivery_id: int, worker: str, **values: Any) -> bool:
    """Write the outcome of an attempt; False, and nothing written, where the claim has gone to another worker."""
    held = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.claimed_by == worker)
    return db.execute(held.values(claimed_by=None, claimed_until=None, **values)).rowcount == 1


def release(db: Connection, worker: str) -> None:
    """Give back what `worker` holds."""
    held = update(deliveries).where(deliveries.c.claimed_by == worker, _PENDING)  # for the index's sake
    db.execute(held.values(claimed_by=None, claimed_until=None))


def next_due(db: Connection, now: datetime, notifier: str | None = None) -> datetime | None:
    """When `claim` could next return something, possibly in the past; None when nothing is pending."""
    sendable_at = case(
        (_is_claimed(now), deliveries.c.claimed_until),
        (deliveries.c.next_attempt_at > now + LONGEST_WAIT, literal(now, UtcDateTime())),
        else_=deliveries.c.next_attempt_at,
    )
    due: datetime | None = db.scalar(select(func.min(sendable_at)).where(*_waiting(notifier)))
    return due


def backlog(db: Connection) -> Backlog:
    """Count what waits and what was given up."""
    pending = db.scalar(select(func.count()).select_from(deliveries).where(_PENDING))
    dead = db.scalar(select(func.count()).where(deliveries.c.status == DeliveryStatus.DEAD))
    return Backlog(pending=pending or 0, dead=dead or 0)


def _waiting(notifier: str | None) -> list[ColumnElement[bool]]:
    """Conditions for what is next in its lane, of one notifier or of all."""
    return [_PENDING, _IS_FIRST_IN_LANE] + ([deliveries.c.notifier == notifier] if notifier is not None else [])


def _is_claimed(now: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.claimed_until.is_not(None), _is_ahead(deliveries.c.claimed_until, now))


def _is_ahead(time: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether a time is still to come, and no further off than one of ours can be."""
    return and_(time > now, time <= now + LONGEST_WAIT)
