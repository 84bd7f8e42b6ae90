"""The queue of deliveries, as statements on an open transaction: claim, finish, put off, count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, literal, or_, select, update

from graphitepager.model import Delivery, EventKind
from graphitepager.records import Backlog, DeliveryStatus, from_json
from graphitepager.rules import Level, Route
from graphitepager.store import tallies
from graphitepager.store.tables import UtcDateTime, deliveries, incidents
from graphitepager.tallies import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

# No wait and no lease of ours is longer. A time further ahead was written by a clock that has been set back since: to
# believe it would hold pages back for as long as that clock was wrong.
LONGEST_WAIT = timedelta(minutes=15)

# More than anybody reads; the rest follows in another one.
_MOST_IN_DIGEST = 500

_PENDING = deliveries.c.finished_at.is_(None)
_IS_TRIGGER = deliveries.c.kind == EventKind.TRIGGERED

# What has to leave before it. To one address everything goes in order, but a page never waits for what is told of the
# other levels. Elsewhere nothing ends before the incident that takes its place, and is open, has begun.
_earlier = deliveries.alias("earlier")
_IS_FIRST_IN_LANE = ~exists().where(
    _earlier.c.lane == deliveries.c.lane,
    _earlier.c.finished_at.is_(None),
    _earlier.c.id < deliveries.c.id,
    case(
        (
            _earlier.c.address != deliveries.c.address,
            and_(
                _earlier.c.kind == EventKind.TRIGGERED,
                ~_IS_TRIGGER,
                _earlier.c.incident_id != deliveries.c.incident_id,
                exists().where(incidents.c.id == _earlier.c.incident_id, incidents.c.closed_at.is_(None)),
            ),
        ),
        else_=or_(_earlier.c.level == deliveries.c.level, ~_IS_TRIGGER),
    ),
)

# Pages before everything else, critical ones first; that something has ended can wait. What holds up another is as
# urgent as that.
_peer = deliveries.alias("peer")
_URGENCY = (
    select(
        func.min(
            case(
                (_peer.c.digest_s.is_not(None), 4),
                (_peer.c.kind == EventKind.RESOLVED, 3),
                (_peer.c.kind != EventKind.TRIGGERED, 2),
                (_peer.c.level == Level.CRITICAL, 0),
                else_=1,
            )
        )
    )
    .where(
        _peer.c.lane == deliveries.c.lane,
        _peer.c.finished_at.is_(None),
        _peer.c.id >= deliveries.c.id,
        _peer.c.address == deliveries.c.address,
    )
    .correlate(deliveries)
    .scalar_subquery()
)

# Whoever was sending it has vanished, or was interrupted: it may have arrived.
_INTERRUPTION: dict[str, Any] = {
    "attempts": deliveries.c.attempts + 1,
    "last_error": "interrupted before an answer came",
}


def claim(
    db: Connection,
    now: datetime,
    *,
    worker: str,
    lease: timedelta,
    limit: int,
    notifier: str | None = None,
    paused: Collection[str] = (),
) -> list[Delivery]:
    """Take up to `limit` deliveries that are due, first in their lane and in nobody's hands, critical ones first.

    Rows that another worker is claiming at this moment are passed over on PostgreSQL; on SQLite the write lock of
    this transaction keeps the other one out. A row looked at is therefore a row owned, and one UPDATE takes them all.
    A claim that was never finished counts as a failed attempt.
    """
    rows = db.execute(
        select(deliveries)
        .where(*_waiting(notifier, paused), ~_is_put_off(now), ~_is_claimed(now))
        .order_by(_URGENCY, deliveries.c.id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    ).all()
    return _take(db, now, rows, worker, lease)


def claim_digest(db: Connection, now: datetime, first: Delivery, *, worker: str, lease: timedelta) -> list[Delivery]:
    """Take all else that is collected for the same route and due, in order."""
    route = first.route
    rows = db.execute(
        select(deliveries)
        .where(
            _PENDING,
            deliveries.c.digest_s.is_not(None),
            deliveries.c.notifier == route.notifier,
            deliveries.c.address == route.address,
            deliveries.c.id != first.id,
            ~_is_put_off(now),
            ~_is_claimed(now),
        )
        .order_by(deliveries.c.id)
        .limit(_MOST_IN_DIGEST)
        .with_for_update(of=deliveries, skip_locked=True)
    ).all()
    return _take(db, now, rows, worker, lease)


def _take(db: Connection, now: datetime, rows: Sequence[Row[Any]], worker: str, lease: timedelta) -> list[Delivery]:
    """Write down whose these rows are."""
    if rows:
        taken = update(deliveries).where(deliveries.c.id.in_([row.id for row in rows]))
        db.execute(taken.where(deliveries.c.claimed_by.is_not(None)).values(**_INTERRUPTION))
        db.execute(taken.values(claimed_by=worker, claimed_until=now + lease))
    claimed = [
        Delivery(
            id=row.id,
            message=replace(from_json(row.message), in_reply_to=_answer_to_trigger(db, row)),
            route=Route(notifier=row.notifier, address=row.address),
            attempts=row.attempts + (row.claimed_by is not None),
            is_minimal=row.is_minimal,
            is_digest=row.digest_s is not None,
        )
        for row in rows
    ]
    tallies.count_ended(db, [row for row in rows if row.claimed_by is not None], Result.INTERRUPTED)
    return claimed


def _answer_to_trigger(db: Connection, row: Row[Any]) -> str | None:
    """What this address answered to the newest trigger of the same incident; None for a trigger itself."""
    if row.kind is EventKind.TRIGGERED:
        return None
    answer: str | None = db.scalar(
        select(deliveries.c.answer)
        .where(
            deliveries.c.incident_id == row.incident_id,
            deliveries.c.notifier == row.notifier,
            deliveries.c.address == row.address,
            deliveries.c.status == DeliveryStatus.SENT,
            _IS_TRIGGER,
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    return answer


def mark_sent(db: Connection, delivery_id: int, worker: str, at: datetime, answer: str) -> bool:
    """End it: the notifier has taken it."""
    values = {"status": DeliveryStatus.SENT, "finished_at": at, "answer": answer}
    return _finish_attempt(db, delivery_id, worker, Result.SENT, values)


def mark_failed(
    db: Connection, delivery_id: int, worker: str, error: str, next_attempt_at: datetime, *, make_minimal: bool
) -> bool:
    """Put it off."""
    values = {"attempts": deliveries.c.attempts + 1, "last_error": error, "next_attempt_at": next_attempt_at}
    if make_minimal:
        values["is_minimal"] = True
    return _finish_attempt(db, delivery_id, worker, Result.FAILED, values)


def mark_dead(db: Connection, delivery_id: int, worker: str, at: datetime, error: str) -> bool:
    """End it: no attempt can succeed."""
    attempts = deliveries.c.attempts + 1
    values = {"status": DeliveryStatus.DEAD, "finished_at": at, "attempts": attempts, "last_error": error}
    return _finish_attempt(db, delivery_id, worker, Result.DEAD, values)


def _finish_attempt(db: Connection, delivery_id: int, worker: str, result: Result, values: Mapping[str, Any]) -> bool:
    """Write the outcome of an attempt; False, and nothing written, where the claim has gone to another worker."""
    held = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.claimed_by == worker)
    finished = held.values(claimed_by=None, claimed_until=None, **values)
    rows = db.execute(finished.returning(*tallies.COUNTED)).all()
    tallies.count_ended(db, rows, result, values.get("finished_at"))
    return bool(rows)


def release(db: Connection, worker: str) -> None:
    """Give back what `worker` holds; whether it has arrived nobody knows, so that it counts as tried."""
    held = update(deliveries).where(deliveries.c.claimed_by == worker, _PENDING)  # for the index's sake
    given_back = held.values(claimed_by=None, claimed_until=None, **_INTERRUPTION)
    tallies.count_ended(db, db.execute(given_back.returning(*tallies.COUNTED)).all(), Result.INTERRUPTED)


def next_due(
    db: Connection, now: datetime, notifier: str | None = None, paused: Collection[str] = ()
) -> datetime | None:
    """When `claim` could next return something, possibly in the past; None when nothing is pending."""
    sendable_at = case(
        (_is_claimed(now), deliveries.c.claimed_until),
        (and_(deliveries.c.next_attempt_at > now, ~_is_put_off(now)), literal(now, UtcDateTime())),
        else_=deliveries.c.next_attempt_at,
    )
    due: datetime | None = db.scalar(select(func.min(sendable_at)).where(*_waiting(notifier, paused)))
    return due


def waiting_notifiers(db: Connection) -> dict[str, int]:
    """The notifiers that anything pending is for, and for how many of their addresses."""
    addresses = func.count(deliveries.c.address.distinct()).label("addresses")
    rows = db.execute(select(deliveries.c.notifier, addresses).where(_PENDING).group_by(deliveries.c.notifier))
    return {row.notifier: row.addresses for row in rows}


def sent_since(db: Connection, notifier: str, moment: datetime) -> list[tuple[str, datetime]]:
    """Address and time of what was delivered since then."""
    rows = db.execute(
        select(deliveries.c.address, deliveries.c.finished_at)
        .where(
            deliveries.c.notifier == notifier,
            deliveries.c.status == DeliveryStatus.SENT,
            deliveries.c.finished_at > moment,
        )
        .order_by(deliveries.c.finished_at)
    )
    return [(row.address, row.finished_at) for row in rows]


def backlog(db: Connection) -> Backlog:
    """Count what waits and what was given up."""
    # What is only collected so far is not late.
    is_due = or_(deliveries.c.digest_s.is_(None), deliveries.c.attempts > 0)
    pending = db.scalar(select(func.count()).select_from(deliveries).where(_PENDING, is_due))
    dead = db.scalar(select(func.count()).where(deliveries.c.status == DeliveryStatus.DEAD))
    oldest = db.scalar(
        select(func.min(deliveries.c.created_at)).where(_PENDING, _IS_TRIGGER, deliveries.c.digest_s.is_(None))
    )
    return Backlog(pending=pending or 0, dead=dead or 0, unheard=_unheard(db) if dead else 0, oldest_page=oldest)


def _unheard(db: Connection) -> int:
    other = deliveries.alias("other")
    has_another = exists().where(
        other.c.incident_id == deliveries.c.incident_id,
        other.c.kind == EventKind.TRIGGERED,
        other.c.status.in_([DeliveryStatus.PENDING, DeliveryStatus.SENT]),
    )
    given_up = (
        select(func.count(deliveries.c.incident_id.distinct()))
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(deliveries.c.status == DeliveryStatus.DEAD, _IS_TRIGGER, incidents.c.closed_at.is_(None), ~has_another)
    )
    return db.scalar(given_up) or 0


def _waiting(notifier: str | None, paused: Collection[str]) -> list[ColumnElement[bool]]:
    """Conditions for what is next in its lane, of one notifier or of all."""
    conditions = [_PENDING, _IS_FIRST_IN_LANE]
    if notifier is not None:
        conditions.append(deliveries.c.notifier == notifier)
    if paused:
        conditions.append(deliveries.c.address.not_in(list(paused)))
    return conditions


def _is_claimed(now: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.claimed_until.is_not(None), _is_ahead(deliveries.c.claimed_until, now))


def _is_put_off(now: datetime) -> ColumnElement[bool]:
    """Whether its time is still to come. A digest may be far off, unless the clock has been set back since."""
    time = deliveries.c.next_attempt_at
    is_collected = and_(deliveries.c.digest_s.is_not(None), deliveries.c.created_at <= now)
    return and_(time > now, or_(time <= now + LONGEST_WAIT, is_collected))


def _is_ahead(time: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether a time is still to come, and no further off than one of ours can be."""
    return and_(time > now, time <= now + LONGEST_WAIT)
