"""The last alerts.yml that was good, as statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from graphitepager.records import KeptConfig
from graphitepager.store.tables import configs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def keep(db: Connection, config: KeptConfig, now: datetime) -> None:
    """Keep this one instead of the one before; write nothing where it is the same."""
    if kept(db) == config:
        return
    db.execute(delete(configs))
    db.execute(insert(configs).values(id=1, source=config.source, text=config.text, kept_at=now))


def kept(db: Connection) -> KeptConfig | None:
    """The one that was kept last."""
    row = db.execute(select(configs.c.source, configs.c.text)).one_or_none()
    return row and KeptConfig(row.source, row.text)
