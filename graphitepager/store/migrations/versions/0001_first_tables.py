"""The first tables: states, known series, incidents, deliveries, the last poll."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(16)


def upgrade() -> None:
    """Create everything, and the one row of `polls`."""
    _create_states()
    _create_incidents()
    _create_deliveries()
    polls = op.create_table(
        "graphite_pager_polls",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("finished_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("series", sa.Integer()),
        sa.Column("failed", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_polls"),
    )
    op.bulk_insert(polls, [{"id": 1}])


def _create_states() -> None:
    op.create_table(
        "graphite_pager_series_states",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("since", _TIME),
        sa.Column("value", sa.Double()),
        sa.Column("no_data_since", _TIME),
        sa.Column("no_data_open", sa.Boolean(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_series_states"),
    )
    op.create_table(
        "graphite_pager_known_series",
        sa.Column("alert_id", sa.String(64), nullable=False),
        sa.Column("target_id", sa.String(64), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("names", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "target_id", name="pk_graphite_pager_known_series"),
    )


def _create_incidents() -> None:
    op.create_table(
        "graphite_pager_incidents",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sa.Column("close_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_incidents"),
        sqlite_autoincrement=True,
    )
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_graphite_pager_incidents_open",
        "graphite_pager_incidents",
        ["dedup_key"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def _create_deliveries() -> None:
    op.create_table(
        "graphite_pager_deliveries",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("incident_id", _ROW_ID, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("notifier", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _TIME, nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_until", _TIME),
        sa.Column("last_error", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.Column("finished_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_deliveries"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["graphite_pager_incidents.id"], name="fk_graphite_pager_deliveries_incident_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_graphite_pager_deliveries_incident_id", "graphite_pager_deliveries", ["incident_id"])
    op.create_index("ix_graphite_pager_deliveries_status", "graphite_pager_deliveries", ["status"])
    pending = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_graphite_pager_deliveries_pending",
        "graphite_pager_deliveries",
        ["lane", "id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
