"""The tables of the state database, and the column types that make SQLite and PostgreSQL behave alike.

Every name begins with or contains `graphite_pager_`: the database may be shared with an application that has tables of
its own. A column that no query reads is there for people who look into the database.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from graphitepager.model import EventKind
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level
from graphitepager.tallies import Result, Transition

if TYPE_CHECKING:
    import enum

    from sqlalchemy import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; SQLite by itself would return what it got without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a datetime without a zone cannot be stored")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_UNSTORABLE = re.compile("[\0\ufdd0\ud800-\udfff]")
_STORED = re.compile("\ufdd0([0-9a-f]{4})")


class AnyText(TypeDecorator[str]):
    """Text that may hold what PostgreSQL refuses, because series names come from whoever writes to Graphite.

    U+0000 and lone surrogates are kept as U+FDD0, a code point that Unicode reserves for a program's own use, and four
    hexadecimal digits; so is U+FDD0 itself. Every name comes back as it was, and no two become one.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and _UNSTORABLE.sub(lambda match: f"\ufdd0{ord(match[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value and _STORED.sub(lambda match: chr(int(match[1], 16)), value)


def _words(kind: type[enum.Enum]) -> Enum:
    """An enum as its values in a plain column, so that a new member needs no migration."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [each.value for each in members])


def text_id(*parts: str) -> str:
    """A fixed-length key for names of any length: PostgreSQL cannot index a series name of 3,000 characters."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# Series that are not fine. `id` is text_id(alert, series). What stands for what: model.SeriesState. `cycles` holds
# moments in ISO 8601, a space between them.
series_states = Table(
    "graphite_pager_series_states",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("alert", AnyText, nullable=False),
    Column("series", AnyText, nullable=False),
    Column("level", _words(Level), nullable=False),
    Column("since", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("held_by", AnyText),
    Column("in_storm", Boolean, nullable=False),
    Column("no_data_from", UtcDateTime),
    Column("no_data_told_at", UtcDateTime),
    Column("no_data_held_by", AnyText),
    Column("no_data_in_storm", Boolean, nullable=False),
    Column("value", Double),
    Column("warning_since", UtcDateTime),
    Column("critical_since", UtcDateTime),
    Column("better_since", UtcDateTime),
    Column("good_since", UtcDateTime),
    Column("no_data_since", UtcDateTime),
    Column("data_since", UtcDateTime),
    Column("cycles", Text, nullable=False),
    Column("is_flapping", Boolean, nullable=False),
    Column("size", Integer, nullable=False),
    Column("low", Integer, nullable=False),
    Column("page", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Which series exist: a row for each alert and target, not for each series, because nothing ever asks for one alone.
# The ids are text_id of the name; `names` is deflated UTF-8, a name a line.
known_series = Table(
    "graphite_pager_known_series",
    metadata,
    Column("alert_id", String(64), primary_key=True),
    Column("target_id", String(64), primary_key=True),
    Column("alert", AnyText, nullable=False),
    Column("target", AnyText, nullable=False),
    Column("names", LargeBinary, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

incidents = Table(
    "graphite_pager_incidents",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("dedup_key", AnyText, nullable=False),
    Column("alert", AnyText, nullable=False),
    Column("series", AnyText, nullable=False),
    Column("level", _words(Level), nullable=False),
    Column("value", Double),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("close_reason", AnyText),
    Column("held_by", AnyText),
    sqlite_autoincrement=True,
)

Index(
    "uq_graphite_pager_incidents_open",
    incidents.c.dedup_key,
    unique=True,
    sqlite_where=incidents.c.closed_at.is_(None),
    postgresql_where=incidents.c.closed_at.is_(None),
)

# `lane` groups what must leave in order of `id`. `finished_at` is null exactly while `status` is pending: the queue's
# queries ask for that, because a partial index helps a constant condition only, not one with a parameter. `digest_s` is
# for how many seconds it is collected, to be told together with others; null where it is told by itself.
deliveries = Table(
    "graphite_pager_deliveries",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("incident_id", _ROW_ID, ForeignKey("graphite_pager_incidents.id"), nullable=False, index=True),
    Column("lane", AnyText, nullable=False),
    Column("kind", _words(EventKind), nullable=False),
    Column("level", _words(Level), nullable=False),
    Column("notifier", AnyText, nullable=False),
    Column("address", AnyText, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("status", _words(DeliveryStatus), nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("is_minimal", Boolean, nullable=False),
    Column("digest_s", Integer),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("claimed_by", AnyText),
    Column("claimed_until", UtcDateTime),
    Column("last_error", AnyText),
    Column("answer", AnyText),
    Column("finished_at", UtcDateTime),
    sqlite_autoincrement=True,
)

Index(
    "ix_graphite_pager_deliveries_pending",
    deliveries.c.lane,
    deliveries.c.id,
    sqlite_where=deliveries.c.finished_at.is_(None),
    postgresql_where=deliveries.c.finished_at.is_(None),
)

# Breaches that ended before their `for` was up.
near_misses = Table(
    "graphite_pager_near_misses",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("alert", AnyText, nullable=False),
    Column("series", AnyText, nullable=False),
    Column("level", _words(Level), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# `matchers` is JSON: silences.to_json.
silences = Table(
    "graphite_pager_silences",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("comment", AnyText, nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# At most one row: the last alerts.yml that was good.
configs = Table(
    "graphite_pager_configs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("source", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)

# One row: who polls, and until when that holds. PostgreSQL has an advisory lock for it instead.
leases = Table(
    "graphite_pager_leases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", AnyText),
    Column("expires_at", UtcDateTime),
)

# What the pager keeps to itself, each under a name.
secrets = Table(
    "graphite_pager_secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("secret", Text, nullable=False),
)

# Counters, which only grow; they outlive what they count. `last_at` is null for attempts that are made again.
transition_tallies = Table(
    "graphite_pager_transition_tallies",
    metadata,
    Column("kind", _words(Transition), primary_key=True),
    Column("level", _words(Level), primary_key=True),
    Column("total", BigInteger, nullable=False),
)
delivery_tallies = Table(
    "graphite_pager_delivery_tallies",
    metadata,
    Column("notifier", AnyText, primary_key=True),
    Column("kind", _words(EventKind), primary_key=True),
    Column("result", _words(Result), primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("last_at", UtcDateTime),
)

# One row, which the first migration inserts: a poll in which nothing changes is one UPDATE. The totals are counters.
polls = Table(
    "graphite_pager_polls",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("series", Integer),
    Column("failed", Integer),
    Column("total_polls", BigInteger, nullable=False, server_default="0"),
    Column("total_series", BigInteger, nullable=False, server_default="0"),
    Column("total_failed", BigInteger, nullable=False, server_default="0"),
    Column("total_seconds", Double, nullable=False, server_default="0"),
)
