"""`graphite-pager notify --test NAME`: a sample of each kind of message, sent for real."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from graphitepager import notifiers, samples
from graphitepager.cli import configuration
from graphitepager.config.borrowed import UNSET
from graphitepager.config.fields import did_you_mean
from graphitepager.deadlines import run_within
from graphitepager.errors import PagerError, SendError, describe_bug
from graphitepager.model import EventKind
from graphitepager.printable import printable
from graphitepager.problems import quote
from graphitepager.reconciling import PAGERDUTY
from graphitepager.rules import Route
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from graphitepager.model import Message
    from graphitepager.notifiers import Notifier
    from graphitepager.rules import Config, Settings

# As in the outbox: longer than any notifier's own deadline.
_DEADLINE_S = 12.0


class _Outcome(NamedTuple):
    """What became of one message, in words, and how long that took."""

    is_accepted: bool
    words: str
    seconds: float


@click.command("notify")
@configuration.config_option
@click.option("--test", "name", metavar="NAME", required=True, help="The notifier to try out, by its name.")
def command(config_path: str, name: str) -> int:
    """Send a sample of each kind of message by the notifier of this NAME, and say what became of each.

    It is a name of notifiers: in alerts.yml, or pagerduty, slack or stdout for the one of the environment. Somebody
    may be paged for a moment: what is triggered is resolved at the end. Exit code 1 when one was not accepted.

    Example: graphite-pager notify --test ops
    """
    config = configuration.read_beside_pager(config_path)
    route = _route(config, name)
    settings = config.settings
    notifier = notifiers.load(route.notifier, settings)
    answers: dict[str, str] = {}
    failures = 0
    begin = datetime.now(UTC) - samples.LASTING
    for title, message in samples.samples(begin, settings.graphite_url or "http://graphite.example.com", None):
        if message.kind is EventKind.DIGEST and route.notifier == PAGERDUTY:
            continue  # which has no digests
        outcome = _send(notifier, route, replace(message, in_reply_to=answers.get(message.incident_id)))
        if outcome.is_accepted:
            answers.setdefault(message.incident_id, outcome.words)
        failures += not outcome.is_accepted
        verdict = "accepted" if outcome.is_accepted else "FAILED"
        click.echo(scrub(f"{title:20} {verdict:8} {outcome.seconds * 1000:6.0f} ms  {printable(outcome.words)}"))
    return 1 if failures else 0


def _route(config: Config, name: str) -> Route:
    """The one of that name; PagerError where there is none."""
    known = {**_default_routes(config.settings), **config.settings.notifiers}
    if name in known:
        if known[name].notifier == UNSET:
            raise PagerError(f"{name} needs what is not set in the environment; graphite-pager verify says what")
        return known[name]
    hint = did_you_mean(name, known)
    there_are = f"there are {', '.join(known)}" if known else "name one under notifiers: in alerts.yml"
    raise PagerError(f"no notifier is called {quote(name)} ({hint or there_are})")


def _default_routes(settings: Settings) -> dict[str, Route]:
    """What alerts without `notify` use, by the names of their kinds."""
    places = {"pagerduty": settings.pagerduty_key, "slack": settings.slack_url}
    routes = {kind: Route(kind, place) for kind, place in places.items() if place}
    return routes | ({"stdout": Route("stdout", "")} if settings.stdout_enabled else {})


def _send(notifier: Notifier, route: Route, message: Message) -> _Outcome:
    begun = time.monotonic()
    is_accepted = False
    try:
        words = run_within(_DEADLINE_S, partial(notifiers.deliver, notifier, message, route.address))
        is_accepted = True
    except TimeoutError:
        words = f"no answer within {_DEADLINE_S:g} s"
    except SendError as error:
        words = error.reason
    except Exception as error:  # noqa: BLE001 - another package's notifier may fail in any way
        words = describe_bug(error)
    return _Outcome(is_accepted, words, time.monotonic() - begun)
