"""Deliveries that are collected and told together."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Until now everything was told by itself."""
    op.add_column("graphite_pager_deliveries", sa.Column("digest_s", sa.Integer()))
