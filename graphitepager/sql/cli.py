"""`sql-to-graphite`: what it is called with, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from graphitepager.cli.ending import leave
from graphitepager.sql import exitcodes
from graphitepager.sql.options import options

if TYPE_CHECKING:
    from graphitepager.errors import PagerError

PROGRAM = "sql-to-graphite"


class _Codes:
    unknown = exitcodes.BUG

    def usage(self, error: click.UsageError) -> int:
        return exitcodes.USAGE

    def failure(self, error: PagerError) -> int:
        return exitcodes.code_of(error)


def main(arguments: list[str] | None = None) -> None:
    """Run, and leave with an exit code."""
    leave(command, arguments, program=PROGRAM, codes=_Codes(), complain=_complain)


@click.command(PROGRAM)
@options
def command(**given: Any) -> int:
    """Send what SQL queries return to Graphite.

    S2G_DSN holds the database's URL. Exit codes: 0 all well, 1 configuration, 2 usage, 3 some queries failed,
    4 a database cannot be reached, 5 Graphite did not take it, 75 another run holds the lock.

    Example: S2G_DSN=postgres://… sql-to-graphite --queries queries.yml --graphite-host carbon.example.com
    """
    # Neither --version nor --help waits for these.
    if given["schema"]:
        from graphitepager.sql.schema import json_schema  # noqa: PLC0415

        click.echo(json.dumps(json_schema(), indent=2))
        return exitcodes.OK
    from graphitepager.sql.starting import start  # noqa: PLC0415

    return start(given)


def _complain(text: str) -> None:
    from graphitepager.sql.starting import complain  # noqa: PLC0415 - as above

    complain(text)


if __name__ == "__main__":
    main()
