"""`graphite-pager run`: poll, evaluate and page until stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from graphitepager import telemetry
from graphitepager.cli import configuration
from graphitepager.daemon import Daemon
from graphitepager.signals import Orders
from graphitepager.store import Store
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from graphitepager.model import Config


@click.command("run")
@configuration.config_option
@click.option(
    "--once", is_flag=True, help="Poll once, send what that leads to, and end; exit code 1 if any of it failed."
)
def command(config_path: str, once: bool) -> int:
    """Poll Graphite every HEARTBEAT_SECONDS, and open and resolve incidents.

    SIGTERM ends it within a second with everything recorded; SIGHUP reads alerts.yml again.

    Example: GRAPHITE_URL=https://graphite.example.com PAGERDUTY_KEY=... graphite-pager run
    """
    telemetry.configure(timestamps=not configuration.is_heroku())

    def load() -> Config:
        config = configuration.read_or_fail(config_path, lambda one: log.warning("config", problem=one.headline))
        telemetry.configure(verbose=config.settings.verbose, timestamps=not configuration.is_heroku())
        log.debug("settings", settings=config.settings)
        return config

    config = load()
    orders = Orders()
    with orders.listening(), Store.open(configuration.database_url(config, config_path)) as store:
        log.info("started", alerts=len(config.alerts), heartbeat_s=config.settings.heartbeat_s)
        daemon = Daemon(config, store, orders, reload=load, clock=lambda: datetime.now(UTC))
        if once:
            return 0 if daemon.run_once() else 1
        daemon.run()
    return 0
