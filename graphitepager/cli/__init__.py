"""The command line: one file a command, loaded when it is called. Only these files read the environment."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

import graphitepager
from graphitepager.cli.ending import leave

if TYPE_CHECKING:
    from graphitepager.errors import PagerError

# Where a new command is added: its name, its file in this folder, and its line in `--help`.
COMMANDS = {
    "run": "Poll, evaluate and page until stopped (the default).",
    "web": "Serve the status page, beside a pager on the same database.",
    "verify": "Check alerts.yml and the environment, and say everything that is wrong with them.",
    "check": "Evaluate once, now: print every series; nothing is sent or stored.",
    "backtest": "Replay Graphite's past through the alerts: what would have paged?",
    "test": "Run rule tests: made-up series through the alerts, beside what is expected of them.",
    "capture": "Print a rule test of what a series really did.",
    "suggest": "Thresholds for a target, with the pages that each would have caused.",
    "plan": "Say what a new alerts.yml would begin, end and move, before it is deployed.",
    "explain": "Say why a series paged, or why not.",
    "show": "Print the alerts as they count: include, defaults, for_each and use written out.",
    "library": "List the ready-made checks, or print one.",
    "silence": "Hold back triggers for a time: add, list and end silences.",
    "notify": "Send a sample of each kind of message, to try out a notifier.",
    "reconcile": "Compare with what PagerDuty has open; with --fix, resolve there what has ended here.",
    "runbooks": "Write a page to begin with for each alert that has none, where its pages link to.",
    "drill": "Page a test service for a made-up breach, and time each stage.",
    "migrate": "Refuse a deploy that could not run, else bring the database to this release.",
    "healthcheck": "Say whether a pager polls in time: for Docker and its like.",
    "schema": "Print the JSON Schema of alerts.yml, for editors.",
}
DEFAULT_COMMAND = "run"


class _Commands(click.Group):
    """Loads a command's module only when it is needed, and runs the default when none is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"graphitepager.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a slip of ours, not of the user's
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, invoke_without_command=True)
@click.option("-c", "--config", "config_path", metavar="FILE", help="The alerts file.  [default: alerts.yml]")
@click.version_option(graphitepager.__version__, prog_name="graphite-pager")
@click.pass_context
def graphite_pager(ctx: click.Context, config_path: str | None) -> Any:
    """Watch Graphite, and page people with a runbook in hand.

    Without a command it runs: `graphite-pager` is `graphite-pager run`.
    """
    ctx.obj = config_path
    if ctx.invoked_subcommand is not None:
        return None
    command = graphite_pager.get_command(ctx, DEFAULT_COMMAND)
    assert command is not None  # noqa: S101 - as above
    with command.make_context(DEFAULT_COMMAND, [], parent=ctx) as its_own:
        return command.invoke(its_own)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code; what goes wrong is told in a line, never as a traceback."""
    leave(graphite_pager, arguments, program="graphite-pager", codes=_Codes(), complain=_complain)


class _Codes:
    """`check` speaks to monitoring systems, for which 1 is a warning and 2 critical: what it cannot do is 3 there."""

    unknown = 3

    def usage(self, error: click.UsageError) -> int:
        return self.unknown if error.ctx and error.ctx.info_name == "check" else 2

    def failure(self, error: PagerError) -> int:
        return 1


def _complain(text: str) -> None:
    from graphitepager.cli.configuration import complain  # noqa: PLC0415 - `--version` does not wait for this

    complain(text)
