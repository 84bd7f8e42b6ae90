"""`graphite-pager run`: poll, evaluate and page until stopped."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from graphitepager import telemetry
from graphitepager.alertsfile import AlertsFile
from graphitepager.cli import configuration
from graphitepager.daemon import Daemon
from graphitepager.errors import PagerError, describe_bug
from graphitepager.servicemanager import ServiceManager
from graphitepager.signals import Orders
from graphitepager.store import Store
from graphitepager.telemetry import log
from graphitepager.watchdog import Watchdog
from graphitepager.websettings import Address, parse_address

if TYPE_CHECKING:
    from graphitepager.rules import Config


def _address(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Address | None:
    try:
        return None if text is None else parse_address(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("run")
@configuration.config_option
@click.option(
    "--once", is_flag=True, help="Poll once, send what that leads to, and end; exit code 1 if any of it failed."
)
@click.option("--web", "web_address", metavar="HOST:PORT", callback=_address, help="Serve the status page there, too.")
def command(config_path: str, once: bool, web_address: Address | None) -> int:
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
    refusal = web_address and file.config.settings.web.refusal(web_address)
    if refusal:
        raise PagerError(f"the status page is not served: {refusal}")
    orders = Orders()
    url = configuration.database_url(file.config, config_path)
    with orders.listening(), Store.open(url) as store:
        log.info("started", alerts=len(file.config.alerts), heartbeat_s=file.config.settings.heartbeat_s)
        manager = ServiceManager(os.environ.get("NOTIFY_SOCKET"))
        daemon = Daemon(file, store, orders, clock=lambda: datetime.now(UTC), watchdog=Watchdog(well=manager.alive))
        if web_address is not None:
            pages = threading.Thread(
                target=_serve_pages, args=(file, web_address, url, orders.stop), name="web", daemon=True
            )
            pages.start()
        if once:
            return 0 if daemon.run_once() else 1
        manager.ready()
        daemon.run()
    return 0


def _load(text: str, source: str) -> Config:
    config = configuration.load_or_fail(text, source, lambda one: log.warning("config", problem=one.headline))
    telemetry.configure(verbose=config.settings.verbose, timestamps=not configuration.is_heroku())
    log.debug("settings", settings=config.settings)
    return config


def _serve_pages(file: AlertsFile, address: Address, url: Any, stop: threading.Event) -> None:
    """Serve the status page until `stop`. Even its imports happen here: no mistake in it costs a poll."""
    try:
        from graphitepager.cli.website import make_pages  # noqa: PLC0415 - a pager without --web has no Flask
        from graphitepager.web.beside import serve  # noqa: PLC0415 - as above

        serve(lambda: make_pages(file, address, url), address, stop)
    except Exception as error:  # noqa: BLE001 - the polling goes on
        log.error("web_failed", reason=describe_bug(error))
