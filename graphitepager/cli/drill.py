"""`graphite-pager drill`: a made-up page to a test service, by the way that a real one goes."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import time
from typing import TYPE_CHECKING

import click

from graphitepager import telemetry
from graphitepager.cli import configuration
from graphitepager.cli.configuration import complain
from graphitepager.drilling import ALERT, Drill, Stage
from graphitepager.errors import PagerError
from graphitepager.graphite import Fetcher
from graphitepager.printable import printable
from graphitepager.store import Store, database_url
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.rules import Config

_KEY = re.compile("[A-Za-z0-9]{32}")


@click.command("drill")
@configuration.config_option
@click.option(
    "--key",
    metavar="KEY",
    help="The routing key of a test service, which nobody is on call for.  [default: DRILL_PAGERDUTY_KEY]",
)
def command(config_path: str, key: str | None) -> int:
    """Page a test service for a made-up breach, end it, and say how long each stage took.

    The breach comes from Graphite, is judged, stored in a database of its own, queued, and sent for real. alerts.yml
    only says where Graphite and PagerDuty are; its own keys are refused. Exit code 1 when a stage fails.

    Example: DRILL_PAGERDUTY_KEY=... graphite-pager drill
    """
    key = key or configuration.drill_key()
    if key is None:
        raise click.UsageError("name the test service: --key KEY, or better the variable DRILL_PAGERDUTY_KEY")
    telemetry.keep_secret([key])
    config = configuration.read_or_fail(config_path, lambda _: None)
    _refuse_production(key, config)
    telemetry.configure(stream=io.StringIO())  # what the poller and the outbox log, the stages say shorter
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="graphite-pager-drill-"))
        began = time.monotonic()
        store = stack.enter_context(Store.open(database_url(None, beside=folder, on_heroku=False)))
        opened_s = time.monotonic() - began
        fetcher = stack.enter_context(contextlib.closing(Fetcher(config.settings)))
        drill = Drill(config.settings, key, store, fetcher)
        click.echo(f"{ALERT}: {drill.series}")
        _show(Stage("a database of its own is made", opened_s))
        page_s = _run("page", drill.page())
        end_s = _run("end", drill.end()) if drill.may_be_open else None
    if page_s is None or end_s is None:
        by_hand = f"; if the test service has {drill.series!r} open, resolve it by hand" if drill.may_be_open else ""
        complain(f"graphite-pager: the drill failed{by_hand}")
        return 1
    heartbeat_s = config.settings.heartbeat_s
    took = f"the page took {page_s:.2f} s, its end {end_s:.2f} s"
    click.echo(f"{took}; a breach waits for its poll for up to {heartbeat_s:g} s")
    return 0


def _refuse_production(key: str, config: Config) -> None:
    """PagerError where the key is none, or one that people are paged by."""
    if not _KEY.fullmatch(key):
        raise PagerError("the key of the drill is none: a routing key has 32 letters and digits")
    settings = config.settings
    known = {
        settings.pagerduty_key,
        *settings.pagerduty_keys.values(),
        *(route.address for route in settings.notifiers.values()),
        *(entry.pagerduty_key for alert in config.alerts for entry in alert.entries),
    }
    if key.lower() in {each.lower() for each in known if each}:
        raise PagerError(
            "the key of the drill is one that people are paged by: make a service in PagerDuty that nobody is on call"
            " for, with an integration Events API v2, and take its key"
        )


def _run(title: str, stages: Iterable[Stage]) -> float | None:
    """Show the stages as they come; how long all of them took, None where one failed."""
    click.echo(f"{title}:")
    total_s = 0.0
    for stage in _shown(stages):
        total_s += stage.seconds
        if stage.failure is not None:
            return None
    return total_s


def _shown(stages: Iterable[Stage]) -> Iterator[Stage]:
    for stage in stages:
        _show(stage)
        yield stage


def _show(stage: Stage) -> None:
    failed = "" if stage.failure is None else f"FAILED: {stage.failure}"
    said = failed or stage.outcome
    click.echo(scrub(f"{stage.seconds:8.3f} s  {stage.name}" + (f": {printable(said)}" if said else "")))
