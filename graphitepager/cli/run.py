"""`graphite-pager run`: poll, evaluate and page until stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from graphitepager import telemetry
from graphitepager.alertsfile import AlertsFile
from graphitepager.cli import configuration
from graphitepager.daemon import Daemon
from graphitepager.signals import Orders
from graphitepager.store import Store
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from graphitepager.rules import Config


@click.command("run")
@configuration.config_option
@click.option(
    "--once", is_flag=True, help="Poll once, send what that leads to, and end; exit code 1 if any of it failed."
)
def command(config_path: str, once: bool) -> int:
    """Poll Graphite every HEARTBEAT_SECONDS, and open and resolve incidents.

    SIGTERM ends it within a second with everything recorded; SIGHUP reads alerts.yml again, as does a change of it.
    Of several on one database one polls, and the others stand by.

    Example: GRAPHITE_URL=https://graphite.example.com PAGERDUTY_KEY=... graphite-pager run
    """
    telemetry.configure(timestamps=not configuration.is_heroku())
    file = AlertsFile(
        config_path,
        read=lambda: configuration.read_watched(config_path),
        load=_load,
        last_good=lambda: configuration.last_good(config_path),
    )
    orders = Orders()
    with orders.listening(), Store.open(configuration.database_url(file.config, config_path)) as store:
        log.info("started", alerts=len(file.config.alerts), heartbeat_s=file.config.settings.heartbeat_s)
        daemon = Daemon(file, store, orders, clock=lambda: datetime.now(UTC))
        if once:
            return 0 if daemon.run_once() else 1
        daemon.run()
    return 0


def _load(text: str, source: str) -> Config:
    config = configuration.load_or_fail(text, source, lambda one: log.warning("config", problem=one.headline))
    telemetry.configure(verbose=config.settings.verbose, timestamps=not configuration.is_heroku())
    log.debug("settings", settings=config.settings)
    return config
