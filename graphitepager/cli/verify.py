"""`graphite-pager verify`: everything that is wrong with alerts.yml and the environment, at once."""

from __future__ import annotations

import click

from graphitepager.cli import configuration
from graphitepager.cli.configuration import complain
from graphitepager.errors import StoreError


@click.command("verify")
@configuration.config_option
@click.option("--strict", is_flag=True, help="Take unknown keys for errors.")
def command(config_path: str, strict: bool) -> int:
    """Check alerts.yml, and what the environment adds to it, without touching the network.

    Prints every problem with its line and what to do; exit code 1 when one of them is an error.

    Example: graphite-pager verify -c alerts.yml --strict
    """
    loaded = configuration.read(config_path, strict=strict, needs_graphite=False)
    for problem in loaded.problems:
        click.echo(problem.render(), err=True)
    errors = sum(problem.is_error for problem in loaded.problems)
    warnings = len(loaded.problems) - errors
    if loaded.config is None:
        click.echo(f"{config_path}: {_count(errors, 'error')}, {_count(warnings, 'warning')}", err=True)
        return 1
    try:
        configuration.check_database_url(loaded.config, config_path)
    except StoreError as error:
        complain(f"environment: {error}")
        return 1
    entries = sum(len(alert.entries) for alert in loaded.config.alerts)
    suffix = f", {_count(warnings, 'warning')}" if warnings else ""
    click.echo(
        f"{config_path}: {_count(len(loaded.config.alerts), 'alert')} in {_count(entries, 'entry', 'entries')}{suffix}"
    )
    return 0


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
