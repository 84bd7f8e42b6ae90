"""`graphite-pager schema`: the JSON Schema of alerts.yml, with which editors complete and check it."""

from __future__ import annotations

import json

import click

from graphitepager.config.schema import json_schema
from graphitepager.notifiers import SECTIONS


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of alerts.yml.

    Example: graphite-pager schema > alerts.schema.json
    """
    click.echo(json.dumps(json_schema(SECTIONS), indent=2))
