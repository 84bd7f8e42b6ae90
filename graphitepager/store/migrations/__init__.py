"""Bring a database to the tables of this program: one process at a time, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, column, inspect, select, table, text

from graphitepager.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# The newest revision in versions/. Kept here so that a start on a current database need not import Alembic.
HEAD = "0004"

# Not Alembic's own name for it, which the application that shares this database may use.
VERSION_TABLE = "graphite_pager_version"

# Any number, as long as every graphite-pager on a PostgreSQL server takes the same one.
_ADVISORY_LOCK = 0x6772_6170_6869_7465


def migrate(engine: Engine) -> str | None:
    """Migrate to HEAD, and return the revision that was found; None where nothing was ever migrated.

    `engine` must open its transactions with the right to write.

    Of several processes that start at once, one migrates, and the others wait and then find the work done. SQLite's
    write lock, held since BEGIN IMMEDIATE, or PostgreSQL's advisory lock sees to it; both go with the transaction.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return HEAD
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            # What makes others wait must end some day, but a big table may take its time.
            connection.execute(text("SET LOCAL statement_timeout = '15min'"))
        revision = _revision(connection)
        if revision != HEAD:
            _upgrade(connection, revision)
        return revision


def require_newest(engine: Engine) -> None:
    """Raise StoreError where the database is not at HEAD; nothing is changed."""
    with engine.connect() as connection:
        revision = _revision(connection)
    if revision is None:
        raise StoreError("the database holds nothing of graphite-pager: none has run there yet")
    if revision > HEAD:  # numbers of four digits
        raise StoreError(
            f"the database is at revision {revision}, this program knows only those up to {HEAD}: a newer "
            "graphite-pager has used it. Install that release here, too"
        )
    if revision < HEAD:
        raise StoreError(
            f"the database is at revision {revision}, this program reads revision {HEAD}: the pager's next start sees"
            " to that"
        )


def _revision(connection: Connection) -> str | None:
    """What the database is at; None where nothing was ever migrated."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    number = column("version_num", String)
    return " ".join(connection.scalars(select(number).select_from(table(VERSION_TABLE)).order_by(number))) or None


def _upgrade(connection: Connection, revision: str | None) -> None:
    from alembic import command  # noqa: PLC0415 - costs 80 ms, and most starts have nothing to migrate
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", __name__.replace(".", ":"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the database is at revision {revision}, this program knows only those up to {HEAD}: a newer "
            "graphite-pager has used it. Install that release again, or set DATABASE_URL to another database"
        )
    command.upgrade(config, HEAD)
