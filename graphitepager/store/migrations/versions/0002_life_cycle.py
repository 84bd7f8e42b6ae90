"""The whole life cycle: timers and flapping of a series, what is held back, silences, near misses, the lease."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(16)
_STATES = "graphite_pager_series_states"


def upgrade() -> None:
    """Carry over what is open: until now everything that was open had been told, and no_data_since was its begin."""
    _extend_states()
    op.add_column("graphite_pager_incidents", sa.Column("held_by", sa.Text()))
    op.add_column(
        "graphite_pager_deliveries", sa.Column("is_minimal", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _create_near_misses()
    _create_silences()
    op.create_table(
        "graphite_pager_configs",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kept_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_configs"),
    )
    leases = op.create_table(
        "graphite_pager_leases",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("expires_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_leases"),
    )
    op.bulk_insert(leases, [{"id": 1}])


def _extend_states() -> None:
    moments = ("told_at", "no_data_from", "no_data_told_at", "warning_since", "critical_since", "better_since")
    for name in (*moments, "good_since", "data_since"):
        op.add_column(_STATES, sa.Column(name, _TIME))
    for name in ("held_by", "no_data_held_by"):
        op.add_column(_STATES, sa.Column(name, sa.Text()))
    for name in ("in_storm", "no_data_in_storm", "is_flapping"):
        op.add_column(_STATES, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(_STATES, sa.Column("cycles", sa.Text(), nullable=False, server_default=""))
    for name in ("size", "low", "page"):
        op.add_column(_STATES, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    states = sa.table(
        _STATES,
        *map(sa.column, ("since", "told_at", "no_data_since", "no_data_from", "no_data_told_at", "no_data_open")),
    )
    op.execute(states.update().values(told_at=states.c.since))
    is_raised = states.c.no_data_open.is_(sa.true())
    values = {"no_data_from": states.c.no_data_since, "no_data_told_at": states.c.no_data_since}
    op.execute(states.update().where(is_raised).values(values))
    op.drop_column(_STATES, "no_data_open")


def _create_near_misses() -> None:
    op.create_table(
        "graphite_pager_near_misses",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_near_misses"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_graphite_pager_near_misses_ended_at", "graphite_pager_near_misses", ["ended_at"])


def _create_silences() -> None:
    op.create_table(
        "graphite_pager_silences",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("begins_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_graphite_pager_silences"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_graphite_pager_silences_ends_at", "graphite_pager_silences", ["ends_at"])
