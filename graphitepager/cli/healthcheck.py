"""`graphite-pager healthcheck`: whether a pager polls in time, as the database tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from graphitepager import polling
from graphitepager.cli import configuration
from graphitepager.deadlines import run_within
from graphitepager.durations import format_duration
from graphitepager.errors import StoreError
from graphitepager.store import Store, place

if TYPE_CHECKING:
    from sqlalchemy import URL

    from graphitepager.records import PollSummary

# A container's engine kills a check that takes longer, and says nothing of why: the image gives it 20 s.
_PATIENCE = timedelta(seconds=5)
_LONGEST_S = 8.0


@click.command("healthcheck")
@configuration.config_option
def command(config_path: str) -> int:
    """Ask the database whether the last poll was in time: no longer ago than three heartbeats, or half a minute.

    For Docker's HEALTHCHECK and its like. A Graphite that does not answer is no fault here: the pager is there, and
    pages for it. Of two pagers on one database both are healthy while one of them polls. Exit code 1: it does not poll.

    Example: graphite-pager healthcheck
    """
    config = configuration.read_beside_pager(config_path)
    last = _last_poll(configuration.database_url(config, config_path))
    if last is None:
        click.echo("no poll yet")
        return 1
    allowed = polling.late_after(config.settings)
    ago = max(datetime.now(UTC) - last.started_at, timedelta(0))
    is_late = ago > allowed
    words = f"last poll {format_duration(timedelta(seconds=round(ago.total_seconds())))} ago"
    click.echo(f"{words}, which is more than {format_duration(allowed)}: is a pager running?" if is_late else words)
    return int(is_late)


def _last_poll(url: URL) -> PollSummary | None:
    def ask() -> PollSummary | None:
        with Store.open_to_read(url, patience=_PATIENCE) as store:
            return store.last_poll()

    try:
        return run_within(_LONGEST_S, ask)
    except TimeoutError:
        raise StoreError(f"{place(url)}: no answer within {_LONGEST_S:g} s") from None
