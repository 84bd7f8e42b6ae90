"""`graphite-pager library`: the ready-made checks that are shipped, and what each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphitepager.config.fields import did_you_mean
from graphitepager.config.plainyaml import as_yaml, tidy
from graphitepager.config.readymade import read_check
from graphitepager.errors import PagerError
from graphitepager.library import Library
from graphitepager.problems import quote

if TYPE_CHECKING:
    from graphitepager.config.readymade import Check
    from graphitepager.config.yamlsource import Data


@click.command("library")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the ready-made checks, or say all about the one of this NAME.

    Example: graphite-pager library mongodb/lock_percentage
    """
    library = Library()
    if name is None:
        width = max(map(len, library))
        for known, text in library.items():
            click.echo(f"{known:<{width}}  {read_check(known, text).about}")
        return
    if name not in library:
        hint = did_you_mean(name, library) or "graphite-pager library lists them all"
        raise PagerError(f"no ready-made check is called {quote(name)} ({hint})")
    click.echo(describe(read_check(name, library[name])))


def describe(check: Check) -> str:
    """What it is for, its parameters, how it is used, and what that stands for: as comments, and as YAML."""
    used: dict[str, Data] = {"use": check.name}
    if check.parameters:
        used["with"] = {one.name: one.example for one in check.parameters}
    sections = [
        check.about,
        "Parameters:\n" + "\n".join(_parameters(check)),
        "Use it, with whichever of these and of an alert's own keys you want to be different:\n"
        + _indented(as_yaml({"alerts": [used]})),
        "It stands for:\n" + _indented(as_yaml([tidy(entry.data) for entry in check.entries])),
    ]
    return f"{check.name}\n\n" + "\n\n".join(sections)


def _parameters(check: Check) -> list[str]:
    width = max((len(one.name) for one in check.parameters), default=0)
    return [
        f"  {one.name:<{width}}  {one.about} " + (f"[default: {one.default.data}]" if one.default else "[required]")
        for one in check.parameters
    ]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.strip("\n").splitlines())
