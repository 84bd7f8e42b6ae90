"""What the commands that replay the past have in common: its begin and end, fetching it, and how far that has come."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from graphitepager import checks
from graphitepager.cli import configuration, moments
from graphitepager.cli.configuration import complain
from graphitepager.durations import format_duration
from graphitepager.errors import PagerError
from graphitepager.history import sorted_times
from graphitepager.pastwindows import PastWindows, Replayed
from graphitepager.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from graphitepager.backtesting import Tally
    from graphitepager.history import Track
    from graphitepager.rules import Config, Query

    Use = Callable[[Sequence[int], Mapping[Query, Sequence[Track]]], None]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

# More would be a slip: ten years of a minute each.
_MOST_POLLS = 5_300_000


class Period(NamedTuple):
    """The polls of a replay: epoch seconds, one for each poll."""

    times: Sequence[int]

    @property
    def begin(self) -> datetime:
        return datetime.fromtimestamp(self.times[0], UTC)

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp(self.times[-1], UTC)


def period_options(function: _Function) -> _Function:
    """Add `--from` and `--until`."""
    until = click.option(
        "--until", metavar="TIME", default="now", show_default=True, callback=moments.as_moment, help="Where it ends."
    )
    begin = click.option(
        "--from",
        "begin",
        metavar="TIME",
        default="-7d",
        show_default=True,
        callback=moments.as_moment,
        help="Where it begins: -12h, or 2026-03-01T22:00, which is local time.",
    )
    return begin(until(function))


def step_option(function: _Function) -> _Function:
    """Add `--step`."""
    return click.option(
        "--step",
        metavar="LENGTH",
        callback=_step,
        help="The time from poll to poll.  [default: HEARTBEAT_SECONDS]",
    )(function)


def period(begin: datetime, until: datetime, step: timedelta | None, config: Config) -> tuple[Period, Config]:
    """The polls of that time, and the configuration with their heartbeat; UsageError where there are none."""
    step_s = round(step.total_seconds() if step else config.settings.heartbeat_s) or 1
    times = sorted_times(int(begin.timestamp()), int(until.timestamp()), step_s)
    if until <= begin:
        raise click.UsageError("the period is empty: --from must lie before --until")
    if until - begin < timedelta(seconds=step_s):
        raise click.UsageError(
            f"the period is shorter than the {format_duration(timedelta(seconds=step_s))} from poll to poll"
        )
    if len(times) > _MOST_POLLS:
        raise click.UsageError(f"{len(times)} polls are too many: choose a shorter period or a longer --step")
    return Period(times), replace(config, settings=replace(config.settings, heartbeat_s=float(step_s)))


def read(path: str) -> Config:
    """The configuration, its warnings told; not those of the environment: CI may have no routing key."""
    return configuration.read_or_fail(path, lambda one: complain(one.headline) if one.line is not None else None)


def fetch(configs: Sequence[Config], period: Period, users: Callable[[frozenset[str]], Iterable[Use]]) -> Replayed:
    """Fetch the past for all of these configurations once, and have it used window by window.

    `users` is called with the names of the alerts whose targets cannot be fetched, and says who uses the windows.
    PagerError where no alert's can.
    """
    alerts = [alert for config in configs for alert in config.alerts]
    with PastWindows(configs[0].settings, checks.queries_of(alerts)) as past:
        failed = {
            alert.name: str(past.failures[query])
            for alert in alerts
            for query in checks.queries_of([alert])
            if query in past.failures
        }
        if len(alerts) == len(failed) == 1:
            raise PagerError(failed[alerts[0].name])
        for name, reason in failed.items():
            complain(f"graphite-pager: {name} is left out: {reason}")
        if len(failed) == len({alert.name for alert in alerts}):
            raise PagerError("no alert can be replayed")
        uses = list(users(frozenset(failed)))
        with _progress(len(period.times)) as advance:

            def use(times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
                for each in uses:
                    each(times, history)
                advance(len(times))

            past.each(period.times, use)
        return Replayed(failed, past.coarse)


def tallying(config: Config, tally: Tally) -> Use:
    """Replay the configuration into a tally."""
    replay = Replay(config)

    def use(times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
        for poll in replay.run(times, history):
            tally.add(poll)

    return use


def without(config: Config, names: frozenset[str]) -> Config:
    """The configuration without these alerts."""
    return replace(config, alerts=tuple(alert for alert in config.alerts if alert.name not in names))


@contextlib.contextmanager
def _progress(polls: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("Replaying"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} polls"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=polls)
        yield lambda count: bar.advance(task, count)


def _step(ctx: click.Context, parameter: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    length = moments.as_length(ctx, parameter, text)
    if length < timedelta(seconds=1):
        raise click.BadParameter("the time from poll to poll is at least a second")
    return length
