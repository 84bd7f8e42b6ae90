"""Silences, as statements on an open transaction: add, list, end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from graphitepager.model import Silence
from graphitepager.silences import from_json, to_json
from graphitepager.store.tables import silences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from graphitepager.model import Matcher


def add(
    db: Connection, matchers: Sequence[Matcher], author: str, comment: str, begins_at: datetime, ends_at: datetime
) -> Silence:
    """Store a new one, with an id that none ever had."""
    row = insert(silences).values(
        matchers=to_json(matchers), author=author, comment=comment, begins_at=begins_at, ends_at=ends_at
    )
    key = db.execute(row).inserted_primary_key
    assert key is not None  # noqa: S101 - for mypy: one row was inserted
    (added,) = _where(db, silences.c.id == key.id)
    return added


def active(db: Connection, now: datetime) -> tuple[Silence, ...]:
    """Those that have not ended, among them those that have not begun, by id."""
    return _where(db, silences.c.ends_at > now)


def some(db: Connection, *conditions: ColumnElement[bool], limit: int) -> tuple[Silence, ...]:
    """Those that meet the conditions, the newest first, and no more than so many."""
    newest = select(silences.c.id).where(*conditions).order_by(silences.c.id.desc()).limit(limit)
    return tuple(reversed(_where(db, silences.c.id.in_(newest))))


def everything(db: Connection) -> tuple[Silence, ...]:
    """All there ever were, by id."""
    return _where(db)


def end(db: Connection, silence_id: int, now: datetime) -> Silence | None:
    """End it now, also before it has begun; None, and nothing stored, where there is none or it is over already."""
    open_ = update(silences).where(silences.c.id == silence_id, silences.c.ends_at > now)
    if not db.execute(open_.values(ends_at=now)).rowcount:
        return None
    (ended,) = _where(db, silences.c.id == silence_id)
    return ended


def _where(db: Connection, *conditions: ColumnElement[bool]) -> tuple[Silence, ...]:
    return tuple(
        Silence(
            id=row.id,
            matchers=from_json(row.matchers),
            author=row.author,
            comment=row.comment,
            begins_at=row.begins_at,
            ends_at=row.ends_at,
        )
        for row in db.execute(select(silences).where(*conditions).order_by(silences.c.id))
    )
