"""What is over, and for how long that is remembered, as statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from graphitepager.store.tables import deliveries, incidents, near_misses, silences

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table


def forget(db: Connection, before: datetime, at_most: int) -> bool:
    """Delete what ended earlier, up to `at_most` rows of each kind; False where there may be more.

    An incident goes with all that was sent of it; while some of that waits, it stays.
    """
    is_waiting = exists().where(deliveries.c.incident_id == incidents.c.id, deliveries.c.finished_at.is_(None))
    is_over = incidents.c.closed_at < before
    ended = list(db.scalars(select(incidents.c.id).where(is_over, ~is_waiting).order_by(incidents.c.id).limit(at_most)))
    db.execute(delete(deliveries).where(deliveries.c.incident_id.in_(ended)))
    db.execute(delete(incidents).where(incidents.c.id.in_(ended)))
    counts = [
        len(ended),
        _forget_rows(db, near_misses, near_misses.c.ended_at < before, at_most),
        _forget_rows(db, silences, silences.c.ends_at < before, at_most),
    ]
    return max(counts) < at_most


def _forget_rows(db: Connection, table: Table, is_over: ColumnElement[bool], at_most: int) -> int:
    chosen = select(table.c.id).where(is_over).order_by(table.c.id).limit(at_most)
    return db.execute(delete(table).where(table.c.id.in_(chosen))).rowcount
