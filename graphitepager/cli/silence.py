"""`graphite-pager silence`: hold back what is known to be broken, for a time and for a reason."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphitepager import silences, silencing
from graphitepager.cli import configuration
from graphitepager.cli.configuration import complain
from graphitepager.durations import format_duration
from graphitepager.errors import PagerError
from graphitepager.printable import printable
from graphitepager.store import Store
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from graphitepager.model import Matcher, SeriesKey, Silence
    from graphitepager.records import Snapshot

_LARGEST_ID = 2**63 - 1
_NAMED = 5


@click.group("silence")
def command() -> None:
    """Hold back triggers for a time: add, list and end silences.

    A silence never holds back a resolve. What still fires when it ends is triggered then.

    Example: graphite-pager silence add 'alert=MongoDB*' --for 2h --why 'new disks'
    """


def _matchers(_ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    try:
        return tuple(map(silences.parse_matcher, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _length(_ctx: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    try:
        return silencing.parse_length(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _begin(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # Without a zone it is the local time of this machine, which is also shown.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"expected a time such as 2026-03-01T22:00 or 2026-03-01T22:00Z, got {text!r}"
        ) from None


def _words(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise click.BadParameter("it is empty, and others will want to know")
    return text and text.strip()


@command.command("add")
@click.argument("matchers", metavar="MATCHER...", nargs=-1, required=True, callback=_matchers)
@configuration.config_option
@click.option("--for", "length", metavar="LENGTH", required=True, callback=_length, help="How long: 30min, 2h, 1d12h.")
@click.option("--why", "comment", metavar="TEXT", required=True, callback=_words, help="The reason, for other people.")
@click.option("--by", "author", metavar="NAME", callback=_words, help="Who silences.  [default: your login name]")
@click.option("--from", "begins_at", metavar="TIME", callback=_begin, help="When it begins.  [default: now]")
def add(
    matchers: tuple[Matcher, ...],
    config_path: str,
    length: timedelta,
    comment: str,
    author: str | None,
    begins_at: datetime | None,
) -> None:
    """Silence what all MATCHERs fit, and say what that is.

    A MATCHER is alert=…, series=… or level=…, with != for the opposite and a glob behind it (* ? [abc] {a,b}).

    Example: graphite-pager silence add 'alert=MongoDB*' 'series!=db1' --for 2h --why 'new disks'
    """
    now = datetime.now(UTC).replace(microsecond=0)
    begins_at = begins_at or now
    if not now - length < begins_at <= now + silencing.LONGEST:
        raise click.UsageError(
            f"a silence from {_moment(begins_at)} would be over, or begin in more than {silencing.LONGEST.days} days"
        )
    author = author or _login_name()
    with _opened(config_path) as store:
        snapshot = store.load()  # first: where it cannot be read, nothing is silenced
        silence = store.add_silence(
            matchers=matchers, author=author, comment=comment, begins_at=begins_at, ends_at=begins_at + length
        )
    begin = f"from {_moment(silence.begins_at)} " if silence.begins_at > now else ""
    click.echo(f"silence {silence.id}: {begin}until {_moment(silence.ends_at)}")
    click.echo(f"matchers: {_shown_matchers(silence)}")
    _print_preview(silence, snapshot)


@command.command("list")
@configuration.config_option
@click.option("--all", "is_all", is_flag=True, help="Also those that are over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(config_path: str, is_all: bool, as_json: bool) -> None:
    """List the silences that are not over.

    Example: graphite-pager silence list --all
    """
    now = datetime.now(UTC)
    with _opened(config_path) as store:
        found = store.silences(None if is_all else now)
    if as_json:
        click.echo(scrub(json.dumps({"silences": [_as_json(one, now) for one in found]}, indent=2)))
    elif found:
        _print_table(found, now)
    else:
        click.echo("no silence yet" if is_all else "no silence that is not over; --all lists the others", err=True)


@command.command("end")
@click.argument("silence_id", metavar="ID", type=click.IntRange(1, _LARGEST_ID))
@configuration.config_option
def end(silence_id: int, config_path: str) -> None:
    """End a silence now; what still fires is triggered by the next poll.

    Example: graphite-pager silence end 3
    """
    now = datetime.now(UTC)
    with _opened(config_path) as store:
        if store.end_silence(silence_id, now) is None:
            ended = next((one for one in store.silences() if one.id == silence_id), None)
            if ended is None:
                raise PagerError(f"there is no silence {silence_id}; graphite-pager silence list names those there are")
            raise PagerError(f"silence {silence_id} is over since {_moment(ended.ends_at)}")
    click.echo(f"silence {silence_id} is over: what still fires is triggered by the next poll")


def _opened(path: str) -> Store:
    return Store.open(configuration.database_url(configuration.read_beside_pager(path), path))


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # before Python 3.13 it is a KeyError
        raise click.UsageError("this user has no login name: say who you are with --by NAME") from None


def _print_preview(silence: Silence, snapshot: Snapshot) -> None:
    """Say what it fits of what is known."""
    found = silencing.preview(silence, snapshot)
    bad = (f"{_words_of(key)} is {' and '.join(level.label for level in levels)}" for key, levels in found.not_fine)
    click.echo(f"not fine now: {_some(bad)}")
    click.echo(f"known series: {_some(map(_words_of, found.known))}")
    if found.is_empty:
        complain(
            f"graphite-pager: warning: silence {silence.id} fits nothing that is known by now; if that is a slip:"
            f" graphite-pager silence end {silence.id}"
        )


def _words_of(key: SeriesKey) -> str:
    alert, series = key.words
    return f"{alert}: {series}"


def _some(names: Iterable[str]) -> str:
    """How many, and the first of them."""
    listed = list(names)
    if not listed:
        return "none"
    rest = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"{len(listed)} ({', '.join(map(_shown, listed[:_NAMED]))}{rest})"


def _print_table(found: Iterable[Silence], now: datetime) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Id", justify="right")
    for heading in ("Matchers", "Until", "Left", "Author", "Comment"):
        table.add_column(heading, overflow="fold")
    for one in found:
        cells = (str(one.id), _shown_matchers(one), _moment(one.ends_at), _left(one, now), one.author, one.comment)
        table.add_row(*(Text(_shown(cell)) for cell in cells))
    # A pipe has no width: there every row stays on its line.
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=100_000)
    console.print(table)


def _left(silence: Silence, now: datetime) -> str:
    if silence.ends_at <= now:
        return "over"
    if silence.begins_at > now:
        return f"begins in {format_duration(silence.begins_at - now)}"
    return format_duration(silence.ends_at - now)


def _as_json(silence: Silence, now: datetime) -> dict[str, Any]:
    return {
        "id": silence.id,
        "matchers": [silences.format_matcher(one) for one in silence.matchers],
        "author": silence.author,
        "comment": silence.comment,
        "begins_at": silence.begins_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
        "is_active": silence.begins_at <= now < silence.ends_at,
    }


def _shown_matchers(silence: Silence) -> str:
    return _shown(" and ".join(map(silences.format_matcher, silence.matchers)))


def _moment(moment: datetime) -> str:
    """In UTC, and by the clocks of this machine where they differ."""
    local = moment.astimezone()
    by_the_clock = f" ({local:%Y-%m-%d %H:%M %Z})" if local.utcoffset() else ""
    return f"{moment:%Y-%m-%d %H:%M} UTC{by_the_clock}"


def _shown(text: str) -> str:
    # Masked before it is escaped, as in the log: an escaped secret is not always known for one.
    return printable(scrub(text))
