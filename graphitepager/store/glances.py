"""What is known of now, as queries that change nothing: few of them, and nothing that only a poller needs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from graphitepager.glance import Glance, LoadedConfig, Notice, StandingIncident
from graphitepager.model import SeriesKey
from graphitepager.store import deliveries as queue
from graphitepager.store import lastpoll, states, tallies
from graphitepager.store import silences as mutes
from graphitepager.store.tables import configs, deliveries, incidents, leases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_VERSION_DIGITS = 12


def glance(db: Connection, now: datetime) -> Glance:
    """Everything at once."""
    counted = tallies.load(db)
    return Glance(
        at=now,
        poll=lastpoll.whole(db),
        backlog=queue.backlog(db),
        incidents=_standing(db),
        states=states.load_states(db),
        known=states.count_known(db),
        silences=mutes.active(db, now),
        accepted=tallies.accepted(counted),
        tallies=counted,
        config=_config(db),
        leader=db.scalar(select(leases.c.holder).where(leases.c.expires_at > now)),
    )


def _standing(db: Connection) -> tuple[StandingIncident, ...]:
    is_open = incidents.c.closed_at.is_(None)
    columns = ("id", "dedup_key", "alert", "series", "level", "value", "opened_at", "held_by")
    rows = db.execute(select(*(incidents.c[name] for name in columns)).where(is_open).order_by(incidents.c.id)).all()
    notices = _notices(db) if rows else {}
    return tuple(
        StandingIncident(
            id=row.id,
            dedup_key=row.dedup_key,
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            value=row.value,
            opened_at=row.opened_at,
            held_by=row.held_by,
            notices=tuple(notices.get(row.id, ())),
        )
        for row in rows
    )


def _notices(db: Connection) -> dict[int, list[Notice]]:
    """The newest delivery of each open incident to each address, without its message, which is long."""
    newest = (
        select(func.max(deliveries.c.id))
        .join(incidents, incidents.c.id == deliveries.c.incident_id)
        .where(incidents.c.closed_at.is_(None))
        .group_by(deliveries.c.incident_id, deliveries.c.notifier, deliveries.c.address)
    )
    columns = ("notifier", "kind", "status", "created_at", "finished_at", "attempts", "last_error")
    rows = db.execute(
        select(deliveries.c.incident_id, *(deliveries.c[name] for name in columns))
        .where(deliveries.c.id.in_(newest))
        .order_by(deliveries.c.id)
    )
    notices: dict[int, list[Notice]] = {}
    for row in rows:
        notices.setdefault(row.incident_id, []).append(
            Notice(row.notifier, row.kind, row.status, row.finished_at or row.created_at, row.attempts, row.last_error)
        )
    return notices


def _config(db: Connection) -> LoadedConfig | None:
    row = db.execute(select(configs.c.source, configs.c.text, configs.c.kept_at)).one_or_none()
    return row and LoadedConfig(row.source, version_of(row.text), row.kept_at)


def version_of(text: str) -> str:
    """What tells this text of alerts.yml, with all that it includes, from any other."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_VERSION_DIGITS]
