"""`graphite-pager web`: the status page, beside a pager on the same database."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import click

from graphitepager import telemetry
from graphitepager.alertsfile import AlertsFile
from graphitepager.cli import configuration
from graphitepager.errors import PagerError
from graphitepager.telemetry import log
from graphitepager.websettings import DEFAULT_PORT, Address

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from graphitepager.rules import Config

_LOOK_EVERY_S = 5.0
_LOG_WITHIN_S = 1.0
_MOST_WORKERS = 16


@click.command("web")
@configuration.config_option
def command(config_path: str) -> int:
    """Serve the status page at WEB_BIND, by default at 127.0.0.1:8000.

    It reads the database of the pager and changes nothing there but silences. Other machines can reach it only where
    they have to log in: with WEB_USER and WEB_PASSWORD, WEB_TOKEN, or a proxy. SIGTERM ends it within two seconds.

    Example: WEB_BIND=0.0.0.0:8000 WEB_USER=oncall WEB_PASSWORD=... graphite-pager web
    """
    telemetry.configure(timestamps=not configuration.is_heroku())
    file = _read(config_path)
    address = _address(file.config)
    refusal = file.config.settings.web.refusal(address)
    if refusal:
        raise PagerError(f"the status page is not served: {refusal}")
    url = configuration.database_url(file.config, config_path)
    count = _worker_count()
    _try(address)
    telemetry.flush(_LOG_WITHIN_S)  # what is wrong comes first, and no worker is forked in the middle of a line
    click.echo(f"the status page: http://{address}/", err=True)
    from graphitepager.web.workers import Workers  # noqa: PLC0415 - it reads WEB_CONCURRENCY as it is imported

    try:
        Workers(lambda: _make(config_path, address, url), address, count).run()
    except SystemExit as end:  # which is how gunicorn ends
        return 1 if end.code else 0
    return 0


def _make(path: str, address: Address, url: object) -> WSGIApplication:
    """Make what one worker serves, which looks at alerts.yml now and then as the pager does."""
    from graphitepager.cli.website import make_pages  # noqa: PLC0415 - as above

    telemetry.configure(timestamps=not configuration.is_heroku())
    file = _read(path)

    def watch() -> None:
        never = threading.Event()
        while not never.wait(_LOOK_EVERY_S):
            try:
                if file.has_changed():
                    file.reload(lambda: not never.wait(1.0))
            except Exception as error:  # noqa: BLE001 - the pages go on with what they have
                log.error("reload_failed", reason=type(error).__name__)

    threading.Thread(target=watch, name="alerts-file", daemon=True).start()
    return make_pages(file, address, url)


def _read(path: str) -> AlertsFile:
    return AlertsFile(
        path,
        read=lambda: configuration.read_watched(path),
        load=lambda text, source: configuration.load_or_fail(text, source, lambda _: None, needs_graphite=False),
        last_good=lambda: configuration.last_good(path, only_look=True),
    )


def _address(config: Config) -> Address:
    """Where to listen: WEB_BIND; on Heroku the port that is given to each process; or this machine only."""
    if config.settings.web.bind:
        return config.settings.web.bind
    port = os.environ.get("PORT", "") if configuration.is_heroku() else ""
    return Address("0.0.0.0", int(port)) if port.isdecimal() else Address("127.0.0.1", DEFAULT_PORT)  # noqa: S104 - guarded


def _try(address: Address) -> None:
    """Raise PagerError where nobody can listen there: gunicorn would say so ten times."""
    try:
        kind, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise PagerError(f"the status page cannot be served at {address}: {(error.strerror or '').lower()}") from None


def _worker_count() -> int:
    written = os.environ.get("WEB_CONCURRENCY", "").strip() or "1"
    if not written.isdecimal() or not 1 <= int(written) <= _MOST_WORKERS:
        raise PagerError(f"environment: WEB_CONCURRENCY: expected a whole number from 1 to {_MOST_WORKERS}")
    return int(written)
