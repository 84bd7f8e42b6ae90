"""What stands on the command line of sql-to-graphite, and how each word of it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

import graphitepager
from graphitepager.durations import parse_duration
from graphitepager.sql.names import is_path

if TYPE_CHECKING:
    from collections.abc import Callable

_LEVELS = ["read-uncommitted", "read-committed", "repeatable-read", "serializable"]


class _Seconds(click.ParamType[float]):
    """A length of time as alerts.yml has them: 90s, 5min, 1h30min; more than nothing."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            seconds = parse_duration(value).total_seconds()
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not seconds:
            self.fail("expected a duration of more than 0", param, ctx)
        return seconds


def _prefix(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    prefix = value.rstrip(".")  # as many have written it
    if prefix and not is_path(prefix):
        raise click.BadParameter("expected nodes with dots between them, without spaces, slashes or brackets")
    return prefix


def _url(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Never quotes what it was given: it may hold a password."""
    if value is None:
        return None
    try:
        url = urlsplit(value)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s#\\]", value):
        raise click.BadParameter("expected a URL with http:// or https://")
    if "@" in url.netloc:
        raise click.BadParameter("a password here is seen by everybody on this machine: give it in the environment")
    return value


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add all of them, in the order of the help."""
    seconds = _Seconds()
    for option in reversed(
        [
            click.option(
                "--queries",
                "path",
                metavar="FILE",
                help="Named queries, in YAML or SQL.  [default: standard input, one a line]",
            ),
            click.option("--graphite-host", "host", metavar="HOST", help="Where Carbon listens."),
            click.option(
                "--graphite-port",
                "port",
                type=click.IntRange(1, 65535),
                metavar="PORT",
                help="[default: 2003; with --tls 20030]",
            ),
            click.option(
                "--graphite-prefix",
                "prefix",
                default="db",
                show_default=True,
                callback=_prefix,
                metavar="PREFIX",
                help="What stands before each name.",
            ),
            click.option(
                "--graphite-url",
                "sink",
                callback=_url,
                metavar="URL",
                help="Post to this URL, instead of --graphite-host.",
            ),
            click.option(
                "--graphite-timeout",
                "graphite_timeout_s",
                type=seconds,
                default="30s",
                show_default=True,
                help="How long to wait for Graphite at each step.",
            ),
            click.option(
                "--key-env", metavar="VARIABLE", help="The variable that holds an API key, such as Hosted Graphite's."
            ),
            click.option("--tls", is_flag=True, help="Speak TLS with Carbon."),
            click.option(
                "--ca",
                type=click.Path(exists=True, dir_okay=False),
                metavar="FILE",
                help="Certificates to trust, with --tls.",
            ),
            click.option(
                "--verify-url", callback=_url, metavar="URL", help="Graphite's URL: read the last point back."
            ),
            click.option(
                "--verify-timeout",
                "verify_s",
                type=seconds,
                default="60s",
                show_default=True,
                help="How long that may take.",
            ),
            click.option(
                "--timeout",
                "timeout_s",
                type=seconds,
                default="60s",
                show_default=True,
                help="How long a query may take that does not say it itself.",
            ),
            click.option(
                "--isolation",
                type=click.Choice(_LEVELS),
                help="The transactions' isolation level.  [default: the database's]",
            ),
            click.option("--allow-write", is_flag=True, help="Let queries write."),
            click.option(
                "--lock", type=click.Choice(["file", "db"]), help="Do not run while another run of these queries does."
            ),
            click.option(
                "--only", multiple=True, metavar="NAME", help="Run only this query; may be given several times."
            ),
            click.option(
                "--every",
                "every_s",
                type=seconds,
                metavar="DURATION",
                help="Run again and again, where there is no cron.",
            ),
            click.option("--dry-run", is_flag=True, help="Print what would be sent."),
            click.option("--check", is_flag=True, help="Check queries and options, without a database."),
            click.option("--quiet", is_flag=True, help="Say nothing unless something is wrong."),
            click.option("--schema", is_flag=True, help="Print the JSON Schema of queries.yml."),
            click.version_option(graphitepager.__version__, prog_name="sql-to-graphite"),
        ]
    ):
        function = option(function)
    return function
