"""`graphite-pager migrate`: what a deploy does first: refuse what could not run, then bring the database up to date."""

from __future__ import annotations

import click

from graphitepager import telemetry
from graphitepager.cli import configuration, problemreport
from graphitepager.store import HEAD, Store, place


@click.command("migrate")
@configuration.config_option
@click.option("--strict", is_flag=True, help="Take unknown keys for errors.")
def command(config_path: str, strict: bool) -> int:
    """Check alerts.yml and the environment as `verify` does, then bring the database to this release.

    For the moment before a deploy, such as Heroku's release phase. Where anything is wrong with the first, the database
    is left alone. Asks Graphite nothing, pages nobody, and may run beside a pager. Exit code 1: do not deploy.

    Example: graphite-pager migrate --strict
    """
    loaded = configuration.read(config_path, strict=strict)
    problems = list(loaded.problems)
    # Both are told at once: each failed deploy takes minutes.
    config = loaded.config or configuration.read(config_path, strict=strict, needs_graphite=False).config
    if config is not None:
        telemetry.keep_secret(configuration.secrets_of(config))
        problems += configuration.database_problems(config, config_path)
    problemreport.show(problems, problemreport.TEXT, file=config_path, config=config)
    if config is None or any(problem.is_error for problem in problems):
        return 1
    url = configuration.database_url(config, config_path)
    with Store.open(url) as store:
        click.echo(f"{place(url)}: {_what_was_done(store.found)}")
    return 0


def _what_was_done(found: str | None) -> str:
    if found is None:
        return f"its tables are made, at revision {HEAD}"
    if found == HEAD:
        return f"is at revision {HEAD} already"
    return f"migrated from revision {found} to {HEAD}"
