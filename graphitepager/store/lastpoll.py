"""The row of the last poll, as statements on an open transaction: read it, take one's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from graphitepager.errors import StoreError
from graphitepager.glance import LastPoll
from graphitepager.records import PollSummary
from graphitepager.store.tables import polls

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from graphitepager.records import PollRecord


def summary(db: Connection) -> PollSummary | None:
    """What a poller has to know of it; None before the first."""
    row = db.execute(select(polls.c.started_at, polls.c.answered_at)).one()
    return None if row.started_at is None else PollSummary(started_at=row.started_at, answered_at=row.answered_at)


def whole(db: Connection) -> LastPoll | None:
    """All of it; None before the first."""
    columns = (polls.c.started_at, polls.c.finished_at, polls.c.answered_at, polls.c.series, polls.c.failed)
    row = db.execute(select(*columns)).one()
    return None if row.started_at is None else LastPoll(*row)


def take_turn(db: Connection, poll: PollRecord) -> bool:
    """Make it the last poll; False where it is that already. StoreError where another process polled in between."""
    took_s = (poll.finished_at - poll.started_at).total_seconds()
    values = {
        "started_at": poll.started_at,
        "finished_at": poll.finished_at,
        "series": poll.series,
        "failed": poll.failed,
        "total_polls": polls.c.total_polls + 1,
        "total_series": polls.c.total_series + poll.series,
        "total_failed": polls.c.total_failed + poll.failed,
        "total_seconds": polls.c.total_seconds + max(took_s, 0.0),  # a clock may be set back
    }
    if poll.answered:
        values["answered_at"] = poll.finished_at
    is_followed = polls.c.started_at.is_not_distinct_from(poll.follows)
    if db.execute(update(polls).where(is_followed).values(values)).rowcount:
        return True
    if db.scalar(select(polls.c.started_at)) == poll.started_at:
        return False
    raise StoreError(
        "another graphite-pager has polled on this database; what it recorded is read before the next poll"
    )
