"""The counters, as statements on an open transaction: add, read.

The row of a counter is locked for as long as its transaction lasts. So senders, of whom there may be many at once, add
last of all; what is cancelled and the transitions only the poller counts, and there is one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from graphitepager.store.database import insert_leniently
from graphitepager.store.tables import deliveries, delivery_tallies, polls, transition_tallies
from graphitepager.tallies import DeliveryKey, DeliveryTally, Result, Tallies, TransitionKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row, Table

# What has to be known of a delivery to count it.
COUNTED = (deliveries.c.notifier, deliveries.c.kind)


def add_transitions(db: Connection, counts: Mapping[TransitionKey, int]) -> None:
    """Count these on."""
    rows = [{"kind": key.kind, "level": key.level, "total": count} for key, count in counts.items()]
    _add(db, transition_tallies, sorted(rows, key=lambda row: (row["kind"].value, row["level"].value)))


def count_ended(db: Connection, ended: Iterable[Row[Any]], result: Result, at: datetime | None = None) -> None:
    """Count these deliveries on, of which COUNTED is known; `at` is when they ended for good."""
    counts = Counter(DeliveryKey(row.notifier, row.kind, result) for row in ended)
    rows = [{**key._asdict(), "total": count, "last_at": at} for key, count in counts.items()]
    order = sorted(rows, key=lambda row: (row["notifier"], row["kind"].value, row["result"].value))
    _add(db, delivery_tallies, order)


def load(db: Connection) -> Tallies:
    """Every counter."""
    row = db.execute(
        select(polls.c.total_polls, polls.c.total_series, polls.c.total_failed, polls.c.total_seconds)
    ).one()
    return Tallies(
        polls=row.total_polls,
        series=row.total_series,
        failed=row.total_failed,
        seconds=row.total_seconds,
        transitions={TransitionKey(one.kind, one.level): one.total for one in db.execute(select(transition_tallies))},
        deliveries={
            DeliveryKey(one.notifier, one.kind, one.result): DeliveryTally(one.total, one.last_at)
            for one in db.execute(select(delivery_tallies))
        },
    )


def accepted(tallies: Tallies) -> dict[str, datetime]:
    """When each notifier last took anything."""
    newest: dict[str, datetime] = {}
    for key, tally in tallies.deliveries.items():
        if key.result is Result.SENT and tally.last_at is not None:
            newest[key.notifier] = max(newest.get(key.notifier, tally.last_at), tally.last_at)
    return newest


def _add(db: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        added = insert_leniently(db, table).values(row)
        changes: dict[str, Any] = {"total": table.c.total + added.excluded.total}
        if "last_at" in row:
            changes["last_at"] = func.coalesce(added.excluded.last_at, table.c.last_at)
        db.execute(added.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes))
