"""What is counted for good: polls, transitions, deliveries; and a secret of the web pages' own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_WORD = sa.String(16)
_POLLS = "graphite_pager_polls"
_DELIVERY_TALLIES = "graphite_pager_delivery_tallies"


def upgrade() -> None:
    """Begin at nought, but for deliveries: they are counted from the history that there is."""
    for name in ("total_polls", "total_series", "total_failed"):
        op.add_column(_POLLS, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(_POLLS, sa.Column("total_seconds", sa.Double(), nullable=False, server_default="0"))
    op.create_table(
        "graphite_pager_transition_tallies",
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "level", name="pk_graphite_pager_transition_tallies"),
    )
    op.create_table(
        _DELIVERY_TALLIES,
        sa.Column("notifier", sa.Text(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("result", _WORD, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("notifier", "kind", "result", name="pk_graphite_pager_delivery_tallies"),
    )
    op.create_table(
        "graphite_pager_secrets",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_graphite_pager_secrets"),
    )
    _count_what_was_delivered()


def _count_what_was_delivered() -> None:
    deliveries = sa.table("graphite_pager_deliveries", *map(sa.column, ("notifier", "kind", "status", "finished_at")))
    known = (
        sa.select(
            deliveries.c.notifier,
            deliveries.c.kind,
            deliveries.c.status,
            sa.func.count(),
            sa.func.max(deliveries.c.finished_at),
        )
        .where(deliveries.c.finished_at.is_not(None))
        .group_by(deliveries.c.notifier, deliveries.c.kind, deliveries.c.status)
    )
    names = ["notifier", "kind", "result", "total", "last_at"]
    op.execute(sa.insert(sa.table(_DELIVERY_TALLIES, *map(sa.column, names))).from_select(names, known))
