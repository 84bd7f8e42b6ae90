"""`graphite-pager show`: the alerts as they count, when everything is written out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from graphitepager import telemetry
from graphitepager.cli import configuration
from graphitepager.cli.choosing import unknown_alert
from graphitepager.config.plainyaml import tidy, written_out
from graphitepager.errors import ConfigError

if TYPE_CHECKING:
    from graphitepager.config import Loaded
    from graphitepager.config.expansion import Origin
    from graphitepager.config.yamlsource import Data


@click.command("show")
@configuration.config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
@click.argument("name", required=False)
def command(config_path: str, as_json: bool, name: str | None) -> None:
    """Print the alert of this NAME, or all of them, with include, defaults, for_each and use written out.

    The YAML could stand in the file instead of what it comes from; only secrets are masked in it.

    Example: graphite-pager show "MongoDB lock"
    """
    loaded = configuration.read(config_path, needs_graphite=False)
    if loaded.config is None:
        raise ConfigError(loaded.problems)
    telemetry.keep_secret(configuration.secrets_of(loaded.config))
    chosen = _chosen(loaded, name)
    if as_json:
        shown = json.dumps([_as_json(entry, origin) for entry, origin in chosen], indent=2, ensure_ascii=False)
    else:
        shown = "alerts:\n" + "\n".join(written_out(entry, origin) for entry, origin in chosen).rstrip()
    click.echo(telemetry.scrub(shown))


def _chosen(loaded: Loaded, name: str | None) -> list[tuple[dict[str, Data], Origin]]:
    """The entries of this name; PagerError when there are none."""
    entries = [(entry, origin) for entry, origin in loaded.entries if isinstance(entry, dict)]
    chosen = [(entry, origin) for entry, origin in entries if name in {None, str(entry["name"]).strip()}]
    if name is not None and not chosen:
        raise unknown_alert(name, {str(entry["name"]) for entry, _ in entries})
    return chosen


def _as_json(entry: dict[str, Data], origin: Origin) -> dict[str, object]:
    return {
        "file": origin.place.source,
        "line": origin.place.line,
        "for_each": dict(origin.variables),
        "use": origin.check,
        "entry": tidy(entry, origin.variables),
    }
