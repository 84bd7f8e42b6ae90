"""`graphite-pager verify`: everything that is wrong with alerts.yml and the environment, at once."""

from __future__ import annotations

import click

from graphitepager import telemetry
from graphitepager.cli import configuration, problemreport


@click.command("verify")
@configuration.config_option
@click.option("--strict", is_flag=True, help="Take unknown keys for errors.")
@click.option("--live", is_flag=True, help="Ask Graphite, too: targets, windows, thresholds; and the runbooks' pages.")
@click.option(
    "--format",
    "form",
    type=click.Choice([problemreport.TEXT, problemreport.JSON, problemreport.GITHUB]),
    help=f"How problems are printed; github makes annotations of them.  [default: {problemreport.TEXT}]",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(config_path: str, strict: bool, live: bool, form: str | None, as_json: bool) -> int:
    """Check alerts.yml, and what the environment adds to it; without --live, without touching the network.

    Prints every problem with its line and what to do; exit code 1 when one of them is an error.

    Example: graphite-pager verify -c alerts.yml --strict
    """
    if as_json and form not in {None, problemreport.JSON}:
        raise click.UsageError(f"choose one of --json and --format {form}")
    loaded = configuration.read(config_path, strict=strict, needs_graphite=live)
    problems, config = list(loaded.problems), loaded.config
    if config is not None:
        telemetry.keep_secret(configuration.secrets_of(config))
        problems += configuration.database_problems(config, config_path)
        if live:
            from graphitepager.cli import liveverify  # noqa: PLC0415 - without --live nobody waits for HTTP clients

            problems += liveverify.problems_of(config, loaded)
    problemreport.show(
        problems,
        problemreport.JSON if as_json else form or problemreport.TEXT,
        file=config_path,
        config=config,
    )
    return 1 if any(problem.is_error for problem in problems) else 0
