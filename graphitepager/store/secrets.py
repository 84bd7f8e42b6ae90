"""Secrets that the pager makes for itself, as statements on an open transaction."""

from __future__ import annotations

import secrets as randomness
from typing import TYPE_CHECKING

from sqlalchemy import select

from graphitepager.store.database import insert_leniently
from graphitepager.store.tables import secrets

if TYPE_CHECKING:
    from sqlalchemy import Connection

_WEB = "web"
_BYTES = 32


def kept(db: Connection) -> str | None:
    """The one for the web pages, where it was made before."""
    secret: str | None = db.scalar(select(secrets.c.secret).where(secrets.c.name == _WEB))
    return secret


def make(db: Connection) -> None:
    """Make one, unless another process is faster."""
    row = insert_leniently(db, secrets).values(name=_WEB, secret=randomness.token_hex(_BYTES))
    db.execute(row.on_conflict_do_nothing())
