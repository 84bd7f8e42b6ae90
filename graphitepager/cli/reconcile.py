"""`graphite-pager reconcile`: what PagerDuty has open, held against the database; with --fix, strays are resolved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphitepager.cli import configuration
from graphitepager.errors import SendError
from graphitepager.incidents import dedup_key
from graphitepager.model import EventKind, Message
from graphitepager.notifiers import pagerduty, pagerduty_rest
from graphitepager.printable import printable
from graphitepager.reconciling import PAGERDUTY, Knowledge, Stray, compare, pagerduty_routes
from graphitepager.store import Store
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphitepager.model import SeriesKey
    from graphitepager.notifiers.pagerduty import PagerDuty
    from graphitepager.reconciling import Differences, RemoteIncident
    from graphitepager.records import KnownIncident
    from graphitepager.rules import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of resolving one stray at one of its routes, or of not even trying. `is_left`: it is still open."""

    stray: Stray
    is_left: bool
    words: str


@click.command("reconcile")
@configuration.config_option
@click.option("--fix", is_flag=True, help="Resolve the strays: what is open at PagerDuty and has ended here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(config_path: str, fix: bool, as_json: bool) -> int:
    """Compare the incidents that PagerDuty has open with those of the database.

    Needs PAGERDUTY_API_TOKEN. Exit code 1 when strays are left: open at PagerDuty, ended here.

    Example: PAGERDUTY_API_TOKEN=... graphite-pager reconcile --fix
    """
    config = configuration.read_beside_pager(config_path)
    pagerduty_rest.token_of(config.settings)  # before a database is made for nothing
    with Store.open(configuration.database_url(config, config_path)) as store:
        before = _knowledge(store)
        remote = pagerduty_rest.open_incidents(config.settings)
        differences = compare(remote, before, _knowledge(store))
        if not as_json:
            _print(differences)
        notifier = pagerduty.from_settings(config.settings)
        outcomes = []
        for outcome in _resolve(differences.strays if fix else (), store, notifier):
            outcomes.append(outcome)
            if not as_json:  # at once: each may take ten seconds
                _print_outcome(outcome)
    if as_json:
        click.echo(scrub(json.dumps(_as_json(differences, outcomes), indent=2)))
    are_left = any(outcome.is_left for outcome in outcomes) if fix else bool(differences.strays)
    return 1 if are_left else 0


def _knowledge(store: Store) -> Knowledge:
    return Knowledge(
        # The routes of these are those of earlier incidents with the same key as well.
        incidents=store.known_incidents(),
        told=frozenset(
            dedup_key(one.key, one.level)
            for one in store.open_incidents()
            if any(route.notifier == PAGERDUTY for route in one.accepted)
        ),
    )


def _resolve(strays: Iterable[Stray], store: Store, notifier: PagerDuty) -> Iterator[Outcome]:
    """Resolve each stray wherever its trigger went, unless it fires by now.

    Several services may have an incident with the same key: a resolve goes to all of them at once.
    """
    for stray in {stray.known.dedup_key: stray for stray in strays}.values():
        known = store.known_incidents().get(stray.known.dedup_key, stray.known)
        if known.is_open:
            yield Outcome(stray=stray, is_left=False, words="not resolved: it fires again")
            continue
        routes = pagerduty_routes(known)
        if not routes:
            words = "not resolved: its routing key is not stored; resolve it by hand in PagerDuty"
            yield Outcome(stray=stray, is_left=True, words=words)
        for number, route in enumerate(routes, start=1):
            place = f" (service {number} of {len(routes)})" if len(routes) > 1 else ""
            yield _send(stray, route, notifier, place)
        # The pager may have told of it while this was under way, and its trigger may have come first.
        if routes and store.known_incidents().get(known.dedup_key, known).is_open:
            words = "it began to fire in that very moment: it is told again at its next repeat_interval"
            yield Outcome(stray=stray, is_left=True, words=words)


def _send(stray: Stray, route: Route, notifier: PagerDuty, place: str) -> Outcome:
    alert, series = _names(stray.known.key)
    message = Message(
        kind=EventKind.RESOLVED,
        level=stray.known.level,
        dedup_key=stray.known.dedup_key,
        alert=alert,
        series=series,
        summary=f"RESOLVED {alert}: {series} (graphite-pager reconcile)",
        at=datetime.now(UTC),
        details={},
    )
    try:
        answer = notifier.send(message, route.address)
    except SendError as error:
        return Outcome(stray=stray, is_left=True, words=f"not resolved{place}: {error}")
    return Outcome(stray=stray, is_left=False, words=f"resolved{place}: {answer}")


def _print(differences: Differences) -> None:
    _print_table(
        "Strays: open at PagerDuty, ended here. --fix resolves them.",
        ("Alert", "Series", "Level", "At PagerDuty", "Since", "Service", "Incident"),
        [
            (*_names(stray.known.key), stray.known.level.label, *_place(stray.remote))
            for stray in differences.strays
        ],
    )  # fmt: skip
    _print_table(
        "Foreign: open at PagerDuty, unknown here: another installation's, or of a lost database. Left alone.",
        ("Title", "At PagerDuty", "Since", "Service", "Incident"),
        [(one.title, *_place(one)) for one in differences.foreign],
    )
    _print_table(
        "Missing: open here, not at PagerDuty. Each is told again at its next repeat_interval, if it still fires.",
        ("Alert", "Series", "Level"),
        [(*_names(known.key), known.level.label) for known in differences.missing],
    )
    counts = (
        (len(differences.strays), "stray"),
        (len(differences.foreign), "foreign"),
        (len(differences.missing), "missing"),
    )
    said = ", ".join(f"{count} {word}" for count, word in counts)
    click.echo(f"{differences.agreed} open here and at PagerDuty, {said}")


def _print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    click.echo(title)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(scrub(cell))) for cell in row))
    # A pipe has no width: there every row stays on its line.
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=100_000)
    console.print(table)
    click.echo()


def _print_outcome(outcome: Outcome) -> None:
    known = outcome.stray.known
    name = printable(": ".join(_names(known.key)))
    click.echo(scrub(f"{name} ({known.level.label}): {printable(outcome.words)}"))


def _names(key: SeriesKey) -> tuple[str, str]:
    alert, series = key.words
    return alert, series


def _place(remote: RemoteIncident) -> tuple[str, str, str, str]:
    since = remote.opened_at.strftime("%Y-%m-%d %H:%M UTC") if remote.opened_at else "-"
    return remote.status.value, since, remote.service, remote.url


def _as_json(differences: Differences, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    return {
        "strays": [_known_as_json(stray.known) | _remote_as_json(stray.remote) for stray in differences.strays],
        "foreign": [_remote_as_json(one) for one in differences.foreign],
        "missing": [_known_as_json(known) for known in differences.missing],
        "agreed": differences.agreed,
        "outcomes": [
            {"dedup_key": one.stray.known.dedup_key, "left": one.is_left, "reason": one.words} for one in outcomes
        ],
    }


def _known_as_json(known: KnownIncident) -> dict[str, str]:
    alert, series = _names(known.key)
    return {"dedup_key": known.dedup_key, "alert": alert, "series": series, "level": known.level.value}


def _remote_as_json(remote: RemoteIncident) -> dict[str, str | None]:
    return {
        "dedup_key": remote.dedup_key,
        "id": remote.id,
        "title": remote.title,
        "status": remote.status.value,
        "service": remote.service,
        "url": remote.url,
        "opened_at": remote.opened_at.isoformat() if remote.opened_at else None,
    }
