"""Problems for people, for programs and for GitHub's annotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from graphitepager.problems import ENVIRONMENT
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphitepager.problems import Problem
    from graphitepager.rules import Config

TEXT, JSON, GITHUB = "text", "json", "github"


def show(problems: Sequence[Problem], form: str, *, file: str, config: Config | None) -> None:
    """Print them, and how many there are; `config` is what was read all the same."""
    alerts = None if config is None else len(config.alerts)
    entries = None if config is None else sum(len(alert.entries) for alert in config.alerts)
    if form == JSON:
        click.echo(scrub(json.dumps(_as_json(problems, file=file, alerts=alerts, entries=entries), indent=2)))
        return
    for problem in problems:
        if form == GITHUB:
            click.echo(scrub(_annotation(problem)))
        else:
            click.echo(scrub(problem.render()), err=True)
    errors = sum(problem.is_error for problem in problems)
    warnings = len(problems) - errors
    counts = ([_count(errors, "error")] if errors else []) + ([_count(warnings, "warning")] if warnings else [])
    if alerts is None or entries is None:
        click.echo(f"{file}: {_count(errors, 'error')}, {_count(warnings, 'warning')}", err=True)
        return
    sound = f"{_count(alerts, 'alert')} in {_count(entries, 'entry', 'entries')}"
    click.echo(f"{file}: {', '.join([sound, *counts])}", err=bool(errors))


def _annotation(problem: Problem) -> str:
    """A workflow command: docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    places = {"file": None if problem.source == ENVIRONMENT else problem.source, "line": problem.line}
    places["col"] = problem.column
    known = {"title": "graphite-pager", **places}
    properties = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in known.items() if value is not None)
    message = problem.message + (f" ({problem.hint})" if problem.hint else "")
    if problem.source == ENVIRONMENT:
        message = f"{ENVIRONMENT}: {message}"
    return f"::{'error' if problem.is_error else 'warning'} {properties}::{_escaped(message)}"


def _escaped(text: str, others: str = "") -> str:
    return "".join(f"%{ord(each):02X}" if each in "%\r\n" + others else each for each in text)


def _as_json(problems: Iterable[Problem], **counts: Any) -> dict[str, Any]:
    return {
        **counts,
        "problems": [
            {
                "severity": "error" if problem.is_error else "warning",
                "file": None if problem.source == ENVIRONMENT else problem.source,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "hint": problem.hint,
                "excerpt": problem.excerpt,
            }
            for problem in problems
        ],
    }


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
